r"""Chapter 3, stochastic gradient descent: how good a small batch is, what its noise costs, and what it buys.

All steps are taken by `optim_lib.optimizers.SGD`. Where an experiment is repeated, the repetitions run side by side:
the parameters carry one more axis.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.data import Dataset, Split, diabetes, minibatches
from optim_lib.landscapes import Point, double_well
from optim_lib.networks import MLP, Params
from optim_lib.optimizers import SGD
from optim_lib.schedules import cosine_annealing
from optim_lib.variants import DecayingSGD  # noqa: F401

Array = NDArray[np.floating]
Batches = Iterator[NDArray[np.integer]]
Sampler = Callable[[int, int, int, np.random.Generator], Batches]


# A batch as an estimate of the whole -----------------------------------------------------------------


def with_replacement(n: int, batch_size: int, runs: int, rng: np.random.Generator) -> Batches:
    """Batches of independent, uniform draws for all runs, of shape (runs, batch_size), without end."""
    while True:
        yield rng.integers(n, size=(runs, batch_size))


def shuffled(n: int, batch_size: int, runs: int, rng: np.random.Generator) -> Batches:
    """Shuffled epochs for all runs, each in its own order, without end; a smaller last batch is dropped."""
    everything = np.tile(np.arange(n), (runs, 1))
    while True:
        order = rng.permuted(everything, axis=1)
        for start in range(0, n - batch_size + 1, batch_size):
            yield order[:, start : start + batch_size]


def epoch_errors(
    gradients: Array, batch_size: int, sampler: Sampler, *, epochs: int = 2000, seed: int = 0
) -> dict[str, float]:
    """How far the gradients of one epoch's batches are from the full one, and how the halves of an epoch are related.

    All at fixed parameters. Errors are root mean squares over many epochs, as shares of the full gradient's length;
    an even number of batches must make one epoch.
    """
    n, full = len(gradients), gradients.mean(axis=0)
    batches = sampler(n, batch_size, epochs, np.random.default_rng(seed))
    errors = np.stack([gradients[next(batches)].mean(axis=1) - full for _ in range(n // batch_size)])
    half = len(errors) // 2
    first, second = errors[:half].mean(axis=0), errors[half:].mean(axis=0)
    size = np.linalg.norm(full)
    return {
        "mean of the last batch": float(np.linalg.norm(errors[-1].mean(axis=0)) / size),
        "one batch": float(np.sqrt((errors**2).sum(axis=-1).mean()) / size),
        "one epoch": float(np.sqrt((errors.mean(axis=0) ** 2).sum(axis=-1).mean()) / size),
        "halves": float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum())),
    }


# The noise floor of a regression ---------------------------------------------------------------------


@dataclass(frozen=True)
class Regression:
    r"""Least squares, :math:`L(\theta) = \frac1n \lVert X\theta - y \rVert^2`, with what its noise floor depends on."""

    x: Array
    y: Array

    @cached_property
    def minimum(self) -> Array:
        return np.linalg.lstsq(self.x, self.y, rcond=None)[0]

    @cached_property
    def hessian(self) -> Array:
        return 2 / len(self.x) * self.x.T @ self.x

    @cached_property
    def covariance(self) -> Array:
        """Of the gradients of single examples at the minimum, where their mean is zero."""
        residuals = self.x @ self.minimum - self.y
        gradients = 2 * residuals[:, None] * self.x
        return gradients.T @ gradients / len(self.x)

    def gap(self, theta: Array) -> Array:
        """The loss above its minimum, at parameters of shape (..., d)."""
        offset = theta - self.minimum
        return 0.5 * np.einsum("...i,ij,...j->...", offset, self.hessian, offset)

    def gradients(self, theta: Array, batches: NDArray[np.integer]) -> Array:
        """The gradients at parameters of shape (..., runs, d), each run with its own batch, a row of (runs, B)."""
        x = self.x[batches]
        errors = (x @ theta[..., None])[..., 0] - self.y[batches]
        return 2 / batches.shape[1] * (errors[..., None, :] @ x)[..., 0, :]

    def second_moment_map(self, learning_rate: float, batch_size: int) -> Array:
        r"""The matrix that takes :math:`\mathbb E[\delta\delta^\top]`, as a vector, one step on, noise at rest aside.

        One step is :math:`\delta \leftarrow (I - \eta A_B)\,\delta - \eta\, g_B`, with the batch's own Hessian
        :math:`A_B`. Averaged over batches drawn with replacement,
        :math:`\mathbb E[A_B \otimes A_B] = A \otimes A + \frac1B(\mathbb E[A_i \otimes A_i] - A \otimes A)`.
        """
        a, identity, d = self.hessian, np.eye(len(self.hessian)), len(self.hessian)
        outer = np.einsum("ni,nj->nij", self.x, self.x).reshape(len(self.x), -1)
        single = (4 / len(self.x) * outer.T @ outer).reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d)
        both = np.kron(a, a)
        linear = np.kron(a, identity) + np.kron(identity, a)
        return np.eye(d * d) - learning_rate * linear + learning_rate**2 * (both + (single - both) / batch_size)

    def floor(self, learning_rate: float, batch_size: int) -> float:
        """The mean loss above the minimum that SGD settles at, exactly; infinite if its variance does not settle."""
        growth = self.second_moment_map(learning_rate, batch_size)
        if np.abs(np.linalg.eigvals(growth)).max() >= 1:
            return np.inf
        added = learning_rate**2 / batch_size * self.covariance
        settled = np.linalg.solve(np.eye(len(growth)) - growth, added.ravel()).reshape(added.shape)
        return float(0.5 * np.trace(self.hessian @ settled))

    def simple_floor(self, learning_rate: float, batch_size: int) -> float:
        r"""The first-order rule :math:`\eta\sigma^2/(4B)`, for small rates."""
        return float(learning_rate * np.trace(self.covariance) / (4 * batch_size))

    def stable_rate(self, batch_size: int) -> float:
        """The largest rate at which the variance settles, to four digits, by bisection."""
        low, high = 0.0, 2 / float(np.linalg.eigvalsh(self.hessian)[-1])
        while high - low > 1e-4 * high:
            middle = (low + high) / 2
            radius = np.abs(np.linalg.eigvals(self.second_moment_map(middle, batch_size))).max()
            low, high = (middle, high) if radius < 1 else (low, middle)
        return low


def diabetes_regression() -> Regression:
    """All ten features of the diabetes data, standardized, and an intercept."""
    x, y = diabetes().train
    return Regression(np.column_stack([x, np.ones(len(x))]), y[:, 0])


def gaps(
    regression: Regression,
    optimizer: SGD,
    batch_size: int,
    steps: int,
    *,
    start: Array | None = None,
    runs: int = 50,
    sampler: Sampler = with_replacement,
    schedule: Callable[[int], float] | None = None,
    seed: int = 0,
) -> Array:
    """The loss above the minimum after each step, averaged over the runs: shape (steps, ...).

    The runs begin at zero unless `start` says otherwise; it may have more axes (..., d), for as many learning rates.
    `schedule` gives the rate of each step, counted from 0.
    """
    points = walks(regression, optimizer, batch_size, steps, start, runs, sampler, schedule, seed)
    return np.array([regression.gap(theta).mean(axis=-1) for theta in points])


def walks(
    regression: Regression,
    optimizer: SGD,
    batch_size: int,
    steps: int,
    start: Array | None = None,
    runs: int = 50,
    sampler: Sampler = with_replacement,
    schedule: Callable[[int], float] | None = None,
    seed: int = 0,
) -> Iterator[Array]:
    """The points of all runs after each step, shape (..., runs, d); the arguments are those of `gaps`."""
    rng, theta = np.random.default_rng(seed), np.zeros(len(regression.minimum)) if start is None else start
    params = {"theta": np.repeat(theta[..., None, :], runs, axis=-2)}
    batches = sampler(len(regression.x), batch_size, runs, rng)
    with np.errstate(all="ignore"):  # a rate that is too large overflows
        for step in range(steps):
            if schedule is not None:
                optimizer.learning_rate = schedule(step)
            optimizer.update(params, {"theta": regression.gradients(params["theta"], next(batches))})
            yield params["theta"]


def averaged_gaps(
    regression: Regression, rate: float, batch_size: int, steps: int, *, horizon: int = 200
) -> dict[str, Array]:
    """The loss above the minimum of averages over the points of the same 50 runs, at each step.

    Two averages: of the last half of all points, and a moving one whose weights fade over `horizon` steps.
    """
    points = [theta.copy() for theta in walks(regression, SGD(rate), batch_size, steps)]
    sums = np.cumsum(points, axis=0)
    half = [regression.gap((sums[t] - sums[t // 2]) / (t - t // 2)).mean() for t in range(1, steps)]
    moving, mean = [], points[0].copy()
    for theta in points:
        mean += (theta - mean) / horizon
        moving.append(regression.gap(mean).mean())
    return {"mean of the last half": np.array([moving[0], *half]), "moving average": np.array(moving)}


def averaged_floor(regression: Regression, batch_size: int, points: int) -> float:
    r"""What averaging so many points leaves: :math:`\operatorname{tr}(H^{-1} C)/(2 B n)`, whatever the rate."""
    return float(np.trace(np.linalg.solve(regression.hessian, regression.covariance)) / (2 * batch_size * points))


def slopes_and_bound(regression: Regression, rate: float, batch_size: int, steps: int) -> tuple[float, float]:
    r"""The mean squared gradient along SGD, over 50 runs, and its bound by the descent lemma.

    .. math:: \frac1T \sum_t \mathbb E \lVert\nabla L\rVert^2
              \le \frac{2 (L_1 - L^*)}{\eta T} + \eta\lambda_{\max} \frac{\sigma^2}{B}

    for :math:`\eta \le 1/\lambda_{\max}`, with the largest :math:`\sigma^2` that the runs met.
    """
    largest = float(np.linalg.eigvalsh(regression.hessian)[-1])
    begin = np.zeros(len(regression.minimum))
    squares, noise = [], []
    points = [begin[None], *(theta.copy() for theta in walks(regression, SGD(rate), batch_size, steps - 1))]
    for t, theta in enumerate(points):
        slope = (theta - regression.minimum) @ regression.hessian
        squares.append(np.mean(np.sum(slope**2, axis=-1)))
        if t % 20 == 0:
            each = 2 * (theta @ regression.x.T - regression.y)[..., None] * regression.x
            noise.append(np.sum((each - slope[:, None]) ** 2, axis=-1).mean(axis=1).max())
    bound = 2 * float(regression.gap(begin)) / (rate * steps) + rate * largest * max(noise) / batch_size
    return float(np.mean(squares)), float(bound)


# The cloud of gradients -----------------------------------------------------------------------------


WAYS = {"0": 0.0, "0.5": 0.5, "0.8": 0.8, "0.95": 0.95}


@dataclass(frozen=True)
class Cloud:
    """Gradients of single patients and of batches, over two weights, on the way from zero to the minimum.

    Arrays have an axis for the batch size and one for the share of the way, or 1 where nothing depends on it.
    """

    single: Array
    batches: Array
    full: Array
    spread: Array
    error: Array
    length: Array


def gradient_cloud(
    sizes: Sequence[int], ways: Sequence[float], *, features: tuple[int, int] = (4, 5), draws: int = 120, seed: int = 0
) -> Cloud:
    """The loss of predicting from two standardized features, total cholesterol and LDL, which nearly repeat each other.

    `spread` is the ellipse of two standard deviations of a batch's gradient, from the covariance of single ones.
    """
    x, y = diabetes(validation=0, test=0).train
    pair = Regression(x[:, features], y[:, 0])
    rng, angle = np.random.default_rng(seed), np.linspace(0, 2 * np.pi, 61)
    circle = 2 * np.stack([np.cos(angle), np.sin(angle)])
    single, batches, full, spread, error = [], [], [], [], []
    for way in ways:
        residuals = pair.x @ (way * pair.minimum) - pair.y
        each = 2 * residuals[:, None] * pair.x
        mean, covariance = each.mean(axis=0), np.cov(each.T, bias=True)
        root = np.linalg.cholesky(covariance)
        single.append(each)
        full.append(mean)
        batches.append([each[rng.integers(len(each), size=(draws, size))].mean(axis=1) for size in sizes])
        spread.append([(mean[:, None] + root @ circle / np.sqrt(size)).T for size in sizes])
        error.append([np.sqrt(np.trace(covariance) / size) for size in sizes])
    swap = [np.moveaxis(np.array(values), 0, 1) for values in (batches, spread, error)]
    means = np.array(full)
    return Cloud(np.array(single)[None], swap[0], means[None], swap[1], swap[2], np.linalg.norm(means, axis=-1)[None])


def measured_floors(
    regression: Regression,
    rates: ArrayLike,
    batch_size: int,
    *,
    steps: int = 1500,
    sampler: Sampler = with_replacement,
    seed: int = 0,
) -> Array:
    """For each rate, the mean loss above the minimum over the last two thirds of 50 runs that start in the minimum."""
    optimizer = SGD(learning_rate=np.asarray(rates, dtype=float)[:, None, None])
    start = np.tile(regression.minimum, (np.size(rates), 1))
    curve = gaps(regression, optimizer, batch_size, steps, start=start, sampler=sampler, seed=seed)
    return curve[steps // 3 :].mean(axis=0)


# Where the mean goes, and which well --------------------------------------------------------------------


def skewed_mean(learning_rate: float, *, runs: int = 2000, seed: int = 0) -> tuple[float, float]:
    r"""Where SGD with unit noise hovers on :math:`e^x - x`, whose minimum is 0: the mean of x, and its spread.

    Over as many steps as bring the process to rest, and then as many again, which are averaged.
    """
    rng, params, optimizer = np.random.default_rng(seed), {"x": np.zeros(runs)}, SGD(learning_rate=learning_rate)
    settle = int(20 / learning_rate)
    total, squares = 0.0, 0.0
    for t in range(2 * settle):
        optimizer.update(params, {"x": np.exp(params["x"]) - 1 + rng.standard_normal(runs)})
        if t >= settle:
            total, squares = total + params["x"].mean(), squares + np.mean(params["x"] ** 2)
    mean = total / settle
    return float(mean), float(np.sqrt(squares / settle - mean**2))


SHALLOW, DEEP = double_well.minima[1], double_well.minima[0]
RIDGE = double_well.saddles[0][0]


@dataclass(frozen=True)
class Fate:
    """What became of many runs: the share that ever crossed the ridge, that ended in the deep well, the mean loss."""

    crossed: float
    deep: float
    loss: float


def fate(
    noise: float,
    start: Point,
    *,
    learning_rate: float = 0.05,
    cooled: bool = False,
    steps: int = 1000,
    runs: int = 1000,
    seed: int = 0,
) -> Fate:
    """SGD in the double well, many times, each with its own noise.

    `cooled` takes the rate down to zero in the last fifth of the steps, along half a cosine.
    """
    rng, params = np.random.default_rng(seed), {"p": np.tile(np.asarray(start, dtype=float), (runs, 1))}
    optimizer, crossed, last = SGD(learning_rate=learning_rate), np.zeros(runs, dtype=bool), steps // 5
    for step in range(steps):
        if cooled and step >= steps - last:
            optimizer.learning_rate = cosine_annealing(learning_rate, step - (steps - last), last)
        grad = double_well.gradient(params["p"]) + noise * rng.standard_normal((runs, 2))
        optimizer.update(params, {"p": grad})
        crossed |= (params["p"][:, 0] < RIDGE) != (start[0] < RIDGE)
    losses = double_well.loss(params["p"]) - double_well.lowest
    return Fate(float(crossed.mean()), float((params["p"][:, 0] < RIDGE).mean()), float(losses.mean()))


# Batch size on digits -----------------------------------------------------------------------------------


def side_by_side(network: MLP, seeds: Sequence[int], rates: ArrayLike) -> tuple[Params, SGD]:
    """Networks for every seed and rate, parameters of shape (seeds, rates, ...), and the SGD that trains them all."""
    rates = np.atleast_1d(np.asarray(rates, dtype=float))
    each = [network.initialize(seed) for seed in seeds]
    params = {name: np.repeat(np.stack([one[name] for one in each])[:, None], rates.size, axis=1) for name in each[0]}
    return params, SGD(learning_rate=rates[:, None, None])


def steps_to(
    network: MLP,
    data: Dataset,
    batch_size: int,
    rates: ArrayLike,
    *,
    targets: Sequence[float],
    seeds: Sequence[int],
    patience: float = 3,
    most: int = 20_000,
) -> Array:
    """How many steps of SGD bring the validation loss under each target, of shape (targets, seeds, rates).

    All runs stop at `patience` times the steps that the fastest rate needs (the median over its seeds) to the last and
    lowest target, or at `most`; what has not arrived by then is infinite. The loss
    is looked at every step, for batches under 64 every time that 64 examples have been seen.
    """
    x, y = data.train
    params, optimizer = side_by_side(network, seeds, rates)
    rng, every = np.random.default_rng([batch_size, *seeds]), max(1, 64 // batch_size)
    counts = np.full((len(targets), len(seeds), np.size(rates)), np.inf)
    limits = np.reshape(targets, (-1, 1, 1))
    step = 0
    with np.errstate(all="ignore"):  # rates that are too large overflow, and count as infinite
        while True:
            for batch in minibatches(len(x), batch_size, rng, drop_last=True):
                optimizer.update(params, network.loss_and_gradients(params, x[batch], y[batch])[1])
                step += 1
                if step % every:
                    continue
                under = network.loss(params, *data.validation) < limits
                counts = np.where(under & np.isinf(counts), step, counts)
                if step >= min(most, patience * np.median(counts[-1], axis=0).min()) or np.isfinite(counts).all():
                    return counts


def batch_size_race(
    data: Dataset,
    batch_sizes: Sequence[int],
    rates: ArrayLike,
    *,
    targets: Sequence[float] = (0.3, 0.15),
    tuning_seeds: Sequence[int] = range(100, 103),
    report_seeds: Sequence[int] = range(5),
) -> dict[float, list[dict[str, float]]]:
    """For each target and batch size: the rate that needs fewest steps on the tuning seeds, and its steps on others."""
    network, rates = MLP((64, 32, 10)), np.asarray(rates, dtype=float)
    reach = partial(steps_to, network, data, targets=targets)
    rows: dict[float, list[dict[str, float]]] = {target: [] for target in targets}
    for batch_size in batch_sizes:
        best = np.median(reach(batch_size, rates, seeds=tuning_seeds, patience=1), axis=1).argmin(axis=-1)
        found = reach(batch_size, rates[best], seeds=report_seeds)
        for k, target in enumerate(targets):
            steps = found[k, :, k]
            rows[target].append(
                {
                    "batch size": batch_size,
                    "best rate": float(rates[best[k]]),
                    "at the edge": bool(best[k] in (0, rates.size - 1)),
                    "steps": float(np.median(steps)),
                    "fewest": float(steps.min()),
                    "most": float(steps.max()),
                }
            )
    return rows


def step_times(data: Dataset, batch_sizes: Sequence[int], *, repeats: int = 40) -> list[float]:
    """The seconds that one step of training takes on this machine, by batch size: the least of some repeats."""
    network, optimizer = MLP((64, 32, 10)), SGD(learning_rate=0.01)
    params, times = network.initialize(0), []
    for batch_size in batch_sizes:
        x, y = (part[:batch_size] for part in data.train)
        took = []
        for _ in range(repeats):
            begin = time.perf_counter()
            optimizer.update(params, network.loss_and_gradients(params, x, y)[1])
            took.append(time.perf_counter() - begin)
        times.append(min(took))
    return times


def without_shuffling(data: Dataset, *, epochs: int = 4, learning_rate: float = 0.5, seed: int = 0) -> dict[str, Array]:
    """The training loss after every other step, with batches of 32 from shuffled examples and from sorted ones."""
    network, (x, y) = MLP((64, 32, 10)), data.train
    by_class = np.argsort(y, kind="stable")
    curves = {}
    for name in ("shuffled", "sorted by class"):
        rng, params, optimizer = np.random.default_rng(seed), network.initialize(seed), SGD(learning_rate)
        losses = [network.loss(params, x, y)]
        for _ in range(epochs):
            order = rng.permutation(len(x)) if name == "shuffled" else by_class
            for step, start in enumerate(range(0, len(x), 32), start=1):
                batch = order[start : start + 32]
                optimizer.update(params, network.loss_and_gradients(params, x[batch], y[batch])[1])
                if step % 2 == 0:
                    losses.append(network.loss(params, x, y))
        curves[name] = np.array(losses)
    return curves


# Does the noise regularize? -------------------------------------------------------------------------------


def few_examples(data: Dataset, wrong: float, seed: int, examples: int = 200) -> Split:
    """Some of the training examples, a share of them with a wrong label."""
    rng = np.random.default_rng([seed, 3])
    chosen = rng.permutation(len(data.train.x))[:examples]
    labels = data.train.y[chosen].copy()
    spoiled = rng.permutation(examples)[: round(wrong * examples)]
    labels[spoiled] = (labels[spoiled] + rng.integers(1, data.classes, size=spoiled.size)) % data.classes
    return Split(data.train.x[chosen], labels)


@dataclass(frozen=True)
class Fits:
    """Training losses and accuracies at the epochs looked at, of shape (looks, seeds, rates)."""

    epochs: NDArray[np.integer]
    train_loss: Array
    validation: Array
    test: Array

    def at_epoch(self, epoch: int) -> tuple[Array, Array]:
        """Validation and test accuracies after an epoch, each of shape (seeds, rates)."""
        return self._at(np.full(self.test.shape[1:], int(np.flatnonzero(self.epochs == epoch)[0])))

    def at_fit(self, target: float) -> tuple[Array, Array]:
        """... at the first look with a training loss under `target`; NaN if there is none."""
        under = self.train_loss < target
        return tuple(np.where(under.any(axis=0), values, np.nan) for values in self._at(under.argmax(axis=0)))

    def _at(self, place: NDArray[np.integer]) -> tuple[Array, Array]:
        first, second = (np.take_along_axis(v, place[None], axis=0)[0] for v in (self.validation, self.test))
        return first, second


def fit_few(
    data: Dataset, batch_size: int, wrong: float, rates: ArrayLike, seeds: Sequence[int], *, target: float, least: int
) -> Fits:
    """Train networks on few examples, at least for `least` epochs; look every twelve steps or so.

    Then until all reach the target, but for no more than twice as long as the fastest rate needs for it.
    """
    network = MLP((64, 16, 10))
    x, y = map(np.stack, zip(*(few_examples(data, wrong, seed) for seed in seeds), strict=True))
    params, optimizer = side_by_side(network, seeds, rates)
    rng, every = np.random.default_rng([batch_size, *seeds]), max(1, 12 * batch_size // x.shape[1])
    looks, arrived, epoch = [], np.full((len(seeds), np.size(rates)), np.inf), 0
    with np.errstate(all="ignore"):
        while epoch < least or (np.isinf(arrived).any() and epoch < min(2000, 2 * arrived.max(axis=0).min())):
            epoch += 1
            for batch in minibatches(x.shape[1], batch_size, rng, drop_last=True):
                optimizer.update(params, network.loss_and_gradients(params, x[:, None, batch], y[:, None, batch])[1])
            if epoch % every:
                continue
            loss = network.loss(params, x[:, None], y[:, None])
            arrived = np.where((loss < target) & np.isinf(arrived), epoch, arrived)
            accuracies = network.accuracy(params, *data.validation), network.accuracy(params, *data.test)
            looks.append((epoch, loss, *accuracies))
    return Fits(*map(np.array, zip(*looks, strict=True)))


def does_noise_regularize(
    data: Dataset,
    wrong: float,
    rates: Sequence[float],
    *,
    small: int = 10,
    large: int = 200,
    shared: float = 0.16,
    epochs: int = 12,
    target: float = 0.1,
    tuning_seeds: Sequence[int] = range(100, 103),
    report_seeds: Sequence[int] = range(8),
) -> dict[str, dict[str, Array]]:
    """Test accuracies per seed of a small batch and of all examples at once, under four ideas of what is fair.

    Each rate is the one with the best validation accuracy on the tuning seeds under the same idea, except in the first
    comparison, in which both batch sizes have the rate `shared`.
    """
    steps = epochs * large // small
    rates = np.asarray(rates, dtype=float)
    ideas = (
        f"{epochs} epochs, same rate",
        f"{epochs} epochs, own rate",
        f"{steps} steps, own rate",
        "equal fit, own rate",
    )
    results: dict[str, dict[str, Array]] = {name: {} for name in ideas}
    for label, batch_size, all_steps in (("small", small, epochs), ("large", large, steps)):
        run = partial(fit_few, data, batch_size, wrong, target=target, least=all_steps)
        reads: list[Callable[[Fits], tuple[Array, Array]]] = [
            partial(Fits.at_epoch, epoch=epochs),
            partial(Fits.at_epoch, epoch=epochs),
            partial(Fits.at_epoch, epoch=all_steps),
            partial(Fits.at_fit, target=target),
        ]
        tuned = run(rates=rates, seeds=tuning_seeds)
        scores = [np.nan_to_num(read(tuned)[0], nan=0.0).mean(axis=0) for read in reads]
        chosen = rates[np.argmax(scores, axis=1)]
        chosen[0] = shared
        found = run(rates=chosen, seeds=report_seeds)
        for k, (name, read) in enumerate(zip(ideas, reads, strict=True)):
            results[name][label] = read(found)[1][:, k]
            results[name][f"rate of the {label} batch"] = chosen[k]
    return results


def paired(results: dict[str, dict[str, Array]]) -> list[dict[str, object]]:
    """One row for each comparison: mean accuracies, and the mean paired difference with its standard error."""
    rows = []
    for name, found in results.items():
        difference = found["small"] - found["large"]
        error = difference.std(ddof=1) / np.sqrt(difference.size)
        points = round(100 * difference.mean(), 1) + 0.0  # no minus zero
        rows.append(
            {
                "comparison": name,
                "small batch": float(found["small"].mean()),
                "large batch": float(found["large"].mean()),
                "difference": f"{points:+.1f} \u00b1 {100 * error:.1f}",
                "rates": f"{found['rate of the small batch']:.2g}, {found['rate of the large batch']:.2g}",
            }
        )
    return rows
