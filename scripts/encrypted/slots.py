"""Packing `slots`: one ciphertext per number, up to N/2 images along its slots.

A layer is a sum of products of ciphertexts with single numbers, which need no rotation:

    z_j = sum_i w_ij x_i        one rescaling per output, after its sum

TenSEAL's own matrix product rescales every term, at three times the cost and hundreds of times the error; its classes
of SEAL do the same sums here. Both sides exchange bytes only.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scripts.common.errors import UserError
from scripts.encrypted.ckks import Parameters, package
from scripts.encrypted.network import Network
from scripts.encrypted.stopwatch import Stopwatch

if TYPE_CHECKING:
    import tenseal

TOGETHER = 128  # numbers that are sent and read at a time: a bound on memory, some 180 MB at N = 8192


def encrypt(context, numbers: np.ndarray) -> Iterator[bytes]:
    """Yield the ciphertexts of the numbers [n, d] of at most N/2 images, up to TOGETHER numbers at a time."""
    tenseal = package()
    for start in range(0, numbers.shape[1], TOGETHER):
        yield tenseal.ckks_tensor(context, numbers[:, None, start : start + TOGETHER], batch=True).serialize()


def infer(
    context, ciphertexts: Iterable[bytes], network: Network, parameters: Parameters, watch: Stopwatch
) -> list[bytes]:
    """Return the encrypted logits of some images, a ciphertext per class, without the last bias.

    Args:
        ciphertexts: as `encrypt` yields them; they are read one by one, and only sums over them are kept.

    Raises:
        UserError: a ciphertext is damaged, or they hold another number of inputs than the network takes.
    """
    sealapi = package().sealapi
    seal, first = context.seal_context().data, network.matrices[0]
    evaluator, relinearisation = sealapi.Evaluator(seal), context.relin_keys().data
    layer, read = _Layer(seal, evaluator, 2.0**parameters.scale, first.shape[1]), 0
    for content in ciphertexts:
        with watch.measured("load"):
            inputs = _numbers_of(context, content)
        rows = first[read : read + len(inputs)]
        read += len(inputs)
        if len(rows) == len(inputs):
            with watch.measured("linear_1"):
                layer.add(inputs, rows)
    if read != len(first):
        raise UserError(f"ciphertexts of {read} numbers, the network takes {network.inputs} and a 1; encrypt again")
    with watch.measured("linear_1"):
        hidden = layer.outputs()
    for place, matrix in enumerate(network.matrices[1:], start=2):
        with watch.measured("square"):
            for one in hidden:
                evaluator.square_inplace(one)
                evaluator.relinearize_inplace(one, relinearisation)
                evaluator.rescale_to_next_inplace(one)
        with watch.measured(f"linear_{place}"):
            layer = _Layer(seal, evaluator, 2.0**parameters.scale, matrix.shape[1])
            layer.add(hidden, matrix)
            hidden = layer.outputs()
    return [_bytes_of(one) for one in hidden]


class _Layer:
    """Sums of products of a linear layer with `width` outputs, whose inputs may come in several parts."""

    def __init__(self, seal, evaluator, scale: float, width: int) -> None:
        sealapi = package().sealapi
        self.encoder, self.evaluator, self.scale = sealapi.CKKSEncoder(seal), evaluator, scale
        self.sums = [sealapi.Ciphertext() for _ in range(width)]
        self.product, self.plain, self.empty = sealapi.Ciphertext(), sealapi.Plaintext(), True

    def add(self, inputs: list, matrix: np.ndarray) -> None:
        """Add inputs @ matrix [d, width] for d ciphertexts."""
        for column, total in zip(matrix.T.tolist(), self.sums, strict=True):
            empty = self.empty
            for weight, one in zip(column, inputs, strict=True):
                self.encoder.encode(weight, one.parms_id(), self.scale, self.plain)
                if empty:
                    self.evaluator.multiply_plain(one, self.plain, total)
                else:
                    self.evaluator.multiply_plain(one, self.plain, self.product)
                    self.evaluator.add_inplace(total, self.product)
                empty = False
        self.empty = False

    def outputs(self) -> list:
        """Return the ciphertexts of the sums, rescaled once."""
        for total in self.sums:
            self.evaluator.rescale_to_next_inplace(total)
        return self.sums


def _numbers_of(context, content: bytes) -> list:
    """Return the ciphertexts, one per number, that were sent together.

    Raises:
        UserError: they cannot be read.
    """
    tenseal = package()
    try:
        return tenseal.ckks_tensor_from(context, content).ciphertext()
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"a ciphertext cannot be read ({error}); encrypt the images again") from error


def decrypt(context, replies: Iterable[bytes], images: int) -> np.ndarray:
    """Return the logits of some images without the last bias, float64 [images, classes].

    Raises:
        UserError: a reply is empty or damaged.
    """
    sealapi = package().sealapi
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
    """Return the bytes of a ciphertext of SEAL, which writes them to files only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ciphertext")
        ciphertext.save(str(path))
        return path.read_bytes()


def _ciphertext_of(seal, content: bytes) -> "tenseal.sealapi.Ciphertext":
    with tempfile.TemporaryDirectory() as folder:
        path, found = Path(folder, "ciphertext"), package().sealapi.Ciphertext()
        path.write_bytes(content)
        found.load(seal, str(path))
        return found
