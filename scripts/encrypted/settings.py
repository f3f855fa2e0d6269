"""Settings: what is encrypted of an image, and the network that it is encrypted for, by one name."""

import re
from dataclasses import dataclass

from scripts.common.errors import UserError

PLAIN = "plain"
TRANSFORM_NAMES = ("dct", "block_dct", "pooling", "subsampling", "crop", "pixels")  # of transforms.py
PATTERN = re.compile(rf"({'|'.join(TRANSFORM_NAMES)})-([1-9][0-9]*)(?:-([a-z][a-z0-9_]*))?")


@dataclass(frozen=True)
class Setting:
    """A transform, the number k of its numbers that are encrypted, and the network; `dct-49`, or `dct-49-deep`."""

    transform: str
    k: int
    network: str = PLAIN

    @property
    def name(self) -> str:
        """Return the name of the setting."""
        return f"{self.transform}-{self.k}" + (f"-{self.network}" if self.network != PLAIN else "")


def setting_of(name: str) -> Setting:
    """Return the setting of a name.

    Raises:
        UserError: the name is none.
    """
    if not (found := PATTERN.fullmatch(name)):
        known = ", ".join(TRANSFORM_NAMES)
        raise UserError(f"encrypted: no setting {name!r}; write TRANSFORM-K, such as dct-49; transforms are {known}")
    return Setting(found[1], int(found[2]), found[3] or PLAIN)
