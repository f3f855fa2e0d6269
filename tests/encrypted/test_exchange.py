"""Parcels of bytes that client and server exchange: whole, unchanged, and of the same keys, or refused in one line."""

import json

import pytest

from scripts.common.errors import UserError
from scripts.encrypted.exchange import read, write

ABOUT = {"ring": 8192, "keys": "abc", "parts": [{"name": "dct-16", "images": [3, 2]}]}


@pytest.fixture
def sent(tmp_path):
    write(iter((b"first", b"", b"third")), ABOUT, tmp_path / "sent.bin")
    return tmp_path / "sent.bin"


def test_a_parcel_comes_back_whole(sent):
    parcel = read(sent, {"ring": 8192, "keys": "abc"})
    assert [*parcel.parts()] == [b"first", b"", b"third"] and parcel.about == ABOUT


def test_one_flipped_bit_is_noticed(sent):
    content = bytearray(sent.read_bytes())
    content[3] ^= 1
    sent.write_bytes(content)
    with pytest.raises(UserError, match="has changed since it was written"):
        read(sent)


@pytest.mark.parametrize("content", [b"", b"first", b"firstthird!"])
def test_another_length_is_named(sent, content):
    sent.write_bytes(content)
    with pytest.raises(UserError, match=f"{len(content)} bytes of 10; it is cut off or empty"):
        read(sent)


def test_other_parameters_or_keys_are_named(sent):
    with pytest.raises(UserError, match="made with ring 8192, here it is 4096"):
        read(sent, {"ring": 4096})
    with pytest.raises(UserError, match="made with keys 'abc', here it is 'def'"):
        read(sent, {"keys": "def"})


def test_a_missing_half_is_named(sent):
    sent.with_suffix(".json").unlink()
    with pytest.raises(UserError, match=r"sent.json: no such file; ask the other side to send both"):
        read(sent)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sizes": 3}'])
def test_a_foreign_description_is_one_line(sent, text):
    sent.with_suffix(".json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="no description of a parcel"):
        read(sent)


def test_another_format_is_named(sent):
    path = sent.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"format": 9}), encoding="utf-8")
    with pytest.raises(UserError, match="a parcel of format 9, this version reads 1"):
        read(sent)
