"""Spark NLP's archive format: readers of bytes, which run nothing of what they read."""
