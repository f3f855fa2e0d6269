"""Rule `income_measure`: metrics of every run, paired differences, means over seeds, the effect of each swap count."""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.intervals import bootstrap_interval, paired_difference, unpaired_difference
from scripts.common.k_groups import k_group_metrics
from scripts.common.logs import job, log, progress
from scripts.common.metrics import RATES, joint_table
from scripts.common.resampled_t import aggregate_splits
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.common.tabular import table_of
from scripts.income.measures import PARITY, disparate_impact, measure, parity_difference
from scripts.income.names import ARMS, BASE, CELLS, LABELS, OWN_SPLIT, RANDOM, run_name
from scripts.income.people import TEST, VALID

STUDY = "income"
TOLD_APART = ("parity_difference", "disparate_impact")  # of everybody: each is one number of both groups
MEASURED = ["subgroup", "metric", "value", "ci_low", "ci_high", "n"]
PAIRED = {name: RATES[name] for name in ("accuracy", "acceptance_rate", "tpr", "fpr")}
KEYS = ["dataset", "groups", "protocol", "method", "quantity", "metric", "subgroup"]
# test rows over training rows, which the interval over seeds needs; as published there is no validation part
TEST_BY_TRAIN = {"as_published": TEST / (1 - TEST), "corrected": TEST / (1 - TEST - VALID)}


def check_predictions(frame: pd.DataFrame, attribute: str, path: str) -> None:
    """Check a predictions file before it is measured.

    Raises:
        UserError: a column is missing, a value is no 0 or 1, a score is no number, a row occurs twice in a part of a
            run, or of the attribute only one value occurs.
    """
    again = "delete it and run the workflow"
    if attribute not in frame:
        raise UserError(f"{path}: the column {attribute} is missing; {again}")
    for column in ("y_true", "y_pred", attribute):
        unknown = frame[column][~frame[column].isin([0, 1])]
        if len(unknown):
            raise UserError(f"{path}: {column} holds {unknown.iloc[0]}, expected 0 or 1; {again}")
    if frame["score"].isna().any():
        raise UserError(f"{path}: {int(frame['score'].isna().sum())} scores are no numbers; {again}")
    if frame.duplicated(["run", "split", "row_id"]).any():
        twice = frame[frame.duplicated(["run", "split", "row_id"])].iloc[0]
        raise UserError(f"{path}: row_id {twice['row_id']} occurs twice in the {twice['split']} part of {twice['run']}")
    if frame[attribute].nunique() < 2:
        raise UserError(f"{path}: {attribute} has the one value {frame[attribute].iloc[0]}; groups need two")


def direction(frame: pd.DataFrame) -> pd.Series:
    """Return in words what every difference is, such as "men minus women"."""
    return frame["group_1"] + " minus " + frame["group_0"]


def told(frame: pd.DataFrame, protocol: str, method: str, run: str, seed: int) -> dict:
    """Return the columns of METRICS that say what a row is about, and `groups`: which one the differences take away."""
    about = {"study": STUDY, "dataset": frame["dataset"].iloc[0], "protocol": protocol, "method": method}
    about["groups"] = direction(frame.head(1)).iloc[0]
    return about | {"run": run, "seed": seed, "split": "test"}


def labelled(found: list[tuple[pd.DataFrame, dict]]) -> pd.DataFrame:
    """Return frames one below the other, each with the columns of its own dictionary."""
    about = pd.DataFrame([own for _, own in found])
    rows = np.repeat(np.arange(len(found)), [len(frame) for frame, _ in found])
    frame = pd.concat([frame for frame, _ in found], ignore_index=True)
    return pd.concat([frame, about.iloc[rows].reset_index(drop=True)], axis=1)


def parity_differences(
    y_true: np.ndarray, y_pred: np.ndarray, base_said: np.ndarray, group: np.ndarray, replicates: int, seed: int
) -> pd.DataFrame:
    """Return `TOLD_APART` of `y_pred` minus `base_said`, decisions on the same people, with paired bootstrap intervals.

    Columns as of `measure`.
    """
    codes = {"group": group, "y_true": y_true, "y_pred": y_pred, "base_said": base_said}
    joint, rows = joint_table(codes, [2, 2, 2, 2]), []
    for name in TOLD_APART:
        difference = bootstrap_interval(
            joint, lambda table, of=PARITY[name]: of(table.sum(-1)) - of(table.sum(-2)), replicates, seed
        )
        rows.append(("all", name, *difference, len(y_true)))
    return pd.DataFrame(rows, columns=MEASURED)


