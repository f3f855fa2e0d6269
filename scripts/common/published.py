"""Published numbers of a study: `scripts/X/published.yaml`, read by claims, tables and figures."""

from functools import cache
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.yaml_files import check, read_yaml

SCHEMA = Path(__file__).with_name("published.schema.yaml")


@cache
def read_published(path: str | Path) -> dict[str, dict]:
    """Return the groups of published numbers by name; a group has document, place, read_from, values, maybe unit.

    Raises:
        UserError: the file is missing, is no YAML or breaks its schema.
    """
    content = read_yaml(path)
    check(content, read_yaml(SCHEMA), path)
    return content


def values(path: str | Path, group: str) -> dict:
    """Return the numbers of one group, nested as in the file.

    Raises:
        UserError: as `read_published`, or there is no such group.
    """
    content = read_published(path)
    if group not in content:
        raise UserError(f"{path}: there is no group {group!r}; there are {', '.join(content)}")
    return content[group]["values"]


def number(path: str | Path, name: str) -> tuple[float, dict]:
    """Return a number and its group.

    Args:
        name: the group, then the keys inside `values` (a list takes a position from 0): "table_1/FC/accuracy".

    Raises:
        UserError: as `read_published`, or the name leads to no number.
    """
    group, *keys = name.split("/")
    result = values(path, group)
    for key in keys:
        try:
            result = result[int(key) if isinstance(result, list) else key]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise UserError(f"{path}: {name!r} names no number: there is no {key!r}") from error
    if isinstance(result, dict | list):
        raise UserError(f"{path}: {name!r} names several numbers; name one of them")
    return float(result), read_published(path)[group]
