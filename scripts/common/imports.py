"""Project files that a script imports, so that a rule can declare them as input."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Plumbing: modules that cannot change a job's output, only whether, when and with which message it ends. An edit
# there makes nothing again. A module whose functions return values that go into a result does not belong here.
PLUMBING = {
    "scripts/common/errors.py": "the exception of a user's mistake",
    "scripts/common/files.py": "temporary names, renaming, checksums",
    "scripts/common/logs.py": "log lines, progress, the one line of a user's mistake",
    "scripts/common/parent_watchdog.py": "ends a job whose run is gone",
}

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # the parts of a statement that hold statements


@cache
def project_imports(script: str, root: Path, plumbing: bool = False) -> tuple[str, ...]:
    """Return the project files that a script imports, directly or through others, in sorted order.

    Snakemake tracks the script of a rule but not its imports: without these, an edited metric
    would not be measured again. Paths are relative to `root`; the script itself is left out, and so are
    the modules of `PLUMBING`, unless `plumbing` is set.
    """
    result: set[str] = set()
    waiting = [script]
    while waiting:
        for module in _imported_files(root / waiting.pop(), root):
            if module not in result and (plumbing or module not in PLUMBING):
                result.add(module)
                waiting.append(module)
    return tuple(sorted(result - {script}))


@cache
def _imported_files(path: Path, root: Path) -> list[str]:
    """Return the files below `root` that the import statements of one file name."""
    files = []
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if not name.startswith("scripts."):
                continue
            base = root.joinpath(*name.split("."))
            for candidate in (base.with_suffix(".py"), base / "__init__.py"):
                if candidate.is_file():
                    files.append(candidate.relative_to(root).as_posix())
    return files


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield all statements of a module, those inside functions and branches too; ten times as fast as a walk."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for part in BLOCKS:
            inner = getattr(node, part, None)
            if isinstance(inner, list):  # the body of a lambda is an expression
                waiting += inner
                yield from inner
