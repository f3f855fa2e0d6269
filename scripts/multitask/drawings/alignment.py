"""Whether tasks with similar heads have aligned gradients: CKA against cosine by pair, with a permutation null."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.stats import rankdata

from scripts.common import figures
from scripts.common.layout import titled, without_data
from scripts.common.seeds import seed_from
from scripts.multitask.labels import at, data_note, dataset_title, datasets, method_title

KINDS = {"accuracy": figures.BLUE, "fairness": figures.VERMILION}
METHODS = ("fixed_1", "vanilla")  # the first that is there is drawn
MARKS = "os^Dv"
DRAWS = 2000
COLUMNS = ["source", "dataset", "method", "seed", "first", "second", "cka", "cosine_accuracy", "cosine_fairness"]


def pair_rows(alignments: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of tasks of one shared network per dataset and seed."""
    parts = []
    for source in datasets(alignments):
        own = at(alignments, source)
        for method in METHODS:
            if (own["method"] == method).any():
                parts.append(own[own["method"] == method])
                break
    return figures.stack(parts, COLUMNS)


def matrix(pairs: pd.DataFrame, column: str, tasks: list[str]) -> np.ndarray:
    """Return a quantity of all pairs as a symmetric matrix [T, T]; NaN on the diagonal."""
    found = np.full((len(tasks), len(tasks)), np.nan)
    for first, second, value in zip(pairs["first"], pairs["second"], pairs[column], strict=True):
        a, b = tasks.index(first), tasks.index(second)
        found[a, b] = found[b, a] = value
    return found


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of pairs [P] with every row of [N, P]; without ties it is exact."""
    x = rankdata(a) - (len(a) + 1) / 2
    y = rankdata(b, axis=1) - (b.shape[1] + 1) / 2
    return (y @ x) / np.sqrt((x @ x) * (y * y).sum(1))


def correlations(pairs: pd.DataFrame, kind: str) -> tuple[float, np.ndarray]:
    """Return the rank correlation of CKA and cosine, mean over seeds, and its permutation null [DRAWS].

    Pairs share tasks and are not independent, so the null permutes the tasks of one side as a whole (Mantel, Cancer
    Research 27, 1967), for every seed apart. NaN and an empty null for fewer than three pairs.
    """
    observed, null = [], []
    for seed, own in pairs.dropna(subset=["cka", f"cosine_{kind}"]).groupby("seed"):
        tasks = list(dict.fromkeys([*own["first"], *own["second"]]))
        if len(own) != len(tasks) * (len(tasks) - 1) // 2 or len(own) < 3:
            continue
        upper = np.triu_indices(len(tasks), 1)
        similar, cosine = matrix(own, "cka", tasks), matrix(own, f"cosine_{kind}", tasks)
        random = np.random.default_rng(seed_from("multitask", "alignment", kind, int(seed)))
        orders = random.permuted(np.tile(np.arange(len(tasks)), (DRAWS, 1)), axis=1)
        orders[0] = np.arange(len(tasks))
        values = rank_correlation(similar[upper], cosine[orders[:, upper[0]], orders[:, upper[1]]])
        observed.append(values[0])
        null.append(values)
    return (float(np.mean(observed)), np.mean(null, axis=0)) if observed else (float("nan"), np.empty(0))


def p_value(observed: float, null: np.ndarray) -> float:
    """Return the fraction of a null, the observed value among it, that is at least as large."""
    return float((null >= observed - 1e-12).mean())


Known = Mapping[tuple[str, str], tuple[float, np.ndarray]]  # by dataset and kind of loss


def all_correlations(rows: pd.DataFrame) -> Known:
    """Return the rank correlations with their nulls by dataset and kind of loss, where they are defined."""
    found = {(source, kind): correlations(at(rows, source), kind) for source in datasets(rows) for kind in KINDS}
    return {key: value for key, value in found.items() if len(value[1])}


def finding(rows: pd.DataFrame, known: Known) -> list[str]:
    """Return per dataset both rank correlations and their one-sided p-values."""
    sentences = []
    for source in datasets(rows):
        parts = []
        for kind in KINDS:
            if (source, kind) in known:
                observed, null = known[source, kind]
                said = f"{observed:.2f} (p {max(p_value(observed, null), 0.001):.3f})".replace("-", "−")
                parts.append(f"{said} for {kind}")
        text = f"{dataset_title(rows, source)}: rank correlation with the heads' similarity "
        sentences += [f"{text}{', '.join(parts)} gradients."] if parts else []
    return sentences[:3]


def draw_pairs(axes: Axes, rows: pd.DataFrame, kind: str) -> None:
    """Draw the pairs of one dataset and kind of loss, a shape per seed."""
    for mark, (_, own) in zip(MARKS * len(rows), rows.groupby("seed"), strict=False):
        style = {"fc": "none", "ec": KINDS[kind], "lw": 0.9, "s": 20 if len(own) > 40 else 34, "alpha": 0.75}
        axes.scatter(own["cka"], own[f"cosine_{kind}"], marker=mark, **style)
    axes.axhline(0, color=figures.BLACK, lw=0.8)


def draw_null(axes: Axes, source: str, known: Known) -> None:
    """Draw the null of both kinds as histograms, one above the other, with the observed value as a line."""
    for place, kind in enumerate(KINDS):
        if (source, kind) not in known:
            continue
        observed, null = known[source, kind]
        counts, edges = np.histogram(null, bins=np.linspace(-1, 1, 51))
        height, bottom = 0.8 * counts / counts.max(), 1 - place
        axes.bar(edges[:-1], height, width=np.diff(edges), align="edge", bottom=bottom, color="#C8C8C8")
        low, high = np.quantile(null, [0.025, 0.975])
        axes.plot([low, high], [bottom, bottom], color=figures.GREY, lw=3, solid_capstyle="butt")
        axes.plot([observed] * 2, [bottom, bottom + 0.88], color=KINDS[kind], lw=2.4)
        text, right = f"{observed:.2f}".replace("-", "−"), observed < 0.6
        label = {"ha": "left" if right else "right", "va": "top", "color": KINDS[kind], "fontsize": 9.5}
        axes.annotate(text, (observed, bottom + 0.9), (4 if right else -4, 0), textcoords="offset points", **label)
    axes.set(xlim=(-1, 1), ylim=(-0.05, 2.0), yticks=[1.4, 0.4], yticklabels=list(KINDS))
    axes.grid(axis="y", visible=False)


def draw_alignment(frames: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw CKA of heads against cosine of gradients per pair of tasks, and the null, a row per dataset."""
    rows = pair_rows(frames["alignments"])
    if rows.empty:
        return without_data("No pairs of heads and gradients in these results.", COLUMNS)
    shown, known = datasets(rows), all_correlations(rows)
    figure = figures.new_figure(13.4, 2.0 + 2.9 * len(shown))
    grid = figure.subplots(len(shown), 3, squeeze=False)
    for line, source in zip(grid, shown, strict=True):
        own = at(rows, source)
        for axes, kind in zip(line, KINDS, strict=False):
            draw_pairs(axes, own, kind)
            axes.set_ylabel(f"cosine of {kind} gradients", fontsize=10)
            axes.set_xlabel("CKA of the heads" if source == shown[-1] else "")
        draw_null(line[2], source, known)
        line[2].set_xlabel("rank correlation" if source == shown[-1] else "")
        line[0].set_title(dataset_title(rows, source), loc="left", fontsize=11.5)
    ring = {"marker": "o", "mfc": "none", "ms": 7}
    handles = {f"{kind} losses": Line2D([], [], ls="", color=colour, **ring) for kind, colour in KINDS.items()}
    handles |= {
        "null: tasks permuted": Patch(color="#C8C8C8"),
        "95 % of the null": Line2D([], [], color=figures.GREY, lw=3),
        "observed": Line2D([], [], color=figures.BLACK, lw=2.4),
    }
    trained = ", ".join(dict.fromkeys(map(method_title, rows["method"])))
    note = f"Shared network ({trained}), last layer; a mark per pair of tasks, shapes are seeds; p is one-sided."
    note += " Correlations are means over seeds, without intervals."
    seeds = rows.groupby("source")["seed"].nunique().rename("seeds").reset_index()
    figures.footer(figure, f"{note} {data_note(frames['facts'], shown, seeds)}")
    titled(figure, finding(rows, known), handles)
    return figure, rows
