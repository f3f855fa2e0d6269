"""The figures and tables of the trade-off study, on made-up results."""

import html
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from plotly.offline import get_plotlyjs

from scripts.common import figures, parquet
from scripts.common.errors import UserError
from scripts.common.published import values
from scripts.common.schemas.metrics import select_metric
from scripts.tradeoffs import (
    fairness_price,
    figure_curves,
    figure_fairness,
    figure_robustness,
    figure_robustness_by_sex,
    looks,
    model_points,
    tables,
    three_way_page,
    tradeoffs_figure_three_way,
)
from scripts.tradeoffs.attack_table import under
from scripts.tradeoffs.model_points import GAP
from tests.pages import policy, unlisted
from tests.tradeoffs.synthetic import study, write

FAIRNESS_HULL = values(tables.PUBLISHED, "fairness_frontier")["hull"]
ROBUSTNESS_HULL = values(tables.PUBLISHED, "robustness_frontier")["hull"]
SHOWN = "<img src=x onerror=alert(1)></script><b>&amp;"


@pytest.fixture(scope="module")
def frames():
    return study()


def texts(figure) -> str:
    """All text of a figure on one line, since long notes are wrapped."""
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    return " ".join(" ".join([*found, figure.get_supxlabel()]).split())


def line_of(axes, name="hull") -> np.ndarray:
    (line,) = [line for line in axes.lines if line.get_gid() == name]
    return np.column_stack(line.get_data()).astype(float)


def frontier_through(vertices, frames, protocol="as_published") -> pd.DataFrame:
    """A frontier with these operating points, spread over two models, and some dominated ones."""
    runs = frames["runs"][frames["runs"].protocol == protocol].run.tolist()
    points = [*vertices, *((error + 0.002, gap + 0.01) for error, gap in vertices)]
    rows = [
        {"run": runs[place % 2], "error_chosen": error, "gap_chosen": gap, "error": error, "gap": gap}
        for place, (error, gap) in enumerate(points)
    ]
    frame = pd.DataFrame(rows).assign(protocol=protocol, seed=1, chosen_on="test", pareto=True)
    frame = frame.assign(variant=fairness_price.VARIANTS[protocol], threshold_men=0.0, threshold_women=0.0)
    bounds = {
        f"{name}_{end}": frame[name] + sign * 0.005
        for name in ("error", "gap")
        for end, sign in (("low", -1), ("high", 1))
    }
    return frame.assign(**bounds)


# --- the fairness frontier


@pytest.mark.parametrize("protocol", ["as_published", "corrected"])
def test_the_published_vertices_are_the_line_that_is_drawn(frames, protocol):
    frontiers = frontier_through(FAIRNESS_HULL, frames, protocol)
    with figures.style():
        figure, plotted = figure_fairness.draw(frames["metrics"], frames["runs"], frontiers, "plain")
    panel = figure.axes[list(model_points.PROTOCOLS).index(protocol)]
    np.testing.assert_array_equal(line_of(panel), FAIRNESS_HULL)
    np.testing.assert_array_equal(plotted[plotted.layer == "hull"][["error", "gap"]], FAIRNESS_HULL)
    assert "gap 0.222 → 0.004 costs 0.74 points of error" in texts(figure)


def test_the_price_of_the_published_hull_is_the_headline():
    hull = pd.DataFrame(FAIRNESS_HULL, columns=["error", "gap"]).assign(error_chosen=lambda x: x.error)
    hull = hull.assign(gap_chosen=hull.gap, error_low=hull.error - 0.003, error_high=hull.error + 0.004)
    price = fairness_price.price_of_fairness(hull)
    assert (price.error_from, price.gap_from, price.error_to, price.gap_to) == (*FAIRNESS_HULL[0], *FAIRNESS_HULL[3])
    assert price.error_paid == pytest.approx(0.0074)
    assert price.error_paid_low == pytest.approx(0.0074 - 0.005)  # 3, 4, 5
    assert price.error_paid_high == pytest.approx(0.0074 + 0.005)


def test_a_frontier_of_one_point_costs_nothing():
    hull = pd.DataFrame([{"error": 0.3, "gap": 0.0, "error_low": 0.2, "error_high": 0.4, "gap_chosen": 0.0}])
    price = fairness_price.price_of_fairness(hull)
    assert (price.error_paid, price.error_paid_low, price.error_paid_high) == (0, 0, 0)


