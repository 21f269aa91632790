"""Every known answer gets in the page what it gets in a notebook: points, status, mistakes, sentences, the card."""

from __future__ import annotations

import pytest

from exercises import all_exercises
from tools import lab
from tools.lab_answers import Here, compared, known_answers, python_in_page


@pytest.fixture(scope="module")
def python(browser, strict, site):
    """One worker of the built site for all answers."""
    with python_in_page(browser, site / "_static" / lab.ENGINE) as ask:
        yield ask


@pytest.fixture(scope="module")
def here():
    return Here()


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.id)
def test_every_known_answer_gets_the_same_in_the_page(python, here, exercise):
    found = compared(python, known_answers(exercise), here)
    assert [difference for one in found for difference in one.differences] == []
    gained = [one.page["points"] for one in found if one.answer.kind.split()[0] in ("solution", "accepted")]
    assert set(gained) == {exercise.points}
