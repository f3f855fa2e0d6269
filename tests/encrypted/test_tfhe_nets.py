"""The integer networks in clear: patches, block DCT, quantised training, and what files keep of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from scripts.common.errors import UserError
from scripts.encrypted.tfhe import inputs, nets, qat


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for each other in networks as small as these
    yield
    torch.set_num_threads(before)


def drawn(layout, seed=0):
    """Inputs of a layout, within the quantisers' range."""
    random = np.random.default_rng(seed)
    least = 0 if layout.transform == "pixels" else -inputs.COEFFICIENT_LEVELS
    return random.integers(least, 4, (40, layout.grid, layout.grid, layout.channels))


@pytest.fixture(scope="module", params=nets.LAYOUTS)
def trained(request):
    """A network after two passes over drawn images, as floats and as integers, with its inputs."""
    layout = nets.LAYOUTS[request.param]
    images = drawn(layout)
    labels = np.arange(len(images)) % layout.classes
    return request.param, *qat.train(images, labels, layout, qat.Settings(epochs=2, batch_size=8), "test"), images


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2)])
@pytest.mark.parametrize("side", [4, 7])
def test_patches_times_weights_are_a_convolution(kernel, stride, side):
    random = np.random.default_rng(1)
    maps, weights = random.integers(-4, 4, (2, side, side, 3)), random.integers(-1, 2, (5, 3, kernel, kernel))
    found = nets.patches(maps, kernel, stride) @ weights.transpose(2, 3, 1, 0).reshape(-1, 5)
    channels_first = torch.from_numpy(maps).permute(0, 3, 1, 2).double()
    expected = torch.nn.functional.conv2d(
        channels_first, torch.from_numpy(weights).double(), stride=stride, padding=kernel // 2
    )
    assert (found == expected.permute(0, 2, 3, 1).numpy()).all()


def test_block_coefficients_are_those_of_every_block():
    images = np.random.default_rng(2).random((2, 12, 8))[:, :8]
    found = inputs.block_coefficients(images, 8)
    expected = dctn(images[1, 4:8, 0:4], norm="ortho")
    assert found.shape == (2, 2, 2, 8)
    assert np.allclose(found[1, 1, 0, :5], [expected[place] for place in ((0, 0), (0, 1), (1, 0), (2, 0), (1, 1))])


def test_an_enlarged_image_is_that_of_torch():
    images = np.random.default_rng(3).random((2, 8, 8))
    expected = torch.nn.functional.interpolate(torch.from_numpy(images)[:, None], size=16, mode="bilinear")
    assert np.allclose(inputs.enlarged(images, 16), expected[:, 0].numpy())


def test_a_quantiser_rounds_and_cuts():
    layout = nets.LAYOUTS["digits_dct"]
    numbers = np.random.default_rng(4).normal(5, 2, (200, 4, 4, 8))
    numbers[0, 0, 0, 0] = 1e6
    rounded = inputs.quantiser(numbers, layout)(numbers)
    assert rounded.max() == inputs.COEFFICIENT_LEVELS == rounded[0, 0, 0, 0] and rounded.min() >= -rounded.max()
    pixels = inputs.quantiser(numbers, nets.LAYOUTS["digits_pixels"])
    assert pixels(np.array([0.0, 0.2, 0.5, 1.0, 7.0])).tolist() == [0, 1, 2, 3, 3]


def test_integers_compute_what_the_trained_floats_compute(trained):
    _, network, net, images = trained
    maps = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2)
    with torch.no_grad():
        first, second, logits = network.sums(maps)
    sums = net.accumulators(images)
    assert (sums[0] == first.permute(0, 2, 3, 1).numpy()).all() and (
        sums[1] == second.permute(0, 2, 3, 1).numpy()
    ).all()
    assert (sums[2] == logits.numpy()).all() and len(np.unique(logits)) > 3


def test_weights_are_ternary_and_thresholds_rise(trained):
    _, _, net, _ = trained
    for weights in (net.conv_1, net.conv_2, net.classifier):
        assert set(np.unique(weights)) == {-1, 0, 1}
    assert (np.diff(net.thresholds_1) >= 0).all() and (np.diff(net.thresholds_2) > 0).all()


def test_a_network_counts_its_look_ups(trained):
    _, _, net, images = trained
    sums = net.accumulators(images)[0 if net.layout.first_relu else 1 : 2]
    assert sum(part[0].size for part in sums) == net.layout.bootstraps


