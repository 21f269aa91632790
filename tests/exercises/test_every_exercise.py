"""Every exercise of the course keeps the promises that its definition makes."""

import ast
import itertools

import pytest

from exercises import all_exercises
from exercises.grading import grade
from exercises.registry import chapters

EXERCISES = all_exercises()
WRONG = [
    pytest.param(exercise, wrong, id=f"{exercise.id}-{number}")
    for exercise in EXERCISES
    for number, wrong in enumerate(exercise.wrong_answers)
]
ACCEPTED = [
    pytest.param(exercise, accepted, id=f"{exercise.id}-{number}")
    for exercise in EXERCISES
    for number, accepted in enumerate(exercise.accepted_answers)
]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


@each_exercise
def test_solution_gets_full_marks_every_time(exercise):
    answer = exercise.load(exercise.solution)
    result = grade(exercise, answer)
    assert (result.status, result.points) == ("right", exercise.points), repr(result)
    assert result._repr_html_() == grade(exercise, answer)._repr_html_()


@each_exercise
def test_starter_is_not_attempted(exercise):
    result = grade(exercise, exercise.load(exercise.starter))
    assert (result.status, result.points) == ("not attempted", 0), repr(result)
    assert {part.state for part in result.parts} == {"not attempted"}


@pytest.mark.parametrize(("exercise", "wrong"), WRONG)
def test_wrong_answer_loses_marks_and_gets_its_feedback(exercise, wrong):
    result = grade(exercise, exercise.load(wrong.source))
    assert result.points < exercise.points, "a check accepts a wrong answer"
    assert wrong.points is None or result.points == wrong.points, repr(result)
    assert wrong.feedback in "\n".join(result.feedback), repr(result)
    assert "The check could not use" not in repr(result), "a check stops with an exception of its own"
    assert ("another convention" in repr(result).lower()) == wrong.convention, "a convention is not just wrong"


@pytest.mark.parametrize(("exercise", "accepted"), ACCEPTED)
def test_accepted_answer_gets_full_marks_and_its_note(exercise, accepted):
    result = grade(exercise, exercise.load(accepted.source))
    assert result.status == "right", repr(result)
    assert not accepted.note or accepted.note in result.feedback


@each_exercise
def test_starter_and_solution_define_the_answer_with_one_signature(exercise):
    starter, solution = exercise.load(exercise.starter), exercise.load(exercise.solution)
    if exercise.kind == "function":
        assert (
            starter.__code__.co_varnames[: starter.__code__.co_argcount]
            == (solution.__code__.co_varnames[: solution.__code__.co_argcount])
        )
    assert isinstance(solution, type) == (exercise.kind == "class")


@each_exercise
def test_texts_are_readable_without_markup(exercise):
    texts = [
        exercise.title,
        exercise.explanation,
        *exercise.hints,
        *(check.look for check in exercise.checks),
    ]
    texts += [check.name for check in exercise.checks] + [wrong.feedback for wrong in exercise.wrong_answers]
    for text in texts:
        assert not set("$\\") & set(text), f"LaTeX cannot be read in a terminal: {text}"
        assert text.count("`") % 2 == 0, f"a backtick is not closed: {text}"
        assert text == " ".join(text.split()), repr(text)
        assert "!" not in text, text


@each_exercise
def test_sentences_end_like_sentences(exercise):
    looks = [check.look for check in exercise.checks if check.look]
    said = [wrong.feedback for wrong in exercise.wrong_answers if wrong.diagnose]
    for text in [exercise.explanation, *exercise.hints, *looks, *said]:
        assert text[0] in "`'" or not text[0].islower(), text
        assert text.endswith((".", "?", "`")), text


@each_exercise
def test_diagnoses_of_one_exercise_are_distinct(exercise):
    sentences = [wrong.feedback for wrong in exercise.wrong_answers if wrong.diagnose]
    assert len(set(sentences)) == len(sentences)


@each_exercise
def test_code_of_starter_and_solution_fits_the_page(exercise):
    for source in (exercise.starter, exercise.solution):
        assert ast.parse(source)
        assert max(map(len, source.splitlines())) <= 110


@pytest.mark.parametrize(("number", "title", "exercises"), chapters(), ids=lambda value: str(value)[:12])
def test_chapter_has_three_exercises_numbered_from_one(number, title, exercises):
    assert [exercise.id for exercise in exercises] == [
        f"{number}.{k}" for k in itertools.islice(itertools.count(1), len(exercises))
    ]
    assert len(exercises) >= 3
    assert title


def test_ids_are_unique_and_in_order():
    orders = [exercise.order for exercise in EXERCISES]
    assert orders == sorted(set(orders))
