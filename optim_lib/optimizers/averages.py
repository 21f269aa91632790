"""Means over time: of the gradients of several small batches, and of the weights along the way."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.optimizers import checks
from optim_lib.optimizers.base import Params


class GradientAccumulator:
    """Gradients of several small batches, for one step with their mean: a large batch in the memory of a small one.

    Parameters
    ----------
    steps : int
        How many gradients make one.

    Examples
    --------
    >>> accumulator = GradientAccumulator(steps=2)
    >>> accumulator.add({"w": np.array([1.0])})
    >>> accumulator.add({"w": np.array([4.0])})
    {'w': array([2.5])}
    """

    def __init__(self, steps: int) -> None:
        if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
            raise ValueError(f"steps must be a whole number of at least 1, got {steps!r}")
        self.steps = int(steps)
        self.reset()

    def add(self, grads: Mapping[str, Any], weight: float = 1.0) -> Params | None:
        """Add gradients; return the weighted mean with the last of `steps`, and None before.

        Give the number of examples as the weight if the batches are of different sizes. The sum is kept in double
        precision, the mean is of the gradients' own.
        """
        arrays = {name: checks.real_array(f"grads[{name!r}]", grad) for name, grad in grads.items()}
        if self.count and arrays.keys() != self._sum.keys():
            raise KeyError(f"grads must be of the parameters {', '.join(self._sum)}, got {', '.join(grads)}")
        for name, grad in arrays.items():
            if self.count and grad.shape != self._sum[name].shape:
                raise ValueError(f"grads[{name!r}] must be of shape {self._sum[name].shape}, got {grad.shape}")
        if isinstance(weight, bool) or not isinstance(weight, int | float | np.number) or not 0 < weight < math.inf:
            raise ValueError(f"weight must be a positive number, got {weight!r}")
        for name, grad in arrays.items():
            own = grad.dtype if grad.dtype.kind == "f" else np.dtype(np.float64)
            self._dtypes[name] = np.promote_types(own, self._dtypes.get(name, own))
            weighted = float(weight) * grad.astype(np.promote_types(own, np.float64))
            self._sum[name] = weighted + self._sum[name] if self.count else weighted
        self._weight += float(weight)
        self.count += 1
        if self.count < self.steps:
            return None
        mean = {name: (array / self._weight).astype(self._dtypes[name]) for name, array in self._sum.items()}
        self.reset()
        return mean

    def reset(self) -> None:
        """Forget the gradients that have been added since the last mean."""
        self._sum: Params = {}
        self._dtypes: dict[str, np.dtype] = {}
        self._weight, self.count = 0.0, 0

    def state_dict(self) -> dict[str, Any]:
        """A copy of what has been added since the last mean."""
        dtypes = {name: str(dtype) for name, dtype in self._dtypes.items()}
        sums = {"sum": copy.deepcopy(self._sum), "dtypes": dtypes, "weight": self._weight}
        return {"steps": self.steps, "count": self.count, **sums}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved."""
        if not isinstance(saved, Mapping) or set(saved) != {"steps", "count", "sum", "dtypes", "weight"}:
            raise ValueError(f"GradientAccumulator: saved must be what state_dict returns, got {saved!r}")
        if int(saved["steps"]) != self.steps:
            raise ValueError(f"GradientAccumulator: saved must be of {self.steps} steps, got {saved['steps']}")
        self._sum = {name: np.array(array) for name, array in saved["sum"].items()}
        self._dtypes = {name: np.dtype(str(words)) for name, words in saved["dtypes"].items()}
        self._weight, self.count = float(saved["weight"]), int(saved["count"])


class WeightAverage:
    r"""An average of the weights along the way, to evaluate with; training goes on from the weights themselves.

    .. math:: \bar\theta_t = \delta \, \bar\theta_{t-1} + (1 - \delta) \, \theta_t, \qquad \bar\theta_1 = \theta_1

    Parameters
    ----------
    decay : float or None, default 0.999
        :math:`\delta \in [0, 1)`, an exponential moving average. None: the mean of all weights seen, as in
        stochastic weight averaging.

    Attributes
    ----------
    params : dict of str to ndarray
        The averages; empty before the first `update`. What is not floating point (a counter, a mask) is not averaged
        but copied: its newest value. Averages of float16 are kept in float32, in which small changes still count.

    References
    ----------
    Polyak and Juditsky (1992), "Acceleration of stochastic approximation by averaging"; Izmailov et al. (2018),
    "Averaging weights leads to wider optima and better generalization".

    Examples
    --------
    >>> average = WeightAverage(decay=0.9)
    >>> for value in (1.0, 2.0):
    ...     average.update({"w": np.array([value])})
    >>> average.params
    {'w': array([1.1])}
    """

    def __init__(self, decay: float | None = 0.999) -> None:
        if decay is not None and (
            isinstance(decay, bool) or not isinstance(decay, int | float | np.number) or not 0 <= decay < 1
        ):
            raise ValueError(f"decay must be a number in [0, 1), or None for the mean of all, got {decay!r}")
        self.decay, self.count = None if decay is None else float(decay), 0
        self.params: Params = {}

    def update(self, params: Mapping[str, Any]) -> None:
        """Take the weights into the average."""
        arrays = {name: _weights(name, theta) for name, theta in params.items()}
        if self.count and _kinds(arrays) != _kinds(self.params):
            raise ValueError(
                "params must have the names and shapes, and the kinds of numbers, that the average was begun with"
            )
        self.count += 1
        share = 1 / self.count if self.decay is None else 1 - self.decay
        for name, theta in arrays.items():
            if self.count == 1 or theta.dtype.kind not in "fc":
                self.params[name] = theta.astype(np.float32) if theta.dtype == np.float16 else theta.copy()
            else:
                self.params[name] += share * (theta - self.params[name])

    def state_dict(self) -> dict[str, Any]:
        """A copy of the averages and of how many weights they are of."""
        return {"decay": self.decay, "count": self.count, "params": copy.deepcopy(self.params)}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved; if it does not fit, raise TypeError or ValueError with nothing changed."""
        if not isinstance(saved, Mapping) or set(saved) != {"decay", "count", "params"}:
            raise ValueError(f"WeightAverage: saved must be what state_dict returns, got {saved!r}")
        count = np.asarray(saved["count"])
        if count.ndim or count.dtype.kind not in "iu" or count < 0:
            raise ValueError(f"WeightAverage: saved must have a whole number of at least 0 as count, got {count!r}")
        fresh = WeightAverage(None if saved["decay"] is None else np.asarray(saved["decay"]).item())
        params = {name: _weights(name, array).copy() for name, array in saved["params"].items()}
        self.decay, self.count, self.params = fresh.decay, int(count), params


def _weights(name: str, theta: Any) -> NDArray:
    array = np.asarray(theta)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"params[{name!r}] must be an array of numbers, got {type(theta).__name__} of {array.dtype}")
    return array


def _kinds(arrays: Mapping[str, NDArray]) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (array.dtype.kind, array.shape) for name, array in arrays.items()}