def test_extremes_give_the_widths_of_all(trained):
    _, _, net, images = trained
    chosen = images[net.extremes(images)]
    assert len(chosen) < len(images) / 2
    for some, every in zip(net.accumulators(chosen), net.accumulators(images), strict=True):
        assert (some.min(), some.max()) == (every.min(), every.max())


@pytest.mark.parametrize(
    ("values", "bits"), [([0, 1], 2), ([-1, 0], 1), ([-16, 15], 5), ([-16, 16], 6), ([-17, 3], 6), ([5, 7], 4)]
)
def test_bits_of_signed_integers(values, bits):
    assert nets.bits_of(np.array(values)) == bits


def test_training_keeps_sums_within_their_widths_unless_they_are_free():
    bound = replace(nets.LAYOUTS["digits_dct"], filters=4, widths=(3, 4))
    images = drawn(bound, 5)
    labels = images[:, 0, 0, 0] % 3
    beyond = {}
    for widths in (nets.FREE, bound.widths):
        layout, settings = replace(bound, widths=widths), qat.Settings(epochs=30, batch_size=20, learning_rate=5e-2)
        _, net = qat.train(images, labels, layout, settings, "widths")
        inside = replace(net, layout=bound).accumulators(images)[:2]
        limits = [2 ** (width - 1) for width in bound.widths]
        beyond[widths] = sum((abs(sums + 0.5) > limit).sum() for sums, limit in zip(inside, limits, strict=True))
    assert beyond[bound.widths] < beyond[nets.FREE] / 2


def test_the_excess_counts_units_beyond_the_width_less_its_margin():
    network = qat.FakeQuantised(replace(nets.LAYOUTS["digits_dct"], widths=(5, 0)), torch.Generator().manual_seed(0))
    sums = torch.zeros(2, 8, 4, 4)
    assert network.excess([sums, sums + 99, sums]) == 0
    sums[0, 0, 0, 0], sums[1, 3, 2, 2] = 13, -16  # an eighth of 16 is free, so -14 to 13 cost nothing
    assert network.excess([sums, sums]) == pytest.approx(1)


def test_rows_outside_the_widths_are_found():
    layout = nets.LAYOUTS["digits_dct"]
    images = drawn(layout)
    zero = {name: np.zeros(3, int) for name in nets.ARRAYS}
    weights = {
        "conv_1": np.zeros((8, 8), int),
        "conv_2": np.zeros((72, 8), int),
        "classifier": np.zeros((128, 10), int),
    }
    net = nets.Net(
        layout, **zero | weights | {"bias_1": np.zeros(8, int), "bias_2": np.zeros(8, int), "bias_3": np.zeros(10, int)}
    )
    assert net.inside(images).all()
    net.conv_1[0, 0] = 5  # 3 * 5 = 15 fits into 5 bits, and so does -3 * 5
    assert net.inside(images).all()
    net.bias_1[0] = 1  # 16 does not
    assert (net.inside(images) == (images[..., 0].max((1, 2)) < 3)).all()


@pytest.mark.parametrize("key", ["mnist_pixels", "mnist_dct"])
@pytest.mark.parametrize("factor", [0.5, 1, 2])
def test_a_network_at_another_size_keeps_its_convolutions(key, factor):
    layout = nets.LAYOUTS[key]
    images = drawn(layout)[:4]
    _, net = qat.train(images, np.arange(4), layout, qat.Settings(epochs=1), "size")
    grid = int(layout.grid * factor)
    other, seen = nets.at_grid(net, images, grid)
    assert other.logits(seen).shape == (4, 10) and (other.conv_2 == net.conv_2).all()
    assert other.layout.bootstraps == layout.bootstraps * factor**2 and other.layout.side == 16 * factor
    assert set(np.unique(seen)) <= set(np.unique(images))


def test_files_keep_networks(trained, tmp_path):
    key, _, net, images = trained
    nets.write(nets.named(net, key), tmp_path / "nets.npz")
    again = nets.from_arrays(nets.read(tmp_path / "nets.npz"), key)
    assert (again.logits(images) == net.logits(images)).all()
    with pytest.raises(UserError, match="no weights of the TFHE network"):
        nets.from_arrays({}, key)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken"])
def test_a_damaged_file_of_weights_is_one_line(tmp_path, content):
    (tmp_path / "nets.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"nets\.npz: missing or damaged"):
        nets.read(tmp_path / "nets.npz")
    with pytest.raises(UserError, match="missing or damaged"):
        nets.read(tmp_path / "none.npz")
