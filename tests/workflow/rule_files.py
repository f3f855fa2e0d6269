"""The rule files as text: which rules there are and what each of them says."""

import re
from functools import cache
from pathlib import Path

from scripts.common.studies import study_names
from tests.workflow.conftest import ROOT

FILES = sorted((ROOT / "rules").glob("*.smk"))
STUDIES = study_names(ROOT)
RULE = re.compile(r"^( *)rule (\w+):\n(.*?)(?=^ *rule |^\S|\Z)", re.M | re.S)


@cache
def bodies(path: Path) -> list[tuple[str, str]]:
    """Return (name, body) of the rules of a file; a name may stand twice, in two branches."""
    return [(name, body) for _, name, body in RULE.findall(path.read_text(encoding="utf-8"))]


def directive(body: str, name: str) -> str:
    """Return what a rule says under a directive, such as `output`; "" if it has none."""
    found = re.search(rf"^( +){name}:(.*?)(?=^\1\w+:|\Z)", body, re.M | re.S)
    return found[2] if found else ""


def all_rules() -> list[tuple[Path, str, str]]:
    """Return (file, name, body) of every rule."""
    return [(path, name, body) for path in FILES for name, body in bodies(path)]


def fits() -> set[str]:
    """Return the rules of the studies that write models or predictions: what an edited metric must not run again."""
    return {
        name
        for path, name, body in all_rules()
        if path.stem in STUDIES and re.search(r"/(models|predictions)/", directive(body, "output"))
    }
