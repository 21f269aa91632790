"""Chapter 12, choosing: three jobs to choose an optimizer for, and a race against a budget."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import optim_lib.optimizers as library
from optim_lib import tasks
from optim_lib.data import Dataset, diabetes
from optim_lib.networks import MLP
from optim_lib.optimizers import Optimizer
from optim_lib.schedules import cosine_annealing, warmup_cosine
from optim_lib.tasks import Supervised, Task
from optim_lib.tasks.base import StepSchedule
from optim_lib.training.costs import step_cost

PRACTICE_SEEDS, JUDGED_SEEDS = tuple(range(100, 105)), tuple(range(5))
# Other seeds have other luck: what meets a target on the practice seeds may miss it by this share on the judged ones.
LUCK = 0.05


def constant(initial_rate: float, step: float, total_steps: float) -> float:
    """The rate that it is."""
    return initial_rate


SCHEDULES: dict[str, StepSchedule] = {
    "constant": constant,
    "cosine": cosine_annealing,
    "warmup cosine": partial(warmup_cosine, warmup_epochs=10),
}
PACKAGED = {
    name: thing
    for name, thing in vars(library).items()
    if isinstance(thing, type) and issubclass(thing, Optimizer) and thing is not Optimizer
}


def named(given: Any, among: Iterable[str]) -> str:
    """The one of these names that is meant: a class is its name, and case and blanks make no difference.

    Raises
    ------
    ValueError
        If none is meant.
    """
    among = list(among)
    text = given.__name__ if isinstance(given, type) else given
    for name in among if isinstance(text, str) else ():
        if "".join(text.split()).casefold() == "".join(name.split()).casefold():
            return name
    raise ValueError(f"{given!r} is not one of {', '.join(map(repr, among))}")


@dataclass(frozen=True)
class Scenario:
    """A job: a task, a budget of steps, a loss to get under, and perhaps a limit on what may be remembered.

    Attributes
    ----------
    task : Task
    steps : int
    target : float
        The validation loss, median of five seeds, has to be under this.
    memory : float
        How many numbers of state for each parameter the optimizer may keep.
    """

    task: Task
    steps: int
    target: float
    memory: float = np.inf


def raw_diabetes() -> Dataset:
    """The diabetes data in the units in which they were measured."""
    return diabetes(standardize=False)


def line(seed: int = 0) -> MLP:
    return MLP((10, 1), loss="squared error")


SCENARIOS = {
    "rare words": Scenario(tasks.sparse_words, 60, target=1.30),
    "exact gradients": Scenario(tasks.regression, 150, target=1e-3, memory=1),
    "raw units": Scenario(Supervised("diabetes, raw", "loss", True, 200, raw_diabetes, line, 32), 200, target=3600.0),
}


@dataclass(frozen=True)
class Outcome:
    """What a choice led to: the validation loss (median of the seeds), and numbers of state for each parameter."""

    loss: float
    memory: float

    def __repr__(self) -> str:
        return f"validation loss {self.loss:.4g}, {self.memory:.2g} numbers of state a parameter"


def try_out(
    scenario: str, optimizer: str, settings: Mapping[str, float], schedule: str, seeds: Iterable[int] = PRACTICE_SEEDS
) -> Outcome:
    """Train on a scenario within its budget.

    Parameters
    ----------
    scenario : str
        One of `SCENARIOS`.
    optimizer : str
        The name of a class of `optim_lib.optimizers`.
    settings : mapping of str to float
        Its hyperparameters; those left out have their defaults.
    schedule : str
        One of `SCHEDULES`.
    seeds : iterable of int

    Raises
    ------
    ValueError
        If a name is not known, or a hyperparameter is refused.
    """
    scenario, optimizer, schedule = (
        named(given, among) for given, among in ((scenario, SCENARIOS), (optimizer, PACKAGED), (schedule, SCHEDULES))
    )
    accepted = inspect.signature(PACKAGED[optimizer]).parameters
    for name in settings:
        if name not in accepted:
            raise ValueError(f"{name!r} is not a hyperparameter of {optimizer}: {', '.join(accepted)}")
    PACKAGED[optimizer](**settings)  # raises if a value is out of range
    return _outcome(scenario, optimizer, _plain(settings), schedule, tuple(seeds))


def _plain(settings: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Settings that can be remembered: an array of one number is that number."""
    return tuple(
        sorted(
            (name, value.item() if np.size(value) == 1 and hasattr(value, "item") else value)
            for name, value in settings.items()
        )
    )


@cache
def _outcome(
    scenario: str, optimizer: str, settings: tuple[tuple[str, float], ...], schedule: str, seeds: tuple[int, ...]
) -> Outcome:
    job, make = SCENARIOS[scenario], partial(PACKAGED[optimizer], **dict(settings))
    losses = [job.task.run(make, job.steps, seed, schedule=SCHEDULES[schedule]).score for seed in seeds]
    return Outcome(float(np.median(losses)), state_per_parameter(make()))


def state_per_parameter(optimizer: Any, shape: tuple[int, ...] = (64, 48)) -> float:
    """How many numbers an optimizer keeps for each parameter of a matrix."""
    cost = step_cost(optimizer, {"W": np.ones(shape)}, repeats=1)
    return cost.state_bytes / cost.parameter_bytes


# The challenge -------------------------------------------------------------------------------------

CHALLENGE_STEPS = 100
CHALLENGE = replace(tasks.digits_mlp, name="a hundred steps", batch_size=8, metric="loss", lower_is_better=True)
CHALLENGE_PRACTICE, CHALLENGE_JUDGED = tuple(range(100, 112)), tuple(range(12))
CHALLENGE_LUCK = 0.01  # how much worse the judged seeds may turn out than a target

Recipe = Callable[[int], tuple[str, Mapping[str, float], ArrayLike]]


def run_recipe(recipe: Recipe, seeds: Iterable[int] = CHALLENGE_PRACTICE) -> float:
    """The validation loss of a recipe after a hundred steps of eight digits each: the mean over twelve seeds.

    Parameters
    ----------
    recipe : callable
        ``recipe(total_steps)`` returns the name of a class, its settings, and a rate for each step.
    seeds : iterable of int
    """
    name, settings, rates = recipe(CHALLENGE_STEPS)
    name = named(name, PACKAGED)
    rates = np.asarray(rates, dtype=float)
    if rates.shape != (CHALLENGE_STEPS,) or not np.all(np.isfinite(rates) & (rates >= 0)):
        raise ValueError(f"the rates must be {CHALLENGE_STEPS} numbers, none negative, got shape {rates.shape}")
    return _raced(name, _plain(settings), tuple(rates.tolist()), tuple(seeds))


@cache
def _raced(
    name: str, settings: tuple[tuple[str, float], ...], rates: tuple[float, ...], seeds: tuple[int, ...]
) -> float:
    first = max(rates[0], 1e-12)
    make = partial(PACKAGED[name], **dict(settings) | {"learning_rate": first})

    def schedule(initial_rate: float, step: float, total_steps: float) -> float:
        return rates[int(step)]

    return float(np.mean([CHALLENGE.run(make, CHALLENGE_STEPS, seed, schedule=schedule).score for seed in seeds]))
