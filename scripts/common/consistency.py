"""What the consistency checks of several blocks of the config share. Imported by the Snakefile: nothing heavy."""

from collections.abc import Iterable

from scripts.common.errors import UserError


def distinct(names: Iterable[str], place: str, what: str) -> None:
    """Check that no name stands twice: two runs of one name would overwrite one another.

    Args:
        place: the key in the config.
        what: whose names they are, as in "two {what} {name}".

    Raises:
        UserError: one does.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"config: {place}: two {what} {name}; keep one of them")
        seen.add(name)
