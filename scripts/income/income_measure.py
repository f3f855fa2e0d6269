"""Rule `income_measure`: metrics of every run, comparisons with the base model, means over seeds, effects of swaps."""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.aggregate import aggregate
from scripts.common.errors import UserError
from scripts.common.interval_kinds import BOOTSTRAP, JOINED, RESAMPLED_T
from scripts.common.intervals import MEASURED, bootstrap_interval, paired_difference, unpaired_difference
from scripts.common.k_groups import k_group_metrics
from scripts.common.logs import job, log, progress
from scripts.common.metrics import RATES, joint_table, signed
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import EVERYONE, METRICS, NO_ATTRIBUTE
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from
from scripts.common.tabular import table_of
from scripts.income.measures import PARITY, RATIO, measure, parity_difference, selection_rate_ratio
from scripts.income.names import ARMS, BASE, CELLS, LABELS, OWN_SPLIT, RANDOM, run_name
from scripts.income.people import TEST, VALID

STUDY = "income"
PAIRED = {name: RATES[name] for name in ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate")}
STATED = ("accuracy", PARITY, RATIO)  # of everybody, what claims state of two models that are judged on other people
MEASURE = ["metric", "attribute", "subgroup", "condition"]
KEYS = ["dataset", "groups", "protocol", "method", *MEASURE]
PAIR_KEYS = ["dataset", "groups", "protocol", "first", "second", *MEASURE]
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
    return about | {"run": run, "seed": seed, "split": "test", "condition": ""}


def compared(frame: pd.DataFrame, told_of: dict, paired_by: str) -> tuple[pd.DataFrame, dict]:
    """Return a difference to the base model, and the columns of COMPARISONS that say what it is about."""
    about = told_of | {"first": told_of["method"], "second": BASE, "paired_by": paired_by, "seeds": 1}
    return frame, {name: value for name, value in about.items() if name != "method"}


def labelled(found: list[tuple[pd.DataFrame, dict]]) -> pd.DataFrame:
    """Return frames one below the other, each with the columns of its own dictionary."""
    about = pd.DataFrame([own for _, own in found])
    rows = np.repeat(np.arange(len(found)), [len(frame) for frame, _ in found])
    frame = pd.concat([frame for frame, _ in found], ignore_index=True)
    return pd.concat([frame, about.iloc[rows].reset_index(drop=True)], axis=1)


def ratio_difference(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    base_said: np.ndarray,
    group: np.ndarray,
    replicates: int,
    seed: int,
    attribute: str,
) -> pd.DataFrame:
    """Return the selection rate ratio of `y_pred` minus that of `base_said`, decisions on the same people.

    Returns:
        One row of `MEASURED`, with a paired bootstrap interval.
    """
    codes = {"group": group, "y_true": y_true, "y_pred": y_pred, "base_said": base_said}
    joint, of = joint_table(codes, [2, 2, 2, 2]), selection_rate_ratio
    found = bootstrap_interval(joint, lambda table: of(table.sum(-1)) - of(table.sum(-2)), replicates, seed)
    kind = None if np.isnan(found[1]) else BOOTSTRAP
    return pd.DataFrame([(attribute, EVERYONE, RATIO, *found, kind, len(y_true))], columns=MEASURED)


def differences_of_other_people(found: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Return `STATED`, one model minus the base model, each judged on people of its own.

    Args:
        found, base: as `measure` returns them. Their samples are independent, so there is nothing to pair.
    """
    both = found.merge(base, on=["attribute", "subgroup", "metric"], suffixes=("", "_2"))
    both = both[(both["subgroup"] == EVERYONE) & both["metric"].isin(STATED)]
    value, low, high = unpaired_difference(
        both["value"], (both["ci_low"], both["ci_high"]), both["value_2"], (both["ci_low_2"], both["ci_high_2"])
    )
    kind = np.where(np.isnan(low), None, JOINED)
    n = both[["n", "n_2"]].min(axis=1)
    return both.assign(value=value, ci_low=low, ci_high=high, interval=kind, n=n)[MEASURED]


def cell_metrics(frame: pd.DataFrame, replicates: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return all metrics of the test parts of one cell, and the differences to its base model.

    The labels themselves are measured as if they were decisions: what a model without error would show.

    Args:
        frame: the predictions file of the cell.

    Returns:
        Frames in the schemas METRICS and COMPARISONS, each with `groups`.
    """
    cell = frame["run"].iloc[0].rsplit(f".{frame['protocol'].iloc[0]}.", 1)[0]
    attribute, names = frame["attribute"].iloc[0], {frame["group_1"].iloc[0]: 1, frame["group_0"].iloc[0]: 0}
    runs = {
        key: own for key, own in frame[frame["split"] == "test"].groupby(["protocol", "seed", "method"], sort=False)
    }
    values, differences = [], []
    for (protocol, seed, method), own in progress(runs.items(), cell, unit="run"):
        run = own["run"].iloc[0]
        y_true, y_pred, score, group = (own[name].to_numpy() for name in ("y_true", "y_pred", "score", attribute))
        known = None if method in RANDOM else score
        found = measure(y_true, y_pred, known, group, names, replicates, seed_from("income", run), attribute)
        about = told(own, protocol, method, run, seed)
        values.append((found, about))
        every = k_group_metrics(own, table_of(cell.split(".")[0]))
        values += [(every, about)] if len(every) else []
        if method == BASE:
            base_found = found
            run = run_name(cell, protocol, LABELS, seed)
            found = measure(y_true, y_true, None, group, names, replicates, seed_from("income", run), attribute)
            values.append((found, told(own, protocol, LABELS, run, seed)))
        elif not (protocol == "as_published" and method in OWN_SPLIT):  # those are judged on other rows
            base = runs[protocol, seed, BASE]
            if not np.array_equal(base["row_id"], own["row_id"]):
                raise UserError(
                    f"{run}: its rows are not those of the base model; delete the file and run the workflow"
                )
            seed_here = seed_from("income paired", run)
            base_said = base["y_pred"].to_numpy()
            rates = paired_difference(
                y_true, y_pred, base_said, group, names, replicates, seed_here, rates=PAIRED, attribute=attribute
            )
            ratio = ratio_difference(y_true, y_pred, base_said, group, replicates, seed_here, attribute)
            differences += [compared(rates, about, "rows"), compared(ratio, about, "rows")]
        else:
            differences.append(compared(differences_of_other_people(found, base_found), about, "none"))
    return labelled(values), labelled(differences)


def altered_findings(altered: pd.DataFrame) -> pd.DataFrame:
    """Return what the notebook's procedure does to the data, in schema METRICS (split train: the new data set)."""
    rows = []
    for own in altered.itertuples():
        method = OWN_SPLIT[int(own.works)]
        facts = {"swaps_meant": own.n, "labels_changed": own.changed, "rows_before": own.before, "rows_left": own.after}
        for metric, value in {**facts, "label_told_by_group": own.told_by_group}.items():
            rows.append((own.dataset, method, own.seed, metric, float(value), own.after))
    frame = pd.DataFrame(rows, columns=["dataset", "method", "seed", "metric", "value", "n"])
    about = {"study": STUDY, "protocol": "as_published", "run": "", "split": "train"}
    about |= {"attribute": NO_ATTRIBUTE, "subgroup": EVERYONE, "condition": "", "interval": None}
    return frame.assign(**about, ci_low=np.nan, ci_high=np.nan)


def over_splits(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return means over the seeds, each another split of the same people, as `aggregate` does."""
    return aggregate(rows.assign(test_by_train=rows["protocol"].map(TEST_BY_TRAIN)), keys, RESAMPLED_T)


def with_means(differences: pd.DataFrame) -> pd.DataFrame:
    """Return the differences of single seeds, then the means over the seeds of those on the same people."""
    means = over_splits(differences[differences["paired_by"] == "rows"], PAIR_KEYS)
    means = means.assign(study=STUDY, split="test", run="", paired_by="splits")
    return pd.concat([differences, means], ignore_index=True).astype({"seed": "Int64"})


def swap_effects(swaps: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy and gaps per data set, share of the formula's n and metric, over the seeds.

    Returns:
        dataset, groups, share, metric, value, ci_low, ci_high, interval, deviation, seeds, n, and swaps (each way,
        mean).
    """
    counts = swaps[CELLS].to_numpy().reshape(-1, 2, 2, 2)
    tpr = RATES["true_positive_rate"](counts)
    measured = {
        "accuracy": RATES["accuracy"](counts.sum(-3)),
        PARITY: parity_difference(counts),
        RATIO: selection_rate_ratio(counts),
        signed("true_positive_rate"): tpr[:, 1] - tpr[:, 0],
    }
    about = swaps[["dataset", "share", "seed", "swaps"]].assign(n=counts.sum((1, 2, 3)), groups=direction(swaps))
    rows = pd.concat([about.assign(metric=name, value=value) for name, value in measured.items()], ignore_index=True)
    many = swaps.groupby(["dataset", "share"], sort=False)["swaps"].mean().rename("swaps").reset_index()
    means = over_splits(rows.assign(protocol="corrected"), ["dataset", "groups", "share", "metric"])
    return means.merge(many, on=["dataset", "share"])


def order_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with each protocol's labels and arms in the order in which the study names them."""
    places = {arm: place for place, arm in enumerate([LABELS, *dict.fromkeys(sum(ARMS.values(), ()))])}
    keys = [frame["dataset"].map({name: k for k, name in enumerate(frame["dataset"].unique())})]
    keys += [frame["protocol"], frame["method" if "method" in frame else "first"].map(places)]
    order = pd.DataFrame(dict(enumerate(keys))).sort_values([0, 1, 2], kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def stacked(paths: list[str]) -> pd.DataFrame:
    """Return the rows of all files; a cell without the protocol that a file is about has none."""
    frames = [parquet.read(path) for path in paths]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def measure_all(
    predictions: list[str], swaps: list[str], altered: list[str], replicates: int, outputs: dict[str, str]
) -> None:
    """Write the released files of the study: metrics, comparisons, findings, summary and swaps.

    Raises:
        UserError: a predictions file is damaged.
    """
    found = []
    for path in predictions:
        frame = parquet.read(path, PREDICTIONS)
        check_predictions(frame, frame["attribute"].iloc[0], path)
        found.append(cell_metrics(frame, replicates))
    values, differences = (order_of(pd.concat(parts, ignore_index=True)) for parts in zip(*found, strict=True))
    parquet.write(values, outputs["metrics"], METRICS)
    parquet.write(with_means(differences), outputs["comparisons"], COMPARISONS)
    parquet.write(altered_findings(stacked(altered)), outputs["findings"], METRICS)
    parquet.write(over_splits(values, KEYS), outputs["summary"])
    parquet.write(swap_effects(stacked(swaps)), outputs["swaps"])
    log.info("%d runs", values["run"].nunique())


if "snakemake" in globals():
    with job(snakemake):
        files, out = snakemake.input, snakemake.output
        outputs = {name: out[name] for name in ("metrics", "comparisons", "findings", "summary", "swaps")}
        measure_all(
            list(files.predictions), list(files.swaps), list(files.altered), snakemake.params.replicates, outputs
        )