def differences_of_other_people(found: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy and `TOLD_APART` of everybody, one model minus the base model, each judged on people of its own.

    Args:
        found, base: as `measure` returns them. Their samples are independent, so there is nothing to pair.
    """
    both = found.merge(base, on=["subgroup", "metric"], suffixes=("", "_2"))
    both = both[(both["subgroup"] == "all") & both["metric"].isin(["accuracy", *TOLD_APART])]
    value, low, high = unpaired_difference(
        both["value"], (both["ci_low"], both["ci_high"]), both["value_2"], (both["ci_low_2"], both["ci_high_2"])
    )
    return both.assign(value=value, ci_low=low, ci_high=high, n=both[["n", "n_2"]].min(axis=1))[MEASURED]


def cell_metrics(frame: pd.DataFrame, replicates: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return all metrics of the test parts of one cell, and the differences to its base model.

    The labels themselves are measured as if they were decisions: what a model without error would show.

    Args:
        frame: the predictions file of the cell.

    Returns:
        Three frames in schema METRICS, the second with arm minus base on the same rows. The third has what else claims
        state of arm minus base: parity of everybody, and the arms that are judged on other people.
    """
    cell = frame["run"].iloc[0].rsplit(f".{frame['protocol'].iloc[0]}.", 1)[0]
    attribute, names = frame["attribute"].iloc[0], {frame["group_1"].iloc[0]: 1, frame["group_0"].iloc[0]: 0}
    runs = {
        key: own for key, own in frame[frame["split"] == "test"].groupby(["protocol", "seed", "method"], sort=False)
    }
    values, differences, stated = [], [], []
    for (protocol, seed, method), own in progress(runs.items(), cell, unit="run"):
        run = own["run"].iloc[0]
        y_true, y_pred, score, group = (own[name].to_numpy() for name in ("y_true", "y_pred", "score", attribute))
        known = None if method in RANDOM else score
        found = measure(y_true, y_pred, known, group, names, replicates, seed_from("income", run))
        values.append((found, told(own, protocol, method, run, seed)))
        every = k_group_metrics(own, table_of(cell.split(".")[0]), replicates, seed_from("income", run))
        values += [(every, told(own, protocol, method, run, seed))] if len(every) else []
        if method == BASE:
            base_found = found
            run = run_name(cell, protocol, LABELS, seed)
            found = measure(y_true, y_true, None, group, names, replicates, seed_from("income", run))
            values.append((found, told(own, protocol, LABELS, run, seed)))
        elif not (protocol == "as_published" and method in OWN_SPLIT):  # those are judged on other rows
            base = runs[protocol, seed, BASE]
            if not np.array_equal(base["row_id"], own["row_id"]):
                raise UserError(
                    f"{run}: its rows are not those of the base model; delete the file and run the workflow"
                )
            seed_here = seed_from("income paired", run)
            base_said = base["y_pred"].to_numpy()
            found = paired_difference(y_true, y_pred, base_said, group, names, replicates, seed_here, rates=PAIRED)
            differences.append((found, told(own, protocol, method, run, seed)))
            found = parity_differences(y_true, y_pred, base_said, group, replicates, seed_here)
            stated.append((found, told(own, protocol, method, run, seed)))
        else:
            found = differences_of_other_people(found, base_found)
            stated.append((found, told(own, protocol, method, run, seed)))
    return labelled(values), labelled(differences), labelled(stated)


def altered_findings(altered: pd.DataFrame) -> pd.DataFrame:
    """Return what the notebook's procedure does to the data, in schema METRICS (split train: the new data set)."""
    rows = []
    for own in altered.itertuples():
        method = OWN_SPLIT[int(own.works)]
        facts = {"swaps_meant": own.n, "labels_changed": own.changed, "rows_before": own.before, "rows_left": own.after}
        for metric, value in {**facts, "label_told_by_group": own.told_by_group}.items():
            rows.append((own.dataset, method, own.seed, metric, float(value), own.after))
    frame = pd.DataFrame(rows, columns=["dataset", "method", "seed", "metric", "value", "n"])
    about = {"study": STUDY, "protocol": "as_published", "run": "", "split": "train", "subgroup": "all"}
    return frame.assign(**about, ci_low=np.nan, ci_high=np.nan)


def summary_of(values: pd.DataFrame, differences: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds with corrected intervals: `quantity` is "value", or "minus base" for differences."""
    rows = pd.concat([values.assign(quantity="value"), differences.assign(quantity="minus base")], ignore_index=True)
    return aggregate_splits(rows.assign(test_by_train=rows["protocol"].map(TEST_BY_TRAIN)), KEYS)


def swap_effects(swaps: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy and gaps per data set, share of the formula's n and metric, over the seeds.

    Returns:
        dataset, groups, share, metric, value, ci_low, ci_high, deviation, seeds, n, and swaps (each way, mean).
    """
    counts = swaps[CELLS].to_numpy().reshape(-1, 2, 2, 2)
    tpr = RATES["tpr"](counts)
    measured = {
        "accuracy": RATES["accuracy"](counts.sum(-3)),
        "parity_difference": parity_difference(counts),
        "disparate_impact": disparate_impact(counts),
        "tpr_difference": tpr[:, 1] - tpr[:, 0],
    }
    about = swaps[["dataset", "share", "seed", "swaps"]].assign(n=counts.sum((1, 2, 3)), groups=direction(swaps))
    rows = pd.concat([about.assign(metric=name, value=value) for name, value in measured.items()], ignore_index=True)
    rows["test_by_train"] = TEST_BY_TRAIN["corrected"]
    many = swaps.groupby(["dataset", "share"], sort=False)["swaps"].mean().rename("swaps").reset_index()
    return aggregate_splits(rows, ["dataset", "groups", "share", "metric"]).merge(many, on=["dataset", "share"])


def order_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with each protocol's labels and arms in the order in which the study names them."""
    places = {arm: place for place, arm in enumerate([LABELS, *dict.fromkeys(sum(ARMS.values(), ()))])}
    keys = [frame["dataset"].map({name: k for k, name in enumerate(frame["dataset"].unique())})]
    keys += [frame["protocol"], frame["method"].map(places)]
    order = pd.DataFrame(dict(enumerate(keys))).sort_values([0, 1, 2], kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def stacked(paths: list[str]) -> pd.DataFrame:
    """Return the rows of all files; a cell without the protocol that a file is about has none."""
    frames = [parquet.read(path) for path in paths]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def measure_all(
    predictions: list[str], swaps: list[str], altered: list[str], replicates: int, outputs: dict[str, str]
) -> None:
    """Write the released files of the study: metrics, findings, summary and swaps.

    Raises:
        UserError: a predictions file is damaged.
    """
    found = []
    for path in predictions:
        frame = parquet.read(path, PREDICTIONS)
        check_predictions(frame, frame["attribute"].iloc[0], path)
        found.append(cell_metrics(frame, replicates))
    values, differences, stated = (order_of(pd.concat(parts, ignore_index=True)) for parts in zip(*found, strict=True))
    parquet.write(values, outputs["metrics"], METRICS)
    changes = altered_findings(stacked(altered))
    findings = pd.concat([differences, stated, *([changes] if len(changes) else [])], ignore_index=True)
    parquet.write(findings, outputs["findings"], METRICS)
    parquet.write(summary_of(values, differences), outputs["summary"])
    parquet.write(swap_effects(stacked(swaps)), outputs["swaps"])
    log.info("%d runs", values["run"].nunique())


if "snakemake" in globals():
    with job(snakemake):
        files, out = snakemake.input, snakemake.output
        outputs = {name: out[name] for name in ("metrics", "findings", "summary", "swaps")}
        measure_all(
            list(files.predictions), list(files.swaps), list(files.altered), snakemake.params.replicates, outputs
        )
