"""Validation of the configuration before anything is planned."""

from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.studies import check, read_yaml, study_names


def full_schema(root: str | Path) -> dict:
    """Return the schema of the whole config: config.schema.yaml, and `scripts/X/schema.yaml` for the block of study X.

    A study's schema may use the `$defs` of config.schema.yaml and bring its own.

    Raises:
        UserError: a study has no schema, or its schema defines a name that is taken.
    """
    schema = read_yaml(Path(root, "config.schema.yaml"))
    for study in study_names(root):
        own = read_yaml(Path(root, f"scripts/{study}/schema.yaml"))
        definitions = own.pop("$defs", {})
        if taken := sorted(schema["$defs"].keys() & definitions.keys()):
            raise UserError(f"scripts/{study}/schema.yaml: $defs: {taken[0]!r} is defined already; take another name")
        schema["properties"][study] = own
        schema["$defs"] |= definitions
    return schema


def validate(config: dict, root: str | Path) -> None:
    """Check a configuration against the schema of the project at `root`.

    Raises:
        UserError: names the key, what is wrong with it and what it means.
    """
    check(config, full_schema(root), "config")


def in_order(value):
    """Return a config with the keys of every mapping sorted: their order in a file shall not rerun a job."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value
