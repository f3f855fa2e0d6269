"""The four steps of the protocol on files: keys, encryption and decryption of the client, inference of the server.

Each step takes and gives paths only, so that a rule of the workflow and a person at two machines do the same. The
server's step is never handed a file of the client.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.common.logs import log
from scripts.encrypted import ckks, exchange
from scripts.encrypted.network import Network

PRIVATE = 0o600


@dataclass(frozen=True)
class Part:
    """What is encrypted together: the numbers [n, k] of some images, for one network, by its name."""

    name: str
    numbers: np.ndarray
    network: Network


def write_keys(parameters: ckks.Parameters, packing: str, client: str | Path, server: str | Path) -> dict[str, float]:
    """Write the client's context, for the owner alone, and the server's; return seconds and bytes.

    Raises:
        UserError: the parameters are not secure, or a file cannot be written.
    """
    started = time.perf_counter()
    secret, public = ckks.make_keys(parameters, packing)
    seconds = time.perf_counter() - started
    Path(client).parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(client) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
    with atomic_path(server) as temporary:
        temporary.write_bytes(public)
    return {"keygen_seconds": seconds, "client_bytes": len(secret), "server_bytes": len(public)}


def about(parameters: ckks.Parameters, packing: str, server: bytes) -> dict:
    """Return what both sides compare: parameters, packing, and a digest of the server's keys."""
    return {
        "ring": parameters.ring,
        "moduli": list(parameters.moduli),
        "scale": parameters.scale,
        "packing": packing,
        "keys": exchange.digest_of(server)[:32],
    }


def encrypt_parts(
    client: str | Path,
    server: str | Path,
    parts: Sequence[Part],
    parameters: ckks.Parameters,
    packing: str,
    output: str | Path,
) -> dict[str, float]:
    """Write the ciphertexts of all parts as one parcel, and return the CPU seconds of each part.

    Raises:
        UserError: keys are damaged or not the client's, or numbers do not fit.
    """
    context = ckks.load_context(Path(client).read_bytes(), True, str(client))
    blobs, listed, seconds = [], [], {}
    for part in parts:
        started = time.process_time()
        ciphertexts = ckks.encrypt(context, part.numbers, part.network, packing)
        seconds[part.name] = time.process_time() - started
        sizes = _sizes(len(part.numbers), len(ciphertexts), packing, parameters)
        listed.append({"name": part.name, "images": sizes, "k": part.network.inputs})
        blobs += ciphertexts
    header = about(parameters, packing, Path(server).read_bytes()) | {"parts": listed}
    exchange.write(exchange.Parcel(tuple(blobs), header), output)
    return seconds


def _sizes(images: int, ciphertexts: int, packing: str, parameters: ckks.Parameters) -> list[int]:
    if packing == ckks.IMAGE:
        return [1] * ciphertexts
    return [min(parameters.slots, images - start) for start in range(0, images, parameters.slots)]


def infer_parts(
    server: str | Path,
    ciphertexts: str | Path,
    networks: Mapping[str, Network],
    parameters: ckks.Parameters,
    packing: str,
    output: str | Path,
) -> list[dict]:
    """Write the encrypted replies of all parts; return name, images, CPU and wall seconds of every ciphertext.

    The first ciphertext of every part is computed twice, and the first time does not count: it warms caches up.

    Raises:
        UserError: the server's keys hold a secret key, or the parcel is damaged or made for other keys or parameters.
    """
    content = Path(server).read_bytes()
    context = ckks.load_context(content, False, str(server))
    expected = about(parameters, packing, content)
    parcel = exchange.read(ciphertexts, expected)
    replies, rows, blobs = [], [], iter(parcel.parts)
    for entry in parcel.about["parts"]:
        if entry["name"] not in networks:
            raise UserError(f"{ciphertexts}: holds images for the network {entry['name']}, which the server lacks")
        network = networks[entry["name"]]
        for place, images in enumerate(entry["images"]):
            blob = next(blobs)
            if place == 0 and packing == ckks.IMAGE:
                ckks.infer(context, blob, network, packing, parameters)
            cpu, wall = time.process_time(), time.perf_counter()
            replies.append(ckks.infer(context, blob, network, packing, parameters))
            rows.append(
                {
                    "name": entry["name"],
                    "images": images,
                    "cpu_seconds": time.process_time() - cpu,
                    "wall_seconds": time.perf_counter() - wall,
                    "bytes_up": len(blob),
                    "bytes_down": len(replies[-1]),
                }
            )
        log.info("%s: %d ciphertexts", entry["name"], len(entry["images"]))
    exchange.write(exchange.Parcel(tuple(replies), expected | {"parts": parcel.about["parts"]}), output)
    return rows


def decrypt_parts(
    client: str | Path,
    server: str | Path,
    replies: str | Path,
    networks: Mapping[str, Network],
    parameters: ckks.Parameters,
    packing: str,
) -> dict[str, np.ndarray]:
    """Return the logits [n, classes] of every part.

    Raises:
        UserError: keys are not the client's, the parcel is damaged or of other keys, or numbers are not plausible.
    """
    context = ckks.load_context(Path(client).read_bytes(), True, str(client))
    parcel = exchange.read(replies, about(parameters, packing, Path(server).read_bytes()))
    blobs, found = iter(parcel.parts), {}
    for entry in parcel.about["parts"]:
        network = networks[entry["name"]]
        logits = [ckks.decrypt(context, next(blobs), network, packing, images) for images in entry["images"]]
        found[entry["name"]] = np.concatenate(logits)
    return found
