"""CKKS by TenSEAL: keys, encryption and decryption of a client, and inference of a server that holds no secret key.

Two packings of the same network:

    image   one image per ciphertext; its numbers lie along the slots, and rotations (Galois keys) multiply by a matrix
    slots   one ciphertext per number; up to N/2 images lie along the slots, so products need no rotation

Both sides exchange bytes only. TenSEAL computes wrong numbers in silence in several cases (depth, damaged ciphertexts,
foreign keys), so shapes are checked before, and decrypted logits must be plausible.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scripts.common.errors import UserError
from scripts.encrypted.network import Network, check_inputs, with_constant
from scripts.encrypted.security import check_depth, security_bits

if TYPE_CHECKING:
    import tenseal

IMAGE, SLOTS = "image", "slots"
PACKINGS = (IMAGE, SLOTS)
PLAUSIBLE = 1e6  # a wrong key or a damaged ciphertext gives numbers near 10^24


@dataclass(frozen=True)
class Parameters:
    """Parameters of CKKS: ring dimension N, bits of the coefficient moduli, bits of the scale."""

    ring: int
    moduli: tuple[int, ...]
    scale: int

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


def encrypt(context, inputs: np.ndarray, network: Network, packing: str) -> list[bytes]:
    """Return the ciphertexts of images [n, k]: one per image, or one per N/2 images with all of their numbers.

    Raises:
        UserError: the inputs do not fit (`network.check_inputs`).
    """
    import tenseal

    ring = context.seal_context().data.key_context_data().parms().poly_modulus_degree()
    check_inputs(inputs, network, ring)
    numbers = with_constant(np.asarray(inputs, float))
    if packing == IMAGE:
        return [tenseal.ckks_vector(context, row).serialize() for row in numbers]
    parts = np.split(numbers, range(ring // 2, len(numbers), ring // 2))
    return [tenseal.ckks_tensor(context, part[:, None, :], batch=True).serialize() for part in parts]


def infer(context, ciphertext: bytes, network: Network, packing: str, parameters: Parameters) -> bytes:
    """Return the encrypted logits of one ciphertext, without the last bias; no secret key is needed or allowed.

    Raises:
        UserError: the network is too deep, the ciphertext is damaged or of another size, or keys are missing.
    """
    import tenseal

    check_depth(parameters.moduli, network.products)
    kind = tenseal.ckks_vector_from if packing == IMAGE else tenseal.ckks_tensor_from
    try:
        hidden = kind(context, ciphertext)
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"a ciphertext cannot be read ({error}); encrypt the images again") from error
    if (width := hidden.shape[-1]) != network.inputs + 1:
        raise UserError(f"a ciphertext of {width} numbers, the network takes {network.inputs} and a 1; encrypt again")
    if packing == IMAGE and not context.has_galois_keys():
        raise UserError("the server's keys lack those for rotations; make keys for packing image")
    for place, matrix in enumerate(network.matrices):
        if sum(matrix.shape) > parameters.slots + 1:
            raise UserError(f"a layer of {matrix.shape[0]} x {matrix.shape[1]} does not fit {parameters.slots} slots")
        hidden = hidden.square() if place else hidden
        plain = matrix.tolist() if packing == IMAGE else tenseal.plain_tensor(matrix.tolist())
        hidden = hidden.mm(plain)
    return hidden.serialize()


def decrypt(context, reply: bytes, network: Network, packing: str, images: int) -> np.ndarray:
    """Return the logits of the images of one reply, float64 [images, classes].

    Raises:
        UserError: the reply is empty or damaged, has another size, or its numbers are none of this network and key.
    """
    import tenseal

    kind = tenseal.ckks_vector_from if packing == IMAGE else tenseal.ckks_tensor_from
    try:
        found = kind(context, reply).decrypt()
        numbers = np.asarray(found if packing == IMAGE else found.tolist(), float).reshape(-1, len(network.bias))
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"a reply cannot be decrypted ({error}); infer again") from error
    if len(numbers) != images:
        raise UserError(f"a reply holds {len(numbers)} images, {images} were sent; infer again")
    if not np.isfinite(numbers).all() or np.abs(numbers).max(initial=0) > PLAUSIBLE:
        raise UserError("decrypted numbers are not plausible: a wrong key, or a damaged reply; nothing is predicted")
    return numbers + network.bias
