"""Rule `bench`: how fast the project is, as ratios against a plain pipeline on the same machine.

Every comparison runs both sides in turns and in one process; the memory allocator's settings, which
the project makes for itself, so help the plain side too and the ratios are on the careful side.
"""

import copy
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
import yaml
from torch import nn

from scripts.common import parquet
from scripts.common.attacks import attack_ensemble
from scripts.common.device import choose_device
from scripts.common.errors import UserError
from scripts.common.logs import job
from scripts.common.tables import save_table
from scripts.common.timing import compare, frame_of, interleave, without
from scripts.data.celeba import file_name
from scripts.data.downscale_faces import downscale_faces
from scripts.tradeoffs.bench import gpu, reference
from scripts.tradeoffs.bench.material import Material, copy_jpegs, kilobytes, prepare
from scripts.tradeoffs.bench.training import EPS, SETTINGS, epoch_of, trained, unfused_loss, with_attack
from scripts.tradeoffs.images import Images, load_split
from scripts.tradeoffs.networks import build
from scripts.tradeoffs.tradeoffs_train import optimizer_of

ROOT = Path(__file__).parents[3]
CPU = torch.device("cpu")
ATTACKS = {"fgsm_random_start": 2.5, "pgd_2": 2.5, "published_apgd": None}  # the goal for the cost over a plain epoch
PLANNING_SECONDS = 5.0
EMPTY_WORKFLOW = 'rule nothing:\n    output:\n        "nothing.txt",\n    shell:\n        "touch {output}"\n'


@dataclass(frozen=True)
class Size:
    """How much is done: the defaults take some minutes on two idle cores."""

    distinct: int = 1000  # faces drawn
    copies: int = 2  # JPEGs per face
    photographs: int = 2000  # real JPEGs, where there are some
    repeats: int = 5
    workers: int = reference.WORKERS
    adversarial_images: int = 768
    training_epochs: int = 4  # of the networks whose evaluation is timed
    attacked: int = 64
    plan: tuple[dict, ...] = (
        {"attack": "apgd", "iterations": 20},
        {"attack": "fab", "iterations": 10},
        {"attack": "square", "queries": 100},
    )


def decoding(place: Path, row_ids, output: Path, size: Size, what: str) -> dict:
    """Compare our decoding and downscaling, array file included, with a DataLoader's: images per CPU second."""
    paths = [place / file_name(row_id) for row_id in row_ids]
    works = {
        "ours": lambda: downscale_faces(place, row_ids, output, workers=1),
        "reference": lambda: reference.decode_all(paths, workers=size.workers),
        "start": lambda: reference.decode_all(paths[:1], workers=size.workers),
    }
    costs = interleave(works, size.repeats)
    plain = without(costs["reference"], costs["start"])
    remark = f"{len(paths):,} {what}, {kilobytes(paths):.1f} kB on average; reference: {size.workers} workers"
    remark += ", their start not counted"
    return compare("decode and downscale", costs["ours"], plain, "cpu", len(paths), at_least=1.5, remark=remark)


def plain_epochs(model: nn.Module, data: Images, material: Material, size: Size) -> list[dict]:
    """Compare a plain epoch from memory with one that decodes JPEGs in workers, by clock and by CPU seconds."""
    batch = SETTINGS["batch_size"]
    plain = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    optimizer = optimizer_of(plain, SETTINGS)
    labels = material.rows["label"].tolist()

    def from_jpegs() -> None:
        with reference.ordinary_torch():
            reference.epoch(plain, optimizer, material.paths, labels, batch, size.workers)

    works = {"ours": epoch_of(copy.deepcopy(model), data, SETTINGS), "reference": from_jpegs}
    works["start"] = lambda: reference.decode_all(material.paths[:1], workers=size.workers)
    costs = interleave(works, size.repeats)
    sides = costs["ours"], without(costs["reference"], costs["start"])
    images, cores = len(data) // batch * batch, len(os.sched_getaffinity(0))
    words = f"small_cnn, {images:,} drawn faces, one thread; reference: {size.workers} decoding workers beside it"
    words += f" on {cores} cores, their start not counted"
    return [
        compare(what, *sides, clock, images, at_least=1.5, remark=words)
        for what, clock in (("plain epoch, by the clock", "wall"), ("plain epoch, CPU time", "cpu"))
    ]


def adversarial_epochs(model: nn.Module, data: Images, size: Size) -> list[dict]:
    """Compare adversarial epochs with a plain one, and PGD-2 with the same attack as first written."""
    works = {"plain": epoch_of(copy.deepcopy(model), data, SETTINGS)}
    for attack in ATTACKS:
        works[attack] = epoch_of(copy.deepcopy(model), data, with_attack(attack))
    unfused, settings = copy.deepcopy(model), with_attack("pgd_2")
    works["unfused"] = epoch_of(unfused, data, settings, unfused_loss(unfused, data, settings))
    costs = interleave(works, min(size.repeats, 3))
    words = f"small_cnn, {len(data):,} drawn faces, half of each batch attacked"
    rows = [
        compare(f"{attack} epoch over a plain one", costs[attack], costs["plain"], "cpu", at_most=goal, remark=words)
        for attack, goal in ATTACKS.items()
    ]
    what, words = "PGD-2 epoch, unfused attack over ours", f"{words}; reference: train mode, gradients of all weights"
    return [*rows, compare(what, costs["pgd_2"], costs["unfused"], "cpu", len(data), remark=words)]


