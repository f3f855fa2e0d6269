"""The formats that the project reads, a good file of each, and the ways to break it."""

import io
import json
import random
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from safetensors.torch import save_file

from scripts.common import parquet
from scripts.common.checkpoints import Checkpoints, Progress
from scripts.common.config import check_files
from scripts.common.errors import UserError
from scripts.common.schemas.curves import CURVES
from scripts.common.tabular import table_of
from scripts.common.yaml_files import read_yaml
from scripts.data.celeba import HEIGHT, WIDTH, read_attribute_text
from scripts.data.downscale_faces import downscale_faces
from scripts.data.images import FaceImages
from scripts.data.packages import read_member
from scripts.data.tabular import make_table
from scripts.frtrain.crowd import load_crowd
from scripts.provenance.archive import read_release
from scripts.tradeoffs.images import image_array
from scripts.tradeoffs.models import load_model
from scripts.tradeoffs.networks import NETWORKS
from tests.frtrain.test_crowd import CROWD, PEOPLE
from tests.workflow.conftest import ROOT

HTML = b"<!DOCTYPE html><html><body>Quota exceeded</body></html>"


@dataclass(frozen=True)
class Format:
    """A kind of file: a good one, how it is read, and breaks of its own beside those of any file.

    `checked`: whether a flipped bit anywhere must be found, since the format or a sum carries a checksum; None for a
    text that a user writes, of which half can be as good as the whole.
    """

    name: str
    good: Callable[[], bytes]
    read: Callable[[Path], object]
    own: Callable[[], list[tuple[str, bytes]]] = lambda: []
    checked: bool | None = True
    flips: int = 8


def damages(content: bytes, flips: int, dice: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield what may happen to any file; `flips` single bits among it."""
    yield "empty", b""
    yield "an HTML page", HTML
    yield "words", "Zahlen: nein, 数字\n".encode()
    yield "zeros", bytes(len(content))
    yield "noise", dice.randbytes(min(len(content), 5000))
    for share in (0.02, 0.5, 0.98):
        yield f"cut at {share:.0%}", content[: int(share * len(content))]
    hole = len(content) // 3
    yield "a hole", content[:hole] + bytes(len(content) // 10) + content[hole + len(content) // 10 :]
    yield "without its head", content[len(content) // 10 :]
    for _ in range(flips):
        place, bit = dice.randrange(len(content)), 1 << dice.randrange(8)
        yield f"bit at {place}", content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def packed(**members: bytes) -> bytes:
    """Return a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


# Parquet -------------------------------------------------------------------------------------------------------------


@cache
def curve() -> pd.DataFrame:
    dice = np.random.default_rng(1)
    return pd.DataFrame({"run": "a", "epoch": np.arange(300), "quantity": "loss", "value": dice.normal(size=300)})


def parquet_bytes(frame: pd.DataFrame, schema=None) -> bytes:
    file = Path(FOLDER, "made.parquet")
    parquet.write(frame, file, schema)
    return file.read_bytes()


def read_curve(path: Path) -> bytes:
    return parquet.read(path, CURVES).to_csv().encode()


def other_parquets() -> list[tuple[str, bytes]]:
    frame = curve()
    wrong = {"a missing column": frame.drop(columns="value"), "another type": frame.assign(value="high")}
    wrong |= {"whole numbers": frame.assign(value=1), "another name": frame.rename(columns={"run": "Run"})}
    return [(name, parquet_bytes(own)) for name, own in wrong.items()] + [("a CSV file", frame.to_csv().encode())]


# Archives with tables ------------------------------------------------------------------------------------------------


@cache
def official(name: str) -> bytes:
    """Return a user's file of a table, of our own making: only its sum is not the official one."""
    if name == "bank":
        return packed(**{"bank/bank-full.csv": b'"age";"job"\n30;"none"\n'})
    return b"ID,SEX\n1,2\n"


def made_table(name: str) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        make_table(path, name, table_of(name).members, Path(FOLDER, "table.parquet"))

    return read


TABLE_FILES = {
    "adult": ("adult.data", "adult.test"),
    "adult_all": ("adult.data", "adult.test"),
    "compas": ("compas-scores-two-years.csv",),
    "german": ("german.data",),
    "bank": ("bank-full.csv",),
    "credit": ("UCI_Credit_Card.csv",),
    "law": ("law.csv.zip",),
    "dutch": ("dutch_census_2001.arff",),
}


def nonsense_tables() -> list[tuple[str, str, dict[str, bytes]]]:
    """Return (table, what, members) of files whose sum is right, as if the list of sums had been edited."""
    texts = {
        "empty": b"",
        "an HTML page": HTML,
        "binary": bytes(range(256)) * 4,
        "one column": b"a\n1\n2\n",
        "ragged": b"1,2\n1,2,3,4\n5\n",
        "quotes that stay open": b'"a;b,c\n1;2,3\n' * 3,
        "other labels": b"39, x, 1, y, 9, z, s, u, White, Male, 1, 2, 40, Cuba, perhaps\n",
        "few rows": b"39, x, 1, y, 9, z, s, u, White, Male, 1, 2, 40, Cuba, <=50K\n",
    }
    return [
        (table, what, dict.fromkeys(members, text))
        for table, members in TABLE_FILES.items()
        for what, text in texts.items()
    ]


# Archives with a member ----------------------------------------------------------------------------------------------

INNER = b"row,label\n" + b"1,2\n" * 400


def read_inner(path: Path) -> bytes:
    return read_member(path, "table.csv", "4f" * 32 if path.name == "other" else None)


def encrypted(content: bytes) -> bytes:
    """Return an archive whose entries claim to be encrypted."""
    changed = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.index(mark) + offset] |= 1
    return bytes(changed)


