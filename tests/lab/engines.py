"""Firefox and WebKitGTK (the family of Safari), driven through the protocols that they speak themselves.

Firefox speaks WebDriver BiDi, WebKitGTK's MiniBrowser WebDriver; both need a screen, or for WebKit one that is made up.
What is asked of a page is a JavaScript function with arguments, which may return a promise; keys are real ones.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
import websocket

KEYS = {"Control": "\ue009", "Shift": "\ue008", "Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004"}
MINI_BROWSERS = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser"
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "ui.prefersReducedMotion": 1,
}
SECONDS = 120


class Page(Protocol):
    """The one tab of a browser."""

    def open(self, url: str) -> None:
        """Go to a page and wait until it has loaded."""

    def ask(self, function: str, *arguments: Any) -> Any:
        """What a function of the page returns, as JSON has it."""

    def press(self, *keys: str) -> None:
        """Press these keys together."""


def strokes(keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """The keys down in their order and up in the other, as both protocols want it."""
    named = [KEYS.get(key, key) for key in keys]
    down = [{"type": "keyDown", "value": key} for key in named]
    up = [{"type": "keyUp", "value": key} for key in reversed(named)]
    return [{"type": "key", "id": "keyboard", "actions": down + up}]


def need(name: str, *programs: str) -> None:
    """Skip where one of the programs is missing; in CI that is a failure."""
    if missing := [program for program in programs if not shutil.which(program)]:
        give_up(f"{name} cannot be driven here: {', '.join(missing)} is not installed.")


def give_up(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running(command: list[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A program, ended with everything it has started."""
    process = subprocess.Popen(command, text=True, start_new_session=True, **options)
    try:
        yield process
    finally:
        for end in (process.terminate, process.kill):
            if process.poll() is None:
                end()
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    continue


class FirefoxPage:
    """Firefox, by WebDriver BiDi."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(f"{address}/session", suppress_origin=True, timeout=SECONDS)
        self._numbers = count(1)
        self.command("session.new", capabilities={})
        self._tab = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **given: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while (answer := json.loads(self._socket.recv())).get("id") != number:
            pass
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['message']}")
        return answer["result"]

    def open(self, url: str) -> None:
        self.command("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def ask(self, function: str, *arguments: Any) -> Any:
        source = f"Promise.resolve(({function})(...{json.dumps(arguments)})).then((it) => JSON.stringify(it ?? null))"
        said = self.command("script.evaluate", expression=source, target={"context": self._tab}, awaitPromise=True)
        if said["type"] == "exception":
            raise RuntimeError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    def press(self, *keys: str) -> None:
        self.command("input.performActions", context=self._tab, actions=strokes(keys))


@contextmanager
def firefox() -> Iterator[Page]:
    """Firefox without a window, in a profile of its own."""
    program = "firefox-esr" if shutil.which("firefox-esr") else "firefox"
    need("Firefox", program)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f'user_pref("{name}", {json.dumps(value)});\n' for name, value in PREFERENCES.items()]
        Path(profile, "user.js").write_text("".join(lines))
        command = [program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        log = Path(profile, "log.txt")
        with log.open("w") as output, running(command, stdout=output, stderr=output) as process:
            page = FirefoxPage(told_in(log, "WebDriver BiDi listening on ", process))
            yield page
            page.command("browser.close")
            process.wait(timeout=20)


def told_in(log: Path, words: str, process: subprocess.Popen[str]) -> str:
    """The rest of the line of a log that begins with these words, once it is there."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        text = log.read_text()
        if words in text and "\n" in (rest := text.split(words)[1]):
            return rest.splitlines()[0].strip()
        time.sleep(0.1)
    raise RuntimeError(f"It did not start:\n{log.read_text()[-1000:]}")


class WebKitPage:
    """WebKitGTK's MiniBrowser, by WebDriver."""

    def __init__(self, address: str, browser: Path) -> None:
        self._address = address
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        end = time.monotonic() + SECONDS
        while True:
            try:
                session = self.command("POST", "/session", capabilities={"alwaysMatch": wanted})
                break
            except urllib.error.URLError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
        self._address = f"{address}/session/{session['sessionId']}"
        self.command("POST", "/timeouts", script=1000 * SECONDS, pageLoad=1000 * SECONDS)

    def command(self, method: str, path: str, **given: Any) -> Any:
        body = json.dumps(given).encode() if method == "POST" else None
        request = urllib.request.Request(
            self._address + path, body, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {json.load(error)['value']['message']}") from None

    def open(self, url: str) -> None:
        self.command("POST", "/url", url=url)

    def ask(self, function: str, *arguments: Any) -> Any:
        source = f"""
            const done = arguments[arguments.length - 1];
            Promise.resolve(({function})(...{json.dumps(arguments)})).then(
                (it) => done(JSON.stringify({{ it: it ?? null }})),
                (error) => done(JSON.stringify({{ error: String(error) }})),
            );
        """
        said = json.loads(self.command("POST", "/execute/async", script=source, args=[]))
        if "error" in said:
            raise RuntimeError(said["error"])
        return said["it"]

    def press(self, *keys: str) -> None:
        self.command("POST", "/actions", actions=strokes(keys))

    def close(self) -> None:
        self.command("DELETE", "")


@contextmanager
def webkit() -> Iterator[Page]:
    """WebKitGTK's MiniBrowser on a screen that nobody sees."""
    need("WebKitGTK", "WebKitWebDriver", "xvfb-run")
    browsers = sorted(path for pattern in MINI_BROWSERS for path in Path("/").glob(pattern.lstrip("/")))
    if not browsers:
        give_up("WebKitGTK cannot be driven here: it has no MiniBrowser.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), home)
        port = free_port()
        command = ["xvfb-run", "--auto-servernum", "WebKitWebDriver", f"--port={port}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with running(command, env={**os.environ, **places}, **quiet):
            page = WebKitPage(f"http://127.0.0.1:{port}", browsers[-1])
            try:
                yield page
            finally:
                page.close()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
