"""RO-Crate metadata of a release: authors, licence, sources, and every file that the run of a study read or wrote."""

import base64
import hashlib
from pathlib import Path, PurePosixPath

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from scripts.data.sources import SOURCES

FORMATS = {".parquet": "application/vnd.apache.parquet", ".json": "application/json", ".txt": "text/plain"}
BY_CONTENT = "ni:///sha-256;"


def describe_release(
    study: dict, run: dict, tables: dict[str, dict], data: dict[str, dict], hashed: dict[str, dict], **files: str | Path
) -> dict:
    """Return the RO-Crate metadata of a study's release.

    Tables are named by their path in the crate. Files that no release holds are named by a hash of their content
    (RFC 6920), so that the crate never points to a file that is not there.

    Args:
        study: {"title", "question"} of the study.
        run: {"made", "commit", "version"}: time, commit and version of the project.
        tables: name in the crate to {sha256, bytes}.
        data: path of a file that the run read to {sha256, bytes}; prepared data too.
        hashed: path of a prediction or model to {sha256, bytes}.
        files: `rules`, the study's rule file, and `citation`, the project's CITATION.cff.
    """
    rules = Path(files["rules"])
    cited = yaml.safe_load(Path(files["citation"]).read_text(encoding="utf-8"))
    crate = ROCrate()
    _describe_project(crate, cited, study, run)
    [(rule_file, _)] = _by_content({f"rules/{rules.name}": fingerprint(rules.read_bytes())})
    about = {"name": f"rules/{rules.name}", "sha256": rule_file["sha256"], "contentSize": str(rule_file["bytes"])}
    workflow = crate.add_workflow(
        content_id(rule_file["sha256"]), properties=about | {"version": run["commit"]}, main=True, lang="snakemake"
    )
    description = "settings, commit, packages, machine and run times of the run; sha256 of every file of the release"
    about = {"name": "release.json", "description": description, "encodingFormat": FORMATS[".json"]}
    crate.add_file(dest_path="release.json", properties=about)
    results = [crate.add_file(dest_path=name, properties=_properties(crate, [name], tables[name])) for name in tables]
    read, written = (
        [
            crate.add_file(content_id(entry["sha256"]), properties=_properties(crate, paths, entry))
            for entry, paths in _by_content(part)
        ]
        for part in (data, hashed)
    )
    action = {"@type": "CreateAction", "name": f"run of {study['title']}", "endTime": run["made"]}
    action = crate.add(ContextEntity(crate, "#run", action))
    action["instrument"], action["object"], action["result"] = workflow, read, [*results, *written]
    crate.root_dataset["mentions"] = action
    return crate.metadata.generate()


def files_of(metadata: dict) -> dict[str, dict]:
    """Return path -> {sha256, bytes} of every file that a crate of `describe_release` names with its checksum."""
    files = {}
    for entity in metadata["@graph"]:
        if "sha256" in entity and "ComputationalWorkflow" not in entity["@type"]:
            names = entity["name"] if isinstance(entity["name"], list) else [entity["name"]]
            about = {"sha256": entity["sha256"], "bytes": int(entity["contentSize"])}
            files |= dict.fromkeys(names, about)
    return files


def fingerprint(content: bytes) -> dict:
    """Return {sha256, bytes} of bytes."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def content_id(sha256: str) -> str:
    """Return the RFC 6920 name of a file, made of its hash."""
    return BY_CONTENT + base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")


def _by_content(files: dict[str, dict]) -> list[tuple[dict, list[str]]]:
    """Return (entry, paths) of every distinct content; files with the same content share one entry."""
    by_hash: dict[str, tuple[dict, list[str]]] = {}
    for path, entry in files.items():
        by_hash.setdefault(entry["sha256"], (entry, []))[1].append(path)
    return list(by_hash.values())


def _describe_project(crate: ROCrate, cited: dict, study: dict, run: dict) -> None:
    """Fill in title, authors, licence and sources of the project."""
    crate.name = f"{cited['title']}: {study['title']}"
    crate.description = f"{study['question'].strip()} The measured numbers of one run, and the hashes of the rest."
    crate.datePublished = run["made"]
    crate.keywords = ", ".join(cited.get("keywords", []))
    crate.root_dataset["version"] = run["version"]
    crate.license = crate.add(
        ContextEntity(
            crate,
            f"https://spdx.org/licenses/{cited['license']}",
            {"@type": "CreativeWork", "name": cited["license"]},
        )
    )
    crate.creator = _authors(crate, cited["authors"])
    crate.root_dataset["citation"] = [_reference(crate, entry) for entry in cited.get("references", [])]


def _authors(crate: ROCrate, authors: list[dict]) -> list[ContextEntity]:
    """Return an entity per author: a person, or an organization if only one name is given."""
    entities = []
    for author in authors:
        person = "family-names" in author
        name = f"{author.get('given-names', '')} {author['family-names']}".strip() if person else author["name"]
        about = {"@type": "Person" if person else "Organization", "name": name}
        entities.append(crate.add(ContextEntity(crate, f"#{'-'.join(name.split())}", about)))
    return entities


def _reference(crate: ROCrate, entry: dict) -> ContextEntity:
    """Return the entity of a source that the project replicates or uses."""
    kind = "SoftwareSourceCode" if entry["type"].startswith("software") else "ScholarlyArticle"
    about = {"@type": kind, "name": entry["title"], "datePublished": str(entry.get("year", ""))}
    address = entry.get("repository-code") or entry.get("url") or f"#{'-'.join(entry['title'].split())}"
    reference = crate.add(ContextEntity(crate, address, about))
    reference["author"] = _authors(crate, entry["authors"])
    return reference


def _properties(crate: ROCrate, paths: list[str], entry: dict) -> dict:
    """Return the properties of a file: names, checksum, size, format, and its licence if the sources state one."""
    about = {"name": paths[0] if len(paths) == 1 else paths}
    about |= {"sha256": entry["sha256"], "contentSize": str(entry["bytes"])}
    name = PurePosixPath(paths[0])
    if name.suffix in FORMATS:
        about["encodingFormat"] = FORMATS[name.suffix]
    source = (SOURCES["packages"] | SOURCES["files"]).get(name.name)
    if source:
        licence = {"@type": "CreativeWork", "name": source["licence"]}
        about["license"] = {"@id": crate.add(ContextEntity(crate, f"#licence-of-{name.name}", licence)).id}
    return about
