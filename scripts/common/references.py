"""The documents that a study replicates or rests on, as `scripts/X/study.yaml` lists them."""


def author_names(reference: dict) -> list[str]:
    """Author names as people write them: given names as initials, then the family name."""
    names = []
    for author in reference["authors"]:
        family, _, given = author.partition(", ")
        initials = " ".join(f"{part[0]}." for part in given.split())
        names.append(f"{initials} {family}".strip())
    return names


def cite(reference: dict) -> str:
    """One line for a reader: authors, title, venue or publisher, version, year, licence of code, note."""
    place = reference.get("venue") or reference.get("publisher")
    version = f"version {reference['version']}" if "version" in reference else None
    year = str(reference["year"]) if "year" in reference else None
    details = ", ".join(part for part in (place, version, year) if part)
    licence = f"Licence: {reference['licence']}" if "licence" in reference else None
    parts = [f"{', '.join(author_names(reference))}: {reference['title']}", details, licence, reference.get("note")]
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def address(reference: dict) -> str | None:
    """Public address of the document: its DOI, else its page, else its code; None if no address is known."""
    if "doi" in reference:
        return f"https://doi.org/{reference['doi']}"
    return reference.get("url") or reference.get("repository")
