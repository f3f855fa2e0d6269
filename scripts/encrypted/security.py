"""Security of CKKS parameters: the largest modulus of a ring for a level of bits, and the multiplications it allows.

HomomorphicEncryption.org standard (Albrecht et al. 2018), ternary secret, classical attacks.
"""

from collections.abc import Sequence

from scripts.common.errors import UserError

MOST_BITS = {  # by ring dimension N, the total bits of the coefficient modulus by bits of security
    1024: {128: 27, 192: 19, 256: 14},
    2048: {128: 54, 192: 37, 256: 29},
    4096: {128: 109, 192: 75, 256: 58},
    8192: {128: 218, 192: 152, 256: 118},
    16384: {128: 438, 192: 305, 256: 237},
    32768: {128: 881, 192: 611, 256: 476},
}
LEVELS = (256, 192, 128)
SMALLEST, LARGEST = 20, 60  # bits of one modulus that SEAL finds primes for


def security_bits(ring: int, moduli: Sequence[int]) -> int:
    """Return the bits of security, 128, 192 or 256, of a ring dimension and the bits of its coefficient moduli.

    Raises:
        UserError: below 128 bits, an unknown ring dimension, or a modulus that is too small or too large.
    """
    if ring not in MOST_BITS:
        raise UserError(f"encrypted: ring dimension {ring}; the standard has {', '.join(map(str, MOST_BITS))}")
    if wrong := [bits for bits in moduli if not SMALLEST <= bits <= LARGEST]:
        raise UserError(f"encrypted: a modulus of {wrong[0]} bits; each has {SMALLEST} to {LARGEST}")
    total = sum(moduli)
    for level in LEVELS:
        if total <= MOST_BITS[ring][level]:
            return level
    raise UserError(
        f"encrypted: moduli of {total} bits in all at ring dimension {ring}; 128 bits of security allow at most "
        f"{MOST_BITS[ring][128]}: take fewer or smaller moduli, or a larger ring"
    )


def levels(moduli: Sequence[int]) -> int:
    """Return how many products in a row the moduli allow: all but the first and the last one are used up one by one."""
    return len(moduli) - 2


def check_depth(moduli: Sequence[int], products: int) -> None:
    """Check that a network's products in a row fit.

    Raises:
        UserError: they do not.
    """
    if products > levels(moduli):
        raise UserError(
            f"encrypted: the network has {products} products in a row, its moduli allow {levels(moduli)}; "
            "take a shallower network or one more modulus"
        )
