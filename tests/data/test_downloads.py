"""The download chain against a real HTTP server on this machine.

Google Drive's own pages cannot be tried here; everything else is the same code.
"""

import hashlib
import http.server
import io
import os
import re
import threading
import time
import zipfile
from dataclasses import dataclass, field

import numpy as np
import pytest

from scripts.common.errors import UserError
from scripts.data.downloads import fetch_file
from scripts.data.fetch_celeba_images import fetch_images

SIZE = 2_200_000  # several of the pieces in which a download is written
BY_HAND = "get it elsewhere and set faces.celeba"


def make_zip(seed):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("noise.bin", np.random.default_rng(seed).bytes(SIZE))
    return packed.getvalue()


GOOD, OTHER = make_zip(1), make_zip(2)
HTML = b"<!DOCTYPE html><html><body>Quota exceeded</body></html>"


@dataclass
class Page:
    """How the server answers at one path."""

    content: bytes = GOOD
    status: int = 200
    cuts: int = 0  # this many answers end half-way
    stalls: bool = False  # a cut answer keeps the connection open instead
    ranges: bool = True
    waited_out: bool = False  # the client did not give a stalled answer up
    asked: list[str | None] = field(default_factory=list)  # the Range header of each request


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = self.server.pages[self.path]
        wanted = self.headers.get("Range")
        page.asked.append(wanted)
        start = offset(wanted) if wanted and page.ranges else 0
        body = page.content[start:]
        self.send_response(206 if start else page.status)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(page.content) - 1}/{len(page.content)}")
        self.end_headers()
        if page.cuts > 0:
            page.cuts -= 1
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if page.stalls:
                page.waited_out = not self.server.over.wait(10)
            return
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.pages, running.over = {}, threading.Event()
    running.handle_error = lambda *arguments: None  # a client that goes away is part of these tests
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    running.over.set()
    running.shutdown()
    thread.join()
    running.server_close()


def fetch(server, path, pages, **settings):
    """Fetch GOOD from the given pages, in order, to `path`."""
    server.pages = {f"/{number}.zip": page for number, page in enumerate(pages)}
    port = server.server_address[1]
    addresses = [{"url": f"http://127.0.0.1:{port}{name}"} for name in server.pages]
    settings = {"retries": 1, "stall_seconds": 5.0, **settings}
    fetch_file(path, addresses, len(GOOD), hashlib.sha256(GOOD).hexdigest(), BY_HAND, **settings)


def offset(header):
    return int(re.fullmatch(r"bytes=(\d+)-", header)[1])


def test_a_good_download_leaves_nothing_but_the_file(server, tmp_path):
    path = tmp_path / "new" / "images.zip"
    fetch(server, path, [Page()])
    assert path.read_bytes() == GOOD
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("stalls", [False, True], ids=["cut", "stalled"])
def test_a_broken_connection_is_taken_up_where_it_broke(server, tmp_path, stalls):
    page = Page(cuts=1, stalls=stalls)
    fetch(server, tmp_path / "images.zip", [page], stall_seconds=0.5)
    assert (tmp_path / "images.zip").read_bytes() == GOOD
    assert not page.waited_out
    first, second = page.asked
    assert first is None
    assert len(GOOD) // 3 < offset(second) <= len(GOOD) // 2


def test_the_next_run_takes_up_the_part_of_the_last(server, tmp_path):
    path = tmp_path / "images.zip"
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch(server, path, [Page(cuts=1)], retries=0)
    assert not path.exists()
    (part,) = tmp_path.iterdir()
    assert part.suffix == ".part" and part.stat().st_size > len(GOOD) // 3
    reached = part.stat().st_size
    page = Page()
    fetch(server, path, [page])
    assert path.read_bytes() == GOOD
    assert offset(page.asked[-1]) == reached
    assert list(tmp_path.iterdir()) == [path]


def test_a_whole_part_is_used_without_a_request(server, tmp_path):
    part = tmp_path / "unverified-0-images.zipabcdefgh.part"
    part.write_bytes(GOOD)
    os.utime(part, (0, 0))
    page = Page()
    fetch(server, tmp_path / "images.zip", [page])
    assert (tmp_path / "images.zip").read_bytes() == GOOD
    assert page.asked == []
    assert time.time() - (tmp_path / "images.zip").stat().st_mtime < 600  # an old date would look out of date


@pytest.mark.parametrize("ranges", [True, False], ids=["spoiled part", "server without ranges"])
def test_a_part_that_leads_nowhere_is_thrown_away_and_fetched_anew(server, tmp_path, ranges):
    (tmp_path / "unverified-0-images.zipabcdefgh.part").write_bytes(OTHER[:1000])
    page = Page(ranges=ranges)
    fetch(server, tmp_path / "images.zip", [page])
    assert (tmp_path / "images.zip").read_bytes() == GOOD
    assert page.asked[-1] is None


@pytest.mark.parametrize(
    "bad",
    [Page(OTHER), Page(HTML), Page(status=404), Page(status=503), Page(GOOD[:-1])],
    ids=["checksum", "html", "404", "503", "size"],
)
def test_a_bad_answer_leads_to_the_next_address(server, tmp_path, bad):
    fetch(server, tmp_path / "images.zip", [bad, Page()])
    assert (tmp_path / "images.zip").read_bytes() == GOOD
    assert list(tmp_path.iterdir()) == [tmp_path / "images.zip"]


def test_when_all_fail_one_line_names_file_faults_sums_and_the_manual_way(server, tmp_path):
    with pytest.raises(UserError) as error:
        bad = [Page(OTHER), Page(HTML), Page(status=404), Page(b"\x1f\x8bx"), Page(GOOD[:-1])]
        fetch(server, tmp_path / "images.zip", bad)
    line = str(error.value)
    assert "\n" not in line
    assert line.startswith("images.zip")
    assert hashlib.sha256(GOOD).hexdigest() in line and hashlib.sha256(OTHER).hexdigest() in line
    for word in ("HTML page", "quota", "404", "something else", f"gave {len(GOOD) - 1:,} bytes", BY_HAND):
        assert word in line
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_server_is_named(server, tmp_path):
    with pytest.raises(UserError, match="refused"):
        fetch_file(tmp_path / "x.zip", [{"url": "http://127.0.0.1:9/x.zip"}], 1, "0" * 64, BY_HAND, retries=0)


def test_the_rule_asks_for_the_terms_first_and_then_takes_the_first_address(server, tmp_path):
    server.pages = {"/images.zip": Page()}
    file = {
        "urls": [f"http://127.0.0.1:{server.server_address[1]}/images.zip"],
        "google_drive": "not reached",
        "bytes": len(GOOD),
        "sha256": hashlib.sha256(GOOD).hexdigest(),
        "by_hand": BY_HAND,
    }
    with pytest.raises(UserError, match="accept_terms"):
        fetch_images(file, False, tmp_path / "images.zip")
    assert server.pages["/images.zip"].asked == []
    fetch_images(file, True, tmp_path / "images.zip")
    assert (tmp_path / "images.zip").read_bytes() == GOOD
