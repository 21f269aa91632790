"""One short experiment for each claim of the ledger; deterministic, and all in well under half an hour of one core.

Where a chapter has the experiment, it is called, not copied. What is tuned is tuned alike: the same number of settings
for everyone, chosen on validation with seeds that are not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments import ch01, ch02, ch03, ch04, ch05, ch06, ch08, ch09, ch10, ch12
from experiments.claims.results import Results
from optim_lib import landscapes, tasks
from optim_lib.data import ALPHABET, Dataset, Split, digits, minibatches, sparse_words
from optim_lib.measure import gradient_noise
from optim_lib.networks import MLP, Params
from optim_lib.optimizers import (
    LAMB,
    LARS,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    AMSGrad,
    MomentumSGD,
    NesterovMomentum,
    RMSprop,
)
from optim_lib.optimizers.base import Hyperparameter, ParameterState
from optim_lib.schedules import (
    cosine_annealing,
    exponential_decay,
    one_cycle,
    one_cycle_momentum,
    step_decay,
    warmup_cosine,
)
from optim_lib.tasks.supervised import Supervised, few
from optim_lib.training import LogUniform, Search, Tuning, compare, train
from optim_lib.training.runs import as_model

Array = NDArray[np.floating]

EXPERIMENTS: dict[str, Callable[[], Results]] = {}

_runs: ContextVar[Path | None] = ContextVar("folder of runs", default=None)


def tests(claim: str) -> Callable[[Callable[[], Results]], Callable[[], Results]]:
    """Register the experiment of a claim."""

    def register(experiment: Callable[[], Results]) -> Callable[[], Results]:
        EXPERIMENTS[claim] = experiment
        return experiment

    return register


@contextmanager
def keeping_runs(folder: Path) -> Iterator[None]:
    """Keep every run of a comparison in a folder, so that one that is stopped does not begin anew."""
    token = _runs.set(folder)
    try:
        yield
    finally:
        _runs.reset(token)


def contest(
    results: Results, searches: Mapping[str, Search], task: tasks.Task, *, trials: int = 7, also: str = "", **how: Any
) -> Tuning:
    """Tune all alike on a task, and note the test scores, what was chosen and whether it is at an end of its range."""
    tuning = compare(searches, task, trials=trials, cache=_runs.get(), progress=False, **how)
    seeds = how.get("report_seeds", range(5))
    for tuned in tuning:
        setting = tuned.label + also
        results.add(setting, "test", tuned.results["test_score"], seeds)
        results.add(setting, "validation loss", tuned.results["validation_loss"], seeds)
        for name, value in tuned.setting.items():
            results.add(setting, name, value)
        results.add(setting, "at the edge", bool(tuned.at_edge))
    return tuning


def difference(results: Results, first: str, second: str, metric: str = "test") -> None:
    """Note the differences between two settings, seed by seed: they share the first parameters and the batches."""
    values = results.get(first, metric) - results.get(second, metric)
    results.add(f"{first} minus {second}", metric, values)


# --------------------------------------------------------------------------------- 1 introduction


@tests("c-minimum")
def finds_the_minimum() -> Results:
    results = Results()
    for width in (4, 16):
        problem = ch01.SmallReader(width)
        losses = np.array([problem.loss(theta) for theta in ch01.trained_from(problem, range(20))])
        results.add(f"width {width}", "loss", losses)
        results.add(f"width {width}", "worst over best", losses.max() / losses.min())
    return results


@tests("c-saddle-flat")
def saddles_are_flat() -> Results:
    results = Results()
    for name in ("saddle", "plateau"):
        results.add(name, "flat share", ch01.flat_share(getattr(landscapes, name), 0.01))
    return results


# --------------------------------------------------------------------------------- 2 gradient descent


@tests("c-rate")
def too_large_or_too_small() -> Results:
    x, y = ch03.diabetes_regression().x, ch03.diabetes_regression().y
    edge = 2 / np.linalg.eigvalsh(ch02.curvature(x))[-1]
    results = Results()
    results.add("edge", "rate", edge)
    for share in (0.001, 0.01, 0.1, 0.5, 0.99, 1.01):
        count = ch02.measured_steps(x, y, share * edge, 0.01, 100_000 if share < 1 else 2000, np.zeros(x.shape[1]))
        results.add(f"{share:g} of the edge", "steps", np.inf if count is None else count)
    return results


@tests("c-stuck")
def stuck_in_local_minima() -> Results:
    results = Results()
    for rate in (0.02, 0.2):
        (row,) = ch02.shares_of_endings(landscapes.double_well, [rate])
        deep, shallow = list(row.values())[1:3]
        results.add(f"rate {rate:g}", "in the better well", deep)
        results.add(f"rate {rate:g}", "in the worse well", shallow)
    return results


@tests("c-zigzag")
def zigzag_in_ravines() -> Results:
    results = Results()
    for row in ch02.zigzag([10, 100, 1000]):
        setting = f"condition {row['condition number']:g}"
        results.add(setting, "steps", row["steps"])
        results.add(setting, "flips", row["sign flips"])
        results.add(setting, "detour", row["path over straight line"])
    return results


# --------------------------------------------------------------------------------- 3 stochastic gradient descent


@tests("c-same-solution")
def same_solution() -> Results:
    results = Results()
    for rate in (0.5, 0.1, 0.02):
        places = [ch03.skewed_mean(rate, runs=1000, seed=seed) for seed in range(5)]
        results.add(f"rate {rate:g}", "mean", [mean for mean, _ in places])
        results.add(f"rate {rate:g}", "spread", [spread for _, spread in places])
    return results


@tests("c-escape")
def noise_escapes() -> Results:
    results = Results()
    worse, better = landscapes.double_well.starts[0], landscapes.double_well.starts[2]
    for noise in (0, 2, 3, 6):
        from_worse = [ch03.fate(noise, worse, seed=seed) for seed in range(5)]
        from_better = [ch03.fate(noise, better, seed=seed) for seed in range(5)]
        results.add(f"noise {noise}", "left the worse well", [fate.crossed for fate in from_worse])
        results.add(f"noise {noise}", "left the better well", [fate.crossed for fate in from_better])
        results.add(f"noise {noise}", "loss at the end", [fate.loss for fate in from_worse])
    return results


@tests("c-noise")
def noise_generalizes() -> Results:
    results = Results()
    for labels, wrong in (("right labels", 0.0), ("a fifth wrong", 0.2)):
        found = ch03.does_noise_regularize(digits(), wrong, np.geomspace(0.01, 10.24, 11))
        for idea, both in found.items():
            results.add(f"{labels}, {idea}", "gain", both["small"] - both["large"])
    return results


@tests("c-noise-batch")
def noise_by_batch() -> Results:
    results, network, data, sizes = Results(), MLP((64, 32, 10)), digits(), (4, 16, 64, 256)
    noise = [
        gradient_noise(network.on(*data.train), network.initialize(s), sizes, replacement=True, seed=s)
        for s in range(5)
    ]
    for k, size in enumerate(sizes):
        shares = [size * measured.variance[k] / measured.per_example_variance for measured in noise]
        results.add(f"batch {size}", "variance times batch", shares)
    return results


@tests("c-batch")
def batches_of_32_to_256() -> Results:
    results = Results()
    rows = ch03.batch_size_race(digits(), (1, 4, 16, 32, 64, 256, 1079), np.geomspace(0.005, 10.24, 12))[0.15]
    for row in rows:
        setting = f"batch {row['batch size']}"
        for metric in ("steps", "fewest", "most"):
            results.add(setting, metric, row[metric])
        results.add(setting, "examples", row["steps"] * row["batch size"])
        results.add(setting, "learning_rate", row["best rate"])
        results.add(setting, "at the edge", row["at the edge"])
    return results


# --------------------------------------------------------------------------------- 4 momentum


@tests("c-ravine")
def momentum_in_ravines() -> Results:
    results = Results()
    for row in ch04.ravines([10, 100, 1000]):
        setting = f"condition {row['condition number']:g}"
        for label in ("SGD", "momentum 0.9", "optimal pair"):
            results.add(setting, f"{label}, steps", row[label])
        results.add(setting, "flips at the optimal pair", row["its sign flips"])
    return results


@tests("c-damps")
def momentum_damps() -> Results:
    """Sign flips of the steep coordinate until the loss is a millionth, at the same rate and at the best ones."""
    results = Results()
    (plain,) = ch02.zigzag([100])
    (best,) = ch04.ravines([100])
    results.add("SGD, its best rate", "steps", plain["steps"])
    results.add("SGD, its best rate", "flips", plain["sign flips"])
    results.add("momentum, optimal pair", "steps", best["optimal pair"])
    results.add("momentum, optimal pair", "flips", best["its sign flips"])
    for label, momentum in (("SGD", 0.0), ("momentum 0.9", 0.9)):
        # A rate at which the steep direction does not flip without momentum: half the inverse curvature.
        steep = ch04.distances(0.5, momentum, 100)
        results.add(f"{label}, half the inverse curvature", "flips", np.sum(steep[1:] * steep[:-1] < 0))
    return results


@tests("c-average")
def velocity_is_an_average() -> Results:
    results = Results()
    for row in ch04.memory([0.5, 0.9, 0.99]):
        results.add(f"momentum {row['β']}", "velocity", row["steady"])
    return results


# --------------------------------------------------------------------------------- 5 Nesterov


@tests("c-nesterov")
def nesterov_is_better() -> Results:
    results = Results()
    for label, counts in ch05.steps_by_condition([100, 1000]).items():
        results.add("condition 100", f"{label}, steps", counts[0])
        results.add("condition 1000", f"{label}, steps", counts[1])
    levels = (0.0, 0.03, 0.3, 3.0)
    for label, found in ch05.gaps_by_noise(levels, 100).items():
        for level, gap in zip(levels, found["gap"], strict=True):
            results.add(f"noise {level:g}", f"{label}, gap", gap)
    return results


@tests("c-overshoot")
def corrects_before() -> Results:
    results = Results()
    for row in ch05.overshoots([0.01, 0.1, 0.5, 1.0]):
        setting = f"rate times curvature {row['rate times curvature']:g}"
        for label in ("momentum", "Nesterov"):
            results.add(setting, f"{label}, crossings", row[f"crossings, {label}"])
            results.add(setting, f"{label}, furthest past", row[f"furthest past, {label}"])
    return results


@tests("c-nesterov-convex")
def nesterov_for_convex_problems() -> Results:
    results = Results()
    for row in ch05.regression_steps([0.01, 1e-6]):
        for share in ("0.01", "1e-06"):
            results.add(f"to {share}", f"{row['optimizer']}, steps", row[f"to {share}"])
    return results


# --------------------------------------------------------------------------------- 6 AdaGrad


@tests("c-sparse")
def sparse_features() -> Results:
    results = Results()
    words = sparse_words()
    for name, data in (("words", words), ("mixed", ch06.mixed(words))):
        for tuned in ch06.compare_on(data):
            setting = f"{tuned.label}, {name}"
            results.add(setting, "test", tuned.results["test_loss"])
            results.add(setting, "accuracy", tuned.results["test_accuracy"])
            results.add(setting, "learning_rate", tuned.setting["learning_rate"])
            results.add(setting, "at the edge", bool(tuned.at_edge))
    return results


@tests("c-stall")
def adagrad_stops() -> Results:
    results = Results()
    way = ch06.distances(AdaGrad(), np.ones((100_000, 1)))[:, 0]
    for steps in (100, 10_000, 100_000):
        results.add(f"{steps} steps", "distance", way[steps - 1])
        results.add(f"{steps} steps", "law", 2 * 0.01 * np.sqrt(steps))
    return results


@tests("c-forget")
def rmsprop_mends_it() -> Results:
    results = Results()
    for name, drift in (("still", 0.0), ("moving", 0.03)):
        errors, chosen = ch06.track(drift)
        for label, error in errors.items():
            late = error[3 * len(error) // 4 :].mean(axis=0)
            results.add(f"{label}, {name} target", "error", late)
            results.add(f"{label}, {name} target", "learning_rate", chosen[label])
    return results


@tests("c-stall-network")
def a_network_stalls() -> Results:
    results = Results()
    for part, found in ch06.long_training(32).items():
        for label, losses in found.items():
            results.add(f"{label}, {part}", "loss", losses[:, -1])
            results.add(f"{label}, {part}", "loss after 8 epochs", losses[:, 8])
    return results


# --------------------------------------------------------------------------------- 7 RMSprop


@tests("c-rnn")
def rmsprop_for_recurrent_networks() -> Results:
    results = Results()
    searches = {
        "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(0.01, 10.0), momentum=0.9),
        "RMSprop": Search(RMSprop, learning_rate=LogUniform(3e-4, 0.3)),
        "Adam": Search(Adam, learning_rate=LogUniform(3e-4, 0.3)),
    }
    for steps in (50, 150):
        contest(results, searches, tasks.recurrent, budget=steps, also=f", {steps} steps", tuning_seeds=(100,))
        for other in ("Adam", "SGD + momentum"):
            difference(results, f"RMSprop, {steps} steps", f"{other}, {steps} steps")
    return results


# --------------------------------------------------------------------------------- 8 Adam


EIGHT = {
    "digits, MLP": (tasks.digits_mlp, 340),
    "digits, CNN": (tasks.digits_cnn, 204),
    "topic of a line": (tasks.sparse_words, 160),
    "transformer": (tasks.char_transformer, 120),
    "recurrent": (tasks.recurrent, 120),
    "regression": (tasks.regression, 300),
    "pole, policy": (tasks.cartpole_policy, 60),
    "pole, values": (tasks.cartpole_value, 2000),
}


@tests("c-def")
def adam_without_tuning() -> Results:
    """Adam's defaults beside the best of seven rates, on all eight tasks, and on one for five times as long."""
    results = Results()
    longer = {"digits, MLP, longer": (tasks.digits_mlp, 5 * 340)}
    for name, (task, budget) in (EIGHT | longer).items():
        widest = LogUniform(0.1, 100.0) if task is tasks.regression else LogUniform(3e-4, 0.3)
        searches = {"default": Search(Adam, learning_rate=0.001), "tuned": Search(Adam, learning_rate=widest)}
        for label, search in searches.items():
            contest(
                results, {label: search}, task, trials=7 if label == "tuned" else 1, budget=budget, also=f", {name}",
                tuning_seeds=(100,), report_seeds=range(3),
            )  # fmt: skip
    params, adam = {"x": np.zeros(1)}, Adam()
    for _ in range(2000):
        adam.update(params, {"x": params["x"] - 1000})
    results.add("a parabola at 1000", "x after 2000 steps", params["x"][0])
    return results


