"""Gradients that are too large, cut down before the update: by value, or by their norm."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.optimizers import checks
from optim_lib.optimizers.base import Params

# Squares between these neither overflow nor vanish in double precision, also when many are added up.
SAFE = 1e-290, 1e290


def clip_by_value(grads: Mapping[str, Any], limit: float) -> Params:
    """Gradients with every coordinate cut to [-limit, limit], as new arrays. It changes their direction.

    >>> clip_by_value({"w": np.array([3.0, -0.5])}, limit=1.0)
    {'w': array([ 1. , -0.5])}
    """
    check_positive("limit", limit)
    clipped = {}
    for name, grad in _real(grads).items():
        largest = float(np.finfo(grad.dtype).max) if grad.dtype.kind == "f" else math.inf
        clipped[name] = np.clip(grad, -min(limit, largest), min(limit, largest))
    return clipped


def clip_by_global_norm(grads: Mapping[str, Any], max_norm: float) -> tuple[Params, float]:
    """Gradients scaled down together, where their norm is above `max_norm`, to that norm; and the norm they had.

    Their direction stays. A norm that is not finite stays what it is: clipping does not mend a NaN.

    >>> clipped, norm = clip_by_global_norm({"a": np.array([3.0]), "b": np.array([4.0])}, max_norm=1.0)
    >>> clipped["a"], clipped["b"], norm
    (array([0.6]), array([0.8]), 5.0)
    """
    check_positive("max_norm", max_norm)
    arrays = _real(grads)
    unit, length = _unit_and_length(arrays)
    norm = unit * length
    if not norm > max_norm:
        return {name: grad * 1.0 for name, grad in arrays.items()}, norm
    return {name: _scaled(grad, max_norm / unit / length) for name, grad in arrays.items()}, norm


def global_norm(arrays: Mapping[str, Any]) -> float:
    """The Euclidean norm of all arrays taken together, in double precision."""
    unit, length = _unit_and_length(_real(arrays))
    return unit * length


def _unit_and_length(arrays: Mapping[str, NDArray]) -> tuple[float, float]:
    """The norm as a product, whose second part is not too large for a number, and whose squares are not either."""
    wide = [np.asarray(array, np.result_type(array, np.float64)) for array in arrays.values()]
    with np.errstate(over="ignore", under="ignore"):
        total = sum(float(np.vdot(array, array)) for array in wide)
    if SAFE[0] < total < SAFE[1]:
        return 1.0, math.sqrt(total)
    largest = max((float(np.max(np.abs(array), initial=0)) for array in wide), default=0.0)
    if math.isnan(total) or not 0 < largest < math.inf:
        return 1.0, math.sqrt(total)
    return largest, math.sqrt(sum(float(np.vdot(array / largest, array / largest)) for array in wide))


def _scaled(grad: NDArray, scale: float) -> NDArray:
    """The product in the gradient's own precision, with a scale that need not be one of its numbers."""
    dtype = grad.dtype if grad.dtype.kind == "f" else np.dtype(np.float64)
    if dtype.itemsize >= 4 and scale >= np.finfo(dtype).tiny:
        return grad * scale
    with np.errstate(invalid="ignore", under="ignore"):  # an infinity times a scale of zero is no number
        return (grad.astype(np.result_type(dtype, np.float64)) * scale).astype(dtype)


def _real(grads: Mapping[str, Any]) -> dict[str, NDArray]:
    return {name: checks.real_array(f"grads[{name!r}]", grad) for name, grad in grads.items()}


def check_positive(argument: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < math.inf:
        raise ValueError(f"{argument} must be a positive number, got {value!r}")
