"""Made-up but plausible inputs of the figures: the frames that the study gathers, at any size."""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.metrics import signed
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.curves import CURVES
from scripts.common.schemas.metrics import METRICS, select_metric
from scripts.tradeoffs.attack_table import NO_ATTACK, PUBLISHED, WORST, under
from scripts.tradeoffs.model_points import GAP
from scripts.tradeoffs.runs import CONSTANTS, method_label, run_name

STANDINGS = ("apgd", "fab", "square", WORST, PUBLISHED)
SCHEMAS = {"metrics": METRICS, "comparisons": COMPARISONS}
THREATS = {"linf_0.01": 1.0, "l2_1": 0.7, "l1_20": 0.85}


def settings(strengths: int, seeds: int, protocols: tuple[str, ...], constants: bool) -> pd.DataFrame:
    """Return `runs`: plain, and `strengths` settings of each other arm, per protocol and seed."""
    rows = []
    for protocol in protocols:
        grid = [("plain", 0.0, 0.0)]
        grid += [("adversarial", 0.003 * (k + 1), 0.0) for k in range(strengths)]
        grid += [("fair", 0.0, 0.5 * (k + 1)) for k in range(strengths)]
        grid += [("fair_adversarial", 0.003 * (k + 1), 1.0) for k in range(max(strengths // 2, 1))]
        for arm, eps, weight in grid:
            for seed in range(1, seeds + 1):
                name = run_name(protocol, "small_cnn", arm, seed, eps, weight)
                rows.append((name, protocol, "small_cnn", arm, eps, weight, seed, method_label(arm, eps, weight)))
        if constants:
            for arm in CONSTANTS:
                rows.append((f"{protocol}.{arm}", protocol, "none", arm, 0.0, 0.0, 0, method_label(arm)))
    columns = ["run", "protocol", "network", "arm", "train_eps", "fairness_weight", "seed", "method"]
    return pd.DataFrame(rows, columns=columns).assign(selected_epoch=9, learning_rate=0.1, train_attack="fgsm")


def level(run, sex: str | None, rng) -> dict[str, float]:
    """Return the plausible true rates of one run."""
    if run.arm in CONSTANTS:
        accept = float(run.arm == "constant_accept")
        error = 0.58 if accept else 0.42
        return {"error": error, "fnr": 1 - accept, "robust": {threat: 1 - error for threat in THREATS}}
    side = {"men": 1, "women": -1, None: 0}[sex]
    error = 0.306 + 5 * run.train_eps + 0.004 * run.fairness_weight + rng.normal(0, 0.004)
    gap = 0.23 / (1 + 3 * run.fairness_weight) + 2 * run.train_eps + rng.normal(0, 0.01)
    standing = (1 - error) * run.train_eps / (run.train_eps + 0.006) * 0.9 + 0.03 * (run.train_eps > 0)
    robust = {threat: min(standing * factor, 1 - error) + 0.02 * side * standing for threat, factor in THREATS.items()}
    return {"error": error, "fnr": 0.35 + side * gap / 2, "robust": robust}


def metric_rows(run, n: int, n_robust: int, rng) -> list[tuple]:
    """Return the (attribute, subgroup, metric, condition, value, n) of one run."""
    rows = []
    for sex in (None, "men", "women"):
        true, group = level(run, sex, rng), sex or "all"
        count, robust_count = (n, n_robust) if sex is None else (n // 2, n_robust // 2)
        about = ("sex" if sex else "none", group)
        rates = {"zero_one_loss": true["error"], "accuracy": 1 - true["error"], "false_negative_rate": true["fnr"]}
        rates |= {"true_positive_rate": 1 - true["fnr"], "selection_rate": 0.42 * (1.4 - true["fnr"])}
        rates |= {"false_positive_rate": 0.28, "positive_predictive_value": 0.6, "prevalence": 0.42}
        rows += [(*about, name, "", value, count) for name, value in rates.items()]
        for threat, robust in true["robust"].items():
            left = 0.0 if run.arm in CONSTANTS else 1.0  # what the earlier attacks left to the later ones
            excess = dict(zip(STANDINGS, (0.02 * left, 0.01 * left, 0.0, 0.0, 0.015 * left), strict=True))
            rows += [
                (*about, "robust_accuracy", under(threat, attack), robust + more, robust_count)
                for attack, more in excess.items()
            ]
            rows.append((*about, "accuracy", under(threat, NO_ATTACK), 1 - true["error"], robust_count))
    fnr = {group: value for _, group, name, _, value, _ in rows if name == "false_negative_rate"}
    rows.append(("sex", "all", signed("false_negative_rate"), "", fnr["men"] - fnr["women"], n * 2 // 5))
    rows.append(("sex", "all", signed("selection_rate"), "", -0.1, n))
    return rows


def metrics_of(runs: pd.DataFrame, n: int = 2000, n_robust: int = 256) -> pd.DataFrame:
    """Return `metrics` for every run, in the validation and the test part."""
    rng, rows = np.random.default_rng(7), []
    for run in runs.itertuples():
        for split in ("valid", "test"):
            for *key, value, count in metric_rows(run, n, n_robust, rng):
                half = 1.96 * np.sqrt(max(min(abs(value), 1), 0.0) * max(1 - abs(value), 0.0) / count)
                about = (value, value - half, value + half, "bootstrap over rows", count)
                rows.append((run.method, run.protocol, run.run, run.seed, split, *key, *about))
    columns = [name for name in METRICS.names if name not in ("study", "dataset")]
    return pd.DataFrame(rows, columns=columns).assign(study="tradeoffs", dataset="rendered faces")


def frontiers_of(runs: pd.DataFrame, metrics: pd.DataFrame, points: int = 25) -> pd.DataFrame:
    """Return `frontiers`: a curve per trained run from its own gap down to none."""
    rng, rows = np.random.default_rng(11), []
    errors = select_metric(metrics, "zero_one_loss").set_index("run").value
    gaps = select_metric(metrics, **GAP).set_index("run").value.abs()
    for run in runs[~runs.arm.isin(CONSTANTS)].itertuples():
        noise = 0.0 if run.protocol == "as_published" else 1.0
        variant, chosen_on = ("published_grid", "test") if noise == 0 else ("exact", "valid")
        drift, slip = noise * rng.normal(0.003, 0.002), noise * rng.normal(0, 0.01)  # shared: the same images
        for t in np.linspace(0, 1, points):
            gap = gaps[run.run] * (1 - t) ** 1.5
            error = errors[run.run] + 0.008 * t**2 + 0.01 * max(t - 0.95, 0)
            gap_test, error_test = (
                gap + slip + noise * rng.normal(0, 0.004),
                error + drift + noise * rng.normal(0, 0.0003),
            )
            bounds = (error_test - 0.02, error_test + 0.02, gap_test - 0.04, gap_test + 0.04)
            chosen = (variant, chosen_on, t - 1, 1 - t, error, gap, error_test, gap_test, *bounds, True)
            rows.append((run.run, run.protocol, run.seed, *chosen))
    columns = ["run", "protocol", "seed", "variant", "chosen_on", "threshold_men", "threshold_women", "error_chosen"]
    columns += ["gap_chosen", "error", "gap", "error_low", "error_high", "gap_low", "gap_high", "pareto"]
    return pd.DataFrame(rows, columns=columns)


def curves_of(runs: pd.DataFrame, epochs: int = 10) -> pd.DataFrame:
    """Return `curves`: losses fall, accuracies rise."""
    rng, rows = np.random.default_rng(13), []
    for run in runs[~runs.arm.isin(CONSTANTS)].itertuples():
        for epoch in range(1, epochs + 1):
            fall = np.exp(-epoch / 3) + 10 * run.train_eps / 3
            values = {"train_loss": 0.57 + 0.12 * fall, "valid_objective": 0.6 + 0.1 * fall}
            values |= {"valid_accuracy": 0.69 - 0.1 * fall, "valid_half_attacked_accuracy": 0.55 * (1 - fall / 2)}
            rows += [(run.run, epoch, name, value + rng.normal(0, 0.005)) for name, value in values.items()]
    return pd.DataFrame(rows, columns=CURVES.names)


def optimism_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return `optimism`: what the choice promised and what it kept."""
    rows = []
    for run in runs[~runs.arm.isin(CONSTANTS)].itertuples():
        for quantity, promised, realised in (("error", 0.31, 0.314), ("gap", 0.004, 0.021)):
            own = (realised - promised, realised - promised - 0.01, realised - promised + 0.01)
            rows.append((run.run, run.protocol, run.seed, "gap at most 0.01", quantity, promised, realised, *own))
    columns = ["run", "protocol", "seed", "criterion", "quantity", "promised", "realised", "optimism"]
    return pd.DataFrame(rows, columns=[*columns, "ci_low", "ci_high"])


def comparisons_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return `comparisons`: every arm costs one point of error and closes four points of the gap."""
    rows = []
    for run in runs[~runs.arm.isin(CONSTANTS)].itertuples():
        own = (run.run, run.protocol, run.network, run.seed, run.method, run.method, "plain")
        gap = (-0.04, -0.1, 0.02)
        rows.append((*own, "none", "all", "zero_one_loss", 0.01, -0.01, 0.03, 2000))
        rows.append((*own, "sex", "all", signed("false_negative_rate"), *gap, 2000))
        rows.append((*own, "sex", "men", "false_negative_rate", *gap, 1000))
    columns = ["run", "protocol", "network", "seed", "method", "first", "second", "attribute", "subgroup", "metric"]
    frame = pd.DataFrame(rows, columns=[*columns, "value", "ci_low", "ci_high", "n"])
    about = {"study": "tradeoffs", "dataset": "rendered faces", "split": "test", "condition": "", "paired_by": "rows"}
    return frame.assign(**about, interval="bootstrap over rows", seeds=1)


def label_facts_of() -> pd.DataFrame:
    """Return `label_facts` of two parts."""
    facts = {"rows": 2000.0, "acceptance rate": 0.42}
    parts = [("as_published", "test"), ("corrected", "valid")]
    rows = [(*part, name, value) for part in parts for name, value in facts.items()]
    return pd.DataFrame(rows, columns=["protocol", "split", "fact", "value"])


def study(strengths=2, seeds=2, protocols=("as_published", "corrected"), constants=True) -> dict[str, pd.DataFrame]:
    """Return all frames by name; 2 strengths and 2 seeds give 12 trained models per protocol."""
    runs = settings(strengths, seeds, protocols, constants)
    metrics = metrics_of(runs)
    frames = {"runs": runs, "metrics": metrics, "frontiers": frontiers_of(runs, metrics)}
    frames |= {"curves": curves_of(runs), "optimism": optimism_of(runs)}
    return frames | {"comparisons": comparisons_of(runs), "label_facts": label_facts_of()}


def write(frames, folder):
    """Write the frames as Parquet into a folder; return their paths by name."""
    for name, frame in frames.items():
        parquet.write(frame, folder / f"{name}.parquet", SCHEMAS.get(name))
    return {name: folder / f"{name}.parquet" for name in frames}
