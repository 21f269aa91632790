"""A sample of the mutation test: python -m tools.mutate_exercises runs it whole, see CONTRIBUTING.md."""

import pytest

from exercises import all_exercises, get
from exercises.grading import known_mistakes
from tools import mutate_exercises
from tools.mutate_exercises import diagnoses, tally

# Always the same ones, of many kinds; the open exercises, which train networks, are left to the command.
SAMPLE = 5
IDS = [exercise.id for exercise in all_exercises() if exercise.id not in ("12.4", "12.5", "13.4")]


@pytest.mark.parametrize("id", IDS)
def test_mutants_lose_marks_unless_they_are_equivalent(id):
    found = tally(id, SAMPLE)
    assert found.count == SAMPLE or found.count < 3  # a value has two
    assert not found.survivors
    assert not found.stale


@pytest.mark.parametrize("id", IDS)
def test_no_mutant_is_told_a_mistake_that_it_does_not_make(id):
    _, told = diagnoses(id, SAMPLE)
    assert not [f"{each.mutant.change}: {each.sentence}" for each in told if not each.agrees]


def test_a_hole_is_seen(monkeypatch):
    monkeypatch.setattr(mutate_exercises, "equivalents", lambda: {"all": {}, "open": {}})
    assert [mutant.change for mutant in tally("12.2").survivors]


def test_a_false_diagnosis_is_seen():
    exercise = get("12.2")
    one, other, *_ = known_mistakes(exercise)
    answer = exercise.load(one.answer.source)
    assert mutate_exercises.agree_on_fresh_inputs(exercise, answer, one.sentence)
    assert not mutate_exercises.agree_on_fresh_inputs(exercise, answer, other.sentence)
