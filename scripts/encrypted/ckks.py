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
    from types import ModuleType

    import tenseal

IMAGE, SLOTS = "image", "slots"
PACKINGS = (IMAGE, SLOTS)
HEADROOM = 8  # bits of the first modulus above the scale: numbers beyond 2^7 at the end would wrap around unnoticed


def package() -> "ModuleType":
    """Return the package tenseal, with its classes of SEAL (`tenseal.sealapi`).

    Raises:
        UserError: this Python has none that can be imported.
    """
    try:
        import tenseal
        import tenseal.sealapi
    except ImportError as error:
        raise UserError(
            f"encrypted: the package tenseal, which encrypts, cannot be imported ({error}); "
            "run make install, or pip install tenseal with a Python that it has a wheel for (envs/requirements.in)"
        ) from error
    return tenseal


@dataclass(frozen=True)
class Parameters:
    """Parameters of CKKS: ring dimension N, bits of the coefficient moduli, bits of the scale."""

    ring: int
    moduli: tuple[int, ...]
    scale: int

    @classmethod
    def of(cls, context: "tenseal.Context") -> "Parameters":
        """Return the parameters that keys were made with."""
        package()  # without its classes of SEAL those of moduli are unknown
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
        if self.moduli[0] < self.scale + HEADROOM:
            raise UserError(
                f"encrypted: a first modulus of {self.moduli[0]} bits and a scale of {self.scale}: it must have "
                f"{HEADROOM} bits more, or logits do not fit"
            )
        return bits

    @property
    def slots(self) -> int:
        """Return how many numbers a ciphertext holds, N/2."""
        return self.ring // 2

    def images(self, packing: str) -> int:
        """Return how many images are encrypted together at most."""
        return self.slots if packing == SLOTS else 1


def make_keys(parameters: Parameters, packing: str) -> tuple[bytes, bytes]:
    """Return the client's context, with the secret key, and the server's, without; keys are drawn by the system.

    Raises:
        UserError: the parameters are not secure, or there are not enough primes of so few bits.
    """
    tenseal = package()
    parameters.check()
    try:
        context = tenseal.context(
            tenseal.SCHEME_TYPE.CKKS,
            poly_modulus_degree=parameters.ring,
            coeff_mod_bit_sizes=list(parameters.moduli),
            n_threads=1,
        )
    except (RuntimeError, ValueError) as error:
        raise UserError(f"encrypted: no keys with moduli {list(parameters.moduli)} ({error}); take others") from error
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
    tenseal = package()
    try:
        context = tenseal.context_from(content, n_threads=1)
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"{where}: no keys of CKKS, or damaged ({error}); make keys again") from error
    if context.has_secret_key() and not secret:
        raise UserError(f"{where}: holds a secret key, which the server must never see; give it the server's keys")
    if secret and not context.has_secret_key():
        raise UserError(f"{where}: holds no secret key; decryption needs the client's keys")
    if not context.has_relin_keys():
        raise UserError(f"{where}: lacks the keys that products need (relinearisation); make keys again")
    return context
