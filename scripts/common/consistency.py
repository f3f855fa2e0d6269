"""Consistency checks shared by several studies; imported by the Snakefile, so it imports nothing heavy."""

from collections.abc import Iterable

from scripts.common.errors import UserError


def distinct(names: Iterable[str], place: str, what: str) -> None:
    """Check that names are unique, since two runs of the same name would overwrite each other.

    Args:
        place: the key in the config.
        what: what the names belong to, as in "two {what} {name}".

    Raises:
        UserError: a name is repeated.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"config: {place}: two {what} {name}; keep one of them")
        seen.add(name)
