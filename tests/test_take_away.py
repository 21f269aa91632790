"""The pages in one document: each anchor is there once, and links between pages lead into the document."""

from __future__ import annotations

import re

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
