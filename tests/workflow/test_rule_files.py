"""Rule files keep to themselves: nothing in one leaks into another, and what is shared names no study."""

import re

import pytest

from scripts.common.imports import project_imports
from tests.workflow.conftest import ROOT
from tests.workflow.rule_files import FILES, STUDIES, all_rules, bodies, directive, fits

SHARED = [ROOT / "Snakefile", *(path for path in FILES if path.stem not in STUDIES)]
JUDGING = {f"scripts/common/{name}.py" for name in ("metrics", "intervals", "pareto", "figures", "tables")}


@pytest.mark.parametrize("path", [ROOT / "Snakefile", *FILES], ids=lambda path: path.name)
def test_no_wildcard_is_constrained_for_the_whole_workflow(path):
    assert not re.search(r"^wildcard_constraints:", path.read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("study", STUDIES)
def test_rules_and_names_of_a_study_bear_its_prefix(study):
    text = (ROOT / f"rules/{study}.smk").read_text(encoding="utf-8")
    names = re.findall(r"^ *(\w+) *(?::\s*\w+)?=[^=]", re.sub(r"^ +.*$", "", text, flags=re.M), re.M)
    names += re.findall(r"^ *(?:def|class) (\w+)", text, re.M)
    for imported in re.findall(r"^(?:from \S+ )?import (.+)$", text, re.M):
        names += [part.split(" as ")[-1].strip() for part in imported.split(",")]
    names += [name for name, _ in bodies(ROOT / f"rules/{study}.smk")]
    assert names and [name for name in names if not name.lower().startswith(study)] == []
    assert not re.search(r"^for ", text, re.M), "a loop variable would be shared by all rule files"


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_what_is_shared_names_no_study(path):
    text = re.sub(r"#.*$", "", path.read_text(encoding="utf-8"), flags=re.M)
    assert re.findall(rf"\b(?:{'|'.join(STUDIES)})(?:_\w+|\b)", text) == []


def test_every_rule_is_submitted_with_its_needs_or_said_to_be_local():
    for path, name, body in all_rules():
        if not directive(body, "script"):  # a target
            continue
        listed = re.search(r"^localrules:\n((?:    .*\n)+)", path.read_text(encoding="utf-8"), re.M)
        local = name in re.findall(r"\w+", listed[1] if listed else "") or "localrule: True" in body
        needs = bool(directive(body, "benchmark")) and "runtime=" in body and "mem_mb=" in body
        assert local != needs, f"{path.name}: {name}: name it in localrules, or give it benchmark, mem_mb and runtime"


def test_the_fits_of_every_study_are_found():
    keeping = {
        name.split("_all_")[0] for _, name, _ in all_rules() if name.endswith(("_all_models", "_all_predictions"))
    }
    assert {name.split("_")[0] for name in fits()} == keeping
    assert {"boosting_fit", "boosting_two_stages", "leakage_models"} <= fits()


@pytest.mark.parametrize("rule", sorted(fits()))
def test_no_fit_imports_what_judges_or_draws(rule):
    (body,) = (body for _, name, body in all_rules() if name == rule)
    script = re.search(r"scripts/[^\"]+", directive(body, "script"))[0]
    assert JUDGING & {script, *project_imports(script, ROOT)} == set()
