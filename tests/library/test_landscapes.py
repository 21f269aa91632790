"""Landscapes: gradients against finite differences, minima against the Hessian and against a search of the window."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from optim_lib import landscapes
from optim_lib.descent import descend, sweep
from optim_lib.landscapes import LANDSCAPES, bowl, least_squares, quadratic, rastrigin, rosenbrock
from optim_lib.optimizers import SGD

rng = np.random.default_rng(0)
DATA = least_squares(rng.uniform(-1, 2, 40), rng.standard_normal(40))
ALL = (*LANDSCAPES, quadratic((3.0, 0.5), 0.7), DATA)
every_landscape = pytest.mark.parametrize("landscape", ALL, ids=lambda landscape: landscape.name)


def points_in(window, count=200, seed=1):
    left, right, bottom, top = window
    generator = np.random.default_rng(seed)
    return np.stack([generator.uniform(left, right, count), generator.uniform(bottom, top, count)], axis=-1)


def inside(point, window):
    left, right, bottom, top = window
    return left <= point[0] <= right and bottom <= point[1] <= top


@every_landscape
def test_the_gradient_is_the_slope_of_the_loss(landscape):
    """Central differences with Richardson's extrapolation, good to better than 1e-7 of the largest slope."""
    p = points_in(landscape.window)
    exact = landscape.gradient(p)
    assert exact.shape == p.shape
    for axis, direction in enumerate(np.eye(2)):
        fine, coarse = (
            (landscape.loss(p + spacing * direction) - landscape.loss(p - spacing * direction)) / (2 * spacing)
            for spacing in (1e-3, 2e-3)
        )
        assert np.max(np.abs(exact[:, axis] - (4 * fine - coarse) / 3)) <= 1e-7 * np.max(np.abs(exact))


@every_landscape
def test_minima_are_minima_and_the_first_is_the_lowest(landscape):
    p = np.array(landscape.minima)
    scale = np.max(np.abs(landscape.hessian(p)))
    assert np.max(np.abs(landscape.gradient(p))) <= 1e-12 * max(scale, 1)
    assert np.all(np.linalg.eigvalsh(landscape.hessian(p)) > 1e-3)
    losses = landscape.loss(p)
    assert np.argmin(losses) == 0 or losses[0] <= losses.min() + 1e-12
    assert landscape.lowest == losses[0]
    assert all(inside(point, landscape.window) for point in p)
    assert np.all(landscape.loss(points_in(landscape.window, 5000)) >= landscape.lowest)


@every_landscape
def test_the_global_minima_come_first(landscape):
    losses = landscape.loss(np.array(landscape.minima))
    is_global = losses <= losses[0] + 1e-9
    assert np.all(np.diff(is_global.astype(int)) <= 0)


@every_landscape
def test_no_minimum_or_saddle_of_the_window_is_missing(landscape):
    """Newton's method from a fine grid finds every critical point; each must be one that the landscape names."""
    left, right, bottom, top = landscape.window
    p = np.stack(np.meshgrid(np.linspace(left, right, 31), np.linspace(bottom, top, 31)), axis=-1).reshape(-1, 2)
    for _ in range(60):
        step = np.linalg.solve(landscape.hessian(p) + 1e-12 * np.eye(2), landscape.gradient(p)[..., None])[..., 0]
        p = p - np.clip(step, -0.1, 0.1)
    hessian = landscape.hessian(p)
    curvature = np.linalg.eigvalsh(hessian)
    settled = np.linalg.norm(landscape.gradient(p), axis=1) <= 1e-9 * (1 + np.abs(curvature).max(axis=1))
    settled &= np.abs(curvature).min(axis=1) > 1e-4  # not the flat far field of the plateau
    found = [(point, lowest) for point, (lowest, _) in zip(p[settled], curvature[settled], strict=True)]
    assert found
    for point, lowest in found:
        if not inside(point, landscape.window):
            continue
        highest = np.linalg.eigvalsh(landscape.hessian(point))[1]
        if lowest > 0:
            assert np.min(np.linalg.norm(point - np.array(landscape.minima), axis=1)) < 1e-5, f"minimum at {point}"
        elif highest > 0 and landscape is not rastrigin:
            assert np.min(np.linalg.norm(point - np.array(landscape.saddles), axis=1)) < 1e-5, f"saddle at {point}"


