"""YAML files: safe reading, and checks against a JSON schema with one-line error messages."""

import math
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from scripts.common.errors import UserError


def _is_whole(_, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker, value: object) -> bool:
    return _is_whole(checker, value) or (isinstance(value, float) and math.isfinite(value))


# JSON Schema counts 4.0 as an integer, and .nan violates no bound: both would pass and break a job hours later.
STRICT = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_whole, "number": _is_number}),
)


def read_yaml(path: str | Path) -> dict:
    """Return the content of a YAML file, read safely.

    Raises:
        UserError: the file is missing or is not valid YAML.
    """
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: no valid YAML: {error}") from error


def check(content: object, schema: dict, where: str | Path) -> None:
    """Check the content of a YAML file against a JSON schema.

    Raises:
        UserError: it does not match; the message names the file, the place in it, the fault and the place's meaning.
    """
    error = best_match(STRICT(schema).iter_errors(content))
    if error is None:
        return
    place = ".".join(str(part) for part in error.absolute_path) or "top level"
    meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    raise UserError(f"{where}: {place}: {error.message}. {meaning}")
