"""What a picture is asked to draw, checked before it is drawn: what it left out in silence would be read as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def numbers(name: str, values: ArrayLike, *, finite: bool = False, log: bool = False) -> NDArray[np.floating]:
    """`values` as an array of floats, if they are numbers; all finite, or fit for a logarithmic axis, where asked."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, got {type(values).__name__} of {array.dtype}")
    array = array.astype(float)
    if not array.size:
        raise ValueError(f"{name} must have at least one number, got none")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite numbers, got {array[~np.isfinite(array)][0]}")
    if log and (array < 0).any():
        raise ValueError(f"{name} must not be below 0 on a logarithmic axis, got {array[array < 0][0]:g}")
    return array


def positive(name: str, values: ArrayLike) -> NDArray[np.floating]:
    """`values` as an array of finite floats above 0."""
    array = numbers(name, values, finite=True)
    if (array <= 0).any():
        raise ValueError(f"{name} must be above 0 on a logarithmic axis, got {array[array <= 0][0]:g}")
    return array


def places(name: str, values: ArrayLike, log: bool) -> NDArray[np.floating]:
    """`values` as where along an axis something is drawn: one dimension, finite, above 0 on a logarithmic axis."""
    array = positive(name, values) if log else numbers(name, values, finite=True)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
    return array


def curve(
    name: str, x: ArrayLike, y: ArrayLike, *, log_x: bool = False, log_y: bool = False
) -> tuple[NDArray, NDArray]:
    """The two arrays of a curve, of one length; of its heights some may not be finite, which end it."""
    xs, ys = places(f"x of {name!r}", x, log_x), numbers(f"y of {name!r}", y, log=log_y)
    if xs.shape != ys.shape:
        raise ValueError(f"x and y of {name!r} must be of the same length, got shapes {xs.shape} and {ys.shape}")
    if not np.isfinite(ys).any():
        raise ValueError(f"y of {name!r} must have a finite value, got none")
    return xs, ys


def named(name: str, values: Any) -> dict[str, Any]:
    """`values` as a dictionary from labels to what is drawn, with at least one."""
    if not isinstance(values, Mapping):
        raise TypeError(f"{name} must be a dictionary from labels to numbers, got {type(values).__name__}")
    if not values:
        raise ValueError(f"{name} must have at least one label, got none")
    return dict(values)
