"""What the rules read off the config: datasets, jobs, and what each job is made from."""

from types import SimpleNamespace

import pytest

from scripts.common.own_tables import register
from scripts.multitask.methods import ABLATIONS, CONFLICTS_OF, FAMILIES, FAULTS, METHODS, NEEDS_CLUSTERS
from scripts.multitask.plan import OF_FITS, Plan
from tests.common.test_config import merged
from tests.multitask.test_consistency import ACS, ADULT, CELEBA, FOLKTABLES, GENERATED, study

TRAINING = {"widths": [8, 8], "epochs": 3, "batch_size": 64}
FEW = ADULT | {"name": "few", "seeds": [1, 2, 3], "few_seeds": [2], "faults": True}
SOME = CELEBA | {"methods": ["stl", "stl_fair", "teacher_random", "fairbranch_as_published"]}


def block(*entries, **changes):
    return study(*entries, training=TRAINING, **changes)


@pytest.fixture
def plan():
    return Plan(block(ADULT, FEW, SOME, GENERATED, ACS, FOLKTABLES | {"seeds": [1]}))


def job(name):
    return SimpleNamespace(job=name)


def dataset(name):
    return SimpleNamespace(dataset=name)


def test_datasets_without_files_take_no_part(plan):
    assert [*plan.datasets] == ["adult", "few", "gen", "made"]
    assert [*Plan(block(ACS, acs="download")).datasets] == ["acs"]
    assert [*Plan(block(ACS, acs="~/files")).datasets] == ["acs"]
    assert [*Plan(block(FOLKTABLES | {"seeds": [1]}, folktables="~/x")).datasets] == ["states"]
    dutch = ADULT | {"name": "dutch", "table": "dutch"}
    assert not Plan(block(dutch)).datasets
    register({"dutch": "~/dutch.arff"})
    try:
        assert [*Plan(block(dutch)).datasets] == ["dutch"]
    finally:
        register({})


def test_every_method_is_in_the_one_job_of_its_family(plan):
    for name, entry in plan.datasets.items():
        jobs = [own for own in plan.jobs.values() if own.dataset == name]
        methods = [method for own in jobs for method in own.methods]
        assert sorted(methods) == sorted(plan.methods(entry)) and len({*methods}) == len(methods)
        for own in jobs:
            assert own.name == f"{name}.{own.family}" and own.family in FAMILIES and own.methods
            assert {METHODS[method].family for method in own.methods} == {own.family}


def test_one_job_holds_all_families_each_method_with_its_seeds():
    together = Plan(block(FEW | {"one_job": True}))
    apart = Plan(block(FEW))
    assert [*together.jobs] == ["few.all"]
    seeds = {}
    for name in apart.jobs:
        seeds |= apart.settings(job(name))["seeds"]
    assert together.settings(job("few.all"))["seeds"] == seeds
    assert together.priority(job("few.all")) - 100 == sum(apart.priority(job(name)) - 100 for name in apart.jobs)


def test_all_methods_without_faults_are_the_default(plan):
    every = {name for name, method in METHODS.items() if method.family != FAULTS}
    assert {*plan.methods(ADULT)} == every - {*NEEDS_CLUSTERS} and {*plan.methods(GENERATED)} == every
    assert {*plan.methods(FEW)} == {*METHODS} - {*NEEDS_CLUSTERS}
    assert f"adult.{FAULTS}" not in plan.jobs and f"few.{FAULTS}" in plan.jobs


def test_a_method_that_is_handed_another_fit_comes_after_it(plan):
    assert plan.methods(SOME) == ["stl", "stl_fair", "l2t_fmt", "teacher_random", "fairbranch_as_published"]
    for name, method in METHODS.items():
        if method.after:
            assert METHODS[method.after].family == method.family
            assert [*METHODS].index(method.after) < [*METHODS].index(name)


