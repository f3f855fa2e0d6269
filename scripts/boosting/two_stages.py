"""A synthetic selection in two stages, since none of the data sets has stages.

Applicants are first shortlisted, then hired. Past shortlists were biased by the first attribute, past hires by the
second; the two attributes are correlated. A booster is fitted per stage, the second on those who were shortlisted in
the past; new applicants meet both in turn.

    a ~ Bernoulli(0.5); b ~ Bernoulli(0.35 + 0.3 a); skill, craft ~ Normal(0, 1)
    shortlisted if skill + 0.7 a + noise > 0.2; hired if shortlisted and craft + 0.7 b + noise > 0.2
    seen: skill + 0.5 a + noise, craft + 0.5 b + 0.3 a + noise, rounded to 0.1, and a, b

All noise is normal with deviation 0.5. The tests that applicants sit favour the same groups as past decisions did.
"""

import numpy as np
import pandas as pd

from scripts.boosting import fair
from scripts.boosting.fair import Rows, Settings
from scripts.boosting.stumps import Columns, Ensemble
from scripts.common.seeds import seed_from

NUMERIC, CATEGORICAL, ATTRIBUTES = ("skill_seen", "craft_seen"), ("first", "second"), ("first", "second")
TITLE = "two-stage selection (synthetic)"
# of each stage: the attribute whose gap AdaFair narrows there; none is AdaBoost
ARMS = {
    "AdaBoost": (None, None),
    "AdaFair on the first attribute at both": (0, 0),
    "AdaFair on each stage's own attribute": (0, 1),
    "AdaFair on both attributes at both": ((0, 1), (0, 1)),
}


def applicants(rows: int, seed: int) -> pd.DataFrame:
    """Return the applicants: features, attributes, `shortlisted` and `hired` in the past."""
    random = np.random.default_rng(seed_from("boosting two stages", seed))
    a = random.random(rows) < 0.5
    b = random.random(rows) < 0.35 + 0.3 * a
    skill, craft = random.normal(size=(2, rows))
    shortlisted = skill + 0.7 * a + random.normal(0, 0.5, rows) > 0.2
    hired = shortlisted & (craft + 0.7 * b + random.normal(0, 0.5, rows) > 0.2)
    seen = {"skill_seen": skill + 0.5 * a, "craft_seen": craft + 0.5 * b + 0.3 * a}
    seen = {name: np.round(value + random.normal(0, 0.5, rows), 1) for name, value in seen.items()}
    return pd.DataFrame(seen | {"first": a.astype(np.int8), "second": b.astype(np.int8)}).assign(
        row_id=np.arange(rows), shortlisted=shortlisted, hired=hired
    )


def fit_stage(frame: pd.DataFrame, label: str, attribute: int | tuple[int, ...] | None, rounds: int) -> Ensemble:
    """Return the booster of a stage: AdaBoost, or AdaFair for statistical parity of one or more attributes."""
    columns = Columns.fit(frame, NUMERIC, CATEGORICAL)
    kept = [attribute if attribute is not None else 0] if not isinstance(attribute, tuple) else list(attribute)
    groups = frame[[ATTRIBUTES[k] for k in kept]].to_numpy(np.int8)
    rows = Rows(columns.codes(frame), frame[label].to_numpy(np.int8), groups)
    history = fair.fit(columns, rows, Settings("none" if attribute is None else "SP", rounds, csb=1))
    return history.ensemble.first(fair.chosen_round(history))


def select(train: pd.DataFrame, test: pd.DataFrame, arm: str, rounds: int) -> pd.DataFrame:
    """Return what an arm decides of the test rows.

    Returns:
        row_id, first, second, y_true (hired in the past), y_pred (passes both stages), `stages` passed (0, 1 or 2),
        score (the smaller log-odds of both stages).
    """
    first, second = ARMS[arm]
    shortlist = fit_stage(train, "shortlisted", first, rounds).decision(test)
    hire = fit_stage(train[train["shortlisted"]], "hired", second, rounds).decision(test)
    passed = (shortlist > 0).astype(np.int64) * (1 + (hire > 0))
    return pd.DataFrame(
        {
            "row_id": test["row_id"].to_numpy(),
            "y_true": test["hired"].to_numpy(np.int8),
            "y_pred": (passed == 2).astype(np.int8),
            "score": np.minimum(shortlist, hire).astype(np.float32),
            "stages": passed,
            **{name: test[name].to_numpy(np.int8) for name in ATTRIBUTES},
        }
    )
