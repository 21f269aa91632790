"""The claims of chapter 8, Adam: an experiment for each."""

from __future__ import annotations

import numpy as np

from experiments import ch08
from experiments.claims.registry import contest, difference, tests
from experiments.claims.results import Results
from optim_lib import tasks
from optim_lib.data import digits, minibatches
from optim_lib.networks import MLP
from optim_lib.optimizers import (
    Adam,
    AMSGrad,
)
from optim_lib.training import LogUniform, Search

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
