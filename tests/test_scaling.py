"""How the best rate moves with the width and with the batch: the rule, the measuring, and what is stored."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import batches, width
from experiments.claims import Results
from experiments.side_by_side import best_rate, own_batches
from optim_lib.data import digits


def test_at_the_narrow_width_the_rule_changes_nothing():
    plain, scaled = (width.losses(width.NARROW, [0.03], power=p, seeds=[0], steps=[3]) for p in (0.0, 1.0))
    assert np.array_equal(plain, scaled)


def moved_outputs(size, power):
    """How far a step of Adam moves what the hidden layer hands to the output layer, and the outputs, per example."""
    network, (x, y) = width.network_of(size), digits().train
    params = width.scaled_start(size, 0, power)
    before = network.outputs(params, x)
    grads = network.loss_and_gradients(params, x, y)[1]
    after = network.outputs(width.scaled_adam(0.01, size, power).update(params, grads), x)
    return float(np.sqrt(np.mean((after - before) ** 2)))


def test_a_step_moves_the_outputs_of_a_scaled_network_alike_at_every_width():
    # Without the rule the move grows with the width, 16 times as wide here, by an order of magnitude.
    assert moved_outputs(256, 1.0) == pytest.approx(moved_outputs(16, 1.0), rel=0.5)
    assert moved_outputs(256, 0.0) > 6 * moved_outputs(16, 0.0)


def test_the_best_so_far_is_that_of_a_search_from_low_to_high():
    found = width.best_so_far(np.array([[3.0, 1.0, 2.0, 0.5, np.inf]]), np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    assert found.tolist() == [[1.0, 2.0, 2.0, 8.0, 8.0]]


def test_the_best_rate_is_the_middle_of_what_is_nearly_as_good():
    rates = 2.0 ** np.arange(5)
    assert best_rate(rates, np.array([9.0, 5.0, 5.1, 5.2, 9.0])) == pytest.approx(4)
    assert best_rate(rates, np.array([[9.0, 5.0, 8.0, 9.0, np.inf]])) == pytest.approx([2])


def test_a_seed_has_its_own_batches_and_runs_alike_alone_and_in_company():
    first, second = (next(own_batches(50, 8, seeds)) for seeds in ([3], [3, 4]))
    assert np.array_equal(first[0], second[0])
    assert not np.array_equal(second[0], second[1])
    rule = batches.RULES["SGD"][0]
    alone, both = (batches.steps_to(rule, 64, [2.0], seeds) for seeds in ([1], [0, 1]))
    assert np.array_equal(alone[:, 0], both[:, 1])


def test_a_hyperbola_is_found_in_its_own_points():
    sizes = np.array([4, 16, 64, 256, 1024])
    steps = np.stack([10 * (1 + 100 / sizes), 20 * (1 + 30 / sizes)], axis=1)
    fewest, critical = batches.hyperbola(sizes, steps)
    assert fewest == pytest.approx([10, 20], rel=0.01)
    assert critical == pytest.approx([100, 30], rel=0.01)
    examples = sizes[:, None] * steps
    assert (steps / fewest - 1) * (examples / (fewest * critical) - 1) == pytest.approx(np.ones((5, 2)), rel=0.1)


def test_the_exponent_is_that_of_a_power():
    sizes = np.array([4, 8, 16])
    assert batches.exponent(sizes, np.stack([0.1 * sizes, sizes**0.5], axis=1)) == pytest.approx([1, 0.5])


def test_the_memories_of_the_square_root_rule_are_the_usual_ones_at_64():
    usual, small = (batches.with_memories(np.array(0.01), size) for size in (64, 16))
    assert (usual.beta1, usual.beta2) == pytest.approx((0.9, 0.999))
    assert (small.beta1, small.beta2) == pytest.approx((0.975, 0.99975))


def test_the_noise_scale_grows_on_the_way():
    found = batches.noise_on_the_way(2.0, seed=0)
    assert found[0.3] < found[0.15]


@pytest.mark.parametrize("size", [64, 1079])
def test_the_stored_steps_are_measured_again(size):
    stored = Results.read("c-knee")
    rate = stored.median(f"SGD to 0.15, batch {size}", "learning_rate")
    again = batches.steps_to(batches.RULES["SGD"][0], size, [rate], range(12), patience=4.0)[1, :, 0]
    assert np.median(again) == pytest.approx(stored.median(f"SGD to 0.15, batch {size}", "steps"), rel=0.1)
