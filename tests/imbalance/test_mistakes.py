"""Data and settings that cannot work end in one line before anything is fitted, and leave no file."""

import numpy as np
import pandas as pd
import pytest

from scripts.common import parquet, tabular
from scripts.common.errors import UserError
from scripts.common.tabular import table_of
from scripts.imbalance import augmentation, synthetic_file
from scripts.imbalance.imbalance_fit import fit_part, fit_splits
from scripts.imbalance.imbalance_generate import generate
from scripts.imbalance.people import people
from scripts.imbalance.splits import Splitting, splits
from tests.imbalance.synthetic import CLASSIFIER, LIMITS, RARE, SETTINGS, SPLITTING, adult_table, entry

SMALL = entry(splits=2, plans=["class", "protected"], generators=["bootstrap", "cart"])


def run(frame, settings, folder, splitting=SPLITTING, **limits):
    """Generate and fit one split; return the runs."""
    rows = folder / "rows.parquet"
    output = {"predictions": str(folder / "predictions.parquet"), "runs": str(folder / "runs.parquet")}
    generate(frame, settings, [0], splitting, SETTINGS, **LIMITS | limits, output=rows)
    fit_part(frame, settings, [0], splitting, rows, CLASSIFIER, output)
    return parquet.read(output["runs"])


@pytest.fixture
def refuse(tmp_path, monkeypatch):
    """Return a check that a run is refused with a message, with nothing fitted and no file left."""
    fitted = []
    monkeypatch.setattr(augmentation, "fit", lambda name, *_: fitted.append(name))

    def check(message, frame, settings=SMALL, splitting=SPLITTING, **limits):
        with pytest.raises(UserError, match=message) as refused:
            run(frame, settings, tmp_path, splitting, **limits)
        assert "\n" not in str(refused.value) and not fitted and not list(tmp_path.iterdir())

    return check


def test_a_largest_group_of_one_class_has_no_ratio(refuse):
    frame = adult_table()
    frame.loc[frame["sex"] == "Male", "y"] = 1
    refuse("plan same_class: the largest group, men, has one label only in its", frame, entry(plans=["same_class"]))


def few_women(rows):
    """Adults of whom so many women have label 1."""
    frame = adult_table()
    women = np.flatnonzero(frame["sex"] == "Female")
    frame.loc[women, "y"] = 0
    frame.loc[women[:rows], "y"] = 1
    return frame


def test_a_cell_that_is_too_small_for_a_generator_is_named(refuse):
    # three folds: of four women two are in training in some split
    settings = entry(plans=["class"], generators=["bootstrap", "smote_nc"])
    refuse(r"adult: women, label 1 has \d training rows in split \d, and smote_nc needs 4; join groups", few_women(4),
           settings)  # fmt: skip


def test_a_cell_without_training_rows_is_named(refuse):
    message = r"adult: plan class adds rows to women, label 1, which has none among the training rows in split \d"
    refuse(message, few_women(1), entry(plans=["class"]))


def test_a_later_split_is_checked_before_the_first_is_fitted(refuse):
    frame = few_women(0)
    second = splits(people(adult_table(), "adult", ["sex"]), SPLITTING)[1][1]  # the test part of split 1
    frame.loc[next(row for row in second if frame["sex"][row] == "Female"), "y"] = 1
    refuse(r"which has none among the training rows in split 1;", frame, entry(plans=["class"], splits=3))


def test_smote_nc_needs_numbers(refuse):
    tabular.OWN["codes"] = {
        "source": {"file": "codes.csv"},
        "label": {"column": "paid", "one": 1, "zero": 0, "positive": "paid"},
        "numeric": [],
        "categorical": ["sex", "job"],
        "attributes": {"sex": {"column": "sex", "groups": {"women": ["w"], "men": ["m"]}, "privileged": "men"}},
    }
    table_of.cache_clear()
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"sex": random.choice(["w", "m"], 80), "job": random.choice(["a", "b"], 80)})
    frame = frame.assign(row_id=range(80), y=random.integers(0, 2, 80))
    try:
        refuse("codes: smote_nc needs a numeric column, and this table has none; leave it out", frame,
               entry(table="codes", generators=["bootstrap", "smote_nc"]))  # fmt: skip
    finally:
        tabular.OWN.clear()
        table_of.cache_clear()


def test_a_plan_that_adds_too_many_rows_or_needs_too_much_memory_is_named(refuse):
    refuse(r"plan class would add \d+ rows to 240 in split 0, more than 0.1 times as many; .* imbalance.most_added",
           adult_table(), most_added=0.1)  # fmt: skip
    refuse(r"plan class would add \d+ rows, which needs about 0 MB where 0 MB are allowed; take fewer rows",
           adult_table(), memory_mb=0.01)  # fmt: skip


def test_more_folds_than_rows_of_the_smallest_cell(refuse):
    refuse("the smallest cell of group and label has 2 rows, fewer than 3 folds", few_women(2),
           splitting=Splitting(stratify=True))  # fmt: skip


