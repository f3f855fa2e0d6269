"""Wheels as carriers of data: fetched by hash, read by member name."""

import hashlib
import re
import zipfile

import pytest

from scripts.common.errors import UserError
from scripts.data.fetch_package import fetch_package
from scripts.data.packages import read_member
from scripts.data.sources import SOURCES


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder with one small wheel that pip uses in place of an index; returns the wheel."""
    wheel = tmp_path / "shelf" / "carrier-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("carrier/data/table.csv", "1,2\n")
        archive.writestr("carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        archive.writestr(
            "carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("carrier-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel


def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_pinned_wheel_is_fetched_whole_and_alone(shelf, tmp_path):
    output = tmp_path / "packages" / shelf.name
    fetch_package("carrier==1.0", sha256_of(shelf), output)
    assert output.read_bytes() == shelf.read_bytes()
    assert list(output.parent.iterdir()) == [output]


def test_another_file_under_the_same_name_is_refused_with_both_sums(shelf, tmp_path):
    output = tmp_path / "packages" / shelf.name
    with pytest.raises(UserError, match=f"{sha256_of(shelf)}, expected {'0' * 64}"):
        fetch_package("carrier==1.0", "0" * 64, output)
    assert list(output.parent.iterdir()) == []


def test_an_index_without_the_package_is_named_in_one_line(shelf, tmp_path):
    with pytest.raises(UserError, match=r"carrier==2.0: could not be fetched .* check the network") as error:
        fetch_package("carrier==2.0", "0" * 64, tmp_path / "carrier-2.0-py3-none-any.whl")
    assert "\n" not in str(error.value)


def test_a_file_of_another_name_is_refused(shelf, tmp_path):
    with pytest.raises(UserError, match=r"no file named other\.whl"):
        fetch_package("carrier==1.0", sha256_of(shelf), tmp_path / "other.whl")


def test_a_member_is_found_by_its_base_name(shelf):
    assert read_member(shelf, "table.csv", hashlib.sha256(b"1,2\n").hexdigest()) == b"1,2\n"


@pytest.mark.parametrize(
    ("name", "sha256", "message"),
    [("absent.csv", None, "0 members named 'absent.csv'"), ("table.csv", "0" * 64, "sha256 .* expected 000")],
)
def test_a_wrong_member_is_named(shelf, name, sha256, message):
    with pytest.raises(UserError, match=message):
        read_member(shelf, name, sha256)


def test_two_members_of_one_name_are_not_guessed_between(shelf):
    with zipfile.ZipFile(shelf, "a") as archive:
        archive.writestr("elsewhere/table.csv", "3,4\n")
    with pytest.raises(UserError, match="2 members named"):
        read_member(shelf, "table.csv")


def test_a_damaged_or_missing_archive_is_named(shelf, tmp_path):
    shelf.write_bytes(shelf.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged or no zip archive"):
        read_member(shelf, "table.csv")
    with pytest.raises(UserError, match="no such file"):
        read_member(tmp_path / "none.whl", "table.csv")


def test_a_damaged_member_is_named(shelf):
    content = bytearray(shelf.read_bytes())
    content[content.index(b"1,2\n")] ^= 1
    shelf.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        read_member(shelf, "table.csv")


def test_the_list_of_sources_is_complete():
    for name, package in SOURCES["packages"].items():
        assert package["requirement"] == "==".join(name.split("-")[:2])
        assert all(
            re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in [package["sha256"], *package.get("members", {}).values()]
        )
        assert package["bytes"] > 0
    for file in SOURCES["files"].values():
        assert re.fullmatch("[0-9a-f]{64}", file["sha256"])
        assert file["bytes"] > 0
        assert all(url.startswith("https://") for url in file["urls"])
        assert "faces.celeba" in file["by_hand"]


def test_the_real_wheel_is_the_pinned_one(wheel):
    assert wheel.stat().st_size == SOURCES["packages"][wheel.name]["bytes"]
