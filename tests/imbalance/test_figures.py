"""Figures say what their numbers say, and survive missing parts."""

import re

import matplotlib.text
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.transforms import Bbox

from scripts.common import figures, layout, parquet
from scripts.common.interval_kinds import in_words
from scripts.common.points import points
from scripts.imbalance.drawings import cells, codes, dose, fidelity, forest, plane
from scripts.imbalance.figures import DRAWINGS, draw_all
from scripts.imbalance.labels import at, in_order, published_method, published_numbers
from tests.imbalance.frames import ADULT, GERMAN, frames
from tests.workflow.conftest import ROOT

PLACE = (ADULT, "sex")


@pytest.fixture(scope="module")
def held():
    return frames()


def drawn(name: str, held: dict) -> tuple:
    with figures.style():
        figure, numbers = DRAWINGS[name](held)
        figure.draw_without_rendering()
    return figure, numbers


def title_of(figure) -> str:
    return " ".join(figure.get_suptitle().split())


def test_every_promised_figure_is_made_and_has_a_caption(held, tmp_path):
    draw_all(held, tmp_path)
    part = yaml.safe_load((ROOT / "scripts/imbalance/study.yaml").read_text(encoding="utf-8"))
    assert list(part["figures"]) and set(part["figures"]) == set(DRAWINGS)
    for name in DRAWINGS:
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 1000 for kind in ("png", "pdf", "parquet"))
        assert len(parquet.read(tmp_path / f"{name}.parquet"))
    assert (tmp_path / "plane.html").stat().st_size > 10_000
    for name in (*part["figures"], *part["tables"]):
        assert (ROOT / f"scripts/imbalance/captions/{name}.rst").exists()


def test_the_same_numbers_give_the_same_bytes(held, tmp_path):
    for folder in ("one", "two"):
        with figures.style():
            figure, numbers = DRAWINGS["forest"](held)
            (tmp_path / folder).mkdir()
            figures.save(figure, numbers, tmp_path / folder / "forest")
    for kind in ("png", "pdf", "parquet"):
        one, two = ((tmp_path / folder / f"forest.{kind}").read_bytes() for folder in ("one", "two"))
        assert one == two


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_texts_stay_inside_and_apart(held, name):
    figure, _ = drawn(name, held)
    renderer = figure.canvas.get_renderer()
    whole = Bbox.from_bounds(0, 0, *figure.get_size_inches() * figure.dpi)
    title, (legend, *_) = figure._suptitle.get_window_extent(renderer), [*figure.legends, None]
    lines = len(figure.get_suptitle().rstrip().split("\n"))
    assert title.x0 >= 0 and title.x1 <= whole.x1 and lines <= 8
    if legend is not None:
        box = legend.get_window_extent(renderer)
        assert box.x1 <= whole.x1 and box.y1 <= title.y1
        tops = [axes.get_window_extent(renderer).y1 for axes in figure.axes if axes.get_visible()]
        assert box.y0 >= max(tops)
    for axes in figure.axes:  # labels on marks keep clear of one another
        notes = [text for text in axes.texts if isinstance(text, matplotlib.text.Annotation) and text.get_text()]
        boxes = [matplotlib.text.Text.get_window_extent(note, renderer) for note in notes]
        for place, box in enumerate(boxes):
            assert not any(Bbox.intersection(box, other) for other in boxes[place + 1 :]), notes[place].get_text()


@pytest.mark.parametrize("name", ["forest", "plane", "dose"])
def test_footers_name_rows_splits_and_interval(held, name):
    figure, numbers = drawn(name, held)
    text = " ".join(figure.get_supxlabel().split())
    for part in ("30,148 training and 15,074 test rows", "mean of 6 splits", in_words(numbers["interval"])):
        assert part in text


SOME = {
    "one small table": {"places": ((GERMAN, "sex"),), "doses": (), "variants": ()},
    "one plan, copies alone": {"plans": ("same_class",), "generators": ("bootstrap",), "doses": ()},
    "two splits": {"numbers": (0, 1), "doses": ()},
    "four groups": {"places": ((ADULT, "sex x race"),)},
}


@pytest.mark.parametrize("case", list(SOME))
def test_parts_may_be_missing(case):
    held = frames(**SOME[case])
    for name in DRAWINGS:
        figure, _ = drawn(name, held)
        assert figure.axes


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_without_rows_a_figure_says_so(held, name, tmp_path):
    empty = {key: frame.head(0) for key, frame in held.items()} | {"facts": held["facts"]}
    figure, numbers = drawn(name, empty)
    text = " ".join(figure.axes[0].texts[0].get_text().split())
    assert numbers.empty and text.startswith("No ")
    with figures.style():
        figures.save(figure, numbers, tmp_path / name)
    assert len(parquet.read(tmp_path / f"{name}.parquet")) == 0


