"""Client and server with real keys and ciphertexts: logits, separation, and what must never become a prediction."""

import shutil
import stat

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.encrypted import ckks, jobs
from scripts.encrypted.ckks import IMAGE, SLOTS, Parameters
from scripts.encrypted.jobs import PACKINGS
from scripts.encrypted.network import folded

pytest.importorskip("tenseal")

PARAMETERS = Parameters(8192, (50, 30, 30, 30, 50), 30)
K, CLASSES = 5, 3


def network(seed=0, k=K, hidden=4):
    random = np.random.default_rng(seed)
    weights = [random.normal(size=(k, hidden)) / k**0.5, random.normal(size=(hidden, CLASSES)) / 3]
    return folded(weights, [random.normal(size=hidden) / 3, random.normal(size=CLASSES)], np.zeros(k), np.ones(k))


NETWORKS = {"one": network(), "other": network(1, 7)}


def numbers(name, count):
    return np.random.default_rng(3).normal(size=(count, NETWORKS[name].inputs))


@pytest.fixture(scope="module", params=PACKINGS)
def sent(request, tmp_path_factory):
    """A folder with keys, ciphertexts and replies of two networks, and its packing."""
    folder, packing = tmp_path_factory.mktemp(request.param), request.param
    count = 2 if packing == IMAGE else 9
    parts = [jobs.Part(name, numbers(name, count), known) for name, known in NETWORKS.items()]
    client, server = folder / "client.context", folder / "server.context"
    jobs.write_keys(PARAMETERS, packing, client, server)
    jobs.encrypt_parts(client, server, parts, PARAMETERS, packing, folder / "sent.bin")
    hidden = client.rename(folder / "hidden.context")  # the server works where no file of the client is
    rows = jobs.infer_parts(server, folder / "sent.bin", NETWORKS, PARAMETERS, packing, folder / "reply.bin")
    hidden.rename(client)
    return folder, packing, rows


def decrypted(folder, packing, client="client.context", server="server.context"):
    return jobs.decrypt_parts(folder / client, folder / server, folder / "reply.bin", NETWORKS, PARAMETERS, packing)[0]


def test_decrypted_logits_are_those_in_clear(sent):
    folder, packing, rows = sent
    for name, logits in decrypted(folder, packing).items():
        clear = NETWORKS[name].logits(numbers(name, len(logits)))
        assert np.abs(logits - clear).max() < 0.05 and (logits.argmax(1) == clear.argmax(1)).all()
        assert len(logits) == (2 if packing == IMAGE else 9)
    whole = [row for row in rows if row["operation"] == "infer"]
    assert sum(row["images"] for row in whole) == (4 if packing == IMAGE else 18)
    assert all(row["cpu_seconds"] > 0 and row["bytes"] > 0 for row in whole)
    layers = [row["operation"] for row in rows[: len(rows) // len(whole)]]
    assert layers == ["load", "linear_1", "square", "linear_2", "infer"]


def test_the_clients_keys_are_the_owners_alone_and_no_secret_is_in_the_servers(sent):
    folder, _, _ = sent
    assert stat.S_IMODE((folder / "client.context").stat().st_mode) == 0o600
    content = (folder / "server.context").read_bytes()
    assert not ckks.load_context(content, False, "server").has_secret_key()
    with pytest.raises(UserError, match="server: holds no secret key"):
        ckks.load_context(content, True, "server")


def test_a_server_refuses_the_clients_keys(sent):
    folder, packing, _ = sent
    with pytest.raises(UserError, match="holds a secret key, which the server must never see"):
        jobs.infer_parts(
            folder / "client.context", folder / "sent.bin", NETWORKS, PARAMETERS, packing, folder / "not.bin"
        )
    assert not (folder / "not.bin").exists()


def test_the_keys_of_another_run_predict_nothing(sent, tmp_path):
    folder, packing, _ = sent
    jobs.write_keys(PARAMETERS, SLOTS, tmp_path / "client.context", tmp_path / "server.context")
    with pytest.raises(UserError, match="made with keys"):
        jobs.decrypt_parts(
            tmp_path / "client.context",
            tmp_path / "server.context",
            folder / "reply.bin",
            NETWORKS,
            PARAMETERS,
            packing,
        )
    shutil.copy2(folder / "server.context", tmp_path / "server.context")  # the digest fits, the secret does not
    with pytest.raises(UserError, match="not plausible: a wrong key"):
        jobs.decrypt_parts(
            tmp_path / "client.context",
            tmp_path / "server.context",
            folder / "reply.bin",
            NETWORKS,
            PARAMETERS,
            packing,
        )


def test_a_network_that_is_too_deep_is_refused_before_anything_is_computed(sent):
    folder, packing, _ = sent
    random = np.random.default_rng(4)
    weights = [random.normal(size=size) for size in ((K, 4), (4, 4), (4, CLASSES))]
    deep = folded(weights, [np.zeros(4), np.zeros(4), np.zeros(CLASSES)], np.zeros(K), np.ones(K))
    with pytest.raises(UserError, match="5 products in a row, its moduli allow 3"):
        jobs.infer_parts(
            folder / "server.context",
            folder / "sent.bin",
            NETWORKS | {"one": deep},
            PARAMETERS,
            packing,
            folder / "not.bin",
        )


def test_both_packings_give_the_same_logits(tmp_path):
    found = {}
    for packing in PACKINGS:
        folder = tmp_path / packing
        client, server = folder / "client.context", folder / "server.context"
        jobs.write_keys(PARAMETERS, packing, client, server)
        parts = [jobs.Part("one", numbers("one", 2), NETWORKS["one"])]
        jobs.encrypt_parts(client, server, parts, PARAMETERS, packing, folder / "sent.bin")
        jobs.infer_parts(server, folder / "sent.bin", NETWORKS, PARAMETERS, packing, folder / "reply.bin")
        found[packing] = decrypted(folder, packing)["one"]
    assert found[IMAGE] == pytest.approx(found[SLOTS], abs=0.05)


def test_foreign_keys_are_one_line(tmp_path):
    for content in (b"", b"no keys at all"):
        with pytest.raises(UserError, match="no keys of CKKS, or damaged"):
            ckks.load_context(content, False, "server.context")


def test_moduli_must_have_the_bits_of_the_scale():
    with pytest.raises(UserError, match="must have the bits of the scale"):
        Parameters(8192, (50, 30, 40, 50), 30).check()
    with pytest.raises(UserError, match="moduli of 219 bits"):
        jobs.write_keys(Parameters(8192, (60, 50, 50, 59), 50), SLOTS, "nowhere/client", "nowhere/server")
