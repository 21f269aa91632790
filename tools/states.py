"""The pages of the site and the states in which readers see them: one table for pictures, measures and tests."""

from __future__ import annotations

import functools
import http.server
import itertools
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOUND_BY_SEARCH = "search.html?q=adam"
# A phone, a tablet, a laptop, a large screen.
WIDTHS = (390, 820, 1280, 1920)
HEIGHT = 900
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class State:
    """A page as a reader with this screen and these colors has it."""

    path: str
    width: int
    scheme: str

    @property
    def name(self) -> str:
        return f"{Path(self.path.partition('?')[0]).stem}-{self.width}-{self.scheme}"


def pages(site: Path = SITE) -> list[str]:
    """The pages of a built site, and one of its search."""
    return [*sorted(f"chapters/{page.name}" for page in site.glob("chapters/*.html")), FOUND_BY_SEARCH]


def states(paths: Iterable[str], widths: Iterable[int] = WIDTHS, schemes: Iterable[str] = SCHEMES) -> Iterator[State]:
    """Every page on every screen in every color scheme."""
    return itertools.starmap(State, itertools.product(paths, widths, schemes))


def program() -> str | None:
    """Where Chromium is, if it is."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that does not tell of each request."""

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def served(site: Path, handler: type[http.server.SimpleHTTPRequestHandler] = Quiet) -> Iterator[str]:
    """The address of a server of a folder, for as long as the block runs."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# Scrolls through the page, so that what waits for the reader is there, and waits for its figures.
ALL_THERE = """
async () => {
    await document.fonts.ready;
    if (document.querySelector("[data-figure]")) await window.figuresShown;
    for (const figure of document.querySelectorAll("[data-figure]")) {
        figure.scrollIntoView({ block: "center", behavior: "instant" });
        const root = figure.querySelector(".uo-explorer");
        const end = performance.now() + 15000;
        while (root.dataset.ready !== "true" && !root.matches(".uo-failed") && performance.now() < end)
            await new Promise((done) => setTimeout(done, 30));
    }
    scrollTo(0, 0);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}
"""


def open_whole(page, address: str) -> None:
    """Open a page of the site in a browser's page, with all of its figures drawn."""
    page.goto(address, wait_until="load")
    page.evaluate(ALL_THERE)
