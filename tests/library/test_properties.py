"""Properties that hold for every shape, hyperparameter and sequence of gradients."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from optim_lib.optimizers import LAMB, LARS, Adam, AMSGrad, CautiousAdamW, CenteredRMSprop, base
from tests.library.table import ELEMENTWISE, OPTIMIZERS, TABLE, assert_same, label, walk

STEPS = 5
VALUES = st.floats(-1e3, 1e3).map(lambda value: value if abs(value) > 1e-3 else 0.0)
RANGES = {
    "learning_rate": st.floats(1e-4, 1.0),
    "momentum": st.floats(0, 0.99),
    "dampening": st.floats(0, 1.0),
    "decay": st.floats(0, 0.99),
    "beta1": st.floats(0, 0.99),
    "beta2": st.floats(0, 0.999),
    "epsilon": st.floats(1e-8, 1.0),
    "weight_decay": st.floats(0, 1.0),
    "trust_coefficient": st.floats(1e-3, 1.0),
    "beta3": st.floats(0, 0.99),
    "alpha": st.floats(0, 8.0),
    "warmup": st.just(0.0),
    "clip": st.sampled_from((0, 1)),
    "momentum_decay": st.floats(0, 1.0),
    "decay_power": st.floats(0, 1.0),
    "clip_threshold": st.floats(1.0, 3.0),
    "epsilon1": st.just(1e-30),
    "epsilon2": st.floats(1e-3, 1.0),
    "adam_ratio": st.floats(0.01, 1.0),
    "precondition_frequency": st.integers(1, 3),
    "output_axis": st.sampled_from((0, -1)),
    "d0": st.floats(1e-6, 1.0),
}
reproducible = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=label)


def hyperparameters(optimizer, **fixed):
    names = optimizer.hyperparameters()
    ranges = {
        name: st.floats(0.1, 0.99) if name == "beta1" and optimizer.beta1.positive else RANGES[name] for name in names
    }
    return st.fixed_dictionaries(ranges | {name: fixed[name] for name in names if name in fixed})


@st.composite
def journeys(draw, dtype=np.float64):
    """A start and some gradients of one shape, scalars and empty arrays among them."""
    shape = draw(st.one_of(st.just(()), array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)))
    start = draw(arrays(dtype, shape, elements=st.floats(-10, 10, width=32)))
    return start, [draw(arrays(dtype, shape, elements=VALUES)) for _ in range(STEPS)]


def run(optimizer, start, sequence):
    return walk(optimizer, {"w": start.copy()}, [{"w": grad} for grad in sequence])["w"]


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)  # NAdam keeps a product of numbers in the default dtype
    yield
    torch.set_default_dtype(torch.float32)


# Centered RMSprop divides by a difference of two averages, of which rounding may leave anything, in torch even NaN;
# cautious decay jumps where a step is zero to within rounding.
ILL_CONDITIONED = (CautiousAdamW, CenteredRMSprop)
WELL_CONDITIONED = [r for r in TABLE if r.torch and r.optimizer.elementwise and r.optimizer not in ILL_CONDITIONED]


@pytest.mark.parametrize("row", WELL_CONDITIONED, ids=label)
@reproducible
@given(data=st.data())
def test_any_setting_on_any_shape_is_torch(row, data):
    setting, (start, sequence) = data.draw(hyperparameters(row.optimizer)), data.draw(journeys())
    tensor = torch.tensor(start, requires_grad=True)
    peer = row.torch([tensor], **setting)
    for grad in sequence:
        tensor.grad = torch.tensor(grad)
        peer.step()
    ours, theirs = run(row.optimizer(**setting), start, sequence), tensor.detach().numpy()
    scale = max(np.max(np.abs(theirs), initial=0), np.max(np.abs(start), initial=0))
    assert ours.shape == theirs.shape
    assert np.max(np.abs(ours - theirs), initial=0) <= 1e-12 * scale


@every_optimizer
@reproducible
@given(data=st.data())
def test_a_run_can_be_broken_off_and_resumed_at_any_step(optimizer, data):
    setting, (start, sequence) = data.draw(hyperparameters(optimizer)), data.draw(journeys())
    pause = data.draw(st.integers(0, STEPS))
    first, second = optimizer(**setting), optimizer()
    halfway = run(first, start, sequence[:pause])
    second.load_state_dict(first.state_dict())
    assert_same(run(second, halfway, sequence[pause:]), run(optimizer(**setting), start, sequence))


@pytest.mark.parametrize("optimizer", ELEMENTWISE, ids=label)
@reproducible
@given(data=st.data())
def test_an_elementwise_rule_does_not_care_how_the_parameters_are_cut_up(optimizer, data):
    """In blocks of any size, in memory of any order, as one array or as one for each number: the same bits."""
    setting, (start, sequence) = data.draw(hyperparameters(optimizer)), data.draw(journeys())
    expected = run(optimizer(**setting), start, sequence)
    numbers = {str(index): np.array(start[index]) for index in np.ndindex(start.shape)}
    walk(optimizer(**setting), numbers, [{str(i): grad[i] for i in np.ndindex(start.shape)} for grad in sequence])
    assert all(np.array_equal(numbers[str(index)], expected[index]) for index in np.ndindex(start.shape))
    with patch.object(base, "BLOCK_BYTES", data.draw(st.integers(64, 1000))):
        assert_same(run(optimizer(**setting), start, sequence), expected)
        turned = run(optimizer(**setting), start.T, [grad.T for grad in sequence])
    assert_same(np.array(turned.T, order="C"), expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=label)
@reproducible
@given(data=st.data())
def test_a_swept_learning_rate_is_a_run_for_each(optimizer, data):
    setting, (start, sequence) = data.draw(hyperparameters(optimizer)), data.draw(journeys())
    rates = np.array(data.draw(st.lists(RANGES["learning_rate"], min_size=1, max_size=4)))
    together = optimizer(**{**setting, "learning_rate": rates.reshape((-1,) + (1,) * start.ndim)})
    together.sweep_axes = 1
    grid = (len(rates), *start.shape)
    swept = run(together, np.broadcast_to(start, grid), [np.broadcast_to(grad, grid) for grad in sequence])
    for rate, points in zip(rates, swept, strict=True):
        alone = run(optimizer(**{**setting, "learning_rate": rate}), start, sequence)
        np.testing.assert_allclose(points, alone, rtol=1e-12, atol=1e-12)


@every_optimizer
@reproducible
@given(data=st.data())
def test_a_rate_of_zero_does_not_move(optimizer, data):
    setting = data.draw(hyperparameters(optimizer, learning_rate=st.just(0.0)))
    start, sequence = data.draw(journeys())
    assert np.array_equal(run(optimizer(**setting), start, sequence), start)


@pytest.mark.parametrize(
    ("optimizer", "absent"),
    [(Adam, "epsilon"), (AMSGrad, "epsilon"), (LAMB, "epsilon"), (LARS, "weight_decay")],
    ids=label,
)
@reproducible
@given(data=st.data())
def test_the_scale_of_the_loss_does_not_matter(optimizer, absent, data):
    """A loss multiplied by a power of two gives the same bits: the article's LARS, dividing twice, would not."""
    setting = data.draw(hyperparameters(optimizer, **{absent: st.just(0.0)}))
    start = data.draw(arrays(np.float64, 3, elements=st.floats(0.5, 10)))
    sequence = [data.draw(arrays(np.float64, 3, elements=st.floats(0.5, 100))) for _ in range(STEPS)]
    scale = 2.0 ** data.draw(st.integers(-20, 20))
    scaled = run(optimizer(**setting), start, [scale * grad for grad in sequence])
    assert_same(scaled, run(optimizer(**setting), start, sequence))


@reproducible
@given(data=st.data())
def test_adam_moves_no_coordinate_much_further_than_the_rate(data):
    """Kingma and Ba, section 2.1: with (1 - beta1) <= sqrt(1 - beta2), a step is bounded by the rate (over a root)."""
    start = np.zeros(3)
    adam = Adam(learning_rate=0.1)
    params = {"w": start}
    for _ in range(STEPS):
        before = params["w"].copy()
        adam.update(params, {"w": data.draw(arrays(np.float64, 3, elements=VALUES))})
        bound = 0.1 * max(1.0, (1 - 0.9) / np.sqrt(1 - 0.999))
        assert np.all(np.abs(params["w"] - before) <= bound * (1 + 1e-9))
