"""The table of printed ratios beside ours."""

from collections.abc import Mapping

import pandas as pd

from scripts.common.published import values as published_values
from scripts.common.tables import format_number
from scripts.encrypted.costs import LOSS
from scripts.encrypted.labels import (
    DCT,
    PIXELS,
    PUBLISHED_NUMBERS,
    at,
    dataset_title,
    differences,
    parts,
    setting_title,
)
from scripts.encrypted.table_text import change_of, frame_of, number

PIPELINES = {  # group of table_1 in published.yaml: title
    "cifar10_resnet20": "CIFAR-10, ResNet-20",
    "cifar10_resnet18": "CIFAR-10, ResNet-18",
    "imagenet_resnet18": "ImageNet, ResNet-18",
}


def published_table(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return printed ratios of latency with changes of accuracy, and ours of the server's CPU below."""
    columns = ["comparison", "printed accuracy", "printed ratio", "measured accuracy", "measured ratio", "note"]
    ours = measured_ratios(frames)
    if not ours and frames["metrics"].empty:
        return frame_of([], columns)
    table, rows = published_values(PUBLISHED_NUMBERS, "table_1"), []
    for name, title in PIPELINES.items():
        rgb, dct = table[name]["rgb"], table[name]["dct"]
        line = {
            "comparison": f"{title}: pixels over DCT",
            "note": "same pipeline, 96 threads, TFHE; simulated accuracy",
        }
        line["printed accuracy"] = format_number(dct["accuracy"] - rgb["accuracy"])
        rows.append(line | {"printed ratio": number(rgb["latency"] / dct["latency"], 2)})
    dct, she = table["imagenet_resnet18"]["dct"], table["she"]
    line = {
        "comparison": "ImageNet: SHE over DCT",
        "printed accuracy": format_number(dct["accuracy"] - she["accuracy"]),
    }
    ratio, raw = (number(she[key] / dct["latency"], 2) for key in ("latency_normalised", "latency"))
    rows.append(
        line | {"printed ratio": ratio, "note": f"another system, latency divided for its threads; {raw} without"}
    )
    dct = table["cifar10_resnet20"]["dct"]
    for name, other in published_values(PUBLISHED_NUMBERS, "ckks_rivals").items():
        *authors, year = name.split("_")
        line = {"comparison": f"CIFAR-10: {' and '.join(map(str.title, authors))} ({year}), CKKS, over DCT, ResNet-20"}
        line |= {
            "printed ratio": number(other["latency"] / dct["latency"], 2),
            "note": "another system, its own hardware",
        }
        rows.append(line | {"printed accuracy": format_number(dct["accuracy"] - other["accuracy"])})
    return frame_of([*rows, *ours], columns)


def measured_ratios(frames: Mapping[str, pd.DataFrame]) -> list[dict]:
    """Return per dataset the ratio of CPU of all pixels over the smallest DCT near them, and its change of accuracy."""
    efficiency, changes, rows = frames["efficiency"], differences(frames["comparisons"]), []
    found = efficiency[(efficiency["metric"] == "cost_ratio") & efficiency["value"].notna()]
    for row in found.itertuples():
        names = at(frames["settings"], row.source)["setting"]
        pixels = next((name for name in names if parts(name)[0] == PIXELS), None)
        title = f"{dataset_title(found, row.source)}: {setting_title(pixels) if pixels else 'pixels'} over "
        near = parts(row.other)[0] == DCT
        line = {"comparison": title + (setting_title(row.other) if near else "DCT")}
        line["measured ratio"] = number(row.value, 2)
        line["measured accuracy"] = change_of(changes, row.source, row.other, pixels)
        note = "same network, one thread, CKKS; accuracy in clear"
        rows.append(line | {"note": note if near else f"no DCT comes within {100 * LOSS:.1f} points of all pixels"})
    return rows
