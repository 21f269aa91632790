"""What every page of the site gets besides its text: a description, and scripts that a strict policy lets run.

A Sphinx extension. The theme and its helpers write small scripts into each page, which a server's policy
``script-src 'self'`` forbids; here each becomes a file that all pages share.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx

NEEDED = Path(__file__).parents[1] / "book" / "chapters.yaml"
CITATION = Path(__file__).parents[1] / "CITATION.cff"
WORDS_A_MINUTE = 200
DESCRIPTION_LENGTH = 240
FORMULA_AND_MARK = re.compile(
    r'([(\u201c\u2018]?)(<span class="math">(?:(?!</span>).)*</span>)([,.;:!?)\u201d\u2019]+|-\w{1,3}\b)?', re.DOTALL
)
# What is code, mathematics or no text at all; or an apostrophe, within a word or behind one.
APOSTROPHE = re.compile(
    r"<(script|style|pre|code|kbd|samp|textarea|math)\b.*?</\1>|<[^>]*>"
    r"|(?<=\w)(?:'|&#x27;|&#39;)(?=\w)|(?<=>)'(?=s\b)|(?<=s)'(?= \w)",
    re.DOTALL,
)
TABLE = re.compile(
    r'(<div class="(?:up-scroll|pst-scrollable-table-container)"[^>]*>)(<table(?: class="table")?>.*?</table>)',
    re.DOTALL,
)
# The theme and docutils: names that hide what a button says, roles that are gone, a sidebar that is no landmark.
RENAMED = (
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    (
        'search-button-field search-button__button" title="Search" aria-label="Search"',
        'search-button-field search-button__button"',
    ),
    (' role="doc-biblioentry"', ' role="listitem"'),
    ('<div class="up-scroll" role="region"', '<div class="up-scroll" role="group"'),
    # What may scroll on a phone can be reached by keyboard, to scroll it.
    (
        '<div class="pst-scrollable-table-container">',
        '<div class="pst-scrollable-table-container" tabindex="0" role="group" aria-label="A table">',
    ),
    ('<div class="bd-sidebar-primary', '<div role="complementary" aria-label="The course" class="bd-sidebar-primary'),
)
# A signature of several lines is a list without terms to docutils.
PARAMETERS = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n)+)</dl>', re.DOTALL)
TERM = re.compile(r'<a class="reference internal" href="([^"]*glossary\.html#(term-[^"]+))"')
NUMBER_AND_RANGE = re.compile(r"(\S+) (\(.*\d.*\))")
# Scripts that write what might as well stand there (without a script it is hidden), or that nothing here asks.
WRITTEN = re.compile(r"<script>\s*document\.write\(`([^`$\\]*)`\);\s*</script>")
NAMES_PAGE = re.compile(r"<script>\s*DOCUMENTATION_OPTIONS\.pagename = '[^']*';?\s*</script>\n?")
INLINE = re.compile(r"<script(?![^>]*\b(?:src|type)=)([^>]*)>(.*?)</script>", re.DOTALL)
COURSE = "Understanding Optimizers"
ROOT_TITLE = "How neural networks actually learn"


def scripts_as_files(html: str, write: Callable[[str], str]) -> str:
    """A page whose inline scripts are files; `write` keeps a script and gives its address."""
    html = WRITTEN.sub(
        lambda found: found[1], NAMES_PAGE.sub("", html.replace(' onclick="window.print()"', " data-print"))
    )
    return INLINE.sub(lambda found: f'<script{found[1]} src="{write(found[2].strip())}"></script>', html)


def with_marks_held(html: str) -> str:
    """A page on which no mark of punctuation is alone at the end of a line, or begins one, because of a formula."""

    def held(found: re.Match[str]) -> str:
        return f'<span class="uo-held">{found[0]}</span>' if found[1] or found[3] else found[0]

    return FORMULA_AND_MARK.sub(held, html)


def with_apostrophes(html: str) -> str:
    """A page whose apostrophes are not a typewriter's: captions and tables come from code, and names from BibTeX."""
    return APOSTROPHE.sub(
        lambda found: found[0] if found[0].startswith("<") else "\N{RIGHT SINGLE QUOTATION MARK}", html
    )


