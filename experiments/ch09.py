"""Chapter 9, AdamW: a penalty in the gradient against a decay beside it; on a parabola, noise, digits and text."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib import tasks
from optim_lib.data import Dataset, Split, digits, minibatches
from optim_lib.explorer.table import Table
from optim_lib.landscapes import Landscape, from_formula
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, Adam, AdamW, MomentumSGD, Optimizer, ParameterGroups, is_vector
from optim_lib.optimizers.base import Hyperparameter, ParameterState
from optim_lib.schedules import warmup_cosine
from optim_lib.tasks.supervised import Supervised, few, transformer
from optim_lib.training import LogUniform, Search, Tuning, compare, train, tune
from optim_lib.variants import DecayedLate, ListingAdamW  # noqa: F401

Array = NDArray[np.floating]


# Where the decay goes in ---------------------------------------------------------------------------------


class Penalized(Optimizer):
    """Before a rule: hand it the gradient of the loss with an L2 penalty."""

    weight_decay: float | Array = Hyperparameter(default=0.01)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        super().step(theta, grad + self.weight_decay * theta, state)


class Decoupled(Optimizer):
    """Before a rule: shrink the weights, and leave the gradient alone."""

    weight_decay: float | Array = Hyperparameter(default=0.01)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        theta *= 1 - self.learning_rate * self.weight_decay
        super().step(theta, grad, state)


class SGDL2(Penalized, SGD):
    """SGD on the penalized loss."""


class SGDW(Decoupled, SGD):
    """SGD with decoupled weight decay."""


class MomentumL2(Penalized, MomentumSGD):
    """Momentum on the penalized loss."""


class MomentumW(Decoupled, MomentumSGD):
    """Momentum with decoupled weight decay."""


class AdamL2(Penalized, Adam):
    """Adam on the penalized loss."""


class DecoupledAdam(Decoupled, Adam):
    """AdamW once more."""


RULES = {"Adam + L2": AdamL2, "AdamW": AdamW}
PAIRS = {"SGD": (SGDL2, SGDW), "momentum 0.9": (MomentumL2, MomentumW), "Adam": (AdamL2, AdamW)}


# A parabola ----------------------------------------------------------------------------------------------


def path_on_parabola(optimizer: Optimizer, steps: int = 3000) -> Array:
    """The path of x from 0 on the parabola with its minimum at 1, whose gradient is x - 1."""
    params, path = {"x": np.zeros(1)}, np.zeros(steps + 1)
    for t in range(1, steps + 1):
        optimizer.update(params, {"x": params["x"] - 1})
        path[t] = params["x"][0]
    return path


def penalty_against_decay(decay: float = 0.1) -> list[dict[str, object]]:
    """For each optimizer, how far its two paths on the parabola part, and where they come to rest."""
    rows = []
    for label, pair in PAIRS.items():
        rate = 0.01 if label == "Adam" else 0.1
        penalized, decayed = (path_on_parabola(each(learning_rate=rate, weight_decay=decay)) for each in pair)
        apart = np.abs(penalized - decayed).max()
        rows.append({
            "optimizer": label,
            "farthest apart": "below 1e-12" if apart < 1e-12 else f"{apart:.3f}",
            "penalty rests at": f"{penalized[-1]:.4f}",
            "decay rests at": f"{decayed[-1]:.4f}",
        })  # fmt: skip
    return rows


def off_center(curvatures: tuple[float, float] = (1.0, 20.0)) -> Landscape:
    """A ravine along the first axis with its minimum at (1, 1), so that a pull toward the origin shows."""
    a, b = curvatures
    return from_formula(
        "0.5 * (a * (x - 1) ** 2 + b * (y - 1) ** 2)",
        ["a * (x - 1)", "b * (y - 1)"],
        numbers={"a": a, "b": b},
        name="a ravine away from the origin",
        formula=rf"\tfrac12 ({a:g} (x - 1)^2 + {b:g} (y - 1)^2)",
        minima=((1.0, 1.0),),
        window=(-0.45, 1.75, -0.35, 1.6),
        starts=((-0.2, 1.4), (1.6, 0.2)),
    )


def first_along(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """The first true place of each row along an axis."""
    return mask & (np.cumsum(mask, axis=axis) == 1)


# Weights that the loss does not care about -----------------------------------------------------------------


def under_noise(
    optimizer: Callable[..., Optimizer],
    sizes: ArrayLike,
    decays: ArrayLike,
    *,
    rate: float = 0.001,
    steps: int = 2000,
    every: int = 20,
    copies: int = 200,
    seed: int = 0,
) -> Array:
    """The mean of many weights that start at 1 and whose gradients are pure noise, of shape (sizes, decays, times).

    Parameters
    ----------
    optimizer : class
        With ``learning_rate`` and ``weight_decay``.
    sizes : array
        The standard deviation of the gradients.
    decays : array
    every : int, default 20
        Steps between two records.
    """
    sizes, decays = np.atleast_1d(sizes).astype(float), np.atleast_1d(decays).astype(float)
    rng, made = np.random.default_rng(seed), optimizer(learning_rate=rate, weight_decay=decays[:, None])
    params = {"w": np.ones((sizes.size, decays.size, copies))}
    means = [params["w"].mean(axis=-1)]
    for step in range(1, steps + 1):
        noise = rng.standard_normal((1, 1, copies))
        made.update(params, {"w": np.broadcast_to(sizes[:, None, None] * noise, params["w"].shape)})
        if step % every == 0:
            means.append(params["w"].mean(axis=-1))
    return np.stack(means, axis=-1)


def agree_and_shrink(table: Table) -> NDArray[np.bool_]:
    """For a quest: where two curves end within 0.01 of each other and below 0.9."""
    first, second = (table.ends(series) for series in table.series)
    return (np.abs(first - second) < 0.01) & (first < 0.9)


def rest_under_noise(
    decay: float, sizes: ArrayLike, *, rate: float = 0.002, steps: int = 6000
) -> list[dict[str, float]]:
    """Where weights come to rest on the parabola with its minimum at 1, when its gradients are noisy.

    The mean over the last third of the steps and 300 weights; the noise of a column has the standard deviation of its
    size. Beside it the resting place that is expected of AdamW, 1 / (1 + decay * size).
    """
    sizes, found = np.asarray(sizes, dtype=float), {}
    for label, rule in RULES.items():
        optimizer, rng = rule(learning_rate=rate, beta2=0.99, weight_decay=decay), np.random.default_rng(1)
        params, total, counted = {"x": np.ones((sizes.size, 300))}, 0.0, 0
        for step in range(steps):
            noise = sizes[:, None] * rng.standard_normal((1, 300))
            optimizer.update(params, {"x": params["x"] - 1 + noise})
            if step >= 2 * steps // 3:
                total, counted = total + params["x"].mean(axis=-1), counted + 1
        found[label] = total / counted
    return [
        {
            "noise": size,
            **{label: found[label][k] for label in RULES},
            "1 / (1 + decay x noise)": 1 / (1 + decay * size),
        }
        for k, size in enumerate(sizes)
    ]


# Few digits ------------------------------------------------------------------------------------------------


def few_digits() -> Dataset:
    """200 digits to learn from, 359 to choose by, 1078 to judge by; in single precision."""
    data = few(digits(validation=0.2, test=0.6), 200, 359, 1078)
    parts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    return replace(data, **{name: part._replace(x=part.x.astype(np.float32)) for name, part in parts.items()})


DATA = few_digits()
NETWORK = MLP((64, 16, 10), dtype=np.float32)
RATES = np.geomspace(0.001, 0.1, 9)
DECAYS = {"Adam + L2": np.geomspace(0.001, 1.0, 11), "AdamW": np.geomspace(0.1, 100.0, 11)}


def error_map(label: str, steps: int, seeds: tuple[int, ...] = (0, 1, 2)) -> Array:
    """Percent of the unseen digits misread for every rate and decay, of shape (rates, decays): a mean over seeds.

    The map chooses nothing, so it is drawn from all 1437 digits that are not trained on.

    All networks are trained side by side, with two leading axes: settings and seeds.
    """
    rates, decays = (axis.ravel() for axis in np.meshgrid(RATES, DECAYS[label], indexing="ij"))
    optimizer = RULES[label](learning_rate=_column(rates), weight_decay=_column(decays))
    optimizer.sweep_axes = 2
    starts = [NETWORK.initialize(seed) for seed in seeds]
    params = {name: np.repeat(np.stack([s[name] for s in starts])[None], rates.size, axis=0) for name in starts[0]}
    generators, (x, y), step = [np.random.default_rng([9, seed]) for seed in seeds], DATA.train, 0
    with np.errstate(all="ignore"):  # rates that are too large overflow
        while step < steps:
            epoch = zip(*(minibatches(len(x), 32, rng, drop_last=True) for rng in generators), strict=True)
            for batch in map(np.stack, epoch):
                if step < steps:
                    optimizer.update(params, NETWORK.loss_and_gradients(params, x[batch], y[batch])[1])
                step += 1
        unseen = [np.concatenate(parts) for parts in zip(DATA.validation, DATA.test, strict=True)]
        right = [NETWORK.accuracy({n: p[k] for n, p in params.items()}, *unseen) for k in range(rates.size)]
    return 100 * (1 - np.mean(right, axis=1)).reshape(RATES.size, -1)


def _column(values: Array) -> Array:
    return values.reshape(-1, 1, 1, 1)


def far_side(errors: Array, decays: Array, more: float = 3.0) -> Array:
    """For each rate, the largest decay whose error is within `more` points of that rate's best; NaN if there is none.

    A valley is flat along its floor, so its best decay is a matter of luck; its far side is not. Rates that are no good
    (5 points above the best of all) do not count.
    """
    edges = np.full(len(errors), np.nan)
    for k, row in enumerate(errors):
        j = int(np.flatnonzero(row <= row.min() + more)[-1])
        if j + 1 < row.size and row.min() <= errors.min() + 5:
            share = (row.min() + more - row[j]) / (row[j + 1] - row[j])
            edges[k] = decays[j] * (decays[j + 1] / decays[j]) ** share
    return edges


def slope(rates: Array, decays: Array) -> float:
    """The exponent p of decay ~ rate^p, the median over all pairs of rates: 0 is an upright valley, -1 a diagonal."""
    known = np.isfinite(decays)
    x, y = np.log(rates[known]), np.log(decays[known])
    i, j = np.triu_indices(x.size, 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i])).round(2)) + 0.0  # never -0.00


def one_after_the_other(errors: Array) -> float:
    """The error found by tuning the rate at the smallest decay, and then the decay at that rate."""
    return float(errors[errors[:, 0].argmin()].min())


def valley(label: str, errors: Array, **more: object) -> dict[str, object]:
    """A row of a table: how upright the valley of a map is, and what it costs to tune one axis after the other."""
    edges = far_side(errors, DECAYS[label])
    return {
        "optimizer": label,
        **more,
        "slope of the far side": f"{slope(RATES, edges):.2f}",
        "of rate x decay there": f"{slope(RATES, RATES * edges):.2f}",
        "best error, %": f"{errors.min():.1f}",
        "one after the other, %": f"{one_after_the_other(errors):.1f}",
    }


CONTENDERS = {"Adam": Adam, "Adam + L2": AdamL2, "AdamW": AdamW}
DIVISORS = np.geomspace(0.4, 1.6, 41)


def contest(epochs: int, trials: int = 16) -> Tuning:
    """Adam without decay, with the penalty and with decoupled decay: the same number of settings each."""
    rate = LogUniform(0.001, 0.1)
    decays = {
        "Adam": {},
        "Adam + L2": {"weight_decay": LogUniform(1e-4, 1.0)},
        "AdamW": {"weight_decay": LogUniform(0.01, 100.0)},
    }
    searches = {label: Search(CONTENDERS[label], learning_rate=rate, **decay) for label, decay in decays.items()}
    return tune(searches, NETWORK, DATA, trials=trials, epochs=epochs, report_seeds=range(8), progress=False)


def rescaled(tuning: Tuning, epochs: int, seeds: int = 8) -> list[dict[str, object]]:
    """The test losses of a `contest`, and those with all scores of a network divided by one number.

    The number is the best of `DIVISORS` on the validation digits, for each seed; a row for each optimizer. The runs are
    made again, since a contest keeps no parameters.
    """
    rows, plain = [], None
    for tuned in tuning:
        found = np.array([_rescaled_run(tuned.label, tuned.setting, epochs, seed) for seed in range(seeds)])
        plain = found[:, 2] if plain is None else plain
        before, divisor, after = np.median(found, axis=0)
        rows.append({
            "epochs": epochs,
            "optimizer": tuned.label,
            "test loss": f"{before:.3f}",
            "scores divided by": f"{divisor:.1f}",
            "test loss then": f"{after:.3f}",
            "below Adam's on": "" if tuned.label == "Adam" else f"{np.sum(found[:, 2] < plain)} of {seeds}",
        })  # fmt: skip
    return rows


def _rescaled_run(label: str, setting: dict[str, float], epochs: int, seed: int) -> tuple[float, float, float]:
    """Test loss, the divisor of the scores that validation chooses, and the test loss with it."""
    params = train(NETWORK, CONTENDERS[label](**setting), DATA, epochs=epochs, seed=seed, progress=False).params

    def loss(part: Split, divisor: float = 1.0) -> float:
        last = {name: params[name] / divisor for name in ("W2", "b2")}
        return float(NETWORK.loss({**params, **last}, *part))

    best = min(DIVISORS, key=lambda divisor: loss(DATA.validation, divisor))
    return loss(DATA.test), best, loss(DATA.test, best)


# A transformer ---------------------------------------------------------------------------------------------

ONE_LAYER = partial(transformer, layers=1)
STORED = Path(__file__).parent / "results" / "ch09-transformer.csv"
COLUMNS = ("examples", "optimizer", "setting", "seed", "train_loss", "test_loss")
WARMUP = partial(warmup_cosine, warmup_epochs=20)


def is_bias(name: str, theta: Array) -> bool:
    """Whether a parameter is a vector and no gain of a norm: those are the transformer's only weights with one axis."""
    return is_vector(name, theta) and not name.endswith("weight")