def evaluation(model: nn.Module, data: Images, size: Size, what: str) -> dict:
    """Compare the ensemble with one attack after the other; the remark says how many images survive each."""
    x, y = data.centre(torch.arange(len(data))), data.labels
    outcome, common = {}, {"seed": 1, "batch_size": size.attacked, "ids": data.row_ids}

    def ensemble() -> None:
        found = attack_ensemble(model, x, y, "linf", EPS, size.plan, black_box_allowed=None, **common)
        outcome["ours"] = float(found["robust"].mean())

    def one_after_the_other() -> None:
        found = reference.one_after_the_other(model, x, y, "linf", EPS, size.plan, **common)
        outcome["reference"] = float(found.float().mean())

    costs = interleave({"ours": ensemble, "reference": one_after_the_other}, min(size.repeats, 3), warm_up=False)
    accuracy = float((model(x).argmax(1) == y).float().mean())
    remark = (
        f"small_cnn ({what}), {len(data)} images, l_inf {EPS}, accuracy {accuracy:.3f}; worst-case robust accuracy "
        f"{outcome['ours']:.3f}, reference {outcome['reference']:.3f}"
    )
    return compare("evaluation by three attacks", *costs.values(), "cpu", len(data), remark=remark)


def paper_plan(folder: Path) -> Path:
    """Write the paper-scale overlay with drawn faces, so that it can be planned without any images."""
    overlay = yaml.safe_load((ROOT / "config.paper.yaml").read_text(encoding="utf-8"))
    overlay["faces"]["source"] = "rendered"
    path = folder / "paper.yaml"
    path.write_text(yaml.safe_dump(overlay), encoding="utf-8")
    return path


def dry_run(python: str, snakefile: Path, folder: Path, *arguments: str) -> None:
    """Plan a workflow in a folder of its own.

    Raises:
        UserError: Snakemake cannot plan it.
    """
    folder.mkdir(exist_ok=True)
    command = [python, "-m", "snakemake", "--snakefile", str(snakefile), "--directory", str(folder)]
    command += ["--cores", "1", "--dry-run", "--quiet", "rules", *arguments]
    done = subprocess.run(
        command, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise UserError(f"bench: Snakemake cannot plan {snakefile}: {done.stdout.strip()[-300:]}")


def planning(folder: Path, python: str, size: Size) -> dict:
    """Compare a dry run of the paper-scale workflow with one of a single rule, Snakemake's own start."""
    overlay, empty = paper_plan(folder), folder / "Snakefile"
    empty.write_text(EMPTY_WORKFLOW, encoding="utf-8")
    works = {
        "ours": lambda: dry_run(python, ROOT / "Snakefile", folder / "paper", "--configfile", str(overlay)),
        "reference": lambda: dry_run(python, empty, folder / "empty"),
    }
    costs = interleave(works, min(size.repeats, 3), warm_up=False)
    remark = "dry run of config.paper.yaml with drawn faces; reference: a workflow of one rule; the goal is ours"
    found = compare("planning the paper-scale workflow", *costs.values(), "wall", remark=remark)
    return found | {"goal": f"< {PLANNING_SECONDS:g} s", "met": found["ours"] < PLANNING_SECONDS}


def compare_all(folder: Path, photographs: str, python: str, size: Size) -> tuple[pd.DataFrame, list[str]]:
    """Run every comparison with its files below `folder`; return one row each, and what could not be run."""
    choose_device(0, 1)
    rows, missing = [planning(folder, python, size)], []
    material = prepare(folder / "drawn", size.distinct, size.copies)
    rows.append(decoding(material.place, material.row_ids, folder / "drawn.npy", size, "drawn faces as JPEGs"))
    if Path(photographs).exists():
        row_ids = copy_jpegs(photographs, folder / "photographs", size.photographs)["row_id"].to_numpy()
        place = folder / "photographs"
        rows.append(decoding(place, row_ids, folder / "photographs.npy", size, "real CelebA JPEGs"))
    else:
        missing.append("decoding real photographs (none are at hand)")

    files = (str(material.array), str(material.index), str(material.splits), "train", CPU)
    data, few = load_split(*files), load_split(*files, sample=size.adversarial_images)
    model = build("small_cnn", 1).to(memory_format=torch.channels_last)
    rows += plain_epochs(model, data, material, size)
    learned = trained(model, data, SETTINGS, size.training_epochs)
    hardened = trained(model, data, with_attack("fgsm_random_start"), size.training_epochs)
    rows += adversarial_epochs(learned, few, size)
    attacked = load_split(*files, sample=size.attacked)
    rows.append(evaluation(learned, attacked, size, "plain"))
    rows.append(evaluation(hardened, attacked, size, "adversarial"))

    if torch.cuda.is_available():
        rows += gpu.compare_all(choose_device(1, 1), material)
    else:
        missing.append("the comparisons on a GPU (torch sees no CUDA device)")
    return frame_of(rows), missing


def bench(output: str, table: str, photographs: str, python: str, size: Size | None = None) -> None:
    """Write the benchmark as Parquet and as a table.

    Args:
        photographs: zip archive or folder with real CelebA JPEGs; left out where it does not exist.
        python: the interpreter that has Snakemake.
    """
    with tempfile.TemporaryDirectory() as folder:
        frame, missing = compare_all(Path(folder), photographs, python, size or Size())
    parquet.write(frame, output)
    caption = "Speed as ratios, each measured in turns on one machine: median of the rounds, lowest and highest."
    caption += f" Not run: {'; '.join(missing)}." if missing else ""
    save_table(frame, table, caption, digits=2)


if "snakemake" in globals():
    with job(snakemake):
        bench(
            snakemake.output.parquet,
            snakemake.output.table[0].removesuffix(".csv"),
            snakemake.params.photographs,
            snakemake.params.python,
        )