def for_a_phone(table: str) -> str:
    """A table of the course whose cells carry their column's heading, and their ranges on a line of their own.

    Where there is no room for its columns, the style sheet puts them under each other.
    """
    soup = BeautifulSoup(table, "html.parser")
    headings = [cell.get_text() for cell in soup.select("thead th")]
    for row in soup.select("tbody tr"):
        for cell, heading in zip(row.find_all(["th", "td"]), headings, strict=True):
            cell["data-label"] = heading.strip()
            if cell.string and (found := NUMBER_AND_RANGE.fullmatch(cell.string)):
                cell.string = f"{found[1]} "
                span = soup.new_tag("span", attrs={"class": "uo-range"})
                span.string = found[2]
                cell.append(span)
    for corner in soup.select("thead th"):
        if not corner.get_text(strip=True):
            corner.name = "td"
            corner.attrs.pop("scope", None)
    if len(headings) > 3:
        soup.table["class"] = [*soup.table.get("class", []), "uo-stacks"]
    return str(soup)


def definitions(glossary: str) -> dict[str, str]:
    """What the glossary says of each of its terms, by the term's anchor."""
    said = {}
    for term in BeautifulSoup(glossary, "html.parser").select("dl.glossary dt[id]"):
        said[term["id"]] = " ".join(term.find_next_sibling("dd").get_text().split())
    return said


def with_terms_explained(html: str, said: dict[str, str]) -> str:
    """A page whose links to the glossary carry what it says, for the style sheet to show beside them."""

    def explained(link: re.Match[str]) -> str:
        text = escape(said.get(link[2], ""))
        return f'{link[0]} data-said="{text}" aria-description="{text}"' if text else link[0]

    return TERM.sub(explained, html)


def named_as_shown(html: str) -> str:
    """A page whose controls are named by the words on them, whose parts are landmarks, and whose lists have items."""
    for before, after in RENAMED:
        html = html.replace(before, after)
    return PARAMETERS.sub(_parameters, html)


def _parameters(found: re.Match[str]) -> str:
    lines = found[1].replace("<dd>", "<div>").replace("</dd>", "</div>")
    return f'<div class="uo-parameters">\n{lines}</div>'


def finished(html: str, write: Callable[[str], str]) -> str:
    """A page as the site has it; done again, nothing changes."""
    html = with_apostrophes(scripts_as_files(named_as_shown(html), write))
    if "uo-held" not in html:
        html = with_marks_held(html)
    return TABLE.sub(lambda found: found[1] + for_a_phone(found[2]), html)


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    root, folder = Path(app.outdir), Path(app.outdir) / "_static" / "inline"
    folder.mkdir(parents=True, exist_ok=True)
    glossary = root / "chapters" / "glossary.html"
    said = definitions(glossary.read_text(encoding="utf-8")) if glossary.exists() else {}
    for page in root.rglob("*.html"):
        up = "../" * (len(page.relative_to(root).parts) - 1)

        def write(script: str, up: str = up) -> str:
            name = hashlib.sha256(script.encode()).hexdigest()[:12] + ".js"
            (folder / name).write_text(script + "\n", encoding="utf-8")
            return f"{up}_static/inline/{name}"

        before = page.read_text(encoding="utf-8")
        after = finished(before, write)
        if "data-said" not in after:
            after = with_terms_explained(after, said)
        if after != before:
            page.write_text(after, encoding="utf-8")


