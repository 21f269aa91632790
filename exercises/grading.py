"""Grade an answer: run the checks, and name its mistake by comparing it with the known wrong answers."""

import contextlib
import functools
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from exercises.compare import NO_ROUNDING, NotAttempted, Wrong, kind_of
from exercises.definition import AcceptedAnswer, Exercise, WrongAnswer
from exercises.guard import AnswerError, Guard, as_answer_error, passes_through, place_of, same, text_of
from exercises.own_work import borrowed, fingerprint
from exercises.result import NOT_ATTEMPTED, NOT_RUN, Part, Result
from exercises.sandbox import Clock, Printed, TimeUp, can_fork
from exercises.telling import is_telling

_BEHAVES_ALIKE = 1e-9
MISSING = object()


@dataclass
class Run:
    """What one check made of one answer."""

    state: str
    feedback: str = ""
    events: list[Any] = field(default_factory=list)
    changed_inputs: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    printed: str = ""
    ends: bool = False


def grade(exercise: Exercise, answer: Any = MISSING, *, isolated: bool = False) -> Result:
    """Grade `answer` and return the result. Nothing is saved and nothing is shown.

    An answer counts as not attempted when it is, returns or holds ``...``, or while it compiles to the same code as
    the starter. It gets no points when it is the library's own class or function.

    Parameters
    ----------
    exercise : Exercise
    answer : function, class or value
        What the exercise asks for.
    isolated : bool
        True to run the answer in a child process where that can be had (Linux, the main thread): whatever it does,
        this process goes on. Without it, code that Python cannot interrupt is not interrupted.
    """
    refusal = _refusal(exercise, answer)
    if refusal:
        return refused(exercise, refusal)
    if answer is ... or is_untouched(exercise, answer):
        return _not_attempted(exercise)
    if exercise.prepare:
        exercise.prepare()
    run_checks = functools.partial(_runs, exercise, answer, isolated=isolated)
    runs = run_checks(range(len(exercise.checks)))
    if all(run.state == NOT_ATTEMPTED for run in runs):
        return _not_attempted(exercise)
    found = _diagnose(exercise, runs, run_checks)
    return _result(exercise, runs, found)


def refused(exercise: Exercise, sentence: str) -> Result:
    """The result of an answer that is not graded at all, for the reason that `sentence` gives."""
    return Result(exercise, [Part(check.name, 0, check.points, "wrong") for check in exercise.checks], [sentence])


def is_untouched(exercise: Exercise, answer: Any) -> bool:
    """Whether `answer`, a function or class, is still the starter's code (comments and layout aside)."""
    return exercise.kind != "value" and fingerprint(answer) == _fingerprint_of_starter(exercise)


@functools.cache
def _fingerprint_of_starter(exercise: Exercise) -> Any:
    return fingerprint(exercise.load(exercise.starter))


def _refusal(exercise: Exercise, answer: Any) -> str:
    """Why `answer` cannot be graded at all, as a sentence, or the empty string."""
    name = exercise.answer
    call = f'`check("{exercise.id}", {name})`'
    if answer is MISSING:
        return f"Pass your answer as well: {call}."
    if answer is ... or exercise.kind == "value":
        return ""
    sentence = borrowed(exercise, answer)
    if sentence:
        return sentence
    if exercise.kind == "class" and not isinstance(answer, type):
        made = "an instance" if type(answer).__module__ != "builtins" and not callable(answer) else kind_of(answer)
        return f"The answer is a class, and this is {made}: pass the class itself, {call}."
    if exercise.kind == "function" and (isinstance(answer, type) or not callable(answer)):
        return f"The answer is a function, and this is {kind_of(answer)}: pass it without calling it, {call}."
    return ""


def _not_attempted(exercise: Exercise) -> Result:
    parts = [Part(check.name, 0, check.points, NOT_ATTEMPTED) for check in exercise.checks]
    return Result(exercise, parts, [])


def _result(exercise: Exercise, runs: list[Run], found: "Diagnosis") -> Result:
    parts = [
        Part(
            check.name,
            check.points if run.state == "right" else 0,
            check.points,
            run.state,
            _joined(found.by_check.get(index), run.feedback),
            check.look if run.state == "wrong" else "",
        )
        for index, (check, run) in enumerate(zip(exercise.checks, runs, strict=True))
    ]
    shown = {part.feedback for part in parts}
    notes = [note for note in _unique(note for run in runs for note in run.changed_inputs) if note not in shown]
    for name in _unique(name for run in runs for name in run.replaced):
        notes.append(f"Your code replaces `{name}` for everything that runs after it. It was put back.")
    printed = next((run.printed for run in runs if run.printed), "")
    return Result(exercise, parts, found.messages, notes, printed, mistakes=found.mistakes)


