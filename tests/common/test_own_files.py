"""Files of the user: what they contain decides, whatever their dates say."""

import os

from scripts.common import own_files
from scripts.common.own_files import content_of, existing


def at(path, content: bytes, time: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time, time))


def test_only_what_is_named_and_there_is_an_input(tmp_path, monkeypatch):
    (tmp_path / "a b, [c]'s.csv").write_bytes(b"")
    assert existing(tmp_path / "a b, [c]'s.csv") == [str(tmp_path / "a b, [c]'s.csv")]
    assert existing("") == existing(tmp_path / "none") == [] and content_of("") == content_of(tmp_path / "none") == ""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert existing("~/a b, [c]'s.csv") == [str(tmp_path / "a b, [c]'s.csv")]


def test_another_content_is_noticed_under_an_older_and_under_the_same_date(tmp_path):
    path = tmp_path / "own.safetensors"
    at(path, b"first", 2_000_000)
    first = content_of(path)
    at(path, b"older one", 1_000_000)
    older = content_of(path)
    at(path, b"first", 3_000_000)
    assert older != first == content_of(path)


def test_of_a_large_file_size_and_end_decide(tmp_path, monkeypatch):
    monkeypatch.setattr(own_files, "WHOLE", 100)
    monkeypatch.setattr(own_files, "END", 50)
    path = tmp_path / "faces.zip"
    at(path, b"x" * 150 + b"directory of an archive", 1_000_000)
    first = content_of(path)
    at(path, b"x" * 150 + b"directory of an Archive", 1_000_000 + 1)
    assert first.startswith("173 bytes") and content_of(path) != first


def test_of_a_folder_every_file_counts_but_not_what_a_file_manager_leaves(tmp_path):
    for name in ("000001.jpg", "deep/000002.jpg"):
        at(tmp_path / name, b"a", 1_000_000)
    (tmp_path / "deep/up").symlink_to(tmp_path)  # no circle
    first = content_of(tmp_path)
    at(tmp_path / ".DS_Store", b"x", 5_000_000)
    at(tmp_path / "@eaDir/000001.jpg/thumb.jpg", b"x", 5_000_000)
    assert content_of(tmp_path) == first
    at(tmp_path / "deep/000002.jpg", b"b", 500_000)
    assert content_of(tmp_path) != first
