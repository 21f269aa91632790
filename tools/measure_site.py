"""Measure the built site as a reader meets it: ``python -m tools.measure_site`` (after ``make book``).

For each page, in Chromium with an empty cache, from a server on this machine:

- the bytes it asks for, as they are and compressed with gzip (as a web server would send them);
- how long until a slider answers: from the request to the picture that a key on the first slider has changed;
- how long from a slider's move to the repaint of its figure, 95th percentile over moves on every slider.

The numbers are printed beside the bars of the project and saved as JSON.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import shutil
import sys
import threading
from pathlib import Path

from tools.build_book import BUILD

HTML = BUILD / "html"
REPORT = BUILD / "site-measures.json"
BARS = {"compressed_MB": 2.0, "slider_answers_s": 2.0, "repaint_p95_ms": 16.0}
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
    const canvas = figure.querySelector("canvas.uo-main");
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


def measure(browser, address: str, path: str) -> dict[str, float]:
    """The measures of one page, in a browser context with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    files: set[Path] = set()
    page.on("response", lambda r: r.url.startswith(address) and files.add(local_file(r.url, address)))
    page.goto(f"{address}/{path}")
    found: dict[str, float] = {}
    if "widget-view+json" in (HTML / path).read_text(encoding="utf-8"):
        page.wait_for_selector(".uo-explorer[data-ready=true]")
        found["slider_answers_s"] = page.evaluate(FIRST_ANSWER) / 1000
        found["repaint_p95_ms"] = percentile(page.evaluate(MOVE_SLIDERS), 0.95)
    page.wait_for_load_state("networkidle")
    found["MB"] = sum(file.stat().st_size for file in files) / 1e6
    found["compressed_MB"] = sum(compressed_size(file.name, file.read_bytes()) for file in files) / 1e6
    context.close()
    return found


def local_file(url: str, address: str) -> Path:
    """The file of the site that an address stands for."""
    return HTML / url.removeprefix(f"{address}/").split("?")[0].split("#")[0]


def show(page: str, found: dict[str, float]) -> None:
    over = [name for name, bar in BARS.items() if found.get(name, 0) > bar]
    numbers = "  ".join(f"{name} {value:.2f}" for name, value in sorted(found.items()))
    print(f"{page:32} {numbers}{'  OVER: ' + ', '.join(over) if over else ''}", flush=True)


def main() -> int:
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if not executable or not (HTML / "index.html").exists():
        print("The site is measured in Chromium, after make book: one of the two is missing.", file=sys.stderr)
        return 1
    handler = functools.partial(Handler, directory=str(HTML))
    report = {}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for file in sorted((HTML / "chapters").glob("*.html")):
            path = file.relative_to(HTML).as_posix()
            report[path] = measure(browser, f"http://127.0.0.1:{server.server_port}", path)
            show(file.stem, report[path])
        browser.close()
        server.shutdown()
    print("Bars:", ", ".join(f"{name} <= {bar}" for name, bar in BARS.items()))
    REPORT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
