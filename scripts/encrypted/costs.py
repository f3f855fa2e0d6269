"""Seconds and bytes of client and server: gathered from all parcels, per image, and as ratios."""

from collections.abc import Mapping, Sequence
from itertools import product

import pandas as pd

from scripts.encrypted.ckks import Parameters
from scripts.encrypted.parcels import read_costs
from scripts.encrypted.security import MOST_BITS, levels, security_bits
from scripts.encrypted.settings import PLAIN, setting_of

STEPS = ("keys", "encrypt", "infer", "decrypt")
COLUMNS = ["source", "dataset", "setting", "k", "network", "packing", "key", "operation"]
COLUMNS += ["images", "cpu_seconds", "wall_seconds", "bytes"]
SLOTS, IMAGE = "slots", "image"
LOSS = 0.011  # of accuracy in clear that a setting may have against all pixels: the largest published one
ALL = "all"


def gathered(paths: Sequence[str], about: Mapping[str, Mapping]) -> pd.DataFrame:
    """Return a row per operation and ciphertext (or batch of them); rows of keys have no setting.

    Args:
        paths: JSON files, those of STEPS for every parcel.
        about: by parcel its dataset, title, network, packing and key, in the order of the files.
    """
    rows = []
    for (entry, _), path in zip(product(about.values(), STEPS), paths, strict=True):
        shared = {
            "source": entry["dataset"],
            "network": entry["network"],
            "packing": entry["packing"],
            "key": entry["key"],
        }
        for row in read_costs(path):
            setting = row.pop("name", None)
            rows.append(shared | row | {"setting": setting, "k": setting_of(setting).k if setting else None})
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return frame.astype({"k": "Int64", "images": "Int64", "bytes": "Int64"})


