"""All tables: transforms at equal cost, packings, encrypted against clear, printed ratios, security, TFHE."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from scripts.common.tables import UNDEFINED, format_interval, format_number, save_table
from scripts.encrypted.labels import (
    CORRECTED,
    DCT,
    IMAGE,
    PACKINGS,
    PIXELS,
    SLOTS,
    TITLES,
    accuracies,
    at,
    differences,
    encryptions,
    in_order,
    looked_up,
    measured,
    parts,
    rival,
    setting_title,
    sources,
    told_apart,
    transform_title,
    with_titles,
)
from scripts.encrypted.published_table import published_table
from scripts.encrypted.security import LEVELS, MOST_BITS
from scripts.encrypted.settings import PLAIN
from scripts.encrypted.table_text import BOUNDS, change_of, frame_of, number, significant

TFHE_PARTS = ("net", "sweep", "size")
TFHE_COLUMNS = {  # column of the frame: title and decimals
    "net": ("net", None),
    "mode": ("cost is", None),
    "p_error": ("p_error", None),
    "bootstraps": ("bootstraps", 0),
    "cpu_seconds": ("CPU s per image", 1),
    "predicted_cpu_seconds": ("predicted CPU s", 1),
    "keygen_seconds": ("keygen s", 1),
    "images": ("images", 0),
    "accuracy_clear": ("accuracy in clear", 3),
    "accuracy_simulated": ("simulated", 3),
    "accuracy_encrypted": ("encrypted", 3),
}


def equal_cost_table(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return per dataset and k every transform: accuracies, differences at the same k, kept energy, costs.

    48 numbers of blocks stand with 49 of the others.
    """
    settings, changes = frames["settings"], differences(frames["comparisons"])
    known = accuracies(frames["metrics"], settings)
    for column, metric in (("cpu", "cpu_ms_per_image"), ("up", "bytes_up_per_image")):
        known[column] = looked_up(known, measured(frames["efficiency"], metric))
    rows = []
    for source in sources(known):
        own = at(known, source)
        plain = own.loc[own["network"] == PLAIN, "setting"]
        pixels = next((name for name in plain if parts(name)[0] == PIXELS), None)
        order = list(TITLES)
        own = own.assign(group=[_group(name, plain) for name in own["setting"]])
        own = own.assign(rank=own["transform"].map(lambda name, order=order: (*order, name).index(name)))
        for row in own.sort_values(["group", "rank"], kind="stable").itertuples():
            title = transform_title(row.transform) + ("" if row.network == PLAIN else f", {row.network} network")
            line = {"data": row.dataset, "k": f"{row.k:,}", "transform": title, "seeds": number(row.seeds, 0)}
            line["clear"] = _mean(row.clear, row.clear_deviation)
            line["encrypted"] = format_interval(row.encrypted, row.ci_low, row.ci_high)
            line["minus pixels"] = change_of(changes, source, row.setting, pixels)
            dct = _same_cost(row.setting, plain, DCT)
            line["minus DCT"] = change_of(changes, source, row.setting, dct) if row.transform != DCT else UNDEFINED
            line["kept energy"] = number(row.kept_energy)
            line["server CPU, ms"], line["kB to the server"] = number(row.cpu, 2), number(row.up / 1000, 1)
            rows.append(line)
    columns = ["data", "k", "transform", "seeds", "clear", "encrypted", "minus pixels", "minus DCT", "kept energy"]
    return frame_of(rows, [*columns, "server CPU, ms", "kB to the server"])


def _group(setting: str, names: Iterable[str]) -> int:
    """Return the k of DCT that a setting stands beside, its own where there is none."""
    near = _same_cost(setting, names, DCT)
    return parts(near)[1] if near else parts(setting)[1]


def _same_cost(setting: str, names: Iterable[str], transform: str) -> str | None:
    """Return the setting of a transform at whose cost another one stands, "dct-49" for "block_dct-48"."""
    return next(
        (name for name in names if parts(name)[0] == transform and rival(name, [setting], parts(setting)[0])), None
    )


