"""The course as an EPUB: ``python -m tools.epub`` (after ``make book``).

Sphinx has a builder for EPUBs, but what cells and figures show is HTML, not the XML that an EPUB is made of, and it
would take all of the site's scripts with it. Here the pages of the built site are read by Chromium, which writes them
as XML: figures are the pictures that Python has drawn (SVG), formulas are MathML, quizzes fold out, no script is left.
"""

from __future__ import annotations

import argparse
import re
import sys
import zipfile
from html import escape
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from tools import states
from tools.take_away import ON_SCREEN_ONLY, ROOT, files

EPUB = ROOT / "_build" / "understanding-optimizers.epub"
SCRIPT = Path(__file__).parent / "assets" / "book_page.js"
SHEET = re.compile(r'<link rel="stylesheet" href="([^"?]*)')
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
ADDRESS = re.compile(r"url\((?:\"[^\"]*\"|'[^']*'|[^)]*)\)")
FONT = re.compile(r"url\([\"']?\.?/?((?:STIXTwoMath|source-serif)[\w-]*\.woff2)[^)]*\)")
# Where a text runs is for HTML to say in an EPUB, not for a style sheet.
DIRECTION = re.compile(r"(?<![\w-])direction:[^;}]*;?")
MORE = """
body, .bd-article { margin: 0; padding: 0; max-width: none; }
.uo-figure .uo-still { visibility: visible; max-width: 100%; }
.bd-article pre { white-space: pre-wrap; overflow-wrap: anywhere; }
details > summary { margin: 0.3em 0; }
"""
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en"
data-theme="light">
<head><meta charset="utf-8"/><title>{title}</title><link rel="stylesheet" type="text/css" href="look.css"/></head>
<body>{body}</body></html>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{id}</dc:identifier><dc:title>{title}</dc:title><dc:language>en</dc:language>
<dc:creator>{author}</dc:creator><dc:rights>CC BY 4.0, code MIT</dc:rights>
<meta property="dcterms:modified">{date}T00:00:00Z</meta>
</metadata>
<manifest>
{manifest}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


def read(site: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    """What the EPUB has of each page, as a browser reads it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=states.program(), args=["--no-sandbox", "--disable-gpu"])
        page, ask = browser.new_page(), SCRIPT.read_text(encoding="utf-8").rstrip().rstrip(";")
        pages = {
            name: page.evaluate(
                ask, {"html": (site / "chapters" / f"{name}.html").read_text(encoding="utf-8"), "names": names}
            )
            for name in names
        }
        browser.close()
    return pages


def contents(pages: dict[str, dict[str, Any]]) -> str:
    """The table of contents: pages, and their sections under them."""
    entries = []
    for name, page in pages.items():
        title, *sections = [heading for heading in page["headings"] if heading["text"]]
        inner = "".join(f'<li><a href="{name}.xhtml#{part["id"]}">{escape(part["text"])}</a></li>' for part in sections)
        under = f"<ol>{inner}</ol>" if inner else ""
        entries.append(f'<li><a href="{name}.xhtml">{escape(title["text"])}</a>{under}</li>')
    nav = f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(entries)}</ol></nav>'
    return PAGE.format(title="Contents", body=nav)


def look(site: Path, page: str, styles: set[str]) -> tuple[str, dict[str, bytes]]:
    """The style sheet, which asks for nothing but fonts of letters and formulas, and these."""
    sheet = (site / "chapters" / SHEET.search(page)[1]).resolve()
    text = sheet.read_text(encoding="utf-8") + "\n".join(sorted(styles))
    faces = [FONT.sub(r"url(\1)", face) for face in FONT_FACE.findall(text) if FONT.search(face)]
    rules = DIRECTION.sub("", ADDRESS.sub("none", FONT_FACE.sub("", text)))
    fonts = {name: (sheet.parent / name).read_bytes() for face in faces for name in FONT.findall(face)}
    return "\n".join([*faces, rules, MORE]), fonts


def write(site: Path, names: list[str], target: Path) -> None:
    """Write pages of a site into one EPUB."""
    pages = read(site, names)
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    first = (site / "chapters" / f"{names[0]}.html").read_text(encoding="utf-8")
    sheet, fonts = look(site, first, {style for page in pages.values() for style in page["styles"]})
    items = ['<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>']
    items += ['<item id="look" href="look.css" media-type="text/css"/>']
    items += [f'<item id="f{k}" href="{name}" media-type="font/woff2"/>' for k, name in enumerate(sorted(fonts))]
    for name, page in pages.items():
        properties = " ".join(kind for kind, there in page["has"].items() if there)
        told = f' properties="{properties}"' if properties else ""
        items.append(f'<item id="p-{name}" href="{name}.xhtml" media-type="application/xhtml+xml"{told}/>')
    package = PACKAGE.format(
        id=uuid5(NAMESPACE_URL, f"{about['title']} {about['version']}"),
        title=escape(about["title"]),
        author=escape(about["authors"][0]["name"]),
        date=about["date-released"],
        manifest="\n".join(items),
        spine="\n".join(f'<itemref idref="p-{name}"/>' for name in pages),
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book/content.opf", package)
        book.writestr("book/nav.xhtml", contents(pages))
        book.writestr("book/look.css", sheet)
        for name, data in fonts.items():
            book.writestr(f"book/{name}", data, zipfile.ZIP_STORED)
        for name, page in pages.items():
            book.writestr(
                f"book/{name}.xhtml", PAGE.format(title=escape(page["headings"][0]["text"]), body=page["body"])
            )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.epub", description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=states.SITE, metavar="FOLDER", help="the site's html folder")
    parser.add_argument("--to", type=Path, default=EPUB, metavar="FILE")
    options = parser.parse_args(arguments)
    site = options.site.resolve()
    if not states.program() or not (site / "index.html").exists():
        print("The EPUB is made with Chromium, after make book: one of the two is missing.", file=sys.stderr)
        return 1
    wanted = [file for file in files() if file not in ON_SCREEN_ONLY and (site / f"{file}.html").exists()]
    write(site, [Path(file).name for file in wanted], options.to)
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
