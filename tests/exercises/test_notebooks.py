"""Starters, solutions and expected outputs in notebooks, and the commands that write them."""

import subprocess
import sys

import nbformat
import pytest

from exercises import get, notebooks, record
from exercises.__main__ import main

CHAPTER = ("8.1", "8.2", "8.3", "8.4", "8.5")


def chapter_notebook(ids=CHAPTER):
    v4 = nbformat.v4
    cells = [v4.new_code_cell("import numpy as np\nfrom exercises import check, hint, solution", id="imports")]
    for id in ids:
        answer, name = get(id).answer, id.replace(".", "-")
        cells += [
            v4.new_markdown_cell("Something to try.", id=f"text-{name}"),
            v4.new_markdown_cell("old", id=f"statement-{name}", metadata={"tags": [f"ex-{id}"]}),
            v4.new_code_cell("old = 1", id=f"starter-{name}", metadata={"tags": ["keep", f"ex-{id}"]}),
            v4.new_code_cell(f'check("{id}", {answer})', id=f"check-{name}"),
            v4.new_code_cell(f'# hint("{id}")', id=f"hint-{name}"),
        ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return v4.new_notebook(cells=cells, metadata=kernel)


@pytest.fixture
def chapter(tmp_path):
    path = tmp_path / "08_adam.ipynb"
    nbformat.write(chapter_notebook(), path)
    return path


def nbval(*paths):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--nbval-lax",
        "--nbval-current-env",
    ]
    return subprocess.run(
        [*command, "--rootdir", paths[0].parent, "-c", "/dev/null", *paths], capture_output=True, text=True
    )


def test_sync_writes_starters_and_expected_outputs_and_nothing_else(chapter):
    assert notebooks.sync(chapter)
    assert not notebooks.sync(chapter)
    before, after = chapter_notebook(), nbformat.read(chapter, as_version=4)
    for old, new in zip(before.cells, after.cells, strict=True):
        if new.id.startswith("statement"):
            exercise = get(new.id.removeprefix("statement-").replace("-", "."))
            assert new.source.startswith(f"### Exercise {exercise.id}: {exercise.title} ({exercise.points} points)")
            assert exercise.prompt in new.source
            assert new.source.count("<details>") == new.source.count("</details>") == len(exercise.hints)
            assert all(hint in new.source for hint in exercise.hints)
        elif new.id.startswith("starter"):
            exercise = get(new.id.removeprefix("starter-").replace("-", "."))
            assert new.source == exercise.starter
            assert new.metadata.tags == ["keep", f"ex-{exercise.id}", "exercise"]
        elif new.id.startswith("check"):
            assert new.source == old.source
            assert new.execution_count == 1
            assert new.metadata.tags == ["nbval-check-output"]
            assert "not attempted yet" in new.outputs[0].data["text/plain"]
            assert "uo-check" in new.outputs[0].data["text/html"]
        else:
            assert new == old


def test_solve_writes_solutions_and_full_marks_and_leaves_the_source(chapter, tmp_path):
    notebooks.sync(chapter)
    before = chapter.read_bytes()
    target = tmp_path / "made" / "solved.ipynb"
    assert notebooks.solve(chapter, target) == len(CHAPTER)
    assert chapter.read_bytes() == before
    cells = {cell.id: cell for cell in nbformat.read(target, as_version=4).cells}
    for id in CHAPTER:
        name, exercise = id.replace(".", "-"), get(id)
        assert cells[f"starter-{name}"].source == exercise.solution
        full = f"{exercise.points} of {exercise.points} points"
        assert full in cells[f"check-{name}"].outputs[0].data["text/plain"]


def test_nbval_compares_the_chapter_as_shipped_and_solved(chapter, tmp_path, progress_file):
    notebooks.sync(chapter)
    solved = tmp_path / "solved.ipynb"
    notebooks.solve(chapter, solved)
    run = nbval(chapter, solved)
    assert run.returncode == 0, run.stdout
    assert "32 passed" in run.stdout
    assert record.load()[0]["8.4"]["status"] == "right"


