"""Each task is the same for the same seed, can be learned, is quick, and takes any optimizer."""

import dataclasses
import time
from functools import partial

import numpy as np
import pytest
import torch

from optim_lib import tasks
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, Adam
from optim_lib.schedules import cosine_annealing, step_decay, warmup_cosine
from optim_lib.tasks.models import Transformer
from optim_lib.tasks.supervised import transformer
from optim_lib.training import FromTorch

EVERY = pytest.mark.parametrize("task", tasks.ALL, ids=lambda task: task.name)
QUICK = [tasks.digits_mlp, tasks.digits_cnn, tasks.cartpole_policy, tasks.cartpole_value, tasks.regression]

# What chance, a constant, or the start gets, and what a short run with Adam must beat.
LEARNED = {
    "digits, MLP": 0.95,
    "digits, CNN": 0.9,
    "topic of a line": 1.5,
    "characters, transformer": 2.8,
    "characters, recurrent": 2.4,
    "pole, policy gradient": 100,
    "pole, Q-learning": 100,
    "ill-conditioned regression": 3.0,
}
RATES = {"ill-conditioned regression": 0.03, "characters, transformer": 0.003}


class Mine:
    """A student's class, as the article writes them."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        return {name: p - self.learning_rate * grads[name] for name, p in params.items()}


@EVERY
def test_a_task_is_learned_within_its_budget_and_its_time(task):
    started = time.process_time()
    record = task.run(Adam(learning_rate=RATES.get(task.name, 0.01)))
    assert time.process_time() - started < 20
    assert record.losses.size == task.budget
    assert (record.score < LEARNED[task.name]) == task.lower_is_better
    assert record.test_score == pytest.approx(record.score, rel=0.1)
    assert record.evaluated_at[0] == 0
    assert record.evaluated_at[-1] == task.budget
    assert record.diverged_at is None


@EVERY
def test_the_seed_decides_everything(task):
    budget = 1 if task.budget < 150 else 12
    one, same, other = (task.run(Adam(0.01), budget, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.losses, same.losses)
    for name, array in one.params.items():
        np.testing.assert_array_equal(array, same.params[name])
    assert not np.array_equal(one.losses, other.losses)
    assert one.score == same.score


def test_an_unrelated_draw_changes_nothing():
    first = tasks.digits_cnn.run(SGD(0.1), 3)
    torch.manual_seed(99)
    np.random.default_rng(0).random(10)
    np.testing.assert_array_equal(tasks.digits_cnn.run(SGD(0.1), 3).losses, first.losses)


@pytest.mark.parametrize("task", QUICK, ids=lambda task: task.name)
def test_ours_torchs_and_a_students_optimizer_do_the_same(task):
    runs = [
        task.run(make, 4).params
        for make in (
            SGD(0.05),
            partial(SGD, 0.05),
            partial(Mine, 0.05),
            partial(FromTorch(torch.optim.SGD), learning_rate=0.05),
        )
    ]
    for other in runs[1:]:
        for name, array in runs[0].items():
            np.testing.assert_allclose(other[name], array, rtol=1e-4, atol=1e-6)


def test_an_optimizer_that_is_given_stays_as_it_is():
    optimizer = Adam(0.01)
    tasks.regression.run(optimizer, 5, schedule=cosine_annealing)
    assert optimizer.state == {}
    assert optimizer.learning_rate == 0.01


@pytest.mark.parametrize("task", [tasks.digits_mlp, tasks.cartpole_value], ids=lambda task: task.name)
@pytest.mark.parametrize(
    "schedule", [cosine_annealing, partial(warmup_cosine, warmup_epochs=10)], ids=["cosine", "warm-up"]
)
def test_a_schedule_is_asked_for_every_step_of_all(task, schedule):
    asked = []

    def noted(rate, step, total):
        asked.append((rate, step, total))
        return schedule(rate, step, total)

    task.run(SGD(0.1), 50, schedule=noted)
    assert asked == [(0.1, step, 50) for step in range(50)]


def test_the_rate_of_a_schedule_is_the_rate_of_the_step():
    stopped = tasks.regression.run(SGD(0.3), 40, schedule=lambda rate, step, total: rate if step < 10 else 0.0)
    short = tasks.regression.run(SGD(0.3), 10)
    np.testing.assert_allclose(stopped.params["W1"], short.params["W1"])
    halved = tasks.cartpole_policy.run(SGD(0.2), 1, schedule=lambda rate, step, total: step_decay(rate, 10, 0.5, 10))
    np.testing.assert_array_equal(halved.params["W1"], tasks.cartpole_policy.run(SGD(0.1), 1).params["W1"])


@pytest.mark.parametrize("task", [tasks.regression, tasks.cartpole_policy], ids=lambda task: task.name)
def test_clipping_is_passed_on(task):
    start = task.model(0).initialize(0)
    moved = task.run(SGD(1.0), 1, clip_norm=0.001).params
    assert np.sqrt(sum(((moved[name] - start[name]) ** 2).sum() for name in start)) == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("task", "rate"),
    [(tasks.digits_mlp, 1e308), (tasks.regression, 1e4), (tasks.regression, 1e200), (tasks.cartpole_value, 1e4)],
)
def test_a_run_that_diverges_has_the_worst_score(task, rate):
    record = task.run(SGD(rate), 60)
    assert record.diverged_at is not None
    assert record.score == record.test_score == (np.inf if task.lower_is_better else 0)
    assert "diverged after" in repr(record)


@pytest.mark.parametrize("task", [tasks.regression, tasks.cartpole_policy], ids=lambda task: task.name)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"budget": 0}, ValueError, "budget must be a whole number of steps of at least 1, got 0"),
        ({"budget": 2.5}, ValueError, "budget must be a whole number"),
        ({"optimizer": 3}, TypeError, "optimizer must have update"),
        ({"optimizer": lambda: 3}, TypeError, "optimizer must be an object with update"),
        ({"clip_norm": 0}, ValueError, "clip_norm must be a positive number"),
    ],
)
def test_bad_arguments_are_named(task, arguments, error, message):
    with pytest.raises(error, match=message):
        task.run(**{"optimizer": SGD(0.1)} | arguments)


def test_a_variant_is_a_task_too():
    post = dataclasses.replace(
        tasks.char_transformer, name="post", make_model=partial(transformer, norm="post", layers=1)
    )
    assert post.run(Adam(0.001), 2).task == "post"
    assert len(post.model(0).module.blocks) == 1


# ---------------------------------------------------------------- models and worlds


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_transformer_does_not_look_ahead(norm):
    torch.manual_seed(0)
    model = Transformer(symbols=7, length=6, width=8, heads=2, layers=2, norm=norm)
    x = torch.tensor([[1, 2, 3, 4, 5, 6]])
    changed = x.clone()
    changed[0, 3] = 0
    before, after = model(x), model(changed)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.isclose(before[:, 3:], after[:, 3:]).all(dim=-1).any()


def test_the_transformer_knows_where_a_character_is():
    torch.manual_seed(0)
    model = Transformer(symbols=7, length=6, width=8)
    out = model(torch.tensor([[1, 1, 1, 1]]))
    assert not torch.isclose(out[0, 0], out[0, 1]).all()
    with pytest.raises(ValueError, match="norm must be 'pre' or 'post', got 'none'"):
        Transformer(7, 6, norm="none")


def test_the_pole_falls_when_nobody_cares_and_as_physics_says():
    world = tasks.CartPole(2, np.random.default_rng(0))
    world.state[:] = [[0, 0, 0.1, 0], [0, 0, -0.1, 0]]
    fallen = world.push(np.array([1, 0]))
    np.testing.assert_allclose(world.state[0], -world.state[1])
    # One Euler tick from rest: nothing has moved yet, and the accelerations are those of Barto, Sutton and Anderson.
    turning = (9.8 * np.sin(0.1) - np.cos(0.1) * 10 / 1.1) / (0.5 * (4 / 3 - 0.1 * np.cos(0.1) ** 2 / 1.1))
    moving = 10 / 1.1 - 0.1 * 0.5 * turning * np.cos(0.1) / 1.1
    np.testing.assert_allclose(world.state[0], [0, 0.02 * moving, 0.1, 0.02 * turning])
    assert not fallen.any()
    for _ in range(30):
        fallen = world.push(np.array([1, 0]))
    assert fallen.all()
    world.restart(np.array([True, False]))
    assert world.ticks.tolist() == [0, 31]
    assert (np.abs(world.state) <= 0.05).all(axis=1).tolist() == [True, False]


def test_a_hand_on_the_pole_balances_it_and_none_does_not():
    task = tasks.cartpole_policy
    lean = {"W1": np.zeros((4, 2)), "b1": np.zeros((1, 2))}
    one_way = lean | {"b1": np.array([[0.0, 1.0]])}
    lean = lean | {"W1": np.array([[0, 0], [0, 0.2], [0, 1], [0, 1.0]])}
    small = dataclasses.replace(task, sizes=(4, 2))
    greedy = dataclasses.replace(tasks.cartpole_value, sizes=(4, 2))
    assert greedy.balance(lean, 0).mean() > 190
    assert greedy.balance(one_way, 0).mean() < 12
    assert greedy.balance(lean, 0).shape == (128,)
    sure = {name: 20 * array for name, array in lean.items()}
    assert small.balance(sure, 0).mean() > 190 > 100 > small.balance(lean, 0).mean()


def test_the_policy_gradient_points_where_the_return_grows():
    """The estimate, averaged over many plays, against differences of the expected discounted return."""
    task = dataclasses.replace(tasks.cartpole_policy, sizes=(4, 2), tries=3000, discount=0.9)
    network = MLP((4, 2))
    params = {"W1": np.array([[0, 0.3], [0, 0.2], [0, 0.5], [0, 0.1]]), "b1": np.zeros((1, 2))}
    _, grads = task._learner(params, 0, 1)(params)

    def mean_return(shift):
        moved = {name: params[name] - shift * grads[name] for name in params}
        _, _, up = task._play(network, moved, np.random.default_rng(5))
        return up.sum(axis=0).mean()

    scale = 0.5 / np.sqrt(sum((g**2).sum() for g in grads.values()))
    assert mean_return(scale) > mean_return(0) + 1 > mean_return(-scale) + 2
