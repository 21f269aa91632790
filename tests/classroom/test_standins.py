"""In its own process an answer gets the marks and reads the sentences that it gets here."""

import os

import numpy as np
import pytest

from exercises import get
from exercises.classroom import marking, plan
from exercises.classroom.reading import Cell
from exercises.classroom.wire import Buffers, Closed, Packer
from exercises.definition import clean
from exercises.grading import grade

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")


@needs_fork
@pytest.mark.parametrize("id", ["1.2", "3.1", "4.2", "5.1", "6.3", "8.4", "10.5", "11.6", "12.3", "13.1", "13.2"])
def test_an_answer_is_graded_alike_in_a_process_of_its_own(id):
    """Functions, classes, values, generators, callbacks, in-place changes, warnings, a generator of random numbers."""
    exercise = get(id)
    sources = [exercise.solution, exercise.wrong_answers[0].source, *(a.source for a in exercise.accepted_answers[:2])]
    with marking._box(marking.Limits()) as box:
        for source in map(clean, sources):
            cell = Cell("code", source, (f"ex-{id}",), 1)
            (found,) = plan.plan([cell], [plan.Wanted(id, exercise.answer, exercise.starter)])
            mark = marking._mark(box, exercise, found.candidates[0], "notebook")
            direct = grade(exercise, exercise.load(source))
            assert (mark.points, mark.status, mark.messages) == (direct.points, direct.status, direct.messages)
            assert [part["feedback"] for part in mark.parts] == [part.feedback for part in direct.parts]


@needs_fork
def test_an_error_is_told_in_the_students_own_line():
    source = "def moments(grads, beta1, beta2):\n    m = 1\n    return m / 0"
    (found,) = plan.plan([Cell("code", source, (), 7)], [plan.Wanted("8.1", "moments", "")])
    with marking._box(marking.Limits()) as box:
        mark = marking._mark(box, get("8.1"), found.candidates[0], "a.ipynb")
    assert (
        mark.parts[0]["feedback"]
        == "Your code stopped with `ZeroDivisionError: division by zero` in line 3: `return m / 0`."
    )


def both_ways(value):
    here, there = Packer(lambda said: said, trusted=False), Packer(lambda said: said, trusted=True)
    buffers = []
    node = there.pack(value, buffers)
    return here.unpack(node, Buffers(memoryview(b"".join(buffers))))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 2**80, 1.5, float("inf"), "text", b"bytes", ..., 1 + 2j, (1, [2, {"a": 3}]), {1, 2}, range(3),
        np.float32(2.5), np.bool_(True), np.arange(6.0).reshape(2, 3), np.array(3), np.array([], dtype="f4"),
        np.array(["a", "bc"]),
    ],
)  # fmt: skip
def test_values_cross_as_they_are(value):
    back = both_ways(value)
    assert type(back) is type(value)
    assert np.array_equal(back, value) or back == value
    assert getattr(back, "dtype", None) == getattr(value, "dtype", None)


def test_a_text_that_lies_about_itself_crosses_as_a_text():
    class Yes(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    assert both_ways(Yes("saddle")) != "minimum"


@pytest.mark.parametrize(
    "node",
    [
        {"p": 4}, {"f": 0, "name": "x"}, {"a": "O", "shape": [1], "b": 8}, {"a": "<f8", "shape": [10**9], "b": 8},
        {"a": "<f8", "shape": [1], "b": 800}, {"a": "<f8", "shape": [1], "b": -8}, {"r": "g99"}, {"d": [[[], 1]]}, [1],
        {"range": ["a", 1, 1]}, {"n": "<f8", "b": 4}, {"unknown": 1}, {"h": {"kind": 1}, "l": 3},
    ],
)  # fmt: skip
def test_what_a_students_process_may_not_send_is_not_read(node):
    def stand_in(said):
        raise KeyError

    with pytest.raises(Closed):
        Packer(stand_in, trusted=False).unpack(node, Buffers(memoryview(bytes(8))))


@needs_fork
def test_the_grader_goes_on_when_its_processes_were_ended():
    file = marking.File("a.ipynb", b'{"cells": [{"cell_type": "code", "source": "x = 1\\ncheck(\\"8.1\\", x)"}]}')
    for _ in range(2):
        record = marking.mark_submission("anna", [file], marking.Settings(("8.1",)))
        assert record.marks["8.1"].status == "wrong"
        marking._nursery().process.kill()
        marking._nursery().process.wait()
