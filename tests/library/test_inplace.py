"""The sums and quotients of `optim_lib.optimizers.inplace`: the formula, in place, whatever the arrays are like."""

from __future__ import annotations

import numpy as np
import pytest

from optim_lib.optimizers.inplace import LARGE, add_scaled, divided_by_root, subtract_scaled

ROUNDING = {"float32": 1e-6, "float64": 1e-15}
SUMS = {add_scaled: 1, subtract_scaled: -1}


def pair(shape, dtype="float64"):
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal(shape).astype(dtype) for _ in range(2))


def expected(add, target, scale, array):
    return target.astype(np.longdouble) + SUMS[add] * scale * array.astype(np.longdouble)


@pytest.mark.parametrize("add", SUMS)
@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("shape", [(0,), (1,), (LARGE - 1,), (LARGE,), (2, LARGE + 3), (200, 200, 2)])
def test_a_sum_is_that_of_the_formula(add, dtype, shape):
    target, array = pair(shape, dtype)
    before, kept = target.copy(), array.copy()
    assert add(target, 0.3, array) is None
    np.testing.assert_allclose(target, expected(add, before, 0.3, kept).astype(dtype), rtol=0, atol=8 * ROUNDING[dtype])
    np.testing.assert_array_equal(array, kept)


@pytest.mark.parametrize("add", SUMS)
@pytest.mark.parametrize("arrange", [np.asfortranarray, lambda x: x[::2], lambda x: x[:, ::-1], lambda x: x.T])
def test_it_is_made_in_place_wherever_the_numbers_lie(add, arrange):
    whole, array = pair((400, 400))
    arranged = arrange(whole)
    before = arranged.copy()
    array = np.ascontiguousarray(arrange(array))
    add(arranged, 0.3, array)
    np.testing.assert_allclose(arranged, expected(add, before, 0.3, array).astype(float), rtol=0, atol=1e-14)


@pytest.mark.parametrize("add", SUMS)
def test_a_large_target_changes_only_where_it_is(add):
    whole, array = pair(3 * LARGE)
    before = whole.copy()
    add(whole[LARGE : 2 * LARGE], 0.3, array[:LARGE])
    np.testing.assert_array_equal(whole[:LARGE], before[:LARGE])
    np.testing.assert_array_equal(whole[2 * LARGE :], before[2 * LARGE :])


@pytest.mark.parametrize("add", SUMS)
@pytest.mark.parametrize("size", [8, 2 * LARGE])
def test_what_is_not_finite_comes_through_even_at_a_scale_of_zero(add, size):
    target, array = pair(size)
    array[3] = np.nan
    add(target, 0.0, array)
    assert np.flatnonzero(np.isnan(target)).tolist() == [3]


@pytest.mark.parametrize("add", SUMS)
def test_a_scale_may_be_an_array_and_types_may_differ(add):
    target, array = pair((4, LARGE), "float32")
    before, scales = target.copy(), np.array([[0.0], [1.0], [2.0], [-1.0]], dtype=np.float32)
    add(target, scales, array)
    np.testing.assert_allclose(target, expected(add, before, scales, array).astype(np.float32), atol=1e-5)
    before = target.copy()
    add(target, 0.5, array.astype(np.float64))
    assert target.dtype == np.float32
    np.testing.assert_allclose(target, expected(add, before, 0.5, array).astype(np.float32), atol=1e-5)


@pytest.mark.parametrize("scale", [np.float32(0.3), np.float64(0.3), 0.3, 1])
def test_any_kind_of_number_is_a_scale(scale):
    target, array = pair(2 * LARGE, "float32")
    before = target.copy()
    subtract_scaled(target, scale, array)
    np.testing.assert_allclose(target, expected(subtract_scaled, before, float(scale), array), atol=1e-5)


def test_a_quotient_goes_where_it_is_told_to():
    numerator, root = np.array([3.0, -8.0]), np.array([2.0, 3.0])
    square = root**2
    result = divided_by_root(numerator, square, 1.0)
    np.testing.assert_array_equal(result, [1.0, -2.0])
    np.testing.assert_array_equal(square, [4.0, 9.0])
    assert divided_by_root(numerator, square, 1.0, out=square) is square
    np.testing.assert_array_equal(square, [1.0, -2.0])
    np.testing.assert_array_equal(numerator, [3.0, -8.0])
