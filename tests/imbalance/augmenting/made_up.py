"""A made-up table of the user's own, described and prepared as the workflow does it."""

from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common.own_tables import register
from scripts.data.tabular import make_table

SETTINGS = {"bootstrap": {}, "copula": {}, "cart": {"leaf": 5}, "smote_nc": {"neighbours": 3}}
LIMITS = {"most_added": 20, "memory_mb": 3000}
JUDGING = {"rows": 60, "rounds": 3}
DESCRIPTION = {
    "label": {"column": "repaid", "one": "yes", "zero": "no", "positive": "the loan is repaid"},
    "numeric": ["income", "children"],
    "categorical": ["town", "constant", "origin"],
    "keep": ["county", "weight"],
    "attributes": {
        "sex": {"column": "sex", "groups": {"women": ["F"], "men": ["M"]}, "privileged": "men"},
        "origin": {"column": "origin", "groups": {"here": ["A"], "elsewhere": "others"}, "privileged": "here"},
    },
}


def people(n: int = 600, seed: int = 0) -> pd.DataFrame:
    """Return n people; a town lies in one county, and weights follow from nothing."""
    random = np.random.default_rng(seed)
    town = random.choice(["=1+1", "Köln", "O'Hara, X", "Ulm"], n)
    sex = random.choice(["F", "M"], n, p=[0.4, 0.6])
    repaid = random.random(n) < np.where(sex == "M", 0.6, 0.3)
    return pd.DataFrame(
        {
            "income": random.normal(30, 8, n).round(2),
            "children": random.poisson(1.2, n),
            "town": town,
            "constant": "same",
            "county": np.where(np.isin(town, ["Ulm", "Köln"]), "east", "west"),
            "weight": random.integers(100, 10**6, n),
            "sex": sex,
            "origin": random.choice(["A", "B", "C"], n, p=[0.6, 0.3, 0.1]),
            "repaid": np.where(repaid, "yes", "no"),
        }
    )


def prepared(folder: Path, frame: pd.DataFrame, **changes: object) -> pd.DataFrame:
    """Return the table `mine` as rule `user_table` prepares it; the description is registered."""
    frame.to_csv(folder / "mine.csv", index=False)
    register({"mine": {"file": str(folder / "mine.csv"), **DESCRIPTION, **changes}})
    make_table(folder / "mine.csv", "mine", {}, folder / "mine.parquet")
    return pd.read_parquet(folder / "mine.parquet")


def entry(**changes: object) -> dict:
    """Return the block of the config that augments the table."""
    usual = {"table": "mine", "attributes": ["sex"], "plan": "same_class", "generator": "bootstrap"}
    return usual | {"seed": 1, "dose": 1.0} | changes
