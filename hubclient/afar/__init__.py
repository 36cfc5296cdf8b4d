"""What a model is, told by the small parts of its origin: its weights stay where they are."""
