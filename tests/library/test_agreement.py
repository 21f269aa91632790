"""Every optimizer against torch.optim, against optax, and against its equation worked out by hand."""

from __future__ import annotations

import math

import jax
import numpy as np
import optax
import pytest
import pytorch_optimizer
import torch

from optim_lib.optimizers import (
    LAMB,
    LARS,
    SGD,
    Adam,
    AdamW,
    AMSGrad,
    CenteredRMSprop,
    MomentumSGD,
    NesterovMomentum,
    RMSprop,
    UncorrectedAdam,
)
from optim_lib.optimizers.schedule_free import ScheduleFree
from tests.library.table import (
    TABLE,
    assert_agree,
    assert_same,
    cases,
    copied,
    gradients,
    label,
    parameters,
    seen_by_a_peer,
    walk,
)

STEPS = 100


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)  # NAdam keeps a product of numbers in the default dtype
    with jax.enable_x64(True):
        yield
    torch.set_default_dtype(torch.float32)


def agree(row, ours, theirs, start):
    assert_agree(seen_by_a_peer(row, ours), theirs, seen_by_a_peer(row, start), row.tolerance)


def torch_walk(make, setting, params, sequence, rates=None):
    """The same steps by torch.optim, on one tensor for each parameter; `rates` sets the learning rate of each step."""
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in params.items()}
    peer = make(list(tensors.values()), **setting)
    for step, grads in enumerate(sequence):
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[name])
        if rates is not None:
            peer.param_groups[0]["lr"] = rates[step]
        peer.step()
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def optax_walk(make, setting, params, sequence):
    peer = make(**setting)

    @jax.jit
    def step(params, state, grads):
        updates, state = peer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    state = peer.init(params)
    for grads in sequence:
        params, state = step(params, state, grads)
    return {name: np.asarray(array) for name, array in params.items()}


@pytest.mark.parametrize(("row", "setting"), cases("torch"), ids=label)
def test_a_hundred_steps_are_those_of_torch(row, setting):
    start, sequence = parameters(), gradients(STEPS)
    ours = walk(row.optimizer(**setting), copied(start), sequence)
    given = seen_by_a_peer(row, start), [seen_by_a_peer(row, grads) for grads in sequence]
    agree(row, ours, torch_walk(row.torch, setting, *given), start)


@pytest.mark.parametrize(("row", "setting"), cases("optax"), ids=label)
def test_a_hundred_steps_are_those_of_optax(row, setting):
    start, sequence = parameters(), gradients(STEPS)
    ours = walk(row.optimizer(**setting), copied(start), sequence)
    given = seen_by_a_peer(row, start), [seen_by_a_peer(row, grads) for grads in sequence]
    agree(row, ours, optax_walk(row.optax, setting, *given), start)


@pytest.mark.parametrize("row", [row for row in TABLE if row.torch], ids=label)
def test_a_rate_changed_in_mid_run_acts_as_in_torch(row):
    setting = row.settings[-1]
    start, sequence = parameters(), gradients(STEPS)
    # Schedule-Free agrees with its peers as long as the rate does not fall: they weight by the largest rate so far.
    low = 1.5 if issubclass(row.optimizer, ScheduleFree) else 0.1
    rates = [setting["learning_rate"] * (1.0 if step < 30 else low if step < 60 else 2.0) for step in range(STEPS)]
    optimizer, ours = row.optimizer(**setting), copied(start)
    for rate, grads in zip(rates, sequence, strict=True):
        optimizer.learning_rate = rate
        optimizer.update(ours, grads)
    given = seen_by_a_peer(row, start), [seen_by_a_peer(row, grads) for grads in sequence]
    agree(row, ours, torch_walk(row.torch, setting, *given, rates), start)


