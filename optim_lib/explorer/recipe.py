"""A figure of descents computed again from JSON, with the reader's own rule, start, steps or loss.

What a page needs, all of it from NumPy and the standard library:

- ``recipe_of(state)`` tells how a figure was computed, in the types of JSON (None for a figure that cannot be told,
  such as one of curves, or of a class typed into a notebook). It travels with the figure as the canvas's ``recipe``.
- ``editable(recipe, entry)`` is the source of one of its optimizers, for an editor.
- ``recompute(recipe, source, entry=..., start=..., steps=..., loss=...)`` computes the figure again. It returns a
  `FigureState`: its ``spec`` replaces the figure's own, and its ``raw`` is the new table, of the same layout as the
  shipped one but for the quests' masks, which are not there: quests are about the optimizer that the figure came with.
  (``table`` is the same, compressed.)
- ``line_of(error)`` is the line of the reader's source at which an error arose.

With nothing changed, `recompute` gives the shipped table. Optimizers that are not edited are not run a second time.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import json
import linecache
import sys
import textwrap
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optim_lib import landscapes, optimizers
from optim_lib.descent import Sweep
from optim_lib.explorer.descents import MapCurve, Runner, Setup, descent_state
from optim_lib.explorer.state import FigureState
from optim_lib.landscapes import Landscape, from_formula
from optim_lib.optimizers import base

Recipe = dict[str, Any]

LIBRARY = "optim_lib.optimizers"
# The name under which errors show the reader's source.
SOURCE = "<your optimizer>"
PLAIN = ("name", "formula", "minima", "window", "starts", "saddles")


def recipe_of(state: FigureState) -> Recipe | None:
    """How a figure was computed, in the types of JSON; None if that cannot be told."""
    setup = state.setup
    if setup is None:
        return None
    try:
        return _described(setup)
    except (TypeError, OSError):
        return None


def recompute(
    recipe: Recipe,
    source: str | None = None,
    *,
    entry: int = 0,
    start: ArrayLike | None = None,
    steps: int | None = None,
    loss: str | Mapping[str, Any] | None = None,
) -> FigureState:
    """Compute a figure again, with what a reader has changed.

    Parameters
    ----------
    recipe : dict
        Of `recipe_of`.
    source : str, optional
        Python with a class that has the article's ``update(params, grads)`` or the library's ``step``, such as
        `editable` gives; or one of these two methods alone, which then replaces the optimizer's own. NumPy is ``np``,
        and the names of `optim_lib.optimizers` are there.
    entry : int, default 0
        Which optimizer of a race the source is for.
    start : (x, y) or several, optional
        In place of the figure's starting points.
    steps : int, optional
    loss : str or dict, optional
        A formula of ``x`` and ``y``; or a dict with ``loss`` and ``slope``, two formulas
        (`optim_lib.landscapes.from_formula`).

    Raises
    ------
    Exception
        Whatever the reader's code raises, and a ValueError or TypeError that says what is wrong with an argument.
    """
    setup = _setup(recipe)
    changed: dict[str, Any] = {}
    if start is not None:
        changed["starts"] = _points(start)
    if steps is not None:
        changed["steps"] = _whole(steps)
    if loss is not None:
        changed["landscape"] = _own_landscape(loss, setup.landscape)
    setup = replace(setup, **changed)
    # What two figures, or two versions of one, have in common is told by the same words.
    told = [recipe[name] for name in ("landscape", "seed", "draws", "noise")]
    common = [*told, loss, setup.starts.tolist(), setup.steps]

    def run(runner: Runner) -> list[Sweep]:
        place = setup.runners.index(runner)
        if place == entry and source is not None:
            edited = replace(runner, optimizer=optimizer_from(source, runner.optimizer))
            return setup.run(edited, progress=False)
        return _known(json.dumps([common, recipe["runners"][place]]), lambda: setup.run(runner, progress=False))

    return descent_state(setup, run=run)


def editable(recipe: Recipe, entry: int = 0) -> str:
    """The source of one of a figure's optimizers, without its docstring: what a reader edits."""
    told = recipe["runners"][entry]["optimizer"]
    source = told.get("source") or textwrap.dedent(inspect.getsource(getattr(optimizers, told["name"])))
    return _without_docstrings(source)