# Running the checks ----------------------------------------------------------------------------------


def _runs(
    exercise: Exercise, answer: Any, indices: Iterable[int], *, isolated: bool = False, shaken: bool = False
) -> list[Run]:
    """Run these checks on one answer, up to one that its code does not end."""
    indices = list(indices)

    def one_by_one() -> Iterator[Run]:
        for index in indices:
            run = run_check(exercise, index, answer, shaken=shaken)
            yield run
            if run.ends:
                return

    runs = _in_child(exercise, one_by_one) if isolated and can_fork() else list(one_by_one())
    return runs + [Run(NOT_RUN)] * (len(indices) - len(runs))


def _in_child(exercise: Exercise, runs: Any) -> list[Run]:
    from exercises.child import Ended, in_child

    done = []
    try:
        for run in in_child(runs):
            done.append(run)
    except TimeUp:
        done.append(Run("error", f"{_still_running(exercise)}. It could not be interrupted and was ended.", ends=True))
    except Ended as ended:
        done.append(Run("error", f"Your code stopped the check: {ended}.", ends=True))
    return done


def run_check(exercise: Exercise, index: int, answer: Any, *, shaken: bool = False) -> Run:
    """Run one check on one answer; every way it can end becomes a state and a sentence.

    With `shaken`, every number that the check hands to the answer is changed a little: only the record of what the
    answer returned means something then.
    """
    clock, printed = Clock(exercise.time_limit), Printed()
    guard = Guard(exercise.changes, exercise.none_ok, clock, shaken)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("ignore")  # of an overflow or a NaN NumPy warns on some machines, and never in a browser
        state, feedback, ends = _outcome(exercise, index, answer, guard)
    if state == "wrong" and guard.made_single and "float32" not in feedback:
        feedback = (
            f"{feedback.replace(NO_ROUNDING, '').strip()} Your numbers are in float32, which rounds at the "
            "seventh digit: compute in NumPy's usual float64."
        )
    originals = _unique(guard.originals.replaced)
    return Run(state, feedback, guard.events, guard.changed_inputs, originals, printed.getvalue(), ends)


def _outcome(exercise: Exercise, index: int, answer: Any, guard: Guard) -> tuple[str, str, bool]:
    """State, feedback, and whether the code did not end in time."""
    try:
        with guard.clock:
            note = exercise.checks[index].function(guard.around(answer, exercise.answer))
    except NotAttempted:
        return NOT_ATTEMPTED, f"There is still a `...` in `{exercise.answer}`.", False
    except Wrong as wrong:
        return "wrong", str(wrong), False
    except AnswerError as error:
        return "error", str(error), False
    except TimeUp as error:
        if guard.clock.in_answer:
            place = place_of(error.__traceback__)
            return "error", f"{_still_running(exercise)}{place}: does a loop never end?", True
        return "error", "The check did not come to an end with what your code returned: does it ever end?", True
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return *_escaped(error, answer, guard), False
    return "right", note or "", False


def _still_running(exercise: Exercise) -> str:
    return f"Your code was still running after {exercise.time_limit:g} seconds"


def _escaped(error: BaseException, answer: Any, guard: Guard) -> tuple[str, str]:
    """An exception that came past the guard: from the student's code, or from using what it returned."""
    if passes_through(error.__traceback__, answer):
        told = as_answer_error(error)
        return (NOT_ATTEMPTED, "") if isinstance(told, NotAttempted) else ("error", str(told))
    if isinstance(error, ModuleNotFoundError):
        return "error", f"This check cannot run here: {error}."
    text = f"{type(error).__name__}: {text_of(error)}"
    return (
        "error",
        f"The check could not use what your code returned (`{text}`): compare it with the statement.",
    )


# Naming the mistake ----------------------------------------------------------------------------------


@dataclass
class Diagnosis:
    """Sentences of the known answers that behave like this one: of the whole, or at one failing check."""

    messages: list[str] = field(default_factory=list)
    by_check: dict[int, str] = field(default_factory=dict)

    @property
    def mistakes(self) -> list[str]:
        return _unique([*self.messages, *self.by_check.values()])


