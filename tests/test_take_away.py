"""The pages in one document: each anchor is there once, and links between pages lead into the document."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from tests.browser import chromium
from tools import take_away

ADAM = (
    '<article class="bd-article"><section class="uo-sheet" id="explore"><h1 id="h">Adam</h1><a href="#explore">here</a>'
    '<a href="07_rmsprop.html#explore">there</a><a href="07_rmsprop.html">that</a><a href="https://x.org/a.html">away</a>'
    '<a href="api.html#x">not printed</a><label for="q" aria-labelledby="h q">a</label><input id="q" />'
    '<svg><clipPath id="cut"/><path clip-path="url(#cut)"/></svg></section></article>'
)
NAMES = ("08_adam", "07_rmsprop")


def test_anchors_carry_the_name_of_their_page():
    text = take_away.article(ADAM, "08_adam", NAMES)
    assert re.findall(r'\bid="([^"]+)"', text) == [f"08_adam--{name}" for name in ("top", "explore", "h", "q", "cut")]
    assert 'for="08_adam--q" aria-labelledby="08_adam--h 08_adam--q"' in text
    assert "url(#08_adam--cut)" in text
    assert 'class="uo-sheet"' not in text


def test_links_lead_into_the_document_where_their_page_is_in_it():
    links = re.findall(r'href="([^"]*)"', take_away.article(ADAM, "08_adam", NAMES))
    assert links[:3] == ["#08_adam--explore", "#07_rmsprop--explore", "#07_rmsprop--top"]
    assert links[3:] == ["https://x.org/a.html", "api.html#x"]


def test_pages_come_in_the_order_of_the_book():
    files = take_away.files()
    assert files[0] == "chapters/index"
    assert [file for file in files if file[9].isdigit()] == sorted(file for file in files if file[9].isdigit())


PAGE = (
    '<html><head><link rel="stylesheet" href="look.css"></head><body><article class="bd-article"><section id="s">'
    '<h1>{title}</h1><p>A &amp; B <a href="01_introduction.html#t">a link</a>, <a href="open-questions.html">none</a>.'
    '<br></p><svg class="uo-still" viewBox="0 0 1 1"><clipPath id="c"></clipPath></svg><math><mi>x</mi></math>'
    '<div class="uo-answer"><input type="radio"><label>Yes</label><p class="uo-feedback">Right.</p></div>'
    '<div class="uo-bar"><button>Play</button><div class="uo-legend"><button class="uo-entry">Adam</button></div></div>'
    '<canvas></canvas><script>1 < 2</script><section id="t"><h2>The idea of {title}</h2></section></section>'
    "</article></body></html>"
)
LOOK = """
@font-face { font-family: a; src: url(./fa-solid-900.woff2); }
p { direction: ltr; background: url("data:image/x,<a>"); }
.uo-printed + .uo-printed { break-before: page; }
"""


def taken(tool: str, folder: Path) -> bytes:
    """What a tool makes of a small site; beside the tests, since Playwright cannot be started twice in a process."""
    chromium()
    site, made = folder / "site", folder / "made"
    (site / "chapters").mkdir(parents=True)
    (site / "index.html").write_text("", encoding="utf-8")
    (site / "chapters" / "look.css").write_text(LOOK, encoding="utf-8")
    for name, title in (("index", "Front"), ("01_introduction", "First")):
        (site / "chapters" / f"{name}.html").write_text(PAGE.format(title=title), encoding="utf-8")
    command = [sys.executable, "-m", tool, "--site", site, "--to", made]
    subprocess.run(list(map(str, command)), cwd=take_away.ROOT, check=True, capture_output=True, timeout=120)
    return made.read_bytes()


def test_the_pdf_has_an_outline_tags_and_numbered_pages(tmp_path):
    pdf = taken("tools.take_away", tmp_path)
    titles = re.findall(rb"/Title \(([^)]*)\)", pdf)
    assert {b"Front", b"The idea of Front", b"First", b"The idea of First"} <= set(titles)
    assert b"/Outlines" in pdf
    assert b"/MarkInfo" in pdf
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2


def test_the_epub_is_a_book_of_xml_with_pictures_and_without_scripts(tmp_path):
    book = zipfile.ZipFile(io.BytesIO(taken("tools.epub", tmp_path)))
    first = book.infolist()[0]
    assert (first.filename, first.compress_type, book.read(first)) == ("mimetype", 0, b"application/epub+zip")
    texts = {name: book.read(name).decode() for name in book.namelist()}
    for name in texts:
        if name.endswith(("xml", "opf", "xhtml")):
            ElementTree.fromstring(texts[name])
    package = texts["book/content.opf"]
    assert re.findall(r'idref="p-(\w+)"', package) == ["index", "01_introduction"]
    assert {f"book/{name}" for name in re.findall(r'href="([^"]+)"', package)} < set(texts)
    assert 'properties="mathml svg"' in package
    page = texts["book/index.xhtml"]
    assert re.findall("<(script|canvas|button|input|br>)", page) == []
    assert 'viewBox="0 0 1 1"><clipPath' in page
    assert '<a href="01_introduction.xhtml#t">a link</a>, <a>none</a>' in page
    assert re.search(r"<details[^>]*><summary>Yes</summary><p[^>]*>Right.</p></details>", page)
    assert "<span>Adam </span>" in page
    assert '<a href="01_introduction.xhtml#t">The idea of First</a>' in texts["book/nav.xhtml"]
    assert not re.search(r"url\(|direction:", texts["book/look.css"])
