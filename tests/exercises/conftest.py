"""Shared by the tests of the exercises: a progress file of their own, and a small exercise to try."""

import numpy as np
import pytest

from exercises import student
from exercises.authoring import AcceptedAnswer, Check, Exercise, Wrong, WrongAnswer, close, edit

HALVE = """
def halve(values):
    return values / 2
"""


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    """No test touches the progress of whoever runs it."""
    file = tmp_path / "progress" / "progress.json"
    monkeypatch.setenv("OPTIM_COURSE_PROGRESS", str(file))
    monkeypatch.setattr(student, "_hints_shown", {})
    return file


def _small(halve):
    return close(halve(np.array([2.0, 4.0, 10.0])), np.array([1.0, 2.0, 5.0]), "half of the numbers")


def _negative(halve):
    if (halve(np.array([-2.6, -6.2])) > 0).any():
        raise Wrong("Half of a negative number is negative.")


def make_toy(**changes):
    """A complete exercise, with any part replaced."""
    parts = {
        "id": "99.1",
        "title": "Halves <&>",
        "answer": "halve",
        "prompt": "Halve `values`.",
        "starter": edit(HALVE, ("values / 2", "...")),
        "checks": [
            Check("small numbers", 2, _small, "Divide."),
            Check("negative numbers", 1, _negative),
        ],
        "hints": ["Which operation?", "Divide `values` by two."],
        "solution": HALVE,
        "explanation": "A half is one of two equal parts.",
        "wrong_answers": [
            WrongAnswer(edit(HALVE, ("/ 2", "* 2")), "You double: `/` divides.", points=1),
            WrongAnswer(edit(HALVE, ("values / 2", "abs(values) / 2")), "The sign is lost.", points=2),
            WrongAnswer(edit(HALVE, ("values / 2", "values")), "Nothing is divided.", points=1),
            WrongAnswer(edit(HALVE, ("/ 2", "// 4")), "Quarters, rounded down; halves are asked for.", convention=True),
        ],
        "accepted_answers": [AcceptedAnswer(edit(HALVE, ("/ 2", "* 0.5")))],
    }
    return Exercise(**(parts | changes))


@pytest.fixture
def toy():
    return make_toy()


@pytest.fixture
def toy_with():
    return make_toy
