r"""Chapter 2, gradient descent: real surfaces with a known spectrum, and the four limitations measured.

The Hessian of a mean squared error :math:`\frac1n \lVert X\theta - y \rVert^2` is :math:`\frac2n X^\top X`, the same
everywhere. Its eigenvalues decide what gradient descent can do, and this module compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib import plotting
from optim_lib.data import diabetes
from optim_lib.descent import descend
from optim_lib.explorer.table import Table
from optim_lib.landscapes import Landscape, Point, from_formula, least_squares, quadratic, saddle
from optim_lib.networks import MLP, Objective, Params
from optim_lib.optimizers import SGD
from optim_lib.palette import LIGHT, SERIES
from optim_lib.probes import curvature, with_intercept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


# The surfaces ---------------------------------------------------------------------------------------


def line_fit(classes: ArrayLike, progression: ArrayLike) -> Landscape:
    """The mean squared error of a line, drawn around its minimum and the guess of no slope and no intercept."""
    surface = least_squares(classes, progression, name="a line through the patients")
    return replace(surface, window=(-90.0, 190.0, -10.0, 280.0), starts=((0.0, 0.0), (170.0, 40.0), (-60.0, 250.0)))


def two_weights(x1: ArrayLike, x2: ArrayLike, y: ArrayLike, *, name: str) -> Landscape:
    r"""The loss of predicting `y` by :math:`w_1 x_1 + w_2 x_2`, over the two weights; all three have mean zero."""
    x = np.stack([np.asarray(x1, dtype=np.float64), np.asarray(x2, dtype=np.float64)], axis=1)
    y = np.asarray(y, dtype=np.float64)
    (a, b), (_, d) = curvature(x)
    bottom = np.linalg.solve(curvature(x), 2 / len(x) * x.T @ y)
    lowest = float(np.mean((y - x @ bottom) ** 2))
    reach = 1.6 * np.abs(bottom).max()

    def around(across: float, up: float) -> Point:
        return float(bottom[0] + across * reach), float(bottom[1] + up * reach)

    return from_formula(
        "lowest + 0.5 * (a * (x - w1) * (x - w1) + 2 * b * (x - w1) * (y - w2) + d * (y - w2) * (y - w2))",
        ["a * (x - w1) + b * (y - w2)", "b * (x - w1) + d * (y - w2)"],
        numbers={"lowest": lowest, "a": a, "b": b, "d": d, "w1": bottom[0], "w2": bottom[1]},
        name=name,
        formula=r"\tfrac1n \sum_i (y_i - w_1 x_{i1} - w_2 x_{i2})^2",
        minima=(around(0, 0),),
        window=(*(bottom[0] + reach * np.array([-1.0, 1.0])), *(bottom[1] + reach * np.array([-1.0, 1.0]))),
        starts=((0.0, 0.0), around(-0.85, 0.55), around(0.75, 0.8)),
    )


def ends_higher(learning_rate: float) -> Callable[[Table], bool]:
    """For `predict`: whether the loss ends above where it began at this rate, from the figure's first start."""

    def answer(table: Table) -> bool:
        gaps = table.gaps(table.series[0])[0, table.nearest("learning_rate", learning_rate)]
        return bool(gaps[-1] > gaps[0])

    return answer


# The spectrum and what follows from it -----------------------------------------------------------------


