r"""Measure what the chapters talk about: gradients, curvature, noise, slices, and agreement with others.

A function that wants an `objective` takes ``network.on(x, y)`` (exact Hessian-vector products; of a torch module,
``TorchModel(module).on(x, y)``), or any function from parameters to gradients (central differences of it). Parameters
are a dictionary of arrays, or one array.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RectBivariateSpline

from optim_lib.landscapes import Landscape
from optim_lib.networks import ACTIVATIONS, MLP, Objective
from optim_lib.optimizers.base import Optimizer

Array = NDArray[np.floating]
Params = dict[str, Array] | Array
Gradients = Callable[[Params], Params]

# Differences below this are rounding: how much below depends on the machine.
ROUNDING = 1e-12


# ---------------------------------------------------------------------------------------------- gradients


def finite_difference_gradient(loss: Callable[[Params], float], params: Params, spacing: float = 1e-5) -> Params:
    r"""The gradient by central differences, one coordinate at a time.

    .. math:: \frac{\partial L}{\partial \theta_i} \approx
              \frac{L(\theta + h e_i) - L(\theta - h e_i)}{2h}

    Parameters
    ----------
    loss : callable
    params : dict of str to ndarray, or ndarray
        Not changed.
    spacing : float, default 1e-5
        :math:`h > 0`. The error of the formula falls as :math:`h^2`, that of rounding grows as :math:`1/h`.

    Examples
    --------
    >>> finite_difference_gradient(lambda p: p[0] ** 2 + 3 * p[1], np.array([1.0, 5.0])).round(6)
    array([2., 3.])
    """
    if not 0 < spacing < math.inf:
        raise ValueError(f"spacing must be a positive number, got {spacing!r}")
    flat, rebuild = _flat(params)
    gradient = np.empty_like(flat)
    for i in range(flat.size):
        step = np.zeros_like(flat)
        step[i] = spacing
        gradient[i] = (loss(rebuild(flat + step)) - loss(rebuild(flat - step))) / (2 * spacing)
    return rebuild(gradient)


def largest_difference(ours: Any, theirs: Any) -> Agreement:
    """How far two results are apart: arrays, dictionaries of arrays, or torch tensors.

    The difference is relative to the largest magnitude in the array it is in, or absolute where that is below one.

    Examples
    --------
    >>> largest_difference(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-15]))
    largest difference: below 1e-12
    >>> largest_difference([1.0, 2.0], [1.0, 2.003])
    largest difference: about 1e-03
    """
    if isinstance(ours, Mapping):
        if ours.keys() != theirs.keys():
            raise ValueError(f"theirs must have the names of ours, {sorted(ours)}, got {sorted(theirs)}")
        return Agreement(max(largest_difference(ours[name], theirs[name]).largest for name in ours))
    ours, theirs = _as_array(ours), _as_array(theirs)
    if ours.shape != theirs.shape:
        raise ValueError(f"theirs must have the shape of ours, {ours.shape}, got {theirs.shape}")
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    return Agreement(float(np.abs(ours - theirs).max(initial=0.0)) / scale)


@dataclass(frozen=True, repr=False)
class Agreement:
    """A largest difference, written so that rounding on another machine does not change what is printed.

    Attributes
    ----------
    largest : float
        The exact figure.
    what : str
        What was compared.
    """

    largest: float
    what: str = ""

    def __repr__(self) -> str:
        start = f"{self.what}: largest difference" if self.what else "largest difference:"
        if self.largest < ROUNDING:
            return f"{start} below {ROUNDING:.0e}"
        return f"{start} about {self.largest:.0e}" if math.isfinite(self.largest) else f"{start} not finite"


def compare_with_torch(
    optimizer: Any,
    torch_optimizer: Callable[..., Any],
    *,
    steps: int = 100,
    seed: int = 0,
    shapes: Sequence[tuple[int, ...]] = ((4, 3), (5,)),
    **options: Any,
) -> Agreement:
    """Take the same steps with an optimizer of the course and with torch's, and compare the parameters after each.

    The gradients are those of a quadratic at the optimizer's own parameters, plus noise that both see; all in float64.

    Parameters
    ----------
    optimizer : object with ``update(params, grads)``
        It is reset first if it can be.
    torch_optimizer : class, such as torch.optim.Adam
        Called with the parameters and the options.
    steps : int, default 100
    seed : int, default 0
    shapes : sequence of shapes
    **options
        For torch: ``lr=0.1, betas=(0.9, 0.999)``.

    Examples
    --------
    >>> import torch
    >>> from optim_lib.optimizers import Adam
    >>> compare_with_torch(Adam(learning_rate=0.1), torch.optim.Adam, lr=0.1)
    Adam and torch.optim.Adam, 100 steps: largest difference below 1e-12
    """
    import torch

    if isinstance(optimizer, Optimizer):
        optimizer.reset()
    rng = np.random.default_rng(seed)
    params = {f"p{i}": rng.standard_normal(shape) for i, shape in enumerate(shapes)}
    curvatures = {name: np.exp(rng.standard_normal(p.shape)) for name, p in params.items()}
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    theirs = torch_optimizer(list(tensors.values()), **options)
    largest = 0.0
    for _ in range(steps):
        noise = {name: 0.3 * rng.standard_normal(p.shape) for name, p in params.items()}
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(curvatures[name] * tensor.detach().numpy() + noise[name])
        theirs.step()
        params = optimizer.update(params, {name: curvatures[name] * p + noise[name] for name, p in params.items()})
        largest = max(largest, largest_difference(params, {n: t.detach() for n, t in tensors.items()}).largest)
    name = f"{torch_optimizer.__module__.split('.')[0]}.optim.{torch_optimizer.__name__}"
    return Agreement(largest, f"{type(optimizer).__name__} and {name}, {steps} steps")


# ---------------------------------------------------------------------------------------------- curvature


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
    if not 0 < tolerance < 1:
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
    flat, _ = _flat(params)
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
    flat, rebuild = _flat(params)
    if hasattr(objective, "hessian_vector"):
        return lambda v: _flat(objective.hessian_vector(params, rebuild(v)))[0], flat.size
    spacing = np.cbrt(np.finfo(flat.dtype).eps) * max(1.0, float(np.linalg.norm(flat)))

    def product(v: Array) -> Array:
        step = spacing / max(float(np.linalg.norm(v)), 1e-300) * v
        forward, backward = (_flat(objective(rebuild(flat + s)))[0] for s in (step, -step))
        return (forward - backward) / (2 * spacing) * float(np.linalg.norm(v))

    return product, flat.size


# ---------------------------------------------------------------------------------------------- steps


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
        rates = _flat(self.per_parameter)[0]
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
    copied = {name: theta.copy() for name, theta in before.items()}
    after = copy.deepcopy(optimizer).update(copied, {name: np.array(gradients[name]) for name in params})
    moves = {name: np.asarray(after[name], dtype=float) - before[name] for name in before}
    along = sum(float(np.vdot(moves[name], gradients[name])) for name in moves)
    size = sum(float(np.vdot(gradients[name], gradients[name])) for name in moves)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = {n: np.where(gradients[n] != 0, -move / gradients[n], np.nan) for n, move in moves.items()}
    length = math.sqrt(sum(float(np.vdot(move, move)) for move in moves.values()))
    return EffectiveRate(-along / size if size else math.nan, each, length)


# ---------------------------------------------------------------------------------------------- noise


@dataclass(frozen=True)
class GradientNoise:
    r"""How mini-batch gradients scatter around the full gradient, at fixed parameters.

    Attributes
    ----------
    batch_sizes : ndarray of shape (k,)
    variance : ndarray of shape (k,)
        Measured: the mean of :math:`\lVert g_B - g \rVert^2` over the draws.
    predicted : ndarray of shape (k,)
        :math:`\sigma^2 / B`; drawn without replacement, times :math:`(n - B)/(n - 1)`.
    per_example_variance : float
        :math:`\sigma^2 = \frac1n \sum_i \lVert g_i - g \rVert^2`, from the gradient of every example.
    bias : ndarray of shape (k,)
        :math:`\lVert \bar g_B - g \rVert`, the distance of the mean over the draws from the full gradient.
    standard_error : ndarray of shape (k,)
        What that distance is expected to be if the mini-batch gradient is unbiased.
    gradient_norm : float
        :math:`\lVert g \rVert`.
    noise_scale : float
        :math:`\sigma^2 / \lVert g \rVert^2`, the batch size at which noise and signal are equally large (McCandlish et
        al. 2018, "An empirical model of large-batch training").
    """

    batch_sizes: NDArray[np.integer]
    variance: Array
    predicted: Array
    per_example_variance: float
    bias: Array
    standard_error: Array
    gradient_norm: float
    noise_scale: float


def gradient_noise(
    objective: Objective,
    params: dict[str, Array],
    batch_sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256),
    *,
    draws: int = 200,
    replacement: bool = False,
    seed: int = 0,
) -> GradientNoise:
    r"""Measure the variance of mini-batch gradients against the batch size.

    Parameters
    ----------
    objective : Objective
        ``network.on(x, y)``: the examples to draw from.
    params : dict of str to ndarray
    batch_sizes : sequence of int
        Between 1 and the number of examples.
    draws : int, default 200
        Mini-batches of each size.
    replacement : bool, default False
        Whether one mini-batch may hold an example twice. Without replacement there is less noise, by the finite
        population correction :math:`(n - B)/(n - 1)`, and none at all when the batch is everything.
    seed : int, default 0
    """
    n = len(objective.x)
    sizes = np.asarray(batch_sizes)
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or not np.all((sizes >= 1) & (sizes <= n)):
        raise ValueError(f"batch_sizes must be whole numbers from 1 to {n}, got {batch_sizes!r}")
    if draws < 2:
        raise ValueError(f"draws must be at least 2, got {draws!r}")
    rng = np.random.default_rng(seed)
    full = _flat(objective.gradients(params))[0]
    each = _gradients_of_batches(objective, params, np.arange(n)[:, None])
    sigma2 = float(((each - full) ** 2).sum(axis=1).mean())
    correction = np.ones(sizes.size) if replacement else (n - sizes) / max(n - 1, 1)
    variance, bias = [], []
    for size in sizes:
        drawn = [np.bincount(rng.choice(n, size, replace=replacement), minlength=n) for _ in range(draws)]
        # A mini-batch gradient is the mean of its examples' gradients.
        errors = np.array(drawn) / size @ (each - full)
        variance.append((errors**2).sum(axis=1).mean())
        bias.append(np.linalg.norm(errors.mean(axis=0)))
    predicted = sigma2 / sizes * correction
    norm = float(np.linalg.norm(full))
    return GradientNoise(
        batch_sizes=sizes,
        variance=np.array(variance),
        predicted=predicted,
        per_example_variance=sigma2,
        bias=np.array(bias),
        standard_error=np.sqrt(predicted / draws),
        gradient_norm=norm,
        noise_scale=sigma2 / norm**2 if norm else math.inf,
    )


def _gradients_of_batches(objective: Objective, params: dict[str, Array], batches: NDArray) -> Array:
    """The gradient of each mini-batch, of shape (batches, p)."""
    gradients = objective.network.loss_and_gradients(params, objective.x[batches], objective.y[batches])[1]
    return np.concatenate([gradients[name].reshape(len(batches), -1) for name in params], axis=1)


# ---------------------------------------------------------------------------------------------- slices


@dataclass(frozen=True)
class LossSlice:
    r"""The loss over a plane through the parameters: :math:`L(\theta + x\, d_1 + y\, d_2)`.

    Attributes
    ----------
    x, y : ndarray of shape (n,)
    losses : ndarray of shape (n, n)
        ``losses[i, j]`` at ``x[i]``, ``y[j]``.
    directions : tuple of two dicts
        :math:`d_1, d_2`.
    """

    x: Array
    y: Array
    losses: Array
    directions: tuple[dict[str, Array], dict[str, Array]] = field(repr=False)
    params: dict[str, Array] = field(repr=False)
    objective: Objective = field(repr=False)

    def loss(self, p: ArrayLike) -> Array:
        """The exact loss at points of the plane, of shape (..., 2)."""
        p = np.asarray(p, dtype=float)
        return _losses_in_plane(self.objective, self.params, self.directions, p.reshape(-1, 2)).reshape(p.shape[:-1])

    def gradient(self, p: ArrayLike) -> Array:
        r"""The exact gradient in the plane, :math:`(d_1 \cdot \nabla L, d_2 \cdot \nabla L)`."""
        p = np.asarray(p, dtype=float)
        gradients = [self._gradient_at(x, y) for x, y in p.reshape(-1, 2)]
        return np.array(gradients).reshape(p.shape)

    def landscape(self, name: str = "a slice through the loss of a network") -> Landscape:
        """A landscape to descend on: the slice between its samples by a smooth interpolation, with exact gradients.

        Outside of the window the loss goes on in straight lines.
        """
        surface = _Surface(RectBivariateSpline(self.x, self.y, self.losses), self._window())
        low = np.unravel_index(np.argmin(self.losses), self.losses.shape)
        inside = all(0 < i < self.x.size - 1 for i in low)
        lowest = _settle(surface, np.array([self.x[low[0]], self.y[low[1]]])) if inside else None
        reach = 0.85 * np.array(self._window())
        return Landscape(
            name=name,
            formula=r"L(\theta + x\, d_1 + y\, d_2)",
            value=surface.value,
            slope=surface.slope,
            minima=(lowest,) if lowest else ((float(self.x[low[0]]), float(self.y[low[1]])),),
            window=self._window(),
            starts=((reach[0], reach[3]), (reach[1], 0.6 * reach[3]), (0.7 * reach[0], reach[2])),
        )

    def _window(self) -> tuple[float, float, float, float]:
        return float(self.x[0]), float(self.x[-1]), float(self.y[0]), float(self.y[-1])

    def _gradient_at(self, x: float, y: float) -> tuple[float, float]:
        gradients = self.objective.gradients(_in_plane((self.params, *self.directions), x, y))
        return tuple(sum(float(np.vdot(g, d[name])) for name, g in gradients.items()) for d in self.directions)


def loss_slice(
    objective: Objective,
    params: dict[str, Array],
    directions: tuple[dict[str, Array], dict[str, Array]] | None = None,
    *,
    radius: float = 1.0,
    resolution: int = 31,
    normalize: bool = True,
    seed: int = 0,
) -> LossSlice:
    """The loss over a plane through `params`, spanned by two directions.

    Parameters
    ----------
    objective : Objective
    params : dict of str to ndarray
    directions : two dicts shaped like `params`, optional
        Random ones by default (`random_direction`).
    radius : float, default 1
        The plane runs from -radius to radius along both directions.
    resolution : int, default 31
        Samples along each side, at least 4.
    normalize : bool, default True
        Whether random directions are scaled neuron by neuron to the weights.
    seed : int, default 0
        For the random directions.

    References
    ----------
    Li, Xu, Taylor, Studer and Goldstein (2018), "Visualizing the loss landscape of neural nets".
    """
    if not 0 < radius < math.inf:
        raise ValueError(f"radius must be a positive number, got {radius!r}")
    if not isinstance(resolution, int | np.integer) or resolution < 4:
        raise ValueError(f"resolution must be a whole number of at least 4, got {resolution!r}")
    if directions is None:
        rng = np.random.default_rng(seed)
        directions = (random_direction(params, rng, normalize), random_direction(params, rng, normalize))
    x = np.linspace(-radius, radius, resolution)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    losses = _losses_in_plane(objective, params, directions, points).reshape(resolution, resolution)
    return LossSlice(x, x.copy(), losses, tuple(directions), params, objective)


def random_direction(
    params: dict[str, Array], rng: np.random.Generator | int = 0, normalize: bool = True
) -> dict[str, Array]:
    """A Gaussian direction in the space of the parameters.

    Parameters
    ----------
    params : dict of str to ndarray
        Of an `MLP`: a column of a weight matrix is what one neuron weighs its inputs with.
    rng : Generator or int
    normalize : bool, default True
        Whether each neuron's part is scaled to the length of that neuron's weights, and biases stay where they are (Li
        et al. 2018: filter normalization). If not, the whole direction is scaled to the length of all parameters.
    """
    rng = np.random.default_rng(rng)
    direction = {name: rng.standard_normal(theta.shape) for name, theta in params.items()}
    if not normalize:
        scale = np.sqrt(sum((t**2).sum() for t in params.values()) / sum((d**2).sum() for d in direction.values()))
        return {name: scale * d for name, d in direction.items()}
    for name, theta in params.items():
        lengths = np.linalg.norm(direction[name], axis=0, keepdims=True)
        direction[name] *= np.linalg.norm(theta, axis=0, keepdims=True) / lengths if name.startswith("W") else 0.0
    return direction


def _losses_in_plane(
    objective: Objective, params: dict[str, Array], directions: Sequence[dict[str, Array]], points: Array
) -> Array:
    """The loss at points (x, y) of the plane, a block of networks at a time."""
    network, corners = objective.network, (params, *directions)
    if network.layers == 1:
        return np.array([objective.loss(_in_plane(corners, x, y)) for x, y in points])
    # The sums of the first layer are linear in x and y: one product with the inputs for each of the three is enough.
    sums = [objective.x @ corner["W1"] + corner["b1"] for corner in corners]
    activation = ACTIVATIONS[network.activation].value
    tail = MLP(network.sizes[1:], network.activation, network.loss_name)
    tail_corners = [{f"{n[0]}{int(n[1:]) - 1}": a for n, a in c.items() if n not in ("W1", "b1")} for c in corners]
    block = max(1, int(1e6 // (len(objective.x) * max(network.sizes[1:]))))
    losses = []
    for start in range(0, len(points), block):
        x, y = points[start : start + block].T[:, :, None, None]
        hidden = activation(sums[0] + x * sums[1] + y * sums[2])
        losses.append(tail.loss(_in_plane(tail_corners, x, y), hidden, objective.y))
    return np.concatenate(losses)


def _in_plane(corners: Sequence[dict[str, Array]], x: float | Array, y: float | Array) -> dict[str, Array]:
    base, first, second = corners
    return {name: theta + x * first[name] + y * second[name] for name, theta in base.items()}


@dataclass(frozen=True)
class _Surface:
    """A spline inside the window; outside of it, the tangent plane at the nearest point of the edge."""

    spline: RectBivariateSpline
    window: tuple[float, float, float, float]

    def value(self, x: Array, y: Array) -> Array:
        near_x, near_y, away_x, away_y = self._nearest(x, y)
        return (
            self.spline.ev(near_x, near_y)
            + self.spline.ev(near_x, near_y, dx=1) * away_x
            + self.spline.ev(near_x, near_y, dy=1) * away_y
        )

    def slope(self, x: Array, y: Array) -> tuple[Array, Array]:
        near_x, near_y, away_x, away_y = self._nearest(x, y)
        twist = self.spline.ev(near_x, near_y, dx=1, dy=1)
        along_x = self.spline.ev(near_x, near_y, dx=1) + twist * away_y * (away_x == 0)
        along_y = self.spline.ev(near_x, near_y, dy=1) + twist * away_x * (away_y == 0)
        return along_x, along_y

    def _nearest(self, x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
        left, right, bottom, top = self.window
        near_x, near_y = np.clip(x, left, right), np.clip(y, bottom, top)
        return near_x, near_y, x - near_x, y - near_y


def _settle(surface: _Surface, p: Array, steps: int = 50) -> tuple[float, float]:
    """Newton's method to the minimum of the spline next to `p`."""
    for _ in range(steps):
        gradient = np.array(surface.slope(*p))
        second = surface.spline.ev(*p, dx=2), surface.spline.ev(*p, dx=1, dy=1), surface.spline.ev(*p, dy=2)
        matrix = np.array([[second[0], second[1]], [second[1], second[2]]])
        if np.linalg.eigvalsh(matrix)[0] <= 0:
            break
        p = p - np.linalg.solve(matrix, gradient)
    return float(p[0]), float(p[1])


