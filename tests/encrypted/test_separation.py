"""The rules are the protocol: no file of the client reaches the server's job, a release or the report.

Read off rules/encrypted.smk: every input and parameter of a rule is followed to the paths that it stands for.
"""

import re
from types import SimpleNamespace

import pytest

from scripts.common import studies
from scripts.common.imports import project_imports
from scripts.encrypted.plan import Plan
from tests.common.test_config import ROOT, merged
from tests.workflow.rule_files import FILES, bodies, directive

RULES = dict(bodies(ROOT / "rules/encrypted.smk"))
OF_CLIENT, EXCHANGED = "{ENCRYPTED_OUT}/client/", "{ENCRYPTED_OUT}/exchange/"
PLAN = Plan(merged()["encrypted"])


def entries(rule, name):
    """Return what a directive of a rule says by key: "public" -> "rules.encrypted_keys.output.server"."""
    text = directive(RULES[rule], name)
    indent = len(text.lstrip("\n")) - len(text.lstrip())  # rules in a branch are indented once more
    parts = re.split(rf"^ {{{indent}}}(\*{{0,2}}\w*)=?", text, flags=re.M)[1:]
    found = {key: value.strip().rstrip(",") for key, value in zip(parts[::2], parts[1::2], strict=True)}
    return {key: value for key, value in found.items() if value}


def followed(expression):
    """Return an expression with the outputs of other rules in place of their names."""
    return re.sub(r"rules\.(\w+)\.output\.(\w+)", lambda name: entries(name[1], "output")[name[2]], expression)


def test_names_are_followed_to_paths():
    assert entries("encrypted_decrypt", "input")["client"] == "rules.encrypted_keys.output.client"
    assert followed("rules.encrypted_keys.output.client").startswith(f'temp(f"{OF_CLIENT}')
    assert {*entries("encrypted_infer", "input")} == {"public", "sent", "about", "networks", "code"}


def test_the_servers_job_is_given_no_file_of_the_client():
    given = {key: followed(value) for key, value in entries("encrypted_infer", "input").items()}
    assert EXCHANGED in given["public"] and EXCHANGED in given["sent"] and "/models/" in given["networks"]
    for key, path in given.items():
        assert "client" not in path, key
        assert not re.search(r"/(data|predictions|decrypted)/", path), key  # no image, and no answer either


def test_the_servers_job_is_told_nothing_of_the_client():
    told = entries("encrypted_infer", "params")
    assert {*told} == {"settings", "parameters", "packing", "seed"}
    for name in PLAN.parcels:
        own = SimpleNamespace(parcel=name)
        values = [getattr(PLAN, text.rpartition(".")[2])(own) for text in told.values() if "ENCRYPTED_PLAN" in text]
        assert len(values) == 3 and "client" not in str(values)


def test_the_servers_script_names_no_file_of_the_client():
    text = (ROOT / "scripts/encrypted/encrypted_infer.py").read_text(encoding="utf-8")
    assert re.findall(r"files\.(\w+)", text) == ["networks", "public", "sent"] and "client" not in text
    imported = project_imports("scripts/encrypted/encrypted_infer.py", ROOT)
    assert not {"scripts/encrypted/client.py", "scripts/encrypted/encrypted_encrypt.py"} & {*imported}


@pytest.mark.parametrize("log", ["log", "benchmark"])
def test_not_even_a_log_of_the_servers_job_lies_with_the_client(log):
    assert OF_CLIENT not in directive(RULES["encrypted_infer"], log)


def test_the_secret_key_is_made_by_one_rule_and_used_by_two_of_the_client():
    making = {name for name in RULES if OF_CLIENT in "".join(entries(name, "output").values())}
    using = {name for name in RULES if OF_CLIENT in followed(" ".join(entries(name, "input").values()))}
    assert making == {"encrypted_keys"} and using == {"encrypted_encrypt", "encrypted_decrypt"}


def test_keys_and_ciphertexts_are_deleted_after_use():
    found = [
        (name, value)
        for name in RULES
        for value in entries(name, "output").values()
        if OF_CLIENT in value or EXCHANGED in value
    ]
    assert len(found) == 6
    for name, value in found:
        assert re.fullmatch(r'temp\(f"[^"]*"\)', value), name


def test_what_is_released_or_hashed_holds_no_key_and_no_ciphertext():
    released = studies.released_paths("encrypted", ROOT)
    assert released and not [path for path in released if re.search(r"/(client|exchange|decrypted)/|\.context", path)]
    for target in ("encrypted_all_data", "encrypted_all_predictions", "encrypted_all_models"):
        assert not re.search(r"client|exchange|decrypted|encrypted_keys|encrypted_encrypt", RULES[target]), target


def test_what_is_measured_and_drawn_reads_no_key_and_no_ciphertext():
    for name in set(RULES) - {"encrypted_keys", "encrypted_encrypt", "encrypted_infer", "encrypted_decrypt"}:
        given = followed(" ".join(entries(name, "input").values()))
        assert OF_CLIENT not in given and EXCHANGED not in given, name


def test_no_other_rule_file_reads_what_client_and_server_exchange():
    for path in (path for path in FILES if path.stem != "encrypted"):
        assert not re.search(r"encrypted/(client|exchange)|client\.context", path.read_text(encoding="utf-8")), (
            path.name
        )