@pytest.mark.parametrize("part", ["text/plain", "text/html"])
def test_nbval_notices_a_changed_output(tmp_path, part):
    source, solved = tmp_path / "source.ipynb", tmp_path / "solved.ipynb"
    nbformat.write(chapter_notebook(["8.1"]), source)
    notebooks.solve(source, solved)
    notebook = nbformat.read(solved, as_version=4)
    data = notebook.cells[4].outputs[0].data
    data[part] = data[part].replace("3 of 3", "2 of 3")
    nbformat.write(notebook, solved)
    run = nbval(solved)
    assert run.returncode == 1, run.stdout
    assert "1 failed" in run.stdout


def test_nbval_notices_a_wrong_answer_in_the_starter_cell(tmp_path):
    source, solved = tmp_path / "source.ipynb", tmp_path / "solved.ipynb"
    nbformat.write(chapter_notebook(["8.1"]), source)
    notebooks.solve(source, solved)
    notebook = nbformat.read(solved, as_version=4)
    notebook.cells[3].source = get("8.1").wrong_answers[0].source
    nbformat.write(notebook, solved)
    assert nbval(solved).returncode == 1


def test_problems_name_what_is_out_of_step(chapter):
    assert "cell 3 differs in its metadata, source" in "".join(notebooks.problems(chapter))
    notebooks.sync(chapter)
    assert notebooks.problems(chapter) == []
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells[4].execution_count = None
    nbformat.write(notebook, chapter)
    (problem,) = notebooks.problems(chapter)
    assert "cell 4 differs in its execution_count; python -m exercises sync mends it" in problem


def test_problems_name_a_missing_exercise(tmp_path):
    path = tmp_path / "08_adam.ipynb"
    nbformat.write(chapter_notebook(CHAPTER[:-1]), path)
    notebooks.sync(path)
    assert notebooks.problems(path) == ["08_adam.ipynb: exercise 8.5 is missing"]


def broken(remove=None, insert=None):
    notebook = chapter_notebook(["8.1"])
    if remove is not None:
        del notebook.cells[remove]
    if insert is not None:
        notebook.cells.append(insert)
    return notebook


@pytest.mark.parametrize(
    ("notebook", "sentence"),
    [
        (broken(remove=3), "exercise 8.1 needs one starter cell"),
        (broken(remove=4), "exercise 8.1 needs one starter cell"),
        (
            broken(insert=nbformat.v4.new_code_cell('check("8.1", moments)')),
            "the notebook has starter, check, check",
        ),
        (broken(insert=nbformat.v4.new_code_cell('check("8.9", moments)')), "there is no exercise '8.9'"),
        (
            broken(insert=nbformat.v4.new_code_cell("x", metadata={"tags": ["ex-8.9"]})),
            "there is no exercise '8.9'",
        ),
    ],
)
def test_cells_that_do_not_belong_together_are_refused(tmp_path, notebook, sentence):
    path = tmp_path / "broken.ipynb"
    nbformat.write(notebook, path)
    assert sentence in notebooks.problems(path)[0]
    with pytest.raises((ValueError, KeyError), match="8"):
        notebooks.solve(path, tmp_path / "solved.ipynb")
    assert not (tmp_path / "solved.ipynb").exists()


def test_only_a_lone_call_of_check_is_a_check_cell():
    assert notebooks._checked_id('check("8.1", x)') == "8.1"
    assert notebooks._checked_id('# look\ncheck("8.1", x)\n') == "8.1"
    for source in (
        'r = check("8.1", x)',
        'check("8.1", x)\n1',
        "check(a, x)",
        "%matplotlib inline",
        "check()",
    ):
        assert notebooks._checked_id(source) is None


# Commands


def test_solve_never_overwrites_its_source_and_asks_for_force(chapter, tmp_path, capsys):
    target = tmp_path / "solved.ipynb"
    link = tmp_path / "link.ipynb"
    link.symlink_to(chapter)
    before = chapter.read_bytes()
    assert main(["solve", str(chapter), str(target)]) == 0
    assert main(["solve", str(chapter), str(target)]) == 1
    assert "exists; --force overwrites it" in capsys.readouterr().err
    assert main(["solve", str(chapter), str(target), "--force"]) == 0
    for same in (chapter, link):
        assert main(["solve", str(chapter), str(same), "--force"]) == 1
    assert chapter.read_bytes() == before


