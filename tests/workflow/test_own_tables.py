"""A table that the project has never seen, by YAML or in the config, runs through the studies of tables."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import fairlearn.metrics
import numpy as np
import pytest
import yaml

from scripts.boosting import boosting_measure, boosting_two_stages
from scripts.boosting.boosting_fit import write_cell as fit_boosting
from scripts.common import parquet, tabular
from scripts.common.own_tables import register
from scripts.common.schemas.metrics import METRICS
from scripts.common.schemas.predictions import PREDICTIONS, attributes_of, write_predictions
from scripts.common.tabular import table_of
from scripts.data.tabular import make_table
from scripts.frtrain.datasets import RealSettings, real_data
from scripts.income.income_fit import write_cell as fit_income
from scripts.income.income_measure import measure_all as measure_income
from scripts.income.names import LABELS
from scripts.leakage.leakage_audit import audit_file
from scripts.leakage.leakage_models import predict
from tests.boosting.synthetic import STUDY
from tests.common.test_config import merged
from tests.data.own_table import REGIONS, description, people
from tests.leakage.test_audit import SETTINGS as AUDIT
from tests.workflow.conftest import new_folder, snakemake


@pytest.fixture(scope="module", params=["in the config", "as YAML of the project"])
def loans(request, tmp_path_factory):
    """Path of the made table `loans`, of 5,000 people, three attributes, one of five groups."""
    folder, kept = tmp_path_factory.mktemp("loans"), tabular.FOLDER
    content = people().to_csv(index=False).encode()
    if request.param == "in the config":
        (folder / "loans.csv").write_bytes(content)
        register({"loans": description(folder / "loans.csv")})
        make_table(folder / "loans.csv", "loans", {}, folder / "loans.parquet")
    else:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("data/loans.csv", content)
        (folder / "loans-1.0-py3-none-any.whl").write_bytes(packed.getvalue())
        about = {key: value for key, value in description("").items() if key != "file"}
        about["source"] = {"package": "loans-1.0-py3-none-any.whl",
                           "members": {"loans.csv": hashlib.sha256(content).hexdigest()}}  # fmt: skip
        (folder / "loans.yaml").write_text(yaml.safe_dump(about | {"rows": {"all": 5000}}), encoding="utf-8")
        tabular.FOLDER = folder
        table_of.cache_clear()
        make_table(folder / about["source"]["package"], "loans", table_of("loans").members, folder / "loans.parquet")
    yield folder / "loans.parquet"
    tabular.FOLDER = kept
    register({})


def gap(frame, attribute: str) -> float:
    """Return fairlearn's demographic parity difference of the rows of a run."""
    return fairlearn.metrics.demographic_parity_difference(
        frame["y_true"], frame["y_pred"], sensitive_features=frame[attribute]
    )


def all_groups_are_measured(metrics, predictions) -> None:
    """Check the gaps over five regions, and the rates of each, against fairlearn and by hand."""
    own = metrics[(metrics["metric"] == "demographic_parity_difference") & (metrics["attribute"] == "region")]
    tested = predictions[predictions["split"] == "test"]
    assert len(own) and set(own["run"]) <= set(tested["run"])
    for row in own.itertuples():
        assert row.value == pytest.approx(gap(tested[tested["run"] == row.run], "region"), abs=1e-12)
        assert row.ci_low <= row.value <= row.ci_high and row.interval == "newcombe over pairs"
    rates = metrics[(metrics["metric"] == "selection_rate") & (metrics["attribute"] == "region")]
    assert set(rates["subgroup"]) == set(REGIONS)
    row = rates.iloc[0]
    run = tested[tested["run"] == row["run"]]
    code = table_of("loans").attributes["region"].words.index(row["subgroup"])
    assert row["value"] == pytest.approx(run.loc[run["region"] == code, "y_pred"].mean())


def test_boosting_compares_two_groups_and_measures_all(loans, tmp_path, caplog):
    entry = {"table": "loans", "attributes": ["gender", "region"], "most_rows": None}
    kinds = ["predictions.parquet", "runs.parquet", "rounds.parquet", "stumps.json", "gradient.json"]
    out = {kind.split(".")[0]: str(tmp_path / kind) for kind in kinds}
    fit_boosting(str(loans), entry, STUDY, out)
    assert "boosters know two groups of region: not north and north" in caplog.text
    assert attributes_of(out["predictions"]) == ["gender", "region_privileged", "region"]
    frame, runs = parquet.read(out["predictions"]), parquet.read(out["runs"])
    assert set(runs["attributes"]) == {"gender, region_privileged"}
    assert set(runs["group_0"]) == {"women; not north"} and set(runs["dataset"]) == {"Loans"}
    assert (frame["region_privileged"] == (frame["region"] == 4)).all()
    stages = tmp_path / "stages.parquet"
    parquet.write(boosting_two_stages.decide(400, 4, [0, 1]), stages, PREDICTIONS)
    names = ("metrics", "comparisons", "summary", "rounds", "candidates", "masses", "facts", "stages")
    measured = {name: str(tmp_path / f"m_{name}.parquet") for name in names}
    boosting_measure.measure_all([out], str(stages), 5, 50, measured)
    all_groups_are_measured(parquet.read(measured["metrics"], METRICS), frame)


