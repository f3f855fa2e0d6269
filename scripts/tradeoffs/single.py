"""One run trained alone from the command line, with any of its settings overridden.

python -m scripts.tradeoffs.single --protocol corrected --arm adversarial --eps 0.004 --set epochs=2
"""

import argparse
import logging
import sys
from pathlib import Path

import yaml

from scripts.common.command_line import new_parser
from scripts.common.config import validate
from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.common.yaml_files import as_number, read_yaml
from scripts.tradeoffs.runs import ARMS, settings_of

ROOT = Path(__file__).parents[2]
FACES = Path("results/data/faces")


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = new_parser(prog="python -m scripts.tradeoffs.single", description=__doc__.splitlines()[0])
    parser.add_argument("--config", default=ROOT / "config.yaml", type=Path, help="the config to start from")
    parser.add_argument("--protocol", default="corrected", choices=["as_published", "corrected"])
    parser.add_argument("--network", default="small_cnn")
    parser.add_argument("--arm", default="plain", choices=list(ARMS))
    parser.add_argument("--eps", default=0.0, type=float, help="l_inf radius of the training attack")
    parser.add_argument("--weight", default=0.0, type=float, help="weight of the fairness penalty")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--gpu", default=0, type=int, choices=[0, 1])
    parser.add_argument("--threads", default=1, type=int)
    parser.add_argument(
        "--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE", help="override training settings"
    )
    parser.add_argument("--out", default=Path("results/tradeoffs/single"), type=Path, help="folder for the run")
    return parser


def overridden(study: dict, pairs: list[str], protocol: str) -> dict:
    """Return the study's block with `key=value` pairs (YAML values) put over its training settings.

    Raises:
        UserError: a pair without "=", a key that training does not have, or one that is given twice.
    """
    keys = [pair.partition("=")[0] for pair in pairs]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise UserError(f"--set {twice}: is given twice; keep one")
    own = dict(study["protocols"][protocol].get("training", {}))
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or key not in study["training"]:
            raise UserError(f"--set {pair}: write KEY=VALUE with a key of {', '.join(study['training'])}")
        own[key] = value_of(value)
    protocols = {**study["protocols"], protocol: {**study["protocols"][protocol], "training": own}}
    return {**study, "protocols": protocols}


def value_of(text: str) -> object:
    """Return the value of a `KEY=VALUE` pair as YAML reads it, but 3e-3 as the number that it is to everyone else.

    Raises:
        UserError: it is no YAML.
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"--set ...={text}: no value ({' '.join(str(error).split())}); put it in quotes") from error
    number = as_number(value) if isinstance(value, str) else None
    return value if number is None else number


def train_alone(options: argparse.Namespace) -> dict:
    """Train the run that the options describe; return its settings with what came out.

    Raises:
        UserError: an unknown key or value, a strength that the arm needs or does not have, no images.
    """
    for name, value in (("eps", options.eps), ("weight", options.weight)):
        if (value > 0) != (name in ARMS[options.arm]):
            raise UserError(f"--arm {options.arm} {'needs' if value <= 0 else 'does not take'} --{name}")
    config = read_yaml(options.config)
    if not isinstance(config, dict) or "tradeoffs" not in config:
        raise UserError(f"--config {options.config}: has no block tradeoffs; name a whole config, such as config.yaml")
    config["tradeoffs"] = overridden(config["tradeoffs"], options.set, options.protocol)
    validate(config, ROOT)
    if not (FACES / "images.npy").exists():
        raise UserError(f"{FACES}/images.npy: no images yet; run `snakemake --cores all {FACES}/images.npy` first")
    from scripts.tradeoffs.tradeoffs_train import train  # after the checks: torch takes seconds to import

    settings = settings_of(
        config["tradeoffs"], options.protocol, options.network, options.arm, options.seed, options.eps, options.weight
    )
    base = options.out / settings["run"]
    return train(
        str(FACES / "images.npy"),
        str(FACES / "index.parquet"),
        f"results/tradeoffs/splits/{options.protocol}.parquet",
        [settings],
        f"{base}.safetensors",
        f"{base}.curve.parquet",
        f"{base}.json",
        f"{base}.checkpoints",
        options.gpu,
        options.threads,
    )[0]


def main() -> None:
    """Run the command line; a user's mistake ends in one line and exit status 1."""
    logging.basicConfig(format="%(message)s")
    log.setLevel(logging.INFO)
    options = arguments().parse_args()
    try:
        record = train_alone(options)
    except UserError as error:
        sys.exit(f"Error: {error}")
    print(f"{options.out / record['run']}.safetensors: epoch {record['selected_epoch']} of {record['epochs']}")


if __name__ == "__main__":
    main()
