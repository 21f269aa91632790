"""Short questions to an optimizer, and what the mathematics of a quadratic says: shared by chapters and exercises.

>>> from optim_lib.optimizers import AdaGrad
>>> distances(AdaGrad(learning_rate=1.0), np.ones((3, 1)))[:, 0].round(3)
array([1.   , 1.707, 2.284])
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.optimizers import MomentumSGD, Optimizer, RMSprop

Array = NDArray[np.float64]
Momentum = float | Callable[[int], float]


# ---------------------------------------------------------------------------------------------- streams of gradients


def distances(optimizer: Optimizer, grads: ArrayLike) -> Array:
    """How far a fresh optimizer has moved each coordinate (columns) after each row of gradients."""
    grads = np.asarray(grads, dtype=np.float64)
    params = {"theta": np.zeros(grads.shape[1:])}
    return np.array([-optimizer.update(params, {"theta": grad})["theta"] for grad in grads])


def fading_weights(decay: float, count: int) -> Array:
    """The weight that the mean square gives to the newest squared gradient, the one before it, and so on.

    Read off the library's RMSprop: one gradient of 1, and zeros after it.
    """
    optimizer, params, weights = RMSprop(decay=decay), {"x": np.zeros(1)}, []
    for step in range(count):
        optimizer.update(params, {"x": np.array([float(step == 0)])})
        weights.append(optimizer.state["x"].mean_square[0])
    return np.array(weights)


def steps_of(rates: ArrayLike, *, inside: bool, momentum: float = 0.9) -> Array:
    """The length of each step against a steady gradient of 1 while the rate changes, in either convention.

    With the rate inside the velocity, :math:`u_t = \\beta u_{t-1} + \\eta_t g_t` and the step is :math:`u_t`: that is
    `MomentumSGD` with a rate of 1 that is fed :math:`\\eta_t g_t`.
    """
    optimizer, params, path = MomentumSGD(1.0, momentum), {"x": np.zeros(1)}, [0.0]
    for rate in np.asarray(rates, dtype=np.float64):
        if inside:
            optimizer.update(params, {"x": np.array([rate])})
        else:
            optimizer.learning_rate = rate
            optimizer.update(params, {"x": np.ones(1)})
        path.append(float(params["x"][0]))
    return -np.diff(path)


# ---------------------------------------------------------------------------------------------- a target that moves

TARGET = 1.0


def follow(optimizer: Callable[..., Optimizer], speeds: ArrayLike, steps: int, **hyperparameters: ArrayLike) -> Array:
    """Positions before each step, of an optimizer that starts at 0 and is pulled to a target that moves away.

    The target starts at 1 and moves by one of `speeds` with every step; the gradient is the distance to it. The shape
    is that of `speeds` and the hyperparameters together, and steps.
    """
    speeds = np.asarray(speeds, dtype=float)
    shape = np.broadcast_shapes(speeds.shape, *(np.shape(values) for values in hyperparameters.values()))
    rule, params, path = optimizer(**hyperparameters), {"x": np.zeros(shape)}, []
    for t in range(steps):
        path.append(params["x"].copy())
        rule.update(params, {"x": params["x"] - (TARGET + speeds * t)})
    return np.stack(path, axis=-1)


# ---------------------------------------------------------------------------------------------- look ahead


def look_ahead(
    gradient: Callable[[Array], Array], start: ArrayLike, steps: int, learning_rate: float, momentum: Momentum
) -> tuple[Array, Array]:
    r"""Nesterov's equation as it is written: the gradient is measured where the velocity alone would lead.

    Parameters
    ----------
    gradient : callable
    start : array
    steps : int
    learning_rate : float
    momentum : float, or callable
        :math:`\beta`, or a schedule of it: called with the number of the step, from 1.

    Returns
    -------
    positions, looked_at : ndarray of shape (steps + 1, *start.shape)
        :math:`\theta_t` and :math:`\theta_t - \eta\beta v_{t-1}`, for t from 1.
    """
    schedule = momentum if callable(momentum) else lambda t: momentum
    optimizer, params = MomentumSGD(learning_rate=learning_rate), {"theta": np.array(start, dtype=np.float64)}
    velocity = np.zeros_like(params["theta"])
    positions, looked_at = [], []
    for t in range(1, steps + 2):
        optimizer.momentum = schedule(t)
        positions.append(params["theta"].copy())
        looked_at.append(params["theta"] - learning_rate * optimizer.momentum * velocity)
        if t <= steps:
            optimizer.update(params, {"theta": gradient(looked_at[-1])})
            velocity = optimizer.state["theta"].velocity
    return np.array(positions), np.array(looked_at)


def radius(optimizer: type[Optimizer], products: ArrayLike, momentum: ArrayLike) -> Array:
    r"""By how much the worst combination of distance and velocity shrinks in each step, in the long run.

    A step on a parabola is linear in (distance, velocity). Its matrix is found by giving the optimizer the two unit
    vectors; the result is its spectral radius.

    Parameters
    ----------
    optimizer : class with a velocity
    products : array of shape (n,)
        :math:`\eta\lambda`, the rate times the curvature.
    momentum : array of shape (m,)

    Returns
    -------
    ndarray of shape (n, m)
    """
    products, momentum = np.atleast_1d(np.asarray(products, float)), np.atleast_1d(np.asarray(momentum, float))
    unit = np.broadcast_to(np.eye(2), (products.size, momentum.size, 2, 2))
    distance, velocity = unit[..., 0].copy(), unit[..., 1]
    stepper = optimizer(learning_rate=1.0, momentum=momentum[:, None])
    stepper.update({"c": distance}, {"c": np.zeros_like(distance)})  # makes the state, and moves nothing
    stepper.state["c"].velocity[...] = velocity
    stepper.update({"c": distance}, {"c": products[:, None, None] * distance})
    matrices = np.stack([distance, stepper.state["c"].velocity], axis=-2)
    return np.abs(np.linalg.eigvals(matrices)).max(axis=-1)


# ---------------------------------------------------------------------------------------------- quadratics


def with_intercept(x: ArrayLike) -> Array:
    """The features as columns, and a column of ones, whose weight is the intercept."""
    x = np.asarray(x, dtype=np.float64)
    return np.column_stack([x, np.ones(len(x))])


def curvature(x: ArrayLike) -> Array:
    r"""The Hessian of :math:`\frac1n \lVert X\theta - y \rVert^2`: :math:`\frac2n X^\top X`."""
    x = np.asarray(x, dtype=np.float64)
    return 2 / len(x) * x.T @ x


def matrix(product: ArrayLike, momentum: ArrayLike) -> Array:
    r"""One step in one direction, for :math:`q = \eta\lambda` and :math:`\beta`: shape (..., 2, 2)."""
    q, beta = np.broadcast_arrays(np.asarray(product, dtype=np.float64), np.asarray(momentum, dtype=np.float64))
    return np.stack([np.stack([1 - q, -beta], axis=-1), np.stack([q, beta], axis=-1)], axis=-2)


def spectral_radius(product: ArrayLike, momentum: ArrayLike) -> Array:
    """The factor by which a direction shrinks in each step in the long run."""
    return np.abs(np.linalg.eigvals(matrix(product, momentum))).max(axis=-1)


def critical(product: ArrayLike) -> Array:
    r"""The momentum at which a direction stops creeping and starts to swing: :math:`(1 - \sqrt{\eta\lambda})^2`."""
    return (1 - np.sqrt(product)) ** 2


def optimal_pair(smallest: float, largest: float) -> tuple[float, float]:
    """The learning rate and momentum that shrink the worst of all directions between two curvatures fastest."""
    low, high = np.sqrt(smallest), np.sqrt(largest)
    return float((2 / (high + low)) ** 2), float(((high - low) / (high + low)) ** 2)


def expected_losses(rates: ArrayLike, curvature: ArrayLike, noise: float, start: ArrayLike) -> Array:
    r"""The expected loss of stochastic gradient descent on a quadratic at each step, without drawing any noise.

    Along one eigenvector with curvature :math:`\lambda`, where each gradient has noise of variance :math:`\sigma^2`,

    .. math:: \mathbb E[c_{t+1}^2] = (1 - \eta_t \lambda)^2 \, \mathbb E[c_t^2] + \eta_t^2 \sigma^2

    Parameters
    ----------
    rates : array of shape (..., steps)
    curvature, start : float or array of shape (directions,)
        :math:`\lambda` and the first :math:`c` of each direction.
    noise : float
        :math:`\sigma`, the same in all directions.

    Returns
    -------
    ndarray of shape (..., steps + 1)
        :math:`\sum \tfrac12 \lambda \mathbb E[c_t^2]` over the directions.
    """
    rates, curvature = np.asarray(rates, dtype=np.float64), np.atleast_1d(np.asarray(curvature, dtype=np.float64))
    squares = np.broadcast_to(np.square(start), (*rates.shape[:-1], curvature.size)).astype(np.float64)
    losses = [0.5 * (squares * curvature).sum(axis=-1)]
    for rate in np.moveaxis(rates, -1, 0):
        squares = (1 - rate[..., None] * curvature) ** 2 * squares + (rate[..., None] * noise) ** 2
        losses.append(0.5 * (squares * curvature).sum(axis=-1))
    return np.stack(losses, axis=-1)
