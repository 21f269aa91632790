"""What the tests of the lab share: the answers of all exercises, and what a check makes of one natively."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import NamedTuple

from exercises import all_exercises
from exercises.definition import Exercise
from exercises.grading import grade


class Answer(NamedTuple):
    """An answer that the course knows, right or wrong."""

    id: str
    kind: str
    source: str


class Verdict(NamedTuple):
    """What a check says: the same natively and in the page."""

    points: int
    status: str
    feedback: str


def answers(exercise: Exercise) -> Iterator[Answer]:
    """Every known answer to an exercise."""
    yield Answer(exercise.id, "solution", exercise.solution)
    yield Answer(exercise.id, "starter", exercise.starter)
    for number, accepted in enumerate(exercise.accepted_answers):
        yield Answer(exercise.id, f"accepted {number}", accepted.source)
    for number, wrong in enumerate(exercise.wrong_answers):
        yield Answer(exercise.id, f"wrong {number}", wrong.source)


def native(answer: Answer) -> Verdict:
    """What the grader of the notebooks makes of an answer."""
    exercise = next(one for one in all_exercises() if one.id == answer.id)
    with contextlib.redirect_stdout(io.StringIO()):
        result = grade(exercise, exercise.load(answer.source))
    return Verdict(result.points, result.status, "\n".join(result.feedback))