def fit(
    x: ArrayLike, y: ArrayLike, learning_rate: float, steps: int, start: ArrayLike | None = None
) -> Iterator[Array]:
    """Every point that gradient descent visits on the mean squared error of ``x @ theta``, the start first."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    params = {"theta": np.zeros(x.shape[1]) if start is None else np.array(start, dtype=np.float64)}
    optimizer = SGD(learning_rate=learning_rate)
    yield params["theta"].copy()
    for _ in range(steps):
        error = x @ params["theta"] - y
        optimizer.update(params, {"theta": 2 / len(y) * x.T @ error})
        yield params["theta"].copy()


# What the columns of the diabetes data hold, and the column of ones.
FEATURES = (
    "age", "sex", "body-mass index", "blood pressure", "total cholesterol", "LDL", "HDL", "total / HDL",
    "triglycerides", "glucose", "intercept",
)  # fmt: skip


def modes(x: ArrayLike, y: ArrayLike) -> dict[str, object]:
    """What a figure of modes needs of a linear regression from zero: its spectrum, and where the start lies in it."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    curvatures, directions = np.linalg.eigh(curvature(x))
    offsets = -directions.T @ np.linalg.lstsq(x, y, rcond=None)[0]
    return {"curvatures": curvatures, "offsets": offsets, "directions": directions, "features": FEATURES}


def keep_alike(table: Table) -> NDArray[np.bool_]:
    """For a quest: the rate at which the flattest and the steepest of the 11 directions keep the most equal shares."""
    rates = table.axes["learning_rate"]
    ends = np.linalg.eigvalsh(curvature(regression()[0]))[[0, -1]]
    away = np.abs(np.abs(1 - rates * ends[0]) - np.abs(1 - rates * ends[1]))
    return (away == away.min())[None]


def regression() -> tuple[Array, Array]:
    """All ten features of the diabetes data, standardized, with an intercept, and the progression."""
    features, progression = diabetes(validation=0, test=0, standardize=False).train
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    return with_intercept(scaled), progression[:, 0]


def gap_after(hessian: ArrayLike, offset: ArrayLike, learning_rate: float, t: int) -> float:
    r"""The loss above the minimum after `t` steps on a quadratic, from its spectrum alone.

    .. math:: \tfrac12 \sum_i \lambda_i c_i^2 (1 - \eta\lambda_i)^{2t}

    where :math:`c_i` are the coordinates of `offset`, the start seen from the minimum, along the eigenvectors.
    """
    eigenvalues, directions = np.linalg.eigh(np.asarray(hessian, dtype=np.float64))
    c = directions.T @ np.asarray(offset, dtype=np.float64)
    return float(0.5 * np.sum(eigenvalues * c**2 * np.abs(1 - learning_rate * eigenvalues) ** (2.0 * t)))


def gaps(x: ArrayLike, y: ArrayLike, learning_rate: float, steps: int) -> tuple[Array, Array]:
    """The loss above the minimum at each step from zero, relative to the first: measured, and predicted."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    bottom = np.linalg.lstsq(x, y, rcond=None)[0]
    # At the minimum the residual is orthogonal to the columns of x: the gap is the mean square of x (theta - bottom).
    measured = [np.mean((x @ (theta - bottom)) ** 2) for theta in fit(x, y, learning_rate, steps)]
    predicted = [gap_after(curvature(x), -bottom, learning_rate, t) for t in range(steps + 1)]
    return np.array(measured) / measured[0], np.array(predicted) / predicted[0]


def predicted_steps(hessian: ArrayLike, offset: ArrayLike, learning_rate: float, share: float) -> int:
    """How many steps bring the loss above the minimum to a share of its first value, without taking one."""
    first = gap_after(hessian, offset, learning_rate, 0)
    low, high = 0, 1
    while gap_after(hessian, offset, learning_rate, high) > share * first:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if gap_after(hessian, offset, learning_rate, middle) > share * first:
            low = middle
        else:
            high = middle
    return high


def measured_steps(
    x: ArrayLike, y: ArrayLike, learning_rate: float, share: float, most: int, start: ArrayLike
) -> int | None:
    """The same, counted: run gradient descent; None if `most` steps do not suffice."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    bottom = np.linalg.lstsq(x, y, rcond=None)[0]
    target = None
    for t, theta in enumerate(fit(x, y, learning_rate, most, start)):
        gap = np.mean((x @ (theta - bottom)) ** 2)
        target = share * gap if target is None else target
        if gap <= target:
            return t
    return None


