"""A second moment in the memory of its row and column sums: Adafactor."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState


class Adafactor(Optimizer):
    r"""Adafactor: Adam's second moment, kept only as its row means and column means.

    Adam remembers two numbers for every weight. Adafactor remembers :math:`n + m` for a matrix of :math:`n \times m`:
    it rebuilds :math:`V` from its margins, does without momentum, and takes its rate relative to the weights.

    .. math::
        R_t &= \hat\beta_t R_{t-1} + (1 - \hat\beta_t) \operatorname{rowmeans}(g_t^2 + \epsilon_1), &
        \hat\beta_t &= 1 - t^{-\gamma} \\
        C_t &= \hat\beta_t C_{t-1} + (1 - \hat\beta_t) \operatorname{columnmeans}(g_t^2 + \epsilon_1), &
        \hat V_t &= R_t C_t / \operatorname{mean}(R_t) \\
        u_t &= \frac{g_t / \sqrt{\hat V_t}}{\max(1, \operatorname{rms}(g_t / \sqrt{\hat V_t}) / d)} \\
        \theta_{t+1} &= \theta_t - \max(\epsilon_2, \operatorname{rms}(\theta_t)) \min(\eta, 1/\sqrt t) \, u_t

    Parameters
    ----------
    learning_rate : float or array, default 0.01
        :math:`\eta \in [0, \infty)`, the largest *relative* step: a step changes a layer by about this fraction.
    decay_power : float or array, default 0.8
        :math:`\gamma \in [0, \infty)`; the average looks back about :math:`t^\gamma` steps, always further.
    clip_threshold : float or array, default 1.0
        :math:`d \in (0, \infty)`, the root mean square that :math:`u_t` may have.
    epsilon1 : float or array, default 1e-30
        :math:`\epsilon_1 \in [0, \infty)`, added to the squared gradient.
    epsilon2 : float or array, default 0.001
        :math:`\epsilon_2 \in [0, \infty)`, the size that weights near zero are taken to have.

    Notes
    -----
    State: for a matrix ``row`` and ``column``, its margins; for anything less (a vector, or a bias stored as one row)
    ``v``, shaped like it, in place of :math:`\hat V`. Of more than two axes the last two are factored, as in torch.

    torch.optim.Adafactor differs in where it guards against zeros, which is the same as long as no average of
    squares is near :math:`\epsilon_1`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Shazeer and Stern (2018), "Adafactor: adaptive learning rates with sublinear memory cost", algorithms 4 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> adafactor, params = Adafactor(learning_rate=0.1), {"w": np.ones((2, 3))}
    >>> adafactor.update(params, {"w": np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]])})["w"].round(6)
    array([[0.9, 0.9, 0.9],
           [0.9, 0.9, 0.9]])
    >>> {slot: array.shape for slot, array in adafactor.state["w"].arrays().items()}
    {'row': (2, 1), 'column': (1, 3)}
    """

    learning_rate: float | Array = Hyperparameter(default=0.01)
    decay_power: float | Array = Hyperparameter(default=0.8)
    clip_threshold: float | Array = Hyperparameter(default=1.0, positive=True)
    epsilon1: float | Array = Hyperparameter(default=1e-30)
    epsilon2: float | Array = Hyperparameter(default=0.001)
    slots = ("row", "column", "v")

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        if min(shape[self.sweep_axes :][-2:], default=1) > 1 < len(shape[self.sweep_axes :]):
            return {"row": (*shape[:-1], 1), "column": (*shape[:-2], 1, shape[-1])}
        return {"v": shape}

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        share = state.t**-self.decay_power
        squared = grad**2 + self.epsilon1
        if hasattr(state, "v"):
            root = np.sqrt(average(state.v, squared, share))
        else:
            row = average(state.row, squared.mean(axis=-1, keepdims=True), share)
            column = average(state.column, squared.mean(axis=-2, keepdims=True), share)
            root = np.sqrt(row / row.mean(axis=-2, keepdims=True)) * np.sqrt(column)
        u = grad / root
        u /= np.maximum(1, self.rms(u) / self.clip_threshold)
        relative_rate = np.minimum(self.learning_rate, state.t**-0.5).astype(theta.dtype)
        u *= np.maximum(self.epsilon2, self.rms(theta)) * relative_rate
        theta -= u


def average(mean: Array, value: Array, share: float | Array) -> Array:
    """Move an average in place by a share of the way to a new value, and return it."""
    mean *= 1 - share
    mean += share * value
    return mean