def test_a_column_that_no_training_row_has_a_value_of(tmp_path):
    frame = adult_table()
    tested = splits(people(frame, "adult", ["sex"]), SPLITTING)[0][1]
    frame["workclass"] = frame["workclass"].where(frame.index.isin(tested[:3]))
    with pytest.raises(UserError, match="workclass: has no value in the training rows of a split; leave the column"):
        run(frame, SMALL, tmp_path)
    assert not list(tmp_path.iterdir())


def test_rows_of_another_table_are_refused(tmp_path):
    rows = tmp_path / "rows.parquet"
    generate(adult_table(), SMALL, [0], SPLITTING, SETTINGS, **LIMITS, output=rows)
    other = adult_table().assign(native_country="Cuba")
    with pytest.raises(UserError, match="adult: the synthetic rows are of another table; delete them and rerun"):
        fit_part(other, SMALL, [0], SPLITTING, rows, CLASSIFIER, {"predictions": "none", "runs": "none"})


def test_a_category_of_the_test_part_alone_works(tmp_path):
    frame = adult_table()
    rare = [number for number, (_, test) in enumerate(splits(people(frame, "adult", ["sex"]), SPLITTING)) if 0 in test]
    assert frame["native_country"][0] == RARE
    generate(frame, SMALL | {"splits": 6}, rare, SPLITTING, SETTINGS, **LIMITS, output=tmp_path / "rows.parquet")
    output = {"predictions": str(tmp_path / "predictions.parquet"), "runs": str(tmp_path / "runs.parquet")}
    fit_part(frame, SMALL, rare, SPLITTING, tmp_path / "rows.parquet", CLASSIFIER, output)
    runs = parquet.read(output["runs"])
    assert runs["moved"].any() and (runs.groupby("split_number").size() == 1 + 2 + 4 + 4).all()
    rows = parquet.read(output["predictions"])
    assert rows["score"].notna().all() and (rows["row_id"] == 0).sum() == len(runs)


def test_a_constant_column_and_gaps_work(tmp_path):
    frame = adult_table().assign(workclass="a", capital_gain=0)
    gaps = np.random.default_rng(0).random((len(frame), 2)) < 0.2
    frame[["age", "occupation"]] = frame[["age", "occupation"]].mask(gaps)
    settings = SMALL | {"generators": ["bootstrap", "cart", "copula", "smote_nc"], "variants": ["logistic_regression"]}
    assert len(run(frame, settings, tmp_path)) == 1 + 2 + 8 + 3
    for rows in synthetic_file.read(tmp_path / "rows.parquet"):
        assert np.isfinite(rows.table.numeric).all() and (rows.table.codes >= 0).all()
        assert (rows.table.frame()["workclass"] == "a").all() and not rows.table.frame()["capital_gain"].any()
        assert rows.table.frame()["age"].dtype == np.int64 or rows.generator == "smote_nc"


def test_gaps_are_filled_without_a_look_at_test_rows():
    """Other values of test rows change no prediction of a test row whose value is a gap."""
    frame = adult_table()
    frame["age"] = frame["age"].mask(np.random.default_rng(1).random(len(frame)) < 0.3)
    test = splits(people(frame, "adult", ["sex"]), SPLITTING)[0][1]
    gaps = frame["age"].isna().to_numpy()[test]
    other = frame.assign(age=frame["age"].where(~frame.index.isin(test) | frame["age"].isna(), 10**6))
    alone = entry(plans=[], controls=[])
    scores = [
        fit_splits(people(own, "adult", ["sex"]), alone, [0], SPLITTING, [], CLASSIFIER)[0]["score"].to_numpy()
        for own in (frame, other)
    ]
    assert np.array_equal(scores[0][gaps], scores[1][gaps]) and not np.array_equal(*scores) and gaps.sum() > 10


def test_a_second_run_gives_the_same_bytes_in_parts_of_any_size(tmp_path):
    frame = adult_table(150)
    settings = SMALL | {"draws": 2, "plans": ["class_protected"], "generators": ["cart"], "controls": []}
    for name, parts in (("once", [[0, 1]]), ("again", [[0, 1]]), ("apart", [[1], [0]])):
        for numbers in parts:
            rows = tmp_path / f"{name}{numbers[0]}.parquet"
            output = {kind: str(tmp_path / f"{name}{numbers[0]}.{kind}") for kind in ("predictions", "runs")}
            generate(frame, settings, numbers, SPLITTING, SETTINGS, **LIMITS, output=rows)
            fit_part(frame, settings, numbers, SPLITTING, rows, CLASSIFIER, output)
    for kind in ("parquet", "predictions", "runs"):
        assert (tmp_path / f"once0.{kind}").read_bytes() == (tmp_path / f"again0.{kind}").read_bytes(), kind
    whole = parquet.read(tmp_path / "once0.predictions")
    parts = pd.concat([parquet.read(tmp_path / f"apart{number}.predictions") for number in (0, 1)], ignore_index=True)
    pd.testing.assert_frame_equal(whole, parts)
    doubled = parquet.read(tmp_path / "once0.runs")
    assert doubled["run"].is_unique and not list(tmp_path.glob("*.part*"))
