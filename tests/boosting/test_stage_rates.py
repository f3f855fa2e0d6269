"""The rates of the stage choice are those of the shared metrics, to the last bit, and no fit imports the latter."""

import numpy as np
import pytest

from scripts.boosting import stage_rates
from scripts.common import metrics
from scripts.common.imports import project_imports
from scripts.common.pareto import pareto_mask
from tests.workflow.conftest import ROOT

COUNTS = np.random.default_rng(0).integers(0, 4, size=(300, 2, 2, 2, 2))  # with empty groups and cells


def test_every_rate_is_the_shared_one():
    for keep in ([], [0], [1], [0, 1]):
        groups = stage_rates.by_attribute(COUNTS, 2, keep)
        np.testing.assert_array_equal(groups, metrics.by_attribute(COUNTS, 2, keep))
        for name, rate in stage_rates.RATES.items():
            np.testing.assert_array_equal(rate(groups), metrics.RATES[name](groups))
        np.testing.assert_array_equal(stage_rates.balanced_accuracy(groups), metrics.balanced_accuracy(groups))


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_the_undominated_points_are_the_pareto_front(objectives):
    points = np.random.default_rng(objectives).integers(0, 9, size=(200, objectives)) / 8
    np.testing.assert_array_equal(stage_rates.undominated(points), pareto_mask(points))


def test_no_fit_imports_what_measures_it():
    for script in ("boosting_fit", "boosting_two_stages"):
        imported = project_imports(f"scripts/boosting/{script}.py", ROOT)
        assert not {"scripts/common/metrics.py", "scripts/common/pareto.py"} & {*imported}, script
