"""Tasks without a dataset: a pole to balance, by policy gradient and by Q-learning, in NumPy."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.networks import MLP
from optim_lib.optimizers.base import Params
from optim_lib.progress import progress_bar
from optim_lib.tasks.base import Record, StepSchedule, Task
from optim_lib.training.runs import PATIENCE, Steps

Array = NDArray[np.floating]

HORIZON = 200
LIMITS = np.array([2.4, 12 * math.pi / 180])
# What brings position, velocity, angle and angular velocity to about one.
UNITS = np.array([2.4, 2.0, 0.21, 2.0])


class CartPole:
    """Many carts at once, each with a pole hinged on it; a push to the left (0) or to the right (1) at every tick.

    A try is over when the pole leans more than 12 degrees, when the cart is more than 2.4 m away, or after 200 ticks.

    Parameters
    ----------
    count : int
    rng : Generator

    Attributes
    ----------
    state : ndarray of shape (count, 4)
        Position, velocity, angle and angular velocity.
    ticks : ndarray of int of shape (count,)
        How long each try has lasted.

    References
    ----------
    Barto, Sutton and Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning control
    problems". The constants are those that everyone uses.
    """

    GRAVITY, CART, POLE, HALF_LENGTH, FORCE, TICK = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.state = rng.uniform(-0.05, 0.05, (count, 4))
        self.ticks = np.zeros(count, int)

    def push(self, actions: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Move every cart by a tick; returns which of the poles have fallen (or carts have left)."""
        _, velocity, angle, spin = self.state.T
        force = np.where(actions == 1, self.FORCE, -self.FORCE)
        sin, cos = np.sin(angle), np.cos(angle)
        total = self.CART + self.POLE
        push = (force + self.POLE * self.HALF_LENGTH * spin**2 * sin) / total
        turning = (self.GRAVITY * sin - cos * push) / (self.HALF_LENGTH * (4 / 3 - self.POLE * cos**2 / total))
        moving = push - self.POLE * self.HALF_LENGTH * turning * cos / total
        self.state = self.state + self.TICK * np.stack([velocity, moving, spin, turning], axis=1)
        self.ticks += 1
        return (np.abs(self.state[:, [0, 2]]) > LIMITS).any(axis=1)

    def restart(self, which: NDArray[np.bool_]) -> None:
        """Begin these tries anew."""
        self.state[which] = self.rng.uniform(-0.05, 0.05, (int(which.sum()), 4))
        self.ticks[which] = 0


@dataclass(frozen=True, repr=False)
class _Control(Task):
    """A network that balances the pole. Ten times in a run it is asked to: how many ticks does a try last, of 200?

    The score is the mean over these ten times. At the end nearly every optimizer balances the pole for good; they
    differ in how soon they do, and in whether it lasts.

    Attributes
    ----------
    sizes : tuple of int
        Of the network, from 4 numbers to 2 actions.
    tries : int
        Carts at once.
    discount : float
    """

    sizes: tuple[int, ...] = (4, 32, 2)
    tries: int = 16
    discount: float = 0.99

    loss = "cross-entropy"

    def model(self, seed: int = 0) -> MLP:
        return MLP(self.sizes, loss=self.loss)

    def balance(self, params: Params, seed: Any, tries: int = 128) -> Array:
        """How many ticks each try lasts, as the network acts once it has learned."""
        rng, network = np.random.default_rng(seed), self.model()
        world, up, lasted = CartPole(tries, rng), np.ones(tries, bool), np.zeros(tries)
        for _ in range(HORIZON):
            fallen = world.push(self.act(network.outputs(params, world.state / UNITS), rng))
            lasted += up
            up &= ~fallen
            if not up.any():
                break
        return lasted

    def act(self, outputs: Array, rng: np.random.Generator) -> NDArray[np.integer]:
        """The action that the network prefers."""
        return outputs.argmax(axis=-1)

    def _run(
        self,
        model: Any,
        optimizer: Any,
        steps: int,
        seed: int,
        schedule: StepSchedule | None,
        clip_norm: float | None,
        progress: bool,
    ) -> Record:
        by_step = None if schedule is None else lambda rate, step: schedule(rate, step, steps)
        # A loss that is a product of advantages, or of a moving target, may start near zero: only NaN means lost.
        taken = Steps(optimizer, by_step, clip_norm, far=math.inf)
        taken.begin(model.initialize(seed))
        learn = self._learner(taken.params, seed, steps)
        evaluated_at, ticks = [], []
        asked_at = set(np.linspace(0, steps, 11).round().astype(int).tolist())
        with progress_bar(total=steps, desc="steps", leave=False, delay=PATIENCE, disable=not progress) as bar:
            while taken.diverged_at is None:
                if taken.step in asked_at:
                    evaluated_at.append(taken.step)
                    # The learner's own numbers are drawn with [seed, 0].
                    ticks.append(self.balance(taken.params, [seed, 1]).reshape(2, -1).mean(axis=-1))
                if taken.step == steps:
                    break
                taken.take(learn, taken.step)
                bar.update()
                if not all(np.isfinite(array).all() for array in taken.params.values()):
                    taken.diverged_at = taken.step
        taken.finish()
        lost = taken.diverged_at is not None
        # Half of the tries are for validation, and half for test; the first time, nothing had been learned yet.
        scores, test_scores = np.array(ticks).T
        later = slice(1 if len(scores) > 1 else 0, None)
        return Record(
            task=self.name,
            metric=self.metric,
            score=self.worst if lost else float(scores[later].mean()),
            test_score=self.worst if lost else float(test_scores[later].mean()),
            train_loss=math.nan,
            validation_loss=math.nan,
            losses=np.array([loss for loss, *_ in taken.per_step]),
            evaluated_at=np.array(evaluated_at),
            scores=scores,
            diverged_at=taken.diverged_at,
            seconds=taken.seconds,
            params=taken.params,
        )

    @abstractmethod
    def _learner(self, params: Params, seed: int, steps: int) -> Callable[[Params], tuple[float, Params]]:
        """A function that plays with these parameters, and says how to change them."""


