"""The exercises inside a chapter's notebook: starters in, solutions in, and the outputs of the checks.

A statement cell is a Markdown cell tagged ``ex-8.2``: it gets the title, the prompt, and the hints folded, so that
a reader of the static page has them too. A starter cell is a code cell tagged ``ex-8.2`` (and ``exercise``, for its
looks). A check cell is a code cell whose one statement is ``check("8.2", ...)``. Nothing else is touched.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from exercises.compare import plural
from exercises.definition import Exercise
from exercises.grading import grade
from exercises.registry import all_exercises, get

if TYPE_CHECKING:
    from nbformat import NotebookNode

CHECK_TAG = "nbval-check-output"
_TAG = re.compile(r"ex-(\d+\.\d+)")


def read(path: Path) -> NotebookNode:
    """Read a notebook, also one that an editor saved with a byte order mark.

    Raises
    ------
    ValueError
        If the file is not UTF-8 text, or not a notebook.
    """
    import nbformat

    try:
        return nbformat.reads(Path(path).read_text(encoding="utf-8-sig"), as_version=4)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except nbformat.reader.NotJSONError as error:
        raise ValueError(f"{path} is not a notebook") from error


def filled(notebook: NotebookNode, part: str) -> NotebookNode:
    """A copy of `notebook` with `part` of each exercise in its starter cell, and its outcome below.

    Parameters
    ----------
    notebook : NotebookNode
    part : {"starter", "solution"}

    Raises
    ------
    KeyError
        When a cell names an exercise that does not exist.
    ValueError
        When starter and check cells do not belong together.
    """
    notebook = copy.deepcopy(notebook)
    _require_pairs(notebook)
    for cell, exercise in statement_cells(notebook):
        cell.source = statement(exercise)
    for cell, exercise in starter_cells(notebook):
        cell.source = getattr(exercise, part)
        _tag(cell, "exercise", f"ex-{exercise.id}")
        cell.execution_count, cell.outputs = None, []
    for cell, exercise in check_cells(notebook):
        _tag(cell, CHECK_TAG)
        cell.execution_count = 1
        cell.outputs = [_output(exercise, getattr(exercise, part))]
    return notebook


def sync(path: Path) -> bool:
    """Write statements, starters and expected outputs into the notebook at `path`; return whether anything changed."""
    import nbformat

    notebook = read(path)
    fresh = filled(notebook, "starter")
    if fresh == notebook:
        return False
    nbformat.write(fresh, path)
    return True


def solve(source: Path, target: Path, force: bool = False) -> int:
    """Write a solved copy of the notebook `source` to `target`; return how many exercises it solves.

    Raises
    ------
    FileExistsError
        When `target` exists and `force` is not set, or is `source` itself.
    ValueError
        When `source` has no exercises, or they do not fit.
    """
    import nbformat

    notebook = read(source)
    if target.exists() and target.samefile(source):
        raise FileExistsError(f"{target} is the notebook to be solved; it is never overwritten")
    if target.exists() and not force:
        raise FileExistsError(f"{target} exists; --force overwrites it")
    count = len(list(starter_cells(notebook)))
    if not count:
        raise ValueError(f"{source} has no starter cell (a code cell tagged ex-8.2, or another number)")
    solved = filled(notebook, "solution")
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(solved, target)
    return count


def problems(path: Path) -> list[str]:
    """What is wrong with the exercises in the notebook at `path`, a sentence each; empty when all is well."""
    notebook = read(path)
    try:
        fresh = filled(notebook, "starter")
    except (KeyError, ValueError) as error:
        return [f"{path.name}: {error.args[0]}"]
    found = [f"{path.name}: exercise {id} is missing" for id in _expected_ids(path) - _ids(starter_cells(notebook))]
    for index, (cell, wanted) in enumerate(zip(notebook.cells, fresh.cells, strict=True)):
        if cell != wanted:
            differing = ", ".join(key for key in wanted if cell.get(key) != wanted[key])
            found.append(f"{path.name}: cell {index} differs in its {differing}; python -m exercises sync mends it")
    return found


def statement(exercise: Exercise) -> str:
    """The Markdown that states an exercise: title, points, prompt, and each hint folded."""
    hints = [
        f"<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>"
        for number, hint in enumerate(exercise.hints, start=1)
    ]
    heading = f"### Exercise {exercise.id}: {exercise.title} ({plural(exercise.points, 'point')})"
    return "\n\n".join([heading, exercise.prompt, *hints])


def statement_cells(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, Exercise]]:
    """The statement cells of a notebook, each with its exercise."""
    return _tagged(notebook, "markdown")


def starter_cells(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, Exercise]]:
    """The starter cells of a notebook, each with its exercise."""
    return _tagged(notebook, "code")


def check_cells(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, Exercise]]:
    """The cells of a notebook whose one statement is ``check("8.2", ...)``, each with its exercise."""
    for cell in notebook.cells:
        id = _checked_id(cell.source) if cell.cell_type == "code" else None
        if id:
            yield cell, get(id)


def _tagged(notebook: NotebookNode, kind: str) -> Iterator[tuple[NotebookNode, Exercise]]:
    for cell in notebook.cells:
        ids = [match[1] for tag in cell.metadata.get("tags", []) if (match := _TAG.fullmatch(tag))]
        if cell.cell_type == kind and ids:
            yield cell, get(ids[0])


def _checked_id(source: str) -> str | None:
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return None
    match statements:
        case [ast.Expr(ast.Call(func=ast.Name("check"), args=[ast.Constant(str() as id), *_]))]:
            return id
    return None


def _require_pairs(notebook: NotebookNode) -> None:
    """Raise ValueError unless every exercise has one starter cell, and one check cell after it."""
    order: dict[str, list[str]] = {}
    starters = {id(cell): exercise.id for cell, exercise in starter_cells(notebook)}
    checks = {id(cell): exercise.id for cell, exercise in check_cells(notebook)}
    for cell in notebook.cells:
        for kind, cells in (("starter", starters), ("check", checks)):
            if id(cell) in cells:
                order.setdefault(cells[id(cell)], []).append(kind)
    for exercise, kinds in order.items():
        if kinds != ["starter", "check"]:
            raise ValueError(
                f"exercise {exercise} needs one starter cell (tag ex-{exercise}) and then one check cell "
                f'(check("{exercise}", ...) alone); the notebook has {", ".join(kinds)}'
            )


def _output(exercise: Exercise, source: str) -> NotebookNode:
    from nbformat.v4 import new_output

    result = grade(exercise, exercise.load(source))
    data = {"text/html": result._repr_html_(), "text/plain": repr(result)}
    return new_output("execute_result", data=data, execution_count=1, metadata={})


def _tag(cell: NotebookNode, *tags: str) -> None:
    present = list(cell.metadata.get("tags", []))
    cell.metadata["tags"] = present + [tag for tag in tags if tag not in present]


def _expected_ids(path: Path) -> set[str]:
    """The exercises that belong into a chapter's notebook, by the number that its name begins with."""
    chapter = re.match(r"\d+", path.name)
    return {exercise.id for exercise in all_exercises() if chapter and exercise.chapter == int(chapter[0])}


def _ids(cells: Iterator[tuple[NotebookNode, Exercise]]) -> set[str]:
    return {exercise.id for _, exercise in cells}
