"""Rule `encrypted_measure`: accuracy in clear, simulated and encrypted, paired differences, noise, and costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common import parquet
from scripts.common.conditions import condition
from scripts.common.logs import job, log
from scripts.common.schemas.comparisons import COMPARISONS
from scripts.common.schemas.metrics import EVERYONE, METRICS, NO_ATTRIBUTE
from scripts.encrypted import costs, images, measures, numbers, parcels
from scripts.encrypted.network import Network
from scripts.encrypted.networks import run_name
from scripts.encrypted.printed import printed_numbers
from scripts.encrypted.settings import PLAIN, Setting, setting_of
from scripts.encrypted.transforms import kept_energy, matrix_of

STUDY, CORRECTED, PUBLISHED = "encrypted", "corrected", "as_published"
CLEAR, ENCRYPTED, SIMULATED = (condition(mode=mode) for mode in ("clear", "encrypted", "simulated"))
SHOWN = 30  # images of a setting whose logits are released
ABOUT = {"study": STUDY, "split": "test", "attribute": NO_ATTRIBUTE, "subgroup": EVERYONE}


@dataclass(frozen=True)
class Dataset:
    """A dataset with its settings, the predictions of all runs, and the networks of one seed that are encrypted."""

    name: str
    kind: str
    found: images.Images
    test: images.Images
    settings: tuple[Setting, ...]
    seeds: tuple[int, ...]
    predictions: pd.DataFrame
    networks: Mapping[str, Network]
    numbers: str

    @property
    def is_public(self) -> bool:
        """Return whether numbers of single images may be released: digits of MNIST, or faces that are rendered."""
        return self.kind in ("mnist", "digits") or (self.kind == "faces" and self.found.title.startswith("rendered"))

    @property
    def about(self) -> dict:
        """Return the columns that name the dataset."""
        return {"source": self.name, "dataset": self.found.title}

    def hits(self, setting: str, *, quantised: bool = False) -> np.ndarray:
        """Return which test images are classified rightly, bool [n, seeds]."""
        runs = [run_name(self.name, setting, seed, quantised=quantised) for seed in self.seeds]
        rows = self.predictions[self.predictions["run"].isin(runs)]
        right = (rows["y_true"] == rows["y_pred"]).to_numpy()
        return np.stack([right[(rows["run"] == run).to_numpy()] for run in runs], axis=1)

    def clear(self, setting: Setting) -> np.ndarray:
        """Return the logits in clear of the network that is encrypted, float64 [n, classes]."""
        inputs = numbers.read(self.numbers, setting, np.flatnonzero(self.found.test))
        return self.networks[setting.name].logits(inputs)


def load(name: str, entry: Mapping, paths: Mapping[str, str], seeds: Sequence[int]) -> Dataset:
    """Return a dataset of an entry of the config, from its files (images, index, numbers, networks, predictions)."""
    found = images.read(paths["images"], paths["index"])
    predictions = parquet.read(paths["predictions"], columns=["run", "row_id", "y_true", "y_pred"])
    chosen = tuple(setting_of(setting) for setting in entry["settings"])
    known = parcels.networks_of(paths["networks"], entry["settings"], seeds[0])
    test = found.take(np.flatnonzero(found.test))
    return Dataset(name, entry["source"], found, test, chosen, tuple(seeds), predictions, known, paths["numbers"])


def metrics_in_clear(data: Dataset) -> pd.DataFrame:
    """Return accuracy in clear of all seeds (corrected), and of quantised networks and their subsets (as published)."""
    rows = []
    for setting in data.settings:
        kinds = [(CORRECTED, CLEAR, False), (PUBLISHED, SIMULATED, True)]
        for protocol, mode, quantised in kinds[: 2 if setting.network == PLAIN else 1]:
            hits = data.hits(setting.name, quantised=quantised)
            for seed, own in zip(data.seeds, hits.T, strict=True):
                run = run_name(data.name, setting.name, seed, quantised=quantised)
                about = {"protocol": protocol, "run": run, "seed": seed, "setting": setting.name}
                rows.append(about | {"metric": "accuracy", "condition": mode} | measures.proportion(own))
                if quantised:
                    for of, value in measures.subset_spread(own, run).items():
                        spread = {"metric": "accuracy_deviation", "condition": condition(mode="simulated", of=of)}
                        rows.append(about | spread | {"value": value, "n": len(own)})
    return pd.DataFrame(rows).assign(method=lambda frame: frame["setting"], **data.about, **ABOUT)


@dataclass(frozen=True)
class Decrypted:
    """Decrypted logits [n, classes] of the first n test images, by one setting, packing and key."""

    setting: Setting
    packing: str
    key: int
    logits: np.ndarray


def metrics_encrypted(data: Dataset, found: Sequence[Decrypted]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return metrics and comparisons of what was really encrypted (packing slots), and the noise of all of it."""
    metrics, comparisons, noises = [], [], []
    for own in found:
        clear, labels = data.clear(own.setting)[: len(own.logits)], data.test.labels[: len(own.logits)]
        about = {"setting": own.setting.name, "key": own.key}
        noises.append(about | {"packing": own.packing} | measures.noise(clear, own.logits, labels))
        if own.packing != "slots":
            continue
        right, right_clear = (values.argmax(1) == labels for values in (own.logits, clear))
        first, second, p_value = measures.mcnemar(right, right_clear)
        discordant = {"only_first": first, "only_second": second, "p_value": p_value}
        comparisons.append(about | measures.paired(right, right_clear) | discordant | {"seed": data.seeds[0]})
        if own.key == 1:
            run = run_name(data.name, own.setting.name, data.seeds[0])
            shared = {"protocol": CORRECTED, "run": run, "seed": data.seeds[0], "condition": ENCRYPTED, **about}
            same = own.logits.argmax(1) == clear.argmax(1)
            for metric, hits in (("accuracy", right), ("prediction_agreement", same)):
                metrics.append(shared | {"metric": metric} | measures.proportion(hits))
    compared = {"metric": "accuracy", "first": "encrypted", "second": "clear", "paired_by": "rows", "condition": ""}
    frames = pd.DataFrame(metrics), pd.DataFrame(comparisons).assign(protocol=CORRECTED, **compared)
    metrics_frame = frames[0].drop(columns="key", errors="ignore").assign(method=lambda frame: frame["setting"])
    return (
        metrics_frame.assign(**data.about, **ABOUT),
        frames[1].assign(**data.about, **ABOUT),
        pd.DataFrame(noises).assign(**data.about),
    )


