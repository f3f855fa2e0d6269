"""The error of an attack that cannot be right."""


class AttackCheckError(AssertionError):
    """A sanity check of an attack or of its result failed: a fault of ours, which keeps its traceback."""
