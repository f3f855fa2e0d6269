"""The four steps of the protocol on files: keys, encryption and decryption of the client, inference of the server.

Each step takes and gives paths only, so that a rule of the workflow and a person at two machines do the same. The
server's step is never handed a file of the client.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import log
from scripts.encrypted import ckks, exchange, image, slots
from scripts.encrypted.network import Network, check_inputs, with_constant
from scripts.encrypted.security import check_depth
from scripts.encrypted.stopwatch import Stopwatch

PRIVATE = 0o600
PLAUSIBLE = 1e6  # a wrong key or a damaged ciphertext gives numbers near 10^24
PACKINGS = {ckks.IMAGE: image, ckks.SLOTS: slots}


@dataclass(frozen=True)
class Part:
    """What is encrypted together: the numbers [n, k] of some images, for one network, by its name."""

    name: str
    numbers: np.ndarray
    network: Network


def write_keys(parameters: ckks.Parameters, packing: str, client: str | Path, server: str | Path) -> list[dict]:
    """Write the client's context, for the owner alone, and the server's; return a row per context.

    A row holds operation (keygen, keys_public), cpu_seconds, wall_seconds and bytes.

    Raises:
        UserError: the parameters are not secure, or a file cannot be written.
    """
    watch = Stopwatch()
    with watch.measured("keygen"):
        secret, public = ckks.make_keys(parameters, packing)
    with atomic_path(client) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
    with watch.measured("keys_public"), atomic_path(server) as temporary:
        temporary.write_bytes(public)
    return [row | {"bytes": len(content)} for row, content in zip(watch.rows, (secret, public), strict=True)]


def about(parameters: ckks.Parameters, packing: str, server: bytes) -> dict:
    """Return what both sides compare: parameters, packing, and a digest of the server's keys."""
    return {
        "ring": parameters.ring,
        "moduli": list(parameters.moduli),
        "scale": parameters.scale,
        "packing": packing,
        "keys": exchange.digest_of(server)[:32],
    }


def content_of(path: str | Path) -> bytes:
    """Return the bytes of a file with keys.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); name the folder of the keys, or make new ones"
        ) from error


def encrypt_parts(
    client: str | Path,
    server: str | Path,
    parts: Sequence[Part],
    parameters: ckks.Parameters,
    packing: str,
    output: str | Path,
) -> list[dict]:
    """Write the ciphertexts of all parts as one parcel; return a row of name, seconds and bytes per part.

    Raises:
        UserError: keys are damaged or not the client's, or numbers do not fit.
    """
    context = ckks.load_context(content_of(client), True, str(client))
    for part in parts:
        check_inputs(part.numbers, part.network, parameters.ring)
    header, listed, rows = about(parameters, packing, content_of(server)), [], []

    def ciphertexts() -> Iterator[bytes]:
        most = parameters.images(packing)
        for part in parts:
            watch, images, sent, size = Stopwatch(), [], [], 0
            numbers = with_constant(part.numbers)
            for start in range(0, len(numbers), most):
                batch = numbers[start : start + most]
                blobs, count = PACKINGS[packing].encrypt(context, batch), 0
                while True:
                    with watch.measured("encrypt"):
                        blob = next(blobs, None)
                    if blob is None:
                        break
                    count, size = count + 1, size + len(blob)
                    yield blob
                images.append(len(batch))
                sent.append(count)
            listed.append({"name": part.name, "k": part.network.inputs, "images": images, "sent": sent})
            rows.extend(row | {"name": part.name, "images": len(numbers), "bytes": size} for row in watch.rows)

    exchange.write(ciphertexts(), header | {"parts": listed}, output)
    return rows


def infer_parts(
    server: str | Path,
    ciphertexts: str | Path,
    networks: Mapping[str, Network],
    parameters: ckks.Parameters,
    packing: str,
    output: str | Path,
) -> list[dict]:
    """Write the encrypted replies of all parts; return rows of name, images, operation, seconds and bytes.

    An operation is load, linear_1, square, linear_2 ... or infer, all of them together, with the bytes of the reply.
    The first batch of all, and the first image of every part in packing `image`, are computed twice, and the first time
    does not count: it warms up.

    Raises:
        UserError: the server's keys hold a secret key, or the parcel is damaged or made for other keys or parameters.
    """
    content = content_of(server)
    context = ckks.load_context(content, False, str(server))
    expected = about(parameters, packing, content)
    parcel = exchange.read(ciphertexts, expected)
    entries = exchange.entries_of(parcel, "sent", networks, parameters.images(packing))
    for entry in entries:
        entry["replies"] = []
        check_depth(parameters.moduli, networks[entry["name"]].products)
    rows = []

    def replies() -> Iterator[bytes]:
        blobs = parcel.parts()
        for entry in entries:
            network = networks[entry["name"]]
            for place, (images, count) in enumerate(zip(entry["images"], entry["sent"], strict=True)):
                batch, watch = islice(blobs, count), Stopwatch()
                if place == 0 and (packing == ckks.IMAGE or not rows):
                    batch = [*batch]
                    PACKINGS[packing].infer(context, batch, network, parameters, Stopwatch())
                with watch.measured("infer"):
                    found = PACKINGS[packing].infer(context, batch, network, parameters, watch)
                size = {"infer": sum(map(len, found))}
                shared = {"name": entry["name"], "images": images}
                rows.extend(row | shared | {"bytes": size.get(row["operation"])} for row in watch.rows)
                entry["replies"].append(len(found))
                yield from found
            log.info("%s: %d images", entry["name"], sum(entry["images"]))

    exchange.write(replies(), expected | {"parts": entries}, output)
    return rows


def decrypt_parts(
    client: str | Path,
    server: str | Path,
    replies: str | Path,
    networks: Mapping[str, Network],
    parameters: ckks.Parameters,
    packing: str,
) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Return the logits [n, classes] of every part, and a row of name, seconds and images each.

    Raises:
        UserError: keys are not the client's, the parcel is damaged or of other keys, or numbers are not plausible.
    """
    context = ckks.load_context(content_of(client), True, str(client))
    parcel = exchange.read(replies, about(parameters, packing, content_of(server)))
    entries = exchange.entries_of(parcel, "replies", networks, parameters.images(packing))
    blobs, found, rows = parcel.parts(), {}, []
    for entry in entries:
        watch, logits = Stopwatch(), []
        with watch.measured("decrypt"):
            for images, count in zip(entry["images"], entry["replies"], strict=True):
                numbers = PACKINGS[packing].decrypt(context, islice(blobs, count), images)
                logits.append(plausible(numbers, images, networks[entry["name"]]))
        found[entry["name"]] = np.concatenate(logits)
        rows.append(watch.rows[0] | {"name": entry["name"], "images": sum(entry["images"])})
    return found, rows


def plausible(numbers: np.ndarray, images: int, network: Network) -> np.ndarray:
    """Return decrypted numbers [images, classes] with the last bias, the logits.

    Raises:
        UserError: they are of another size, not finite, or far beyond what a network gives.
    """
    if numbers.shape != (images, len(network.bias)):
        raise UserError(f"a reply of shape {numbers.shape}, {(images, len(network.bias))} is due; infer again")
    if not np.isfinite(numbers).all() or np.abs(numbers).max(initial=0) > PLAUSIBLE:
        raise UserError("decrypted numbers are not plausible: a wrong key, or a damaged reply; nothing is predicted")
    return numbers + network.bias
