"""The walls of the house, computed from import statements: no circle, nothing that climbs, no study into another."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from scripts.common.studies import study_names

ROOT = Path(__file__).parents[2]
STUDIES = study_names(ROOT)
FLOORS = {"common": 0, "data": 1, "audits": 1, **dict.fromkeys(STUDIES, 2)}
FLOORS |= {"claims": 3, "provenance": 3, "report": 4}


def module_of(path: Path, root: Path) -> str:
    """Return the dotted name of a file; that of a package is its folder's."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports_of(root: Path) -> dict[str, set[str]]:
    """Return {module: modules of scripts/ that its statements import}, at any depth of the file."""
    files = {module_of(path, root): path for path in root.glob("scripts/**/*.py")}
    found: dict[str, set[str]] = {}
    for module, path in files.items():
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import"
                below = {f"{node.module}.{alias.name}" for alias in node.names} & files.keys()
                names |= below or {node.module}  # `from package import module` concerns the module
        found[module] = {name for name in names if name in files} - {module}
    return found


@cache
def imports() -> dict[str, set[str]]:
    return imports_of(ROOT)


def room(module: str) -> str:
    """Return the folder below scripts/ that a module lies in."""
    return module.split(".")[1] if "." in module else ""


def climbing(edges: dict[str, set[str]]) -> list[str]:
    """Return the imports from a lower floor to a higher one, and those from one study to another."""
    wrong = []
    for module, imported in edges.items():
        for other in imported:
            here, there = room(module), room(other)
            if there and here != there and (FLOORS[there] > FLOORS[here] or {here, there} <= set(STUDIES)):
                wrong.append(f"{module} imports {other}")
    return sorted(wrong)


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Return the modules of one circle; [] if there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_every_folder_has_a_floor():
    rooms = {path.parent.name for path in ROOT.glob("scripts/*/__init__.py")}
    assert rooms == FLOORS.keys()


def test_no_import_climbs_and_no_study_imports_another():
    assert climbing(imports()) == []


def test_no_modules_import_one_another_in_a_circle():
    assert circle(imports()) == []


def test_no_folders_import_one_another_in_a_circle():
    rooms: dict[str, set[str]] = {}
    for module, imported in imports().items():
        rooms.setdefault(room(module), set()).update(room(other) for other in imported)
    assert circle({name: others - {name, ""} for name, others in rooms.items()}) == []


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ({"common/a.py": "import scripts.data.b\n", "data/b.py": ""}, "scripts.common.a imports scripts.data.b"),
        ({"income/a.py": "from scripts.boosting import b\n", "boosting/b.py": ""}, "scripts.income.a imports"),
        (
            {"data/a.py": "def late():\n    from scripts.report.b import f\n", "report/b.py": ""},
            "scripts.data.a imports",
        ),
    ],
)
def test_an_import_that_climbs_is_seen(tmp_path, files, wrong):
    for name, text in files.items():
        path = tmp_path / "scripts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (found,) = climbing(imports_of(tmp_path))
    assert found.startswith(wrong)


def test_a_circle_is_seen():
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
