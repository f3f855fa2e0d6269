"""Parcels of bytes that client and server exchange: whole, unchanged, and of the same keys, or refused in one line."""

import json

import pytest

from scripts.common.errors import UserError
from scripts.encrypted.exchange import entries_of, read, write

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


HEADERS = {
    "negative sizes": {"sizes": [-5, 15]},
    "sizes that add up by a negative one": {"sizes": [5, 0, 5, 10**30, -(10**30)]},
    "sizes as text": {"sizes": ["5", "0", "5"]},
    "sizes as fractions": {"sizes": [5.0, 0, 5]},
    "sizes as truths": {"sizes": [True, 4, 5]},
    "no list of sizes": {"sizes": "505"},
    "not a number": {"sizes": [float("nan"), 5]},
    "nothing said": {"about": None},
    "a list said": {"about": []},
}


@pytest.mark.parametrize("kind", HEADERS)
def test_absurd_descriptions_are_one_line(sent, kind):
    path = sent.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | HEADERS[kind]), encoding="utf-8")
    with pytest.raises(UserError, match=r"sent.json: no description of a parcel .*; send it again"):
        read(sent)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 100_000, b"NaN", b"5", b"null"])
def test_what_is_no_json_of_ours_is_one_line(sent, content):
    sent.with_suffix(".json").write_bytes(content)
    with pytest.raises(UserError, match=r"sent.json: no description of a parcel"):
        read(sent)


def test_not_a_number_in_place_of_a_parameter_is_no_match(sent):
    path = sent.with_suffix(".json")
    path.write_text(path.read_text(encoding="utf-8").replace("8192", "NaN"), encoding="utf-8")
    with pytest.raises(UserError, match="made with ring nan, here it is 8192"):
        read(sent, {"ring": 8192})


@pytest.mark.parametrize("name", ["sent.json", "sent", "sent.BIN", ".bin"])
def test_a_parcel_has_one_ending_so_that_its_description_replaces_nothing(tmp_path, name):
    for use in (read, lambda path: write(iter([b"x"]), ABOUT, path)):
        with pytest.raises(UserError, match=r"a parcel is called NAME.bin, with NAME.json beside it"):
            use(tmp_path / name)
    assert not [*tmp_path.iterdir()]


def test_an_interrupted_write_leaves_the_old_parcel(sent):
    def parts():
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(parts(), ABOUT, sent)
    assert [*read(sent).parts()] == [b"first", b"", b"third"]
    assert {path.name for path in sent.parent.iterdir()} == {"sent.bin", "sent.json"}


def test_new_bytes_beside_an_old_description_are_noticed(sent):
    with pytest.raises(TypeError):
        write(iter([b"secondfour"]), {"no JSON": object()}, sent)  # stops between the two files
    with pytest.raises(UserError, match="has changed since it was written"):
        read(sent)


def test_a_full_disk_is_one_line(sent, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match=r"sent.bin: the disk is full"):
        write(iter([b"new"]), ABOUT, sent)
    assert [*read(sent).parts()] == [b"first", b"", b"third"]


ENTRIES = {"name": "dct-16", "images": [3, 2], "sent": [2, 1]}


def described(sent, *entries):
    path = sent.with_suffix(".json")
    header = json.loads(path.read_text(encoding="utf-8"))
    header["about"]["parts"] = [*entries]
    path.write_text(json.dumps(header), encoding="utf-8")
    return read(sent)


def test_parts_that_can_be_true_are_returned(sent):
    assert entries_of(described(sent, ENTRIES), "sent", {"dct-16"}, 4) == [ENTRIES]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../../etc/passwd"}, "holds images for the network '../../etc/passwd', which is not there"),
        ({"name": ["dct-16"]}, "which is not there"),
        ({"name": None}, "holds images for the network None"),
        ({"images": []}, "images or sent of dct-16 are no whole numbers above 0"),
        ({"images": [3, 0]}, "are no whole numbers above 0"),
        ({"images": [-3, 2]}, "are no whole numbers above 0"),
        ({"images": [1.5, 2]}, "are no whole numbers above 0"),
        ({"images": "ab"}, "are no whole numbers above 0"),
        ({"images": [3]}, "are no whole numbers above 0"),
        ({"images": [3, 5]}, "5 images of dct-16 in a batch, it holds 4"),
        ({"images": [3, 10**9]}, "1000000000 images of dct-16 in a batch, it holds 4"),
        ({"sent": [-2, 5]}, "are no whole numbers above 0"),
        ({"sent": ["2", 1]}, "are no whole numbers above 0"),
        ({"sent": 3}, "are no whole numbers above 0"),
        ({"sent": None}, "of dct-16 it has no sent"),
        ({"sent": [2, 99]}, "its parts do not add up to 3 pieces"),
        ({"sent": [1, 1]}, "its parts do not add up to 3 pieces"),
    ],
)
def test_parts_that_cannot_be_true_are_one_line(sent, changes, words):
    with pytest.raises(UserError, match=words):
        entries_of(described(sent, ENTRIES | changes), "sent", {"dct-16"}, 4)


def test_parts_of_one_name_or_none_are_one_line(sent):
    one = ENTRIES | {"images": [3], "sent": [2]}
    with pytest.raises(UserError, match="two parts have one name"):
        entries_of(described(sent, one, one | {"sent": [1]}), "sent", {"dct-16"}, 4)
    for entries in ((), ("dct-16",), (3,)):
        with pytest.raises(UserError, match=r"sent.json: names no parts of the parcel"):
            entries_of(described(sent, *entries), "sent", {"dct-16"}, 4)