def comparisons_in_clear(data: Dataset) -> pd.DataFrame:
    """Return paired differences between transforms at equal k, and to all pixels, over test images and seeds."""
    plain = {setting.name: str(setting.k) for setting in data.settings if setting.network == PLAIN}
    rows = []
    for first, second in measures.equal_cost_pairs(plain):
        about = {"first": first, "second": second, "setting": first, "paired_by": "rows"}
        rows.append(about | measures.paired(data.hits(first), data.hits(second)))
    frame = pd.DataFrame(rows).assign(metric="accuracy", condition=CLEAR, protocol=CORRECTED)
    return frame.assign(**data.about, **ABOUT)


def settings_of(data: Dataset) -> pd.DataFrame:
    """Return what is known of every setting before anything is encrypted."""
    rows, values = [], data.test.values.astype(float)
    for setting in data.settings:
        matrix = matrix_of(setting.transform, data.found.side, setting.k)
        network = data.networks[setting.name]
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        rows.append(
            {
                "setting": setting.name,
                "transform": setting.transform,
                "k": setting.k,
                "network": setting.network,
                "kept_energy": kept_energy(unit, values),
                "plain_products": sum(matrix.size for matrix in network.matrices),
                "squares": sum(matrix.shape[1] for matrix in network.matrices[:-1]),
            }
        )
    sizes = {"train_rows": int((~data.found.test).sum()), "test_rows": int(data.found.test.sum())}
    about = {"side": data.found.side, "classes": len(data.found.names)} | sizes
    return pd.DataFrame(rows).assign(**data.about, **about)


