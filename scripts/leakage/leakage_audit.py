"""Rule `leakage_audit`: attack every run of every predictions file that carries a sensitive attribute."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.holm import holm
from scripts.common.leakage.audit_run import COLUMNS, SMALLEST_GROUP, Settings, audit_run, split_rows
from scripts.common.logs import job, log
from scripts.common.seeds import seed_from
from scripts.leakage.queries import query_rows
from scripts.leakage.reading import Predictions, read_predictions

OWN = "leakage"
QUERY_KEYS = ["study", "run", "task", "attribute", "k"]


class BrokenIdentity(Exception):
    """A row of the audit contradicts arithmetic: a fault of ours."""


def chosen_runs(predictions: Predictions, most: int | None) -> list[str]:
    """Return the runs of a file that are audited: all of this study's own, at most `most` of another's, by their names.

    A study may fit a grid of a thousand models; they are drawn by a hash of the name, so none is preferred.
    """
    names = sorted(predictions.frame["run"].unique())
    if most is None or predictions.study == OWN or len(names) <= most:
        return names
    return sorted(sorted(names, key=lambda name: seed_from("leakage", "audited", name))[:most])


def audit_file(
    path: str, settings: Settings, queries: Sequence[int], most: int | None = None
) -> tuple[list[dict], list[dict], dict, int] | None:
    """Audit a file: rows (`COLUMNS`), rows of repeated queries, the splits by key, and how many runs it holds.

    Returns:
        None if the file has no sensitive attribute.

    Raises:
        UserError: the file cannot be audited; see `read_predictions`.
    """
    predictions = read_predictions(path)
    if predictions is None:
        return None
    rows, asked, splits = [], [], {}
    frame = predictions.frame
    held = frame["run"].nunique()
    keys = ["run", *(["task"] if "task" in frame else [])]
    for _, run in frame[frame["run"].isin(chosen_runs(predictions, most))].groupby(keys, sort=True):
        run = run.reset_index(drop=True)
        present = {name: k for name, k in predictions.groups.items() if run[name].notna().any()}
        positions = np.flatnonzero(run["split"] == "test")
        halves = split_rows(
            run["row_id"].to_numpy(), joint_code(run, present), positions, settings.seed, predictions.study
        )
        splits.setdefault(halves.key, split_frame(run, halves))
        for attribute, k in present.items():
            if run[attribute].isna().any():
                raise UserError(
                    f"{path}: attribute {attribute!r} is missing on rows of {run['run'].iloc[0]}; rerun its study"
                )
            names = predictions.names.get(attribute, ())
            rows += audit_run(run, predictions.study, attribute, k, halves, settings, names)
            asked += ask(run, predictions, attribute, k, halves, queries)
    return rows, asked, splits, held


def joint_code(run: pd.DataFrame, groups: dict[str, int]) -> np.ndarray:
    """Return one code per combination of the attributes, int64 [n]."""
    code = np.zeros(len(run), np.int64)
    for name, k in groups.items():
        code = code * k + run[name].to_numpy(np.int64)
    return code


def split_frame(run: pd.DataFrame, halves) -> pd.DataFrame:
    """Return who is in which part: columns rows (the key), row_id, part."""
    part = run["split"].map({"train": "target training"}).fillna("not used").to_numpy(object)
    part[halves.train], part[halves.judge] = "attack training", "attack test"
    return pd.DataFrame({"rows": halves.key, "row_id": run["row_id"], "part": part})


def ask(
    run: pd.DataFrame, predictions: Predictions, attribute: str, k: int, halves, queries: Sequence[int]
) -> list[dict]:
    """Return the rows of repeated queries of a run that draws its labels; none of one that does not."""
    if "probability" not in run or run["probability"].isna().any():
        return []
    groups = run[attribute].to_numpy(np.int64)
    if np.bincount(groups[halves.judge], minlength=k).min() < SMALLEST_GROUP:
        return []
    task = run["task"].iloc[0] if "task" in run else ""
    keys = dict(zip(QUERY_KEYS, (predictions.study, run["run"].iloc[0], task, attribute, k), strict=True))
    found = query_rows(run["probability"].to_numpy(float), groups, k, halves, queries)
    return [keys | row for row in found]


def weaker_than_label(rows: pd.DataFrame) -> list[str]:
    """Return in which rows the attack on a score does clearly worse than that on the label which the score gives.

    A function of the score cannot give away more than the score, so the attack would be too weak.
    """
    keys = ["study", "run", "task", "attribute"]
    labels = rows[rows["exposure"] == "label"].set_index(keys)
    found = []
    scores = rows[
        (rows["exposure"] == "score") & rows["output"].str.fullmatch("score|score_0,.*") & rows["label_from_score"]
    ]
    for row in scores[scores["attack_ba"].notna()].itertuples():
        label = labels.loc[(row.study, row.run, row.task, row.attribute)]
        half = np.hypot(label["ba_hi"] - label["ba_lo"], row.ba_hi - row.ba_lo) / 2
        if label["attack_ba"] - row.attack_ba > half:
            found.append(f"{row.study}/{row.run}: label {label['attack_ba']:.4f}, score {row.attack_ba:.4f}")
    return found


def overlaps(splits: pd.DataFrame) -> list[str]:
    """Return the keys of splits in which a person has more than one part."""
    return sorted(splits.loc[splits.duplicated(["rows", "row_id"]), "rows"].unique())


def audit(
    paths: Sequence[str], settings: Settings, queries: Sequence[int], jobs: int = 1, most: int | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Audit all files.

    Returns:
        The audit (`COLUMNS`), repeated queries, the splits, and the files: path, runs (audited), held (in the file),
        audited.

    Raises:
        UserError: a file cannot be audited.
        BrokenIdentity: a row contradicts an exact identity, or splits overlap, or an attack on a score is too weak.
    """
    # one thread inside each process: the trees then do not depend on the number of cores
    with parallel_config(backend="loky", inner_max_num_threads=1):
        results = Parallel(n_jobs=jobs)(delayed(_caught)(path, settings, queries, most) for path in sorted(paths))
    rows, asked, splits, files = [], [], {}, []
    for path, result in zip(sorted(paths), results, strict=True):
        if isinstance(result, UserError):
            raise result
        counts = (0, 0) if result is None else (len({row["run"] for row in result[0]}), result[3])
        files.append((path, *counts, result is not None))
        if result is not None:
            rows, asked, splits = rows + result[0], asked + result[1], splits | result[2]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "broken"])
    frame["p_holm"] = holm(frame["p_value"].to_numpy(float))
    parts = (
        pd.concat(splits.values(), ignore_index=True) if splits else pd.DataFrame(columns=["rows", "row_id", "part"])
    )
    check(frame, parts)
    typed = frame.drop(columns="broken").astype(COLUMNS).sort_values(["study", "run", "task", "attribute", "output"])
    return (
        typed.reset_index(drop=True),
        pd.DataFrame(asked, columns=[*QUERY_KEYS, "queries", "best", "attack_ba", "ba_lo", "ba_hi", "n"]),
        parts,
        pd.DataFrame(files, columns=["path", "runs", "held", "audited"]),
    )


