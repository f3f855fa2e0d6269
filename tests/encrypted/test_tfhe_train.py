"""The rule that trains: files, classes learnt, refusals."""

import json

import pytest
import torch

from scripts.common.errors import UserError
from scripts.encrypted.tfhe import nets
from scripts.encrypted.tfhe_train import train


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for each other in networks as small as these
    yield
    torch.set_num_threads(before)


def files_of(folder):
    return folder / "nets.npz", folder / "nets.json"


def test_networks_of_digits_learn_and_are_written_the_same_twice(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        train(["digits_pixels"], {}, 3, 20, *files_of(tmp_path / name))
    weights, about = files_of(tmp_path / "one")
    known = json.loads(about.read_text(encoding="utf-8"))["nets"][0]
    assert known["accuracy_clear"] > 0.2 and known["bootstraps"] == 640 and len(known["widths"]) == 2
    arrays = nets.read(weights)
    net, images = nets.from_arrays(arrays, "digits_pixels"), arrays["digits_pixels/inputs"]
    assert images.shape == (20, 8, 8, 1) and images.max() == 3
    assert (net.logits(images).argmax(1) == arrays["digits_pixels/labels"]).mean() > 0.15
    assert all(
        first.read_bytes() == second.read_bytes()
        for first, second in zip(files_of(tmp_path / "one"), files_of(tmp_path / "two"), strict=True)
    )


def test_an_unknown_network_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no TFHE network 'cifar'; there are mnist_pixels"):
        train(["cifar"], {}, 1, 1, *files_of(tmp_path))
