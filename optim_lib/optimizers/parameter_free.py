"""A learning rate found while training, from the distance that has been covered: Prodigy."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState


class Prodigy(Optimizer):
    r"""Prodigy: Adam whose rate is an estimate, ever growing, of the distance to the minimum.

    The best rate is proportional to the distance :math:`D = \lVert\theta_0 - \theta^*\rVert`, which nobody knows. The
    gradients met on the way bound it from below; Prodigy uses the bound :math:`d_t` as its rate.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) \, d_t g_t, \qquad
            v_t = \beta_2 v_{t-1} + (1 - \beta_2) \, d_t^2 g_t^2 \\
        r_t &= \sqrt{\beta_2} \, r_{t-1}
            + (1 - \sqrt{\beta_2}) \, \eta d_t^2 \, \langle g_t, \theta_0 - \theta_t \rangle \\
        s_t &= \sqrt{\beta_2} \, s_{t-1} + (1 - \sqrt{\beta_2}) \, \eta d_t^2 \, g_t \\
        \theta_{t+1} &= (1 - \eta d_t \lambda) \, \theta_t - \eta d_t \, \frac{m_t}{\sqrt{v_t} + d_t \epsilon} \\
        d_{t+1} &= \max(d_t, \; r_t / \lVert s_t \rVert_1)

    Parameters
    ----------
    learning_rate : float or array, default 1.0
        :math:`\eta \in [0, \infty)`, a factor on the estimate: the place for a schedule, left at 1 otherwise.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, decoupled as in `AdamW`.
    d0 : float or array, default 1e-6
        :math:`d_1 \in (0, \infty)`: the first estimate, which has to be too small.

    Notes
    -----
    State: ``m``, ``v``, ``s`` and ``start`` (:math:`\theta_0`), shaped like the parameter: twice Adam's. The numbers
    ``r`` (this parameter's part of the sum) and ``d``, which is one for all parameters: they do not go their own ways.
    A NaN in one gradient spoils its own parameter, and stops :math:`d` from growing.

    As in the paper and the authors' code (``prodigyopt``) there is no bias correction; optax has one. The code uses
    :math:`d_{t+1}`, not :math:`d_t`, with :math:`\epsilon`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Mishchenko and Defazio (2024), "Prodigy: an expeditiously adaptive parameter-free learner", the version for Adam.

    Examples
    --------
    >>> import numpy as np
    >>> prodigy, params = Prodigy(), {"w": np.array([0.0])}
    >>> for _ in range(200):
    ...     params = prodigy.update(params, {"w": params["w"] - 5})
    >>> prodigy.state["w"].d.round(1), params["w"].round(1)
    (array([2.7]), array([5.]))
    """

    learning_rate: float | Array = Hyperparameter(default=1.0)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    weight_decay: float | Array = Hyperparameter(default=0.0)
    d0: float | Array = Hyperparameter(default=1e-6, positive=True)
    slots = ("m", "v", "s", "start")
    numbers = ("r", "d")

    def begin(self, theta: Array, state: ParameterState) -> None:
        state.start[...] = theta
        known = [self._for_all(other.d) for other in self.state.values()]
        state.d[...] = known[0].reshape(state.d.shape) if known else self.d0

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        d, root = state.d, self.beta2**0.5
        state.m *= self.beta1
        state.m += (1 - self.beta1) * d * grad
        state.v *= self.beta2
        state.v += (1 - self.beta2) * (d * grad) ** 2
        state.r *= root
        state.r += (1 - root) * self.learning_rate * d**2 * self._sum(grad * (state.start - theta))
        state.s *= root
        state.s += (1 - root) * self.learning_rate * d**2 * grad
        theta *= 1 - self.learning_rate * d * self.weight_decay
        theta -= self.learning_rate * d * state.m / (np.sqrt(state.v) + d * self.epsilon)

    def couple(self) -> None:
        states = [self.state[name] for name in sorted(self.state)]
        numerator = sum(self._for_all(state.r) for state in states)
        denominator = sum(self._for_all(self._sum(np.abs(state.s))) for state in states)
        estimate = numerator / np.where(denominator > 0, denominator, 1)
        for state in states:
            state.d[...] = np.fmax(state.d, estimate.reshape(state.d.shape))

    def _sum(self, x: Array) -> Array:
        return x.sum(axis=self.own_axes(x), keepdims=True)

    def _for_all(self, number: Array) -> Array:
        """One number of a parameter, without the parameter's axes: in a sweep, of the shape of the grid."""
        return number.reshape(number.shape[: self.sweep_axes])
