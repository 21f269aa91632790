r"""Chapter 4, momentum: what the velocity adds up, how fast two by two matrices shrink, and what it is worth on data.

On a quadratic every direction follows its own recursion. With :math:`c_t` the distance from the minimum along a
direction of curvature :math:`\lambda`, and :math:`q = \eta\lambda`,

.. math::
    \begin{pmatrix} c_{t+1} \\ \eta v_t \end{pmatrix} =
    \begin{pmatrix} 1 - q & -\beta \\ q & \beta \end{pmatrix}
    \begin{pmatrix} c_t \\ \eta v_{t-1} \end{pmatrix} .

All steps are taken by `optim_lib.optimizers`; the matrix only predicts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.data import digits
from optim_lib.descent import descend
from optim_lib.explorer import MapCurve
from optim_lib.explorer.table import Table
from optim_lib.landscapes import quadratic
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, MomentumSGD
from optim_lib.optimizers.base import Hyperparameter
from optim_lib.probes import critical, matrix, optimal_pair, spectral_radius, steps_of  # noqa: F401
from optim_lib.training import LogUniform, Search, TrainingSweep, Tuning, Uniform, train_sweep, tune

Array = NDArray[np.float64]


# What the velocity adds up ----------------------------------------------------------------------------


def velocities(grads: ArrayLike, momentum: float) -> Array:
    """The velocity that `MomentumSGD` holds after each of a stream of gradients of one parameter."""
    optimizer, params, found = MomentumSGD(learning_rate=0.0, momentum=momentum), {"theta": np.zeros(1)}, []
    for grad in np.asarray(grads, dtype=np.float64):
        optimizer.update(params, {"theta": np.array([grad])})
        found.append(float(optimizer.state["theta"].velocity[0]))
    return np.array(found)


def memory(momenta: Sequence[float], steps: int = 4000) -> list[dict[str, float]]:
    """For each coefficient: its horizon and half-life, and what the velocity makes of steady and flipping gradients."""
    rows = []
    for beta in momenta:
        steady, flipping = velocities(np.ones(steps), beta), velocities((-1.0) ** np.arange(steps), beta)
        rows.append(
            {
                "β": f"{beta:g}",
                "horizon": round(1 / (1 - beta)),
                "steps to half speed": int(np.argmax(steady >= 0.5 * steady[-1])) + 1,
                "to 95 %": int(np.argmax(steady >= 0.95 * steady[-1])) + 1,
                "steady": steady[-1],
                "flipping": abs(flipping[-1]),
                "ratio": steady[-1] / abs(flipping[-1]),
            }
        )
    return rows


# One direction: the two by two matrix -------------------------------------------------------------------


def distances(product: float, momentum: float, steps: int) -> Array:
    """The distance from the minimum of a parabola at each step, from 1, as `MomentumSGD` takes them."""
    optimizer, params, found = MomentumSGD(learning_rate=product, momentum=momentum), {"c": np.ones(1)}, [1.0]
    for _ in range(steps):
        optimizer.update(params, {"c": params["c"].copy()})
        found.append(float(params["c"][0]))
    return np.array(found)


# All directions -----------------------------------------------------------------------------------------


def suits(momentum: float) -> float:
    """The condition number for which this momentum is the optimal one."""
    root = np.sqrt(momentum)
    return float(((1 + root) / (1 - root)) ** 2)


def best_rate(smallest: float, largest: float, momentum: float) -> float:
    r"""The rate that shrinks the worst direction fastest when the momentum is given.

    Up to :math:`\kappa` = `suits(momentum)` there is a whole range of them, in which every direction shrinks by
    :math:`\sqrt\beta`; this is its middle. Beyond, steep and flat direction are balanced, as for SGD.
    """
    root = np.sqrt(momentum)
    low, high = (1 - root) ** 2 / smallest, (1 + root) ** 2 / largest
    return float((low + high) / 2 if low <= high else 2 * (1 + momentum) / (smallest + largest))


def ravines(kappas: Sequence[float], *, share: float = 1e-6) -> list[dict[str, float]]:
    r"""Steps until the loss is `share` of the first, on ravines with curvatures 1 and :math:`\kappa`, from (1, 1).

    SGD at its fastest rate, momentum 0.9 at its best rate, and the optimal pair; of the pair also how many of its steps
    flip the sign of the steep coordinate.
    """
    rows = []
    for kappa in kappas:
        rate, beta = optimal_pair(1.0, kappa)
        sgd = _arrival(SGD(learning_rate=2 / (1 + kappa)), kappa, share)
        usual = _arrival(MomentumSGD(best_rate(1.0, kappa, 0.9), 0.9), kappa, share)
        best = _arrival(MomentumSGD(rate, beta), kappa, share)
        flips = int(np.sum(best[1:, 1] * best[:-1, 1] < 0))
        rows.append(
            {
                "condition number": kappa,
                "SGD": len(sgd) - 1,
                "momentum 0.9": len(usual) - 1,
                "optimal pair": len(best) - 1,
                "its β": beta,
                "its sign flips": flips,
            }
        )
    return rows


def _arrival(optimizer: SGD | MomentumSGD, kappa: float, share: float) -> Array:
    """The points of a descent up to the first that stays under the share."""
    run = descend(optimizer, quadratic((1.0, kappa)), (1.0, 1.0), steps=int(8 * kappa) + 300)
    return run.points[: int(np.flatnonzero(run.losses > share * run.losses[0])[-1]) + 2]


def map_theory(smallest: float, largest: float, rates: ArrayLike) -> list[MapCurve]:
    """The edge of stability, the two critical curves and the point where they cross, for a map of settings."""
    rate, beta = optimal_pair(smallest, largest)
    low, high = float(np.min(rates)), float(np.max(rates))
    # Labels stand three quarters along a curve: run these two down to where there is room.
    flat, steep = np.linspace(rate, low, 61), np.linspace(high, max(low, 1 / largest), 61)
    curves = [
        ("edge", edge := np.linspace(low, high, 61), edge * largest / 2 - 1),
        ("steep", steep, critical(steep * largest)),
        ("flat", flat, critical(flat * smallest)),
    ]
    return [*(MapCurve(*curve) for curve in curves), MapCurve("optimum", rate, beta)]


# A regression, to the step --------------------------------------------------------------------------------


def fit(x: Array, y: Array, optimizer: SGD | MomentumSGD, steps: int, start: Array) -> Iterator[Array]:
    """Every point of a descent on the mean squared error of ``x @ theta``, the start first."""
    params = {"theta": start.copy()}
    yield params["theta"].copy()
    for _ in range(steps):
        optimizer.update(params, {"theta": 2 / len(y) * x.T @ (x @ params["theta"] - y)})
        yield params["theta"].copy()


def counted_steps(x: Array, y: Array, optimizer: SGD | MomentumSGD, start: Array, share: float, most: int) -> int:
    """The first step after which the loss gap is at most `share` of the first; -1 if there is none."""
    bottom = np.linalg.lstsq(x, y, rcond=None)[0]
    first = np.mean((x @ (start - bottom)) ** 2)
    for t, theta in enumerate(fit(x, y, optimizer, most, start)):
        if np.mean((x @ (theta - bottom)) ** 2) <= share * first:
            return t
    return -1


def predicted_steps(hessian: Array, offset: Array, learning_rate: float, momentum: float, share: float) -> int:
    """The same from the spectrum alone: each direction follows its own two by two matrix."""
    eigenvalues, directions = np.linalg.eigh(hessian)
    step = matrix(learning_rate * eigenvalues, momentum)
    state = np.stack([directions.T @ offset, np.zeros(len(offset))], axis=-1)[..., None]
    first = np.sum(eigenvalues * state[:, 0, 0] ** 2)
    t = 0
    while np.sum(eigenvalues * state[:, 0, 0] ** 2) > share * first:
        state, t = step @ state, t + 1
    return t


def regression_counts(x: Array, y: Array, *, seeds: Sequence[int] = range(5), share: float = 1e-6) -> list[dict]:
    """Predicted and counted steps of SGD and of momentum, each at its optimum, from random starts."""
    hessian = 2 / len(y) * x.T @ x
    eigenvalues = np.linalg.eigvalsh(hessian)
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    bottom = np.linalg.lstsq(x, y, rcond=None)[0]
    rate, beta = optimal_pair(smallest, largest)
    settings = {"SGD": (2 / (smallest + largest), 0.0), "momentum": (rate, beta)}
    rows = []
    for seed in seeds:
        start = bottom + np.random.default_rng(seed).normal(scale=50, size=len(bottom))
        row: dict[str, object] = {"start": f"seed {seed}"}
        for name, (eta, momentum) in settings.items():
            optimizer = MomentumSGD(eta, momentum) if momentum else SGD(eta)
            predicted = predicted_steps(hessian, start - bottom, eta, momentum, share)
            counted = counted_steps(x, y, optimizer, start, share, most=20_000)
            row[name] = f"{predicted} / {counted}"
        rows.append(row)
    return rows


# An average in place of the sum ---------------------------------------------------------------------------


class DampenedSGD(MomentumSGD):
    """Momentum as an average: dampened by as much as is remembered."""

    dampening: float | Array = Hyperparameter(default=0.9, below=1.0, closed=True)


# Where the rate stands ------------------------------------------------------------------------------------


def ravine_runs(rates: ArrayLike, *, momentum: float = 0.9) -> dict[str, Array]:
    """The losses of both conventions on a ravine of condition number 25 while the rate changes."""
    surface, found = quadratic((1.0, 25.0)), {}
    for name, inside in (("rate outside", False), ("rate inside", True)):
        optimizer, params = MomentumSGD(1.0, momentum), {"p": np.array([-2.0, 1.0])}
        points = [params["p"].copy()]
        for rate in np.asarray(rates, dtype=np.float64):
            _step(optimizer, params, {"p": surface.gradient(params["p"])}, rate, inside)
            points.append(params["p"].copy())
        found[name] = np.array(points)
    return found


def _step(optimizer: MomentumSGD, params: dict, grads: dict, rate: float, inside: bool) -> None:
    if inside:
        grads = {name: rate * grad for name, grad in grads.items()}
    else:
        optimizer.learning_rate = rate
    optimizer.update(params, grads)


# A valley that is no parabola --------------------------------------------------------------------------------


def kinked_slope(x: Array) -> Array:
    """The slope of the convex function of Lessard et al. (2016): its curvature is 25, then 1, then 25 again."""
    return np.where(x < 1, 25 * x, np.where(x < 2, x + 24, 25 * x - 24))


def kinked_paths(rates: dict[str, tuple[float, float]], *, start: float = 3.3, steps: int = 60) -> dict[str, Array]:
    """Where momentum with each (learning rate, momentum) goes on that function, whose minimum is at 0."""
    paths = {}
    for label, (rate, momentum) in rates.items():
        optimizer, params, path = MomentumSGD(rate, momentum), {"x": np.array([start])}, [start]
        for _ in range(steps):
            optimizer.update(params, {"x": kinked_slope(params["x"])})
            path.append(float(params["x"][0]))
        paths[label] = np.array(path)
    return paths


# Noise ------------------------------------------------------------------------------------------------------


def noise_floor(effective: float, momentum: float, *, curvature: float = 1.0, runs: int = 2000, seed: int = 0) -> float:
    """The mean loss at which many runs on a noisy parabola settle: gradient noise of standard deviation 1.

    The runs begin at the minimum; the first 20 time constants are dropped, the next 20 averaged.
    """
    rng, params = np.random.default_rng(seed), {"x": np.zeros(runs)}
    optimizer = MomentumSGD(effective * (1 - momentum), momentum)
    settle, total = int(20 / min(effective * curvature, 1 - momentum)), 0.0
    for t in range(2 * settle):
        optimizer.update(params, {"x": curvature * params["x"] + rng.standard_normal(runs)})
        if t >= settle:
            total += 0.5 * curvature * np.mean(params["x"] ** 2)
    return float(total / settle)


def exact_floor(effective: float, momentum: float, *, curvature: float = 1.0) -> float:
    r"""The same, exactly, from the stationary variance.

    .. math:: \tfrac12 \eta_{\mathrm{eff}} / (2 - \tfrac{1-\beta}{1+\beta} \eta_{\mathrm{eff}} \lambda)

    with the effective rate :math:`\eta_{\mathrm{eff}} = \eta/(1-\beta)`.
    """
    return 0.5 * effective / (2 - (1 - momentum) / (1 + momentum) * effective * curvature)


def floors(rates: Sequence[float], momenta: Sequence[float]) -> list[dict[str, str]]:
    """Measured and exact floors, one row for each effective rate."""
    return [
        {
            "effective rate": f"{rate:g}",
            **{f"β = {beta:g}": f"{noise_floor(rate, beta):.3f} / {exact_floor(rate, beta):.3f}" for beta in momenta},
        }
        for rate in rates
    ]


# Digits -----------------------------------------------------------------------------------------------------

DATA = digits()
NETWORK = MLP((64, 32, 10))


MOMENTA = (0.0, 0.5, 0.9, 0.95, 0.99)
EFFECTIVE = np.geomspace(0.03, 30, 13)
SEARCHES = {
    "SGD": Search(SGD, learning_rate=LogUniform(0.01, 10.0)),
    "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(0.001, 3.0), momentum=Uniform(0.0, 0.98)),
}


def compare_on_digits(epochs: int, trials: int = 15) -> Tuning:
    """SGD and momentum on the digits: the same number of settings tried for each."""
    return tune(SEARCHES, NETWORK, DATA, trials=trials, epochs=epochs, progress=False)


def small_batches(epochs: int = 8, seeds: Sequence[int] = range(3)) -> dict[float, TrainingSweep]:
    """Train at each momentum and effective rate with batches of 32; the learning rate is (1 - momentum) times it."""
    return {
        beta: train_sweep(
            NETWORK, MomentumSGD, DATA, epochs=epochs, seeds=seeds, progress=False, momentum=beta,
            learning_rate=EFFECTIVE * (1 - beta),
        )
        for beta in MOMENTA
    }  # fmt: skip


def full_batches(
    momenta: Sequence[float] = (0.0, 0.9, 0.99),
    *,
    steps: int = 60,
    examples: int = 360,
    seeds: Sequence[int] = range(3),
) -> dict[float, Array]:
    """The same with all of the first `examples` in each step: the training loss after the last, (rates, seeds)."""
    x, y = (part[:examples] for part in DATA.train)
    starts = [NETWORK.initialize(seed) for seed in seeds]
    found = {}
    for beta in momenta:
        params = {
            name: np.repeat(np.stack([start[name] for start in starts])[None], EFFECTIVE.size, axis=0)
            for name in starts[0]
        }
        optimizer = MomentumSGD((EFFECTIVE * (1 - beta))[:, None, None, None], beta)
        with np.errstate(all="ignore"):  # a rate that is too large overflows
            for _ in range(steps):
                optimizer.update(params, NETWORK.loss_and_gradients(params, x, y)[1])
            found[beta] = NETWORK.loss(params, x, y)
    return found


def best_by_budget(sweeps: dict[float, TrainingSweep], budgets: Sequence[int]) -> list[dict[str, object]]:
    """For each momentum and number of epochs: the lowest median validation loss over the rates, and where it is."""
    rows = []
    for beta, sweep in sweeps.items():
        row: dict[str, object] = {"β": f"{beta:g}"}
        for epochs in budgets:
            losses = np.median(sweep.validation_losses[..., epochs], axis=1)
            best = int(np.argmin(losses))
            row[f"{epochs} epochs" if epochs > 1 else "1 epoch"] = f"{losses[best]:.2f} (at {EFFECTIVE[best]:.2g})"
        rows.append(row)
    return rows


def good_rates(sweeps: dict[float, TrainingSweep], epochs: int, within: float = 0.01) -> list[dict[str, object]]:
    """For SGD and momentum 0.9: the learning rates whose validation accuracy is within 0.01 of the best."""
    rows = []
    for label, beta in (("SGD", 0.0), ("momentum 0.9", 0.9)):
        accuracies = np.nan_to_num(np.median(sweeps[beta].validation_accuracies[..., epochs], axis=1))
        good = EFFECTIVE[accuracies >= accuracies.max() - within]
        rows.append(
            {
                "optimizer": label,
                "best accuracy": f"{accuracies.max():.3f}",
                "learning rate from": good.min() * (1 - beta),
                "to": good.max() * (1 - beta),
                "effective rate from": good.min(),
                " to": good.max(),
            }
        )
    return rows


# Judges for the figures ------------------------------------------------------------------------------------


def survives(winner: str, loser: str, loss: float) -> Callable[[Table], NDArray[np.bool_]]:
    """For `quest`: one optimizer has diverged, the other ends below a loss."""

    def judge(table: Table) -> NDArray[np.bool_]:
        (first,), (second,) = table.named(winner), table.named(loser)
        return (table.ends(first) < loss) & ~np.isfinite(table.ends(second))

    return judge


def settles_from(
    start: int, minimum: tuple[float, float], radius: float = 0.15
) -> Callable[[Table], NDArray[np.bool_]]:
    """For `quest`: the run from this start of the figure ends near this minimum."""

    def judge(table: Table) -> NDArray[np.bool_]:
        ends = table.points(table.series[0])[..., -1, :]
        with np.errstate(invalid="ignore"):
            near = np.hypot(*np.moveaxis(ends - np.asarray(minimum), -1, 0)) < radius
        here = np.arange(len(table.starts)) == start
        return near & here.reshape(-1, *[1] * (near.ndim - 1))

    return judge


# Why the root: polynomials ------------------------------------------------------------------------------


def polynomials(kappa: float, steps: int, curvatures: ArrayLike) -> dict[str, Array]:
    r"""What each method multiplies a distance by in so many steps, as a function of the curvature in [1, kappa].

    Gradient descent at its fastest rate, momentum with the optimal pair, and the polynomial that is smallest on the
    whole interval: Chebyshev's, stretched, and divided by its value at zero.
    """
    curvatures = np.asarray(curvatures, dtype=np.float64)
    rate, beta = optimal_pair(1.0, kappa)
    found = {}
    for name, optimizer in (
        ("gradient descent", SGD(2 / (1 + kappa))),
        ("momentum, optimal pair", MomentumSGD(rate, beta)),
    ):
        params = {"c": np.ones_like(curvatures)}
        for _ in range(steps):
            optimizer.update(params, {"c": curvatures * params["c"]})
        found[name] = params["c"]
    found["Chebyshev"] = _chebyshev(steps, (kappa + 1 - 2 * curvatures) / (kappa - 1)) / _chebyshev(
        steps, np.array((kappa + 1) / (kappa - 1))
    )
    return found


def worst_factors(kappa: float, steps: Sequence[int]) -> list[dict[str, float]]:
    r"""The largest size of each of `polynomials` on [1, kappa]; the floor, and the bound on it with the root."""
    # Close together near both ends, where the extremes are.
    curvatures = (1 + kappa) / 2 - (kappa - 1) / 2 * np.cos(np.linspace(0, np.pi, 20_001))
    root = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    rows = []
    for t in steps:
        own = polynomials(kappa, t, curvatures)
        extremes = own["Chebyshev"] * (np.abs(own["Chebyshev"]) > (1 - 1e-4) * np.abs(own["Chebyshev"]).max())
        signs = np.sign(extremes[extremes != 0])
        rows.append(
            {"steps": t}
            | {name: float(np.abs(values).max()) for name, values in own.items()}
            | {"2 rootᵗ": 2 * root**t, "alternations": 1 + int(np.sum(signs[1:] != signs[:-1]))}
        )
    return rows


def _chebyshev(degree: int, x: Array) -> Array:
    """The Chebyshev polynomial of the first kind, by its recursion."""
    before, now = np.ones_like(x), x
    for _ in range(degree - 1):
        before, now = now, 2 * x * now - before
    return now


# Quests ---------------------------------------------------------------------------------------------------


def touches_both_arms(curvatures: ArrayLike) -> Callable[[Table], NDArray[np.bool_]]:
    """For a quest: the setting of a grid of rates and momenta that is nearest to the optimal pair."""

    def judge(table: Table) -> NDArray[np.bool_]:
        ends = np.asarray(curvatures, dtype=np.float64)[[0, -1]]
        rate, beta = optimal_pair(*ends)
        rates, momenta = (np.array(values) for values in table.axes.values())
        away = np.abs(np.log(rates / rate))[:, None] + np.abs(np.log((1 - momenta) / (1 - beta)))
        return (away == away.min())[None]

    return judge


def nearest_to_rest(product: float) -> Callable[[Table], NDArray[np.bool_]]:
    """For a quest: the momentum with which a direction ends nearest to rest, at one product of rate and curvature."""

    def judge(table: Table) -> NDArray[np.bool_]:
        ends = table.ends(table.series[0])
        here = np.isclose(next(iter(table.axes.values())), product)[None, :, None]
        return here & (ends == ends.min(axis=-1, keepdims=True))

    return judge
