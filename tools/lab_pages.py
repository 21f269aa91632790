"""Make the exercises of a page ones that can be done there: a Sphinx extension.

The starter and the check of a notebook become one block: the code, a row of buttons, and room for what Python says.
Without a script, from disk, or in a book built without the lab, the block is the starter and a link to the notebook.
The hints and solutions, as the cards that the notebook shows, are files that a page asks for when a reader does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from exercises import result
from exercises.definition import Exercise
from exercises.registry import chapters, get
from tools import lab, scratch
from tools.build_book import BUILD

LAB = BUILD / "lab"
TRANSFER = Path(__file__).parents[1] / "book" / "transfer.js"
EXERCISE = re.compile(r"ex-(\d+\.\d+)")
CHECK = re.compile(r'check\("\d+\.\d+", *\w+\)')
BUTTONS = {"run": "Run", "check": "Check", "hint": "Hint", "solution": "Solution", "reset": "Reset"}
ASKING = (
    "Write your answer, press <em>Check</em>, and it says what it found. Stuck? <em>Hint</em> gives a nudge, and "
    "another each time you press it; <em>Solution</em> shows the answer with its reason."
)
KEYS = (
    "In the code, <kbd>Tab</kbd> indents, and <kbd>Esc</kbd> then <kbd>Tab</kbd> leaves; "
    "<kbd>Ctrl</kbd>+<kbd>Enter</kbd> runs, <kbd>Shift</kbd>+<kbd>Enter</kbd> checks."
)


class block(nodes.General, nodes.Element):
    """A div with attributes of its own, around nodes."""


def _open(translator: HTML5Translator, node: block) -> None:
    translator.body.append("<div" + "".join(f' {name}="{escape(value)}"' for name, value in node["html"].items()) + ">")


def _close(translator: HTML5Translator, node: block) -> None:
    translator.body.append("</div>\n")


def _block(*children: nodes.Node, **attributes: str) -> block:
    html = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return block("", *children, html=html)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(block, html=(_open, _close))
    app.connect("doctree-resolved", put_exercises)
    app.connect("html-page-context", put_course)
    app.connect("build-finished", write_texts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def put_exercises(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Turn the exercises' cells of a page into blocks that can be worked in."""
    if app.builder.format != "html":
        return
    for cell in list(doctree.findall(_is_code_cell)):
        source = _source(cell)
        tags = cell["cell_metadata"].get("tags", [])
        found = [get(match[1]) for tag in tags if (match := EXERCISE.fullmatch(tag))]
        if found:
            cell.replace_self(_exercise(cell, found[0], name))
        elif CHECK.fullmatch(source.strip()):
            cell.parent.remove(cell)
        elif source.strip() == "progress()":
            cell.replace_self(_raw(_standing()))
    _put_scratch(app, doctree, name)
    for text in list(doctree.findall(nodes.raw)):
        if text.astext().startswith("<details><summary>Hint "):
            text.replace_self(_raw(text.astext().replace("<details>", '<details class="uo-hint">', 1)))
    for paragraph in list(doctree.findall(nodes.paragraph)):
        if paragraph.astext().startswith("Each check says what it found. Stuck?"):
            rest = paragraph.astext().split("with its reason.", 1)[1]
            paragraph.replace_self(_raw(f"<p>{ASKING}{escape(rest)}</p><p class='uo-keys'>{KEYS}</p>"))


def _is_code_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _source(cell: nodes.Element) -> str:
    block = next(iter(cell.findall(nodes.literal_block)), None)
    return block.astext() if block is not None else ""


def _raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def _exercise(cell: nodes.Element, exercise: Exercise, page: str) -> nodes.Node:
    code = next(iter(cell.findall(nodes.literal_block)))
    below = _raw(_bar(exercise) + _notebook(page) + PLACES)
    return _block(
        _block(code, class_="uo-editor"),
        below,
        class_="uo-exercise",
        data_exercise=exercise.id,
        data_answer=exercise.answer,
        data_seconds=f"{exercise.time_limit:g}",
    )