@pytest.mark.parametrize("row", [row for row in TABLE if row.torch], ids=label)
def test_training_a_least_squares_model_follows_torch(row):
    """Gradients that come from the parameters themselves, so that an error would feed back.

    Forty steps: near the minimum rules that divide by a vanishing gradient are chaotic, and enlarge the last digit.
    """
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((50, 4)), rng.standard_normal(50)
    params = {"w": rng.standard_normal(4), "b": np.zeros(1)}
    start, setting = copied(params), {**row.settings[0], "learning_rate": 0.05}
    w, b = (torch.tensor(array, requires_grad=True) for array in params.values())
    ours, theirs = row.optimizer(**setting), row.torch([w, b], **setting)
    for _ in range(40):
        error = x @ params["w"] + params["b"] - y
        ours.update(params, {"w": x.T @ error / 25, "b": np.array([2 * error.mean()])})
        theirs.zero_grad()
        (torch.tensor(x) @ w + b - torch.tensor(y)).square().mean().backward()
        theirs.step()
    agree(row, params, {"w": w.detach().numpy(), "b": b.detach().numpy()}, start)


# ---------------------------------------------------------------------- by hand: plain numbers, the paper's equations


def test_two_steps_of_lars_worked_out_by_hand():
    rate, momentum, decay, trust = 0.5, 0.9, 0.1, 0.02
    theta, velocity = [3.0, -4.0], [0.0, 0.0]
    ours = {"w": np.array(theta)}
    lars = LARS(learning_rate=rate, momentum=momentum, weight_decay=decay, trust_coefficient=trust)
    for grad in ([6.0, 8.0], [-1.0, 0.5]):
        rate *= 0.7  # a rate that changes: the velocity contains that of its time
        lars.learning_rate = rate
        weight_norm = math.sqrt(theta[0] ** 2 + theta[1] ** 2)
        grad_norm = math.sqrt(grad[0] ** 2 + grad[1] ** 2)
        local = trust * weight_norm / (grad_norm + decay * weight_norm)
        velocity = [
            momentum * velocity[0] + rate * local * (grad[0] + decay * theta[0]),
            momentum * velocity[1] + rate * local * (grad[1] + decay * theta[1]),
        ]
        theta = [theta[0] - velocity[0], theta[1] - velocity[1]]
        lars.update(ours, {"w": np.array(grad)})
        assert ours["w"] == pytest.approx(theta, rel=1e-14)


def test_the_first_step_of_lars_in_fractions():
    """Norms 5 and 10: local rate 0.02 * 5 / (10 + 0.1 * 5) = 0.1/10.5, direction (6 + 0.3, 8 - 0.4)."""
    lars = LARS(learning_rate=0.5, momentum=0.9, weight_decay=0.1, trust_coefficient=0.02)
    theta = lars.update({"w": np.array([3.0, -4.0])}, {"w": np.array([6.0, 8.0])})["w"]
    assert theta == pytest.approx([3 - 0.5 * 0.1 / 10.5 * 6.3, -4 - 0.5 * 0.1 / 10.5 * 7.6], rel=1e-15)
    assert theta == pytest.approx([2.97, -4 - 0.38 / 10.5], rel=1e-15)


def test_two_steps_of_lamb_worked_out_by_hand():
    rate, beta1, beta2, epsilon, decay = 0.1, 0.8, 0.5, 0.25, 0.5
    theta, m, v = [3.0, -4.0], [0.0, 0.0], [0.0, 0.0]
    ours = {"w": np.array(theta)}
    lamb = LAMB(learning_rate=rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=decay)
    for t, grad in enumerate(([2.0, 1.0], [-1.0, 3.0]), start=1):
        m = [beta1 * m[i] + (1 - beta1) * grad[i] for i in (0, 1)]
        v = [beta2 * v[i] + (1 - beta2) * grad[i] ** 2 for i in (0, 1)]
        r = [m[i] / (1 - beta1**t) / (math.sqrt(v[i] / (1 - beta2**t)) + epsilon) for i in (0, 1)]
        direction = [r[i] + decay * theta[i] for i in (0, 1)]
        ratio = math.hypot(*theta) / math.hypot(*direction)
        rate *= 0.7
        lamb.learning_rate = rate
        theta = [theta[i] - rate * ratio * direction[i] for i in (0, 1)]
        lamb.update(ours, {"w": np.array(grad)})
        assert ours["w"] == pytest.approx(theta, rel=1e-14)