@tests("c-travel")
def adams_travel() -> Results:
    """The longest step of any weight over the rate: in training, and the worst stream for the default memories."""
    results, network, data = Results(), MLP((64, 32, 10)), digits()
    longest, typical = [], []
    for seed in range(5):
        rng, params, adam, steps = np.random.default_rng(seed), network.initialize(seed), Adam(0.003), []
        for _ in range(10):
            for batch in minibatches(len(data.train.x), 32, rng):
                before = {name: array.copy() for name, array in params.items()}
                adam.update(params, network.loss_and_gradients(params, data.train.x[batch], data.train.y[batch])[1])
                moved = np.concatenate([np.abs(params[name] - before[name]).ravel() for name in params])
                steps.append((moved.max() / 0.003, np.median(moved[moved > 0]) / 0.003))
        longest.append(max(step[0] for step in steps))
        typical.append(np.median([step[1] for step in steps]))
    results.add("digits", "longest step over the rate", longest)
    results.add("digits", "median step over the rate", typical)
    surprise = np.append(np.zeros(5000), 1.0)
    results.add("one gradient after 5000 zeros", "step over the rate", ch08.unit_steps(Adam(1.0), surprise)[-1])
    return results


@tests("c-bias")
def bias_correction() -> Results:
    results = Results()
    excess = ch08.excess_steps(1000)
    for step in (1, 10, 1000):
        results.add(f"step {step}", "without over with", excess[step - 1])
    return results


