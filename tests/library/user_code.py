"""What a user may write, as checkers of types see it: not run, but read by mypy. See test_types."""

from functools import partial

import numpy as np

from optim_lib import Adam, descend, sweep
from optim_lib.landscapes import rosenbrock
from optim_lib.optimizers import (
    SGD,
    Array,
    Hyperparameter,
    Lookahead,
    MomentumSGD,
    Optimizer,
    ParameterGroups,
    ParameterState,
    WeightAverage,
    clip_by_global_norm,
    is_vector,
)
from optim_lib.schedules import cosine_annealing
from optim_lib.training.runs import Schedule


class Signed(Optimizer):
    learning_rate: float | Array = Hyperparameter(default=0.01)
    power: float = Hyperparameter(default=1.0, below=2.0)
    slots = ("m",)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        state.m = 0.9 * state.m + np.abs(grad) ** self.power
        theta -= self.learning_rate * np.sign(state.m)


params = {"w": np.array([1.0, 2.0])}
grads = {"w": np.ones(2)}
for optimizer in (SGD(), Adam(0.1), Adam(learning_rate=0.1, beta1=0.5), MomentumSGD(0.1, 0.9), Signed(0.1, power=1.5)):
    clipped, norm = clip_by_global_norm(grads, max_norm=1.0)
    stepped: dict[str, np.ndarray] = optimizer.update(params, clipped)
    optimizer.learning_rate = np.geomspace(0.1, 1.0, 3)
groups = ParameterGroups({is_vector: SGD(), "*": Lookahead(Adam(), k=3)})
average = WeightAverage(decay=None)
average.update(groups.update(params, grads))
run = descend(Signed(), rosenbrock, start=(-1.5, 1.5), steps=10)
grid = sweep(Adam, rosenbrock, learning_rate=np.geomspace(1e-4, 1, 3))
schedule: Schedule = partial(cosine_annealing, total_epochs=15)
