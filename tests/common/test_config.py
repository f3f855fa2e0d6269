"""Broken configs end in one line that names the key."""

import copy
from pathlib import Path

import pytest
import yaml

from scripts.common.config import full_schema, in_order, nested_values, validate
from scripts.common.errors import UserError

ROOT = Path(__file__).parents[2]


def merged(name="config.yaml"):
    """Return a config as Snakemake merges it: the overlay's keys over those of config.yaml."""

    def put(below, above):
        for key, value in above.items():
            if isinstance(value, dict) and isinstance(below.get(key), dict):
                put(below[key], value)
            else:
                below[key] = value
        return below

    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return put(config, yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["config.yaml", "config.paper.yaml", "config.test.yaml"])
def test_the_configs_of_the_project_are_valid(name):
    validate(merged(name), ROOT)


BROKEN = {
    "unknown key": (("tradeoffs", "epochs"), 3, "epochs"),
    "mistyped key": (("faces", "sorce"), "celeba", "sorce"),
    "unknown network": (("tradeoffs", "networks"), ["resnet1000"], "resnet1000"),
    "unknown arm": (("tradeoffs", "protocols", "corrected", "arms", "magic"), {}, "magic"),
    "unknown source": (("faces", "source"), "imagenet", "imagenet"),
    "negative rows": (("faces", "rows", "train"), -1, "faces.rows.train"),
    "eps out of range": (("tradeoffs", "protocols", "corrected", "arms", "adversarial", "eps"), [2], "eps"),
    "zero eps": (("tradeoffs", "robustness", "threats"), [{"norm": "linf", "eps": 0}], "threats.0.eps"),
    "word for a number": (("tradeoffs", "training", "learning_rate"), "high", "learning_rate"),
    "string for a boolean": (("faces", "accept_terms"), "false", "accept_terms"),
    "no seeds": (("tradeoffs", "seeds"), [], "seeds"),
    "the same seed twice": (("tradeoffs", "seeds"), [1, 1], "seeds"),
    "unknown protocol": (("tradeoffs", "protocols", "improved"), {}, "improved"),
    "unknown attack": (("tradeoffs", "robustness", "attacks"), [{"attack": "deepfool"}], "deepfool"),
    "strength of another arm": (("tradeoffs", "protocols", "corrected", "arms", "fair"), {"eps": [0.1]}, "weight"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_config_is_named_by_its_key(case):
    path, value, word = BROKEN[case]
    config = copy.deepcopy(merged())
    place = config
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(UserError) as error:
        validate(config, ROOT)
    message = str(error.value)
    assert word in message and "\n" not in message and len(message) < 500


def test_every_key_of_the_schema_has_a_description():
    schema = full_schema(ROOT)

    def undescribed(node, place):
        for name, child in node.get("properties", {}).items():
            where = f"{place}.{name}"
            target = schema["$defs"][child["$ref"].split("/")[-1]] if "$ref" in child else {}
            if "description" not in {**target, **child}:
                yield where
            yield from undescribed(child, where)
            yield from undescribed(child.get("items", {}), where)

    blocks = {"config": schema, **schema["$defs"]}
    assert [where for name, block in blocks.items() for where in undescribed(block, name)] == []


def test_the_order_of_keys_does_not_matter():
    assert list(in_order({"b": [{"d": 1, "c": 2}], "a": 3})) == ["a", "b"]
    assert list(in_order({"b": [{"d": 1, "c": 2}]})["b"][0]) == ["c", "d"]
    assert in_order(merged()) == merged()


def test_values_inside_a_mapping_of_the_command_line_are_read_as_in_a_file():
    """Snakemake leaves them as words."""
    typed = {
        "gpu": 1,
        "released": "007",
        "income": {"seeds": ["8", "9"], "share": "0.5", "on": "true", "own": "a b", "no": ""},
    }
    read = {"income": {"seeds": [8, 9], "share": 0.5, "on": True, "own": "a b", "no": ""}}
    assert nested_values(typed) == read