class Known:
    """A known answer to an exercise, and what the checks make of it, run once."""

    def __init__(self, exercise: Exercise, answer: WrongAnswer | AcceptedAnswer) -> None:
        self.exercise, self.answer = exercise, answer
        self._runs: dict[tuple[int, bool], Run] = {}

    @property
    def sentence(self) -> str:
        feedback = self.answer.feedback
        return f"This is another convention. {feedback}" if self.answer.convention else feedback

    def run(self, index: int, shaken: bool = False) -> Run:
        if (index, shaken) not in self._runs:
            source = self.exercise.load(self.answer.source)
            self._runs[index, shaken] = run_check(self.exercise, index, source, shaken=shaken)
        return self._runs[index, shaken]

    def is_like(self, run: Run, index: int, shaken: bool = False) -> bool:
        """Whether the check `index` got the same outputs from this answer as in `run`."""
        known = self.run(index, shaken)
        states = shaken or run.state == known.state
        return bool(run.events) and states and same(run.events, known.events, _BEHAVES_ALIKE)


@functools.cache
def known_solution(exercise: Exercise) -> Known:
    return Known(exercise, AcceptedAnswer(exercise.solution))


@functools.cache
def known_mistakes(exercise: Exercise) -> list[Known]:
    return [Known(exercise, wrong) for wrong in exercise.wrong_answers if wrong.diagnose]


@functools.cache
def _known_conventions(exercise: Exercise) -> list[Known]:
    return [Known(exercise, accepted) for accepted in exercise.accepted_answers if accepted.note]


def _diagnose(exercise: Exercise, runs: list[Run], run_checks: Any) -> Diagnosis:
    """Which known answer behaves like this one.

    A sentence speaks of the whole answer, so it is said only when nothing contradicts it: either the known answer gives
    the same outputs in all checks, or it fails the same checks and gives the same outputs in one of them, or every
    failing check has a known answer of its own. The outputs have to be telling, and to stay alike when the numbers
    handed to the two are changed a little.
    """
    failing = [index for index, run in enumerate(runs) if run.state in ("wrong", "error")]
    if not failing:
        return Diagnosis(_accepted_note(exercise, runs))
    if any(run.ends for run in runs):
        return Diagnosis()
    solution = known_solution(exercise)
    shaken_run = functools.cache(lambda index: run_checks([index], shaken=True)[0])

    def agrees(known: Known, index: int) -> bool:
        return known.is_like(shaken_run(index), index, shaken=True)

    for known in known_mistakes(exercise):
        if not all(known.is_like(run, index) for index, run in enumerate(runs)):
            continue
        outputs = [(known.run(index).events, solution.run(index).events) for index in failing]
        telling = exercise.kind == "value" or known.answer.evident or is_telling(outputs)
        if telling and all(agrees(known, index) for index in failing):
            return Diagnosis([known.sentence])
    partly = {index: _alike_at(exercise, runs, index, agrees) for index in failing}
    if not all(partly.values()):
        partly = {index: [known for known in alike if _fails_the_same(known, runs)] for index, alike in partly.items()}
    sentences = {index: _unique(known.sentence for known in alike) for index, alike in partly.items()}
    return Diagnosis([], {index: found[0] for index, found in sentences.items() if len(found) == 1})


def _alike_at(exercise: Exercise, runs: list[Run], index: int, agrees: Any) -> list[Known]:
    """The known mistakes that give the same numbers in the failing check `index`, and fail no check that passes."""
    solution = known_solution(exercise)
    return [
        known
        for known in known_mistakes(exercise)
        if known.is_like(runs[index], index)
        and is_telling([(known.run(index).events, solution.run(index).events)], numbers_only=True)
        and not any(run.state == "right" and known.run(i).state != "right" for i, run in enumerate(runs))
        and agrees(known, index)
    ]


def _fails_the_same(known: Known, runs: list[Run]) -> bool:
    return all((run.state == "right") == (known.run(index).state == "right") for index, run in enumerate(runs))


def _accepted_note(exercise: Exercise, runs: list[Run]) -> list[str]:
    """The note of the accepted convention that a right answer follows, unless it follows the solution's."""

    def follows(known: Known) -> bool:
        return all(known.is_like(run, index) for index, run in enumerate(runs))

    conventions = _known_conventions(exercise)
    if not conventions or follows(known_solution(exercise)):
        return []
    return [known.answer.note for known in conventions if follows(known)][:1]


def _joined(*sentences: str | None) -> str:
    return " ".join(_unique(sentence for sentence in sentences if sentence))


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
