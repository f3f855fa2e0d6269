"""The grid of trainings: which runs the config asks for, and what each run's settings are.

One run = (protocol, network, arm, strength, seed). This module is imported by the Snakefile, so it
imports nothing heavy.
"""

from itertools import product

from scripts.common.errors import UserError

ARMS = {
    "plain": (),
    "adversarial": ("eps",),
    "fair": ("weight",),
    "fair_adversarial": ("eps", "weight"),
}
CONSTANTS = ("constant_reject", "constant_accept")


def run_name(protocol: str, network: str, arm: str, seed: int, eps: float = 0.0, weight: float = 0.0) -> str:
    """Return the name of a run, e.g. `corrected.small_cnn.adversarial.eps0.005.seed1`.

    Raises:
        UserError: the arm does not exist.
    """
    if arm not in ARMS:
        raise UserError(f"tradeoffs: no arm {arm!r}; there are {', '.join(ARMS)}")
    strengths = {"eps": f"eps{eps:g}", "weight": f"weight{weight:g}"}
    return ".".join([protocol, network, arm, *(strengths[name] for name in ARMS[arm]), f"seed{seed}"])


def method_label(arm: str, eps: float = 0.0, weight: float = 0.0) -> str:
    """Return the words that figures and tables use for an arm and its strength."""
    strengths = {"eps": f"eps {eps:g}", "weight": f"weight {weight:g}"}
    words = {
        "plain": "plain",
        "adversarial": "adversarial",
        "fair": "fairness penalty",
        "fair_adversarial": "fairness penalty + adversarial",
        "constant_reject": "constant: reject all",
        "constant_accept": "constant: accept all",
    }
    return ", ".join([words[arm], *(strengths[name] for name in ARMS.get(arm, ()))])


def settings_of(study: dict, protocol: str, network: str, arm: str, seed: int, eps: float, weight: float) -> dict:
    """Return all settings of one run as plain values (the `params:` of its rules)."""
    own = study["protocols"][protocol]
    return {
        "run": run_name(protocol, network, arm, seed, eps, weight),
        "protocol": protocol,
        "network": network,
        "arm": arm,
        "train_eps": eps,
        "fairness_weight": weight,
        "seed": seed,
        "method": method_label(arm, eps, weight),
        "train_attack": own["train_attack"] if eps else "none",
        "select": own["select"],
        **{key: value for key, value in training_of(study, protocol).items() if key != "runs_per_job"},
    }


def training_of(study: dict, protocol: str) -> dict:
    """Return the settings of every training of a protocol, with what it overrides."""
    return {**study["training"], **study["protocols"][protocol].get("training", {})}


def grid(study: dict) -> dict[str, dict]:
    """Return the settings of every run that the block `tradeoffs:` of a config asks for, by name."""
    runs = {}
    for protocol, own in study["protocols"].items():
        for network, (arm, strengths), seed in product(study["networks"], own["arms"].items(), study["seeds"]):
            strengths = strengths or {}
            for eps, weight in product(strengths.get("eps", [0.0]), strengths.get("weight", [0.0])):
                settings = settings_of(study, protocol, network, arm, seed, eps, weight)
                runs[settings["run"]] = settings
    return runs


def jobs_of(runs: dict[str, dict], study: dict) -> dict[str, list[str]]:
    """Return the names of the runs of the grid that each job trains, by its name, in the order of the grid.

    Runs of one protocol and network share jobs: they read the same rows and their networks have one shape. A job of one
    run bears its name, one of several is numbered, e.g. `corrected.small_cnn.job2`.
    """
    alike: dict[tuple[str, str], list[str]] = {}
    for run, settings in runs.items():
        alike.setdefault((settings["protocol"], settings["network"]), []).append(run)
    jobs = {}
    for (protocol, network), names in alike.items():
        size = training_of(study, protocol)["runs_per_job"]
        for number, start in enumerate(range(0, len(names), size), 1):
            together = names[start : start + size]
            jobs[together[0] if size == 1 else f"{protocol}.{network}.job{number}"] = together
    return jobs
