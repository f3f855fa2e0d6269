"""What a schema cannot say of the block: every mistake is one line that names the place."""

import inspect
from dataclasses import fields
from importlib import import_module

import pytest

from scripts.common.errors import UserError
from scripts.multitask import fairbranch, l2t_fmt
from scripts.multitask.branching import train as branching
from scripts.multitask.consistency import check
from scripts.multitask.methods import METHODS, OPTIONS, options_of
from tests.common.test_config import merged
from tests.multitask.small import problem

ADULT = {"name": "adult", "source": "table", "table": "adult", "attribute": "sex", "seeds": [1, 2]}
CELEBA = {"name": "gen", "source": "celeba", "attribute": "Male", "seeds": [1]}
GENERATED = {"name": "made", "source": "generated", "attribute": "group", "rows": 600, "tasks": 4, "seeds": [1]}
ACS = {"name": "acs", "source": "acs", "attribute": "sex", "seeds": [1]}
FOLKTABLES = {"name": "states", "source": "folktables", "attribute": "sex", "train_year": 2018, "test_year": 2019}


def study(*entries, **changes):
    return {"datasets": list(entries), "acs": "", "folktables": "", "options": {}, "sample_rows": 64} | changes


def without(entry, key):
    return {name: value for name, value in entry.items() if name != key}


