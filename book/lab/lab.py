"""What the page asks of Python: run a cell, check an answer. It runs in the page's worker, and in the tests.

Every function takes and returns plain data, as JSON has it. Nothing that a reader's code does ends it: what goes wrong
becomes a sentence, and the line of the reader's own code where it did.
"""

from __future__ import annotations

import ast
import copy
import io
import json
import linecache
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from exercises import record, student
from exercises.definition import Exercise, clean
from exercises.grading import NOT_ATTEMPTED
from exercises.registry import get
from exercises.result import WITH_BUTTONS, Part, Result, asking
from exercises.sandbox import Clock, TimeUp
from exercises.slices import Cell, names_of, needed, parts_of
from optim_lib import explorer, plotting
from optim_lib.explorer import markup
from optim_lib.explorer import recipe as explorer_recipe
from optim_lib.explorer.state import FigureState

# Code typed into the page is called by its cell: "<8.2>".
CELL = re.compile(r"<(?P<cell>[\w.-]+)>")
IN_LINE = re.compile(r" in line (\d+)")
MOST_OUTPUT = 100_000
SECONDS_BETWEEN_PRINTS = 0.1
NOT_HERE = {
    "torch": "PyTorch",
    "matplotlib": "matplotlib",
    "sklearn": "scikit-learn",
    "scipy": "SciPy",
    "pandas": "pandas",
    "ipywidgets": "ipywidgets",
    "anywidget": "anywidget",
}


class Printed(io.TextIOBase):
    """What the reader's code prints, sent to the page as it comes, and no more than a page can show."""

    def __init__(self, send: Callable[[str], Any]) -> None:
        self._send = send
        self._waiting: list[str] = []
        self._sent_at = time.monotonic()
        self.text = ""
        self.left_out = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[: max(0, MOST_OUTPUT - len(self.text))]
        self.left_out += len(text) - len(kept)
        self.text += kept
        if kept:
            self._waiting.append(kept)
        if time.monotonic() - self._sent_at > SECONDS_BETWEEN_PRINTS:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._waiting:
            self._send("".join(self._waiting))
            self._waiting = []
        self._sent_at = time.monotonic()

    def close_with_a_word(self) -> None:
        """Send what is left, and say how much was too much."""
        if self.left_out:
            note = f"\n... and {self.left_out} more characters, which are not shown.\n"
            self.text += note
            self._waiting.append(note)
        self.flush()


class Undrawn:
    """What stands in for a picture where there is no matplotlib."""

    def __init__(self, *given: Any, **options: Any) -> None:
        pass

    def __repr__(self) -> str:
        return "This picture is drawn with matplotlib, which is not in the page: it stays as the chapter has it."


def use_what_is_here() -> None:
    """Where there are no widgets and no matplotlib: figures as plain data, and a sentence in place of a picture."""
    if not find_spec("ipywidgets"):
        made = {"explore": explorer.explore_state, "race": explorer.race_state, "explore_curves": explorer.curves_state}
        vars(explorer).update(made)
    if not find_spec("matplotlib"):
        vars(plotting)["__getattr__"] = lambda name: Undrawn


