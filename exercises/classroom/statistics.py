"""What a class's results say: of each exercise, of each named mistake, of each student."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exercises.classroom.marking import NOT_FOUND
from exercises.classroom.tables import points_of
from exercises.record import entry_of
from exercises.registry import get
from exercises.result import NOT_ATTEMPTED


@dataclass(frozen=True)
class OfExercise:
    """One exercise in a class.

    Parameters
    ----------
    tried : int
        Students who gave an answer.
    share : float
        The points reached by all who tried, of those that could be.
    full : int
        Students with full marks.
    separates : float or None
        The correlation of its points with the points of all other exercises: near 1, it tells those who can do the
        rest from those who cannot; near 0 or below it does not, and is worth a look. None when it cannot be told.
    parts : list of (str, float)
        Each check, and the share of those who tried that passed it.
    mistakes : list of (str, int)
        The named mistakes, the most frequent first, with the number of students.
    unnamed : int
        Students who lost points without a named mistake.
    attempts, hints : float or None
        The means over the progress files that were handed in.
    """

    id: str
    title: str
    max_points: int
    tried: int
    share: float
    full: int
    separates: float | None
    parts: list[tuple[str, float]]
    mistakes: list[tuple[str, int]]
    unnamed: int
    attempts: float | None
    hints: float | None


def of_exercises(records: Sequence[Any], exercises: Sequence[str]) -> list[OfExercise]:
    """Each exercise, in order."""
    totals = np.array([points_of(record, exercises) for record in records], dtype=float)
    return [_of_exercise(records, id, totals) for id in exercises]


def _of_exercise(records: Sequence[Any], id: str, totals: np.ndarray) -> OfExercise:
    exercise = get(id)
    marks = [record.marks.get(id) for record in records]
    tried = [mark for mark in marks if mark and mark.status not in (NOT_FOUND, NOT_ATTEMPTED)]
    points = np.array([mark.points if mark else 0 for mark in marks], dtype=float)
    mistakes = Counter(sentence for mark in tried for sentence in dict.fromkeys(mark.mistakes))
    passed: dict[str, list[bool]] = defaultdict(list)
    for mark in tried:
        for part in mark.parts:
            passed[part["name"]].append(part["points"] == part["max_points"])
    entries = [entry_of(record.progress, id, exercise.answer) for record in records if record.progress]
    return OfExercise(
        id=id,
        title=exercise.title,
        max_points=exercise.points,
        tried=len(tried),
        share=float(np.mean([mark.points for mark in tried])) / exercise.points if tried else 0.0,
        full=sum(mark.points == exercise.points for mark in tried),
        separates=_correlation(points, totals - points),
        parts=[(check.name, float(np.mean(passed[check.name]))) for check in exercise.checks if passed[check.name]],
        mistakes=mistakes.most_common(),
        unnamed=sum(mark.points < exercise.points and not mark.mistakes for mark in tried),
        attempts=_mean(entry.get("attempts", 0) for entry in entries if entry),
        hints=_mean(entry.get("hints", 0) for entry in entries if entry),
    )


def distribution(records: Sequence[Any], exercises: Sequence[str], most: int, bins: int = 10) -> list[tuple[str, int]]:
    """How many students have how many points, in equal steps."""
    edges = np.unique(np.linspace(0, most + 1, bins + 1).round().astype(int))
    totals = [points_of(record, exercises) for record in records]
    counts, _ = np.histogram(totals, edges)
    return [
        (f"{low}" if high - low == 1 else f"{low}-{high - 1}", int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    if len(one) < 5 or not one.std() or not other.std():
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _mean(values: Any) -> float | None:
    values = list(values)
    return float(np.mean(values)) if values else None
