"""From JPEGs, or from attribute rows, to one array: made-up pictures, and the mirror's real ones where present."""

import hashlib
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.data import downscale_faces as downscaling
from scripts.data import render_faces as rendering
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.decoding import downscale
from scripts.data.images import FaceImages

ROW_IDS = np.array([3, 17, 162771, 202599])


def save_jpeg(path, seed, size=(178, 218), mode="RGB"):
    """A smooth random picture, like a photograph in that neighbouring pixels are alike."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8))
    coarse.resize(size, Image.Resampling.BICUBIC).convert(mode).save(path, quality=75)


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "img_align_celeba"
    place.mkdir()
    for row_id in ROW_IDS:
        save_jpeg(place / f"{row_id:06d}.jpg", seed=row_id)
    return place


@pytest.fixture
def archive(folder, tmp_path):
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("img_align_celeba/", "")
        opened.writestr("__MACOSX/img_align_celeba/._000003.jpg", "clutter")
        for file in folder.iterdir():
            opened.write(file, f"img_align_celeba/{file.name}")
    return path


def plain(path):
    """The published pipeline: full decode, then torchvision's Resize(64), which is Pillow's bilinear filter."""
    return np.asarray(Image.open(path).convert("RGB").resize((64, 78), Image.Resampling.BILINEAR))


def outputs_in(folder):
    return {
        "images": folder / "images.npy",
        "index": folder / "index.parquet",
        "dataset": folder / "dataset.json",
    }


def run(place, tmp_path, row_ids=ROW_IDS, workers=1, accept_terms=True):
    """Run the rule's function; return its output paths."""
    pd.DataFrame({"row_id": np.asarray(row_ids, dtype=np.int64)}).to_parquet(tmp_path / "rows.parquet")
    outputs = outputs_in(tmp_path / "out")
    downscaling.run(str(place), accept_terms, str(tmp_path / "rows.parquet"), outputs, workers)
    return outputs


def test_folder_outer_folder_doubly_nested_folder_and_zip_hold_the_same(folder, archive, tmp_path):
    nested = tmp_path / "nested" / "img_align_celeba"
    nested.mkdir(parents=True)
    folder.joinpath(".DS_Store").write_text("clutter", encoding="utf-8")
    copy = nested / "img_align_celeba"
    copy.symlink_to(folder)
    for place in (folder, folder.parent, nested.parent, archive):
        images = FaceImages(place)
        np.testing.assert_array_equal(images.row_ids, ROW_IDS)
        assert images.read(17) == folder.joinpath("000017.jpg").read_bytes()


@pytest.mark.parametrize("source", ["folder", "archive"])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_three_files(source, workers, tmp_path, request):
    outputs = run(request.getfixturevalue(source), tmp_path, [17, 202599], workers)
    images = np.load(outputs["images"], mmap_mode="r")
    assert (images.shape, images.dtype) == ((2, 78, 64, 3), np.uint8)
    index = pd.read_parquet(outputs["index"])
    assert index.dtypes.astype(str).to_dict() == {"row_id": "int64", "position": "int64"}
    assert index.to_numpy().tolist() == [[17, 0], [202599, 1]]
    for row_id, position in index.to_numpy():
        reference = plain(tmp_path / "img_align_celeba" / f"{row_id:06d}.jpg")
        assert np.abs(images[position].astype(int) - reference).mean() < 1
    description = json.loads(outputs["dataset"].read_text(encoding="utf-8"))
    read = [(tmp_path / f"img_align_celeba/{name}.jpg").read_bytes() for name in ("000017", "202599")]
    sums = b"".join(hashlib.sha256(content).digest() for content in read)
    assert description.pop("images_sha256") == hashlib.sha256(sums).hexdigest()
    assert description == {
        "name": "CelebA subset of 2",
        "source": "aligned and cropped JPEGs of CelebA",
        "images": 2,
        "height": 78,
        "width": 64,
        "rendered": False,
        "comparable": False,
        "note": "CelebA subset of 2 images (of 4 at hand and 202,599 in all); not comparable with the paper.",
    }


def test_only_the_whole_set_is_comparable():
    whole, part = (downscaling.describe(used, 202_599, "0") for used in (202_599, 6_000))
    assert (whole["name"], whole["comparable"]) == ("CelebA", True)
    assert (part["name"], part["comparable"]) == ("CelebA subset of 6,000", False)
    png = downscaling.describe(202_599, 202_599, "0", png=True)
    assert png["comparable"] is False and "PNG" in png["source"] and "PNG" in png["note"]


def test_a_second_run_gives_the_same_bytes(folder, tmp_path):
    first = {name: path.read_bytes() for name, path in run(folder, tmp_path).items()}
    assert first == {name: path.read_bytes() for name, path in run(folder, tmp_path, workers=2).items()}


def spoil(folder, name, fault):
    path = folder / name
    if fault == "missing":
        path.unlink()
    elif fault == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    elif fault == "empty":
        path.write_bytes(b"")
    elif fault == "html":
        path.write_text("<html>no image</html>", encoding="utf-8")
    elif fault == "small":
        save_jpeg(path, 1, size=(64, 64))
    elif fault == "cmyk":
        save_jpeg(path, 1, mode="CMYK")


