"""Validation of the configuration before anything is planned."""

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.common.errors import UserError
from scripts.common.own_tables import register
from scripts.common.studies import study_names
from scripts.common.yaml_files import check, read_yaml

DEEPEST = 50


def full_schema(root: str | Path) -> dict:
    """Return the schema of the whole config: config.schema.yaml, and `scripts/X/schema.yaml` for the block of study X.

    A study's schema may use the `$defs` of config.schema.yaml and define further ones.

    Raises:
        UserError: a study has no schema, or its schema defines a name that is taken.
    """
    schema = read_yaml(Path(root, "config.schema.yaml"))
    for study in study_names(root):
        block = read_yaml(Path(root, f"scripts/{study}/schema.yaml"))
        definitions = block.pop("$defs", {})
        if taken := sorted(schema["$defs"].keys() & definitions.keys()):
            raise UserError(f"scripts/{study}/schema.yaml: $defs: {taken[0]!r} is defined already; take another name")
        schema["properties"][study] = block
        schema["$defs"] |= definitions
    return schema


def validate(config: dict, root: str | Path) -> None:
    """Check a configuration against the schema of the project at `root`, then the consistency of each study's block.

    The tables that it describes are known by name from then on.

    A study X whose values depend on each other has scripts/X/consistency.py with a function `check(block)`.

    Raises:
        UserError: it is invalid; the message names the key, its fault and its meaning.
    """
    for place, part in _parts(config):
        if not isinstance(part, (str, int, float, list, dict, type(None))):
            raise UserError(f"config: {place}: {part!r} is no word, number, list or mapping; put it in quotes")
        if isinstance(part, str) and not part.isprintable():
            raise UserError(f"config: {place}: {part[:40]!r} holds a line break or control character; remove it")
        if isinstance(part, str) and ("{" in part or "}" in part):
            raise UserError(f"config: {place}: {part[:80]!r}: Snakemake takes braces for a wildcard; rename the file")
    check(config, full_schema(root), "config")
    register(config.get("tables", {}))
    for study in study_names(root):
        if study in config and Path(root, f"scripts/{study}/consistency.py").exists():
            importlib.import_module(f"scripts.{study}.consistency").check(config[study])


def _parts(value: object, place: str = "top level", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Yield every key and value of a config with its place; a config that contains itself is an error."""
    if depth > DEEPEST:
        raise UserError(f"config: {place[:60]}: nested {depth} deep; is it an alias of itself?")
    yield place, value
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UserError(f"config: {place}: the key {key!r} is no word; put it in quotes")
            yield from _parts(item, key if place == "top level" else f"{place}.{key}", depth + 1)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _parts(item, f"{place}.{number}", depth + 1)


class _EveryKeyOnce(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """A loader that refuses a mapping with the same key twice; YAML would silently take the last."""

    def construct_mapping(self, node, deep=False) -> dict:
        """Return the mapping of a node."""
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if (key.tag, key.value) in seen:
                line = key.start_mark.line + 1
                raise UserError(f"config: {key.start_mark.name}, line {line}: {key.value!r} stands twice; keep one")
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)

    def plain_number(self, node) -> int | float:
        """Return the number of a node; refuse spellings that YAML reads as another number: 010 is 8, 1:30 is 90."""
        read = {"int": self.construct_yaml_int, "float": self.construct_yaml_float}[node.tag.rpartition(":")[2]]
        number, text = read(node), node.value.lstrip("+-")
        if ":" in text or (re.fullmatch(r"0[0-7_]+", text) and text.strip("0_")):
            where = f"config: {node.start_mark.name}, line {node.start_mark.line + 1}"
            raise UserError(f"{where}: {node.value} is {number} to YAML; write {number}, or put it in quotes")
        return number


for kind in ("int", "float"):
    _EveryKeyOnce.add_constructor(f"tag:yaml.org,2002:{kind}", _EveryKeyOnce.plain_number)


def check_files(paths: list[str | Path]) -> None:
    """Check that no mapping in the config files has a duplicate key.

    Raises:
        UserError: one has, or a file is not valid YAML.
    """
    for path in map(Path, paths):
        try:
            with path.open(encoding="utf-8") as file:
                yaml.load(file, _EveryKeyOnce)  # a SafeLoader
        except yaml.YAMLError as error:
            raise UserError(f"config: {path}: no valid YAML: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"config: {path}: cannot be read ({error})") from error


def as_yaml(value: object) -> Any:
    """Return a value of Snakemake's option --config with its words read as in a config file: "8" is the number 8.

    Snakemake reads numbers at the top level only, and leaves all inside `study={seeds: [8]}` as words.
    """
    if isinstance(value, Mapping):
        return {key: as_yaml(item) if isinstance(item, (Mapping, list)) else _word(item) for key, item in value.items()}
    return [as_yaml(item) if isinstance(item, (Mapping, list)) else _word(item) for item in value]


def _word(value: object) -> object:
    """Return what YAML makes of a word: a number, true, false or null; any other word as it is."""
    if not isinstance(value, str) or not value:
        return value
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return read if isinstance(read, (bool, int, float, type(None))) else value


def nested_values(config: Mapping) -> dict:
    """Return those entries of --config that are mappings or lists, as `as_yaml` reads them."""
    return {key: as_yaml(value) for key, value in config.items() if isinstance(value, (Mapping, list))}


def in_order(value) -> Any:
    """Return a config with the keys of every mapping sorted, so that their order in a file does not rerun a job."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value
