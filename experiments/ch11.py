r"""Chapter 11, schedules: a noisy valley in closed form, schedules on the digits side by side, and a warmup.

Networks are trained side by side: the leading axes are settings and seeds, and each setting has a rate (and a
momentum) of its own at every step. All steps are taken by optimizers of `optim_lib.optimizers`, and all rates come
from `optim_lib.schedules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.data import Dataset, Split, digits, minibatches
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, Adam, MomentumSGD, Optimizer, clip_by_global_norm
from optim_lib.probes import expected_losses
from optim_lib.schedules import (
    cosine_annealing,
    exponential_decay,
    join_schedules,
    one_cycle,
    one_cycle_momentum,
    step_decay,
    warm_restarts,
    warmup_cosine,
    warmup_stable_decay,
)
from optim_lib.threads import one_thread

Array = NDArray[np.float64]

DATA = digits()
NETWORK = MLP((64, 32, 10))
BATCH = 32
PER_EPOCH = len(DATA.train.x) // BATCH  # what is left over waits for the next shuffle
TUNING_SEEDS, REPORT_SEEDS = (100, 101), tuple(range(10))


# A noisy valley, in closed form -------------------------------------------------------------------------


def drawn_losses(
    rates: ArrayLike, curvature: ArrayLike, noise: float, start: ArrayLike, *, runs: int = 2000, seed: int = 0
) -> Array:
    """The same by experiment: the mean loss of many runs of SGD, each with noise of its own. Shape (steps + 1,)."""
    rng = np.random.default_rng(seed)
    curvature = np.atleast_1d(np.asarray(curvature, dtype=np.float64))
    params = {"c": np.tile(np.asarray(start, dtype=np.float64), (runs, 1))}
    optimizer = SGD()
    losses = [np.mean(0.5 * (curvature * params["c"] ** 2).sum(axis=-1))]
    for rate in np.asarray(rates, dtype=np.float64):
        optimizer.learning_rate = rate
        optimizer.update(params, {"c": curvature * params["c"] + noise * rng.standard_normal(params["c"].shape)})
        losses.append(np.mean(0.5 * (curvature * params["c"] ** 2).sum(axis=-1)))
    return np.array(losses)


# A valley with a steep direction across, a flat one along, and noise in both.
VALLEY = {"curvature": (1.0, 0.02), "noise": 0.3, "start": (1.0, 10.0)}
VALLEY_STEPS = 300
VALLEY_RATES = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5])
DROP_STEPS = np.arange(0, VALLEY_STEPS + 1, 20)
DROP_FACTORS = np.array([0.5, 0.2, 0.1, 0.02])


def drop_grid() -> dict[str, Array]:
    """One drop of the rate in a noisy valley, for every rate, place and factor; every fifth step is kept.

    Of shape (rates, places, factors, steps / 5 + 1): the rates, and the expected losses.
    """
    t = np.arange(VALLEY_STEPS + 1)
    late = t >= DROP_STEPS[:, None, None]
    rates = VALLEY_RATES[:, None, None, None] * np.where(late, DROP_FACTORS[:, None], 1.0)
    return {"rates": rates[..., ::5], "losses": expected_losses(rates[..., :-1], **VALLEY)[..., ::5]}


# Networks side by side ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SideBySide:
    """Many training runs, each with rates of its own.

    Attributes
    ----------
    evaluated_at : ndarray of int of shape (evaluations,)
        After how many steps.
    train_losses, validation_losses : ndarray of shape (*settings, seeds, evaluations)
        Infinite where a run has diverged.
    batch_losses : ndarray of shape (*settings, seeds, steps)
    test_losses, test_accuracies : ndarray of shape (*settings, seeds)
        At the end.
    """

    evaluated_at: NDArray[np.integer]
    train_losses: Array
    validation_losses: Array
    batch_losses: Array
    test_losses: Array
    test_accuracies: Array


def train_side_by_side(
    rates: ArrayLike,
    *,
    momenta: ArrayLike | None = None,
    optimizer: type[Optimizer] = MomentumSGD,
    data: Dataset = DATA,
    seeds: Sequence[int] = (0,),
    every: int | None = None,
    train_losses: bool = True,
) -> SideBySide:
    """Train the network on the digits once for every row of `rates` and every seed, in one vectorized run.

    Parameters
    ----------
    rates : array of shape (*settings, steps)
    momenta : array that broadcasts to the shape of `rates`, optional
        The momentum of each step; the optimizer's default without it.
    every : int, optional
        How many steps lie between two evaluations; without it there is one, at the end.
    train_losses : bool, default True
        Whether to evaluate on all training examples too (NaN if not).
    """
    rates = np.asarray(rates, dtype=np.float64)
    settings, steps = rates.shape[:-1], rates.shape[-1]
    flat = rates.reshape(-1, steps)
    beta = None if momenta is None else np.broadcast_to(momenta, rates.shape).reshape(-1, steps)
    starts = [NETWORK.initialize(seed) for seed in seeds]
    params = {name: np.repeat(np.stack([one[name] for one in starts])[None], len(flat), axis=0) for name in starts[0]}
    swept = optimizer(learning_rate=flat[:, 0].reshape(-1, 1, 1, 1))
    swept.sweep_axes = 2
    n, batch_losses, evaluations, places = len(data.train.x), [], [], []

    def evaluate(step: int) -> None:
        unknown = np.full((len(flat), len(seeds)), np.nan)
        train_loss = NETWORK.loss(params, *data.train) if train_losses else unknown
        places.append(step)
        evaluations.append([train_loss, NETWORK.loss(params, *data.validation)])

    with np.errstate(all="ignore"):
        for step, index in enumerate(_batches(n, steps, seeds)):
            if every and step % every == 0:
                evaluate(step)
            swept.learning_rate = flat[:, step].reshape(-1, 1, 1, 1)
            if beta is not None:
                swept.momentum = beta[:, step].reshape(-1, 1, 1, 1)
            loss, grads = NETWORK.loss_and_gradients(params, data.train.x[index], data.train.y[index])
            batch_losses.append(loss)
            swept.update(params, grads)
        evaluate(steps)
        test = NETWORK.loss(params, *data.test), NETWORK.accuracy(params, *data.test)
    losses = np.moveaxis(_finite_or_inf(evaluations), 0, -1)
    shape = (*settings, len(seeds))
    return SideBySide(
        evaluated_at=np.array(places),
        train_losses=losses[0].reshape(*shape, -1),
        validation_losses=losses[1].reshape(*shape, -1),
        batch_losses=np.moveaxis(_finite_or_inf(batch_losses), 0, -1).reshape(*shape, -1),
        test_losses=_finite_or_inf(test[0]).reshape(shape),
        test_accuracies=test[1].reshape(shape),
    )


def _finite_or_inf(values: ArrayLike) -> Array:
    values = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.inf)


def _batches(n: int, steps: int, seeds: Sequence[int]) -> Iterable[NDArray[np.integer]]:
    """For each step the examples of every seed, of shape (seeds, BATCH)."""
    for step in range(steps):
        epoch, position = divmod(step, PER_EPOCH)
        if position == 0:
            orders = [np.random.default_rng([seed, epoch + 1]).permutation(n) for seed in seeds]
        yield np.stack([order[position * BATCH : (position + 1) * BATCH] for order in orders])


# A race of schedules ------------------------------------------------------------------------------------

# Each takes the peak rate, the steps (an array), and how many there are; shapes as they are usually advised.
SHAPES: dict[str, Callable[[float, Array, int], Array]] = {
    "constant": lambda rate, t, total: np.full(t.shape, float(rate)),
    "step": lambda rate, t, total: step_decay(rate, t, 0.1, total / 3),
    "exponential": lambda rate, t, total: exponential_decay(rate, t, 0.01 ** (1 / total)),
    "cosine": lambda rate, t, total: cosine_annealing(rate, t, total),
    "restarts": lambda rate, t, total: warm_restarts(rate, t, total / 3),
    "warmup + cosine": lambda rate, t, total: warmup_cosine(rate, t, total, total // 10),
    "WSD": lambda rate, t, total: warmup_stable_decay(rate, t, total, total // 10),
    "one-cycle, no dip": lambda rate, t, total: one_cycle(rate, t, total),
    "one-cycle": lambda rate, t, total: one_cycle(rate, t, total),
}
PEAKS = np.geomspace(0.01, 1.0, 7)


@dataclass(frozen=True)
class Race:
    """Schedules on the digits with the same number of steps and of peak rates tried.

    Attributes
    ----------
    steps : int
    peaks : dict of str to float
        The peak rate of the lowest validation loss, the mean over the tuning seeds.
    tried : dict of str to ndarray of shape (peaks,)
        That loss for every peak rate.
    runs : dict of str to SideBySide
        At that rate, on the report seeds; arrays have the shape (seeds, ...).
    """

    steps: int
    peaks: dict[str, float]
    tried: dict[str, Array]
    runs: dict[str, SideBySide]

    def per_seed(self, name: str) -> dict[str, Array]:
        """A result at the end for all schedules, seed by seed: train_losses, test_losses or test_accuracies."""
        found = {label: getattr(run, name) for label, run in self.runs.items()}
        return {label: values if values.ndim == 1 else values[:, -1] for label, values in found.items()}


def race(epochs: float, shapes: Iterable[str] = tuple(SHAPES), data: Dataset = DATA) -> Race:
    """Tune the peak rate of each schedule on seeds of their own, then report on others."""
    steps, labels = round(epochs * PER_EPOCH), list(shapes)
    t = np.arange(steps, dtype=np.float64)
    rates = np.array([[SHAPES[label](peak, t, steps) for peak in PEAKS] for label in labels])
    momenta = np.array([momentum_of(label, t, steps) for label in labels])
    tuning = train_side_by_side(rates, momenta=momenta[:, None], data=data, seeds=TUNING_SEEDS, train_losses=False)
    scores = tuning.validation_losses[..., -1].mean(axis=-1)
    best = scores.argmin(axis=-1)
    chosen = rates[np.arange(len(labels)), best]
    report = train_side_by_side(chosen, momenta=momenta, data=data, seeds=REPORT_SEEDS, train_losses=False)
    names = ("train_losses", "validation_losses", "batch_losses", "test_losses", "test_accuracies")
    runs = [SideBySide(report.evaluated_at, *(getattr(report, name)[k] for name in names)) for k in range(len(labels))]
    return Race(
        steps=steps,
        peaks={label: float(PEAKS[k]) for label, k in zip(labels, best, strict=True)},
        tried=dict(zip(labels, scores, strict=True)),
        runs=dict(zip(labels, runs, strict=True)),
    )


def momentum_of(label: str, t: Array, steps: int) -> Array:
    """The momentum of each step: cycled by the one-cycle policy, 0.9 everywhere else."""
    return one_cycle_momentum(t, steps) if label == "one-cycle" else np.full(t.shape, 0.9)


def race_rows(races: Mapping[str, Race]) -> list[dict[str, str]]:
    """For a table: each schedule's peak, its median test loss, and how far it is from the constant's.

    The difference is taken seed by seed: its mean and standard error. `races` gives each race a short name, such as
    its budget. A star marks a peak at the end of the range tried.
    """
    rows = []
    for label in next(iter(races.values())).peaks:
        row = {"schedule": label}
        for name, one in races.items():
            losses, fixed = one.runs[label].test_losses, one.runs["constant"].test_losses
            edge = "*" if one.peaks[label] in (PEAKS[0], PEAKS[-1]) else ""
            row[f"peak, {name}"] = f"{one.peaks[label]:.2g}{edge}"
            row[f"loss, {name}"] = f"{np.median(losses):.3f}"
            row[f"difference, {name}"] = "" if label == "constant" else _mean_and_error(losses - fixed)
        rows.append(row)
    return rows


def _mean_and_error(values: Array) -> str:
    sign = "+" if values.mean() > 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(values.mean()):.3f} ± {values.std(ddof=1) / math.sqrt(values.size):.3f}"


def wrong_labels(share: float, seed: int = 0) -> Dataset:
    """The digits with a share of the training labels drawn anew at random; validation and test stay as they are."""
    rng = np.random.default_rng(seed)
    labels = DATA.train.y.copy()
    spoiled = rng.random(labels.size) < share
    labels[spoiled] = rng.integers(0, 10, spoiled.sum())
    return replace(DATA, train=Split(DATA.train.x, labels))


NOISY = wrong_labels(0.2)


# Sliders over schedules -----------------------------------------------------------------------------------

EVERY = 6  # an explorer shows every sixth step


def _training_losses(rates: Array, momenta: Array | None = None, seeds: Sequence[int] = (0, 1, 2)) -> Array:
    """The training loss as one watches it: means over six mini-batches (and the seeds); the first is at the start."""
    losses = train_side_by_side(rates, momenta=momenta, data=NOISY, seeds=seeds, train_losses=False).batch_losses
    means = losses.mean(axis=-2).reshape(*losses.shape[:-2], -1, EVERY).mean(axis=-1)
    return np.concatenate([losses[..., :1].mean(axis=-2), means], axis=-1)


def _shown(values: Array) -> Array:
    """Every sixth value of each step, and the last."""
    return np.concatenate([values[..., ::EVERY], values[..., -1:]], axis=-1)


WARMUPS = np.array([0.0, 0.1, 0.2, 0.4])
FLOORS = np.array([0.0, 0.03, 0.1, 0.3, 1.0])
CYCLES = np.array([1, 2, 3, 4])


def shape_grid(peak: float = 0.3, epochs: int = 6) -> dict[str, Array]:
    """Warmup, then a cosine to a floor, in one or more cycles: x, and rates and losses of shape (4, 5, 4, n).

    The axes are the warmup (a share of the run), the floor (a share of the peak) and the number of cycles.
    """
    steps = epochs * PER_EPOCH
    t = np.arange(steps, dtype=np.float64)

    def rates_of(warmup: float, floor: float, cycles: int) -> Array:
        start = round(warmup * steps)
        rise = partial(warmup_cosine, peak, total_epochs=start + 1, warmup_epochs=start)
        fall = partial(warm_restarts, peak, period=(steps - start) / cycles, min_lr=floor * peak)
        schedule = join_schedules([rise, fall], [start]) if start else fall
        return schedule(t)

    rates = np.array([[[rates_of(w, f, c) for c in CYCLES] for f in FLOORS] for w in WARMUPS])
    return {"x": np.arange(0, steps + 1, EVERY), "rates": _shown(rates), "losses": _training_losses(rates)}


LENGTHS = np.array([0.25, 0.5, 0.75, 1.0, 1.5, 2.0])
LENGTH_PEAKS = np.array([0.05, 0.1, 0.2, 0.3, 0.5])


def length_grid(epochs: int = 6) -> dict[str, Any]:
    """Three schedules made for a run shorter or longer than the one they get, for five peak rates.

    "rates" and "losses" map a label to an array of shape (6, 5, n): lengths by peaks.
    """
    steps = epochs * PER_EPOCH
    t = np.arange(steps, dtype=np.float64)
    made = {
        "cosine, stays down": lambda peak, total: cosine_annealing(peak, t, total),
        "cosine, formula alone": lambda peak, total: article_cosine_annealing(peak, t, total),
        "exponential": lambda peak, total: exponential_decay(peak, t, 0.01 ** (1 / total)),
    }
    rates = {
        label: np.array([[schedule(peak, share * steps) for peak in LENGTH_PEAKS] for share in LENGTHS])
        for label, schedule in made.items()
    }
    losses = _training_losses(np.stack(list(rates.values())))
    return {
        "x": np.arange(0, steps + 1, EVERY),
        "rates": {label: _shown(values) for label, values in rates.items()},
        "losses": dict(zip(made, losses, strict=True)),
    }


ONE_CYCLE_PEAKS = np.round(np.geomspace(0.05, 1.25, 8), 3)
RISES = np.array([0.1, 0.3, 0.5])
LOWEST_MOMENTA = np.array([0.5, 0.7, 0.85, 0.95])


def one_cycle_grid(epochs: int = 4) -> dict[str, Array]:
    """The one-cycle policy for peaks, shares of rising steps, and depths of the momentum: arrays (8, 3, 4, n)."""
    steps = epochs * PER_EPOCH
    t = np.arange(steps, dtype=np.float64)
    rates = np.array([[one_cycle(peak, t, steps, rise) for rise in RISES] for peak in ONE_CYCLE_PEAKS])
    momenta = np.array([[one_cycle_momentum(t, steps, rise, low, 0.95) for low in LOWEST_MOMENTA] for rise in RISES])
    shape = (len(ONE_CYCLE_PEAKS), len(RISES), len(LOWEST_MOMENTA), steps)
    full = np.broadcast_to(rates[:, :, None], shape)
    losses = _training_losses(full, np.broadcast_to(momenta, shape), seeds=(0, 1))
    return {
        "x": np.arange(0, steps + 1, EVERY),
        "rates": _shown(rates[:, :, None]),
        "momenta": _shown(momenta[None]),
        "losses": losses,
    }


def best_peaks(losses: Array) -> list[dict[str, float]]:
    """From `one_cycle_grid`, rising for a tenth of the run: the best peak for each lowest momentum, for a table."""
    rows = []
    for k, momentum in enumerate(LOWEST_MOMENTA):
        ends = losses[:, 0, k, -1]
        peak = float(ONE_CYCLE_PEAKS[ends.argmin()])
        rows.append(
            {
                "lowest momentum": f"{momentum:g}",
                "best peak": peak,
                "peak / (1 - momentum)": peak / (1 - momentum),
                "training loss": float(ends.min()),
            }
        )
    return rows


# A range test ---------------------------------------------------------------------------------------------


def range_test(
    optimizer: type[Optimizer] = MomentumSGD,
    *,
    steps: int = 100,
    lowest: float = 1e-4,
    highest: float = 10.0,
    seeds: Sequence[int] = (0, 1, 2),
    data: Dataset = DATA,
) -> tuple[Array, Array]:
    """Raise the rate a little with every step, from `lowest` to `highest`, and watch the loss of the mini-batches.

    Returns the rates, of shape (steps,), and the losses smoothed over a twentieth of the run, (seeds, steps).
    """
    rates = np.geomspace(lowest, highest, steps)
    losses = train_side_by_side(rates, optimizer=optimizer, data=data, seeds=seeds, train_losses=False).batch_losses
    window = max(1, steps // 20)
    padded = np.pad(np.minimum(losses, 1e3), ((0, 0), (window - 1, 0)), mode="edge")
    return rates, np.lib.stride_tricks.sliding_window_view(padded, window, axis=-1).mean(axis=-1)


def readings(rates: Array, losses: Array) -> dict[str, float]:
    """What one reads off a range test (the median over seeds): where the loss is lowest, and a tenth of that rate."""
    bottom = float(np.median([rates[one.argmin()] for one in losses]))
    return {"lowest loss at": bottom, "a tenth of it": bottom / 10}


# The edges ------------------------------------------------------------------------------------------------


def article_cosine_annealing(initial_lr: float, epoch: Any, total_epochs: float, min_lr: float = 0.0) -> Any:
    """As the article prints it."""
    return min_lr + 0.5 * (initial_lr - min_lr) * (1 + np.cos(np.pi * epoch / total_epochs))


def article_warmup_cosine(
    initial_lr: float, epoch: float, total_epochs: float, warmup_epochs: float = 5, min_lr: float = 0.0
) -> float:
    """As the article prints it."""
    if epoch < warmup_epochs:
        return initial_lr * epoch / warmup_epochs
    progress = (epoch - warmup_epochs) / (total_epochs - warmup_epochs)
    return min_lr + 0.5 * (initial_lr - min_lr) * (1 + math.cos(math.pi * progress))


EDGES = {
    "the first epoch": {"epoch": 0, "total_epochs": 50},
    "the last epoch, 49 of 50": {"epoch": 49, "total_epochs": 50},
    "ten epochs past the end": {"epoch": 60, "total_epochs": 50},
    "twice the end less the warmup": {"epoch": 95, "total_epochs": 50},
    "all warmup: 5 of 5": {"epoch": 5, "total_epochs": 5},
    "more warmup than run: 5 of 3": {"epoch": 4, "total_epochs": 3},
}


def edges() -> list[dict[str, str]]:
    """The article's `warmup_cosine` and the library's at six places, top rate 0.1: the rate, or the error's name."""
    return [
        {
            "asked for": name,
            "the article's code": _rate_or_error(article_warmup_cosine, asked),
            "this library": _rate_or_error(warmup_cosine, asked),
        }
        for name, asked in EDGES.items()
    ]


