"""Networks with folded biases against the plain form, and the security of parameters."""

from itertools import pairwise

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.encrypted.network import SMALLEST, check_inputs, folded, without_zeros
from scripts.encrypted.security import check_depth, levels, security_bits


def layers(sizes, seed=0):
    random = np.random.default_rng(seed)
    pairs = list(pairwise(sizes))
    return [random.normal(size=pair) / pair[0] ** 0.5 for pair in pairs], [
        random.normal(size=pair[1]) for pair in pairs
    ]


@pytest.mark.parametrize("sizes", [(6, 8, 3), (6, 8, 5, 3), (4, 8, 6, 5, 2)])
def test_folded_biases_give_the_logits_of_the_plain_network(sizes):
    (weights, biases), random = layers(sizes), np.random.default_rng(1)
    x, mean, spread = (
        random.normal(size=(20, sizes[0])) * 3 + 1,
        random.normal(size=sizes[0]),
        random.random(sizes[0]) + 0.5,
    )
    hidden = (x - mean) / spread @ weights[0] + biases[0]
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        hidden = hidden**2 @ weight + bias
    network = folded(weights, biases, mean, spread)
    assert network.logits(x) == pytest.approx(hidden, rel=1e-4, abs=1e-3)
    assert (network.inputs, network.products) == (sizes[0], 2 * len(weights) - 1)


def test_an_unfolded_bias_is_noticed():
    weights, biases = layers((6, 8, 3))
    x = np.random.default_rng(2).normal(size=(20, 6))
    wrong = (x @ weights[0]) ** 2 @ weights[1] + biases[1]
    assert np.abs(folded(weights, biases, np.zeros(6), np.ones(6)).logits(x) - wrong).max() > 1e-3


def test_an_input_that_never_changes_has_no_effect():
    weights, biases = layers((2, 4, 2))
    network = folded(weights, biases, np.array([0.0, 3.0]), np.array([1.0, 0.0]))
    some, other = network.logits(np.array([[1.0, 3.0]])), network.logits(np.array([[1.0, 4.0]]))
    assert some == pytest.approx(other, abs=1e-4)


def test_no_entry_is_zero():
    matrix = without_zeros(np.array([[0.0, -0.0, 1e-9], [-1e-9, 0.5, -2.0]]))
    assert (np.abs(matrix) >= SMALLEST).all() and matrix[1].tolist() == [-SMALLEST, 0.5, -2.0]


def test_inputs_that_do_not_fit_are_one_line():
    network = folded(*layers((6, 8, 3)), np.zeros(6), np.ones(6))
    check_inputs(np.zeros((2, 6)), network, 8192)
    bad = np.zeros((3, 6))
    bad[2, 4] = np.nan
    with pytest.raises(UserError, match="input 4 of image 2 is nan"):
        check_inputs(bad, network, 8192)
    with pytest.raises(UserError, match="the network takes"):
        check_inputs(np.zeros((2, 5)), network, 8192)
    with pytest.raises(UserError, match="a ring of 8 has 4 slots"):
        check_inputs(np.zeros((2, 6)), network, 8)


@pytest.mark.parametrize(
    ("ring", "moduli", "bits"),
    [
        (8192, (50, 30, 30, 30, 50), 128),
        (8192, (60, 60, 49, 49), 128),
        (8192, (40, 36, 36, 40), 192),
        (8192, (40, 38, 40), 256),
        (4096, (40, 29, 40), 128),
        (16384, (60, 60, 60, 60, 60, 60, 60), 128),
    ],
)
def test_security_is_read_off_the_standard(ring, moduli, bits):
    assert security_bits(ring, moduli) == bits


@pytest.mark.parametrize(
    ("ring", "moduli", "words"),
    [
        (
            8192,
            (60, 60, 50, 49),
            "moduli of 219 bits in all at ring dimension 8192; 128 bits of security allow at most 218",
        ),
        (4096, (40, 30, 40), "moduli of 110 bits"),
        (5000, (40, 40, 40), "ring dimension 5000; the standard has 1024"),
        (8192, (61, 30, 30), "a modulus of 61 bits"),
        (8192, (60, 10, 60), "a modulus of 10 bits"),
    ],
)
def test_parameters_that_are_not_secure_are_one_line(ring, moduli, words):
    with pytest.raises(UserError, match=words):
        security_bits(ring, moduli)


def test_depth_is_counted_in_moduli():
    assert levels((50, 30, 30, 30, 50)) == 3
    check_depth((50, 30, 30, 30, 50), 3)
    with pytest.raises(UserError, match="5 products in a row, its moduli allow 3"):
        check_depth((50, 30, 30, 30, 50), 5)
