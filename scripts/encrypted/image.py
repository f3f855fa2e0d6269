"""Packing `image`: one image per ciphertext, its numbers along the slots; TenSEAL multiplies by rotations."""

from collections.abc import Iterable, Iterator

import numpy as np

from scripts.common.errors import UserError
from scripts.encrypted.ckks import Parameters, package
from scripts.encrypted.network import Network
from scripts.encrypted.stopwatch import Stopwatch


def encrypt(context, numbers: np.ndarray) -> Iterator[bytes]:
    """Yield the ciphertext of the numbers [1, d] of one image."""
    tenseal = package()
    for row in numbers:
        yield tenseal.ckks_vector(context, row).serialize()


def infer(
    context, ciphertexts: Iterable[bytes], network: Network, parameters: Parameters, watch: Stopwatch
) -> list[bytes]:
    """Return the encrypted logits of one image, without the last bias, as the one element of a list.

    Args:
        ciphertexts: as `encrypt` yields them, one.

    Raises:
        UserError: the ciphertext is damaged or of another size, or the keys for rotations are missing.
    """
    tenseal = package()
    with watch.measured("load"):
        try:
            (ciphertext,) = ciphertexts
            hidden = tenseal.ckks_vector_from(context, ciphertext)
        except (RuntimeError, ValueError, TypeError) as error:
            raise UserError(f"a ciphertext cannot be read ({error}); encrypt the images again") from error
    if (width := hidden.size()) != network.inputs + 1:
        raise UserError(f"a ciphertext of {width} numbers, the network takes {network.inputs} and a 1; encrypt again")
    if not context.has_galois_keys():
        raise UserError("the server's keys lack those for rotations; make keys for packing image")
    for place, matrix in enumerate(network.matrices):
        if sum(matrix.shape) > parameters.slots + 1:  # TenSEAL would compute wrong numbers (its issue 504)
            raise UserError(f"a layer of {matrix.shape[0]} x {matrix.shape[1]} does not fit {parameters.slots} slots")
        if place:
            with watch.measured("square"):
                hidden = hidden.square()
        with watch.measured(f"linear_{place + 1}"):
            hidden = hidden.mm(matrix.tolist())
    return [hidden.serialize()]


def decrypt(context, replies: Iterable[bytes], images: int) -> np.ndarray:
    """Return the logits of one image without the last bias, float64 [1, classes].

    Raises:
        UserError: the reply is empty or damaged.
    """
    tenseal = package()
    try:
        return np.array([tenseal.ckks_vector_from(context, reply).decrypt() for reply in replies], float)
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"a reply cannot be decrypted ({error}); infer again") from error
