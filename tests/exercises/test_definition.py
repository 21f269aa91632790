"""A definition that is not complete is refused when it is made, and the registry finds the rest."""

import pytest

import exercises
from exercises.authoring import Check, WrongAnswer, clean, edit
from exercises.definition import load


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": "8"}, 'id must be "chapter.number"'),
        ({"id": "08.1"}, 'id must be "chapter.number"'),
        ({"answer": "a b"}, "answer must be the name"),
        ({"checks": []}, "every check must be worth at least 1 point"),
        ({"checks": [Check("free", 0, print)]}, "every check must be worth at least 1 point"),
        ({"checks": [Check("one", 1, print), Check("one", 1, print)]}, "two checks have the same name"),
        ({"hints": ["only one"]}, "at least 2 hints are needed, got 1"),
        (
            {"wrong_answers": [WrongAnswer("halve = abs", "No.")] * 2},
            "at least 3 wrong answers are needed, got 2",
        ),
    ],
)
def test_an_incomplete_exercise_is_refused(toy_with, changes, sentence):
    with pytest.raises(ValueError, match=r"exercise .*: ") as error:
        toy_with(**changes)
    assert sentence in str(error.value)


def test_points_are_those_of_the_checks(toy):
    assert toy.points == 3


def test_kind_is_what_the_starter_defines(toy_with):
    assert toy_with().kind == "function"
    assert toy_with(starter="class halve: ...").kind == "class"
    assert toy_with(starter="halve = ...").kind == "value"


def test_edit_wants_every_piece_exactly_once():
    assert edit("  a = b\n", ("b", "c")) == "a = c"
    with pytest.raises(ValueError, match="'x' occurs 0 times"):
        edit("a = b", ("x", "y"))
    with pytest.raises(ValueError, match="'a' occurs 2 times"):
        edit("a = a", ("a", "b"))


def test_clean_keeps_inner_indentation():
    assert clean("\n    def f():\n        pass\n") == "def f():\n    pass"


def test_load_wants_the_answer_defined():
    with pytest.raises(ValueError, match="the source defines no 'x'"):
        load("y = 1", "x")


def test_get_finds_an_exercise_and_names_the_nearest_when_there_is_none():
    assert exercises.get("8.2").title == "Bias correction"
    with pytest.raises(KeyError, match=r"there is no exercise '8\.20'; there is 8\.1, 8\.2"):
        exercises.get("8.20")
    with pytest.raises(KeyError, match="there is no exercise 'adam'; there is"):
        exercises.get("adam")
    with pytest.raises(KeyError, match=r'named by a text such as "8\.2", got 8\.2'):
        exercises.get(8.2)


def test_registry_refuses_a_stray_or_doubled_exercise(toy):
    from exercises.registry import _of_chapter

    with pytest.raises(ValueError, match=r"ch08_adam\.py defines '99\.1', which belongs to another chapter"):
        _of_chapter(8, "ch08_adam", [toy])
    with pytest.raises(ValueError, match=r"ch99_toy\.py defines an exercise twice"):
        _of_chapter(99, "ch99_toy", [toy, toy])


def test_the_authors_example_works(tmp_path):
    """The example in the authors' guide is run, so it cannot go stale."""
    import textwrap

    from exercises import authoring
    from exercises.grading import grade

    guide = authoring.__doc__
    example = guide[guide.index("    from exercises.authoring import") : guide.index("What the framework does")]
    more = """
                WrongAnswer(edit(SOLUTION, ("learning_rate * grad", "grad")), "The rate is missing."),
                WrongAnswer(edit(SOLUTION, ("theta - ", "")), "Only the step is returned."),
"""
    assert example.count("                ...\n") == 1
    code = textwrap.dedent(example.replace("                ...\n", more))
    namespace = {}
    exec("import numpy as np\n" + code, namespace)
    (exercise,) = namespace["EXERCISES"]
    assert grade(exercise, exercise.load(exercise.solution)).status == "right"
    assert grade(exercise, exercise.load(exercise.starter)).status == "not attempted"
    for wrong in exercise.wrong_answers:
        assert grade(exercise, exercise.load(wrong.source)).messages == [wrong.feedback]
