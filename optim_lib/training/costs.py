"""What a step costs: time, and memory."""

from __future__ import annotations

import copy
import statistics
import time
import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import seed as checked_seed
from optim_lib.checks import whole
from optim_lib.optimizers import Optimizer, ParameterGroups
from optim_lib.optimizers.base import Params
from optim_lib.threads import one_thread


@dataclass(frozen=True)
class StepCost:
    """The cost of one step of an optimizer, without that of the gradient.

    Attributes
    ----------
    seconds : float
        The median over many steps.
    state_bytes : int
        What it remembers between two steps.
    peak_bytes : int
        What it needs for a moment during a step, beside that. Memory that torch takes is not seen.
    parameter_bytes : int
        For comparison.
    """

    seconds: float
    state_bytes: int
    peak_bytes: int
    parameter_bytes: int


def step_cost(optimizer: Any, params: Params, repeats: int = 30, seed: int = 0) -> StepCost:
    """Measure one step, with random gradients, in one thread.

    Parameters
    ----------
    optimizer : object with ``update(params, grads)``
        Copied first, without the past it has if it can be reset.
    params : dict of str to ndarray
        Copied first.
    repeats : int, default 30
    seed : int, default 0

    Examples
    --------
    >>> from optim_lib.optimizers import Adam
    >>> cost = step_cost(Adam(), {"w": np.ones(1000)})
    >>> cost.state_bytes / cost.parameter_bytes
    2.0
    """
    if isinstance(optimizer, type) or not hasattr(optimizer, "update"):
        raise TypeError(f"optimizer must be an object with update(params, grads), such as Adam(0.1), got {optimizer!r}")
    repeats, rng = whole("repeats", repeats), np.random.default_rng(checked_seed("seed", seed))
    optimizer, params = copy.deepcopy(optimizer), {name: np.array(array) for name, array in params.items()}
    if isinstance(optimizer, Optimizer | ParameterGroups):
        optimizer.reset()
    grads = {name: rng.standard_normal(array.shape).astype(array.dtype) for name, array in params.items()}
    times = []
    with one_thread(), np.errstate(all="ignore"):
        params = optimizer.update(params, grads)  # makes the state
        for _ in range(repeats):
            started = time.perf_counter()
            params = optimizer.update(params, grads)
            times.append(time.perf_counter() - started)
        already = tracemalloc.is_tracing()
        tracemalloc.start()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        params = optimizer.update(params, grads)
        peak = tracemalloc.get_traced_memory()[1] - before
        if not already:
            tracemalloc.stop()
    theirs = {id(array) for array in (*params.values(), *grads.values())}
    state = {id(array): array.nbytes for array in _arrays(optimizer) if id(array) not in theirs}
    own = sum(array.nbytes for array in params.values())
    return StepCost(statistics.median(times), sum(state.values()), max(0, peak), own)


def _arrays(thing: Any, depth: int = 5) -> list[NDArray]:
    """All arrays that an object leads to."""
    if isinstance(thing, np.ndarray):
        return [thing] if thing.ndim else []
    if callable(getattr(thing, "arrays", None)) and not hasattr(thing, "t"):
        return thing.arrays()
    if depth == 0:
        return []
    if isinstance(thing, dict):
        inside = thing.values()
    elif isinstance(thing, list | tuple):
        inside = thing
    else:
        inside = vars(thing).values() if hasattr(thing, "__dict__") and not isinstance(thing, type) else ()
    return [array for part in inside for array in _arrays(part, depth - 1)]
