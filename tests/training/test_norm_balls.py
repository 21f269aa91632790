"""The figures of chapter 10: balls and the steps they select, circles and what a step makes of them, the polynomial."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import ch10

ANGLES = np.arange(0, 360, 5)


def test_each_ball_gains_its_dual_norm():
    gains = ch10.norm_balls(ANGLES)[1]
    a, b = np.cos(np.radians(ANGLES)), np.sin(np.radians(ANGLES))
    assert np.allclose(gains["normalized SGD"], 2**0.5)
    assert np.allclose(gains["the sign"], 2 * (abs(a) + abs(b)))
    assert np.allclose(gains["Muon"], abs(a + b) + abs(a - b))


def test_every_step_lies_on_its_ball_and_no_point_of_the_ball_is_lower():
    for plane in ch10.norm_balls(ANGLES)[0].values():
        ball, _, against, step = (mark.points for mark in plane.marks)
        drops = ball[0] @ against[:, 1].T
        reached = np.sum(step[:, 1] * against[:, 1], axis=-1)
        assert np.all(drops.max(axis=0) <= reached + 1e-9)
        assert np.all(drops.max(axis=0) >= 0.99 * reached)


def test_the_orthogonal_factor_is_round_at_every_setting_and_the_sign_is_not():
    ratios = ch10.turned_circles([0.02, 0.3, 1.0], np.arange(0, 95, 5))[1]
    assert np.all(ratios["UVᵀ"] == 1)
    assert np.allclose(ratios["g"], np.array([[0.02], [0.3], [1.0]]))
    assert ratios["sign g"].min() == 0


def test_iterations_of_the_polynomials_are_those_of_the_matrices():
    values = np.geomspace(1e-3, 1, 9)
    after = ch10.after_iterations(values, 5)
    assert after["Muon's quintic"][0] == pytest.approx(values)
    assert after["the classical cubic"][1] == pytest.approx(1.5 * values - 0.5 * values**3)
    by_matrix = np.linalg.svd(_quintic(np.diag(values), 5), compute_uv=False)
    assert np.sort(after["Muon's quintic"][5]) == pytest.approx(np.sort(by_matrix), rel=1e-9)


def _quintic(x, steps):
    a, b, c = ch10.QUINTIC
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + b * gram @ x + c * gram @ gram @ x
    return x
