"""Models ranked by robust accuracy, the price of fairness, optimism, paired differences, label facts."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.common import parquet
from scripts.common.aggregate import aggregate
from scripts.common.data_notes import data_note
from scripts.common.interval_kinds import BOOTSTRAP, RANGE, in_words
from scripts.common.intervals import absolute_interval
from scripts.common.published import values
from scripts.common.schemas.metrics import METRICS, select_metric
from scripts.common.tables import UNDEFINED, format_interval, format_number, save_table
from scripts.tradeoffs.attack_table import PUBLISHED as PUBLISHED_ATTACK
from scripts.tradeoffs.attack_table import under
from scripts.tradeoffs.fairness_price import frontier_hull, operating_points, price_of_fairness
from scripts.tradeoffs.findings import ORIGINAL_ARMS
from scripts.tradeoffs.model_points import GAP, PROTOCOLS, THREAT, trained
from scripts.tradeoffs.thresholds import ERROR_WEIGHT, GAP_WEIGHT
from scripts.tradeoffs.tradeoffs_compare import KEYS

PUBLISHED = Path(__file__).with_name("published.yaml")
SETTING = ["method", "network", "protocol", "arm"]
ATTACK_WORDS = {"apgd": "APGD", "fab": "FAB", "square": "Square"}
CRITERIA = {
    "objective": f"least {ERROR_WEIGHT:.1f} error + {GAP_WEIGHT:.1f} gap",
    "gap": "least gap",
    "error_within_gap": "least error with a gap of at most 0.05",
}


def cells(metrics: pd.DataFrame, runs: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """Return one metric of the test part by setting, its seeds together; the gap without its sign.

    Args:
        wanted: what `select_metric` takes: metric, subgroup, attribute, condition.

    Raises:
        UserError: the metric has no rows.
    """
    rows = select_metric(metrics, **wanted)[["run", "seed", "value", "ci_low", "ci_high", "n"]]
    if wanted == GAP:
        low, high = absolute_interval(rows.ci_low, rows.ci_high)
        rows = rows.assign(value=rows.value.abs(), ci_low=low, ci_high=high)
    return aggregate(rows.merge(runs[["run", *SETTING]], on="run"), SETTING, RANGE).set_index(SETTING)


def models_table(metrics: pd.DataFrame, runs: pd.DataFrame, threat: str = THREAT) -> pd.DataFrame:
    """Return one row per setting, ranked by worst-case robust accuracy; equal ones share a rank.

    Raises:
        UserError: a metric of the table was not measured for any run.
    """

    def robust(*attack: str) -> dict[str, str]:
        return {"metric": "robust_accuracy", "condition": under(threat, *attack)}

    worst = cells(metrics, runs, **robust())
    conditions = set(metrics.condition)
    run = {attack: words for attack, words in ATTACK_WORDS.items() if under(threat, attack) in conditions}
    selected = {"metric": "selection_rate", "attribute": "sex"}
    columns = {
        "accuracy": {"metric": "accuracy"},
        "robust accuracy (worst case)": robust(),
        "APGD-CE alone (published measure)": robust(PUBLISHED_ATTACK),
        **{f"after {words}": robust(attack) for attack, words in run.items()},
        "FNR gap": GAP,
        "men accepted": selected | {"subgroup": "men"},
        "women accepted": selected | {"subgroup": "women"},
    }
    intervals = ("accuracy", "robust accuracy (worst case)", "FNR gap")
    accuracy = cells(metrics, runs, metric="accuracy")
    table = pd.DataFrame({"seeds": accuracy.seeds, "order": worst.value.reindex(accuracy.index)})
    for title, wanted in columns.items():
        own = cells(metrics, runs, **wanted).reindex(accuracy.index)
        ends = zip(own.value, own.ci_low, own.ci_high, strict=True)
        table[title] = [format_interval(*each) if title in intervals else format_number(each[0]) for each in ends]
    table = table.sort_values("order", ascending=False, kind="stable").reset_index()
    ranks = table.order.round(9).rank(method="min", ascending=False)
    table.insert(0, "rank", [format_number(rank, 0) for rank in ranks])
    return table.assign(protocol=table.protocol.map(PROTOCOLS)).drop(columns=["order", "arm"])


def price_table(frontiers: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return what a near-zero gap costs per protocol, beside the published price; ours with and without the penalty."""
    titles = ["frontier", "models", "least error", "gap there", "error at near-zero gap", "gap at near-zero gap"]
    titles += ["error paid (points)"]
    hull = values(PUBLISHED, "fairness_frontier")["hull"]
    (error_from, gap_from), (error_to, gap_to) = hull[0], hull[3]
    published = [error_from, gap_from, error_to, gap_to, f"{100 * (error_to - error_from):.2f}"]
    rows = [["original, CelebA, read off its picture", "36", *published]]
    for protocol, words in PROTOCOLS.items():
        points = operating_points(frontiers, runs, protocol)
        original = points[points.arm.isin(ORIGINAL_ARMS)]
        selections = {f"{words}, all models": points, f"{words}, without the fairness penalty": original}
        for name, chosen in selections.items():
            if chosen.empty:
                rows.append([name, "0", *[float("nan")] * 4, UNDEFINED])
                continue
            price = price_of_fairness(frontier_hull(chosen))
            paid = [100 * value for value in (price.error_paid, price.error_paid_low, price.error_paid_high)]
            measured = [price.error_from, price.gap_from, price.error_to, price.gap_to]
            rows.append([name, str(chosen.run.nunique()), *measured, format_interval(*paid, digits=2)])
    return pd.DataFrame(rows, columns=titles)


