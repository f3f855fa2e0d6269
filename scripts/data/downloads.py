"""Download of one large file: several addresses, resume, retries with backoff, and a checksum before use."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import gdown
import requests
from gdown.exceptions import DownloadError, FileURLRetrievalError

from scripts.common.errors import UserError
from scripts.common.files import as_user_error, checksum
from scripts.common.logs import SECONDS_BETWEEN_LINES, log

ZIP_MAGIC = b"PK\x03\x04"
CONNECT_SECONDS = 15.0


def fetch_file(
    path: str | Path,
    addresses: list[dict[str, str]],
    size: int,
    sha256: str,
    by_hand: str,
    magic: bytes = ZIP_MAGIC,
    stall_seconds: float = 60.0,
    retries: int = 5,
) -> None:
    """Download a file and move it to `path` once its first bytes, size and sha256 are verified.

    The addresses are tried in order; each is {"url": ...} or {"id": ...}, a file on Google Drive. An interrupted or
    stalled connection (no byte for `stall_seconds`) is resumed up to `retries` times, and again by the next run: the
    part received so far stays beside `path` under a name ending in .part.

    Args:
        size: bytes expected.
        by_hand: how a user can get the file manually, for the error message.

    Raises:
        UserError: no address gave the file (the message names the fault of each and the manual way), or the disk is
            full.
    """
    path = Path(path)
    expected = (size, sha256, magic)
    faults = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for number, address in enumerate(addresses):
            unverified = path.with_name(f"unverified-{number}-{path.name}")  # parts of two addresses never mix
            fault = _try_address(address, unverified, expected, (CONNECT_SECONDS, stall_seconds), retries)
            if fault is None:
                os.utime(unverified)  # gdown may set the server's date, which would look out of date to Snakemake
                unverified.replace(path)
                for leftover in path.parent.glob(f"unverified-?-{path.name}*"):
                    leftover.unlink()
                return
            faults.append(f"{address.get('url', 'Google Drive')}: {fault}")
            log.warning("%s: %s", path.name, faults[-1])
    except OSError as error:
        raise as_user_error(error, path) from error
    raise UserError(
        f"{path.name} (sha256 {sha256} expected) could not be downloaded. {'; '.join(faults)}. By hand: {by_hand}"
    )


def _try_address(
    address: dict[str, str],
    unverified: Path,
    expected: tuple[int, str, bytes],
    timeout: tuple[float, float],
    retries: int,
) -> str | None:
    """Download from one address into `unverified`; return the fault, or None."""
    for part in _parts(unverified):
        if part.stat().st_size >= expected[0]:  # complete, but the last run ended before checking it
            part.replace(unverified)
    if unverified.exists() and _wrong_content(unverified, *expected) is None:
        return None
    unverified.unlink(missing_ok=True)
    resumed = bool(_parts(unverified))
    fault, unusable = _receive(address, unverified, timeout, retries)
    if fault is None:
        fault = _wrong_content(unverified, *expected)
        unusable = fault is not None
    if unusable:
        for file in [unverified, *_parts(unverified)]:
            file.unlink(missing_ok=True)
        if resumed:  # the old part may be the cause, so this address starts afresh
            return _try_address(address, unverified, expected, timeout, retries)
    return fault


def _receive(
    address: dict[str, str], unverified: Path, timeout: tuple[float, float], retries: int
) -> tuple[str | None, bool]:
    """Run the download; return its fault, if any, and whether the server refuses to resume the existing part."""
    log.info("fetching %s", address)
    try:
        gdown.download(
            **address,
            output=str(unverified),
            quiet=not os.isatty(2),
            resume=True,
            use_cookies=False,
            timeout=timeout,
            retries=retries,
            progress=_reporter(unverified.name),
        )
    except (requests.RequestException, FileURLRetrievalError) as error:
        return _one_line(error), False
    except DownloadError as error:
        return _one_line(error), not isinstance(error.__cause__, requests.RequestException)
    return None, False


def _wrong_content(file: Path, size: int, sha256: str, magic: bytes) -> str | None:
    """Return the fault of a received file, or None."""
    with file.open("rb") as opened:
        start = opened.read(512)
    if not start.startswith(magic):
        if start.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")):
            return "gave an HTML page instead of the file (often a notice that the download quota is used up)"
        return f"gave something else, which begins with {start[:8]!r} (expected {magic!r})"
    got_size = file.stat().st_size
    if got_size != size:
        return f"gave {got_size:,} bytes, expected {size:,} (sha256 {checksum(file)}, expected {sha256})"
    if (got := checksum(file)) != sha256:
        return f"gave a file with the sha256 {got}, expected {sha256}"
    return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _parts(unverified: Path) -> list[Path]:
    """Return gdown's partial files of a download, named `NAME` + eight characters + `.part`."""
    return list(unverified.parent.glob(f"{unverified.name}????????.part"))


def _reporter(label: str) -> Callable[[int, int | None], None]:
    """Return a callback that logs the number of bytes received every ten seconds."""
    last = time.monotonic()

    def report(done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            log.info("%s: %.0f of %.0f MB", label, done / 1e6, (total or 0) / 1e6)

    return report
