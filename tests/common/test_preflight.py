"""Whether a run can write, and what is done with files from the future."""

import os
import time

import pytest

from scripts.common import preflight
from scripts.common.errors import UserError
from scripts.common.preflight import clock_warning, date_back, dated_ahead, require_writable


def test_a_folder_that_can_be_written_to_is_left_as_it_was(tmp_path):
    require_writable(tmp_path, tmp_path / "not/there/yet")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_permission_or_room_is_named(tmp_path, monkeypatch):
    for number, words in ((28, "the disk is full"), (30, "cannot be written")):

        def refuse(path, content, number=number):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(preflight.Path, "write_bytes", refuse)
        with pytest.raises(UserError, match=f"results: {words}"):
            require_writable(tmp_path / "results")


def test_only_files_from_the_future_get_another_date(tmp_path):
    now = time.time()
    dates = {"old": now - 900, "a second ahead": now + 1, "tomorrow": now + 86_400}
    for name, date in dates.items():
        (tmp_path / name).write_text(name, encoding="utf-8")
        os.utime(tmp_path / name, (date, date))
    (tmp_path / "link").symlink_to(tmp_path / "old")
    assert date_back(tmp_path, tmp_path / "tomorrow") >= 1
    found = {name: (tmp_path / name).stat().st_mtime for name in dates}
    assert found["old"] == pytest.approx(dates["old"]) and found["a second ahead"] == pytest.approx(now + 1)
    assert now - 1 <= found["tomorrow"] <= time.time() + 1
    assert date_back(tmp_path) == 0


def test_files_from_the_future_keep_their_order_and_distance(tmp_path):
    ahead = time.time_ns() + 172_800 * 10**9
    dates = {"script": ahead, "result": ahead + 1, "table": ahead + 3_600 * 10**9}
    for name, date in dates.items():
        (tmp_path / name).write_text(name, encoding="utf-8")
        os.utime(tmp_path / name, ns=(date, date))
    assert date_back(tmp_path) == 3
    found = {name: (tmp_path / name).stat().st_mtime_ns for name in dates}
    assert found["result"] - found["script"] == 1 and found["table"] - found["script"] == 3_600 * 10**9
    assert found["table"] <= time.time_ns()


def test_files_from_the_future_are_named_in_one_line_and_left_alone(tmp_path):
    (tmp_path / "old").touch()
    assert clock_warning(tmp_path) is None
    ahead = time.time() + 86_400
    for name in ("b", "a"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (ahead, ahead + (name == "b")))
    said = clock_warning(tmp_path, tmp_path / "nowhere")
    assert said.startswith(f"Warning: 2 files are dated in the future (such as {tmp_path}/a)")
    assert said.endswith("Run once: make clock") and "\n" not in said
    assert list(dated_ahead(tmp_path)) == [tmp_path / "a", tmp_path / "b"]
    assert (tmp_path / "a").stat().st_mtime == pytest.approx(ahead)