def sparing(
    spared: Callable[[str, Array], bool], learning_rate: float = 0.001, weight_decay: float = 0.01
) -> ParameterGroups:
    """AdamW that decays all parameters but some."""
    rest = AdamW(learning_rate, weight_decay=weight_decay)
    return ParameterGroups({spared: AdamW(learning_rate, weight_decay=0.0), "*": rest})


def matrices_only(learning_rate: float = 0.001, weight_decay: float = 0.01) -> ParameterGroups:
    """AdamW that leaves biases and the gains of norms alone."""
    return sparing(is_vector, learning_rate, weight_decay)


def everything(learning_rate: float = 0.001, weight_decay: float = 0.01) -> AdamW:
    """AdamW that decays all parameters alike."""
    return AdamW(learning_rate, weight_decay=weight_decay)


def windows(count: int) -> Dataset:
    """Some windows of 32 characters to learn from, and others to choose and judge by."""
    return few(tasks.char_transformer.data, count, 400, 800)


def text_task(count: int) -> Supervised:
    """The transformer of the tasks, with one layer, on `count` windows of text."""
    name = f"characters, {count} windows"
    return replace(tasks.char_transformer, name=name, make_data=partial(windows, count), make_model=ONE_LAYER)


def tune_transformers(trials: int = 9) -> list[dict[str, object]]:
    """Tune each optimizer on plenty of text and on little, all with warm-up and cosine; a row for each report run."""
    rate, penalty, decay = LogUniform(0.003, 0.03), LogUniform(1e-4, 0.1), LogUniform(0.03, 30.0)
    searches = {
        "Adam": Search(Adam, learning_rate=rate),
        "Adam + L2": Search(AdamL2, learning_rate=rate, weight_decay=penalty),
        "AdamW": Search(AdamW, learning_rate=rate, weight_decay=decay),
        "AdamW, matrices only": Search(matrices_only, learning_rate=rate, weight_decay=decay),
    }
    rows = []
    for count, steps in ((1600, 200), (100, 400)):
        tuning = compare(searches, text_task(count), trials=trials, budget=steps, tuning_seeds=(100,),
                         report_seeds=range(5), schedule=WARMUP)  # fmt: skip
        for tuned in tuning:
            setting = ", ".join(f"{name.replace('_', ' ')} {value:.2g}" for name, value in tuned.setting.items())
            losses = zip(tuned.results["train_loss"], tuned.results["test_score"], strict=True)
            for seed, (train_loss, test_loss) in enumerate(losses):
                values = (count, tuned.label, setting, seed, f"{train_loss:.4f}", f"{test_loss:.4f}")
                rows.append(dict(zip(COLUMNS, values, strict=True)))
            print(count, tuned.label, tuned.at_edge, tuned.scores.round(3))
    return rows