@tests("c-gen")
def adam_generalizes_worse() -> Results:
    results = Results()
    for epochs in (3, 12):
        for tuned in ch08.compare_on_digits(epochs):
            setting = f"{tuned.label}, {epochs} epochs"
            results.add(setting, "test", tuned.results["test_accuracy"])
            results.add(setting, "training loss", tuned.results["train_loss"])
            results.add(setting, "at the edge", any("learning_rate" in words for words in tuned.at_edge))
        difference(results, f"Adam, {epochs} epochs", f"SGD + momentum, {epochs} epochs")
    return results


@tests("c-sharp")
def adam_finds_sharper_minima() -> Results:
    results = Results()
    tuning = ch08.compare_on_digits(12)
    for loss in (0.05, 0.02):
        for label, values in ch08.sharpness_at(loss, tuning).items():
            results.add(f"{label}, training loss {loss:g}", "sharpness", values)
        both = (f"{label}, training loss {loss:g}" for label in ("Adam", "SGD + momentum"))
        difference(results, *both, metric="sharpness")
    return results


@tests("c-pathological")
def adam_does_not_converge() -> Results:
    results = Results()
    for label, player in (
        ("Adam, short memory", Adam(beta1=0, beta2=0.1)),
        ("AMSGrad, short memory", AMSGrad(beta1=0, beta2=0.1)),
        ("Adam, memory 0.999", Adam(beta1=0, beta2=0.999)),
    ):
        results.add(label, "x at the end", ch08.game(player)[-1])
    return results


