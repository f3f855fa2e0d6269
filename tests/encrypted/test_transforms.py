"""What is encrypted of an image: the cosine transform against scipy, and its rivals by hand."""

import numpy as np
import pytest
from scipy.fft import dctn

from scripts.common.errors import UserError
from scripts.encrypted import transforms
from scripts.encrypted.transforms import dct_matrix, kept_energy, matrix_of, reconstruction, zigzag


@pytest.mark.parametrize("n", [4, 5, 7, 8, 14])
def test_the_matrix_is_orthonormal_and_that_of_scipy(n):
    t, block = dct_matrix(n), np.random.default_rng(n).normal(size=(n, n))
    assert np.abs(t @ t.T - np.eye(n)).max() < 1e-12
    assert np.abs(t @ block @ t.T - dctn(block, norm="ortho")).max() < 1e-12


def test_zigzag_begins_as_in_jpeg():
    first = [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0)]
    assert zigzag(8)[:10] == first and sorted(zigzag(8)) == [(u, v) for u in range(8) for v in range(8)]


def test_the_published_coefficients_are_those_of_the_repository():
    assert len(transforms.PUBLISHED_LUMA_4) + 2 * len(transforms.PUBLISHED_CHROMA_4) == 24
    assert len(transforms.PUBLISHED_LUMA_8) + 2 * len(transforms.PUBLISHED_CHROMA_8) == 24
    assert transforms.PUBLISHED_LUMA_8 == (0, 1, 2, 3, 4, 5, 8, 9, 10, 16, 17, 18, 24, 32)


def images(side, count=5):
    return np.random.default_rng(side).random((count, side, side))


def test_the_lowest_coefficient_of_a_block_is_n_times_its_mean():
    shown = images(28).reshape(5, -1)
    blocks = matrix_of("block_dct", 28, 49)  # 4x4 blocks, one coefficient each
    assert np.abs(shown @ blocks.T - 4 * shown @ matrix_of("pooling", 28, 49).T).max() < 1e-12


def test_block_coefficients_are_a_convolution_and_all_of_them_are_the_image():
    shown, t = images(8, 1)[0], dct_matrix(4)
    found = (matrix_of("block_dct", 8, 4 * 3) @ shown.ravel()).reshape(2, 2, 3)
    for row in range(2):
        for column in range(2):
            block = shown[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            assert found[row, column] == pytest.approx([(np.outer(t[u], t[v]) * block).sum() for u, v in zigzag(4)[:3]])


@pytest.mark.parametrize(
    ("name", "k"), [("dct", 49), ("block_dct", 48), ("pooling", 16), ("crop", 25), ("pixels", 784)]
)
def test_every_transform_has_k_independent_numbers(name, k):
    matrix = matrix_of(name, 28, k)
    assert matrix.shape == (k, 784) and np.linalg.matrix_rank(matrix) == k


def test_kept_energy_rises_to_all_of_it():
    shown = images(8).reshape(5, -1)
    kept = [kept_energy(matrix_of("dct", 8, k), shown) for k in (1, 4, 16, 40, 64)]
    assert kept == sorted(kept) and kept[-1] == pytest.approx(1, abs=1e-12) and kept[0] > 0.5


def test_crop_and_subsampling_take_pixels_by_hand():
    shown = np.arange(36.0)
    assert (matrix_of("crop", 6, 4) @ shown).tolist() == [14, 15, 20, 21]
    assert (matrix_of("subsampling", 6, 4) @ shown).tolist() == [7, 10, 25, 28]


def test_a_reconstruction_has_the_numbers_it_was_made_from():
    shown = images(8).reshape(5, -1)
    for name, k in (("dct", 10), ("pooling", 16), ("crop", 9)):
        matrix = matrix_of(name, 8, k)
        assert reconstruction(matrix, shown @ matrix.T) @ matrix.T == pytest.approx(shown @ matrix.T)


@pytest.mark.parametrize(
    ("name", "k", "words"),
    [
        ("fourier", 4, "no transform 'fourier'; there are dct, block_dct"),
        ("dct", 65, "65 numbers of a 8x8 image: an image of 8x8 has 64 coefficients"),
        ("pooling", 9, "pooling needs k = g * g with g a divisor of the side"),
        ("crop", 5, "a crop needs k = g * g"),
        ("pixels", 63, "an image of 8x8 has 64 pixels"),
        ("block_dct", 5, "no blocks of a 8x8 image give 5 numbers"),
        ("dct", 0, "0 numbers of a 8x8 image"),
    ],
)
def test_what_cannot_be_made_is_one_line(name, k, words):
    with pytest.raises(UserError, match=words.replace("*", r"\*").replace("(", r"\(")):
        matrix_of(name, 8, k)
