"""What the outputs of a model give away about a sensitive attribute: attacks, bounds and tests, for any predictions."""