# --------------------------------------------------------------------------------- 9 AdamW


@tests("c-sgd-l2")
def penalty_and_decay() -> Results:
    """On a parabola with its minimum at 1: a penalty in the gradient against a decay of the weights beside it."""
    results = Results()
    for label, pair in ch09.PAIRS.items():
        rate = 0.01 if label == "Adam" else 0.1
        penalized, decayed = (ch09.path_on_parabola(each(learning_rate=rate, weight_decay=0.1)) for each in pair)
        results.add(label, "farthest apart", np.abs(penalized - decayed).max())
        results.add(label, "end, penalty", penalized[-1])
        results.add(label, "end, decay", decayed[-1])
    return results


@tests("c-uneven-decay")
def uneven_decay() -> Results:
    """How much a penalty and a decay shrink weights whose gradients, pure noise, are small, usual or large."""
    results, sizes = Results(), (0.01, 1.0, 100.0)
    for label, rule in (("penalty", ch09.AdamL2), ("decoupled", AdamW)):
        left = np.array([ch09.under_noise(rule, sizes, 0.1, seed=seed)[:, 0, -1] for seed in range(5)])
        for size, shares in zip(sizes, left.T, strict=True):
            results.add(f"{label}, gradients of size {size:g}", "share left", shares)
    return results


def few_digits() -> Dataset:
    """200 digits to learn from, and all others to choose and judge by."""
    return few(digits(), 200, 1000, 1000)


few_digits_task = Supervised("few digits, MLP", "accuracy", False, 420, few_digits, tasks.supervised.digit_mlp, 32)


