"""Linear CKA by its identities, and the groups that similarities make."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from scripts.multitask.similarity import cka, cosine, greedy_pairs, second_nearest_pairs, similarities

RANDOM = np.random.default_rng(0)
NAN = np.nan


def kernel_cka(a, b):
    """Its definition with kernels: tr(K_a L K_b L) over the square root of both squares, L centring."""
    centring = np.eye(len(a)) - 1 / len(a)
    first, second = (centring @ (x @ x.T) @ centring for x in (a, b))
    return np.trace(first @ second) / np.sqrt(np.trace(first @ first) * np.trace(second @ second))


@pytest.mark.parametrize(("rows", "columns"), [(32, 2), (8, 20), (37, 64)])
def test_cka_does_not_see_sign_scale_or_rotation(rows, columns):
    a = RANDOM.normal(size=(rows, columns))
    turned = a @ ortho_group.rvs(columns, random_state=1)
    for other in (a, -a, 3.7 * a, turned, a + RANDOM.normal(size=columns)):
        assert cka(a, other) == pytest.approx(1, abs=1e-12)
    assert np.vdot(a, -a) == pytest.approx(-(np.linalg.norm(a) ** 2))  # so CKA of 1 is no agreement of directions


@pytest.mark.parametrize("columns", [(2, 2), (3, 5), (20, 1)])
def test_cka_is_its_kernel_form(columns):
    a, b = (RANDOM.normal(size=(12, count)) for count in columns)
    assert cka(a, b) == pytest.approx(kernel_cka(a, b), abs=1e-12)
    assert cka(a, b) == pytest.approx(cka(b, a), abs=1e-12)
    assert 0 < cka(a, b) < 1


def test_cka_of_single_columns_is_the_squared_correlation():
    a, b = RANDOM.normal(size=(2, 15, 1))
    assert cka(a, b) == pytest.approx(np.corrcoef(a[:, 0], b[:, 0])[0, 1] ** 2, abs=1e-12)


def test_constant_parameters_have_no_cka():
    assert np.isnan(cka(np.ones((5, 2)), RANDOM.normal(size=(5, 2))))


def test_cosine():
    assert cosine(np.array([[1, 0], [0, 0]]), np.array([[1, 1], [0, 0]])) == pytest.approx(np.sqrt(0.5))
    assert cosine(np.ones((2, 2)), -np.ones((2, 2))) == pytest.approx(-1)
    assert np.isnan(cosine(np.zeros(2), np.ones(2)))


def test_similarities_of_all_pairs():
    parameters = list(RANDOM.normal(size=(4, 6, 2)))
    found = similarities(parameters)
    assert np.isnan(found.diagonal()).all()
    assert found[1, 3] == found[3, 1] == cka(parameters[1], parameters[3])


def matrix(size, **pairs):
    """Similarities from pairs such as ab=.9; the rest is .1."""
    found = np.full((size, size), 0.1)
    for pair, value in pairs.items():
        a, b = ("abcdef".index(letter) for letter in pair)
        found[a, b] = found[b, a] = value
    np.fill_diagonal(found, NAN)
    return found


@pytest.mark.parametrize(
    ("similarity", "threshold", "groups"),
    [
        (matrix(4, ab=0.9, bc=0.95, cd=0.8), 0.7, [[0], [1, 2], [3]]),  # the best pair takes b and c
        (matrix(4, ab=0.9, cd=0.8), 0.7, [[0, 1], [2, 3]]),
        (matrix(4, ab=0.9, cd=0.8), 0.85, [[0, 1], [2], [3]]),
        (matrix(4, ab=0.9, cd=0.8), 0.8, [[0, 1], [2, 3]]),  # tau is reached
        (matrix(5, ab=0.9, ac=0.89, ad=0.88, de=0.5), 0.4, [[0, 1], [2], [3, 4]]),
        (matrix(3), 0.7, [[0], [1], [2]]),
        (matrix(2, ab=NAN), 0.0, [[0], [1]]),
        (matrix(1), 0.0, [[0]]),
    ],
)
def test_greedy_pairs(similarity, threshold, groups):
    assert greedy_pairs(similarity, threshold) == groups


@pytest.mark.parametrize(
    ("similarity", "groups"),
    [
        # Nearest: a-b and c-d. Second nearest: a -> c, c -> a, b -> d, d -> b.
        (matrix(4, ab=0.9, cd=0.9, ac=0.5, bd=0.5), [[0, 2], [1, 3]]),
        (matrix(4, ab=0.01, cd=0.02, ac=0.005, bd=0.005, ad=0.001, bc=0.001), [[0, 2], [1, 3]]),  # however small
        # a and b are each other's nearest, c is the second of both and has a first, then b.
        (matrix(3, ab=0.9, ac=0.5, bc=0.4), [[0], [1, 2]]),
        (matrix(2, ab=0.9), [[0], [1]]),
        (matrix(1), [[0]]),
    ],
)
def test_pairs_of_the_published_code_are_mutual_second_nearest(similarity, groups):
    assert second_nearest_pairs(similarity) == groups