# ---------------------------------------------------------------------------------------------- runs


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
    if not values.ndim or not tolerance > 0:
        raise ValueError(f"tolerance must be positive and losses an array, got {tolerance!r} and {values.ndim} axes")
    reached = values - lowest <= tolerance
    if stay:
        reached = np.logical_and.accumulate(reached[..., ::-1], axis=-1)[..., ::-1]
    first = np.where(reached.any(axis=-1), reached.argmax(axis=-1), np.inf)
    if values.ndim > 1:
        return first
    return int(first) if np.isfinite(first) else None


# ---------------------------------------------------------------------------------------------- parts


def _flat(params: Params) -> tuple[Array, Callable[[Array], Params]]:
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


def _unit(v: Array) -> Array:
    return v / np.linalg.norm(v)


def _as_array(value: Any) -> Array:
    detached = value.detach() if hasattr(value, "detach") else value
    return np.asarray(detached, dtype=float)


__all__ = [
    "Agreement",
    "EffectiveRate",
    "GradientNoise",
    "LossSlice",
    "compare_with_torch",
    "effective_learning_rate",
    "extreme_eigenvalues",
    "finite_difference_gradient",
    "gradient_noise",
    "hessian",
    "largest_difference",
    "loss_slice",
    "random_direction",
    "sharpness",
    "steps_to_tolerance",
]