MISTAKES = {
    "twice": (study(ADULT, CELEBA, ADULT), "multitask.datasets: two are called adult; keep one"),
    "no table": (study(without(ADULT, "table")), "adult: table is missing; source table needs it"),
    "no attribute": (study(without(CELEBA, "attribute")), "gen: attribute is missing; source celeba needs it"),
    "no rows": (study(without(GENERATED, "rows")), "made: rows is missing; source generated needs it"),
    "no number of tasks": (study(without(GENERATED, "tasks")), "made: tasks is missing"),
    "no year": (
        study(without(FOLKTABLES, "test_year") | {"seeds": [1]}, folktables="x"),
        "states: test_year is missing; source folktables needs it",
    ),
    "unknown table": (study(ADULT | {"table": "adlut"}), "multitask.datasets.adult.table: no table 'adlut'; there are"),
    "unknown attribute": (study(ADULT | {"attribute": "gender"}), "adult has no attribute 'gender'; there are sex"),
    "one task": (
        study(ADULT | {"tasks": {"income": {"column": "y"}}}),
        "adult: tasks: one task alone shares nothing; name at least two",
    ),
    "one attribute of faces": (study(CELEBA | {"tasks": ["Smiling"]}), "gen: tasks: one task alone"),
    "unknown method": (study(ADULT | {"methods": ["stl", "pcgard"]}), "adult: methods: no method 'pcgard'; there are"),
    "no clusters": (
        study(ADULT | {"methods": ["stl_fair", "fairbranch_oracle"]}),
        "adult: methods: fairbranch_oracle needs clusters of tasks that are known; only generated data",
    ),
    "no reference": (study(ADULT | {"methods": ["stl_fair", "vanilla", "fairbranch"]}), "methods: stl is missing"),
    "no fair reference": (
        study(ADULT | {"methods": ["stl", "fairbranch"]}),
        "methods: stl_fair is missing; the others",
    ),
    "no reference of faults": (study(ADULT | {"methods": ["stl"], "faults": True}), "methods: stl_fair is missing"),
    "nothing to select by": (
        study(ADULT | {"faults": True}, sample_rows=0),
        "adult: methods: fairbranch_.* counts conflicts; set sample_rows above 0",
    ),
    "named and nothing to select by": (
        study(ADULT | {"methods": ["stl_fair", "fairbranch_conflict_selection"]}, sample_rows=0),
        "fairbranch_conflict_selection counts conflicts; set sample_rows above 0",
    ),
    "an option and nothing to select by": (
        study(ADULT, options={"fairbranch": {"select_by_conflicts": True}}, sample_rows=0),
        "adult: methods: fairbranch counts conflicts; set sample_rows above 0",
    ),
    "few seeds of others": (
        study(ADULT | {"few_seeds": [1, 7]}),
        "adult: few_seeds: 7 is none of its seeds; take some",
    ),
    "options of no method": (
        study(ADULT, options={"fairbranhc": {}}),
        "options: no method 'fairbranhc'; there are stl",
    ),
    "unknown option": (
        study(ADULT, options={"fairbranch": {"treshold": 0.5}}),
        "multitask.options.fairbranch: no option 'treshold'; there are select_by_conflicts, identical_heads, tau,",
    ),
    "option of another method": (
        study(ADULT, options={"pcgrad": {"tau": 0.5}}),
        "pcgrad: no option 'tau'; there are fai",
    ),
    "weight of a method without": (study(ADULT, options={"vanilla": {"weight": 2}}), "no option 'weight'; it has none"),
    "what a method is": (study(ADULT, options={"fixed_1": {"rule": "greedy"}}), "no option 'rule'; there are weight"),
    "what its teacher is": (study(ADULT, options={"teacher_random": {"teacher": "learned"}}), "no option 'teacher'"),
    "tau 0": (
        study(ADULT, options={"fairbranch": {"tau": 0}}),
        "options.fairbranch.tau: 0, but a similarity is above 0",
    ),
    "tau above 1": (study(ADULT, options={"fairbranch_cosine": {"tau": 1.01}}), "fairbranch_cosine.tau: 1.01, but"),
    "tau as text": (study(ADULT, options={"fairbranch": {"tau": "high"}}), "fairbranch.tau: high, but a similarity"),
    "tau not a number": (study(ADULT, options={"fairbranch": {"tau": float("nan")}}), "fairbranch.tau: nan, but"),
    "nothing left": (
        study(ACS, FOLKTABLES | {"seeds": [1]}),
        "multitask.datasets: only datasets without files are left; name their files",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_that_names_its_place(case):
    block, message = MISTAKES[case]
    with pytest.raises(UserError, match=message) as refused:
        check(block)
    assert "\n" not in str(refused.value) and str(refused.value).startswith("config: multitask.")


@pytest.mark.parametrize(
    "block",
    [
        study(ADULT, CELEBA, GENERATED, ACS),
        study(ADULT | {"faults": True, "few_seeds": [2]}),
        study(ADULT, sample_rows=0),  # no method that counts conflicts is run
        study(ADULT | {"methods": ["stl", "vanilla"]}),
        study(ADULT | {"methods": ["stl_fair", "teacher_random"]}),
        study(GENERATED | {"methods": ["stl_fair", "fairbranch_oracle"]}),
        study(ADULT, options={"fairbranch": {"tau": 1, "branch_every": 3}, "fixed_1": {"weight": 2.0}}),
        study(ADULT, options={"fairbranch_oracle": {"projection": "off"}, "stl": {}}),
    ],
)
def test_blocks_that_fit_are_accepted(block):
    check(block)


@pytest.mark.parametrize("overlays", [[], ["config.test.yaml"], ["config.paper.yaml"]])
def test_the_configured_scales_are_accepted(overlays):
    check(merged(*overlays)["multitask"])


IMPLIED = {"problem", "sample", "learned", "options"}  # handed by the job
FIXED = {"shared": {"rule", "separate", "frozen_trunk"}}  # what a method is
DATACLASSES = {"l2t_fmt": l2t_fmt, "random_teacher": l2t_fmt, "branching": fairbranch, "oracle": fairbranch}
DECIDED = {"random_teacher": {"teacher", "shares"}}  # by the function itself


@pytest.mark.parametrize("function", sorted({method.function for method in METHODS.values()}))
def test_the_table_of_options_is_that_of_the_signatures(function):
    module, name = function.split(":")
    there = {*inspect.signature(getattr(import_module(f"scripts.multitask.{module}"), name)).parameters}
    if module in DATACLASSES:
        there |= {field.name for field in fields(DATACLASSES[module].Options)}
    assert {*OPTIONS[module]} == there - IMPLIED - FIXED.get(module, set()) - DECIDED.get(module, set())


def test_every_method_takes_its_own_options():
    for name, method in METHODS.items():
        fixed = FIXED.get(method.function.split(":")[0], set())
        assert {*method.options} - fixed <= {*options_of(name)}, name


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"projection": "branch"}, "projection is 'branch'; take one of off, branches, siblings, all_layers"),
        ({"weights": "always"}, "weights is 'always'; take one of zero, one, head, all"),
        ({"similarity": "euclid"}, "similarity is 'euclid'; take one of cka, cosine, random"),
        ({"tau": 1.5}, "tau is 1.5; a similarity is above 0"),
        ({"branch_every": 0}, "branch_every is 0; take 1 epoch or more"),
    ],
)
def test_a_value_that_there_is_not_is_refused(option, message):
    with pytest.raises(UserError, match=message):
        branching(problem(), None, **option)