def test_the_optima_are_those_of_brute_force(frames):
    points = fairness_price.operating_points(frames["frontiers"], frames["runs"], "corrected")
    rows = list(points.itertuples())
    best = min(rows, key=lambda row: row.error_chosen + 0.1 * row.gap_chosen)
    assert fairness_price.best_weighted(points).index[0] == best.Index
    cheapest = min((row for row in rows if row.gap_chosen <= 0.15), key=lambda row: row.error_chosen)
    assert fairness_price.cheapest_within(points, 0.15).index[0] == cheapest.Index
    assert fairness_price.cheapest_within(points, -1).empty


def test_the_corrected_line_is_chosen_on_validation_and_drawn_at_its_test_values(frames):
    frontiers = frontier_through(FAIRNESS_HULL, frames, "corrected").assign(chosen_on="valid")
    rng = np.random.default_rng(0)
    frontiers["error"] += rng.normal(0, 0.01, len(frontiers))  # would give another hull
    chosen = frontiers.iloc[: len(FAIRNESS_HULL)]
    with figures.style():
        figure, plotted = figure_fairness.draw(frames["metrics"], frames["runs"], frontiers, "weight")
    np.testing.assert_allclose(line_of(figure.axes[1]), chosen[["error", "gap"]])
    optimum = plotted[plotted.layer == "optimum"]
    assert optimum.error_chosen.tolist() == [0.3121] and optimum.error.tolist() == [chosen.error.iloc[3]]


def test_signed_gaps_lose_their_sign(frames):
    frontiers = frontier_through(FAIRNESS_HULL, frames)
    signed = frontiers.assign(gap=-frontiers.gap, gap_low=-frontiers.gap_high, gap_high=-frontiers.gap_low)
    columns = ["gap", "gap_low", "gap_high"]
    expected, found = (
        fairness_price.operating_points(each, frames["runs"], "as_published")[columns] for each in (frontiers, signed)
    )
    pd.testing.assert_frame_equal(expected, found)
    assert (found.gap_low >= 0).all()


@given(
    gaps=st.lists(st.floats(0, 1), min_size=1, max_size=40, unique=True),
    most=st.integers(3, 8),
)
def test_spread_keeps_both_ends_the_price_and_the_order(gaps, most):
    gaps = sorted(gaps, reverse=True)
    hull = pd.DataFrame({"gap_chosen": gaps, "error_chosen": np.arange(len(gaps)) / 100.0})
    shown = fairness_price.spread(hull, most)
    assert len(shown) <= most and shown.index.is_monotonic_increasing
    assert {0, len(gaps) - 1, fairness_price.near_zero(hull)} <= set(shown.index)


@pytest.mark.parametrize("variant", figure_fairness.VARIANTS)
def test_the_numbers_drawn_are_those_of_the_input(frames, variant):
    with figures.style():
        _, plotted = figure_fairness.draw(frames["metrics"], frames["runs"], frames["frontiers"], variant)
    drawn = plotted[plotted.layer == "point"]
    assert len(drawn) == frames["frontiers"].pareto.sum()
    keys = ["run", "error_chosen"]
    both = drawn.merge(frames["frontiers"], on=keys, suffixes=("", "_input"))
    assert len(both) == len(drawn)
    np.testing.assert_array_equal(both.error, both.error_input)
    np.testing.assert_array_equal(both.gap, both.gap_input.abs())
    assert (plotted.layer == "optimum").sum() == (0 if variant == "plain" else 2)
    constants = plotted[plotted.layer == "constant"].set_index("arm")
    assert constants.loc["constant_reject", "error"].tolist() == [0.42, 0.42]


# --- the robustness frontier


def test_the_published_robustness_hull_comes_out():
    points = pd.DataFrame([*ROBUSTNESS_HULL, (0.36, 0.80), (0.345, 0.73)], columns=["error", "published_error"])
    points = points.sample(frac=1, random_state=1).assign(run=[f"r{k}" for k in range(len(points))])
    line = figure_robustness.pareto_line(points, points.head(0), "as_published")
    np.testing.assert_array_equal(line[["error", "published_error"]], ROBUSTNESS_HULL)


