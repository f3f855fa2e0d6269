"""What a job does not need it does not import: the packages that the script of each rule imports when it starts."""

import ast
import re
from functools import cache

import pytest

from scripts.common.imports import project_imports
from tests.workflow.conftest import ROOT
from tests.workflow.rule_files import all_rules, directive

SCRIPTS = {
    name: found[0]
    for _, name, body in all_rules()
    if not name.endswith("_bench") and (found := re.search(r"scripts/[^\"]+\.py", directive(body, "script")))
}
# Heavy packages, and the only rules that import them. xgboost and fairlearn import sklearn, and that scipy.stats.
ALLOWED = {
    "torch": {"backdoor_mitigate", "backdoor_scan", "backdoor_train", "frtrain_initial"}
    | {"encrypted_tfhe_train", "encrypted_train", "multitask_fit", "tradeoffs_evaluate", "tradeoffs_train"},
    "torchvision": set(),
    "sklearn": {"boosting_fit", "boosting_golden", "income_fit", "leakage_checks", "leakage_models"},
    "scipy.stats": set(),
    "scipy.optimize": set(),
    "fairlearn": set(),
    "xgboost": {"boosting_fit", "boosting_onnx", "income_fit", "leakage_models"},
    "onnx": {"boosting_onnx"},
}
# numba may stand in what is fitted or checked with kernels alone, matplotlib in what draws alone.
KINDS = {"numba": r"_(compile|fit|golden|measure|onnx|two_stages)$", "matplotlib": r"_draw$|figure|contact_sheet"}
COMPILER = re.compile(r"torch\.(optim\.\w+\(|_dynamo)")  # a config may ask for torch.compile, which needs it


@cache
def imported(script: str) -> frozenset[str]:
    """Return the modules that a project file imports when it is imported, directly or through other project files."""
    names, waiting, seen = set(), [script], set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for name in at_import((ROOT / path).read_text(encoding="utf-8")):
            base = name.replace(".", "/")
            files = [file for file in (f"{base}.py", f"{base}/__init__.py") if (ROOT / file).is_file()]
            waiting += [file for file in files if file not in seen]
            names.add(name)
    return frozenset(names)


def at_import(text: str) -> list[str]:
    """Return the modules named by the imports of a source that run when it is imported: not those in functions."""
    names, waiting = [], list(ast.parse(text).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += [
                child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.excepthandler))
            ]
    return names


def importing(package: str) -> set[str]:
    """Return the rules whose scripts import a package, or a module of it, when they start."""
    return {
        rule
        for rule, script in SCRIPTS.items()
        if any(name == package or name.startswith(f"{package}.") for name in imported(script))
    }


@pytest.mark.parametrize("package", ALLOWED)
def test_only_the_rules_that_need_a_heavy_package_import_it(package):
    assert importing(package) == ALLOWED[package]


@pytest.mark.parametrize("package", KINDS)
def test_only_the_kinds_of_rules_that_need_a_package_import_it(package):
    rules = importing(package)
    assert rules and [rule for rule in sorted(rules) if not re.search(KINDS[package], rule)] == []


def test_figures_and_tables_import_no_learner():
    drawing = {rule for rule in SCRIPTS if re.search(r"_(draw|figure|gather|compare)(_|$)", rule)}
    assert len(drawing) > 10 and drawing & (importing("torch") | importing("xgboost") | importing("fairlearn")) == set()


def test_no_rule_that_trains_calls_what_imports_the_compiler_of_torch():
    files = {path for script in SCRIPTS.values() for path in (script, *project_imports(script, ROOT))}
    files -= {"scripts/common/optimizers.py"}  # which calls the methods below
    calls = {
        path: found[0]
        for path in sorted(files)
        if (found := COMPILER.search((ROOT / path).read_text(encoding="utf-8")))
    }
    assert calls == {}


def test_imports_in_functions_and_for_types_do_not_count():
    text = "import a\nif TYPE_CHECKING:\n    import b\ndef f():\n    import c\n"
    text += "try:\n    from d import e\nexcept X:\n    import g\n"
    assert sorted(at_import(text)) == ["a", "d", "d.e", "g"]
