"""What chapters 2 to 8 prove, measured: every bound holds, and is not so loose that it would hold of anything."""

from __future__ import annotations

import numpy as np
import pytest

from exercises.registry import get
from experiments import ch02, ch03, ch04, ch05, ch08, edge
from optim_lib.optimizers import Adam


def test_the_descent_lemma_holds_below_the_edge_and_beyond_it():
    assert np.all(ch02.least_descent([0.01, 0.125, 0.25, 0.4]) > -1e-9)


def test_the_descent_lemma_is_sharp_where_the_curvature_is_largest():
    # On x² + 3 sin² x near 0 the curvature is 8 itself: with a smaller one in its place the lemma would be wrong.
    x, rate = 1e-3, 0.2
    slope = 2 * x + 3 * np.sin(2 * x)
    after = x - rate * slope
    drop = (x**2 + 3 * np.sin(x) ** 2) - (after**2 + 3 * np.sin(after) ** 2)
    assert drop >= rate * (1 - rate * 8 / 2) * slope**2
    assert drop < rate * (1 - rate * 7.9 / 2) * slope**2


def test_every_promise_of_the_table_of_rates_is_kept():
    rows = ch02.promises([1, 10, 100, 300])
    assert len(rows) == 4
    assert all(">" not in str(row[f"after {t}"]) for row in rows for t in (1, 10, 100, 300))


def test_eleven_modes_are_those_of_the_regression():
    x, y = ch02.regression()
    own = ch02.modes(x, y)
    assert own["directions"] @ np.diag(own["curvatures"]) @ own["directions"].T == pytest.approx(2 / len(x) * x.T @ x)
    assert len(own["features"]) == x.shape[1] == 11


def test_sgd_keeps_within_its_bound_and_comes_near_it():
    for rate in (0.01, 0.05):
        mean, bound = ch03.slopes_and_bound(ch03.diabetes_regression(), rate, 8, 400)
        assert 0.05 * bound < mean < bound


def test_averages_are_left_with_what_their_number_of_points_leaves():
    patients = ch03.diabetes_regression()
    found = ch03.averaged_gaps(patients, 0.05, 8, 4000)
    assert found["mean of the last half"][-1] == pytest.approx(ch03.averaged_floor(patients, 8, 2000), rel=0.3)
    assert found["moving average"][-1000:].mean() == pytest.approx(ch03.averaged_floor(patients, 8, 400), rel=0.3)
    assert found["mean of the last half"][-1] < 0.05 * patients.floor(0.05, 8)


def test_the_cloud_is_stretched_along_the_steep_direction_and_shrinks_like_the_root_of_the_batch():
    cloud = ch03.gradient_cloud([1, 4], [0.0, 0.95])
    assert cloud.error[0] == pytest.approx(2 * cloud.error[1])
    direction = np.linalg.eigh(np.cov(cloud.single[0, 0].T))[1][:, 1]
    assert np.abs(direction) == pytest.approx(np.full(2, 0.5**0.5), abs=0.02)
    assert cloud.length[0, 1] == pytest.approx(0.05 * cloud.length[0, 0])


@pytest.mark.parametrize("kappa", [4.0, 25.0, 400.0])
def test_no_method_beats_chebyshev_and_the_root_bounds_it(kappa):
    for row in ch04.worst_factors(kappa, [3, 8, 15]):
        assert row["Chebyshev"] <= row["2 rootᵗ"]
        assert row["Chebyshev"] < min(row["gradient descent"], row["momentum, optimal pair"])
        assert row["alternations"] == row["steps"] + 1


def test_a_polynomial_with_other_zeros_is_larger_than_chebyshevs():
    rng, curvatures = np.random.default_rng(0), np.linspace(1, 25, 2000)
    (row,) = ch04.worst_factors(25, [6])
    for _ in range(200):
        zeros = rng.uniform(1, 25, 6)
        other = np.prod(1 - curvatures[:, None] / zeros, axis=1)
        assert np.abs(other).max() > row["Chebyshev"] * (1 - 1e-6)


