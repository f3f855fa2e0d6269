"""`make augment`, from its variables to the table, as a stranger runs it."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import yaml

from scripts.common.errors import UserError
from scripts.imbalance.augmenting.start import last_error, settings_from
from tests.imbalance.augmenting.made_up import DESCRIPTION, people
from tests.workflow.conftest import clone_into, new_folder

GIVEN = {"TABLE": "adult", "PLAN": "same_class", "GENERATOR": "cart"}


def test_variables_become_a_block_of_the_config():
    name, entry = settings_from(GIVEN)
    assert name == "adult.sex.same_class.cart" and entry == {
        "table": "adult", "attributes": ["sex"], "plan": "same_class", "generator": "cart", "seed": 1, "dose": 1.0,
    }  # fmt: skip
    name, entry = settings_from(GIVEN | {"ATTRIBUTES": "sex, race", "SEED": "7", "DOSE": "0,5"})
    assert name == "adult.sex-race.same_class.cart" and entry["attributes"] == ["sex", "race"]
    assert entry["seed"] == 7 and entry["dose"] == 0.5
    assert settings_from(GIVEN | {"NAME": "mine.2"})[0] == "mine.2"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"TABLE": ""}, "TABLE not given; write: make augment TABLE="),
        ({"PLAN": " ", "GENERATOR": ""}, "PLAN, GENERATOR not given"),
        ({"TABLE": "adlut"}, "TABLE: there is no table 'adlut'; there are adult, adult_all"),
        ({"TABLE": "dutch"}, "TABLE: the file of dutch is not given; name its path, tables: {dutch: PATH}"),
        (
            {"TABLE": "/a b/O'Hara.csv"},
            "TABLE: /a b/O'Hara.csv is a file, and a table needs a description: run make desc",
        ),
        ({"TABLE": "loans.parquet"}, "loans.parquet is a file, and a table needs a description"),
        ({"PLAN": "all"}, "PLAN: there is no plan 'all'; there are class, class_protected, protected, same_class"),
        ({"GENERATOR": "gan"}, "GENERATOR: there is no generator 'gan'; there are bootstrap, copula, cart"),
        ({"ATTRIBUTES": "age"}, "adult: no attribute 'age'; there are sex, race, race_five"),
        ({"ATTRIBUTES": "sex,sex"}, "ATTRIBUTES: 'sex' stands twice"),
        ({"SEED": "1.5"}, "SEED: '1.5' is no whole number from 0 to 2147483647"),
        ({"SEED": "-1"}, "SEED: '-1' is no whole number"),
        ({"SEED": "9999999999"}, "SEED: '9999999999' is no whole number"),
        ({"DOSE": "half"}, "DOSE: 'half' is no number"),
        ({"DOSE": "0"}, "DOSE: 0 is not above 0 and at most 1"),
        ({"DOSE": "1.01"}, "DOSE: 1.01 is not above 0 and at most 1"),
        ({"DOSE": "nan"}, "DOSE: nan is not above 0 and at most 1"),
        ({"NAME": "../mine"}, "NAME: '../mine'; take at most 120 letters"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_that_names_the_variable(changes, line):
    with pytest.raises(UserError) as error:
        settings_from(GIVEN | changes)
    assert str(error.value).startswith(line) or line in str(error.value)


def write_config(folder, path, **more):
    block = {"file": str(path), **DESCRIPTION, **more}
    config = folder / "my config's.yaml"
    config.write_text(yaml.safe_dump({"tables": {"mine": block}}, allow_unicode=True), encoding="utf-8")
    return config


def test_tables_of_several_configs_are_known_and_their_faults_named(tmp_path):
    config = write_config(tmp_path, "a.csv")
    title = tmp_path / "title.yaml"
    title.write_text("tables: {mine: {title: Mine}}\n", encoding="utf-8")
    given = GIVEN | {"TABLE": "mine", "ATTRIBUTES": "origin"}
    assert settings_from(given, [str(config), str(title)])[0] == "mine.origin.same_class.cart"
    title.write_text("tables: {mine: {}}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"tables\.mine: .*'file' is a required property"):
        settings_from(given, [str(title)])
    title.write_text("tables: [\n", encoding="utf-8")
    with pytest.raises(UserError, match="no valid YAML"):
        settings_from(given, [str(title)])


def test_the_line_of_a_job_goes_before_that_of_the_planning(tmp_path):
    assert last_error(tmp_path, "Config file\nError: planning\n") == "Error: planning"
    assert last_error(tmp_path, "12:00:00 ERROR user_table: gone\n") == "Error: user_table: gone"
    assert last_error(tmp_path, "what else\n") == "what else\n"
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text("12:00:00 INFO a\n12:00:01 ERROR b: c\n", encoding="utf-8")
    assert last_error(tmp_path, "Error: planning\n") == "Error: b: c"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return clone_into(new_folder(tmp_path_factory, "augmented"))


def command(*configs):
    listed = [part for config in configs for part in ("--config", str(config))]
    return [sys.executable, "-m", "scripts.imbalance.augmenting.start", "--cores", "2", *listed]


def start(clone, *configs, **variables):
    return subprocess.run(
        command(*configs),
        cwd=clone,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.slow
def test_a_stranger_gets_the_table_and_one_line_per_mistake(clone, tmp_path):
    path = tmp_path / "Köln's people.csv"
    people(5000).to_csv(path, index=False)
    config = write_config(tmp_path, path)
    given = {"TABLE": "mine", "PLAN": "class", "GENERATOR": "cart", "NAME": "first", "ATTRIBUTES": "sex"}
    done = start(clone, config, **given)
    assert done.returncode == 0, done.stderr
    assert "synthetic rows were added to the 5,000 rows of mine" in done.stdout
    folder = clone / "results/augmented/first"
    assert done.stdout.splitlines()[-1].startswith("Table: results/augmented/first/table.parquet")
    table, text = pd.read_parquet(folder / "table.parquet"), pd.read_csv(folder / "table.csv")
    assert len(table) == len(text) > 5000 and table["synthetic"].sum() == len(table) - 5000
    about = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert about["sha256"].keys() == {"mine.parquet", "table.parquet", "table.csv"}
    assert (folder / "report.html").exists() and (folder / "report.md").exists()

    path.unlink()
    (clone / "results/data/tabular/mine.parquet").unlink()
    gone = start(clone, config, **given)
    assert gone.returncode == 1 and len(gone.stderr.splitlines()) == 1
    assert gone.stderr.startswith("Error: ") and "Köln's people.csv: no such file" in gone.stderr
    one = people(300)
    one.loc[one["sex"] == "M", "repaid"] = "yes"
    one.to_csv(path, index=False)
    wrong = start(clone, config, **given | {"PLAN": "same_class"})
    assert wrong.returncode == 1 and len(wrong.stderr.splitlines()) == 1, wrong.stderr
    assert "the largest group, men, has one label only" in wrong.stderr


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_named(clone):
    place = clone / "results/augmented/blocked"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("", encoding="utf-8")
    done = start(clone, **GIVEN | {"NAME": "blocked"})
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("Error: results/augmented/blocked")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["terminal", "process"])
def test_an_interrupt_leaves_nothing_half_written_and_no_lock(clone, tmp_path, target):
    path = tmp_path / "many.csv"
    people(60_000).to_csv(path, index=False)
    config, name = write_config(tmp_path, path), f"interrupted-{target}"
    given = {"TABLE": "mine", "PLAN": "class_protected", "GENERATOR": "cart", "NAME": name, "ATTRIBUTES": "sex"}
    environment = {**os.environ, **given}
    with subprocess.Popen(
        command(config), cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:  # fmt: skip
        log = clone / f"results/augmented/{name}/logs/imbalance_augment.log"
        while not log.exists() and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None
        (os.killpg if target == "terminal" else os.kill)(process.pid, signal.SIGINT)
        printed = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 1 and "Traceback" not in printed, printed
    left = [path.name for path in log.parents[1].rglob("*") if path.is_file() and path.suffix != ".log"]
    assert left == ["augment.yaml"]
    assert not [*(clone / ".snakemake/locks").glob("*")]
