"""What a manifest says of a config: its settings without a user's paths, and its seeds."""

import os
from collections.abc import Iterator
from typing import Any


def portable(value) -> Any:
    """Return a config in which every absolute path is cut to its last part, and `released` is empty.

    A path of one machine tells another nothing, and should not be published.
    """
    if isinstance(value, dict):
        return {key: "" if key == "released" else portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item) for item in value]
    if isinstance(value, str) and (os.path.isabs(value) or value.startswith("~")):  # noqa: PTH117
        return os.path.basename(value.rstrip("/"))  # noqa: PTH119
    return value


def seeds(config: dict) -> dict[str, dict]:
    """Return, for each block of a config that has some, its seeds by the dotted path of their key."""
    found = {block: dict(_seeds_in(content)) for block, content in config.items()}
    return {block: own for block, own in found.items() if own}


def _seeds_in(content: object, place: str = "") -> Iterator[tuple[str, object]]:
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if key in ("seed", "seeds") or key.endswith("_seed"):
            yield place + key, value
        else:
            yield from _seeds_in(value, f"{place}{key}.")
