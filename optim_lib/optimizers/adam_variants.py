"""Three changes to Adam: a look-ahead (NAdam), a rate that trusts v only when it may (RAdam), another v (AdaBelief)."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.adam import update_moments
from optim_lib.optimizers.base import Array, Hyperparameter, Optimizer, ParameterState


class NAdam(Optimizer):
    r"""NAdam: Adam with Nesterov's look-ahead in place of plain momentum.

    Adam's first moment is momentum's; Nesterov's momentum is better than plain momentum for the reasons of its own
    chapter. NAdam steps along the momentum that the *next* step will use, of which the current gradient is known.

    .. math::
        \mu_t &= \beta_1 \, (1 - 0.5 \cdot 0.96^{\,t \psi}), \qquad \Pi_t = \Pi_{t-1} \, \mu_t \\
        \theta_{t+1} &= \theta_t - \frac{\eta}{\sqrt{\hat v_t} + \epsilon} \left(
            \frac{\mu_{t+1} \, m_t}{1 - \Pi_t \mu_{t+1}} + \frac{(1 - \mu_t) \, g_t}{1 - \Pi_t} \right)

    with :math:`m_t` and :math:`\hat v_t` as in `Adam`, and :math:`\Pi_0 = 1`.

    Parameters
    ----------
    learning_rate : float or array, default 0.002
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    momentum_decay : float or array, default 0.004
        :math:`\psi \in [0, \infty)`; the momentum :math:`\mu_t` grows from about :math:`\beta_1/2` to :math:`\beta_1`,
        the sooner the larger this is.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter, and the number ``product``, :math:`\Pi_t`.

    Sources disagree: optax.nadam leaves out the schedule :math:`\mu_t`; torch.optim.NAdam, followed here, has it.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Dozat (2016), "Incorporating Nesterov momentum into Adam".

    Examples
    --------
    >>> import numpy as np
    >>> NAdam(learning_rate=0.1).update({"w": np.array([1.0])}, {"w": np.array([4.0])})["w"].round(4)
    array([0.8944])
    """

    learning_rate: float | Array = Hyperparameter(default=0.002)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    momentum_decay: float | Array = Hyperparameter(default=0.004)
    slots = ("m", "v")
    numbers = ("product",)
    elementwise = True

    def begin(self, theta: Array, state: ParameterState) -> None:
        state.product[...] = 1

    def advance(self, state: ParameterState) -> None:
        state.product *= self._momentum(state.t)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        mu, mu_next = self._momentum(state.t), self._momentum(state.t + 1)
        ahead = mu_next / (1 - state.product * mu_next) * state.m + (1 - mu) / (1 - state.product) * grad
        v_hat = state.v / (1 - self.beta2**state.t)
        theta -= self.learning_rate * ahead / (np.sqrt(v_hat) + self.epsilon)

    def _momentum(self, t: int) -> float | Array:
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))


class RAdam(Optimizer):
    r"""RAdam: Adam that does not divide by its second moment until it has seen enough gradients to trust it.

    In the first steps :math:`\hat v` is an average of very few squares: its root varies wildly, and so does the step.
    Warm-up hides that. RAdam computes how many squares :math:`\hat v` is worth, :math:`\rho_t`, takes steps of plain
    momentum while they are too few, and then scales the rate by the factor :math:`r_t` that makes up for the variance.

    .. math::
        \rho_\infty &= \frac{2}{1 - \beta_2} - 1, \qquad
        \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t} \\
        r_t &= \sqrt{\frac{(\rho_t - 4)(\rho_t - 2) \, \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2) \, \rho_t}} \\
        \theta_{t+1} &= \theta_t - \eta \, \hat m_t \cdot
            \begin{cases} r_t / (\sqrt{\hat v_t} + \hat\epsilon) & \text{if } \rho_t > 5 \\ 1 & \text{if not}
            \end{cases}

    with :math:`\hat m_t` and :math:`\hat v_t` as in `Adam`, and :math:`\hat\epsilon = \epsilon/\sqrt{1 - \beta_2^t}`.

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`. While :math:`\rho_t \le 5` (at the default, for five steps) the step is as long
        as the gradient is large.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`. With :math:`\beta_2 \le 2/3` it is :math:`\rho_\infty \le 5`, and the second
        moment is never used.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter.

    Sources disagree: the paper takes the rectified step when :math:`\rho_t > 4` and has no :math:`\epsilon`;
    torch.optim.RAdam, followed here, as the authors' own code, takes it when :math:`\rho_t > 5`, and adds
    :math:`\epsilon` to the root of the uncorrected :math:`v_t`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Liu et al. (2020), "On the variance of the adaptive learning rate and beyond", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> RAdam(learning_rate=0.1).update({"w": np.array([1.0])}, {"w": np.array([4.0])})["w"].round(6)
    array([0.6])
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
        trusted, r = rectification(self.beta2, state.t)
        correction = (1 - self.beta2**state.t) ** 0.5 * r.astype(theta.dtype)
        scale = np.where(trusted, correction / (np.sqrt(state.v) + self.epsilon), 1)
        theta -= self.learning_rate * m_hat * scale


class AdaBelief(Optimizer):
    r"""AdaBelief: Adam that divides by how far the gradient strays from its average, not by how large it is.

    A large gradient that is always the same is no reason for small steps: Adam divides it away. AdaBelief takes a
    long step where the gradient is what momentum foretold, and a short one where it is a surprise.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) \, g_t \\
        s_t &= \beta_2 s_{t-1} + (1 - \beta_2) \, (g_t - m_t)^2 + \epsilon \\
        \theta_{t+1} &= \theta_t - \frac{\eta}{\sqrt{\hat s_t} + \epsilon} \, \hat m_t,
            \qquad \hat m_t = \frac{m_t}{1 - \beta_1^t}, \quad \hat s_t = \frac{s_t}{1 - \beta_2^t}

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`. With :math:`\beta_1 = 0` the surprise is always zero.
    epsilon : float or array, default 1e-16
        :math:`\epsilon \in [0, \infty)`; it is added both to :math:`s_t`, in every step, and outside the root.

    Notes
    -----
    State: ``m`` and ``s``, shaped like the parameter.

    As optax.adabelief with both of its epsilons equal. The default of :math:`\epsilon` is that of the authors' package.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Zhuang et al. (2020), "AdaBelief optimizer: adapting stepsizes by the belief in observed gradients", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> AdaBelief(learning_rate=0.1).update({"w": np.array([1.0])}, {"w": np.array([4.0])})["w"].round(4)
    array([0.8889])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-16)
    slots = ("m", "s")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        state.m *= self.beta1
        state.m += (1 - self.beta1) * grad
        state.s *= self.beta2
        state.s += (1 - self.beta2) * (grad - state.m) ** 2 + self.epsilon
        m_hat = state.m / (1 - self.beta1**state.t)
        s_hat = state.s / (1 - self.beta2**state.t)
        theta -= self.learning_rate * m_hat / (np.sqrt(s_hat) + self.epsilon)


def rectification(beta2: float | Array, t: int) -> tuple[np.bool | Array, np.floating | Array]:
    r"""Whether :math:`\hat v_t` is worth more than five squares, and then RAdam's factor :math:`r_t` (0 if not)."""
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    trusted = np.greater(rho, 5)
    numerator = (rho - 4) * (rho - 2) * rho_inf
    denominator = (rho_inf - 4) * (rho_inf - 2) * rho
    return trusted, np.sqrt(np.where(trusted, numerator, 0) / np.where(trusted, denominator, 1))
