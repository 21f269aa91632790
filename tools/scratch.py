"""Which of a chapter's cells can be edited and run in the page: a static look at what they import and use.

A scratch cell is a visible code cell that needs the page's Python alone: NumPy, the standard library, and the course
without matplotlib, torch, scikit-learn and SciPy. What it needs of the cells above counts as its own
(`exercises.slices`), and so does everything that the functions it calls may import (`outside`). Whether the look was
right is tested in the page's own engine (tests/lab/test_scratch.py).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat

from exercises.slices import Cell, names_of, needed, parts_of
from tools import lab

ROOT = Path(__file__).parents[1]
HIDDEN = {"hide-input", "hide-cell", "remove-cell", "remove-input", "exercise"}
# What is no experiment of the reader's: asking for a verdict, a quiz, the standing.
ASKING = ("check(", "quiz(", "progress(", "hint(", "solution(")
# What the page has its own way (book/lab/lab.py): verdicts and figures with sliders; and in place of a picture of
# matplotlib's a line that says so.
OWN_WAY = {"exercises": {"check"}, "optim_lib.explorer": {"explore", "race", "explore_curves"}}
PICTURES = "optim_lib.plotting"
BUILTINS = set(dir(__import__("builtins"))) | {"display"}
# Cells that would run, but longer than a reader waits: natively two seconds and more, for which the page takes ten
# times as long, since its matrix products have no vector instructions.
LONG = {
    "01_introduction": ["widths-ch01-ends-by-width-2", "steady-ch01-smallreader-penalty-0-01"],
    "02_gradient_descent": ["pixels-labels-digits-train"],
    "03_sgd": ["decaying-partial-ch03-decayingsgd-learning-r", "batch-sizes-1-4-16-64", "rates-np-geomspace-0-01-10"],
    "04_momentum": ["small-full-ch04-small-batches-ch04"],
    "06_adagrad": [
        "on-words-ch06-compare-on-words",
        "budgets-ch06-by-budget-words-epochs",
        "digits-run-ch06-long-training-epochs",
    ],
    "08_adam": ["short-long-compare-on-digits-epochs"],
    "10_advanced": [
        "sizes-ch10-compare-batch-sizes-16",
        "sharp-ch10-sharpness-by-batch-16",
        "few-more-ch10-contest-ch10-layerwise",
        "tour-ch10-contest-ch10-modern-steps",
    ],
    "11_schedules": ["clean-f-epochs-epochs-ch11-race", "noisy"],
    "13_conclusion": ["scores-ch13-scoreboard"],
}


def cells_of(notebook: Path) -> list[Cell]:
    """The code cells of a chapter, in order; an exercise's is called by its number."""
    found = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and not cell.source.lstrip().startswith(ASKING):
            number = next((tag[3:] for tag in cell.metadata.get("tags", []) if tag.startswith("ex-")), None)
            found.append(Cell(number or cell.id, cell.source))
    return found


def scratch_cells(notebook: Path) -> list[str]:
    """The ids of a chapter's cells that can be edited and run in the page."""
    visible = {
        cell.id
        for cell in nbformat.read(notebook, as_version=4).cells
        if cell.cell_type == "code" and not HIDDEN & set(cell.metadata.get("tags", []))
    }
    cells, found = cells_of(notebook), []
    long = set(LONG.get(notebook.stem, ()))
    for place, cell in enumerate(cells):
        above = cells[:place]
        takes_long = bool(long & {cell.id, *(part.id for part in needed(cell.source, parts_of(above)))})
        if cell.id in visible and not takes_long and not _is_import(cell) and not missing(cell, above):
            found.append(cell.id)
    return found


def _is_import(cell: Cell) -> bool:
    return all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in ast.parse(cell.source).body)


def missing(cell: Cell, above: list[Cell]) -> set[str]:
    """What a cell, with what it needs of those above it, uses and the page does not have."""
    parts = [*needed(cell.source, parts_of(above)), *parts_of([cell])]
    known: dict[str, tuple[str, str]] = {}
    lacking: set[str] = set()
    for part in parts:
        tree = ast.parse(part.source)
        known |= _imported(tree)
        lacking |= {f"the name {name}" for name in names_of(part.source).free - BUILTINS - _bound_by(parts)}
        for module, name in _reached(tree, known):
            lacking |= outside(module, name)
    return lacking


def _bound_by(parts: list[Cell]) -> set[str]:
    return set().union(*(names_of(part.source).bound for part in parts))


