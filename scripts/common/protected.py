"""Protected attributes of a table: which values of a column make each group."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

OTHERS = "others"  # in a description: the group of all values that no other group lists


def as_text(values: pd.Series) -> pd.Series:
    """Return values as descriptions spell them: 1 and 1.0 are "1", True is "True"; missing ones stay missing."""
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return values.where(values.isna(), values.astype(str)) if len(values) else values.astype(object)
    whole = values.dropna()
    if pd.api.types.is_float_dtype(values) and len(whole) and (whole % 1 == 0).all() and (whole.abs() < 2**53).all():
        return values.map(lambda value: str(int(value)), na_action="ignore").astype(object)
    return values.map(str, na_action="ignore").astype(object)


@dataclass(frozen=True)
class Values:
    """Which values of a column are meant: those listed, a range of numbers, or (neither) all others."""

    listed: tuple[str, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()  # above, from, below, to

    @classmethod
    def of(cls, entry: object) -> "Values":
        """Return the values that an entry of a description names: a list, a mapping of limits, or "others"."""
        if entry == OTHERS:
            return cls()
        if isinstance(entry, Mapping):
            return cls(limits=tuple((key, float(entry[key])) for key in sorted(entry)))
        listed = entry if isinstance(entry, list) else [entry]
        return cls(listed=tuple(as_text(pd.Series([value]))[0] for value in listed))

    @property
    def others(self) -> bool:
        """Return whether all values are meant that nothing else names."""
        return not self.listed and not self.limits

    def hold(self, values: pd.Series) -> np.ndarray:
        """Return which rows have one of these values, bool [n]; a missing value is none of them."""
        if not self.limits:
            same = values.isin(self.listed) | (False if values.dtype == object else as_text(values).isin(self.listed))
            return same.to_numpy(bool)
        numbers = pd.to_numeric(values, errors="coerce")
        tests = {"above": numbers.gt, "from": numbers.ge, "below": numbers.lt, "to": numbers.le}
        return np.logical_and.reduce([tests[key](limit).to_numpy(bool) for key, limit in self.limits])


@dataclass(frozen=True)
class Attribute:
    """A protected attribute: the groups of a column, by name and with the privileged one last; a code is a place."""

    column: str
    groups: tuple[tuple[str, Values], ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Return the names of the groups, in the order of their codes."""
        return tuple(name for name, _ in self.groups)

    @property
    def privileged(self) -> str:
        """Return the name of the privileged group."""
        return self.words[-1]

    @property
    def two_words(self) -> tuple[str, str]:
        """Return what the groups are called where only two are told apart: the others, and the privileged one."""
        return self.words if len(self.groups) == 2 else (f"not {self.privileged}", self.privileged)

    def codes(self, values: pd.Series) -> np.ndarray:
        """Return the group of every row, int8 [n]; -1 where no group lists the value or it is missing."""
        codes = np.full(len(values), -1, np.int8)
        rest = None
        for code, (_, group) in enumerate(self.groups):
            if group.others:
                rest = code
            else:
                codes[group.hold(values)] = code
        if rest is not None:
            codes[(codes < 0) & values.notna().to_numpy()] = rest
        return codes
