"""Adam and its near relations: Adam without its correction, AMSGrad, and AdamW."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState


class Adam(Optimizer):
    r"""Adam: momentum's direction, RMSprop's scale, and a correction for both having started at zero.

    Momentum smooths the gradient but keeps one rate for all coordinates; RMSprop scales each coordinate but steps
    along a raw gradient. Adam keeps an average of each and divides the first by the root of the second.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) \, g_t, & \hat m_t &= m_t / (1 - \beta_1^t) \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) \, g_t^2, & \hat v_t &= v_t / (1 - \beta_2^t) \\
        \theta_{t+1} &= \theta_t - \frac{\eta}{\sqrt{\hat v_t} + \epsilon} \, \hat m_t

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`; also, roughly, the largest distance a coordinate moves in one step.
    beta1 : float or array, default 0.9
        :math:`\beta_1 \in [0, 1)`; the first moment looks back about :math:`1/(1-\beta_1)` steps.
    beta2 : float or array, default 0.999
        :math:`\beta_2 \in [0, 1)`; the second moment looks back about :math:`1/(1-\beta_2)` steps.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`; outside the root, as in the paper and torch.optim.Adam.

    Notes
    -----
    State: ``m`` (first moment) and ``v`` (second moment), shaped like the parameter, and its own step count ``t``.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> Adam(learning_rate=0.1).update({"w": np.array([1.0, 1.0])}, {"w": np.array([100.0, -0.01])})["w"].round(6)
    array([0.9, 1.1])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    slots = ("m", "v")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v / (1 - self.beta2**state.t)
        theta -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class UncorrectedAdam(Optimizer):
    r"""Adam without bias correction, to show what the correction is for.

    Both moments start at zero and are still mostly zero after a few steps. The root of the second is further from
    its true size than the first, so the early steps are too *long*: by :math:`(1-\beta_1)/\sqrt{1-\beta_2}`, about 3.2,
    on the first step at the defaults.

    .. math:: \theta_{t+1} = \theta_t - \frac{\eta}{\sqrt{v_t} + \epsilon} \, m_t

    with :math:`m_t` and :math:`v_t` as in `Adam`.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float or array
        As in `Adam`, with its defaults.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization", section 3, on why the correction is there.

    Examples
    --------
    >>> import numpy as np
    >>> UncorrectedAdam(learning_rate=0.1).update({"w": np.array([1.0])}, {"w": np.array([5.0])})["w"].round(4)
    array([0.6838])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    slots = ("m", "v")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        theta -= self.learning_rate * state.m / (np.sqrt(state.v) + self.epsilon)


class AMSGrad(Optimizer):
    r"""AMSGrad: Adam whose second moment may grow but never shrink.

    Adam forgets a rare, large, informative gradient after about :math:`1/(1-\beta_2)` steps and is then carried off
    by the many small ones. AMSGrad divides by the largest second moment seen so far, so a coordinate's rate never
    grows again.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) \, g_t \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) \, g_t^2, \qquad v^{\max}_t = \max(v^{\max}_{t-1}, v_t) \\
        \theta_{t+1} &= \theta_t - \frac{\eta}{\sqrt{v^{\max}_t / (1 - \beta_2^t)} + \epsilon}
                        \, \frac{m_t}{1 - \beta_1^t}

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.

    Notes
    -----
    State: ``m``, ``v`` and ``v_max``, shaped like the parameter.

    Sources disagree: the paper has no bias correction; torch.optim.Adam with ``amsgrad=True``, followed here, takes
    the maximum of the uncorrected second moments and then corrects; optax takes it of the corrected ones.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Reddi, Kale and Kumar (2018), "On the convergence of Adam and beyond", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> AMSGrad(learning_rate=0.1).update({"w": np.array([1.0])}, {"w": np.array([4.0])})["w"].round(6)
    array([0.9])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    slots = ("m", "v", "v_max")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        np.maximum(state.v_max, state.v, out=state.v_max)
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v_max / (1 - self.beta2**state.t)
        theta -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class AdamW(Optimizer):
    r"""AdamW: Adam with weight decay applied to the weights themselves, not through the gradient.

    An L2 penalty in the loss adds :math:`\lambda\theta` to the gradient, which Adam then divides by
    :math:`\sqrt{\hat v}`: weights with large gradients are decayed less. AdamW shrinks every weight alike.

    .. math::
        \theta_{t+1} = (1 - \eta\lambda) \, \theta_t - \frac{\eta}{\sqrt{\hat v_t} + \epsilon} \, \hat m_t

    with :math:`\hat m_t` and :math:`\hat v_t` as in `Adam`.

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    weight_decay : float or array, default 0.01
        :math:`\lambda \in [0, \infty)`. A step shrinks the weights by the factor :math:`1 - \eta\lambda`, as in
        torch.optim.AdamW; the paper's own :math:`\lambda` is this product, without the rate.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter. The decay acts on :math:`\theta_t`, before the Adam step.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Loshchilov and Hutter (2019), "Decoupled weight decay regularization", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> AdamW(learning_rate=0.1, weight_decay=0.5).update({"w": np.array([1.0])}, {"w": np.array([1.0])})["w"].round(6)
    array([0.85])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    weight_decay: float | Array = Hyperparameter(default=0.01)
    slots = ("m", "v")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        theta *= 1 - self.learning_rate * self.weight_decay
        update_moments(grad, state, self.beta1, self.beta2)
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v / (1 - self.beta2**state.t)
        theta -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


def update_moments(grad: Array, state: ParameterState, beta1: float | Array, beta2: float | Array) -> None:
    r"""Update the averages of :math:`g` and :math:`g^2` in place: :math:`m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t`."""
    state.m *= beta1
    state.m += (1 - beta1) * grad
    state.v *= beta2
    state.v += (1 - beta2) * grad**2