def test_the_first_step_of_lamb_in_fractions():
    """m-hat = g and v-hat = g**2, so r = g / (|g| + 1/4) = (8/9, 4/5), and the direction is r + theta/2."""
    lamb = LAMB(learning_rate=0.1, beta1=0.8, beta2=0.5, epsilon=0.25, weight_decay=0.5)
    theta = lamb.update({"w": np.array([3.0, -4.0])}, {"w": np.array([2.0, 1.0])})["w"]
    direction = (8 / 9 + 3 / 2, 4 / 5 - 2)
    length = math.hypot(*direction)
    assert theta == pytest.approx([3 - 0.5 * direction[0] / length, -4 - 0.5 * direction[1] / length], rel=1e-15)


def test_two_steps_of_adam_without_correction_worked_out_by_hand():
    ours = {"w": np.array([1.0])}
    adam = UncorrectedAdam(learning_rate=0.5, beta1=0.5, beta2=0.75, epsilon=1.0)
    adam.update(ours, {"w": np.array([4.0])})  # m = 2, v = 4, step 0.5 * 2 / 3
    assert ours["w"] == pytest.approx([1 - 1 / 3], rel=1e-15)
    adam.update(ours, {"w": np.array([-2.0])})  # m = 0, v = 4: no step
    assert ours["w"] == pytest.approx([1 - 1 / 3], rel=1e-15)
    adam.update(ours, {"w": np.array([2.0])})  # m = 1, v = 4, step 0.5 * 1 / 3
    assert ours["w"] == pytest.approx([1 - 1 / 3 - 1 / 6], rel=1e-15)


def test_lars_and_optax_differ_in_the_denominator():
    """The paper adds the two norms, |g| + decay |theta|; optax takes the norm of their sum, |g + decay theta|."""
    theta, grad, decay = np.array([3.0, 4.0]), np.array([4.0, -3.0]), 0.5
    setting = {"learning_rate": 1.0, "momentum": 0.0, "weight_decay": decay, "trust_coefficient": 0.1}
    ours = LARS(**setting).update({"w": theta.copy()}, {"w": grad})["w"]
    theirs = optax_walk(optax.lars, setting, {"w": theta}, [{"w": grad}])["w"]
    direction = grad + decay * theta
    assert theta - ours == pytest.approx(0.1 * 5 / (5 + decay * 5) * direction, rel=1e-14)
    assert theta - theirs == pytest.approx(0.1 * 5 / np.linalg.norm(direction) * direction, rel=1e-14)
    assert np.linalg.norm(theta - theirs) / np.linalg.norm(theta - ours) == pytest.approx(1.5 / math.sqrt(1.25))


@pytest.mark.parametrize(
    "setting",
    [
        {"learning_rate": 1.0, "momentum": 0.9, "weight_decay": 0.0005, "trust_coefficient": 0.02},
        {"learning_rate": 0.3, "momentum": 0.5, "weight_decay": 0.5, "trust_coefficient": 0.1},
    ],
    ids=label,
)
def test_a_hundred_steps_of_lars_with_weight_decay_are_those_of_a_published_one(setting):
    """pytorch-optimizer's has the paper's denominator; it takes vectors for biases, and leaves them to plain SGD.

    Its velocity does not contain the rate, which is the same while the rate is constant.
    """
    matrices = ("matrix", "kernel")
    start = {name: parameters()[name] for name in matrices}
    sequence = [{name: grads[name] for name in matrices} for grads in gradients(STEPS)]

    def make(parameters, learning_rate, **more):
        return pytorch_optimizer.LARS(parameters, lr=learning_rate, **more)

    assert_agree(walk(LARS(**setting), copied(start), sequence), torch_walk(make, setting, start, sequence), start)


