"""People of a tabular dataset, built in or a user's own, with tasks that the config reads off its columns.

Each task is `NAME: {column: COLUMN, values: VALUES}`; `values` are those of a description of a table: a list, limits
(`{above: 40}`), and the rows that have one of them get the label 1. The column `y` is the table's own label. Columns of
tasks and of the sensitive attribute are no features, nor are those under `drop`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.datasets import subset_rows
from scripts.common.errors import UserError
from scripts.common.protected import Values, as_text
from scripts.common.tabular import Table, attribute_of, group_codes, table_of
from scripts.multitask.people import People
from scripts.multitask.sources.rows import drawn, encode, fewer, title_of

LABEL = "y"
MARRIED = ["Married-civ-spouse", "Married-AF-spouse", "Married-spouse-absent"]
DEFAULTS = {  # of what an entry leaves out, by table
    "adult": {
        "tasks": {
            "income": {"column": LABEL},
            "long_hours": {"column": "hours_per_week", "values": {"above": 40}},
            "married": {"column": "marital_status", "values": MARRIED},
            "degree": {"column": "education_num", "values": {"from": 13}},
            "capital_gain": {"column": "capital_gain", "values": {"above": 0}},
        },
        "drop": ["relationship"],  # husband or wife
    }
}


def people(name: str, entry: Mapping, places: Mapping[str, str]) -> People:
    """Return the people of a table.

    Args:
        entry: table, attribute and tasks; as far as given subset (of the rows), drop, most_rows, rarest. What
            it leaves out has the value of DEFAULTS.
        places: {"table": the prepared table}.

    Raises:
        UserError: the table has no such attribute, column, subset or feature, a task has no rule for what is 1, or a
            value of a used column is missing.
    """
    where = f"config: multitask.datasets.{name}"
    table = table_of(entry["table"])
    entry = DEFAULTS.get(table.name, {}) | dict(entry)
    if not entry.get("tasks"):
        raise UserError(f"{where}.tasks: is missing; name at least two, each with its column (docs/data.md)")
    protected = attribute_of(table, entry["attribute"])
    frame = subset_rows(parquet.read(places["table"]), table, entry.get("subset", "all")).reset_index(drop=True)
    split = drawn(len(frame), table.name)
    taken = fewer(split, entry.get("most_rows"), table.name)
    title = title_of(table.title, taken, split)
    frame, split = frame.iloc[taken].reset_index(drop=True), split[taken]
    labels = [task_labels(frame, table, task, rule, where) for task, rule in entry["tasks"].items()]
    numeric, categorical = features_of(table, entry, where)
    features, names = encode(frame, numeric, categorical, split, where, entry.get("rarest", 0.0))
    return People(
        title,
        tuple(entry["tasks"]),
        entry["attribute"],
        protected.words,
        names,
        frame["row_id"].to_numpy(np.int64),
        split,
        group_codes(frame, where, entry["attribute"], protected),
        np.column_stack(labels),
        features,
    )


def features_of(table: Table, entry: Mapping, where: str) -> tuple[list[str], list[str]]:
    """Return the numeric and the categorical features: all of the table but those of tasks, attribute and `drop`.

    Raises:
        UserError: `drop` names no feature, or a task is read off the column of the attribute.
    """
    dropped = entry.get("drop", [])
    if unknown := [column for column in dropped if column not in table.columns]:
        raise UserError(f"{where}.drop: no feature {unknown[0]!r}; there are {', '.join(table.columns)}")
    sensitive = attribute_of(table, entry["attribute"]).column
    for task, rule in entry["tasks"].items():
        if rule["column"] == sensitive:
            raise UserError(f"{where}.tasks.{task}: {sensitive} is the column of the attribute; take another task")
    left_out = {sensitive, *dropped, *(rule["column"] for rule in entry["tasks"].values())}
    numeric, categorical = (
        [column for column in kind if column not in left_out] for kind in (table.numeric, table.categorical)
    )
    return numeric, categorical


def task_labels(frame: pd.DataFrame, table: Table, task: str, rule: Mapping, where: str) -> np.ndarray:
    """Return the label of every row for a task, int8 [n].

    Raises:
        UserError: its column is missing or has gaps, or, without `values`, holds something else than 0 and 1.
    """
    column, place = rule["column"], f"{where}.tasks.{task}"
    if column == table.description["label"]["column"] and column not in frame:
        raise UserError(f"{place}: {column} is the label of the table {table.name}; write column: {LABEL}")
    if column not in frame:
        known = ", ".join([LABEL, *(name for name in frame if name not in ("row_id", LABEL))])
        raise UserError(f"{place}: the table {table.name} has no column {column!r}; it has {known}")
    values = frame[column]
    if gaps := int(values.isna().sum()):
        raise UserError(f"{place}: {column} is missing in {gaps} rows; leave those rows out, or take another column")
    if "values" in rule:
        return Values.of(rule["values"]).hold(values).astype(np.int8)
    texts = as_text(values).replace({"True": "1", "False": "0"})
    if texts.isin(["0", "1"]).all():
        return (texts == "1").to_numpy(np.int8)
    kinds = sorted(set(as_text(values)))
    what = "more than two values" if len(kinds) > 2 else "other values than 0 and 1"
    shown = ", ".join(kinds[:5]) + (", ..." if len(kinds) > 5 else "")
    raise UserError(f"{place}: {column} has {what} ({shown}); say under `values` which of them are label 1")
