"""CITATION.cff: current, complete, in the words of its format (compared with its schema 1.2.0 when it was written)."""

import re
import shutil

import pytest
import yaml

from scripts.common.errors import UserError
from scripts.common.studies import describe, study_names
from scripts.provenance.citation import citation, citation_entry, references
from tests.report.toy import REFERENCE, about, write_study
from tests.workflow.conftest import ROOT

TYPES = {"article", "conference-paper", "thesis", "report", "software", "software-code", "slides"}
KEYS = {"type", "title", "authors", "year", "version", "doi", "url", "repository-code", "notes", "license"}
KEYS |= {"journal", "conference", "publisher", "institution"}


def test_the_file_is_what_the_studies_say():
    assert (ROOT / "CITATION.cff").read_text(encoding="utf-8") == citation(ROOT), "CITATION.cff: run make citation"


def test_every_reference_has_what_the_format_asks_for():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "license", "version", "keywords"} <= cited.keys()
    for entry in cited["references"]:
        assert entry["type"] in TYPES and entry["title"] and entry["authors"] and entry.keys() <= KEYS
        assert all(author.keys() in ({"family-names", "given-names"}, {"name"}) for author in entry["authors"])
        assert re.fullmatch(r"[A-Za-z0-9.+-]+", entry.get("license", "MIT")), entry


def test_every_document_of_every_study_is_cited_once():
    ids = {entry["id"] for study in study_names(ROOT) for entry in describe(study, ROOT)["references"]}
    assert len(references(ROOT)) == len(ids)


def test_a_licence_that_is_no_name_of_one_becomes_a_note():
    entry = citation_entry(REFERENCE | {"licence": "GPL-3.0-or-later; nothing of it is used"})
    assert entry["license"] == "GPL-3.0-or-later" and entry["notes"] == "Licence: nothing of it is used."
    entry = citation_entry(REFERENCE | {"licence": "none stated"})
    assert "license" not in entry and entry["notes"] == "Licence: none stated."


def test_a_document_of_two_studies_is_one_and_keeps_both_notes(tmp_path):
    for name, note in (("one", "Of the first."), ("two", "Of the second.")):
        write_study(tmp_path, name, about(name, references=[REFERENCE | {"note": note}]))
    assert [entry["notes"] for entry in references(tmp_path)] == ["Of the first. Of the second."]


def test_an_id_of_two_documents_is_one_line(tmp_path):
    write_study(tmp_path, "one", about("One"))
    write_study(tmp_path, "two", about("Two", references=[REFERENCE | {"title": "Another title"}]))
    with pytest.raises(UserError, match=r"two/study.yaml: references: author2022: .*one/study.yaml gives this id"):
        references(tmp_path)
    shutil.rmtree(tmp_path / "scripts/two")
    assert len(references(tmp_path)) == 1
