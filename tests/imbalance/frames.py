"""Released frames of the study, small and synthetic but true to their schema, with the published Adult effects."""

import numpy as np
import pandas as pd

from scripts.common.aggregate import aggregate, student_half_width
from scripts.common.interval_kinds import RESAMPLED_T, WILSON
from scripts.common.seeds import seed_from
from scripts.imbalance.names import method_name
from scripts.imbalance.plans import PLANS, rows_to_add

REAL = {  # metric: value on real rows of Adult, split deviation
    "accuracy": (0.868, 0.003),
    "f1_score": (0.712, 0.003),
    "balanced_accuracy": (0.798, 0.003),
    "roc_auc": (0.925, 0.002),
    "brier_score": (0.092, 0.001),
    "equalized_odds_sum": (0.126, 0.015),
    "equalized_odds_difference": (0.080, 0.010),
    "demographic_parity_difference": (0.181, 0.005),
    "equal_opportunity_difference": (0.059, 0.012),
    "demographic_parity_ratio": (0.310, 0.010),
}
EFFECTS = {  # plan: metric: change
    "class": {"accuracy": -0.031, "balanced_accuracy": 0.035, "demographic_parity_difference": 0.045},
    "class_protected": {"accuracy": -0.03, "balanced_accuracy": 0.034, "demographic_parity_difference": 0.047},
    "protected": {},
    "same_class": {"accuracy": -0.004, "balanced_accuracy": 0.006, "demographic_parity_difference": -0.037},
    "none": {},
}
GAPS = [name for name in REAL if name.startswith(("equal", "demographic"))]
ADULT, GERMAN = "AdultCensus", "German"
COUNTS = {
    (ADULT, "sex"): (("women", "men"), [[8648, 1114], [14031, 6355]]),
    (GERMAN, "sex"): (("women", "men"), [[73, 134], [127, 333]]),
    (ADULT, "sex x race"): (
        ("women, others", "women, White", "men, others", "men, White"),
        [[1729, 146], [6919, 968], [1811, 527], [12220, 5828]],
    ),
}
POSITIVE = {ADULT: "income above 50,000 dollars", GERMAN: "good credit"}
LOST = {ADULT: (0, 3), GERMAN: ()}
GENERATORS = ("bootstrap", "weights", "cart", "copula", "smote_nc")


def methods_of(plans=PLANS, generators=GENERATORS) -> list[tuple[str, str]]:
    controls = [("none", name) for name in ("real", "reweighing", "duplicate_all")]
    return controls + [(plan, generator) for plan in plans for generator in generators]


def split_rows(places, methods, doses, numbers, variants) -> pd.DataFrame:
    rows = []
    for dataset, attributes in places:
        noise = 1 if dataset == ADULT else 6
        runs = [(*method, 1.0, protocol, "main") for method in methods for protocol in ("as_published", "corrected")]
        runs += [
            (*method, dose, "corrected", "main")
            for method in methods
            for dose in doses
            if method[0] in ("same_class", "class") and method[1] in ("cart", "bootstrap", "copula")
        ]
        runs += [(*method, 1.0, "corrected", v) for method in methods for v in variants if method[0] != "protected"]
        for plan, generator, dose, protocol, variant in runs:
            if protocol == "as_published" and (generator == "weights" or (plan == "none" and generator != "real")):
                continue
            for metric, (value, deviation) in REAL.items():
                change = EFFECTS[plan].get(metric, 0.0) * min(1, 1.6 * dose) * (dataset == ADULT)
                for split in numbers:
                    shared = np.random.default_rng(seed_from("test frames", dataset, attributes, metric, split))
                    own = np.random.default_rng(
                        seed_from("test frames", dataset, metric, split, method_name(plan, generator), dose, variant)
                    )
                    draw = shared.normal(0, deviation * noise) + own.normal(0, 0.4 * deviation * noise)
                    moved = protocol == "as_published" and plan != "none" and split in LOST[dataset]
                    shift = -0.1 if moved and metric in ("f1_score", "balanced_accuracy") else 0.0
                    held = (dataset, attributes, protocol, plan, generator, method_name(plan, generator), dose, variant)
                    rows.append((*held, split, metric, value + change + draw + shift))
    names = ["dataset", "attributes", "protocol", "plan", "generator", "method", "dose", "variant"]
    return pd.DataFrame(rows, columns=[*names, "split", "metric", "value"])


def summary_of(splits: pd.DataFrame, draws: int) -> pd.DataFrame:
    attribute = np.where(splits["metric"].isin(GAPS), splits["attributes"], "none")
    rows = splits.assign(seed=splits["split"], n=15074, test_by_train=0.5, attribute=attribute)
    rows = rows.assign(subgroup="all", condition="")
    keys = [name for name in rows if name not in ("split", "seed", "value", "n", "test_by_train")]
    means = aggregate(rows, keys, RESAMPLED_T)
    shrink = np.sqrt((means["seeds"] - 1) / means["seeds"])
    draw_deviation = means["deviation"] * 0.4 if draws > 1 else np.nan
    return means.assign(deviation_0=means["deviation"] * shrink, draw_deviation=draw_deviation)


