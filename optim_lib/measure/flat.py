"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Params = dict[str, Array] | Array
Gradients = Callable[[Params], Params]


def flattened(params: Params) -> tuple[Array, Callable[[Array], Params]]:
    """All parameters as one vector, and the way back."""
    if not isinstance(params, Mapping):
        array = np.asarray(params, dtype=float)
        return array.ravel().copy(), lambda flat: flat.reshape(array.shape)
    flat = np.concatenate([np.ravel(array) for array in params.values()])
    ends = np.cumsum([array.size for array in params.values()])[:-1]

    def rebuild(vector: Array) -> dict[str, Array]:
        parts = np.split(vector, ends)
        return {name: part.reshape(np.shape(params[name])) for name, part in zip(params, parts, strict=True)}

    return flat, rebuild
