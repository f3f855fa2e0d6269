"""What the study runs on: datasets, their settings, and the parcels that client and server exchange."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.own_files import existing, is_clutter
from scripts.encrypted.settings import Setting, setting_of

SLOTS, IMAGE = "slots", "image"
OF_IMAGES = ("source", "side", "most_rows", "attribute", "group")  # keys of an entry that bear on its images
OF_TFHE_RUNS = ("p_error", "images", "simulated", "seconds_per_net", "sweep", "predicted_sides")
FACES, CELEBA = "results/data/faces", "results/data/celeba"


@dataclass(frozen=True)
class Parcel:
    """Settings of one dataset that are encrypted together, for one network's parameters, packing and key."""

    dataset: str
    network: str
    packing: str
    key: int
    settings: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name of the parcel's files."""
        return f"{self.dataset}.{self.network}.{self.packing}.key{self.key}"


class Plan:
    """Datasets that take part: all, but for a folder of images that the config does not name; and their parcels."""

    def __init__(self, study: Mapping[str, Any]) -> None:
        self.study = study
        self.networks = {entry["name"]: entry for entry in study["networks"]}
        self.datasets = {entry["name"]: entry for entry in study["datasets"] if is_given(entry, study)}
        self.parcels = {parcel.name: parcel for name in self.datasets for parcel in self._parcels(name)}

    def settings(self, dataset: str) -> list[Setting]:
        """Return the settings of a dataset."""
        return [setting_of(name) for name in self.datasets[dataset]["settings"]]

    def _parcels(self, dataset: str) -> list[Parcel]:
        entry, found = self.datasets[dataset], []
        of_network = {name: setting_of(name).network for name in entry["settings"]}
        for network in self.networks:
            for key in range(1, self.study["keys"] + 1):
                names = entry["settings"] if key == 1 else entry.get("repeated", [])
                found.append((network, SLOTS, key, names))
            found.append((network, IMAGE, 1, entry.get("latency", [])))
        chosen = [
            Parcel(dataset, network, packing, key, tuple(name for name in names if of_network[name] == network))
            for network, packing, key, names in found
        ]
        return [parcel for parcel in chosen if parcel.settings]

    @property
    def measured(self) -> dict[str, dict]:
        """Return what bears on the measured numbers of a dataset, by its name: source and settings."""
        return {name: {key: entry[key] for key in ("source", "settings")} for name, entry in self.datasets.items()}

    @property
    def about_parcels(self) -> dict[str, dict]:
        """Return dataset, network, packing and key by parcel, in order."""
        kept = ("dataset", "network", "packing", "key")
        return {name: {key: getattr(parcel, key) for key in kept} for name, parcel in self.parcels.items()}

    def parameters(self, wildcards) -> dict:
        """Return ring, moduli and scale of a parcel's network."""
        network = self.networks[self.parcels[wildcards.parcel].network]
        return {key: network[key] for key in ("ring", "moduli", "scale")}

    def packing(self, wildcards) -> str:
        """Return the packing of a parcel."""
        return self.parcels[wildcards.parcel].packing

    def parcel_settings(self, wildcards) -> list[str]:
        """Return the settings of a parcel."""
        return [*self.parcels[wildcards.parcel].settings]

    def most_images(self, wildcards) -> int | None:
        """Return how many test images a parcel holds at most; None for all."""
        return self.study["latency_images"] if self.parcels[wildcards.parcel].packing == IMAGE else None

    def priority(self, wildcards) -> int:
        """Return how much work a parcel is, roughly: the longest begin first."""
        return 100 + sum(setting_of(name).k for name in self.parcels[wildcards.parcel].settings)

    def of_parcel(self, pattern: str) -> Callable:
        """Return an input function: the file of a parcel's dataset, for a pattern with {dataset}."""
        return lambda wildcards: pattern.format(dataset=self.parcels[wildcards.parcel].dataset)

    def trained(self, wildcards) -> dict:
        """Return what bears on the networks of a dataset."""
        entry = self.datasets[wildcards.dataset]
        return {
            "settings": entry["settings"],
            "hidden": {name: network["hidden"] for name, network in self.networks.items()},
            "seeds": self.study["seeds"],
            "training": self.study["training"] | entry.get("training", {}),
            "bits": self.study["bits"],
        }

    def image_settings(self, wildcards) -> dict:
        """Return the entry of a dataset as far as it bears on its images, and the places of its files."""
        entry = self.datasets[wildcards.dataset]
        kept = {key: entry[key] for key in OF_IMAGES if key in entry}
        return {"entry": kept, "places": places(entry, self.study)}

    def source_files(self, wildcards) -> list[str]:
        """Return the files that the images of a dataset are read from."""
        entry = self.datasets[wildcards.dataset]
        return self.users_files(wildcards) if entry["source"] == "folder" else [*places(entry, self.study).values()]

    def users_files(self, wildcards) -> list[str]:
        """Return the images in a folder of the user's."""
        entry = self.datasets[wildcards.dataset]
        return images_in(self.study["folder"]) if entry["source"] == "folder" else []

    @property
    def tfhe_images(self) -> int:
        """Return how many test images are kept for runs and simulations under TFHE."""
        tfhe = self.study["tfhe"]
        return max(tfhe["simulated"], tfhe["images"], tfhe["sweep"]["images"])

    @property
    def tfhe_settings(self) -> str:
        """Return what bears on the runs under TFHE, as JSON for a command line."""
        return json.dumps({key: self.study["tfhe"][key] for key in OF_TFHE_RUNS})

    @property
    def shared_files(self) -> list[str]:
        """Return the files that all datasets are read from, each once."""
        entries = [entry for entry in self.datasets.values() if entry["source"] != "folder"]
        named = images_in(self.study["folder"]) if len(entries) < len(self.datasets) else []
        return [*dict.fromkeys(path for entry in entries for path in places(entry, self.study).values()), *named]


def is_given(entry: Mapping, study: Mapping) -> bool:
    """Return whether a dataset takes part: its images are made by the workflow, or the config names their folder."""
    return entry["source"] != "folder" or bool(study["folder"])


def images_in(folder: str) -> list[str]:
    """Return the files in the subfolders of a folder, one subfolder per class; none where there is no such folder."""
    found = (Path(place) for place in existing(folder))
    files = (path for place in found for path in place.glob("*/*") if path.is_file())
    return sorted(str(path) for path in files if not is_clutter(path.name) and not is_clutter(path.parent.name))


def places(entry: Mapping, study: Mapping) -> dict[str, str]:
    """Return the files or the folder that the source of a dataset reads, by what they are."""
    faces = {key: f"{FACES}/{file}" for key, file in _FACES.items()}
    celeba = {key: f"{CELEBA}/{key}.parquet" for key in ("attributes", "partitions")}
    digits = f"results/data/mnist/{study['data']['source']}"
    return {
        "mnist": {"images": f"{digits}.npy", "index": f"{digits}.parquet"},
        "faces": faces | celeba,
        "digits": {},
        "folder": {"folder": study["folder"]},
    }[entry["source"]]


_FACES = {"images": "images.npy", "index": "index.parquet", "dataset": "dataset.json"}
