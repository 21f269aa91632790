"""Stored notebooks have one form, and every way to leave it is named."""

from __future__ import annotations

import copy
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from tools import notebooks as hygiene

CHAPTERS = sorted((Path(__file__).parents[1] / "chapters").glob("*.ipynb"))

TEXT = """\
# 8 Adam

A lead.

```{code-cell} ipython3
import numpy as np
```

+++

## The idea, in words

```{code-cell} ipython3
:tags: [nbval-check-output, hide-input]

print(np.arange(3))
np.pi
```
"""


@pytest.fixture(scope="module")
def chapter_in_order(tmp_path_factory):
    """A small chapter: converted, run and stored."""
    folder = tmp_path_factory.mktemp("chapter")
    source, path = folder / "08_adam.md", folder / "08_adam.ipynb"
    source.write_text(TEXT, encoding="utf-8")
    assert hygiene.main(["from-md", str(source), str(path)]) == 0
    assert hygiene.main(["run", str(path)]) == 0
    return path


@pytest.fixture
def chapter(chapter_in_order, tmp_path):
    """A copy of the small chapter, to be damaged."""
    return Path(shutil.copy(chapter_in_order, tmp_path))


def edit(path, change):
    """Apply `change` to the notebook's JSON and write it back as an editor would."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_is_stored_in_order(path):
    assert hygiene.faults(path) == []


def test_converted_and_run_chapter_is_in_order(chapter, capsys):
    assert hygiene.main(["check", str(chapter.parent)]) == 0
    assert "1 notebooks in order" in capsys.readouterr().out


def test_ids_are_words_of_the_cells(chapter):
    ids = [cell.id for cell in hygiene.read(chapter).cells]
    assert ids == ["8-adam", "import-numpy-as-np", "the-idea-in-words", "print-np-arange-3"]


def test_good_ids_survive_an_edit_of_the_cell(chapter):
    def change(content):
        content["cells"][2]["source"] = ["## Another heading"]

    edit(chapter, change)
    assert hygiene.main(["format", str(chapter)]) == 0
    assert hygiene.read(chapter).cells[2].id == "the-idea-in-words"


def test_equal_cells_get_different_ids(tmp_path):
    cells = [nbformat.v4.new_code_cell("x = 1") for _ in range(3)]
    notebook = hygiene.stored_form(nbformat.v4.new_notebook(cells=cells))
    assert [cell.id for cell in notebook.cells] == ["x-1", "x-1-2", "x-1-3"]


@pytest.mark.parametrize("cell_id", ["61799a54", "3f8e1c52-0b0a-4a0e-9d0c-1f2e3d4c5b6a", "Two_Words", "", "a" * 60])
def test_random_and_unreadable_ids_are_replaced(cell_id):
    assert not hygiene.is_good_id(cell_id)


def test_only_checked_cells_keep_outputs(chapter):
    unchecked, checked = hygiene.read(chapter).cells[1::2]
    assert unchecked.execution_count is None
    assert unchecked.outputs == []
    assert checked.execution_count == 1
    assert checked.outputs[0].text == "[0 1 2]\n"
    assert checked.outputs[1].data["text/plain"] == "3.141592653589793"


def test_storing_twice_changes_nothing(chapter):
    once = chapter.read_bytes()
    assert hygiene.main(["run", str(chapter)]) == 0
    assert hygiene.main(["format", str(chapter)]) == 0
    assert chapter.read_bytes() == once


def test_pieces_of_one_stream_are_stored_as_one():
    pieces = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("a\n", "b\n")]
    cell = nbformat.v4.new_code_cell(
        "print()", outputs=pieces, execution_count=7, metadata={"tags": [hygiene.CHECKED_TAG]}
    )
    stored = hygiene.stored_form(nbformat.v4.new_notebook(cells=[cell])).cells[0]
    assert [output.text for output in stored.outputs] == ["a\nb\n"]
    assert stored.execution_count == 1


def test_format_does_not_alter_the_notebook_it_is_given(chapter):
    notebook = hygiene.read(chapter)
    before = copy.deepcopy(notebook)
    hygiene.stored_form(notebook)
    assert notebook == before


def set_in_cell(number, **values):
    return lambda content: content["cells"][number].update(values)


def replace_source(number, source):
    return set_in_cell(number, source=source.splitlines(keepends=True))


def output(**data):
    return {"data": data, "execution_count": 1, "metadata": {}, "output_type": "execute_result"}


FAULTS = {
    "random id": (set_in_cell(1, id="61799a54"), "has no id in words"),
    "id twice": (set_in_cell(1, id="8-adam"), "has the id of an earlier cell"),
    "count without tag": (set_in_cell(1, execution_count=3), "stores an execution count without the tag"),
    "output without tag": (
        set_in_cell(1, outputs=[output(**{"text/plain": "1"})]),
        "stores outputs without the tag",
    ),
    "checked without count": (set_in_cell(3, execution_count=None), "has no execution count"),
    "checked with another count": (set_in_cell(3, execution_count=12), "has execution count 12"),
    "checked without output": (set_in_cell(3, outputs=[]), "stores no output to compare"),
    "checked picture": (set_in_cell(3, outputs=[output(**{"image/png": "aGk="})]), "stores a picture"),
    "checked widget": (
        set_in_cell(3, outputs=[output(**{"application/vnd.jupyter.widget-view+json": {"model_id": "1"}})]),
        "stores a widget",
    ),
    "checked address": (
        set_in_cell(3, outputs=[output(**{"text/plain": "<Adam at 0x7f3a2b1c9d10>"})]),
        "prints a memory address",
    ),
    "checked error": (
        set_in_cell(3, outputs=[{"output_type": "error", "ename": "E", "evalue": "e", "traceback": []}]),
        "stores an error without the tag",
    ),
    "raises unchecked": (
        set_in_cell(1, metadata={"tags": [hygiene.RAISES_TAG]}),
        "would pass without raising",
    ),
    "long cell": (replace_source(1, "x = 1\n" * 21), "has 21 lines of code, more than 20"),
    "markdown image": (replace_source(2, "## A\n![](a.png)"), "shows an image without alternative text"),
    "html image": (
        replace_source(2, '## A\n<img src="a.png" alt="">'),
        "shows an image without alternative text",
    ),
    "no title": (replace_source(0, "Adam"), "does not open with a title"),
    "editor metadata": (
        set_in_cell(1, metadata={"collapsed": True}),
        "is not in the stored form",
    ),
}


@pytest.mark.parametrize(("change", "fault"), FAULTS.values(), ids=FAULTS.keys())
def test_fault_is_named(chapter, capsys, change, fault):
    edit(chapter, change)
    assert hygiene.main(["check", str(chapter)]) == 1
    assert fault in capsys.readouterr().out


REPAIRED_BY_FORMAT = (
    "random id",
    "id twice",
    "count without tag",
    "output without tag",
    "checked with another count",
    "editor metadata",
)


@pytest.mark.parametrize("name", REPAIRED_BY_FORMAT)
def test_format_repairs(chapter, name):
    edit(chapter, FAULTS[name][0])
    assert hygiene.main(["format", str(chapter)]) == 0
    assert hygiene.faults(chapter) == []


def test_image_with_alternative_text_is_in_order(chapter):
    edit(chapter, replace_source(2, '## The idea, in words\n![A path](a.png) <img src="a.png" alt="A path">'))
    assert hygiene.faults(chapter) == []


def test_failing_cell_is_reported_and_the_file_is_left_alone(chapter, capsys):
    edit(chapter, replace_source(3, "1 / 0"))
    before = chapter.read_bytes()
    assert hygiene.main(["run", str(chapter)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert chapter.read_bytes() == before


def test_run_does_not_touch_a_students_progress(chapter, monkeypatch, tmp_path):
    monkeypatch.setenv("OPTIM_COURSE_PROGRESS", str(tmp_path / "mine.json"))
    edit(chapter, replace_source(3, "import os\nprint(os.environ['OPTIM_COURSE_PROGRESS'])"))
    assert hygiene.main(["run", str(chapter)]) == 0
    assert "mine.json" not in chapter.read_text(encoding="utf-8")


def test_run_starts_in_the_notebooks_folder(chapter):
    edit(chapter, replace_source(3, "from pathlib import Path\nprint(Path('08_adam.ipynb').exists())"))
    assert hygiene.main(["run", str(chapter)]) == 0
    assert hygiene.read(chapter).cells[3].outputs[0].text == "True\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["format", "absent.ipynb"], "absent.ipynb does not exist."),
        (["from-md", "absent.md", "x.ipynb"], "absent.md does not exist."),
        (["from-md", __file__, "x.txt"], "must end in .ipynb, got x.txt"),
    ],
)
def test_wrong_arguments_get_a_sentence(capsys, arguments, sentence):
    assert hygiene.main(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_no_notebook_gets_a_sentence(tmp_path, capsys):
    (tmp_path / "x.ipynb").write_text("not json", encoding="utf-8")
    assert hygiene.main(["check", str(tmp_path)]) == 1
    assert "is not a notebook" in capsys.readouterr().out


# --- what is folded on the page ---------------------------------------------------------------------


def sections(notebook):
    """The cells of each section of a chapter, by its heading, and its words."""
    heading, found = "", {}
    for cell in notebook.cells:
        cells, words = found.setdefault(heading, ([], []))
        if cell.cell_type == "code":
            cells.append(cell)
            continue
        first, *rest = re.split(r"^## ", cell.source, flags=re.MULTILINE)
        words += first.split()
        for part in rest:
            heading, _, text = part.partition("\n")
            found[heading] = ([], text.split())
    return found


def is_folded(cell):
    return "hide-input" in cell.metadata.get("tags", ())


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_imports_are_folded(chapter):
    imports = [cell for cell in hygiene.read(chapter).cells if "from exercises import" in cell.source]
    assert imports
    assert all(map(is_folded, imports))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_agreement_with_pytorch_is_short_and_folded(chapter):
    for heading, (cells, words) in sections(hygiene.read(chapter)).items():
        if "PyTorch" not in heading:
            continue
        assert [cell.id for cell in cells if not is_folded(cell)] == []
        assert len(words) <= 200, heading
