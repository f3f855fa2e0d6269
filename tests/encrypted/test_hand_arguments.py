"""Client and server by hand: what a command cannot use is one line, and nothing is written."""

import pytest

from scripts.encrypted import client, server
from tests.encrypted.hand import decrypting, encrypting, inferring, options, refused

pytest.importorskip("tenseal")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"setting": "dct-49"}, "--setting: 'dct-49' is none of dct-5, pooling-16"),
        ({"out": "sent.json"}, "sent.json does not end in .bin; name it so"),
        ({"out": "sent"}, "sent does not end in .bin; name it so"),
        ({"image": "none.png"}, "none.png: cannot be read as an image"),
        ({"image": "net.safetensors"}, "net.safetensors: cannot be read as an image"),
        ({"network": "seven.png"}, "seven.png: no networks in safetensors, or damaged"),
        ({"network": "none.safetensors"}, "none.safetensors: no such file; it holds the networks"),
        ({"keys": "none"}, "client.context: cannot be read (No such file or directory); name the folder of the keys"),
        ({"keys": "seven.png"}, "client.context: cannot be read (Not a directory)"),
    ],
)
def test_what_cannot_be_encrypted_is_one_line(folders, changes, words):
    mine, _ = folders
    named = {key: value if key == "setting" else mine / value for key, value in changes.items()}
    assert words in refused(client.main, encrypting(mine, **named), mine)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"out": "client.context"}, "client.context does not end in .json; name it so"),
        ({"out": "reply.json"}, "reply.json would replace what was given; name another file"),
        ({"reply": "reply.json"}, "reply.json: a parcel is called NAME.bin, with NAME.json beside it"),
    ],
)
def test_decryption_writes_over_no_key_and_no_reply(folders, changes, words):
    mine, _ = folders
    named = {key: mine / value for key, value in changes.items()}
    assert words in refused(client.main, decrypting(mine, **named), mine)


def test_a_server_without_keys_or_with_the_place_of_what_was_sent_is_told(folders, tmp_path):
    _, theirs = folders
    line = refused(server.main, inferring(theirs, keys=tmp_path), theirs)
    assert "server.context: no such file; ask the client for the server's keys" in line
    assert "would replace what was given" in refused(server.main, inferring(theirs, out=theirs / "sent.bin"), theirs)
    (theirs / "folder.bin").mkdir()
    assert "folder.bin: Is a directory" in refused(server.main, inferring(theirs, out=theirs / "folder.bin"), theirs)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"moduli": "60,50,49,60", "scale": 50}, "moduli of 219 bits in all at ring dimension 8192"),
        ({"moduli": "50,50.5,50"}, "--moduli: '50,50.5,50' is no list of bits such as 50,30,30,30,50"),
        ({"moduli": ""}, "--moduli: '' is no list of bits"),
        ({"ring": 5000}, "ring dimension 5000; the standard has 1024"),
        ({"ring": 4096}, "moduli of 190 bits in all at ring dimension 4096; 128 bits of security allow at most 109"),
        ({"scale": 40}, "all but the first and the last modulus must have the bits of the scale"),
        ({"moduli": "28,20,20,20,20,20,20,20,20", "scale": 20}, "no keys with moduli"),
    ],
)
def test_keys_that_are_not_secure_are_not_made(tmp_path, changes, words):
    assert words in refused(client.main, options(["keys"], keys=tmp_path / "new", **changes), tmp_path)
    assert not (tmp_path / "new").exists()


def test_keys_that_are_there_are_kept(folders):
    mine, _ = folders
    assert "client.context: there are keys already" in refused(client.main, options(["keys"], keys=mine), mine)


def test_keys_of_half_a_write_are_told(folders):
    mine, _ = folders
    (mine / "server.context").unlink()
    for arguments in (encrypting(mine), decrypting(mine)):
        assert "server.context: cannot be read (No such file or directory)" in refused(client.main, arguments, mine)


def test_keys_cannot_be_a_file(tmp_path):
    (tmp_path / "file").touch()
    assert "file: File exists; name another file or folder" in refused(
        client.main, options(["keys"], keys=tmp_path / "file"), tmp_path
    )


@pytest.mark.parametrize("arguments", [[], ["infer"], ["keys"], ["keys", "--key", "x"], ["keys", "--ring", "x"]])
def test_an_unknown_command_or_option_shows_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as found:
        client.main(arguments)
    assert found.value.code == 2 and capsys.readouterr().err.startswith("usage: python -m scripts.encrypted.client")
