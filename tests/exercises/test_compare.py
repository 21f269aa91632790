"""close() accepts what is right to rounding, and says what is different about the rest."""

import array
import re
from collections import deque
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from exercises.authoring import NotAttempted, Wrong, close, outputs, word

finite = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
tables = arrays(float, array_shapes(max_dims=3, max_side=4), elements=finite)


class Kind(StrEnum):
    HILL = "saddle"


def said(actual, expected, **options):
    with pytest.raises(Wrong) as wrong:
        close(actual, expected, "the step", **options)
    return str(wrong.value)


@given(tables)
def test_equal_arrays_pass_and_so_do_lists_of_the_same(table):
    close(table, table.copy(), "the table")
    close(table.tolist(), table, "the table")
    close(table * (1 + 1e-14), table, "the table")


@given(tables.filter(lambda table: np.abs(table).max() > 1e-3), st.floats(1.01, 1e4))
def test_a_common_factor_is_always_named(table, factor):
    for answer, kind in ((table * factor, "large"), (table / factor, "small")):
        named = re.search(rf"([\d.e+]+) times too {kind}", said(answer, table))
        assert named, "the factor is named"
        assert float(named[1]) == pytest.approx(factor, rel=1e-3)


@given(tables.filter(lambda table: np.abs(table).max() > 1e-3))
def test_every_other_array_is_refused_with_a_sentence(table):
    other = table.copy()
    other.flat[0] += 0.1 + np.abs(table).max()
    sentence = said(other, table)
    assert sentence.startswith("The step")
    assert sentence.endswith((".", "]."))


def test_error_is_judged_against_the_largest_number_expected():
    expected = np.array([1e-12, 1.0])
    close(np.array([2e-12, 1.0]), expected, "the step")
    assert said(np.array([1e-12, 1.0 + 1e-6]), expected)


def test_expected_zero_is_compared_exactly_enough():
    close(np.zeros(3), np.zeros(3), "the step")
    assert "is 1e-12; 0 is expected" in said(1e-12, 0.0)


@pytest.mark.parametrize("rest", [0.0, 9.032e-17, -2.403e-16])
def test_what_a_processor_leaves_of_a_sum_is_zero_in_every_sentence(rest):
    assert said(rest, 0.1) == "The step is zero; 0.1 is expected."
    assert said([rest, 3.0, 1.0], [2.0, 3.0, 1.0]).endswith("at [0]: yours is 0, expected is 2.")
    assert said([5.0, 3.0, 1.0], [rest, 3.0, 1.0]).endswith("at [0]: yours is 5, expected is 0.")


def test_of_differences_that_are_equal_but_for_rounding_the_first_is_shown():
    for last in (1e-15, -1e-15):
        assert "largest difference is at [0]" in said([2.0, 3.0 + last, 9.0], [1.0, 2.0, 9.0])


def test_a_difference_of_rounding_and_method_is_said_to_two_digits():
    assert "the largest difference is 3.1e-06, 3.1e-06 of the size" in said([1 + 3.0515e-6, -1.0], [1.0, -1.0])
    assert "the largest difference is 3.1e-06, 3.1e-06 of the size" in said([1 + 3.0524e-6, -1.0], [1.0, -1.0])


def test_a_missing_value_and_an_ellipsis_differ():
    assert "is None: is a `return`" in said(None, 1.0)
    with pytest.raises(NotAttempted):
        close(..., 1.0, "the step")
    with pytest.raises(NotAttempted):
        close({"a": ...}, {"a": 1.0}, "the step")


def test_scalars_and_arrays_are_told_apart():
    assert "has shape (1,); a single number is expected" in said(np.ones(1), 1.0)
    assert "is a single number; shape (2,) is expected" in said(1.0, np.ones(2))


def test_a_transposed_matrix_is_recognized():
    table = np.arange(9.0).reshape(3, 3)
    assert "is transposed" in said(table.T, table)


def test_dicts_are_compared_by_name():
    expected = {"w": np.ones(2), "b": np.zeros(1)}
    close({"b": np.zeros(1), "w": np.ones(2)}, expected, "the step")
    assert "lacks 'b'" in said({"w": np.ones(2)}, expected)
    assert "has 'c', which does not belong there" in said({**expected, "c": 1}, expected)
    assert "The step, 'w', is 3 times too large" in said({**expected, "w": 3 * np.ones(2)}, expected)
    assert "The step, 'b', is" in said({**expected, "b": np.ones(1)}, expected)
    assert "should be a dict; it is a list of 2" in said([1, 2], expected)


def test_sequences_are_compared_entry_by_entry():
    close(iter([1.0, 2.0]), [1.0, 2.0], "the step")
    assert "has 1 entry; 2 are expected" in said([1.0], [1.0, 2.0])
    assert "The step, entry 1, is 2 times too large" in said((1.0, 4.0), (1.0, 2.0))
    assert "The step, entry 1, is 2 times too large" in said([np.ones(2), 4.0], [np.ones(2), 2.0])
    assert "should be a sequence of 2; it is the number 1" in said(1.0, [1.0, 2.0])


