"""Measure the lab as a reader meets it: ``python -m tools.measure_lab`` (after ``make book``).

In Chromium, from a server on this machine, at full speed and with the browser's processes held to a quarter of their
time (what a browser's own slowdown does not reach is the worker in which Python runs):

- from the first *Check* to its verdict, with nothing in the cache, and on a later page (the median of three);
- a further check: the median over the solutions of a page;
- from the pause in typing into a figure's optimizer (a quarter of a second after the last letter) to the picture that
  it changes, for each rule; 95th percentile.

And the bytes of a page, compressed as a web server would: as it opens, of these the lab's own, near the first exercise,
and at the first check. Nothing fails here: the table shows the bars. ``--site FOLDER`` measures another site.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from exercises.registry import chapters
from tools import states
from tools.lab import ENGINE
from tools.measure_site import SITE, compressed_size, percentile

REPORT = "lab-measures.json"
SHARES = {"full speed": 1.0, "a quarter": 0.25}
BARS = {"cold": 4.0, "later": 3.0, "check": 0.1, "edit": 0.4}
OWN_FILES = ("store.js", "reader.js", "lab.css")
PERIOD = 0.02
EDITS = 20

# The first check of a page, timed from the press of the button to the card.
FIRST_VERDICT = """
async ([id, source]) => {
    const place = document.querySelector(`[data-exercise="${id}"]`);
    place.scrollIntoView();
    while (!place.querySelector(".cm-content")) await new Promise((done) => setTimeout(done, 20));
    const text = place.querySelector("[role=textbox]");
    text.focus();
    getSelection().selectAllChildren(text);
    await new Promise((done) => setTimeout(done, 200));
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", source);
    text.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    const verdict = new Promise((done) => {
        new MutationObserver((_, it) => {
            if (!place.querySelector(".uo-judged .uo-card")) return;
            it.disconnect();
            done(performance.now());
        }).observe(place, { childList: true, subtree: true });
    });
    const begin = performance.now();
    place.querySelector("button[data-do=check]").click();
    return ((await verdict) - begin) / 1000;
}
"""
CHECKS = """
async (sources) => {
    const times = [];
    for (const [id, source] of [...sources, ...sources, ...sources]) {
        const begin = performance.now();
        await courseLab.check(id, source);
        times.push((performance.now() - begin) / 1000);
    }
    return times;
}
"""
# Edit one optimizer of a figure, again and again; the seconds from the pause to the picture.
EDIT = """
async ([name, entry, edits]) => {
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const figure = document.querySelector(`[data-figure="${name}"]`);
    figure.scrollIntoView();
    const starts = (button) => button.textContent.startsWith("Edit this optimizer");
    const lines = () => figure.querySelectorAll(".uo-own .cm-line").length;
    if (!lines()) [...figure.querySelectorAll("button")].find(starts).click();
    while (lines() < 3) await pause(50);
    const choice = figure.querySelector(".uo-own select");
    if (entry) {
        choice.value = entry;
        choice.dispatchEvent(new Event("change"));
        await pause(1000);
    }
    const text = figure.querySelector(".uo-own [role=textbox]");
    const next = (event) => new Promise((done) => figure.addEventListener(event, done, { once: true }));
    const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const times = [];
    for (let k = 0; k < edits; k++) {
        text.focus();
        getSelection().selectAllChildren(text.lastElementChild);
        getSelection().collapseToEnd();
        const pausing = next("figure-computing");
        const drawn = next("figure-edited");
        document.execCommand("insertText", false, k ? `${k}` : "  # ");
        await pausing;
        const begin = performance.now();
        await drawn;
        await painted();
        times.push((performance.now() - begin) / 1000);
    }
    const said = figure.querySelector(".uo-own-said").textContent;
    if (said) throw new Error(said);
    return times;
}
"""


@contextlib.contextmanager
def held_to(browser: Any, share: float) -> Iterator[None]:
    """Let the processes of the browser's pages run for this share of each moment only."""
    done = threading.Event()
    session = browser.new_browser_cdp_session()

    def pages() -> list[int]:
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return [int(process["id"]) for process in found if process["type"] == "renderer"]

    def send(number: int, held: list[int]) -> None:
        for process in held:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def hold(held: list[int]) -> None:
        while not done.is_set():
            begin = time.perf_counter()
            time.sleep(PERIOD * share)
            ran = time.perf_counter() - begin  # on a busy machine longer than that
            send(signal.SIGSTOP, held)
            time.sleep(ran * (1 - share) / share)
            send(signal.SIGCONT, held)

    holder = threading.Thread(target=hold, args=(pages(),), daemon=True)
    if share < 1:
        holder.start()
    try:
        yield
    finally:
        done.set()
        if share < 1:
            holder.join()


class Reader:
    """A browser with an empty cache, on one page after the other."""

    def __init__(self, browser: Any, site: Path, address: str) -> None:
        self.site, self.address = site, address
        self.page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.page.set_default_timeout(120_000)
        self.files: set[Path] = set()
        self.page.on(
            "response", lambda answer: answer.url.startswith(address) and self.files.add(self._file(answer.url))
        )

    def _file(self, url: str) -> Path:
        return self.site / unquote(urlsplit(url).path).lstrip("/")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/{path}")
        self.page.wait_for_load_state("networkidle")

    def kilobytes(self) -> float:
        """What has been fetched, compressed."""
        return sum(compressed_size(file.name, file.read_bytes()) for file in self.files if file.is_file()) / 1e3

    def close(self) -> None:
        self.page.context.close()


