"""Client and server by hand, in two folders that share only what is sent: the logits, and what must give none."""

import json
import os
import stat
import sys

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.encrypted import ckks, client, networks, server
from scripts.encrypted.exchange import digest_of
from scripts.encrypted.network import folded
from scripts.encrypted.pictures import picture
from scripts.encrypted.transforms import matrix_of
from tests.encrypted.hand import ABOUT, NAMES, decrypting, encrypting, inferring, options, put, refused
from tests.encrypted.small import network

pytest.importorskip("tenseal")


def test_a_round_gives_the_logits_in_clear(done):
    mine, theirs = done / "mine", done / "theirs"
    told = json.loads((mine / "logits.json").read_text(encoding="utf-8"))
    numbers = picture(mine / "seven.png", 8) @ matrix_of("dct", 8, 5).T
    clear = network(1).logits(numbers[None])[0]
    assert told["logits"] == pytest.approx(clear, abs=0.01)
    assert (told["class"], told["names"], told["setting"]) == (NAMES[int(clear.argmax())], NAMES, "dct-5")
    assert stat.S_IMODE((mine / "client.context").stat().st_mode) == 0o600
    assert {path.name for path in theirs.iterdir()} == {
        "net.safetensors", "reply.bin", "reply.json", "sent.bin", "sent.json", "server.context",
    }  # fmt: skip


def test_commands_say_what_to_do_next(folders, tmp_path, capsys):
    mine, theirs = folders
    client.main(options(["keys"], keys=tmp_path / "new"))
    assert capsys.readouterr().out == (
        f"128 bits of security (N = 8192, moduli of 190 bits). Send the server {tmp_path / 'new/server.context'}, "
        f"and nobody {tmp_path / 'new/client.context'}.\n"
    )
    client.main(encrypting(mine))
    assert capsys.readouterr().out == f"Send the server {mine / 'sent.bin'} and {mine / 'sent.json'}.\n"
    server.main(inferring(theirs))
    assert f"Send the client {theirs / 'reply.bin'} and {theirs / 'reply.json'}." in capsys.readouterr().out
    client.main(decrypting(mine))
    assert capsys.readouterr().out.split()[0] in NAMES


def test_the_same_picture_is_encrypted_differently_every_time(folders):
    mine, _ = folders
    before = (mine / "sent.bin").read_bytes()
    client.main(encrypting(mine))
    assert (mine / "sent.bin").read_bytes() != before


def test_another_setting_has_its_own_network(folders):
    mine, theirs = folders
    client.main(encrypting(mine, setting="pooling-16"))
    for name in ("sent.bin", "sent.json"):
        put(theirs / name, (mine / name).read_bytes())
    server.main(inferring(theirs, out=mine / "reply.bin"))
    client.main(decrypting(mine))
    told = json.loads((mine / "logits.json").read_text(encoding="utf-8"))
    clear = network(1, 16).logits((picture(mine / "seven.png", 8) @ matrix_of("pooling", 8, 16).T)[None])[0]
    assert told["setting"] == "pooling-16" and told["logits"] == pytest.approx(clear, abs=0.01)


def test_a_clients_context_is_refused_by_the_server(folders):
    mine, theirs = folders
    put(theirs / "server.context", (mine / "client.context").read_bytes())
    line = refused(server.main, inferring(theirs), theirs)
    assert "server.context: holds a secret key, which the server must never see; give it the server's keys" in line


def test_a_servers_context_is_refused_by_the_client(folders):
    mine, _ = folders
    put(mine / "client.context", (mine / "server.context").read_bytes())
    for arguments in (encrypting(mine), decrypting(mine)):
        assert "client.context: holds no secret key; decryption needs the client's keys" in refused(
            client.main, arguments, mine
        )


def test_keys_of_another_run_are_refused_by_both_sides(folders, tmp_path):
    mine, theirs = folders
    client.main(options(["keys"], keys=tmp_path / "new"))
    put(theirs / "server.context", (tmp_path / "new/server.context").read_bytes())
    assert "sent.bin: made with keys" in refused(server.main, inferring(theirs), theirs)
    assert "reply.bin: made with keys" in refused(client.main, decrypting(mine, keys=tmp_path / "new"), mine)
    put(
        tmp_path / "new/server.context", (mine / "server.context").read_bytes()
    )  # the digest is right, the secret another
    assert "not plausible: a wrong key, or a damaged reply; nothing is predicted" in refused(
        client.main, decrypting(mine, keys=tmp_path / "new"), mine
    )


def test_parameters_of_another_run_are_refused(folders, tmp_path):
    mine, _ = folders
    client.main(options(["keys"], keys=tmp_path / "new", moduli="50,31,31,31,50", scale=31))
    line = refused(client.main, decrypting(mine, keys=tmp_path / "new"), mine)
    assert "reply.bin: made with moduli [50, 30, 30, 30, 50], here it is [50, 31, 31, 31, 50]" in line


def broken(whole, kind):
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    return {"flipped": bytes(flipped), "truncated": whole[:-100], "empty": b""}[kind]


