"""Figures say what their numbers say, and survive missing parts."""

import matplotlib.text
import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.transforms import Bbox

from scripts.common import figures, parquet
from scripts.common.interval_kinds import NORMAL, WILSON, in_words
from scripts.encrypted.drawings import cost, logits, operations, packings, reconstruction, reliability
from scripts.encrypted.figures import DRAWINGS, draw_all
from scripts.encrypted.labels import at, in_order, rival, setting_title, told_apart
from scripts.encrypted.transforms import matrix_of
from scripts.encrypted.transforms import reconstruction as by_pseudo_inverse
from tests.encrypted.frames import RELEASED, frames, only
from tests.workflow.conftest import ROOT

MNIST = "MNIST, 5,000 of its images"


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
    draw_all(only(held, sources=("mnist",)), tmp_path)
    part = yaml.safe_load((ROOT / "scripts/encrypted/study.yaml").read_text(encoding="utf-8"))
    assert set(part["figures"]) == set(DRAWINGS) and set(RELEASED) <= set(part["released"])
    for name in DRAWINGS:
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 1000 for kind in ("png", "pdf", "parquet"))
        assert len(parquet.read(tmp_path / f"{name}.parquet"))
    for name in part["explorers"]:
        assert (tmp_path / f"{name}.html").stat().st_size > 10_000
    for name in (*part["figures"], *part["tables"]):
        assert (ROOT / f"scripts/encrypted/captions/{name}.rst").exists()


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_texts_stay_inside_and_apart(whole, name):
    figure, _ = whole[name]
    figure.draw_without_rendering()  # places annotations
    renderer = figure.canvas.get_renderer()
    edge = Bbox.from_bounds(0, 0, *figure.get_size_inches() * figure.dpi)
    title = figure._suptitle.get_window_extent(renderer)
    assert title.x0 >= 0 and title.x1 <= edge.x1 and len(figure.get_suptitle().rstrip().split("\n")) <= 6
    for legend in figure.legends:
        box = legend.get_window_extent(renderer)
        assert box.x1 <= edge.x1 and box.y1 <= title.y1
    for axes in figure.axes:  # labels on marks keep clear of one another
        notes = [text for text in axes.texts if text.get_text() and text.get_visible()]
        boxes = [matplotlib.text.Text.get_window_extent(note, renderer) for note in notes]
        for place, box in enumerate(boxes):
            assert box.x0 >= 0 and box.x1 <= edge.x1, notes[place].get_text()
            assert not any(Bbox.intersection(box, other) for other in boxes[place + 1 :]), notes[place].get_text()


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_footers_name_images_and_the_kind_of_interval(whole, name):
    text = " ".join(whole[name][0].get_supxlabel().split())
    if name not in ("reconstruction", "tfhe"):
        assert f"{MNIST}: 28x28, 4,000 training and 1,000 test images" in text
    kinds = {"cost": WILSON, "reliability": NORMAL}
    assert (in_words(kinds[name]) if name in kinds else "intervals" if name != "packings" else "quartiles") in text


def test_the_same_numbers_give_the_same_bytes(held, tmp_path, small):
    for folder in ("one", "two"):
        with figures.style():
            figure, numbers = DRAWINGS["cost"](held)
            (tmp_path / folder).mkdir()
            figures.save(figure, numbers, tmp_path / folder / "cost")
    for kind in ("png", "pdf", "parquet"):
        one, two = ((tmp_path / folder / f"cost.{kind}").read_bytes() for folder in ("one", "two"))
        assert one == two


SOME = {
    "no faces": {"sources": ("mnist", "digits")},
    "digits alone": {"sources": ("digits",)},
    "one key": {"key": 1},
    "no pixels": {"transform": ("pixels",)},
    "no DCT": {"transform": ("dct",)},
    "images along the slots alone": {"packing": ("image",)},
    "one image per ciphertext alone": {"packing": ("slots",)},
}


@pytest.mark.parametrize("case", list(SOME))
def test_parts_may_be_missing(held, case):
    for name in DRAWINGS:
        figure, numbers = drawn(name, only(held, **SOME[case]))
        empty = [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text().startswith("No ")]
        assert len(numbers) or empty
        assert "nan" not in figure.get_suptitle().lower()


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_without_rows_a_figure_says_so(held, name, tmp_path):
    figure, numbers = drawn(name, {key: frame.head(0) for key, frame in held.items()})
    assert numbers.empty and " ".join(figure.axes[0].texts[0].get_text().split()).startswith("No ")
    with figures.style():
        figures.save(figure, numbers, tmp_path / name)
    assert len(parquet.read(tmp_path / f"{name}.parquet")) == 0


def with_ratio(held: dict, source: str, **values: object) -> dict:
    """Return frames in which the cost ratio of a dataset has other values."""
    efficiency = held["efficiency"].copy()
    chosen = (efficiency["source"] == source) & (efficiency["metric"] == "cost_ratio")
    assert chosen.sum() == 1
    for column, value in values.items():
        efficiency.loc[chosen, column] = value
    return held | {"efficiency": efficiency}


