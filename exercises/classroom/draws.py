"""Draw a check's inputs anew: an instructor's own numbers, or other ones for each student.

Checks draw their inputs with ``np.random.default_rng(8)``, a fixed number. Inside :func:`inputs` the generators that
the exercises' own modules make are seeded with the draw as well; nothing else notices. A draw is used only when it is
known to be fair: the solution and every accepted answer get full marks on it, and no known wrong answer does.
"""

import contextlib
import sys
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from exercises import grading
from exercises.definition import Exercise

VARIANTS = 4
_TRIES = 4

Draw = tuple[int, ...]

_original = np.random.default_rng
_runs: dict[tuple, dict] = {}
_drawn = 0


def draw_of(student: str, seed: int | None, by_student: bool) -> Draw | None:
    """The draw for a student: of an instructor's `seed`, and with `by_student` one of a few by the student's name."""
    if seed is None and not by_student:
        return None
    return (seed or 0, zlib.crc32(student.encode()) % VARIANTS) if by_student else (int(seed or 0),)


@contextlib.contextmanager
def inputs(exercise: Exercise, draw: Draw | None) -> Iterator[bool]:
    """Grade `exercise` on drawn inputs in the body, when a fair draw was found; yields whether it was."""
    fair = fair_draw(exercise, draw) if draw else None
    with _drawing(exercise, fair):
        yield fair is not None


@cache
def fair_draw(exercise: Exercise, draw: Draw) -> Draw | None:
    """`draw` with the first number behind it for which the exercise's known answers get what they should, or None."""
    for number in range(_TRIES):
        tried = (*draw, number)
        with _drawing(exercise, tried):
            before = _drawn
            right = [exercise.solution, *(accepted.source for accepted in exercise.accepted_answers)]
            fair = all(_points(exercise, source) == exercise.points for source in right)
            if _drawn == before:
                return None
            if fair and all(_points(exercise, wrong.source) < exercise.points for wrong in exercise.wrong_answers):
                return tried
    return None


def _points(exercise: Exercise, source: str) -> int:
    if exercise.prepare:
        exercise.prepare()
    answer = exercise.load(source)
    runs = (grading.run_check(exercise, index, answer) for index in range(len(exercise.checks)))
    return sum(check.points for check, run in zip(exercise.checks, runs, strict=True) if run.state == "right")


@contextlib.contextmanager
def _drawing(exercise: Exercise, draw: Draw | None) -> Iterator[None]:
    """Seed the generators of the exercises' modules with `draw` too, in the body."""

    def default_rng(seed: Any = None) -> np.random.Generator:
        global _drawn
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if draw is None or not isinstance(seed, int) or not caller.startswith("exercises.ch"):
            return _original(seed)
        _drawn += 1
        return _original([seed, *draw])

    # What the known answers gave on other inputs says nothing here.
    known = [grading.known_solution(exercise), *grading.known_mistakes(exercise)]
    for number, each in enumerate(known):
        each._runs = _runs.setdefault((exercise.id, number, draw), {})
    np.random.default_rng = default_rng
    try:
        yield
    finally:
        np.random.default_rng = _original
