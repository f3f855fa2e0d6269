"""What a schema cannot say of the block: every mistake is one line that names the place."""

import pytest

from scripts.common.errors import UserError
from scripts.imbalance.consistency import check

ADULT = {"table": "adult", "attributes": ["sex"]}
GERMAN = {"table": "german", "attributes": ["sex"]}


def study(*entries, **changes):
    return {"datasets": list(entries), "folds": 3, "repeats": 2, "splits_per_job": 3} | changes


MISTAKES = {
    "unknown table": (study({"table": "adlut", "attributes": ["sex"]}), r"datasets.0.table: no table 'adlut'; there"),
    "unknown attribute": (
        study(ADULT, {"table": "german", "attributes": ["race"]}),
        "german.race: german has no attribute 'race'; there are sex, age",
    ),
    "unknown feature": (
        study(ADULT | {"without": ["relation"]}),
        "adult.sex: without: no feature 'relation'; there are age, capital_gain",
    ),
    "sensitive feature": (study(ADULT | {"without": ["sex"]}), "without: no feature 'sex'"),
    "too many splits": (study(ADULT | {"splits": 7}), "adult.sex: splits: 7, but 3 folds x 2 repeats are 6"),
    "few repeats": (study(ADULT | {"splits": 6}, repeats=1), "splits: 6, but 3 folds x 1 repeats are 3"),
    "dose of no plan": (
        study(ADULT | {"plans": ["class"], "doses": {"protected": [0.5]}}),
        "adult.sex: doses: protected is none of its plans; add it to plans",
    ),
    "twice": (study(ADULT, GERMAN, ADULT), "imbalance.datasets"),
    "no bootstrap": (
        study(ADULT | {"generators": ["cart"], "doses": {"class": [0.5]}}),
        "doses, variants and without need the generator bootstrap; add it",
    ),
    "checks without bootstrap": (
        study(ADULT | {"generators": ["cart"], "variants": ["logistic_regression"]}),
        "need the generator bootstrap",
    ),
    "nothing left": (
        study({"table": "dutch", "attributes": ["sex"]}),
        "imbalance.datasets: only tables without a file are left; name it under tables",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_that_names_its_place(case):
    block, message = MISTAKES[case]
    with pytest.raises(UserError, match=message) as refused:
        check(block)
    assert "\n" not in str(refused.value) and str(refused.value).startswith("config")


@pytest.mark.parametrize(
    "block",
    [
        study(ADULT, GERMAN, ADULT | {"attributes": ["sex", "race"]}, ADULT | {"attributes": ["race", "sex"]}),
        study(ADULT | {"splits": 6, "without": ["relationship", "age"], "doses": {"class": [0.1, 0.9]}}),
        study(ADULT, {"table": "dutch", "attributes": ["sex"]}),
        study(ADULT | {"generators": ["cart"], "doses": {}}),
        study({"table": "german", "attributes": ["age"], "without": ["sex", "marital_status"]}),
    ],
)
def test_blocks_that_fit_are_accepted(block):
    check(block)