def with_difference(held: dict, first: str, second: str, value: float, low: float, high: float) -> dict:
    """Return frames in which a paired difference of MNIST has other values."""
    frame = held["comparisons"].copy()
    chosen = (frame["source"] == "mnist") & (frame["first"] == first) & (frame["second"] == second)
    assert chosen.sum() == 1
    frame.loc[chosen, ["value", "ci_low", "ci_high"]] = [value, low, high]
    return held | {"comparisons": frame}


def test_accuracy_and_cost_are_those_of_the_frames(held):
    rows, metrics, efficiency = cost.cost_rows(held), held["metrics"], held["efficiency"]
    row = rows[(rows["source"] == "faces") & (rows["setting"] == "dct-64")].iloc[0]
    own = at(metrics, "faces", setting="dct-64", metric="accuracy", protocol="corrected")
    encrypted = own[own["condition"] == "mode=encrypted"].iloc[0]
    assert (row["encrypted"], row["ci_low"], row["ci_high"]) == tuple(encrypted[["value", "ci_low", "ci_high"]])
    assert row["clear"] == own[own["condition"] == "mode=clear"]["value"].mean() and row["seeds"] == 3
    spent = at(efficiency, "faces", setting="dct-64", metric="cpu_ms_per_image", packing="slots")["value"].item()
    assert row["cpu_ms"] == spent
    assert "mnist_14" not in set(rows["source"])  # two transforms make no panel beside richer datasets


def test_the_title_of_cost_follows_ratio_and_differences(held):
    changed = with_ratio(held, "mnist", other="dct-16", value=41.3)
    changed = with_difference(changed, "dct-16", "pixels-784", -0.004, -0.02, 0.012)
    changed = with_difference(changed, "dct-16", "pooling-16", 0.031, 0.02, 0.042)
    rows = cost.cost_rows(changed)
    text = cost.finding(rows, changed)[0]
    assert text == (
        f"{MNIST}: 16 DCT numbers for 784 pixels, 41 times less CPU, −0.4 points (may be chance); "
        "on pooling +3.1 points."
    )
    none = with_ratio(changed, "mnist", other="pixels-784", value=1.0)
    assert cost.finding(rows, none)[0] == f"{MNIST}: no DCT comes within 1.1 points of all pixels."
    without = changed | {"efficiency": changed["efficiency"][changed["efficiency"]["metric"] != "cost_ratio"]}
    assert cost.finding(rows, without)[0] == f"{MNIST}: no DCT comes within 1.1 points of all pixels."
    assert "pixels were not encrypted" in cost.finding(rows[rows["transform"] != "pixels"], changed)[0]


def test_latency_is_that_of_a_ciphertext_and_throughput_counts_its_images(held):
    rows = packings.packing_rows(held["costs"], held["settings"])
    infer = held["costs"][held["costs"]["operation"] == "infer"]
    for packing, images in (("slots", 1000), ("image", 1)):
        own = at(infer, "mnist", setting="dct-49", packing=packing)
        row = at(rows, "mnist", setting="dct-49", packing=packing).iloc[0]
        assert row["latency"] == pytest.approx(own["wall_seconds"].median()) and row["images"] == images
        assert row["throughput"] == pytest.approx(own["images"].sum() / own["wall_seconds"].sum())
    assert pd.notna(row["low"]) and row["low"] <= row["latency"] <= row["high"]  # of ten single images
    text = packings.finding(rows)[0]
    both = at(rows, "mnist", setting="dct-16").set_index("packing")
    gain = both.loc["slots", "throughput"] / both.loc["image", "throughput"]
    assert f"{MNIST}, DCT 16: 1,000 images at once take {both.loc['slots', 'latency']:.2g} s" in text
    assert f"{gain:,.0f} times the throughput" in text


def test_logits_of_dct_pooling_and_pixels_are_drawn(held):
    rows = logits.logit_rows(held)
    assert list(dict.fromkeys(rows["setting"])) == ["dct-49", "pooling-49", "pixels-784"]
    assert rows["error"].to_numpy() == pytest.approx((rows["decrypted"] - rows["clear"]).to_numpy())
    known = at(held["noise"], "mnist", setting="dct-49", packing="slots", key=1).iloc[0]
    assert set(rows[rows["setting"] == "dct-49"]["max_error"]) == {known["max_error"]}
    text = " ".join(logits.finding(rows, held["noise"], "these"))
    own = at(held["noise"], "mnist", packing="slots")
    assert f"Encryption changes 1 of {own['n'].sum():,} predictions of 17 settings" in text
    assert logits.number(pd.Series([0.00234, 0.0001])) == "0.0023" and logits.number(pd.Series([21.4])) == "21"


