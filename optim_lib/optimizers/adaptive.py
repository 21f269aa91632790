"""A learning rate for each parameter, from the size of its own past gradients: AdaGrad, RMSprop, centered RMSprop."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState


class AdaGrad(Optimizer):
    r"""AdaGrad: divide each coordinate's step by the root of its summed squared gradients.

    SGD and momentum use one rate for every parameter, though a rare feature's weight sees few and small gradients.
    AdaGrad gives each coordinate its own rate, large where little has been seen and shrinking as more arrives.

    .. math::
        G_t &= G_{t-1} + g_t^2 \\
        \theta_{t+1} &= \theta_t - \frac{\eta}{\sqrt{G_t} + \epsilon} \, g_t

    Parameters
    ----------
    learning_rate : float or array, default 0.01
        :math:`\eta \in [0, \infty)`; the size of a coordinate's first step.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`; keeps the division defined.

    Notes
    -----
    State: ``accumulated``, shaped like the parameter.

    Sources disagree on :math:`\epsilon`: it stands outside the root here, as in Duchi et al. and torch.optim.Adagrad.
    Inside the root, :math:`\sqrt{G_t + \epsilon}`, the same 1e-8 acts like 1e-4 outside it.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Duchi, Hazan and Singer (2011), "Adaptive subgradient methods for online learning and stochastic optimization".

    Examples
    --------
    >>> import numpy as np
    >>> AdaGrad(learning_rate=0.1).update({"w": np.array([1.0, 1.0])}, {"w": np.array([100.0, 0.01])})["w"].round(6)
    array([0.9, 0.9])
    """

    learning_rate: float | Array = Hyperparameter(default=0.01)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    slots = ("accumulated",)
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        state.accumulated += grad**2
        theta -= self.learning_rate * grad / (np.sqrt(state.accumulated) + self.epsilon)


class RMSprop(Optimizer):
    r"""RMSprop: AdaGrad that forgets, by averaging squared gradients instead of summing them.

    AdaGrad's sum only grows, so its steps only shrink. A decaying average follows the recent size of the gradient.

    .. math::
        E[g^2]_t &= \gamma \, E[g^2]_{t-1} + (1 - \gamma) \, g_t^2 \\
        \theta_{t+1} &= \theta_t - \frac{\eta}{\sqrt{E[g^2]_t} + \epsilon} \, g_t

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    decay : float or array, default 0.9
        :math:`\gamma \in [0, 1)`; the average looks back about :math:`1/(1-\gamma)` steps.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`; outside the root, as in torch.optim.RMSprop.

    Notes
    -----
    State: ``mean_square``, shaped like the parameter. It starts at zero and is not corrected for that, so the first
    step is :math:`1/\sqrt{1-\gamma}` times as long as a later one.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Tieleman and Hinton (2012), "Lecture 6.5: rmsprop", Neural Networks for Machine Learning, Coursera.

    Examples
    --------
    >>> import numpy as np
    >>> RMSprop(learning_rate=0.1, decay=0.75).update({"w": np.array([1.0])}, {"w": np.array([5.0])})["w"].round(6)
    array([0.8])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    decay: float | Array = Hyperparameter(default=0.9, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    slots = ("mean_square",)
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        state.mean_square *= self.decay
        state.mean_square += (1 - self.decay) * grad**2
        theta -= self.learning_rate * grad / (np.sqrt(state.mean_square) + self.epsilon)


class CenteredRMSprop(RMSprop):
    r"""Centered RMSprop: divide by how much the gradient varies, not by how large it is.

    RMSprop divides a steady slope by its own size, and so takes steps of one rate however sure of it the gradients are.
    With the square of the mean taken off, what is left is a variance: agreement makes the steps longer.

    .. math::
        d_t &= g_t - \mu_{t-1}, \qquad \mu_t = \mu_{t-1} + (1 - \gamma) \, d_t \\
        \sigma^2_t &= \gamma \, \bigl(\sigma^2_{t-1} + (1 - \gamma) \, d_t^2\bigr)
            = E[g^2]_t - E[g]_t^2 \\
        \theta_{t+1} &= \theta_t - \frac{\eta}{\sigma_t + \epsilon} \, g_t

    Parameters
    ----------
    learning_rate, decay, epsilon : float or array
        As in `RMSprop`; both averages forget with the same `decay`.

    Notes
    -----
    State: ``mean``, :math:`\mu`, and ``variance``, :math:`\sigma^2`, shaped like the parameter. A gradient that never
    changes has no variance, and its step grows to :math:`\eta g / \epsilon`. Papers, and torch.optim.RMSprop with
    ``centered=True``, write the variance as the difference of two averages: in exact arithmetic the same, but rounding
    can bring it below zero, and the root is then NaN. Updated as a variance, it cannot be negative.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Graves (2013), "Generating sequences with recurrent neural networks", with momentum and :math:`\epsilon` inside the
    root. Finch (2009), "Incremental calculation of weighted mean and variance", equation 143, for the variance.

    Examples
    --------
    >>> import numpy as np
    >>> optimizer = CenteredRMSprop(learning_rate=0.1, decay=0.8)
    >>> optimizer.update({"w": np.array([1.0])}, {"w": np.array([5.0])})["w"].round(6)
    array([0.75])
    """

    slots = ("mean", "variance")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        deviation = grad - state.mean
        state.mean += (1 - self.decay) * deviation
        state.variance += (1 - self.decay) * deviation**2
        state.variance *= self.decay
        theta -= self.learning_rate * grad / (np.sqrt(state.variance) + self.epsilon)
