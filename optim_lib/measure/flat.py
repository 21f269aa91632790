"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import named_arrays

Array = NDArray[np.floating]
Params = dict[str, Array] | Array
Gradients = Callable[[Params], Params]


def flattened(params: Params, what: str = "params", like: Params | None = None) -> tuple[Array, Callable]:
    """All parameters as one vector in float64, in the order of `like` where that is given, and the way back."""
    if like is not None and isinstance(like, Mapping) != isinstance(params, Mapping):
        wanted = "a dictionary" if isinstance(like, Mapping) else "an array"
        raise TypeError(f"{what} must be {wanted}, as the parameters are, got {type(params).__name__}")
    if not isinstance(params, Mapping):
        array = _numbers(what, params)
        if like is not None and array.shape != np.shape(like):
            raise ValueError(f"{what} must have the shape of the parameters, {np.shape(like)}, got {array.shape}")
        return array.ravel().copy(), lambda flat: flat.reshape(array.shape)
    if like is not None:
        named_arrays(what, params, like, "the parameters")
    if not params:
        raise ValueError(f"{what} must have at least one array, got an empty dictionary")
    arrays = {name: _numbers(f"{what}[{name!r}]", params[name]) for name in (params if like is None else like)}
    flat = np.concatenate([array.ravel() for array in arrays.values()])
    ends = np.cumsum([array.size for array in arrays.values()])[:-1]

    def rebuild(vector: Array) -> dict[str, Array]:
        parts = np.split(vector, ends)
        return {name: part.reshape(array.shape) for (name, array), part in zip(arrays.items(), parts, strict=True)}

    return flat, rebuild


def _numbers(what: str, value: Any) -> Array:
    array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} must be numbers, got {array.dtype if array.dtype.kind != 'O' else repr(value)}")
    return array.astype(np.float64)
