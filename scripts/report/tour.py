"""What `make tour` says at its end: what the study found in this run, and which files to look at next."""

import sys
from pathlib import Path

from scripts.common import studies
from scripts.common.errors import UserError

FOUND = "**What was found.** "


def places(study: str, root: Path) -> list[tuple[str, str]]:
    """Return (file, what it is) of the page, its figures and where the same is told of every study.

    Raises:
        UserError: a file is missing.
    """
    about = studies.describe(study, root)
    listed = [(f"results/docs/studies/{study}.md", "your page of the study: claims, tables, limitations")]
    for name in studies.shown_in_docs(study, root, "figures"):
        listed.append((studies.picture_path(study, name, root), about["figures"][name]["title"]))
    listed.append(("docs/studies/README.md", "the pages of all studies; `make study` makes all of it again"))
    for path, _ in listed:
        if not (root / path).exists():
            raise UserError(f"{path}: no such file; run make tour again")
    return listed


def words(study: str, root: Path) -> str:
    """Return the question of the study, what this run found, and where to look next."""
    listed = places(study, root)
    lines = (root / listed[0][0]).read_text(encoding="utf-8").splitlines()
    found = next(line.removeprefix(FOUND) for line in lines if line.startswith(FOUND))
    question = " ".join(studies.describe(study, root)["question"].split())
    width = max(len(path) for path, _ in listed)
    looks = [f"  {path:{width}}  {what}" for path, what in listed]
    return "\n".join(["", f"The question: {question}", "", f"Found: {found}", "", "Look next at", *looks])


if __name__ == "__main__":
    try:
        print(words(sys.argv[1], Path.cwd()))
    except UserError as error:
        sys.exit(f"Error: {error}")
