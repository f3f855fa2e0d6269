"""Rule `docs`: copy the output of the other rules of docs.smk into docs/ and README.md, which git tracks."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from scripts.common.files import atomic_path
from scripts.report.markdown import put_between_marks


def put_in_place(root: str | Path, files: Mapping[str, str], parts: Mapping[str, tuple[str, str]]) -> None:
    """Copy files to their places, and put parts between the marks of pages that are otherwise written by hand.

    Args:
        root: the project's folder.
        files: place in the project -> file of the results.
        parts: mark -> (page in the project, file of the results).

    Raises:
        UserError: a page lacks its marks, a file cannot be written.
    """
    root = Path(root)
    for place, source in files.items():
        with atomic_path(root / place) as temporary:
            shutil.copyfile(source, temporary)
    for mark, (place, source) in parts.items():
        text, content = ((root / place).read_text(encoding="utf-8"), Path(source).read_text(encoding="utf-8"))
        with atomic_path(root / place) as temporary:
            temporary.write_text(put_between_marks(text, mark, content, place), encoding="utf-8")


def replaced(root: str | Path, folders: Mapping[str, str]) -> None:
    """Replace folders of the project by folders of the results.

    Args:
        folders: place in the project -> folder of the results.
    """
    for place, source in folders.items():
        shutil.rmtree(Path(root) / place, ignore_errors=True)
        shutil.copytree(source, Path(root) / place, ignore=shutil.ignore_patterns(".snakemake_timestamp"))


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        params = snakemake.params
        put_in_place(params.root, params.files, params.parts)
        replaced(params.root, params.folders)