def test_the_corrected_robustness_line_is_chosen_on_validation_if_all_were_attacked_there():
    test = pd.DataFrame({"run": ["a", "b", "c"], "error": [0.30, 0.31, 0.35], "adversarial_error": [0.9, 0.8, 0.5]})
    valid = test.assign(adversarial_error=[0.9, 0.95, 0.5])  # b is dominated there
    line = figure_robustness.pareto_line(test, valid, "corrected")
    assert line.run.tolist() == ["a", "c"] and set(line.chosen_on) == {"valid"}
    assert line.adversarial_error.tolist() == [0.9, 0.5]
    line = figure_robustness.pareto_line(test, valid[:2], "corrected")
    assert line.run.tolist() == ["a", "b", "c"] and set(line.chosen_on) == {"test"}


def test_robustness_draws_errors_and_turns_the_intervals_round(frames):
    with figures.style():
        figure, plotted = figure_robustness.draw(frames["metrics"], frames["runs"], budget="APGD 20 iterations")
    models = plotted[plotted.layer.isin(["model", "constant"])].set_index("run")
    assert len(models) == len(frames["runs"])
    robust = select_metric(frames["metrics"], "robust_accuracy", condition=under("linf_0.01"))
    robust = robust.set_index("run").loc[models.index]
    np.testing.assert_allclose(models.adversarial_error, 1 - robust.value)
    np.testing.assert_allclose(models.adversarial_error_low, 1 - robust.ci_high)
    assert (models.adversarial_error_low <= models.adversarial_error_high).all()
    said = texts(figure)
    assert "rendered faces; n = 2,000 test images (under attack: 256); 2 seeds per setting" in said
    assert "APGD 20 iterations" in said
    assert "always reject: error 0.42, under attack 0.42, more robust than 12 of 12 trained models" in said


def test_models_that_were_not_attacked_are_counted_in_the_footer(frames):
    metrics = frames["metrics"]
    one = frames["runs"].run.iloc[0]
    metrics = metrics[(metrics.run != one) | ~metrics.metric.str.startswith("robust")]
    with figures.style():
        figure, plotted = figure_robustness.draw(metrics, frames["runs"])
    assert "1 models that were not attacked are left out" in texts(figure)
    assert one not in set(plotted.run)


# --- all scripts: what is missing


@pytest.mark.parametrize(
    ("lost", "draw"),
    [
        ("zero_one_loss", lambda f, m: figure_fairness.draw(m, f["runs"], f["frontiers"], "plain")),
        (GAP["metric"], lambda f, m: figure_fairness.draw(m, f["runs"], f["frontiers"], "plain")),
        ("robust_accuracy", lambda f, m: figure_robustness.draw(m, f["runs"])),
        ("robust_accuracy", lambda f, m: tradeoffs_figure_three_way.three_costs(m, f["runs"])),
        (GAP["metric"], lambda f, m: tradeoffs_figure_three_way.three_costs(m, f["runs"])),
        ("accuracy", lambda f, m: tables.models_table(m, f["runs"])),
    ],
)
def test_a_missing_metric_is_named_in_one_line(frames, lost, draw):
    metrics = frames["metrics"]
    with figures.style(), pytest.raises(UserError, match=f"metrics: no rows of '{lost}'") as caught:
        draw(frames, metrics[metrics.metric != lost])
    assert "\n" not in str(caught.value)


def test_robustness_by_sex_without_a_measurement_is_one_line(frames):
    metrics = frames["metrics"]
    with pytest.raises(UserError, match="'robust_accuracy' for attribute 'sex', subgroup 'men'"):
        figure_robustness_by_sex.standings(metrics[metrics.subgroup == "all"], frames["runs"])


def test_a_run_that_is_not_listed_is_one_line(frames):
    with pytest.raises(UserError, match="runs: 1 measured runs are not listed"):
        model_points.model_points(frames["metrics"], frames["runs"].iloc[1:])


def test_curves_without_known_quantities_are_one_line(frames):
    with pytest.raises(UserError, match="curves: no rows of train_loss"):
        figure_curves.draw(frames["curves"].assign(quantity="other"), frames["runs"], "rendered faces")