def write(rows: list[dict[str, object]], path: Path = STORED) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def transformer_runs() -> list[dict[str, str]]:
    """What `tune_transformers` wrote, a row for each report run."""
    with STORED.open(newline="") as file:
        return list(csv.DictReader(file))


def transformer_losses(examples: int) -> dict[str, Array]:
    """The test loss on this many windows for each seed, by optimizer."""
    rows = [row for row in transformer_runs() if row["examples"] == str(examples)]
    labels = dict.fromkeys(row["optimizer"] for row in rows)
    return {label: np.array([float(r["test_loss"]) for r in rows if r["optimizer"] == label]) for label in labels}


def transformer_table() -> list[dict[str, object]]:
    """For each amount of text and optimizer the setting that was chosen, and the median losses."""
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in transformer_runs():
        groups.setdefault((row["examples"], row["optimizer"]), []).append(row)
    return [
        {
            "windows": examples,
            "optimizer": label,
            "setting": rows[0]["setting"],
            **{name.replace("_", " "): np.median([float(row[name]) for row in rows]) for name in COLUMNS[-2:]},
        }
        for (examples, label), rows in groups.items()
    ]


def spared_or_not(decay: float, rate: float = 0.01, steps: int = 60, seeds: int = 3) -> dict[str, Array]:
    """Test loss of the transformer for each seed: all parameters decayed, or biases spared, or all vectors."""
    makers = {
        "everything": everything,
        "all but biases": partial(sparing, is_bias),
        "matrices only": matrices_only,
    }
    runs = {
        label: [text_task(960).run(partial(make, rate, decay), steps, seed, schedule=WARMUP) for seed in range(seeds)]
        for label, make in makers.items()
    }
    return {label: np.array([run.test_score for run in of_label]) for label, of_label in runs.items()}


if __name__ == "__main__":
    write(tune_transformers())
