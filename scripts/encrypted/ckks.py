"""CKKS by TenSEAL: its parameters, and the keys of a client and of a server that never holds the secret one.

Two packings of the same network (image.py, slots.py):

    image   one image per ciphertext; its numbers lie along the slots, and rotations (Galois keys) multiply by a matrix
    slots   one ciphertext per number; up to N/2 images lie along the slots, so products need no rotation
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.common.errors import UserError
from scripts.encrypted.security import security_bits

if TYPE_CHECKING:
    import tenseal

IMAGE, SLOTS = "image", "slots"
PACKINGS = (IMAGE, SLOTS)


@dataclass(frozen=True)
class Parameters:
    """Parameters of CKKS: ring dimension N, bits of the coefficient moduli, bits of the scale."""

    ring: int
    moduli: tuple[int, ...]
    scale: int

    @classmethod
    def of(cls, context: "tenseal.Context") -> "Parameters":
        """Return the parameters that keys were made with."""
        import tenseal.sealapi  # noqa: F401 (without it the classes of SEAL's moduli are unknown)

        known = context.seal_context().data.key_context_data().parms()
        bits = tuple(modulus.bit_count() for modulus in known.coeff_modulus())
        return cls(known.poly_modulus_degree(), bits, round(math.log2(context.global_scale)))

    def check(self) -> int:
        """Return the bits of security.

        Raises:
            UserError: they are below 128, or the scale does not fit the moduli.
        """
        bits = security_bits(self.ring, self.moduli)
        if len(self.moduli) < 3 or any(inner != self.scale for inner in self.moduli[1:-1]):
            raise UserError(
                f"encrypted: moduli {list(self.moduli)} and a scale of {self.scale} bits: all but the first and the "
                "last modulus must have the bits of the scale"
            )
        return bits

    @property
    def slots(self) -> int:
        """Return how many numbers a ciphertext holds, N/2."""
        return self.ring // 2


def make_keys(parameters: Parameters, packing: str) -> tuple[bytes, bytes]:
    """Return the client's context, with the secret key, and the server's, without; keys are drawn by the system.

    Raises:
        UserError: the parameters are not secure.
    """
    import tenseal

    parameters.check()
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS,
        poly_modulus_degree=parameters.ring,
        coeff_mod_bit_sizes=list(parameters.moduli),
        n_threads=1,
    )
    context.global_scale = 2.0**parameters.scale
    if packing == IMAGE:
        context.generate_galois_keys()
    client = context.serialize(save_secret_key=True, save_galois_keys=False)
    context.make_context_public()
    return client, context.serialize(save_galois_keys=packing == IMAGE)


def load_context(content: bytes, secret: bool, where: str) -> "tenseal.Context":
    """Return a context of a client (`secret`) or a server.

    Raises:
        UserError: the bytes are no context, a server's holds a secret key, or a client's holds none.
    """
    import tenseal

    try:
        context = tenseal.context_from(content, n_threads=1)
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"{where}: no keys of CKKS, or damaged ({error}); make keys again") from error
    if context.has_secret_key() and not secret:
        raise UserError(f"{where}: holds a secret key, which the server must never see; give it the server's keys")
    if secret and not context.has_secret_key():
        raise UserError(f"{where}: holds no secret key; decryption needs the client's keys")
    return context
