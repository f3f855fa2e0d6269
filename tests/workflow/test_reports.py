"""What a finished run shows its readers: the project's page, and Snakemake's own report, both without a network."""

import json
import re

import pandas as pd
import pytest

from scripts.common import studies
from tests.browser import open_browser
from tests.workflow.conftest import ROOT, snakemake

STUDIES = studies.study_names(ROOT)


@pytest.fixture(scope="module")
def own_report(study, tmp_path_factory):
    """Snakemake's report of the finished run, made while no proxy answers."""
    path = tmp_path_factory.mktemp("report") / "snakemake.html"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
            patch.setenv(name.lower(), "http://127.0.0.1:9")
        result = snakemake(study, "--report", str(path))
    assert result.returncode == 0, result.stdout[-3000:]
    return path


def test_the_page_has_every_figure_table_and_claim_of_the_run(study):
    text = (study / "results/report.html").read_text(encoding="utf-8")
    ids = set(re.findall(r' id="([^"]+)"', text))
    claims = pd.read_parquet(study / "results/claims.parquet")
    assert {f"claim-{row.study}-{row.claim}-{row.protocol}" for row in claims.itertuples()} <= ids
    for name in STUDIES:
        about = studies.describe(name, ROOT)
        assert {f"{name}-{figure}" for figure in about["figures"]} <= ids
        assert {f"{name}-table-{table}" for table in about["tables"]} <= ids


def test_the_page_names_rule_and_data_of_every_figure_and_table(study):
    text = (study / "results/report.html").read_text(encoding="utf-8")
    blocks = re.findall(r'<details class="how">.*?</details>', text, re.S)
    assert blocks and all("<dt>Rule</dt>" in block and "<dt>Script</dt>" in block for block in blocks)
    assert not [block for block in blocks if "see the rule" in block]


def test_the_page_is_small_and_names_no_folder_of_this_machine(study):
    text = (study / "results/report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 15e6
    assert str(study) not in text and str(ROOT) not in text


def test_snakemakes_report_has_a_category_per_study_and_a_caption_for_each_file(own_report, tmp_path):
    browser = open_browser(own_report.as_uri(), str(tmp_path / "profile"))
    try:
        browser.wait("document.body.innerText.includes('Counterweight rebuilds published studies')")
        shown = json.loads(browser.evaluate("JSON.stringify(categories)"))
        files = json.loads(browser.evaluate("JSON.stringify(Object.values(results))"))
        faults = browser.faults()
    finally:
        browser.close()
    assert set(shown) == {studies.describe(name, ROOT)["title"] for name in STUDIES}
    for name in STUDIES:
        about = studies.describe(name, ROOT)
        kinds = set(shown[about["title"]])
        assert kinds == {"Figures", "Tables"} | ({"Interactive pages"} if about.get("explorers") else set())
    assert all(file["caption"].startswith("<p>") and len(file["caption"]) > 20 for file in files)
    expected = sum(len(studies.describe(name, ROOT)[kind]) for name in STUDIES for kind in ("figures", "tables"))
    expected += sum(len(studies.describe(name, ROOT).get("explorers", {})) for name in STUDIES)
    assert len(files) == expected
    assert faults == []


def test_snakemakes_report_loads_nothing_from_elsewhere(own_report):
    text = own_report.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="https?:[^"]*"', text)