def forecast(x: ArrayLike, y: ArrayLike, *, share: float = 0.01, most: int = 2000) -> dict[str, float | int | None]:
    """The spectrum of a regression, its fastest rate, and the steps to `share` from zero: predicted and counted."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    hessian = curvature(x)
    eigenvalues = np.linalg.eigvalsh(hessian)
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    start = np.zeros(x.shape[1])
    rate = 2 / (smallest + largest)
    predicted = predicted_steps(hessian, start - np.linalg.lstsq(x, y, rcond=None)[0], rate, share)
    counted = measured_steps(x, y, rate, share, most, start) if predicted <= most else None
    return {
        "condition number": largest / smallest,
        "edge": 2 / largest,
        "fastest rate": rate,
        "steps predicted": predicted,
        "steps counted": counted,
    }


# The price of a ravine ---------------------------------------------------------------------------------


def zigzag(kappas: Sequence[float], *, share: float = 1e-6) -> list[dict[str, float | int]]:
    r"""Gradient descent at its fastest rate on ravines with curvatures 1 and :math:`\kappa`, from (1, 1).

    For each condition number: the steps until the loss is `share` of the first, how many of them flip the sign of the
    steep coordinate, and the length of the path over the straight way to the minimum.
    """
    rows = []
    for kappa in kappas:
        rate, steps = 2 / (1 + kappa), int(8 * kappa) + 20
        run = descend(SGD(learning_rate=rate), quadratic((1.0, kappa)), (1.0, 1.0), steps)
        count = int(np.argmax(run.losses <= share * run.losses[0]))
        points = run.points[: count + 1]
        rows.append(
            {
                "condition number": kappa,
                "steps": count,
                "sign flips": int(np.sum(points[1:, 1] * points[:-1, 1] < 0)),
                "path over straight line": np.linalg.norm(np.diff(points, axis=0), axis=1).sum() / np.sqrt(2),
            }
        )
    return rows


# Where it ends, and how long it stays --------------------------------------------------------------------


def endings(
    landscape: Landscape, learning_rate: float, *, steps: int = 600, resolution: int = 161
) -> NDArray[np.integer]:
    """Where gradient descent ends from each of a grid of starts: the number of a minimum, or -1 if in none.

    Of shape (resolution, resolution), the first axis along x: as `optim_lib.plotting.heatmap` takes it.
    """
    left, right, bottom, top = landscape.window
    x, y = np.linspace(left, right, resolution), np.linspace(bottom, top, resolution)
    params = {"p": np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)}
    optimizer = SGD(learning_rate=learning_rate)
    with np.errstate(all="ignore"):  # starts that are thrown out of the window overflow
        for _ in range(steps):
            optimizer.update(params, {"p": landscape.gradient(params["p"])})
        distances = np.linalg.norm(params["p"][..., None, :] - np.asarray(landscape.minima), axis=-1)
    distances = np.where(np.isfinite(distances), distances, np.inf)
    return np.where(distances.min(axis=-1) < 0.01 * (right - left), distances.argmin(axis=-1), -1)


def shares_of_endings(landscape: Landscape, rates: Sequence[float]) -> list[dict[str, float]]:
    """The share of the starts that end in each minimum, and in none, one row (a dict) for each rate."""
    rows = []
    for rate in rates:
        ends = endings(landscape, rate)
        inside = {f"({x:.2g}, {y:.2g})": np.mean(ends == k) for k, (x, y) in enumerate(landscape.minima)}
        rows.append({"rate": f"{rate:g}", **inside, "in none": np.mean(ends == -1)})
    return rows


def draw_endings(landscape: Landscape, learning_rate: float) -> Figure:
    """A map of the starts, colored by the minimum in which gradient descent from there ends; gray: in none."""
    left, right, bottom, top = landscape.window
    ends = endings(landscape, learning_rate)
    figure, ax = plotting.axes("x of the start", "y of the start", title=f"learning rate {learning_rate:g}", height=4.2)
    x, y = np.linspace(left, right, len(ends)), np.linspace(bottom, top, len(ends))
    for k, color in enumerate([LIGHT["muted"], *SERIES[: len(landscape.minima)]], start=-1):
        ax.contourf(x, y, (ends == k).T.astype(float), levels=[0.5, 1.5], colors=[color], alpha=0.55)
    ax.plot(*np.transpose(landscape.minima), "*", ms=12, color=LIGHT["ink"], mec=LIGHT["paper"], mew=0.8)
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.grid(False)
    return figure


def steps_to_leave(distances: Sequence[float], learning_rate: float = 0.1) -> list[int]:
    """Steps until gradient descent is half-way to a valley, started at each distance from the ridge of the saddle."""
    counts = []
    for distance in distances:
        run = descend(SGD(learning_rate=learning_rate), saddle, (-1.6, distance), steps=1000)
        counts.append(int(np.argmax(np.abs(run.points[:, 1]) > 0.5)))
    return counts


def subset_angles(x: ArrayLike, y: ArrayLike, sizes: Sequence[int], *, draws: int = 1000, seed: int = 0) -> list[float]:
    """The median angle, in degrees, between the full gradient at zero and that of a random subset of the examples."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    rng = np.random.default_rng(seed)
    each = -2 * x * y[:, None]  # the gradient of (y_i - x_i theta)^2 at theta = 0, one row for each example
    full = each.mean(axis=0)
    medians = []
    for size in sizes:
        parts = np.array([each[rng.permutation(len(x))[:size]].mean(axis=0) for _ in range(draws)])
        cosines = parts @ full / (np.linalg.norm(parts, axis=1) * np.linalg.norm(full))
        medians.append(float(np.median(np.degrees(np.arccos(np.clip(cosines, -1, 1))))))
    return medians


