"""Networks learn, all seeds at once as each alone; folded and quantised ones against arithmetic by hand."""

import numpy as np
import pytest
import torch

from scripts.encrypted.quantised import CLIPPED, Quantiser
from scripts.encrypted.training import LEAST_SPREAD, Settings, fit, standardised

SMALL = Settings(hidden=(6,), epochs=4, batch_size=16)
LONG = Settings(hidden=(8,), epochs=30, batch_size=32, learning_rate=0.01)


def two_rings(count=400, seed=0):
    """Points within a circle (0) and around it (1): separable by squares, by no line."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    radius = np.where(labels, random.uniform(2.5, 3.5, count), random.uniform(0, 1.5, count))
    angle = random.uniform(0, 2 * np.pi, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), labels


def some(count=90, k=5, seed=1):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, k)) * np.arange(1, k + 1) + 3, random.integers(0, 3, count)


@pytest.mark.parametrize("hidden", [(8,), (8, 8)])
def test_what_squares_separate_is_learnt(hidden):
    inputs, labels = two_rings()
    unseen, truth = two_rings(seed=9)
    settings = Settings(hidden=hidden, epochs=30, batch_size=32, learning_rate=0.01)
    for own in fit(inputs, labels, 2, [1, 2], settings, "rings").logits(unseen):
        assert (own.argmax(1) == truth).mean() > 0.98


def test_labels_that_hang_on_nothing_are_not_learnt():
    inputs, labels = two_rings()
    drawn = np.random.default_rng(5).permutation(labels)
    unseen, _ = two_rings(seed=9)
    found = fit(inputs, drawn, 2, [1], LONG, "rings").logits(unseen)[0].argmax(1)
    assert 0.35 < (found == np.random.default_rng(6).integers(0, 2, len(found))).mean() < 0.65


@pytest.mark.parametrize("bits", [None, 4])
def test_all_seeds_at_once_are_each_seed_alone(bits):
    inputs, labels = some()
    together = fit(inputs, labels, 3, [3, 1, 2], SMALL, "a", bits=bits).logits(inputs)
    for seed, own in zip([3, 1, 2], together, strict=True):
        alone = fit(inputs, labels, 3, [seed], SMALL, "a", bits=bits).logits(inputs)[0]
        assert own == pytest.approx(alone, abs=1e-4)
    assert np.abs(together[0] - together[1]).max() > 0.1


def test_names_and_seeds_decide_the_draws():
    inputs, labels = some()
    first, again = (fit(inputs, labels, 3, [1], SMALL, "mnist", "dct-16").logits(inputs) for _ in range(2))
    other = fit(inputs, labels, 3, [1], SMALL, "mnist", "dct-49").logits(inputs)
    assert (first == again).all() and np.abs(first - other).max() > 0.1


def test_a_constant_input_has_no_effect_and_breaks_nothing():
    inputs, labels = some()
    inputs[:, 2] = 7.0
    fitted = fit(inputs, labels, 3, [1], SMALL, "a")
    moved = inputs + np.eye(5)[2] * 0.05
    found = fitted.logits(inputs)
    assert np.isfinite(found).all() and fitted.logits(moved) == pytest.approx(found, abs=0.1)
    alike = np.full((90, 5), 4.0)
    same = fit(alike, labels, 3, [1], SMALL, "a").logits(alike)
    assert np.isfinite(same).all() and np.ptp(same, axis=1) == pytest.approx(np.zeros((1, 3)), abs=1e-6)


def test_small_deviations_are_not_blown_up():
    inputs, labels = some()
    inputs[:, 0] = 1e-6 * inputs[:, 0]
    fitted = fit(inputs, labels, 3, [1], SMALL, "a")
    deviations = inputs.std(0)
    assert fitted.spread[1:] == pytest.approx(deviations[1:]) and deviations[1:].min() > LEAST_SPREAD * deviations.max()
    assert fitted.spread[0] == pytest.approx(LEAST_SPREAD * deviations.max())
    assert standardised(inputs, fitted.mean, fitted.spread)[:, 1:].std(0, correction=0).numpy() == pytest.approx(1)


@pytest.mark.parametrize("hidden", [(6,), (6, 4), (5, 4, 3)])
def test_folded_networks_give_the_logits_of_the_layers(hidden):
    inputs, labels = some()
    settings = Settings(hidden=hidden, epochs=3, batch_size=16)
    fitted = fit(inputs, labels, 3, [1, 2], settings, "a")
    expected = fitted.logits(inputs)
    for network, own in zip(fitted.networks(), expected, strict=True):
        assert network.logits(inputs) == pytest.approx(own, abs=0.01)
        assert network.products == 2 * len(hidden) + 1 and network.inputs == 5
    assert np.abs(fitted.networks()[0].logits(inputs) - expected[1]).max() > 0.1


def test_fewer_rows_than_a_batch_are_one_batch():
    inputs, labels = some(count=7)
    assert np.isfinite(fit(inputs, labels, 3, [1], SMALL, "a").logits(inputs)).all()


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_levels_are_those_of_the_bits(bits):
    quantiser, values = Quantiser(bits), torch.linspace(-5, 5, 20_001)
    inputs = quantiser.inputs(values).unique()
    assert len(inputs) == 2**bits - 1 and inputs.max() == pytest.approx(CLIPPED) and 0 in inputs
    weights = quantiser.weights(values.reshape(1, 1, -1)).unique()
    assert len(weights) == 2**bits - 1 and weights.abs().max() == pytest.approx(5)
    squares = quantiser.activations(values.reshape(1, 1, -1) ** 2, 1).unique()
    assert len(squares) == 2**bits and squares.min() == 0 and squares.max() == pytest.approx(25)


def test_each_seed_has_weights_of_its_own_scale():
    quantiser = Quantiser(4)
    weights = torch.tensor([[[1.0, -7.0]], [[0.1, -0.7]]])
    assert torch.allclose(quantiser.weights(weights), weights)
    assert quantiser.weights(torch.tensor([[[0.4, 7.0]]]))[0, 0, 0] == 0


def test_gradients_pass_rounding_unchanged():
    values = torch.linspace(-2, 2, 41, requires_grad=True)
    (Quantiser(3).inputs(values) * torch.arange(41.0)).sum().backward()
    assert torch.equal(values.grad, torch.arange(41.0))


def test_scales_of_squares_come_from_training_images_alone():
    inputs, labels = some()
    fitted = fit(inputs, labels, 3, [1], SMALL, "a", bits=4)
    scales = {layer: scale.clone() for layer, scale in fitted.quantiser.largest.items()}
    assert [*scales] == [1]
    x = fitted.quantiser.inputs(standardised(inputs, fitted.mean, fitted.spread))
    first = x @ fitted.quantiser.weights(fitted.weights[0])[0] + fitted.biases[0][0]
    assert float(scales[1]) == pytest.approx(float((first**2).max()), rel=1e-4)
    alone, among = fitted.logits(inputs[:1]), fitted.logits(np.vstack([inputs[:1], 100 * inputs]))
    assert among[:, 0] == pytest.approx(alone[:, 0], abs=1e-4)
    assert torch.equal(fitted.quantiser.largest[1], scales[1])


def test_quantised_logits_take_few_values_and_are_near_those_of_many_bits():
    inputs, labels = two_rings()
    fine, coarse = (fit(inputs, labels, 2, [1], LONG, "rings", bits=bits).logits(inputs)[0] for bits in (8, 2))
    assert (fine.argmax(1) == labels).mean() > 0.95
    assert len(np.unique(coarse.round(4), axis=0)) <= 9 < len(np.unique(fine.round(4), axis=0))