def test_shares_of_operations_are_those_of_the_costs(held):
    rows = operations.operation_rows(held["costs"], held["settings"])
    own = rows[(rows["setting"] == "dct-196") & (rows["packing"] == "slots")].set_index("operation")
    costs = at(held["costs"], "mnist", setting="dct-196", packing="slots", key=1).set_index("operation")
    assert own.loc["linear_1", "cpu_ms"] == pytest.approx(1000 * costs.loc["linear_1", "cpu_seconds"] / 1000)
    assert own.loc["encrypt", "bytes"] == pytest.approx(costs.loc["encrypt", "bytes"] / 1000)
    work = own.drop(index="infer")["cpu_ms"]
    assert work.drop(["encrypt", "decrypt"]).sum() == pytest.approx(
        own.loc["infer", "cpu_ms"]
    )  # the server's parts are all of it
    last = rows[(rows["setting"] == "pixels-784") & (rows["packing"] == "slots")].set_index("operation")["cpu_ms"]
    share = 100 * last["linear_1"] / last.drop("infer").sum()
    assert f"to {share:.0f} % of all CPU" in operations.finding(rows)[0]
    assert [operations.in_units(value) for value in (0.392, 17.0, 999.7)] == ["0.39 ms", "17.0 ms", "1.00 s"]
    assert operations.size(339_000) == "339 kB" and operations.size(5.8e6) == "5.8 MB"


def test_reconstructions_are_those_of_the_pseudo_inverse(held):
    pixels = held["picture"]["value"].to_numpy()
    for transform, k in (("dct", 16), ("pooling", 64), ("crop", 49), ("subsampling", 49)):
        matrix = matrix_of(transform, 32, k)
        found, energy = reconstruction.rebuilt(transform, pixels, k)
        assert found == pytest.approx(by_pseudo_inverse(matrix, matrix @ pixels), abs=1e-9)
        assert energy == pytest.approx((found**2).sum() / (pixels**2).sum())  # Parseval
    rows, _ = reconstruction.picture_rows(held["picture"])
    assert sorted(set(rows["k"])) == [16, 64, 256, 1024]  # what every transform can give of 32x32
    assert rows[rows["k"] == 1024]["error"].max() < 1e-6 and (rows[rows["k"] < 1024]["error"] > 1).all()
    text = reconstruction.finding(rows, 0.684)
    energy = rows[(rows["transform"] == "dct") & (rows["k"] == 16)]["kept_energy"].item()
    assert f"DCT {100 * energy:.1f} %" in text[0] and "68.4 %" in text[1]


def test_the_band_holds_95_percent_of_deviations_of_subsets():
    random, images, size = np.random.default_rng(3), 400, 200
    right = np.arange(images) < 360
    spreads = [
        np.std([right[random.permutation(images)[:size]].mean() for _ in range(10)], ddof=1) for _ in range(1500)
    ]
    low, high = reliability.band((0.9 * 0.1 / size) ** 0.5 * reliability.drawing(images))
    assert np.mean([low <= spread <= high for spread in spreads]) == pytest.approx(0.95, abs=0.02)
    low, high = reliability.band((0.9 * 0.1 / size) ** 0.5)  # without the correction for few images it fits less well
    assert np.mean([low <= spread <= high for spread in spreads]) < 0.93
    assert reliability.drawing(200) == 0 == reliability.drawing(50)


def test_reliability_pairs_flips_and_tests_by_key(held):
    rows = reliability.reliability_rows(held)
    row = rows[(rows["setting"] == "pixels-784") & (rows["key"] == 2)].iloc[0]
    assert row["flips"] == 1 and row["value"] == pytest.approx(-1 / 1000)
    assert rows[(rows["setting"] == "pixels-784") & (rows["key"] == 1)]["value"].item() == 0
    text = reliability.finding(rows)
    assert text[0].startswith(f"Encryption flips 1 of {rows['n'].sum():,} predictions ({len(rows)} pairs")
    wide = rows.assign(spread_subsets=1.0)
    assert " in 0 of " in reliability.finding(wide)[1] and "expected" in text[1]
    assert len(reliability.finding(rows.assign(spread_drawn=np.nan))) == 1


def test_settings_have_words_an_order_and_rivals():
    assert setting_title("dct-49-deep") == "DCT 49, deep network" and setting_title("pixels-1024") == "pixels 1,024"
    names = ["pixels-64", "dct-49-deep", "dct-196", "pooling-16", "dct-49"]
    rows = in_order(pd.DataFrame({"source": "x", "setting": names}))
    assert rows["setting"].tolist() == ["dct-49", "dct-196", "dct-49-deep", "pooling-16", "pixels-64"]
    assert rival("dct-49", ["block_dct-16", "block_dct-48", "block_dct-196"], "block_dct") == "block_dct-48"
    assert rival("dct-49", ["pooling-16", "pooling-64", "pooling-49-deep"], "pooling") is None


def test_datasets_of_one_title_are_told_apart(held):
    found = told_apart(held)
    for name in ("metrics", "settings", "noise"):
        titles = found[name].drop_duplicates("source").set_index("source")["dataset"]
        assert titles["mnist"] == f"{MNIST}, 28x28" and titles["mnist_14"] == f"{MNIST}, 14x14"
        assert titles["faces"] == "rendered faces, Smiling"
    assert found["picture"] is held["picture"]  # has no dataset
    row = in_order(found["settings"])["dataset"].iloc[0]
    assert row == f"{MNIST}, 28x28" and not found["settings"]["dataset"].isna().any()