@dataclass(frozen=True, repr=False)
class PolicyGradient(_Control):
    """REINFORCE: play with probabilities, and make more likely what was followed by more than usual.

    Each step plays `tries` tries to their end; the gradient is that of the log-probability of every action taken, times
    the discounted return that followed, normalized over the batch.

    References
    ----------
    Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement learning".
    """

    def _learner(self, params: Params, seed: int, steps: int) -> Callable[[Params], tuple[float, Params]]:
        rng, network = np.random.default_rng([seed, 0]), self.model()

        def learn(params: Params) -> tuple[float, Params]:
            states, actions, up = self._play(network, params, rng)
            returns = np.zeros(up.shape)
            after = np.zeros(self.tries)
            for tick in range(len(up) - 1, -1, -1):
                after = returns[tick] = up[tick] * (1 + self.discount * after)
            advantages = returns[up]
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            return network.loss_and_gradients(params, states[up], actions[up], weights=advantages)

        return learn

    def act(self, outputs: Array, rng: np.random.Generator) -> NDArray[np.integer]:
        """An action at random, with the network's probabilities."""
        right = 1 / (1 + np.exp(outputs[:, 0] - outputs[:, 1]))
        return (rng.random(len(outputs)) < right).astype(int)

    def _play(self, network: MLP, params: Params, rng: np.random.Generator) -> tuple[Array, NDArray, NDArray]:
        """States, actions, and whether the try was still going on, each with leading axes (ticks, tries)."""
        world, up = CartPole(self.tries, rng), np.ones(self.tries, bool)
        states, actions, going = [], [], []
        for _ in range(HORIZON):
            seen = world.state / UNITS
            states.append(seen)
            actions.append(self.act(network.outputs(params, seen), rng))
            going.append(up)
            up = up & ~world.push(actions[-1])
            if not up.any():
                break
        return np.array(states), np.array(actions), np.array(going)


@dataclass(frozen=True, repr=False)
class QLearning(_Control):
    """Q-learning with a memory to draw from and a target network that follows every so often.

    Attributes
    ----------
    batch_size, memory : int
    follow : int
        Steps until the target network is set to the present one.

    References
    ----------
    Mnih et al. (2015), "Human-level control through deep reinforcement learning".
    """

    batch_size: int = 64
    memory: int = 20_000
    follow: int = 50

    loss = "squared error"

    def _learner(self, params: Params, seed: int, steps: int) -> Callable[[Params], tuple[float, Params]]:
        rng, network = np.random.default_rng([seed, 0]), self.model()
        world = CartPole(self.tries, rng)
        kept = {
            "state": np.zeros((self.memory, 4)),
            "action": np.zeros(self.memory, int),
            "next": np.zeros((self.memory, 4)),
            "fallen": np.zeros(self.memory),
        }
        count, step, target = 0, 0, {}

        def play(params: Params) -> None:
            nonlocal count
            seen = world.state / UNITS
            actions = self.act(network.outputs(params, seen), rng)
            # From always at random to one time in twenty, over the first half.
            explore = rng.random(self.tries) < max(0.05, 1 - 2 * step / steps)
            actions[explore] = rng.integers(0, 2, int(explore.sum()))
            fallen = world.push(actions)
            where = np.arange(count, count + self.tries) % self.memory
            for name, value in zip(kept, (seen, actions, world.state / UNITS, fallen), strict=True):
                kept[name][where] = value
            count += self.tries
            world.restart(fallen | (world.ticks >= HORIZON))

        def learn(params: Params) -> tuple[float, Params]:
            nonlocal step
            if step % self.follow == 0:
                target.update({name: array.copy() for name, array in params.items()})
            play(params)
            drawn = rng.integers(0, min(count, self.memory), self.batch_size)
            states, rows = kept["state"][drawn], np.arange(self.batch_size)
            best = network.outputs(target, kept["next"][drawn]).max(axis=-1)
            # The action that was not taken has no error: its target is what the network says.
            wanted = network.outputs(params, states)
            wanted[rows, kept["action"][drawn]] = 1 + self.discount * (1 - kept["fallen"][drawn]) * best
            step += 1
            return network.loss_and_gradients(params, states, wanted)

        return learn


cartpole_policy = PolicyGradient("pole, policy gradient", "ticks, mean of the run", False, 60, tries=8)
cartpole_value = QLearning("pole, Q-learning", "ticks, mean of the run", False, 2000, discount=0.98)
