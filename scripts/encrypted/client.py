"""The client by hand: make keys, encrypt an image, and decrypt the server's reply (docs/encrypted.md)."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.common.command_line import new_parser
from scripts.common.errors import UserError
from scripts.common.files import atomic_path
from scripts.encrypted import ckks, exchange, networks
from scripts.encrypted.by_hand import check_output, tell
from scripts.encrypted.jobs import Part, content_of, decrypt_parts, encrypt_parts, write_keys
from scripts.encrypted.parcels import networks_of
from scripts.encrypted.pictures import picture
from scripts.encrypted.settings import setting_of
from scripts.encrypted.transforms import matrix_of

CLIENT, SERVER = "client.context", "server.context"
MODULI = "50,30,30,30,50"


def keys(options: argparse.Namespace) -> str:
    """Write fresh keys into a folder, and return what they are."""
    try:
        moduli = tuple(int(bits) for bits in options.moduli.split(","))
    except ValueError:
        raise UserError(f"--moduli: {options.moduli!r} is no list of bits such as {MODULI}") from None
    parameters = ckks.Parameters(options.ring, moduli, options.scale)
    security = parameters.check()
    folder = Path(options.keys)
    if (folder / CLIENT).exists():
        raise UserError(f"{folder / CLIENT}: there are keys already, which their replies need; take another folder")
    write_keys(parameters, ckks.IMAGE, folder / CLIENT, folder / SERVER)
    return (
        f"{security} bits of security (N = {parameters.ring}, moduli of {sum(moduli)} bits). "
        f"Send the server {folder / SERVER}, and nobody {folder / CLIENT}."
    )


def encrypt(options: argparse.Namespace) -> str:
    """Write the ciphertext of an image, and return what to send."""
    check_output(options.out, exchange.BYTES)
    known = networks.about(options.network)
    if options.setting not in known["settings"]:
        raise UserError(f"--setting: {options.setting!r} is none of {', '.join(known['settings'])}")
    setting = setting_of(options.setting)
    network = networks_of(options.network, [setting.name], known["seeds"][0])[setting.name]
    values = picture(options.image, known["side"]).astype(float)
    numbers = np.float32(values @ matrix_of(setting.transform, known["side"], setting.k).T)[None]
    folder = Path(options.keys)
    parameters = ckks.Parameters.of(ckks.load_context(content_of(folder / CLIENT), True, str(folder / CLIENT)))
    part = Part(setting.name, numbers, network)
    encrypt_parts(folder / CLIENT, folder / SERVER, [part], parameters, ckks.IMAGE, options.out)
    return f"Send the server {options.out} and {Path(options.out).with_suffix('.json')}."


def decrypt(options: argparse.Namespace) -> str:
    """Write the logits of a reply, and return the class."""
    check_output(options.out, exchange.ABOUT, exchange.description_of(options.reply))
    known, folder = networks.about(options.network), Path(options.keys)
    parameters = ckks.Parameters.of(ckks.load_context(content_of(folder / CLIENT), True, str(folder / CLIENT)))
    trained = networks_of(options.network, known["settings"], known["seeds"][0])
    by_setting, _ = decrypt_parts(folder / CLIENT, folder / SERVER, options.reply, trained, parameters, ckks.IMAGE)
    ((name, logits),) = by_setting.items()
    chosen = known["names"][int(logits[0].argmax())]
    with atomic_path(options.out) as temporary:
        about = {"class": chosen, "names": known["names"], "logits": logits[0].round(6).tolist(), "setting": name}
        temporary.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return f"{chosen} ({options.out} has all logits; do not share them)"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the three commands."""
    whole = new_parser(prog="python -m scripts.encrypted.client", description=__doc__)
    commands = whole.add_subparsers(required=True, metavar="keys | encrypt | decrypt")
    for start in (keys, encrypt, decrypt):
        command = commands.add_parser(start.__name__, help=start.__doc__.split(",")[0].lower(), allow_abbrev=False)
        command.set_defaults(start=start)
        command.add_argument("--keys", required=True, help="folder of the client's keys")
        if start is keys:
            command.add_argument("--ring", type=int, default=8192, help="ring dimension N")
            command.add_argument("--moduli", default=MODULI, help="bits of the coefficient moduli")
            command.add_argument("--scale", type=int, default=30, help="bits of the scale")
            continue
        command.add_argument("--network", required=True, help="file with the trained networks")
        command.add_argument("--out", required=True, help="file to write")
        if start is encrypt:
            command.add_argument("--image", required=True, help="picture to encrypt")
            command.add_argument("--setting", default="dct-49", help="what is encrypted of it")
        else:
            command.add_argument("--reply", required=True, help="the server's reply")
    return whole


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a user's mistake is one line."""
    options = parser().parse_args(arguments)
    tell(lambda: options.start(options))


if __name__ == "__main__":
    main()
