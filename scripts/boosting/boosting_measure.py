"""Rule `boosting_measure`: metrics of every run, means over splits, comparisons of arms, and all rounds in numbers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from scripts.boosting import measures, names, notions
from scripts.boosting.candidates import candidates
from scripts.boosting.every_group import every_group
from scripts.boosting.mfbpp import objectives
from scripts.boosting.two_stages import ATTRIBUTES, TITLE
from scripts.common import parquet
from scripts.common.aggregate import aggregate
from scripts.common.conditions import condition
from scripts.common.errors import UserError
from scripts.common.interval_kinds import RESAMPLED_T, STUDENT
from scripts.common.logs import job, log
from scripts.common.metrics import RATES, balanced_accuracy, by_attribute
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import EVERYONE, METRICS, NO_ATTRIBUTE
from scripts.common.schemas.predictions import PREDICTIONS
from scripts.common.seeds import seed_from

STUDY = "boosting"
KEYS = ["dataset", "attributes", "protocol", "method", "metric", "attribute", "subgroup", "condition"]
PAIR_KEYS = ["dataset", "attributes", "protocol", "first", "second", "second_protocol", *KEYS[4:]]
READ = ["run", "y_true", "y_pred", "score"]
DRAWN = ["zero_one_loss", "balanced_error", notions.ODDS_SUM, notions.ODDS]  # what figures draw of every round
# what is compared on the same splits: (protocol, method) of an arm and of the one that it is compared with
PAIRED = [
    *((("as_published", arm), ("as_published", names.ADABOOST)) for arm in (names.ADAFAIR, names.ADAFAIR_CSB2)),
    (("as_published", names.ADAFAIR), ("as_published", names.ADAFAIR_LAST)),
    (("corrected", names.ADAFAIR), ("as_published", names.ADAFAIR)),
    (("as_published", names.ADAFAIR_HELD), ("as_published", names.ADAFAIR)),
    (("corrected", names.MFBPP), ("as_published", names.MFBPP)),
]


def counts_of(path: str | Path, attributes: tuple[str, ...]) -> tuple[dict[str, np.ndarray], dict[str, dict]]:
    """Return each run's counts [2, ..., 2, 2, 2] and its gaps of mean probabilities.

    Raises:
        UserError: a column is missing, or a label, prediction or group is not 0 or 1.
    """
    again = "delete it and run the workflow"
    try:
        table = pq.read_table(path, columns=[*READ, *attributes], read_dictionary=["run"])
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); {again}") from error
    column = {name: table[name].to_numpy() for name in [*READ[1:], *attributes] if name in table.column_names}
    if missing := [name for name in [*READ[1:], *attributes] if name not in column]:
        raise UserError(f"{path}: the column {missing[0]} is missing; {again}")
    for name in ("y_true", "y_pred", *attributes):
        if not np.isin(np.unique(column[name]), (0, 1)).all():
            raise UserError(f"{path}: {name} holds another value than 0 or 1; {again}")
    runs = table["run"].combine_chunks()
    run, known = runs.indices.to_numpy(), runs.dictionary.to_pylist()
    code = run.astype(np.int64)
    for name in (*attributes, "y_true", "y_pred"):
        code = 2 * code + column[name]
    shape = (2,) * (len(attributes) + 2)
    counts = np.bincount(code, minlength=len(known) * int(np.prod(shape))).reshape(-1, *shape)
    groups = np.column_stack([column[name] for name in attributes])
    probability = 1 / (1 + np.exp(-column["score"].astype(np.float64)))
    order = np.argsort(run, kind="stable")
    ends = np.cumsum(np.bincount(run, minlength=len(known)))[:-1]
    gaps = {}
    for name, own in zip(known, np.split(order, ends), strict=True):
        gaps[name] = measures.probability_gaps(probability[own], column["y_true"][own], groups[own], attributes)
    return dict(zip(known, counts, strict=True)), gaps


def words_of(runs: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the attributes of a cell, each with the words of group 0 and 1."""
    attributes = runs["attributes"].iloc[0].split(", ")
    groups = (runs[column].iloc[0].split("; ") for column in ("group_0", "group_1"))
    return dict(zip(attributes, zip(*groups, strict=True), strict=True))


def cell_metrics(path: str, runs: pd.DataFrame, minimum: int, replicates: int) -> pd.DataFrame:
    """Return all metrics of the runs of a cell, in schema METRICS with `attributes`."""
    words = words_of(runs)
    attributes = tuple(words)
    counts, gaps = counts_of(path, attributes)
    if missing := sorted(set(runs["run"]) - set(counts)):
        raise UserError(f"{path}: the run {missing[0]} is missing; delete it and run the workflow")
    tables, seeds = np.stack([counts[run] for run in runs["run"]]), [seed_from(STUDY, run) for run in runs["run"]]
    found = measures.measure(tables, words, minimum, replicates, seeds)
    further = []
    for place, own in enumerate(runs.itertuples()):
        if "xgboost" in own.method:
            further += [(place, *key, value, own.test_rows) for key, value in gaps[own.run].items()]
        if pd.notna(own.theta):
            further.append((place, "rounds_kept", NO_ATTRIBUTE, EVERYONE, float(own.theta), int(own.rounds)))
    more = pd.DataFrame(further, columns=["place", "metric", "attribute", "subgroup", "value", "n"])
    more = more.assign(ci_low=np.nan, ci_high=np.nan, interval=None).astype({"ci_low": float, "ci_high": float})
    found = pd.concat([found, more], ignore_index=True).sort_values("place", kind="stable", ignore_index=True)
    about = runs.reset_index(drop=True)[["dataset", "method", "protocol", "run", "seed", "attributes"]]
    return found.join(about, on="place").drop(columns="place").assign(study=STUDY, split="test", condition="")


