"""Arithmetic on the printed numbers, against values worked out by hand."""

import pytest

from scripts.common.errors import UserError
from scripts.encrypted.printed import COLUMNS, beats, printed_numbers


@pytest.fixture(scope="module")
def numbers():
    frame = printed_numbers()
    assert list(frame) == COLUMNS and not frame.duplicated(["quantity", "setting"]).any()
    return frame.set_index(["quantity", "setting"])["value"]


@pytest.mark.parametrize(
    ("setting", "ratio"),
    [
        ("cifar10_resnet20", 1339 / 565),
        ("cifar10_resnet18", 1746 / 1004),
        ("imagenet_resnet18", 16115 / 8562),
        ("she", 45000 / 8562),
    ],
)
def test_ratios_of_latencies(numbers, setting, ratio):
    assert numbers["ratio", setting] == pytest.approx(ratio)


def test_the_headline_is_that_of_another_system(numbers):
    own = numbers["ratio"].drop("she")
    assert round(numbers["ratio", "she"], 1) == 5.3 and own.max() < 5.3 / 2


def test_deviation_of_two_hundred_images(numbers):
    assert numbers["binomial_deviation", "imagenet_resnet18"] == pytest.approx(0.03347, abs=1e-5)
    assert numbers["hours", "imagenet_resnet18"] == pytest.approx(2.378, abs=1e-3)


def test_rivals_in_the_table_are_counted(numbers):
    # Kim and Guyot, Rovida and Leporati, and SHE's own network by its normalised latency
    assert numbers["rivals", "cifar10_resnet20"] == 3


@pytest.mark.parametrize(
    ("rival", "wins"),
    [
        ({"latency": 9, "accuracy": 0.9}, True),
        ({"latency": 10, "accuracy": 0.9}, False),
        ({"latency": 9, "accuracy": 0.89}, False),
        ({"latency": 50, "latency_normalised": 9, "accuracy": 0.95}, True),
        ({"latency": 9, "latency_normalised": 50, "accuracy": 0.95}, False),
    ],
)
def test_a_rival_beats_by_latency_and_accuracy(rival, wins):
    assert beats(rival, {"latency": 10, "accuracy": 0.9}) == wins


def test_a_file_without_the_table_is_named(tmp_path):
    path = tmp_path / "published.yaml"
    path.write_text("other: {document: d12, place: abc, read_from: text, values: {a: 1}}", encoding="utf-8")
    with pytest.raises(UserError, match="there is no group 'table_1'"):
        printed_numbers(path)
