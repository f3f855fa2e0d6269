"""A real browser for tests: Chromium, driven over its debugging pipe, with no package in between."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--use-angle=swiftshader"]
FLAGS += ["--enable-unsafe-swiftshader", "--window-size=1200,900", "--no-first-run", "--disable-dev-shm-usage"]
PATIENCE = 60.0  # seconds; a browser that draws in software on a loaded machine is slow


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

    def key(self, name: str, text: str = "", code: int = 0) -> None:
        """Press and release a key; `text` is what it types, `code` its number on Windows."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, text=text)

    def settle(self) -> None:
        """Wait until two frames have been drawn, so that what a script changed is there."""
        frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
        self.send("Runtime.evaluate", expression=frames, awaitPromise=True)

    def faults(self) -> list[str]:
        """Return exceptions, errors in the console, and addresses outside this machine that were asked for."""
        found = []
        for event in self.events:
            method, about = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(str(about["exceptionDetails"]))
            elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
                found.append(about["entry"]["text"])
            elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
                found.append(str(about["args"]))
            elif method == "Network.requestWillBeSent":
                address = about["request"]["url"]
                found += [] if address.split(":")[0] in ("file", "data", "blob") else [address]
        return found


def open_browser(address: str, profile: str) -> Browser:
    """Return a browser with the page open; skip the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the page is not tried in a browser")
    return Browser(address, profile)
