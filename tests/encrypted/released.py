"""Small frames with the columns and rows that claims of the study select, without any network or key."""

import itertools

import pandas as pd

from scripts.encrypted.printed import printed_numbers

SETTINGS = {
    "mnist": [f"{name}-{k}" for name in ("dct", "pooling", "subsampling", "crop") for k in (16, 49, 196)]
    + ["block_dct-16", "block_dct-48", "block_dct-196", "pixels-784", "dct-49-deep"],
    "mnist_14": ["dct-49", "pixels-196"],
    "faces": [f"{name}-{k}" for name in ("dct", "pooling") for k in (16, 64, 256)] + ["pixels-1024"],
    "digits": ["dct-16", "dct-28", "pooling-16", "pixels-64"],
}
PIXELS = {"mnist": "pixels-784", "mnist_14": "pixels-196", "faces": "pixels-1024", "digits": "pixels-64"}
CLEAR, SIMULATED, ENCRYPTED = "mode=clear", "mode=simulated", "mode=encrypted"
ENLARGED = "8x8 digits enlarged to 16x16, DCT 8 coefficients"
NETS = ["16x16 pixels", "16x16 DCT 8 coefficients", ENLARGED, f"{ENLARGED}, no first ReLU"]
NETS += [f"{ENLARGED}, free widths", f"{ENLARGED}, no first ReLU, free widths"]


def of_sources() -> list[dict]:
    """Return a row per dataset and setting, with what all frames say of it."""
    return [
        {"source": source, "dataset": f"images of {source}", "setting": setting}
        for source, settings in SETTINGS.items()
        for setting in settings
    ]


def metrics() -> pd.DataFrame:
    """Return accuracy by mode, agreement and deviations of every setting."""
    told = {"study": "encrypted", "split": "test", "attribute": "none", "subgroup": "all", "run": "r", "n": 1000}
    measured = [("corrected", "accuracy", CLEAR, seed, 0.9) for seed in (1, 2, 3)]
    measured += [("as_published", "accuracy", SIMULATED, seed, 0.89) for seed in (1, 2, 3)]
    measured += [("corrected", "accuracy", ENCRYPTED, 1, 0.9), ("corrected", "prediction_agreement", ENCRYPTED, 1, 1.0)]
    measured += [
        ("as_published", "accuracy_deviation", f"{SIMULATED}, of={kind}", seed, 0.02)
        for kind in ("subsets", "binomial")
        for seed in (1, 2, 3)
    ]
    rows = [
        told | row | dict(zip(("protocol", "metric", "condition", "seed", "value"), values, strict=True))
        for row, values in itertools.product(of_sources(), measured)
    ]
    frame = pd.DataFrame(rows).assign(ci_low=None, ci_high=None, interval=None)
    bounded = frame["metric"].isin(["accuracy", "prediction_agreement"])
    frame.loc[bounded, "ci_low"] = frame["value"] - 0.02
    frame.loc[bounded, "ci_high"] = (frame["value"] + 0.02).clip(upper=1)
    return frame.assign(method=frame["setting"]).astype({"ci_low": float, "ci_high": float})


def comparisons() -> pd.DataFrame:
    """Return every setting minus every other one in clear, and encrypted minus clear with three keys."""
    told = {"protocol": "corrected", "metric": "accuracy", "interval": "normal", "n": 1000, "value": 0.0}
    told |= {"ci_low": -0.001, "ci_high": 0.001}
    rows = [
        told | {"source": source, "dataset": source, "first": first, "second": second, "condition": CLEAR, "seeds": 3}
        for source, settings in SETTINGS.items()
        for first, second in itertools.permutations(settings, 2)
    ]
    encrypted = {"first": "encrypted", "second": "clear", "condition": "", "seed": 1, "p_value": 1.0}
    rows += [told | row | encrypted | {"key": key} for row in of_sources() for key in (1, 2, 3)]
    return pd.DataFrame(rows)


def efficiency() -> pd.DataFrame:
    """Return ratios of cost by dataset, and of throughput by setting."""
    rows = [
        {"source": source, "dataset": source, "setting": "pixels/dct", "packing": "slots", "metric": "cost_ratio"}
        | {"value": 16.0 if source != "mnist_14" else 4.0}
        for source in SETTINGS
    ]
    rows += [row | {"packing": "slots", "metric": "throughput_ratio", "value": 400.0} for row in of_sources()]
    spread = {"setting": "all", "packing": "slots", "metric": "cost_spread", "value": 0.1}
    rows += [{"source": source, "dataset": source} | spread for source in SETTINGS]
    return pd.DataFrame(rows).assign(ci_low=float("nan"), ci_high=float("nan"), interval=None)


def noise() -> pd.DataFrame:
    """Return errors of every setting with three keys."""
    errors = {"n": 1000, "max_error": 0.02, "precision_bits": 11.2, "flips": 0, "packing": "slots"}
    return pd.DataFrame([row | errors | {"key": key} for row in of_sources() for key in (1, 2, 3)])


def tfhe(switched_on: bool = True) -> pd.DataFrame:
    """Return the networks under TFHE; none where it is switched off."""
    numbers = {"cpu_seconds": 5.0, "predicted_cpu_seconds": 5.0, "wrong_values": 0, "side": 8, "mode": "executed"}
    columns = ["net", *numbers]
    return pd.DataFrame([{"net": name} | numbers for name in NETS if switched_on], columns=columns)


def frames() -> dict[str, pd.DataFrame]:
    """Return all frames that claims select of, by stem."""
    bits = [{"network": name, "ring": 8192, "security_bits": 128} for name in ("plain", "deep")]
    return {
        "metrics": metrics(),
        "comparisons": comparisons(),
        "efficiency": efficiency(),
        "noise": noise(),
        "tfhe": tfhe(),
        "published": printed_numbers(),
        "security": pd.DataFrame(bits),
    }
