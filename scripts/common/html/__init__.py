"""Pages of HTML in one file that need no network: one base page, one style, one data block.

A page is a template that extends `base.html.jinja` and fills its block `body`; its style and script stand in files
beside it. Everything from the data is escaped, and a browser runs only the styles and scripts that the page brings:

    env = environment(Path(__file__).parent / "html")
    text = page(env, "prices.html.jinja", title="Prices", styles=["prices.css"], scripts=["base.js", "prices.js"],
                data={"models": models}, note=note)

Shared files: `base.html.jinja` (the page), `base.css` (type, colours by light and dark, tables, forms, charts, focus,
print; on every page), `base.js` (`pageData`, `element`; for pages that draw from data), `parts.html.jinja` (macros).
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from scripts.common.files import atomic_path

SHARED = Path(__file__).parent
POLICY = {  # content that a page may load, run and send besides its own styles and scripts
    "default-src": "'none'",
    "img-src": "data:",
    "style-src": "",
    "script-src": "",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def environment(*folders: str | Path) -> Environment:
    """Jinja environment of pages: all values are escaped, an unknown name is an error.

    Args:
        folders: where the page's own templates, styles and scripts lie; searched before the shared ones.
    """
    return Environment(
        loader=FileSystemLoader([*folders, SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fingerprint(text: str) -> str:
    """Hash of a style or script in the form of a content security policy (CSP level 2, `hash-source`)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def embedded(value: object) -> str:
    """JSON that cannot end the script element that holds it.

    Raises:
        ValueError: the value holds NaN or an infinity, which JSON cannot say.
    """
    return json.dumps(value, ensure_ascii=True, allow_nan=False).replace("<", r"\u003c").replace("&", r"\u0026")


def page(
    env: Environment,
    template: str,
    *,
    title: str,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    libraries: Sequence[str] = (),
    data: object = None,
    allowed: Mapping[str, str] | None = None,
    **content: object,
) -> str:
    """Text of a whole page.

    Args:
        env: as `environment` returns it; the page's own filters may have been added.
        template: name of a template that extends `base.html.jinja`.
        title: the page's title, in the head; also there for the template.
        styles: names of style sheets, after `base.css`.
        scripts: names of scripts, run in this order as one.
        libraries: text of scripts of others, run before `scripts`.
        data: what `pageData()` of base.js returns in the browser; None: no data block.
        allowed: sources by directive of the content security policy, in place of `POLICY`'s; those of `style-src` and
            `script-src` come after the hashes of the page's own styles and scripts.
        content: values for the template.

    Raises:
        ValueError: a style or script would end its own element, or `data` is not JSON.
    """
    style = _inline(_joined(env, ["base.css", *styles]), "style")
    runs = [_inline(text, "script") for text in [*libraries, *([_joined(env, scripts)] if scripts else [])]]
    sources = POLICY | dict(allowed or {})
    sources["style-src"] = " ".join([fingerprint(style), sources["style-src"]]).strip()
    sources["script-src"] = " ".join([*map(fingerprint, runs), sources["script-src"]]).strip() or "'none'"
    return env.get_template(template).render(
        content,
        title=title,
        policy="; ".join(f"{directive} {names}" for directive, names in sources.items()),
        style=style,
        scripts=runs,
        data=None if data is None else Markup(embedded(data)),
    )


def _joined(env: Environment, names: Sequence[str]) -> str:
    return "\n".join(env.loader.get_source(env, name)[0].strip() for name in names)


def _inline(text: str, tag: str) -> Markup:
    """Text of a style or script, safe to put into its element.

    Raises:
        ValueError: it contains the end tag of the element or the start of a comment.
    """
    match = re.search(rf"</{tag}|<!--", text, re.IGNORECASE)
    if match:
        raise ValueError(f"a {tag} of a page cannot hold {match[0]!r}")
    return Markup(text)


def write_explorer(folder: str | Path, title: str, content: Mapping[str, object], path: str | Path) -> None:
    """Write a page that draws from data, whole or not at all.

    Args:
        folder: of explorer.html.jinja, explorer.css and explorer.js.
        content: what the template names, and what the script reads.
    """
    text = page(
        environment(folder),
        "explorer.html.jinja",
        title=title,
        styles=["explorer.css"],
        scripts=["base.js", "explorer.js"],
        data=content,
        **content,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