def _put_scratch(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give the chapter's own cells that the page's Python can run a button to edit and run them."""
    notebook = Path(app.env.doc2path(page))
    if notebook.suffix != ".ipynb" or not lab.is_in(LAB):
        return
    ids = [cell["id"] for cell in nbformat.read(notebook, as_version=4).cells]
    offered = scratch.scratch_cells(notebook)
    if not offered:
        return
    cells = json.dumps([{"id": cell.id, "source": cell.source} for cell in scratch.cells_of(notebook)])
    file = f"cells/{notebook.stem}.{hashlib.sha256(cells.encode()).hexdigest()[:8]}.json"
    target = Path(app.outdir) / "_static" / lab.ENGINE / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(cells, encoding="utf-8")
    for cell in list(doctree.findall(_is_code_cell)):
        id = ids[cell["cell_index"]]
        if id in offered:
            number = offered.index(id) + 1
            cell.children = [_scratch(cell.children, id, number, notebook.stem, file)]


def _scratch(parts: list[nodes.Node], id: str, number: int, chapter: str, file: str) -> nodes.Node:
    """A cell's code, its button, and room for what Python says, before what the notebook has stored."""
    code, stored = parts[:1], parts[1:]
    of = f'<span class="uo-sr"> cell {number}</span>'
    edit = f'<button type="button" data-do="edit">Edit and run{of}</button>'
    hidden = "".join(
        f'<button type="button" data-do="{name}" hidden>{BUTTONS[name]}{of}{size}</button>'
        for name, size in (("run", '<span class="uo-size"></span>'), ("reset", ""))
    )
    below = (
        f'<div class="uo-acts" role="group" aria-label="Cell {number}">{edit}{hidden}</div>'
        '<div class="uo-output" hidden></div><p class="uo-said uo-sr" role="status"></p>'
    )
    return _block(
        _block(*code, class_="uo-editor"),
        _raw(below),
        _block(*stored, class_="uo-stored"),
        class_="uo-scratch",
        data_scratch=id,
        data_number=str(number),
        data_chapter=chapter,
        data_cells=file,
    )


PLACES = (
    '<div class="uo-output" hidden></div><div class="uo-judged"></div><div class="uo-aside"></div>'
    '<p class="uo-said uo-sr" role="status"></p>'
)


def _bar(exercise: Exercise) -> str:
    of = f'<span class="uo-sr"> exercise {exercise.id}</span>'
    size = '<span class="uo-size"></span>'
    buttons = "".join(
        f'<button type="button" data-do="{name}">{words}{of}{size if name in ("run", "check") else ""}</button>'
        for name, words in BUTTONS.items()
    )
    return (
        f'<div class="uo-acts" role="group" aria-label="Exercise {exercise.id}">{buttons}'
        f'<span class="uo-best">{result.plural(exercise.points, "point")}</span></div>'
    )


def _notebook(page: str) -> str:
    """What stands in place of the buttons where Python cannot be started."""
    file = f"_sources/{page}.ipynb"
    up = "../" * page.count("/")
    return (
        '<p class="uo-notebook">Code in this page needs JavaScript and a server (<code>make serve</code>). This '
        f'exercise is also in <a href="{up}{file}" download>the notebook of this chapter</a>: '
        f'<a href="{up}chapters/how-to-use.html">how to use it</a>.</p>'
    )


def _standing() -> str:
    """The card of progress(), before any work, which the page fills with its reader's points."""
    empty = result.Progress([(number, title, [_blank(e) for e in found]) for number, title, found in chapters()])
    marks = {status: {"svg": result.mark(status), "words": words.lower()} for status, words in result.WORDS.items()}
    return (
        f'<div data-progress class="uo-standing">{empty._repr_html_()}'
        f'<p data-keeping role="status" hidden></p>{CARRY}</div>'
        f'<script type="application/json" id="uo-marks">{json.dumps(marks)}</script>'
    )


CARRY = (
    '<div class="uo-acts" data-carry hidden>'
    '<button type="button" data-carries="notebook">Notebook with your answers</button>'
    '<button type="button" data-carries="progress">progress.json</button>'
    '<button type="button" data-carries="everything">Everything, for another browser</button>'
    '<label class="uo-take">Take in a file <input type="file" accept=".json,.ipynb" multiple></label>'
    '<p role="status"></p></div>'
)


def _blank(exercise: Exercise) -> result.Standing:
    return result.Standing(exercise, 0, result.NOT_ATTEMPTED)


# --- what every page knows ---------------------------------------------------------------------------


def put_course(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Give a page the names and points of all exercises and, if there is a lab, where its engine is."""
    course = {
        "chapters": {number: {e.id: [e.answer, e.points] for e in found} for number, _, found in chapters()},
        "texts": _texts_version(),
        "transfer": hashlib.sha256(TRANSFER.read_bytes()).hexdigest()[:12],
    }
    if lab.is_in(LAB):
        manifest = json.loads((LAB / lab.ENGINE / "manifest.json").read_text(encoding="utf-8"))
        course["manifest"] = manifest
    app.add_js_file(None, body=json.dumps(course), type="application/json", id="uo-course", priority=10)


def write_texts(app: Sphinx, failure: Exception | None) -> None:
    """Write each chapter's hints and solutions beside the engine."""
    if failure or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / lab.ENGINE / "texts"
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in _texts():
        (folder / f"{number}.json").write_text(content, encoding="utf-8")


def _texts() -> Iterator[tuple[int, str]]:
    result.asking.update(result.WITH_BUTTONS)
    for number, _, found in chapters():
        cards = {
            exercise.id: {
                "hints": [result.Hint(exercise, k + 1)._repr_html_() for k in range(len(exercise.hints))],
                "solution": result.Solution(exercise)._repr_html_(),
                "starter": exercise.starter,
            }
            for exercise in found
        }
        yield number, json.dumps(cards)


def _texts_version() -> str:
    global _version
    _version = _version or hashlib.sha256("".join(text for _, text in _texts()).encode()).hexdigest()[:12]
    return _version


_version = ""
