"""Pieces of Markdown as GitHub renders it: cells, folded parts, and parts of a page that a rule keeps current."""

import re
from collections.abc import Collection

from scripts.common.errors import UserError


def cell(text: object) -> str:
    """Return a text escaped for a table cell: one line, no bare vertical bar."""
    return " ".join(str(text).split()).replace("|", r"\|")


def table(columns: list[str], rows: list[list[object]], numeric: Collection[str] = ()) -> str:
    """Return a table; the columns named in `numeric` are aligned to the right."""
    marks = ["--:" if name in numeric else ":--" for name in columns]
    lines = ["| " + " | ".join(columns) + " |", "|" + "|".join(marks) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(map(cell, row)) + " |" for row in rows)])


def folded(summary: str, content: str) -> str:
    """Return content folded under a summary that unfolds it on a click."""
    return f"<details><summary>{summary}</summary>\n\n{content.strip()}\n\n</details>"


def bullets(sentences: list[str]) -> str:
    """Return one bullet per sentence."""
    return "\n".join(f"- {' '.join(sentence.split())}" for sentence in sentences)


def put_between_marks(text: str, name: str, content: str, where: str) -> str:
    """Return `text` with `content` between the comments `begin NAME` and `end NAME`.

    Args:
        where: the file that the text is from, for messages.

    Raises:
        UserError: the text has no such pair of comments.
    """
    pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
    if not pattern.search(text):
        raise UserError(f"{where}: the comments 'begin {name}' and 'end {name}' are missing")
    return pattern.sub(lambda match: match[1] + content.strip() + "\n" + match[2], text)
