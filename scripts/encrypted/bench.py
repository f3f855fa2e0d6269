"""Rule `encrypted_bench`: CPU seconds of encrypted inference, beside the package's product and the other packing."""

from collections.abc import Callable

import numpy as np

from scripts.common import parquet
from scripts.common.logs import job
from scripts.common.tables import save_table
from scripts.common.timing import compare, frame_of, interleave
from scripts.encrypted import ckks, image, slots
from scripts.encrypted.network import Network, folded, with_constant
from scripts.encrypted.stopwatch import Stopwatch

PARAMETERS = ckks.Parameters(8192, (50, 30, 30, 30, 50), 30)
HIDDEN, CLASSES = 32, 10


def network_of(k: int) -> Network:
    """Return a network k -> 32 -> square -> 10 with random weights."""
    random = np.random.default_rng(k)
    weights = [random.normal(size=(k, HIDDEN)) / k**0.5, random.normal(size=(HIDDEN, CLASSES)) / HIDDEN]
    return folded(weights, [np.full(HIDDEN, 0.1), np.zeros(CLASSES)], np.zeros(k), np.ones(k))


def by_package(context, ciphertexts: list[bytes], network: Network) -> list:
    """Return the encrypted logits by TenSEAL's own product of tensors, which rescales every term."""
    tenseal = ckks.package()
    (content,) = ciphertexts
    hidden = tenseal.ckks_tensor_from(context, content).mm(tenseal.plain_tensor(network.matrices[0].tolist()))
    for matrix in network.matrices[1:]:
        hidden = hidden.square().mm(tenseal.plain_tensor(matrix.tolist()))
    return hidden


def error(decrypted: np.ndarray, numbers: np.ndarray, network: Network) -> float:
    """Return the largest error of decrypted logits without their bias."""
    return float(np.abs(decrypted - (network.logits(numbers) - network.bias)).max())


def rows(k_package: int = 49, k_packing: int = 16, images: int = 4096, repeats: int = 3) -> list[dict]:
    """Return a row per comparison: our sums against the package's product, and slots against one image per ciphertext.

    Args:
        k_package, k_packing: numbers per image.
        images: along the slots; the package's product takes as long for any number of them.
        repeats: rounds in turns.
    """
    random, compared = np.random.default_rng(0), []
    secret, public = ckks.make_keys(PARAMETERS, ckks.IMAGE)
    client, server = ckks.load_context(secret, True, "client"), ckks.load_context(public, False, "server")

    def ours(sent: list[bytes], network: Network) -> Callable[[], list[bytes]]:
        return lambda: slots.infer(server, sent, network, PARAMETERS, Stopwatch())

    numbers = random.normal(size=(images, k_package))
    network = network_of(k_package)
    sent = [*slots.encrypt(client, with_constant(numbers))]
    exact = slots.decrypt(client, ours(sent, network)(), images)
    theirs = by_package(server, sent, network)
    theirs.link_context(client)
    rescaled = np.array(theirs.decrypt().tolist()).reshape(images, CLASSES)
    remark = f"largest error {error(exact, numbers, network):.1e}, theirs {error(rescaled, numbers, network):.1e}"
    costs = interleave({"o": ours(sent, network), "t": lambda: by_package(server, sent, network)}, repeats)
    what = f"encrypted logits of {images:,} images, k = {k_package}: one rescaling per sum, against TenSEAL's product"
    compared.append(compare(what, costs["o"], costs["t"], "cpu", at_most=0.5, remark=remark))

    numbers, network = random.normal(size=(images, k_packing)), network_of(k_packing)
    sent = [*slots.encrypt(client, with_constant(numbers))]
    one = [*image.encrypt(client, with_constant(numbers[:1]))]
    costs = interleave(
        {"o": ours(sent, network), "t": lambda: image.infer(server, one, network, PARAMETERS, Stopwatch())}, repeats
    )
    all_alone = [type(cost)(*(part * images for part in cost)) for cost in costs["t"]]
    what = f"{images:,} images along the slots, k = {k_packing}, against one image per ciphertext"
    remark = "the time of one image alone is multiplied by their number; a batch waits for all of its images"
    compared.append(compare(what, costs["o"], all_alone, "cpu", images, at_least=300, remark=remark))
    return compared


def bench(output: str, shown: str) -> None:
    """Time all pairs in turns and write the rows of the benchmark."""
    frame = frame_of(rows())
    parquet.write(frame, output)
    columns = ["what", "unit", "ours", "reference", "ratio", "goal", "met", "remark"]
    save_table(frame[columns], shown, "Encrypted inference on one thread: ours beside the reference")


if "snakemake" in globals():
    with job(snakemake):
        bench(snakemake.output.parquet, snakemake.output.table[0].removesuffix(".csv"))