def optimizer_from(source: str, original: type) -> type:
    """The class that a reader's source defines; `original` with the methods that it defines, if it has no class."""
    found = _run(source, original)
    classes = [thing for thing in found.values() if isinstance(thing, type) and thing.__module__ == SOURCE]
    able = [one for one in classes if callable(getattr(one, "update", None))]
    if able:
        return able[-1]
    methods = {name: found[name] for name in ("step", "update") if inspect.isfunction(found.get(name))}
    if classes or not methods:
        raise TypeError(
            "the source must define a class with update(params, grads), or step(self, theta, grad, state) in a "
            f"class of Optimizer; it defines {', '.join(one.__name__ for one in classes) or 'none'}"
        )
    return type(original.__name__, (original,), methods | {"__module__": SOURCE})


def line_of(error: BaseException) -> int | None:
    """The line of the reader's source at which an error arose, from 1; None if it arose elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == SOURCE:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == SOURCE]
    return lines[-1] if lines else None


# --- the recipe, from a figure's setup and back ------------------------------------------------------


def _described(setup: Setup) -> Recipe:
    recipe = {
        "kind": setup.kind,
        "landscape": _landscape_told(setup.landscape),
        "starts": setup.starts.tolist(),
        "steps": int(setup.steps),
        "noise": _numbers(setup.noise),
        "seed": setup.seed,
        "draws": setup.draws,
        # In pairs: a notebook sorts the names of a record, and the order of axes is that of the sliders.
        "axes": [[name, values.tolist()] for name, values in setup.axes.items()],
        "runners": [
            {
                "label": runner.label,
                "optimizer": _optimizer_told(runner.optimizer),
                "axes": list(runner.axes),
                "settings": [[name, _numbers(value)] for name, value in runner.settings.items()],
                "note": runner.note,
            }
            for runner in setup.runners
        ],
        "initial": list(setup.initial),
        "curves": [{"label": c.label, "xs": _numbers(c.xs), "ys": _numbers(c.ys)} for c in setup.curves],
        "marks": [[label, *point] for label, point in setup.marks.items()],
        "title": setup.title,
        "key": setup.key,
        "describe": setup.describe,
        "height": setup.height,
    }
    return json.loads(json.dumps(recipe))


def _setup(recipe: Recipe) -> Setup:
    runners = [
        Runner(
            told["label"],
            _optimizer(told["optimizer"]),
            tuple(told["axes"]),
            {name: _value(value) for name, value in told["settings"]},
            told["note"],
        )
        for told in recipe["runners"]
    ]
    return Setup(
        kind=recipe["kind"],
        landscape=_landscape(recipe["landscape"]),
        starts=_points(recipe["starts"]),
        steps=recipe["steps"],
        noise=_value(recipe["noise"]),
        seed=recipe["seed"],
        draws=recipe["draws"],
        axes={name: np.array(values) for name, values in recipe["axes"]},
        runners=runners,
        initial=tuple(recipe["initial"]),
        curves=[MapCurve(c["label"], c["xs"], c["ys"]) for c in recipe["curves"]],
        marks={label: (x, y) for label, x, y in recipe["marks"]},
        title=recipe["title"],
        key=recipe["key"],
        describe=recipe["describe"],
        height=recipe["height"],
    )


def _numbers(value: Any) -> Any:
    """A number, a list of numbers, or nothing, as JSON has it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _value(told: Any) -> Any:
    return np.array(told, dtype=np.float64) if isinstance(told, list) else told


def _points(start: ArrayLike) -> np.ndarray:
    points = np.atleast_2d(np.asarray(start, dtype=np.float64))
    if points.ndim != 2 or points.shape[1] != 2 or not np.all(np.isfinite(points)):
        raise ValueError(f"start must be one point (x, y) or several, of finite numbers, got {start!r}")
    return points


def _whole(steps: int) -> int:
    if not isinstance(steps, int) or not 1 <= steps <= 10_000:
        raise ValueError(f"steps must be a whole number from 1 to 10000, got {steps!r}")
    return steps