def test_a_list_of_numbers_has_one_scale():
    """An expected zero among other numbers allows for their rounding; a tuple is of different things."""
    close([1e-17, 1.0], [0.0, 1.0], "the rates")
    assert "the largest difference is at [1]: yours is 4" in said([1.0, 4.0], [1.0, 2.0])
    assert "The step, entry 0, is 1e-17; 0 is expected" in said((1e-17, 1.0), (0.0, 1.0))


@pytest.mark.parametrize(
    "right",
    [
        [1.0, 0.5],
        (1.0, 0.5),
        np.array([1.0, 0.5]),
        np.array([1.0, 0.5], dtype=np.float32),
        np.array([1.0 + 0j, 0.5]),
        [Fraction(1), Fraction(1, 2)],
        np.array([1, Decimal("0.5")], dtype=object),
        deque([1.0, 0.5]),
        {"a": 1.0, "b": 0.5}.values(),
        array.array("d", [1.0, 0.5]),
        [np.array(1.0), np.float32(0.5)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_right_answer_may_come_in_any_container(right):
    close(right, np.array([1.0, 0.5]), "the step")
    close(right, [1.0, 0.5], "the step")
    close(right, (1.0, 0.5), "the step")
    assert [float(np.real(item)) for item in outputs(right, "a", "b")] == [1.0, 0.5]


def test_an_iterator_is_used_up_and_taken():
    close((x for x in (1.0, 0.5)), np.array([1.0, 0.5]), "the step")
    assert outputs((x for x in (1.0, 0.5)), "a", "b") == (1.0, 0.5)


@pytest.mark.parametrize("wrong", [{"a": 1.0, "b": 2.0}, {1.0, 2.0}, "ab", b"ab", 2.0, np.array(2.0), True, len])
def test_what_has_no_order_is_no_answer(wrong):
    with pytest.raises(Wrong, match="2 things"):
        outputs(wrong, "a", "b")


def test_single_precision_is_enough_or_is_named():
    expected = np.array([1.0, 1 / 3])
    close(expected.astype(np.float32), expected, "the step")
    assert "yours is in float16" in said(expected.astype(np.float16), expected)
    assert "right to 1.0e-05 only: yours is in float32, where rounding adds up" in said(
        (expected + 1e-5).astype(np.float32), expected
    )
    assert "wrong in 1 of 2 places" in said(np.array([1.0, 0.4], dtype=np.float32), expected)


@pytest.mark.parametrize("answer", ["saddle", "Saddle", " saddle ", "SADDLE", '"saddle"', np.str_("saddle"), Kind.HILL])
def test_a_word_is_taken_in_any_spelling(answer):
    assert word(answer, "the answer", "saddle", "minimum") == "saddle"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("hill", "The answer should be 'saddle' or 'minimum'; it is the text 'hill'."),
        (None, "it is None."),
        (3, "it is the number 3."),
        (True, "it is True."),
        (["saddle"], "it is a list of 1."),
    ],
)
def test_another_word_is_told_which_there_are(answer, sentence):
    with pytest.raises(Wrong) as wrong:
        word(answer, "the answer", "saddle", "minimum")
    assert sentence in str(wrong.value)


def test_infinities_that_are_expected_pass():
    close(np.array([np.inf, 1.0]), np.array([np.inf, 1.0]), "the step")


def test_accepted_conventions_pass_with_their_note():
    assert close(2.0, 1.0, "the step", accept=[(3.0, "three"), (2.0, "two")]) == "two"
    assert close(1.0, 1.0, "the step", accept=[(2.0, "two")]) is None
    assert said(4.0, 1.0, accept=[(2.0, "two")])


def test_known_mistakes_are_named():
    assert said(2.0, 1.0, mistakes=[(2.0, "Twice.")]).startswith("Twice. (The step is 2 times too large")
    assert said(2.0, 1.0, mistakes=[(lambda: 2.0, "Twice.")]).startswith("Twice.")
    assert "Twice" not in said(3.0, 1.0, mistakes=[(2.0, "Twice.")])


def test_outputs_unpacks_tuples_and_lists():
    assert outputs((1, 2), "a", "b") == (1, 2)
    assert outputs([1, 2], "a", "b") == (1, 2)
    with pytest.raises(Wrong, match=r"2 things, \(a, b\); yours returned None"):
        outputs(None, "a", "b")


def test_what_is_not_a_real_number_is_named():
    assert "an array of shape (2,) and type complex128" in said(np.ones(2) * 1j, np.ones(2))
    assert "an array of shape (1,) and type object" in said(np.array([None]), np.ones(1))
    assert "it is the class int" in said(int, 1.0)


def test_tensors_are_compared_and_one_that_tracks_gradients_is_refused():
    torch = pytest.importorskip("torch")
    close(torch.ones(2, dtype=torch.float64), np.ones(2), "the step")
    assert "should be numbers; it is a Tensor" in said(torch.ones(2, requires_grad=True), np.ones(2))
