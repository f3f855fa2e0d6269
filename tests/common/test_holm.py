import numpy as np
import pytest

from scripts.common.holm import holm


def test_holm_by_hand():
    adjusted = holm(np.array([0.01, 0.04, np.nan, 0.03]))
    assert adjusted[[0, 1, 3]] == pytest.approx([0.03, 0.06, 0.06]) and np.isnan(adjusted[2])


def test_equal_p_values_are_multiplied_by_their_number_and_never_exceed_one():
    assert holm(np.full(4, 0.02)) == pytest.approx(np.full(4, 0.08))
    assert holm(np.array([0.5, 0.9])).tolist() == [1.0, 1.0] and holm(np.array([])).tolist() == []
