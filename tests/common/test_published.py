"""Published numbers: read by name, and refused in one line where there is none."""

import pytest
import yaml

from scripts.common.errors import UserError
from scripts.common.published import number, read_published, values
from scripts.common.studies import study_names
from tests.common.test_config import ROOT

GROUP = {"document": "author2020", "place": "table 1", "read_from": "table", "values": {"a": 0.5, "b": [1, [2, 3]]}}


@pytest.fixture
def write(tmp_path):
    def written(content) -> str:
        path = tmp_path / f"published{len(list(tmp_path.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return str(path)

    return written


def test_a_number_is_found_by_its_name(write):
    path = write({"table_1": GROUP})
    assert number(path, "table_1/a") == (0.5, GROUP)
    assert number(path, "table_1/b/1/0")[0] == 2.0
    assert values(path, "table_1") == GROUP["values"]


@pytest.mark.parametrize("name", ["table_1/c", "table_1/b/7", "table_1/b/x", "table_1/a/b", "table_1/b", "table_2/a"])
def test_a_name_without_a_number_is_an_error_of_one_line(write, name):
    with pytest.raises(UserError) as error:
        number(write({"table_1": GROUP}), name)
    assert "published" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ({key: value for key, value in GROUP.items() if key != "document"}, "'document' is a required property"),
        (GROUP | {"read_from": "memory"}, "'memory' is not one of"),
        (GROUP | {"values": {"a": "half"}}, "table_1.values.a"),
    ],
)
def test_a_broken_file_is_named(write, group, words):
    with pytest.raises(UserError, match=words):
        read_published(write({"table_1": group}))


@pytest.mark.parametrize("study", study_names(ROOT))
def test_every_published_number_of_the_project_names_one_of_its_references(study):
    path = ROOT / f"scripts/{study}/published.yaml"
    if not path.exists():
        pytest.skip("the sources of this study state no number")
    documents = {
        entry["id"] for entry in yaml.safe_load(path.with_name("study.yaml").read_text(encoding="utf-8"))["references"]
    }
    assert {group["document"] for group in read_published(path).values()} <= documents