def comparisons_of(splits: pd.DataFrame) -> pd.DataFrame:
    main, rows = splits[splits["dose"] == 1.0], []
    keys = ["dataset", "attributes", "variant", "metric"]
    for held, own in main.groupby(keys, sort=False):
        wide = own.pivot_table(index="split", columns=["protocol", "method"], values="value", observed=True)
        about = own.drop_duplicates(["protocol", "method"])
        for row in about.itertuples():
            pairs = []
            if row.method != "real":
                pairs.append((row.protocol, row.method, "real", (row.protocol, row.method), (row.protocol, "real")))
            copies = (row.protocol, f"{row.plan} bootstrap")
            if row.plan != "none" and row.generator != "bootstrap" and copies in wide:
                pairs.append((row.protocol, row.method, copies[1], (row.protocol, row.method), copies))
            other = ("corrected", row.method)
            if row.protocol == "as_published" and other in wide:
                names = (f"{row.method} as published", f"{row.method} corrected")
                pairs.append((None, *names, (row.protocol, row.method), other))
            for protocol, first, second, a, b in pairs:
                values = (wide[a] - wide[b]).to_numpy()
                half, mean = student_half_width(values, 0.5), values.mean()
                p = float(np.exp(-3 * abs(mean) / half)) if half else 1.0
                ends = (mean, mean - half, mean + half, RESAMPLED_T, 15074, len(values), p, min(1.0, 8 * p))
                rows.append((*held, protocol, first, second, row.plan, row.generator, 1.0, *ends))
    names = ["protocol", "first", "second", "plan", "generator", "dose", "value", "ci_low", "ci_high", "interval", "n"]
    frame = pd.DataFrame(rows, columns=[*keys, *names, "seeds", "p_value", "p_holm"])
    attribute = np.where(frame["metric"].isin(GAPS), frame["attributes"], "none")
    shared = {"study": "imbalance", "seed": None, "split": "test", "subgroup": "all", "condition": ""}
    return frame.assign(attribute=attribute, paired_by="splits", **shared)


def counts_of(places, plans, numbers) -> pd.DataFrame:
    rows = []
    for place in places:
        groups, table = COUNTS[place]
        for split in numbers:
            real = np.array(table) + 2 * split
            for plan in ("none", *plans):
                added = np.zeros_like(real) if plan == "none" else rows_to_add(plan, real, groups)
                for number, group in enumerate(groups):
                    if plan == "protected":
                        rows.append((*place, split, plan, group, -1, real[number].sum(), added[number]))
                        continue
                    rows += [
                        (*place, split, plan, group, label, real[number, label], added[number, label])
                        for label in (0, 1)
                    ]
    return pd.DataFrame(rows, columns=["dataset", "attributes", "split", "plan", "group", "label", "rows", "added"])


QUALITY = {  # metric: generator: value
    "exact_copy_fraction": {"bootstrap": 1.0, "cart": 0.22, "copula": 0.002, "smote_nc": 0.04},
    "closest_record_distance_ratio": {"bootstrap": 0.0, "cart": 0.6, "copula": 1.5, "smote_nc": 0.5},
    "real_synthetic_roc_auc": {"bootstrap": 0.5, "cart": 0.56, "copula": 0.83, "smote_nc": 0.71},
    "marginal_distance": {"bootstrap": 0.01, "cart": 0.012, "copula": 0.03, "smote_nc": 0.08},
    "association_distance": {"bootstrap": 0.01, "cart": 0.02, "copula": 0.05, "smote_nc": 0.06},
}


def quality_of(places, methods, numbers, draws) -> pd.DataFrame:
    rows = []
    for dataset, attributes in places:
        for plan, generator in methods:
            for metric, by_generator in QUALITY.items():
                if generator not in by_generator:
                    continue
                for split in numbers:
                    for draw in range(draws):
                        seed = seed_from("test quality", dataset, attributes, plan, generator, metric, split, draw)
                        value = by_generator[generator] + np.random.default_rng(seed).normal(0, 0.01)
                        value = min(max(value, 0.0), 1.0 if "fraction" in metric else 9.0)
                        ends = (max(value - 0.01, 0), value + 0.01, WILSON, 2802)
                        rows.append((dataset, attributes, plan, generator, split, draw, metric, "", value, *ends))
    names = ["dataset", "attributes", "plan", "generator", "split", "draw", "metric", "condition", "value"]
    return pd.DataFrame(rows, columns=[*names, "ci_low", "ci_high", "interval", "n"])


def facts_of(places) -> pd.DataFrame:
    rows = []
    for dataset, attributes in places:
        groups, table = COUNTS[dataset, attributes]
        train = int(np.sum(table))
        table_name = "adult" if dataset == ADULT else "german"
        lost = ", ".join(map(str, LOST[dataset]))
        held = (dataset, attributes, table_name, dataset, train * 3 // 2, train, train // 2, "; ".join(groups))
        rows.append((*held, POSITIVE[dataset], lost, "a public file"))
    names = ["dataset", "attributes", "table", "title", "rows", "train_rows", "test_rows", "groups", "positive"]
    return pd.DataFrame(rows, columns=[*names, "lost", "source"])


def frames(
    places=((ADULT, "sex"), (GERMAN, "sex")),
    plans=PLANS,
    generators=GENERATORS,
    doses=(0.25, 0.5, 0.75),
    variants=("sensitive kept", "without relationship"),
    numbers=range(6),
    draws=1,
) -> dict[str, pd.DataFrame]:
    """Return summary, comparisons, splits, counts, quality and facts."""
    methods, numbers = methods_of(plans, generators), list(numbers)
    splits = split_rows(places, methods, doses, numbers, variants)
    return {
        "summary": summary_of(splits, draws),
        "comparisons": comparisons_of(splits),
        "splits": splits,
        "counts": counts_of(places, plans, numbers),
        "quality": quality_of(places, methods, numbers, draws),
        "facts": facts_of(places),
    }
