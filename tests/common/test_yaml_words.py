"""What YAML 1.1 takes for something else than most people: the refusal says how to write it."""

import pytest
import yaml

from scripts.common.config import check_files, validate
from scripts.common.errors import UserError
from scripts.common.yaml_files import as_number, check, in_yaml
from tests.common.test_config import ROOT, merged

HOW = {  # (what stands there, what is wanted): what the line says to write
    ("3e-3", "number"): "write 3.0e-3, without quotes",
    ("1e5", "integer"): "write 100000, without quotes",
    ("'0.5'", "number"): "write 0.5, without quotes",
    ("-2E4", "number"): "write -2.0e+4, without quotes",
    ("'1_000'", "integer"): "write 1000, without quotes",
    ("no", "string"): "put a word in quotes",
    ("'no'", "boolean"): "write false, without quotes",
    ("7", "string"): "put it in quotes",
    ("4.0", "integer"): "write 4",
    ("", "integer"): "nothing after the colon is null",
    ("5", "array"): "write a list: [5]",
}


@pytest.mark.parametrize(("text", "kind"), HOW)
def test_a_refusal_says_how_to_write_it(text, kind):
    schema = {"properties": {"a": {"type": kind, "description": "What it is."}}}
    with pytest.raises(UserError) as error:
        check(yaml.safe_load(f"a: {text}"), schema, "config")
    line = str(error.value)
    assert (
        HOW[text, kind] in line and line.startswith("config: a: ") and line.endswith("What it is.") and "\n" not in line
    )


@pytest.mark.parametrize("text", ["3e-3", "1e5", "1.5E+3", ".5", "5.", "-2e-10", "1_000", "12"])
def test_what_is_told_to_write_is_the_number_to_yaml_too(text):
    assert yaml.safe_load(in_yaml(text, whole=False)) == as_number(text) == float(text)
    assert yaml.safe_load(in_yaml(text, whole=True)) == as_number(text)


@pytest.mark.parametrize("text", ["", ".", "e5", "12e", "1,5", "0x10", "nan", "fast"])
def test_other_words_are_no_numbers(text):
    assert as_number(text) is None


def test_a_rate_with_an_exponent_in_the_config_itself():
    config = merged()
    config["tradeoffs"]["training"]["learning_rate"] = "3e-3"
    with pytest.raises(UserError, match=r"tradeoffs.training.learning_rate: .* write 3\.0e-3, without quotes"):
        validate(config, ROOT)


@pytest.mark.parametrize(("text", "read"), [("010", 8), ("-017", -15), ("1:30", 90), ("1:30.5", 90.5)])
def test_a_number_that_only_yaml_takes_for_another_is_refused(text, read, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"a:\n  seed: {text}\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"config.yaml, line 2: {text} is {read} to YAML; write {read}, or put it in"):
        check_files([path])


def test_usual_numbers_are_let_pass(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: [0, 00, 10, -5, 1_000, 0x1F, 0.5, .5, 1.0e-3, '010', 12:30h]\n", encoding="utf-8")
    check_files([path])
