"""Rule `label_facts`: what the synthetic labels imply before any image is seen.

The Bayes classifier knows all 40 attributes and accepts where P(accept) > 1/2. Its accuracy bounds
every model, its gap between the sexes comes from the label weights alone, and its threshold
frontier is the price of fairness that no picture adds to.
"""

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.log_odds import log_odds
from scripts.common.metrics import RATES, count_table
from scripts.tradeoffs.thresholds import SEXES, exact_frontier

SMALL_GAP = 0.01  # a gap that counts as removed when the price is stated


def facts(split: pd.DataFrame) -> dict[str, float]:
    """Return the facts of one part: label [N], probability [N] of acceptance, male [N]."""
    label, probability, male = (split[name].to_numpy() for name in ("label", "probability", "male"))
    bayes = (probability > 0.5).astype(int)
    counts = count_table(label, bayes, male, sizes=[2])
    fnr = RATES["false_negative_rate"](counts)
    numbers = {
        "rows": len(split),
        "acceptance probability": probability.mean(),
        "acceptance rate": label.mean(),
        "Bayes accuracy (expected)": np.maximum(probability, 1 - probability).mean(),
        "Bayes accuracy (drawn labels)": (bayes == label).mean(),
        "Bayes FNR gap, men - women": fnr[SEXES["men"]] - fnr[SEXES["women"]],
    }
    for sex, code in SEXES.items():
        numbers[f"share of {sex}"] = (male == code).mean()
        numbers[f"acceptance rate, {sex}"] = label[male == code].mean()
        numbers[f"Bayes FNR, {sex}"] = fnr[code]
    return numbers


def price_of_fairness(split: pd.DataFrame) -> float:
    """Return the error paid, from the attributes alone, for a gap of at most `SMALL_GAP` by thresholds per sex."""
    label, probability, male = (split[name].to_numpy() for name in ("label", "probability", "male"))
    front = exact_frontier(log_odds(probability, 0), label, male)
    fair = front[front["gap"] <= SMALL_GAP].iloc[0]  # the front's error rises, so the first is the cheapest
    return fair["error"] - front["error"].iloc[0]


def label_facts(splits: dict[str, str], output: str) -> None:
    """Write the facts of every part of both protocols: protocol, split, fact, value."""
    rows = []
    for protocol, path in splits.items():
        split = parquet.read(path)
        for part, members in split.groupby("split", sort=False):
            rows += [(protocol, part, name, value) for name, value in facts(members).items()]
            if part == "test":  # its cost grows with the square of the rows, and the price is read on this part
                rows.append(
                    (protocol, part, f"error paid for a gap of at most {SMALL_GAP}", price_of_fairness(members))
                )
    parquet.write(pd.DataFrame(rows, columns=["protocol", "split", "fact", "value"]), output)


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake):
        label_facts({name: snakemake.input[name] for name in ("as_published", "corrected")}, snakemake.output[0])
