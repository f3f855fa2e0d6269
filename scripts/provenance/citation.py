"""CITATION.cff: the project's own entry and the references of all studies. Run by `make citation`, not by the DAG."""

from pathlib import Path

import yaml

from scripts.common.errors import UserError
from scripts.common.studies import describe, study_names
from scripts.common.yaml_files import read_yaml

HEAD = Path(__file__).with_name("citation_head.yaml")
FIRST_LINE = "# Written by `make citation` from scripts/provenance/citation_head.yaml and scripts/*/study.yaml.\n"
TYPES = {"notebook": "software-code"}  # kinds of document that have another name in the citation format
VENUES = {"article": "journal", "conference-paper": "conference"}  # key of the format for `venue` by kind
PUBLISHERS = {"thesis": "institution", "report": "institution"}


def references(root: Path) -> list[dict]:
    """References of all studies, each document once, by its id; notes of several studies are joined.

    Raises:
        UserError: two studies give one id to different documents.
    """
    known: dict[str, dict] = {}
    for study in study_names(root):
        for entry in describe(study, root)["references"]:
            first = known.setdefault(entry["id"], {**entry, "notes": [], "study": study})
            if any(first.get(key) != entry.get(key) for key in ("type", "title", "authors", "year")):
                where = f"scripts/{study}/study.yaml: references: {entry['id']}"
                raise UserError(f"{where}: scripts/{first['study']}/study.yaml gives this id to another document")
            if entry.get("note") and entry["note"] not in first["notes"]:
                first["notes"].append(entry["note"])
    return [citation_entry(known[name]) for name in sorted(known)]


def citation_entry(reference: dict) -> dict:
    """One document in the Citation File Format 1.2.0 (https://citation-file-format.github.io)."""
    kind = reference["type"]
    entry = {"type": TYPES.get(kind, kind), "title": reference["title"]}
    entry["authors"] = [_author(author) for author in reference["authors"]]
    entry |= {key: reference[key] for key in ("year", "version", "doi", "url") if key in reference}
    if "repository" in reference:
        entry["repository-code"] = reference["repository"]
    if "venue" in reference:
        key = VENUES.get(kind, "conference")
        entry[key] = reference["venue"] if key == "journal" else {"name": reference["venue"]}
    if "publisher" in reference:
        entry[PUBLISHERS.get(kind, "publisher")] = {"name": reference["publisher"]}
    notes = list(reference.get("notes", []))
    if "licence" in reference:
        known, _, rest = reference["licence"].partition("; ")
        if " " in known:  # no SPDX name
            notes.append(f"Licence: {reference['licence']}.")
        else:
            entry["license"] = known
            notes += [f"Licence: {rest}."] if rest else []
    if notes:
        entry["notes"] = " ".join(notes)
    return entry


def _author(author: str) -> dict[str, str]:
    family, _, given = author.partition(", ")
    return {"family-names": family, "given-names": given} if given else {"name": family}


def citation(root: Path) -> str:
    """Text of CITATION.cff."""
    content = read_yaml(HEAD) | {"references": references(root)}
    return FIRST_LINE + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    Path("CITATION.cff").write_text(citation(Path.cwd()), encoding="utf-8")
