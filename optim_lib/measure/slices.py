"""The loss over a plane through the parameters, and landscapes made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.checks import positive, whole
from optim_lib.extras import needed
from optim_lib.landscapes import Landscape
from optim_lib.measure.flat import flattened
from optim_lib.networks import ACTIVATIONS, MLP, Objective

Array = NDArray[np.floating]

if TYPE_CHECKING:
    from scipy.interpolate import RectBivariateSpline


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
        with needed():
            from scipy.interpolate import RectBivariateSpline

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
        ``network.on(x, y)``, or ``TorchModel(module).on(x, y)``.
    params : dict of str to ndarray
        Copied: the slice stays where it is when they are trained on.
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
    if not hasattr(objective, "loss") or not hasattr(objective, "gradients"):
        raise TypeError(
            "objective must be network.on(x, y) or TorchModel(module).on(x, y), got " + type(objective).__name__
        )
    radius, resolution = positive("radius", radius), whole("resolution", resolution, least=4)
    flattened(params)  # refuses what is no dictionary of arrays
    params = {name: np.array(theta) for name, theta in params.items()}
    if directions is None:
        rng = np.random.default_rng(seed)
        directions = (random_direction(params, rng, normalize), random_direction(params, rng, normalize))
    for number, direction in zip(("first", "second"), _two(directions), strict=True):
        if not flattened(direction, f"the {number} of directions", like=params)[0].any():
            raise ValueError(f"the {number} of directions must lead somewhere, and is zero")
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
        Of an `MLP`: a column of a weight matrix is what one neuron weighs its inputs with. Of a torch module: it is a
        row, or a filter.
    rng : Generator or int
    normalize : bool, default True
        Whether each neuron's part is scaled to the length of that neuron's weights, and biases stay where they are (Li
        et al. 2018: filter normalization). If not, the whole direction is scaled to the length of all parameters.

    Raises
    ------
    ValueError
        If `params` are all zero, so that there is no length to scale to, or their names do not say what is a weight:
        ``W1`` and ``b1``, or ``layer.weight`` and ``layer.bias``.
    """
    rng = np.random.default_rng(rng)
    direction = {name: rng.standard_normal(theta.shape) for name, theta in params.items()}
    if not any(np.any(theta) for theta in params.values()):
        raise ValueError("params must not be all zero: a direction is scaled to their length")
    if not normalize:
        scale = np.sqrt(sum((t**2).sum() for t in params.values()) / sum((d**2).sum() for d in direction.values()))
        return {name: scale * d for name, d in direction.items()}
    for name, theta in params.items():
        axes = _axes_of_a_neuron(name, theta.ndim)
        direction[name] *= _lengths(theta, axes) / _lengths(direction[name], axes) if axes else 0.0
    return direction


def _axes_of_a_neuron(name: str, ndim: int) -> tuple[int, ...]:
    """The axes along which one neuron's weights lie; none in a bias, or in the scale of a normalization."""
    if re.fullmatch(r"[Wb]\d+", name):
        return (0,) if name.startswith("W") else ()
    if name.rpartition(".")[2].startswith(("weight", "bias")) or name.endswith(("_weight", "_bias")):
        return tuple(range(1, ndim))
    raise ValueError(
        "params must be those of an MLP or of a torch module, whose names say what the weights of a neuron are, got "
        f"{name!r}; normalize=False scales the direction as a whole"
    )


def _lengths(array: Array, axes: tuple[int, ...]) -> Array:
    return np.sqrt((array * array).sum(axis=axes, keepdims=True))


def _two(directions: Any) -> tuple[dict[str, Array], dict[str, Array]]:
    if not isinstance(directions, Sequence) or len(directions) != 2:
        raise TypeError(f"directions must be two dictionaries shaped like params, got {type(directions).__name__}")
    return tuple(directions)


def _losses_in_plane(
    objective: Objective, params: dict[str, Array], directions: Sequence[dict[str, Array]], points: Array
) -> Array:
    """The loss at points (x, y) of the plane, a block of networks at a time."""
    corners, network = (params, *directions), getattr(objective, "network", None)
    if network is None or network.layers == 1:
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
