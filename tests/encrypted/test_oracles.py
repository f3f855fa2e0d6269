"""What transforms and encrypted layers must equal exactly: scipy, convolutions of torch, plain NumPy, counts."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from scripts.encrypted import ckks, jobs, slots, transforms
from scripts.encrypted.ckks import IMAGE, SLOTS, Parameters
from scripts.encrypted.network import Network, folded, with_constant
from scripts.encrypted.stopwatch import Stopwatch
from scripts.encrypted.training import standardised
from scripts.encrypted.transforms import dct_matrix, kept_energy, matrix_of, zigzag

PARAMETERS = Parameters(8192, (50, 30, 30, 30, 50), 30)


def images(side, count=6):
    return np.random.default_rng(side).random((count, side, side))


@pytest.mark.parametrize("side", [8, 9, 14])
def test_frequencies_of_the_whole_image_are_those_of_scipy(side):
    shown = images(side)
    expected = dctn(shown, axes=(1, 2), norm="ortho")
    found = shown.reshape(6, -1) @ matrix_of("dct", side, side * side).T
    for place, (u, v) in enumerate(zigzag(side)):
        assert found[:, place] == pytest.approx(expected[:, u, v], abs=1e-12)


def torch_conv(shown, kernels, n):
    """Return the maps [images, kernels, blocks, blocks] of a convolution with stride n and no padding."""
    found = torch.nn.functional.conv2d(torch.from_numpy(shown)[:, None], torch.from_numpy(kernels)[:, None], stride=n)
    return found.numpy()


@pytest.mark.parametrize(("side", "n", "kept"), [(8, 4, 3), (10, 5, 2), (12, 4, 10), (14, 7, 5)])
def test_frequencies_of_blocks_are_a_convolution(side, n, kept):
    shown, t, blocks = images(side), dct_matrix(n), (side // n) ** 2
    kernels = np.stack([np.outer(t[u], t[v]) for u, v in zigzag(n)[:kept]])
    expected = torch_conv(shown, kernels, n)
    assert transforms.block_size(side, blocks * kept) == (n, kept)
    found = shown.reshape(6, -1) @ matrix_of("block_dct", side, blocks * kept).T
    assert np.abs(found.reshape(6, side // n, side // n, kept).transpose(0, 3, 1, 2) - expected).max() < 1e-12


def test_with_all_frequencies_a_convolution_of_single_ones_is_one_of_pixels():
    """So the transform adds nothing by itself: what is gained is gained by dropping."""
    shown, t, n = images(12), dct_matrix(4), 4
    kernels = np.stack([np.outer(t[u], t[v]) for u in range(n) for v in range(n)])
    mixing = np.random.default_rng(1).normal(size=(5, n * n))  # a 1x1 convolution with five outputs
    after = np.einsum("oc,bcij->boij", mixing, torch_conv(shown, kernels, n))
    at_once = torch_conv(shown, np.einsum("oc,chw->ohw", mixing, kernels), n)
    assert np.abs(after - at_once).max() < 1e-12
    inverse = np.einsum(
        "oc,chw->ohw", np.random.default_rng(2).normal(size=(5, n * n)), np.eye(n * n).reshape(-1, n, n)
    )
    weights = np.einsum("ohw,chw->oc", inverse, kernels)  # any kernels of pixels as a mixture of frequencies
    mixed = np.einsum("oc,bcij->boij", weights, torch_conv(shown, kernels, n))
    assert np.abs(mixed - torch_conv(shown, inverse, n)).max() < 1e-12
    dropped = np.einsum("oc,bcij->boij", weights[:, :8], torch_conv(shown, kernels[:8], n))
    assert np.abs(dropped - torch_conv(shown, inverse, n)).max() > 0.1


def test_one_frequency_per_block_and_pooling_are_one_feature_once_standardised():
    shown = images(28, 30).reshape(30, -1)
    found = []
    for name in ("block_dct", "pooling"):
        numbers = shown @ matrix_of(name, 28, 49).T
        found.append(standardised(numbers, numbers.mean(0), numbers.std(0)).numpy())
    assert np.abs(found[0] - found[1]).max() < 1e-5


@pytest.mark.parametrize("k", [1, 7, 33, 81])
def test_kept_energy_is_the_sum_of_squares_of_the_kept_frequencies(k):
    shown = images(9)
    squares = dctn(shown, axes=(1, 2), norm="ortho") ** 2
    by_hand = sum(squares[:, u, v].sum() for u, v in zigzag(9)[:k]) / (shown**2).sum()
    assert kept_energy(matrix_of("dct", 9, k), shown.reshape(6, -1)) == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "k"), [("dct", 64), ("block_dct", 48), ("crop", 9), ("subsampling", 16), ("pixels", 64)]
)
def test_rows_are_orthonormal_so_that_energy_is_a_share(name, k):
    matrix = matrix_of(name, 8, k)
    assert np.abs(matrix @ matrix.T - np.eye(k)).max() < 1e-12


def test_the_published_lists_of_frequencies():
    assert [*transforms.PUBLISHED_LUMA_4] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13]
    assert [*transforms.PUBLISHED_CHROMA_4] == [0, 1, 2, 4, 5, 8]
    assert [*transforms.PUBLISHED_LUMA_8] == [0, 1, 2, 3, 4, 5, 8, 9, 10, 16, 17, 18, 24, 32]
    assert [*transforms.PUBLISHED_CHROMA_8] == [0, 1, 3, 8, 24]
    low = {4 * u + v for u, v in zigzag(4)[:6]}  # the six of chroma are the six lowest of 4x4 blocks
    assert {*transforms.PUBLISHED_CHROMA_4} == low


@pytest.fixture(scope="module")
def contexts():
    """A client's and a server's context by packing."""
    found = {}
    for packing in (IMAGE, SLOTS):
        secret, public = ckks.make_keys(PARAMETERS, packing)
        found[packing] = ckks.load_context(secret, True, "client"), ckks.load_context(public, False, "server")
    return found


def through(contexts, packing, network, inputs):
    """Return the logits of inputs [n, k] without the last bias, encrypted in between."""
    client, server = contexts[packing]
    used, numbers = jobs.PACKINGS[packing], with_constant(inputs)
    batches = [numbers] if packing == SLOTS else [row[None] for row in numbers]
    found = []
    for batch in batches:
        reply = used.infer(server, used.encrypt(client, batch), network, PARAMETERS, Stopwatch())
        found.append(used.decrypt(client, reply, len(batch)))
    return np.concatenate(found)


@pytest.mark.parametrize("packing", [IMAGE, SLOTS])
def test_an_encrypted_linear_layer_is_that_of_numpy(contexts, packing):
    random = np.random.default_rng(0)
    matrix, inputs = random.normal(size=(17, 6)), random.normal(size=(3, 16))
    found = through(contexts, packing, Network((matrix,), np.zeros(6)), inputs)
    assert np.abs(found - with_constant(inputs) @ matrix).max() < 1e-3


def layers():
    random = np.random.default_rng(1)
    weights = [random.normal(size=(16, 6)) / 4, random.normal(size=(6, 4)) / 2]
    return weights, [random.normal(size=6), random.normal(size=4)], random.normal(size=(3, 16))


@pytest.mark.parametrize("packing", [IMAGE, SLOTS])
def test_a_folded_bias_survives_encryption_and_one_left_out_is_noticed(contexts, packing):
    weights, biases, inputs = layers()
    network = folded(weights, biases, np.zeros(16), np.ones(16))
    expected = (inputs @ weights[0] + biases[0]) ** 2 @ weights[1] + biases[1]
    error = np.abs(through(contexts, packing, network, inputs) + network.bias - expected).max()
    assert error < (1e-3 if packing == SLOTS else 0.05)
    without = folded(weights, [np.zeros(6), biases[1]], np.zeros(16), np.ones(16))
    assert np.abs(through(contexts, packing, without, inputs) + network.bias - expected).max() > 0.1


@pytest.mark.parametrize("zeros", [0.0, -0.0])
def test_weights_of_zero_lose_no_level(contexts, zeros):
    weights, biases, inputs = layers()
    weights[0][:, 2] = weights[0][3] = weights[1][:, 1] = zeros
    biases[0][2] = zeros
    network = folded(weights, biases, np.zeros(16), np.ones(16))
    expected = (inputs @ weights[0] + biases[0]) ** 2 @ weights[1]
    for packing in (IMAGE, SLOTS):
        assert np.abs(through(contexts, packing, network, inputs) - expected).max() < 0.05


@pytest.fixture
def counted(monkeypatch):
    """Calls of SEAL's evaluator, by name."""
    calls, package = {}, ckks.package()

    class Evaluator:
        def __init__(self, seal):
            self.own = package.sealapi.Evaluator(seal)

        def __getattr__(self, name):
            def call(*arguments):
                calls[name] = calls.get(name, 0) + 1
                return getattr(self.own, name)(*arguments)

            return call

    classes = {name: getattr(package.sealapi, name) for name in ("Ciphertext", "CKKSEncoder", "Decryptor", "Plaintext")}
    counting = SimpleNamespace(**classes, Evaluator=Evaluator)
    known = SimpleNamespace(ckks_tensor=package.ckks_tensor, ckks_tensor_from=package.ckks_tensor_from)
    monkeypatch.setattr(slots, "package", lambda: SimpleNamespace(**vars(known), sealapi=counting))
    return calls


