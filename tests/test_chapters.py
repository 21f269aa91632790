"""nbval runs every chapter: as shipped, solved, and with its stored outputs changed, which it must notice.

``--nbval`` compares a cell exactly when its stored execution count is not null; the stored form (tools/notebooks.py)
keeps counts in cells tagged ``nbval-check-output`` alone. ``--nbval-lax`` would compare the same cells, but lets a cell
pass that is tagged ``raises-exception`` and does not raise.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from exercises.notebooks import check_cells
from tools import notebooks as hygiene

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


def nbval(notebook: Path, scratch: Path) -> tuple[dict[int, bool], str]:
    """Run nbval on a notebook as a newcomer would; whether each code cell passed, by its number, and the log."""
    report = scratch / f"{notebook.stem}.xml"
    progress = scratch / f"{notebook.stem}-progress.json"
    progress.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=60"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull, "--rootdir", str(notebook.parent)]
    command += [f"--junitxml={report}", str(notebook)]
    environment = {**os.environ, "OPTIM_COURSE_PROGRESS": str(progress), "PYTEST_ADDOPTS": ""}
    for variable in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        environment.pop(variable, None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    cells = {}
    for case in ElementTree.parse(report).iter("testcase"):
        cells[int(case.get("name").removeprefix("Cell "))] = len(case) == 0
    return cells, done.stdout[-6000:]


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def with_changed_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy whose every stored output differs a little from what the cell gives."""
    changed = copy.deepcopy(notebook)
    for output in (output for cell in code_cells(changed) for output in cell.outputs):
        if output.output_type == "stream":
            output.text += "changed\n"
        elif output.output_type == "error":
            output.evalue += " changed"
        else:
            output.data["text/plain"] = output.data.get("text/plain", "") + " changed"
    return changed


@every_chapter
def test_chapter_runs_as_shipped(chapter, tmp_path):
    cells, log = nbval(chapter, tmp_path)
    assert len(cells) == len(code_cells(hygiene.read(chapter)))
    assert all(cells.values()), log


@every_chapter
def test_solved_chapter_gets_full_marks(chapter, tmp_path):
    solved = tmp_path / chapter.name
    command = [sys.executable, "-m", "exercises", "solve", str(chapter), str(solved)]
    subprocess.run(command, cwd=ROOT, check=True)
    checks = list(check_cells(hygiene.read(solved)))
    assert len(checks) >= 3
    for cell, exercise in checks:
        assert f"right, {exercise.points} of {exercise.points} points" in cell.outputs[0].data["text/plain"]
    cells, log = nbval(solved, tmp_path)
    assert all(cells.values()), log


@every_chapter
def test_nbval_notices_every_changed_output(chapter, tmp_path):
    notebook = hygiene.read(chapter)
    changed = tmp_path / chapter.name
    nbformat.write(with_changed_outputs(notebook), changed)
    cells, _ = nbval(changed, tmp_path)
    assert {number for number, passed in cells.items() if not passed} == {
        number for number, cell in enumerate(code_cells(notebook)) if hygiene.is_checked(cell)
    }


# --- the same on a small notebook, so that the machinery is tested without a chapter -----------------


def small(tmp_path: Path, *cells: tuple[str, tuple[str, ...]]) -> Path:
    """A stored notebook of code cells given as (source, tags), run once."""
    made = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source, tags in cells]
    path = tmp_path / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Small"), *made]), path)
    assert hygiene.main(["run", str(path)]) == 0
    assert hygiene.faults(path) == []
    return path


CHECKED = (hygiene.CHECKED_TAG,)


def test_stored_outputs_are_compared_and_others_are_not(tmp_path):
    path = small(tmp_path, ("x = 1", ()), ("print(x)", CHECKED), ("x + 1", CHECKED), ("x + 2", ()))
    assert nbval(path, tmp_path)[0] == {0: True, 1: True, 2: True, 3: True}
    nbformat.write(with_changed_outputs(hygiene.read(path)), path)
    assert nbval(path, tmp_path)[0] == {0: True, 1: False, 2: False, 3: True}


def test_a_cell_that_should_raise_and_does_not_fails(tmp_path):
    path = small(tmp_path, ("raise ValueError('no')", (*CHECKED, hygiene.RAISES_TAG)))
    assert nbval(path, tmp_path)[0] == {0: True}
    notebook = hygiene.read(path)
    code_cells(notebook)[0].source = "x = 1"
    nbformat.write(notebook, path)
    assert nbval(path, tmp_path)[0] == {0: False}


def test_a_checked_cell_without_count_would_pass_anything(tmp_path):
    """Why the hygiene check insists on the count: nbval itself does not."""
    path = small(tmp_path, ("print(1)", CHECKED))
    notebook = hygiene.read(path)
    code_cells(notebook)[0].update(source="print(2)", execution_count=None, outputs=[])
    nbformat.write(notebook, path)
    assert nbval(path, tmp_path)[0] == {0: True}
    assert any("has no execution count" in fault for fault in hygiene.faults(path))
