"""Steepest descent under a norm: the step that each ball selects, and the optimizers that take it."""

from __future__ import annotations

import numpy as np
import pytest

from optim_lib.norms import NORMS, steepest
from optim_lib.optimizers import LARS, Lion, Muon, Shampoo, UncorrectedAdam

GRADIENT = np.random.default_rng(4).standard_normal((5, 3))


@pytest.mark.parametrize("norm", NORMS)
def test_the_step_is_in_the_ball_and_gains_the_dual_norm(norm):
    step = steepest(GRADIENT, norm)
    assert NORMS[norm].size(step) == pytest.approx(1, rel=1e-12)
    assert -np.sum(GRADIENT * step) == pytest.approx(NORMS[norm].dual(GRADIENT), rel=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_no_other_step_of_that_length_gains_more(norm):
    rng = np.random.default_rng(1)
    best = -np.sum(GRADIENT * steepest(GRADIENT, norm))
    for _ in range(300):
        other = steepest(GRADIENT, norm) + rng.uniform(0, 2) * rng.standard_normal(GRADIENT.shape)
        assert -np.sum(GRADIENT * other) / NORMS[norm].size(other) <= best


def first_step(optimizer):
    return optimizer.update({"w": np.ones((5, 3))}, {"w": GRADIENT})["w"] - 1


@pytest.mark.parametrize(
    ("optimizer", "norm", "length", "accuracy"),
    [
        (Lion(0.1), "largest entry", 0.1, 1e-12),
        (UncorrectedAdam(0.1, beta1=0, beta2=0, epsilon=0), "largest entry", 0.1, 1e-12),
        (Shampoo(0.1, epsilon=0), "spectral", 0.1, 1e-6),
        # Five iterations leave the singular values within a third of 1; 5 outputs of 3 inputs.
        (Muon(0.1, momentum=0), "spectral", 0.1 * (5 / 3) ** 0.5, 0.35),
        (LARS(0.1, momentum=0, trust_coefficient=1, weight_decay=0), "euclidean", 0.1 * 15**0.5, 1e-12),
    ],
)
def test_the_zoo_takes_these_steps(optimizer, norm, length, accuracy):
    expected = length * steepest(GRADIENT, norm)
    assert np.linalg.norm(first_step(optimizer) - expected) <= accuracy * np.linalg.norm(expected)


def test_decoupled_decay_is_a_step_of_frank_and_wolfe():
    """theta moves a share of the way to the corner of the box of half-width 1 / decay that the gradient selects."""
    theta, rate, decay = 3 * GRADIENT.copy(), 0.1, 0.5
    corner = steepest(GRADIENT, "largest entry") / decay
    expected = theta + rate * decay * (corner - theta)
    moved = Lion(rate, weight_decay=decay).update({"w": theta}, {"w": GRADIENT})["w"]
    assert np.allclose(moved, expected, rtol=1e-12)


def test_directions_without_gradient_are_not_chosen():
    assert not steepest(np.zeros((2, 2)), "euclidean").any()
    assert steepest(np.diag([3.0, 0.0]), "spectral").round(12).tolist() == [[-1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("gradient", "norm", "message"),
    [(GRADIENT, "nuclear", "norm must be one of 'euclidean'"), (GRADIENT[0], "spectral", "is one of matrices")],
)
def test_bad_input_is_named(gradient, norm, message):
    with pytest.raises(ValueError, match=message):
        steepest(gradient, norm)
