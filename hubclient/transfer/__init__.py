"""Bringing bytes here, whole and verified."""