@pytest.mark.parametrize(("k", "hidden", "count"), [(5, 4, 1), (5, 4, 40), (130, 3, 2)])
def test_products_along_slots_are_counted_and_hang_on_no_number_of_images(contexts, counted, k, hidden, count):
    classes, random = 3, np.random.default_rng(k)
    weights = [random.normal(size=(k, hidden)) / k, random.normal(size=(hidden, classes))]
    network = folded(weights, [np.ones(hidden), np.ones(classes)], np.zeros(k), np.ones(k))
    inputs = random.normal(size=(count, k))
    found = through(contexts, SLOTS, network, inputs)
    assert np.abs(found + network.bias - network.logits(inputs)).max() < 1e-3
    assert counted["multiply_plain"] == (k + 1) * hidden + hidden * classes
    assert counted["square_inplace"] == counted["relinearize_inplace"] == hidden
    assert counted["add_inplace"] == k * hidden + (hidden - 1) * classes
    assert counted["rescale_to_next_inplace"] == hidden + hidden + classes  # one per output, not one per product


def test_a_second_hidden_layer_carries_its_bias_along(contexts, counted):
    random = np.random.default_rng(3)
    weights = [random.normal(size=size) for size in ((5, 4), (4, 3), (3, 2))]
    network = folded(weights, [np.ones(4), np.ones(3), np.ones(2)], np.zeros(5), np.ones(5))
    parameters = Parameters(16384, (50, 30, 30, 30, 30, 30, 50), 30)
    client, public = ckks.make_keys(parameters, SLOTS)
    server = ckks.load_context(public, False, "server")
    sent = slots.encrypt(ckks.load_context(client, True, "client"), with_constant(random.normal(size=(2, 5))))
    slots.infer(server, sent, network, parameters, Stopwatch())
    assert counted["multiply_plain"] == 6 * 5 + 5 * 3 + 3 * 2 and counted["square_inplace"] == 5 + 3
