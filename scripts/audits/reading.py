"""A user's predictions, read and checked: outcomes as 0 and 1, scores, groups by name, and what to warn of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.audits.outcomes import read_labels, read_predictions, texts_of
from scripts.common.errors import UserError
from scripts.common.files import checksum
from scripts.common.schemas.predictions import groups_of
from scripts.common.user_frame import as_numbers, column_names, read_user_frame

SMALL_GROUP = 20  # rows; of fewer, a rate says hardly anything
SEVERAL_GROUPS = 20
MOST_GROUPS = 100
ID_NAMES = ("row_id", "id", "person_id", "customer_id", "case_id")
OPTIONAL = {"prediction": "", "score": "", "threshold": None, "positive": "", "id": "", "compare": ""}
OPTIONAL |= {"compare_prediction": ""}


@dataclass
class Audited:
    """Predictions that were read."""

    name: str  # of the file, for columns and messages
    y_true: np.ndarray  # int8 [n]
    y_pred: np.ndarray  # int8 [n]
    score: np.ndarray | None  # float64 [n]
    codes: dict[str, np.ndarray]  # attribute -> int64 [n]
    groups: dict[str, list[str]]  # attribute -> names of its groups
    ids: np.ndarray | None  # as text
    about: dict  # what the page says of the file
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.y_true)


def read_audited(settings: Mapping) -> Audited:
    """Read and check the predictions of an audit of the config.

    Raises:
        UserError: a file, a column or a value is missing or cannot be understood; one line that says what to do.
    """
    entry = OPTIONAL | dict(settings)
    attributes = list(entry["attributes"])
    decided = entry["prediction"] or entry["score"]
    if not entry["prediction"] and (not entry["score"] or entry["threshold"] is None):
        raise UserError(
            f"{entry['predictions']}: name the column of decisions (PREDICTION), or that of scores (SCORE) with a "
            "THRESHOLD"
        )
    roles = {"label": entry["label"], "prediction": decided, **{f"attribute {name}": name for name in attributes}}
    _refuse_one_for_two(entry["predictions"], roles)
    identifier = entry["id"] or _found_id(entry["predictions"], set(roles.values()))
    wanted = dict.fromkeys(name for name in (*roles.values(), entry["score"], identifier) if name)
    read = read_user_frame(entry["predictions"], list(wanted), typed=False)
    frame, source, warnings = read.frame, read.source, []
    y_true, negative, positive = read_labels(
        frame[entry["label"]], entry["positive"], f"{source}: label {entry['label']!r}"
    )
    score = None
    if entry["score"]:
        score = _scores(frame[entry["score"]], f"{source}: score {entry['score']!r}")
    if entry["prediction"]:
        what = f"{source}: prediction {decided!r}"
        y_pred = read_predictions(frame[decided], negative, positive, what)
    else:
        y_pred = (score >= entry["threshold"]).astype(np.int8)
    if y_pred.min() == y_pred.max():
        warnings.append(f"Every row is predicted {'positive' if y_pred[0] else 'negative'}.")
    named = _named_groups(entry["predictions"])
    codes, groups = {}, {}
    for name in attributes:
        codes[name], groups[name] = _groups(frame[name], f"{source}: attribute {name!r}", named.get(name))
        warnings += _group_warnings(name, codes[name], groups[name])
    if score is not None:
        warnings += _score_warnings(score, y_true, y_pred, entry["score"])
    ids = None
    if identifier:
        ids, more = _ids(frame[identifier], f"{source}: id {identifier!r}", asked=bool(entry["id"]))
        warnings += more
    about = {
        "source": Path(entry["predictions"]).name,
        "sha256": checksum(Path(entry["predictions"]).expanduser()),
        "rows": len(frame),
        "columns": {**roles, "score": entry["score"], "id": identifier},
        "positive": positive,
        "negative": negative,
        "threshold": None if entry["prediction"] else entry["threshold"],
        "notes": list(read.notes),
    }
    name = entry["prediction"] or f"{entry['score']} >= {entry['threshold']:g}"
    return Audited(name, y_true, y_pred, score, codes, groups, ids, about, warnings)


def read_second(settings: Mapping, first: Audited) -> Audited:
    """Read a second file of predictions of the same rows, in the order of the first.

    Rows are matched by their ids where both files have such a column, otherwise by their places. A label or an
    attribute that the second file has as well must be the same.

    Raises:
        UserError: as `read_audited`, or the files do not hold the same rows.
    """
    entry = OPTIONAL | dict(settings)
    path = entry["compare"] or entry["predictions"]
    here = set(column_names(path))
    label, attributes = entry["label"], [name for name in entry["attributes"] if name in here]
    prediction = entry["compare_prediction"] or entry["prediction"]
    score = entry["score"] if not prediction else ""
    identifier = first.about["columns"]["id"] if first.ids is not None else ""
    if entry["id"] and entry["id"] not in here:
        raise UserError(f"{path}: there is no column {entry['id']!r}, the id by which rows are matched; add it")
    identifier = identifier if identifier in here else ""
    shared = [name for name in (label, *attributes, identifier) if name in here]
    frame = read_user_frame(path, list(dict.fromkeys([prediction or score, *shared])), typed=False)
    source, frame = frame.source, frame.frame
    if len(frame) != len(first):
        raise UserError(
            f"{source}: has {len(frame)} rows, the first file {len(first)}; both must hold predictions of the same rows"
        )
    order = np.arange(len(first))
    if identifier:
        ids, _ = _ids(frame[identifier], f"{source}: id {identifier!r}", asked=True)
        order = _matched(first.ids, ids, source)
    frame = frame.iloc[order].reset_index(drop=True)
    if label in here:
        y_true = read_labels(frame[label], entry["positive"], f"{source}: label {label!r}")[0]
        _same(y_true == first.y_true, source, f"label {label!r}", identifier)
    for name in attributes:
        codes, groups = texts_of(frame[name], f"{source}: attribute {name!r}")
        texts = np.array(groups, object)[codes]
        _same(
            texts == np.array(first.groups[name], object)[first.codes[name]], source, f"attribute {name!r}", identifier
        )
    if prediction:
        what = f"{source}: prediction {prediction!r}"
        y_pred = read_predictions(frame[prediction], first.about["negative"], first.about["positive"], what)
    else:
        y_pred = (_scores(frame[score], f"{source}: score {score!r}") >= entry["threshold"]).astype(np.int8)
    about = {
        "source": Path(path).name,
        "sha256": checksum(Path(path).expanduser()),
        "matched": f"by {identifier!r}" if identifier else "by their order",
    }
    name = f"{prediction or score} of {Path(path).name}" if entry["compare"] else prediction
    return Audited(name, first.y_true, y_pred, None, first.codes, first.groups, first.ids, about)


def _refuse_one_for_two(source: str, roles: Mapping[str, str]) -> None:
    """Check that no column is named for two purposes.

    Raises:
        UserError: one is.
    """
    seen: dict[str, str] = {}
    for role, name in roles.items():
        if name in seen:
            raise UserError(f"{source}: the column {name!r} is named as {seen[name]} and as {role}; name two columns")
        seen[name] = role


def _found_id(path: str, taken: set[str]) -> str:
    """Return a column whose name says that it holds ids; "" if there is none."""
    names = {name.casefold(): name for name in column_names(path) if name not in taken}
    return next((names[name] for name in ID_NAMES if name in names), "")


def _named_groups(path: str) -> dict[str, list[str]]:
    """Return the names of groups in the metadata of a file of our own schema; {} of any other file."""
    try:
        return groups_of(Path(path).expanduser())
    except UserError:
        return {}


def _scores(column: pd.Series, what: str) -> np.ndarray:
    numbers = as_numbers(column)
    if numbers is None:
        raise UserError(f"{what} holds values that are no numbers; give a column of numbers, or leave SCORE out")
    missing = numbers.isna().to_numpy()
    if missing.any():
        raise UserError(
            f"{what} is missing in {int(missing.sum())} rows (first: row {int(missing.argmax()) + 1}); remove these "
            "rows, or leave SCORE out"
        )
    return numbers.to_numpy(float)


def _groups(column: pd.Series, what: str, names: Sequence[str] | None) -> tuple[np.ndarray, list[str]]:
    codes, texts = texts_of(column, what)
    if len(texts) == 1:
        raise UserError(f"{what} has the one value {texts[0]!r}; groups are compared, so it needs two")
    if len(texts) > MOST_GROUPS:
        raise UserError(
            f"{what} has {len(texts):,} different values, at most {MOST_GROUPS} groups are compared; write ranges "
            "('18-25', ...) or larger groups in its place"
        )
    if names is not None and set(texts) <= {str(code) for code in range(len(names))}:
        texts = [names[int(text)] for text in texts]
    return codes, texts


def _group_warnings(name: str, codes: np.ndarray, groups: Sequence[str]) -> list[str]:
    """Return one warning that names all small groups, and one of many groups."""
    sizes, found = np.bincount(codes, minlength=len(groups)), []
    small = [f"{group} ({size})" for group, size in zip(groups, sizes, strict=True) if size < SMALL_GROUP]
    if small:
        found.append(
            f"{name}: fewer than {SMALL_GROUP} rows in {', '.join(small)}; "
            f"{'its' if len(small) == 1 else 'their'} rates are hardly known, and their intervals are wide."
        )
    if len(groups) > SEVERAL_GROUPS:
        found.append(f"{name}: {len(groups)} groups; the largest of so many differences is large by chance alone.")
    return found


def _score_warnings(score: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray, name: str) -> list[str]:
    found = []
    for outcome, what in ((y_pred, "predictions"), (y_true, "labels")):
        area = area_under_curve(score, outcome)
        if area < 0.5:
            found.append(
                f"{name}: higher scores go with negative {what} (area under the curve {area:.3f}); is it the score of "
                "the other outcome?"
            )
    if wrong := misplaced(score, y_pred):
        found.append(
            f"{name}: no threshold gives the predictions; at the best one {wrong:,} of {len(score):,} rows differ. "
            "Were thresholds set by group, decisions drawn, or is it the score of another model?"
        )
    return found


def area_under_curve(score: np.ndarray, outcome: np.ndarray) -> float:
    """Return the probability that a positive row has the higher score, ties counted half; NaN without both outcomes."""
    positives = int(outcome.sum())
    if positives in (0, len(outcome)):
        return np.nan
    ranks = pd.Series(score).rank().to_numpy()
    return (ranks[outcome == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(outcome) - positives))


def misplaced(score: np.ndarray, y_pred: np.ndarray) -> int:
    """Return on how many rows the best threshold on the score differs from the predictions."""
    order = np.argsort(score, kind="stable")
    ordered, ones = score[order], y_pred[order].astype(np.int64)
    below = np.concatenate([[0], np.cumsum(ones)])  # positives under the threshold
    above = (len(ones) - ones.sum()) - np.concatenate([[0], np.cumsum(1 - ones)])  # negatives over it
    ends = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])
    return int((below + above)[ends].min())


def _ids(column: pd.Series, what: str, asked: bool) -> tuple[np.ndarray | None, list[str]]:
    """Return the ids as text; None, and a warning, if a column that was only found by its name holds none."""
    codes, texts = pd.factorize(column)
    times = np.bincount(codes[codes >= 0], minlength=len(texts))
    if (codes < 0).any() or (times > 1).any():
        fault = f"is missing in row {int((codes < 0).argmax()) + 1}"
        if (times > 1).any():
            twice = int((times > 1).argmax())
            rows = np.flatnonzero(codes == twice)[:2] + 1
            count = int((times > 1).sum())
            fault = f"{texts[twice]!r} occurs twice (rows {rows[0]} and {rows[1]}), as do {count - 1} more"
        if asked:
            raise UserError(f"{what}: {fault}; an id belongs to one row: remove what is there twice, or name no id")
        return None, [f"{what.rpartition(': ')[2]}: {fault}. Are rows counted twice? Rows are taken as they stand."]
    return np.array([str(text) for text in texts], object)[codes], []


def _matched(first: np.ndarray, second: np.ndarray, source: str) -> np.ndarray:
    """Return the places in the second file of the ids of the first.

    Raises:
        UserError: an id is not there.
    """
    places = pd.Index(second).get_indexer(first)
    if (places < 0).any():
        count = int((places < 0).sum())
        raise UserError(f"{source}: lacks {count} ids of the first file (such as {first[places < 0][0]!r})")
    return places


def _same(equal: np.ndarray, source: str, what: str, identifier: str) -> None:
    if not equal.all():
        row = int((~equal).argmax()) + 1
        advice = "" if identifier else "; are the rows in another order? Name an id (ID=)"
        raise UserError(
            f"{source}: {what} differs from that of the first file in {int((~equal).sum())} rows "
            f"(first: row {row}){advice}"
        )