def optimism_table(optimism: pd.DataFrame) -> pd.DataFrame:
    """Return promised and realised values per protocol, criterion and quantity, averaged over the models.

    The interval runs from the lowest to the highest bound of any model; runs without a value are left out.
    """
    known = optimism.dropna(subset=["promised", "realised"])
    table = known.groupby(["protocol", "criterion", "quantity"], sort=False, as_index=False).agg(
        models=("run", "nunique"),
        promised=("promised", "mean"),
        realised=("realised", "mean"),
        mean=("optimism", "mean"),
        low=("ci_low", "min"),
        high=("ci_high", "max"),
    )
    ends = zip(table["mean"], table.low, table.high, strict=True)
    table["realised - promised"] = [format_interval(*each, digits=4) for each in ends]
    table["protocol"] = table.protocol.replace(PROTOCOLS)
    table["criterion"] = table.criterion.replace(CRITERIA)
    return table.drop(columns=["mean", "low", "high"])


def comparisons_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the paired differences of error and of the FNR gap, one row per run and comparison."""
    wanted = {("zero_one_loss", "all"): "error", (GAP["metric"], "all"): "FNR men - women"}
    titles = pd.Series(zip(comparisons["metric"], comparisons["subgroup"], strict=True)).map(wanted)
    shown = comparisons.assign(title=titles.to_numpy()).dropna(subset=["title"])
    change = [format_interval(*row) for row in shown[["value", "ci_low", "ci_high"]].to_numpy()]
    wide = shown.assign(change=change).pivot(index=KEYS, columns="title", values="change").reset_index()
    return wide.assign(protocol=wide["protocol"].map(PROTOCOLS)).rename_axis(columns=None)


def label_facts_table(facts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per fact and one column per protocol and part."""
    wide = facts.pivot(index="fact", columns=["protocol", "split"], values="value").reindex(facts["fact"].unique())
    wide.columns = [f"{PROTOCOLS[protocol]}, {part}" for protocol, part in wide.columns]
    return wide.reset_index()


def save_all(files: Mapping[str, str], folder: str | Path, threat: str = THREAT, budget: str = "") -> None:
    """Write `models`, `fairness_price`, `optimism`, `comparisons` and `label_facts` (each csv, md, tex) into `folder`.

    Args:
        files: paths of metrics, runs, frontiers, optimism, comparisons and label_facts by these names.
    """
    metrics, runs = parquet.read(files["metrics"], METRICS), parquet.read(files["runs"])
    own = metrics[metrics.run.isin(trained(runs).run)]
    measures = {
        "images": {"metric": "zero_one_loss"},
        "under attack": {"metric": "robust_accuracy", "condition": under(threat)},
    }
    note = data_note(own, measures, BOOTSTRAP)
    words = threat.replace("_", " ")
    models = f"Models ranked by robust accuracy under {words}; {data_note(own, measures, RANGE)}; "
    models += f"{budget or 'attack budget as configured'}; mean over seeds."
    price = (
        f"What a near-zero gap between the sexes costs in error on the test part; {note}; the interval of the error "
    )
    price += "paid is for unpaired errors, rather too wide."
    promised = (
        "What choosing thresholds on the images they are reported on promises, and what other images keep: halves "
    )
    promised += f"of the test part, 95 % range over random halvings; {note}."
    save_table(models_table(metrics, runs, threat), Path(folder) / "models", models)
    paired = f"Paired differences on the same test images, with {in_words(BOOTSTRAP)}; {note}."
    implied = "What the labels of all 202,599 CelebA rows imply before any image is seen."
    save_table(price_table(parquet.read(files["frontiers"]), runs), Path(folder) / "fairness_price", price, digits=4)
    save_table(optimism_table(parquet.read(files["optimism"])), Path(folder) / "optimism", promised, digits=4)
    save_table(comparisons_table(parquet.read(files["comparisons"])), Path(folder) / "comparisons", paired)
    save_table(label_facts_table(parquet.read(files["label_facts"])), Path(folder) / "label_facts", implied, digits=4)
