"""What the tests of the study share: the synthetic data, and a small study fitted once."""

from pathlib import Path

import pytest

from scripts.common import parquet
from scripts.frtrain.choose import choose_and_derive
from scripts.frtrain.frtrain_compare import compare
from scripts.frtrain.frtrain_fit import fit_batch
from scripts.frtrain.frtrain_initial import write_initial
from scripts.frtrain.frtrain_measure import measure
from scripts.frtrain.frtrain_synthetic import synthetic_table
from scripts.frtrain.plan import Plan
from tests.common.test_config import merged

PRINTED = {"clean": 0.85, "poisoned": 0.52}
COMPARED = ("grid_poisoned", "baselines_clean", "baselines_poisoned")
MIRROR = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def table():
    """The published synthetic data."""
    return synthetic_table()


@pytest.fixture(scope="session")
def small(table, tmp_path_factory):
    """A folder with the synthetic part of the study at test scale: gathered files, weights and runs."""
    folder = tmp_path_factory.mktemp("frtrain")
    study = merged("config.test.yaml")["frtrain"]
    parquet.write(table, folder / "synthetic.parquet")
    write_initial(study["seeds"], str(folder / "initial.safetensors"))
    batches = Plan(study).synthetic
    for batch in batches:
        output = {name: str(folder / f"{batch}.{name}") for name in ("predictions", "runs", "weights", "settings")}
        fit_batch(batch, study, str(folder / "synthetic.parquet"), str(folder / "initial.safetensors"), output)
    names = {name: str(folder / f"{name}.parquet") for name in ("metrics", "runs", "choices", "summary", "findings")}
    files = [[str(folder / f"{batch}.{kind}") for batch in batches] for kind in ("predictions", "runs")]
    measure(*files, first_seed=1, replicates=100, output=names)
    choose_and_derive(names["metrics"], names["runs"], study["lambdas"], {"synthetic": 1}, names)
    compared = [str(folder / f"{batch}.predictions") for batch in COMPARED]
    compare(compared, names["choices"], names["metrics"], PRINTED, str(folder / "comparisons.parquet"), 10)
    return folder
