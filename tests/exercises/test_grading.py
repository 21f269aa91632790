"""Whatever a student hands in is graded: with a state, points, and a sentence that helps."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from exercises.authoring import (
    Check,
    NotAttempted,
    WrongAnswer,
    close,
    edit,
    outputs,
    raw,
    unchanged_inputs,
)
from exercises.definition import load
from exercises.grading import grade
from tests.exercises.conftest import HALVE


def graded(exercise, source):
    return grade(exercise, load(source, exercise.answer, exercise.setup))


def feedback(exercise, source):
    return "\n".join(graded(exercise, source).feedback)


# The states


def test_right(toy):
    result = graded(toy, toy.solution)
    assert (result.status, result.points, result.max_points, result.feedback) == ("right", 3, 3, [])


def test_partial_credit_is_given_check_by_check(toy):
    result = graded(toy, "def halve(values):\n    return abs(values) / 2")
    assert (result.status, result.points) == ("partial", 2)
    assert [part.state for part in result.parts] == ["right", "wrong"]


def test_wrong(toy):
    result = graded(toy, "def halve(values):\n    return abs(values) + 7")
    assert (result.status, result.points) == ("wrong", 0)


def test_error_names_the_exception_the_line_and_the_source(toy):
    result = graded(toy, "def halve(values):\n    half = values / 2\n    return half.sise")
    assert result.status == "error"
    assert "AttributeError" in result.feedback[0]
    assert "in line 3: `return half.sise`" in result.feedback[0]


def test_error_in_a_helper_of_the_students_names_the_helpers_line(toy):
    source = "def half_of(x):\n    return x / missing\n\ndef halve(values):\n    return half_of(values)"
    assert "in line 2: `return x / missing`" in feedback(toy, source)


def test_error_inside_numpy_names_the_students_line(toy):
    source = "def halve(values):\n    return np.linalg.solve(values, values)"
    assert "in line 2: `return np.linalg.solve(values, values)`" in feedback(toy, source)


# Not attempted


@pytest.mark.parametrize(
    "body",
    [
        "return ...",
        "return (..., values)",
        "return [values, ...]",
        "return {'a': ...}",
        "return values * ...",
    ],
)
def test_an_ellipsis_anywhere_is_not_attempted(toy, body):
    result = graded(toy, f"def halve(values):\n    x = 0\n    {body}")
    assert (result.status, result.points, result.feedback) == ("not attempted", 0, [])


def test_an_answer_that_is_an_ellipsis_is_not_attempted(toy):
    assert grade(toy, ...).status == "not attempted"


def test_none_is_wrong_and_not_unattempted(toy):
    result = graded(toy, "def halve(values):\n    values / 2")
    assert result.status == "wrong"
    assert "`halve` returned None: is a `return` missing?" in result.feedback[0]


def test_none_is_passed_on_where_the_exercise_says_so(toy_with):
    seen = []
    exercise = toy_with(none_ok=True, checks=[Check("none", 1, lambda halve: seen.append(halve(1.0)))])
    assert graded(exercise, "def halve(values):\n    pass").status == "right"
    assert seen[0] is None


def test_unchanged_starter_is_not_attempted_even_if_it_runs(toy_with):
    buggy = "def halve(values):\n    return values * 2"
    exercise = toy_with(starter=buggy)
    assert graded(exercise, buggy).status == "not attempted"
    layout = "def halve(values):  # a comment\n\n    return (values *\n            2)"
    assert graded(exercise, layout).status == "not attempted"
    assert graded(exercise, "def halve(values):\n    return values * 3").status == "partial"
    assert graded(exercise, "def halve(values, by=2):\n    return values * by").status == "partial"


def test_unchanged_class_is_not_attempted_and_a_changed_default_is_an_attempt(toy_with):
    source = """
    class Scale:
        factor = 2
        def __init__(self, by=3):
            self.by = by
        def of(self, x):
            return x * self.by * self.factor
    """
    exercise = toy_with(
        answer="Scale",
        starter=source,
        solution=source,
        checks=[Check("of", 1, lambda scale: close(scale().of(1.0), 0.0, "the product"))],
        accepted_answers=[],
        wrong_answers=[WrongAnswer(edit(source, ("by=3", f"by={n}")), f"{n}") for n in (4, 5, 6)],
    )
    assert graded(exercise, source).status == "not attempted"
    assert graded(exercise, edit(source, ("by=3", "by=30"))).status == "wrong"
    assert graded(exercise, edit(source, ("factor = 2", "factor = 20"))).status == "wrong"


def test_part_not_attempted_beside_a_right_part_is_partial(toy_with):
    exercise = toy_with(
        checks=[
            Check("first", 1, lambda halve: close(halve(2.0), 1.0, "half of 2")),
            Check("second", 1, lambda halve: close(halve(-2.0), -1.0, "half of -2")),
        ]
    )
    result = graded(exercise, "def halve(x):\n    return x / 2 if x > 0 else ...")
    assert (result.status, result.points) == ("partial", 1)
    assert "still a `...`" in result.feedback[0]


# What is handed in


def test_missing_answer_says_how_to_call(toy):
    assert '`check("99.1", halve)`' in grade(toy).feedback[0]


def test_result_of_a_call_instead_of_the_function(toy):
    result = grade(toy, np.ones(3))
    assert result.status == "wrong"
    assert "The answer is a function, and this is an array of shape (3,)" in result.feedback[0]


def test_instance_instead_of_the_class(toy_with):
    exercise = toy_with(
        answer="Half",
        starter="class Half:\n    x = ...",
        solution="class Half:\n    x = 1",
        accepted_answers=[],
    )
    half = exercise.load(exercise.solution)
    assert "this is an instance: pass the class itself" in grade(exercise, half()).feedback[0]


def test_value_answers(toy_with):
    exercise = toy_with(
        answer="rate",
        starter="rate = ...",
        solution="rate = 0.5",
        checks=[Check("value", 1, lambda rate: close(rate, 0.5, "the rate"))],
        wrong_answers=[
            WrongAnswer("rate = 2.0", "That is the inverse."),
            WrongAnswer("rate = 0.25", "That is half of it."),
            WrongAnswer("rate = -0.5", "That is negative."),
        ],
        accepted_answers=[],
    )
    assert grade(exercise, ...).status == "not attempted"
    assert grade(exercise, (..., 1)).status == "not attempted"
    assert grade(exercise, 0.5).status == "right"
    assert grade(exercise, 2.0).feedback[0] == "That is the inverse."
    assert "`rate` is None" in grade(exercise, None).feedback[0]
    assert "should be numbers; it is the text 'abc'" in grade(exercise, "abc").feedback[0]


def test_wrong_signature_says_how_it_is_called(toy):
    said = feedback(toy, "def halve(values, by):\n    return values / by")
    assert "`halve` is called with 1 argument (an array of shape (3,)), but yours is `halve(values, by)`" in said


# Values


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ("values[:2] / 2", "has shape (2,); shape (3,) is expected"),
        ("'half'", "should be numbers; it is the text 'half'"),
        ("values * np.nan", "is NaN (not a number) in 3 of 3 places"),
        ("values / 0.0", "is infinity in 3 of 3 places"),
        ("values * 5", "is 10 times too large"),
        ("values / 20", "is 10 times too small"),
        ("-values / 2", "has the opposite sign"),
        ("values / 2 + 3.0", "is off by 3, the same in every place"),
        ("values * 0", "is zero"),
        ("values / 2 * np.array([1, 1, 2])", "is wrong in 1 of 3 places; the largest difference is at [2]"),
        ("[values, values[:1]]", "should be numbers; it is a list of 2"),
        ("values / 2 * (1 + 1e-7)", "is close but not equal"),
        ("len", "should be numbers; it is a function"),
    ],
)
def test_difference_is_described(toy, returned, sentence):
    with np.errstate(all="ignore"):
        assert sentence in feedback(toy, f"def halve(values):\n    return {returned}")


def test_nan_feedback_is_the_same_with_numpys_warnings_and_without(toy):
    root = "def halve(values):\n    return np.sqrt(-values)"
    said = feedback(toy, root)
    assert "NaN (not a number) in 3 of 3 places: look for a division by zero or the root of a negative number" in said
    with np.errstate(all="ignore"):
        assert feedback(toy, root) == said


def test_an_error_names_numpys_usual_integers_as_every_machine_does(toy):
    """They are int64 here, and int32 in a browser."""
    said = feedback(toy, "def halve(values):\n    values = np.array([2, 4, 10])\n    values /= 2\n    return values")
    assert "Cannot cast ufunc 'divide' output from dtype('float64') to dtype('int') with" in said


def test_several_outputs_are_counted(toy_with):
    exercise = toy_with(checks=[Check("pair", 1, lambda halve: outputs(halve(1.0), "a", "b"))])
    assert "(a, b); yours returned the number 1" in feedback(exercise, "def halve(x):\n    return x")
    assert "(a, b); yours returned 3" in feedback(exercise, "def halve(x):\n    return x, x, x")


# Inputs


IN_PLACE = "def halve(values):\n    values /= 2\n    return values"


def test_changing_an_input_is_reported_and_costs_nothing_by_itself(toy):
    result = graded(toy, IN_PLACE)
    assert result.status == "right"
    assert "`halve` changes its argument `values` in place" in result.notes[0]


def test_changing_an_input_costs_points_where_a_check_asks(toy_with):
    def untouched(halve):
        halve(np.ones(2))
        unchanged_inputs(halve)

    exercise = toy_with(
        checks=[Check("right", 1, lambda halve: close(halve(2.0), 1.0, "half")), Check("a", 1, untouched)]
    )
    result = graded(exercise, IN_PLACE)
    assert (result.status, result.points, result.notes) == ("partial", 1, [])


def test_a_check_never_sees_its_own_array_changed(toy_with):
    def check(halve):
        values = np.array([2.0])
        halve(values)
        assert values[0] == 2.0

    assert graded(toy_with(checks=[Check("own", 1, check)]), IN_PLACE).status == "right"


def test_arguments_named_in_changes_are_passed_as_they_are(toy_with):
    def check(halve):
        values = np.array([2.0])
        assert halve(values) is values
        close(values, np.array([1.0]), "the array")

    result = graded(toy_with(checks=[Check("own", 1, check)], changes=(0,)), IN_PLACE)
    assert (result.status, result.notes) == ("right", [])


# Diagnosis


def test_an_answer_that_behaves_like_a_known_wrong_one_is_told_so(toy):
    result = graded(toy, "def halve(v):\n    return np.array([x + x for x in v])")
    assert result.messages == ["You double: `/` divides."]
    assert "is 4 times too large" in result.parts[0].feedback


def test_an_unknown_mistake_gets_no_diagnosis(toy):
    result = graded(toy, "def halve(v):\n    return v / 7")
    assert result.messages == []
    assert "is 3.5 times too small" in result.feedback[0]


def test_a_mistake_that_explains_a_failing_check_is_named_there(toy):
    """Two mistakes at once, each known: the first check meets one of them, the second the other."""
    source = "def halve(v):\n    return 2 * v if v[0] > 0 else abs(v) / 2"
    result = graded(toy, source)
    assert result.messages == []
    assert result.parts[0].feedback.startswith("You double: `/` divides. Half of the numbers is 4 times too large")
    assert result.mistakes == ["You double: `/` divides.", "The sign is lost."]


def test_a_sentence_that_another_failing_check_contradicts_is_not_said(toy):
    """Doubling passes the check of negative numbers, and this answer does not: it does something else."""
    source = "def halve(v):\n    return 2 * v if v[0] > 0 else abs(v) + 3"
    result = graded(toy, source)
    assert result.mistakes == []
    assert result.parts[0].feedback.startswith("Half of the numbers is 4 times too large")


def test_a_sentence_that_a_passing_check_contradicts_is_not_said(toy_with):
    """A known mistake that fails both checks explains nothing in an answer that fails only one."""
    exercise = toy_with(
        checks=[
            Check("one", 1, lambda halve: close(halve(26.4), 13.2, "half of 26.4")),
            Check("two", 1, lambda halve: close(halve(-2.6), -1.3, "half of -2.6")),
        ]
    )
    assert graded(exercise, "def halve(v):\n    return v * 2").mistakes == ["You double: `/` divides."]
    assert graded(exercise, "def halve(v):\n    return v * 2 if v > 0 else v / 2").mistakes == []


def test_outputs_that_many_mistakes_share_name_none(toy_with):
    """Zero comes from many mistakes; the one that happens to be listed is not blamed for it."""
    lost = edit(HALVE, ("values / 2", "0 * values"))
    exercise = toy_with(wrong_answers=[WrongAnswer(lost, "You multiply by zero."), *toy_with().wrong_answers])
    assert graded(exercise, "def halve(values):\n    return values - values").mistakes == []
    evident = WrongAnswer(lost, "You return zeros.", evident=True)
    exercise = toy_with(wrong_answers=[evident, *toy_with().wrong_answers])
    assert graded(exercise, "def halve(values):\n    return values - values").mistakes == ["You return zeros."]


def test_a_mistake_that_only_coincides_on_the_inputs_of_the_check_is_not_named(toy_with):
    """At 26.4 doubling and adding 26.4 give the same number; at a number near it they do not."""
    exercise = toy_with(
        checks=[Check("one", 1, lambda halve: close(halve(np.array([26.4])), np.array([13.2]), "half"))]
    )
    assert graded(exercise, "def halve(v):\n    return v * 2").mistakes == ["You double: `/` divides."]
    assert graded(exercise, "def halve(v):\n    return v + 26.4").mistakes == []


def test_another_convention_is_called_so(toy):
    assert graded(toy, "def halve(v):\n    return v // 4").messages == [
        "This is another convention. Quarters, rounded down; halves are asked for."
    ]


def test_accepted_convention_gets_full_marks_and_its_note(toy_with):
    from exercises.authoring import AcceptedAnswer

    def check(halve):
        return close(halve(3.0), 1.5, "half of 3", accept=[(1.0, "Rounding down is fine.")])

    exercise = toy_with(
        checks=[Check("three", 1, check)],
        accepted_answers=[AcceptedAnswer("def halve(x):\n    return x // 2", "You round down; that is fine.")],
    )
    result = graded(exercise, "def halve(x):\n    return float(int(x / 2))")
    assert result.status == "right"
    assert result.feedback == ["You round down; that is fine.", "Rounding down is fine."]
    assert graded(exercise, exercise.solution).feedback == []


def test_mistakes_given_to_close_are_named_with_what_was_measured(toy_with):
    def check(halve):
        close(halve(8.0), 4.0, "half of 8", mistakes=[(lambda: np.sqrt(8.0), "That is the root."), (3.0, "No.")])

    exercise = toy_with(checks=[Check("eight", 1, check)])
    assert "That is the root. (Half of 8 is 1.414 times too small" in feedback(
        exercise, "def halve(x):\n    return x**0.5"
    )


# Time, output, warnings


def test_an_endless_loop_is_stopped_and_located(toy_with):
    exercise = toy_with(time_limit=0.3)
    start = time.perf_counter()
    source = """
    def halve(values):
        while True:
            try:
                pass
            except Exception:
                pass
    """
    result = graded(exercise, source)
    assert time.perf_counter() - start < 3
    assert result.status == "error"
    assert "still running after 0.3 seconds in line" in result.feedback[0]


def test_an_endless_generator_is_stopped(toy_with):
    exercise = toy_with(time_limit=0.3, checks=[Check("all", 1, lambda halve: list(halve(1.0)) and None)])
    source = "def halve(values):\n    while True:\n        pass\n        if 0:\n            yield"
    assert "still running" in feedback(exercise, source)


def test_what_a_generator_raises_or_yields_is_told(toy_with):
    exercise = toy_with(checks=[Check("all", 1, lambda halve: close(list(halve(1.0)), [1.0, 2.0], "items"))])
    assert graded(exercise, "def halve(v):\n    yield v\n    yield 2 * v").status == "right"
    assert graded(exercise, "def halve(v):\n    yield v\n    yield ...").status == "not attempted"
    assert "ZeroDivisionError" in feedback(exercise, "def halve(v):\n    yield v\n    yield v / (1 - v)")
    exercise = toy_with(checks=[Check("count", 1, lambda halve: close(len(list(halve(1.0))), 1, "the count"))])
    assert graded(exercise, "def halve(v):\n    yield (v, ...)").status == "not attempted"


def test_what_the_code_prints_is_kept_with_the_result(toy, capsys):
    result = graded(toy, "def halve(values):\n    print('look:', values)\n    return values / 2")
    assert result.printed == "look: [ 2.  4. 10.]\n"
    assert capsys.readouterr().out == ""


def test_exit_in_an_answer_does_not_end_the_session(toy):
    assert "SystemExit" in feedback(toy, "import sys\ndef halve(values):\n    sys.exit()")


def test_keyboard_interrupt_reaches_the_student(toy):
    with pytest.raises(KeyboardInterrupt):
        graded(toy, "def halve(values):\n    raise KeyboardInterrupt")


def test_an_answer_the_check_cannot_use_is_not_blamed_on_the_check(toy_with):
    exercise = toy_with(checks=[Check("pair", 1, lambda halve: [a + b for a, b in halve(1.0)])])
    assert "The check could not use what your code returned" in feedback(exercise, "def halve(x):\n    return x")


# Classes


def stack_exercise(toy_with):
    source = """
    class Counter:
        def __init__(self, start=0):
            self.n = start
        def up(self, by):
            self.n = self.n + by
            return self.n
    """

    def check(counter):
        one = counter(start=1)
        close(one.up(2.25), 3.25, "the count")
        one.n = 10
        close(one.up(2), 12, "the count")
        assert isinstance(raw(one), raw(counter))

    return toy_with(
        answer="Counter",
        starter="class Counter:\n    def up(self, by):\n        return ...",
        solution=source,
        checks=[Check("counts", 1, check)],
        wrong_answers=[
            WrongAnswer(edit(source, ("self.n + by", f"self.n - {n} * by")), f"Minus {n}.") for n in (1, 2, 3)
        ],
        accepted_answers=[],
    )


def test_a_class_is_guarded_like_a_function(toy_with):
    exercise = stack_exercise(toy_with)
    assert graded(exercise, exercise.solution).status == "right"
    assert graded(exercise, exercise.starter).status == "not attempted"
    assert graded(exercise, edit(exercise.solution, ("self.n + by", "self.n - by"))).feedback[0] == "Minus 1."
    assert "`Counter` has no method or attribute `up`." in feedback(
        exercise, edit(exercise.solution, ("def up", "def raise_"))
    )
    assert "`up` returned None" in feedback(
        exercise, edit(exercise.solution, ("        return self.n", "        pass"))
    )
    assert "in line 3: `self.n = begin`" in feedback(
        exercise, edit(exercise.solution, ("self.n = start", "self.n = begin"))
    )
    assert "but yours is `Counter()`" in feedback(
        exercise, edit(exercise.solution, ("self, start=0", "self"), ("= start", "= 1"))
    )


def test_a_class_that_computes_with_an_ellipsis_is_not_attempted(toy_with):
    exercise = stack_exercise(toy_with)
    assert graded(exercise, edit(exercise.solution, ("self.n + by", "..."))).status == "not attempted"


def test_a_check_may_say_not_attempted_itself(toy_with):
    def check(halve):
        raise NotAttempted

    assert graded(toy_with(checks=[Check("x", 1, check)]), toy_with().solution).status == "not attempted"


def test_where_to_look_is_said_of_a_wrong_part_only(toy):
    assert [part.look for part in graded(toy, "def halve(v):\n    return v * 3").parts] == ["Divide.", ""]
    assert [part.look for part in graded(toy, "def halve(v):\n    return missing").parts] == ["", ""]
    assert [part.look for part in graded(toy, toy.solution).parts] == ["", ""]


def test_answers_are_graded_in_a_thread_too(toy):
    """Only the main thread can be stopped by a timer; elsewhere a check runs without a limit."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(grade, toy, toy.load(toy.solution)).result().status == "right"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_the_timer_of_someone_else_is_put_back(toy):
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 100.0)
    try:
        grade(toy, toy.load(toy.solution))
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 90
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
