"""Three rules that begin from AdamW: a second, longer memory, a safe second moment, and a decay that asks first."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.adam import update_moments
from optim_lib.optimizers.base import Array, Choice, Hyperparameter, Optimizer, ParameterState


class AdEMAMix(Optimizer):
    r"""AdEMAMix: AdamW with a second momentum that remembers ten thousand gradients.

    One average cannot both follow the last gradients and remember old ones: with :math:`\beta_1` near 1 it forgets
    little and turns slowly. AdEMAMix keeps two, one as short as Adam's and one very long, and adds them.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) \, g_t, \qquad
            n_t = \beta_{3,t} \, n_{t-1} + (1 - \beta_{3,t}) \, g_t \\
        \theta_{t+1} &= (1 - \eta\lambda) \, \theta_t
            - \frac{\eta}{\sqrt{\hat v_t} + \epsilon} \, (\hat m_t + \alpha_t \, n_t)

    with :math:`\hat m_t` and :math:`\hat v_t` as in `Adam`. For :math:`T` steps both grow, :math:`\alpha_t` from zero
    in a straight line, :math:`\beta_{3,t}` from :math:`\beta_1` so that the half-life :math:`h(\beta) = -1/\log_2\beta`
    of the memory does:

    .. math::
        \alpha_t = \frac{t}{T} \, \alpha, \qquad
        h(\beta_{3,t}) = \Bigl(1 - \frac{t}{T}\Bigr) \, h(\beta_1) + \frac{t}{T} \, h(\beta_3)

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`.
    beta3 : float or array, default 0.9999
        In :math:`[0, 1)`; the long memory looks back about :math:`1/(1-\beta_3)` steps. With one such that this is
        longer than the run, :math:`n` is hardly more than a sum.
    alpha : float or array, default 5.0
        :math:`\alpha \in [0, \infty)`, the weight of the long memory; the authors advise 4 to 10. With 0 it is AdamW.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, decoupled as in `AdamW`.
    warmup : float or array, default 0.0
        :math:`T \in [0, \infty)`, in steps; the authors take the length of the run. With 0, :math:`\alpha_t = \alpha`
        and :math:`\beta_{3,t} = \beta_3` from the first step.

    Notes
    -----
    State: ``m``, ``n`` (the long memory, :math:`m_2` in the paper) and ``v``, shaped like the parameter: half as much
    again as Adam's. The long memory is not corrected for having started at zero.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Pagliardini, Ablin and Grangier (2025), "The AdEMAMix optimizer: better, faster, older", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> AdEMAMix(learning_rate=0.1, beta3=0.9).update({"w": np.array([1.0])}, {"w": np.array([4.0])})["w"].round(6)
    array([0.85])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    beta3: float | Array = Hyperparameter(default=0.9999, below=1.0)
    alpha: float | Array = Hyperparameter(default=5.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    weight_decay: float | Array = Hyperparameter(default=0.0)
    warmup: float | Array = Hyperparameter(default=0.0)
    slots = ("m", "n", "v")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        grown = warmed_up(state.t, self.warmup)
        beta3 = of_half_life((1 - grown) * half_life(self.beta1) + grown * half_life(self.beta3))
        theta *= 1 - self.learning_rate * self.weight_decay
        update_moments(grad, state, self.beta1, self.beta2)
        state.n *= beta3
        state.n += (1 - beta3) * grad
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v / (1 - self.beta2**state.t)
        theta -= self.learning_rate * (m_hat + grown * self.alpha * state.n) / (np.sqrt(v_hat) + self.epsilon)


class ADOPT(Optimizer):
    r"""ADOPT: Adam that divides each gradient by the size of those before it, and averages afterwards.

    In Adam a gradient stands above and below the fraction line: a rare, large one enters the second moment that divides
    it, and counts for less than it should. That is why Adam fails on some convex problems unless :math:`\beta_2` is
    close enough to 1. ADOPT takes the second moment of the step before, and so converges with any.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) \operatorname{clip}\left(
            \frac{g_t}{\max(\sqrt{v_{t-1}}, \epsilon)}, \; (t-1)^{1/4} \right) \\
        \theta_{t+1} &= \theta_t - \eta \, m_t, \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2) \, g_t^2

    where :math:`\operatorname{clip}(x, c)` cuts :math:`x` to :math:`[-c, c]`. The first gradient only makes
    :math:`v_1 = g_1^2`: no step is taken with it.

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.9999
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-6
        :math:`\epsilon \in (0, \infty)`, the least that is divided by.
    clip : 1 or 0, default 1
        Whether ratios are clipped. It steadies the first steps, when :math:`v` is one square; the convergence for any
        :math:`\beta_2` is that of the rule without.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter. No correction is needed: :math:`v` begins at a square, and
    :math:`m` of ratios near 1.

    Sources disagree by one step about what is clipped first: :math:`(t-1)^{1/4}` in the authors' code and in optax,
    both followed here; :math:`t^{1/4}` in pytorch-optimizer. Algorithm 1 of the paper has no clipping, algorithm 2 has.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Taniguchi et al. (2024), "ADOPT: modified Adam can converge with any beta2 with the optimal rate", algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> adopt, params = ADOPT(learning_rate=0.1, beta1=0.0), {"w": np.array([1.0])}
    >>> for grad in (4.0, 2.0):
    ...     print(adopt.update(params, {"w": np.array([grad])})["w"])
    [1.]
    [0.95]
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.9999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-6, positive=True)
    clip: int = Choice(default=1, among=(0, 1))
    slots = ("m", "v")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        if state.t == 1:
            state.v += grad**2
            return
        ratio = grad / np.maximum(np.sqrt(state.v), self.epsilon)
        if self.clip:
            limit = (state.t - 1) ** 0.25
            ratio = np.clip(ratio, -limit, limit)
        state.m *= self.beta1
        state.m += (1 - self.beta1) * ratio
        theta -= self.learning_rate * state.m
        state.v *= self.beta2
        state.v += (1 - self.beta2) * grad**2


class CautiousAdamW(Optimizer):
    r"""Cautious weight decay: AdamW that shrinks a weight only where its step does not make it larger.

    Where the gradient asks for a larger weight, decay pulls back what the step has just gained. Cautious decay lets
    go there: it acts on the coordinates where the step goes towards zero, or across it.

    .. math::
        u_t &= \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon} \\
        \theta_{t+1} &= \theta_t - \eta \left( u_t + \lambda \, \mathbb 1[u_t \theta_t \ge 0] \; \theta_t \right)

    with :math:`\hat m_t` and :math:`\hat v_t` as in `Adam`, and everything taken coordinate by coordinate.

    Parameters
    ----------
    learning_rate : float or array, default 0.001
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.9 and 0.999
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    weight_decay : float or array, default 0.01
        :math:`\lambda \in [0, \infty)`, as in `AdamW`; the authors keep AdamW's value.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter. A point where the loss has no slope is a resting point here, as
    it is without any decay; AdamW rests where the slope and the decay cancel.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Chen et al. (2025), "Cautious weight decay", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> cautious = CautiousAdamW(learning_rate=0.1, weight_decay=0.5)
    >>> cautious.update({"w": np.array([1.0, 1.0])}, {"w": np.array([1.0, -1.0])})["w"].round(6)
    array([0.85, 1.1 ])
    """

    learning_rate: float | Array = Hyperparameter(default=0.001)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.999, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    weight_decay: float | Array = Hyperparameter(default=0.01)
    slots = ("m", "v")
    elementwise = True

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v / (1 - self.beta2**state.t)
        u = m_hat / (np.sqrt(v_hat) + self.epsilon)
        decayed = theta * (u * theta >= 0)
        theta -= self.learning_rate * (u + self.weight_decay * decayed)


def warmed_up(t: int, steps: float | Array) -> float | Array:
    """How much of a warm-up is over at step `t`, from 0 to 1; all of it if it has no steps."""
    if not isinstance(steps, np.ndarray):
        return min(t / steps, 1.0) if steps else 1.0
    return np.where(steps == 0, 1, np.minimum(t, steps) / np.where(steps == 0, 1, steps))


def half_life(beta: float | Array) -> float | Array:
    r"""After how many steps an average has forgotten half: :math:`-1/\log_2\beta`; at once, if :math:`\beta` is 0."""
    with np.errstate(divide="ignore"):
        return -1 / np.log2(beta)


def of_half_life(steps: float | Array) -> float | Array:
    r"""The :math:`\beta` of that half-life, :math:`2^{-1/h}`."""
    with np.errstate(divide="ignore"):
        beta = np.exp2(-1 / np.asarray(steps))
    return beta if beta.ndim else float(beta)
