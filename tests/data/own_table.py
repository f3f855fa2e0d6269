"""A table of a user's own, made up: 5,000 people with three attributes, one of five groups, as file and description."""

from pathlib import Path

import numpy as np
import pandas as pd

REGIONS = ("north", "south", "east", "west", "islands")


def people(rows: int = 5000, seed: int = 0) -> pd.DataFrame:
    """Return loans: what is granted follows income and debt, and in part gender and region."""
    random = np.random.default_rng(seed)
    gender = random.choice(["f", "m"], rows, p=[0.45, 0.55])
    region = random.choice(REGIONS, rows, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    age = random.integers(18, 80, rows)
    income = random.normal(40, 12, rows) + 6 * (gender == "m") + 4 * (region == "north")
    debt = random.gamma(2, 8, rows)
    raw = income - debt + 8 * (region == "north") - 6 * (region == "islands") + random.normal(0, 8, rows)
    return pd.DataFrame(
        {
            "customer": np.arange(rows) + 100_000,
            "income": income.round(2),
            "debt": debt.round(2),
            "age": age,
            "gender": gender,
            "region": region,
            "branch": random.choice(["a", "b", "c"], rows),
            "country": "here",
            "granted": np.where(raw > np.median(raw), "yes", "no"),
        }
    )


def description(path: Path | str, **changes) -> dict:
    """Return the entry of the config for such a file."""
    about = {
        "file": str(path),
        "title": "Loans",
        "label": {"column": "granted", "one": "yes", "zero": "no", "positive": "the loan is granted"},
        "numeric": ["income", "debt", "age"],
        "categorical": ["gender", "region", "branch"],
        "drop": ["customer"],
        "attributes": {
            "gender": {"column": "gender", "groups": {"women": ["f"], "men": ["m"]}, "privileged": "men"},
            "age": {
                "column": "age",
                "groups": {"under 30": {"below": 30}, "30 to 59": {"from": 30, "below": 60}, "60 or older": "others"},
                "privileged": "30 to 59",
            },
            "region": {
                "column": "region",
                "groups": {name: [name] for name in REGIONS},
                "privileged": "north",
            },
        },
    }
    return about | changes