def test_ablations_and_faults_may_have_fewer_seeds(plan):
    for name, own in plan.jobs.items():
        for method, seeds in plan.settings(job(name))["seeds"].items():
            few = METHODS[method].family in (ABLATIONS, FAULTS) and own.dataset == "few"
            assert seeds == ([2] if few else plan.datasets[own.dataset]["seeds"]), (name, method)


def test_settings_of_a_job():
    entry = ADULT | {"training": {"epochs": 9}, "methods": ["stl_fair", "fairbranch", "fairbranch_no_projection"]}
    options = {"fairbranch": {"tau": 0.5}, "vanilla": {}}
    found = Plan(block(entry, options=options)).settings(job("adult.branching"))
    assert (found["dataset"], found["training"]) == ("adult", TRAINING | {"epochs": 9})
    assert found["methods"]["fairbranch"]["options"] == {"tau": 0.5}
    assert found["methods"]["fairbranch_no_projection"]["options"] == {"projection": "off"}
    assert found["sample_rows"] == 64
    plain = Plan(block(entry, options=options)).settings(job("adult.plain"))
    assert plain["methods"]["stl_fair"]["options"] == {"rule": "fixed", "weight": 1.0, "separate": True}


def test_a_job_hangs_on_what_it_is_made_from_alone():
    """What bears on the fits does not remake the people, and an option remakes the job of its method alone."""
    base = Plan(block(FEW))
    places = {name: base.settings(job(name)) for name in base.jobs}
    edits = [
        (block(FEW | {"drop": ["age"]}), set(), True),
        (
            block(FEW | {"seeds": [1, 2]}),
            {name for name in places if not name.endswith(("ablations", "faults"))},
            False,
        ),
        (block(FEW | {"few_seeds": [3]}), {"few.ablations", "few.faults"}, False),
        (block(FEW, options={"tag": {"groups": 3}}), {"few.rivals"}, False),
        (block(FEW | {"training": {"epochs": 5}}), {*places}, False),
    ]
    for edited, changed, people in edits:
        again = Plan(edited)
        assert {name for name in places if again.settings(job(name)) != places[name]} == changed
        same = again.source_settings(dataset("few")) == base.source_settings(dataset("few"))
        assert same is not people
    assert not {*OF_FITS} & {*base.source_settings(dataset("few"))["entry"]}


def test_files_that_people_are_read_from(plan):
    assert plan.people(job("few.plain")) == "results/multitask/data/few.parquet"
    assert plan.source_files(dataset("adult")) == ["results/data/tabular/adult.parquet"]
    assert plan.source_files(dataset("made")) == [] and plan.users_files(dataset("made")) == []
    assert plan.table_of(dataset("adult")) == ["adult"] and plan.table_of(dataset("gen")) == []
    assert plan.tables == ["adult"] and plan.other_files == plan.source_files(dataset("gen"))
    assert plan.source_settings(dataset("adult"))["places"] == {"table": "results/data/tabular/adult.parquet"}


def test_a_job_is_made_again_where_its_modules_change_alone(plan):
    assert plan.modules(job("adult.plain")) == ["shared"]
    assert plan.modules(job("adult.teaching")) == ["l2t_fmt", "random_teacher"]
    assert plan.modules(job("made.branching")) == ["branching", "oracle"]
    assert plan.modules(job("few.faults")) == ["branching", "l2t_fmt", "shared"]


def test_methods_whose_conflicts_are_counted_are_methods():
    assert {*CONFLICTS_OF} <= {*METHODS}
    selected = {name for name, method in METHODS.items() if method.options.get("select_by_conflicts")}
    assert selected == {"fairbranch_as_published", "fairbranch_conflict_selection"} and selected <= {*CONFLICTS_OF}


@pytest.mark.parametrize("overlays", [[], ["config.test.yaml"], ["config.paper.yaml"]])
def test_the_configured_scales_have_jobs_with_seeds(overlays):
    found = Plan(merged(*overlays)["multitask"])
    assert found.jobs
    for name in found.jobs:
        settings = found.settings(job(name))
        assert (
            settings["seeds"] and settings["methods"] and {"widths", "epochs", "batch_size"} <= {*settings["training"]}
        )
