"""The style's saving and what a figure says of its data."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scripts.common import figures, parquet
from scripts.common.data_notes import data_note, span
from scripts.common.errors import UserError
from scripts.common.schemas.metrics import select_metric

MEASURES = {"images": {"metric": "zero_one_loss"}, "under attack": {"metric": "robust_accuracy"}}


def small_figure():
    figure = figures.new_figure(3, 2)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1])
    figures.footer(figure, "made up")
    return figure


def rows(**columns) -> pd.DataFrame:
    base = {"dataset": "rendered faces", "method": "plain", "protocol": "corrected", "run": "a", "seed": 1}
    base |= {"split": "test", "attribute": "none", "subgroup": "all", "metric": "zero_one_loss", "condition": ""}
    base |= {"value": 0.3, "n": 2000}
    values = np.broadcast_arrays(*(np.atleast_1d(value) for value in (base | columns).values()))
    return pd.DataFrame(dict(zip(base | columns, values, strict=True)))


def test_save_writes_picture_vector_and_numbers(tmp_path):
    plotted = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]})
    with figures.style():
        figures.save(small_figure(), plotted, tmp_path / "deep" / "name.v2")
    with Image.open(tmp_path / "deep" / "name.v2.png") as picture:
        assert picture.size == (3 * figures.DPI, 2 * figures.DPI)
        assert picture.getpixel((2, 2))[:3] == (255, 255, 255)
    assert (tmp_path / "deep" / "name.v2.pdf").read_bytes().startswith(b"%PDF")
    pd.testing.assert_frame_equal(parquet.read(tmp_path / "deep" / "name.v2.parquet"), plotted)


def test_the_same_figure_gives_the_same_bytes(tmp_path, monkeypatch):
    for turn in ("first", "second"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "0" if turn == "first" else "999999999")  # a date would differ
        with figures.style():
            figures.save(small_figure(), pd.DataFrame({"x": [1.0]}), tmp_path / turn)
    for suffix in (".png", ".pdf", ".parquet"):
        assert (tmp_path / f"first{suffix}").read_bytes() == (tmp_path / f"second{suffix}").read_bytes(), suffix
    assert b"CreationDate" not in (tmp_path / "first.pdf").read_bytes()


def test_style_ends_with_its_block_and_ignores_what_was_set_before():
    before = matplotlib.rcParams["axes.grid"]
    with matplotlib.rc_context({"font.size": 40}), figures.style():
        assert matplotlib.rcParams["font.size"] == figures.STYLE["font.size"]
        assert matplotlib.rcParams["axes.grid"]
    assert matplotlib.rcParams["axes.grid"] == before


def test_data_note_counts_from_the_frame():
    frame = pd.concat(
        [
            rows(run=["a", "b"], seed=[1, 2], method="plain"),
            rows(run=["a", "b"], seed=[1, 2], method="plain", metric="robust_accuracy", n=[256, 200]),
            rows(run="c", method="other"),
        ]
    )
    note = data_note(frame, MEASURES, "bootstrap over rows")
    assert note == (
        "rendered faces; n = 2,000 test images (under attack: 200 to 256); 1 to 2 seeds per setting; "
        "95 % bootstrap intervals over rows"
    )


def test_data_note_names_every_dataset_and_leaves_out_equal_counts():
    frame = pd.concat([rows(), rows(dataset="CelebA"), rows(metric="robust_accuracy")])
    note = data_note(frame, MEASURES, "bootstrap over rows")
    assert note.startswith("CelebA, rendered faces; n = 2,000 test images; 1 seed per setting")


@pytest.mark.parametrize(
    "wanted",
    [("false_negative_rate", "all", "test"), ("zero_one_loss", "men", "test"), ("zero_one_loss", "all", "valid")],
)
def test_a_missing_metric_is_one_line(wanted):
    with pytest.raises(UserError, match=rf"no rows of '{wanted[0]}'.*{wanted[1]}.*{wanted[2]}") as caught:
        select_metric(rows(), *wanted)
    assert "\n" not in str(caught.value)


def test_offsets_are_lengths_and_never_negative():
    value, low, high = pd.Series([0.5, 0.5, 0.5]), pd.Series([0.4, 0.6, np.nan]), pd.Series([0.7, 0.4, np.nan])
    np.testing.assert_allclose(figures.offsets(value, low, high), [[0.1, 0, 0], [0.2, 0, 0]], atol=1e-15)


def test_stack_gives_the_columns_asked_for():
    parts = [pd.DataFrame(), pd.DataFrame({"b": [1.0], "c": ["x"]})]
    stacked = figures.stack(parts, ["a", "b"])
    assert list(stacked.columns) == ["a", "b"] and stacked.b.tolist() == [1.0] and stacked.a.isna().all()
    assert figures.stack([], ["a"]).empty


def test_span():
    assert span(2000, 2000) == "2,000"
    assert span(1, 3) == "1 to 3"