# The edge of stability ---------------------------------------------------------------------------------


def train_and_watch(
    network: MLP, x: ArrayLike, y: ArrayLike, learning_rate: float, *, steps: int = 1000, every: int = 20, seed: int = 0
) -> tuple[Array, Array]:
    """Train with full-batch gradient descent: the sharpness at every `every`-th point, and the losses.

    The sharpness is the Hessian's largest eigenvalue, by power iteration that goes on from the direction it found last:
    while training moves slowly, a few products suffice where `optim_lib.measure.sharpness` starts afresh.
    """
    objective, params = network.on(x, y), network.initialize(seed)
    rng = np.random.default_rng(seed)
    direction = {name: rng.standard_normal(theta.shape) for name, theta in params.items()}
    optimizer, sharpness, losses = SGD(learning_rate=learning_rate), [], []
    for t in range(steps + 1):
        if t % every == 0:
            largest, direction = _power_iteration(objective, params, direction, rounds=100 if t == 0 else 6)
            sharpness.append(largest)
        loss, grads = network.loss_and_gradients(params, objective.x, objective.y)
        losses.append(float(loss))
        optimizer.update(params, grads)
    return np.array(sharpness), np.array(losses)


def _power_iteration(objective: Objective, params: Params, direction: Params, rounds: int) -> tuple[float, Params]:
    for _ in range(rounds):
        length = np.sqrt(sum(np.sum(part**2) for part in direction.values()))
        unit = {name: part / length for name, part in direction.items()}
        direction = objective.hessian_vector(params, unit)
    return float(sum(np.sum(unit[name] * direction[name]) for name in unit)), direction


def sharpness_by_rate(
    x: ArrayLike,
    labels: ArrayLike,
    rates: Sequence[float],
    *,
    seeds: Sequence[int] = range(3),
    steps: int = 1000,
    every: int = 20,
) -> dict[float, Array]:
    """For each learning rate, the sharpness of a small tanh network during training, of shape (seeds, measurements).

    The network has two hidden layers of 32 and the squared error against one-hot targets, as in the experiments of
    Cohen et al. (2021).
    """
    network = MLP((x.shape[1], 32, 32, 10), loss="squared error")
    targets = np.eye(10)[np.asarray(labels)]
    return {
        rate: np.stack(
            [train_and_watch(network, x, targets, rate, steps=steps, every=every, seed=seed)[0] for seed in seeds]
        )
        for rate in rates
    }


