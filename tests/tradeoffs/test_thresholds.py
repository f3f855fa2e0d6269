from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.intervals import difference_of_proportions
from scripts.common.metrics import count_table
from scripts.common.pareto import pareto_mask
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.tradeoffs import thresholds
from scripts.tradeoffs.frontier import frontier, frontier_points, resolved, thin
from scripts.tradeoffs.thresholds import (
    SHIFTS,
    error_and_signed_gap,
    evaluate,
    exact_frontier,
    optimism,
    published_grid,
)


def portraits(n, seed=0):
    """Scores of a middling classifier whose men are rejected more often."""
    random = np.random.default_rng(seed)
    male = random.integers(2, size=n).astype(np.int8)
    y = (random.random(n) < 0.42).astype(np.int8)
    score = (random.normal(0.9 * y - 0.6 - 0.4 * male, 1.0)).astype(np.float32)
    return score, y, male


def by_hand(score, y, male, t_men, t_women):
    """Error and gap straight from the definition."""
    accepted = score.astype(float) > np.where(male == 1, t_men, t_women)
    fnr = [1 - accepted[(male == code) & (y == 1)].mean() for code in (1, 0)]
    return (accepted != y).mean(), abs(fnr[0] - fnr[1])


few = st.tuples(st.integers(-2, 3), st.integers(0, 1), st.integers(0, 1))  # few scores: ties are common


@settings(max_examples=150, deadline=None)
@given(st.lists(few, min_size=2, max_size=14))
def test_exact_frontier_equals_brute_force(people):
    score, y, male = (np.array(column) for column in zip(*people, strict=True))
    score = score.astype(np.float32) / 2
    assume(all(((male == code) & (y == 1)).any() for code in (0, 1)))
    candidates = [-np.inf, *np.unique(score)]
    everything = [by_hand(score, y, male, *pair) for pair in product(candidates, repeat=2)]
    points = np.round(everything, 12)
    expected = np.unique(points[pareto_mask(points)], axis=0)
    front = exact_frontier(score, y, male)
    np.testing.assert_allclose(front[["error", "gap"]], expected, atol=1e-12)
    for row in front.itertuples():  # the thresholds do what the row says
        assert by_hand(score, y, male, row.threshold_men, row.threshold_women) == pytest.approx((row.error, row.gap))


@pytest.mark.parametrize("seed", range(12))
def test_exact_frontier_equals_all_pairs_of_many_thresholds(seed):
    score, y, male = portraits(150, seed)
    male = male if seed < 6 else 1 - male
    score = np.round(score, 1 + seed % 2) + 2 * male * (seed % 3)  # with and without ties, near and far sexes
    options = [[-np.inf, *np.unique(score[male == code])] for code in (1, 0)]
    tables = evaluate(list(product(*options)), score, y, male)
    error, gap = error_and_signed_gap(tables)
    points = np.round(np.column_stack([error, abs(gap)]), 12)
    expected = np.unique(points[pareto_mask(points)], axis=0)
    np.testing.assert_allclose(exact_frontier(score, y, male)[["error", "gap"]], expected, atol=1e-11)


