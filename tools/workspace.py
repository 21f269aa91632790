"""Lay out a student's workspace: the chapters, as copies that belong to the student.

``python -m tools.workspace`` (``make lab`` calls it) copies the notebooks of ``chapters/`` into ``workspace/``. A file
that the student has changed is never overwritten: if the course has a newer version, it is put beside it, under a name
that ends in ``.new``. What each copy looked like when it was made is remembered in ``workspace/.course.json``.

JupyterLab shows plain Markdown, so the few marks that only the book understands are put into words on the way:
citations become authors and year, links between chapters become links between notebooks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
CHAPTERS = ROOT / "chapters"
WORKSPACE = ROOT / "workspace"
MEMORY = ".course.json"
PAGES = ("how-to-use.md", "notation.md")

_CITATION = re.compile(r"\{cite(?P<kind>:[a-z]+)?\}`(?P<keys>[^`]+)`")
_DOCUMENT = re.compile(r"\{doc\}`(?:(?P<text>[^`<]+?)\s*<(?P<named>[^`>]+)>|(?P<bare>[^`<>]+))`")
_ADMONITION = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?P<kind>[a-z]+)\}[ \t]*(?P<title>[^\n]*)\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.M | re.S
)
_OPTION = re.compile(r"\A(?::[\w-]+:[^\n]*\n)+\n?")
_ADMONITIONS = {"admonition", "note", "tip", "hint", "important", "warning", "caution", "seealso", "dropdown"}


# --- the book's marks, in words ---------------------------------------------------------------------


def citations(bibliography: str) -> dict[str, tuple[str, str]]:
    """The authors, as a sentence names them, and the year of each entry of a BibTeX file."""
    from pybtex.database import parse_string

    found = {}
    for key, entry in parse_string(bibliography, "bibtex").entries.items():
        names = [" ".join(person.last_names).strip("{}") for person in entry.persons.get("author", [])]
        names = [re.sub(r"[{}]", "", name) for name in names]
        who = " and ".join(names) if len(names) <= 2 else f"{names[0]} et al."
        found[key] = (who, entry.fields.get("year", ""))
    return found


def plain_markdown(text: str, cited: dict[str, tuple[str, str]]) -> str:
    """Markdown for any notebook editor, from the book's."""

    def citation(match: re.Match[str]) -> str:
        known = [cited.get(key.strip(), (key.strip(), "")) for key in match["keys"].split(",")]
        if match["kind"] == ":t":
            return "; ".join(f"{who} ({year})" for who, year in known)
        return f"({'; '.join(f'{who}, {year}' for who, year in known)})"

    def document(match: re.Match[str]) -> str:
        target = (match["named"] or match["bare"]).strip()
        words, file = match["text"] or title_of(target), page_of(target).name
        copied = file.endswith(".ipynb") or file in PAGES
        return f"[{words}]({file})" if copied else words

    def admonition(match: re.Match[str]) -> str:
        if match["kind"] not in _ADMONITIONS:
            return match[0]
        title = match["title"].strip() or match["kind"].capitalize()
        body = _OPTION.sub("", match["body"]).strip()
        return "\n".join(f"> {line}".rstrip() for line in [f"**{title}**", "", *body.splitlines()])

    text = _ADMONITION.sub(admonition, text)
    return _DOCUMENT.sub(document, _CITATION.sub(citation, text))


def page_of(target: str) -> Path:
    """The file of a page of the book: a notebook, or one of the few that are not."""
    notebook = CHAPTERS / f"{target}.ipynb"
    return notebook if notebook.exists() else CHAPTERS / f"{target}.md"


def title_of(target: str) -> str:
    """The title of a page of the book, or its name."""
    path = page_of(target)
    if not path.exists():
        return target
    if path.suffix == ".ipynb":
        lines = nbformat.read(path, as_version=4).cells[0].source.splitlines()
    else:
        lines = path.read_text(encoding="utf-8").splitlines()
    return next((line[2:].strip() for line in lines if line.startswith("# ")), target)


# --- the copies -------------------------------------------------------------------------------------


def student_copy(path: Path, cited: dict[str, tuple[str, str]]) -> str:
    """The text of the file that a student gets for a page: no outputs, plain Markdown."""
    if path.suffix == ".md":
        return plain_markdown(path.read_text(encoding="utf-8"), cited)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = plain_markdown(cell.source, cited)
        elif cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text_of(path: Path) -> str | None:
    """The text of a student's file, whatever its line ends, also behind a byte order mark; None if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError):
        return None


def _remembered(workspace: Path) -> dict[str, str]:
    try:
        found = json.loads((workspace / MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def lay_out(chapters: Path = CHAPTERS, workspace: Path = WORKSPACE) -> list[str]:
    """Bring the workspace up to date without touching what a student has changed; what was done, a line each."""
    workspace.mkdir(parents=True, exist_ok=True)
    cited = citations((chapters / "references.bib").read_text(encoding="utf-8"))
    memory, told = _remembered(workspace), []
    pages = [chapters / name for name in PAGES if (chapters / name).exists()]
    for path in [*sorted(chapters.glob("*.ipynb")), *pages]:
        ours, mine = student_copy(path, cited), workspace / path.name
        known, theirs = memory.get(path.name), _text_of(mine)
        is_new = not mine.exists()
        if theirs is None and not is_new:
            told.append(f"{path.name}: it cannot be read as UTF-8 text, so it stays; save it as UTF-8 to open it here")
        if is_new or (theirs is not None and theirs != ours and known == _hash(theirs)):
            mine.write_text(ours, encoding="utf-8")
            memory[path.name] = _hash(ours)
            told.append(f"{path.name}: {'copied' if is_new else 'brought up to date'}")
        elif theirs != ours and known != _hash(ours):
            beside = mine.with_name(f"{path.stem}.new{path.suffix}")
            beside.write_text(ours, encoding="utf-8")
            memory[path.name] = _hash(ours)
            told.append(f"{path.name}: you have changed it, so it stays; the course's new version is {beside.name}")
    (workspace / MEMORY).write_text(json.dumps(memory, indent=1) + "\n", encoding="utf-8")
    return told


def main(arguments: list[str] | None = None) -> int:
    argparse.ArgumentParser(prog="python -m tools.workspace", description=__doc__.splitlines()[0]).parse_args(arguments)
    print("\n".join(lay_out() or ["Your workspace is up to date."]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
