"""The pages in one document: each anchor is there once, and links between pages lead into the document."""

from __future__ import annotations

import re
import subprocess
import sys

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
    "<h1>{title}</h1><p>Words.</p><h2>The idea of {title}</h2><p>More.</p></section></article></body></html>"
)


def test_the_pdf_has_an_outline_tags_and_numbered_pages(tmp_path):
    """Printed beside the tests: Playwright cannot be started a second time in a process."""
    chromium()
    site, made = tmp_path / "site", tmp_path / "made.pdf"
    (site / "chapters").mkdir(parents=True)
    (site / "index.html").write_text("", encoding="utf-8")
    (site / "chapters" / "look.css").write_text(".uo-printed + .uo-printed { break-before: page; }", encoding="utf-8")
    for name, title in (("index", "Front"), ("01_introduction", "First")):
        (site / "chapters" / f"{name}.html").write_text(PAGE.format(title=title), encoding="utf-8")
    command = [sys.executable, "-m", "tools.take_away", "--site", site, "--to", made]
    subprocess.run(list(map(str, command)), cwd=take_away.ROOT, check=True, capture_output=True, timeout=120)
    pdf = made.read_bytes()
    titles = re.findall(rb"/Title \(([^)]*)\)", pdf)
    assert {b"Front", b"The idea of Front", b"First", b"The idea of First"} <= set(titles)
    assert b"/Outlines" in pdf
    assert b"/MarkInfo" in pdf
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2
