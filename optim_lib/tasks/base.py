"""What all tasks share: how they are run, and what a run leaves behind."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import seed as checked_seed
from optim_lib.optimizers import Optimizer, ParameterGroups
from optim_lib.optimizers.base import Params
from optim_lib.threads import one_thread

Array = NDArray[np.floating]

# schedule(initial_rate, step, total_steps), as cosine_annealing, warmup_cosine and one_cycle take them.
StepSchedule = Callable[[float, float, float], float]


@dataclass(frozen=True)
class Record:
    """What one run of a task did.

    Attributes
    ----------
    task, metric : str
    score, test_score : float
        The metric at the end, on validation and on test; the worst there is if the run diverged.
    train_loss, validation_loss : float
        NaN where the task has none.
    losses : ndarray of shape (steps,)
        The loss of each mini-batch, before the step taken with it.
    evaluated_at, scores : ndarray of shape (evaluations,)
        What was measured on validation during the run, and after how many steps.
    diverged_at : int or None
    seconds : float
        Time spent in steps, without the evaluations.
    params : dict of str to ndarray
        The parameters at the end.
    """

    task: str
    metric: str
    score: float
    test_score: float
    train_loss: float
    validation_loss: float
    losses: Array = field(repr=False)
    evaluated_at: NDArray[np.integer] = field(repr=False)
    scores: Array = field(repr=False)
    diverged_at: int | None
    seconds: float
    params: Params = field(repr=False)

    def __repr__(self) -> str:
        if self.diverged_at is not None:
            return f"Record({self.task!r}, diverged after {self.diverged_at} steps)"
        return f"Record({self.task!r}, {self.losses.size} steps: {self.metric} {self.score:.3g} on validation)"


@dataclass(frozen=True)
class Task(ABC):
    """A dataset or a world, a model, and a metric. `dataclasses.replace` makes a variant of one.

    Attributes
    ----------
    name : str
    metric : str
        What `Record.score` is.
    lower_is_better : bool
    budget : int
        How many steps a run takes if nothing else is said.
    """

    name: str
    metric: str
    lower_is_better: bool
    budget: int

    def run(
        self,
        optimizer: Any,
        budget: int | None = None,
        seed: int = 0,
        *,
        schedule: StepSchedule | None = None,
        clip_norm: float | None = None,
        progress: bool = False,
    ) -> Record:
        """Train once, and measure.

        Parameters
        ----------
        optimizer : object with ``update(params, grads)``, or callable that makes one
            An object is copied first, so that it stays as it is, and the copy is reset.
        budget : int, optional
            How many steps to take.
        seed : int, default 0
            Decides everything that is random: the first parameters, the order of the examples, the world.
        schedule : callable, optional
            ``schedule(initial_rate, step, total_steps)`` gives the rate of each step, from 0: `cosine_annealing`
            as it is, or ``partial(warmup_cosine, warmup_epochs=20)``.
        clip_norm : float, optional
            As in `train`.
        progress : bool, default False

        Returns
        -------
        Record
            The same for the same arguments, but for the time: a run uses one thread.
        """
        steps = self.budget if budget is None else budget
        if not isinstance(steps, int | np.integer) or isinstance(steps, bool) or steps < 1:
            raise ValueError(f"budget must be a whole number of steps of at least 1, got {budget!r}")
        # Where torch is needed, it is imported by now.
        optimizer, model = fresh(optimizer), self.model(checked_seed("seed", seed))
        with one_thread(), np.errstate(all="ignore"):
            return self._run(model, optimizer, int(steps), seed, schedule, clip_norm, progress)

    @abstractmethod
    def model(self, seed: int = 0) -> Any:
        """The model at its first parameters: it has `initialize` and `loss_and_gradients`, as an `MLP` has."""

    @abstractmethod
    def _run(
        self,
        model: Any,
        optimizer: Any,
        steps: int,
        seed: int,
        schedule: StepSchedule | None,
        clip_norm: float | None,
        progress: bool,
    ) -> Record: ...

    @property
    def worst(self) -> float:
        """The score of a run that diverged."""
        return math.inf if self.lower_is_better else 0.0

    def __repr__(self) -> str:
        better = "lower" if self.lower_is_better else "higher"
        return f"{type(self).__name__}({self.name!r}: {self.budget} steps; {self.metric}, {better} is better)"


def fresh(optimizer: Any) -> Any:
    """An optimizer without a past: the one a callable makes, or a copy of an object, reset if it can be."""
    if isinstance(optimizer, Optimizer) or (hasattr(optimizer, "update") and not isinstance(optimizer, type)):
        copied = copy.deepcopy(optimizer)
        if isinstance(copied, Optimizer | ParameterGroups):
            copied.reset()
        return copied
    if not callable(optimizer):
        raise TypeError(
            f"optimizer must have update(params, grads), or be a callable that makes one, got {optimizer!r}"
        )
    return optimizer()
