"""Kernels kept on disk: compiled anew when anything that they are made of has changed, else read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from numba import njit

from scripts.boosting.boosting_compile import KERNELS as BOOSTING
from scripts.common.compiled import digest_of, kept_on_disk, write_note
from scripts.frtrain.frtrain_compile import KERNELS as FRTRAIN

ROOT = Path(__file__).parents[2]
USER = """
import sys
sys.path[:0] = [{root!r}, {folder!r}]
import piece
from constants import EXTRA
from piece import added
from scripts.common.compiled import kept_on_disk


@kept_on_disk("float64(float64)")
def through(value):
    return added(piece.scaled(value)) + EXTRA


print(through(10.0))
"""
PIECE = """
import deeper
from numba import njit


@njit
def scaled(value):
    return deeper.doubled(value)


@njit
def added(value):
    return value + {term}
"""
DEEPER = """
from numba import njit


@njit
def doubled(value):
    return {factor} * value
"""


def test_a_kernel_is_compiled_anew_when_a_piece_in_another_file_has_changed(tmp_path):
    user = tmp_path / "user.py"
    user.write_text(USER.format(root=str(ROOT), folder=str(tmp_path)), encoding="utf-8")
    said = []
    # the factor is two calls away, the term is one, and the last number is imported from a third file
    for factor, term, extra in ((2.0, 1.0, 0.0), (2.0, 1.0, 0.0), (3.0, 1.0, 0.0), (3.0, 5.0, 0.0), (3.0, 5.0, 7.0)):
        (tmp_path / "deeper.py").write_text(DEEPER.format(factor=factor), encoding="utf-8")
        (tmp_path / "piece.py").write_text(PIECE.format(term=term), encoding="utf-8")
        (tmp_path / "constants.py").write_text(f"EXTRA = {extra}\n", encoding="utf-8")
        # -B: Python takes a file of the same size and second for unchanged
        ran = subprocess.run([sys.executable, "-B", str(user)], capture_output=True, encoding="utf-8", check=True)
        said.append(float(ran.stdout))
    assert said == [21, 21, 31, 35, 42]
    assert len(list((tmp_path / "__pycache__").glob("user.through_*.nbi"))) == 4


def test_what_is_not_called_does_not_count():
    @njit
    def helper(value):
        return value

    def alone(value):
        return value + 1

    assert digest_of(alone) == digest_of(alone) and len(digest_of(alone)) == 12


def test_the_kernels_of_all_studies_are_listed_by_the_rules_that_compile_them(tmp_path):
    """Every function that is kept on disk is compiled by its study's rule, and the note says so."""
    kept = sum(path.read_text(encoding="utf-8").count("\n@kept_on_disk(") for path in (ROOT / "scripts").glob("*/*.py"))
    assert kept == len(BOOSTING) + len(FRTRAIN) == 6
    assert not [
        path for path in (ROOT / "scripts").glob("*/*.py") if "@njit(cache=True" in path.read_text(encoding="utf-8")
    ]
    write_note(BOOSTING + FRTRAIN, str(tmp_path / "note.json"))
    note = json.loads((tmp_path / "note.json").read_text(encoding="utf-8"))
    assert sorted(note) == ["kernels", "llvmlite", "numba"] and len(set(note["kernels"])) == 6
    assert any(name.startswith("scripts.frtrain.loop.train_") for name in note["kernels"])


def test_a_function_that_is_not_kept_is_refused(tmp_path):
    @njit
    def loose(value):
        return value

    with pytest.raises(ValueError, match="not kept on disk"):
        write_note([loose], str(tmp_path / "note.json"))
    assert not list(tmp_path.iterdir())


def test_a_kept_kernel_computes_what_the_function_says():
    @kept_on_disk("int64(int64)")
    def squared(value):
        return value * value

    assert squared(12) == 144 == squared.py_func(12)
