"""YAML files: safe reading, and checks against a JSON schema with one-line error messages."""

import math
import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from scripts.common.errors import UserError

# A safe loader ten times as fast as the one in Python, where PyYAML was built with it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        return yaml.load(Path(path).read_text(encoding="utf-8"), LOADER)
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
    raise UserError(f"{where}: {place}: {error.message}{_how_to_write(error)}. {meaning}")


NUMBER = re.compile(r"([-+]?)(\d[\d_]*)?(\.\d*)?(?:[eE]([-+]?)(\d+))?")
TRUTH = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


def as_number(text: str) -> float | None:
    """Return the number that a word is to everyone but YAML 1.1 (3e-3, 1e5, or one in quotes); None of any other."""
    matched = NUMBER.fullmatch(text.strip())
    digits = matched and ((matched[2] or "") + (matched[3] or "")).strip(".")
    return float(text.strip().replace("_", "")) if digits else None


def in_yaml(text: str, whole: bool) -> str:
    """Return a number that `as_number` accepts in the form of YAML 1.1: with a point and a signed exponent (3.0e-3)."""
    number = as_number(text)
    if whole and number.is_integer():
        return str(int(number))
    sign, first, rest, exponent_sign, exponent = (part or "" for part in NUMBER.fullmatch(text.strip()).groups())
    mantissa = f"{sign}{first.replace('_', '') or '0'}{rest if len(rest) > 1 else '.0'}"
    return mantissa + (f"e{exponent_sign or '+'}{exponent}" if exponent else "")


def _how_to_write(error: ValidationError) -> str:
    """Return advice to append to a refusal: the spelling of the value probably meant, or "" if there is no guess."""
    value, wanted = error.instance, error.validator_value
    kinds = ([wanted] if isinstance(wanted, str) else wanted) if error.validator == "type" else []
    is_text = "string" in kinds or error.validator in ("enum", "const", "pattern")
    if isinstance(value, bool):
        return "; YAML reads yes, no, on, off, true and false as a truth value: put a word in quotes" if is_text else ""
    if isinstance(value, str) and {"number", "integer"} & {*kinds} and as_number(value) is not None:
        return f" but a word to YAML; write {in_yaml(value, 'integer' in kinds)}, without quotes"
    if isinstance(value, str) and "boolean" in kinds and value.lower() in TRUTH:
        return f"; write {TRUTH[value.lower()]}, without quotes"
    if isinstance(value, float) and "integer" in kinds and value.is_integer():
        return f"; write {value:.0f}"
    if isinstance(value, (int, float)) and is_text and kinds:
        return "; put it in quotes"
    if value is None and kinds:
        return "; nothing after the colon is null to YAML: give a value, or take the key out"
    if "array" in kinds and isinstance(value, (str, int, float)):
        return f"; write a list: [{value}]"
    return ""
