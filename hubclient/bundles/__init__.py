"""Models in one file, for machines without a network."""
