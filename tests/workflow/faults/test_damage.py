"""Files that change under a run's feet: checkpoints and Parquet files are named, and made again on request."""

import re
import time

import pytest

from tests.workflow.faults.conftest import (
    LONGEST,
    MADE,
    RUN,
    TARGET,
    WEIGHTS,
    lost,
    wait_for_file,
    wait_for_job,
)
from tests.workflow.faults.record import record

pytestmark = pytest.mark.faults
LOG = f"results/tradeoffs/logs/tradeoffs_train/{RUN}.log"
CHECKPOINTS = f"results/tradeoffs/checkpoints/{RUN}"


def flipped(content: bytes, place: int) -> bytes:
    """Return content with one bit of the byte at `place` turned over."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", ["cut short", "one bit"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_taken(place, trained, damage):
    process = place.start(WEIGHTS)
    training = wait_for_job(process, "tradeoffs_train.py")
    wait_for_file(process, place.folder, f"{CHECKPOINTS}/epoch_0000[2-9]*")
    training.kill()
    assert process.wait(LONGEST) == 1
    kept = sorted((place.folder / CHECKPOINTS).glob("epoch_*"))
    assert len(kept) == 2, kept
    content = kept[-1].read_bytes()
    kept[-1].write_bytes(content[:1000] if damage == "cut short" else flipped(content, len(content) - 5))
    status, said = place.run(WEIGHTS)
    assert status == 0, said[-3000:]
    words = (place.folder / LOG).read_text(encoding="utf-8")
    assert re.search(rf"WARNING .*{kept[-1].name}: damaged checkpoint .*; going back to the one before", words)
    assert f"resumed after epoch {int(kept[0].stem.split('_')[1])}" in words
    wrong = lost(place, trained)
    record("corrupted checkpoint", 1, wrong, f"newest checkpoint of a killed training: {damage}")
    assert wrong == 0


@pytest.mark.parametrize("damage", ["cut short", "one bit", "another file"])
def test_a_damaged_parquet_file_is_named_and_made_again_when_it_is_deleted(whole, undisturbed, damage):
    name = f"results/tradeoffs/predictions/{RUN}.parquet"
    path = whole.folder / name
    content = path.read_bytes()
    new = {"cut short": content[:-100], "one bit": flipped(content, 2000), "another file": b"<html></html>"}[damage]
    path.write_bytes(new)
    (whole.folder / TARGET).unlink()
    status, said = whole.run(TARGET)
    assert status == 1 and "Traceback" not in said, said[-3000:]
    lines = [line for line in said.splitlines() if "ERROR" in line and f"{name}: damaged or no Parquet file" in line]
    assert lines and "delete it and run the workflow" in lines[0], said[-3000:]
    path.unlink()  # as the line says
    status, said = whole.run(TARGET)
    assert status == 0, said[-3000:]
    wrong = lost(whole, undisturbed)
    record("corrupted Parquet file", 1, wrong, f"predictions of a finished run: {damage}")
    assert wrong == 0


def test_damaged_images_are_named_before_anything_is_trained(place, trained):
    path = place.folder / "results/data/faces/images.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1000])
    status, said = place.run(WEIGHTS)
    assert status == 1 and "Traceback" not in said, said[-3000:]
    assert re.search(r"ERROR .*images\.npy: .*; delete it and run the workflow", said), said[-3000:]
    assert place.contents() == {}
    path.unlink()
    for name in ("index.parquet", "dataset.json"):
        (path.parent / name).unlink()
    status, said = place.run(WEIGHTS)
    assert status == 0, said[-3000:]
    wrong = lost(place, trained)
    record("corrupted images", 1, wrong, "the image array cut short")
    assert wrong == 0


def test_a_training_that_was_begun_with_other_settings_is_not_taken_up(place, trained):
    process = place.start(WEIGHTS)
    wait_for_file(process, place.folder, f"{CHECKPOINTS}/epoch_*")
    process.kill()
    process.wait(LONGEST)
    overlay = place.folder / "faults.yaml"
    text = overlay.read_text(encoding="utf-8")
    overlay.write_text(text.replace("epochs: 8", "epochs: 8, learning_rate: 0.01"), encoding="utf-8")
    process = place.start("--unlock")
    process.wait(LONGEST)
    process = place.start(WEIGHTS)
    wait_for_file(process, place.folder, f"{CHECKPOINTS}/epoch_*")
    time.sleep(0.2)
    process.kill()
    process.wait(LONGEST)
    overlay.write_text(text, encoding="utf-8")
    place.finish(WEIGHTS)
    wrong = lost(place, trained)
    record("settings changed after a crash", 1, wrong, "killed, another learning rate, killed, the first settings")
    assert wrong == 0 and MADE
