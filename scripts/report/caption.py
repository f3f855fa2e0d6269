"""Captions, converted from reStructuredText to HTML; file inclusion and raw HTML are disabled."""

from pathlib import Path

from docutils.core import publish_parts
from docutils.utils import SystemMessage
from docutils.writers.html5_polyglot import Writer

from scripts.common.errors import UserError

SETTINGS = {
    "_disable_config": True,  # ignore a docutils.conf of the user
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "halt_level": 2,  # a warning is an error, since it would appear in the page
    "report_level": 5,
    "warning_stream": False,
}


def caption_html(path: str | Path) -> str:
    """Return the HTML of a caption file; HTML in its text is escaped.

    Raises:
        UserError: the file is missing, or is not valid reStructuredText.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return publish_parts(text, writer=Writer(), settings_overrides=SETTINGS)["body"].strip()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; every figure and table needs a caption") from error
    except SystemMessage as error:
        raise UserError(f"{path}: no valid reStructuredText: {error}") from error
