"""Rule `frtrain_fit`: all models of a batch, their predictions and the table of what they are.

One job fits hundreds of models, since most take milliseconds and a process takes a second to start.
"""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from scripts.common import parquet
from scripts.common.files import atomic_path
from scripts.common.logs import job, log, progress
from scripts.common.schemas.predictions import write_predictions
from scripts.common.tabular import table_of
from scripts.frtrain.datasets import Data, RealSettings, real_data, synthetic_data
from scripts.frtrain.methods import Fitter, scores
from scripts.frtrain.plan import KNOBS, METHODS, Cell, cells

PREDICTED = ("valid", "test")


def real_settings(study: dict, dataset: str) -> RealSettings:
    """Return how a real data set is cut, from the block `real:` of the config."""
    own = study["real"]
    (entry,) = [entry for entry in own["datasets"] if f"{entry['table']}.{entry['attribute']}" == dataset]
    shared = ("train_rows", "test_share", "valid_share", "clean_share", "rarest", "rate", "target_group")
    return RealSettings(**entry, **{name: own[name] for name in shared})


def data_of(cell: Cell, table: pd.DataFrame, study: dict) -> Data:
    """Return the data that a cell sees."""
    poisoned = cell.labels == "poisoned"
    if cell.dataset == "synthetic":
        rate = cell.rate if poisoned else 0.0
        seed = cell.seed if cell.rule == "random" else 0
        return synthetic_data(table, rate, cell.rule, cell.clean_rows, seed)
    return real_data(table, real_settings(study, cell.dataset), poisoned, cell.clean_labels == "crowd", cell.seed)


def predicted_rows(data: Data) -> np.ndarray:
    """Return the positions of the rows that are predicted, the validation rows before the test rows."""
    return np.concatenate([data.parts[split] for split in PREDICTED])


def predictions(cell: Cell, data: Data, score: np.ndarray, y_pred: np.ndarray | None = None) -> pd.DataFrame:
    """Return the predictions of one run on `predicted_rows`, with the group as an int8 column.

    Args:
        score: log-odds [m] of those rows.
        y_pred: decisions [m], where they are not score > 0.
    """
    rows = predicted_rows(data)
    split = np.repeat(PREDICTED, [len(data.parts[name]) for name in PREDICTED])
    codes = {
        "y_true": data.y[rows] > 0,
        "y_pred": score > 0 if y_pred is None else y_pred,
        data.attribute: data.z[rows],
    }
    codes = {name: values.astype(np.int8) for name, values in codes.items()}
    return pd.DataFrame({"row_id": data.row_id[rows], "split": split, "score": score} | codes).assign(run=cell.run)


def group_words(cell: Cell, data: Data) -> tuple[str, str]:
    """Return the words of group 0 and 1; those of the synthetic data have their codes alone."""
    if cell.dataset == "synthetic":
        return "0", "1"
    return table_of(cell.dataset.split(".")[0]).attributes[data.attribute].words


def run_row(cell: Cell, data: Data, study: dict) -> dict:
    """Return what the table of runs says of a cell."""
    title = "synthetic" if cell.dataset == "synthetic" else table_of(cell.dataset.split(".")[0]).title
    crowd = "truth"
    if cell.clean_labels == "crowd":
        crowd = "crowd" if real_settings(study, cell.dataset).crowd else "simulated crowd"
    flipped = int((data.labels[data.parts["train"]] != data.y[data.parts["train"]]).sum())
    named = {"run": cell.run, "dataset": title, "attributes": data.attribute, "method": METHODS[cell.method]}
    named |= dict(zip(("group_0", "group_1"), group_words(cell, data), strict=True))
    named |= {"knob_name": KNOBS.get(cell.method, ""), "clean_labels": crowd, "flipped": flipped}
    named |= {"clean_rows": len(data.parts["clean"]), "train_rows": len(data.parts["train"])}
    named |= {"rate": cell.rate if cell.labels == "poisoned" else 0.0}
    return asdict(cell) | {"cell_method": cell.method, "cell_dataset": cell.dataset} | named


def fit_batch(batch: str, study: dict, table: str, initial: str | None, output: dict[str, str]) -> None:
    """Fit all cells of a batch and write predictions, runs, weights and settings.

    Args:
        study: the part of the config that the batch depends on.
        table: Parquet file of the data.
        initial: published initial weights (synthetic data); None on real data.
        output: paths of `predictions`, `runs`, `weights` and `settings`.

    Raises:
        UserError: a file is missing or its data are not what they must be.
    """
    frame = parquet.read(table)
    known_data: dict[tuple, Data] = {}
    fitters: dict[tuple, Fitter] = {}
    parts, runs, weights = [], [], {}
    for cell in progress(cells(batch, study), batch, unit="fits"):
        key = (cell.labels, cell.rule, cell.rate, cell.clean_rows, cell.clean_labels)
        key += (cell.seed,) if cell.dataset != "synthetic" or cell.rule == "random" else ()
        if key not in known_data:
            known_data[key] = data_of(cell, frame, study)
        data = known_data[key]
        if (key, cell.seed) not in fitters:
            fitters[key, cell.seed] = Fitter(data, cell.seed, initial if cell.dataset == "synthetic" else None)
        seen = data.x[predicted_rows(data)]
        if cell.method == "reductions":
            from scripts.frtrain.reductions import fit_reductions  # its libraries cost seconds to import

            x, y, z = data.part("train")
            score, y_pred = fit_reductions(x, y, z, seen, cell.knob, cell.notion == "odds", cell.seed)
            parts.append(predictions(cell, data, score, y_pred))
        else:
            found = fitters[key, cell.seed].fit(cell)
            weights |= {f"{cell.run}/{name}": value for name, value in found.items() if name != "row_weights"}
            parts.append(predictions(cell, data, scores(found["classifier"], seen)))
        runs.append(run_row(cell, data, study) | {"flipped_mass": flipped_mass(cell, fitters[key, cell.seed])})
    write_predictions(pd.concat(parts, ignore_index=True), output["predictions"], [data.attribute])
    parquet.write(pd.DataFrame(runs), output["runs"])
    with atomic_path(output["weights"]) as temporary:
        save_file(weights, temporary)
    with atomic_path(output["settings"]) as temporary:
        listed = [{"run": row["run"]} | asdict(cell) for row, cell in zip(runs, cells(batch, study), strict=True)]
        temporary.write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    log.info("%s: %d models", batch, len(runs))


def flipped_mass(cell: Cell, fitter: Fitter) -> float:
    """Return the share of RML's row weights on flipped rows; nan for other methods or where nothing was flipped."""
    if cell.method != "rml":
        return float("nan")
    train = fitter.data.parts["train"]
    flipped = fitter.data.labels[train] != fitter.data.y[train]
    return float(fitter.reweighted.average[flipped].sum()) if flipped.any() else float("nan")


if "snakemake" in globals():
    with job(snakemake):
        fit_batch(
            snakemake.wildcards.batch,
            snakemake.params.settings,
            snakemake.input.table,
            snakemake.input.get("initial"),
            dict(snakemake.output.items()),
        )
