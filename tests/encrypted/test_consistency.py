"""What a schema cannot say of the block: every mistake is one line that names the place."""

import pytest

from scripts.common.errors import UserError
from scripts.encrypted.consistency import check
from tests.common.test_config import merged
from tests.encrypted.test_plan import DEEP, DIGITS, FACES, MNIST, OWN, PLAIN, block


def network(**changes):
    return PLAIN | changes


def with_networks(*networks):
    return block(DIGITS, networks=list(networks))


MISTAKES = {
    "two datasets of one name": (block(DIGITS, DIGITS), "encrypted.datasets: two names are digits; keep one"),
    "two networks of one name": (with_networks(PLAIN, PLAIN), "encrypted.networks: two names are plain; keep one"),
    "no plain network": (with_networks(DEEP), "config: encrypted.networks: none is named plain"),
    "moduli of too many bits": (
        with_networks(PLAIN, DEEP | {"ring": 8192, "moduli": [60, 50, 49, 60], "hidden": [8]}),
        "config: encrypted.networks: deep: moduli of 219 bits in all at ring dimension 8192; .* allow at most 218",
    ),
    "moduli of too many bits in a small ring": (
        with_networks(network(ring=4096, moduli=[30, 20, 20, 20, 20])),
        "config: encrypted.networks: plain: moduli of 110 bits in all at ring dimension 4096; .* allow at most 109",
    ),
    "moduli unlike the scale": (
        with_networks(network(moduli=[50, 30, 40, 30, 50])),
        r"encrypted.networks: plain: moduli \[50, 30, 40, 30, 50\] and a scale of 30 bits: all but the first",
    ),
    "no headroom": (
        with_networks(network(moduli=[37, 30, 30, 30, 50])),
        "networks: plain: a first modulus of 37 bits and a scale of 30: it must have 8 bits more",
    ),
    "too few moduli": (
        with_networks(network(moduli=[50, 30, 30, 50])),
        "encrypted.networks: plain: the network has 3 products in a row, its moduli allow 2",
    ),
    "too many layers": (
        with_networks(network(hidden=[8, 8])),
        "encrypted.networks: plain: the network has 5 products in a row, its moduli allow 3",
    ),
    "faces without a label": (
        block({key: value for key, value in FACES.items() if key != "attribute"}),
        "config: encrypted.datasets: faces: faces need attribute .* and group",
    ),
    "faces without a group": (
        block({key: value for key, value in FACES.items() if key != "group"}),
        "config: encrypted.datasets: faces: faces need attribute .* and group",
    ),
    "no setting": (block(DIGITS | {"settings": []}), "digits: settings: none is given"),
    "unknown repeated": (block(DIGITS | {"repeated": ["dct-17"]}), "digits: repeated: dct-17 is none of its settings"),
    "unknown latency": (block(DIGITS | {"latency": ["dct-17"]}), "digits: latency: dct-17 is none of its settings"),
    "unknown network": (
        block(DIGITS | {"settings": ["dct-16-wide"]}),
        "digits: dct-16-wide: no network wide; there are plain, deep",
    ),
    "more numbers than pixels": (
        block(DIGITS | {"settings": ["dct-65"]}),
        "config: encrypted.datasets: digits: dct-65: 65 numbers of a 8x8 image: an image of 8x8 has 64 coefficients",
    ),
    "no grid": (block(DIGITS | {"settings": ["pooling-9"]}), "digits: pooling-9: 9 numbers of a 8x8 image: pooling"),
    "no blocks": (block(DIGITS | {"settings": ["block_dct-5"]}), "digits: block_dct-5: no blocks of a 8x8 image"),
    "a setting by another name": (
        block(DIGITS | {"settings": ["dct-16-plain"]}),
        "encrypted.datasets: digits: dct-16-plain: the network plain goes without saying; write dct-16",
    ),
    "more numbers than slots": (
        block(MNIST | {"side": 64, "settings": ["pixels-4096"], "repeated": [], "latency": []}),
        "mnist: pixels-4096: 4096 numbers of an image do not fit a ciphertext of 4096 slots; take fewer, or a larger",
    ),
    "a layer that does not fit the slots": (
        block(MNIST | {"side": 64, "settings": ["dct-4090"], "repeated": [], "latency": ["dct-4090"]}),
        "mnist: dct-4090: 4090 numbers of an image alone do not fit a ciphertext of 4096 slots",
    ),
    "only a folder that is not named": (block(OWN), "config: encrypted.datasets: only a folder is left"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line(mistake):
    broken, words = MISTAKES[mistake]
    with pytest.raises(UserError, match=words) as found:
        check(broken)
    assert "encrypted: the" not in str(found.value) and "\n" not in str(found.value)


@pytest.mark.parametrize(
    "entry",
    [
        network(moduli=[60, 38, 38, 38, 44], scale=38),  # 218 bits
        network(ring=4096, moduli=[29, 20, 20, 20, 20], scale=20),  # 109 bits
        DEEP | {"name": "plain"},
        network(moduli=[38, 30, 30, 30, 50]),
    ],
)
def test_the_last_parameters_that_are_secure_and_fit_are_accepted(entry):
    check(block(DIGITS, networks=[entry]))


def test_the_last_numbers_that_fit_are_accepted():
    check(block(MNIST | {"side": 64, "settings": ["dct-4095"], "repeated": [], "latency": []}))
    check(block(MNIST | {"side": 64, "settings": ["dct-4088"], "repeated": ["dct-4088"], "latency": ["dct-4088"]}))


@pytest.mark.parametrize("overlays", [[], ["config.test.yaml"], ["config.paper.yaml"]])
def test_the_configured_scales_are_consistent(overlays):
    check(merged(*overlays)["encrypted"])
