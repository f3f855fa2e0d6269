"""Settings and seeds of a config as a manifest states them, without a user's paths."""

import os
from collections.abc import Iterator
from typing import Any


def portable(value) -> Any:
    """Return a copy of a config in which every absolute path is cut to its last part, and `released` is empty.

    A path on one machine is of no use on another, and should not be published.
    """
    if isinstance(value, dict):
        return {key: "" if key == "released" else portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item) for item in value]
    if isinstance(value, str) and (os.path.isabs(value) or value.startswith("~")):  # noqa: PTH117
        return os.path.basename(value.rstrip("/"))  # noqa: PTH119
    return value


def seeds(config: dict) -> dict[str, dict]:
    """Return {block: {dotted path of the key: seed or seeds}} of a config, without blocks that have no seed."""
    by_block = {block: dict(_seeds_in(content)) for block, content in config.items()}
    return {block: block_seeds for block, block_seeds in by_block.items() if block_seeds}


def _seeds_in(content: object, place: str = "") -> Iterator[tuple[str, object]]:
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if key in ("seed", "seeds") or key.endswith("_seed"):
            yield place + key, value
        else:
            yield from _seeds_in(value, f"{place}{key}.")