def huge(content: bytes) -> bytes:
    """Return an archive that claims to hold terabytes."""
    changed = bytearray(content)
    place = changed.index(b"PK\x01\x02") + 24
    changed[place : place + 4] = b"\xfe\xff\xff\xff"
    return bytes(changed)


def other_archives() -> list[tuple[str, bytes]]:
    good = packed(**{"data/table.csv": INNER})
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("table.csv"))
    return [
        ("no such member", packed(other=INNER)),
        ("two of one name", packed(**{"a/table.csv": INNER, "b/table.csv": b"1"})),
        ("a tar archive", tar.getvalue()),
        ("encrypted", encrypted(good)),
        ("terabytes", huge(good)),
    ]


# Images --------------------------------------------------------------------------------------------------------------


@cache
def jpeg(width: int = WIDTH, height: int = HEIGHT, mode: str = "RGB", kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(width + height).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(file, kind)
    return file.getvalue()


def photographs(**others: bytes) -> bytes:
    return packed(**{"img_align_celeba/000001.jpg": jpeg(), "img_align_celeba/000002.jpg": jpeg(), **others})


def read_photographs(path: Path) -> bytes:
    output = Path(FOLDER, "images.npy")
    downscale_faces(path, FaceImages(path).row_ids, output, workers=1)
    return output.read_bytes()


def other_photographs() -> list[tuple[str, bytes]]:
    inner = "img_align_celeba/000003.jpg"
    wrong = {
        "another size": jpeg(64, 64),
        "four colour channels": jpeg(mode="CMYK"),
        "a PNG named .jpg": jpeg(kind="PNG"),
        "an HTML page named .jpg": HTML,
        "an empty image": b"",
        "half an image": jpeg()[: len(jpeg()) // 2],
        "a head without an image": jpeg()[:300],
    }
    found = [(name, photographs(**{inner: content})) for name, content in wrong.items()]
    names = ["portrait.jpg", "000000.jpg", "999999.jpg", "00001.jpg", "000002.jpeg", "evil/../../000003.png"]
    found += [(f"named {name}", photographs(**{name: jpeg()})) for name in names]
    return [*found, ("one image twice", photographs(**{"again/000001.jpg": jpeg()})), ("no image", packed())]


# Arrays, weights, checkpoints ----------------------------------------------------------------------------------------


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=array.dtype == object)
    return file.getvalue()


@cache
def good_array() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (6, 8, 8, 3), dtype=np.uint8)


def other_arrays() -> list[tuple[str, bytes]]:
    good = good_array()
    wrong = {"fewer images": good[:5], "floats": good.astype(float), "grey": good[..., 0], "objects": np.array([{}, 1])}
    wrong |= {"text": np.array(["a"]), "one number": np.array(3)}
    file = io.BytesIO()
    np.savez(file, images=good)
    return [(name, saved(array)) for name, array in wrong.items()] + [("an npz archive", file.getvalue())]


@cache
def checkpoint() -> bytes:
    Checkpoints(FOLDER, "f").save(Progress(1), {"model.w": torch.arange(500.0), "best.w": torch.ones(3)})
    return Path(FOLDER, "epoch_00001.safetensors").read_bytes()