# What smoothness promises ------------------------------------------------------------------------------


def promises(steps: Sequence[int]) -> list[dict[str, object]]:
    r"""What gradient descent at :math:`1/\lambda_{\max}` is promised after so many steps, and what it gets.

    One function for each row of the table of rates: smooth and no more, convex, strongly convex, and smooth with the
    Polyak-Lojasiewicz inequality though it is not convex {Karimi et al. 2016}. All have their lowest value, 0, at 0.
    """
    line = np.linspace(-3, 3, 6001)[:, None]
    line = line[np.abs(line[:, 0]) > 1e-9]
    rows = []
    for name, loss, slope, largest, start in (
        ("smooth: x² / (1 + x²)", lambda x: x**2 / (1 + x**2), lambda x: 2 * x / (1 + x**2) ** 2, 2.0, [3.0]),
        ("convex: x⁴ / 12 on [-1, 1]", lambda x: x**4 / 12, lambda x: x**3 / 3, 1.0, [1.0]),
        ("strongly convex: (x² + 25 y²) / 2", None, lambda x: np.array([1.0, 25.0]) * x, 25.0, [1.0, 1.0]),
        ("PL: x² + 3 sin² x", lambda x: x**2 + 3 * np.sin(x) ** 2, lambda x: 2 * x + 3 * np.sin(2 * x), 8.0, [3.0]),
    ):
        value = loss or (lambda x: 0.5 * np.array([1.0, 25.0]) * x**2)
        path = _walk(slope, np.array(start), 1 / largest, max(steps))
        losses = np.array([np.sum(value(x)) for x in path])
        squares = np.array([np.sum(slope(x) ** 2) for x in path])
        row: dict[str, object] = {"the loss": name}
        for t in steps:
            if name.startswith("smooth"):
                promised, got = 2 * largest * losses[0] / t, squares[:t].min()
            elif name.startswith("convex"):
                promised, got = largest * np.sum(path[0] ** 2) / (2 * t), losses[t]
            else:
                mu = 1.0 if loss is None else float(np.min(0.5 * slope(line) ** 2 / value(line)))
                promised, got = (1 - mu / largest) ** t * losses[0], losses[t]
            written = f"{got:.1g}" if got > 1e-15 else "0"
            row[f"after {t}"] = f"{written} {'≤' if got <= promised else '>'} {promised:.1g}"
        rows.append(row)
    return rows


def _walk(slope: Callable[[Array], Array], start: Array, rate: float, steps: int) -> Array:
    """Every point of gradient descent on a function of which only the slope is given."""
    params, optimizer = {"x": start.copy()}, SGD(learning_rate=rate)
    points = [start.copy()]
    for _ in range(steps):
        points.append(optimizer.update(params, {"x": slope(params["x"])})["x"].copy())
    return np.array(points)


def least_descent(rates: ArrayLike, *, points: int = 2000, seed: int = 0) -> Array:
    """The least of (loss before - loss after) / (what the descent lemma promises), over points and one step of each.

    On x² + 3 sin² x, whose curvature lies between -4 and 8. At least 1, if the lemma holds (below -1 in its promise
    means that it promises a rise).
    """
    x = np.random.default_rng(seed).uniform(-6, 6, points)
    slope = 2 * x + 3 * np.sin(2 * x)

    def loss(at: Array) -> Array:
        return at**2 + 3 * np.sin(at) ** 2

    margins = [loss(x) - loss(x - rate * slope) - rate * (1 - rate * 8 / 2) * slope**2 for rate in np.asarray(rates)]
    return np.min(margins, axis=1)
