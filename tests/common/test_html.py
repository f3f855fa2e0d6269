"""The kit of all pages: what comes from the data stays text, and only the page's own styles and scripts run."""

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from scripts.common import html
from tests.pages import Inline, data_block, policy, unlisted

SCRIPTS = Path(html.__file__).parents[2]
HOSTILE = """</script></title></style><script>alert("1")</script><!-- '"&amp; \u2028 é ="""
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("study")
    (made / "prices.html.jinja").write_text(
        '{% extends "base.html.jinja" %}{% block body %}<p title="{{ words }}">{{ words }}</p>{% endblock %}',
        encoding="utf-8",
    )
    (made / "prices.css").write_text("p { color: red; }\n", encoding="utf-8")
    (made / "prices.js").write_text('document.title = "é";\n', encoding="utf-8")
    return made


def made(folder, **more) -> str:
    given = {"title": "Prices", "styles": ["prices.css"], "scripts": ["base.js", "prices.js"], "words": "plain"}
    return html.page(html.environment(folder), "prices.html.jinja", **given | more)


def test_hostile_titles_words_and_data_stay_text(folder):
    text = made(folder, title=HOSTILE, words=HOSTILE, data={HOSTILE: [HOSTILE]})
    held = Inline(text)
    assert held.title == HOSTILE and ("p", {"title": HOSTILE}) in held.attributes
    assert len(held.styles) == 1 and len(held.scripts) == 1 and "alert" not in held.scripts[0]
    assert unlisted(text) == [] and data_block(text) == {HOSTILE: [HOSTILE]}


@settings(max_examples=50)
@given(JSON)
def test_data_comes_back_as_it_went_in(value):
    block = html.embedded(value)
    assert json.loads(block) == value
    assert block.isascii() and "<" not in block and "&" not in block


def test_what_json_cannot_say_is_refused(folder):
    with pytest.raises(ValueError):
        made(folder, data=[float("nan")])


def test_the_policy_names_every_style_and_script_and_nothing_else(folder):
    text = made(folder, libraries=["let library = 1;"], data=None)
    assert unlisted(text) == [] and Inline(text).data == []
    allowed = policy(text)
    assert [len(allowed[name]) for name in ("style-src", "script-src")] == [1, 2]
    assert all(allowed[name] == ["'none'"] for name in ("default-src", "base-uri", "form-action"))
    assert policy(made(folder, scripts=[]))["script-src"] == ["'none'"]
    more = policy(made(folder, allowed={"form-action": "'self'", "style-src": "'sha256-x='"}))
    assert more["form-action"] == ["'self'"] and more["style-src"][1:] == ["'sha256-x='"] and unlisted(text) == []


@pytest.mark.parametrize("library", ["'</script>'", "'</SCRIPT '", "'<!-- <script>'"])
def test_a_script_that_would_end_its_element_is_refused(folder, library):
    with pytest.raises(ValueError, match="a script of a page cannot hold"):
        made(folder, libraries=[library])


def test_a_value_that_the_template_misses_is_an_error(folder):
    with pytest.raises(UndefinedError, match="words"):
        html.page(html.environment(folder), "prices.html.jinja", title="Prices")


def test_the_browser_reads_the_same_hash():
    # the example of the CSP level 3 specification, section 8.4 ("alert('Hello, world.');")
    assert html.fingerprint("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"


MARKUP = re.compile(
    r"<!doctype|(?<!\?P)</?(html|head|body|style|script|div|table|t[dhr]|button|section|svg|option)\b|function\s*\(",
    re.I,
)


def markup_in(source: str) -> list[str]:
    """Strings of a Python file that hold HTML, CSS or JavaScript; docstrings are prose."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and id(node) not in prose
    ]
    return [text for text in texts if MARKUP.search(text) and not recognised(text)]


def recognised(text: str) -> bool:
    """Whether a string only names the start of an element, as what tells HTML from data does."""
    return len(text) < 20 and not text.endswith(">")


def test_the_check_sees_markup():
    assert markup_in('a = """<style>p { margin: 0; }</style>"""') and markup_in("a = f'<td>{1}</td>'")
    assert markup_in("a = 'window.f = function (x) { return x; }'")
    assert not markup_in('"""A <script> in a docstring."""\nstarts = b"<html"\nless = "a < b"\nname = r"(?P<table>x)"')


def test_no_python_file_holds_html_style_or_script():
    found = {path: markup_in(path.read_text(encoding="utf-8")) for path in sorted(SCRIPTS.rglob("*.py"))}
    assert {path.relative_to(SCRIPTS).as_posix(): texts for path, texts in found.items() if texts} == {}
