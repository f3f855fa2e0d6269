"""Figures say what their numbers say, and survive missing parts."""

import itertools

import matplotlib.text
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.transforms import Bbox
from scipy.stats import spearmanr

from scripts.common import figures, parquet
from scripts.common.interval_kinds import STUDENT, TASKS_AND_SEEDS, in_words
from scripts.multitask.drawings import alignment, conflicts, faults, plane, tasks, teacher, tree
from scripts.multitask.figures import DRAWINGS, draw_all
from scripts.multitask.labels import ODDS, at, colour_of, in_order, kind_of
from scripts.multitask.methods import METHODS
from tests.multitask.frames import RELEASED, frames, only
from tests.workflow.conftest import ROOT


@pytest.fixture(scope="module")
def held():
    return frames()


@pytest.fixture(scope="module")
def whole(held):
    return {name: drawn(name, held) for name in DRAWINGS}


def drawn(name: str, held: dict) -> tuple:
    with figures.style():
        return DRAWINGS[name](held)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(figures, "DPI", 40)


def test_every_promised_figure_is_made_and_has_a_caption(held, tmp_path, small):
    draw_all(only(held, source="adult"), tmp_path)
    part = yaml.safe_load((ROOT / "scripts/multitask/study.yaml").read_text(encoding="utf-8"))
    assert set(part["figures"]) == set(DRAWINGS) and set(part["released"]) == set(RELEASED)
    for name in DRAWINGS:
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 1000 for kind in ("png", "pdf", "parquet"))
        assert len(parquet.read(tmp_path / f"{name}.parquet"))
    for name in part["explorers"]:
        assert (tmp_path / f"{name}.html").stat().st_size > 10_000
    for name in (*part["figures"], *part["tables"]):
        assert (ROOT / f"scripts/multitask/captions/{name}.rst").exists()


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_texts_stay_inside_and_apart(whole, name):
    figure, _ = whole[name]
    figure.draw_without_rendering()  # places annotations
    renderer = figure.canvas.get_renderer()
    edge = Bbox.from_bounds(0, 0, *figure.get_size_inches() * figure.dpi)
    title = figure._suptitle.get_window_extent(renderer)
    assert title.x0 >= 0 and title.x1 <= edge.x1 and len(figure.get_suptitle().rstrip().split("\n")) <= 8
    for legend in figure.legends:
        box = legend.get_window_extent(renderer)
        assert box.x1 <= edge.x1 and box.y1 <= title.y1
    for axes in figure.axes:  # labels on marks keep clear of one another
        notes = [text for text in axes.texts if isinstance(text, matplotlib.text.Annotation) and text.get_text()]
        if name == "tree":
            notes = [note for note in notes if not note.get_rotation()]  # the box of a turned text holds its neighbours
        boxes = [matplotlib.text.Text.get_window_extent(note, renderer) for note in notes]
        for place, box in enumerate(boxes):
            assert not any(Bbox.intersection(box, other) for other in boxes[place + 1 :]), notes[place].get_text()


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_footers_name_rows_and_the_kind_of_interval(whole, name):
    figure, _ = whole[name]
    text = " ".join(figure.get_supxlabel().split())
    assert "AdultCensus: 4 tasks, 120 training and 60 test rows" in text
    kinds = {"conflicts": STUDENT, "plane": TASKS_AND_SEEDS, "faults": TASKS_AND_SEEDS}
    assert (in_words(kinds[name]) if name in kinds else "intervals") in text


def test_the_same_numbers_give_the_same_bytes(held, tmp_path, small):
    for folder in ("one", "two"):
        with figures.style():
            figure, numbers = DRAWINGS["faults"](held)
            (tmp_path / folder).mkdir()
            figures.save(figure, numbers, tmp_path / folder / "faults")
    for kind in ("png", "pdf", "parquet"):
        one, two = ((tmp_path / folder / f"faults.{kind}").read_bytes() for folder in ("one", "two"))
        assert one == two


SOME = {
    "one dataset without faults": {"source": "many"},
    "no FairBranch": {"methods": tuple(name for name in METHODS if name.startswith("fairbranch"))},
    "no single-task networks, no teacher": {
        "methods": tuple(name for name in METHODS if name.startswith(("stl", "l2t", "teacher")))
    },
    "single-task networks alone": {"methods": tuple(name for name in METHODS if not name.startswith("stl"))},
}


