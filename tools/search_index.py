"""The index of the site's search: every section of every page, with its words, as one script.

A Sphinx extension; ``tools/assets/search.js`` reads it on the search page. Sphinx's own search finds pages, and a
chapter is long: what a reader looks for is one of its sections.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

# What the words of a page count: a chapter explains, the reference lists.
WEIGHTS = {"api": 0.35, "claims": 0.6, "corrections": 0.5, "references": 0.3, "instructors": 0.4, "speed": 0.4}
# What is no text, and the words on buttons and folds.
LEFT_OUT = (
    "style, noscript, svg, .headerlink, .cell_input, .uo-figure, .uo-feedback, .uo-card, .uo-quiz-chapter, "
    "button, details.hide, .uo-acts, .uo-notebook"
)
LONGEST = 4000


def sections_of(html: str, address: str) -> Iterator[dict[str, Any]]:
    """Each section of a page: its title, the page's title, where it is, and its own words without its subsections'."""
    html = re.sub(r"<script\b.*?</script>", "", html, flags=re.DOTALL)
    article = BeautifulSoup(html, "html.parser").select_one("article.bd-article")
    heading = article and article.find("h1")
    if not heading:
        return
    for unwanted in article.select(LEFT_OUT):
        unwanted.decompose()
    page, weight = _words(heading), WEIGHTS.get(Path(address).stem, 1.0)
    for section in article.select("section[id]"):
        title = section.find(re.compile(r"^h[1-6]$"))
        if title is None:
            continue
        opens_page = title.name == "h1"
        url = address if opens_page else f"{address}#{section['id']}"
        own = [part for part in section.find_all(recursive=False) if part.name != "section" and part is not title]
        text = " ".join(map(_words, own))
        yield {"title": _words(title), "page": page, "url": url, "text": text[:LONGEST]} | {
            "weight": weight * (1.6 if opens_page else 0.6 if section["id"].startswith("exercise") else 1)
        }
    yield from _terms(article, page, address)


def _terms(article: Tag, page: str, address: str) -> Iterator[dict[str, Any]]:
    """The words of the glossary, each a place of its own."""
    for term in article.select("dl.glossary dt[id]"):
        said = term.find_next_sibling("dd")
        yield {
            "title": _words(term),
            "page": page,
            "url": f"{address}#{term['id']}",
            "text": _words(said),
            "weight": 1.3,
        }


def _words(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split()).replace(" ,", ",").replace(" .", ".")


def write(site: Path, file: Path) -> None:
    """Write the index of a built site."""
    pages = sorted(site.glob("chapters/*.html"))
    found = []
    for page in pages:
        found += sections_of(page.read_text(encoding="utf-8"), page.relative_to(site).as_posix())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"window.courseSections = {json.dumps(found, ensure_ascii=False)};\n", encoding="utf-8")


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        write(Path(app.outdir), Path(app.outdir) / "_static" / "search" / "sections.js")


def setup(app: Sphinx) -> dict[str, Any]:
    """Announce that the index is written after the pages."""
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
