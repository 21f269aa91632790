"""Answers are found, and of the cells above them no more is run than they need."""

import json

import pytest

from exercises.classroom.plan import Wanted, plan
from exercises.classroom.reading import Cell, NotANotebook, cells

STEP = Wanted("8.2", "step", "def step(x):\n    return ...")


def candidates(*sources, tags=()):
    made = [Cell("code", source, tuple(tags) if n == 0 else (), n + 1) for n, source in enumerate(sources)]
    found = plan(made, [STEP])
    return found[0].candidates if found else []


def run(candidate):
    """The value of a candidate's expression, after its pieces and nothing else."""
    import ast

    namespace = {}
    for piece in candidate.pieces:
        body = ast.parse(piece.source).body
        for pick in piece.picks:
            exec(compile(ast.Module([body[pick]], []), "<cell>", "exec"), namespace)
    return eval(candidate.expression, namespace)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["import does_not_exist", "k = 3", "def step(x): return k * x", 'check("8.2", step)'], 6),
        (["def helper(x): return x + 1", "def step(x): return helper(x)", 'check("8.2", step)'], 3),
        (["def step(x): return helper(x)", 'check("8.2", step)', "def helper(x): return x + 5"], 7),
        (["table = {}", "table[2] = 9", "def step(x): return table[x]", 'check("8.2", step)'], 9),
        (["values = []", "values.append(4)", "def step(x): return values[0]", 'check("8.2", step)'], 4),
        (["k = 1", "k += 1", "def step(x): return k", 'check("8.2", step)', "k = 100"], 2),
        (["def step(x): return 1", "def step(x): return 2", 'check("8.2", step)', "def step(x): return 3"], 2),
        (['check("8.2", step)', "def step(x): return 8"], 8),
        (["def mine(x): return 6", 'result = check("8.2", answer=mine)'], 6),
        (["from math import *", "def step(x): return floor(x + 0.5)", 'check("8.2", step)'], 2),
        (["if True:\n    def step(x): return 5\nelse:\n    step = None", 'check("8.2", step)'], 5),
        (["def step(x): return 1", "a = [step for step in range(3)]", 'check("8.2", step)'], 1),
        (["def step(x): return ...", 'check("8.2", step)', "def step(x): return 4"], 4),
        (["%%time\n%matplotlib inline\ndef step(x): return 7"], 7),
        (["raise ValueError", "1 / 0", "def step(x): return 7", 'check("8.2", step)'], 7),
    ],
)
def test_an_answer_runs_with_what_it_needs_and_nothing_else(sources, expected):
    assert run(candidates(*sources)[0])(2) == expected


def test_the_starter_is_recognized_whatever_is_written_around_it():
    found = candidates('# mine\ndef step(x):\n    """Something."""\n    return ...  # later', tags=["ex-8.2"])
    assert [candidate.untouched for candidate in found] == [True]


def test_a_cell_that_is_not_python_is_told_with_its_line():
    (found,) = candidates("def step(x:\n    return x", tags=["ex-8.2"])
    assert "SyntaxError" in found.problem
    assert "in line 1: `def step(x:`" in found.problem


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_notebooks_are_read_in_every_usual_encoding(encoding):
    content = {"cells": [{"cell_type": "code", "source": ["# größe\n", "x = 1"]}]}
    (cell,) = cells(json.dumps(content, ensure_ascii=False).encode(encoding))
    assert cell.source == "# größe\nx = 1"


def test_a_notebook_of_the_old_form_and_a_script_are_read():
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]}
    assert [cell.source for cell in cells(json.dumps(old).encode())] == ["x = 1"]
    script = b"import numpy\n\n# In[2]:\n\nx = 1\n# %% [markdown]\n# text\n"
    assert [(cell.kind, cell.source) for cell in cells(script, "a.py")] == [
        ("code", "import numpy"),
        ("code", "x = 1"),
        ("markdown", "# text"),
    ]


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"cells": 3}', b"[" * 100_000, b"\xff\xfe\x00"])
def test_what_is_no_notebook_is_told(data):
    with pytest.raises(NotANotebook):
        cells(data)
