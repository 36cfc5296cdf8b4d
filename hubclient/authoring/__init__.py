"""Writing model cards: a new one from what a model says of itself, and sections of one that is there."""