@pytest.mark.parametrize("landscape", [each for each in ALL if each.saddles], ids=lambda landscape: landscape.name)
def test_saddles_are_saddles(landscape):
    p = np.array(landscape.saddles)
    assert np.max(np.abs(landscape.gradient(p))) <= 1e-12 * np.max(np.abs(landscape.hessian(p)))
    curvature = np.linalg.eigvalsh(landscape.hessian(p))
    assert np.all(curvature[:, 0] < 0)
    assert np.all(curvature[:, 1] > 0)
    assert all(inside(point, landscape.window) for point in p)


@every_landscape
def test_starts_are_in_the_window_and_worth_a_descent(landscape):
    assert len(landscape.starts) >= 3
    for start in landscape.starts:
        assert inside(start, landscape.window)
        assert landscape.loss(start) > landscape.lowest + 1e-3


@every_landscape
def test_any_number_of_leading_axes(landscape):
    p = points_in(landscape.window, 24)
    grid = p.reshape(2, 3, 4, 2)
    assert np.array_equal(landscape.loss(grid), landscape.loss(p).reshape(2, 3, 4))
    assert np.array_equal(landscape.gradient(grid), landscape.gradient(p).reshape(2, 3, 4, 2))
    assert landscape.hessian(grid).shape == (2, 3, 4, 2, 2)
    assert landscape.gradient(p[:0]).shape == (0, 2)
    one = landscape.gradient(p[5])
    assert one.shape == (2,)
    assert one == pytest.approx(landscape.gradient(p)[5], rel=1e-14)
    assert np.shape(landscape.loss(p[5])) == ()


@every_landscape
def test_points_are_not_changed_and_keep_their_dtype(landscape):
    p = points_in(landscape.window).astype(np.float32)
    before = p.copy()
    assert landscape.gradient(p).dtype == np.float32
    landscape.loss(p), landscape.hessian(p)
    assert np.array_equal(p, before)
    whole = np.array([1, 2])
    assert landscape.gradient(whole) == pytest.approx(landscape.gradient(whole.astype(float)), rel=0)


@every_landscape
def test_the_hessian_is_symmetric_and_the_slope_of_the_gradient(landscape):
    p = points_in(landscape.window, 20)
    hessian = landscape.hessian(p)
    assert np.array_equal(hessian, np.swapaxes(hessian, -1, -2))
    for axis in (0, 1):
        ahead = landscape.gradient(p + 1e-4 * np.eye(2)[axis]) - landscape.gradient(p - 1e-4 * np.eye(2)[axis])
        assert hessian[..., axis] == pytest.approx(ahead / 2e-4, abs=1e-5 * np.max(np.abs(hessian)))


def test_names_are_unique_and_there_are_eight_or_more():
    assert len({landscape.name for landscape in LANDSCAPES}) == len(LANDSCAPES) >= 8
    assert all(landscape.formula and "$" not in landscape.formula for landscape in LANDSCAPES)


def test_known_values():
    assert rosenbrock.loss([-1.0, 1.0]) == 4.0
    assert rosenbrock.gradient([-1.0, 1.0]).tolist() == [-4.0, 0.0]
    assert rosenbrock.hessian([1.0, 1.0]) == pytest.approx(np.array([[802, -400], [-400, 200]]), rel=1e-6)
    assert rastrigin.loss([0.5, 0.5]) == pytest.approx(40.5)
    assert len(rastrigin.minima) == 25


