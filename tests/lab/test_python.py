"""What the page's Python answers, run here: the same module, without a browser."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

from exercises import get, record, result
from optim_lib.explorer.descents import explore_state
from optim_lib.explorer.recipe import recipe_of
from optim_lib.landscapes import rosenbrock
from optim_lib.optimizers import Adam
from tools.build_book import ROOT


@pytest.fixture
def lab(monkeypatch):
    monkeypatch.setattr(result, "asking", dict(result.asking))
    monkeypatch.setattr(record, "_plugged", None)
    spec = importlib.util.spec_from_file_location("lab", ROOT / "book" / "lab" / "lab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Lab()


def test_a_cell_shows_what_it_prints_and_its_last_value(lab):
    answer = lab.run("x = np.arange(3)\nprint('sum', x.sum())\nx * 2")
    assert (answer["stdout"], answer["result"], answer["error"]) == ("sum 3\n", "array([0, 2, 4])", None)


def test_cells_share_their_names_and_answers_count_among_them(lab):
    lab.run("rate = 0.5")
    lab.check("2.1", "def mse_gradients(x, y, w, b):\n    return rate, rate")
    assert lab.run("mse_gradients(1, 2, 3, 4)")["result"] == "(0.5, 0.5)"


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("x = 1\n\ny = 1 / 0", 3, "ZeroDivisionError: division by zero (line 3)"),
        ("def f(n):\n    return f(n + 1)\nf(0)", 2, "calls itself without end"),
        ("x = (1,\nprint(2)", 1, "SyntaxError"),
        ("import sys\nsys.exit(3)", 2, "asked Python to exit"),
        ("import not_installed", 1, "`not_installed` is not in the page"),
        ("raise MemoryError", 1, "more memory than a page has"),
        ("class Odd:\n    def __repr__(self):\n        return 1 / 0\nOdd()", 3, "ZeroDivisionError"),
    ],
    ids=["exception", "recursion", "syntax", "exit", "missing module", "memory", "in the value's text"],
)
def test_what_goes_wrong_is_a_sentence_with_the_readers_line(lab, source, line, words):
    answer = lab.run(source, cell="8.2")
    assert words in answer["error"]
    assert (answer["cell"], answer["line"]) == ("8.2", line)


def test_an_error_in_another_cell_names_that_cell(lab):
    lab.run("def half(x):\n    return x / 0", cell="8.1")
    answer = lab.run("half(3)", cell="8.2")
    assert (answer["cell"], answer["line"]) == ("8.1", 2)


def test_a_flood_of_output_is_cut_and_counted(lab):
    answer = lab.run("print('x' * 300_000)\nprint('end')")
    assert len(answer["stdout"]) < 101_000
    assert answer["stdout"].rstrip().endswith("200005 more characters, which are not shown.")


def test_a_check_gives_the_card_and_the_record(lab):
    exercise = get("8.2")
    kept = json.dumps({"schema": 1, "exercises": {"8.1": {"answer": "moments", "points": 2, "max_points": 3}}})
    answer = lab.check("8.2", exercise.solution, kept)
    assert (answer["points"], answer["max_points"], answer["status"]) == (4, 4, "right")
    assert 'aria-label="Exercise 8.2: Right, 4 of 4 points"' in answer["html"]
    entries = json.loads(answer["record"])["exercises"]
    assert entries["8.1"]["points"] == 2
    assert entries["8.2"] | {"attempts": 1} == entries["8.2"]
    assert entries["8.2"]["points"] == 4


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("def adam_step(:", 1, "SyntaxError"),
        ("def another():\n    return 1", None, "defines no `adam_step`"),
        ("x = 1\n1 / 0", 2, "ZeroDivisionError"),
    ],
)
def test_an_answer_that_cannot_be_checked_gets_a_card_too(lab, source, line, words):
    answer = lab.check("8.2", source, "")
    assert (answer["points"], answer["status"], answer["line"]) == (0, "error", line)
    assert words in answer["feedback"]
    assert words.split(":")[0].strip("`") in answer["html"].replace("<code>", "`")


def test_an_error_while_checking_points_at_its_line(lab):
    source = get("8.2").solution.replace("m_hat = ", "m_hat = 1 / 0\n    m_hat = ")
    answer = lab.check("8.2", source, "")
    assert answer["line"] == source[: source.index("1 / 0")].count("\n") + 1


def test_the_starter_is_not_attempted_and_says_which_button_to_press(lab):
    answer = lab.check("8.2", get("8.2").starter, "")
    assert answer["status"] == "not attempted"
    assert "then press Check" in answer["html"]
    assert answer["line"] is None


def test_a_check_that_was_stopped_is_a_verdict(lab):
    answer = lab.stopped("8.2", 15)
    assert (answer["points"], answer["max_points"], answer["status"]) == (0, 4, "error")
    assert "still running after 15 seconds" in answer["feedback"]


def test_a_loop_that_never_ends_is_stopped_at_its_line(lab):
    answer = lab.run("x = 1\nwhile True:\n    pass", cell="8.2", seconds=0.3)
    assert answer["error"] == "The code was still running after 0.3 seconds: does a loop never end?"
    assert answer["line"] in (2, 3)
    assert lab.run("x")["result"] == "1"


@pytest.fixture(scope="module")
def state():
    return explore_state(Adam, rosenbrock, steps=30, learning_rate=np.geomspace(0.01, 1, 7), beta1=[0.0, 0.5, 0.9])


def test_a_figure_whose_rule_is_not_edited_is_the_shipped_one(lab, state):
    told = json.dumps(recipe_of(state))
    answer = lab.figure(told, source=lab.editable(told)["source"])
    assert answer["error"] is None
    assert state.raw.startswith(answer["raw"])


def test_an_edited_rule_changes_the_figure_and_its_error_has_a_line(lab, state):
    told = json.dumps(recipe_of(state))
    source = lab.editable(told)["source"]
    other = lab.figure(told, source=source.replace("theta -=", "theta -= 2 *"), start=[0.5, 0.5])
    assert other["error"] is None
    assert not state.raw.startswith(other["raw"])
    wrong = lab.figure(told, source=source.replace("theta -=", "theta -= missing *"))
    assert "missing" in wrong["error"]
    assert "missing" in source.replace("theta -=", "theta -= missing *").splitlines()[wrong["line"] - 1]


def test_a_loss_that_cannot_be_read_is_a_sentence(lab, state):
    assert lab.figure(json.dumps(recipe_of(state)), loss="x +")["error"]


ABOVE = [
    ["imports", "import numpy as np\nimport torch\nfrom optim_lib.optimizers import SGD"],
    ["params", "params = {'x': np.ones(2)}\nrule = SGD(0.5)"],
    ["other", "raise SystemExit('nobody needs this')"],
    ["8.1", "def twice(x):\n    return 2 * x"],
]


def test_a_cell_of_the_chapter_runs_after_what_it_needs_and_no_more(lab):
    lab.names["params"] = "an exercise's own"
    source = "rule.update(params, {'x': np.ones(2)})\nprint(twice(params['x']))"
    for _ in range(2):  # the same again: what it changes is its own
        answer = lab.scratch(source, "here", ABOVE)
        assert (answer["stdout"], answer["error"]) == ("[1. 1.]\n", None)
    assert lab.names["params"] == "an exercise's own"


def test_a_changed_cell_above_is_run_again(lab):
    assert lab.scratch("print(params['x'])", "here", ABOVE)["stdout"] == "[1. 1.]\n"
    changed = [["imports", "import numpy as np"], ["params", "params = {'x': np.zeros(2)}"]]
    assert lab.scratch("print(params['x'])", "here", changed)["stdout"] == "[0. 0.]\n"


def test_an_error_above_names_its_cell(lab):
    answer = lab.scratch("print(y)", "here", [["first", "x = 1"], ["second", "x\ny = x / 0"]])
    assert (answer["cell"], answer["line"]) == ("second", 2)


def test_a_cell_that_says_nothing_says_what_it_has_done(lab):
    assert lab.scratch("a = 1\nb = 2", "here", [])["note"] == "Done: it has defined a, b, for the cells below."
    waiting = lab.scratch('if check("8.2", adam_step).status == "right":\n    print(1)', "here", [
        ["imports", "from exercises import check"], ["8.2", get("8.2").starter]
    ])  # fmt: skip
    assert "waits for exercise 8.2" in waiting["note"]
    done = lab.scratch('if check("8.2", adam_step).status == "right":\n    print(1)', "here", [
        ["imports", "import numpy as np\nfrom exercises import check"], ["8.2", get("8.2").solution]
    ])  # fmt: skip
    assert done["stdout"] == "1\n"
    assert json.loads(done["record"])["exercises"]["8.2"]["points"] == 4


def test_a_figure_is_shown_as_plain_data(lab):
    imports = ["from optim_lib.explorer import explore", "from optim_lib import landscapes, optimizers"]
    source = "explore(optimizers.SGD, landscapes.bowl, learning_rate=[0.1, 0.2])"
    answer = lab.scratch(source, "here", [["imports", "\n".join(imports)]])
    [shown] = answer["shown"]
    assert shown["figure"]["spec"]["kind"] == "explore"
    assert "uo-explorer" in shown["figure"]["html"]


def test_a_typed_slope_is_used_and_must_be_two_formulas(lab, state):
    told = json.dumps(recipe_of(state))
    by_differences = lab.figure(told, loss="x**2 + 3*y**2")
    typed = lab.figure(told, loss="x**2 + 3*y**2", slope="2*x, 6*y")
    assert typed["error"] is by_differences["error"] is None
    assert "two formulas" in lab.figure(told, loss="x**2", slope="2*x")["error"]
    assert lab.figure(told, loss="x**2 + 3*y**2", slope="2*x, -6*y")["error"]
