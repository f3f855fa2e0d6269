"""What several test files need: the files of two fitted cells, and what is measured of them."""

import pytest

from scripts.boosting.boosting_fit import write_cell
from scripts.boosting.boosting_measure import measure_all
from scripts.boosting.boosting_two_stages import decide
from scripts.boosting.plan import cell_name
from scripts.common import parquet
from scripts.common.schemas.predictions import PREDICTIONS
from tests.boosting.synthetic import ONE, SEVERAL, STUDY, adult_table


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """All files of both cells, by cell and kind."""
    folder = tmp_path_factory.mktemp("cells")
    parquet.write(adult_table(), folder / "adult.parquet")
    found = {}
    for entry in (ONE, SEVERAL):
        cell = cell_name(entry)
        kinds = ["predictions.parquet", "runs.parquet", "rounds.parquet", "stumps.json", "gradient.json"]
        found[cell] = {kind.split(".")[0]: str(folder / f"predictions/{cell}.{kind}") for kind in kinds}
        write_cell(str(folder / "adult.parquet"), entry, STUDY, found[cell])
    return found


@pytest.fixture(scope="session")
def measured(written, tmp_path_factory):
    """The released files of both cells and of a small two-stage selection, by name."""
    folder = tmp_path_factory.mktemp("measured")
    parquet.write(decide(600, 6, [0, 1]), folder / "two_stages.parquet", PREDICTIONS)
    names = ("metrics", "comparisons", "summary", "rounds", "candidates", "masses", "facts", "stages")
    out = {name: str(folder / f"{name}.parquet") for name in names}
    measure_all(list(written.values()), str(folder / "two_stages.parquet"), 5, 50, out)
    return out
