"""Writing that is all or nothing."""

import errno
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from scripts.common.errors import UserError
from scripts.common.files import as_user_error, atomic_path, checksum


def test_the_file_is_there_only_after_the_block(tmp_path):
    path = tmp_path / "new" / "table.csv"
    with atomic_path(path) as temporary:
        temporary.write_text("1", encoding="utf-8")
        assert temporary.suffix == ".csv"
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "1"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_text("new", encoding="utf-8")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_one_line_and_nothing_is_left(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old", encoding="utf-8")
    full = pytest.raises(UserError, match=r"table\.csv: the disk is full; free some space")
    with full as error, atomic_path(path) as temporary:
        temporary.symlink_to("/dev/full")  # every write to it fails as on a full disk
        temporary.write_text("new", encoding="utf-8")
    assert "\n" not in str(error.value)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"), atomic_path(tmp_path / "x") as temporary:
        temporary.write_text("1", encoding="utf-8")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "cannot be written .*permissions"),
        (errno.EROFS, "cannot be written .*permissions"),
    ],
)
def test_faults_that_a_user_can_mend_become_user_errors(number, message):
    made = as_user_error(OSError(number, os.strerror(number)), "results/x")
    assert isinstance(made, UserError)
    with pytest.raises(UserError, match=f"^results/x: {message}"):
        raise made


def test_other_faults_stay_what_they_are(tmp_path):
    fault = OSError(errno.EIO, "I/O error")
    assert as_user_error(fault, "x") is fault
    with pytest.raises(OSError, match="I/O error"), atomic_path(tmp_path / "x"):
        raise fault


def test_a_block_that_writes_nothing_is_a_fault_of_ours(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "x"):
        pass


def test_checksums_are_the_known_ones(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert checksum(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert checksum(path, "md5") == "900150983cd24fb0d6963f7d28e17f72"
    content = os.urandom(300_000)
    path.write_bytes(content)
    assert checksum(path) == hashlib.sha256(content).hexdigest()


def test_what_a_killed_writer_left_is_removed_and_a_living_ones_is_not(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f".table.{ended.pid}.part.csv"
    others = [tmp_path / f".table.{os.getppid()}.part.csv", tmp_path / f".other.{ended.pid}.part.csv"]
    for path in (left, *others):
        path.write_text("half", encoding="utf-8")
    with atomic_path(tmp_path / "table.csv") as temporary:
        temporary.write_text("1", encoding="utf-8")
    assert not left.exists() and all(path.exists() for path in others)


def test_a_full_disk_is_known_in_the_words_of_other_languages():
    error = RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")
    assert "the disk is full" in str(as_user_error(error, "weights"))
    assert as_user_error(RuntimeError("size mismatch"), "weights").args == ("size mismatch",)