def test_income_measures_all_groups(loans, tmp_path, caplog):
    entry = {"table": "loans", "attribute": "region", "rows": "all", "most_rows": None}
    entry |= {"protocols": ["as_published", "corrected"]}
    paths = [str(tmp_path / f"{name}.parquet") for name in ("predictions", "swaps", "altered")]
    gradient = {"eps": 0.05, "iterations": 2, "trees": 5}
    fit_income(str(loans), entry, "loans.region", *paths, seeds=[1, 2], shares=[0, 1], gradient=gradient)
    assert "massaging and signed differences know two groups: not north and north" in caplog.text
    frame = parquet.read(paths[0])
    assert set(attributes_of(paths[0])) == {"gender", "age", "region", "region_privileged"}
    assert set(frame["attribute"]) == {"region_privileged"} and set(frame["group_0"]) == {"not north"}
    names = ("metrics", "comparisons", "findings", "summary", "swaps")
    out = {name: str(tmp_path / f"m_{name}.parquet") for name in names}
    measure_income([paths[0]], [paths[1]], [paths[2]], 100, out)
    metrics = parquet.read(out["metrics"], METRICS)
    assert {"age", "region", "region_privileged"} <= set(metrics["attribute"])
    all_groups_are_measured(metrics[metrics["method"] != LABELS], frame)


def test_leakage_trains_and_audits_five_groups(loans, tmp_path):
    settings = {"rows": None, "epochs": 1, "epsilon": 0.05, "iterations": 3}
    methods = ["logistic", "xgboost", "logistic_egd", "logistic_eo_thresholds"]
    found = predict(str(loans), "loans", "region", methods, [0], settings)
    (tmp_path / "leakage/predictions").mkdir(parents=True)
    path = tmp_path / "leakage/predictions/loans.parquet"
    write_predictions(found, path, ["region"])
    rows = audit_file(str(path), replace(AUDIT), [1])[0]
    labels = [row for row in rows if row["exposure"] == "label"]
    assert {row["k"] for row in labels} == {5} and {row["attribute"] for row in labels} == {"region"}
    plain = next(row for row in labels if ".logistic." in row["run"])
    tested = found[(found["run"] == plain["run"]) & (found["split"] == "test")]
    assert plain["dpd"] == pytest.approx(gap(tested, "region"), abs=0.05)  # of the half that judges


def test_frtrain_takes_the_two_group_form(loans, caplog):
    settings = RealSettings("loans", "region", "all", 1200, 0.2, 0.1, 0.05, 0.01, 0.1, 1, "")
    data = real_data(parquet.read(loans), settings, True, True, 1)
    clean = data.parts["clean"]  # labelled by a simulated crowd
    assert 0.5 < (data.labels[clean] == data.y[clean]).mean() < 1
    assert data.attribute == "region_privileged" and set(np.unique(data.z)) == {0, 1}
    assert "the methods know two groups of region: not north and north" in caplog.text


CONFIG = {
    "boosting": {"datasets": [{"table": "loans", "attributes": ["gender", "region"], "most_rows": None}]},
    "income": {"datasets": [{"table": "loans", "attribute": "region", "rows": "all", "most_rows": None,
                             "protocols": ["corrected"]}]},
    "leakage": {"models": {"loans": {"table": "loans", "attribute": "region", "methods": ["logistic"], "seeds": [0]}}},
}  # fmt: skip


def test_a_table_of_the_config_is_planned_for_every_study_and_stands_in_the_manifest(tmp_path_factory):
    folder = new_folder(tmp_path_factory, "own_table")
    (folder / "mine").mkdir()
    (folder / "mine/loans.csv").write_bytes(people(400).to_csv(index=False).encode())
    config = merged("config.test.yaml")
    for study, block in CONFIG.items():
        config[study] |= {key: {**config[study][key], **value} if isinstance(value, dict) else value
                          for key, value in block.items()}  # fmt: skip
    config["frtrain"]["real"]["datasets"] = [{"table": "loans", "attribute": "region", "subset": "all", "crowd": ""}]
    config["tables"] = {"loans": description(folder / "mine/loans.csv")}
    (folder / "own.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    own = str(folder / "own.yaml")
    planned = snakemake(folder, "results/manifest.json", "--dry-run", config=own)
    assert planned.returncode == 0, planned.stdout[-3000:]
    for job in ("own_table_description", "user_table", "boosting_fit", "income_fit", "leakage_models", "frtrain_fit"):
        assert job in planned.stdout
    manifest = planned.stdout.split("rule manifest:")[1]
    assert "loans.csv" in manifest.split("output:")[0]
    made = snakemake(folder, "results/data/tabular/loans.parquet", "results/data/tabular/loans.yaml", config=own)
    assert made.returncode == 0, made.stdout[-3000:]
    assert len(parquet.read(folder / "results/data/tabular/loans.parquet")) == 400
    (folder / "mine/loans.csv").write_bytes(people(500).to_csv(index=False).encode())
    again = snakemake(folder, "results/data/tabular/loans.parquet", "--dry-run", config=own)
    assert "user_table" in again.stdout, again.stdout[-2000:]
    config["tables"]["loans"]["numeric"] = ["incme", "debt"]
    (folder / "own.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    wrong = snakemake(folder, "results/data/tabular/loans.parquet", config=own)
    assert wrong.returncode and "there is no column 'incme'; did you mean 'income'?" in wrong.stdout
    config["income"]["datasets"][0]["table"] = "lones"
    (folder / "own.yaml").write_text(json.dumps(config), encoding="utf-8")
    unknown = snakemake(folder, "--dry-run", config=own)
    assert "Error: config: income.datasets.0.table: no table 'lones'; there are adult" in unknown.stdout
