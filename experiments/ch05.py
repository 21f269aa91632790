r"""Chapter 5, Nesterov momentum: the look-ahead, its damping, what it costs to trust, and what noise does to it.

The equation of the look-ahead is momentum's own rule, fed with a gradient that was measured elsewhere. So `look_ahead`
takes its steps with `MomentumSGD`, and `NesterovMomentum`, which stores the look-ahead point, can be held against it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib import plotting
from optim_lib.data import diabetes, digits
from optim_lib.landscapes import Point, from_formula, quadratic
from optim_lib.measure import steps_to_tolerance
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, MomentumSGD, NesterovMomentum, Optimizer
from optim_lib.palette import LIGHT, SERIES
from optim_lib.probes import look_ahead, radius  # noqa: F401
from optim_lib.training import train_sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Momentum = float | Callable[[int], float]


# The equation, and the picture -------------------------------------------------------------------------


VALLEY = quadratic((3.0, 12.0), name="a valley", window=(-2.05, 0.2, -0.45, 0.75))


def draw_one_step(nesterov: bool, *, learning_rate: float = 0.05, momentum: float = 0.85) -> Figure:
    """The second step of momentum, or of Nesterov's rule from the same point with the same velocity, as two arrows."""
    start = np.array((-1.9, 0.62))
    params, optimizer = {"p": start.copy()}, MomentumSGD(learning_rate=learning_rate, momentum=momentum)
    optimizer.update(params, {"p": VALLEY.gradient(start)})
    here = params["p"].copy()
    carried = here - learning_rate * momentum * optimizer.state["p"].velocity
    measured_at = carried if nesterov else here
    optimizer.update(params, {"p": VALLEY.gradient(measured_at)})
    end = params["p"]
    figure = plotting.contour(VALLEY, title="Nesterov" if nesterov else "momentum")
    ax, color = figure.axes[0], SERIES[1 if nesterov else 0]
    ax.plot(*np.stack([start, here]).T, color=LIGHT["muted"], lw=1.2, ls=":", zorder=4)
    _arrow(ax, here, carried, LIGHT["ink"])
    if not nesterov:
        _arrow(ax, here, here + (end - carried), color)
    _arrow(ax, carried, end, color, dashed=not nesterov)
    ax.plot(*here, "o", ms=6, color=LIGHT["ink"], zorder=6)
    ax.plot(*measured_at, "o", ms=13, mfc="none", mec=color, mew=2, zorder=6)
    ax.plot(*end, "o", ms=8, color=color, mec=LIGHT["paper"], zorder=7)
    _word(ax, here, "here", (11, 4), "left")
    _word(ax, carried, "look-ahead point", (2, -21) if nesterov else (10, 7), "left")
    _word(ax, end, "end of the step", (10, 5) if nesterov else (10, -4), "left")
    return figure


def _word(ax: Axes, place: Array, text: str, offset: Point, side: str) -> None:
    ax.annotate(text, place, offset, textcoords="offset points", ha=side, color=LIGHT["ink"], fontsize=9.6, zorder=8)