def _landscape_told(landscape: Landscape) -> dict[str, Any]:
    made = landscape.made
    if made is None:
        made = next(((name, {}) for name, one in _named().items() if one.value is landscape.value), None)
    if made is None:
        raise TypeError(f"{landscape.name} does not say how it was made")
    return {"made": list(made), **{field: getattr(landscape, field) for field in PLAIN}}


def _landscape(told: Mapping[str, Any]) -> Landscape:
    name, arguments = told["made"]
    found = getattr(landscapes, name)
    surface = found if isinstance(found, Landscape) else found(**arguments)
    return replace(surface, **{field: told[field] for field in PLAIN})


def _named() -> dict[str, Landscape]:
    return {name: one for name, one in vars(landscapes).items() if isinstance(one, Landscape)}


def _own_landscape(loss: str | Mapping[str, Any], figures: Landscape) -> Landscape:
    """A reader's loss, in the window of the figure."""
    told = {"loss": loss} if isinstance(loss, str) else dict(loss)
    return from_formula(**told, window=tuple(figures.window), starts=figures.starts)


# --- optimizers as source ---------------------------------------------------------------------------


def _optimizer_told(optimizer: Any) -> dict[str, str]:
    """The name of a class; with its source, and its bases', if it is not the library's."""
    if not isinstance(optimizer, type):
        raise TypeError(f"{optimizer!r} is not a class")
    if optimizer.__module__.startswith(LIBRARY):
        return {"name": optimizer.__name__}
    own = [one for one in reversed(optimizer.__mro__[:-1]) if not one.__module__.startswith((LIBRARY, "abc"))]
    source = "\n\n".join(textwrap.dedent(inspect.getsource(one)) for one in own)
    optimizer_from(source, optimizer)
    return {"name": optimizer.__name__, "source": source}


def _optimizer(told: Mapping[str, str]) -> type:
    if "source" not in told:
        return getattr(optimizers, told["name"])
    return _run(told["source"], base.Optimizer)[told["name"]]


def _run(source: str, original: type) -> dict[str, Any]:
    """Run a source where the library's names are known; the names that it defines."""
    linecache.cache[SOURCE] = (len(source), None, source.splitlines(keepends=True), SOURCE)
    # Annotations need not be known names.
    code = compile(source, SOURCE, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
    known = {
        **{name: thing for name, thing in vars(base).items() if not name.startswith("_")},
        **{name: getattr(optimizers, name) for name in optimizers.__all__},
        **_around(original),
        "np": np,
        "__name__": SOURCE,
    }
    names = dict(known)
    exec(code, names)
    return {name: thing for name, thing in names.items() if name != "__builtins__" and known.get(name) is not thing}


def _around(original: type) -> dict[str, Any]:
    """The names that a class of the library finds in its module."""
    library = [one for one in reversed(original.__mro__) if one.__module__.startswith(LIBRARY)]
    modules = [vars(sys.modules[one.__module__]) for one in library]
    return {name: thing for module in modules for name, thing in module.items() if not name.startswith("__")}


def _without_docstrings(source: str) -> str:
    """The source of classes without their docstrings, which the chapter has already shown."""
    lines, cut = source.splitlines(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) and len(node.body) > 1:
            text = node.body[0]
            cut |= set(range(text.lineno - 1, text.end_lineno))
            if not lines[text.end_lineno].strip():
                cut.add(text.end_lineno)
    return "\n".join(line for k, line in enumerate(lines) if k not in cut) + "\n"


# --- runs that are known already --------------------------------------------------------------------

_KNOWN: dict[str, list[Sweep]] = {}
MOST_KNOWN = 24


def _known(key: str, run: Callable[[], list[Sweep]]) -> list[Sweep]:
    """What `run` gave under this key; the last few are kept."""
    if key not in _KNOWN:
        if len(_KNOWN) >= MOST_KNOWN:
            del _KNOWN[next(iter(_KNOWN))]
        _KNOWN[key] = run()
    return _KNOWN[key]


__all__: Sequence[str] = ["editable", "line_of", "optimizer_from", "recipe_of", "recompute"]
