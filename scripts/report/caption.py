"""Captions: reStructuredText in, HTML out. Nothing outside the text is read, and raw HTML is refused."""

from pathlib import Path

from docutils.core import publish_parts
from docutils.utils import SystemMessage
from docutils.writers.html5_polyglot import Writer

from scripts.common.errors import UserError

SETTINGS = {
    "_disable_config": True,  # no docutils.conf of the user's
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "halt_level": 2,  # a warning is an error: it would stand in the page
    "report_level": 5,
    "warning_stream": False,
}


def caption_html(path: str | Path) -> str:
    """Return the HTML of a caption file; what looks like markup in its text is escaped.

    Raises:
        UserError: the file is missing, or is no valid reStructuredText.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return publish_parts(text, writer=Writer(), settings_overrides=SETTINGS)["body"].strip()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; every figure and table needs a caption") from error
    except SystemMessage as error:
        raise UserError(f"{path}: no valid reStructuredText: {error}") from error
