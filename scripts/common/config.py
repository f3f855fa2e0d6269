"""Validation of the configuration before anything is planned."""

from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from scripts.common.errors import UserError


def validate(config: dict, schema_path: str | Path) -> None:
    """Check a configuration against its JSON schema.

    Raises:
        UserError: names the key, what is wrong with it and what it means.
    """
    schema = yaml.safe_load(Path(schema_path).read_text())
    for path in sorted(Path(schema_path).parent.glob("scripts/*/schema.yaml")):  # stopgap: replaced on merge
        schema["properties"][path.parent.name] = yaml.safe_load(path.read_text())
    error = best_match(Draft202012Validator(schema).iter_errors(config))
    if error is None:
        return
    place = ".".join(str(part) for part in error.absolute_path) or "top level"
    meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    raise UserError(f"config: {place}: {error.message}. {meaning}")


def in_order(value):
    """Return a config with the keys of every mapping sorted: their order in a file shall not rerun a job."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value
