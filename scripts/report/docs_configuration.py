"""Rule `docs_configuration`: every key of the config with its type, default and meaning, from the schemas."""

import json
from collections.abc import Iterator
from pathlib import Path

from scripts.common.config import full_schema
from scripts.common.files import atomic_path
from scripts.common.yaml_files import read_yaml
from scripts.report.markdown import table

LONGEST = 60  # characters of a default in the table
HEAD = """\
<!-- Written by the rule docs_configuration: change config.schema.yaml or scripts/X/schema.yaml, not this. -->

# Configuration

Every key of `config.yaml`, which holds the defaults below. An overlay changes some of them
(`make study CONFIG=my.yaml`; several: `CONFIG="config.paper.yaml my.yaml"`). An unknown key is an error of one line.
A list replaces the list of config.yaml, a mapping is merged into it. `[]` in a name stands for each item of a list, `*`
for each name that you give."""


def resolved(schema: dict, definitions: dict) -> dict:
    """Return a schema merged into the definition that it refers to; the schema's own keys win."""
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].removeprefix("#/$defs/")
    return resolved(definitions[name], definitions) | {key: value for key, value in schema.items() if key != "$ref"}


def kind(schema: dict, definitions: dict) -> str:
    """Return the type of a key as text: "whole number from 1", "one of linf, l2", "list of numbers"."""
    schema = resolved(schema, definitions)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{json.dumps(value).strip(chr(34))}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for choice in ("oneOf", "anyOf"):
        if choice in schema and "type" not in schema:
            return " or ".join(dict.fromkeys(kind(each, definitions) for each in schema[choice]))
    labels = {
        "integer": "whole number",
        "object": "mapping",
        "string": "text",
        "boolean": "true or false",
        "null": "null",
    }
    types = schema.get("type", "any")
    types = [types] if isinstance(types, str) else types
    text = " or ".join(labels.get(name, name) for name in types)
    if "array" in types:
        items = f"list ({kind(schema['items'], definitions)})" if "items" in schema else "list"
        text = text.replace("array", items)
    return text + limits(schema)


def limits(schema: dict) -> str:
    """Return the bounds of a number as text: " from 0 below 1"."""
    labels = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    parts = [f"{label} {schema[key]}" for key, label in labels.items() if key in schema]
    return f" {' '.join(parts)}" if parts else ""


def keys(schema: dict, definitions: dict, place: str, default: object) -> Iterator[tuple[str, str, object, str]]:
    """Yield name, type, default (None if the config has none) and meaning of a key and of every key below it."""
    schema = resolved(schema, definitions)
    if place:
        yield place, kind(schema, definitions), default, schema.get("description", "")
    below = default if isinstance(default, dict) else {}
    for name, subschema in schema.get("properties", {}).items():
        yield from keys(subschema, definitions, f"{place}.{name}" if place else name, below.get(name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from keys(schema["additionalProperties"], definitions, f"{place}.*", None)
    if isinstance(schema.get("items"), dict) and _has_keys(schema["items"], definitions):
        yield from keys(schema["items"], definitions, f"{place}[]", None)
    for choice in ("oneOf", "anyOf"):
        for each in schema.get(choice, []):
            inner = resolved(each, definitions)
            if "properties" in inner:
                yield from list(keys(inner, definitions, place, default))[1:]


def _has_keys(schema: dict, definitions: dict) -> bool:
    schema = resolved(schema, definitions)
    return any(name in schema for name in ("properties", "oneOf", "anyOf"))


def shown(default: object) -> str:
    """Return a default as written in the config; an empty text for a mapping, whose keys have lines of their own."""
    if isinstance(default, dict):
        return ""
    text = json.dumps(default, ensure_ascii=False)
    return f"`{text if len(text) <= LONGEST else text[: LONGEST - 4] + ' ...'}`"


def page(root: Path) -> str:
    """Return the page: one section for the shared keys, then one per block."""
    schema, config = full_schema(root), read_yaml(root / "config.yaml")
    definitions, sections = schema["$defs"], {"Shared": []}
    for name, subschema in schema["properties"].items():
        lines = list(keys(subschema, definitions, name, config.get(name)))
        if "properties" not in resolved(subschema, definitions):
            sections["Shared"] += lines
        else:
            sections[name] = lines
    parts = [HEAD]
    for title, lines in sections.items():
        if title != "Shared":
            (_, _, _, meaning), *lines = lines
            parts.append(f"## `{title}`\n\n{meaning}")
        else:
            parts.append("## Shared")
        rows = [[f"`{name}`", type_text, "" if default is None and "null" not in type_text else shown(default), meaning]
                for name, type_text, default, meaning in lines]  # fmt: skip
        parts.append(table(["key", "type", "default", "meaning"], rows))
    return "\n\n".join(parts) + "\n"


def write(root: str | Path, output: str | Path) -> None:
    """Write the page.

    Raises:
        UserError: a schema is broken, or the file cannot be written.
    """
    with atomic_path(output) as temporary:
        temporary.write_text(page(Path(root)), encoding="utf-8")


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        write(snakemake.params.root, snakemake.output[0])