def _imported(tree: ast.AST) -> dict[str, tuple[str, str]]:
    """The names that imports bind: (module, "") for a module, (module, name) for what is in one."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (alias.name, "")
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                is_module = _file(inside) is not None
                found[alias.asname or alias.name] = (inside, "") if is_module else (node.module, alias.name)
    return found


def _reached(tree: ast.AST, known: dict[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What a code reaches for in modules: names that it imported, and attributes of modules that it imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in known:
            yield known[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            module, name = known[node.value.id]
            if not name:
                yield module, node.attr


@cache
def outside(module: str, name: str = "") -> frozenset[str]:
    """What a name of a module (or, without one, importing it) may import that the page does not have."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(module, name)]
    while waiting:
        module, name = waiting.pop()
        if (module, name) in seen:
            continue
        seen.add((module, name))
        top = module.partition(".")[0]
        if module.startswith("experiments.") and not _is_packed(module):
            found.add(module)
        elif top not in lab.PACKED:
            found |= set() if not top or top == "numpy" or top in sys.stdlib_module_names else {top}
        elif module == "optim_lib.data" and name in lab.DATA:
            pass  # packed for the page
        elif name in OWN_WAY.get(module, ()) or (module == PICTURES and name not in ("", "table")):
            pass
        elif _file(module) is None:
            found.add(module)
        else:
            waiting += _next(module, name)
            if "." in module:
                waiting.append((module.rpartition(".")[0], ""))
    return frozenset(found)


def _next(module: str, name: str) -> Iterator[tuple[str, str]]:
    """What a name of a module leads to: what its definition reaches for, or where the module has it from."""
    tree, known = _parsed(module)
    yield from _at_import(module)
    if not name:
        return
    definition = _definitions(module).get(name)
    if definition is not None:
        yield from _reached(definition, known)
        yield from ((module, node.id) for node in ast.walk(definition) if _is_own(node, module, name))
        inside = _needed_inside(definition)
        yield from _reached(definition, inside)
        yield from ((of, "") for of, _ in inside.values())
    elif name in known:
        yield known[name]
    elif _file(f"{module}.{name}") is not None:
        yield f"{module}.{name}", ""
    elif place := _on_demand(tree, name):
        yield f"{module}.{place}", name
    else:
        yield f"{module} has no {name}", ""


def _is_own(node: ast.AST, module: str, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id != name and node.id in _definitions(module)


def _at_import(module: str) -> Iterator[tuple[str, str]]:
    """What importing a module does: it imports others, and runs the statements between its definitions."""
    tree, known = _parsed(module)
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield from ((of, "") for of, _ in _imported(statement).values())
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr) and statement.value is not None:
            called = ast.Module([node.func for node in ast.walk(statement.value) if isinstance(node, ast.Call)], [])
            yield from _reached(called, known)
            yield from ((module, node.id) for node in ast.walk(called) if _is_own(node, module, ""))


def _needed_inside(definition: ast.AST) -> dict[str, tuple[str, str]]:
    """What a function imports when it is called, but for what it can do without."""
    attempts = [
        attempt
        for attempt in ast.walk(definition)
        if isinstance(attempt, ast.Try) and any("ModuleNotFound" in ast.unparse(h) for h in attempt.handlers)
    ]
    optional = {id(inner) for attempt in attempts for inner in ast.walk(attempt)}
    statements = [
        node
        for node in ast.walk(definition)
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in optional
    ]
    return _imported(ast.Module(statements, []))


@cache
def _parsed(module: str) -> tuple[ast.Module, dict[str, tuple[str, str]]]:
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    top = ast.Module([s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)], [])
    return tree, _imported(top)


@cache
def _definitions(module: str) -> dict[str, ast.stmt]:
    """The statements of a module that bind its names, but for imports."""
    return {
        name: statement
        for statement in _parsed(module)[0].body
        if not isinstance(statement, ast.Import | ast.ImportFrom)
        for name in names_of(ast.unparse(statement)).bound
    }


def _on_demand(tree: ast.Module, name: str) -> str | None:
    """Which module of a package has a name that it imports when asked (`optim_lib.on_demand`)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "on_demand":
            places = ast.literal_eval(node.args[1])
            return next((place for place, names in places.items() if name in names), None)
    return None


def _is_packed(module: str) -> bool:
    return not lab.EXPERIMENTS.match(f"{module.replace('.', '/')}.py")


@cache
def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return path / "__init__.py" if module == "experiments" else None
