"""Pictures of all pages as readers see them: ``python -m tools.screenshots`` (after ``make book``).

Every page of the table in tools/states.py, on a phone, a tablet, a laptop and a large screen, light and dark, goes to
``_build/screenshots/PAGE-WIDTH-SCHEME.png``. A page is long: its picture shows it in columns, to be read from left to
right, and a very long one is several pictures.

``python -m tools.screenshots 08_adam index --width 390 --scheme light`` takes these pages in this state only, and with
``--use exercises`` as they are when a reader has answered.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import states, uses

COLUMN = 3600
SHEET = 4000
GAP = 24


def columns(picture, column: int = COLUMN, sheet: int = SHEET) -> Iterator:
    """A tall picture as sheets of columns beside each other.

    Parameters
    ----------
    picture : PIL.Image.Image
    column : int
        How high a column is, in pixels.
    sheet : int
        How wide a sheet is at most.
    """
    from PIL import Image

    pieces = [
        picture.crop((0, top, picture.width, min(top + column, picture.height)))
        for top in range(0, picture.height, column)
    ]
    a_sheet = max(1, (sheet + GAP) // (picture.width + GAP))
    for first in range(0, len(pieces), a_sheet):
        shown = pieces[first : first + a_sheet]
        width = len(shown) * (picture.width + GAP) - GAP
        together = Image.new("RGB", (width, max(piece.height for piece in shown)), "gray")
        for k, piece in enumerate(shown):
            together.paste(piece, (k * (picture.width + GAP), 0))
        yield together


# What stays on the screen while a reader scrolls would be in every piece; in the picture it has its own place only.
LET_GO = """
() => {
    for (const element of document.querySelectorAll("body, body *")) {
        const { position } = getComputedStyle(element);
        const instead = { sticky: "static", fixed: "absolute" }[position];
        if (instead) element.style.setProperty("position", instead, "important");
    }
}
"""
SCROLLED = """
(top) => {
    scrollTo({ top, behavior: "instant" });
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(scrollY))));
}
"""


def whole(page, width: int):
    """The picture of a whole page, put together from screens.

    Chromium's own picture of a page ends after some thousand pixels, and has no canvas that is off the screen.
    """
    from PIL import Image

    page.evaluate(LET_GO)
    height = page.evaluate("document.documentElement.scrollHeight")
    picture = Image.new("RGB", (width, height))
    for top in range(0, height, states.HEIGHT):
        at = page.evaluate(SCROLLED, top)
        picture.paste(Image.open(io.BytesIO(page.screenshot())), (0, round(at)))
    return picture


def take(site: Path, wanted: list[states.State], folder: Path) -> list[Path]:
    """Take the pictures of these states of a site; the files."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with states.served(site) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=states.program(), args=["--no-sandbox", "--disable-gpu"])
        for state in wanted:
            size = {"width": state.width, "height": states.HEIGHT}
            context = browser.new_context(viewport=size, color_scheme=state.scheme, reduced_motion="reduce")
            page = context.new_page()
            states.open_whole(page, f"{address}/{state.path}")
            uses.use(page, state.use)
            for k, sheet in enumerate(columns(whole(page, state.width))):
                taken.append(folder / f"{state.name}{f'-{k + 1}' if k else ''}.png")
                sheet.save(taken[-1])
            context.close()
            print(taken[-1].name, flush=True)
        browser.close()
    return taken


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="PAGE", help="pages whose names have one of these words in them")
    parser.add_argument("--width", type=int, action="append", help="a width of the screen; any number of them")
    parser.add_argument("--scheme", action="append", choices=states.SCHEMES)
    parser.add_argument("--use", action="append", choices=states.USES, help="what the reader has done before")
    parser.add_argument("--site", type=Path, default=states.SITE, metavar="FOLDER", help="the site's html folder")
    parser.add_argument("--to", type=Path, default=states.ROOT / "_build" / "screenshots", metavar="FOLDER")
    options = parser.parse_args(arguments)
    site = options.site.resolve()
    if not states.program() or not (site / "index.html").exists():
        print("Pictures are taken in Chromium, after make book: one of the two is missing.", file=sys.stderr)
        return 1
    paths = [path for path in states.pages(site) if not options.names or any(name in path for name in options.names)]
    if not paths:
        print(f"No page has {' or '.join(options.names)} in its name.", file=sys.stderr)
        return 1
    seen = (options.width or states.WIDTHS, options.scheme or states.SCHEMES, options.use or (states.AT_REST,))
    wanted = states.states(paths, *seen)
    taken = take(site, list(wanted), options.to)
    print(f"{len(taken)} pictures in {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
