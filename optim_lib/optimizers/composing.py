"""Small pieces to put around an optimizer: Lookahead, groups of parameters, clipping, accumulation, averaged weights.

They compose, because each has one of two interfaces. `Lookahead` and `ParameterGroups` are optimizers, made of
optimizers: ``params = optimizer.update(params, grads)``. The others are steps of a training loop, before the update
(`clip_by_value`, `clip_by_global_norm`, `GradientAccumulator`) or after it (`WeightAverage`).

>>> biases_apart = {is_vector: SGD(learning_rate=0.1), "*": Lookahead(SGD(learning_rate=0.2), k=2)}
>>> optimizer, average, params = ParameterGroups(biases_apart), WeightAverage(0.5), {"W": np.eye(2), "b": np.ones(2)}
>>> for _ in range(2):
...     grads, norm = clip_by_global_norm({"W": params["W"], "b": params["b"]}, max_norm=1.0)
...     average.update(optimizer.update(params, grads))
>>> average.params["b"].round(3)
array([0.924, 0.924])
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from optim_lib.optimizers.base import Array, Count, Hyperparameter, Optimizer, ParameterState, Params
from optim_lib.optimizers.sgd import SGD

Predicate = str | Callable[[str, Array], bool]


class Lookahead(Optimizer):
    r"""Lookahead: let any optimizer run ahead for k steps, then go a part of the way after it.

    A fast optimizer explores, and slow weights average where it has been: less noise, and less harm from a rate that
    is too large.

    .. math::
        \theta_{t+1} &= \text{the inner optimizer's step from } \theta_t \\
        \text{every } k \text{ steps:} \quad \phi &\leftarrow \phi + \alpha \, (\theta_{t+1} - \phi), \qquad
            \theta_{t+1} \leftarrow \phi

    Parameters
    ----------
    inner : object with ``update(params, grads)``
        One of this package, or any class with that interface. A copy of it is used: the attribute ``inner``.
    k : int, default 5
        How many steps the inner optimizer runs ahead.
    alpha : float or array, default 0.5
        :math:`\alpha \in [0, 1]`, how far the slow weights follow.

    Notes
    -----
    State: ``slow`` (:math:`\phi`), shaped like the parameter, besides the inner optimizer's, which stays as it is when
    the weights jump back. ``learning_rate`` is the inner optimizer's, so that a schedule may set it.

    Raises
    ------
    TypeError, ValueError
        If `inner` is no optimizer, or a hyperparameter not in its range. `update` lists its own errors.

    References
    ----------
    Zhang, Lucas, Hinton and Ba (2019), "Lookahead optimizer: k steps forward, 1 step back", algorithm 1.

    Examples
    --------
    >>> lookahead, params = Lookahead(SGD(learning_rate=0.1), k=2, alpha=0.5), {"w": np.array([1.0])}
    >>> for _ in range(2):
    ...     params = lookahead.update(params, {"w": np.array([1.0])})
    ...     print(params["w"])
    [0.9]
    [0.9]
    """

    k: int = Count(5)
    alpha: float | Array = Hyperparameter(0.5, below=1.0, closed=True)
    slots = ("slow",)

    def __init__(self, inner: Any, k: int = 5, alpha: float | Array = 0.5) -> None:
        if isinstance(inner, type) or not hasattr(inner, "update"):
            raise TypeError(f"Lookahead: inner must have update(params, grads), such as Adam(), got {inner!r}")
        self.inner = copy.deepcopy(inner)
        self.k, self.alpha = k, alpha

    def begin(self, theta: Array, state: ParameterState) -> None:
        state.slow[...] = theta

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        if state.t % self.k == 0:
            state.slow *= 1 - self.alpha
            state.slow += self.alpha * theta
            theta[...] = state.slow

    def update(self, params: Params, grads: Mapping[str, Array]) -> Params:
        self.check(params, grads)
        for name, theta in params.items():
            self._state_of(name, theta)
        step_in_place(self.inner, params, grads)
        return super().update(params, grads)

    def check(self, params: Params, grads: Mapping[str, Array]) -> None:
        super().check(params, grads)
        if hasattr(self.inner, "check"):
            self.inner.check(params, grads)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "inner": state_of(self.inner)}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        if not isinstance(saved, Mapping) or "inner" not in saved:
            raise ValueError(f"Lookahead: saved must be what state_dict returns, got {saved!r}")
        restore(copy.deepcopy(self.inner), saved["inner"])  # raises if it does not fit, with nothing changed
        super().load_state_dict({name: part for name, part in saved.items() if name != "inner"})
        restore(self.inner, saved["inner"])

    def reset(self) -> None:
        super().reset()
        self.inner.reset()

    @property
    def learning_rate(self) -> float | Array:
        return self.inner.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | Array) -> None:
        self.inner.learning_rate = value

    @property
    def sweep_axes(self) -> int:
        return self.__dict__.get("_sweep_axes", 0)

    @sweep_axes.setter
    def sweep_axes(self, value: int) -> None:
        self._sweep_axes = self.inner.sweep_axes = value

    def __repr__(self) -> str:
        return f"Lookahead({self.inner!r}, k={self.k!r}, alpha={self.alpha!r})"


class ParameterGroups:
    """Another optimizer, or other hyperparameters, for some of the parameters; together they are one optimizer.

    Parameters
    ----------
    groups : mapping from str or callable to optimizer
        Each parameter goes to the first group that wants it. A string is a pattern for its name (``"b*"``; ``"*"``
        takes all that are left), a callable is asked with its name and its array, as `is_vector` is.

    Notes
    -----
    ``learning_rate`` is that of the first group. Setting it, as a schedule does, multiplies the rates of all groups
    alike: they keep the proportions that they had at first.

    Raises
    ------
    TypeError
        If a key or an optimizer is of another kind.
    KeyError
        From `update`: if no group wants a parameter. Before any parameter is changed all are checked.

    Examples
    --------
    No weight decay on biases and norms:

    >>> from optim_lib.optimizers import AdamW
    >>> groups = ParameterGroups({is_vector: AdamW(weight_decay=0.0), "*": AdamW(weight_decay=0.1)})
    >>> params = {"W1": np.ones((3, 2)), "b1": np.ones((1, 2))}
    >>> params = groups.update(params, {"W1": np.zeros((3, 2)), "b1": np.zeros((1, 2))})
    >>> params["W1"][0, 0].round(6), params["b1"][0, 0]
    (np.float64(0.9999), np.float64(1.0))
    """

    def __init__(self, groups: Mapping[Predicate, Any]) -> None:
        if not isinstance(groups, Mapping) or not groups:
            raise TypeError(f"groups must be a dictionary such as {{'b*': SGD(), '*': Adam()}}, got {groups!r}")
        for key, optimizer in groups.items():
            if not isinstance(key, str) and not callable(key):
                raise TypeError(f"groups must have a pattern or a function of name and array as keys, got {key!r}")
            if isinstance(optimizer, type) or not hasattr(optimizer, "update"):
                raise TypeError(f"groups[{key!r}] must have update(params, grads), such as Adam(), got {optimizer!r}")
        self.groups = dict(groups)
        rates = [getattr(optimizer, "learning_rate", math.nan) for optimizer in self.optimizers]
        self._proportions = [rate / rates[0] if np.all(rates[0]) else 1.0 for rate in rates]

    @property
    def optimizers(self) -> list[Any]:
        return list(self.groups.values())

    def update(self, params: Params, grads: Mapping[str, Array]) -> Params:
        """Take one step of each group with its parameters, in place, and return `params`."""
        self.check(params, grads)
        for optimizer, names in zip(self.optimizers, self.members(params), strict=True):
            if names:
                group = {name: params[name] for name in names}
                step_in_place(optimizer, group, {name: grads[name] for name in names})
        return params

    def check(self, params: Params, grads: Mapping[str, Array]) -> None:
        """Raise what `update` would raise, and change nothing."""
        SGD().check(params, grads)
        for optimizer, names in zip(self.optimizers, self.members(params), strict=True):
            if names and hasattr(optimizer, "check"):
                optimizer.check({name: params[name] for name in names}, {name: grads[name] for name in names})

    def eval_params(self, params: Params) -> Params:
        """The parameters at which to evaluate, as each group's optimizer says."""
        result = dict(params)
        for optimizer, names in zip(self.optimizers, self.members(params), strict=True):
            if hasattr(optimizer, "eval_params"):
                result |= optimizer.eval_params({name: params[name] for name in names})
        return result

    def members(self, params: Params) -> list[list[str]]:
        """The names of the parameters of each group."""
        members: list[list[str]] = [[] for _ in self.groups]
        for name, theta in params.items():
            wanting = (index for index, key in enumerate(self.groups) if _wants(key, name, theta))
            index = next(wanting, None)
            if index is None:
                raise KeyError(
                    f"groups has no group for the parameter {name!r}; a last group '*' takes all that are left"
                )
            members[index].append(name)
        return members

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state of every group, in order."""
        states = {str(index): state_of(optimizer) for index, optimizer in enumerate(self.optimizers)}
        return {"optimizer": "ParameterGroups", "groups": states}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved; if it does not fit, raise TypeError or ValueError with nothing changed."""
        if not isinstance(saved, Mapping) or saved.get("optimizer") != "ParameterGroups" or "groups" not in saved:
            raise ValueError(f"ParameterGroups: saved must be what state_dict returns, got {saved!r}")
        states = [saved["groups"][key] for key in sorted(saved["groups"], key=int)]
        if len(states) != len(self.groups):
            raise ValueError(f"ParameterGroups: saved must have {len(self.groups)} groups, got {len(states)}")
        for optimizer, state in zip(self.optimizers, states, strict=True):
            restore(copy.deepcopy(optimizer), state)
        for optimizer, state in zip(self.optimizers, states, strict=True):
            restore(optimizer, state)

    def reset(self) -> None:
        """Forget all state, as if no step had been taken; hyperparameters stay."""
        for optimizer in self.optimizers:
            optimizer.reset()

    @property
    def learning_rate(self) -> float | Array:
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | Array) -> None:
        for optimizer, proportion in zip(self.optimizers, self._proportions, strict=True):
            optimizer.learning_rate = value * proportion

    def __repr__(self) -> str:
        parts = (f"{getattr(key, '__name__', repr(key))}: {optimizer!r}" for key, optimizer in self.groups.items())
        return f"ParameterGroups({{{', '.join(parts)}}})"


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

    def add(self, grads: Mapping[str, Array], weight: float = 1.0) -> Params | None:
        """Add gradients; return the weighted mean with the last of `steps`, and None before.

        Give the number of examples as the weight if the batches are of different sizes.
        """
        if self.count and grads.keys() != self._sum.keys():
            raise KeyError(f"grads must be of the parameters {', '.join(self._sum)}, got {', '.join(grads)}")
        for name, grad in grads.items():
            if self.count and np.shape(grad) != self._sum[name].shape:
                raise ValueError(f"grads[{name!r}] must be of shape {self._sum[name].shape}, got {np.shape(grad)}")
        if not 0 < weight < math.inf:
            raise ValueError(f"weight must be a positive number, got {weight!r}")
        for name, grad in grads.items():
            self._sum[name] = weight * np.asarray(grad) + (self._sum[name] if self.count else 0)
        self._weight += weight
        self.count += 1
        if self.count < self.steps:
            return None
        mean = {name: array / self._weight for name, array in self._sum.items()}
        self.reset()
        return mean

    def reset(self) -> None:
        """Forget the gradients that have been added since the last mean."""
        self._sum: Params = {}
        self._weight, self.count = 0.0, 0


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
        The averages; empty before the first `update`.

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
        if decay is not None and (isinstance(decay, bool) or not 0 <= decay < 1):
            raise ValueError(f"decay must be a number in [0, 1), or None for the mean of all, got {decay!r}")
        self.decay, self.count = decay, 0
        self.params: Params = {}

    def update(self, params: Params) -> None:
        """Take the weights into the average."""
        if self.count and {n: a.shape for n, a in params.items()} != {n: a.shape for n, a in self.params.items()}:
            raise ValueError("params must have the names and shapes that the average was begun with")
        self.count += 1
        for name, theta in params.items():
            if self.count == 1:
                self.params[name] = theta.copy()
                continue
            share = 1 / self.count if self.decay is None else 1 - self.decay
            self.params[name] += share * (theta - self.params[name])

    def state_dict(self) -> dict[str, Any]:
        """A copy of the averages and of how many weights they are of."""
        return {"decay": self.decay, "count": self.count, "params": copy.deepcopy(self.params)}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved."""
        if not isinstance(saved, Mapping) or set(saved) != {"decay", "count", "params"}:
            raise ValueError(f"WeightAverage: saved must be what state_dict returns, got {saved!r}")
        fresh = WeightAverage(saved["decay"])
        self.decay, self.count, self.params = fresh.decay, int(saved["count"]), copy.deepcopy(dict(saved["params"]))


def clip_by_value(grads: Mapping[str, Array], limit: float) -> Params:
    """Gradients with every coordinate cut to [-limit, limit], as new arrays. It changes their direction.

    >>> clip_by_value({"w": np.array([3.0, -0.5])}, limit=1.0)
    {'w': array([ 1. , -0.5])}
    """
    _check_positive("limit", limit)
    return {name: np.clip(grad, -limit, limit) for name, grad in grads.items()}


def clip_by_global_norm(grads: Mapping[str, Array], max_norm: float) -> tuple[Params, float]:
    """Gradients scaled down together, where their norm is above `max_norm`, to that norm; and the norm they had.

    Their direction stays. A norm that is not finite stays what it is: clipping does not mend a NaN.

    >>> clipped, norm = clip_by_global_norm({"a": np.array([3.0]), "b": np.array([4.0])}, max_norm=1.0)
    >>> clipped["a"], clipped["b"], norm
    (array([0.6]), array([0.8]), 5.0)
    """
    _check_positive("max_norm", max_norm)
    norm = global_norm(grads)
    scale = max_norm / norm if norm > max_norm else 1.0
    return {name: grad * scale for name, grad in grads.items()}, norm


def global_norm(arrays: Mapping[str, Array]) -> float:
    """The Euclidean norm of all arrays taken together."""
    return math.sqrt(sum(float(np.vdot(array, array)) for array in arrays.values()))


def is_vector(name: str, theta: Array) -> bool:
    """Whether a parameter has at most one axis that is longer than one, as biases and norms have."""
    return sum(n > 1 for n in theta.shape) <= 1


def step_in_place(optimizer: Any, params: Params, grads: Mapping[str, Array]) -> None:
    """One step of any optimizer, also of one that returns new arrays: their values are brought home."""
    before = dict(params)
    after = optimizer.update(params, grads)
    for name, array in before.items():
        if after[name] is not array:
            array[...] = after[name]
            params[name] = array


def state_of(optimizer: Any) -> Any:
    return optimizer.state_dict() if hasattr(optimizer, "state_dict") else copy.deepcopy(vars(optimizer))


def restore(optimizer: Any, saved: Any) -> None:
    if hasattr(optimizer, "load_state_dict"):
        optimizer.load_state_dict(saved)
    else:
        vars(optimizer).update(copy.deepcopy(saved))


def _wants(key: Predicate, name: str, theta: Array) -> bool:
    return fnmatchcase(name, key) if isinstance(key, str) else bool(key(name, theta))


def _check_positive(argument: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < math.inf:
        raise ValueError(f"{argument} must be a positive number, got {value!r}")
