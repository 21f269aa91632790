"""The course as one file to take away: ``python -m tools.take_away`` (after ``make book``) writes a PDF.

All pages, in the order of the table of contents, become one document, which Chromium prints without a script: figures
are the pictures that Python has drawn, formulas are set, code is wrapped. The headings are its outline, links between
the pages lead to the page in print, and every page has its number.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml

from tools import states

ROOT = Path(__file__).parents[1]
PDF = ROOT / "_build" / "understanding-optimizers.pdf"
# Pages that are of use only where there is a script.
ON_SCREEN_ONLY = ("chapters/how-to-use", "chapters/open-questions")
ARTICLE = re.compile(r'<article class="bd-article[^"]*">(.*?)</article>', re.DOTALL)
HEAD = re.compile(r'<link rel="stylesheet"[^>]*>')
ID = re.compile(r'\bid="([^"]+)"')
NAMES_IDS = re.compile(r'\b(for|aria-labelledby|aria-describedby|aria-controls|headers)="([^"]+)"')
LINK = re.compile(r'\bhref="([^"]*)"')
IN_PICTURE = re.compile(r"url\(#([^)]+)\)")
# The cheat sheet fills a page of paper when it is printed alone.
SHEET = re.compile(r"\buo-sheet\b(?!-)")
FOOTER = """
<div style="width: 100%; padding: 0 18mm; font: 10px sans-serif; display: flex; justify-content: space-between">
<span>Understanding Optimizers</span><span class="pageNumber"></span></div>
"""


def files(toc: Path = ROOT / "_toc.yml") -> list[str]:
    """The pages of the book in their order, without suffix."""
    told = yaml.safe_load(toc.read_text(encoding="utf-8"))
    parts = told.get("parts", [told])
    return [told["root"], *(entry["file"] for part in parts for entry in part["chapters"])]


def article(html: str, name: str, names: Iterable[str]) -> str:
    """The text of a page whose anchors carry its name, and whose links to pages of the book lead into the same file."""

    def here(anchor: str) -> str:
        return f"{name}--{anchor}"

    def led(link: re.Match[str]) -> str:
        page, mark, anchor = link[1].partition("#")
        target = Path(page).stem if page.endswith(".html") and "//" not in page else None
        if not page:
            return f'href="#{here(anchor)}"'
        if target in names:
            return f'href="#{target}--{anchor if mark else "top"}"'
        return link[0]

    text = SHEET.sub("", ARTICLE.search(html)[1])
    text = LINK.sub(led, ID.sub(lambda found: f'id="{here(found[1])}"', text))
    text = NAMES_IDS.sub(lambda found: f'{found[1]}="{" ".join(map(here, found[2].split()))}"', text)
    text = IN_PICTURE.sub(lambda found: f"url(#{here(found[1])})", text)
    return f'<article class="bd-article uo-printed" id="{name}--top">{text}</article>'


def document(site: Path, wanted: list[str]) -> str:
    """All of these pages of a site as one."""
    pages = {Path(file).stem: (site / f"{file}.html").read_text(encoding="utf-8") for file in wanted}
    sheet = HEAD.search(next(iter(pages.values())))[0]
    articles = "\n".join(article(html, name, pages) for name, html in pages.items())
    head = f'<meta charset="utf-8"><title>Understanding Optimizers</title>{sheet}'
    inner = f'<div class="bd-content"><div class="bd-article-container">{articles}</div></div>'
    body = f'<body><main class="bd-main">{inner}</main></body>'
    return f'<!doctype html><html lang="en" data-theme="light"><head>{head}</head>{body}</html>'


def write_pdf(site: Path, wanted: list[str], target: Path) -> None:
    """Print pages of a site into one PDF."""
    from playwright.sync_api import sync_playwright

    printed = site / "chapters" / "printed.html"
    printed.write_text(document(site, wanted), encoding="utf-8")
    try:
        with states.served(site) as address, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=states.program(), args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(java_script_enabled=False, color_scheme="light")
            page = context.new_page()
            page.set_default_timeout(600_000)
            page.goto(f"{address}/chapters/{printed.name}", wait_until="load")
            margin = {"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"}
            page.pdf(
                path=target,
                format="A4",
                margin=margin,
                outline=True,
                tagged=True,
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOTER,
            )
            browser.close()
    finally:
        printed.unlink()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.take_away", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="PAGE", help="pages whose names have one of these words in them")
    parser.add_argument("--site", type=Path, default=states.SITE, metavar="FOLDER", help="the site's html folder")
    parser.add_argument("--to", type=Path, default=PDF, metavar="FILE")
    options = parser.parse_args(arguments)
    site = options.site.resolve()
    if not states.program() or not (site / "index.html").exists():
        print("The PDF is printed by Chromium, after make book: one of the two is missing.", file=sys.stderr)
        return 1
    wanted = [file for file in files() if (site / f"{file}.html").exists() and file not in ON_SCREEN_ONLY]
    wanted = [file for file in wanted if not options.names or any(name in file for name in options.names)]
    write_pdf(site, wanted, options.to)
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