@pytest.mark.parametrize("p", [1.0, [1.0], [1.0, 2.0, 3.0], np.ones((2, 3))], ids=str)
def test_points_of_another_shape_are_refused(p):
    for method in (rosenbrock.loss, rosenbrock.gradient, rosenbrock.hessian):
        with pytest.raises(ValueError, match=r"p must be points \(x, y\), an array of shape \(..., 2\), got shape"):
            method(p)


# ---------------------------------------------------------------------- quadratics


@pytest.mark.parametrize("angle", [0.0, 0.3, -1.2, np.pi / 2])
@pytest.mark.parametrize("curvatures", [(1.0, 25.0), (4.0, 0.1), (2.0, 2.0)])
def test_a_quadratic_has_the_curvatures_and_axes_it_was_given(curvatures, angle):
    turned = quadratic(curvatures, angle)
    hessian = turned.hessian([0.4, -0.3])
    assert np.linalg.eigvalsh(hessian) == pytest.approx(sorted(curvatures), rel=1e-8)
    along = np.array([np.cos(angle), np.sin(angle)])
    assert hessian @ along == pytest.approx(curvatures[0] * along, abs=1e-7)
    assert turned.loss(2 * along) == pytest.approx(2 * curvatures[0], rel=1e-12)


@pytest.mark.parametrize(
    "curvatures", [(0.0, 1.0), (-1.0, 2.0), (np.nan, 1.0), (np.inf, 1.0), (1.0,), (1.0, 2.0, 3.0), 4.0], ids=str
)
def test_a_quadratic_without_two_positive_curvatures_is_refused(curvatures):
    with pytest.raises(ValueError, match="curvatures must be two positive numbers, got"):
        quadratic(curvatures)


# ---------------------------------------------------------------------- least squares


def test_least_squares_has_its_minimum_at_the_regression_line():
    x, y = np.random.default_rng(5).standard_normal((2, 60))
    y = 3 * x - 2 + y
    landscape = least_squares(x, y)
    slope, intercept = np.polyfit(x, y, 1)
    assert landscape.minima[0] == pytest.approx((slope, intercept), rel=1e-12)
    model = LinearRegression().fit(x[:, None], y)
    assert landscape.minima[0] == pytest.approx((model.coef_[0], model.intercept_), rel=1e-12)
    assert landscape.lowest == pytest.approx(np.mean((y - model.predict(x[:, None])) ** 2), rel=1e-12)


def test_least_squares_is_the_articles_loss_and_gradient():
    x, y = np.random.default_rng(6).standard_normal((2, 30))
    landscape = least_squares(x, y)
    for w, b in points_in(landscape.window, 20):
        error = y - (w * x + b)
        assert landscape.loss((w, b)) == pytest.approx(np.mean(error**2), rel=1e-12)
        assert landscape.gradient((w, b)) == pytest.approx([-2 * np.mean(x * error), -2 * np.mean(error)], rel=1e-10)


def test_least_squares_keeps_its_digits_far_from_zero():
    """Years around 2000 on a perfect line: the loss at the minimum is zero, not a negative rounding error."""
    x = np.arange(1990.0, 2020.0)
    landscape = least_squares(x, 0.5 * x - 900)
    assert landscape.minima[0] == pytest.approx((0.5, -900), rel=1e-12)
    assert 0 <= landscape.lowest < 1e-20
    assert np.all(landscape.loss(points_in(landscape.window)) > 0)


def test_least_squares_of_a_flat_zero_line_still_has_a_window():
    left, right, bottom, top = least_squares([0.0, 1.0], [0.0, 0.0]).window
    assert left < 0 < right
    assert bottom < 0 < top


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0], [1.0]),
        ([1.0, 1.0], [1.0, 2.0]),
        ([1.0, 2.0], [1.0]),
        ([[1.0, 2.0]], [[1.0, 2.0]]),
        ([1.0, np.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, np.inf]),
    ],
    ids=str,
)
def test_data_without_a_line_is_refused(x, y):
    with pytest.raises(
        ValueError, match="x and y must be one-dimensional, finite, of one length, with two different x"
    ):
        least_squares(x, y)


