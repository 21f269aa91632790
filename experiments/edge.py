r"""The edge of stability, predicted: the central flow of Cohen et al. (2025) beside the run that it describes.

Where gradient descent swings along the sharpest directions, the mean of its path moves as if the loss had a penalty on
the curvatures that have reached :math:`2/\eta`:

.. math:: \frac{d\theta}{dt} = -\eta \Big( \nabla L + \tfrac12 \sum_i \sigma_i^2 \nabla\lambda_i \Big)

with :math:`\sigma_i^2 \ge 0`, the variances of the swings, just large enough that no curvature :math:`\lambda_i` rises
past the edge. A unit of time is a step. Below the edge nothing swings, and the flow is the gradient's alone.

``python -m experiments.edge`` computes ``results/edge.csv`` (a few minutes), from which chapter 2 draws.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from optim_lib.data import digits
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD

Array = NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "edge.csv"
WIDTHS, SEEDS, RATES = (16, 24, 32), range(5), (1.5, 2.0)
# For the slider: one network, more rates.
SLIDER = (1.0, 1.25, 1.5, 1.75, 2.0)
# The flow starts where the run is after its first violent steps; both are looked at every so many steps.
AFTER, STEPS, EVERY = 100, 300, 10
FOLLOWED, PARTS = 3, 4


class Problem:
    """A tanh network with two hidden layers on 200 digits, with the squared error, over one vector of parameters."""

    def __init__(self, width: int, seed: int) -> None:
        pixels, labels = digits().train
        self.network = MLP((pixels.shape[1], width, width, 10), loss="squared error")
        self.objective = self.network.on(pixels[:200], np.eye(10)[labels[:200]])
        self.start = self.network.initialize(seed)
        self.cuts = np.cumsum([theta.size for theta in self.start.values()])[:-1]

    def flat(self, params: dict[str, Array]) -> Array:
        return np.concatenate([params[name].ravel() for name in self.start])

    def params(self, vector: Array) -> dict[str, Array]:
        parts = np.split(vector, self.cuts)
        return {name: part.reshape(theta.shape) for (name, theta), part in zip(self.start.items(), parts, strict=True)}

    def gradient(self, vector: Array) -> Array:
        return self.flat(self.objective.gradients(self.params(vector)))

    def hessian_times(self, vector: Array, direction: Array) -> Array:
        return self.flat(self.objective.hessian_vector(self.params(vector), self.params(direction)))

    def sharpest(self, vector: Array, directions: Array, rounds: int) -> tuple[Array, Array]:
        """The largest curvatures and their directions (columns), by orthogonal iteration that goes on from the last."""
        for _ in range(rounds):
            basis = np.linalg.qr(directions)[0]
            directions = np.stack([self.hessian_times(vector, column) for column in basis.T], axis=1)
        inside = basis.T @ directions
        curvatures, turned = np.linalg.eigh((inside + inside.T) / 2)
        return curvatures[::-1], (basis @ turned)[:, ::-1]

    def slope_of_curvature(self, vector: Array, direction: Array, gradient: Array, length: float = 0.02) -> Array:
        """The gradient of the curvature along a direction: the second difference of the gradient."""
        ahead, behind = self.gradient(vector + length * direction), self.gradient(vector - length * direction)
        return (ahead + behind - 2 * gradient) / length**2


def run(problem: Problem, rate: float) -> Iterator[Array]:
    """Every point of gradient descent."""
    optimizer, params = SGD(rate), problem.params(problem.flat(problem.start))
    for _ in range(STEPS + 1):
        yield problem.flat(params)
        optimizer.update(params, problem.objective.gradients(params))


def flow(problem: Problem, start: Array, rate: float) -> Iterator[tuple[Array, Array]]:
    """The central flow from a point: after each step the point, and the curvatures that are followed."""
    theta, edge = start.copy(), 2 / rate
    random = np.random.default_rng(0).standard_normal((theta.size, FOLLOWED))
    curvatures, directions = problem.sharpest(theta, random, rounds=60)
    while True:
        yield theta, curvatures
        for part in range(PARTS):
            if part % 2 == 0:
                curvatures, directions = problem.sharpest(theta, directions, rounds=1)
            gradient = problem.gradient(theta)
            at_edge = np.flatnonzero(curvatures > 0.995 * edge)
            push = gradient.copy()
            if at_edge.size:
                slopes = np.stack(
                    [problem.slope_of_curvature(theta, directions[:, k], gradient) for k in at_edge], axis=1
                )
                # What is over the edge comes back to it within about two steps.
                wanted = -slopes.T @ gradient + (curvatures[at_edge] - edge) / (2 * rate)
                push += 0.5 * slopes @ least_variances(0.5 * slopes.T @ slopes, wanted)
            theta = theta - rate / PARTS * push


def least_variances(matrix: Array, wanted: Array, sweeps: int = 200) -> Array:
    r"""The :math:`\sigma^2 \ge 0` with :math:`A\sigma^2 \ge b`, and equal wherever it is positive (by Gauss-Seidel)."""
    variances = np.zeros(len(wanted))
    for _ in range(sweeps):
        for k in range(len(wanted)):
            rest = wanted[k] - matrix[k] @ variances + matrix[k, k] * variances[k]
            variances[k] = max(0.0, rest / matrix[k, k])
    return variances


def watched(width: int, seed: int, rate: float) -> list[dict[str, float]]:
    """Sharpness of the run and of the flow, every `EVERY` steps from `AFTER` on."""
    problem = Problem(width, seed)
    points = [point for step, point in enumerate(run(problem, rate)) if step >= AFTER]
    found = np.random.default_rng(1).standard_normal((points[0].size, FOLLOWED))
    of_run = []
    for step in range(0, len(points), EVERY):
        curvatures, found = problem.sharpest(points[step], found, rounds=60 if step == 0 else 6)
        of_run.append(float(curvatures[0]))
    of_flow = [
        float(curvatures[0])
        for step, (_, curvatures) in zip(range(len(points)), flow(problem, points[0], rate), strict=False)
        if step % EVERY == 0
    ]
    return [
        {"width": width, "seed": seed, "rate": rate, "step": AFTER + EVERY * k, "run": a, "flow": b}
        for k, (a, b) in enumerate(zip(of_run, of_flow, strict=True))
    ]


def main() -> None:
    wanted = [(width, seed, rate) for width in WIDTHS for seed in SEEDS for rate in RATES]
    wanted += [(32, 0, rate) for rate in SLIDER if rate not in RATES]
    rows = [row for setting in wanted for row in watched(*setting)]
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "run": f"{row['run']:.4f}", "flow": f"{row['flow']:.4f}"} for row in rows)


# What chapter 2 shows ----------------------------------------------------------------------------------


def stored() -> list[dict[str, float]]:
    """The rows of ``results/edge.csv``."""
    with RESULTS.open(encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def curves(width: int = 32, seed: int = 0, rates: Sequence[float] = SLIDER) -> tuple[Array, dict[str, Array]]:
    """Steps, and for each rate the sharpness of the run, of the flow, and the edge."""
    rows = [row for row in stored() if row["width"] == width and row["seed"] == seed]
    pick: Callable[[str], Array] = lambda name: np.array(  # noqa: E731
        [[row[name] for row in rows if row["rate"] == rate] for rate in rates]
    )
    steps = pick("step")[0]
    edges = np.broadcast_to(2 / np.array(rates)[:, None], (len(rates), len(steps)))
    return steps, {"the run": pick("run"), "the central flow": pick("flow"), "the edge": edges}


def errors(window: int = 10) -> list[dict[str, object]]:
    """How far the flow's sharpness is from the run's mean over `window` measurements, for each network and rate."""
    rows, told = stored(), []
    for width in WIDTHS:
        for rate in RATES:
            misses = []
            for seed in SEEDS:
                own = [row for row in rows if (row["width"], row["seed"], row["rate"]) == (width, seed, rate)]
                means = [
                    np.convolve([row[name] for row in own], np.full(window, 1 / window), "valid")
                    for name in ("run", "flow")
                ]
                misses.append(np.abs(means[1] / means[0] - 1))
            told.append(
                {
                    "network": f"two layers of {width}",
                    "rate": rate,
                    "median": 100 * float(np.median(misses)),
                    "within 5 percent": float(np.mean(np.array(misses) < 0.05)),
                    "worst": 100 * float(np.max(misses)),
                }
            )
    return told


if __name__ == "__main__":
    main()
