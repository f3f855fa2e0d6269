"""What the study says of its files that are not the same bytes in every run, since keys are drawn anew."""

import pytest

from scripts.common.studies import describe, varies
from tests.workflow.conftest import ROOT


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("results/encrypted/noise.parquet", True),
        ("results/encrypted/decrypted/mnist.plain.slots.key1.parquet", True),
        ("results/encrypted/figures/cost.parquet", True),
        ("results/encrypted/metrics.parquet", False),
        ("results/encrypted/comparisons.parquet", False),
        ("results/encrypted/predictions/mnist.parquet", False),
        ("results/encrypted/figures/reconstruction.parquet", False),
        ("results/income/metrics.parquet", False),
        ("results/claims.parquet", False),
        ("results/data/faces/index.parquet", False),
    ],
)
def test_noise_and_times_vary_and_accuracies_do_not(path, expected):
    assert varies(path, ROOT) is expected


def test_what_varies_is_a_released_file_a_figure_or_the_decrypted_logits():
    about = describe("encrypted", ROOT)
    known = {*about["released"], *(f"figures/{name}" for name in about["figures"]), "decrypted"}
    assert {*about["varies"]} < known