@pytest.mark.parametrize("case", list(SOME))
def test_parts_may_be_missing(held, case):
    for name in DRAWINGS:
        figure, numbers = drawn(name, only(held, **SOME[case]))
        empty = [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text().startswith("No ")]
        assert len(numbers) or empty


def test_without_conflicts_or_alignments_a_figure_says_so(held):
    counted = held["curves"]["quantity"].isin(["pairs", "conflicts", "angle"])
    less = held | {"curves": held["curves"][~counted], "alignments": held["alignments"].head(0)}
    for name in ("conflicts", "alignment"):
        figure, numbers = drawn(name, less)
        assert numbers.empty and figure.axes[0].texts[0].get_text().startswith("No ")


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_without_rows_a_figure_says_so(held, name, tmp_path):
    figure, numbers = drawn(name, {key: frame.head(0) for key, frame in held.items()})
    assert numbers.empty and " ".join(figure.axes[0].texts[0].get_text().split()).startswith("No ")
    with figures.style():
        figures.save(figure, numbers, tmp_path / name)
    assert len(parquet.read(tmp_path / f"{name}.parquet")) == 0


def with_values(comparisons: pd.DataFrame, *, first: str, metric: str, value: float, low: float, high: float, **where):
    """Return comparisons in which those of a method and metric have another value and interval."""
    chosen = (comparisons["first"] == first) & (comparisons["metric"] == metric)
    for column, wanted in where.items():
        chosen &= comparisons[column] == wanted
    assert chosen.any()
    found = comparisons.copy()
    found.loc[chosen, ["value", "ci_low", "ci_high"]] = [value, low, high]
    return found


def test_the_plane_takes_its_numbers_from_the_comparisons(held):
    gained, frame = plane.gains(held["comparisons"]), held["comparisons"]
    assert "fairbranch_no_projection" not in set(gained["method"]) and "stl" in set(gained["method"])
    row = gained[(gained["source"] == "adult") & (gained["method"] == "vanilla")].iloc[0]
    same = frame[(frame["source"] == "adult") & (frame["first"] == "vanilla") & (frame["second"] == "stl_fair")]
    same = same[same["task"] == "mean"].set_index("metric")
    assert (row.x, row.x_low, row.y, row.y_high) == (
        *same.loc["accuracy", ["value", "ci_low"]],
        *same.loc[ODDS, ["value", "ci_high"]],
    )


def test_the_title_of_the_plane_follows_the_intervals(held):
    frame = held["comparisons"]
    for method, sign in (("fairbranch", 1), ("vanilla", -1)):
        for metric, value in (("accuracy", 0.031 * sign), (ODDS, -0.052 * sign)):
            ends = {"low": value - 0.01, "high": value + 0.01}
            frame = with_values(frame, first=method, metric=metric, value=value, **ends, task="mean", source="adult")
    text = plane.finding(plane.gains(frame))[0]
    assert "FairBranch +3.1 points of accuracy, −5.2 of bias; " in text
    assert "surely better in both: FairBranch" in text and "surely worse in both: vanilla" in text
    ends = {"low": -0.01, "high": 0.05}
    frame = with_values(frame, first="fairbranch", metric="accuracy", value=0.031, **ends, task="mean", source="adult")
    assert "FairBranch +3.1 points of accuracy (may be chance)" in plane.finding(plane.gains(frame))[0]


def test_tasks_show_means_beside_the_majority_class(held):
    values, metrics = tasks.task_values(held["metrics"]), held["metrics"]
    row = values[(values["source"] == "adult") & (values["method"] == "vanilla") & (values["task"] == "task 2")]
    row = row[row["metric"] == "accuracy"].iloc[0]
    own = metrics[(metrics["source"] == "adult") & (metrics["task"] == "task 2") & (metrics["metric"] == "accuracy")]
    own = own[own["protocol"] == "corrected"]
    assert row["value"] == pytest.approx(own[own["method"] == "vanilla"]["value"].mean()) and row["seeds"] == 2
    assert row["tick"] == own[own["method"] == "majority"]["value"].iloc[0]
    assert values[values["metric"] == ODDS]["tick"].isna().all()


