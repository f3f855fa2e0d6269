"""The augmented table: all columns of the prepared table, of real and of synthetic rows, in the table's spelling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scripts.common.errors import UserError
from scripts.common.mixed_table import MISSING, MixedTable
from scripts.common.protected import as_text
from scripts.common.tabular import Table, attribute_of
from scripts.imbalance.augmentation import Synthetic
from scripts.imbalance.people import People

SYNTHETIC, ROW, LABEL = "synthetic", "row_id", "y"  # columns of ours
NO_ROW = -1  # the row_id of a synthetic row
ROWS_PER_VALUE = 5  # on average; with fewer, one column determines another by chance


@dataclass(frozen=True)
class Augmented:
    """The augmented table and how its columns came about.

    `drawn` are sensitive columns whose group joins several values, drawn from real rows of the group and label;
    `followed` maps a column that no generator saw to the one that determines it; `empty` are columns that synthetic
    rows lack.
    """

    frame: pd.DataFrame
    drawn: tuple[str, ...]
    followed: dict[str, str]
    empty: tuple[str, ...]


def check_columns(frame: pd.DataFrame, name: str) -> None:
    """Check that no column of a table has the name of the one that marks synthetic rows.

    Raises:
        UserError: one has.
    """
    if SYNTHETIC in frame:
        raise UserError(
            f"{name}: a column {SYNTHETIC!r} is there already, and augmented tables mark rows in one of that name; "
            f"give it another: rename: {{{SYNTHETIC}: my_{SYNTHETIC}}} in the description of the table"
        )


def augmented(frame: pd.DataFrame, people: People, features: MixedTable, rows: Synthetic, seed: int) -> Augmented:
    """Return the real rows with filled gaps and, below, the synthetic ones.

    Args:
        frame: the prepared table.
        people: those of the table, in its order.
        features: theirs, without gaps.
        rows: the synthetic rows.
        seed: of the draws of sensitive values.
    """
    real, more = filled(frame, people.features, features), rows.table.frame()
    sensitive = [*dict.fromkeys(attribute_of(people.table, name).column for name in people.attributes)]
    donors = _donors(people, rows, np.random.default_rng(seed))
    more[sensitive] = real[sensitive].iloc[donors].set_axis(more.index)
    spread = [name for name in sensitive if (real.groupby(people.groups)[name].nunique() > 1).any()]
    more[ROW], more[LABEL] = NO_ROW, rows.label
    others = [name for name in real if name not in more]
    followed = {name: column for name in others if (column := determining(real, more, name))}
    for name, column in followed.items():
        pairs = real.drop_duplicates(column).set_index(column)[name]
        more[name] = more[column].astype(pairs.index.dtype).map(pairs)
    empty = tuple(name for name in others if name not in followed)
    columns = [name for name in real if name not in (ROW, LABEL)]
    joined = {name: _joined(real[name], more.get(name), len(more)) for name in [ROW, *columns]}
    table = pd.DataFrame(joined | {LABEL: np.concatenate([people.y, rows.label]).astype(np.int8)})
    table.insert(len(table.columns) - 1, *_words(people.table, table))
    table[SYNTHETIC] = np.repeat(np.array([0, 1], np.int8), [len(real), len(more)])
    return Augmented(table, tuple(spread) if len(more) else (), followed, empty if len(more) else ())


def filled(frame: pd.DataFrame, before: MixedTable, after: MixedTable) -> pd.DataFrame:
    """Return the table with the gaps of its features filled; a column without gaps is unchanged."""
    columns = {}
    for place, name in enumerate(after.schema.numeric):
        if np.isnan(before.numeric[:, place]).any():
            values = after.numeric[:, place]
            columns[name] = values.astype(np.int64) if after.schema.whole[place] else values
    for place, name in enumerate(after.schema.categorical):
        gaps = before.codes[:, place] == MISSING
        if gaps.any():
            values = np.array(after.schema.categories[place], object)[after.codes[:, place]]
            columns[name] = np.where(gaps, values, frame[name].astype(object))
    return frame.reset_index(drop=True).assign(**columns)


def gaps_filled(before: MixedTable, after: MixedTable) -> dict[str, tuple[int, str]]:
    """Return by column how many gaps there were and the value that stands there now."""
    found = {}
    for place, name in enumerate(before.schema.numeric):
        gaps = np.isnan(before.numeric[:, place])
        if gaps.any():
            found[name] = (int(gaps.sum()), f"{after.numeric[gaps.argmax(), place]:g}")
    for place, name in enumerate(before.schema.categorical):
        gaps = before.codes[:, place] == MISSING
        if gaps.any():
            found[name] = (int(gaps.sum()), before.schema.categories[place][after.codes[gaps.argmax(), place]])
    return found


def determining(real: pd.DataFrame, known: Sequence[str], name: str) -> str:
    """Return the column among some that determines another in all real rows; "" if none does.

    Of several it is the one with the fewest values. A column that has almost as many values as rows is none: it
    determines everything, and says nothing of a new row.
    """
    codes, found = pd.factorize(real[name], use_na_sentinel=False)[0].astype(np.int64), []
    for column in known:
        if column in (ROW, LABEL) or column not in real:
            continue
        own, values = pd.factorize(real[column], use_na_sentinel=False)
        if len(values) * ROWS_PER_VALUE > len(real):
            continue
        if len(np.unique(own * (codes.max() + 1) + codes)) == len(values):
            found.append((len(values), column))
    return min(found)[1] if found else ""


def _donors(people: People, rows: Synthetic, rng: np.random.Generator) -> np.ndarray:
    """Return for every synthetic row a real row of its group and label, by chance; of its group if there is none."""
    cells = 2 * rows.group.astype(np.int64) + rows.label
    donors = np.empty(len(cells), np.int64)
    for cell in np.unique(cells):
        own = np.flatnonzero(people.cells == cell)
        own = own if len(own) else np.flatnonzero(people.groups == cell // 2)
        wanted = cells == cell
        donors[wanted] = own[rng.integers(len(own), size=int(wanted.sum()))]
    return donors


def _joined(real: pd.Series, more: pd.Series | None, rows: int) -> pd.Series:
    """Return the values of real and synthetic rows; whole numbers and truth values stay so where some are missing."""
    more = pd.Series([None] * rows, dtype=object) if more is None else more
    if not pd.api.types.is_numeric_dtype(real.dtype):
        return pd.concat([real.astype(object), more.astype(object)], ignore_index=True)
    kind = {"b": "boolean", "i": "Int64", "u": "Int64"}.get(real.dtype.kind, float) if more.isna().any() else real.dtype
    return pd.concat([real.astype(kind), more.astype(kind)], ignore_index=True)


def _words(table: Table, frame: pd.DataFrame) -> tuple[str, pd.Series]:
    """Return the name and values of the column of the label as the file spells it."""
    label = table.description["label"]
    texts = as_text(pd.Series([label["zero"], label["one"]], dtype=object))
    name = next(name for name in (label["column"], "label", "label_in_words") if name not in frame)
    return name, pd.Series(np.array(texts, object)[frame[LABEL]])
