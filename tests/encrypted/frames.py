"""Released frames of small, made-up results, only for tests of figures, tables and the explorer.

Costs are those of a model (a time per product, a size per ciphertext), accuracies those of counts by a formula, errors
are drawn; transforms, intervals and McNemar's test are the study's and SciPy's own. Nothing here is a result.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from scripts.common.interval_kinds import NORMAL, WILSON
from scripts.common.intervals import proportion_interval
from scripts.encrypted.security import MOST_BITS, levels, security_bits
from scripts.encrypted.transforms import kept_energy, matrix_of

RELEASED = ("metrics", "comparisons", "settings", "costs", "noise", "logits", "efficiency", "security", "picture",
            "tfhe")  # fmt: skip
RIVALS = ("dct", "pooling", "subsampling", "crop")
SOURCES = {  # name: title, side, classes, training and test images, settings by transform
    "mnist": ("MNIST, 5,000 of its images", 28, 10, 4000, 1000,
              {name: (16, 49, 196) for name in RIVALS} | {"block_dct": (16, 48, 196), "pixels": (784,)}),
    "mnist_14": ("MNIST at 14x14", 14, 10, 4000, 1000, {"dct": (49,), "pixels": (196,)}),
    "faces": ("rendered faces, Smiling", 32, 2, 1600, 400,
              {"dct": (16, 64, 256), "pooling": (16, 64, 256), "pixels": (1024,)}),
    "digits": ("digits of 8x8", 8, 10, 1437, 360, {"dct": (16, 28), "pooling": (16,), "pixels": (64,)}),
}  # fmt: skip
SEEDS, KEYS, HIDDEN = (1, 2, 3), (1, 2, 3), 32
MODULI = {"plain": (50, 30, 30, 30, 50), "deep": (40, 30, 30, 30, 30, 30, 28)}
LOSSES = {"dct": 0.0, "block_dct": 0.008, "pooling": 0.004, "subsampling": 0.05, "crop": 0.08, "pixels": 0.0}
PRODUCT, SQUARE, NUMBER = 6.5e-4, 4e-3, 0.021  # seconds: a product, a square (slots), a number (packing image)
TFHE = ["net", "side", "transform", "coefficients", "bits", "p_error", "bootstraps", "complexity", "keygen_seconds",
        "key_bytes", "images", "cpu_seconds", "wall_seconds", "wrong_values", "values", "accuracy_clear",
        "accuracy_simulated", "accuracy_encrypted", "first_relu", "mode", "predicted_cpu_seconds"]  # fmt: skip


def smooth(side: int, images: int, seed: int = 0) -> np.ndarray:
    """Return images of a few soft spots [images, side * side], 0 to 1."""
    random, grid = np.random.default_rng(seed), (np.arange(side) + 0.5) / side
    found = np.zeros((images, side, side))
    for image in found:
        for x, y, wide, high in zip(
            *random.uniform(0.15, 0.85, (2, 6)), *random.uniform(0.05, 0.25, (2, 6)), strict=True
        ):
            image += np.exp(-(((grid - x) / wide) ** 2))[None, :] * np.exp(-(((grid - y) / high) ** 2))[:, None]
    return (found / found.max()).reshape(images, -1)


@cache
def frames() -> dict[str, pd.DataFrame]:
    """Return all released frames; tests do not change them."""
    settings = settings_frame()
    metrics, correct = metrics_frame(settings)
    costs = costs_frame(settings)
    noise, logits = noise_frames(settings)
    return {
        "metrics": metrics,
        "comparisons": comparisons_frame(settings, correct),
        "settings": settings,
        "costs": costs,
        "noise": noise,
        "logits": logits,
        "efficiency": efficiency_frame(settings, metrics, costs),
        "security": security_frame(),
        "picture": picture_frame(),
        "tfhe": tfhe_frame(),
    }


def settings_frame() -> pd.DataFrame:
    """Return the frame `settings`, with one deep network."""
    rows = []
    for source, (title, side, classes, train, test, transforms) in SOURCES.items():
        chosen = [(transform, k, "plain") for transform, ks in transforms.items() for k in ks]
        for transform, k, network in [*chosen, *([("dct", 49, "deep")] if source == "mnist" else [])]:
            matrix = matrix_of(transform, side, k)
            matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
            deep = HIDDEN * HIDDEN if network == "deep" else 0
            rows.append(
                {
                    "source": source,
                    "dataset": title,
                    "setting": f"{transform}-{k}" + ("-deep" if network == "deep" else ""),
                    "transform": transform,
                    "k": k,
                    "network": network,
                    "side": side,
                    "classes": classes,
                    "train_rows": train,
                    "test_rows": test,
                    "kept_energy": kept_energy(matrix, smooth(side, 20)),
                    "plain_products": (k + 1) * HIDDEN + deep + HIDDEN * classes,
                    "squares": HIDDEN * (2 if network == "deep" else 1),
                }
            )
    return pd.DataFrame(rows)


def metrics_frame(settings: pd.DataFrame) -> tuple[pd.DataFrame, dict[tuple, np.ndarray]]:
    """Return the frame `metrics`, and which test images are correct in clear by source, setting and seed."""
    rows, correct = [], {}
    for row in settings.itertuples():
        for seed in SEEDS:
            random = np.random.default_rng([seed, row.k, len(row.setting), row.side])
            fit = 0.945 - LOSSES[row.transform] * (60 / row.k) ** 0.5 - 0.06 * np.exp(-row.k / 20) - 2e-5 * row.k
            right = random.permutation(np.arange(row.test_rows) < round((fit - 0.002 * seed) * row.test_rows))
            correct[row.source, row.setting, seed] = right
            about = {"source": row.source, "dataset": row.dataset, "setting": row.setting, "seed": seed}
            rows.append(accuracy(about, "clear", right.sum(), row.test_rows))
            worse = right.sum() - round(0.02 * row.test_rows)
            rows.append(accuracy(about, "simulated", worse, row.test_rows, "as_published"))
            if seed == 1:
                rows.append(accuracy(about, "encrypted", right.sum() - flips_of(row, 1), row.test_rows))
                agree = accuracy(about, "encrypted", row.test_rows - flips_of(row, 1), row.test_rows)
                rows.append(agree | {"metric": "prediction_agreement"})
                p = worse / row.test_rows
                subsets = np.std(random.binomial(200, p, 10) / 200, ddof=1)
                for of, value in (("subsets", subsets), ("binomial", (p * (1 - p) / 200) ** 0.5)):
                    spread = {"metric": "accuracy_deviation", "condition": f"mode=simulated, of={of}", "value": value}
                    plain = {"ci_low": np.nan, "ci_high": np.nan, "interval": None, "n": 200}
                    rows.append(rows[-2] | {"protocol": "as_published"} | spread | plain)
    return pd.DataFrame(rows), correct


def accuracy(about: Mapping, mode: str, right: int, n: int, protocol: str = "corrected") -> dict:
    """Return a row of metrics with the accuracy of `right` of n images."""
    low, high = proportion_interval(right, n)
    method, run = about["setting"], f"{about['source']}.{about['setting']}.seed{about['seed']}"
    return dict(about) | {
        "study": "encrypted",
        "method": method,
        "protocol": protocol,
        "run": run,
        "split": "test",
        "attribute": "none",
        "subgroup": "all",
        "metric": "accuracy",
        "condition": f"mode={mode}",
        "value": right / n,
        "ci_low": low,
        "ci_high": high,
        "interval": WILSON,
        "n": n,
    }


def flips_of(row: object, key: int) -> int:
    """Return how many predictions encryption changes, each from right to wrong: one, of all pixels under key 2."""
    return int(row.setting == "pixels-784" and key == 2)


def keys_of(row: object) -> tuple[int, ...]:
    """Return the keys that a setting is encrypted with."""
    return KEYS if row.transform in ("dct", "pixels") and row.network == "plain" else (1,)


def comparisons_frame(settings: pd.DataFrame, correct: Mapping[tuple, np.ndarray]) -> pd.DataFrame:
    """Return the frame `comparisons`: encrypted against clear, and settings against each other at the same cost."""
    rows = []
    for row in settings.itertuples():
        base = {"study": "encrypted", "source": row.source, "dataset": row.dataset, "protocol": "corrected"}
        base |= {"split": "test", "attribute": "none", "subgroup": "all", "metric": "accuracy", "paired_by": "rows"}
        base |= {"interval": NORMAL, "n": row.test_rows}
        for key in keys_of(row):
            lost = flips_of(row, key)
            value, half = -lost / row.test_rows, 1.96 * lost**0.5 / row.test_rows
            ends = {"value": value, "ci_low": value - half, "ci_high": value + half}
            counts = {"p_value": binomtest(0, lost).pvalue if lost else 1.0, "only_first": 0, "only_second": lost}
            about = {"first": "encrypted", "second": "clear", "setting": row.setting, "key": key, "seed": 1, "seeds": 1}
            rows.append(base | about | ends | counts | {"condition": ""})
        own = settings[(settings["source"] == row.source) & (settings["network"] == "plain")]
        seconds = []
        if row.transform == "dct" and row.network == "plain":
            alike = ("pooling", "subsampling", "crop", "block_dct")
            near = own["k"].between(row.k - 1, row.k) & own["transform"].isin(alike)
            seconds = [*own[near]["setting"], *own[own["transform"] == "pixels"]["setting"]]
        elif row.transform == "pooling":
            seconds = list(own[own["transform"] == "pixels"]["setting"])
        for second in seconds:
            means = [np.mean([correct[row.source, name, seed] for seed in SEEDS], 0) for name in (row.setting, second)]
            change = means[0] - means[1]
            value, half = change.mean(), 1.96 * change.std(ddof=1) / len(change) ** 0.5
            ends = {"value": value, "ci_low": value - half, "ci_high": value + half}
            about = {"first": row.setting, "second": second, "setting": row.setting, "seeds": 3}
            empty = {"seed": None, "key": None, "p_value": np.nan, "only_first": None, "only_second": None}
            rows.append(base | about | ends | empty | {"condition": "mode=clear"})
    whole = {name: "Int64" for name in ("seed", "key", "only_first", "only_second")}
    return pd.DataFrame(rows).astype(whole)


def costs_frame(settings: pd.DataFrame) -> pd.DataFrame:
    """Return the frame `costs`; one row per ciphertext batch: one with all test images, or ten with an image each."""
    rows = []
    for packing, public, seconds in (("slots", 2.3e6, 0.05), ("image", 46.4e6, 0.45)):
        for network, key in [("plain", key) for key in KEYS] + [("deep", 1)]:
            keys = {"source": "", "dataset": "", "setting": "", "network": network, "packing": packing, "key": key}
            keys |= {"k": 0, "images": 0}
            made = {"operation": "keygen", "cpu_seconds": seconds, "wall_seconds": seconds * 1.05, "bytes": 680_000}
            rows += [keys | made, keys | {"operation": "keys_public", "bytes": int(public)}]
    for row in settings.itertuples():
        about = {"source": row.source, "dataset": row.dataset, "setting": row.setting, "k": row.k}
        about |= {"network": row.network}
        for key in keys_of(row):
            rows += batch(about | {"packing": "slots", "key": key, "images": row.test_rows}, slots_costs(row))
        random = np.random.default_rng(row.k)
        for _ in range(10):
            busy = 1 + 0.05 * random.random()
            rows += batch(about | {"packing": "image", "key": 1, "images": 1}, image_costs(row), busy)
    return pd.DataFrame(rows)


def slots_costs(row: object) -> dict[str, tuple[float, int]]:
    """Return CPU seconds and bytes by operation of one batch along the slots."""
    first, last = (row.k + 1) * HIDDEN * PRODUCT, HIDDEN * row.classes * PRODUCT
    own = {"encrypt": (4e-3 * row.k, 340_000 * (row.k + 1)), "load": (1e-3 * row.k, 0), "linear_1": (first, 0)}
    own |= {"square": (SQUARE * row.squares, 0), "linear_2": (last, 0)}
    own |= {"linear_3": (last, 0)} if row.network == "deep" else {}
    return own | {"decrypt": (0.02 * row.classes, 0), "reply": (0, 118_000 * row.classes)}


def image_costs(row: object) -> dict[str, tuple[float, int]]:
    """Return CPU seconds and bytes by operation of a single image in a ciphertext."""
    own = {"encrypt": (6e-3, 339_000), "load": (2e-3, 0), "linear_1": (NUMBER * row.k, 0), "square": (5e-3, 0)}
    return own | {"linear_2": (0.2, 0), "decrypt": (2e-3, 0), "reply": (0, 118_000)}


def batch(about: dict, costs: dict[str, tuple[float, int]], busy: float = 1.0) -> list[dict]:
    """Return the rows of one batch, with `infer` for all of the server's operations."""
    server = [seconds for name, (seconds, _) in costs.items() if name not in ("encrypt", "decrypt", "reply")]
    whole = costs | {"infer": (sum(server), costs["reply"][1])}
    del whole["reply"]
    return [
        about | {"operation": name, "cpu_seconds": seconds * busy, "wall_seconds": 1.1 * seconds * busy, "bytes": size}
        for name, (seconds, size) in whole.items()
    ]