def test_a_user_table_alone_is_drawn_without_published_numbers(held):
    renamed = {key: frame.replace({ADULT: "my table"}) for key, frame in held.items()}
    for name in DRAWINGS:
        figure, _ = drawn(name, renamed)
        assert figure.axes
    rows = codes.shown_splits(renamed["splits"], renamed["facts"])
    assert at(rows, ("my table", "sex"))["published"].isna().all() and len(at(rows, ("my table", "sex")))


def test_cells_count_real_and_added_rows_of_the_first_split(held):
    shown = at(cells.shown_cells(held["counts"]), PLACE)
    added = shown.groupby("plan")["added"].sum()
    assert added[["class", "class_protected", "protected", "same_class"]].tolist() == [15210, 25976, 10624, 2802]
    assert (shown.groupby("plan")["real"].sum() == 30148).all()
    women = shown[(shown["plan"] == "class") & (shown["group"] == "women")]
    assert women["fraction"].tolist() == [0.5, 0.5]


def test_the_title_of_cells_follows_the_counts(held):
    text = cells.finding(cells.shown_cells(held["counts"]))[0]
    assert "class ratio gives all groups the same fraction of label 1 with 9\u00a0% more rows" in text
    other = held["counts"].copy()
    uneven = (other["plan"] != "none") & (other["label"] == 1)
    other.loc[uneven, "added"] = 0  # then no plan evens anything
    other = other[other["dataset"] == ADULT]
    assert cells.finding(cells.shown_cells(other)) == [
        "AdultCensus, sex: no plan gives the groups the same fraction of label 1."
    ]


def gap_rows(held: dict, second: str) -> pd.Series:
    frame = held["comparisons"]
    return (frame["metric"] == forest.GAP) & (frame["dataset"] == ADULT) & (frame["second"] == second)


def test_the_title_of_the_forest_follows_the_tests(held):
    assert "class ratio narrows the gap by 3.7 points" in forest.finding(held["comparisons"])[0]
    assert "none of its generators beats copies" in forest.finding(held["comparisons"])[0]
    frame = held["comparisons"].copy()
    frame.loc[gap_rows(held, "same_class bootstrap") & (frame["generator"] == "cart"), ["value", "p_holm"]] = [
        -0.02,
        0.001,
    ]
    assert "CART beats copies" in forest.finding(frame)[0]
    frame.loc[gap_rows(held, "real"), "p_holm"] = 0.2
    assert forest.finding(frame)[0].endswith("no plan narrows the gap significantly.")


def test_controls_are_grey_squares_and_unsure_ones_hollow(held):
    figure, rows = drawn("forest", held)
    for axes, metric in zip(figure.axes, forest.SHOWN, strict=False):  # Adult is drawn first
        own = rows[(rows["dataset"] == ADULT) & (rows["metric"] == metric)]
        lines = [line for line in axes.lines if line.get_marker() in "so" and len(line.get_xdata()) == 1]
        assert len(lines) == len(own)
        for line, row in zip(lines, own.itertuples(), strict=True):
            control = row.generator in ("bootstrap", "weights", "reweighing", "duplicate_all")
            assert (line.get_marker() == "s") == control == (line.get_color() == figures.GREY)
            assert (line.get_markerfacecolor() == "white") == (row.p_holm >= forest.SURE)
            assert line.get_xdata()[0] == pytest.approx(100 * row.value)


def test_codes_show_six_dots_and_the_published_deviation(held):
    rows = at(codes.shown_splits(held["splits"], held["facts"]), PLACE)
    assert set(rows[rows["lost"]]["split"]) == {0, 3}
    own = rows[(rows["plan"] == "same_class") & (rows["generator"] == "cart") & (rows["metric"] == "f1_score")]
    assert len(own) == 12 and set(own["published"]) == {0.682} and set(own["published_deviation"]) == {0.044}
    assert "bootstrap" not in set(rows["generator"])  # the paper has none


def test_the_title_of_codes_follows_the_splits(held):
    rows = codes.shown_splits(held["splits"], held["facts"])
    (adult,) = codes.finding(rows)  # only Adult has published deviations
    assert "2 of 6 splits lose a category; there the shifted codes change balanced accuracy by −10.0 points" in adult
    found = re.search(r"over splits is (\S+) points in the paper, (\S+) with the shift and (\S+) without", adult)
    published, shifted, kept = map(float, found.groups())
    assert published == 4.4 and shifted > 4.0 > 1.0 > kept
    same = rows.assign(lost=False)
    assert "no split loses a category, and no balanced accuracy moves by more than" in codes.finding(same)[0]