def pairs_of(frame: pd.DataFrame) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the pairs to compare; with several attributes also each AdaFair and MFBPP against the others."""
    present = set(zip(frame["protocol"], frame["method"], strict=True))
    pairs = [pair for pair in PAIRED if set(pair) <= present]
    treated = sorted(key for key in present if key[1].startswith("AdaFair on "))
    base = ("as_published", names.ADABOOST)
    pairs += [(key, base) for key in treated]
    for protocol in ("as_published", "corrected"):
        own = (protocol, names.MFBPP)
        pairs += [(own, other) for other in [base, *treated] if own in present]
    gradient = sorted(key for key in present if key[1].startswith("fair xgboost"))
    return pairs + [(key, ("corrected", names.XGBOOST)) for key in gradient]


def compared(frame: pd.DataFrame, test_by_train: float) -> pd.DataFrame:
    """Return arm minus other arm of one cell, in schema COMPARISONS with `attributes`, `second_protocol`, `deviation`.

    First split by split, paired by test rows and without an interval, then the means over the splits. `protocol` is
    that of the first arm.
    """
    place = [*KEYS[4:], "seed"]
    wide = frame.pivot_table(index=place, columns=["protocol", "method"], values="value", dropna=False)
    n = frame.groupby(place)["n"].min()
    found = []
    for (protocol, arm), other in pairs_of(frame):
        value = (wide[protocol, arm] - wide[other]).rename("value").reset_index()
        if (words := other[1]) == arm:
            words = f"{words} ({other[0].replace('_', ' ')})"
        value = value.assign(protocol=protocol, first=arm, second=words, second_protocol=other[0])
        value["n"] = n.reindex(pd.MultiIndex.from_frame(value[place])).to_numpy()
        found.append(value)
    rows = pd.concat(found, ignore_index=True).dropna(subset="value")
    about = {name: frame[name].iloc[0] for name in ("dataset", "attributes")}
    rows = rows.assign(**about)
    means = aggregate(rows.assign(test_by_train=test_by_train), PAIR_KEYS, RESAMPLED_T).assign(paired_by="splits")
    bare = {"ci_low": np.nan, "ci_high": np.nan, "interval": None, "deviation": np.nan, "seeds": 1}
    both = pd.concat([rows.assign(**bare, paired_by="rows"), means], ignore_index=True)
    return both.astype({"seed": "Int64"}).assign(study=STUDY, split="test")


def round_metrics(rounds: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return what every round of the first split does: error, balance, gaps of the worst attribute, and combinations.

    `part` test is choice and report together.

    Returns:
        dataset, attributes, protocol, method, seed, round, theta, part, n, selection_rate, zero_one_loss,
        balanced_error, balance (|TPR - TNR|), and the gaps of `notions.GAPS`.
    """
    attributes = tuple(runs["attributes"].iloc[0].split(", "))
    m = len(attributes)
    halves = rounds[rounds["part"].isin(["choice", "report"])]
    keys = ["protocol", "method", "seed", "round", "theta"]
    whole = halves.groupby(keys, sort=False)["counts"].agg(lambda own: np.sum(own.to_numpy())).reset_index()
    rounds = pd.concat([rounds, whole.assign(part="test")], ignore_index=True)
    counts = np.stack(rounds["counts"].to_numpy()).reshape(-1, *(2,) * (m + 2))
    everybody = by_attribute(counts, m, [])[:, 0]
    columns = {"n": everybody.sum((1, 2)), "selection_rate": RATES["selection_rate"](everybody)}
    columns["zero_one_loss"] = RATES["zero_one_loss"](everybody)
    columns["balanced_error"] = 1 - balanced_accuracy(everybody)
    columns |= {"balance": objectives(counts)[:, 1]}
    columns |= {notion: notions.worst_attribute(counts, m, notion) for notion in notions.GAPS}
    frame = rounds[[*keys, "part"]].assign(**columns)
    about = {name: runs[name].iloc[0] for name in ("dataset", "attributes")}
    return frame.assign(**about)


def followed(frame: pd.DataFrame, boosters: tuple[tuple[str, str], ...]) -> pd.Series:
    """Return which rows are about one attribute and one of some (protocol, method)."""
    key = pd.Series(list(zip(frame["protocol"], frame["method"], strict=True)), index=frame.index, dtype=object)
    return key.isin(boosters) & ~frame["attributes"].str.contains(",")


