"""Released frames of small, made-up results, only for tests of figures, tables and the explorer.

Costs are those of a model (a time per product, a size per ciphertext), accuracies those of counts by a formula, errors
are drawn; transforms, intervals, tests and ratios are the study's own. Nothing here is a result.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa

from scripts.encrypted.costs import efficiency, security
from scripts.encrypted.measures import equal_cost_pairs, mcnemar, paired, proportion, subset_spread
from scripts.encrypted.measures import noise as noise_of
from scripts.encrypted.transforms import kept_energy, matrix_of

RELEASED = ("metrics", "comparisons", "settings", "costs", "noise", "logits", "efficiency", "security", "picture",
            "tfhe")  # fmt: skip
RIVALS = ("dct", "pooling", "subsampling", "crop")
SOURCES = {  # name: title, side, classes, training and test images, settings by transform
    "mnist": ("MNIST, 5,000 of its images", 28, 10, 4000, 1000,
              {name: (16, 49, 196) for name in RIVALS} | {"block_dct": (16, 48, 196), "pixels": (784,)}),
    "mnist_14": ("MNIST, 5,000 of its images", 14, 10, 4000, 1000, {"dct": (49,), "pixels": (196,)}),
    "faces": ("rendered faces, Smiling", 32, 2, 1600, 400,
              {"dct": (16, 64, 256), "pooling": (16, 64, 256), "pixels": (1024,)}),
    "digits": ("digits of 8x8", 8, 10, 1437, 360, {"dct": (16, 28), "pooling": (16,), "pixels": (64,)}),
}  # fmt: skip
SEEDS, KEYS, HIDDEN = (1, 2, 3), (1, 2, 3), 32
NETWORKS = (
    {"name": "plain", "hidden": [32], "ring": 8192, "moduli": [50, 30, 30, 30, 50], "scale": 30},
    {"name": "deep", "hidden": [32, 32], "ring": 16384, "moduli": [50, 30, 30, 30, 30, 30, 50], "scale": 30},
)
LOSSES = {"dct": 0.0, "block_dct": 0.008, "pooling": 0.004, "subsampling": 0.05, "crop": 0.08, "pixels": 0.0}
PRODUCT, SQUARE, NUMBER = 6.5e-4, 4e-3, 0.021  # seconds: a product, a square (slots), a number (packing image)


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
    """Return all released frames, with the types that they have in files; tests do not change them."""
    settings = settings_frame()
    metrics, correct = metrics_frame(settings)
    costs = costs_frame(settings)
    noise, logits = noise_frames(settings)
    made = {
        "metrics": metrics,
        "comparisons": comparisons_frame(settings, correct),
        "settings": settings,
        "costs": costs,
        "noise": noise,
        "logits": logits,
        "efficiency": efficiency(costs, settings, metrics),
        "security": security(NETWORKS),
        "picture": picture_frame(),
        "tfhe": tfhe_frame(),
    }
    return {name: pa.Table.from_pandas(frame).to_pandas(ignore_metadata=True) for name, frame in made.items()}


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
        fit = 0.945 - LOSSES[row.transform] * (60 / row.k) ** 0.5 - 0.06 * np.exp(-row.k / 20) - 2e-5 * row.k
        for seed in SEEDS:
            random, images = np.random.default_rng([seed, row.k, len(row.setting), row.side]), np.arange(row.test_rows)
            right, worse = (
                random.permutation(images < round((fit - 0.002 * seed - less) * row.test_rows)) for less in (0, 0.02)
            )
            correct[row.source, row.setting, seed] = right
            run = f"{row.source}.{row.setting}.seed{seed}"
            about = {"source": row.source, "dataset": row.dataset, "setting": row.setting, "seed": seed, "run": run}
            about |= {"metric": "accuracy", "protocol": "corrected"}
            rows.append(about | {"condition": "mode=clear"} | proportion(right))
            if seed == 1:
                same = images >= flips_of(row, 1)
                rows.append(about | {"condition": "mode=encrypted"} | proportion(right & same))
                rows.append(rows[-1] | {"metric": "prediction_agreement"} | proportion(same))
            if row.network == "plain":
                about |= {"protocol": "as_published"}
                rows.append(about | {"condition": "mode=simulated"} | proportion(worse))
                for of, value in subset_spread(worse, run).items():
                    more = {"metric": "accuracy_deviation", "condition": f"mode=simulated, of={of}", "value": value}
                    rows.append(about | more | {"n": len(worse)})
    base = {"study": "encrypted", "split": "test", "attribute": "none", "subgroup": "all"}
    return pd.DataFrame(rows).assign(**base, method=lambda frame: frame["setting"]), correct


def flips_of(row: object, key: int) -> int:
    """Return how many predictions encryption changes, each from right to wrong: one, of all pixels under key 2."""
    return int(row.setting == "pixels-784" and key == 2)


def keys_of(row: object) -> tuple[int, ...]:
    """Return the keys that a setting is encrypted with."""
    return KEYS if row.transform in ("dct", "pixels") and row.network == "plain" else (1,)


def alone(row: object) -> bool:
    """Return whether images of a setting are also encrypted one by one."""
    return row.transform == "dct" and row.network == "plain" and row.source in ("mnist", "digits")


def comparisons_frame(settings: pd.DataFrame, correct: Mapping[tuple, np.ndarray]) -> pd.DataFrame:
    """Return the frame `comparisons`: encrypted against clear, and settings against each other at the same cost."""
    rows = []
    for row in settings.itertuples():
        for key in keys_of(row):
            clear = correct[row.source, row.setting, 1]
            encrypted = clear.copy()
            encrypted[np.flatnonzero(clear)[: flips_of(row, key)]] = False
            counts = dict(zip(("only_first", "only_second", "p_value"), mcnemar(encrypted, clear), strict=True))
            about = {"first": "encrypted", "second": "clear", "setting": row.setting, "key": key, "seed": 1}
            about |= {"source": row.source, "dataset": row.dataset, "condition": ""}
            rows.append(about | paired(encrypted, clear) | counts)
    for source, own in settings[settings["network"] == "plain"].groupby("source", sort=False):
        for first, second in equal_cost_pairs(dict(zip(own["setting"], own["k"].astype(str), strict=True))):
            hits = [np.stack([correct[source, name, seed] for seed in SEEDS], 1) for name in (first, second)]
            about = {"source": source, "dataset": own["dataset"].iloc[0], "condition": "mode=clear"}
            rows.append(about | {"first": first, "second": second, "setting": first} | paired(*hits))
    base = {"study": "encrypted", "protocol": "corrected", "split": "test", "attribute": "none", "subgroup": "all"}
    whole = {name: "Int64" for name in ("seed", "key", "only_first", "only_second")}
    return pd.DataFrame(rows).assign(**base, metric="accuracy", paired_by="rows").astype(whole)


def costs_frame(settings: pd.DataFrame) -> pd.DataFrame:
    """Return the frame `costs`; one row per ciphertext batch: one with all test images, or ten with an image each."""
    rows = []
    for packing, public, seconds in (("slots", 2.3e6, 0.05), ("image", 46.4e6, 0.45)):
        for network, key in [("plain", key) for key in KEYS] + [("deep", 1)]:
            keys = {"source": "mnist", "setting": None, "network": network, "packing": packing, "key": key}
            keys |= {"k": None, "images": None}
            made = {"operation": "keygen", "cpu_seconds": seconds, "wall_seconds": seconds * 1.05, "bytes": 680_000}
            rows += [keys | made, keys | {"operation": "keys_public", "bytes": int(public)}]
    for row in settings.itertuples():
        about = {"source": row.source, "setting": row.setting, "k": row.k, "network": row.network}
        for key in keys_of(row):
            rows += batch(about | {"packing": "slots", "key": key, "images": row.test_rows}, slots_costs(row))
        random = np.random.default_rng(row.k)
        for _ in range(10 if alone(row) else 0):
            busy = 1 + 0.05 * random.random()
            rows += batch(about | {"packing": "image", "key": 1, "images": 1}, image_costs(row), busy)
    frame = pd.DataFrame(rows).assign(dataset=None)  # titles stand in `settings`
    return frame.astype({"k": "Int64", "images": "Int64", "bytes": "Int64"})


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


def noise_frames(settings: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames `noise` and `logits`."""
    noise, logits = [], []
    for row in settings.itertuples():
        base = {"source": row.source, "setting": row.setting}
        for packing, key in [("slots", key) for key in keys_of(row)] + [("image", 1)] * alone(row):
            random = np.random.default_rng([key, row.k, len(packing)])
            n = row.test_rows if packing == "slots" else 10
            clear = random.normal(0, 8.5, (n, row.classes))
            decrypted = clear + random.normal(0, 2e-5 * row.k**0.5, clear.shape)
            if flips_of(row, key) and packing == "slots":
                first, second = clear[0].argsort()[[-1, -2]]
                clear[0, second] = clear[0, first] - 1e-5
                decrypted[0, second] = clear[0, second] + 1e-3
            own = noise_of(clear, decrypted, np.zeros(n))
            noise.append(base | {"dataset": row.dataset, "packing": packing, "key": key} | own)
            if packing == "slots" and key == 1:
                image, klass = np.indices((30, row.classes)).reshape(2, -1)
                about = {"image": image, "class": klass, "clear": clear[:30].ravel(), "key": 1}
                logits.append(pd.DataFrame(about | {"decrypted": decrypted[:30].ravel()}).assign(**base))
    return pd.DataFrame(noise), pd.concat(logits, ignore_index=True)


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
    """Return the frame `tfhe`: executed networks, two without their first ReLU; p_error swept; predictions by size."""
    digits, enlarged = "8x8 digits pixels", "8x8 digits enlarged to 16x16, DCT 8 coefficients"
    pixels, dct = "16x16 pixels", "16x16 DCT 8 coefficients"
    nets = [("net", pixels, 16, 2560, 0.01), ("net", dct, 16, 256, 0.01), ("net", digits, 8, 640, 0.01)]
    nets += [("net", enlarged, 8, 256, 0.01)]
    nets += [("net", f"{digits}, no first ReLU", 8, 128, 0.01), ("net", f"{enlarged}, no first ReLU", 8, 128, 0.01)]
    nets += [("sweep", dct, 16, 256, p_error) for p_error in (1e-12, 1e-4, 0.01, 0.1)]
    nets += [("size", f"{side}x{side} pixels", side, 10 * side**2, 0.01) for side in (8, 16, 32, 64)]
    nets += [("size", f"{side}x{side} DCT 8 coefficients", side, side**2, 0.01) for side in (8, 16, 32, 64)]
    nets += [("p_error", pixels, 16, 2560, 1e-4)]
    rows = []
    for part, net, side, bootstraps, p_error in nets:
        whole, transform = "no first" not in net, "dct" if "DCT" in net else "pixels"
        complexity = 6e7 * bootstraps * (1 - np.log10(p_error)) * (1 if whole else 9)
        about = {"part": part, "net": net, "side": side, "transform": transform, "p_error": p_error, "bits": 6}
        about |= {"bootstraps": bootstraps, "complexity": complexity, "first_relu": whole, "finished": True}
        about |= {"predicted_cpu_seconds": complexity / 5e9, "mode": "predicted", "limit_seconds": 900.0}
        if part in ("net", "sweep"):
            cpu = complexity / 5e9 * (1.1 if transform == "dct" else 0.93)
            about |= {"mode": "executed", "cpu_seconds": cpu, "keygen_seconds": 20.0, "key_bytes": 5e8, "images": 3}
            about |= {"values": 3000, "wrong_values": int(3000 * p_error * (transform == "pixels" or part == "sweep"))}
            about |= {"accuracy_clear": 0.957, "accuracy_simulated": 0.95, "accuracy_encrypted": 0.95}
        rows.append(about)
    return pd.DataFrame(rows).astype({"images": "Int64", "values": "Int64", "wrong_values": "Int64"})


def only(held: Mapping[str, pd.DataFrame], *, sources: tuple[str, ...] = (), key: int | None = None, **without) -> dict:
    """Return frames of some sources, of one key, or without some values.

    Args:
        without: values that are left out, by column: `transform=("pixels",)`, `packing=("image",)`.
    """
    kept = {}
    for name, frame in held.items():
        rows = frame
        if sources and "source" in rows:
            rows = rows[rows["source"].isin(sources)]
        if key is not None and "key" in rows:
            rows = rows[rows["key"].isna() | (rows["key"] == key)]
        for column, values in without.items():
            if column in rows:
                rows = rows[~rows[column].isin(values)]
            elif column == "transform":
                for named in {"setting", "first", "second", "other"} & set(rows.columns):
                    rows = rows[~rows[named].astype(str).str.startswith(tuple(f"{value}-" for value in values))]
        kept[name] = rows
    ratios = kept["efficiency"]["setting"].str.split("/")
    kept["efficiency"] = kept["efficiency"][[not set(names) & set(without.get("transform", ())) for names in ratios]]
    return kept