def description(doctree: nodes.document) -> str:
    """The first paragraph of a page, as long as a search engine shows."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 60:
            break
    else:
        return ""
    if len(text) <= DESCRIPTION_LENGTH:
        return text
    return text[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"


def about(doctree: nodes.document, needed: str) -> str:
    """The line under a chapter's title: how long it takes to read, and what it builds on."""
    texts = [node for node in doctree.findall(nodes.paragraph) if not isinstance(node.parent, nodes.entry)]
    words = sum(len(text.astext().split()) for text in texts)
    minutes = max(5, 5 * round(words / WORDS_A_MINUTE / 5))
    reading = f"About {minutes} minutes of reading, besides the figures and the exercises."
    return f'<p class="uo-about">{reading} You need {escape(needed)}.</p>'


def cited(title: str) -> str:
    """How to cite a chapter, folded away at its end."""
    about_course = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    year, version = about_course["date-released"][:4], about_course["version"]
    number, _, name = title.partition(" ")
    entry = (
        f"@incollection{{understanding-optimizers-{number},\n"
        f"  author = {{{{{about_course['authors'][0]['name']}}}}},\n"
        f"  title = {{{name}}},\n  booktitle = {{{about_course['title']}}},\n"
        f"  chapter = {{{number}}},\n  year = {{{year}}},\n  note = {{Version {version}}}\n}}"
    )
    return f'<details class="uo-cite"><summary>Cite this chapter</summary><pre>{escape(entry)}</pre></details>'


def elsewhere(repository: str, branch: str, file: str) -> str:
    """Where a page can be edited and an error in it reported and, if it is a notebook, run: links, if there is a place.

    Parameters
    ----------
    repository : str
        Its address, as ``repository.url`` of _config.yml has it; empty for none.
    branch : str
    file : str
        The page's source, as the repository has it.
    """
    repository = repository.rstrip("/").removesuffix(".git")
    if not repository:
        return ""
    at, name = f"{branch}/{quote(file)}", repository.partition("://")[2].partition("/")[2]
    on_github = repository.startswith("https://github.com/")
    between = "" if on_github else "/-"
    title = "?title=" if on_github else "?issue[title]="
    links = [
        ("Edit this page", f"{repository}{between}/edit/{at}"),
        ("Report an error", f"{repository}{between}/issues/new{title}{quote('Error in ' + file, safe='')}"),
    ]
    if on_github and file.endswith(".ipynb"):
        links += [
            ("Open in Colab", f"https://colab.research.google.com/github/{name}/blob/{at}"),
            ("Open in Binder", f"https://mybinder.org/v2/gh/{name}/{branch}?urlpath=lab/tree/{quote(file)}"),
        ]
    items = "".join(f'<li><a href="{escape(address)}">{words}</a></li>' for words, address in links)
    return f'<ul class="uo-elsewhere" aria-label="This page elsewhere">{items}</ul>'


def _describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if page == app.config.root_doc:
        context["title"] = ROOT_TITLE
    if doctree is None:
        return
    needed = yaml.safe_load(NEEDED.read_text(encoding="utf-8")).get(Path(page).name)
    said, title = description(doctree), unescape(re.sub(r"<[^>]*>", "", context.get("title", "")))
    if needed:
        body = context["body"].replace("</h1>", "</h1>\n" + about(doctree, needed), 1)
        context["body"] = body + cited(title)
    options = app.config.html_theme_options
    file = Path(app.env.doc2path(page)).relative_to(app.srcdir).as_posix()
    branch = options.get("repository_branch") or "main"
    context["body"] += elsewhere(options.get("repository_url") or "", branch, file)
    tags = {"og:type": "article", "og:site_name": COURSE, "og:title": title, "og:description": said}
    named = [f'<meta name="description" content="{escape(said)}" />'] if said else []
    named += [f'<meta property="{name}" content="{escape(value)}" />' for name, value in tags.items() if value]
    context["metatags"] = context.get("metatags", "") + "\n    " + "\n    ".join(named)


def setup(app: Sphinx) -> dict[str, Any]:
    """Announce what is done with each page."""
    app.connect("html-page-context", _describe)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