# ---------------------------------------------------------------------- a function of one's own


def wavy(x, y):
    return np.sin(3 * x) + x**2 + 0.5 * y**2


def test_a_landscape_from_a_function_has_its_gradient_and_can_be_descended_and_swept():
    ours = landscapes.from_function(wavy)
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    exact = np.stack([3 * np.cos(3 * points[:, 0]) + 2 * points[:, 0], points[:, 1]], axis=-1)
    np.testing.assert_allclose(ours.gradient(points), exact, atol=1e-8)
    np.testing.assert_allclose(ours.gradient(points.astype(np.float32)), exact, atol=1e-4)
    assert ours.name == "wavy"
    run = descend(SGD(0.1), ours, steps=200)
    assert np.linalg.norm(ours.gradient(run.points[-1])) < 1e-6
    assert sweep(SGD, ours, steps=20, learning_rate=np.array([0.01, 0.1])).vectorized
    with pytest.raises(ValueError, match="'wavy' must list its minima, the lowest first"):
        _ = ours.lowest


OF_ONES_OWN = {
    "functions of math": (
        lambda: landscapes.from_function(lambda x, y: math.sin(x)),
        TypeError,
        "those of math do not",
    ),
    "one argument": (lambda: landscapes.from_function(lambda p: p), TypeError, "value must be a function of x and y"),
    "a number for all points": (
        lambda: landscapes.from_function(lambda x, y: 3.0),
        ValueError,
        "value must give one number for each point",
    ),
    "a wrong sign": (
        lambda: landscapes.from_function(wavy, lambda x, y: (3 * np.cos(3 * x) + 2 * x, -y)),
        ValueError,
        "slope must be the derivative of the loss, but dL/dy at",
    ),
    "a factor of two": (
        lambda: replace(bowl, slope=lambda x, y: (2 * x, 4 * y)),
        ValueError,
        "slope must be the derivative of the loss, but dL/dx at",
    ),
    "one derivative": (
        lambda: landscapes.from_function(wavy, lambda x, y: 2 * x),
        ValueError,
        "slope must give dL/dx and dL/dy",
    ),
    "a window back to front": (
        lambda: landscapes.from_function(wavy, window=(1, -1, 0, 1)),
        ValueError,
        r"window must be \(left, right, bottom, top\), in this order",
    ),
    "a start that is no point": (
        lambda: landscapes.from_function(wavy, starts=(1.0, 2.0)),
        ValueError,
        r"starts must be points \(x, y\)",
    ),
    "no start": (
        lambda: descend(SGD(0.1), landscapes.from_function(wavy, starts=())),
        ValueError,
        "start must be given: 'wavy' lists no starts",
    ),
    "a plain function": (
        lambda: descend(SGD(0.1), wavy),
        TypeError,
        r"or landscapes.from_function\(loss\) of a loss\(x, y\) of your own",
    ),
}


@pytest.mark.parametrize("what", OF_ONES_OWN)
def test_what_is_no_landscape_is_refused_and_it_is_said_how_to_make_one(what):
    call, error, message = OF_ONES_OWN[what]
    with pytest.raises(error, match=message):
        call()


def test_a_kink_and_a_fine_ripple_are_no_wrong_slope():
    landscapes.from_function(lambda x, y: np.abs(x) + np.abs(y), lambda x, y: (np.sign(x), np.sign(y)))
    fine = 500.0
    landscapes.from_function(
        lambda x, y: np.sin(fine * x) / fine + y**2, lambda x, y: (np.cos(fine * x), 2 * y), window=(-1, 1, -1, 1)
    )


def test_the_best_of_a_sweep_in_which_all_diverged_is_refused():
    lost = sweep(SGD, bowl, steps=60, learning_rate=np.array([50.0, 100.0]))
    with pytest.raises(ValueError, match="every run of this one diverged"):
        lost.best()
