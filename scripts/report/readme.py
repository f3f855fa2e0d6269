"""Rule `readme`: put the newest tables and pictures of a run into README.md and pictures/."""

import re
import shutil
from pathlib import Path

from scripts.common.errors import UserError
from scripts.common.files import atomic_path


def put_between_marks(text: str, name: str, content: str) -> str:
    """Return `text` with `content` between the comments `begin NAME` and `end NAME`.

    Raises:
        UserError: the text has no such pair of comments.
    """
    pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
    if not pattern.search(text):
        raise UserError(f"README.md: the comments 'begin {name}' and 'end {name}' are missing")
    return pattern.sub(lambda match: match[1] + content.strip() + "\n" + match[2], text)


def renew(readme: str | Path, tables: list[str], pictures: list[str], folder: str | Path) -> None:
    """Write each Markdown table between the marks of its name, and copy the pictures into `folder`."""
    text = Path(readme).read_text()
    for table in map(Path, tables):
        text = put_between_marks(text, table.stem, table.read_text())
    for picture in map(Path, pictures):
        with atomic_path(Path(folder, picture.name)) as temporary:
            shutil.copyfile(picture, temporary)
    with atomic_path(readme) as temporary:
        temporary.write_text(text)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        renew(
            snakemake.params.readme,
            list(snakemake.input.tables),
            list(snakemake.input.pictures),
            snakemake.params.folder,
        )
