"""Packing `slots`: one ciphertext per number, up to N/2 images along its slots.

A layer is a sum of products of ciphertexts with single numbers, which need no rotation:

    z_j = sum_i w_ij x_i        one rescaling per output, after its sum

TenSEAL's own matrix product rescales every term, at three times the cost and hundreds of times the error; its classes
of SEAL do the same sums here. Both sides exchange bytes only.
"""

import tempfile
from typing import TYPE_CHECKING
from pathlib import Path

import numpy as np

from scripts.common.errors import UserError
from scripts.encrypted.ckks import Parameters
from scripts.encrypted.network import Network
from scripts.encrypted.stopwatch import Stopwatch

if TYPE_CHECKING:
    import tenseal


def encrypt(context, numbers: np.ndarray, slots: int) -> list[bytes]:
    """Return the ciphertexts of numbers [n, d]: a part per `slots` images, each with d ciphertexts."""
    import tenseal

    parts = np.split(numbers, range(slots, len(numbers), slots))
    return [tenseal.ckks_tensor(context, part[:, None, :], batch=True).serialize() for part in parts]


def infer(context, ciphertext: bytes, network: Network, parameters: Parameters, watch: Stopwatch) -> list[bytes]:
    """Return the encrypted logits of one part, a ciphertext per class, without the last bias.

    Raises:
        UserError: the part is damaged, or holds another number of inputs than the network takes.
    """
    import tenseal
    from tenseal import sealapi

    with watch.measured("load"):
        try:
            tensor = tenseal.ckks_tensor_from(context, ciphertext)
            width, hidden = tensor.shape[-1], tensor.ciphertext()
        except (RuntimeError, ValueError, TypeError) as error:
            raise UserError(f"a ciphertext cannot be read ({error}); encrypt the images again") from error
    if width != network.inputs + 1:
        raise UserError(f"a ciphertext of {width} numbers, the network takes {network.inputs} and a 1; encrypt again")
    seal = context.seal_context().data
    evaluator, relinearisation = sealapi.Evaluator(seal), context.relin_keys().data
    for place, matrix in enumerate(network.matrices):
        if place:
            with watch.measured("square"):
                for one in hidden:
                    evaluator.square_inplace(one)
                    evaluator.relinearize_inplace(one, relinearisation)
                    evaluator.rescale_to_next_inplace(one)
        with watch.measured(f"linear_{place + 1}"):
            hidden = _linear(seal, evaluator, hidden, matrix, 2.0**parameters.scale)
    return [_bytes_of(one) for one in hidden]


def _linear(seal, evaluator, inputs: list, matrix: np.ndarray, scale: float) -> list:
    """Return the ciphertexts of inputs @ matrix [d_in, d_out]."""
    from tenseal import sealapi

    encoder, plain, product, outputs = sealapi.CKKSEncoder(seal), sealapi.Plaintext(), sealapi.Ciphertext(), []
    for column in matrix.T.tolist():
        total = sealapi.Ciphertext()
        for place, (weight, one) in enumerate(zip(column, inputs, strict=True)):
            encoder.encode(weight, one.parms_id(), scale, plain)
            if place:
                evaluator.multiply_plain(one, plain, product)
                evaluator.add_inplace(total, product)
            else:
                evaluator.multiply_plain(one, plain, total)
        evaluator.rescale_to_next_inplace(total)
        outputs.append(total)
    return outputs


def decrypt(context, replies: list[bytes], images: int) -> np.ndarray:
    """Return the logits of one part without the last bias, float64 [images, classes].

    Raises:
        UserError: a reply is empty or damaged.
    """
    from tenseal import sealapi

    seal = context.seal_context().data
    decryptor, encoder = sealapi.Decryptor(seal, context.secret_key().data), sealapi.CKKSEncoder(seal)
    columns = []
    for reply in replies:
        plain = sealapi.Plaintext()
        try:
            decryptor.decrypt(_ciphertext_of(seal, reply), plain)
            columns.append(encoder.decode_double(plain)[:images])
        except (RuntimeError, ValueError, TypeError) as error:
            raise UserError(f"a reply cannot be decrypted ({error}); infer again") from error
    return np.array(columns, float).T


def _bytes_of(ciphertext) -> bytes:
    """Return the bytes of a ciphertext of SEAL, which are written to files only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ciphertext")
        ciphertext.save(str(path))
        return path.read_bytes()


def _ciphertext_of(seal, content: bytes) -> "tenseal.sealapi.Ciphertext":
    from tenseal import sealapi

    with tempfile.TemporaryDirectory() as folder:
        path, found = Path(folder, "ciphertext"), sealapi.Ciphertext()
        path.write_bytes(content)
        found.load(seal, str(path))
        return found
