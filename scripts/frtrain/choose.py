"""Which knob each protocol takes, what the chosen models reach, and what follows from it.

as_published: the knob is read off the test rows at the first seed, as the released notebooks do. corrected: it is
chosen on the validation rows, for each seed anew, and the test rows are looked at once.

For demographic parity the most accurate setting with a disparate impact of at least 0.8 is taken, for equalized odds
the most accurate with a gap of at most 0.1; if none gets there, the one that comes closest.
"""

import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import log
from scripts.common.schemas.metrics import METRICS
from scripts.frtrain.findings import DI, FLOOR, GAP, SETTING, at_printed_lambda, findings, summary
from scripts.frtrain.plan import CLEAN_ROWS, RATE

CEILING = 0.1
CHOOSING_PART = {"as_published": "test", "corrected": "valid"}


def best(candidates: pd.DataFrame, notion: str) -> tuple[int, bool]:
    """Return the index of the setting to take, and whether it meets the demand.

    Args:
        candidates: columns accuracy and the metric of the notion, on the part that chooses.
    """
    if notion == "parity":
        distance = (FLOOR - candidates[DI].fillna(0.0)).clip(lower=0)
    else:
        distance = (candidates[GAP].fillna(1.0) - CEILING).clip(lower=0)
    meets = distance.to_numpy() <= 1e-12
    if meets.any():
        return candidates.index[meets][candidates["accuracy"].to_numpy()[meets].argmax()], True
    return distance.idxmin(), False


def choose(metrics: pd.DataFrame, lambdas: dict, first_seeds: dict[str, int]) -> pd.DataFrame:
    """Return the chosen run per setting, protocol and seed: SETTING, protocol, seed, run, knob, met.

    Args:
        metrics: of all runs; other rates, rules and validation sizes than the published ones are left out.
        lambdas: FR-Train's grids by kind of labels: `published` for as_published, `all_seeds` for corrected.
        first_seeds: the seed of as_published, by data set.
    """
    standard = (metrics.labels == "clean") | ((metrics.rule == "targeted") & (metrics.rate == RATE))
    standard &= (metrics.dataset != "synthetic") | (metrics.clean_rows == CLEAN_ROWS)
    rows = metrics[standard & (metrics.subgroup == "all")]
    keys = [*SETTING, "seed", "run", "knob", "split"]
    wide = rows.pivot(index=keys, columns="metric", values="value").reset_index()
    chosen = []
    for protocol, part in CHOOSING_PART.items():
        for setting, own in wide[wide.split == part].groupby([*SETTING, "seed"], sort=False):
            found = dict(zip([*SETTING, "seed"], setting, strict=True))
            if protocol == "as_published" and found["seed"] != first_seeds[found["dataset"]]:
                continue
            ours = found["method"] == "FR-Train" and found["dataset"] == "synthetic" and found["variant"] == "standard"
            if ours and found["notion"] == "parity":
                grid = lambdas[found["labels"]]["published" if protocol == "as_published" else "all_seeds"]
                own = own[own.knob.isin(grid)]
            if own.empty:
                continue
            place, met = best(own, found["notion"])
            chosen.append(found | {"protocol": protocol, "met": met, **own.loc[place, ["run", "knob"]].to_dict()})
    return pd.DataFrame(chosen)


def chosen_metrics(metrics: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the test metrics of the chosen runs, schema METRICS, under the protocol that chose them."""
    test = metrics[metrics.split == "test"].drop(columns="protocol")
    return chosen[["run", "protocol", "met"]].merge(test, on="run", how="left", validate="many_to_many")


def choose_and_derive(
    metrics_path: str, runs_path: str, lambdas: dict, first_seeds: dict[str, int], output: dict[str, str]
) -> None:
    """Write `choices` and `findings` (both schema METRICS with the facts of the runs), and `summary` over the seeds.

    Raises:
        UserError: a file is missing or damaged, or holds no runs of the study.
    """
    metrics = parquet.read(metrics_path, METRICS)
    if metrics.empty:
        raise UserError(f"{metrics_path}: holds no runs; delete it and run the workflow")
    chosen = choose(metrics, lambdas, first_seeds)
    choices = chosen_metrics(metrics, chosen)
    parquet.write(choices, output["choices"], METRICS)
    fixed = at_printed_lambda(metrics, {labels: own["printed"] for labels, own in lambdas.items()})
    parquet.write(summary(choices, fixed), output["summary"])
    parquet.write(findings(choices, fixed, parquet.read(runs_path)), output["findings"], METRICS)
    log.info("%d settings chosen, %d of them without reaching the demand", len(chosen), int((~chosen.met).sum()))
