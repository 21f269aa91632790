"""An average of the iterates, taken while training, in place of a schedule: Schedule-Free SGD and AdamW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState, Params


class ScheduleFree(Optimizer):
    r"""What both rules share: the points :math:`x`, :math:`y` and :math:`z`.

    `params` holds :math:`y`, where gradients are taken; evaluate at :math:`x`, which `eval_params` gives.
    """

    learning_rate: float | Array
    beta1: float | Array
    numbers = ("weight_sum",)

    def begin(self, theta: Array, state: ParameterState) -> None:
        state.z[...] = theta

    def advance(self, state: ParameterState) -> None:
        state.weight_sum += self.learning_rate**2

    def eval_params(self, params: Mapping[str, Any]) -> Params:
        r"""The averages :math:`x`, at which to evaluate, as new arrays; `params` stays at :math:`y`, and may go on.

        Of a parameter that has taken no step, a copy.
        """
        averages = {name: theta.copy() for name, theta in params.items()}
        for name, theta in params.items():
            if name in self.state:
                with self._cast_to(theta.dtype):
                    averages[name] = average_of(theta, self.state[name].z, self.beta1)
        return averages

    def move(self, y: Array, direction: Array, state: ParameterState) -> None:
        r"""Step :math:`z` along a direction, average it into :math:`x`, and mix the two to :math:`y`."""
        x = average_of(y, state.z, self.beta1)
        share = self.learning_rate**2 / np.where(state.weight_sum > 0, state.weight_sum, 1)
        state.z -= self.learning_rate * direction
        x += share * (state.z - x)
        y[...] = state.z + self.beta1 * (x - state.z)


class ScheduleFreeSGD(ScheduleFree):
    r"""Schedule-Free SGD: an average in place of a schedule, that knows of no last step.

    Averaging the iterates removes their noise as a decaying rate does, but an average lags, and nobody steps from it.
    Here SGD moves :math:`z`, :math:`x` is the average of all :math:`z`, and gradients are taken in between, at
    :math:`y`: close enough to the average to know where it is going.

    .. math::
        y_t &= (1 - \beta_1) \, z_t + \beta_1 \, x_t \\
        z_{t+1} &= z_t - \eta \, (g_t + \lambda \, y_t), \qquad g_t = \nabla L(y_t) \\
        x_{t+1} &= (1 - c_{t+1}) \, x_t + c_{t+1} \, z_{t+1},
            \qquad c_{t+1} = \eta_t^2 \Big/ \textstyle\sum_{i \le t} \eta_i^2

    Parameters
    ----------
    learning_rate : float or array, default 1.0
        :math:`\eta \in [0, \infty)`, held constant; larger than SGD's.
    beta1 : float or array, default 0.9
        :math:`\beta_1 \in (0, 1)`, how close to the average gradients are taken.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, of the weights at :math:`y`.

    Notes
    -----
    State: ``z``, shaped like the parameter, and the number ``weight_sum``, :math:`\sum \eta_i^2`. `params` holds
    :math:`y`; :math:`x` is computed from :math:`y` and :math:`z`, when `eval_params` is asked for it.

    With a constant rate :math:`c_t = 1/t` and :math:`x` is the plain average. A warm-up counts in it little.
    Where the rate falls, the authors' code and optax weight by the largest rate so far; here, as in the paper, by
    the rate of the step.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Defazio et al. (2024), "The road less scheduled".

    Examples
    --------
    >>> import numpy as np
    >>> optimizer, params = ScheduleFreeSGD(learning_rate=0.5), {"w": np.array([1.0])}
    >>> for _ in range(2):
    ...     params = optimizer.update(params, {"w": np.array([1.0])})
    >>> params["w"].round(4), optimizer.state["w"].z, optimizer.eval_params(params)["w"].round(4)
    (array([0.225]), array([0.]), array([0.25]))
    """

    learning_rate: float | Array = Hyperparameter(default=1.0)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0, positive=True)
    weight_decay: float | Array = Hyperparameter(default=0.0)
    slots = ("z",)
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        self.move(theta, grad + self.weight_decay * theta, state)


class ScheduleFreeAdamW(ScheduleFree):
    r"""Schedule-Free AdamW: the same averaging, with Adam's scale for each coordinate.

    The average takes the place of Adam's first moment, and :math:`\beta_1` says how close to it gradients are taken.

    .. math::
        y_t &= (1 - \beta_1) \, z_t + \beta_1 \, x_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) \, g_t^2, \qquad \hat v_t = v_t / (1 - \beta_2^t),
            \qquad g_t = \nabla L(y_t) \\
        z_{t+1} &= z_t - \eta \left( \frac{g_t}{\sqrt{\hat v_t} + \epsilon} + \lambda \, y_t \right) \\
        x_{t+1} &= (1 - c_{t+1}) \, x_t + c_{t+1} \, z_{t+1},
            \qquad c_{t+1} = \eta_t^2 \Big/ \textstyle\sum_{i \le t} \eta_i^2

    Parameters
    ----------
    learning_rate : float or array, default 0.0025
        :math:`\eta \in [0, \infty)`, held constant after a warm-up; the authors advise one to ten times AdamW's.
    beta1 : float or array, default 0.9
        :math:`\beta_1 \in (0, 1)`.
    beta2 : float or array, default 0.999
        :math:`\beta_2 \in [0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, of the weights at :math:`y`.

    Notes
    -----
    State: ``z`` and ``v``, shaped like the parameter, as much as Adam's, and the number ``weight_sum``. `params` holds
    :math:`y`; `eval_params` gives :math:`x`.

    Sources disagree: the paper counts the correction of :math:`v` as part of the rate :math:`\eta_t`, and so in
    :math:`c_t`; the authors' code and optax, followed here, do not.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Defazio et al. (2024), "The road less scheduled", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> optimizer = ScheduleFreeAdamW(learning_rate=0.1)
    >>> optimizer.update({"w": np.array([1.0, 1.0])}, {"w": np.array([100.0, -0.01])})["w"].round(6)
    array([0.9, 1.1])
    """

    learning_rate: float | Array = Hyperparameter(default=0.0025)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0, positive=True)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    weight_decay: float | Array = Hyperparameter(default=0.0)
    slots = ("z", "v")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        state.v *= self.beta2
        state.v += (1 - self.beta2) * grad**2
        v_hat = state.v / (1 - self.beta2**state.t)
        self.move(theta, grad / (np.sqrt(v_hat) + self.epsilon) + self.weight_decay * theta, state)


def average_of(y: Array, z: Array, beta1: float | Array) -> Array:
    r"""The :math:`x` of which :math:`y = (1 - \beta_1) z + \beta_1 x` is the mixture, as a new array."""
    return z + (y - z) / beta1
