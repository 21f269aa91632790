"""Steps: what learning rate one amounts to, and how many it takes to get somewhere."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import between, named_arrays, positive
from optim_lib.measure.flat import Params, flattened

Array = NDArray[np.floating]


@dataclass(frozen=True)
class EffectiveRate:
    r"""What learning rate gradient descent would have needed for the step that an optimizer took.

    Attributes
    ----------
    overall : float
        :math:`-\langle \Delta\theta, g\rangle / \lVert g \rVert^2`, over all parameters together: the rate at
        which gradient descent would go as far along the gradient. Negative if the step goes uphill.
    per_parameter : dict of str to ndarray, or ndarray
        :math:`-\Delta\theta_i / g_i`, NaN where the gradient is zero.
    step_norm : float
        :math:`\lVert \Delta\theta \rVert`.
    """

    overall: float
    per_parameter: Params = field(repr=False)
    step_norm: float

    @property
    def median(self) -> float:
        """The median over the parameters whose gradient is not zero; NaN if there are none."""
        rates = flattened(self.per_parameter)[0]
        rates = rates[~np.isnan(rates)]
        return float(np.median(rates)) if rates.size else math.nan


def effective_learning_rate(optimizer: Any, params: Params, gradients: Params) -> EffectiveRate:
    """Look at the next step of an optimizer without taking it.

    Parameters
    ----------
    optimizer : object with ``update(params, grads)``
        With the past it has: the answer for Adam after a thousand steps is not that for a fresh one. Not changed.
    params, gradients : dict of str to ndarray, or ndarray
        Not changed. Weight decay is part of the step, and so of the rate.

    Examples
    --------
    >>> from optim_lib.optimizers import SGD, Adam
    >>> theta, gradient = np.array([1.0, 1.0]), np.array([0.5, 20.0])
    >>> effective_learning_rate(SGD(learning_rate=0.1), theta, gradient).per_parameter
    array([0.1, 0.1])
    >>> effective_learning_rate(Adam(learning_rate=0.1), theta, gradient).per_parameter.round(4)
    array([0.2  , 0.005])
    """
    if not isinstance(params, Mapping):
        rate = effective_learning_rate(optimizer, {"theta": np.asarray(params)}, {"theta": np.asarray(gradients)})
        return EffectiveRate(rate.overall, rate.per_parameter["theta"], rate.step_norm)
    before = {name: np.array(theta) for name, theta in params.items()}
    named_arrays("gradients", gradients, before, "params")
    gradients = {name: np.array(gradients[name]) for name in before}
    copied = {name: theta.copy() for name, theta in before.items()}
    after = copy.deepcopy(optimizer).update(copied, {name: gradient.copy() for name, gradient in gradients.items()})
    moves = {name: np.asarray(after[name], dtype=float) - before[name] for name in before}
    along = sum(float(np.vdot(moves[name], gradients[name])) for name in moves)
    size = sum(float(np.vdot(gradients[name], gradients[name])) for name in moves)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = {n: np.where(gradients[n] != 0, -move / gradients[n], np.nan) for n, move in moves.items()}
    length = math.sqrt(sum(float(np.vdot(move, move)) for move in moves.values()))
    return EffectiveRate(-along / size if size else math.nan, each, length)


def steps_to_tolerance(losses: Any, tolerance: float, lowest: float = 0.0, stay: bool = False) -> Any:
    """The first step at which the loss is within `tolerance` of `lowest`.

    Parameters
    ----------
    losses : Run, History, Sweep, or array of shape (..., steps)
        Anything with ``.losses``, or the losses.
    tolerance : float
    lowest : float, default 0
        The loss of the minimum.
    stay : bool, default False
        Whether it must stay there to the end: a momentum run may dip under and come back up.

    Returns
    -------
    int or None, or ndarray of float of shape (...)
        None, or infinity in an array, if it never is.

    Examples
    --------
    >>> steps_to_tolerance([9.0, 0.1, 3.0, 0.05], tolerance=0.2), steps_to_tolerance([9.0, 0.1], tolerance=1e-9)
    (1, None)
    >>> steps_to_tolerance([9.0, 0.1, 3.0, 0.05], tolerance=0.2, stay=True)
    3
    """
    values = np.asarray(getattr(losses, "losses", losses), dtype=float)
    if not values.ndim or not values.shape[-1]:
        raise ValueError(f"losses must be an array with at least one loss, got {losses!r}")
    positive("tolerance", tolerance)
    between("lowest", lowest, what="a finite number")
    reached = values - lowest <= tolerance
    if stay:
        reached = np.logical_and.accumulate(reached[..., ::-1], axis=-1)[..., ::-1]
    first = np.where(reached.any(axis=-1), reached.argmax(axis=-1), np.inf)
    if values.ndim > 1:
        return first
    return int(first) if np.isfinite(first) else None