def _rate_or_error(schedule: Callable[..., float], asked: Mapping[str, float]) -> str:
    try:
        return f"{schedule(0.1, **asked):.2g}"
    except (ZeroDivisionError, ValueError) as error:
        return type(error).__name__


# PyTorch ----------------------------------------------------------------------------------------------------


def torch_values(make: Callable[..., Any], steps: int, *, lr: float = 0.1, field: str = "lr", **options: Any) -> Array:
    """What a scheduler of torch sets at each step of an SGD with momentum 0.9 and rate `lr`."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)
    scheduler = make(optimizer, **options)
    values = []
    for step in range(steps):
        values.append(optimizer.param_groups[0][field])
        optimizer.step()
        if step + 1 < steps:
            scheduler.step()
    return np.array(values)


def one_cycle_steps(steps: int = 60, max_lr: float = 0.3, seed: int = 0) -> tuple[Array, Array]:
    """Train under the one-cycle policy here and in torch, on the same noisy quadratic: every point of both paths."""
    import torch

    rng = np.random.default_rng(seed)
    curvature, noise = np.array([1.0, 0.1, 0.01]), rng.standard_normal((steps, 3))
    params, ours, mine = {"c": np.ones(3)}, MomentumSGD(), []
    for step in range(steps):
        ours.learning_rate = one_cycle(max_lr, step, steps)
        ours.momentum = one_cycle_momentum(step, steps)
        ours.update(params, {"c": curvature * params["c"] + noise[step]})
        mine.append(params["c"].copy())
    c = torch.ones(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([c], lr=max_lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=max_lr, total_steps=steps)
    theirs = []
    for step in range(steps):
        c.grad = torch.tensor(curvature) * c.detach() + torch.tensor(noise[step])
        optimizer.step()
        if step + 1 < steps:
            scheduler.step()
        theirs.append(c.detach().numpy().copy())
    return np.array(mine), np.array(theirs)


# Warmup on a transformer ------------------------------------------------------------------------------------

WARM_RATES = (0.01, 0.03)
WARM_STEPS = (0, 25)
# Where a block normalizes what it reads, embeddings of 0.02 drown in what the first block adds: see claim c-warm.
EMBEDDINGS = {"post": 0.02, "pre": 0.3}


@cache
def _windows() -> Dataset:
    from optim_lib.tasks.supervised import few, text_windows

    return few(text_windows(), 1600, 200, 200)


def train_transformer(
    norm: str, rate: float, warmup: int, seed: int, *, steps: int = 50, batch: int = 16
) -> tuple[Array, float]:
    """Adam on the character transformer, with a warmup and then a constant rate: batch losses, and validation loss."""
    from optim_lib.tasks.supervised import transformer
    from optim_lib.training.runs import as_model

    data = _windows()
    model = as_model(transformer(seed, norm=norm, embedding=EMBEDDINGS[norm]))
    params, optimizer = model.initialize(seed), Adam(learning_rate=rate)
    rates = warmup_stable_decay(rate, np.arange(steps), steps, warmup, decay_epochs=0)
    index = [
        i for epoch in range(2) for i in minibatches(len(data.train.x), batch, np.random.default_rng([seed, epoch]))
    ]
    losses = []
    with one_thread():
        for step in range(steps):
            optimizer.learning_rate = rates[step]
            x, y = data.train.x[index[step]], data.train.y[index[step]]
            loss, grads = model.loss_and_gradients(params, x, y)
            losses.append(float(loss))
            optimizer.update(params, grads)
        return np.array(losses), float(model.loss(params, *data.validation))


def frequencies_alone() -> float:
    """The validation loss of a model that knows how frequent each character is, and nothing else."""
    data = _windows()
    counts = np.bincount(data.train.y.ravel(), minlength=int(data.validation.y.max()) + 1) + 1.0
    return float(-np.log(counts / counts.sum())[data.validation.y].mean())


def warmup_runs(seeds: Sequence[int] = (0, 1, 2)) -> dict[tuple[str, float, int], list[tuple[Array, float]]]:
    """By norm ("post" or "pre"), rate and warmup: the runs of all seeds."""
    return {
        (norm, rate, warmup): [train_transformer(norm, rate, warmup, seed) for seed in seeds]
        for norm in ("post", "pre")
        for rate in WARM_RATES
        for warmup in WARM_STEPS
    }


def warmup_rows(runs: Mapping[tuple[str, float, int], list[tuple[Array, float]]]) -> list[dict[str, str]]:
    """For a table: the validation loss of each setting, the median and the range over the seeds."""
    rows = []
    for norm in ("post", "pre"):
        for rate in WARM_RATES:
            row = {"normalization": f"{norm}-LN", "rate": f"{rate:g}"}
            for warmup in WARM_STEPS:
                ends = np.array([end for _, end in runs[norm, rate, warmup]])
                name = f"warmup {warmup}" if warmup else "no warmup"
                row[name] = f"{np.median(ends):.2f} ({ends.min():.2f} to {ends.max():.2f})"
            rows.append(row)
    return rows


# What may keep a run through a bad batch: a rule whose steps have a length, and gradients that are cut.
SPIKES: dict[str, dict[str, Any]] = {
    "momentum": {"optimizer": MomentumSGD(0.05)},
    "momentum, clipped": {"optimizer": MomentumSGD(0.05), "max_norm": 1.0},
    "Adam": {"optimizer": Adam(0.01)},
    "Adam, clipped": {"optimizer": Adam(0.01), "max_norm": 1.0},
}


def spike(
    optimizer: Optimizer, seed: int = 0, max_norm: float = math.inf, steps: int = 100, after: int = 20, bad: int = 1
) -> Array:
    """The loss on the validation digits around a batch that is ten times too bright and has the wrong labels.

    An optimizer trains the small network for so many steps, meets the bad batch, or so many of them in a row, and goes
    on. The first number is the loss before them, the second right after the first of them, and so on.
    """
    params, optimizer = NETWORK.initialize(seed), deepcopy(optimizer)
    n, rng, losses = len(DATA.train.x), np.random.default_rng([seed, 1]), []
    batches = chain.from_iterable(minibatches(n, BATCH, rng) for _ in count())
    for step, batch in zip(range(steps + after), batches, strict=False):
        if step >= steps:
            losses.append(NETWORK.loss(params, DATA.validation.x, DATA.validation.y))
        x, y = DATA.train.x[batch], DATA.train.y[batch]
        if steps <= step < steps + bad:
            x, y = 10 * x, (y + 1) % 10
        _, grads = NETWORK.loss_and_gradients(params, x, y)
        optimizer.update(params, clip_by_global_norm(grads, max_norm)[0] if max_norm < math.inf else grads)
    return np.array([*losses, NETWORK.loss(params, DATA.validation.x, DATA.validation.y)], dtype=float)


# ---------------------------------------------------------------------------------- several endings of one plateau


def branches(
    rates: ArrayLike, ends: Sequence[int], shares: Sequence[float], *, steps: int = 400, runs: int = 150, seed: int = 0
) -> dict[str, Array]:
    """Mean losses, of shape (rates, ends, shares, steps + 1): one plateau, a branch of it that ends, and its average.

    SGD on a noisy bowl of curvature 1 from a distance of 10. The branch takes the rate to zero in a straight line, over
    a share of its run, and stands still from its end on. The average is that of the plateau's last points, over the
    same share of the way so far, until the same end. All see the same noise.
    """
    rates = np.atleast_1d(np.asarray(rates, dtype=float))
    noise = np.random.default_rng(seed).standard_normal((steps, 1, runs))
    plateau = _noisy_bowl(np.broadcast_to(rates[:, None], (rates.size, steps)), noise)
    sums = np.concatenate([np.zeros((1, rates.size, runs)), np.cumsum(plateau, axis=0)])
    found = {label: np.empty((rates.size, len(ends), len(shares), steps + 1)) for label in ("branch", "average")}
    t = np.arange(steps)
    for j, share in enumerate(shares):
        first = np.arange(1, steps + 2) - np.maximum(1, np.round(share * np.arange(1, steps + 2))).astype(int)
        means = (sums[1:] - sums[first]) / (np.arange(1, steps + 2) - first)[:, None, None]
        found["average"][:, :, j] = 0.5 * (means**2).mean(axis=-1).T[:, None]
        for i, end in enumerate(ends):
            shape = warmup_stable_decay(1.0, t, end, 0, share * end)
            path = _noisy_bowl(rates[:, None] * np.where(t < end, shape, 0.0), noise)
            found["branch"][:, i, j] = 0.5 * (path**2).mean(axis=-1).T
            found["average"][:, i, j, end:] = found["average"][:, i, j, end, None]
    flat = 0.5 * (plateau**2).mean(axis=-1).T[:, None, None]
    return {"plateau": flat, **found}


def _noisy_bowl(rates: Array, noise: Array) -> Array:
    """The paths, of shape (steps + 1, settings, runs), of SGD on the bowl with a rate for each setting and step."""
    theta = {"x": np.full((len(rates), noise.shape[-1]), 10.0)}
    path = [theta["x"].copy()]
    for rate, kick in zip(rates.T, noise, strict=True):
        SGD(1.0).update(theta, {"x": rate[:, None] * (theta["x"] + kick)})
        path.append(theta["x"].copy())
    return np.stack(path)
