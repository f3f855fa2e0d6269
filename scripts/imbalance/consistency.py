"""What a schema cannot say of the block `imbalance:`: how its values must fit one another."""

from scripts.common.consistency import distinct
from scripts.common.errors import UserError
from scripts.common.own_tables import check_names
from scripts.common.tabular import TABLES
from scripts.imbalance.generators import BOOTSTRAP
from scripts.imbalance.names import dataset_name
from scripts.imbalance.people import features_of
from scripts.imbalance.plan import Plan


def check(study: dict) -> None:
    """Check a block that the schema accepts.

    Raises:
        UserError: a dataset stands twice, names a table, attribute or feature that there is not, has more splits than
            folds and repeats give, or a dose of a plan that it does not run, or none is left without the user's files.
    """
    distinct([dataset_name(entry) for entry in study["datasets"]], "imbalance.datasets", "entries are")
    check_names({f"imbalance.datasets.{place}.table": entry["table"] for place, entry in enumerate(study["datasets"])})
    most = study["folds"] * study["repeats"]
    for entry in study["datasets"]:
        table = TABLES[entry["table"]]
        where = f"config: imbalance.datasets: {dataset_name(entry)}"
        _check_attributes(entry, where)
        known = [name for kind in features_of(table, entry["attributes"]) for name in kind]
        for name in entry.get("without", []):
            if name not in known:
                raise UserError(f"{where}: without: no feature {name!r}; there are {', '.join(known)}")
            if len(known) == 1:
                raise UserError(f"{where}: without: {name!r} is the only feature")
        if entry.get("splits", 1) > most:
            raise UserError(
                f"{where}: splits: {entry['splits']}, but {study['folds']} folds x {study['repeats']} repeats "
                f"are {most}"
            )
        for plan in entry.get("doses", {}):
            if plan not in entry.get("plans", [plan]):
                raise UserError(f"{where}: doses: {plan} is none of its plans; add it to plans, or leave its doses out")
        if (entry.get("doses") or entry.get("variants") or entry.get("without")) and BOOTSTRAP not in entry.get(
            "generators", [BOOTSTRAP]
        ):
            raise UserError(f"{where}: doses, variants and without need the generator {BOOTSTRAP}; add it")
    for name, entry in study.get("augment", {}).items():
        check_names({f"imbalance.augment.{name}.table": entry["table"]})
        _check_attributes(entry, f"config: imbalance.augment: {name}")
    if not Plan(study).datasets:
        raise UserError("config: imbalance.datasets: only tables without a file are left; name it under tables")


def _check_attributes(entry: dict, where: str) -> None:
    table = TABLES[entry["table"]]
    for attribute in entry["attributes"]:
        if attribute not in table.attributes:
            known = ", ".join(table.attributes)
            raise UserError(f"{where}: {table.name} has no attribute {attribute!r}; there are {known}")