def test_amsgrad_takes_the_maximum_before_the_correction():
    """As torch does; optax corrects first, so its first, most enlarged second moment stays the largest for long."""
    sequence = [{"w": np.array([1.0])}] * 3
    ours = walk(AMSGrad(learning_rate=0.1, beta2=0.5), {"w": np.array([0.0])}, sequence)
    assert ours["w"] == pytest.approx([-0.3], rel=1e-7)
    fading = [{"w": np.array([2.0**-k])} for k in range(6)]
    start = {"w": np.array([0.0])}
    ours = walk(AMSGrad(learning_rate=0.1, beta2=0.5), copied(start), fading)
    theirs = optax_walk(optax.amsgrad, {"learning_rate": 0.1, "b2": 0.5}, start, fading)
    assert abs(ours["w"][0]) > abs(theirs["w"][0]) * 1.05


def test_centered_rmsprop_stays_finite_on_gradients_that_never_change_and_torch_does_not():
    """There the difference of the two averages is zero but for rounding, and rounding can make it negative."""
    steady = np.random.default_rng(0).uniform(0.01, 3, 500).astype(np.float32)
    ours, theirs = {"w": np.zeros_like(steady)}, torch.tensor(np.zeros_like(steady), requires_grad=True)
    optimizer, peer = CenteredRMSprop(), torch.optim.RMSprop([theirs], lr=0.001, alpha=0.9, centered=True)
    for _ in range(200):
        optimizer.update(ours, {"w": steady.copy()})
        theirs.grad = torch.tensor(steady)
        peer.step()
    assert np.isfinite(ours["w"]).all()
    assert torch.isnan(theirs).any()


# ---------------------------------------------------------------------- kinship: one rule inside another


@pytest.mark.parametrize(
    ("general", "special"),
    [
        (MomentumSGD(learning_rate=0.1, momentum=0.0), SGD(learning_rate=0.1)),
        (NesterovMomentum(learning_rate=0.1, momentum=0.0), SGD(learning_rate=0.1)),
        (AdamW(learning_rate=0.1, weight_decay=0.0), Adam(learning_rate=0.1)),
        (UncorrectedAdam(learning_rate=0.1, beta1=0.0, beta2=0.9), RMSprop(learning_rate=0.1, decay=0.9)),
    ],
    ids=["momentum 0 is SGD", "Nesterov 0 is SGD", "AdamW without decay is Adam", "uncorrected, beta1 0 is RMSprop"],
)
def test_a_rule_contains_a_simpler_one_bit_for_bit(general, special):
    sequence = gradients(50)
    assert_same(walk(general, parameters(), sequence), walk(special, parameters(), sequence))


def test_amsgrad_is_adam_while_the_second_moment_grows():
    rng = np.random.default_rng(0)
    sequence = [{"w": (1.5**k) * rng.choice([-1.0, 1.0], 6)} for k in range(20)]
    start = {"w": rng.standard_normal(6)}
    amsgrad, adam = (walk(optimizer(), copied(start), sequence) for optimizer in (AMSGrad, Adam))
    np.testing.assert_allclose(amsgrad["w"], adam["w"], rtol=1e-14)


def test_lars_moves_a_layer_along_the_gradient_by_a_fraction_of_its_weights():
    """Without momentum and decay it is SGD whose step is trust_coefficient * learning_rate * |theta| long."""
    start, grads = parameters(), gradients(5)[4]
    lars = walk(LARS(learning_rate=0.5, momentum=0, weight_decay=0, trust_coefficient=0.1), copied(start), [grads])
    sgd = walk(SGD(learning_rate=0.5), copied(start), [grads])
    for name in ("scalar", "matrix", "row", "kernel"):
        step, raw = start[name] - lars[name], start[name] - sgd[name]
        assert np.linalg.norm(step) == pytest.approx(0.05 * np.linalg.norm(start[name]), rel=1e-14)
        cosine = np.vdot(step, raw) / (np.linalg.norm(step) * np.linalg.norm(raw))
        assert cosine == pytest.approx(1, rel=1e-14)