def test_solve_says_what_it_cannot_read(tmp_path, capsys):
    assert main(["solve", str(tmp_path / "none.ipynb"), str(tmp_path / "x.ipynb")]) == 1
    assert "none.ipynb" in capsys.readouterr().err
    (tmp_path / "text.ipynb").write_text("no notebook")
    assert main(["solve", str(tmp_path / "text.ipynb"), str(tmp_path / "x.ipynb")]) == 1
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "empty.ipynb")
    assert main(["solve", str(tmp_path / "empty.ipynb"), str(tmp_path / "x.ipynb")]) == 1
    assert "has no starter cell" in capsys.readouterr().err


def test_sync_command_writes_and_checks(chapter, capsys):
    assert main(["sync", "--check", str(chapter)]) == 1
    assert "cell 3 differs in its metadata, source" in capsys.readouterr().out
    assert main(["sync", str(chapter)]) == 0
    assert main(["sync", "--check", str(chapter)]) == 0


def test_list_starter_and_progress_print(capsys):
    assert main(["list"]) == 0
    assert "8.2   Bias correction (4 points)" in capsys.readouterr().out
    assert main(["starter", "8.2"]) == 0
    assert capsys.readouterr().out.startswith("def adam_step(")
    assert main(["starter", "8.99"]) == 1
    assert "there is no exercise '8.99'" in capsys.readouterr().err
    assert main(["progress"]) == 0
    assert "8.1 [ ]" in capsys.readouterr().out


def test_reset_asks_first(monkeypatch, progress_file, capsys):
    record.save_score("8.1", 3, 3, "right")
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert main(["reset"]) == 1
    assert progress_file.exists()
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert main(["reset"]) == 0
    assert not progress_file.exists()
    assert main(["reset", "--yes"]) == 0
    assert "There is no progress to reset." in capsys.readouterr().out


def test_export_and_import_carry_progress_between_places(progress_file, tmp_path, monkeypatch, capsys):
    record.save_score("8.1", 3, 3, "right", "moments")
    carried = tmp_path / "carried.json"
    assert main(["export", str(carried)]) == 0
    assert main(["export", str(carried)]) == 1
    assert "exists; --force overwrites it" in capsys.readouterr().err
    monkeypatch.setenv("OPTIM_COURSE_PROGRESS", str(tmp_path / "other.json"))
    record.save_score("8.2", 4, 4, "right", "adam_step")
    assert main(["import", str(carried)]) == 0
    assert main(["progress"]) == 0
    assert "7 of" in capsys.readouterr().out
    carried.write_text("no record")
    assert main(["import", str(carried)]) == 1
    assert "carried.json: this is not a record" in capsys.readouterr().err


def test_a_notebook_with_a_byte_order_mark_is_read(chapter, tmp_path):
    chapter.write_bytes(b"\xef\xbb\xbf" + chapter.read_bytes())
    assert main(["sync", str(chapter)]) == 0
    assert main(["sync", "--check", str(chapter)]) == 0
    assert main(["solve", str(chapter), str(tmp_path / "solved.ipynb")]) == 0


@pytest.mark.parametrize(
    ("content", "says"), [("{}".encode("utf-16"), "is not UTF-8 text"), (b"print(1)", "is not a notebook")]
)
def test_what_is_no_notebook_is_named(tmp_path, capsys, content, says):
    path = tmp_path / "mine.ipynb"
    path.write_bytes(content)
    assert main(["sync", str(path)]) == 1
    assert f"{path} {says}" in capsys.readouterr().err


def test_commands_run_as_a_module():
    run = subprocess.run([sys.executable, "-m", "exercises", "--help"], capture_output=True, text=True)
    assert run.returncode == 0
    for command in ("solve", "sync", "list", "progress", "export", "import", "reset", "starter"):
        assert command in run.stdout
