"""Grade an answer: run the checks, and name its mistake by comparing it with the known wrong answers."""

import contextlib
import io
import types
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from exercises.compare import NotAttempted, Wrong, kind_of
from exercises.definition import AcceptedAnswer, Check, Exercise, WrongAnswer
from exercises.guard import (
    AnswerError,
    Guard,
    TimeUp,
    as_answer_error,
    passes_through,
    place_of,
    same,
    time_limit,
)
from exercises.result import NOT_ATTEMPTED, Part, Result

_BEHAVES_ALIKE = 1e-9
MISSING = object()


@dataclass
class _Run:
    """What one check made of one answer."""

    state: str
    feedback: str = ""
    events: list[Any] = field(default_factory=list)
    changed_inputs: list[str] = field(default_factory=list)
    printed: str = ""


def grade(exercise: Exercise, answer: Any = MISSING) -> Result:
    """Grade `answer` and return the result. Nothing is saved and nothing is shown.

    An answer counts as not attempted when it is, returns or holds ``...``, or while it compiles to the
    same code as the starter.
    """
    refusal = _refusal(exercise, answer)
    if refusal:
        return Result(exercise, [Part(check.name, 0, check.points, "wrong") for check in exercise.checks], [refusal])
    if answer is ... or is_untouched(exercise, answer):
        return _not_attempted(exercise)
    runs = [_run(exercise, check, answer) for check in exercise.checks]
    if all(run.state == NOT_ATTEMPTED for run in runs):
        return _not_attempted(exercise)
    messages, hints_by_check = _diagnose(exercise, runs)
    parts = [
        Part(
            check.name,
            check.points if run.state == "right" else 0,
            check.points,
            run.state,
            _joined(hints_by_check.get(index), run.feedback),
            check.look if run.state == "wrong" else "",
        )
        for index, (check, run) in enumerate(zip(exercise.checks, runs, strict=True))
    ]
    notes = _unique(note for run in runs for note in run.changed_inputs)
    shown = {part.feedback for part in parts}
    notes = [note for note in notes if note not in shown]
    printed = next((run.printed for run in runs if run.printed), "")
    return Result(exercise, parts, messages, notes, printed)


def is_untouched(exercise: Exercise, answer: Any) -> bool:
    """Whether `answer`, a function or class, is still the starter's code (comments and layout aside)."""
    if exercise.kind == "value":
        return False
    return _fingerprint(answer) == _fingerprint(exercise.load(exercise.starter))


def _refusal(exercise: Exercise, answer: Any) -> str:
    """Why `answer` cannot be graded at all, as a sentence, or the empty string."""
    name = exercise.answer
    call = f'`check("{exercise.id}", {name})`'
    if answer is MISSING:
        return f"Pass your answer as well: {call}."
    if answer is ... or exercise.kind == "value":
        return ""
    if exercise.kind == "class" and not isinstance(answer, type):
        made = "an instance" if type(answer).__module__ != "builtins" and not callable(answer) else kind_of(answer)
        return f"The answer is a class, and this is {made}: pass the class itself, {call}."
    if exercise.kind == "function" and (isinstance(answer, type) or not callable(answer)):
        return f"The answer is a function, and this is {kind_of(answer)}: pass it without calling it, {call}."
    return ""


def _not_attempted(exercise: Exercise) -> Result:
    parts = [Part(check.name, 0, check.points, NOT_ATTEMPTED) for check in exercise.checks]
    return Result(exercise, parts, [])


def _run(exercise: Exercise, check: Check, answer: Any) -> _Run:
    """Run one check on one answer; every way it can end becomes a state and a sentence."""
    guard = Guard(exercise.changes, exercise.none_ok)
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        state, feedback = _outcome(exercise, check, answer, guard)
    if state == "wrong" and "NaN" in feedback and caught:
        feedback += f" NumPy warned: {caught[0].message}."
    return _Run(state, feedback, guard.events, guard.changed_inputs, printed.getvalue())


