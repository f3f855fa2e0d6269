"""People for the tests of this study: a small table with the columns of Adult, and one country of a single row."""

import numpy as np
import pandas as pd

from scripts.imbalance.people import FEATURES, People, people
from scripts.imbalance.plan import DEFAULTS
from scripts.imbalance.splits import Splitting

SETTINGS = {
    "bootstrap": {},
    "copula": {},
    "cart": {"leaf": 5},
    "smote_nc": {"neighbours": 3},
}
CLASSIFIER = {"rounds": 4, "depth": 3, "learning_rate": 0.3}
SPLITTING = Splitting()
RARE = "Holland"  # between Cuba and Jamaica in alphabetical order, so that the codes of two countries can move
LIMITS = {"most_added": 20, "memory_mb": 3000}


def adult_table(rows: int = 360, seed: int = 0) -> pd.DataFrame:
    """Return a table with the columns of `adult` as rule `tabular` writes it; its row 0 alone is from `RARE`."""
    random = np.random.default_rng(seed)
    men, white = random.random(rows) < 0.65, random.random(rows) < 0.7
    numeric, categorical = FEATURES["adult"]
    frame = pd.DataFrame({name: random.integers(0, 40, rows) for name in numeric})
    frame = frame.assign(**{name: random.choice(["a", "b", "c"], rows) for name in categorical})
    country = random.choice(["Cuba", "Jamaica", "United-States"], rows, p=[0.3, 0.3, 0.4])
    country[0] = RARE
    frame = frame.assign(sex=np.where(men, "Male", "Female"), race=np.where(white, "White", "Black"))
    home = np.select([country == "Jamaica", country == "United-States"], [-12, 12], 0)
    y = frame["age"] + 10 * men + 6 * white + home + random.normal(0, 6, rows) > 36
    return frame.assign(native_country=country, row_id=np.arange(rows), y=y.astype(np.int8))


def adults(rows: int = 360, attributes: tuple[str, ...] = ("sex",), **columns: object) -> People:
    """Return the people of that table, some of its columns replaced."""
    return people(adult_table(rows).assign(**columns), "adult", attributes)


def entry(**changes: object) -> dict:
    """Return a dataset's entry of the config, complete."""
    return {"table": "adult", "attributes": ["sex"]} | DEFAULTS | changes
