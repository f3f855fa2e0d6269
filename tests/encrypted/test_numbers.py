"""Numbers of images on disk: by transform and k, whole or some rows, and damaged files in one line."""

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.encrypted import numbers
from scripts.encrypted.settings import setting_of


@pytest.fixture
def path(tmp_path):
    arrays = {"dct-2": np.arange(12.0).reshape(6, 2), "pixels-4": np.arange(24.0).reshape(4, 6).T / 7}
    numbers.write(arrays, tmp_path / "x.safetensors")
    return tmp_path / "x.safetensors"


def test_numbers_come_back_as_single_precision(path):
    found = numbers.read(path, setting_of("pixels-4"))
    assert found.dtype == np.float32 and (found == np.float32(np.arange(24.0).reshape(4, 6).T / 7)).all()
    assert numbers.read(path, setting_of("dct-2"), np.array([4, 0])).tolist() == [[8, 9], [0, 1]]


def test_networks_of_one_transform_share_its_numbers(path):
    assert (numbers.read(path, setting_of("dct-2-deep")) == numbers.read(path, setting_of("dct-2"))).all()


def test_what_is_not_there_is_one_line(path, tmp_path):
    with pytest.raises(UserError, match=r"x.safetensors: no numbers of dct-3, or damaged"):
        numbers.read(path, setting_of("dct-3"))
    with pytest.raises(UserError, match=r"y.safetensors: no numbers of dct-2"):
        numbers.read(tmp_path / "y.safetensors", setting_of("dct-2"))


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_truncated_file_is_one_line(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"no numbers of dct-2, or damaged .*; delete it and run again"):
        numbers.read(path, setting_of("dct-2"))


def test_a_full_disk_is_one_line_and_leaves_the_old_file(path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    whole = path.read_bytes()
    monkeypatch.setattr(numbers, "save_file", full)
    with pytest.raises(UserError, match=r"x.safetensors: the disk is full"):
        numbers.write({"dct-2": np.ones((1, 2))}, path)
    assert path.read_bytes() == whole and [*path.parent.iterdir()] == [path]
