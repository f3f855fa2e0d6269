"""Images from MNIST, faces, digits and folders: what they become, and what users' pictures must not be."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.encrypted import images, sources
from scripts.encrypted.encrypted_transform import transform
from scripts.encrypted.images import Images, check, limited
from scripts.encrypted.pictures import picture
from tests.encrypted.small import draw


@pytest.fixture
def folder(tmp_path):
    """A folder of two classes with six pictures each."""
    for name, start in (("cat", 0), ("dog", 10)):
        for place in range(6):
            draw(tmp_path / "own" / name / f"{place}.png", start + place)
    return tmp_path / "own"


def read(folder, side=8):
    return check(sources.folder({"side": side}, {"folder": str(folder)}), "own")


def test_a_folder_has_a_class_per_subfolder(folder):
    found = read(folder)
    assert (found.names, found.labels.tolist(), found.title) == (("cat", "dog"), [0] * 6 + [1] * 6, "own")
    assert found.values.shape == (12, 64) and 0 <= found.values.min() < found.values.max() <= 1
    assert [int(found.test[found.labels == label].sum()) for label in (0, 1)] == [1, 1]
    assert (read(folder).test == found.test).all()
    assert (found.values[3] == picture(folder / "cat/3.png", 8)).all()


def test_what_lies_about_takes_no_part(folder):
    for name in (".cache/a.png", "@eaDir/a.png", "cat/.b.png", "cat/notes.txt", "cat/Thumbs.db", "loose.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("clutter", encoding="utf-8")
    (folder / "cat/deeper").mkdir()
    assert read(folder).values.shape == (12, 64)


def test_names_may_be_in_any_script(folder):
    (folder / "cat").rename(folder / "chat noir")
    (folder / "dog").rename(folder / "犬 é")
    found = read(folder.rename(folder.with_name("größe")))
    assert (found.names, found.title) == (("chat noir", "犬 é"), "größe")


def test_a_picture_of_another_shape_is_cut_to_its_middle_square(tmp_path):
    values = np.zeros((4, 8), np.uint8)
    values[:, 2:6] = 255
    Image.fromarray(values).save(tmp_path / "wide.png")
    assert picture(tmp_path / "wide.png", 4).tolist() == [1.0] * 16
    Image.fromarray(values.T).save(tmp_path / "high.png")
    assert picture(tmp_path / "high.png", 2).tolist() == [1.0] * 4


def test_a_larger_picture_is_averaged_over_blocks(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "large.png")
    means = values.reshape(8, 3, 8, 3).mean((1, 3)).ravel() / 255
    assert picture(tmp_path / "large.png", 8) == pytest.approx(means, abs=1.01 / 255)


def test_colours_are_turned_grey_and_turned_cameras_back(tmp_path):
    Image.new("RGB", (6, 6), (0, 255, 0)).save(tmp_path / "green.png")
    assert picture(tmp_path / "green.png", 3) == pytest.approx(np.full(9, 0.587), abs=0.01)
    turned = Image.fromarray(np.array([[255, 0], [0, 0]], np.uint8))
    about = turned.getexif()
    about[0x0112] = 3  # upside down
    turned.save(tmp_path / "turned.png", exif=about)
    assert picture(tmp_path / "turned.png", 2).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_alpha_channel_is_refused(folder, mode):
    draw(folder / "cat/bad.png", mode=mode)
    with pytest.raises(UserError, match=r"cat/bad.png: is partly transparent; save it without an alpha channel"):
        read(folder)


def test_a_transparent_colour_of_a_palette_is_refused(folder):
    draw(folder / "cat/bad.png", mode="P", transparency=0)
    with pytest.raises(UserError, match=r"cat/bad.png: is partly transparent"):
        read(folder)


@pytest.mark.parametrize(("mode", "ending"), [("I;16", "png"), ("I", "tif"), ("F", "tif")])
def test_more_than_8_bits_are_refused(folder, mode, ending):
    Image.new(mode, (9, 9), 7).save(folder / f"dog/deep.{ending}")
    with pytest.raises(UserError, match=rf"dog/deep.{ending}: has 16 bits or more per pixel; save it with 8"):
        read(folder)


def test_an_animation_is_refused(folder):
    frames = [Image.new("L", (9, 9), value) for value in (0, 200)]
    frames[0].save(folder / "cat/moving.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(UserError, match=r"cat/moving.gif: is animated; take a still image"):
        read(folder)


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "huge", "folder"])
def test_a_file_that_is_no_picture_is_named(folder, kind, monkeypatch):
    bad = folder / "dog/bad.png"
    whole = draw(bad, size=(200, 200)).read_bytes()
    if kind == "folder":
        bad.unlink()
        bad.mkdir()
    elif kind == "huge":
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # as many times too large as 180 million pixels are
    else:
        bad.write_bytes({"empty": b"", "text": b"no picture", "truncated": whole[: len(whole) // 2]}[kind])
    with pytest.raises(UserError, match=r"dog/bad.png: cannot be read as an image .*; repair it or take it out"):
        picture(bad, 8)


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ({"cat": 6}, "1 subfolders with 6 images; it needs one per class, two or more"),
        ({}, "0 subfolders with 0 images"),
        ({"cat": 0, "dog": 0}, "2 subfolders with 0 images"),
        ({"cat": 6, "dog": 0}, "own: no training image of class dog; add some"),
        ({"cat": 1, "dog": 6}, "own: no training image of class cat; add some"),
    ],
)
def test_too_few_classes_or_images_are_one_line(tmp_path, kept, words):
    (tmp_path / "own").mkdir()
    for name, count in kept.items():
        (tmp_path / "own" / name).mkdir()
        for place in range(count):
            draw(tmp_path / "own" / name / f"{place}.png", place)
    with pytest.raises(UserError, match=words):
        read(tmp_path / "own")


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(UserError, match="nowhere: no such folder; name one with a subfolder of images per class"):
        read(tmp_path / "nowhere")


def test_small_digits_are_those_of_scikit_learn():
    found = check(sources.digits({"side": 8}, {}), "digits")
    assert found.values.shape == (1797, 64) and found.values.max() == 1 and len(found.names) == 10
    for label in range(10):
        own = found.test[found.labels == label]
        assert own.sum() == round(0.2 * len(own))
    half = sources.digits({"side": 4}, {}).values
    assert half[5] == pytest.approx(found.values[5].reshape(4, 2, 4, 2).mean((1, 3)).ravel())
    with pytest.raises(UserError, match="images of 8x8 cannot be shrunk to 5x5; take a divisor"):
        sources.digits({"side": 5}, {})


def mnist(folder, count=40, parts=("train",) * 40):
    values = np.random.default_rng(1).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    np.save(folder / "mnist.npy", values)
    index = pd.DataFrame({"row_id": np.arange(count) + 7, "label": np.arange(count) % 10, "part": parts})
    parquet.write(index, folder / "mnist.parquet")
    return values, {"images": str(folder / "mnist.npy"), "index": str(folder / "mnist.parquet")}


def test_mnist_is_shrunk_to_means_and_split_where_its_parts_are_not(tmp_path):
    values, places = mnist(tmp_path)
    found = check(sources.mnist({"side": 14}, places), "mnist")
    expected = values.reshape(40, 14, 2, 14, 2).mean((2, 4)).reshape(40, -1) / 255
    assert found.values == pytest.approx(expected, abs=1e-6) and found.row_ids.tolist() == [*range(7, 47)]
    assert found.title == "MNIST at 14x14, 40 images" and np.bincount(found.labels[found.test]).tolist() == [1] * 10


def test_mnist_keeps_its_own_parts(tmp_path):
    _, places = mnist(tmp_path, parts=("test",) * 10 + ("train",) * 30)
    assert sources.mnist({"side": 28}, places).test.tolist() == [True] * 10 + [False] * 30


@pytest.fixture
def faces(tmp_path):
    """Four pictures of 64 x 78, of which the index takes three in another order."""
    pixels = np.random.default_rng(2).integers(0, 256, (4, 78, 64, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    people = pd.DataFrame({"row_id": [1, 2, 3, 4], "Smiling": [1, -1, 1, -1], "Male": [-1, -1, 1, 1]})
    parquet.write(people, tmp_path / "attributes.parquet")
    parquet.write(pd.DataFrame({"row_id": [1, 2, 3, 4], "partition": [0, 1, 2, 2]}), tmp_path / "partitions.parquet")
    parquet.write(pd.DataFrame({"row_id": [4, 1, 3], "position": [2, 0, 3]}), tmp_path / "index.parquet")
    (tmp_path / "dataset.json").write_text(json.dumps({"name": "rendered faces"}), encoding="utf-8")
    places = {key: str(tmp_path / f"{key}.parquet") for key in ("index", "attributes", "partitions")}
    return pixels, places | {"images": str(tmp_path / "images.npy"), "dataset": str(tmp_path / "dataset.json")}


def test_faces_have_the_labels_groups_and_parts_of_their_people(faces):
    pixels, places = faces
    found = sources.faces({"attribute": "Smiling", "group": "Male", "side": 32}, places)
    assert (found.title, found.names, found.attribute) == (
        "rendered faces at 32x32, Smiling",
        ("not Smiling", "Smiling"),
        "Male",
    )
    assert found.row_ids.tolist() == [4, 1, 3] and found.test.tolist() == [True, False, True]
    assert found.labels.tolist() == [0, 1, 1] and found.groups.tolist() == [1, 0, 1]
    grey = pixels[2, 7:71] @ np.array([0.299, 0.587, 0.114]) / 255
    assert found.values[0] == pytest.approx(grey.reshape(32, 2, 32, 2).mean((1, 3)).ravel(), abs=1e-5)
    with pytest.raises(UserError, match="no attribute 'Smile'; there are Smiling, Male"):
        sources.faces({"attribute": "Smile", "group": "Male", "side": 32}, places)


def test_images_come_back_from_their_files(faces, tmp_path):
    for found in (
        sources.faces({"attribute": "Smiling", "group": "Male", "side": 32}, faces[1]),
        sources.digits({"side": 8}, {}),
    ):
        paths = tmp_path / "x.npy", tmp_path / "x.parquet"
        images.write(found, *paths)
        again = images.read(*paths)
        for name in ("title", "names", "attribute", "side"):
            assert getattr(again, name) == getattr(found, name)
        for name in ("row_ids", "labels", "test", "values", "groups"):
            assert (getattr(again, name) == getattr(found, name)).all()


def test_damaged_files_of_images_are_one_line(tmp_path):
    paths = tmp_path / "x.npy", tmp_path / "x.parquet"
    found = sources.digits({"side": 8}, {})
    images.write(found, *paths)
    whole = paths[0].read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        paths[0].write_bytes(content)
        with pytest.raises(UserError, match=r"x.npy: no array of images, or damaged"):
            images.read(*paths)
    np.save(paths[0], found.values[:5])
    with pytest.raises(UserError, match=r"x.npy: 5 images, .*x.parquet lists 1797; delete both"):
        images.read(*paths)


def test_a_limit_keeps_images_that_the_names_decide():
    found = sources.digits({"side": 8}, {})
    few = limited(found, {"train": 50, "test": 20}, "a")
    assert ((~few.test).sum(), few.test.sum()) == (50, 20) and (np.diff(few.row_ids) > 0).all()
    assert (few.row_ids == limited(found, {"train": 50, "test": 20}, "a").row_ids).all()
    assert (few.row_ids != limited(found, {"train": 50, "test": 20}, "b").row_ids).any()
    assert len(limited(found, {"test": None}, "a").labels) == len(found.labels)


def block(names=("a", "b"), labels=(0, 1, 0, 1), pixels=4, value=0.5):
    values = np.full((4, pixels), value, np.float32)
    return Images("x", tuple(names), np.arange(4), np.array(labels, np.int16), np.array([0, 0, 1, 1], bool), values)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (block(pixels=6), "own: images of 6 pixels are not square"),
        (block(value=np.nan), "own: an image holds a value that is not finite"),
        (block(names=("a",), labels=(0,) * 4), r"own: one class alone \(a\); a classifier needs two"),
        (block(labels=(0, 1, 0, 0)), "own: no test image of class b; add some"),
        (block(labels=(1, 1, 0, 1)), "own: no training image of class a; add some"),
        (block(names=[f"c{place}" for place in range(128)]), "own: 128 classes; predictions are kept of 127 at most"),
    ],
)
def test_images_that_no_classifier_can_use_are_one_line(found, words):
    assert check(block(), "own") is not None
    with pytest.raises(UserError, match=words):
        check(found, "own")


def test_a_limit_that_leaves_a_class_out_is_one_line(tmp_path):
    chosen = {"entry": {"source": "digits", "side": 8, "most_rows": {"test": 5}}, "places": {}}
    with pytest.raises(UserError, match=r"digits: no test image of class \d; add some"):
        transform("digits", chosen, ["dct-16"], {key: tmp_path / key for key in ("images", "index", "numbers")})
    assert not [*tmp_path.iterdir()]


def test_a_reworded_title_chooses_the_same_images(tmp_path, monkeypatch):
    chosen, digits = [], sources.SOURCES["digits"]
    for title in ("digits", "digits of 8x8 pixels"):
        monkeypatch.setitem(sources.SOURCES, "digits", lambda *_, title=title: replace(digits({}, {}), title=title))
        paths = {name: tmp_path / name for name in ("images", "index", "numbers")}
        entry = {"source": "digits", "most_rows": {"train": 300, "test": 100}}
        transform("made", {"entry": entry, "places": {}}, ["dct-16"], paths)
        chosen.append(images.read_index(paths["index"])["row_id"].tolist())
    assert len(chosen[0]) == 400 and chosen[0] == chosen[1]
