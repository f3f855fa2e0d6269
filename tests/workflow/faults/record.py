"""What the fault tests tried, for the table in docs/reliability.md: one JSON line per fault where the rule asks."""

import json
import os
from pathlib import Path

FILE = "COUNTERWEIGHT_FAULTS"  # environment variable: the file to append to


def record(fault: str, tried: int, lost: int, how: str) -> None:
    """Append one line; do nothing where no file is named.

    Args:
        fault: what broke, in a few words.
        tried: how often it was provoked.
        lost: how many results were lost or wrong afterwards.
        how: how it was provoked, in one sentence.
    """
    if path := os.environ.get(FILE):
        with Path(path).open("a", encoding="utf-8") as file:  # one short line at a time: writers do not mix
            file.write(json.dumps({"fault": fault, "tried": tried, "lost": int(lost), "how": how}) + "\n")