def drawn_rounds(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return what figures draw of the rounds in numbers: the test part of all, the training part of the followed.

    A release carries a row per round, so it holds no more columns and rows than that.
    """
    watched = (rounds["part"] == "watched") & followed(rounds, names.FOLLOWED)
    shown = rounds[(rounds["part"] == "test") | watched]
    return shown[["dataset", "attributes", "protocol", "method", "round", "theta", "part", *DRAWN]]


def mass_rows(rounds: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the share of weight by round, cell (one digit per attribute, 0 protected) and label, of the boosters."""
    own = rounds[rounds["masses"].map(len) > 0]
    masses = np.stack(own["masses"].to_numpy())
    m = len(runs["attributes"].iloc[0].split(", "))
    cells = [format(cell, f"0{m}b") for cell in range(2**m)]
    columns = pd.MultiIndex.from_product([cells, [0, 1]], names=["cell", "label"])
    if masses.shape[1] != len(columns):
        raise ValueError(f"{masses.shape[1]} shares of weight where {len(columns)} are expected")
    wide = pd.DataFrame(masses, columns=columns, index=pd.MultiIndex.from_frame(own[["protocol", "method", "round"]]))
    frame = wide.stack(["cell", "label"], future_stack=True).rename("share").reset_index()
    return frame.assign(dataset=runs["dataset"].iloc[0], attributes=runs["attributes"].iloc[0])


def stage_metrics(path: str | Path) -> pd.DataFrame:
    """Return the gaps of the two-stage selection over its seeds, as `aggregate` returns them.

    The condition names the stage; without one it is the selection from end to end. Applicants of another seed are new
    ones, so the interval over seeds is Student's.
    """
    frame = parquet.read(path, PREDICTIONS)
    rows = []
    for run, own in frame.groupby("run", sort=False):
        code = (2 * own["first"].astype(int) + own["second"]) * 3 + own["stages"]
        counts = np.bincount(code, minlength=12).reshape(2, 2, 3)
        found = {
            (notions.PARITY, measures.combined([ATTRIBUTES[k] for k in keep]), condition(stage=stage)): value
            for (keep, stage), value in notions.sequential(counts, (0, 1)).items()
        }
        found["accuracy", NO_ATTRIBUTE, ""] = (own["y_true"] == own["y_pred"]).mean()
        method, seed = run.split(".")[2:]
        rows += [(method, int(seed.removeprefix("seed")), *key, float(value), len(own)) for key, value in found.items()]
    keys = ["metric", "attribute", "condition"]
    found = pd.DataFrame(rows, columns=["method", "seed", *keys, "value", "n"])
    return aggregate(found, ["method", *keys], STUDENT).assign(dataset=TITLE, protocol="corrected", subgroup=EVERYONE)


def measure_all(
    cells: list[dict[str, str]], stages: str, minimum: int, replicates: int, output: dict[str, str]
) -> None:
    """Write metrics, comparisons, summary, rounds, candidates, masses and facts of all cells, and the stages.

    Args:
        cells: of each the paths of predictions, runs and rounds.
        stages: the path of the two-stage selection's predictions.

    Raises:
        UserError: a predictions file is damaged.
    """
    parts = {name: [] for name in output if name != "stages"}
    for paths in cells:
        runs, rounds = parquet.read(paths["runs"]), parquet.read(paths["rounds"])
        metrics = cell_metrics(paths["predictions"], runs, minimum, replicates)
        metrics = pd.concat([metrics, every_group(paths["predictions"], runs)], ignore_index=True)
        by_train = float(runs["test_rows"].iloc[0] / runs["train_rows"].iloc[0])
        parts["metrics"].append(metrics)
        parts["comparisons"].append(compared(metrics, by_train))
        parts["summary"].append(aggregate(metrics.assign(test_by_train=by_train), KEYS, RESAMPLED_T))
        numbers = round_metrics(rounds, runs)
        place = {name: runs[name].iloc[0] for name in ("dataset", "attributes")}
        parts["rounds"].append(drawn_rounds(numbers))
        parts["candidates"].append(candidates(numbers).assign(**place))
        masses = mass_rows(rounds, runs)
        parts["masses"].append(masses[followed(masses, names.WEIGHED)])
        parts["facts"].append(
            runs.drop(columns=["run", "protocol", "method", "seed", "theta", "rounds"]).drop_duplicates()
        )
    for name, frames in parts.items():
        schema = {"metrics": METRICS, "comparisons": COMPARISONS}.get(name)
        parquet.write(pd.concat(frames, ignore_index=True), output[name], schema)
    parquet.write(stage_metrics(stages), output["stages"])
    log.info("%d runs", sum(frame["run"].nunique() for frame in parts["metrics"]))


if "snakemake" in globals():
    with job(snakemake):
        files = snakemake.input
        cells = [
            dict(zip(("predictions", "runs", "rounds"), paths, strict=True))
            for paths in zip(files.predictions, files.runs, files.rounds, strict=True)
        ]
        names_of = ("metrics", "comparisons", "summary", "rounds", "candidates", "masses", "facts", "stages")
        out = {name: snakemake.output[name] for name in names_of}
        measure_all(cells, files.stages[0], snakemake.params.minimum, snakemake.params.replicates, out)
