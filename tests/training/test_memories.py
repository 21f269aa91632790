"""The figures of chapters 6 and 7: a ravine in other coordinates, and what a memory gives each past gradient."""

from __future__ import annotations

import numpy as np

from experiments import ch06, ch07


def test_dividing_rounds_a_ravine_along_the_axes_and_does_nothing_at_45_degrees():
    conditions = ch06.divided_ravines([0, 20, 45, 90], [4, 25, 100])[1]
    assert np.allclose(conditions["SGD"], [[4, 25, 100]] * 4)
    assert np.allclose(conditions["AdaGrad"][[0, 3]], 1)
    assert np.allclose(conditions["AdaGrad"][2], [4, 25, 100])
    assert np.all((conditions["AdaGrad"][1] > 1) & (conditions["AdaGrad"][1] < conditions["SGD"][1]))


def test_the_level_line_is_level():
    plane = ch06.divided_ravines([30], [25])[0]["As the coordinates are"]
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    hessian = turn @ np.diag([1.0, 25.0]) @ turn.T
    points = plane.marks[0].points[0, 0]
    assert np.allclose(np.sum(points @ hessian * points, axis=-1), 1)


def test_shares_of_past_gradients_sum_to_one_and_are_the_formulas():
    decays, steps = np.array([0.5, 0.9]), np.array([5, 20, 40])
    bars, newest = ch07.remembered(decays, steps)
    for shares in bars.values.values():
        assert np.allclose(shares.sum(axis=-1), 1)
    assert np.allclose(newest["AdaGrad"], [[1, 0.5, 0.25]])
    assert np.allclose(newest["RMSprop"][1, 1], (1 - 0.9**10) / (1 - 0.9**20))
    assert np.allclose(bars.values["RMSprop"][1, 2, :3], 0.1 * 0.9 ** np.arange(3) / (1 - 0.9**40))