def test_nesterovs_points_run_into_the_solution_of_the_equation():
    far, near = (row["largest distance"] for row in ch05.equation_gap([0.01, 0.0001], until=6.0))
    assert near < far / 5
    assert ch05.energy_rise() < 1e-9


def test_nothing_that_gradients_reach_is_below_the_lower_bound():
    for row in ch05.chain([2, 10, 40]):
        assert row["no less than"] <= row["the best of all"] <= min(row["gradient descent"], row["Nesterov"])
        assert row["the best of all"] < 1.35 * row["no less than"]


def test_variances_are_the_least_that_hold_every_curvature():
    matrix, wanted = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([1.0, -1.0])
    found = edge.least_variances(matrix, wanted)
    assert found == pytest.approx([0.5, 0.0])
    assert np.all(matrix @ found >= wanted - 1e-12)


def test_the_central_flow_settles_where_the_chapter_says_and_misses_where_it_says():
    rows = edge.errors()
    assert len(rows) == len(edge.WIDTHS) * len(edge.RATES) == 6
    assert all(2.5 < row["median"] < 5 for row in rows)
    assert all(row["worst"] > 5 for row in rows)
    _, found = edge.curves()
    assert np.all(found["the central flow"][-3:, -5:] <= 1.01 * found["the edge"][-3:, -5:])
    assert round(float(found["the run"][2].max()), 2) == 1.52


def test_a_step_of_the_central_flow_below_the_edge_is_the_gradients():
    problem = edge.Problem(8, 0)
    start = problem.flat(problem.start)
    moves = edge.flow(problem, start, 0.01)
    (first, _), (second, _) = next(moves), next(moves)
    assert first == pytest.approx(start)
    assert second - first == pytest.approx(-0.01 * problem.gradient(start), rel=0.05, abs=1e-5)
    assert problem.hessian_times(start, np.ones_like(start)) == pytest.approx(
        (problem.gradient(start + 1e-4) - problem.gradient(start - 1e-4)) / 2e-4, abs=1e-5
    )


def test_no_stream_makes_adam_step_farther_than_the_bound():
    rng = np.random.default_rng(8)
    for beta1, beta2, t in ((0.9, 0.999, 60), (0.9, 0.95, 20), (0.6, 0.5, 5)):
        (grads, length) = farthest(t, beta1, beta2)
        assert ch08.unit_steps(Adam(1.0, beta1, beta2, 0.0), grads)[-1] == pytest.approx(length, rel=1e-9)
        for _ in range(50):
            nearby = grads + 0.1 * rng.standard_normal(t)
            assert abs(ch08.unit_steps(Adam(1.0, beta1, beta2, 0.0), nearby)[-1]) < length


def test_the_longest_step_late_in_a_run_is_what_the_chapter_says():
    for beta2, said in ((0.999, 7.27), (0.95, 1.16)):
        assert round(ch08.longest_step(beta2=beta2), 2) == said
        assert farthest(20_000, 0.9, beta2)[1] == pytest.approx(ch08.longest_step(beta2=beta2), rel=1e-6)


def farthest(steps: int, beta1: float, beta2: float) -> tuple[np.ndarray, float]:
    names: dict = {"np": np}
    exec(get("8.5").solution, names)
    return names["longest"](steps, beta1, beta2)


def test_with_one_memory_noise_over_signal_is_all_that_decides_adams_step():
    grads = np.random.default_rng(9).normal(0.3, 1.0, size=200)
    lengths = np.abs(ch08.unit_steps(Adam(1.0, 0.9, 0.9, 0.0), grads))
    assert np.allclose(lengths, 1 / np.sqrt(1 + ch08.noise_to_signal(grads, 0.9)), rtol=1e-9)
    other = np.abs(ch08.unit_steps(Adam(1.0, 0.9, 0.999, 0.0), grads))
    assert np.abs(other - lengths).max() > 0.1
