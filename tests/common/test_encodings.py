"""Text files are read and written as UTF-8, whatever the machine's language is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ["scripts", "tests"]
TEXT = ("read_text", "write_text", "open")
OTHERS = ("Image", "archive", "gzip", "zipfile", "tarfile", "os")  # whose open() opens no text


def without_encoding(code: str) -> Iterator[int]:
    """Yield the lines on which a text file or a program's output is read or written without an encoding."""
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        owner = getattr(getattr(call.func, "value", None), "id", "")
        given = {key.arg: getattr(key.value, "value", None) for key in call.keywords}
        mode = [value.value for value in call.args if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        binary = any("b" in word and len(word) < 4 for word in mode) or owner in OTHERS
        if ((name in TEXT and not binary) or given.get("text") is True) and "encoding" not in given:
            yield call.lineno


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_file_has_its_encoding(folder):
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in without_encoding(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_the_check_finds_what_it_looks_for():
    code = 'a.read_text()\nopen("x")\nopen("x", "rb")\np.open("wb")\np.write_text("y", encoding="utf-8")\n'
    assert list(without_encoding(code + "subprocess.run(c, text=True)\nImage.open(p)\nsay(text=a)\n")) == [1, 2, 6]
