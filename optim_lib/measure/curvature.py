"""The Hessian: its largest and smallest eigenvalues, or all of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import positive
from optim_lib.measure.flat import Gradients, Params, flattened
from optim_lib.networks import Objective

Array = NDArray[np.floating]


def sharpness(objective: Objective | Gradients, params: Params, tolerance: float = 1e-6, seed: int = 0) -> float:
    r"""The largest eigenvalue of the Hessian: how sharply the loss curves where it curves most.

    On a quadratic, gradient descent is stable for rates below 2 over this.

    Parameters
    ----------
    objective : Objective, or callable from parameters to gradients
    params : dict of str to ndarray, or ndarray
    tolerance : float, default 1e-6
        The error accepted, relative to the largest eigenvalue in magnitude.
    seed : int, default 0
        For the direction the iteration starts with.

    Notes
    -----
    Lanczos iteration with full reorthogonalization: it needs only products of the Hessian and a vector.

    Examples
    --------
    >>> round(sharpness(lambda p: np.array([1.0, 25.0]) * p, np.array([0.3, -0.2])), 4)
    25.0
    """
    return _lanczos(objective, params, tolerance, seed, ends=(-1,))[-1]


def extreme_eigenvalues(
    objective: Objective | Gradients, params: Params, tolerance: float = 1e-6, seed: int = 0
) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of the Hessian, as `sharpness` finds them."""
    return _lanczos(objective, params, tolerance, seed, ends=(0, -1))


def _lanczos(
    objective: Objective | Gradients, params: Params, tolerance: float, seed: int, ends: tuple[int, ...]
) -> tuple[float, float]:
    """The smallest and the largest Ritz value, once those named in `ends` are accurate."""
    if not 0 < positive("tolerance", tolerance, "in (0, 1)") < 1:
        raise ValueError(f"tolerance must be in (0, 1), got {tolerance!r}")
    product, size = _hessian_product(objective, params)
    rng = np.random.default_rng(seed)
    basis = [_unit(rng.standard_normal(size))]
    diagonal, beside = [], []
    while True:
        image = product(basis[-1])
        diagonal.append(float(basis[-1] @ image))
        for _ in range(2):  # twice is enough for orthogonality to rounding
            image = image - np.array(basis).T @ (np.array(basis) @ image)
        rest = float(np.linalg.norm(image))
        tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values, vectors = np.linalg.eigh(tridiagonal)
        scale = max(abs(values[0]), abs(values[-1]), 1e-300)
        if (
            len(basis) == size
            or rest <= 1e-12 * scale
            or all(_ritz_error(values, rest * abs(vectors[-1, end]), end) <= tolerance * scale for end in ends)
        ):
            return float(values[0]), float(values[-1])
        beside.append(rest)
        basis.append(image / rest)


def _ritz_error(values: Array, residual: float, end: int) -> float:
    """How far the first or last Ritz value may be from an eigenvalue: the residual, or its square over the gap."""
    if values.size < 4:
        return math.inf
    gap = abs(values[end] - values[1 if end == 0 else -2])
    return min(residual, residual**2 / gap) if gap > 0 else residual


def hessian(objective: Objective | Gradients, params: Params) -> Array:
    """The whole Hessian, of shape (p, p) for p parameters in the order of the dictionary; for p up to a few thousand.

    Symmetric to rounding: it is averaged with its transpose.
    """
    if isinstance(objective, Objective):
        matrix = _exact_hessian(objective, params)
    else:
        product, size = _hessian_product(objective, params)
        matrix = np.stack([product(row) for row in np.eye(size)])
    return 0.5 * (matrix + matrix.T)


def _exact_hessian(objective: Objective, params: Params, block: int = 32) -> Array:
    """Rows of the Hessian, `block` directions at a time as one stack of networks."""
    flat, _ = flattened(params)
    rows = []
    for start in range(0, flat.size, block):
        directions = np.eye(flat.size)[start : start + block]
        products = objective.hessian_vector(params, _split(directions, params))
        rows.append(np.concatenate([products[name].reshape(len(directions), -1) for name in params], axis=1))
    return np.concatenate(rows)


def _split(rows: Array, params: Params) -> dict[str, Array]:
    ends = np.cumsum([array.size for array in params.values()])[:-1]
    parts = np.split(rows, ends, axis=1)
    return {name: part.reshape(-1, *params[name].shape) for name, part in zip(params, parts, strict=True)}


def _hessian_product(objective: Objective | Gradients, params: Params) -> tuple[Callable[[Array], Array], int]:
    """A function that multiplies a flat vector by the Hessian, and the number of parameters."""
    flat, rebuild = flattened(params)
    if hasattr(objective, "gradients") and hasattr(objective, "hessian_vector"):
        return lambda v: _vector(objective.hessian_vector(params, rebuild(v)), params, "products"), flat.size
    if not callable(objective) or hasattr(objective, "named_parameters"):
        raise TypeError(
            "objective must be network.on(x, y), TorchModel(module).on(x, y), or a function from parameters to "
            f"gradients, got {type(objective).__name__}"
        )
    precision = _precision(objective(rebuild(flat.copy())))
    spacing = np.cbrt(precision) * max(1.0, float(np.linalg.norm(flat)))

    def product(v: Array) -> Array:
        step = spacing / max(float(np.linalg.norm(v)), 1e-300) * v
        forward, backward = (_vector(objective(rebuild(flat + s)), params, "gradients") for s in (step, -step))
        return (forward - backward) / (2 * spacing) * float(np.linalg.norm(v))

    return product, flat.size


def _vector(values: Params, params: Params, what: str) -> Array:
    """Gradients or products as one vector, in the order of the parameters; an error if there is none."""
    vector = flattened(values, f"{what} of the objective", like=params)[0]
    if not np.isfinite(vector).all():
        raise ValueError(f"params must be where the objective is finite, but its {what} are not")
    return vector


def _precision(gradients: Params) -> float:
    """The rounding error of gradients: differences of those in float32 have to be further apart."""
    arrays = gradients.values() if isinstance(gradients, Mapping) else [gradients]
    kinds = [str(getattr(array, "dtype", "float64")).rpartition(".")[2] for array in arrays]
    return max(np.finfo(kind if kind in ("float16", "float32") else "float64").eps for kind in kinds)


def _unit(v: Array) -> Array:
    return v / np.linalg.norm(v)