WORDS = {
    "flipped": "its content has changed since it was written (sha256); send it again",
    "truncated": "it is cut off or empty: send it again",
    "empty": "it is cut off or empty: send it again",
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_damaged_parcel_is_refused_by_who_receives_it(folders, kind):
    for place, name, main, arguments in (
        (folders[1], "sent.bin", server.main, inferring),
        (folders[0], "reply.bin", client.main, decrypting),
    ):
        put(place / name, broken((place / name).read_bytes(), kind))
        line = refused(main, arguments(place), place)
        assert name in line and WORDS[kind] in line


@pytest.mark.parametrize("kind", ["truncated", "empty"])
def test_damaged_keys_are_refused(folders, kind):
    mine, theirs = folders
    for place, name, main, arguments in (
        (theirs, "server.context", server.main, inferring(theirs)),
        (mine, "client.context", client.main, decrypting(mine)),
        (mine, "client.context", client.main, encrypting(mine)),
    ):
        whole = (place / name).read_bytes()
        put(place / name, broken(whole, kind))
        assert f"{name}: no keys of CKKS, or damaged" in refused(main, arguments, place)
        put(place / name, whole)


def test_a_flipped_bit_in_keys_is_noticed(folders):
    _, theirs = folders
    public = theirs / "server.context"
    put(public, broken(public.read_bytes(), "flipped"))
    line = refused(server.main, inferring(theirs), theirs)
    assert "no keys of CKKS, or damaged" in line or "sent.bin: made with keys" in line  # it may still be keys


@pytest.mark.parametrize("missing", ["sent.json", "sent.bin"])
def test_half_a_parcel_is_refused(folders, missing):
    _, theirs = folders
    (theirs / missing).unlink()
    line = refused(server.main, inferring(theirs), theirs)
    assert f"{missing}: no such file; ask the other side to send both .bin and .json" in line


def test_what_was_sent_is_no_reply_and_a_reply_is_nothing_that_was_sent(folders):
    mine, theirs = folders
    assert "sent.bin: of dct-5 it has no replies; it is what the other side is to be sent" in refused(
        client.main, decrypting(mine, reply=mine / "sent.bin"), mine
    )
    assert "a ciphertext of 3 numbers, the network takes 5 and a 1" in refused(
        server.main, inferring(theirs, sent=theirs / "reply.bin", out=theirs / "again.bin"), theirs
    )


@pytest.mark.parametrize(("number", "words"), [(28, "the disk is full"), (30, "cannot be written")])
def test_a_full_disk_leaves_no_part_of_anything(folders, monkeypatch, number, words):
    mine, theirs = folders

    def fails(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    for main, arguments, place in (
        (client.main, encrypting(mine), mine),
        (server.main, inferring(theirs), theirs),
        (client.main, decrypting(mine), mine),
    ):
        assert words in refused(main, arguments, place)
    assert words in refused(client.main, options(["keys"], keys=mine.parent / "new"), mine.parent)
    assert not [*(mine.parent / "new").iterdir()]


def test_keys_without_those_for_products_or_rotations_are_named(folders):
    import tenseal

    _, theirs = folders
    context = tenseal.context_from((theirs / "server.context").read_bytes())
    for missing, words in (
        ({"save_relin_keys": False}, "server.context: lacks the keys that products need (relinearisation)"),
        ({"save_galois_keys": False}, "the server's keys lack those for rotations; make keys for packing image"),
    ):
        put(theirs / "server.context", context.serialize(**missing))
        described = json.loads((theirs / "sent.json").read_text(encoding="utf-8"))
        described["about"]["keys"] = digest_of((theirs / "server.context").read_bytes())[:32]
        put(theirs / "sent.json", json.dumps(described).encode())
        assert words in refused(server.main, inferring(theirs), theirs)


def test_a_network_that_is_too_deep_for_the_keys_is_refused(folders):
    _, theirs = folders
    random = np.random.default_rng(0)
    weights = [random.normal(size=size) for size in ((5, 4), (4, 4), (4, 3))]
    deep = folded(weights, [np.zeros(4), np.zeros(4), np.zeros(3)], np.zeros(5), np.ones(5))
    known = {f"{name}.seed1": deep for name in ABOUT["settings"]}
    networks.write(known, theirs / "net.safetensors", ABOUT)
    assert "5 products in a row, its moduli allow 3" in refused(server.main, inferring(theirs), theirs)


def test_a_python_without_the_package_is_told_how_to_get_it(folders, tmp_path, monkeypatch):
    mine, theirs = folders
    monkeypatch.setitem(sys.modules, "tenseal", None)
    for main, arguments in (
        (client.main, options(["keys"], keys=tmp_path / "new")),
        (client.main, encrypting(mine)),
        (server.main, inferring(theirs)),
        (client.main, decrypting(mine)),
    ):
        line = refused(main, arguments, mine, theirs)
        assert "the package tenseal, which encrypts, cannot be imported" in line and "run make install, or pip" in line
    with pytest.raises(UserError, match="cannot be imported"):
        ckks.package()
