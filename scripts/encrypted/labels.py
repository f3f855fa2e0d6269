"""Titles, colours and selections that figures, tables and the explorer share; imports no matplotlib."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from scripts.common import colours
from scripts.common.interval_kinds import in_words
from scripts.common.points import points
from scripts.encrypted.settings import PLAIN, setting_of

PUBLISHED_NUMBERS = Path(__file__).with_name("published.yaml")
CORRECTED, PUBLISHED = "corrected", "as_published"
CLEAR, ENCRYPTED, SIMULATED = "mode=clear", "mode=encrypted", "mode=simulated"  # conditions
OF_SUBSETS, OF_BINOMIAL = f"{SIMULATED}, of=subsets", f"{SIMULATED}, of=binomial"
SLOTS, IMAGE = "slots", "image"
DCT, BLOCKS, POOLING, SUBSAMPLING, CROP, PIXELS = "dct", "block_dct", "pooling", "subsampling", "crop", "pixels"
TITLES = {  # transform: title
    DCT: "DCT of the whole image",
    BLOCKS: "DCT of blocks",
    POOLING: "mean pooling",
    SUBSAMPLING: "sub-sampling",
    CROP: "centre crop",
    PIXELS: "all pixels",
}
SHORT = {DCT: "DCT", BLOCKS: "block DCT", CROP: "crop", PIXELS: "pixels"}
COLOURS = {
    DCT: colours.VERMILION,
    BLOCKS: colours.ORANGE,
    POOLING: colours.BLUE,
    SUBSAMPLING: colours.SKY,
    CROP: colours.GREEN,
    PIXELS: colours.BLACK,
}
PACKINGS = {SLOTS: "images along the slots", IMAGE: "one image per ciphertext"}


def parts(setting: str) -> tuple[str, int, str]:
    """Return transform, k and network of a setting: "dct-49-deep" has ("dct", 49, "deep")."""
    found = setting_of(setting)
    return found.transform, found.k, found.network


def transform_title(transform: str) -> str:
    """Return the words for a transform; an unknown one keeps its name."""
    return TITLES.get(transform, transform.replace("_", " "))


def short_title(transform: str) -> str:
    """Return the shortest words for a transform, "DCT"."""
    return SHORT.get(transform, transform_title(transform).removeprefix("mean "))


def setting_title(setting: str) -> str:
    """Return a setting as people write it: "DCT 49", "pooling 49, deep network"."""
    transform, k, network = parts(setting)
    return f"{short_title(transform)} {k:,}" + ("" if network == PLAIN else f", {network} network")


def colour_of(transform: str) -> str:
    """Return the colour of a transform."""
    return COLOURS.get(transform, colours.PURPLE)


def sources(frame: pd.DataFrame) -> list[str]:
    """Return the names of the datasets in the order of the frame."""
    return list(dict.fromkeys(frame["source"]))


def at(frame: pd.DataFrame, source: str, **wanted: object) -> pd.DataFrame:
    """Return the rows of one dataset, and of some values by column."""
    rows = frame[frame["source"] == source]
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


def dataset_title(frame: pd.DataFrame, source: str) -> str:
    """Return the title of a dataset."""
    return str(at(frame, source)["dataset"].iloc[0])


def told_apart(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return frames in which datasets of one title, such as MNIST at two sizes, have their sizes in it."""
    known = frames["settings"].drop_duplicates("source").set_index("source")
    twice = known["dataset"].duplicated(keep=False)
    sized = {source: f"{row['dataset']}, {row['side']}x{row['side']}" for source, row in known[twice].iterrows()}
    found = {}
    for name, frame in frames.items():
        if {"source", "dataset"} <= set(frame.columns):
            frame = frame.assign(dataset=frame["source"].map(sized).fillna(frame["dataset"]))
        found[name] = frame
    return found


