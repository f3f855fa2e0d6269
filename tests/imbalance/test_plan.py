"""What the rules read off the config: datasets, parts of splits, and what each part is made from."""

from types import SimpleNamespace

import pytest

from scripts.common.own_tables import register
from scripts.imbalance.plan import DEFAULTS, Plan
from scripts.imbalance.splits import Splitting
from tests.common.test_config import merged

ENTRIES = [
    {"table": "adult", "attributes": ["sex"], "quality": 4},
    {"table": "german", "attributes": ["sex"], "splits": 1, "quality": 1, "generators": ["bootstrap", "cart"]},
    {"table": "adult", "attributes": ["sex", "race"], "splits": 4, "plans": ["class"], "most_rows": 1000},
    {"table": "dutch", "attributes": ["sex"]},
]
GENERATORS = {"bootstrap": {}, "cart": {"leaf": 5}, "copula": {}}


def study(**changes):
    block = {"datasets": ENTRIES, "folds": 3, "repeats": 2, "seed": 42, "stratify": False, "splits_per_job": 3}
    return block | {"generators": GENERATORS} | changes


@pytest.fixture
def plan():
    return Plan(study())


def part(name):
    return SimpleNamespace(part=name)


def test_splits_run_in_parts_and_every_split_once(plan):
    assert plan.parts == {
        "adult.sex.0-2": ("adult.sex", [0, 1, 2]),
        "adult.sex.3-5": ("adult.sex", [3, 4, 5]),
        "german.sex.0-0": ("german.sex", [0]),
        "adult.sex-race.0-2": ("adult.sex-race", [0, 1, 2]),
        "adult.sex-race.3-3": ("adult.sex-race", [3]),
    }
    assert plan.parts_by_dataset["adult.sex-race"] == ["adult.sex-race.0-2", "adult.sex-race.3-3"]
    assert [name for parts in plan.parts_by_dataset.values() for name in parts] == list(plan.parts)
    for per_job in (1, 2, 5, 100):
        for name in plan.datasets:
            own = [numbers for of, numbers in Plan(study(splits_per_job=per_job)).parts.values() if of == name]
            numbers = [number for numbers in own for number in numbers]
            assert numbers == list(range(plan.datasets[name]["splits"])) and max(map(len, own)) <= per_job


def test_no_more_splits_than_folds_times_repeats():
    assert Plan(study(folds=2, repeats=1)).numbers(part("adult.sex.0-1")) == [0, 1]


def test_what_an_entry_leaves_out_has_its_default(plan):
    assert plan.datasets["adult.sex"] == {"table": "adult", "attributes": ["sex"]} | DEFAULTS | {"quality": 4}
    assert plan.datasets["adult.sex-race"]["plans"] == ["class"] and plan.entry(part("german.sex.0-0"))["splits"] == 1


def test_a_table_without_its_file_takes_no_part(plan):
    assert "dutch.sex" not in plan.datasets and plan.tables == ["adult", "german"]
    register({"dutch": "~/dutch.arff"})
    try:
        assert Plan(study()).tables == ["adult", "german", "dutch"]
    finally:
        register({})


def test_a_job_hangs_on_what_it_is_made_from_alone(plan):
    """An edit of the doses fits again and generates nothing anew; one of the quality does neither."""
    before = [getattr(plan, kind)(part("adult.sex.0-2")) for kind in ("generated", "fitted")]
    for change, same in (
        ({"quality": 2}, (True, True)),
        ({"doses": {"class": [0.5]}}, (True, False)),
        ({"variants": ["logistic_regression"]}, (True, False)),
        ({"draws": 3}, (False, True)),
        ({"plans": ["class"]}, (False, False)),
        ({"most_rows": 500}, (False, False)),
    ):
        edited = Plan(study(datasets=[ENTRIES[0] | change, *ENTRIES[1:]]))
        after = [getattr(edited, kind)(part("adult.sex.0-2")) for kind in ("generated", "fitted")]
        assert tuple(one == other for one, other in zip(before, after, strict=True)) == same, change


def test_settings_are_those_of_the_generators_of_a_part(plan):
    assert plan.settings(part("german.sex.0-0")) == {"bootstrap": {}, "cart": {"leaf": 5}}
    assert plan.settings(part("adult.sex.0-2")) == {"bootstrap": {}}
    assert plan.table(part("german.sex.0-0")) == "results/data/tabular/german.parquet"
    assert Splitting(**plan.splitting) == Splitting(3, 2, 42, False)


def test_the_largest_parts_begin_first(plan):
    order = sorted(plan.parts, key=lambda name: -plan.priority(part(name)))
    assert order[0].startswith("adult.sex.") and order[-1] in ("german.sex.0-0", "adult.sex-race.3-3")


def test_parts_with_one_of_the_first_splits_are_judged(plan):
    assert plan.judged_by_dataset == {"adult.sex": ["adult.sex.0-2", "adult.sex.3-5"], "german.sex": ["german.sex.0-0"]}
    assert plan.judged_parts == ["adult.sex.0-2", "adult.sex.3-5", "german.sex.0-0"]
    entries = [ENTRIES[0] | {"quality": 3}]
    assert Plan(study(datasets=entries)).judged_parts == ["adult.sex.0-2"]


@pytest.mark.parametrize("overlays", [[], ["config.test.yaml"], ["config.paper.yaml"]])
def test_the_configured_scales_name_distinct_parts(overlays):
    block = merged(*overlays)["imbalance"]
    found = Plan(block)
    assert len(found.parts) == sum(map(len, found.parts_by_dataset.values())) and found.judged_parts
    assert {name for entry in found.measured for name in entry["generators"]} <= set(block["generators"])
