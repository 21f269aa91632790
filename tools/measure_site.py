"""Measure the built site as a reader meets it: ``python -m tools.measure_site`` (after ``make book``).

For each page, in Chromium with an empty cache, from a server on this machine:

- the bytes it asks for, as they are and compressed with gzip (as a web server would send them);
- how long until a slider answers: from the request to the picture that a key on the first slider has changed;
- how long from a slider's move to the repaint of its figure, 95th percentile over moves on every slider.

A page over a bar is measured again, up to three times, and the best of each measure counts: other work on the machine
can only make a page slower. The numbers are printed as a table under the bars of the project and saved as JSON; the
exit status is 1 if one is over its bar. ``--site FOLDER`` measures another site, such as a preview of
tools/build_book.py.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import json
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.build_book import BUILD

SITE = BUILD / "html"
REPORT = "site-measures.json"
COLUMNS = ("MB", "compressed_MB", "slider_answers_s", "repaint_p95_ms")
BARS = {"compressed_MB": 2.0, "slider_answers_s": 2.0, "repaint_p95_ms": 16.0}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TRIES = 3
COMPRESSED_ALREADY = (".woff", ".woff2", ".png", ".jpg")

# Moves each slider by keys. A move costs its handler and the next frame, from the frame's start until it is painted;
# the wait for the screen between the two is not work and not counted.
MOVE_SLIDERS = """
async () => {
    const times = [];
    const nextFrame = () => new Promise(requestAnimationFrame);
    const painted = () => new Promise((done) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => done(performance.now());
        channel.port2.postMessage(0);
    });
    for (const figure of document.querySelectorAll(".uo-figure")) {
        figure.scrollIntoView({ block: "center" });
        await new Promise((done) => setTimeout(done, 250));
        for (const handle of figure.querySelectorAll(".noUi-handle")) {
            for (let k = 0; k < 30; k++) {
                const key = k < 15 ? "ArrowRight" : "ArrowLeft";
                await nextFrame();
                const begin = performance.now();
                handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
                const handled = performance.now() - begin;
                const frame = await nextFrame();
                times.push(handled + (await painted()) - frame);
            }
        }
    }
    return times;
}
"""

# Moves the first slider as soon as it is there, until the picture changes; when that was.
FIRST_ANSWER = """
async () => {
    const figure = document.querySelector(".uo-figure");
    const canvas = figure.querySelector("canvas.uo-main, .uo-chart canvas");
    const before = canvas.toDataURL();
    const handle = figure.querySelector(".noUi-handle");
    while (canvas.toDataURL() === before) {
        handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
        await new Promise(requestAnimationFrame);
    }
    return performance.now();
}
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def compressed_size(name: str, body: bytes) -> int:
    """The bytes that a web server with gzip would send."""
    return len(body) if name.endswith(COMPRESSED_ALREADY) else len(gzip.compress(body, 6))


def measure(browser, site: Path, address: str, path: str) -> dict[str, float]:
    """The measures of one page, in a browser context with an empty cache."""

    def local_file(url: str) -> Path:
        return site / unquote(urlsplit(url).path).lstrip("/")

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    files: set[Path] = set()
    page.on("response", lambda r: r.url.startswith(address) and files.add(local_file(r.url)))
    page.goto(f"{address}/{path}")
    found: dict[str, float] = {}
    if "data-figure=" in (site / path).read_text(encoding="utf-8"):
        page.wait_for_selector(".uo-explorer[data-ready=true]")
        found["slider_answers_s"] = page.evaluate(FIRST_ANSWER) / 1000
        found["repaint_p95_ms"] = percentile(page.evaluate(MOVE_SLIDERS), 0.95)
    page.wait_for_load_state("networkidle")
    found["MB"] = sum(file.stat().st_size for file in files) / 1e6
    found["compressed_MB"] = sum(compressed_size(file.name, file.read_bytes()) for file in files) / 1e6
    context.close()
    return found


def over(found: dict[str, float]) -> list[str]:
    """The measures that are over their bars."""
    return [name for name, bar in BARS.items() if found.get(name, 0) > bar]


def best_of(take: Callable[[], dict[str, float]], tries: int = TRIES) -> dict[str, float]:
    """The smallest of each measure, measuring again while one is over its bar."""
    found = take()
    for _ in range(tries - 1):
        if not over(found):
            break
        again = take()
        found = {name: min(value, again[name]) for name, value in found.items()}
    return found


def row(name: str, values: dict[str, float], note: str = "") -> str:
    """A line of the table."""
    numbers = (f"{values[column]:.2f}" if column in values else "" for column in COLUMNS)
    return f"{name:24}" + "".join(f"{number:>18}" for number in numbers) + note


def measured(site: Path, program: str) -> dict[str, dict[str, float]]:
    """The measures of every page of a site, printed as they come."""
    from playwright.sync_api import sync_playwright

    report = {}
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for file in sorted((site / "chapters").glob("*.html")):
            path = file.relative_to(site).as_posix()
            take = functools.partial(measure, browser, site, f"http://127.0.0.1:{server.server_port}", path)
            report[path] = best_of(take)
            missed = over(report[path])
            print(row(file.stem, report[path], f"  OVER: {', '.join(missed)}" if missed else ""), flush=True)
        browser.close()
        server.shutdown()
    return report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.measure_site", description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=SITE, metavar="FOLDER", help="the site's html folder")
    site = parser.parse_args(arguments).site.resolve()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program or not (site / "index.html").exists():
        print("The site is measured in Chromium, after make book: one of the two is missing.", file=sys.stderr)
        return 1
    print(f"{'page':24}" + "".join(f"{column:>18}" for column in COLUMNS))
    print(row("bar", BARS), flush=True)
    report = measured(site, program)
    worst = {column: max((found.get(column, 0) for found in report.values()), default=0) for column in COLUMNS}
    print(row("worst", worst))
    text = json.dumps({"bars": BARS, "worst": worst, "pages": report}, indent=1)
    (site.parent / REPORT).write_text(text + "\n", encoding="utf-8")
    print(f"Saved as {site.parent / REPORT}")
    return 1 if any(map(over, report.values())) else 0


if __name__ == "__main__":
    sys.exit(main())
