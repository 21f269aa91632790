r"""Learning-rate schedules: :math:`\eta_t` as a function of the epoch (or step) :math:`t`.

Every schedule takes one epoch or an array of them, is defined from epoch 0 to past the end (where it stays at its last
value), and refuses nonsense with a ValueError that names the argument. Epochs may be fractions, such as 0.1 + 0.2: one
that is within a rounding error of where the rate jumps is where it jumps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Epochs = float | NDArray[np.floating] | NDArray[np.integer]
Rates = float | NDArray[np.floating]
Schedule = Callable[[Epochs], Rates]


def step_decay(initial_lr: float, epoch: Epochs, drop_rate: float = 0.5, epochs_drop: float = 10) -> Rates:
    r"""Multiply the rate by `drop_rate` every `epochs_drop` epochs.

    .. math:: \eta_t = \eta_0 \, \gamma^{\lfloor t/s \rfloor}

    Parameters
    ----------
    initial_lr : float
        :math:`\eta_0 \ge 0`.
    epoch : float or array
        :math:`t \ge 0`.
    drop_rate : float, default 0.5
        :math:`\gamma \in (0, 1]`; the rate is multiplied *by* it, so a smaller value is a larger drop.
    epochs_drop : float, default 10
        :math:`s > 0`.

    Examples
    --------
    >>> step_decay(0.1, 25)
    0.025
    """
    t = _checked_epoch(initial_lr, epoch)
    _require("drop_rate", drop_rate, lambda value: 0 < value <= 1, "in (0, 1]")
    _require("epochs_drop", epochs_drop, lambda value: 0 < value < math.inf, "a positive number of epochs")
    return _like(epoch, initial_lr * drop_rate ** np.floor(_snapped(t / epochs_drop)))


def exponential_decay(initial_lr: float, epoch: Epochs, decay_rate: float = 0.95) -> Rates:
    r"""Multiply the rate by `decay_rate` every epoch.

    .. math:: \eta_t = \eta_0 \, \gamma^t = \eta_0 \, e^{-kt}, \qquad k = -\ln \gamma

    Parameters
    ----------
    initial_lr : float
        :math:`\eta_0 \ge 0`.
    epoch : float or array
        :math:`t \ge 0`.
    decay_rate : float, default 0.95
        :math:`\gamma \in (0, 1]`. It is not :math:`k`: a :math:`\gamma` of 0.95 is a :math:`k` of 0.051.

    Examples
    --------
    >>> round(exponential_decay(0.1, 10), 6)
    0.059874
    """
    t = _checked_epoch(initial_lr, epoch)
    _require("decay_rate", decay_rate, lambda value: 0 < value <= 1, "in (0, 1]")
    return _like(epoch, initial_lr * decay_rate**t)


def cosine_annealing(
    initial_lr: float,
    epoch: Epochs,
    total_epochs: float,
    min_lr: float = 0.0,
) -> Rates:
    r"""Half a cosine from `initial_lr` at epoch 0 to `min_lr` at `total_epochs`, and `min_lr` from there on.

    .. math:: \eta_t = \eta_{\min} + \tfrac12 (\eta_0 - \eta_{\min}) \left(1 + \cos\frac{\pi t}{T}\right)

    Parameters
    ----------
    initial_lr : float
        :math:`\eta_0 \ge 0`.
    epoch : float or array
        :math:`t \ge 0`. Past :math:`T` the formula would rise again; the schedule does not.
    total_epochs : float
        :math:`T > 0`.
    min_lr : float, default 0
        :math:`\eta_{\min} \in [0, \eta_0]`.

    References
    ----------
    Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", equation 5.

    Examples
    --------
    >>> [round(cosine_annealing(0.1, epoch, 10), 4) for epoch in (0, 5, 10, 99)]
    [0.1, 0.05, 0.0, 0.0]
    """
    t = _checked_epoch(initial_lr, epoch)
    _check_total_and_floor(initial_lr, total_epochs, min_lr)
    return _like(epoch, _half_cosine(initial_lr, min_lr, t / total_epochs))


def warmup_cosine(
    initial_lr: float, epoch: Epochs, total_epochs: float, warmup_epochs: float = 5, min_lr: float = 0.0
) -> Rates:
    r"""Rise in a straight line for `warmup_epochs`, then half a cosine down to `min_lr` at `total_epochs`.

    .. math::
        \eta_t = \eta_0 \, \frac{t + 1}{T_w + 1} \quad (t < T_w), \qquad
        \eta_t = \eta_{\min} + \tfrac12 (\eta_0 - \eta_{\min})
                 \left(1 + \cos\frac{\pi (t - T_w)}{T - T_w}\right) \quad (t \ge T_w)

    Parameters
    ----------
    initial_lr : float
        :math:`\eta_0 \ge 0`, the rate at the top, reached at epoch :math:`T_w`.
    epoch : float or array
        :math:`t \ge 0`.
    total_epochs : float
        :math:`T > 0`.
    warmup_epochs : float, default 5
        :math:`T_w \in [0, T]`. With 0 there is no warmup; with :math:`T` there is nothing else, and from epoch
        :math:`T` on the rate is `min_lr`.
    min_lr : float, default 0
        :math:`\eta_{\min} \in [0, \eta_0]`.

    Notes
    -----
    The common :math:`\eta_0 \, t / T_w` has rate 0 at epoch 0 and wastes it; the count here starts one step up.

    Examples
    --------
    >>> [round(warmup_cosine(0.1, epoch, total_epochs=9, warmup_epochs=4), 3) for epoch in (0, 3, 4, 9, 20)]
    [0.02, 0.08, 0.1, 0.0, 0.0]
    """
    t = _checked_epoch(initial_lr, epoch)
    _check_total_and_floor(initial_lr, total_epochs, min_lr)
    accepted = f"in [0, total_epochs] = [0, {total_epochs}]"
    _require("warmup_epochs", warmup_epochs, lambda value: 0 <= value <= total_epochs, accepted)
    rising = initial_lr * (t + 1) / (warmup_epochs + 1)
    decay_epochs = total_epochs - warmup_epochs
    progress = (t - warmup_epochs) / decay_epochs if decay_epochs > _slack(total_epochs) else np.ones_like(t)
    falling = _half_cosine(initial_lr, min_lr, progress)
    return _like(epoch, np.where(_before(t, warmup_epochs), rising, falling))


def one_cycle(
    max_lr: float,
    step: Epochs,
    total_steps: int,
    warmup_fraction: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Rates:
    r"""The learning rate of the one-cycle policy: up along a cosine to `max_lr`, then down to almost nothing.

    It starts at :math:`\eta_{\max}/d`, reaches :math:`\eta_{\max}` at step :math:`pT - 1` and ends, at step
    :math:`T - 1`, at :math:`\eta_{\max}/(d f)`.

    Parameters
    ----------
    max_lr : float
        :math:`\eta_{\max} \ge 0`.
    step : float or array
        :math:`t \ge 0`; from :math:`T - 1` on the last rate is kept.
    total_steps : int
        :math:`T \ge 2`.
    warmup_fraction : float, default 0.3
        :math:`p \in [0, 1)`, the share of steps spent rising. If :math:`pT \le 1`, step 0 is the top.
    div_factor, final_div_factor : float, default 25 and 1e4
        :math:`d, f \ge 1`.

    Notes
    -----
    The same curve as torch.optim.lr_scheduler.OneCycleLR with its defaults; `one_cycle_momentum` is its mirror.

    References
    ----------
    Smith and Topin (2018), "Super-convergence: very fast training of neural networks using large learning rates".

    Examples
    --------
    >>> [round(one_cycle(1.0, step, total_steps=101, warmup_fraction=31 / 101), 4) for step in (0, 30, 100)]
    [0.04, 1.0, 0.0]
    """
    t = _checked_epoch(max_lr, step, names=("max_lr", "step"))
    _require("div_factor", div_factor, lambda value: 1 <= value < math.inf, "a number of at least 1")
    _require("final_div_factor", final_div_factor, lambda value: 1 <= value < math.inf, "a number of at least 1")
    first, last = max_lr / div_factor, max_lr / div_factor / final_div_factor
    return _like(step, _up_and_down(t, total_steps, warmup_fraction, first, max_lr, last))


def one_cycle_momentum(
    step: Epochs,
    total_steps: int,
    warmup_fraction: float = 0.3,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
) -> Rates:
    r"""The momentum of the one-cycle policy: high while the rate is low, and the other way round.

    Parameters
    ----------
    step, total_steps, warmup_fraction
        As in `one_cycle`.
    base_momentum, max_momentum : float, default 0.85 and 0.95
        The momentum at the top of the rate and at both ends; :math:`0 \le` base :math:`\le` max :math:`< 1`.

    References
    ----------
    Smith (2018), "A disciplined approach to neural network hyper-parameters: part 1".

    Examples
    --------
    >>> [round(one_cycle_momentum(step, total_steps=101, warmup_fraction=31 / 101), 2) for step in (0, 30, 100)]
    [0.95, 0.85, 0.95]
    """
    t = _checked_epoch(1.0, step, names=("max_lr", "step"))
    _require("max_momentum", max_momentum, lambda value: 0 <= value < 1, "in [0, 1)")
    _require("base_momentum", base_momentum, lambda value: 0 <= value <= max_momentum, f"in [0, {max_momentum}]")
    return _like(step, _up_and_down(t, total_steps, warmup_fraction, max_momentum, base_momentum, max_momentum))


def warm_restarts(initial_lr: float, epoch: Epochs, period: float, growth: float = 1.0, min_lr: float = 0.0) -> Rates:
    r"""Half a cosine down, then back to the top at once, again and again; each cycle `growth` times as long.

    .. math:: \eta_t = \eta_{\min} + \tfrac12 (\eta_0 - \eta_{\min}) \left(1 + \cos\frac{\pi (t - t_i)}{T_i}\right)

    where cycle :math:`i = 0, 1, \dots` begins at :math:`t_i` and lasts :math:`T_i = T_0 \, g^i`.

    Parameters
    ----------
    initial_lr : float
        :math:`\eta_0 \ge 0`, the rate at the beginning of each cycle.
    epoch : float or array
        :math:`t \ge 0`. There is no end: cycle follows cycle.
    period : float
        :math:`T_0 > 0`, the length of the first cycle.
    growth : float, default 1
        :math:`g \ge 1`.
    min_lr : float, default 0
        :math:`\eta_{\min} \in [0, \eta_0]`: approached at the end of each cycle, whose last epoch is one before the
        next top.

    References
    ----------
    Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", equation 5.

    Examples
    --------
    >>> [round(warm_restarts(0.1, epoch, period=2, growth=2), 3) for epoch in range(7)]
    [0.1, 0.05, 0.1, 0.085, 0.05, 0.015, 0.1]
    """
    t = _checked_epoch(initial_lr, epoch)
    _require("period", period, lambda value: 0 < value < math.inf, "a positive number of epochs")
    _require("growth", growth, lambda value: 1 <= value < math.inf, "a number of at least 1")
    _require("min_lr", min_lr, lambda value: 0 <= value <= initial_lr, f"in [0, initial_lr] = [0, {initial_lr}]")
    t = t / period
    if growth == 1:
        progress = _snapped(t) % 1
    else:
        begin = _geometric_sum(growth)
        cycle = np.floor(np.log1p(t * (growth - 1)) / np.log(growth))
        # The logarithm may be a rounding error off at the border between two cycles.
        cycle = cycle + 1 - _before(t, begin(cycle + 1)) - _before(t, begin(cycle))
        progress = (t - begin(cycle)) / growth**cycle
    return _like(epoch, _half_cosine(initial_lr, min_lr, progress))


def warmup_stable_decay(
    initial_lr: float,
    epoch: Epochs,
    total_epochs: float,
    warmup_epochs: float = 5,
    decay_epochs: float | None = None,
    min_lr: float = 0.0,
) -> Rates:
    r"""Rise in a straight line, stay, and only at the end fall in a straight line: the trapezoid called WSD.

    .. math::
        \eta_t = \eta_0 \, \frac{t + 1}{T_w + 1} \quad (t < T_w), \qquad
        \eta_t = \eta_0 \quad (T_w \le t < T - T_d), \qquad
        \eta_t = \eta_{\min} + (\eta_0 - \eta_{\min}) \frac{T - t}{T_d} \quad (t \ge T - T_d)

    Until the decay begins, the length :math:`T` plays no part: a run can be prolonged by leaving the decay away.

    Parameters
    ----------
    initial_lr : float
        :math:`\eta_0 \ge 0`, the rate of the plateau.
    epoch : float or array
        :math:`t \ge 0`; from :math:`T` on the rate is `min_lr`.
    total_epochs : float
        :math:`T > 0`.
    warmup_epochs : float, default 5
        :math:`T_w \in [0, T]`.
    decay_epochs : float, optional
        :math:`T_d \in [0, T - T_w]`; by default a fifth of the total, or what the warmup leaves of it.
    min_lr : float, default 0
        :math:`\eta_{\min} \in [0, \eta_0]`.

    References
    ----------
    Hu et al. (2024), "MiniCPM: unveiling the potential of small language models with scalable training strategies".

    Examples
    --------
    >>> [round(warmup_stable_decay(0.1, epoch, 10, 2, 4), 3) for epoch in (0, 1, 2, 6, 8, 10, 99)]
    [0.033, 0.067, 0.1, 0.1, 0.05, 0.0, 0.0]
    """
    t = _checked_epoch(initial_lr, epoch)
    _check_total_and_floor(initial_lr, total_epochs, min_lr)
    accepted = f"in [0, total_epochs] = [0, {total_epochs}]"
    _require("warmup_epochs", warmup_epochs, lambda value: 0 <= value <= total_epochs, accepted)
    rest, slack = total_epochs - warmup_epochs, _slack(total_epochs)
    if decay_epochs is None:
        decay_epochs = min(total_epochs / 5, rest)
    accepted = f"in [0, total_epochs - warmup_epochs] = [0, {rest:.12g}]"
    _require("decay_epochs", decay_epochs, lambda value: 0 <= value <= rest + slack, accepted)
    rising = initial_lr * (t + 1) / (warmup_epochs + 1)
    left = (total_epochs - t) / decay_epochs if decay_epochs > slack else np.where(_before(t, total_epochs), 1.0, 0.0)
    falling = min_lr + (initial_lr - min_lr) * np.clip(left, 0, 1)
    return _like(epoch, np.where(_before(t, warmup_epochs), rising, falling))


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[float]) -> Schedule:
    """One schedule after another: each counts its own epochs, from 0 where it takes over.

    Parameters
    ----------
    schedules : sequence of callable
        Each gives a rate from an epoch (or an array of them).
    boundaries : sequence of float
        Where the second, the third, ... take over: one fewer than there are schedules, positive and rising.

    Returns
    -------
    callable
        From an epoch, or an array of them, to the rate.

    Raises
    ------
    ValueError
        If the boundaries do not fit.

    Examples
    --------
    >>> def flat(epoch):
    ...     return step_decay(0.1, epoch, drop_rate=1)
    >>> def falling(epoch):
    ...     return cosine_annealing(0.1, epoch, total_epochs=4)
    >>> join_schedules([flat, falling], boundaries=[10])(np.array([0, 9, 10, 12, 14])).round(3)
    array([0.1 , 0.1 , 0.1 , 0.05, 0.  ])
    """
    schedules, borders = tuple(schedules), np.asarray(boundaries, dtype=np.float64).reshape(-1)
    if not schedules or borders.size != len(schedules) - 1:
        raise ValueError(
            f"boundaries must be one fewer than the {len(schedules)} schedules, got {list(np.ravel(boundaries))}"
        )
    starts = np.concatenate([[0.0], borders])
    if not (np.isfinite(borders).all() and (np.diff(starts) > 0).all()):
        raise ValueError(f"boundaries must be positive and rising, got {borders.tolist()}")

    def joined(epoch: Epochs) -> Rates:
        t = _checked_epoch(1.0, epoch)
        part = np.searchsorted(borders - _slack(borders), t, side="right")
        # Where a schedule is not in charge it is asked for its first epoch, which it always knows.
        own = [np.where(part == k, np.maximum(t - start, 0.0), 0.0) for k, start in enumerate(starts)]
        rates = [np.broadcast_to(schedule(own[k]), t.shape) for k, schedule in enumerate(schedules)]
        return _like(epoch, np.take_along_axis(np.stack(rates), part[None], axis=0)[0])

    return joined


class LearningRateScheduler:
    """The schedules under the names of the article: ``LearningRateScheduler.cosine_annealing(0.1, epoch, 50)``."""

    step_decay = staticmethod(step_decay)
    exponential_decay = staticmethod(exponential_decay)
    cosine_annealing = staticmethod(cosine_annealing)
    warmup_cosine = staticmethod(warmup_cosine)


def _half_cosine(start: float, end: float, progress: NDArray) -> NDArray:
    return end + 0.5 * (start - end) * (1 + np.cos(np.pi * np.clip(progress, 0, 1)))


def _snapped(count: NDArray) -> NDArray:
    """Where a count is within a rounding error of a whole number, that number."""
    whole = np.rint(count)
    return np.where(np.abs(count - whole) <= _slack(whole), whole, count)


def _before(t: NDArray, border: NDArray | float) -> NDArray[np.bool_]:
    """Whether `t` is before a border, and by more than a rounding error."""
    return t < border - _slack(border)


def _slack(t: NDArray | float) -> NDArray | float:
    """Epochs no further apart than this are one and the same: a sum of fractions is not exact."""
    return np.minimum(1e-12 * t, 1e-9 + 4e-15 * t)


def _geometric_sum(ratio: float) -> Callable[[NDArray], NDArray]:
    """The sum of the first n terms 1, ratio, ratio**2, ..., as a function of n."""
    return lambda n: np.expm1(n * np.log1p(ratio - 1)) / (ratio - 1)


def _up_and_down(
    t: NDArray, total_steps: int, warmup_fraction: float, first: float, top: float, last: float
) -> NDArray:
    _require("total_steps", total_steps, lambda value: 2 <= value < math.inf, "a number of at least 2")
    _require("warmup_fraction", warmup_fraction, lambda value: 0 <= value < 1, "in [0, 1)")
    peak = max(warmup_fraction * total_steps - 1, 0.0)
    rising = _half_cosine(first, top, t / peak if peak > 0 else np.ones_like(t))
    falling = _half_cosine(top, last, (t - peak) / (total_steps - 1 - peak))
    return np.where(t < peak, rising, falling)


def _checked_epoch(rate: float, epoch: Epochs, names: tuple[str, str] = ("initial_lr", "epoch")) -> NDArray:
    _require(names[0], rate, lambda value: 0 <= value < math.inf, "a number of at least 0")
    t = np.asarray(epoch)
    if t.dtype.kind not in "fiu" or not np.all((t >= 0) & (t < np.inf)):
        raise ValueError(f"{names[1]} must be a number (or an array of numbers) of at least 0, got {epoch!r}")
    return t.astype(np.float64)


def _check_total_and_floor(initial_lr: float, total_epochs: float, min_lr: float) -> None:
    _require("total_epochs", total_epochs, lambda value: 0 < value < math.inf, "a positive number of epochs")
    _require("min_lr", min_lr, lambda value: 0 <= value <= initial_lr, f"in [0, initial_lr] = [0, {initial_lr}]")


def _require(name: str, value: float, accepts: Callable[[float], bool], accepted: str) -> None:
    is_number = np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiu"
    if not is_number or not accepts(value):
        raise ValueError(f"{name} must be {accepted}, got {value!r}")


def _like(epoch: Epochs, rates: NDArray) -> Rates:
    return float(rates) if np.ndim(epoch) == 0 else rates


__all__ = [
    "LearningRateScheduler",
    "cosine_annealing",
    "exponential_decay",
    "join_schedules",
    "one_cycle",
    "one_cycle_momentum",
    "step_decay",
    "warm_restarts",
    "warmup_cosine",
    "warmup_stable_decay",
]
