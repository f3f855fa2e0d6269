"""The server by hand: infer from a ciphertext with the server's keys (docs/encrypted.md)."""

from collections.abc import Sequence
from pathlib import Path

from scripts.common.command_line import new_parser
from scripts.common.errors import UserError
from scripts.encrypted import ckks, exchange, networks
from scripts.encrypted.by_hand import check_output, tell
from scripts.encrypted.jobs import infer_parts
from scripts.encrypted.parcels import networks_of

SERVER = "server.context"


def infer(keys: str, sent: str, network: str, out: str) -> str:
    """Write the encrypted reply to what a client sent, and return what to send back.

    Args:
        keys: folder with the server's keys; they must hold no secret key.
        sent: the client's ciphertexts.
        network: file with the trained networks.
        out: the reply.

    Raises:
        UserError: a file is missing, damaged or of other keys, or holds a secret key.
    """
    check_output(out, exchange.BYTES, sent)
    public = Path(keys, SERVER)
    if not public.is_file():
        raise UserError(f"{public}: no such file; ask the client for the server's keys")
    parameters = ckks.Parameters.of(ckks.load_context(public.read_bytes(), False, str(public)))
    known = networks.about(network)
    trained = networks_of(network, known["settings"], known["seeds"][0])
    rows = infer_parts(public, sent, trained, parameters, ckks.IMAGE, out)
    seconds = sum(row["wall_seconds"] for row in rows if row["operation"] == "infer")
    return f"Computed in {seconds:.2f} s. Send the client {out} and {Path(out).with_suffix('.json')}."


def main(arguments: Sequence[str] | None = None) -> None:
    """Infer as the command line says; a user's mistake is one line."""
    parser = new_parser(prog="python -m scripts.encrypted.server", description=__doc__)
    parser.add_argument("--keys", required=True, help="folder of the server's keys")
    parser.add_argument("--sent", required=True, help="what the client sent")
    parser.add_argument("--network", required=True, help="file with the trained networks")
    parser.add_argument("--out", required=True, help="the reply to write")
    options = parser.parse_args(arguments)
    tell(lambda: infer(options.keys, options.sent, options.network, options.out))


if __name__ == "__main__":
    main()