def _caught(path: str, settings: Settings, queries: Sequence[int], most: int | None) -> tuple | UserError | None:
    """Return the result of a file, or the user's mistake in it: the first file by name is complained of first."""
    try:
        return audit_file(path, settings, queries, most)
    except UserError as error:
        return error


def check(frame: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Check what cannot be otherwise.

    Raises:
        BrokenIdentity: names every row at fault.
    """
    broken = frame[frame["broken"].fillna("") != ""]
    faults = [f"{row.study}/{row.run}, {row.attribute}: {row.broken}" for row in broken.itertuples()]
    faults += [f"overlapping splits: {key}" for key in overlaps(splits)]
    faults += [f"attack on a score too weak: {words}" for words in weaker_than_label(frame)]
    if faults:
        raise BrokenIdentity("\n".join(faults))


def tell(frame: pd.DataFrame, files: pd.DataFrame) -> None:
    """Log what was audited and what was not."""
    left_out = files[~files["audited"]]
    log.info("%d files, %d of them without a sensitive attribute", len(files), len(left_out))
    log.info(
        "%d rows of %d of %d runs; verdicts: %s",
        len(frame),
        files["runs"].sum(),
        files["held"].sum(),
        frame["verdict"].value_counts().to_dict(),
    )
    if not (frame["exposure"] == "vector").any():
        log.info("no predictions hold a vector, so no row says what a vector gives away")


if "snakemake" in globals():
    with job(snakemake):
        params = snakemake.params
        settings = Settings(params.seed, params.certify)
        paths = [str(path) for path in snakemake.input.predictions]
        frame, asked, splits, files = audit(paths, settings, params.queries, snakemake.threads, params.most)
        tell(frame, files)
        parquet.write(splits, snakemake.output.splits)
        if found := overlaps(parquet.read(snakemake.output.splits)):  # of the file, which others may check as well
            raise BrokenIdentity(f"overlapping splits in {snakemake.output.splits}: {', '.join(found)}")
        parquet.write(asked, snakemake.output.queries)
        parquet.write(files, snakemake.output.files)
        parquet.write(frame, snakemake.output.audit)
