"""Predictions as users write them: what is understood, what is warned of, and what is refused in one line."""

import re

import numpy as np
import pandas as pd
import pytest

from scripts.audits.outcomes import read_labels, read_predictions
from scripts.audits.reading import area_under_curve, misplaced, read_audited, read_second
from scripts.common.errors import UserError
from scripts.common.schemas.predictions import write_predictions
from tests.audits.made_up import entry, people


@pytest.mark.parametrize(
    ("negative", "positive"),
    [(0, 1), (-1, 1), (0.0, 1.0), (False, True), ("no", "yes"), ("N", "Y"), ("<=50K", ">50K"), ("<=50K.", ">50K."),
     ("bad", "good"), ("not recid", "recid"), ("FALSE", "TRUE"), ("rejected", "accepted")],
)  # fmt: skip
def test_usual_spellings_of_two_outcomes_are_known(negative, positive):
    y, others, chosen = read_labels(pd.Series([negative, positive, positive]), "", "label")
    assert y.tolist() == [0, 1, 1] and chosen == str(positive).removesuffix(".0") and len(others) == 1


@pytest.mark.parametrize(
    "values", [["<=50K", ">50K"], [0, 1], ["0", "1"], [False, True], ["<=50k.", ">50K"], ["no", "yes"]]
)
def test_predictions_are_spelled_as_labels_or_as_a_known_pair(values):
    assert read_predictions(pd.Series(values), ["<=50K"], ">50K", "prediction").tolist() == [0, 1]


def test_a_named_positive_value_is_audited_against_all_others(tmp_path):
    frame = people(600)
    frame["grade"] = np.where(frame["income"] == ">50K", "A", np.where(frame["race"] == "White", "B", "C"))
    frame["predicted"] = np.where(frame["predicted"] == ">50K", "A", "C")
    audited = read_audited(entry(tmp_path, frame, label="grade", positive="a"))
    assert (audited.y_true == (frame["income"] == ">50K")).all() and audited.about["negative"] == ["B", "C"]
    assert (audited.y_pred == (frame["predicted"] == "A")).all()


WAYS = [
    {"sep": ";"},
    {"sep": ";", "decimal": ","},
    {"encoding": "latin-1"},
    {"quoting": 1},
    {"encoding": "utf-8-sig", "lineterminator": "\r\n"},
]


@pytest.mark.parametrize("options", WAYS)
def test_a_file_may_be_written_in_any_usual_way(tmp_path, options):
    frame = people(400).replace({"Asian": "Åsian"})
    plain = read_audited(entry(tmp_path, frame, score="score"))
    frame.to_csv(tmp_path / "other.csv", index=False, **options)
    other = read_audited(entry(tmp_path, frame, score="score") | {"predictions": str(tmp_path / "other.csv")})
    assert (other.y_pred == plain.y_pred).all() and other.groups == plain.groups
    np.testing.assert_array_equal(other.score, plain.score)


def test_columns_called_like_ours_and_thousands_separators_do_no_harm(tmp_path):
    frame = people(400).rename(columns={"income": "y", "predicted": "y_pred", "person": "row_id", "race": "attribute"})
    frame["score"] = [f"{1000 * value:,.1f}" for value in frame["score"]]
    settings = {"label": "y", "prediction": "y_pred", "attributes": ["sex", "attribute"], "score": "score"}
    audited = read_audited(entry(tmp_path, frame) | settings)
    assert audited.ids is not None and audited.about["columns"]["id"] == "row_id"
    assert audited.score.max() > 1000 and not audited.warnings


def test_scores_with_a_threshold_stand_for_decisions(tmp_path):
    frame = people(500)
    audited = read_audited(entry(tmp_path, frame, prediction="", score="score", threshold=0.5))
    assert (audited.y_pred == (frame["score"] >= 0.5)).all() and audited.name == "score >= 0.5"