@tests("c-l2")
def decoupled_beats_penalty() -> Results:
    results = Results()
    rate = LogUniform(3e-4, 0.1)
    searches = {
        "Adam, no decay": Search(Adam, learning_rate=rate),
        "Adam + L2": Search(ch09.AdamL2, learning_rate=rate, weight_decay=LogUniform(1e-5, 1.0)),
        "AdamW": Search(AdamW, learning_rate=rate, weight_decay=LogUniform(1e-3, 100.0)),
    }
    for steps in (140, 700):
        contest(results, searches, few_digits_task, trials=21, budget=steps, also=f", {steps} steps",
                tuning_seeds=(100, 101, 102), report_seeds=range(8))  # fmt: skip
        difference(results, f"AdamW, {steps} steps", f"Adam + L2, {steps} steps")
        difference(results, f"AdamW, {steps} steps", f"Adam, no decay, {steps} steps")
    return results


# --------------------------------------------------------------------------------- 10 advanced optimizers


full_batch = replace(tasks.digits_mlp, name="digits, full batch", batch_size=None)


def _batches_of(size: int | None) -> Supervised:
    return replace(tasks.digits_mlp, name=f"digits, batches of {size or 'all'}", batch_size=size)


@tests("c-large")
def large_batches_generalize_worse() -> Results:
    """Momentum with batches of 32 and with everything: as many epochs, and as many steps."""
    results = Results()
    search = {"momentum": Search(MomentumSGD, learning_rate=LogUniform(1e-3, 3.0), momentum=0.9)}
    for name, size, steps in (
        ("batch 32, 10 epochs", 32, 340),
        ("all, 10 epochs", None, 10),
        ("all, 340 steps", None, 340),
    ):
        contest(results, {name: search["momentum"]}, _batches_of(size), budget=steps, report_seeds=range(8))
    difference(results, "batch 32, 10 epochs", "all, 10 epochs")
    difference(results, "batch 32, 10 epochs", "all, 340 steps")
    return results


@tests("c-large-sharp")
def large_batches_find_sharper_minima() -> Results:
    """Sharpness when the training loss is first under 0.05."""
    results = Results()
    for rate, both in ch10.sharpness_by_batch([16, None], rates=[0.03, 0.1]).items():
        small, large = both.values()
        results.add(f"batch 16, rate {rate:g}", "sharpness", small)
        results.add(f"all, rate {rate:g}", "sharpness", large)
    (larger,) = ch10.sharpness_by_batch([None], rates=[0.3])[0.3].values()
    results.add("all, rate 0.3", "sharpness", larger)
    return results


LARGE_BATCH = {
    "momentum": Search(MomentumSGD, learning_rate=LogUniform(0.01, 10.0), momentum=0.9),
    "Nesterov": Search(NesterovMomentum, learning_rate=LogUniform(0.01, 10.0), momentum=0.9),
    "Adam": Search(Adam, learning_rate=LogUniform(1e-3, 1.0)),
    "LARS": Search(LARS, learning_rate=LogUniform(0.003, 3.0), trust_coefficient=1.0, weight_decay=0.0),
    "LAMB": Search(LAMB, learning_rate=LogUniform(0.001, 1.0), weight_decay=0.0),
}


