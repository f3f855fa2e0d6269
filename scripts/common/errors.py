"""The exception for mistakes that the user can fix."""


class UserError(Exception):
    """A mistake in the config, a path or a data file.

    The message is a single line that says what is wrong, where, and what to do. It ends a job with exit
    status 1 and no traceback. Every other exception is a bug and keeps its traceback.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(str(message).split()))
