"""CelebA's tables: the exact bytes of its text files, what is wrong with other files, and both splits."""

import gzip
import hashlib

import numpy as np
import pandas as pd
import pytest

from scripts.common.errors import UserError
from scripts.data.celeba import (
    ATTRIBUTES_MD5,
    ATTRIBUTES_SHA256,
    IMAGES,
    PARTITION_MD5,
    PARTITION_SHA256,
    attribute_text,
    official_partition,
    partition_text,
    published_test_indices,
    read_attribute_text,
)
from scripts.data.celeba_attributes import rebuild_attributes
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.celeba_partitions import write_partitions
from tests.data.conftest import MIRROR


def test_the_attribute_text_of_two_images():
    values = -np.ones((2, 40), dtype=np.int8)
    values[0, [0, 39]] = 1
    rows = attribute_text(values).split(b"\r\n")
    assert rows[0] == b"2"
    assert rows[1] == " ".join(ATTRIBUTES).encode() + b" "
    assert rows[2] == b"000001.jpg 1" + b" -1" * 38 + b"  1"
    assert rows[3] == b"000002.jpg" + b" -1" * 40
    assert rows[4:] == [b""]


def test_the_rebuilt_attribute_file_is_the_official_one(attribute_files):
    content = attribute_files[0].read_bytes()
    assert len(content) == 26_721_026
    assert hashlib.md5(content).hexdigest() == ATTRIBUTES_MD5
    assert hashlib.sha256(content).hexdigest() == ATTRIBUTES_SHA256


def test_the_attribute_table_holds_the_text_and_the_known_counts(attribute_files):
    text, table = attribute_files
    frame = pd.read_parquet(table)
    assert list(frame.columns) == ["row_id", *ATTRIBUTES]
    assert frame["row_id"].dtype == np.int64
    assert (frame["row_id"] == np.arange(1, IMAGES + 1)).all()
    assert (frame[list(ATTRIBUTES)].dtypes == np.int8).all()
    positives = {"Male": 84_434, "Smiling": 97_669, "Young": 156_734, "Eyeglasses": 13_193, "Blond_Hair": 29_983}
    assert {name: int((frame[name] == 1).sum()) for name in positives} == positives
    plain = pd.read_csv(text, sep=r"\s+", skiprows=2, header=None, nrows=5_000)  # another reader, as a check
    np.testing.assert_array_equal(frame[list(ATTRIBUTES)].to_numpy()[:5_000], plain.to_numpy()[:, 1:].astype(int))


def test_the_text_equals_the_mirrors(attribute_files):
    official = MIRROR / "list_attr_celeba.txt.gz"
    if not official.exists():
        pytest.skip(f"the mirror of official files is absent ({official.name})")
    assert attribute_files[0].read_bytes() == gzip.decompress(official.read_bytes())


def test_a_wheel_with_another_table_is_refused(wheel, tmp_path):
    with pytest.raises(UserError, match=r"celeba\.csv\.zip.*sha256"):
        rebuild_attributes(wheel, "0" * 64, tmp_path / "text.txt", tmp_path / "table.parquet")
    assert list(tmp_path.iterdir()) == []


def replace_line(content, number, old, new):
    lines = content.split(b"\r\n")
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new)
    return b"\r\n".join(lines)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: replace_line(text, 3, b"-1", b" 0"), r"line 3 has a 0 .*torchvision.* 2 \* value - 1"),
        (lambda text: replace_line(text, 2, b"Male", b"male"), r"unknown: \['male'\], missing: \['Male'\]"),
        (lambda text: replace_line(text, 2, b"Bald Bangs", b"Bangs Bald"), "or the order"),
        (lambda text: replace_line(text, 1, b"202599", b"202598"), "line 1 is '202598'"),
        (lambda text: replace_line(text, 9, b"000007", b"000008"), r"line 9 is for '000008\.jpg', expected '000007"),
        (lambda text: replace_line(text, 5, b"-1", b" 2"), "line 5 has the value '2'"),
        (lambda text: text[: len(text) // 2 + 50], r"line \d+ is truncated: \d+ values, expected 40"),
        (lambda text: text[: text.index(b"200000.jpg")], "has 199,999 rows, expected 202,599"),
        (lambda text: replace_line(text, 8, b"-1", b" 1"), f"has the sha256 [0-9a-f]+, expected {ATTRIBUTES_SHA256}"),
        (lambda text: b"<!DOCTYPE html><html>quota</html>", "line 1 is '<!DOCTYPE html>"),
        (lambda text: b"", "line 1 is ''"),
    ],
    ids=["0/1", "column", "order", "count", "name", "value", "truncated", "rows", "checksum", "html", "empty"],
)
def test_what_differs_from_the_official_file_is_said(attribute_files, tmp_path, damage, message):
    path = tmp_path / "list_attr_celeba.txt"
    path.write_bytes(damage(attribute_files[0].read_bytes()))
    with pytest.raises(UserError, match=message) as error:
        read_attribute_text(path)
    assert str(path) in str(error.value)


def test_a_missing_attribute_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.txt: cannot be read"):
        read_attribute_text(tmp_path / "none.txt")


def test_the_partition_text_is_the_official_one():
    content = partition_text()
    assert len(content) == 2_836_386
    assert hashlib.md5(content).hexdigest() == PARTITION_MD5
    assert hashlib.sha256(content).hexdigest() == PARTITION_SHA256


def test_the_official_parts_have_their_sizes():
    assert np.bincount(official_partition()).tolist() == [162_770, 19_867, 19_962]


def test_the_published_test_images_are_the_ones_of_the_paper():
    indices = published_test_indices()
    assert indices[:5].tolist() == [191809, 16878, 173710, 44267, 155438]
    assert indices.dtype == np.int64
    assert len(set(indices.tolist())) == 10_000


def test_the_partition_table_holds_both_splits(tmp_path):
    write_partitions(tmp_path / "text.txt", tmp_path / "table.parquet")
    frame = pd.read_parquet(tmp_path / "table.parquet")
    assert frame.dtypes.astype(str).to_dict() == {"row_id": "int64", "official": "int8", "published": "int8"}
    assert (frame["row_id"] == np.arange(1, IMAGES + 1)).all()
    assert frame["published"].sum() == 10_000
    assert frame["published"][191809] == 1  # index 191809 is image 191810
    assert frame.loc[frame["row_id"] == 162_770, "official"].item() == 0
    assert frame.loc[frame["row_id"] == 162_771, "official"].item() == 1
    assert frame.loc[frame["row_id"] == 182_638, "official"].item() == 2
    assert (tmp_path / "text.txt").read_bytes() == partition_text()
