"""What an exercise is: its statement, starter, checks, hints, solution and known answers, in one object."""

import ast
import linecache
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Check:
    """One thing that is graded, worth some points.

    Parameters
    ----------
    name : str
        What the check looks at, as the student reads it: ``"the first step"``.
    points : int
        At least 1.
    function : callable
        Called with the student's answer. It returns None when the answer passes (or a sentence to show
        beside the pass), and raises :class:`exercises.compare.Wrong` when it does not. It must be
        deterministic and keep no state: it is run again on the known wrong answers to name a mistake.
    look : str
        Where to look when the answer is wrong, one sentence; shown below what was found.
    """

    name: str
    points: int
    function: Callable[[Any], str | None]
    look: str = ""


@dataclass(frozen=True)
class WrongAnswer:
    """A known wrong answer, and the sentence that a student who gives it must read.

    The sentence is shown whenever an answer *behaves* like this one, however it is written: the grader
    runs the checks on both and compares everything that they returned.

    Parameters
    ----------
    source : str
        The code, complete: it replaces the starter. :func:`edit` makes it from the solution.
    feedback : str
        The sentence. With ``diagnose=False`` it is not shown by the grader but has to be found in the
        feedback that the checks themselves give.
    points : int, optional
        The points it must get, where that matters. It always has to get less than full marks.
    convention : bool
        True when this is not a slip but another convention in use: the feedback then says so.
    diagnose : bool
        False for a mistake that the checks themselves name.
    evident : bool
        True when the sentence says no more than what was returned shows. It is then said even of outputs that many
        mistakes share, such as zeros; otherwise a number is needed that is no coincidence.
    """

    source: str
    feedback: str
    points: int | None = None
    convention: bool = False
    diagnose: bool = True
    evident: bool = False


@dataclass(frozen=True)
class AcceptedAnswer:
    """Another right answer (a second convention, a different shape of code) that must get full marks.

    `note` is shown to a student whose answer behaves like this one and not like the solution.
    """

    source: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One graded exercise. :mod:`exercises.authoring` shows how to write one.

    Parameters
    ----------
    id : str
        ``"8.2"``: chapter, a dot, the number in the chapter.
    title : str
    answer : str
        The name that the starter defines and ``check`` is given: a function, a class or a variable.
    prompt : str
        The statement, short, in Markdown.
    starter, solution : str
        Source code. The starter leaves ``...`` where the answer goes (or holds the bugs to be found).
    checks : sequence of Check
    hints : sequence of str
        Two or more, from a nudge to nearly the answer.
    explanation : str
        One or two sentences, shown with the solution and beside full marks.
    wrong_answers : sequence of WrongAnswer
        Three or more.
    accepted_answers : sequence of AcceptedAnswer
    setup : str
        The imports that the chapter has made before the starter cell.
    changes : tuple of int
        Positions of the arguments that the answer is asked to change in place. All others are given as
        copies, and changing one is reported.
    none_ok : bool
        True when the answer, a function, may return None.
    prepare : callable, optional
        Imports and computes what the checks need; called before an answer's time begins to run.
    time_limit : float
        Seconds that the student's code may take in one check.

    Raises
    ------
    ValueError
        When a part is missing or does not fit, with a sentence that names the exercise and the part.
    """

    id: str
    title: str
    answer: str
    prompt: str
    starter: str
    checks: Sequence[Check]
    hints: Sequence[str]
    solution: str
    explanation: str
    wrong_answers: Sequence[WrongAnswer]
    accepted_answers: Sequence[AcceptedAnswer] = ()
    setup: str = "import numpy as np"
    changes: tuple[int, ...] = ()
    none_ok: bool = False
    prepare: Callable[[], Any] | None = None
    time_limit: float = 10.0
    points: int = field(init=False)

    def __post_init__(self) -> None:
        for name in ("starter", "solution", "prompt", "setup"):
            object.__setattr__(self, name, clean(getattr(self, name)))
        for name in ("checks", "hints", "wrong_answers", "accepted_answers"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "points", sum(check.points for check in self.checks))
        problem = _problem(self)
        if problem:
            raise ValueError(f"exercise {self.id!r}: {problem}")

    @property
    def chapter(self) -> int:
        return int(self.id.split(".")[0])

    @property
    def order(self) -> tuple[int, int]:
        chapter, number = self.id.split(".")
        return int(chapter), int(number)

    @cached_property
    def kind(self) -> str:
        """``"function"``, ``"class"`` or ``"value"``: what the starter defines under the answer's name."""
        for node in ast.parse(self.starter).body:
            if isinstance(node, ast.FunctionDef) and node.name == self.answer:
                return "function"
            if isinstance(node, ast.ClassDef) and node.name == self.answer:
                return "class"
        return "value"

    def load(self, source: str) -> Any:
        """Run `source` after the setup and return what it defines under the answer's name."""
        return load(source, self.answer, self.setup)


def _problem(exercise: Exercise) -> str:
    """The first thing wrong with a definition, as a sentence, or the empty string."""
    if not re.fullmatch(r"[1-9]\d*\.[1-9]\d*", exercise.id):
        return 'id must be "chapter.number", as in "8.2"'
    if not exercise.answer.isidentifier():
        return f"answer must be the name that the starter defines, got {exercise.answer!r}"
    if not exercise.checks or any(check.points < 1 for check in exercise.checks):
        return "every check must be worth at least 1 point, and there must be one"
    if len({check.name for check in exercise.checks}) < len(exercise.checks):
        return "two checks have the same name"
    if len(exercise.hints) < 2:
        return f"at least 2 hints are needed, got {len(exercise.hints)}"
    if len(exercise.wrong_answers) < 3:
        return f"at least 3 wrong answers are needed, got {len(exercise.wrong_answers)}"
    return ""


def clean(text: str) -> str:
    """`text` without common indentation and without blank lines at its ends."""
    return textwrap.dedent(text).strip()


def edit(source: str, *replacements: tuple[str, str]) -> str:
    """`source` with each ``(old, new)`` replaced; every `old` must occur exactly once.

    >>> edit("v / (1 - beta2 ** t)", ("beta2 ** t", "beta2 * t"))
    'v / (1 - beta2 * t)'
    """
    source = clean(source)
    for old, new in replacements:
        found = source.count(old)
        if found != 1:
            raise ValueError(f"edit: {old!r} occurs {found} times in the source, not once")
        source = source.replace(old, new)
    return source


def load(source: str, name: str, setup: str = "") -> Any:
    """Run `setup` and `source` in a fresh namespace and return what is called `name` there."""
    namespace: dict[str, Any] = {"__name__": "answer"}
    exec(compile(setup, "<setup>", "exec"), namespace)
    source = clean(source)
    filename = f"<answer {abs(hash(source))}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), namespace)
    if name not in namespace:
        raise ValueError(f"the source defines no {name!r}")
    return namespace[name]
