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


AT_REST = "at-rest"
# What a reader has done on a page; tools/uses.py does it.
USES = (AT_REST, "figures", "quizzes", "exercises", "cells")


@dataclass(frozen=True)
class State:
    """A page as a reader with this screen and these colors has it, after this use."""

    path: str
    width: int
    scheme: str
    use: str = AT_REST

    @property
    def name(self) -> str:
        words = (stem(self.path), self.width, self.scheme, *(use for use in (self.use,) if use != AT_REST))
        return "-".join(map(str, words))


def stem(path: str) -> str:
    """The name of a page without folder, suffix and question."""
    return Path(path.partition("?")[0]).stem


def is_chapter(path: str) -> bool:
    return stem(path)[0].isdigit()


def pages(site: Path = SITE) -> list[str]:
    """The pages of a built site, and one of its search."""
    return [*sorted(f"chapters/{page.name}" for page in site.glob("chapters/*.html")), FOUND_BY_SEARCH]


def states(
    paths: Iterable[str],
    widths: Iterable[int] = WIDTHS,
    schemes: Iterable[str] = SCHEMES,
    uses: Iterable[str] = (AT_REST,),
) -> Iterator[State]:
    """Every page on every screen in every color scheme after every use."""
    return itertools.starmap(State, itertools.product(paths, widths, schemes, uses))


def sampled(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every page at rest, and each chapter after one use, in turn: for what takes long.

    Yields
    ------
    path, use : str
    """
    paths = list(paths)
    yield from ((path, AT_REST) for path in paths)
    yield from zip(filter(is_chapter, paths), itertools.cycle(USES[1:]))


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
