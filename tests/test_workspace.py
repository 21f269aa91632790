"""A student's workspace gets every chapter, and never loses an edit."""

from __future__ import annotations

import nbformat
import pytest

from tools.workspace import citations, lay_out, plain_markdown

BIBLIOGRAPHY = """
@inproceedings{kingma2015, author = {Kingma, Diederik P. and Ba, Jimmy}, title = {Adam}, year = {2015}}
@article{one1951, author = {Robbins, Herbert}, title = {A}, year = {1951}}
@article{many2018, author = {Li, Hao and Xu, Zheng and {Ben Arous}, G}, title = {V}, year = {2018}}
"""


def write_chapter(folder, source="x = ...", name="08_adam.ipynb"):
    checked = nbformat.v4.new_code_cell(
        source, execution_count=1, outputs=[nbformat.v4.new_output("stream", name="stdout", text="1\n")]
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 8 Adam", id="a"), checked])
    checked.id = "b"
    nbformat.write(notebook, folder / name)


@pytest.fixture
def folders(tmp_path):
    chapters, workspace = tmp_path / "chapters", tmp_path / "workspace"
    chapters.mkdir()
    (chapters / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    write_chapter(chapters)
    return chapters, workspace


def edit(path, text="x = 42"):
    path.write_text(path.read_text(encoding="utf-8").replace("x = ...", text), encoding="utf-8")


def test_chapters_are_copied_without_outputs(folders):
    _, workspace = folders
    assert lay_out(*folders) == ["08_adam.ipynb: copied"]
    cell = nbformat.read(workspace / "08_adam.ipynb", as_version=4).cells[1]
    assert (cell.source, cell.outputs, cell.execution_count) == ("x = ...", [], None)


def test_a_second_time_there_is_nothing_to_do(folders):
    lay_out(*folders)
    assert lay_out(*folders) == []


def test_an_edited_copy_is_never_overwritten(folders):
    chapters, workspace = folders
    lay_out(*folders)
    edit(workspace / "08_adam.ipynb")
    edited = (workspace / "08_adam.ipynb").read_bytes()
    assert lay_out(*folders) == []
    write_chapter(chapters, "x = ...  # new")
    (line,) = lay_out(*folders)
    assert "08_adam.new.ipynb" in line
    assert (workspace / "08_adam.ipynb").read_bytes() == edited
    assert "# new" in (workspace / "08_adam.new.ipynb").read_text(encoding="utf-8")
    assert lay_out(*folders) == [], "told once, not every time"


def test_an_untouched_copy_follows_the_course(folders):
    chapters, workspace = folders
    lay_out(*folders)
    write_chapter(chapters, "x = ...  # new")
    assert lay_out(*folders) == ["08_adam.ipynb: brought up to date"]
    assert "# new" in (workspace / "08_adam.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("memory", ["", "{", "[]"])
def test_without_its_memory_an_edit_still_survives(folders, memory):
    _, workspace = folders
    lay_out(*folders)
    edit(workspace / "08_adam.ipynb")
    edited = (workspace / "08_adam.ipynb").read_bytes()
    (workspace / ".course.json").write_text(memory, encoding="utf-8")
    lay_out(*folders)
    assert (workspace / "08_adam.ipynb").read_bytes() == edited


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig", "utf-32-le"])
def test_a_copy_in_another_encoding_is_the_students_and_stops_nothing(folders, encoding):
    chapters, workspace = folders
    write_chapter(chapters, name="09_adamw.ipynb")
    lay_out(*folders)
    mine = workspace / "08_adam.ipynb"
    mine.write_text(mine.read_text(encoding="utf-8").replace("x = ...", "x = 'ä'"), encoding=encoding)
    edited = mine.read_bytes()
    for name in ("08_adam.ipynb", "09_adamw.ipynb"):
        write_chapter(chapters, "x = ...  # new", name)
    told = "\n".join(lay_out(*folders))
    assert mine.read_bytes() == edited
    assert "08_adam.new.ipynb" in told
    assert ("cannot be read as UTF-8" in told) == (encoding != "utf-8-sig")
    assert "09_adamw.ipynb: brought up to date" in told


@pytest.mark.parametrize("change", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")])
def test_a_mark_or_other_line_ends_are_no_edit(folders, change):
    chapters, workspace = folders
    lay_out(*folders)
    mine = workspace / "08_adam.ipynb"
    mine.write_bytes(change(mine.read_bytes()))
    write_chapter(chapters, "x = ...  # new")
    assert lay_out(*folders) == ["08_adam.ipynb: brought up to date"]


def test_a_folder_in_the_place_of_a_copy_stops_nothing(folders):
    _, workspace = folders
    (workspace / "08_adam.ipynb").mkdir(parents=True)
    assert "08_adam.ipynb" in "\n".join(lay_out(*folders))
    assert (workspace / "08_adam.ipynb").is_dir()


CITED = citations(BIBLIOGRAPHY)


@pytest.mark.parametrize(
    ("book", "plain"),
    [
        ("see {cite}`kingma2015`.", "see (Kingma and Ba, 2015)."),
        ("{cite:t}`one1951` showed", "Robbins (1951) showed"),
        ("{cite}`one1951,many2018`", "(Robbins, 1951; Li et al., 2018)"),
        ("{doc}`notation`", "[Notation](notation.md)"),
        ("{doc}`the symbols <notation>`", "[the symbols](notation.md)"),
        ("{doc}`references`", "References"),
        ("```{tip}\nTry it.\n```", "> **Tip**\n>\n> Try it."),
        (":::{admonition} Why\n:class: note\n\nOne.\n\nTwo.\n:::\nAfter", "> **Why**\n>\n> One.\n>\n> Two.\nAfter"),
        ("```python\nx = 1\n```", "```python\nx = 1\n```"),
        ("plain $x$ and `{code}`", "plain $x$ and `{code}`"),
    ],
)
def test_the_books_marks_become_plain_words(book, plain):
    assert plain_markdown(book, CITED) == plain
