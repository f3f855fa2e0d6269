"""A made-up project of two studies with results, small enough to look through; some of its names are hostile."""

import json
from pathlib import Path

import pandas as pd
import yaml
from PIL import Image

from scripts.common import parquet
from scripts.common.schemas.claims import CLAIMS
from scripts.common.schemas.metrics import METRICS

HOSTILE = '<script>alert(1)</script> "quoted" & <img src=x onerror=alert(2)>'
LONG = "fairness penalty + adversarial training with a schedule, eps 0.004, weight 0.5"
REFERENCE = {
    "id": "author2022",
    "type": "article",
    "title": "A title",
    "authors": ["Author, Ann"],
    "year": 2022,
    "url": "https://example.org/paper",
    "replicated": True,
}
MIXED = ["0.694 [0.685, 0.703]", "–", "1,200", "-0.2", "0.7 ± 0.1", "10.5"]


def about(title: str, order: int = 1, **changes) -> dict:
    """Return a valid study.yaml."""
    content = {
        "title": title,
        "order": order,
        "found": {
            "sentence": "It costs {cost} points.",
            "numbers": {"cost": {"claim": "price", "protocol": "corrected"}},
        },
        "question": "Does it work? And what does it cost?",
        "protocols": {"corrected": "Everything is done well."},
        "references": [REFERENCE],
        "figures": {
            "front": {"title": "A front", "shows": "figure 3", "alt": "Points that fall from left to right."},
            "cloud": {"title": "A cloud", "shows": "our extension", "alt": "A turning cloud.", "animation": True},
        },
        "tables": {"models": {"title": "All models"}},
        "explorers": {"cloud": "Turn the cloud"},
        "released": ["metrics"],
        "deviations": ["The data are made up."],
        "limitations": ["It says nothing."],
    }
    return content | changes


def claim(study: str, name: str, **changes) -> dict:
    """Return a line of `CLAIMS`."""
    line = dict.fromkeys(CLAIMS.names) | {
        "study": study, "claim": name, "protocol": "corrected", "origin": "paper",
        "confidence": "verified", "document": "author2022", "place": "figure_3.png, left end",
        "says": f"The sentence of {name}.", "published": 0.74, "unit": "points", "read_from": "picture", "value": 1.05,
        "ci_low": -0.2, "ci_high": 2.3, "interval": "sampling error", "n": 2187,
        "seeds": 2, "dataset": "rendered faces", "rule": "equals",
        "bound": 0.74, "tolerance": 0.5, "tolerance_from": "sampling error", "tolerance_why": "Two standard errors.",
        "verdict": "reproduced", "reason": "within the tolerance",
    }  # fmt: skip
    return line | changes


def claims() -> pd.DataFrame:
    """Return claims with each verdict; one is in both protocols, one has nothing but its verdict, one is hostile."""
    empty = {"published": None, "unit": None, "read_from": None, "value": None, "ci_low": None, "ci_high": None}
    untested = {"n": None, "seeds": None, "dataset": None, "tolerance": None, "verdict": "not testable here"}
    failed = {"verdict": "not reproduced", "reason": "the value does not meet the bound"}
    lines = [
        claim("one", "price"),
        claim("one", "price", protocol="as_published"),
        claim("one", "order", rule="at_most", origin="ours", confidence=None, verdict="partly", comment="A remark."),
        claim("one", "fails", rule="at_least", **failed),
        claim("one", "untested", **empty, **untested),
        claim("two", "hostile", says=HOSTILE, place=HOSTILE, reason=HOSTILE, tolerance_why=HOSTILE, comment=HOSTILE),
    ]
    return pd.DataFrame(lines, columns=CLAIMS.names).astype({"n": "Int64", "seeds": "Int64"})


def manifest(**changes) -> dict:
    """Return a manifest with all its keys."""
    content = {
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "dirty": True,
        "made": "2026-11-24T16:42:09+00:00",
        "project_version": "1.0",
        "python": "3.11.2",
        "packages": {"numpy": "2.0", HOSTILE: HOSTILE},
        "hardware": {"processor": HOSTILE, "cores": 2, "gpu": None},
        "platform": "Linux",
        "settings": {"one": {"threats": [{"norm": "linf", "eps": 0.01}], "name": HOSTILE, "empty": ""}},
        "seeds": {"one": {"seeds": [1, 2]}},
        "run_times": {
            "one": {"train": {"jobs": 12, "seconds": 6720.0, "max_memory_mb": 1310.5}, "label": {"jobs": 1}},
            "data": {"render": {"jobs": 1, "seconds": 4.0}},
        },
        "data_files": {"results/data/a.txt": {"sha256": "0" * 64, "bytes": 1234567}},
        "released_files": {"results/one/metrics.parquet": {"sha256": "1" * 64, "bytes": 10}},
        "hashes": {"results/one/models/a.safetensors": "2" * 64},
        "redrawn_from": None,
    }
    return content | changes


