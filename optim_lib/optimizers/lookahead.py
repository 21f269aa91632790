"""Slow weights that follow any optimizer: Lookahead."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from optim_lib.optimizers.base import Array, Count, Hyperparameter, Optimizer, P, ParameterState
from optim_lib.optimizers.wrapping import forget, is_optimizer, restore, state_of, step_in_place, words_of


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
    >>> import numpy as np
    >>> from optim_lib.optimizers import SGD
    >>> lookahead, params = Lookahead(SGD(learning_rate=0.1), k=2, alpha=0.5), {"w": np.array([1.0])}
    >>> for _ in range(2):
    ...     params = lookahead.update(params, {"w": np.array([1.0])})
    ...     print(params["w"])
    [0.9]
    [0.9]
    """

    k: int = Count(default=5)
    alpha: float | Array = Hyperparameter(default=0.5, below=1.0, closed=True)
    slots = ("slow",)
    elementwise = True

    def __init__(self, inner: Any, k: int = 5, alpha: float | Array = 0.5) -> None:
        if not is_optimizer(inner):
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

    def update(self, params: P, grads: Mapping[str, Any]) -> P:
        self.check(params, grads)
        for name, theta in params.items():
            self._state_of(name, theta)
        step_in_place(self.inner, params, grads)
        return super().update(params, grads)

    def check(self, params: Mapping[str, Any], grads: Mapping[str, Any]) -> None:
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

    def eval_params(self, params: P) -> P:
        """The parameters at which to evaluate, as the inner optimizer says."""
        return self.inner.eval_params(params) if hasattr(self.inner, "eval_params") else params

    def reset(self) -> None:
        forget(self.inner, "Lookahead")
        super().reset()

    @property
    def learning_rate(self) -> float | Array:
        return self.inner.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | Array) -> None:
        if not hasattr(self.inner, "learning_rate"):
            raise AttributeError(f"Lookahead: {words_of(self.inner)} has no learning_rate to be set")
        self.inner.learning_rate = value

    @property
    def sweep_axes(self) -> int:
        return self.__dict__.get("_sweep_axes", 0)

    @sweep_axes.setter
    def sweep_axes(self, value: int) -> None:
        self._sweep_axes = self.inner.sweep_axes = value

    def __repr__(self) -> str:
        return f"Lookahead({words_of(self.inner)}, k={self.k!r}, alpha={self.alpha!r})"

    def _own_attributes(self) -> dict[str, Any]:
        return {name: value for name, value in super()._own_attributes().items() if name != "inner"}
