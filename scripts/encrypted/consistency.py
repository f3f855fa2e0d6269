"""What a schema cannot say of the block `encrypted:`: how its values must fit one another."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.encrypted.ckks import Parameters
from scripts.encrypted.network import products_of
from scripts.encrypted.plan import OF_TFHE_RUNS, Plan
from scripts.encrypted.security import check_depth
from scripts.encrypted.settings import PLAIN, Setting, setting_of
from scripts.encrypted.tfhe_infer import entries_of
from scripts.encrypted.transforms import check_fit


def check(study: dict) -> None:
    """Check a block that the schema accepts, before any key is made.

    Raises:
        UserError: parameters are not secure or too shallow for their network, a setting cannot be computed or does not
            fit a ciphertext, or a list names settings that the dataset does not have.
    """
    distinct([entry["name"] for entry in study["networks"]], "encrypted.networks", "names are")
    distinct([entry["name"] for entry in study["datasets"]], "encrypted.datasets", "names are")
    networks = {entry["name"]: entry for entry in study["networks"]}
    if PLAIN not in networks:
        raise UserError(f"config: encrypted.networks: none is named {PLAIN}, which settings without a network use")
    for name, entry in networks.items():
        with _named(f"config: encrypted.networks: {name}"):
            Parameters(entry["ring"], tuple(entry["moduli"]), entry["scale"]).check()
            check_depth(entry["moduli"], products_of(len(entry["hidden"])))
    with _named("config: encrypted"):
        entries_of({key: study["tfhe"][key] for key in OF_TFHE_RUNS}, study["tfhe"]["nets"])
    for entry in study["datasets"]:
        _check_dataset(entry, networks, f"config: encrypted.datasets: {entry['name']}")
    if not Plan(study).datasets:
        raise UserError("config: encrypted.datasets: only a folder is left, which is not named; set encrypted.folder")


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Context in which the place in the config stands before a message."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where}: {str(error).removeprefix('encrypted: ')}") from error


def _check_dataset(entry: Mapping, networks: Mapping[str, Mapping], where: str) -> None:
    if entry["source"] == "faces" and not {"attribute", "group"} <= entry.keys():
        raise UserError(f"{where}: faces need attribute (what they are classified by) and group")
    if not entry["settings"]:
        raise UserError(f"{where}: settings: none is given; name at least one, such as dct-16")
    for key in ("repeated", "latency"):
        if unknown := [name for name in entry.get(key, []) if name not in entry["settings"]]:
            raise UserError(f"{where}: {key}: {unknown[0]} is none of its settings; add it there")
    for name in entry["settings"]:
        setting = setting_of(name)
        if name != setting.name:
            raise UserError(f"{where}: {name}: the network {PLAIN} goes without saying; write {setting.name}")
        if setting.network not in networks:
            raise UserError(f"{where}: {setting.name}: no network {setting.network}; there are {', '.join(networks)}")
        with _named(f"{where}: {setting.name}"):
            check_fit(setting.transform, entry["side"], setting.k)
            _check_slots(setting, networks[setting.network], alone=setting.name in entry.get("latency", []))


def _check_slots(setting: Setting, network: Mapping, *, alone: bool) -> None:
    """Check that the numbers of an image and a 1 fit a ciphertext; alone, with the first layer's outputs."""
    slots, needed = network["ring"] // 2, setting.k + 1
    if needed > slots or (alone and needed + network["hidden"][0] > slots + 1):
        raise UserError(
            f"{setting.k} numbers of an image{' alone' if alone else ''} do not fit a ciphertext of {slots} slots; "
            "take fewer, or a larger ring"
        )
