"""Gradient descent and its two kinds of momentum, in order of increasing complexity."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.base import Array, Hyperparameter, L2Penalty, Optimizer, ParameterState


class SGD(Optimizer):
    r"""Stochastic gradient descent: step against the gradient.

    .. math:: \theta_{t+1} = \theta_t - \eta \, g_t

    It is gradient descent when :math:`g_t = \nabla L(\theta_t)` is the gradient over all the data, and stochastic
    gradient descent when :math:`g_t` comes from a sample or a mini-batch: the rule is the same.

    Parameters
    ----------
    learning_rate : float or array, default 0.01
        :math:`\eta \in [0, \infty)`. On a quadratic with largest curvature :math:`\lambda_{\max}` the steps converge
        if and only if :math:`0 < \eta < 2/\lambda_{\max}`.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, of an L2 penalty: the :math:`g_t` above is then the gradient plus
        :math:`\lambda\theta_t`, as in torch.optim.SGD.

    Notes
    -----
    State: none, 0 bytes for each parameter.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Robbins and Monro (1951), "A stochastic approximation method".

    Examples
    --------
    >>> import numpy as np
    >>> SGD(learning_rate=0.1).update({"w": np.array([1.0, 2.0])}, {"w": np.array([1.0, -1.0])})
    {'w': array([0.9, 2.1])}
    """

    learning_rate: float | Array = Hyperparameter(default=0.01)
    weight_decay: float | Array = L2Penalty(default=0.0)
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        theta -= self.learning_rate * grad


class MomentumSGD(Optimizer):
    r"""Gradient descent with (heavy-ball) momentum: step along a decaying sum of past gradients.

    SGD forgets every gradient it has seen, so in a ravine it undoes on each step half of what it did on the last.
    The velocity :math:`v` remembers: components that flip sign cancel, components that agree add up.

    .. math::
        v_t &= \beta \, v_{t-1} + (1 - d) \, g_t \\
        \theta_{t+1} &= \theta_t - \eta \, v_t

    Parameters
    ----------
    learning_rate : float or array, default 0.01
        :math:`\eta \in [0, \infty)`.
    momentum : float or array, default 0.9
        :math:`\beta \in [0, 1)`. A steady gradient is summed to :math:`1/(1-\beta)` times itself, so the effective
        rate is :math:`\eta/(1-\beta)`.
    dampening : float or array, default 0.0
        :math:`d \in [0, 1]`; where it equals :math:`\beta`, the velocity is an average in place of a sum. As in
        torch.optim.SGD the first gradient is not dampened, and none is without momentum.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, of an L2 penalty, as in `SGD`.

    Notes
    -----
    State: ``velocity``, shaped like the parameter.

    The velocity is a decayed *sum* of gradients, not their average, and does not contain the rate, as in
    torch.optim.SGD. Sutskever et al. (2013) keep :math:`\eta` inside the velocity; the two agree as long as the
    rate is constant and differ when it changes during the run.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Polyak (1964), "Some methods of speeding up the convergence of iteration methods".

    Examples
    --------
    >>> import numpy as np
    >>> optimizer, params = MomentumSGD(learning_rate=0.1, momentum=0.5), {"w": np.array([1.0])}
    >>> for _ in range(2):
    ...     params = optimizer.update(params, {"w": np.array([1.0])})
    >>> params
    {'w': array([0.75])}
    """

    learning_rate: float | Array = Hyperparameter(default=0.01)
    momentum: float | Array = Hyperparameter(default=0.9, below=1.0)
    dampening: float | Array = Hyperparameter(default=0.0, below=1.0, closed=True)
    weight_decay: float | Array = L2Penalty(default=0.0)
    slots = ("velocity",)
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        if state.t > 1 and np.any(self.dampening):
            grad = (1 - self.dampening * (self.momentum > 0)) * grad
        accumulate(grad, state, self.momentum)
        theta -= self.learning_rate * state.velocity


class NesterovMomentum(Optimizer):
    r"""Nesterov's accelerated gradient: momentum that looks where it is going before it measures the slope.

    Momentum measures the gradient where it stands, then is carried on by its velocity, and corrects one step late.
    Nesterov measures it at the look-ahead point :math:`\theta_t - \eta \beta v_{t-1}`. Written for the look-ahead
    point itself (which is what `params` holds), no second gradient is needed:

    .. math::
        v_t &= \beta \, v_{t-1} + g_t \\
        \theta_{t+1} &= \theta_t - \eta \, (g_t + \beta \, v_t)

    Parameters
    ----------
    learning_rate : float or array, default 0.01
        :math:`\eta \in [0, \infty)`.
    momentum : float or array, default 0.9
        :math:`\beta \in [0, 1)`.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, of an L2 penalty, as in `SGD`.

    Notes
    -----
    State: ``velocity``, shaped like the parameter.

    `params` holds the look-ahead point; the point of the original equation is
    :math:`\theta_t + \eta \beta v_{t-1}`. The velocity does not contain the rate, as in torch.optim.SGD with
    ``nesterov=True``; with the rate inside it the two differ once the rate changes during the run.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Nesterov (1983), "A method for solving the convex programming problem with convergence rate O(1/k^2)";
    Sutskever, Martens, Dahl and Hinton (2013), "On the importance of initialization and momentum in deep learning".

    Examples
    --------
    >>> import numpy as np
    >>> NesterovMomentum(learning_rate=0.1, momentum=0.5).update({"w": np.array([1.0])}, {"w": np.array([1.0])})
    {'w': array([0.85])}
    """

    learning_rate: float | Array = Hyperparameter(default=0.01)
    momentum: float | Array = Hyperparameter(default=0.9, below=1.0)
    weight_decay: float | Array = L2Penalty(default=0.0)
    slots = ("velocity",)
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        accumulate(grad, state, self.momentum)
        theta -= self.learning_rate * (grad + self.momentum * state.velocity)


def accumulate(grad: Array, state: ParameterState, momentum: float | Array) -> None:
    r"""Update the velocity in place: :math:`v_t = \beta v_{t-1} + g_t`."""
    state.velocity *= momentum
    state.velocity += grad
