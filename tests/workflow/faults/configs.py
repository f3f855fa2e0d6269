"""Generated configs: what the schema allows, and what it does not, one change at a time, from a seed."""

import copy
import math
import random
from collections.abc import Iterator

from scripts.common.config import full_schema
from tests.common.test_config import merged
from tests.workflow.conftest import ROOT

SCHEMA = full_schema(ROOT)
Path = tuple[str | int, ...]


def resolved(schema: dict) -> dict:
    """Return a part of the schema with its reference followed; its own keys win."""
    if "$ref" in schema:
        return resolved({**SCHEMA["$defs"][schema["$ref"].split("/")[-1]], **{k: v for k, v in schema.items() if k != "$ref"}})  # fmt: skip # noqa: E501
    return schema


def places(value: object, schema: dict, path: Path = ()) -> Iterator[tuple[Path, object, dict]]:
    """Yield every value of a config with its place and its part of the schema."""
    schema = resolved(schema)
    yield path, value, schema
    if isinstance(value, dict):
        for key, item in value.items():
            below = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(below, dict):
                yield from places(item, below, (*path, key))
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, item in enumerate(value):
            yield from places(item, schema["items"], (*path, number))


def put(config: dict, path: Path, value: object) -> dict:
    """Return a copy of a config with another value at a place."""
    if not path:
        return value
    config = copy.deepcopy(config)
    below = config
    for key in path[:-1]:
        below = below[key]
    below[path[-1]] = value
    return config


def refused(value: object, schema: dict) -> list[object]:
    """Return values that the place must not hold, whatever stands elsewhere."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    wrong: list[object] = [{"surprise": 1}] if "object" not in kinds else [{**value, "surprise": 1}, [], "words", 7]
    if "enum" in schema:
        wrong += ["unheard-of", 99, None, [*schema["enum"]], True]
    if "object" in kinds:
        wrong += [{key: item for key, item in value.items() if key != name} for name in schema.get("required", [])]
        wrong += [{**value, 7: 7}, {**value, True: 1}, None] + ([{}] if schema.get("minProperties") else [])
    if "array" in kinds:
        wrong += [3, "words", None, *([[]] if schema.get("minItems") else []), [*value, {"a": 1}], [*value, None]]
        wrong += [[*value, value[0]]] if schema.get("uniqueItems") and value else []
    if "integer" in kinds:
        wrong += [2.0, 2.5, "2", True, math.nan, math.inf, [2], *([] if "null" in kinds else [None])]
        wrong += [schema["minimum"] - 1] if "minimum" in schema else []
        wrong += [schema["maximum"] + 1] if "maximum" in schema else []
    if "number" in kinds:
        wrong += ["0.5", True, math.nan, math.inf, -math.inf, [0.5], None, "1e-3"]
        wrong += [schema["minimum"] - 0.5] if "minimum" in schema else []
        wrong += [schema["exclusiveMinimum"]] if "exclusiveMinimum" in schema else []
        wrong += [schema["maximum"] + 0.5] if "maximum" in schema else []
        wrong += [schema["exclusiveMaximum"]] if "exclusiveMaximum" in schema else []
    if "boolean" in kinds:
        wrong += ["false", 0, 1, None, "no"]
    if "string" in kinds:
        wrong += [3, None, ["a"], True, "two\nlines", "\0", "bell\a"]
    return wrong


def allowed(value: object, schema: dict, dice: random.Random) -> object:
    """Return another value that the place may hold as far as the schema goes."""
    kinds = schema.get("type", [])
    if "enum" in schema:
        return dice.choice(schema["enum"])
    if "integer" in kinds:
        low = schema.get("minimum", 0)
        return dice.randint(low, min(schema.get("maximum", low + 50), low + 50))
    if "number" in kinds:
        low = schema.get("exclusiveMinimum", schema.get("minimum", -1.0))
        high = schema.get("exclusiveMaximum", schema.get("maximum", low + 3.0))
        return round(low + (high - low) * dice.uniform(0.05, 0.95), 4)
    if "boolean" in kinds:
        return dice.random() < 0.5
    if "array" in kinds and isinstance(value, list) and value:
        return dice.sample(value, dice.randint(max(1, schema.get("minItems", 0)), len(value)))
    return value


def broken_configs() -> list[tuple[str, dict]]:
    """Return every config that is one refused value away from the project's own, with the place, in a mixed order."""
    base, found = merged(), []
    for path, value, schema in places(base, SCHEMA):
        for wrong in refused(value, schema):
            found.append((f"{'.'.join(map(str, path)) or 'top'} = {wrong!r:.60}", put(base, path, wrong)))
    random.Random(1).shuffle(found)
    return found


def plausible_configs(count: int) -> list[tuple[str, dict]]:
    """Return configs that the schema allows, with one to six changed values; they may still not fit together."""
    base, dice, found = merged(), random.Random(2), []
    while len(found) < count:
        config, changed = base, []
        for _ in range(dice.randint(1, 6)):
            path, value, schema = dice.choice([place for place in places(config, SCHEMA) if len(place[0]) > 1])
            new = allowed(value, schema, dice)
            config = put(config, path, new)
            changed.append(f"{'.'.join(map(str, path))} = {new!r:.40}")
        found.append(("; ".join(changed), config))
    return found
