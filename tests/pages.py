"""What a page in one file says of itself: its policy, its inline styles and scripts, its data block."""

import json
from html.parser import HTMLParser

from scripts.common.html import fingerprint


class Inline(HTMLParser):
    """Content of the styles and scripts of a page, and the attributes of its elements."""

    def __init__(self, text: str):
        super().__init__()
        self.styles, self.scripts, self.data, self.attributes, self.inside = [], [], [], [], None
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        about = dict(attrs)
        self.attributes.append((tag, about))
        kept = {"style": self.styles, "script": self.data if about.get("type") else self.scripts}
        self.inside = kept.get(tag) if tag != "title" else tag
        if tag in kept:
            self.inside.append("")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "title":
            self.title += data
        elif self.inside is not None:
            self.inside[-1] += data


def policy(text: str) -> dict[str, list[str]]:
    """Sources that the content security policy of a page allows, by directive."""
    (content,) = [a["content"] for _, a in Inline(text).attributes if a.get("http-equiv") == "Content-Security-Policy"]
    return {name: sources for name, *sources in (part.split() for part in content.split(";"))}


def unlisted(text: str) -> list[str]:
    """Styles, scripts and attributes of a page that its policy keeps from working."""
    held, allowed = Inline(text), policy(text)
    lost = [style for style in held.styles if fingerprint(style) not in allowed["style-src"]]
    lost += [script for script in held.scripts if fingerprint(script) not in allowed["script-src"]]
    return lost + [f"{tag} {a}" for tag, a in held.attributes if "style" in a or any(n.startswith("on") for n in a)]


def data_block(text: str) -> object:
    """The value that a page's data block holds."""
    (block,) = Inline(text).data
    return json.loads(block)
