"""Rule `boosting_fit`: every arm and split of one data set: predictions, all rounds of the first split, models."""

import numpy as np
import pandas as pd

from scripts.boosting import gradient, stumps
from scripts.boosting.arms import Fitted, Parts, fit_split
from scripts.boosting.fair import Rows
from scripts.boosting.names import run_name
from scripts.boosting.people import SUBSET_WORDS, People, people, split
from scripts.boosting.plan import cell_name
from scripts.boosting.preferences import check_preference
from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions


def prediction_rows(data: People, found: Fitted, parts: Parts, cell: str, seed: int) -> pd.DataFrame:
    """Return the test rows of all arms in schema PREDICTIONS, with the attributes and the chance of those that draw."""
    test, frames = parts.test_at, []
    about = {"row_id": data.frame["row_id"].to_numpy()[test], "y_true": data.y[test]}
    about |= {name: data.groups[test, k] for k, name in enumerate(data.attributes)}
    about |= {name: codes[test] for name, codes in data.every.items()}
    for outcome in found.outcomes:
        own = pd.DataFrame(about | {"y_pred": outcome.y_pred, "score": outcome.score})
        own["probability"] = np.nan if outcome.chance is None else outcome.chance
        own.insert(0, "run", run_name(cell, outcome.protocol, outcome.arm, seed))
        frames.append(own)
    return pd.concat(frames, ignore_index=True).assign(split="test")


def run_rows(data: People, found: Fitted, parts: Parts, cell: str, seed: int, train_share: float) -> pd.DataFrame:
    """Return one row per run: what it is, the round kept and how many there are."""
    rounds = {key: (kept, len(history.ensemble)) for key, (history, kept) in found.stumps.items()}
    rounds |= {key: (staged.stage, len(staged.counts)) for key, staged in found.staged.items()}
    rows = []
    for outcome in found.outcomes:
        kept, of = rounds.get((outcome.protocol, outcome.arm), (None, None))
        run = run_name(cell, outcome.protocol, outcome.arm, seed)
        rows.append((run, outcome.protocol, outcome.arm, seed, kept, of))
    frame = pd.DataFrame(rows, columns=["run", "protocol", "method", "seed", "theta", "rounds"])
    frame = frame.astype({"theta": "Int64", "rounds": "Int64"})
    words = [data.words[name] for name in data.attributes]
    return frame.assign(
        cell=cell,
        dataset=data.title,
        subset=SUBSET_WORDS.get(data.table.name, "all rows"),
        attributes=", ".join(data.attributes),
        group_0="; ".join(own[0] for own in words),
        group_1="; ".join(own[1] for own in words),
        train_rows=len(parts.train_at),
        test_rows=len(parts.test_at),
        train_share=train_share,
    )


def counts_by_round(found: Fitted, key: tuple[str, str], rows: Rows) -> np.ndarray:
    """Return the counts [T, 2^(attributes + 2)] of some rows after each round of a booster of stumps."""
    ensemble = found.stumps[key][0].ensemble
    part, votes, counts = 4 * rows.cells + 2 * rows.y, np.zeros(len(rows.y)), []
    for t in range(len(ensemble)):
        f, cut = ensemble.column[t], ensemble.cut[t]
        codes = rows.codes[:, f]
        side = (codes == cut if ensemble.columns.categorical[f] else codes > cut).astype(np.int64)
        votes += ensemble.alpha[t] * (2 * ensemble.leaves[t][side] - 1.0)
        counts.append(np.bincount(part + (votes > 0), minlength=2 ** (rows.groups.shape[1] + 2)))
    return np.array(counts)