def _outcome(exercise: Exercise, check: Check, answer: Any, guard: Guard) -> tuple[str, str]:
    try:
        with time_limit(exercise.time_limit):
            note = check.function(guard.around(answer, exercise.answer))
    except NotAttempted:
        return NOT_ATTEMPTED, f"There is still a `...` in `{exercise.answer}`."
    except Wrong as wrong:
        return "wrong", str(wrong)
    except AnswerError as error:
        return "error", str(error)
    except TimeUp as error:
        place = place_of(error.__traceback__)
        limit = f"{exercise.time_limit:g} seconds"
        return "error", f"Your code was still running after {limit}{place}: does a loop never end?"
    except Exception as error:
        return _escaped(error, answer)
    return "right", note or ""


def _escaped(error: Exception, answer: Any) -> tuple[str, str]:
    """An exception that came past the guard: from the student's code, or from using what it returned."""
    if passes_through(error.__traceback__, answer):
        told = as_answer_error(error)
        return (NOT_ATTEMPTED, "") if isinstance(told, NotAttempted) else ("error", str(told))
    if isinstance(error, ModuleNotFoundError):
        return "error", f"This check cannot run here: {error}."
    text = f"{type(error).__name__}: {error}"
    return (
        "error",
        f"The check could not use what your code returned (`{text}`): compare it with the statement.",
    )


def _diagnose(exercise: Exercise, runs: list[_Run]) -> tuple[list[str], dict[int, str]]:
    """Sentences of the known answers that behave like this one: in all checks, or in a failing one."""
    failing = [index for index, run in enumerate(runs) if run.state in ("wrong", "error")]
    if not failing:
        return _accepted_note(exercise, runs), {}
    if any("still running" in runs[index].feedback for index in failing):
        return [], {}
    matches = [_alike(exercise, known, runs) for known in exercise.wrong_answers if known.diagnose]
    known = [wrong for wrong in exercise.wrong_answers if wrong.diagnose]
    for wrong, alike in zip(known, matches, strict=True):
        if all(alike):
            return [_sentence_of(wrong)], {}
    partly = {}
    for index in failing:
        sentences = _unique(_sentence_of(wrong) for wrong, alike in zip(known, matches, strict=True) if alike[index])
        if len(sentences) == 1:
            partly[index] = sentences[0]
    return [], partly


def _accepted_note(exercise: Exercise, runs: list[_Run]) -> list[str]:
    """The note of the accepted convention that a right answer follows, unless it follows the solution's."""
    if all(_alike(exercise, AcceptedAnswer(exercise.solution), runs)):
        return []
    for accepted in exercise.accepted_answers:
        if accepted.note and all(_alike(exercise, accepted, runs)):
            return [accepted.note]
    return []


def _alike(exercise: Exercise, known: WrongAnswer | AcceptedAnswer, runs: list[_Run]) -> list[bool]:
    """For each check, whether the `known` answer gave the same outputs as the answer of `runs`."""
    other = exercise.load(known.source)
    others = [_run(exercise, check, other) for check in exercise.checks]
    return [
        bool(one.events) and one.state == two.state and same(one.events, two.events, _BEHAVES_ALIKE)
        for one, two in zip(runs, others, strict=True)
    ]


def _sentence_of(wrong: WrongAnswer) -> str:
    return f"This is another convention. {wrong.feedback}" if wrong.convention else wrong.feedback


def _fingerprint(answer: Any) -> Any:
    """What a function or class compiles to, without names of files, line numbers and docstrings."""
    if isinstance(answer, type):
        members = {name: value for name, value in vars(answer).items() if not name.startswith("__") or callable(value)}
        return {name: _fingerprint(value) for name, value in members.items() if name != "__weakref__"}
    if isinstance(answer, types.FunctionType):
        defaults = repr(answer.__defaults__), repr(answer.__kwdefaults__)
        return _code_fingerprint(answer.__code__), defaults
    return repr(answer) if isinstance(answer, int | float | str | tuple | None) else repr(type(answer))


def _code_fingerprint(code: types.CodeType) -> tuple:
    consts = code.co_consts[1:] if code.co_consts and isinstance(code.co_consts[0], str) else code.co_consts
    nested = tuple(_code_fingerprint(c) if isinstance(c, types.CodeType) else repr(c) for c in consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, nested


def _joined(*sentences: str | None) -> str:
    return " ".join(_unique(sentence for sentence in sentences if sentence))


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
