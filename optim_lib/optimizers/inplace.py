"""Sums and quotients that many rules share, computed where their numbers are, so that they cost as little as they can.

Written as ``theta -= learning_rate * grad``, NumPy computes the product into a new array first and then walks over it
again. BLAS, the library of linear algebra that NumPy and SciPy rest on, has had one routine for both since 1979: axpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import daxpy, saxpy

Array = NDArray[np.floating]

AXPY = {np.dtype(np.float32): saxpy, np.dtype(np.float64): daxpy}
# Below this many numbers the two ways take the same time, and NumPy's rounds as the formula does.
LARGE = 2**15


def add_scaled(target: Array, scale: float | Array, array: Array) -> None:
    r"""Add ``scale * array`` to `target`, in place: :math:`x \leftarrow x + a \, y`.

    Parameters
    ----------
    target, array : ndarray of one shape
    scale : a number, or an array that broadcasts against them

    Notes
    -----
    BLAS rounds once where NumPy rounds the product and the sum: large arrays may differ in the last bit.

    References
    ----------
    Lawson et al. (1979), "Basic linear algebra subprograms for Fortran usage".

    Examples
    --------
    >>> theta = np.array([1.0, 2.0])
    >>> add_scaled(theta, -0.5, np.array([1.0, -1.0]))
    >>> theta
    array([0.5, 2.5])
    """
    if _suit_blas(target, scale, array):
        _axpy(target, scale, array)
    else:
        target += scale * array


def subtract_scaled(target: Array, scale: float | Array, array: Array) -> None:
    r"""Subtract ``scale * array`` from `target`, in place: :math:`x \leftarrow x - a \, y`, as `add_scaled` adds it.

    >>> theta = np.array([1.0, 2.0])
    >>> subtract_scaled(theta, 0.5, np.array([1.0, -1.0]))
    >>> theta
    array([0.5, 2.5])
    """
    if _suit_blas(target, scale, array):
        _axpy(target, -scale, array)
    else:
        target -= scale * array


def divided_by_root(
    numerator: Array,
    square: Array,
    epsilon: float | Array,
    out: Array | None = None,
) -> Array:
    r"""Return :math:`x / (\sqrt{s} + \epsilon)`, in a new array or in `out`, which may be `square`.

    >>> divided_by_root(np.array([3.0, -8.0]), np.array([9.0, 4.0]), 0.0)
    array([ 1., -4.])
    """
    root = np.sqrt(square, out=out)
    root += epsilon
    return np.divide(numerator, root, out=root)


def _suit_blas(target: Array, scale: float | Array, array: Array) -> bool:
    """Whether axpy applies: to large arrays of one type, each of them one line in memory, and one number."""
    # BLAS does nothing where the number is zero; but zero times NaN is NaN.
    return (
        target.size >= LARGE
        and isinstance(scale, float | np.floating)
        and scale != 0
        and target.dtype == array.dtype
        and target.dtype in AXPY
        and target.flags.c_contiguous
        and array.flags.c_contiguous
    )


def _axpy(target: Array, scale: float, array: Array) -> None:
    AXPY[target.dtype](array.reshape(-1), target.reshape(-1), a=scale)