def test_no_method_of_a_front_is_beaten_in_both(held):
    for place, own in plane.fronts(held["summary"]).groupby(["dataset", "attributes"]):
        for point in own[own["efficient"]].itertuples():
            assert not ((own["x"] > point.x) & (own["y"] < point.y)).any(), place
        for point in own[~own["efficient"]].itertuples():
            assert ((own["x"] >= point.x) & (own["y"] <= point.y)).sum() > 1


def test_the_title_of_the_plane_counts_what_is_better_in_both(held):
    points_, frame = plane.fronts(held["summary"]), held["comparisons"].copy()
    frame["p_holm"] = 1.0
    assert "no method improves both" in plane.finding(points_, frame)[0]
    frame.loc[(frame["plan"] == "same_class") & (frame["second"] == "real"), "p_holm"] = 0.0
    assert (
        "5 of 22 methods improve both accuracy and gap of real rows significantly (class ratio)"
        in plane.finding(points_, frame)[0]
    )


def test_dose_curves_begin_at_real_rows(held):
    rows = dose.dose_rows(held["summary"])
    curve = rows[(rows["method"] == "same_class cart") & (rows["dataset"] == ADULT) & (rows["metric"] == dose.GAP)]
    assert curve["dose"].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    summary = held["summary"]
    real = summary[(summary["method"] == "real") & (summary["metric"] == dose.GAP) & (summary["dataset"] == ADULT)]
    real = real[(real["protocol"] == "corrected") & (real["variant"] == "main")]
    assert curve["value"].iloc[0] == real["value"].iloc[0]
    adult, german = dose.finding(rows, held["comparisons"])
    assert "points with 50\u00a0% of its rows" in adult and german.endswith("which may be chance.")
    wider = rows.assign(value=rows["value"] + 0.1 * rows["dose"])
    assert dose.finding(wider, held["comparisons"])[0].endswith("no plan that ran at several doses narrows the gap.")


def test_fidelity_averages_draws_and_names_the_copier():
    held = frames(draws=2, doses=(), variants=())
    rows = fidelity.split_means(held["quality"])
    assert len(rows) == len(held["quality"][held["quality"]["metric"].isin(fidelity.PANELS)]) // 2
    text = fidelity.finding(rows)[0]
    assert "22\u00a0% of CART's rows copy a training row" in text and "Gaussian copula's are easiest" in text
    none = rows.assign(value=rows["value"].where(rows["metric"] != fidelity.COPIED, 0.0))
    assert "no generator copies training rows" in fidelity.finding(none)[0]


def test_labels_find_room_around_their_marks():
    with figures.style():
        figure = figures.new_figure(4, 3)
        axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1))
        marks = [(0.5, 0.5), (0.52, 0.5), (0.5, 0.53)]
        layout.label_marks(axes, marks, [(*mark, "a label", "black") for mark in marks])
        renderer = figure.canvas.get_renderer()
        boxes = [matplotlib.text.Text.get_window_extent(text, renderer) for text in axes.texts]
    dots = axes.transData.transform(np.array(marks))
    assert not any(Bbox.intersection(a, b) for n, a in enumerate(boxes) for b in boxes[n + 1 :])
    assert not any(box.contains(*dot) for box in boxes for dot in dots)


def test_numbers_and_names_of_the_paper():
    assert points(0.1814) == "18.1" and points(-0.037, signed=True) == "−3.7" and points(-0.0001, signed=True) == "0.0"
    assert published_method("same_class", "vae") == "same_class tvae" and published_method("none", "real") == "real"
    numbers, deviations = published_numbers(PLACE), published_numbers(PLACE, deviations=True)
    assert set(numbers) == set(deviations) and len(numbers) == 16
    assert (numbers["same_class cart"][forest.GAP], deviations["class cart"]["f1_score"]) == (0.117, 0.042)
    assert published_numbers(("my table", "sex")) == {} == published_numbers(("my table", "sex"), deviations=True)


def test_rows_come_by_dataset_plan_and_controls_first():
    rows = pd.DataFrame(
        {
            "dataset": list("babba"),
            "attributes": "x",
            "plan": ["same_class", "class", "none", "same_class", "class"],
            "generator": ["cart", "new", "real", "bootstrap", "weights"],
        }
    )
    assert in_order(rows).index.tolist() == [2, 3, 0, 4, 1]
