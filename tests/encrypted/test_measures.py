"""Numbers from predictions and decrypted logits, against scipy, brute force and cases by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

from scripts.common.interval_kinds import NORMAL, WILSON
from scripts.encrypted import measures


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (3, 3), (2, 9), (9, 2), (0, 12), (40, 61)])
def test_mcnemar_is_an_exact_test_of_the_discordant_pairs(first, second):
    right = np.array([True] * first + [False] * second + [True, False] * 5)
    other = np.array([False] * first + [True] * second + [True, False] * 5)
    expected = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert measures.mcnemar(right, other) == (first, second, pytest.approx(expected))


def test_a_paired_interval_is_that_of_the_differences():
    random = np.random.default_rng(0)
    first, second = random.random((50, 3)) < 0.8, random.random((50, 3)) < 0.7
    found = measures.paired(first, second)
    gaps = [sum(float(first[i, s]) - float(second[i, s]) for s in range(3)) / 3 for i in range(50)]
    mean = sum(gaps) / 50
    error = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / 49 / 50)
    half = norm.ppf(0.975) * error
    assert found["value"] == pytest.approx(mean)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((mean - half, mean + half))
    assert (found["n"], found["seeds"], found["interval"]) == (50, 3, NORMAL)
    assert (
        measures.paired(first[:, 0], first[:, 0])["ci_high"] == 0
        and measures.paired(first[:, 0], first[:, 0])["seeds"] == 1
    )


def test_a_share_has_its_wilson_interval():
    found = measures.proportion(np.array([True] * 8 + [False] * 2))
    low, high = binomtest(8, 10).proportion_ci(method="wilson")
    assert (found["value"], found["n"], found["interval"]) == (0.8, 10, WILSON)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high))


def test_noise_of_a_case_by_hand():
    clear = np.array([[8.0, 0.0], [1.0, 2.0], [0.0, 4.0], [-2.0, 1.0]])
    decrypted = clear + np.array([[0.25, 0.0], [1.5, 0.0], [0.0, 0.0], [0.0, 0.125]])
    found = measures.noise(clear, decrypted, np.array([0, 0, 1, 0]))
    assert found["max_error"] == 1.5 and found["median_error"] == 0 and found["n"] == 4
    assert found["precision_bits"] == pytest.approx(-math.log2(1.5 / 8))
    assert (found["flips"], found["wrong_in_clear"]) == (1, 2)
    assert found["logit_deviation"] == pytest.approx(np.std([8, 0, 1, 2, 0, 4, -2, 1]))
    exact = measures.noise(clear, clear, np.array([0, 0, 1, 0]))
    assert exact["flips"] == 0 and exact["precision_bits"] == math.inf


def test_the_published_spread_is_that_of_drawing_images():
    hits = np.random.default_rng(1).random(5000) < 0.66
    found = measures.subset_spread(hits, "run")
    share = hits.mean()
    assert found["binomial"] == pytest.approx(math.sqrt(share * (1 - share) / 200))
    # the deviation of ten draws is within these bounds of the binomial one in 99.9 of 100 cases (chi-squared)
    assert 0.33 * found["binomial"] < found["subsets"] < 1.8 * found["binomial"]
    assert measures.subset_spread(hits, "run") == found != measures.subset_spread(hits, "other run")


def test_a_spread_over_subsets_of_equal_answers_is_none():
    assert measures.subset_spread(np.ones(300, bool), "run") == {"subsets": 0.0, "binomial": 0.0}


def test_subsets_of_few_images_are_all_of_them():
    found = measures.subset_spread(np.arange(40) % 2 == 0, "run")
    assert found["subsets"] == 0 and found["binomial"] == pytest.approx(math.sqrt(0.25 / 40))


def pairs(*names):
    return set(measures.equal_cost_pairs({name: name.rpartition("-")[2] for name in names}))


def test_dct_is_compared_with_every_rival_of_its_k():
    assert pairs("dct-16", "dct-49", "pooling-16", "crop-49", "subsampling-49") == {
        ("dct-16", "pooling-16"),
        ("dct-49", "crop-49"),
        ("dct-49", "subsampling-49"),
    }


def test_dct_and_pooling_are_compared_with_all_pixels_and_crops_are_not():
    assert pairs("dct-16", "pooling-16", "crop-9", "pixels-64") == {
        ("dct-16", "pooling-16"),
        ("dct-16", "pixels-64"),
        ("pooling-16", "pixels-64"),
    }


def test_48_numbers_of_blocks_stand_for_49_and_other_blocks_for_themselves():
    assert pairs("dct-49", "block_dct-48", "dct-48") == {("dct-49", "block_dct-48")}
    assert pairs("dct-16", "block_dct-16") == {("dct-16", "block_dct-16")}
    assert pairs("dct-64", "pixels-64") == {("dct-64", "pixels-64")}


def test_logits_are_put_in_order_and_those_of_other_classes_left_out():
    frame = pd.DataFrame({"setting": "a"} | {f"logit_{place}": [float(place)] for place in (10, 2, 0, 1)})
    assert measures.wide(frame).tolist() == [[0, 1, 2, 10]]
    assert measures.wide(frame.assign(logit_2=np.nan)).tolist() == [[0, 1, 10]]