def test_exact_frontier_of_a_small_case():
    # men's deserving score low: one threshold for all costs the men; -0.5 for men alone costs nothing
    score = np.array([-0.2, 0.8, -0.8, 0.9, 0.4, -0.9])
    y = np.array([1, 1, 0, 1, 1, 0])
    male = np.array([1, 1, 1, 0, 0, 0])
    front = exact_frontier(score, y, male)
    assert front[["error", "gap"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert front.loc[0, "threshold_men"] == pytest.approx(-0.5)
    assert front.loc[0, "threshold_women"] == pytest.approx(-0.25)
    assert by_hand(score, y, male, 0, 0) == (1 / 6, 0.5)


def test_frontier_ends_and_chunks(monkeypatch):
    data = portraits(1500)
    front = exact_frontier(*data)
    assert (np.diff(front["error"]) > 0).all() and (np.diff(front["gap"]) < 0).all()
    assert front["gap"].iloc[-1] < 1e-3
    assert front["error"].iloc[0] <= by_hand(*data, 0, 0)[0]
    grid = published_grid(*data)
    for row in grid[grid["pareto"]].itertuples():  # no grid point beats the exact front
        assert ((front["error"] <= row.error + 1e-12) & (front["gap"] <= row.gap + 1e-12)).any()
    monkeypatch.setattr(thresholds, "CHUNK", 1000)
    pd.testing.assert_frame_equal(exact_frontier(*data), front)


def test_neighbouring_floats_keep_their_sides():
    low = np.nextafter(1.0, 2)
    high = np.nextafter(low, 2)  # no float64 lies between them, and their mean rounds up
    data = np.array([low, high, low, high]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    front = exact_frontier(*data)
    assert front[["error", "gap"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert by_hand(*data, *front.loc[0, ["threshold_men", "threshold_women"]]) == (0, 0)


def test_a_constant_score_has_the_two_constants():
    _, y, male = portraits(200)
    front = exact_frontier(np.full(200, -1.0, np.float32), y, male)
    assert front["gap"].iloc[-1] == 0
    assert {tuple(row) for row in front[["threshold_men", "threshold_women"]].to_numpy()} <= {
        (a, b) for a in (-np.inf, np.inf) for b in (-np.inf, np.inf)
    }


def test_published_grid_equals_the_definition():
    score, y, male = portraits(700)
    grid = published_grid(score, y, male)
    assert len(grid) == 400
    assert (grid["threshold_men"].iloc[0], grid["threshold_men"].iloc[-1]) == (-1.5, 1.5)
    assert sorted(grid["threshold_women"].unique()) == pytest.approx(sorted(-SHIFTS))
    for row in grid.iloc[::7].itertuples():
        assert (row.error, row.gap) == pytest.approx(by_hand(score, y, male, row.threshold_men, row.threshold_women))
    assert grid["pareto"].tolist() == pareto_mask(grid[["error", "gap"]]).tolist() and 0 < grid["pareto"].sum() < 400


def test_a_score_on_a_grid_threshold_is_rejected():
    """As in the original, where shifted logits that are equal give class 0."""
    threshold = np.sort(-SHIFTS)[3]
    score = np.array([threshold, 5.0, threshold, 5.0])
    grid = published_grid(score, [1, 1, 1, 1], [1, 1, 0, 0])
    at = grid[(grid["threshold_men"] == threshold) & (grid["threshold_women"] == -1.5)].iloc[0]
    assert (at["error"], at["gap"]) == (0.25, 0.5)


def test_evaluate_equals_count_table():
    score, y, male = portraits(400)
    pairs = [(0.0, 0.0), (-np.inf, np.inf), (0.3, -0.7), (float(score[5]), float(score[6]))]
    tables = evaluate(pairs, score, y, male)
    error, gap = error_and_signed_gap(tables)
    for k, (t_men, t_women) in enumerate(pairs):
        accepted = score.astype(float) > np.where(male == 1, t_men, t_women)
        np.testing.assert_array_equal(tables[k], count_table(y, accepted.astype(int), male))
        assert (error[k], abs(gap[k])) == pytest.approx(by_hand(score, y, male, t_men, t_women))
    assert gap[1] == -1  # every man accepted, every woman rejected


def test_optimism_equals_halving_the_images():
    data = portraits(600)
    fast = optimism(*data, repeats=2000, seed=1).set_index(["criterion", "quantity"])
    random = np.random.default_rng(7)
    differences = []
    for _ in range(150):
        order = random.permutation(600)
        a, b = (published_grid(*(column[half] for column in data)) for half in (order[:300], order[300:]))
        pick = (a["error"] + 0.1 * a["gap"]).argmin()
        differences.append([b[q][pick] - a[q][pick] for q in ("error", "gap")])
    differences = np.array(differences)
    for column, quantity in enumerate(("error", "gap")):
        row = fast.loc[("objective", quantity)]
        slow = differences[:, column]
        assert row["optimism"] == pytest.approx(slow.mean(), abs=4 * slow.std() / np.sqrt(150))
        assert row["optimism"] == pytest.approx(row["realised"] - row["promised"])
        assert row["ci_low"] == pytest.approx(np.quantile(slow, 0.025), abs=0.02)
    # a choice looks better where it was made than elsewhere
    assert fast.loc[("objective", "objective"), "optimism"] > 0
    assert fast.loc[("gap", "gap"), "optimism"] > 0.02
    assert fast.loc[("error_within_gap", "error"), "optimism"] > 0
    assert fast.loc[("error_within_gap", "gap"), "promised"] <= 0.05
    pd.testing.assert_frame_equal(optimism(*data, repeats=50, seed=3), optimism(*data, repeats=50, seed=3))


def test_optimism_without_a_defined_choice_is_nan():
    table = optimism([1.0, -1.0, 2.0], [1, 1, 0], [1, 0, 0], repeats=20, seed=0)
    assert table["optimism"].isna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": [np.nan, 0, 0, 0]}, "row 0 is not finite"),
        ({"score": [0.0, 1.0]}, "differ in length"),
        ({"y": [-1, 1, 1, 1]}, "label must be 0 or 1, found -1"),
        ({"male": [2, 1, 0, 0]}, "sex must be 0 or 1, found 2"),
        ({"y": [0, 0, 1, 1]}, "no men with label 1 among 4 images"),
    ],
)
@pytest.mark.parametrize("function", [exact_frontier, published_grid])
def test_bad_input_is_one_clear_line(function, change, message):
    data = {"score": [0.1, 0.2, 0.3, 0.4], "y": [1, 0, 1, 0], "male": [1, 1, 0, 0]} | change
    with pytest.raises(UserError, match=message):
        function(**data)


def test_thin_keeps_the_ends():
    front = pd.DataFrame({"error": np.arange(1000.0)})
    thinned = thin(front)["error"]
    assert len(thinned) == 200 and thinned.iloc[0] == 0 and thinned.iloc[-1] == 999
    assert set(np.diff(thinned)) <= {5.0, 6.0, 4.0}
    assert len(thin(front.iloc[:3])) == 3 and len(thin(front.iloc[:1])) == 1


def test_resolved_stops_below_one_image():
    y, male = np.array([1] * 10 + [1] * 4 + [0] * 6), np.array([1] * 10 + [0] * 10)  # one image is 0.1 of the men's FNR
    front = pd.DataFrame({"gap": [0.5, 0.1, 0.09, 0.01, 0.0]})
    assert resolved(front, y, male)["gap"].tolist() == [0.5, 0.1, 0.09]
    assert resolved(front.iloc[3:], y, male)["gap"].tolist() == [0.01]


def predictions(run="r", splits=("valid", "test")):
    parts = []
    for place, split in enumerate(splits):
        score, y, male = portraits(500, seed=place)
        parts.append(
            pd.DataFrame(
                {
                    "run": run,
                    "row_id": np.arange(500) + 1 + 500 * place,
                    "split": split,
                    "y_true": y,
                    "y_pred": (score > 0).astype(np.int8),
                    "score": score,
                    "male": male,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_corrected_chooses_on_validation_and_reads_on_test():
    frame = predictions()
    points = frontier_points(frame, "corrected", "r", replicates=200, seed=0)
    assert (points["variant"] == "exact").all() and (points["chosen_on"] == "valid").all() and points["pareto"].all()
    valid, test = (frame[frame["split"] == split] for split in ("valid", "test"))
    row = points.iloc[len(points) // 2]
    for rows, error, gap in ((valid, "error_chosen", "gap_chosen"), (test, "error", "gap")):
        columns = (rows[name].to_numpy() for name in ("score", "y_true", "male"))
        oracle = by_hand(*columns, row["threshold_men"], row["threshold_women"])
        assert (row[error], row[gap]) == pytest.approx(oracle)
    assert ((points["error_low"] <= points["error"]) & (points["error"] <= points["error_high"])).all()
    assert ((points["gap_low"] <= points["gap"]) & (points["gap"] <= points["gap_high"])).all()
    assert (points["gap_low"] >= 0).all() and (points["error_high"] - points["error_low"]).between(0.04, 0.12).all()


def test_as_published_chooses_and_reads_on_test():
    points = frontier_points(predictions(splits=("test",)), "as_published", "r", replicates=100, seed=0)
    assert (
        len(points) == 400 and (points["variant"] == "published_grid").all() and (points["chosen_on"] == "test").all()
    )
    assert points["error"].to_numpy() == pytest.approx(points["error_chosen"].to_numpy())
    assert points["gap"].to_numpy() == pytest.approx(points["gap_chosen"].to_numpy())
    assert 0 < points["pareto"].sum() < 400


def test_rejecting_everyone_has_a_gap_interval_with_a_width():
    frame = predictions(splits=("test",))
    points = frontier_points(frame.assign(score=frame["score"] - 9), "as_published", "r", replicates=100, seed=0)
    assert (points["gap"] == 0).all() and (points["gap_low"] == 0).all()
    positives = [int((frame["y_true"] & (frame["male"] == code)).sum()) for code in (1, 0)]
    low, high = difference_of_proportions(positives[0], positives[0], positives[1], positives[1])
    assert points["gap_high"].to_numpy() == pytest.approx(max(-low, high))


def test_frontier_writes_the_same_bytes_twice(tmp_path):
    parquet.write(predictions(), tmp_path / "p.parquet", PREDICTIONS)
    identity = {"run": "r", "protocol": "corrected", "seed": 1, "method": "plain"}
    for name in ("a", "b"):
        frontier([tmp_path / "p.parquet"], tmp_path / f"{name}.f", tmp_path / f"{name}.o", [identity], replicates=100)
    assert (tmp_path / "a.f").read_bytes() == (tmp_path / "b.f").read_bytes()
    assert (tmp_path / "a.o").read_bytes() == (tmp_path / "b.o").read_bytes()
    assert list(parquet.read(tmp_path / "a.f")) == [
        *("run", "protocol", "seed", "variant", "chosen_on", "threshold_men", "threshold_women"),
        *("error_chosen", "gap_chosen", "error", "gap", "error_low", "error_high", "gap_low", "gap_high", "pareto"),
    ]
    written = parquet.read(tmp_path / "a.o")
    assert len(written) == 9 and (written["run"] == "r").all() and written["optimism"].notna().all()


def test_a_missing_part_is_one_clear_line():
    with pytest.raises(UserError, match="r: no predictions on the 'valid' part"):
        frontier_points(predictions(splits=("test",)), "corrected", "r", 100, 0)