@tests("c-lars-lamb")
def layerwise_for_large_batches() -> Results:
    results = Results()
    for steps in (20, 100):
        schedule = partial(warmup_cosine, warmup_epochs=steps // 10)
        contest(results, LARGE_BATCH, full_batch, trials=13, budget=steps, schedule=schedule, also=f", {steps} steps")
        for label in ("LARS", "LAMB"):
            difference(results, f"{label}, {steps} steps", f"Nesterov, {steps} steps")
    return results


@tests("c-lars-formula")
def lars_as_printed() -> Results:
    """The first step over the length of the weights when the loss is scaled: the article's equation and the paper's."""
    results, rng = Results(), np.random.default_rng(10)
    theta, grad = rng.standard_normal((8, 5)), rng.standard_normal((8, 5))
    for scale in (1, 10, 100):
        trust = np.linalg.norm(theta) / np.linalg.norm(scale * grad)
        printed = trust * scale * grad / np.linalg.norm(scale * grad)
        params = {"w": theta.copy()}
        LARS(1.0, trust_coefficient=1.0, weight_decay=0.0).update(params, {"w": scale * grad})
        for label, step in (("article", printed), ("paper", theta - params["w"])):
            results.add(f"{label}, loss times {scale}", "step", np.linalg.norm(step) / np.linalg.norm(theta))
    return results


# --------------------------------------------------------------------------------- 11 schedules


def drops(rate: float, step: float, total: float) -> float:
    return step_decay(rate, step, 0.1, total / 3)


def decays(rate: float, step: float, total: float) -> float:
    return exponential_decay(rate, step, 0.01 ** (1 / total))


CNN_RATES = LogUniform(3e-3, 3.0)
SCHEDULES = {
    "constant": None,
    "step": drops,
    "exponential": decays,
    "cosine": cosine_annealing,
}


@tests("c-sched")
def schedules_beat_a_constant() -> Results:
    results = Results()
    for task, budgets, rates in (
        (tasks.digits_cnn, (68, 340), CNN_RATES),
        (tasks.sparse_words, (160, 480), LogUniform(0.03, 30.0)),
    ):
        for steps in budgets:
            also = f", {task.name}, {steps} steps"
            for label, schedule in SCHEDULES.items():
                one = {label: Search(MomentumSGD, learning_rate=rates, momentum=0.9)}
                contest(results, one, task, budget=steps, schedule=schedule, also=also)
            for label in ("step", "exponential", "cosine"):
                difference(results, label + also, "constant" + also)
                difference(results, label + also, "constant" + also, "validation loss")
    return results


class CycledMomentum(MomentumSGD):
    """Momentum that is high while the rate of a one-cycle policy is low, and the other way round."""

    learning_rate: float | Array = Hyperparameter(0.01)
    momentum: float | Array = Hyperparameter(0.9, below=1.0)
    total_steps: float | Array = Hyperparameter(100.0)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        self.momentum = float(one_cycle_momentum(state.t - 1, int(self.total_steps)))
        super().step(theta, grad, state)


ONE_CYCLE_TASKS = ((tasks.digits_cnn, (68, 340)), (tasks.digits_mlp, (102, 510)))


@tests("c-1cycle")
def one_cycle_is_faster() -> Results:
    results = Results()
    momentum = Search(MomentumSGD, learning_rate=CNN_RATES, momentum=0.9)
    for task, budgets in ONE_CYCLE_TASKS:
        for steps in budgets:
            also = f", {task.name}, {steps} steps"
            for label, schedule in (("constant", None), ("cosine", cosine_annealing), ("one cycle", one_cycle)):
                contest(results, {label: momentum}, task, budget=steps, schedule=schedule, also=also)
            for other in ("constant", "cosine"):
                difference(results, f"one cycle{also}", other + also)
                difference(results, f"one cycle{also}", other + also, "validation loss")
    return results


@tests("c-cycling")
def momentum_is_cycled() -> Results:
    """One cycle with a fixed momentum of 0.9, and with one between 0.95 and 0.85."""
    results = Results()
    for task, budgets in ONE_CYCLE_TASKS:
        for steps in budgets:
            both = {
                "fixed": Search(MomentumSGD, learning_rate=CNN_RATES, momentum=0.9),
                "cycled": Search(CycledMomentum, learning_rate=CNN_RATES, total_steps=steps),
            }
            also = f", {task.name}, {steps} steps"
            contest(results, both, task, budget=steps, schedule=one_cycle, also=also)
            difference(results, f"cycled{also}", f"fixed{also}")
            difference(results, f"cycled{also}", f"fixed{also}", "validation loss")
    return results


@tests("c-warm")
def warm_up_is_needed() -> Results:
    """A transformer with its norms before or after the blocks: AdamW and a cosine, with 16 of 80 steps to warm up."""
    results = Results()
    for norm in ("pre", "post"):
        model = partial(tasks.supervised.transformer, norm=norm)
        task = replace(tasks.char_transformer, name=f"characters, transformer, {norm}-norm", make_model=model)
        for label, steps in (("warm-up", 16), ("none", 0)):
            schedule = partial(warmup_cosine, warmup_epochs=steps)
            also, how = f", {norm}-norm", {"budget": 80, "schedule": schedule, "tuning_seeds": (100,)}
            contest(results, {label: Search(AdamW, learning_rate=LogUniform(3e-4, 0.3))}, task, also=also, **how)
        difference(results, f"warm-up, {norm}-norm", f"none, {norm}-norm")
    return results


# --------------------------------------------------------------------------------- 12 choosing


@tests("c-cnn")
def momentum_for_a_cnn() -> Results:
    results = Results()
    momentum = Search(MomentumSGD, learning_rate=CNN_RATES, momentum=0.9)
    adam = Search(Adam, learning_rate=LogUniform(3e-4, 0.3))
    for steps in (68, 340):
        also = f", {steps} steps"
        scheduled = {"momentum, cosine": momentum, "Adam, cosine": adam}
        contest(results, scheduled, tasks.digits_cnn, budget=steps, schedule=cosine_annealing, also=also)
        contest(results, {"momentum, constant": momentum, "Adam, constant": adam}, tasks.digits_cnn, budget=steps,
                also=also)  # fmt: skip
        difference(results, f"momentum, cosine{also}", f"Adam, cosine{also}")
        difference(results, f"momentum, cosine{also}", f"momentum, constant{also}")
    return results


def of_classes(split: Split, first: int, last: int) -> Split:
    chosen = (split.y >= first) & (split.y <= last)
    return Split(split.x[chosen], split.y[chosen] - first)


def digits_from(first: int, last: int) -> Dataset:
    data = digits()
    return replace(data, **{part: of_classes(getattr(data, part), first, last) for part in PARTS})


PARTS = ("train", "validation", "test")


def hundred_new_digits() -> Dataset:
    return few(digits_from(5, 9), 100, 1000, 1000)


@cache
def convolutions_for_small_digits() -> Params:
    """A network that has learned the digits from 0 to 4."""
    model = as_model(tasks.supervised.cnn(7))
    return train(model, Adam(0.003), digits_from(0, 4), epochs=10, seed=7, progress=False).params


def pretrained_cnn(seed: int = 0) -> Any:
    """Its convolutions under a new last layer."""
    import torch

    module = tasks.supervised.cnn(seed)
    learned = convolutions_for_small_digits()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim == 4 or name.split(".")[0] in ("1", "4"):
                parameter.copy_(torch.as_tensor(learned[name]))
    return module


fine_tuning = Supervised("fine-tuning, CNN", "accuracy", False, 60, hundred_new_digits, pretrained_cnn, 20)


@tests("c-ft")
def adamw_at_a_low_rate() -> Results:
    """Digits from 5 to 9 on convolutions that know those from 0 to 4, and from scratch: where is the best rate?"""
    results = Results()
    adamw = Search(AdamW, learning_rate=LogUniform(1e-4, 1.0), weight_decay=0.01)
    momentum = Search(MomentumSGD, learning_rate=LogUniform(1e-3, 10.0), momentum=0.9)
    scratch = replace(fine_tuning, name="the same, from scratch", make_model=tasks.supervised.cnn)
    for steps in (30, 120):
        also, how = f", {steps} steps", {"budget": steps, "trials": 9, "report_seeds": range(8)}
        contest(results, {"AdamW": adamw, "momentum": momentum}, fine_tuning, also=also, **how)
        contest(results, {"AdamW, from scratch": adamw}, scratch, also=also, **how)
        difference(results, f"AdamW{also}", f"momentum{also}")
    return results


def descriptions() -> Dataset:
    """Windows of the descriptions of scikit-learn's datasets: English, but not that of Python's help."""
    from sklearn import datasets

    loaded = (datasets.load_breast_cancer, datasets.load_diabetes, datasets.load_iris, datasets.load_wine)
    text = " ".join("\n".join(load().DESCR for load in (*loaded, datasets.load_digits, datasets.load_linnerud)).split())
    codes = np.array([ALPHABET.index(c) if c in ALPHABET else ALPHABET.index("?") for c in text], dtype=np.int64)
    windows = codes[: len(codes) // 33 * 33].reshape(-1, 33)
    windows = windows[np.random.default_rng(0).permutation(len(windows))]
    third = len(windows) // 3
    cuts = (windows[:third], windows[third : 2 * third], windows[2 * third :])
    return replace(tasks.char_transformer.data, **{
        part: Split(cut[:, :-1], cut[:, 1:]) for part, cut in zip(PARTS, cuts, strict=True)
    })  # fmt: skip


@cache
def transformer_that_read_the_help() -> Params:
    schedule = partial(warmup_cosine, warmup_epochs=40)
    return tasks.char_transformer.run(AdamW(0.01), 600, seed=7, schedule=schedule).params


def pretrained_transformer(seed: int = 0) -> Any:
    import torch

    module, learned = tasks.supervised.transformer(seed), transformer_that_read_the_help()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(torch.as_tensor(learned[name]))
    return module


reading_on = Supervised("fine-tuning, transformer", "nats per character", True, 60, descriptions,
                        pretrained_transformer, 16)  # fmt: skip


@tests("c-ft-nlp")
def adamw_at_1e_5() -> Results:
    results = Results()
    how = {"tuning_seeds": (100,), "report_seeds": range(5)}
    for steps in (60, 120):
        also = f", {steps} steps"
        contest(results, {"AdamW": Search(AdamW, learning_rate=LogUniform(1e-5, 0.1))}, reading_on, trials=9,
                budget=steps, also=also, **how)  # fmt: skip
        for rate in (1e-5, 5e-5):
            one = {f"AdamW at {rate:.0e}": Search(AdamW, learning_rate=rate)}
            contest(results, one, reading_on, trials=1, budget=steps, also=also, **how)
    contest(results, {"before": Search(SGD, learning_rate=0.0)}, reading_on, trials=1, budget=1, **how)
    return results


@tests("c-tf")
def adamw_for_transformers() -> Results:
    results = Results()
    rates = LogUniform(3e-4, 0.3)
    warmed_up = {
        "AdamW": Search(AdamW, learning_rate=rates, weight_decay=0.1),
        "Adam": Search(Adam, learning_rate=rates),
        "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(0.01, 10.0), momentum=0.9),
    }
    for steps in (40, 100):
        also, how = f", {steps} steps", {"budget": steps, "tuning_seeds": (100,)}
        schedule = partial(warmup_cosine, warmup_epochs=steps // 10)
        contest(results, warmed_up, tasks.char_transformer, schedule=schedule, also=also, **how)
        contest(results, {"AdamW, constant": warmed_up["AdamW"]}, tasks.char_transformer, also=also, **how)
        for other in ("Adam", "SGD + momentum", "AdamW, constant"):
            difference(results, f"AdamW{also}", other + also)
    scheduled_for_longer(results)
    return results


def scheduled_for_longer(results: Results) -> None:
    """Warm-up and a cosine against a constant rate once more, for 300 steps."""
    search = Search(AdamW, learning_rate=LogUniform(1e-3, 0.03), weight_decay=0.1)
    for label, schedule in (("AdamW", partial(warmup_cosine, warmup_epochs=30)), ("AdamW, constant", None)):
        contest(results, {label: search}, tasks.char_transformer, trials=4, budget=300, schedule=schedule,
                also=", 300 steps", tuning_seeds=(100,))  # fmt: skip
    difference(results, "AdamW, 300 steps", "AdamW, constant, 300 steps")


CONTROL = {
    "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(3e-3, 3.0), momentum=0.9),
    "RMSprop": Search(RMSprop, learning_rate=LogUniform(3e-4, 0.3)),
    "Adam": Search(Adam, learning_rate=LogUniform(3e-4, 0.3)),
}


@tests("c-pg")
def adam_for_policies() -> Results:
    results = Results()
    for updates in (30, 80):
        also = f", {updates} updates"
        contest(results, CONTROL, tasks.cartpole_policy, budget=updates, also=also)
        difference(results, f"Adam{also}", f"SGD + momentum{also}")
        difference(results, f"Adam{also}", f"RMSprop{also}")
    return results


@tests("c-value")
def rmsprop_or_adam_for_values() -> Results:
    results = Results()
    for updates in (800, 2000):
        also = f", {updates} updates"
        contest(results, CONTROL, tasks.cartpole_value, budget=updates, also=also)
        difference(results, f"Adam{also}", f"SGD + momentum{also}")
        difference(results, f"RMSprop{also}", f"SGD + momentum{also}")
    return results


@tests("c-default")
def safest_default() -> Results:
    """From the comparison of chapter 12: who is level with the best when tuned, and who is how high without tuning."""
    results, fields = Results(), ch12.read_results()
    ranks: dict[str, list[int]] = {label: [] for label in ch12.ARTICLE_RATES}
    for field in fields.values():
        untuned = {label: _at_the_articles_rate(field, label) for label in ranks}
        if np.isnan(list(untuned.values())).any():
            continue  # the article's rate is not among those tried
        for label, score in untuned.items():
            better = [(other < score if field.lower_is_better else other > score) for other in untuned.values()]
            ranks[label].append(1 + sum(better))
    for label, found in ranks.items():
        results.add(label, "tasks level with the best, tuned", ch12.level_count(fields, label))
        results.add(label, "mean rank, untuned", np.mean(found))
        results.add(label, "worst rank, untuned", max(found))
        results.add(label, "tasks, untuned", len(found))
    results.add("all", "tasks", len(fields))
    return results


def _at_the_articles_rate(field: ch12.Field, label: str) -> float:
    """The best validation score at a rate inside the article's range; NaN if none was tried."""
    (low, high), entrant = ch12.ARTICLE_RATES[label], field.entrants[label]
    inside = entrant.scores[(entrant.rates > low / 1.01) & (entrant.rates < high * 1.01)]
    if not inside.size:
        return np.nan
    return float(inside.min() if field.lower_is_better else inside.max())


few_digits_cnn = replace(few_digits_task, name="few digits, CNN", make_model=tasks.supervised.cnn)


@tests("c-poor")
def momentum_where_it_generalizes_poorly() -> Results:
    """200 digits, learned by heart: is the test accuracy of SGD with momentum higher than that of AdamW?"""
    results = Results()
    searches = {
        "AdamW": Search(AdamW, learning_rate=LogUniform(3e-4, 0.3), weight_decay=0.01),
        "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(3e-3, 3.0), momentum=0.9),
    }
    for task, budgets in ((few_digits_task, (140, 420)), (few_digits_cnn, (140,))):
        for steps in budgets:
            also = f", {task.name}, {steps} steps"
            contest(results, searches, task, budget=steps, also=also, report_seeds=range(8))
            difference(results, f"SGD + momentum{also}", f"AdamW{also}")
    return results


@tests("c-rates")
def the_tables_rates() -> Results:
    """From the comparison of chapter 12: how often the best rate lies in the range of the article's table."""
    results, fields = Results(), ch12.read_results()
    inside, ratios = 0, []
    for label, (low, high) in ch12.ARTICLE_RATES.items():
        best = np.array([field.entrants[label].rate for field in fields.values()])
        hits = int(np.sum((best > low / 1.01) & (best < high * 1.01)))
        inside, ratios = inside + hits, [*ratios, *(best / high)]
        results.add(label, "tasks inside", hits)
        results.add(label, "lowest best rate", best.min())
        results.add(label, "highest best rate", best.max())
        results.add(label, "median best rate", np.median(best))
    results.add("all", "inside", inside)
    results.add("all", "pairs", len(ratios))
    results.add("all", "pairs above the range", np.sum(np.array(ratios) > 1.01))
    return results