def _arrow(ax: Axes, tail: Array, head: Array, color: str, dashed: bool = False) -> None:
    style = {"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 3, "mutation_scale": 13}
    ax.annotate("", head, tail, arrowprops={**style, "ls": "--" if dashed else "-"}, zorder=5)


# One direction of a quadratic -----------------------------------------------------------------------------


def swings(product: float, momentum: float = 0.9, steps: int = 100) -> dict[str, Array]:
    r"""The distance from the minimum along one direction, from 1 at rest, with :math:`\eta\lambda` = `product`.

    Momentum's, that of Nesterov's position, and that of the look-ahead point, which is what the library stores.
    """

    def gradient(c: Array) -> Array:
        return product * c

    params, optimizer, path = {"c": np.ones(1)}, MomentumSGD(learning_rate=1.0, momentum=momentum), [1.0]
    for _ in range(steps):
        optimizer.update(params, {"c": gradient(params["c"])})
        path.append(params["c"].item())
    positions, looked_at = look_ahead(gradient, np.ones(1), steps, 1.0, momentum)
    return {"momentum": np.array(path), "Nesterov": positions[:, 0], "look-ahead point": looked_at[:, 0]}


def overshoots(products: Sequence[float], momentum: float = 0.9) -> list[dict[str, float]]:
    """For each product of rate and curvature: how far both swing past the minimum, and how often in 100 steps.

    A swing of less than a millionth of the first distance is not counted.
    """
    rows = []
    for product in products:
        row = {"rate times curvature": product, "effective momentum": momentum * (1 - product)}
        for label, path in swings(product, momentum).items():
            if label != "look-ahead point":
                seen = path[np.abs(path) > 1e-6]
                row[f"crossings, {label}"] = int(np.sum(seen[1:] * seen[:-1] < 0))
            row[f"furthest past, {label}"] = float(max(0.0, -path.min()))
        rows.append(row)
    return rows


# Steps against condition number ---------------------------------------------------------------------------


def optimal_pair(kappa: ArrayLike) -> dict[str, tuple[type[Optimizer], dict[str, Array]]]:
    r"""Textbook rates and momenta for curvatures between 1 and `kappa`: optimizer and hyperparameters by label.

    Gradient descent and momentum at their optimum for quadratics (Polyak 1964); Nesterov's rule at the pair that is
    guaranteed for every smooth, strongly convex function, :math:`\eta = 1/\lambda_{\max}` and
    :math:`\beta = (\sqrt\kappa - 1)/(\sqrt\kappa + 1)`; at its own optimum for quadratics (Lessard, Recht and Packard
    2016); and with the same rate but :math:`\beta = 0.9` whatever the surface.
    """
    kappa = np.asarray(kappa, dtype=np.float64)
    root, wider = np.sqrt(kappa), np.sqrt(3 * kappa + 1)
    guaranteed = (root - 1) / (root + 1)
    return {
        "gradient descent": (SGD, {"learning_rate": 2 / (1 + kappa)}),
        "Nesterov, β = 0.9": (NesterovMomentum, {"learning_rate": 1 / kappa, "momentum": 0.9 + 0 * kappa}),
        "Nesterov, guaranteed": (NesterovMomentum, {"learning_rate": 1 / kappa, "momentum": guaranteed}),
        "Nesterov, tuned": (
            NesterovMomentum,
            {"learning_rate": 4 / (3 * kappa + 1), "momentum": (wider - 2) / (wider + 2)},
        ),
        "momentum, tuned": (MomentumSGD, {"learning_rate": 4 / (1 + root) ** 2, "momentum": guaranteed**2}),
    }


def steps_by_condition(kappas: Sequence[float], *, share: float = 1e-6, directions: int = 20) -> dict[str, Array]:
    """Steps until the loss is down to `share` of the first, and stays, on quadratics of each condition number.

    Curvatures spread evenly on a logarithmic scale from 1 to the condition number; the start has the same share of
    the loss in each of these directions. All condition numbers run at once.
    """
    kappas = np.asarray(kappas, dtype=np.float64)
    curvatures = kappas[:, None] ** np.linspace(0, 1, directions)
    counts = {}
    for label, (optimizer, setting) in optimal_pair(kappas).items():
        stepper = optimizer(**{name: values[:, None] for name, values in setting.items()})
        longest = int((8 if label == "gradient descent" else 2) * kappas.max())
        counts[label] = steps_to_tolerance(_shares(stepper, curvatures, longest, share), share, stay=True)
    return counts


def _shares(optimizer: Optimizer, curvatures: Array, longest: int, share: float) -> Array:
    """Loss over first loss, of shape (settings, steps + 1), until all settings are far below `share`."""
    params = {"c": 1 / np.sqrt(curvatures)}
    losses = [0.5 * np.sum(curvatures * params["c"] ** 2, axis=-1)]
    for _ in range(longest):
        optimizer.update(params, {"c": curvatures * params["c"]})
        losses.append(0.5 * np.sum(curvatures * params["c"] ** 2, axis=-1))
        if np.all(losses[-1] < 1e-6 * share * losses[0]):
            break
    return np.stack(losses, axis=-1) / losses[0][:, None]


# Smooth and convex, but no quadratic -----------------------------------------------------------------------


# The curvature along x is 25, then 1, then 25 again; the function of x is that of Lessard, Recht and Packard (2016).
bent_bowl = from_formula(
    "where(x < 1, 12.5 * x * x, where(x < 2, 0.5 * x * x + 24 * x - 12, 12.5 * x * x - 24 * x + 36)) + 0.5 * y * y",
    ["where(x < 1, 25 * x, where(x < 2, x + 24, 25 * x - 24))", "1.0 * y"],
    name="a bent bowl",
    formula=r"f(x) + \tfrac12 y^2, \quad f'(x) = 25x,\; x + 24,\; 25x - 24",
    minima=((0.0, 0.0),),
    window=(-3.0, 4.2, -3.0, 3.0),
    starts=((3.3, 2.4), (2.4, -2.0), (-2.6, 1.5)),
)


def convex_gaps(steps: int = 1000, directions: int = 1000) -> dict[str, Array]:
    r"""The loss above the minimum, relative to the first, on a convex bowl with no smallest curvature to speak of.

    Curvatures from almost 0 to 1, the largest, and a rate of 1. Any range of curvatures holds a share of the first
    loss in proportion to its width.
    The growing momentum is :math:`\beta_t = (t - 1)/(t + 2)`, a usual form of that of Nesterov (1983).
    """
    places = (np.arange(directions) + 0.5) / directions
    curvatures, shares = places**4, 4 * places**3 / directions  # finely spaced where it matters: near zero
    gaps = {}
    for label, momentum in (
        ("gradient descent", 0.0),
        ("Nesterov, β = 0.9", 0.9),
        ("Nesterov, growing β", growing),
    ):
        positions, _ = look_ahead(lambda c: curvatures * c, np.ones(directions), steps, 1.0, momentum)
        gaps[label] = positions**2 @ shares
    return gaps


# The differential equation, and the lower bound ----------------------------------------------------------------


def growing(t: int) -> float:
    r"""The momentum :math:`\beta_t = (t - 1)/(t + 2)`."""
    return (t - 1) / (t + 2)


def equation_gap(rates: Sequence[float], until: float = 12.0) -> list[dict[str, float]]:
    r"""How far Nesterov's points are from the solution of Su et al.'s equation, at times :math:`t\sqrt\eta`.

    .. math:: \ddot x + \frac3t \dot x + \nabla L(x) = 0

    On a bowl with curvatures 1 and 4, from (1, 1) at rest. The equation is solved by small steps of Runge and Kutta.
    """
    curvatures, rows = np.array([1.0, 4.0]), []
    for rate in rates:
        steps = round(until / np.sqrt(rate))
        points, _ = look_ahead(lambda c: curvatures * c, np.ones(2), steps, rate, growing)
        solution = _damped(curvatures, np.sqrt(rate) * np.arange(steps + 1))[0]
        rows.append({"rate": rate, "steps": steps, "largest distance": float(np.abs(points - solution).max())})
    return rows


def _damped(curvatures: Array, times: Array, parts: int = 20) -> tuple[Array, Array]:
    """Positions and speeds at these times, from one at rest, by the rule of Runge and Kutta."""

    def slope(t: float, state: Array) -> Array:
        # At rest at first: 3 x' / t tends to 3 x'', so that x'' = -gradient / 4.
        pull = -curvatures * state[0]
        return np.stack([state[1], pull / 4 if t == 0 else pull - 3 / t * state[1]])

    state = np.stack([np.ones_like(curvatures), np.zeros_like(curvatures)])
    found = [state]
    for begin, end in itertools.pairwise(times):
        h = (end - begin) / parts
        for k in range(parts):
            t = begin + k * h
            a = slope(t, state)
            b = slope(t + h / 2, state + h / 2 * a)
            c = slope(t + h / 2, state + h / 2 * b)
            state = state + h / 6 * (a + 2 * b + 2 * c + slope(t + h, state + h * c))
        found.append(state)
    positions, speeds = np.moveaxis(np.array(found), 1, 0)
    return positions, speeds


def energy_rise(until: float = 12.0) -> float:
    r"""The largest rise of :math:`\tau^2 (L - L^*) + 2 \lVert x + \tau\dot x/2 - x^*\rVert^2` along the equation."""
    curvatures, times = np.array([1.0, 4.0]), np.linspace(0, until, 600)
    positions, speeds = _damped(curvatures, times)
    energy = times**2 * (0.5 * positions**2 @ curvatures)
    energy += 2 * np.sum((positions + times[:, None] * speeds / 2) ** 2, axis=1)
    return float(np.diff(energy).max())


def chain(steps: Sequence[int]) -> list[dict[str, float]]:
    r"""Nesterov's worst convex function for so many steps: a chain that is pulled at one end.

    .. math:: L(x) = \tfrac18 \Big(x_1^2 + \sum_i (x_i - x_{i+1})^2 + x_d^2 - 2 x_1\Big), \quad d = 2t + 1

    Its curvatures are below 1. From zero, the gradient of a point with zeros from place i on has zeros from i + 1 on.
    All numbers are in units of :math:`\lambda_{\max} \lVert\theta_1 - \theta^*\rVert^2`.
    """
    rows = []
    for t in steps:
        d = 2 * t + 1
        matrix = (2 * np.eye(d) - np.eye(d, k=1) - np.eye(d, k=-1)) / 4
        pull = np.eye(d)[0] / 4
        bottom = np.linalg.solve(matrix, pull)
        unit = bottom @ bottom

        def gap(x: Array, matrix: Array = matrix, bottom: Array = bottom, unit: float = unit) -> float:
            return float(0.5 * (x - bottom) @ matrix @ (x - bottom) / unit)

        row: dict[str, float] = {"steps": t}
        for name, momentum in (("gradient descent", 0.0), ("Nesterov", growing)):
            points, _ = look_ahead(lambda x, m=matrix, b=pull: m @ x - b, np.zeros(d), t, 1.0, momentum)
            row[name] = gap(points[-1])
        reached = np.zeros(d)
        reached[:t] = np.linalg.solve(matrix[:t, :t], pull[:t])
        rows.append(row | {"the best of all": gap(reached), "no less than": 3 / (32 * (t + 1) ** 2)})
    return rows


# Noise ------------------------------------------------------------------------------------------------------

MOMENTA = np.array([0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98])
CONTESTANTS = {
    "SGD": (SGD, {"learning_rate": np.geomspace(1e-5, 0.0195, 128)}),
    "momentum": (MomentumSGD, {"learning_rate": np.geomspace(1e-5, 0.0375, 16), "momentum": MOMENTA}),
    "Nesterov": (NesterovMomentum, {"learning_rate": np.geomspace(1e-5, 0.0195, 16), "momentum": MOMENTA}),
}


def gaps_by_noise(
    levels: Sequence[float], steps: int, *, kappa: float = 100.0, directions: int = 20, repeats: int = 16
) -> dict[str, dict[str, Array]]:
    """The mean loss left after `steps` steps with gradient noise, each optimizer at the best of 128 settings.

    A quadratic with curvatures from 1 to `kappa`, the same loss in each direction at the start, 1 in all. Each level
    is the standard deviation of the noise in each coordinate of each gradient. The setting with the lowest mean over
    `repeats` runs is run again with other noise, and that is reported.

    Returns
    -------
    dict of label to dict
        Arrays over the levels: gap, learning_rate, momentum.
    """
    found = {label: {"gap": [], "learning_rate": [], "momentum": []} for label in CONTESTANTS}
    for level in levels:
        for label, (optimizer, axes) in CONTESTANTS.items():
            grid = np.meshgrid(*axes.values(), indexing="ij")
            settings = {name: values.ravel() for name, values in zip(axes, grid, strict=True)}
            tried = _noisy_gaps(optimizer, settings, level, steps, kappa, directions, repeats, seed=100)
            best = {name: values[[np.argmin(tried)]] for name, values in settings.items()}
            reported = _noisy_gaps(optimizer, best, level, steps, kappa, directions, 4 * repeats, seed=0)
            found[label]["gap"].append(float(reported[0]))
            found[label]["learning_rate"].append(float(best["learning_rate"][0]))
            found[label]["momentum"].append(float(best.get("momentum", np.zeros(1))[0]))
    return {label: {name: np.array(values) for name, values in rows.items()} for label, rows in found.items()}


def _noisy_gaps(
    optimizer: type[Optimizer],
    settings: dict[str, Array],
    level: float,
    steps: int,
    kappa: float,
    directions: int,
    repeats: int,
    seed: int,
) -> Array:
    """The mean loss after the last step, for each setting; all settings see the same noise."""
    rng = np.random.default_rng(seed)
    count = next(iter(settings.values())).size
    curvatures = kappa ** np.linspace(0, 1, directions)
    shape = (count, repeats if level else 1, directions)
    params = {"c": np.broadcast_to(np.sqrt(2 / (directions * curvatures)), shape).copy()}
    stepper = optimizer(**{name: values[:, None, None] for name, values in settings.items()})
    with np.errstate(all="ignore"):
        for _ in range(steps):
            noise = level * rng.standard_normal(shape[1:])
            stepper.update(params, {"c": curvatures * params["c"] + noise})
        gaps = 0.5 * np.sum(curvatures * params["c"] ** 2, axis=-1).mean(axis=-1)
    return np.where(np.isfinite(gaps), gaps, np.inf)


def noise_floors(product: float = 0.1, momentum: float = 0.9, walkers: int = 4000) -> list[dict[str, float]]:
    r"""The mean loss at which each rule hovers on a parabola of curvature 1 with gradient noise of variance 1.

    At the rate `product`, and with momentum also at `product` :math:`(1 - \beta)`, the same effective rate. The mean is
    over many independent walkers, and over 200 steps after 400 that are not counted.
    """
    rows = []
    for scale, heading in ((1.0, "same rate"), (1 - momentum, "same effective rate")):
        for label, optimizer in (("SGD", SGD), ("momentum", MomentumSGD), ("Nesterov", NesterovMomentum)):
            setting = {} if optimizer is SGD else {"momentum": momentum}
            rate = product if optimizer is SGD else product * scale
            stepper, params = optimizer(learning_rate=rate, **setting), {"c": np.zeros(walkers)}
            rng, losses = np.random.default_rng(5), []
            for t in range(600):
                stepper.update(params, {"c": params["c"] + rng.standard_normal(walkers)})
                losses += [np.mean(0.5 * params["c"] ** 2)] if t >= 400 else []
            rows.append({"rule": label, "compared at": heading, "learning rate": rate, "loss": float(np.mean(losses))})
    return rows


# Real data ---------------------------------------------------------------------------------------------------


def regression() -> tuple[Array, Array, Array]:
    """The patients with diabetes: standardized features with a column of ones, progression, and the best weights."""
    x, y = diabetes(validation=0, test=0).train
    x = np.column_stack([x, np.ones(len(x))])
    return x, y[:, 0], np.linalg.lstsq(x, y[:, 0], rcond=None)[0]


def spectrum(x: Array) -> tuple[float, float]:
    r"""The smallest and the largest curvature of the mean squared error, :math:`\frac2n X^\top X`."""
    eigenvalues = np.linalg.eigvalsh(2 / len(x) * x.T @ x)
    return float(eigenvalues[0]), float(eigenvalues[-1])


def gap_shares() -> Array:
    """How the first loss gap of the patients, from zero, is divided among the directions, from flat to steep."""
    x, _, best = regression()
    curvatures, directions = np.linalg.eigh(2 / len(x) * x.T @ x)
    gaps = curvatures * (directions.T @ best) ** 2
    return gaps / gaps.sum()


def regression_steps(shares: Sequence[float], most: int = 10_000) -> list[dict[str, float]]:
    r"""Exact gradients on the patients: steps until each share of the first loss gap is left, at the textbook pairs.

    Gradient descent also at Nesterov's rate, :math:`1/\lambda_{\max}`, which ends the steepest direction in one step.
    """
    x, y, best = regression()
    smallest, largest = spectrum(x)
    kappa = largest / smallest
    pairs = {"gradient descent": optimal_pair(kappa)["gradient descent"]}
    pairs["gradient descent, 1/λmax"] = (SGD, {"learning_rate": np.asarray(1 / kappa)})
    rows = []
    for label, (optimizer, setting) in {**pairs, **optimal_pair(kappa)}.items():
        setting = {name: float(value) for name, value in setting.items()}
        setting["learning_rate"] /= smallest  # the pairs are for curvatures from 1 to kappa
        params, stepper = {"w": np.zeros(x.shape[1])}, optimizer(**setting)
        gaps = [np.mean((x @ best) ** 2)]
        while len(gaps) <= most and max(gaps[-30:]) > 0.1 * min(shares) * gaps[0]:
            stepper.update(params, {"w": 2 / len(x) * x.T @ (x @ params["w"] - y)})
            gaps.append(np.mean((x @ (params["w"] - best)) ** 2))
        relative = np.array(gaps) / gaps[0]
        counts = {f"to {share:g}": steps_to_tolerance(relative, share, stay=True) for share in shares}
        rows.append({"optimizer": label, **setting, **counts})
    return rows


NETWORK = MLP((64, 32, 10))
OTHERS = ("momentum", "SGD")
RULES = {"SGD": SGD, "momentum": MomentumSGD, "Nesterov": NesterovMomentum}


def digits_at_effective_rates(
    rates: Sequence[float], *, momentum: float = 0.9, looks: Sequence[int] = (3, 12), seeds: int = 8
) -> dict[int, dict[str, Array]]:
    r"""The training loss on the digits after each number of epochs in `looks`, at equal effective rates.

    SGD at each of `rates`, momentum and Nesterov at that times :math:`1-\beta`; the same seeds and batches of 32 for
    all. For each look and rule an array of shape (rates, seeds).
    """
    losses = {}
    for label, rule in RULES.items():
        scale, setting = (1.0, {}) if rule is SGD else (1 - momentum, {"momentum": momentum})
        run = {
            "epochs": max(looks),
            "seeds": range(seeds),
            "learning_rate": scale * np.asarray(rates),
            "progress": False,
        }
        losses[label] = train_sweep(NETWORK, rule, digits(), **run, **setting).train_losses
    return {look: {label: array[:, :, look] for label, array in losses.items()} for look in looks}


def digits_table(rates: Sequence[float], losses: dict[int, dict[str, Array]]) -> plotting.Piece:
    """The losses of `digits_at_effective_rates`, a row for each rule and look, a column for each rate."""

    def told(values: Array) -> str:
        return f"{np.median(values):.3f} ({values.min():.3f} to {values.max():.3f})"

    rows = [
        {"rule": label, "epochs": look} | {f"rate {rate:g}": told(row) for rate, row in zip(rates, array, strict=True)}
        for look, found in losses.items()
        for label, array in found.items()
    ]
    return plotting.table(
        rows, caption="Training loss at three effective rates: median (lowest to highest) over the seeds."
    )


def digits_pairs(rates: Sequence[float], losses: dict[int, dict[str, Array]]) -> list[dict[str, float | str]]:
    """Nesterov's training loss beside each other rule's, seed by seed: how often it is lower, and the median ratio."""
    return [
        {"epochs": look, "effective rate": rate}
        | {f"lower than {other}": f"{int(np.sum(its[k] < found[other][k]))} of {its.shape[1]}" for other in OTHERS}
        | {f"as a share of {other}'s": f"{np.median(its[k] / found[other][k]):.2f}" for other in OTHERS}
        for look, found in losses.items()
        for its in [found["Nesterov"]]
        for k, rate in enumerate(rates)
    ]