def test_a_file_of_our_own_schema_is_read_with_the_names_of_its_groups(tmp_path):
    frame = people(400)
    coded = pd.DataFrame({"run": "r", "row_id": np.arange(400), "split": "test"})
    coded = coded.assign(
        y_true=(frame["income"] == ">50K").astype("int8"), y_pred=(frame["predicted"] == ">50K").astype("int8"),
        score=frame["score"].astype("float32"), sex=(frame["sex"] == "Male").astype("int8"),
    )  # fmt: skip
    write_predictions(coded, tmp_path / "p.parquet", {"sex": ["women", "men"]})
    settings = {"predictions": str(tmp_path / "p.parquet"), "label": "y_true", "prediction": "y_pred"}
    audited = read_audited({**settings, "attributes": ["sex"], "score": "score"})
    assert audited.groups == {"sex": ["women", "men"]} and (audited.codes["sex"] == coded["sex"]).all()


def changed(column, row, value):
    def change(frame):
        frame = frame.astype({column: object})
        frame.loc[row, column] = value
        return frame

    return change


BAD = {
    "label missing": (changed("income", 4, None), {}, "label 'income' is missing in 1 of 400 rows (first: row 5)"),
    "attribute missing": (changed("sex", 0, ""), {}, "attribute 'sex' is missing in 1 of 400 rows (first: row 1)"),
    "prediction missing": (changed("predicted", 9, None), {}, "prediction 'predicted' is missing in 1 of 400"),
    "score missing": (changed("score", 2, None), {"score": "score"}, "'score' is missing in 1 rows (first: row 3)"),
    "score a word": (changed("score", 2, "high"), {"score": "score"}, "holds values that are no numbers"),
    "one label": (lambda f: f.assign(income="<=50K"), {}, "has the one value '<=50K' in all rows"),
    "three labels": (changed("income", 3, "?"), {}, "'<=50K', '>50K', '?'; an audit compares two outcomes"),
    "unknown pair": (lambda f: f.replace({">50K": "2", "<=50K": "1"}), {}, "say which one is the favourable outcome"),
    "no such positive": (lambda f: f, {"positive": "rich"}, "never is 'rich', the positive value"),
    "probabilities": (lambda f: f.assign(predicted=np.linspace(0, 1, 400)), {}, "holds probabilities"),
    "numbers": (lambda f: f.assign(predicted=f["score"]), {}, "different numbers, no decisions"),
    "other words": (changed("predicted", 1, "maybe"), {}, "holds 'maybe', which no label is"),
    "one group": (lambda f: f.assign(sex="x"), {}, "has the one value 'x'; groups are compared"),
    "ages": (lambda f: f.assign(race=np.arange(400)), {}, "has 400 different values, at most 100 groups"),
    "no column": (lambda f: f, {"attributes": ["Sex"]}, "no column 'Sex'; did you mean 'sex'? it has 'person'"),
    "no prediction": (lambda f: f, {"prediction": ""}, "name the column of decisions"),
    "one column twice": (lambda f: f, {"label": "predicted"}, "is named as label and as prediction"),
    "ids twice": (changed("person", 7, 100), {"id": "person"}, "id 'person': '100' occurs twice (rows 1 and 8)"),
    "empty": (lambda f: f.head(0), {}, "has a line of names and no rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_audited_is_one_line(tmp_path, case):
    spoil, more, message = BAD[case]
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        read_audited(entry(tmp_path, spoil(people(400)), **more))
    assert "people.csv" in str(caught.value) and len(str(caught.value)) < 400


def test_a_missing_file_and_nested_columns_are_one_line(tmp_path):
    with pytest.raises(UserError, match=r"nobody.csv: no such file"):
        read_audited(entry(tmp_path, people(50)) | {"predictions": str(tmp_path / "nobody.csv")})
    frame = people(50)
    frame["sex"] = [[sex] for sex in frame["sex"]]
    frame.to_parquet(tmp_path / "nested.parquet")
    with pytest.raises(UserError, match=r"the column 'sex' is of type list"):
        read_audited(entry(tmp_path, people(50)) | {"predictions": str(tmp_path / "nested.parquet")})


def test_small_groups_are_named_and_kept_and_fifty_groups_are_warned_of(tmp_path):
    frame = people(2000)
    frame.loc[:6, "race"] = "Other"
    frame["town"] = [f"town {number % 50}" for number in range(2000)]
    audited = read_audited(entry(tmp_path, frame, attributes=["race", "town"]))
    assert (
        "Other" in audited.groups["race"]
        and (audited.codes["race"] == audited.groups["race"].index("Other")).sum() == 7
    )
    assert [line.split(";")[0] for line in audited.warnings] == [
        "race: fewer than 20 rows in Other (7)",
        "town: 50 groups",
    ]


def test_scores_that_contradict_are_warned_of(tmp_path):
    frame = people(1000)
    flipped = read_audited(entry(tmp_path, frame.assign(score=-frame["score"]), score="score"))
    assert len(flipped.warnings) == 3 and "higher scores go with negative predictions" in flipped.warnings[0]
    other = read_audited(entry(tmp_path, frame.assign(score=frame["score"].round(0)), score="score"))
    assert any("no threshold gives the predictions" in line for line in other.warnings)
    assert read_audited(entry(tmp_path, frame, score="score")).warnings == []


def test_misplaced_rows_and_areas_by_counting():
    random = np.random.default_rng(0)
    for _ in range(50):
        score, y = random.integers(0, 6, 12).astype(float), random.integers(0, 2, 12)
        tried = [((score > cut) != y).sum() for cut in [-1, *range(6)]]
        assert misplaced(score, y) == min(tried)
        ones, zeros = score[y == 1], score[y == 0]
        if len(ones) and len(zeros):
            wins = (ones[:, None] > zeros).mean() + (ones[:, None] == zeros).mean() / 2
            assert area_under_curve(score, y) == pytest.approx(wins)


def test_found_ids_that_occur_twice_are_warned_of(tmp_path):
    frame = people(400).rename(columns={"person": "id"})
    frame.loc[7, "id"] = 100
    audited = read_audited(entry(tmp_path, frame))
    assert audited.ids is None and "'100' occurs twice" in audited.warnings[0]


def test_a_second_file_is_matched_by_ids_or_by_its_order(tmp_path):
    frame = people(400)
    other = frame.assign(predicted=frame["predicted"].to_numpy()[::-1])
    settings = entry(tmp_path, frame, id="person", compare=str(tmp_path / "b.csv"))
    other.sample(frac=1, random_state=0)[["person", "predicted"]].to_csv(tmp_path / "b.csv", index=False)
    second = read_second(settings, read_audited(settings))
    assert (second.y_pred == (other["predicted"] == ">50K")).all() and second.about["matched"] == "by 'person'"
    other.to_csv(tmp_path / "b.csv", index=False)
    by_order = settings | {"id": ""}
    assert (read_second(by_order, read_audited(by_order)).y_pred == second.y_pred).all()


def test_second_files_of_other_rows_are_refused(tmp_path):
    frame = people(400)
    settings = entry(tmp_path, frame, compare=str(tmp_path / "b.csv"))
    first = read_audited(settings)
    cases = {
        "has 399 rows, the first file 400": frame.head(399),
        "label 'income' differs from that of the first file": frame.sample(frac=1, random_state=1),
        "attribute 'sex' differs": frame.assign(sex=frame["sex"].to_numpy()[::-1]),
    }
    for message, other in cases.items():
        other.to_csv(tmp_path / "b.csv", index=False)
        with pytest.raises(UserError, match=message):
            read_second(settings, first)
    frame.assign(person=frame["person"] + 1).to_csv(tmp_path / "b.csv", index=False)
    with_ids = settings | {"id": "person"}
    with pytest.raises(UserError, match=r"lacks 1 ids of the first file \(such as '100'\)"):
        read_second(with_ids, read_audited(with_ids))


def test_two_predictions_may_stand_in_one_file(tmp_path):
    frame = people(400).assign(other=lambda frame: frame["predicted"].to_numpy()[::-1])
    settings = entry(tmp_path, frame, compare_prediction="other")
    second = read_second(settings, read_audited(settings))
    assert second.name == "other" and (second.y_pred == (frame["other"] == ">50K")).all()
