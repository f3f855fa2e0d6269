"""The conda files against the rules, the scripts and the pip lock. The solve itself needs a conda program."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from scripts.common.imports import project_imports

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
RULES = [path for path in sorted((ROOT / "rules").glob("*.smk"))]
PIP_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}  # conda name -> pip name
IMPORT_NAMES = {"pyyaml": "yaml", "scikit-learn": "sklearn", "pillow": "PIL", "pytorch": "torch"} | {
    "matplotlib-base": "matplotlib"
}


def dependencies(path: Path) -> dict[str, str]:
    """Return name -> version bounds of a conda file, with what pip adds to it."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    by_pip = [name for entry in entries if isinstance(entry, dict) for name in entry["pip"]]
    return dict(entry.split(" ", 1) for entry in [*entries, *by_pip] if isinstance(entry, str))


def locked() -> dict[str, set[str]]:
    """Return name -> locked versions; a name has several where they depend on the Python version."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "envs/requirements.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9._-]+)==([^ ;\\]+)", line):
            found.setdefault(match[1], set()).add(match[2])
    return found


def scripts_and_environments() -> list[tuple[str, str]]:
    """Return (script, conda file) of every rule."""
    pairs = []
    for path in RULES:
        for body in re.split(r"^\s*rule \w+:", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            if not re.search(r"^ *output:", body, re.M):  # a target
                continue
            by_shell = r"root:q\}/(scripts/\S+\.py) "
            script, conda = (
                re.search(r'"\.\./(scripts/[^"]+)"\s*$', body, re.M) or re.search(by_shell, body),
                re.search(r'"\.\./(envs/[^"]+)"', body),
            )
            assert script and conda, f"{path.name}: a rule lacks script or conda: {body[:80]}"
            pairs.append((script[1], conda[1]))
    return pairs


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_every_dependency_is_bounded_and_agrees_with_the_lock(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["channels"][-1] == "nodefaults"
    for name, bounds in dependencies(path).items():
        assert re.fullmatch(r">=[\d.]+,<[\d.]+", bounds), f"{name}: {bounds} is not bounded on both sides"
        if name in ("python", "pip"):  # not in the lock
            continue
        versions = locked()[PIP_NAMES.get(name, name)]
        assert all(version in SpecifierSet(bounds) for version in versions), f"{name}: {versions} outside {bounds}"


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.name)
def test_every_dependency_stands_in_the_table_of_the_cluster_page(path):
    table = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    for name, bounds in dependencies(path).items():
        assert name in ("python", "pip") or f"| {name} | {bounds.replace(',', ', ')} |" in table, f"{name} {bounds}"


def test_every_rule_names_an_environment_that_exists_and_every_environment_is_used():
    used = {conda for _, conda in scripts_and_environments()}
    assert used == {f"envs/{path.name}" for path in ENVIRONMENTS}


@pytest.mark.parametrize(("script", "conda"), sorted(set(scripts_and_environments())))
def test_every_import_of_a_rules_script_is_in_its_environment(script, conda):
    """Also guards against the packages of Snakemake's own environment, which leak into the scripts."""
    provided = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in dependencies(ROOT / conda)}
    provided |= set(sys.stdlib_module_names) | {"scripts"}
    provided |= {"mpl_toolkits"} if "matplotlib" in provided else set()  # one package, two names
    for file in [script, *project_imports(script, ROOT, plumbing=True)]:
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                assert name.split(".")[0] in provided, f"{file} (of {script}): {name} is not in {conda}"


def test_without_a_conda_program_the_flag_says_so():
    if subprocess.run(["which", "conda"], capture_output=True).returncode == 0:
        pytest.skip("a conda program is installed here")
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--use-conda"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 1 and "Is conda installed and accessible?" in result.stdout + result.stderr


def test_the_lock_names_no_index_and_every_package_has_hashes():
    text = (ROOT / "envs/requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text
    packages = re.findall(r"^[a-z0-9._-]+==", text, re.M)
    assert len(packages) > 50
    assert len(re.findall(r"^[a-z0-9._-]+==.*\\\n    --hash=sha256:", text, re.M)) == len(packages)


def test_the_hooks_have_the_locked_versions():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    pinned = {hook["repo"].rsplit("/", 1)[-1].removesuffix("-pre-commit"): hook["rev"] for hook in hooks}
    assert pinned == {name: f"v{version}" for name in pinned for version in locked()[name]}
    assert pinned.keys() == {"ruff", "snakefmt", "codespell"}


def test_the_workflow_file_runs_what_the_checks_run():
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["checks"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12"] and job["timeout-minutes"]
    assert any(".ci/run" in step.get("run", "") for step in job["steps"])