FAULTS = {
    "missing": "missing",
    "truncated": "truncated",
    "empty": "cannot identify",
    "html": "cannot identify",
    "small": "is 64x64 RGB, not 178x218 RGB",
    "cmyk": "is 178x218 CMYK, not",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_image_is_named_and_nothing_is_left(folder, tmp_path, fault):
    spoil(folder, "000017.jpg", fault)
    with pytest.raises(UserError, match=rf"1 of 4 images cannot be used: 000017\.jpg \(.*{FAULTS[fault]}") as error:
        run(folder, tmp_path)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_many_bad_images_are_counted_and_the_first_named(folder, tmp_path):
    for row_id in ROW_IDS:
        spoil(folder, f"{row_id:06d}.jpg", "truncated")
    with pytest.raises(UserError, match=r"4 of 4 images .*000003\.jpg.*000017\.jpg.*162771\.jpg") as error:
        run(folder, tmp_path, workers=2)
    assert "202599.jpg" not in str(error.value)


def test_a_spoiled_byte_in_a_zip_is_found_by_its_checksum(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        entry = opened.getinfo("img_align_celeba/000017.jpg")
    content[entry.header_offset + 30 + len(entry.filename) + entry.file_size // 2] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(UserError, match=r"000017\.jpg \(Bad CRC-32"):
        run(archive, tmp_path)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda place: place / "none", "no such folder or zip archive"),
        (lambda place: place, "holds no image"),
        (lambda place: write(place / "x.zip", b"<html>quota</html>"), "is neither a folder nor a zip archive"),
        (lambda place: write(place / "face.png", b"").parent, r"1 names are not official ones .*e\.g\. face\.png"),
        (lambda place: write(place / "000000.jpg", b"").parent, r"000000\.jpg"),
        (lambda place: write(place / "202600.jpg", b"").parent, r"202600\.jpg"),
        (lambda place: write(place / "00001.jpg", b"").parent, r"00001\.jpg"),
        (lambda place: write(place / "000001.jpg.txt", b"").parent, r"000001\.jpg\.txt"),
    ],
)
def test_a_bad_place_is_said(tmp_path, prepare, message):
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(UserError, match=rf"faces\.celeba: {tmp_path}.*{message}"):
        FaceImages(prepare(place))


def write(path, content):
    path.write_bytes(content)
    return path


TWO = ("000003.jpg", "000017.jpg")
TABLES = ("list_attr_celeba", "list_bbox_celeba", "list_eval_partition", "list_landmarks_align_celeba")
AS_PEOPLE_HAVE_IT = {  # (is it a zip, the images, other files, what the log names)
    "kaggle's zip": (True, "a/img_align_celeba/img_align_celeba/", [f"{name}.csv" for name in TABLES], "4 other files"),
    "a Windows folder": (False, "", ["Thumbs.db", "desktop.ini"], "2 other files (Thumbs.db, desktop.ini)"),
    "a disk station": (False, "", ["@eaDir/000003.jpg/SYNOFILE_THUMB_M.jpg"], "1 other file (@eaDir)"),
    "a Mac's zip": (True, "img_align_celeba/", ["a/__MACOSX/000003.jpg", "img_align_celeba/._000003.jpg"], "2 other"),
    "torchvision's root": (False, "celeba/img_align_celeba/", ["celeba/list_attr_celeba.txt"], "list_attr_celeba.txt"),
    "official folders": (False, "Img/img_align_celeba/", ["Anno/list_attr_celeba.txt", "README.txt"], "2 other files"),
    "beside the wild ones": (False, "Img/img_align_celeba/", ["Img/img_celeba/000003.jpg"], "img_celeba/000003.jpg"),
    "shards": (True, "0/", [], ""),
    "names that begin with a dot": (True, "./celeba/", ["./.DS_Store"], "1 other file"),
}


@pytest.fixture
def said(caplog):
    """What the log of a job would hold."""
    log.addHandler(caplog.handler)
    yield caplog
    log.removeHandler(caplog.handler)


@pytest.mark.parametrize("case", AS_PEOPLE_HAVE_IT)
def test_copies_as_people_have_them_are_read_and_what_is_left_out_is_counted(case, tmp_path, said):
    zipped, inside, others, words = AS_PEOPLE_HAVE_IT[case]
    members = {f"{inside}{name}": name.encode() for name in TWO} | dict.fromkeys(others, b"x")
    place = put(tmp_path / "celeba", members, zipped)
    images = FaceImages(place)
    assert images.row_ids.tolist() == [3, 17] and images.read(17) == b"000017.jpg"
    lines = {record.getMessage() for record in said.records}
    assert (len(lines) == 1 and words in lines.pop()) if others else not lines


