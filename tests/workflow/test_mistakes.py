"""A user's mistakes: exit status 1, one clear line, nothing half-written."""

import pytest
import yaml

from tests.workflow.conftest import new_folder, snakemake

CONFIGS = {
    "unknown key": ({"tradeoffs": {"epochs": 3}}, "'epochs' was unexpected"),
    "mistyped key": ({"faces": {"sorce": "celeba"}}, "'sorce' was unexpected"),
    "out of range": ({"tradeoffs": {"training": {"momentum": 1.5}}}, "tradeoffs.training.momentum"),
    "unknown network": ({"tradeoffs": {"networks": ["vgg"]}}, "'vgg' is not one of"),
    "unknown arm": ({"tradeoffs": {"protocols": {"corrected": {"arms": {"magic": {}}}}}}, "'magic' was unexpected"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_broken_config_plans_nothing(tmp_path, case):
    changes, words = CONFIGS[case]
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(changes), encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    result = snakemake(folder, config=str(path))
    lines = [line for line in result.stdout.splitlines() if line.startswith("Error: config: ")]
    assert result.returncode == 1 and len(lines) == 1 and words in lines[0], result.stdout
    assert "Traceback" not in result.stdout and not (folder / "results").exists()


FOLDERS = {
    "missing": ([], "/nowhere", True, "nowhere"),
    "empty": ([], "photos", True, "photos"),
    "wrong name": ([("portrait.jpg", b"x")], "photos", True, "portrait.jpg"),
    "terms not accepted": ([], "photos", False, "accept_terms"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_broken_image_folder_is_named_before_anything_is_trained(tmp_path_factory, case):
    files, place, accepted, word = FOLDERS[case]
    folder = new_folder(tmp_path_factory, "faces")
    (folder / "photos").mkdir()
    for name, content in files:
        (folder / "photos" / name).write_bytes(content)
    overlay = folder / "overlay.yaml"
    faces = {"source": "celeba", "celeba": place, "accept_terms": accepted}
    overlay.write_text(yaml.safe_dump({"faces": faces}), encoding="utf-8")
    result = snakemake(folder, "results/data/faces/rows.parquet", config=str(overlay))
    lines = [line for line in result.stdout.splitlines() if "ERROR" in line and word in line]
    assert result.returncode == 1 and lines, result.stdout[-2000:]
    assert "Traceback" not in result.stdout
    assert not (folder / "results/data/faces").exists() or not list((folder / "results/data/faces").iterdir())