def test_lamb_moves_a_layer_in_the_direction_of_adamw():
    """The direction is AdamW's own; only the length differs: learning_rate * |theta|."""
    start, grads = parameters(), gradients(5)[4]
    setting = {"learning_rate": 0.1, "epsilon": 1e-8, "weight_decay": 0.3}
    lamb = walk(LAMB(**setting), copied(start), [grads])
    adamw = walk(AdamW(**setting), copied(start), [grads])
    for name in ("scalar", "matrix", "row", "kernel"):
        step, other = start[name] - lamb[name], start[name] - adamw[name]
        assert np.linalg.norm(step) == pytest.approx(0.1 * np.linalg.norm(start[name]), rel=1e-13)
        assert step / np.linalg.norm(step) == pytest.approx(other / np.linalg.norm(other), rel=1e-12)


@pytest.mark.parametrize("optimizer", [LARS, LAMB], ids=label)
def test_a_layer_of_zeros_takes_the_unscaled_step_and_a_zero_gradient_none(optimizer):
    lively = {"w": np.array([3.0, 4.0])}
    layerwise = optimizer(learning_rate=0.1, weight_decay=0.0)
    zero = layerwise.update({"w": np.zeros(2)}, lively)["w"]
    unscaled = (SGD if optimizer is LARS else Adam)(learning_rate=0.1).update({"w": np.zeros(2)}, lively)["w"]
    assert zero == pytest.approx(unscaled, rel=1e-6)
    still = optimizer(learning_rate=0.1, weight_decay=0.0).update({"w": np.array([3.0, 4.0])}, {"w": np.zeros(2)})["w"]
    assert still.tolist() == [3.0, 4.0]


def test_lars_with_a_trust_coefficient_of_zero_does_not_move():
    lars = LARS(learning_rate=1.0, trust_coefficient=0.0)
    assert lars.update({"w": np.array([3.0, 4.0])}, {"w": np.ones(2)})["w"].tolist() == [3.0, 4.0]


def test_nesterov_holds_the_look_ahead_point_of_the_original_equation():
    """theta of the equation is the held point plus rate * momentum * velocity, at every step."""
    rate, momentum, curvature = 0.05, 0.8, np.array([1.0, 10.0])
    nesterov, held = NesterovMomentum(rate, momentum), {"w": np.array([2.0, -1.0])}
    theta, velocity = held["w"].copy(), np.zeros(2)
    for _ in range(50):
        ahead = theta - rate * momentum * velocity
        velocity = momentum * velocity + curvature * ahead
        theta = theta - rate * velocity
        nesterov.update(held, {"w": curvature * held["w"]})
        assert held["w"] + rate * momentum * nesterov.state["w"].velocity == pytest.approx(theta, rel=1e-12, abs=1e-15)


def test_epsilon_stands_outside_the_root():
    """A gradient as small as epsilon gives half a step; with epsilon inside the root it would be 1e-4 of one."""
    for optimizer in (Adam(learning_rate=1.0), AMSGrad(learning_rate=1.0), LAMB(learning_rate=1.0, epsilon=1e-8)):
        step = optimizer.update({"w": np.zeros(1)}, {"w": np.array([1e-8])})["w"]
        assert step == pytest.approx([-0.5], rel=1e-9)


def test_adamw_decays_the_old_weights():
    """(1 - 0.1 * 0.5) * 1 - 0.1 * 1 = 0.85; decaying the stepped weights would give 0.855."""
    step = AdamW(learning_rate=0.1, weight_decay=0.5).update({"w": np.ones(1)}, {"w": np.ones(1)})["w"]
    assert step == pytest.approx([0.85], rel=1e-8)
