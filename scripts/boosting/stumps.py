"""Weighted votes of stumps on a table: columns as codes, the fitted ensemble, its JSON form.

A stump is written in the words of the table, "age at most 27.5" or "sex equals Male", so a saved ensemble needs no
encoder: it predicts from the raw columns.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.boosting.kernel import vote
from scripts.common.errors import UserError
from scripts.common.files import atomic_path

FORMAT = "counterweight stump ensemble 1"


@dataclass(frozen=True)
class Column:
    """A feature: the midpoints between its neighbouring values, or its categories, in rising order."""

    name: str
    categorical: bool
    cuts: np.ndarray  # float64 [V - 1] midpoints, or str [V] categories

    @property
    def size(self) -> int:
        """Return the number of codes; a category that the fitted rows lack has a code of its own."""
        return len(self.cuts) + 1

    def codes(self, values: pd.Series) -> np.ndarray:
        """Return int32 [n]: how many midpoints a value exceeds, or the place of its category."""
        if self.categorical:
            found = pd.Index(self.cuts).get_indexer(values.astype(str))
            return np.where(found < 0, len(self.cuts), found).astype(np.int32)
        return np.searchsorted(self.cuts, values.to_numpy(float), side="left").astype(np.int32)


@dataclass(frozen=True)
class Columns:
    """The features of a table as codes."""

    columns: tuple[Column, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> "Columns":
        """Return the codes of the fitted rows.

        Raises:
            UserError: a column is missing, or a numeric one holds a value that is no finite number.
        """
        if missing := [name for name in [*numeric, *categorical] if name not in frame]:
            raise UserError(f"features: the column {missing[0]} is missing; delete the table and run the workflow")
        columns = []
        for name in numeric:
            values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
            if not np.isfinite(values).all():
                raise UserError(
                    f"features: {name} holds {int((~np.isfinite(values)).sum())} values that are no numbers"
                )
            distinct = np.unique(values)
            columns.append(Column(name, False, distinct[:-1] / 2 + distinct[1:] / 2))
        columns += [Column(name, True, np.unique(frame[name].astype(str))) for name in categorical]
        return cls(tuple(columns))

    @property
    def offsets(self) -> np.ndarray:
        """Return int64 [F + 1]: where the codes of each column begin among those of all."""
        return np.concatenate([[0], np.cumsum([column.size for column in self.columns])]).astype(np.int64)

    @property
    def categorical(self) -> np.ndarray:
        """Return bool [F]."""
        return np.array([column.categorical for column in self.columns])

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Return int32 [n, F] of any rows.

        Raises:
            UserError: a column is missing.
        """
        if missing := [column.name for column in self.columns if column.name not in frame]:
            raise UserError(f"the model needs the column {missing[0]}, which these rows lack")
        codes = [column.codes(frame[column.name]) for column in self.columns]
        return np.ascontiguousarray(np.column_stack(codes))


@dataclass(frozen=True)
class Ensemble:
    """T stumps in the order in which they were found.

    `column`, `cut`: int32 [T], a column's place and its code; `leaves`: int8 [T, 2], the label left (up to the cut, or
    another category) and right; `alpha`: float64 [T].
    """

    columns: Columns
    column: np.ndarray
    cut: np.ndarray
    leaves: np.ndarray
    alpha: np.ndarray

    def __len__(self) -> int:
        return len(self.alpha)

    def first(self, rounds: int) -> "Ensemble":
        """Return the ensemble of the first rounds."""
        kept = (self.column[:rounds], self.cut[:rounds], self.leaves[:rounds], self.alpha[:rounds])
        return Ensemble(self.columns, *kept)

    def votes(self, codes: np.ndarray) -> np.ndarray:
        """Return the sum of alpha (+ for label 1, - for 0), float64 [n], of coded rows [n, F]; accepted above 0.

        By the additive logistic view of AdaBoost it is a log-odds.
        """
        votes = np.zeros(len(codes))
        vote(codes, self.columns.categorical, self.column, self.cut, self.leaves, self.alpha, len(self), votes)
        return votes

    def decision(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the votes, float64 [n], of raw rows."""
        return self.votes(self.columns.codes(frame))

    def stumps(self) -> list[dict]:
        """Return the stumps in words and numbers that JSON holds exactly."""
        found = []
        for f, cut, leaves, alpha in zip(self.column, self.cut, self.leaves.tolist(), self.alpha, strict=True):
            column = self.columns.columns[f]
            value = str(column.cuts[cut]) if column.categorical else float(column.cuts[cut])
            test = {"equals": value, "yes": leaves[1], "no": leaves[0]}
            if not column.categorical:
                test = {"at_most": value, "yes": leaves[0], "no": leaves[1]}
            found.append({"column": column.name, **test, "weight": float(alpha)})
        return found


def ensemble_of(stumps: list[dict]) -> Ensemble:
    """Return the ensemble of `Ensemble.stumps`; it votes exactly as the one that was saved.

    Raises:
        UserError: an entry lacks a part or has a label that is not 0 or 1.
    """
    cuts: dict[str, set] = {}
    for place, stump in enumerate(stumps):
        kinds = {"equals", "at_most"} & set(stump)
        if not {"column", "yes", "no", "weight"} <= set(stump) or len(kinds) != 1:
            raise UserError(f"stump {place}: needs column, at_most or equals, yes, no and weight; found {stump}")
        if not {stump["yes"], stump["no"]} <= {0, 1}:
            raise UserError(f"stump {place}: yes and no are labels, 0 or 1; found {stump['yes']} and {stump['no']}")
        cuts.setdefault((stump["column"], "equals" in stump), set()).add(
            stump["equals" if kinds == {"equals"} else "at_most"]
        )
    columns = Columns(tuple(Column(name, kind, np.array(sorted(values))) for (name, kind), values in cuts.items()))
    places = {(column.name, column.categorical): place for place, column in enumerate(columns.columns)}
    column = np.array([places[stump["column"], "equals" in stump] for stump in stumps], np.int32)
    values = [stump.get("equals", stump.get("at_most")) for stump in stumps]
    cut = [int(np.searchsorted(columns.columns[f].cuts, value)) for f, value in zip(column, values, strict=True)]
    leaves = [(s["no"], s["yes"]) if "equals" in s else (s["yes"], s["no"]) for s in stumps]
    leaves = np.array(leaves, np.int8).reshape(-1, 2)
    return Ensemble(columns, column, np.array(cut, np.int32), leaves, np.array([s["weight"] for s in stumps], float))


def save(ensembles: dict[str, Ensemble], path: str | Path) -> None:
    """Write named ensembles as one JSON file."""
    content = {"format": FORMAT, "models": {name: ensemble.stumps() for name, ensemble in ensembles.items()}}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def load(path: str | Path, name: str) -> Ensemble:
    """Read one ensemble of a file.

    Raises:
        UserError: the file is missing, is no such file, or has no model of this name.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path}: is no {FORMAT!r} file")
    if name not in content["models"]:
        raise UserError(f"{path}: has no model {name!r}; it has {', '.join(sorted(content['models']))}")
    return ensemble_of(content["models"][name])
