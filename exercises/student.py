"""What a student calls: check, hint, solution, progress."""

from typing import Any

from exercises import record
from exercises.grading import MISSING, grade
from exercises.own_work import is_handed_out
from exercises.registry import chapters, get
from exercises.result import NOT_ATTEMPTED, Hint, Progress, Result, Solution, Standing

_hints_shown: dict[str, int] = {}


def check(id: str, answer: Any = MISSING) -> Result:
    """Grade `answer` to exercise `id` and keep the best score.

    Parameters
    ----------
    id : str
        As printed above the exercise: ``"8.2"``.
    answer : function, class or value
        What the exercise asks for; a function or class itself, not called.

    Returns
    -------
    Result
        With ``.points``, ``.max_points``, ``.status`` and ``.feedback``; a notebook shows it as a card.

    Raises
    ------
    KeyError
        When there is no such exercise.
    """
    exercise = get(id)
    handed_out = is_handed_out(exercise, answer)
    result = grade(exercise, answer, isolated=True)
    if result.status != NOT_ATTEMPTED:
        notices = [record.save_solution_seen(id, exercise.answer) if handed_out else ""]
        notices.append(record.save_score(id, result.points, result.max_points, result.status, exercise.answer))
        if handed_out:
            notices.append("This is the solution that the course hands out, so your progress marks the points with *.")
        result.notice = " ".join(dict.fromkeys(filter(None, notices)))
    return result


def hint(id: str, number: int | None = None) -> Hint:
    """The next hint for exercise `id`, or the one with the given number (from 1).

    Raises
    ------
    KeyError
        When there is no such exercise.
    ValueError
        When there is no such hint.
    """
    exercise = get(id)
    most = len(exercise.hints)
    if number is None:
        number = min(_hints_shown.get(id, 0) + 1, most)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise ValueError(f"exercise {id} has hints 1 to {most}, got {number!r}")
    _hints_shown[id] = number
    record.save_hint(id, number, exercise.answer)
    return Hint(exercise, number)


def solution(id: str) -> Solution:
    """A solution of exercise `id`. Points reached afterwards are marked in :func:`progress`.

    Raises
    ------
    KeyError
        When there is no such exercise.
    """
    exercise = get(id)
    return Solution(exercise, record.save_solution_seen(id, exercise.answer))


def progress() -> Progress:
    """Points and states of all exercises, chapter by chapter, as kept on this machine."""
    entries, notice = record.load()
    return Progress(
        [(number, title, [_standing(exercise, entries) for exercise in found]) for number, title, found in chapters()],
        notice,
    )


def _standing(exercise, entries: dict[str, dict]) -> Standing:
    entry = record.entry_of(entries, exercise.id, exercise.answer)
    points = min(entry.get("points", 0), exercise.points)
    status = entry.get("status", NOT_ATTEMPTED)
    if status == "right" and points < exercise.points:
        status = "partial"
    return Standing(exercise, points, status, bool(entry.get("after_solution")))
