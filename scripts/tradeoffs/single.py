"""One run trained alone from the command line, with any of its settings overridden.

python -m scripts.tradeoffs.single --protocol corrected --arm adversarial --eps 0.004 --set epochs=2
"""

import argparse
import logging
import sys
from pathlib import Path

import yaml

from scripts.common.config import validate
from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.tradeoffs.runs import ARMS, settings_of

ROOT = Path(__file__).parents[2]
FACES = Path("results/data/faces")


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.tradeoffs.single", description=__doc__.splitlines()[0])
    parser.add_argument("--config", default=ROOT / "config.yaml", type=Path, help="the config to start from")
    parser.add_argument("--protocol", default="corrected", choices=["as_published", "corrected"])
    parser.add_argument("--network", default="small_cnn")
    parser.add_argument("--arm", default="plain", choices=list(ARMS))
    parser.add_argument("--eps", default=0.0, type=float, help="l_inf radius of the training attack")
    parser.add_argument("--weight", default=0.0, type=float, help="weight of the fairness penalty")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--gpu", default=0, type=int, choices=[0, 1])
    parser.add_argument("--threads", default=1, type=int)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="override a training setting")
    parser.add_argument("--out", default=Path("results/tradeoffs/single"), type=Path, help="folder for the run")
    return parser


def overridden(study: dict, pairs: list[str], protocol: str) -> dict:
    """Return the study's block with `key=value` pairs (YAML values) put over its training settings.

    Raises:
        UserError: a pair without "=", or a key that training does not have.
    """
    own = dict(study["protocols"][protocol].get("training", {}))
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or key not in study["training"]:
            raise UserError(f"--set {pair}: write KEY=VALUE with a key of {', '.join(study['training'])}")
        own[key] = yaml.safe_load(value)
    protocols = {**study["protocols"], protocol: {**study["protocols"][protocol], "training": own}}
    return {**study, "protocols": protocols}


def train_alone(options: argparse.Namespace) -> dict:
    """Train the run that the options describe; return its settings with what came out.

    Raises:
        UserError: an unknown key or value, a strength that the arm needs or does not have, no images.
    """
    for name, value in (("eps", options.eps), ("weight", options.weight)):
        if (value > 0) != (name in ARMS[options.arm]):
            raise UserError(f"--arm {options.arm} {'needs' if value <= 0 else 'does not take'} --{name}")
    config = yaml.safe_load(options.config.read_text())
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
        settings,
        f"{base}.safetensors",
        f"{base}.curve.parquet",
        f"{base}.json",
        f"{base}.checkpoints",
        options.gpu,
        options.threads,
    )


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
