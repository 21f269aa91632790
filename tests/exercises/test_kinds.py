"""Whatever kind of value an answer is or returns, a sentence says what is wrong with it."""

import inspect

import numpy as np
import pytest

from exercises import all_exercises
from exercises.grading import grade


class _Thing:
    pass


def _raises():
    raise ValueError("something of the student's")


KINDS = {
    "None": lambda: None,
    "a text": lambda: "0.1",
    "an empty list": list,
    "a list of texts": lambda: ["a", "b"],
    "a ragged list": lambda: [[1.0, 2.0], [3.0]],
    "another shape": lambda: np.ones((3, 2, 7)),
    "complex numbers": lambda: np.full(3, 1j),
    "NaN": lambda: np.full((2, 3), np.nan),
    "a NaN alone": lambda: float("nan"),
    "a generator": lambda: (x for x in (1.0, "a")),
    "a class": lambda: _Thing,
    "an instance": _Thing,
    "a dict": lambda: {"a": None},
    "a function": lambda: len,
    "a set": lambda: {1.0},
    "a pair of things": lambda: (_Thing(), "x"),
    "three things": lambda: (None, {}, [None]),
    "an exception": _raises,
}
EXERCISES = all_exercises()


def _returning(exercise, make):
    """The answer to an exercise that returns what `make` makes, whatever it is given."""
    if exercise.kind == "value":
        return make()
    if exercise.kind == "function":
        return lambda *args, **kwargs: make()
    solution = exercise.load(exercise.solution)
    methods = [
        name for name, member in vars(solution).items() if inspect.isroutine(member) and not name.startswith("__")
    ]
    return type(exercise.answer, (solution,), {name: lambda self, *args, **kwargs: make() for name in methods})


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_wrong_kind_of_value_is_told_in_words(exercise):
    for kind, make in KINDS.items():
        if exercise.kind == "value" and kind == "an exception":
            continue
        result = grade(exercise, _returning(exercise, make))
        said = repr(result)
        assert result.points < exercise.points, kind
        assert result.feedback, f"{kind}: nothing is said"
        assert "The check could not use" not in said, f"{kind}: {said}"
        assert "Traceback" not in said, f"{kind}: {said}"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_what_is_handed_in_in_place_of_the_answer_is_told_in_words(exercise):
    solution = exercise.load(exercise.solution)
    for given in (None, "text", 3.0, np.ones(3), _Thing, _Thing(), len, solution() if exercise.kind == "class" else []):
        result = grade(exercise, given)
        assert not result.points, given
        assert result.feedback or result.status == "not attempted", given
        assert "The check could not use" not in repr(result), repr(result)
