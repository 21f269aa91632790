r"""Steepest descent under a norm: the one idea from which most steps of chapter 10 follow.

To first order a step :math:`d` changes the loss by :math:`\langle g, d \rangle`. Of all steps that are no longer than 1
some lower it most, and which they are depends on how length is measured: that is the whole difference between a
normalized gradient, its sign, and :math:`UV^\top`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]


class Norm(NamedTuple):
    """A way to measure a step, and what follows from it.

    Attributes
    ----------
    size : function
        The length of a step.
    selects : function
        Of a gradient, the step of length 1 at most that lowers the loss most.
    dual : function
        Of a gradient, how far that step lowers the loss: the dual norm.
    """

    size: Callable[[Array], float]
    selects: Callable[[Array], Array]
    dual: Callable[[Array], float]


def _euclidean(g: Array) -> Array:
    length = np.linalg.norm(g)
    return -g / length if length else np.zeros_like(g)


def _spectral(g: Array) -> Array:
    u, s, vt = np.linalg.svd(g, full_matrices=False)
    return -(u * (s > s.max() * 1e-12)) @ vt


def _singular_values(g: Array) -> Array:
    return np.linalg.svd(g, compute_uv=False)


NORMS = {
    "euclidean": Norm(lambda d: float(np.linalg.norm(d)), _euclidean, lambda g: float(np.linalg.norm(g))),
    "largest entry": Norm(lambda d: float(abs(d).max()), lambda g: -np.sign(g), lambda g: float(abs(g).sum())),
    "spectral": Norm(lambda d: float(_singular_values(d).max()), _spectral, lambda g: float(_singular_values(g).sum())),
}


def steepest(gradient: ArrayLike, norm: str) -> Array:
    r"""The step of length 1 that lowers a loss most, to first order: a minimum of <gradient, d> over the norm's ball.

    Parameters
    ----------
    gradient : array
        A matrix, if the norm is "spectral"; of a direction without gradient nothing is chosen, and the step there is 0.
    norm : "euclidean", "largest entry" or "spectral"
        How steps are measured: over all entries, by the largest entry, or by the largest singular value.

    Raises
    ------
    ValueError
        If the norm is not known, or the gradient is no matrix where one is needed.

    References
    ----------
    Bernstein and Newhouse (2024), "Old optimizer, new norm: an anthology".

    Examples
    --------
    >>> import numpy as np
    >>> steepest([[3.0, 0.0], [4.0, 0.0]], "euclidean").tolist()
    [[-0.6, -0.0], [-0.8, -0.0]]
    >>> steepest([[3.0, 1.0], [-4.0, 2.0]], "largest entry").tolist()
    [[-1.0, -1.0], [1.0, -1.0]]
    >>> steepest(np.diag([9.0, 0.1]), "spectral").tolist()
    [[-1.0, 0.0], [0.0, -1.0]]
    """
    g = np.asarray(gradient, dtype=np.float64)
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(map(repr, NORMS))}, got {norm!r}")
    if norm == "spectral" and g.ndim != 2:
        raise ValueError(f"the spectral norm is one of matrices, got a gradient of shape {g.shape}")
    return NORMS[norm].selects(g)