def _mean(mean: float, deviation: float) -> str:
    text = format_number(mean)
    return text if pd.isna(deviation) else f"{text} ± {format_number(deviation)}"


def packings_table(costs: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return per setting and packing seconds, images per second, the gain on the other packing, bytes, and keys."""
    own = with_titles(costs[costs["setting"].notna()], settings)
    own = own[own["key"] == own["key"].min()].astype({"images": float, "bytes": float})
    keys = costs[costs["setting"].isna()].astype({"bytes": float})
    infer, sent = own[own["operation"] == "infer"], own[own["operation"] == "encrypt"]
    by = ["source", "setting", "packing"]
    up = sent.groupby(by)["bytes"].sum() / sent.groupby(by)["images"].sum()
    groups = infer.groupby(by, sort=False)
    speed = groups["images"].sum() / groups["wall_seconds"].sum()
    rows = []
    for (source, setting, packing), mine in in_order(infer).groupby(by, sort=False):
        wall = mine["wall_seconds"]
        ends = wall.quantile([0.25, 0.75]) if len(mine) > 1 else (float("nan"),) * 2
        alone = speed.get((source, setting, IMAGE))
        line = {"data": mine["dataset"].iloc[0], "setting": setting_title(setting), "packing": PACKINGS[packing]}
        line |= {"images at once": number(mine["images"].max(), 0), "latency, s": format_interval(wall.median(), *ends)}
        line["images per second"] = number(speed[source, setting, packing], 2)
        gained = packing == SLOTS and alone is not None
        line["times one per ciphertext"] = number(speed[source, setting, packing] / alone, 0) if gained else UNDEFINED
        line["kB up"] = number(up.get((source, setting, packing), float("nan")) / 1000, 1)
        line["kB down"] = number(mine["bytes"].sum() / mine["images"].sum() / 1000, 1)
        held = keys[(keys["packing"] == packing) & (keys["network"] == mine["network"].iloc[0])]
        public = held[held["operation"] == "keys_public"]["bytes"]
        line["server's keys, MB"] = number(public.median() / 1e6, 1)
        line["keygen, s"] = number(held[held["operation"] == "keygen"]["cpu_seconds"].median(), 2)
        rows.append(line)
    columns = ["data", "setting", "packing", "images at once", "latency, s", "images per second"]
    columns += ["times one per ciphertext", "kB up", "kB down", "server's keys, MB", "keygen, s"]
    return frame_of(rows, columns)


def reliability_table(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return per setting, packing and key: flips, encrypted minus clear with McNemar's test, errors, bits."""
    noise, tests = frames["noise"], encryptions(frames["comparisons"])
    tests = tests.astype({"key": "int64"}).drop_duplicates(["source", "setting", "key"])
    tests = tests.set_index(["source", "setting", "key"])
    noise, rows = with_titles(noise, frames["settings"]), []
    for row in in_order(noise).itertuples():
        line = {"data": row.dataset, "setting": setting_title(row.setting), "packing": PACKINGS[row.packing]}
        line |= {"key": str(row.key), "n": f"{row.n:,}", "flips": f"{row.flips:,}"}
        place = (row.source, row.setting, row.key)
        if row.packing == SLOTS and place in tests.index:
            test = tests.loc[place]
            line["encrypted minus clear"] = format_interval(*(float(test[name]) for name in BOUNDS))
            line["right only encrypted / clear"] = f"{test['only_first']:.0f} / {test['only_second']:.0f}"
            line["McNemar p"] = number(test["p_value"])
        line["largest error"], line["median error"] = significant(row.max_error), significant(row.median_error)
        line["deviation of logits"] = number(row.logit_deviation, 2)
        line["bits of precision"] = number(row.precision_bits, 1)
        rows.append(line)
    columns = ["data", "setting", "packing", "key", "n", "flips", "encrypted minus clear"]
    columns += ["right only encrypted / clear", "McNemar p", "largest error", "median error", "deviation of logits"]
    return frame_of(rows, [*columns, "bits of precision"])


def security_table(security: pd.DataFrame) -> pd.DataFrame:
    """Return the standard's largest bits by ring dimension, with the networks that use it and what they need."""
    rows = []
    for ring, most in MOST_BITS.items() if len(security) else ():
        line = {"ring": f"{ring:,}"} | {f"most bits, {level}": str(most[level]) for level in sorted(LEVELS)}
        used = security[security["ring"] == ring]
        for row in used.itertuples():
            mine = {"network": row.network, "moduli": row.moduli, "bits": str(row.bits), "scale": str(row.scale)}
            mine |= {"security": str(row.security_bits), "products": str(row.products), "levels": str(row.levels)}
            rows.append(line | mine | {"slots": f"{row.slots:,}"})
        rows += [line] if used.empty else []
    columns = ["ring", *(f"most bits, {level}" for level in sorted(LEVELS)), "network", "moduli", "bits", "scale"]
    return frame_of(rows, [*columns, "security", "products", "levels", "slots"])


def tfhe_table(tfhe: pd.DataFrame) -> pd.DataFrame:
    """Return nets under TFHE, one of them by p_error, and predictions by size; no rows where it was off."""
    rows = []
    for row in tfhe[tfhe["part"].isin(TFHE_PARTS)].to_dict("records"):
        line, row["p_error"] = {}, f"{row['p_error']:.2g}"
        for column, (title, digits) in TFHE_COLUMNS.items():
            line[title] = str(row[column]) if digits is None else number(row[column], digits)
        line["keys, MB"] = number(row["key_bytes"] / 1e6, 0)
        known = pd.notna(row["values"]) and pd.notna(row["wrong_values"])
        line["wrong values"] = f"{row['wrong_values']:,.0f} of {row['values']:,.0f}" if known else UNDEFINED
        rows.append(line)
    return frame_of(rows, [*(title for title, _ in TFHE_COLUMNS.values()), "keys, MB", "wrong values"])


def write_tables(frames: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write all tables (each csv, md, tex) into `folder`."""
    frames = told_apart(frames)
    said = (
        "All transforms by k, the numbers encrypted per image; images lie along the slots. Clear: mean ± deviation over"
    )
    said += (
        " seeds; encrypted: seed 1, all test images, 95 % Wilson intervals. Differences are in clear, paired by test"
    )
    said += " image, 95 % normal intervals. CPU and bytes are per image."
    save_table(equal_cost_table(frames), folder / "equal_cost", said)
    said = "Both packings: wall seconds until the reply (median and quartiles, key 1), bytes per image, keys. Quartiles"
    said += " are a spread, no confidence intervals."
    save_table(packings_table(frames["costs"], frames["settings"]), folder / "packings", said)
    said = "Encrypted against clear on the same test images, by fresh key: 95 % normal intervals, McNemar's exact test;"
    said += " errors of logits; bits: -log2(largest error / largest logit)."
    save_table(reliability_table(frames), folder / "reliability", said)
    said = (
        "Printed ratios of latency beside ours of the server's CPU; accuracy: change with DCT. Ours is of the smallest"
    )
    said += (
        f" DCT near all pixels ({CORRECTED} protocol), difference with 95 % normal interval, ratio without interval."
    )
    save_table(published_table(frames), folder / "published", said)
    said = "Largest sum of the bits of all moduli by ring dimension and bits of security (HomomorphicEncryption.org,"
    said += " ternary secret, classical attacks), and the networks' parameters."
    save_table(security_table(frames["security"]), folder / "security", said)
    said = (
        "Networks under TFHE, one thread: executed or predicted by the compiler; no intervals. Empty where it was off."
    )
    save_table(tfhe_table(frames["tfhe"]), folder / "tfhe", said)
