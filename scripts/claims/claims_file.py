"""Reading `scripts/X/claims.yaml`: checked against its schema, ids unique, every number and document named."""

from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.published import number
from scripts.common.references import address
from scripts.common.yaml_files import check, read_yaml

SCHEMA = Path(__file__).with_name("claims.schema.yaml")
PAPERS = ("paper", "theorem")  # the origins that headlines count
ORIGINS = (*PAPERS, "package", "ours")


def read_claims(path: str | Path) -> list[dict]:
    """Return the claims of a study in their order, with their published numbers filled in.

    A claim's `published` comes back as {"value", "unit" or None, "read_from"}. The documents are the references of
    `study.yaml` beside the file, the numbers stand in `published.yaml` there.

    Raises:
        UserError: the file is missing or breaks the schema (no tolerance, no origin, say), an id stands twice, a claim
            gives no value to compare with, or it names a document or a number that does not exist.
    """
    path = Path(path)
    content = read_yaml(path)
    check(content, read_yaml(SCHEMA), path)
    documents, seen, claims = document_ids(path.with_name("study.yaml")), set(), []
    for claim in content["claims"]:
        where = f"{path}: {claim['id']}"
        if claim["id"] in seen:
            raise UserError(f"{path}: the id {claim['id']!r} stands twice; give every claim its own")
        seen.add(claim["id"])
        if "value" not in claim["holds"] and "published" not in claim:
            raise UserError(f"{where}: holds: give a value, or a published one, to compare with")
        check_source(claim, documents, where)
        if "published" in claim:
            claim = claim | {"published": published_number(claim["published"], path.with_name("published.yaml"), where)}
        claims.append(claim)
    return claims


def document_ids(path: Path) -> list[str]:
    """Return the ids of the documents with a public address that a study lists under `references` in its study.yaml."""
    return [entry["id"] for entry in read_yaml(path).get("references", []) if address(entry)]


def check_source(claim: dict, documents: list[str], where: str) -> None:
    """Check that a claim of somebody else says where a reader can open it, and how sure we are of it.

    Raises:
        UserError: document or confidence is missing, or the document is none of the study's references.
    """
    if claim["origin"] != "ours":
        for key in ("where", "confidence"):
            if key not in claim:
                raise UserError(f"{where}: {key}: is missing; only claims of origin ours do without")
    elif "confidence" in claim:
        raise UserError(f"{where}: confidence: is for claims of others; this one is ours")
    document = claim.get("where", {}).get("document")
    if document is not None and document not in documents:
        known = ", ".join(documents) or "none"
        raise UserError(
            f"{where}: where: {document!r} is no public document; study.yaml lists with an address: {known}"
        )


def published_number(entry: dict, path: Path, where: str) -> dict:
    """Return value, unit and read_from of a claim's published number.

    Raises:
        UserError: published.yaml is missing or broken, or has no such number.
    """
    try:
        value, group = number(path, entry["number"])
        if "minus" in entry:
            value -= number(path, entry["minus"])[0]
    except UserError as error:
        raise UserError(f"{where}: published: {error}") from error
    value = round(value * entry.get("scale", 1), 10)  # 0.760 - 0.806 is -0.046 to a reader
    return {"value": value, "unit": entry.get("unit", group.get("unit")), "read_from": group["read_from"]}


def unmet(requires: dict, settings: dict) -> str | None:
    """Return a message that names the first required setting that the study's config lacks; None if all are met.

    A required value may also be one item of the config's list.
    """
    for key, wanted in requires.items():
        value = settings
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value != wanted and not (isinstance(value, list) and wanted in value):
            return f"needs {key} = {_text(wanted)}; these results were made with {_text(value)}"
    return None


def _text(value: object) -> str:
    """Return a config value as a reader writes it."""
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return " ".join(f"{key} {_text(item)}" for key, item in value.items())
    return "all (null)" if value is None else str(value)