def efficiency_frame(settings: pd.DataFrame, metrics: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return the frame `efficiency`."""
    rows, base = [], {"ci_low": np.nan, "ci_high": np.nan, "interval": None, "other": None}
    infer = costs[(costs["operation"] == "infer") & (costs["key"] == 1)]
    for (source, setting, packing), own in infer.groupby(["source", "setting", "packing"], sort=False):
        about = base | {"source": source, "dataset": own["dataset"].iloc[0], "setting": setting, "packing": packing}
        about |= {"n": len(own)}
        wall = 1000 * own["wall_seconds"]
        low, high = wall.quantile([0.25, 0.75]) if len(own) > 1 else (np.nan, np.nan)
        encrypt = costs[(costs["operation"] == "encrypt") & (costs["key"] == 1) & (costs["source"] == source)]
        encrypt = encrypt[(encrypt["setting"] == setting) & (encrypt["packing"] == packing)]
        for name, value in {
            "cpu_ms_per_image": 1000 * own["cpu_seconds"].sum() / own["images"].sum(),
            "images_per_second": own["images"].sum() / own["wall_seconds"].sum(),
            "bytes_up_per_image": encrypt["bytes"].sum() / own["images"].sum(),
            "bytes_down_per_image": own["bytes"].sum() / own["images"].sum(),
        }.items():
            rows.append(about | {"metric": name, "value": value})
        rows.append(about | {"metric": "wall_ms_per_image", "value": wall.median(), "ci_low": low, "ci_high": high})
    frame = pd.DataFrame(rows)
    per = frame.set_index(["source", "setting", "packing", "metric"])["value"]
    clear = metrics[metrics["condition"] == "mode=clear"].groupby(["source", "setting"])["value"].mean()
    more = []
    for source, own in settings[settings["network"] == "plain"].groupby("source", sort=False):
        about = base | {"source": source, "dataset": own["dataset"].iloc[0], "packing": "slots", "n": 1}
        for setting in own["setting"]:
            both = [per[source, setting, packing, "images_per_second"] for packing in ("slots", "image")]
            more.append(about | {"setting": setting, "metric": "throughput_ratio", "value": both[0] / both[1]})
        pixels = own[own["transform"] == "pixels"]["setting"].iloc[0]
        dct = own[own["transform"] == "dct"].sort_values("k")["setting"]
        near = [name for name in dct if clear[source, name] >= clear[source, pixels] - 0.011]
        if near:
            ratio = per[source, pixels, "slots", "cpu_ms_per_image"] / per[source, near[0], "slots", "cpu_ms_per_image"]
            one = {"setting": "pixels/dct", "metric": "cost_ratio", "value": ratio, "other": near[0]}
            more.append(about | one)
        each = [per[source, row.setting, "slots", "cpu_ms_per_image"] / row.plain_products for row in own.itertuples()]
        more.append(about | {"setting": "all", "metric": "cost_spread", "value": max(each) / min(each) - 1})
    return pd.concat([frame, pd.DataFrame(more)], ignore_index=True)


def noise_frames(settings: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames `noise` and `logits`."""
    noise, logits = [], []
    for row in settings.itertuples():
        base = {"source": row.source, "setting": row.setting}
        for packing, key in [("slots", key) for key in keys_of(row)] + [("image", 1)]:
            random = np.random.default_rng([key, row.k, len(packing)])
            n = row.test_rows if packing == "slots" else 10
            clear = random.normal(0, 8.5, (n, row.classes))
            error = np.abs(random.normal(0, 2e-5 * row.k**0.5, clear.shape))
            precision = -np.log2(error.max() / np.abs(clear).max())
            about = base | {"dataset": row.dataset, "packing": packing, "key": key, "n": n}
            about |= {"max_error": error.max(), "median_error": np.median(error), "logit_deviation": clear.std()}
            about |= {"precision_bits": precision, "flips": flips_of(row, key) if packing == "slots" else 0}
            noise.append(about | {"wrong_in_clear": 0})
            if packing == "slots" and key == 1:
                for image in range(30):
                    shown = clear[image] + error[image] * random.choice([-1, 1], row.classes)
                    for klass, (one, other) in enumerate(zip(clear[image], shown, strict=True)):
                        place = {"key": 1, "row_id": 7 * image, "klass": klass}
                        logits.append(base | place | {"clear": one, "decrypted": other})
    return pd.DataFrame(noise), pd.DataFrame(logits)


def security_frame() -> pd.DataFrame:
    """Return the frame `security`."""
    rows = []
    for network, ring in (("plain", 8192), ("deep", 8192)):
        moduli = MODULI[network]
        about = {"network": network, "ring": ring, "moduli": "+".join(map(str, moduli)), "bits": sum(moduli)}
        about |= {"most_bits_128": MOST_BITS[ring][128], "scale": 30, "security_bits": security_bits(ring, moduli)}
        rows.append(about | {"products": 3 if network == "plain" else 5, "levels": levels(moduli), "slots": ring // 2})
    return pd.DataFrame(rows)


def picture_frame(side: int = 32) -> pd.DataFrame:
    """Return the frame `picture`: an oval with eyes and a mouth."""
    y, x = np.meshgrid(*[(np.arange(side) + 0.5) / side * 2 - 1] * 2, indexing="ij")
    face = np.where((x / 0.62) ** 2 + (y / 0.85) ** 2 < 1, 0.75 - 0.25 * x, 0.2 + 0.1 * y)
    for left in (-0.27, 0.27):
        face[(x - left) ** 2 + (y + 0.2) ** 2 < 0.012] = 0.08
    face[(np.abs(y - 0.45 + 0.6 * x**2) < 0.05) & (np.abs(x) < 0.32)] = 0.3
    values = np.clip(face, 0, 1).ravel()
    about = {"side": side, "position": np.arange(side * side), "value": values, "title": "a rendered face"}
    return pd.DataFrame(about)


def tfhe_frame() -> pd.DataFrame:
    """Return the frame `tfhe`: four executed networks, and a cost for every size."""
    rows = []
    for side in (8, 16, 32, 64):
        for transform in ("pixels", "dct"):
            bootstraps = 10 * side * side if transform == "pixels" else max(1, side // 4) ** 2 * 16
            complexity, executed = 1.15e8 * bootstraps, side <= 16
            coefficients = side * side if transform == "pixels" else 8
            words = "pixels" if transform == "pixels" else "DCT 8 coefficients"
            about = {"net": f"{side}x{side} {words}", "side": side, "transform": transform, "bits": 5, "p_error": 0.01}
            about |= {"coefficients": coefficients, "bootstraps": bootstraps, "complexity": complexity}
            about |= {"first_relu": True, "mode": "executed" if executed else "predicted"}
            about["predicted_cpu_seconds"] = complexity / 5e9
            if executed:
                cpu = complexity / 5e9 * (1.1 if transform == "dct" else 0.93)
                about |= {"cpu_seconds": cpu, "wall_seconds": 1.1 * cpu, "keygen_seconds": 20.0, "key_bytes": 5e8}
                wrong = side == 16 and transform == "pixels"
                about |= {"images": 3, "values": 3000, "wrong_values": 6 if wrong else 0, "accuracy_clear": 0.957}
                about |= {"accuracy_simulated": 0.95, "accuracy_encrypted": 0.95}
            rows.append(about)
    return pd.DataFrame(rows, columns=TFHE)


def only(held: Mapping[str, pd.DataFrame], *, sources: tuple[str, ...] = (), key: int | None = None, **without) -> dict:
    """Return frames of some sources, of one key, or without some values.

    Args:
        without: values that are left out, by column: `transform=("pixels",)`, `packing=("image",)`.
    """
    kept = {}
    for name, frame in held.items():
        rows = frame
        if sources and "source" in rows:
            rows = rows[rows["source"].isin([*sources, ""])]
        if key is not None and "key" in rows:
            rows = rows[rows["key"].isna() | (rows["key"] == key)]
        for column, values in without.items():
            if column in rows:
                rows = rows[~rows[column].isin(values)]
            elif column == "transform":
                for named in {"setting", "first", "second", "other"} & set(rows.columns):
                    rows = rows[~rows[named].astype(str).str.startswith(tuple(f"{value}-" for value in values))]
        kept[name] = rows
    kept["efficiency"] = without_missing_ratios(kept["efficiency"], without.get("transform", ()))
    return kept


def without_missing_ratios(efficiency: pd.DataFrame, transforms: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows without ratios of a transform that is left out."""
    parts = efficiency["setting"].str.split("/")
    return efficiency[[not set(names) & set(transforms) for names in parts]]
