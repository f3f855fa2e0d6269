"""Broken data files in every format that is read: each ends in one line of ours, and none is taken for what it is not.

The oracle is the undamaged file: what is read is exactly its content, or nothing.
"""

import hashlib
import random
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.common.errors import UserError
from scripts.data.packages import read_member
from scripts.data.tabular import make_table
from tests.workflow.faults import broken_files
from tests.workflow.faults.broken_files import (
    FORMATS,
    INNER,
    Format,
    damages,
    jpeg,
    nonsense_tables,
    packed,
    photographs,
    read_photographs,
)
from tests.workflow.faults.record import record

QUICK = 6  # cases per format in `make test`


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the good files are made."""
    made = tmp_path / "made"
    made.mkdir()
    monkeypatch.setattr(broken_files, "FOLDER", str(made))
    for kept in (broken_files.checkpoint, broken_files.weights):
        kept.cache_clear()


def outcome(read: Callable[[Path], object], path: Path) -> tuple[object, str | None]:
    """Return what a file was read as, or the line that refuses it; any other error is a fault of ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's and pandas' remarks on what they cannot read
            return read(path), None
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000
        return None, str(error)


def check(kind: Format, tmp_path: Path, most: int | None = None) -> int:
    """Break the format's good file in many ways; return how many breaks were refused."""
    good = kind.good()
    suffix = {"dutch.arff": ".arff", "bank.zip": ".zip"}.get(kind.name, "")
    whole = tmp_path / f"good{suffix}"
    whole.write_bytes(good)
    content, _ = outcome(kind.read, whole)
    cases = [*kind.own(), *damages(good, kind.flips, random.Random(kind.name))]
    refused = 0
    for number, (what, broken) in enumerate(cases[:most]):
        path = tmp_path / f"broken{number}{suffix}"
        path.write_bytes(broken)
        try:
            found, line = outcome(kind.read, path)
        except Exception as error:
            raise AssertionError(f"{kind.name}, {what}: {error!r}") from error
        refused += line is not None
        if (
            line is None
            and kind.checked is not None
            and (kind.checked or not what.startswith(("bit", "a hole", "zeros")))
        ):
            assert found == content and content is not None, f"{kind.name}, {what}: taken for what it is not"
    return refused


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_some_broken_files_are_refused_in_one_line(kind, tmp_path):
    assert check(kind, tmp_path, QUICK) >= QUICK - 2


@pytest.mark.faults
def test_every_broken_file_is_refused_in_one_line(tmp_path):
    refused = {}
    for kind in FORMATS:
        (tmp_path / kind.name).mkdir()
        refused[kind.name] = check(kind, tmp_path / kind.name)
    assert sum(refused.values()) >= 200, refused
    record("broken data file", sum(refused.values()), 0, f"{len(FORMATS)} formats, damaged in every way we know")


@pytest.mark.parametrize(("table", "what", "members"), nonsense_tables())
def test_a_table_of_nonsense_with_the_right_sum_is_refused(table, what, members, tmp_path, monkeypatch):
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    path = tmp_path / "source.whl"
    path.write_bytes(packed(**members))
    _, line = outcome(lambda path: make_table(path, table, sums, tmp_path / "table.parquet"), path)
    assert line is not None, f"{table}, {what}: accepted"
    assert not (tmp_path / "table.parquet").exists()


def test_names_that_leave_their_folder_write_nothing_outside(tmp_path):
    evil = {"../../evil/000003.jpg": jpeg(), "/evil/000004.jpg": jpeg(), "..\\000005.jpg": jpeg()}
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "archive.zip").write_bytes(photographs(**evil))
    before = sorted(tmp_path.rglob("*"))
    found, line = outcome(read_photographs, inner / "archive.zip")
    # The two images of img_align_celeba: what claims to lie elsewhere is left out.
    assert line is None and len(found) // (78 * 64 * 3) == 2
    after = [path for path in sorted(tmp_path.rglob("*")) if path.name not in ("images.npy", "made")]
    assert after == [path for path in before if path.name != "made"] and not Path("/evil").exists()
    (inner / "wheel.whl").write_bytes(packed(**{"../../../table.csv": INNER}))
    assert read_member(inner / "wheel.whl", "table.csv") == INNER
    record("archive with names that leave its folder", 2, 0, "photographs and a wheel with ../ and absolute names")
