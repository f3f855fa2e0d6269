"""The references of a study: what a reader is shown, and what a study.yaml may say."""

import copy

import pytest

from scripts.common.errors import UserError
from scripts.common.references import address, cite
from scripts.common.studies import SCHEMA, describe, study_names
from scripts.common.yaml_files import check, read_yaml
from tests.report.toy import REFERENCE, about, write_study
from tests.workflow.conftest import ROOT


def checked(**changes) -> None:
    reference = {key: value for key, value in (REFERENCE | changes).items() if value is not None}
    check(about("A study", references=[reference]), read_yaml(SCHEMA), "study.yaml")


def test_a_reference_reads_as_a_line_and_leads_to_its_address():
    code = copy.deepcopy(REFERENCE) | {"authors": ["Author, Ann B.", "Group"], "version": "1.2", "licence": "MIT"}
    code |= {"repository": "https://example.org/code", "note": "Its text was not at hand."}
    assert cite(code) == "A. B. Author, Group: A title. version 1.2, 2022. Licence: MIT. Its text was not at hand."
    assert address(code) == "https://example.org/paper"
    assert address(code | {"doi": "10.1000/1"}) == "https://doi.org/10.1000/1"
    del code["url"]
    assert address(code) == "https://example.org/code"
    del code["repository"]
    assert address(code) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": None}, "'title' is a required property"),
        ({"url": "www.example.org"}, "Where it can be opened"),
        ({"doi": "doi:10.1000/1"}, "Digital object identifier"),
        ({"authors": []}, "Authors in their order"),
        ({"id": "Author 2022"}, "First author and year"),
        ({"type": "blog"}, "What kind of document"),
    ],
)
def test_a_wrong_reference_is_one_line(changes, said):
    with pytest.raises(UserError) as error:
        checked(**changes)
    line = str(error.value)
    assert line.startswith("study.yaml: references.0") and said in line and "\n" not in line


def test_a_document_without_an_address_says_why(tmp_path):
    bare = {key: value for key, value in REFERENCE.items() if key != "url"}
    write_study(tmp_path, "one", about("One", references=[bare]))
    with pytest.raises(UserError, match=r"one/study.yaml: references: author2022 has no doi, url or repository"):
        describe("one", tmp_path)
    write_study(tmp_path, "two", about("Two", references=[bare | {"note": "No public address is known."}]))
    describe("two", tmp_path)


def test_every_study_replicates_something_and_its_ids_differ():
    for study in study_names(ROOT):
        references = describe(study, ROOT)["references"]
        assert any(entry["replicated"] for entry in references), study
        assert len({entry["id"] for entry in references}) == len(references), study