def rules_of(site: Path, pages: list[str]) -> dict[str, tuple[str, str, int]]:
    """Each optimizer that a figure lets edit: its page, its figure, its place in it; alone in a figure if it can be."""
    found: dict[str, tuple[int, tuple[str, str, int]]] = {}
    for path in pages:
        page = (site / path).read_text(encoding="utf-8")
        for tag in page.split('data-figure="')[1:]:
            name, rest = tag.split('"', 1)
            recipe = rest.split(">")[0].partition('data-recipe="')[2].split('"')[0]
            if not recipe:
                continue
            runners = json.loads((site / path).parent.joinpath(recipe).read_text(encoding="utf-8"))["runners"]
            for place, runner in enumerate(runners):
                rule = runner["optimizer"]["name"]
                if rule not in found or len(runners) < found[rule][0]:
                    found[rule] = len(runners), (path, name, place)
    return {rule: place for rule, (_, place) in sorted(found.items())}


def bytes_of(browser: Any, site: Path, address: str, path: str, ids: dict[str, str]) -> dict[str, float]:
    """The kilobytes of a page as it opens, near an exercise, and with the first check."""
    reader = Reader(browser, site, address)
    reader.open(path)
    opened = reader.kilobytes()
    own = [file for name in OWN_FILES if (file := site / "_static" / name).exists()]
    first = next(iter(ids))
    reader.page.locator(f'[data-exercise="{first}"]').scroll_into_view_if_needed()
    reader.page.locator(f'[data-exercise="{first}"] .cm-content').wait_for()
    near = reader.kilobytes()
    reader.page.evaluate("courseLab.ready()")
    engine = reader.page.evaluate("courseLab.bytes") / 1e3
    reader.close()
    lab = sum(compressed_size(file.name, file.read_bytes()) for file in own) / 1e3
    return {"opened": opened, "of it the lab's": lab, "near code": near, "first check": near + engine}


def measured(browser: Any, site: Path, address: str, paths: list[str], share: float) -> dict[str, float]:
    """The times of the lab, in seconds, with the browser's pages held to a share of their time."""
    answers = {
        int(number): {exercise.id: exercise.solution for exercise in exercises} for number, _, exercises in chapters()
    }
    of = {path: answers[int(path.split("/")[1][:2])] for path in paths}
    first, *laters = (paths[len(paths) * k // 4] for k in range(4))
    later = laters[-1]
    reader = Reader(browser, site, address)
    found: dict[str, float] = {}

    def verdict(path: str) -> float:
        reader.open(path)
        id, source = next(iter(of[path].items()))
        with held_to(browser, share):
            return reader.page.evaluate(FIRST_VERDICT, [id, source])

    found["cold"] = verdict(first)
    found["later"] = percentile([verdict(path) for path in laters], 0.5)
    with held_to(browser, share):
        found["check"] = percentile(reader.page.evaluate(CHECKS, list(of[later].items())), 0.5)
    now = later
    for rule, (path, figure, place) in rules_of(site, paths).items():
        if path != now:
            reader.open(path)
            now = path
        with held_to(browser, share):
            times = reader.page.evaluate(EDIT, [figure, place, EDITS])
        found[f"edit {rule}"] = percentile(times, 0.95)
    reader.close()
    return found


def row(name: str, bar: float | None, values: list[float]) -> str:
    """A line of the table of times."""
    return f"{name:34}{'' if bar is None else f'{bar:.2f}':>8}" + "".join(f"{value:14.3f}" for value in values)


WORDS = {"cold": "first check, nothing cached", "later": "first check of a later page", "check": "a further check"}


def main(arguments: list[str] | None = None) -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m tools.measure_lab", description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=SITE, metavar="FOLDER", help="the site's html folder")
    site = parser.parse_args(arguments).site.resolve()
    program = states.program()
    if not program or not (site / "_static" / ENGINE / "manifest.json").exists():
        print("The lab is measured in Chromium, after make book: one of the two is missing.", file=sys.stderr)
        return 1
    paths = [file.relative_to(site).as_posix() for file in sorted((site / "chapters").glob("[01][0-9]_*.html"))]
    report: dict[str, dict[str, float]] = {}
    with states.served(site) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, share in SHARES.items():
            report[name] = measured(browser, site, address, paths, share)
        ids = {e.id: e.solution for number, _, found in chapters() for e in found if number == int(paths[0][9:11])}
        sizes = bytes_of(browser, site, address, paths[0], ids)
        browser.close()
    print(f"{'the lab, in seconds':34}{'bar':>8}" + "".join(f"{name:>14}" for name in SHARES))
    for name in next(iter(report.values())):
        print(row(WORDS.get(name, name), BARS.get(name.split()[0]), [found[name] for found in report.values()]))
    print("\nkB of a page, compressed: " + ", ".join(f"{name} {size:.0f}" for name, size in sizes.items()))
    text = json.dumps({"bars": BARS, "seconds": report, "kB": sizes}, indent=1)
    (site.parent / REPORT).write_text(text + "\n", encoding="utf-8")
    print(f"Saved as {site.parent / REPORT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
