"""Reading `scripts/X/claims.yaml`: checked against its schema, ids unique, every number named."""

from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.yaml_files import check, read_yaml

SCHEMA = Path(__file__).with_name("claims.schema.yaml")


def read_claims(path: str | Path) -> list[dict]:
    """Return the claims of a study in their order.

    Raises:
        UserError: the file is missing or breaks the schema (no tolerance, say), an id stands twice, or a claim gives
            no value to compare with.
    """
    content = read_yaml(path)
    check(content, read_yaml(SCHEMA), path)
    seen = set()
    for claim in content["claims"]:
        if claim["id"] in seen:
            raise UserError(f"{path}: the id {claim['id']!r} stands twice; give every claim its own")
        seen.add(claim["id"])
        if "value" not in claim["holds"] and "published" not in claim:
            raise UserError(f"{path}: {claim['id']}: holds: give a value, or a published one, to compare with")
    return content["claims"]


def unmet(requires: dict, settings: dict) -> str | None:
    """Return which required setting the study's config does not have, in words; None if all are met.

    A required value may also be one item of the config's list.
    """
    for key, wanted in requires.items():
        value = settings
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value != wanted and not (isinstance(value, list) and wanted in value):
            return f"needs {key} = {_words(wanted)}; these results were made with {_words(value)}"
    return None


def _words(value: object) -> str:
    """Return a config value as a reader writes it."""
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return " ".join(f"{key} {_words(own)}" for key, own in value.items())
    return "all (null)" if value is None else str(value)