class Lab:
    """One page's Python: the names that its cells have defined, and what they print.

    Parameters
    ----------
    send : callable
        Given what is printed, as it is printed.
    """

    def __init__(self, send: Callable[[str], Any] = lambda text: None) -> None:
        self._send = send
        asking.update(WITH_BUTTONS)
        use_what_is_here()
        self.names: dict[str, Any] = {"__name__": "answer", "np": np}
        self._defined: dict[Any, dict[str, Any]] = {}

    def answer(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        """What the worker calls: one of the methods below, by name."""
        return getattr(self, method)(**given)

    def run(self, source: str, cell: str = "cell", seconds: float = 60.0) -> dict[str, Any]:
        """Run a cell: what it printed, its last value as text (and HTML), and what went wrong."""
        printed = Printed(self._send)
        value, error = self._execute(source, cell, self.names, printed, seconds)
        shown = {"result": None, "html": None}
        if value is not None and not error:
            shown, error = self._shown(value)
        return {"stdout": printed.text, **shown, **_nothing_wrong(), **error}

    def scratch(
        self, source: str, cell: str, above: Sequence[Sequence[str]], kept: str = "", seconds: float = 60.0
    ) -> dict[str, Any]:
        """Run a cell of the chapter as the reader has changed it, after those above that define what it uses.

        `above` has the id and the text of each code cell above. Names are its own: what exercises have defined stays as
        it is, and what cells above have defined is copied, so that a cell gives the same each time. Where it asks for a
        verdict, `kept` is the record, as in `check`.
        """
        box = [kept]
        record.use(record.TextStore(lambda: box[0], lambda text: box.__setitem__(0, text)))
        printed, shown = Printed(self._send), []
        names = {"__name__": "answer", "display": lambda *values: shown.extend(values)}
        parts = parts_of([Cell(*one) for one in above])
        defined, error = self._define(needed(source, parts), names, seconds)
        if not error:
            value, error = self._execute(source, cell, names | defined, printed, seconds)
            shown += [] if value is None else [value]
        told = []
        for value in shown:
            one, wrong = self._shown(value)
            told.append(one)
            error = error or wrong
        bound = sorted(name for name in names_of(source).bound if not name.startswith("_"))
        note = "" if error or told or printed.text else _in_place_of_output(source, bound)
        return {"stdout": printed.text, "shown": told, "note": note, "record": box[0], **_nothing_wrong(), **error}

    def _define(
        self, parts: Sequence[Cell], names: dict[str, Any], seconds: float
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What parts of the cells above define, each run once; and what went wrong."""
        keys: dict[Cell, Any] = {}
        for place, part in enumerate(parts):
            before = needed(part.source, parts[:place])
            keys[part] = (part.source, *(keys[one] for one in before))
            if keys[part] in self._defined:
                continue
            inside = names | _copied([self._defined[keys[one]] for one in before])
            _, error = self._execute(part.source, part.id.split("/")[0], inside, Printed(lambda text: None), seconds)
            if error:
                return {}, error
            bound = names_of(part.source).bound
            self._defined[keys[part]] = {name: inside[name] for name in bound if name in inside}
        return _copied([self._defined[keys[part]] for part in parts]), {}

    def check(self, id: str, source: str, kept: str = "", tidy: bool = False) -> dict[str, Any]:
        """Run an answer and grade it: what the notebook's ``check`` gives, its card, and the record it leaves.

        `kept` is the reader's record so far, the text of a ``progress.json``. With `tidy`, indentation that all lines
        share goes, as where an exercise's known answers are loaded.
        """
        exercise = get(id)
        if tidy:
            source = clean(source)
        names = dict(self.names)
        exec(compile(exercise.setup, "<setup>", "exec"), names)
        names.pop(exercise.answer, None)
        printed = Printed(self._send)
        _, error = self._execute(source, id, names, printed, exercise.time_limit)
        self.names.update(names)
        box = [kept]
        if error:
            result = _failed(exercise, f"It stopped before it could be checked. {error['error']}")
        elif exercise.answer not in names:
            result = _failed(exercise, f"Your code defines no `{exercise.answer}`, and the exercise asks for one.")
        else:
            record.use(record.TextStore(lambda: box[0], lambda text: box.__setitem__(0, text)))
            result = student.check(id, names[exercise.answer])
        feedback = "\n".join(result.feedback)
        line = IN_LINE.search(feedback) if result.status != NOT_ATTEMPTED else None
        return {
            "stdout": printed.text,
            "points": result.points,
            "max_points": result.max_points,
            "status": result.status,
            "feedback": feedback,
            "mistakes": result.mistakes,
            "html": result._repr_html_(),
            "record": box[0],
            **_nothing_wrong(),
            **({"cell": id, "line": int(line[1])} if line else {}),
            **error,
        }

    def stopped(self, id: str, seconds: float) -> dict[str, Any]:
        """The verdict on an answer that had to be stopped from outside, after `seconds`."""
        exercise = get(id)
        sentence = f"Your code was still running after {seconds:g} seconds: does a loop never end?"
        result = _failed(exercise, sentence)
        return {
            "points": 0,
            "max_points": exercise.points,
            "status": result.status,
            "feedback": sentence,
            "html": result._repr_html_(),
        }

    def editable(self, recipe: str, entry: int = 0) -> dict[str, Any]:
        """The source of an optimizer of a figure, as a reader edits it; `recipe` is JSON."""
        return {"source": explorer_recipe.editable(json.loads(recipe), entry)}

    def figure(
        self,
        recipe: str,
        entry: int = 0,
        source: str | None = None,
        start: list[float] | None = None,
        steps: int | None = None,
        loss: str | None = None,
        slope: str | None = None,
        seconds: float = 10.0,
    ) -> dict[str, Any]:
        """A figure computed again with what the reader changed: its spec and table, or what is wrong and where.

        `slope` is the slope of `loss`, two formulas with a comma between; without it, by differences.
        """
        outside = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = Printed(lambda text: None)
        try:
            with Clock(seconds) as clock, clock.running(), np.errstate(all="ignore"):
                own = {"loss": loss, "slope": _two(slope)} if loss and slope else loss
                state = explorer_recipe.recompute(
                    json.loads(recipe), source, entry=entry, start=start, steps=steps, loss=own
                )
            return {"spec": state.spec, "raw": state.raw, "error": None, "line": None}
        except BaseException as error:
            line = explorer_recipe.line_of(error)
            told = described(error, seconds)["error"]
            return {"spec": None, "raw": None, "error": told, "line": line}
        finally:
            sys.stdout, sys.stderr = outside

    def _execute(
        self, source: str, cell: str, names: dict[str, Any], printed: Printed, seconds: float
    ) -> tuple[Any, dict[str, Any]]:
        """Run `source` in `names`; its last expression's value, and what went wrong (empty for nothing)."""
        filename = f"<{cell}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        outside = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = printed
        try:
            tree = ast.parse(source, filename)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            value = None
            with Clock(seconds) as clock, clock.running():
                exec(compile(tree, filename, "exec", dont_inherit=True), names)
                if last is not None:
                    value = eval(compile(ast.Expression(last.value), filename, "eval", dont_inherit=True), names)
            return value, {}
        except BaseException as error:
            return None, described(error, seconds)
        finally:
            printed.close_with_a_word()
            sys.stdout, sys.stderr = outside

    def _shown(self, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A value as text, HTML or a figure; showing it may run the reader's code, and go wrong."""
        state = getattr(value, "state", value)
        if isinstance(state, FigureState):
            at = [slider.index for slider in state.sliders]
            figure = {"html": markup.page(state), "spec": state.spec, "table": state.table, "at": at}
            return {"result": state.about, "html": None, "figure": figure}, {}
        try:
            html = value._repr_html_() if callable(getattr(value, "_repr_html_", None)) else None
            return {"result": repr(value)[:MOST_OUTPUT], "html": html}, {}
        except BaseException as error:
            return {"result": None, "html": None}, described(error)


def _two(slope: str) -> list[str]:
    """The formulas of a slope, which a comma separates."""
    try:
        tree = ast.parse(slope.strip(), mode="eval").body
    except SyntaxError:
        tree = None
    if not isinstance(tree, ast.Tuple) or len(tree.elts) != 2:
        raise ValueError(f"the slope must be two formulas with a comma between, such as 2*x, 4*y, got {slope!r}")
    return [ast.unparse(one) for one in tree.elts]


def _copied(defined: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Names and values, copied so that what a cell changes in them is its own."""
    names = {name: value for one in defined for name, value in one.items()}
    memo = {id(value): value for value in names.values() if isinstance(value, ModuleType)}
    try:
        return copy.deepcopy(names, memo)
    except Exception:
        return names


def _in_place_of_output(source: str, bound: Sequence[str]) -> str:
    """What to say of a cell that printed nothing and showed nothing."""
    asked = re.findall(r'check\("(\d+\.\d+)"', source)
    if asked:
        whose = " and ".join(f"exercise {id}" for id in dict.fromkeys(asked))
        return f"Nothing to show yet: this cell waits for {whose}. When the answer is right, run it again."
    return f"Done: it has defined {', '.join(bound)}, for the cells below." if bound else "Done."


def described(error: BaseException, seconds: float = 0.0) -> dict[str, Any]:
    """An exception as a sentence, with the cell and the line where the reader's code raised it."""
    cell, line = _place(error)
    told = _in_plain_words(error)
    if isinstance(error, TimeUp):
        told = f"The code was still running after {seconds:g} seconds: does a loop never end?"
    if not told:
        text = str(error.msg if isinstance(error, SyntaxError) else error).strip().rstrip(".")
        told = f"{type(error).__name__}: {text}" if text else type(error).__name__
        told += f" (line {line})." if line else "."
    return {"error": told, "cell": cell, "line": line}


def _in_plain_words(error: BaseException) -> str:
    """What an error of the page, rather than of the code, means here."""
    if isinstance(error, SystemExit):
        return "The code asked Python to exit: it was stopped there."
    if isinstance(error, RecursionError):
        return "RecursionError: a function calls itself without end."
    if isinstance(error, MemoryError):
        return "MemoryError: the code needs more memory than a page has."
    if isinstance(error, ModuleNotFoundError):
        top = (error.name or "").split(".")[0]
        return f"{NOT_HERE.get(top, f'`{top}`')} is not in the page, which has NumPy and the course: use the notebook."
    if isinstance(error, OSError | EOFError) and "input" in _last_line(error):
        return "`input` has nobody to ask here: write the value into the code."
    return ""


def _place(error: BaseException) -> tuple[str | None, int | None]:
    """The cell and line of the reader's code nearest to the error."""
    if isinstance(error, SyntaxError) and (match := CELL.fullmatch(error.filename or "")):
        return match["cell"], error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        match = CELL.fullmatch(frame.filename)
        if match and match["cell"] != "setup":
            return match["cell"], frame.lineno
    return None, None


def _last_line(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if CELL.fullmatch(frame.filename)]
    return (frames[-1].line or "") if frames else ""


def _nothing_wrong() -> dict[str, Any]:
    return {"error": None, "cell": None, "line": None}


def _failed(exercise: Exercise, sentence: str) -> Result:
    """A result for an answer that no check has seen."""
    return Result(exercise, [Part(check.name, 0, check.points, "error") for check in exercise.checks], [sentence])
