"""What a cell uses and binds, read off its code; the same in every Python, whatever it does with comprehensions."""

from __future__ import annotations

import pytest

from exercises.slices import Cell, names_of, needed, parts_of


@pytest.mark.parametrize(
    ("source", "free", "bound"),
    [
        ("for x in xs:\n    total += x", "total xs", "total x"),
        ("def f(a, b=c):\n    return g(a) + h + b", "c g h", "f"),
        ("class A(B):\n    def u(self, *more, **named):\n        return A, np.zeros(1), more, named", "B np", "A"),
        ("r = {k: v + w for k, v in d.items()}", "d w", "r"),
        ("rows = [f(x) for name, x in versions.items() if x]", "f versions", "rows"),
        ("runs['x'] = 3", "runs", "runs"),
        ("thing.size = 3", "thing", "thing"),
        ("class A:\n    def __init__(self):\n        self.size = 3", "", "A"),
        ("with open(p) as f:\n    s = f.read()\nprint(s, q)", "open p print q", "f s"),
        ("if check('1', fn).status == 'r':\n    a = 1\n    print(a, b)", "b check fn print", "a"),
        ("print(f'{x:.{n}f}')", "n print x", ""),
        ("a = a + 1", "a", "a"),
        ("try:\n    x()\nexcept E as e:\n    print(e)", "E print x", "e"),
        ("best = min(xs, key=lambda x: abs(x - y))", "abs min xs y", "best"),
        ("import a.b, c as d\nfrom e import f as g", "", "a d g"),
        ("(first, second), *rest = pair", "pair", "first rest second"),
        ("this is no code (", "", ""),
    ],
)
def test_the_names_of_a_cell(source, free, bound):
    names = names_of(source)
    assert (sorted(names.free), sorted(names.bound)) == (free.split(), bound.split())


def test_only_what_is_needed_is_run_and_the_last_that_binds_a_name_counts():
    above = [
        Cell("imports", "import numpy as np\nimport torch"),
        Cell("first", "x = np.ones(3)"),
        Cell("aside", "t = torch.ones(3)"),
        Cell("second", "x = x + 1"),
        Cell("third", "x = 5\ny = 6"),
    ]
    assert [part.id for part in needed("print(x)", parts_of(above[:4]))] == ["imports/0", "first", "second"]
    assert [part.id for part in needed("print(x)", parts_of(above))] == ["third"]


def test_a_part_keeps_the_lines_that_the_reader_sees():
    [_, rest] = parts_of([Cell("a", "import os\n\nx = 1 / 0")])
    assert rest.source.splitlines()[2] == "x = 1 / 0"
