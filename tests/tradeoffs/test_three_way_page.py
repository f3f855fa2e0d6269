"""The interactive page in a real browser: Chromium, driven over its debugging pipe."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

import pytest

from scripts.tradeoffs import figure_three_way, three_way_page
from tests.tradeoffs.synthetic import study

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--use-angle=swiftshader"]
FLAGS += ["--enable-unsafe-swiftshader", "--window-size=1200,900", "--no-first-run", "--disable-dev-shm-usage"]
PATIENCE = 60.0  # seconds; a browser that draws in software on a loaded machine is slow
MARK = "Boolean(document.querySelector('#plot .gl-container canvas')) && drawn"


class Browser:
    """One page: `evaluate` runs JavaScript in it, `send` any command of the DevTools protocol."""

    def __init__(self, address: str, profile: str):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4; above 20 neither is in the way of the other
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (theirs_in, theirs_out)]
        command = ["bash", "-c", 'exec "$@" 3<&{} 4>&{}'.format(*high), "bash", CHROMIUM, *FLAGS]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([*command, f"--user-data-dir={profile}", "about:blank"], pass_fds=high, **quiet)
        for end in (theirs_in, theirs_out, *high):
            os.close(end)
        self.input, self.output = os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb", 0)
        self.number, self.session, self.events, self.rest = 0, None, [], b""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Page", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Page.navigate", url=address)

    def send(self, method: str, **parameters) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        self.input.write(json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                assert select.select([self.output], [], [], PATIENCE)[0], f"the browser does not answer {method}"
                part = self.output.read(65536)
                assert part, "the browser has ended"
                self.rest += part
            line, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("id") == self.number:
                return answer.get("result", answer)
            self.events.append(answer)

    def evaluate(self, script: str):
        return self.send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def wait(self, script: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.evaluate(script):
            assert time.monotonic() < end, f"the page never came to: {script}"
            time.sleep(0.1)

    def press(self, x: float, y: float) -> None:
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            at = {"x": x, "y": y, "button": "left" if buttons or kind == "mouseReleased" else "none"}
            self.send("Input.dispatchMouseEvent", type=kind, buttons=buttons, clickCount=1, **at)
            time.sleep(0.3)  # the picture looks for the mark under the pointer when it draws next

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.send("Browser.close")
        self.process.wait(timeout=PATIENCE)
        self.input.close(), self.output.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the page is not tried in a browser")
    folder = tmp_path_factory.mktemp("page")
    frames = study(strengths=1, seeds=1)
    runs, metrics = (frames[name].replace({"method": {"plain": "<b>plain</b>"}}) for name in ("runs", "metrics"))
    points = figure_three_way.three_costs(metrics, runs)
    path = folder / "page.html"
    path.write_text(three_way_page.page(points, metrics, runs, "made-up models", "linf_0.01"), encoding="utf-8")
    browser = Browser(path.as_uri(), str(folder / "profile"))
    browser.wait("document.readyState === 'complete' && typeof show === 'function'")
    yield browser
    browser.close()


def test_a_name_in_the_table_opens_its_model_by_keyboard(browser):
    browser.evaluate("document.querySelector('tr:not([hidden]) button[data-model]').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.send(
            "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
        )
    browser.wait("panel.querySelector('h2').textContent === '<b>plain</b>'")
    words = browser.evaluate("panel.textContent")
    assert "share of clean images judged wrongly" in words and "attack size in training" in words
    assert browser.evaluate("panel.querySelector('b')") is None  # a name is text, not markup
    assert browser.evaluate("document.querySelectorAll('tr.chosen').length") == 1


def test_the_buttons_change_the_protocol(browser):
    shown = "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.dataset.protocol)"
    for protocol in ("as_published", "corrected"):
        browser.evaluate(f"document.querySelector('#protocols [data-protocol={protocol}]').click()")
        assert set(browser.evaluate(shown)) == {protocol}
        pressed = "document.querySelector('#protocols [aria-pressed=true]').dataset.protocol"
        assert browser.evaluate(pressed) == protocol


def test_a_click_on_a_mark_shows_its_model(browser):
    with contextlib.suppress(AssertionError):
        browser.wait(MARK)
    if not browser.evaluate(MARK):
        pytest.skip("this Chromium has no WebGL, not even in software: the picture cannot be clicked")
    for number in range(browser.evaluate("models.length")):
        name, protocol, kind = (browser.evaluate(f"models[{number}].{key}") for key in ("name", "protocol", "kind"))
        if kind != "efficient" or protocol != "corrected":
            continue
        browser.evaluate("panel.replaceChildren(); window.scrollTo(0, 0); show('corrected')")
        x, y = browser.evaluate(PLACE.format(number=number))
        browser.press(x, y)
        time.sleep(0.5)
        if browser.evaluate("panel.querySelector('h2')?.textContent") == name:
            browser.wait(f"traces.length && plot.data.at(-1).customdata[0] === {number}")  # the ring around it
            return
    pytest.fail("no click on the place of an efficient model opened it")


# Where a model's mark is on the page: its coordinates through the matrices of the picture's own camera.
PLACE = """(() => {{
  const scene = plot._fullLayout.scene._scene, glplot = scene.glplot, at = models[{number}].at;
  const {{ model, view, projection }} = glplot.cameraParams;
  let p = [...at.map((value, axis) => value * scene.dataScale[axis]), 1];
  for (const m of [model, view, projection]) {{
    p = [0, 1, 2, 3].map((row) => p.reduce((sum, value, k) => sum + m[4 * k + row] * value, 0));
  }}
  const box = plot.querySelector('canvas').getBoundingClientRect();
  return [box.left + (0.5 + p[0] / p[3] / 2) * box.width, box.top + (0.5 - p[1] / p[3] / 2) * box.height];
}})()"""


def test_the_browser_found_no_error_and_asked_for_nothing(browser):
    faults = [event for event in browser.events if event.get("method") == "Runtime.exceptionThrown"]
    logged = [event["params"]["entry"] for event in browser.events if event.get("method") == "Log.entryAdded"]
    assert not faults
    assert not [entry["text"] for entry in logged if entry["level"] == "error"]
    asked = [e["params"]["request"]["url"] for e in browser.events if e.get("method") == "Network.requestWillBeSent"]
    assert not [address for address in asked if address.split(":")[0] not in ("file", "data", "blob")]
