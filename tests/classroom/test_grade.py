"""One command grades a class: layouts, encodings, hostile answers, and what is kept between runs."""

import csv
import os
import sys

import pytest

from exercises import get
from exercises.__main__ import main
from tests.classroom.conftest import CHAPTER, all_points, code, notebook, solved

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")


@pytest.fixture
def grade(hand_in, tmp_path, capsys):
    """Run the command on what was handed in: the rows of scores and details, and what was printed."""

    def run(*options):
        capsys.readouterr()
        scores = tmp_path / "out" / "scores.csv"
        arguments = ["--csv", str(scores), "--report", str(tmp_path / "out" / "report"), "--jobs", "1", *options]
        status = main(["grade", str(hand_in.folder), *arguments])
        said = capsys.readouterr()
        if status:
            return status, {}, said.err
        rows = {row["student"]: row for row in read(scores)}
        details = {(row["student"], row["exercise"]): row for row in read(scores.with_name("details.csv"))}
        return rows, details, said.out

    return run


def read(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_answers_are_found_in_any_layout_and_encoding(hand_in, grade):
    full = solved()
    hand_in("anna/08_adam.ipynb", notebook(full))
    hand_in("ben/week 8/08_adam (1).ipynb", notebook(full, tags=False), "utf-16")
    hand_in("Übung Jörg.ipynb", notebook(full | {"8.1": "# größe\n" + full["8.1"]}), "cp1252")
    reversed_cells = notebook(full)
    reversed_cells["cells"].reverse()
    hand_in("dora/x.ipynb", b"\xef\xbb\xbf" + __import__("json").dumps(reversed_cells).encode())
    names = [code(source) for source in full.values()]
    hand_in("emil/copy.ipynb", {"nbformat": 4, "metadata": {}, "cells": names})
    renamed = notebook(full)
    renamed["cells"][1]["source"] = full["8.1"].replace("def moments", "def my_moments")
    renamed["cells"][2]["source"] = 'check("8.1", my_moments)'
    renamed["cells"].append(code("raise ValueError"))
    renamed["cells"].insert(0, code("%matplotlib inline\n!pip install x\nthis is not Python"))
    hand_in("frida/08.ipynb", renamed)
    hand_in("gina/08.py", "import numpy as np\n# %%\n" + "\n# %%\n".join(full.values()))
    rows, details, said = grade()
    assert {student: row["points"] for student, row in rows.items()} == dict.fromkeys(rows, all_points())
    assert set(rows) == {"anna", "ben", "Übung Jörg", "dora", "emil", "frida", "gina"}
    anna = rows["anna"]
    assert (anna["file"], anna["8.1"], anna["8.4"], anna["max_points"], anna["problems"]) == (
        "anna/08_adam.ipynb",
        "3",
        "4",
        all_points(),
        "",
    )
    assert details["anna", "8.2"]["status"] == "right"
    assert sum(int(details["anna", "8.2"][f"check {k} points"] or 0) for k in (1, 2, 3)) <= 4
    assert "What could not be found" not in said


def test_partial_marks_come_with_the_named_mistake_and_the_problems_are_told(hand_in, grade):
    wrong = get("8.2").wrong_answers[0]
    hand_in("anna/08.ipynb", notebook(solved(ex_8_2=wrong.source)))
    hand_in("ben/08.ipynb", notebook({id: get(id).starter for id in CHAPTER}))
    hand_in("cleo/08.ipynb", "no notebook")
    hand_in("dora/readme.txt", "I could not do it")
    hand_in("emil/08.ipynb", notebook(solved(ex_8_1="def moments(grads, beta1, beta2:\n    return")))
    short = notebook(solved())
    short["cells"] = short["cells"][:5]
    hand_in("frida/08.ipynb", short)
    (hand_in.folder / "gina.ipynb").symlink_to(hand_in.folder / "anna" / "08.ipynb")
    rows, details, said = grade()
    assert wrong.feedback in details["anna", "8.2"]["mistake"]
    assert int(rows["anna"]["points"]) < int(all_points())
    assert (rows["ben"]["points"], details["ben", "8.1"]["status"]) == ("0", "not attempted")
    assert "it is not JSON" in rows["cleo"]["problems"]
    assert "no notebook was handed in" in rows["dora"]["problems"]
    assert "SyntaxError" in details["emil", "8.1"]["feedback"]
    assert rows["emil"]["points"] == all_points(without="8.1")
    assert "no answer found to 8.3, 8.4" in rows["frida"]["problems"]
    assert "links are not followed" in rows["gina"]["problems"]
    assert "cleo" in said
    assert "it is not JSON" in said


FOUR = "def adam_step(theta, grad, m, v, t, learning_rate, beta1, beta2, epsilon):\n"
HOSTILE = {
    "exit": "    import os; os._exit(0)",
    "fork bomb": "    import os\n    while True: os.fork()",
    "memory": "    kept = []\n    while True: kept.append(bytearray(10**8))",
    "disk": "    with open('x', 'wb') as file:\n        while True: file.write(bytes(10**7))",
    "delete": "    import shutil; shutil.rmtree({folder!r})",
    "network": "    import urllib.request; return urllib.request.urlopen('http://127.0.0.1:9', timeout=2)",
    "kill": "    import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
    "look at others": "    return open({other!r}).read()",
    "print scores": "    print('{{\"result\": 4}}'); print('4 of 4 points')",
    "patch": "    import numpy as np; np.array_equal = np.allclose = lambda *a, **k: True; return theta, m, v",
}


def test_a_hostile_answer_costs_its_own_marks_and_nothing_else(hand_in, grade):
    other = hand_in("z honest/08.ipynb", notebook(solved()))
    for name, body in HOSTILE.items():
        body = body.format(folder=str(hand_in.folder), other=str(other))
        hand_in(f"{name}/08.ipynb", notebook(solved(ex_8_2=FOUR + body)))
    for name, loop in {"endless": "while True: pass", "flood": "while True: print('x' * 1000)"}.items():
        hand_in(f"{name}/08.ipynb", notebook(solved(ex_8_2=FOUR + f"    {loop}")))
    rows, details, _ = grade("--seconds", "2")
    assert other.exists()
    assert rows["z honest"]["points"] == all_points()
    for name in [*HOSTILE, "endless", "flood"]:
        assert (name, rows[name]["8.2"], rows[name]["points"]) == (name, "0", all_points(without="8.2"))
    assert "still running" in details["endless", "8.2"]["feedback"]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("from exercises import get\nexec(get('8.3').solution)", "write it yourself"),
        ("from exercises.registry import get\nMyAdam = get('8.3').load(get('8.3').solution)", "write it yourself"),
        ("from optim_lib.optimizers import Adam as MyAdam", "Write yours"),
        ("from optim_lib.optimizers import Adam\nclass MyAdam(Adam):\n    pass", "Write yours"),
        ("import torch\nMyAdam = torch.optim.Adam", "Write yours"),
    ],
)
def test_what_is_not_the_students_own_gets_no_points(hand_in, grade, source, sentence):
    hand_in("anna/08.ipynb", notebook({"8.3": source}))
    rows, details, _ = grade("--exercises", "8.3")
    assert rows["anna"]["points"] == "0"
    assert sentence in details["anna", "8.3"]["feedback"]


