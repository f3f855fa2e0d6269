"""Rule `income_fit`: every arm and seed on one data set, as predictions; what swapping does; what the notebook does."""

from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.datasets import sample_rows
from scripts.common.errors import UserError
from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions
from scripts.common.tabular import table_of, two_group_name
from scripts.income.arms import Outcome, Swapping, as_published, corrected
from scripts.income.names import CELLS, run_name
from scripts.income.people import People, people, split, title

SWAPS = ["seed", "share", "swaps", *CELLS]
ALTERED = ["seed", "works", "n", "changed", "before", "after", "told_by_group"]


class Fitted(NamedTuple):
    """Of one or all seeds: predictions (schema PREDICTIONS), what each number of swaps does, what the notebook does."""

    predictions: pd.DataFrame
    swaps: pd.DataFrame
    altered: pd.DataFrame


def prediction_rows(data: People, cell: str, outcome: Outcome, seed: int) -> pd.DataFrame:
    """Return an outcome in schema PREDICTIONS, with a column per attribute and method, protocol and seed."""
    rows = outcome.rows
    attributes = {name: codes[rows] for name, codes in data.attributes.items()}
    frame = pd.DataFrame({"row_id": data.frame["row_id"].to_numpy()[rows], "y_true": outcome.y_true})
    frame = frame.assign(y_pred=outcome.y_pred, score=outcome.score, **attributes)
    run = run_name(cell, outcome.protocol, outcome.arm, seed)
    return frame.assign(run=run, split=outcome.split, protocol=outcome.protocol, method=outcome.arm, seed=seed)


def swap_row(data: People, own: Swapping, seed: int) -> dict:
    """Return a line of `SWAPS`: what a share of the swaps does, as the counts of group, label and prediction."""
    outcome = own.outcome
    # counted here without scripts/common/metrics, so that an edited metric fits nothing again
    cell = 4 * data.group[outcome.rows] + 2 * outcome.y_true + outcome.y_pred
    counts = np.bincount(np.asarray(cell, dtype=np.int64), minlength=len(CELLS))
    return {"seed": seed, "share": own.share, "swaps": own.swaps, **dict(zip(CELLS, counts, strict=True))}


def stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return frames of the same columns one below the other; none of their rows may be all there is."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def fit_seed(data: People, cell: str, entry: dict, seed: int, shares: list[float], gradient: dict) -> Fitted:
    """Return all that one seed gives."""
    parts = split(len(data.y), data.table.name, seed)
    found, swaps, altered = [], [], []
    if "as_published" in entry["protocols"]:
        published, changes = as_published(data, parts, seed)
        found += published
        altered = [{**asdict(change), "seed": seed} for change in changes]
    if "corrected" in entry["protocols"]:
        ours, swappings = corrected(data, parts, seed, shares, gradient)
        found += ours
        swaps = [swap_row(data, own, seed) for own in swappings]
    frame = pd.concat([prediction_rows(data, cell, outcome, seed) for outcome in found], ignore_index=True)
    return Fitted(frame, pd.DataFrame(swaps, columns=SWAPS), pd.DataFrame(altered, columns=ALTERED))


def fit_cell(
    frame: pd.DataFrame, entry: dict, cell: str, seeds: list[int], shares: list[float], gradient: dict
) -> Fitted:
    """Return all arms and seeds of a data set.

    Args:
        frame: as rule `tabular` writes it.
        entry: the data set in the config: table, attribute, rows, most_rows, protocols.

    Raises:
        UserError: as `people`; or the rows are too few for a split that holds both groups and labels.
    """
    frame = sample_rows(frame, entry["most_rows"], "income rows", cell).reset_index(drop=True)
    data = people(frame, entry["table"], entry["attribute"], entry["rows"])
    if data.groups.max() > 1:
        log.warning("%s: massaging and signed differences know two groups: %s", cell, " and ".join(data.names))
    for seed in seeds:
        parts = split(len(data.y), data.table.name, seed)
        for words, rows in (("training", parts.train), ("validation", parts.valid), ("test", parts.test)):
            if len(set(zip(data.group[rows].tolist(), data.y[rows].tolist(), strict=True))) < 4:
                raise UserError(f"{cell}: the {words} part of seed {seed} lacks a group or label; take more rows")
    fitted = [fit_seed(data, cell, entry, seed, shares, gradient) for seed in progress(seeds, cell, unit="seed")]
    return Fitted(*(stacked(list(frames)) for frames in zip(*fitted, strict=True)))


def write_cell(table: str, entry: dict, cell: str, predictions: str, swaps: str, altered: str, **settings) -> None:
    """Fit a data set and write its three files."""
    fitted = fit_cell(parquet.read(table), entry, cell, **settings)
    about = table_of(entry["table"])
    attribute = two_group_name(about, entry["attribute"])
    named = {"dataset": title(entry), "attribute": attribute}
    words = dict(zip(("group_0", "group_1"), about.attributes[entry["attribute"]].two_words, strict=True))
    attributes = [*dict.fromkeys(name for name in [*about.attributes, attribute] if name in fitted.predictions)]
    write_predictions(fitted.predictions.assign(**named, **words), predictions, attributes)
    parquet.write(fitted.swaps.assign(**named, **words), swaps)
    parquet.write(fitted.altered.assign(**named), altered)
    log.info("%s: %d runs", cell, fitted.predictions["run"].nunique())


if "snakemake" in globals():
    with job(snakemake):
        out, params = snakemake.output, snakemake.params
        write_cell(
            snakemake.input.table,
            params.entry,
            params.cell,
            out.predictions,
            out.swaps,
            out.altered,
            seeds=params.seeds,
            shares=params.shares,
            gradient=params.gradient,
        )
