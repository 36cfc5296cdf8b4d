"""Checks of availability: what is to be checked, what became of it, and how that is reported."""
