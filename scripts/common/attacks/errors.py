"""The exception raised when an attack or its result fails a sanity check."""


class AttackCheckError(AssertionError):
    """A sanity check of an attack or of its result failed: a bug, reported with its traceback."""
