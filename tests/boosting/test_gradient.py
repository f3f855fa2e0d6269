"""The penalty against autograd-like differences, the stages against xgboost's own, and saved boosters."""

import numpy as np
import pytest
import xgboost

from scripts.boosting import gradient
from scripts.boosting.fair import Rows
from scripts.boosting.gradient import Penalty, Trees, fit, objective, stage_objectives
from scripts.common.errors import UserError
from tests.boosting.synthetic import small


def parts(rows=500, attributes=2, seed=0):
    frame, y, groups = small(rows, seed)
    x = frame[["age", "hours"]].assign(man=frame["sex"] == "man").to_numpy(np.float32)
    return xgboost.DMatrix(x, y, nthread=1), Rows(x, y, groups[:, :attributes])


def value_by_hand(probability, y, groups, notion):
    """The smooth maximum, written with means of groups."""
    f = []
    for group in groups.T:
        conditions = {"DP": [y >= 0], "EP": [y == 1], "EO": [y == 1, y == 0]}[notion]
        gaps = [probability[own & (group == 1)].mean() - probability[own & (group == 0)].mean() for own in conditions]
        f.append(sum(gap**2 for gap in gaps))
    return np.log(np.exp(10 * np.array(f)).sum()) / 10


@pytest.mark.parametrize("notion", gradient.NOTIONS)
@pytest.mark.parametrize("attributes", [1, 2])
def test_the_penalty_and_its_slopes(notion, attributes):
    _, rows = parts(120, attributes)
    random = np.random.default_rng(1)
    probability = random.random(120)
    penalty = Penalty(rows.y, rows.groups, notion)
    value, slopes = penalty.value_and_slopes(probability)
    assert value == pytest.approx(value_by_hand(probability, rows.y, rows.groups, notion))
    for i in random.integers(0, 120, 12):
        step = np.zeros(120)
        step[i] = 1e-6
        up, down = (value_by_hand(probability + sign * step, rows.y, rows.groups, notion) for sign in (1, -1))
        assert slopes[penalty.part[i]] == pytest.approx((up - down) / 2e-6, abs=1e-8)


def test_the_gradient_is_that_of_the_log_loss_plus_the_scaled_penalty():
    _, rows = parts(200)
    margin = np.random.default_rng(2).normal(size=200).astype(np.float32)
    penalty = Penalty(rows.y, rows.groups, "EO")
    found, hessian = (own.copy() for own in objective(rows.y, penalty, 0.3)(margin, None))
    p = 1 / (1 + np.exp(-margin.astype(float)))
    fair = penalty.value_and_slopes(p)[1][penalty.part] * p * (1 - p)
    scale = 0.3 * np.abs(p - rows.y).mean() / np.abs(fair).mean()
    np.testing.assert_allclose(found, p - rows.y + scale * fair, atol=2e-6)
    np.testing.assert_allclose(hessian, p * (1 - p), rtol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_all_stages_are_those_of_xgboost(weight):
    (matrix, rows), (held, held_rows) = parts(), parts(300, seed=7)
    staged = fit(
        (matrix, rows), (held, held_rows), Trees(12, 3, 0.3, weight, "EO"), others={"again": (held, held_rows)}
    )
    for stage in (1, 6, 12):
        said = staged.booster.predict(held, output_margin=True, iteration_range=(0, stage)) > 0
        for g0, g1, y in np.ndindex(2, 2, 2):
            own = (held_rows.groups[:, 0] == g0) & (held_rows.groups[:, 1] == g1) & (held_rows.y == y)
            assert staged.counts[stage - 1, g0, g1, y].tolist() == [(own & ~said).sum(), (own & said).sum()]
    np.testing.assert_array_equal(staged.others["again"], staged.counts)
    assert staged.stage == 12 if weight == 0 else 1 <= staged.stage <= 12


def test_weight_zero_is_plain_xgboost_and_a_weight_narrows_the_gap_of_probabilities():
    train, valid = parts(2000), parts(500, seed=3)
    plain = fit(train, valid, Trees(20, 3, 0.3))
    alone = xgboost.train(gradient.parameters(Trees(20, 3, 0.3)), train[0], 20)
    assert (plain.margins(valid[0]) == alone.predict(valid[0], output_margin=True)).all()
    fair = fit(train, valid, Trees(20, 3, 0.3, 0.5, "DP"))
    penalty = Penalty(train[1].y, train[1].groups, "DP")
    value = {
        name: penalty.value_and_slopes(own.booster.predict(train[0]))[0]
        for name, own in (("fair", fair), ("plain", plain))
    }
    assert value["fair"] < value["plain"]


def test_a_saved_booster_predicts_identically(tmp_path):
    train, valid = parts(), parts(200, seed=5)
    staged = fit(train, valid, Trees(8, 3, 0.3, 0.1, "EP"))
    gradient.save({"one": staged, "two": staged}, tmp_path / "models.json")
    loaded = gradient.load(tmp_path / "models.json", "two")
    assert loaded.num_boosted_rounds() == staged.stage
    assert (loaded.predict(valid[0], output_margin=True) == staged.margins(valid[0])).all()
    with pytest.raises(UserError, match="has no model 'three'; it has one, two"):
        gradient.load(tmp_path / "models.json", "three")
    with pytest.raises(UserError, match="cannot be read as JSON"):
        gradient.load(tmp_path / "none.json", "one")


def test_stage_objectives_are_labelled_by_their_notion():
    counts = np.array([[[[40, 10], [20, 30]], [[30, 20], [5, 45]]]])  # TNR .8 .6, TPR .6 .9, accepted .4 .65
    for notion, gap in (("DP", 0.25), ("EP", 0.3), ("EO", 0.3)):
        error, balanced, found = stage_objectives(counts, notion)[0]
        assert error == pytest.approx(55 / 200) and balanced == pytest.approx(55 / 200) and found == pytest.approx(gap)


def test_mistakes_are_named():
    with pytest.raises(UserError, match="no fairness notion 'FPR'"):
        Trees(5, 3, 0.1, 0.1, "FPR")
    with pytest.raises(UserError, match="at least 0"):
        Trees(5, 3, 0.1, -1.0)
    train, valid = parts(), parts(100)
    one_label = Rows(valid[1].codes, np.zeros_like(valid[1].y), valid[1].groups)
    with pytest.raises(UserError, match="one label only"):
        fit(train, (valid[0], one_label), Trees(2, 2, 0.1))
    with pytest.raises(UserError, match="group 0 of attribute 1 has no row"):
        Penalty(np.array([1, 0]), np.array([[1], [1]]), "DP")
