"""nbval runs every chapter: as shipped, then solved, and it would notice a change of any stored output.

``--nbval`` compares a cell exactly when its stored execution count is not null; the stored form (tools/notebooks.py)
keeps counts in cells tagged ``nbval-check-output`` alone. ``--nbval-lax`` would compare the same cells, but lets a cell
pass that is tagged ``raises-exception`` and does not raise.

One run proves all three. The cells of the chapter as shipped are followed by those of the solved chapter from its first
exercise on; and tests/changed_outputs.py lets nbval judge each comparison again with each stored output changed.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from exercises.notebooks import check_cells, starter_cells
from tests.changed_outputs import changes_of
from tools import notebooks as hygiene

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))


@dataclass(frozen=True)
class Cell:
    """What nbval said of a code cell: whether it passed, and how many changes of its stored outputs were noticed."""

    passed: bool
    changes: int
    noticed: int


def nbval(notebook: Path, scratch: Path) -> tuple[list[Cell], str]:
    """Run nbval on a notebook as a newcomer would: each code cell in order, and the log."""
    report = scratch / f"{notebook.stem}.xml"
    progress = scratch / f"{notebook.stem}-progress.json"
    progress.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    command += ["-p", "tests.changed_outputs", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull]
    command += ["--rootdir", str(notebook.parent), f"--junitxml={report}", str(notebook)]
    environment = {
        **os.environ,
        "OPTIM_COURSE_PROGRESS": str(progress),
        "PYTEST_ADDOPTS": "",
        "PYTHONPATH": str(ROOT),
    }
    for variable in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        environment.pop(variable, None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    cells = {}
    for case in ElementTree.parse(report).iter("testcase"):
        said = {item.get("name"): int(item.get("value")) for item in case.iter("property")}
        passed = not any(child.tag in ("failure", "error", "skipped") for child in case)
        number = int(case.get("name").removeprefix("Cell "))
        cells[number] = Cell(passed, said.get("changes", 0), said.get("noticed", 0))
    assert sorted(cells) == list(range(len(cells)))
    return [cells[number] for number in sorted(cells)], done.stdout[-6000:]


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@dataclass(frozen=True)
class Ran:
    """A chapter, its solved form, and what nbval said of the cells of the one and of the exercises of the other."""

    shipped: nbformat.NotebookNode
    solved: nbformat.NotebookNode
    cells_shipped: list[Cell]
    cells_solved: list[Cell]
    log: str


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def ran(request, tmp_path_factory) -> Ran:
    """A chapter, run once."""
    chapter, scratch = request.param, tmp_path_factory.mktemp(request.param.stem)
    command = [sys.executable, "-m", "exercises", "solve", str(chapter), str(scratch / "solved.ipynb")]
    subprocess.run(command, cwd=ROOT, check=True)
    shipped, solved = hygiene.read(chapter), hygiene.read(scratch / "solved.ipynb")
    first = next(solved.cells.index(cell) for cell, _ in starter_cells(solved))
    both = copy.deepcopy(shipped)
    for cell in copy.deepcopy(solved.cells[first:]):
        both.cells.append(cell)
        cell.id = f"solved-{len(both.cells)}"
    nbformat.write(both, scratch / chapter.name)
    cells, log = nbval(scratch / chapter.name, scratch)
    count = len(code_cells(shipped))
    return Ran(shipped, solved, cells[:count], cells[count:], log)


def test_chapter_runs_as_shipped(ran):
    assert len(ran.cells_shipped) == len(code_cells(ran.shipped))
    assert all(cell.passed for cell in ran.cells_shipped), ran.log


def test_solved_chapter_gets_full_marks(ran):
    checks = list(check_cells(ran.solved))
    assert len(checks) >= 3
    for cell, exercise in checks:
        assert f"right, {exercise.points} of {exercise.points} points" in cell.outputs[0].data["text/plain"]
    assert len(ran.cells_solved) >= 2 * len(checks)
    assert all(cell.passed for cell in ran.cells_solved), ran.log


def test_nbval_would_notice_every_changed_output(ran):
    for cell, result in zip(code_cells(ran.shipped), ran.cells_shipped, strict=True):
        expected = len(list(changes_of(cell.outputs))) if hygiene.is_checked(cell) else 0
        assert (result.changes, result.noticed) == (expected, expected), cell.id
        assert expected >= 1 or not hygiene.is_checked(cell), cell.id


# --- the same on a small notebook, so that the machinery is tested without a chapter -----------------


def with_changed_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy whose every stored output differs a little from what the cell gives."""
    copied = copy.deepcopy(notebook)
    for cell in code_cells(copied):
        for outputs in changes_of(cell.outputs):
            cell.outputs = outputs
    return copied


def passed(cells: list[Cell]) -> list[bool]:
    return [cell.passed for cell in cells]


def small(tmp_path: Path, *cells: tuple[str, tuple[str, ...]], in_order: bool = True) -> Path:
    """A stored notebook of code cells given as (source, tags), run once."""
    made = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source, tags in cells]
    path = tmp_path / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Small"), *made]), path)
    assert hygiene.main(["run", str(path)]) == 0
    assert (hygiene.faults(path) == []) == in_order
    return path


CHECKED = (hygiene.CHECKED_TAG,)


def test_stored_outputs_are_compared_and_others_are_not(tmp_path):
    path = small(tmp_path, ("x = 1", ()), ("print(x)\nx", CHECKED), ("x + 1", CHECKED), ("x + 2", ()))
    cells, _ = nbval(path, tmp_path)
    assert cells == [Cell(True, 0, 0), Cell(True, 2, 2), Cell(True, 1, 1), Cell(True, 0, 0)]
    nbformat.write(with_changed_outputs(hygiene.read(path)), path)
    assert passed(nbval(path, tmp_path)[0]) == [True, False, False, True]


def test_a_cell_that_nbval_is_told_to_ignore_has_no_change_noticed(tmp_path):
    path = small(tmp_path, ("# NBVAL_IGNORE_OUTPUT\nprint(1)", CHECKED))
    assert nbval(path, tmp_path)[0] == [Cell(True, 0, 0)]


def test_a_change_of_what_nbval_skips_is_not_noticed(tmp_path):
    """The counts are nbval's own verdicts: it does not compare pictures."""
    path = small(tmp_path, ("from IPython.display import Image\nImage(b'', format='png')", CHECKED), in_order=False)
    (cell,) = nbval(path, tmp_path)[0]
    assert (cell.passed, cell.noticed) == (True, cell.changes - 1)


def test_a_cell_that_should_raise_and_does_not_fails(tmp_path):
    path = small(tmp_path, ("raise ValueError('no')", (*CHECKED, hygiene.RAISES_TAG)))
    assert passed(nbval(path, tmp_path)[0]) == [True]
    notebook = hygiene.read(path)
    code_cells(notebook)[0].source = "x = 1"
    nbformat.write(notebook, path)
    assert passed(nbval(path, tmp_path)[0]) == [False]


def test_a_checked_cell_without_count_would_pass_anything(tmp_path):
    """Why the hygiene check insists on the count: nbval itself does not."""
    path = small(tmp_path, ("print(1)", CHECKED))
    notebook = hygiene.read(path)
    code_cells(notebook)[0].update(source="print(2)", execution_count=None, outputs=[])
    nbformat.write(notebook, path)
    assert passed(nbval(path, tmp_path)[0]) == [True]
    assert any("has no execution count" in fault for fault in hygiene.faults(path))