def test_the_title_of_tasks_counts_tasks(held):
    values = tasks.task_values(held["metrics"])
    different = tasks.transfers(held["comparisons"])
    odds = different["metric"] == ODDS
    different.loc[odds, ["value", "ci_low"]] = [-0.1, -0.2]
    worse = odds & (different["first"] == "vanilla") & different["task"].isin(["task 0", "task 3"])
    different.loc[worse & (different["source"] == "adult"), ["value", "ci_low"]] = [0.1, 0.05]
    values["value"] = values["value"].where(values["metric"] != "accuracy", 0.99)
    near = (values["metric"] == "accuracy") & (values["task"] == "task 1")
    values.loc[near, "value"] = values.loc[near, "tick"]
    text = tasks.finding(values, different)[0]
    assert "2 (2 surely) with vanilla, 0 with FairBranch of 4 tasks are less fair than alone" in text
    assert text.endswith("FairBranch is within a point of the majority in 1.")


def test_conflicts_of_all_layers_are_the_sums(held):
    rows, curves = conflicts.conflict_rows(held["curves"]), held["curves"]
    own = curves[(curves["source"] == "adult") & (curves["method"] == "fairbranch") & (curves["kind"] == "fairness")]
    own = own[own["epoch"] == 1]
    sums = own.pivot_table(index="seed", columns="quantity", values="value", aggfunc="sum")
    chosen = (rows["source"] == "adult") & (rows["method"] == "fairbranch") & (rows["kind"] == "fairness")
    chosen &= (rows["epoch"] == 1) & (rows["layer"] == conflicts.EVERY)
    shares = rows[chosen & (rows["quantity"] == "share")]
    assert shares["value"].tolist() == pytest.approx([(sums["conflicts"] / sums["pairs"]).mean()])
    assert shares["ci_low"].item() <= shares["value"].item() <= shares["ci_high"].item()
    angles = own[own["quantity"] == "angle"]["value"]
    assert angles.min() <= rows[chosen & (rows["quantity"] == "angle")]["value"].item() <= angles.max()


def test_the_title_of_conflicts_follows_the_curves(held):
    rows = conflicts.conflict_rows(held["curves"])
    share = (rows["quantity"] == "share") & (rows["layer"] == conflicts.EVERY)
    rows.loc[share, "value"] = 0.4
    rows.loc[share & (rows["epoch"] == rows["epoch"].max()), "value"] = 0.3
    rows.loc[share & (rows["method"] == conflicts.WITHOUT) & (rows["kind"] == "fairness"), "value"] = 0.45
    text = conflicts.finding(rows)[0]
    assert "40 → 30 % of accuracy and 40 → 30 % of fairness pairs conflict" in text
    assert text.endswith("FBGrad changes the latter by at most 15.0 points.")


def test_tasks_of_a_branch_are_side_by_side(held):
    for source in ("adult", "many"):
        own = at(held["branchings"], source)
        own = own[(own["method"] == "fairbranch") & (own["seed"] == 1)]
        order = tree.leaves(own, list(at(held["facts"], source)["task"]))
        assert sorted(order) == sorted(at(held["facts"], source)["task"])
        for names in own["tasks"].str.split("; "):
            places = sorted(order.index(task) for task in names)
            assert places == list(range(places[0], places[0] + len(names)))


def test_the_title_of_the_tree_follows_the_similarities(held):
    rows, frame = tree.tree_rows(held["branchings"], held["facts"]), held["branchings"]
    merged = frame[(frame["source"] == "adult") & (frame["method"] == "fairbranch") & frame["similarity"].notna()]
    assert (
        f"the {len(merged)} merges of 2 seeds have CKA ≥ {merged['similarity'].min():.3f}"
        in tree.finding(rows, frame)[0]
    )
    five = frame[frame["method"] == "fairbranch_tau_5"]
    rest = frame[frame["method"] != "fairbranch_tau_9"]
    same = pd.concat([rest, five.assign(method="fairbranch_tau_9")])
    assert tree.finding(rows, same)[0].endswith("; tau .5 and .9 give the same branches.")
    other = pd.concat([rest, five.assign(method="fairbranch_tau_9", tasks="task 0")])
    assert tree.finding(rows, other)[0].endswith("; tau .5 and .9 give different branches.")
    assert "tau" not in tree.finding(rows, rest)[0]