def efficiency(seconds: pd.DataFrame, settings: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Return costs per image, with quartiles where there are several, and ratios of costs.

    Args:
        seconds: as `gathered`.
        settings: with source, dataset, setting, transform, k, network, plain_products.
        metrics: with source, setting, metric, condition, value.
    """
    titles = settings.drop_duplicates("source").set_index("source")["dataset"]
    first = seconds[(seconds["key"] == 1) & seconds["setting"].notna()]
    rows = []
    for (source, setting, packing), own in first.groupby(["source", "setting", "packing"], sort=False):
        about = {"source": source, "setting": setting, "packing": packing}
        by_operation = {name: part for name, part in own.groupby("operation")}
        infer, up = by_operation["infer"], by_operation["encrypt"]
        images = infer["images"].astype(float)
        per_image = {
            "cpu_ms_per_image": 1e3 * infer["cpu_seconds"] / images,
            "wall_ms_per_image": 1e3 * infer["wall_seconds"] / images,
            "latency_s": infer["wall_seconds"],
            "images_per_second": images / infer["wall_seconds"],
            "bytes_up_per_image": up["bytes"] / up["images"],
            "bytes_down_per_image": infer["bytes"] / images,
            "encrypt_ms_per_image": 1e3 * up["cpu_seconds"] / up["images"],
        }
        rows += [about | {"metric": metric} | _quartiles(values) for metric, values in per_image.items()]
    frame = pd.DataFrame(rows)
    ratios = [*_throughput_ratios(frame), *_cost_ratios(frame, settings, metrics), *_cost_spreads(first, settings)]
    frame = pd.concat([frame, pd.DataFrame(ratios)], ignore_index=True)
    columns = [
        "source",
        "dataset",
        "setting",
        "packing",
        "metric",
        "value",
        "ci_low",
        "ci_high",
        "interval",
        "n",
        "other",
    ]
    return frame.assign(dataset=frame["source"].map(titles)).reindex(columns=columns).astype({"interval": "string"})


def _quartiles(values: pd.Series) -> dict:
    """Return the median with the quartiles, which are left out for a single value."""
    values = values.astype(float)
    bounds = values.quantile([0.25, 0.75]).to_list() if len(values) > 1 else [None, None]
    return {"value": values.median(), "ci_low": bounds[0], "ci_high": bounds[1], "n": len(values)}


def _throughput_ratios(frame: pd.DataFrame) -> list[dict]:
    """Return images per second of packing slots over those of packing image, where a setting has both."""
    speed = frame[frame["metric"] == "images_per_second"].pivot(
        index=["source", "setting"], columns="packing", values="value"
    )
    if not {SLOTS, IMAGE} <= set(speed):
        return []
    ratio = (speed[SLOTS] / speed[IMAGE]).dropna()
    return [
        {"source": source, "setting": setting, "packing": "both", "metric": "throughput_ratio", "value": value, "n": 1}
        for (source, setting), value in ratio.items()
    ]


def _cost_ratios(frame: pd.DataFrame, settings: pd.DataFrame, metrics: pd.DataFrame) -> list[dict]:
    """Return the server's CPU time for all pixels over that for the fewest frequencies that are as accurate.

    As accurate: at most 1.1 points below in clear, the mean of seeds.
    """
    cpu = frame[(frame["metric"] == "cpu_ms_per_image") & (frame["packing"] == SLOTS)].set_index(["source", "setting"])[
        "value"
    ]
    clear = metrics[(metrics["metric"] == "accuracy") & (metrics["condition"] == "mode=clear")]
    accuracy = clear.groupby(["source", "setting"])["value"].mean()
    rows = []
    for source, own in settings[settings["network"] == PLAIN].groupby("source", sort=False):
        whole = own.loc[own["transform"] == "pixels", "setting"].to_list()
        low = own[own["transform"] == "dct"].sort_values("k")["setting"].to_list()
        if not whole or (source, whole[0]) not in cpu:
            continue
        bound = accuracy[source, whole[0]] - LOSS
        chosen = [name for name in low if accuracy[source, name] >= bound and (source, name) in cpu]
        other = [*chosen, whole[0]][0]  # where no fewer frequencies will do, all numbers are needed
        about = {"source": source, "setting": "pixels/dct", "packing": SLOTS, "metric": "cost_ratio", "n": 1}
        rows.append(about | {"other": other, "value": cpu[source, whole[0]] / cpu[source, other]})
    return rows


def _cost_spreads(first: pd.DataFrame, settings: pd.DataFrame) -> list[dict]:
    """Return by how much the CPU time per product of a batch varies over k: largest over smallest, less 1."""
    layers = first[
        first["operation"].str.startswith("linear") & (first["packing"] == SLOTS) & (first["network"] == PLAIN)
    ]
    whole = (first["operation"] == "infer") & (first["packing"] == SLOTS)
    batches = first[whole].groupby(["source", "setting"]).size()
    total = layers.groupby(["source", "setting"])["cpu_seconds"].sum() / batches
    known = settings.set_index(["source", "setting"])["plain_products"]
    each = (total / known).dropna()
    return [
        {
            "source": source,
            "setting": ALL,
            "packing": SLOTS,
            "metric": "cost_spread",
            "value": own.max() / own.min() - 1,
            "n": len(own),
        }
        for source, own in each.groupby("source")
        if len(own) > 1
    ]


def security(networks: Sequence[Mapping]) -> pd.DataFrame:
    """Return a row per network of the config: its parameters, and the bits of security that the table gives them."""
    rows = []
    for entry in networks:
        parameters = Parameters(entry["ring"], tuple(entry["moduli"]), entry["scale"])
        rows.append(
            {
                "network": entry["name"],
                "hidden": "+".join(map(str, entry["hidden"])),
                "ring": parameters.ring,
                "moduli": "+".join(map(str, parameters.moduli)),
                "bits": sum(parameters.moduli),
                "most_bits_128": MOST_BITS[parameters.ring][128],
                "scale": parameters.scale,
                "security_bits": security_bits(parameters.ring, parameters.moduli),
                "products": 2 * len(entry["hidden"]) + 1,
                "levels": levels(parameters.moduli),
                "slots": parameters.slots,
            }
        )
    return pd.DataFrame(rows)