def read_checkpoint(path: Path) -> bytes:
    folder = path.with_suffix(".states")
    folder.mkdir()
    (folder / "epoch_00001.safetensors").write_bytes(path.read_bytes())
    state = Checkpoints(folder, "f").load()
    if state is None:
        raise UserError("named in the log, and skipped")
    return repr(state[0]).encode() + b"".join(state[1][name].numpy().tobytes() for name in sorted(state[1]))


@cache
def weights() -> bytes:
    torch.manual_seed(1)
    save_file(NETWORKS["small_cnn"]().state_dict(), Path(FOLDER, "w.safetensors"))
    return Path(FOLDER, "w.safetensors").read_bytes()


def other_weights() -> list[tuple[str, bytes]]:
    save_file({"layer": torch.ones(3)}, Path(FOLDER, "o.safetensors"))
    torch.save({"layer": torch.ones(3)}, Path(FOLDER, "pickle.pt"))
    return [("another network", Path(FOLDER, "o.safetensors").read_bytes()),
            ("a pickle", Path(FOLDER, "pickle.pt").read_bytes())]  # fmt: skip


# Texts ---------------------------------------------------------------------------------------------------------------


def crowd(frame: pd.DataFrame = CROWD) -> bytes:
    return frame.to_csv(index=False).encode()


def other_crowds() -> list[tuple[str, bytes]]:
    wrong = {f"without {name}": CROWD.drop(columns=name) for name in CROWD.columns if name != "example_idx"}
    wrong |= {f"answer {value!r}": CROWD.assign(ans_3=value) for value in (0, 5, 2.5, -1, "yes", None)}
    wrong |= {f"label {value!r}": CROWD.assign(true_label=value) for value in ("yes", 7, None)}
    wrong |= {f"age {value!r}": CROWD.assign(age=value) for value in ("young", None, -3, 1e9)}
    wrong |= {"no rows": CROWD.head(0), "other people": CROWD.assign(num_of_crimes=99)}
    return [(name, crowd(frame)) for name, frame in wrong.items()]


def read_whole_release(path: Path) -> bytes:
    return json.dumps(read_release(path, ROOT), sort_keys=True).encode()


def read_config(path: Path) -> bytes:
    check_files([path])
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UserError("Snakemake's own line: keys at top level")
    return json.dumps(content, sort_keys=True).encode()


def other_configs() -> list[tuple[str, bytes]]:
    texts = {
        "a list": "[1]",
        "a word": "gpu",
        "a tab": "gpu:\t\n\t- 1",
        "open": "faces: {seed: 1",
        "twice": "a: 1\na: 2\n",
    }
    texts |= {
        "a program": "!!python/object/apply:os.system ['true']",
        "an unknown alias": "a: *b",
        "two": "a: 1\n---\nb: 2",
    }
    return [(what, text.encode()) for what, text in texts.items()] + [("UTF-16", "gpu: 0".encode("utf-16"))]


FOLDER = ""  # where the good files are made; set by a fixture

FORMATS = [
    Format("Parquet", lambda: parquet_bytes(curve(), CURVES), read_curve, other_parquets, flips=40),
    Format("zip with a table", lambda: packed(**{"data/table.csv": INNER}), read_inner, other_archives, flips=20),
    Format("bank.zip", lambda: official("bank"), made_table("bank")),
    Format("dutch.arff", lambda: official("dutch"), made_table("dutch"), flips=2),
    Format("CelebA attributes", lambda: b"202599\r\n5_o_Clock_Shadow \r\n", read_attribute_text, flips=2),
    Format("zip with photographs", photographs, read_photographs, other_photographs, flips=12),
    Format(
        "image array", lambda: saved(good_array()), lambda path: image_array(path, 6).tobytes(), other_arrays, False
    ),
    Format("checkpoint", checkpoint, read_checkpoint, flips=30),
    Format("weights", weights, lambda path: load_model(path, "small_cnn") and b"", other_weights, False, flips=0),
    Format(
        "crowd file", crowd, lambda path: load_crowd(path, PEOPLE, "compas").to_csv().encode(), other_crowds, False, 0
    ),
    Format("release", (ROOT / "releases/preview/leakage.zip").read_bytes, read_whole_release, flips=6),
    Format("config", (ROOT / "config.test.yaml").read_bytes, read_config, other_configs, None, 0),
]