def test_the_title_of_the_teacher_follows_choices_and_tests(held):
    rows, frame = teacher.share_rows(held["curves"]), held["comparisons"]
    about = {"first": "l2t_fmt", "second": "teacher_random", "reference": "method", "task": "mean"}
    frame = with_values(frame, metric="accuracy", value=0.02, low=0.01, high=0.03, **about)
    frame = with_values(frame, metric=ODDS, value=-0.01, low=-0.03, high=0.01, **about)
    rows.loc[rows["method"] == "l2t_fmt", "value"] = [0.0, 0.5] * ((rows["method"] == "l2t_fmt").sum() // 2)
    text = teacher.finding(rows, frame)[0]
    assert "repeats one action all epoch in 50 %" in text
    assert "against random +2.0 points of accuracy, −1.0 of bias (may be chance)" in text


def test_the_null_permutes_whole_tasks(held):
    pairs = at(alignment.pair_rows(held["alignments"]), "adult")
    observed, null = alignment.correlations(pairs, "accuracy")
    seeds = [own for _, own in pairs.groupby("seed")]
    assert observed == pytest.approx(np.mean([spearmanr(own["cka"], own["cosine_accuracy"])[0] for own in seeds]))
    own = pairs[pairs["seed"] == 1]
    observed, null = alignment.correlations(own, "accuracy")
    names = sorted({*own["first"], *own["second"]})
    similar, cosine = (alignment.matrix(own, name, names) for name in ("cka", "cosine_accuracy"))
    upper = np.triu_indices(len(names), 1)
    exact = [
        spearmanr(similar[upper], cosine[np.ix_(order, order)][upper])[0]
        for order in itertools.permutations(range(len(names)))
    ]
    assert set(np.round(null, 9)) == set(np.round(exact, 9))
    assert alignment.p_value(observed, null) == pytest.approx(np.mean(np.array(exact) >= observed - 1e-9), abs=0.04)


def test_perfectly_aligned_pairs_have_correlation_one(held):
    pairs = alignment.pair_rows(held["alignments"])
    pairs = pairs.assign(cosine_fairness=pairs["cka"] ** 2, cosine_accuracy=-pairs["cka"])
    known = alignment.all_correlations(pairs)
    assert known["adult", "fairness"][0] == pytest.approx(1) and known["adult", "accuracy"][0] == pytest.approx(-1)
    assert "−1.00 (p 1.000) for accuracy, 1.00 (p 0.0" in alignment.finding(pairs, known)[0]


def test_the_title_of_faults_names_the_largest(held):
    frame, about = held["comparisons"], {"reference": "without faults", "task": "mean"}
    for metric in ("accuracy", ODDS):
        frame = with_values(frame, first="fairbranch", metric=metric, value=0.001, low=-0.1, high=0.1, **about)
    more = {"variant": "protected_feature", **about}
    frame = with_values(frame, first="fairbranch", metric=ODDS, value=0.12, low=0.05, high=0.2, **more)
    text = faults.finding(faults.fault_rows(frame))[0]
    assert "“sensitive attribute is a feature” changes bias most, +12.0 points; 1 of 2 faults" in text
    rows = faults.fault_rows(frame)
    assert rows[rows["method"] == "fairbranch"]["variant"].tolist()[-1] == "all"
    assert faults.whole_title("vanilla") == "trunk never trained" and faults.whole_title("fairbranch").startswith("all")


def test_methods_come_by_kind_and_have_its_colour():
    order = in_order(
        ["pcgrad", "vanilla", "teacher_random", "fairbranch_tau_5", "l2t_fmt", "fairbranch", "stl_fair", "x"]
    )
    assert order[:1] + order[2:] == [
        "stl_fair", "fairbranch", "fairbranch_tau_5", "l2t_fmt", "teacher_random", "vanilla", "pcgrad"
    ]  # fmt: skip
    assert kind_of("fairbranch_oracle") == "branching" and kind_of("mta_f") == "rivals" == kind_of("wb_fair")
    assert colour_of("l2t_fmt") == colour_of("teacher_swapped") != colour_of("vanilla")
    assert all(kind_of(name) for name in METHODS)