def picture(path: Path, frames: int = 1) -> None:
    """Write a small picture in the format of its name."""
    images = [Image.new("RGB", (900, 480), (255, 255 - 40 * number, 255)) for number in range(frames)]
    more = {"save_all": True, "append_images": images[1:], "duration": 80, "loop": 0} if frames > 1 else {}
    images[0].save(path, **more)


def write_study(folder: Path, name: str, content: dict, caption: str = "A caption with ``code`` in it.") -> None:
    """Write the places of a study that the page reads, and its results."""
    (folder / "rules").mkdir(exist_ok=True)
    (folder / f"rules/{name}.smk").touch()
    captions, figures, tables = (folder / part for part in (f"scripts/{name}/captions", f"results/{name}/figures",
                                                            f"results/{name}/tables"))  # fmt: skip
    for made in (captions, figures, tables):
        made.mkdir(parents=True)
    (folder / f"scripts/{name}/study.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    for each in [*content["figures"], *content["tables"]]:
        (captions / f"{each}.rst").write_text(caption, encoding="utf-8")
    for figure, entry in content["figures"].items():
        picture(figures / f"{figure}.png")
        if entry.get("animation"):
            picture(figures / f"{figure}.gif", frames=3)
        for kind in ("pdf", "parquet", "html"):
            (figures / f"{figure}.{kind}").touch()
    for table in content["tables"]:
        wide = pd.DataFrame({f"a measure with a long name, number {n}": [0.123456, 1.0] * 3 for n in range(12)})
        wide.insert(0, "method", [LONG, "plain", HOSTILE, "b", "c", "d"])
        wide.insert(1, "score", MIXED)
        wide.to_csv(tables / f"{table}.csv", index=False)
        for kind in ("md", "tex"):
            (tables / f"{table}.{kind}").touch()
    row = dict.fromkeys(METRICS.names) | {"study": name, "dataset": "rendered faces", "metric": "accuracy"}
    numbers = pd.DataFrame([row | {"attribute": "none", "subgroup": "all", "condition": ""}])
    parquet.write(numbers, folder / f"results/{name}/metrics.parquet", METRICS)


def write_project(folder: Path) -> dict:
    """Write two studies, their claims and the manifest into a folder; return the arguments of `page.write_page`.

    Paths among them are relative: call it from within the folder.
    """
    (folder / "LICENSE").write_text("MIT License\n\nCopyright\n", encoding="utf-8")
    write_study(folder, "one", about("The first study"))
    write_study(
        folder,
        "two",
        about(HOSTILE, order=2, question=HOSTILE, deviations=[], limitations=[HOSTILE]),
        "A <b>caption</b>.",
    )
    figures = folder / "results/report/figures"
    figures.mkdir(parents=True)
    for name in ("claims_by_tolerance", "claims_by_study"):
        picture(figures / f"{name}.png")
        for kind in ("pdf", "parquet"):
            (figures / f"{name}.{kind}").touch()
    parquet.write(claims(), folder / "results/claims.parquet", CLAIMS)
    (folder / "results/manifest.json").write_text(json.dumps(manifest()), encoding="utf-8")
    made = {"rule": "draw", "script": "scripts/one/draw.py", "settings": {"threats": ["linf"]}, "data": ["a.parquet"]}
    return {
        "root": folder,
        "output": "results/report.html",
        "claims_path": "results/claims.parquet",
        "manifest_path": "results/manifest.json",
        "metrics": {name: f"results/{name}/metrics.parquet" for name in ("one", "two")},
        "made_by": {"results/one/figures/front.png": made},
        "by_study": {k: f"results/report/figures/claims_by_study.{k}" for k in ("png", "pdf", "parquet")},
        "tolerance": {k: f"results/report/figures/claims_by_tolerance.{k}" for k in ("png", "pdf", "parquet")},
    }