def with_titles(rows: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the titles of their datasets, which costs lack; a dataset without settings keeps its name."""
    titles = settings.drop_duplicates("source").set_index("source")["dataset"]
    return rows.assign(dataset=rows["source"].map(titles).fillna(rows["source"]))


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of settings sorted by dataset, transform, network and k, datasets in the order of the frame."""
    named = [parts(setting) for setting in rows["setting"]]
    order, first = list(TITLES), sources(rows)
    keys = [
        (first.index(source), order.index(name) if name in order else len(order), name, network != PLAIN, network, k)
        for source, (name, k, network) in zip(rows["source"], named, strict=True)
    ]
    return rows.iloc[sorted(range(len(rows)), key=keys.__getitem__)]


def accuracies(metrics: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return the corrected accuracy of every setting: clear (mean, deviation, seeds) and encrypted with its interval.

    Columns are those of `settings`, and `clear`, `clear_deviation`, `seeds`, `encrypted`, `ci_low`, `ci_high`,
    `interval`, `n`; missing numbers are NaN.
    """
    rows = metrics[(metrics["metric"] == "accuracy") & (metrics["protocol"] == CORRECTED)]
    rows = rows[rows["subgroup"] == "all"]
    keys = ["source", "setting"]
    clear = rows[rows["condition"] == CLEAR].groupby(keys)["value"].agg(["mean", "std", "size"])
    clear.columns = ["clear", "clear_deviation", "seeds"]
    encrypted = rows[rows["condition"] == ENCRYPTED].drop_duplicates(keys).set_index(keys)
    encrypted = encrypted[["value", "ci_low", "ci_high", "interval", "n"]].rename(columns={"value": "encrypted"})
    found = in_order(settings).join(clear, on=keys).join(encrypted, on=keys)
    return found[found["clear"].notna() | found["encrypted"].notna()].reset_index(drop=True)


def measured(efficiency: pd.DataFrame, metric: str, packing: str = SLOTS) -> pd.Series:
    """Return a measure of every setting in one packing, by (source, setting)."""
    rows = efficiency[(efficiency["metric"] == metric) & (efficiency["packing"] == packing)]
    return rows.drop_duplicates(["source", "setting"]).set_index(["source", "setting"])["value"]


def looked_up(rows: pd.DataFrame, values: pd.Series) -> list[float]:
    """Return the value of each row by its (source, setting); NaN where there is none."""
    return values.reindex(pd.MultiIndex.from_frame(rows[["source", "setting"]])).tolist()


def differences(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the paired differences in clear between two settings, indexed by (source, first, second)."""
    rows = comparisons[(comparisons["metric"] == "accuracy") & (comparisons["condition"] == CLEAR)]
    return rows.drop_duplicates(["source", "first", "second"]).set_index(["source", "first", "second"])


def encryptions(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the differences of encrypted to clear, a row per setting and key."""
    rows = comparisons[(comparisons["first"] == "encrypted") & (comparisons["second"] == "clear")]
    return rows[rows["metric"] == "accuracy"]


def rival(setting: str, names: Iterable[str], transform: str) -> str | None:
    """Return the setting of a transform that costs what another one does; None where there is none.

    Blocks cannot give every k: the largest one that is not above, and not by more than 5 % below, stands for it.
    """
    _, k, network = parts(setting)
    near = {}
    for name in names:
        other, own, same = parts(name)
        if other == transform and same == network and 0.95 * k <= own <= k:
            near[own] = name
    return near[max(near)] if near else None


def signed(value: float, digits: int = 1) -> str:
    """Return a difference in points with its sign."""
    return points(value, digits, signed=True)


def times(value: float) -> str:
    """Return a ratio in words: "12 times", "2.4 times"."""
    return f"{value:,.0f} times" if value >= 9.95 else f"{value:.1f} times"


def chance(low: float, high: float) -> str:
    """Return " (may be chance)" where an interval has 0 in it, " (no interval)" where there is none."""
    if low != low or high != high:
        return " (no interval)"
    return "" if low > 0 or high < 0 else " (may be chance)"


def data_note(settings: pd.DataFrame, shown: Iterable[str], rows: pd.DataFrame) -> str:
    """Return what a figure's numbers rest on: datasets with their images, seeds, kind of interval.

    Args:
        rows: what is drawn, with `interval` and `seeds` where it has them.
    """
    found = []
    for source in shown:
        own = at(settings, source)
        if len(own):
            row = own.iloc[0]
            size = f"{row.side}x{row.side}"
            size = "" if size in row.dataset else f"{size}, "
            held = f"{size}{row.train_rows:,} training and {row.test_rows:,} test images"
            found.append(f"{row.dataset}: {held}")
    if "seeds" in rows and rows["seeds"].notna().any():
        most = int(rows["seeds"].max())
        found.append(f"{most} training seed{'s' if most > 1 else ''}")
    if "interval" in rows:
        found.append(in_words(rows["interval"]))
    return "; ".join(found) + "."
