"""People's own files in the forms in which they have them, for the table of faults; each is tested where it is read."""

import gzip
import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from scripts.backdoor.clean_check import check_on_clean_digits
from scripts.backdoor.network import DigitNet
from scripts.backdoor.weights import read_own_model
from scripts.common.errors import UserError
from scripts.data.images import FaceImages
from scripts.data.mnist import read_official
from scripts.data.user_file import read_user_file
from tests.backdoor import test_data as digits_tests
from tests.backdoor.made_up import digits
from tests.backdoor.test_own_model import NAMES
from tests.data import test_faces as faces_tests
from tests.data.test_tabular import FORMS, TEXT
from tests.workflow import test_own_files
from tests.workflow.faults.record import record

pytestmark = pytest.mark.faults


def test_images_in_the_folders_and_archives_that_people_have(tmp_path):
    lost = 0
    for number, (zipped, inside, others, _) in enumerate(faces_tests.AS_PEOPLE_HAVE_IT.values()):
        members = {f"{inside}{name}": name.encode() for name in faces_tests.TWO} | dict.fromkeys(others, b"x")
        images = FaceImages(faces_tests.put(tmp_path / str(number), members, zipped))
        lost += images.row_ids.tolist() != [3, 17] or images.read(17) != b"000017.jpg"
    tried = len(faces_tests.AS_PEOPLE_HAVE_IT)
    record("own files in another form", tried, lost, "CelebA with tables, notes and clutter around the images")
    assert not lost


def test_digits_under_the_names_that_people_have(tmp_path):
    lost = 0
    for number, way in enumerate(digits_tests.WAYS.values()):
        folder = digits_tests.write_official(tmp_path / str(number))
        contents = {name: gzip.decompress((folder / name).read_bytes()) for name in digits_tests.FILES}
        sums = {name: {"content_sha256": hashlib.sha256(content).hexdigest()} for name, content in contents.items()}
        before = read_official(folder, sums)
        for name in digits_tests.FILES:
            way(folder / name)
        pairs = zip(before, read_official(folder, sums), strict=True)
        lost += not all(np.array_equal(first, second) for first, second in pairs)
    record("own files in another form", len(digits_tests.WAYS), lost, "MNIST unpacked, renamed, in inner folders")
    assert not lost


def test_tables_as_a_source_or_an_editor_leaves_them(tmp_path):
    lost = 0
    for name, content in FORMS.values():
        (tmp_path / name).write_bytes(content)
        lost += read_user_file(tmp_path / name, "clients.csv", hashlib.sha256(TEXT).hexdigest()) != TEXT
    record("own files in another form", len(FORMS), lost, "tables packed, renamed, with other line ends")
    assert not lost


def test_a_model_as_other_tools_save_it(tmp_path):
    state, lost = DigitNet().state_dict(), 0
    for renamed in NAMES.values():
        save_file({renamed(name): tensor for name, tensor in state.items()}, tmp_path / "own.safetensors")
        found = read_own_model(tmp_path / "own.safetensors").state_dict()
        lost += not all(torch.equal(found[name], tensor) for name, tensor in state.items())
    record("own files in another form", len(NAMES), lost, "a model with the prefixes of other tools")
    assert not lost


def test_a_model_that_does_not_work_on_the_digits_gets_no_verdict():
    guessing = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(28 * 28, 10, bias=False))
    torch.nn.init.zeros_(guessing[1].weight)
    with pytest.raises(UserError, match="a verdict would say nothing"):
        check_on_clean_digits(guessing, digits(400, seed=5), "own")
    record("own model that does not work", 1, 0, "a digit classifier at chance is refused before the search")


def test_an_older_file_of_the_same_name_is_read_again(tmp_path_factory):
    test_own_files.test_a_replaced_file_is_read_again_though_its_date_is_older(tmp_path_factory)
    record("own file replaced", 1, 0, "another zip of photographs under the same name, with an older date")
