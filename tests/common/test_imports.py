"""The list of project files that a script imports."""

from pathlib import Path

from scripts.common.imports import PLUMBING, project_imports

ROOT = Path(__file__).parents[2]


def test_imports_are_followed_through_modules_packages_and_functions(tmp_path):
    files = {
        "scripts/__init__.py": "",
        "scripts/common/__init__.py": "",
        "scripts/common/a.py": "import numpy\nfrom scripts.common.b import f\n",
        "scripts/common/b.py": "import scripts.common.c\n",
        "scripts/common/c.py": "",
        "scripts/common/unused.py": "",
        "scripts/pack/__init__.py": "from scripts.pack.inner import g\n",
        "scripts/pack/inner.py": "",
        "scripts/x.py": "from scripts.common import a\ndef late():\n    from scripts.pack import g\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [Path(name).name for name in project_imports("scripts/x.py", tmp_path) if "__init__" not in name] == [
        "a.py",
        "b.py",
        "c.py",
        "inner.py",
    ]
    assert "scripts/pack/__init__.py" in project_imports("scripts/x.py", tmp_path)


def test_imports_inside_every_kind_of_block_are_found_and_those_in_texts_are_not(tmp_path):
    text = '"""\nimport scripts.text\n"""\nwith open() as f:\n    import scripts.a\n'
    text += "try:\n    import scripts.b\nexcept E:\n    import scripts.c\n"
    text += "else:\n    import scripts.d\nfinally:\n    import scripts.e\n"
    text += "match x:\n    case 1:\n        import scripts.f\nfor x in y:\n    pass\nelse:\n    import scripts.g\n"
    text += "class C:\n    async def m(self):\n        if x:\n            pass\n"
    text += "        elif y:\n            import scripts.h\n"
    text += "f = lambda: [0]\n"
    (tmp_path / "scripts").mkdir()
    for name in ("text", *"abcdefgh"):
        (tmp_path / f"scripts/{name}.py").write_text("", encoding="utf-8")
    (tmp_path / "scripts/x.py").write_text(text, encoding="utf-8")
    assert project_imports("scripts/x.py", tmp_path) == tuple(f"scripts/{name}.py" for name in "abcdefgh")


def test_figure_scripts_do_not_import_the_training_code():
    for script in sorted((ROOT / "scripts/tradeoffs").glob("figure_*.py")):
        imported = project_imports(f"scripts/tradeoffs/{script.name}", ROOT)
        assert not [
            name for name in imported if "torch" in (ROOT / name).read_text(encoding="utf-8").split("def ")[0]
        ], script


def test_plumbing_is_no_import_unless_it_is_asked_for():
    script = "scripts/income/income_fit.py"
    assert not PLUMBING.keys() & set(project_imports(script, ROOT))
    assert PLUMBING.keys() <= set(project_imports(script, ROOT, plumbing=True))


def test_plumbing_imports_plumbing_alone():
    """What it stands on would else be left out with it."""
    for name in PLUMBING:
        modules = {path for path in project_imports(name, ROOT, plumbing=True) if not path.endswith("__init__.py")}
        assert (ROOT / name).is_file() and modules <= PLUMBING.keys()