def put(place, members, zipped=False):
    """Write files into a folder or a zip archive; return it."""
    if zipped:
        with zipfile.ZipFile(place, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return place
    for name, content in members.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place


def test_endings_in_capitals_and_of_four_letters_are_the_same_images(tmp_path):
    images = FaceImages(put(tmp_path / "a", {"000003.JPG": b"a", "000017.jpeg": b"b"}))
    assert images.row_ids.tolist() == [3, 17] and images.read(3) == b"a" and images.read(17) == b"b"
    with pytest.raises(UserError, match=r"more than once"):
        FaceImages(put(tmp_path / "b", {"000003.JPG": b"a", "000003.jpg": b"b"}))


def test_a_folder_with_nothing_but_the_zip_stands_for_the_zip(archive, tmp_path):
    folder = tmp_path / "download"
    folder.mkdir()
    archive.rename(folder / "img_align_celeba.zip")
    assert FaceImages(folder).row_ids.tolist() == ROW_IDS.tolist()
    (folder / "other.zip").write_bytes(b"")
    with pytest.raises(UserError, match=r"holds no image, only 2 other files .*; name the archive .* itself"):
        FaceImages(folder)


def test_a_link_to_a_folder_above_leads_in_no_circle(folder):
    (folder / "again").symlink_to(folder.parent)
    assert FaceImages(folder.parent).row_ids.tolist() == ROW_IDS.tolist()


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_png_a_grey_one_and_one_that_exif_turns_are_what_a_viewer_shows(folder):
    image = Image.open(folder / "000017.jpg").convert("RGB")
    upright = np.asarray(image.resize((64, 78), Image.Resampling.BILINEAR)).astype(int)
    np.testing.assert_array_equal(downscale(encoded(image, "PNG"), "PNG"), upright)
    grey = downscale(encoded(image.convert("L"), "JPEG", quality=95)).astype(int)
    assert (grey[..., 0] == grey[..., 2]).all()
    assert np.abs(grey[..., 0] - np.asarray(image.convert("L").resize((64, 78), 2)).astype(int)).mean() < 2
    for orientation, back in {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = encoded(image.transpose(back), "JPEG", exif=exif, quality=95)
        assert np.abs(downscale(turned) - upright).mean() < 2, orientation


def test_terms_must_be_accepted(folder, tmp_path):
    with pytest.raises(UserError, match=r"non-commercial research .* faces\.accept_terms: true"):
        run(folder, tmp_path, accept_terms=False)
    assert not (tmp_path / "out").exists()


def test_real_images_stay_close_to_the_published_pipeline(real_folder):
    files = sorted((real_folder / "img_align_celeba").iterdir())
    difference = np.stack([downscale(file.read_bytes()).astype(int) - plain(file) for file in files])
    assert np.abs(difference).mean() < 1.0  # of 255 grey levels
    assert abs(difference.mean()) < 0.05
    assert np.abs(difference).mean(axis=(1, 2, 3)).max() < 3.0


def test_real_images_from_zip_and_folder_are_the_same(real_folder, mirror_zip, tmp_path):
    row_ids = FaceImages(real_folder).row_ids
    assert len(row_ids) == 300
    assert len(FaceImages(mirror_zip).row_ids) == 6_000
    from_folder = np.load(run(real_folder, tmp_path, row_ids)["images"])
    from_zip = np.load(run(mirror_zip, tmp_path, row_ids, workers=2)["images"])
    np.testing.assert_array_equal(from_folder, from_zip)
    assert 80 < from_folder.mean() < 150
    assert from_folder.std(axis=(1, 2, 3)).min() > 10


def test_rendered_faces_make_the_same_three_files(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.choice([-1, 1], (50, 40)).astype(np.int8), columns=list(ATTRIBUTES))
    table.insert(0, "row_id", np.arange(1, 51))
    table.to_parquet(tmp_path / "attributes.parquet")
    pd.DataFrame({"row_id": [4, 9, 50]}).to_parquet(tmp_path / "rows.parquet")
    outputs = outputs_in(tmp_path / "out")
    rendering.run(str(tmp_path / "rows.parquet"), str(tmp_path / "attributes.parquet"), outputs, 1)
    images = np.load(outputs["images"])
    assert (images.shape, images.dtype) == ((3, 64, 64, 3), np.uint8)
    values = table.loc[[3], list(ATTRIBUTES)].to_numpy()  # row_id 4 stands in line 3
    np.testing.assert_array_equal(images[:1], rendering.render_faces(np.array([4]), values, 1))
    assert pd.read_parquet(outputs["index"]).to_numpy().tolist() == [[4, 0], [9, 1], [50, 2]]
    description = json.loads(outputs["dataset"].read_text(encoding="utf-8"))
    assert description["name"] == "rendered faces"
    assert (description["rendered"], description["comparable"], description["images"]) == (True, False, 3)


def test_an_image_without_attributes_is_named():
    table = pd.DataFrame(np.ones((2, 40), dtype=np.int8), columns=list(ATTRIBUTES))
    table.insert(0, "row_id", [1, 2])
    with pytest.raises(UserError, match="no row for image 7"):
        rendering.attributes_of(table, np.array([1, 7]))