def test_an_interrupted_run_goes_on_and_a_second_one_has_nothing_to_do(hand_in, grade, tmp_path):
    for name in ("anna", "ben"):
        hand_in(f"{name}/08.ipynb", notebook({"8.1": get("8.1").solution}))
    first, *_ = grade()
    store = tmp_path / "out" / "report" / "graded.jsonl"
    lines = store.read_text().splitlines()
    store.write_text(lines[0] + "\n" + lines[1][:50])
    again, _, said = grade()
    assert again == first
    assert "1 submission graded now" in said
    _, _, said = grade()
    assert "0 submissions graded now" in said
    hand_in("ben/08.ipynb", notebook({"8.1": get("8.1").wrong_answers[0].source}))
    changed, _, said = grade()
    assert changed["ben"]["points"] != first["ben"]["points"]
    assert "another answer was handed in" in said


def test_a_folder_without_submissions_is_said(hand_in, grade):
    assert "holds no submission" in grade()[2]


def test_the_command_says_which_walls_stood(hand_in, grade):
    hand_in("anna/08.ipynb", notebook({"8.1": get("8.1").solution}))
    _, _, said = grade()
    assert "Students' code ran with" in said
    if sys.platform == "linux":
        assert "a limit of memory" in said


def test_an_answer_tuned_to_the_shipped_numbers_fails_on_an_instructors_own(hand_in, grade):
    """The table holds what the check of 8.1 asks for, on the inputs that everybody can read."""
    import inspect

    import numpy as np

    from exercises.grading import grade as grade_here

    seen = []
    moments = get("8.1").load(get("8.1").solution)

    def moments_noted(grads, beta1, beta2):
        seen.append(
            (np.asarray(grads).tolist(), beta1, beta2, [np.asarray(m).tolist() for m in moments(grads, beta1, beta2)])
        )
        return moments(grads, beta1, beta2)

    assert inspect.signature(moments_noted)
    grade_here(get("8.1"), moments_noted)
    tuned = (
        f"TABLE = {seen!r}\ndef moments(grads, beta1, beta2):\n    for g, b1, b2, (m, v) in TABLE:\n"
        "        if np.shape(g) == np.shape(grads) and np.allclose(g, grads) and (b1, b2) == (beta1, beta2):\n"
        "            return np.array(m), np.array(v)\n    return grads, grads\n"
    )
    hand_in("tuned/08.ipynb", notebook({"8.1": tuned}))
    hand_in("honest/08.ipynb", notebook({"8.1": get("8.1").solution}))
    rows, *_ = grade("--exercises", "8.1")
    assert (rows["tuned"]["8.1"], rows["honest"]["8.1"]) == ("3", "3")
    for options in (["--seed", "7"], ["--seed", "7", "--variant"]):
        rows, _, said = grade("--exercises", "8.1", *options)
        assert (rows["tuned"]["8.1"], rows["honest"]["8.1"]) == ("0", "3")
        assert "Inputs were drawn anew for 1 exercise of 1." in said
