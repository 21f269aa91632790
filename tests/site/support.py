"""What the tests of the site share: its pages, a page that is watched, and the figures on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Locator, Page

from tools import build_book, states

# An author at work names a preview (tools/build_book.py) here; everyone else tests the whole site.
PREVIEW = os.environ.get("COURSE_SITE")
HTML = Path(PREVIEW).resolve() if PREVIEW else states.SITE
SOURCES = [path for pattern in ("*.md", "*.ipynb") for path in (build_book.ROOT / "chapters").glob(pattern)]
PAGES = sorted(f"chapters/{path.stem}.html" for path in (HTML.glob("chapters/*.html") if PREVIEW else SOURCES))
# With the search, what tools/states.py has in its table: what is tested is what pictures are taken of.
EVERYWHERE = [*PAGES, states.FOUND_BY_SEARCH]
CHAPTERS = [page for page in PAGES if page.split("/")[1][0].isdigit()]


def script(name: str) -> str:
    """What a script of this folder asks a page."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").rstrip().rstrip(";")


@dataclass
class Watched:
    """A page with a record of everything that went wrong on it."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> Watched:
        self.page.on("console", lambda m: m.type == "error" and self.wrong.append(f"console: {m.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("requestfailed", lambda r: self.wrong.append(f"failed: {r.url} ({r.failure})"))
        self.page.on("response", lambda r: r.status >= 400 and self.wrong.append(f"{r.status}: {r.url}"))
        self.page.on("request", self._judge_request)
        self.page.context.route("**/*", self._cut_network)
        return self

    def _is_own(self, url: str) -> bool:
        return url.startswith((self.base, "data:", "blob:"))

    def _judge_request(self, request) -> None:
        if not self._is_own(request.url):
            self.wrong.append(f"off the site: {request.url}")

    def _cut_network(self, route) -> None:
        if self._is_own(route.request.url):
            route.continue_()
        else:
            route.abort()

    def open(self, path: str) -> Page:
        """Open a page of the site and wait until its figures are there."""
        self.page.goto(f"{self.base}/{path}", wait_until="load")
        self.page.wait_for_function(
            """() => {
                const figures = document.querySelector("[data-figure]");
                return !figures || document.documentElement.dataset.widgets === "ready";
            }""",
            timeout=20_000,
        )
        self.page.evaluate("() => document.fonts.ready.then(() => null)")
        return self.page


def figures(page: Page) -> Iterator[Locator]:
    """Each figure of the page, scrolled to and drawn: the sliders' frame and the explorer in it."""
    found = page.locator(".uo-figure")
    for index in range(found.count()):
        figure = found.nth(index)
        figure.scroll_into_view_if_needed()
        figure.locator(".uo-explorer[data-ready=true]").wait_for()
        settle(page)
        yield figure


def settle(page: Page) -> None:
    """Wait until what was asked for is on the screen."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


def picture(figure: Locator) -> int:
    """A digest of what a figure is about: its paths on the surface, or all of its curves."""
    drawn = "f => [f.querySelector('canvas.uo-main') ?? [...f.querySelectorAll('.uo-chart canvas')]].flat()"
    return hash(figure.evaluate(f"f => ({drawn})(f).map((canvas) => canvas.toDataURL()).join()"))


def is_descent(figure: Locator) -> bool:
    """Whether a figure shows paths on a surface, with steps and a map; else it shows curves."""
    return figure.locator("canvas.uo-main").count() > 0


def move(handle: Locator) -> None:
    """Move a slider by a third of its values, with the keys, away from the end that is near.

    Not by less: on a plateau the next rates rightly leave the walker where it was, to a pixel.
    """
    last = float(handle.get_attribute("aria-valuemax"))
    near_end = float(handle.get_attribute("aria-valuenow")) > 0.7 * last
    handle.focus()
    for _ in range(max(3, round(last / 3))):
        handle.page.keyboard.press("ArrowLeft" if near_end else "ArrowRight")
    settle(handle.page)


def put_back(handle: Locator, value: float) -> None:
    """Move a slider back to where it was."""
    handle.focus()
    for _ in range(200):
        now = float(handle.get_attribute("aria-valuenow"))
        if abs(now - value) < 0.5:
            break
        handle.page.keyboard.press("ArrowLeft" if now > value else "ArrowRight")
    settle(handle.page)


def heading(figure: Locator) -> str:
    """What to call a figure in a failure."""
    return figure.locator(".uo-explorer").get_attribute("aria-label") or "a figure"
