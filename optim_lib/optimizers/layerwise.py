"""A learning rate for each layer, from the norms of its weights and of its update: LARS and LAMB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optim_lib.optimizers.adam import update_moments
from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState


class LARS(Optimizer):
    r"""LARS: momentum whose rate is set, layer by layer, by the ratio of weight norm to gradient norm.

    With large batches one rate is too large for some layers and too small for others. LARS makes each layer's step
    a fixed fraction of its weights, whatever the scale of its gradient.

    .. math::
        \lambda_t &= \phi \, \frac{\lVert\theta_t\rVert}{\lVert g_t\rVert + \lambda \lVert\theta_t\rVert} \\
        v_t &= \beta \, v_{t-1} + \eta \, \lambda_t \, (g_t + \lambda \, \theta_t) \\
        \theta_{t+1} &= \theta_t - v_t

    Parameters
    ----------
    learning_rate : float or array, default 0.1
        :math:`\eta \in [0, \infty)`, the global rate.
    momentum : float or array, default 0.9
        :math:`\beta \in [0, 1)`.
    weight_decay : float or array, default 0.0005
        :math:`\lambda \in [0, \infty)`.
    trust_coefficient : float or array, default 0.001
        :math:`\phi \in [0, \infty)`, how far the layer's own ratio is trusted.

    Notes
    -----
    State: ``velocity``, shaped like the parameter; it contains the rate, as in the paper. A layer is one entry of
    `params`, and the norm is taken over all of it. Where either norm is zero the ratio is 1 (a zero bias would
    otherwise never move): the paper is silent, its published implementations do the same.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    You, Gitman and Ginsburg (2017), "Large batch training of convolutional networks", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> lars = LARS(learning_rate=1.0, momentum=0.0, weight_decay=0.0, trust_coefficient=0.1)
    >>> lars.update({"w": np.array([3.0, 4.0])}, {"w": np.array([0.0, 100.0])})["w"].round(6)
    array([3. , 3.5])
    """

    learning_rate: float | Array = Hyperparameter(default=0.1)
    momentum: float | Array = Hyperparameter(default=0.9, below=1.0)
    weight_decay: float | Array = Hyperparameter(default=0.0005)
    trust_coefficient: float | Array = Hyperparameter(default=0.001)
    slots = ("velocity",)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        weight_norm, grad_norm = self.norm(theta), self.norm(grad)
        numerator = self.trust_coefficient * weight_norm
        denominator = grad_norm + self.weight_decay * weight_norm
        local_rate = trust_ratio(numerator, denominator, defined=(weight_norm > 0) & (grad_norm > 0))
        state.velocity *= self.momentum
        state.velocity += self.learning_rate * local_rate * (grad + self.weight_decay * theta)
        theta -= state.velocity


class LAMB(Optimizer):
    r"""LAMB: AdamW's direction, rescaled layer by layer so that the step is a fraction of the weights.

    LARS brought layer-wise rates to momentum; LAMB brings them to Adam.

    .. math::
        r_t &= \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon} \\
        \theta_{t+1} &= \theta_t
            - \eta \, \frac{\lVert\theta_t\rVert}{\lVert r_t + \lambda\theta_t\rVert} \, (r_t + \lambda \, \theta_t)

    with :math:`\hat m_t` and :math:`\hat v_t` as in `Adam`.

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-6
        :math:`\epsilon \in [0, \infty)`.
    weight_decay : float or array, default 0.01
        :math:`\lambda \in [0, \infty)`.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter. A layer is one entry of `params`. The paper's scaling function
    :math:`\phi` is the identity here, as in optax.lamb, and the ratio is 1 where either norm is zero.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    You et al. (2020), "Large batch optimization for deep learning: training BERT in 76 minutes", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> lamb = LAMB(learning_rate=0.1, weight_decay=0.0)
    >>> lamb.update({"w": np.array([3.0, 4.0])}, {"w": np.array([0.0, 100.0])})["w"].round(6)
    array([3. , 3.5])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-6)
    weight_decay: float | Array = Hyperparameter(default=0.01)
    slots = ("m", "v")

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v / (1 - self.beta2**state.t)
        r = m_hat / (np.sqrt(v_hat) + self.epsilon)
        direction = r + self.weight_decay * theta
        weight_norm, norm = self.norm(theta), self.norm(direction)
        ratio = trust_ratio(weight_norm, norm, defined=(weight_norm > 0) & (norm > 0))
        theta -= self.learning_rate * ratio * direction


def trust_ratio(numerator: Array, denominator: Array, defined: NDArray[np.bool_]) -> Array:
    """`numerator / denominator`, or 1 where it is not `defined`: where a norm is zero."""
    return np.where(defined, numerator / np.where(defined, denominator, 1), 1).astype(numerator.dtype)