def round_rows(found: Fitted, parts: Parts, cell: str, seed: int) -> pd.DataFrame:
    """Return one row per booster, round and part of the rows: counts by cell, label, prediction; shares of the weight.

    `part` is watched (the rows on which the round was chosen: training rows, or held-out ones), and choice and report,
    every other test row. `masses` is by cell and label, empty where there are none.
    """
    rows = []
    for key, (history, kept) in found.stumps.items():
        watched, none = history.together, [np.zeros(0)] * len(history.masses)
        if watched.ndim == parts.test.groups.shape[1] + 3:
            flat, masses = watched.reshape(len(watched), -1), history.masses.reshape(len(watched), -1)
        else:  # AdaFair on one of several attributes counts that one alone
            flat, masses = counts_by_round(found, key, parts.train), none
        rows += [(*key, t + 1, kept, "watched", flat[t], masses[t]) for t in range(len(flat))]
        for name, half in parts.halves.items():
            flat = counts_by_round(found, key, half)
            rows += [(*key, t + 1, kept, name, flat[t], none[t]) for t in range(len(flat))]
    for key, staged in found.staged.items():
        for name, counts in {"watched": staged.counts, **staged.others}.items():
            flat = counts.reshape(len(counts), -1)
            rows += [(*key, t + 1, staged.stage, name, flat[t], np.zeros(0)) for t in range(len(flat))]
    frame = pd.DataFrame(rows, columns=["protocol", "method", "round", "theta", "part", "counts", "masses"])
    return frame.assign(cell=cell, seed=seed)


def fit_cell(frame: pd.DataFrame, entry: dict, study: dict) -> dict:
    """Return all of a cell: attributes, predictions, runs, rounds (of the first seed), models of stumps and of trees.

    Args:
        frame: as rule `tabular` writes it.
        entry: the data set in the config: table, attributes, most_rows.
        study: the study's block of the config.

    Raises:
        UserError: the data set or a split of it cannot be fitted; the cell is named.
    """
    cell = cell_name(entry)
    for name, preference in [*study["preferences"].items(), ("gradient_preference", study["gradient_preference"])]:
        if preference is not None:  # before hours of fitting
            check_preference(preference, 3, name)
    data = people(frame, entry["table"], entry["attributes"], entry["most_rows"])
    share = study["train_share"]["one" if len(entry["attributes"]) == 1 else "several"]
    predictions, runs, rounds, models, gradients = [], [], None, {}, {}
    for seed in progress(study["seeds"], cell, unit="split"):
        try:
            found, parts = fit_split(data, split(data.y, entry["table"], share, seed), study, seed, rounds is None)
        except UserError as error:
            raise UserError(f"{cell}, split {seed}: {error}") from error
        predictions.append(prediction_rows(data, found, parts, cell, seed))
        runs.append(run_rows(data, found, parts, cell, seed, share))
        for (protocol, arm), (history, kept) in found.stumps.items():
            models[run_name(cell, protocol, arm, seed)] = history.ensemble.first(kept)
        if rounds is None:
            rounds = round_rows(found, parts, cell, seed)
            gradients = {run_name(cell, *key, seed): staged for key, staged in found.staged.items()}
    return {
        "attributes": [*data.attributes, *data.every],
        "predictions": pd.concat(predictions, ignore_index=True),
        "runs": pd.concat(runs, ignore_index=True),
        "rounds": rounds,
        "stumps": models,
        "gradient": gradients,
    }


def write_cell(table: str, entry: dict, study: dict, output: dict[str, str]) -> None:
    """Fit a cell and write its files."""
    fitted = fit_cell(parquet.read(table), entry, study)
    write_predictions(fitted["predictions"], output["predictions"], fitted["attributes"])
    parquet.write(fitted["runs"], output["runs"])
    parquet.write(fitted["rounds"], output["rounds"])
    stumps.save(fitted["stumps"], output["stumps"])
    gradient.save(fitted["gradient"], output["gradient"])
    log.info("%s: %d runs", cell_name(entry), len(fitted["runs"]))


if "snakemake" in globals():
    with job(snakemake):
        out = {name: snakemake.output[name] for name in ("predictions", "runs", "rounds", "stumps", "gradient")}
        write_cell(snakemake.input.table, snakemake.params.entry, snakemake.params.study, out)
