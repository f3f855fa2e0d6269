"""Origin of a figure or table according to the parsed workflow: rule, script, settings and data."""

import os
from collections.abc import Iterable
from pathlib import Path


def plain(value: object) -> bool:
    """Return whether a value is text, a number, a bool, None, or a list or mapping of these."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(plain(item) for item in value)
    return value is None or isinstance(value, (str, int, float, bool))


def made_by(rules: Iterable, wanted: Iterable[str], root: str | Path) -> dict[str, dict]:
    """Return rule, script, settings and data of each wanted file, if a rule without wildcards makes it.

    Args:
        rules: the rules of the workflow, as Snakemake holds them.
        wanted: paths as the rules write them.
        root: the project's folder, below which the scripts lie.

    Returns:
        path -> {"rule": name, "script": path in the project, "settings": params that are plain values,
        "data": input files except code and pages' templates}. Values that Snakemake computes per job are left out.
    """
    wanted, origins = set(wanted), {}
    for rule in rules:
        outputs = [str(path) for path in rule.output if isinstance(path, str) and path in wanted]
        if not outputs:
            continue
        code = {str(path) for key in ("code", "html") for path in _listed(rule.input.get(key, []))}
        about = {
            "rule": rule.name,
            "script": _script(rule, root),
            "settings": {key: value for key, value in rule.params.items() if key and plain(value)},
            "data": [str(path) for path in rule.input if isinstance(path, str) and path not in code],
        }
        origins |= dict.fromkeys(outputs, about)
    return origins


def _listed(value: object) -> list:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []


def _script(rule, root: str | Path) -> str | None:
    """Return the rule's script as a path in the project; the rule gives it relative to its rule file."""
    if not rule.script:
        return None
    folder = Path(str(rule.snakefile)).parent
    return Path(os.path.relpath(os.path.normpath(folder / str(rule.script)), root)).as_posix()
