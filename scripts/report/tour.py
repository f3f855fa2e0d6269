"""Closing message of `make tour`: the finding of the study in this run, and the files to look at next."""

import sys
from pathlib import Path

from scripts.common import studies
from scripts.common.errors import UserError

FOUND = "**What was found.** "


def places(study: str, root: Path) -> list[tuple[str, str]]:
    """Return (path, description) of the study's page, its figures and the index of all studies.

    Raises:
        UserError: a file is missing.
    """
    about = studies.describe(study, root)
    files = [(f"results/docs/studies/{study}.md", "your page of the study: claims, tables, limitations")]
    for name in studies.shown_in_docs(study, root, "figures"):
        files.append((studies.picture_path(study, name, root), about["figures"][name]["title"]))
    files.append(("docs/studies/README.md", "the pages of all studies; `make study` makes all of it again"))
    for path, _ in files:
        if not (root / path).exists():
            raise UserError(f"{path}: no such file; run make tour again")
    return files


def message(study: str, root: Path) -> str:
    """Return the question of the study, what this run found, and where to look next."""
    files = places(study, root)
    lines = (root / files[0][0]).read_text(encoding="utf-8").splitlines()
    finding = next(line.removeprefix(FOUND) for line in lines if line.startswith(FOUND))
    question = " ".join(studies.describe(study, root)["question"].split())
    width = max(len(path) for path, _ in files)
    listed = [f"  {path:{width}}  {description}" for path, description in files]
    return "\n".join(["", f"The question: {question}", "", f"Found: {finding}", "", "Look next at", *listed])


if __name__ == "__main__":
    try:
        print(message(sys.argv[1], Path.cwd()))
    except UserError as error:
        sys.exit(f"Error: {error}")