@pytest.mark.parametrize("protocol", ["as_published", "corrected"])
def test_one_protocol_one_seed_and_no_constants(protocol):
    f = study(strengths=1, seeds=1, protocols=(protocol,), constants=False)
    other = {"as_published": "corrected", "corrected": "as published"}[protocol]
    with figures.style():
        drawn = [
            figure_fairness.draw(f["metrics"], f["runs"], f["frontiers"], "threshold")[0],
            figure_robustness.draw(f["metrics"], f["runs"])[0],
            tradeoffs_figure_three_way.draw(tradeoffs_figure_three_way.three_costs(f["metrics"], f["runs"]), "note"),
        ]
        table = figure_robustness_by_sex.standings(f["metrics"], f["runs"])
        by_sex = [
            draw(table, "")[0]
            for draw in (
                figure_robustness_by_sex.draw_by_sex,
                figure_robustness_by_sex.draw_cascade,
            )
        ]
        curves, _ = figure_curves.draw(f["curves"], f["runs"], "rendered faces")
    assert all(f'no models of the protocol "{other}" in these results' in texts(figure) for figure in drawn)
    assert all("not measured" in texts(figure) for figure in by_sex)
    assert "not recorded" in texts(curves)
    prices = tables.price_table(f["frontiers"], f["runs"]).set_index("frontier")
    assert prices.loc[f"{other}, all models", "models"] == "0"


# --- three ways


def test_pareto_efficiency_in_three_is_that_of_brute_force(frames):
    points = tradeoffs_figure_three_way.three_costs(frames["metrics"], frames["runs"])
    for _, own in points.groupby("protocol"):
        costs = own[["error", "under_attack", "gap"]].to_numpy()
        for mine, efficient in zip(costs, own.pareto, strict=True):
            assert efficient == (not any((other <= mine).all() and (other < mine).any() for other in costs))
    reject = points[points.arm == "constant_reject"]
    assert reject.pareto.all()  # the trivial point that the original leaves out


def test_each_protocol_is_measured_its_own_way(frames):
    points = tradeoffs_figure_three_way.three_costs(frames["metrics"], frames["runs"]).set_index("run")
    models = model_points.model_points(frames["metrics"], frames["runs"]).set_index("run")
    published = points.protocol == "as_published"
    np.testing.assert_array_equal(points.under_attack[published], models.published_error[published])
    np.testing.assert_array_equal(points.under_attack[~published], models.adversarial_error[~published])


@pytest.fixture(scope="module")
def three_way(frames, tmp_path_factory):
    folder = tmp_path_factory.mktemp("three_way")
    named = {name: frame.copy() for name, frame in frames.items()}
    for name in ("runs", "metrics"):
        named[name]["method"] = named[name].method.replace("plain", SHOWN)
    paths = write(named, folder)
    tradeoffs_figure_three_way.draw_all(paths["metrics"], paths["runs"], folder, frames=3, budget="APGD 20 iterations")
    return folder / "three_way.html"


def test_the_gif_has_its_frames_and_the_numbers_are_saved(three_way, frames):
    with Image.open(three_way.with_suffix(".gif")) as gif:
        assert gif.n_frames == 3 and gif.info["loop"] == 0
        pictures = []
        for number in range(3):
            gif.seek(number)
            pictures.append(np.asarray(gif.convert("RGB")))
    assert all((one != other).any() for one, other in itertools.pairwise(pictures))
    colours = {tuple(colour) for colour in pictures[0].reshape(-1, 3)[::7]}
    for ink in ("#E69F00", "#0072B2"):  # orange: efficient, blue: dominated
        rgb = np.array([int(ink[k : k + 2], 16) for k in (1, 3, 5)])
        assert min(abs(np.array(colour) - rgb).max() for colour in colours) <= 12, ink
    plotted = parquet.read(three_way.with_suffix(".parquet"))
    expected = tradeoffs_figure_three_way.three_costs(frames["metrics"], frames["runs"])
    pd.testing.assert_frame_equal(plotted.drop(columns="method"), expected.drop(columns="method"))


def test_the_page_escapes_names_and_needs_no_network(three_way):
    text = three_way.read_text(encoding="utf-8")
    ours = text.replace(get_plotlyjs(), "")
    assert html.escape(SHOWN) in ours
    assert "<img" not in ours and ours.count("</script>") == 3  # the data's, plotly's and the page's own
    assert not re.search(r"(src|href)\s*=\s*.?https?:", ours)
    assert policy(text)["default-src"] == ["'none'"] and unlisted(text) == []
    data = json.loads(re.search(r'id="data">(.*?)</script>', ours, re.DOTALL)[1])
    assert data["models"][0]["name"] == SHOWN
    assert len(data["models"]) == 28 == ours.count("data-model=")


