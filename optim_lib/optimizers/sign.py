"""Steps of one size in every coordinate: Lion."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState


class Lion(Optimizer):
    r"""Lion: step by the sign of a momentum, the same distance in every coordinate.

    A program search over update rules found it. Adam's step is already close to a sign (of the first moment, where
    the gradient is steady), yet it keeps a second moment to find that out. Lion takes the sign, and keeps one.

    .. math::
        c_t &= \beta_1 m_{t-1} + (1 - \beta_1) \, g_t \\
        \theta_{t+1} &= \theta_t - \eta \, (\operatorname{sign}(c_t) + \lambda \, \theta_t) \\
        m_t &= \beta_2 m_{t-1} + (1 - \beta_2) \, g_t

    Parameters
    ----------
    learning_rate : float or array, default 0.0001
        :math:`\eta \in [0, \infty)`, the distance that every coordinate moves; the authors advise a third to a tenth
        of AdamW's.
    beta1 : float or array, default 0.9
        :math:`\beta_1 \in [0, 1)`, how much of the past there is in the step.
    beta2 : float or array, default 0.99
        :math:`\beta_2 \in [0, 1)`, how much of it is remembered.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, decoupled as in `AdamW`; the authors advise three to ten times AdamW's.

    Notes
    -----
    State: ``m``, shaped like the parameter: half of Adam's. The step looks back less far than the memory: the sign is
    taken of a mixture of its own, :math:`c_t`, before the gradient enters :math:`m`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Chen et al. (2023), "Symbolic discovery of optimization algorithms", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> Lion(learning_rate=0.1).update({"w": np.array([1.0, 1.0])}, {"w": np.array([100.0, -0.01])})["w"].round(6)
    array([0.9, 1.1])
    """

    learning_rate: float | Array = Hyperparameter(default=0.0001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.99, below=1.0)
    weight_decay: float | Array = Hyperparameter(default=0.0)
    slots = ("m",)
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        c = self.beta1 * state.m + (1 - self.beta1) * grad
        theta -= self.learning_rate * (np.sign(c) + self.weight_decay * theta)
        state.m *= self.beta2
        state.m += (1 - self.beta2) * grad
