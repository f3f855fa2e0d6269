"""A table of numeric and categorical columns as two arrays, with the full range of every category declared.

Categories come from the schema of a table, never from the rows at hand: a code means the same value in every subset of
the rows, also where some values do not occur.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from scripts.common.errors import UserError

MISSING = -1  # the code of a missing category; a missing number is NaN


@dataclass(frozen=True)
class MixedSchema:
    """Columns of a mixed table: the numeric ones, the categorical ones, and their common order in the file."""

    numeric: tuple[str, ...]
    whole: tuple[bool, ...]  # whether all values of a numeric column are integers
    categorical: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]  # of each categorical column: its values, sorted; a code is a place
    order: tuple[str, ...]  # all columns, as in the file

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the number of categories of each categorical column."""
        return tuple(len(values) for values in self.categories)


@dataclass(frozen=True)
class MixedTable:
    """Rows of a schema: `numeric` float64 [n, p] and `codes` int32 [n, q]."""

    schema: MixedSchema
    numeric: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> "MixedTable":
        """Return a frame's columns; the categories are its own values as texts, in alphabetical order.

        Raises:
            UserError: a numeric column holds text or an infinite value.
        """
        columns, whole, codes, categories = [], [], [], []
        for name in numeric:
            values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=np.nan)
            if wrong := int((np.isnan(values) & frame[name].notna().to_numpy()).sum() + np.isinf(values).sum()):
                raise UserError(f"{name}: {wrong} values are no finite numbers; list the column under categorical")
            columns.append(values)
            whole.append(bool((values[~np.isnan(values)] % 1 == 0).all()))
        for name in categorical:
            texts = frame[name].where(frame[name].isna(), frame[name].astype(str))
            found = tuple(sorted(texts.dropna().unique()))
            codes.append(pd.Categorical(texts, categories=found).codes.astype(np.int32))
            categories.append(found)
        used = {*numeric, *categorical}
        order = tuple(name for name in frame.columns if name in used)
        schema = MixedSchema(tuple(numeric), tuple(whole), tuple(categorical), tuple(categories), order)
        return cls(schema, _columns(columns, len(frame), float), _columns(codes, len(frame), np.int32))

    def take(self, rows: np.ndarray) -> "MixedTable":
        """Return some rows, by position or by a mask."""
        return replace(self, numeric=self.numeric[rows], codes=self.codes[rows])

    def with_category(self, name: str, codes: np.ndarray, categories: Sequence[str]) -> "MixedTable":
        """Return the table with one more categorical column, the last in order."""
        schema = replace(
            self.schema,
            categorical=(*self.schema.categorical, name),
            categories=(*self.schema.categories, tuple(categories)),
            order=(*self.schema.order, name),
        )
        return MixedTable(schema, self.numeric, np.column_stack([self.codes, codes]).astype(np.int32))

    def without_last_category(self) -> tuple["MixedTable", np.ndarray]:
        """Return the table without its last categorical column, and the codes of that column, int32 [n]."""
        name = self.schema.categorical[-1]
        schema = replace(
            self.schema,
            categorical=self.schema.categorical[:-1],
            categories=self.schema.categories[:-1],
            order=tuple(column for column in self.schema.order if column != name),
        )
        return MixedTable(schema, self.numeric, self.codes[:, :-1]), self.codes[:, -1]

    def frame(self) -> pd.DataFrame:
        """Return the rows as a frame, columns in the order of the file: numbers, and categories as texts."""
        columns = {}
        for place, (name, whole) in enumerate(zip(self.schema.numeric, self.schema.whole, strict=True)):
            values = self.numeric[:, place]
            columns[name] = values.astype(np.int64) if whole and not np.isnan(values).any() else values
        for place, name in enumerate(self.schema.categorical):
            columns[name] = pd.Categorical.from_codes(self.codes[:, place], self.schema.categories[place])
        return pd.DataFrame({name: columns[name] for name in self.schema.order}, index=range(len(self)))


def concatenate(tables: Sequence[MixedTable]) -> MixedTable:
    """Return the rows of several tables of one schema, one below the other."""
    first = tables[0]
    numeric = np.concatenate([table.numeric for table in tables])
    return replace(first, numeric=numeric, codes=np.concatenate([table.codes for table in tables]))


def _columns(columns: list[np.ndarray], rows: int, dtype: type) -> np.ndarray:
    return np.column_stack(columns).astype(dtype) if columns else np.empty((rows, 0), dtype)