def test_a_card_says_what_was_measured_in_words(frames):
    points = tradeoffs_figure_three_way.three_costs(frames["metrics"], frames["runs"])
    card = three_way_page.model_cards(points, frames["metrics"], frames["runs"], "linf_0.01")[0]
    metrics = dict(card["metrics"])
    row = points.iloc[0]
    assert metrics["share of clean images judged wrongly"] == (
        f"{row.error:.3f} (95 % interval {row.error_low:.3f} to {row.error_high:.3f})"
    )
    assert dict(card["settings"])["attack size in training (0: none)"] == "0"
    fewer = frames["metrics"].query("metric != 'false_positive_rate'")
    card = three_way_page.model_cards(points, fewer, frames["runs"], "linf_0.01")[0]
    assert dict(card["metrics"])["undeserving men accepted (FPR)"] == "not measured"


# --- robustness by sex, curves, tables


def test_seeds_are_put_together_without_narrowing(frames):
    table = figure_robustness_by_sex.standings(frames["metrics"], frames["runs"])
    pick = table.query("protocol == 'corrected' and threat == 'l2_1' and stage == '+ FAB' and subgroup == 'women'")
    one = pick[pick.setting == "adversarial, eps 0.006"].iloc[0]
    fab = under("l2_1", "fab")
    rows = select_metric(frames["metrics"], "robust_accuracy", "women", attribute="sex", condition=fab)
    rows = rows[(rows.method == "adversarial, eps 0.006") & (rows.protocol == "corrected")]
    assert len(rows) == 2 == one.seeds
    assert one.value == pytest.approx(rows.value.mean())
    assert (one.ci_low, one.ci_high) == (rows.ci_low.min(), rows.ci_high.max())


def test_many_settings_are_cut_to_the_most_robust_of_each_arm(frames, monkeypatch):
    monkeypatch.setattr(figure_robustness_by_sex, "MOST_METHODS", 5)
    table = figure_robustness_by_sex.standings(frames["metrics"], frames["runs"])
    with figures.style():
        figure, plotted = figure_robustness_by_sex.draw_by_sex(table, "note.")
    assert "Of each arm the strength with the highest" in texts(figure)
    adversarial = plotted[(plotted.arm == "adversarial") & (plotted.protocol == "corrected")]
    assert set(adversarial.setting) == {"adversarial, eps 0.006"}
    assert set(plotted.arm) == {*looks.ARMS, *looks.CONSTANT_NAMES}


def test_networks_stay_apart_where_there_are_several(frames):
    runs = frames["runs"].copy()
    runs.loc[runs.seed == 2, "network"] = "published_resnet"
    table = figure_robustness_by_sex.standings(frames["metrics"], runs)
    assert {"plain (small_cnn)", "plain (published_resnet)", "constant: reject all"} <= set(table.setting)
    assert table.seeds.max() == 1


def test_curves_draw_every_value_of_a_listed_quantity(frames):
    with figures.style():
        _, plotted = figure_curves.draw(frames["curves"], frames["runs"], "rendered faces")
    both = frames["curves"].merge(plotted, on=["run", "epoch", "quantity"], suffixes=("", "_drawn"))
    assert len(both) == len(frames["curves"]) == len(plotted)
    np.testing.assert_array_equal(both.value, both.value_drawn)


def test_figures_are_written_with_the_same_bytes_twice(frames, three_way, tmp_path):
    inputs = (three_way.parent / "metrics.parquet", three_way.parent / "runs.parquet")
    tradeoffs_figure_three_way.draw_all(*inputs, tmp_path, frames=3, budget="APGD 20 iterations")
    for suffix in ("gif", "html", "parquet", "pdf", "png"):
        again = (tmp_path / "three_way").with_suffix(f".{suffix}")
        assert again.read_bytes() == three_way.with_suffix(f".{suffix}").read_bytes(), suffix
    for turn in ("a", "b"):
        with figures.style():
            drawn = figure_fairness.draw(frames["metrics"], frames["runs"], frames["frontiers"], "threshold")
            figures.save(*drawn, tmp_path / turn)
    for suffix in (".parquet", ".pdf", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes(), suffix