def logits_of(datasets: Sequence[Dataset], found: Mapping[str, Sequence[Decrypted]]) -> pd.DataFrame:
    """Return logits in clear and decrypted of the first test images of every setting, as encrypted with key 1.

    Images are numbered; there are none of photographs and of images of the user's, since the frame is released.
    """
    frames = []
    for data in (data for data in datasets if data.is_public):
        for own in (own for own in found[data.name] if own.key == 1 and own.packing == "slots"):
            clear, decrypted = data.clear(own.setting)[:SHOWN], own.logits[:SHOWN]
            rows, classes = np.indices(clear.shape).reshape(2, -1)
            columns = {"image": rows, "class": classes, "clear": clear.ravel(), "decrypted": decrypted.ravel()}
            frames.append(pd.DataFrame(columns).assign(setting=own.setting.name, key=1, source=data.name))
    columns = ["image", "class", "clear", "decrypted", "setting", "key", "source"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def picture_of(datasets: Sequence[Dataset]) -> pd.DataFrame:
    """Return one image to reconstruct: a rendered face, else a digit; never a photograph or an image of the user's."""
    shown = sorted((data for data in datasets if data.is_public), key=lambda data: data.kind != "faces")[:1]
    columns = ["title", "side", "position", "value"]
    if not shown:
        return pd.DataFrame(columns=columns)
    data = shown[0]
    place = int(np.flatnonzero(data.test.labels == data.test.labels.max())[0])
    value = data.test.values[place].astype(float)
    frame = pd.DataFrame({"position": np.arange(len(value)), "value": value})
    return frame.assign(title=data.found.title, side=data.found.side)[columns]


def measure_all(
    datasets: Sequence[Dataset],
    found: Mapping[str, Sequence[Decrypted]],
    seconds: pd.DataFrame,
    networks: Sequence[Mapping[str, Any]],
    published: str | Path,
    output: Mapping[str, str | Path],
) -> None:
    """Write all released frames.

    Args:
        found: decrypted logits by dataset.
        seconds: seconds and bytes of all operations (`costs.gathered`).
        networks: entries of the config with name, hidden, ring, moduli, scale.
        published: path of the printed numbers.
    """
    by_dataset = [metrics_encrypted(data, found[data.name]) for data in datasets]
    metrics = pd.concat([*map(metrics_in_clear, datasets), *(own[0] for own in by_dataset)], ignore_index=True)
    compared = pd.concat([*map(comparisons_in_clear, datasets), *(own[1] for own in by_dataset)], ignore_index=True)
    settings = pd.concat(map(settings_of, datasets), ignore_index=True)
    frames = {
        "metrics": metrics,
        "comparisons": compared.astype(
            {"seed": "Int64", "key": "Int64", "only_first": "Int64", "only_second": "Int64"}
        ),
        "settings": settings,
        "costs": seconds,
        "noise": pd.concat([own[2] for own in by_dataset], ignore_index=True),
        "logits": logits_of(datasets, found),
        "efficiency": costs.efficiency(seconds, settings, metrics),
        "published": printed_numbers(published),
        "security": costs.security(networks),
        "picture": picture_of(datasets),
    }
    schemas = {"metrics": METRICS, "comparisons": COMPARISONS}
    for name, path in output.items():
        parquet.write(frames[name], path, schemas.get(name))
    log.info("%d settings, %d of them encrypted", len(settings), metrics["condition"].eq(ENCRYPTED).sum() // 2)


def decrypted_of(paths: Mapping[str, str], about: Mapping[str, Mapping]) -> dict[str, list[Decrypted]]:
    """Return the decrypted logits by dataset, of files by parcel and what `Plan.about` says of each."""
    found: dict[str, list[Decrypted]] = {}
    for parcel, path in paths.items():
        entry = about[parcel]
        for name, rows in parquet.read(path).groupby("setting", sort=False, observed=True):
            own = Decrypted(setting_of(str(name)), entry["packing"], entry["key"], measures.wide(rows))
            found.setdefault(entry["dataset"], []).append(own)
    return found


if "snakemake" in globals():
    with job(snakemake):
        files, chosen = snakemake.input, snakemake.params
        kinds = ("images", "index", "numbers", "networks", "predictions")
        by_name = {
            name: dict(zip(kinds, paths, strict=True))
            for name, *paths in zip(chosen.datasets, *(files[kind] for kind in kinds), strict=True)
        }
        measure_all(
            [load(name, chosen.datasets[name], paths, chosen.seeds) for name, paths in by_name.items()],
            decrypted_of(dict(zip(chosen.parcels, files.logits, strict=True)), chosen.parcels),
            costs.gathered(files.costs, chosen.parcels),
            chosen.networks,
            files.published,
            dict(snakemake.output.items()),
        )
