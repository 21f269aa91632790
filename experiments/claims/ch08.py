"""The claims of chapter 8, Adam: an experiment for each."""

from __future__ import annotations

import numpy as np

from experiments import ch08, ch12, modern
from experiments.claims.registry import SLOW, contest, tests
from experiments.claims.results import Results
from experiments.claims.rule import AT_EDGE, TRIED, test_metric
from optim_lib import tasks
from optim_lib.data import digits, minibatches
from optim_lib.networks import MLP
from optim_lib.optimizers import (
    Adam,
    AdamW,
    AMSGrad,
)
from optim_lib.training import LogUniform, Search


@tests("c-def")
def adam_without_tuning() -> Results:
    """Adam at its default rate beside a tuned one: the comparison of chapter 12, and on one task for longer."""
    results = Results()
    for name, field in ch12.read_results().items():
        for label, runs in (("default", field.untuned["Adam"]), ("tuned", field.entrants["Adam"])):
            results.add(f"{label}, {name}", test_metric(field.contest.task.metric), runs.test)
            results.add(f"{label}, {name}", "learning_rate", runs.rate)
            if label == "tuned":
                results.add(f"{label}, {name}", AT_EDGE, runs.at_edge)
    for label, rate in (("default", 0.001), ("tuned", LogUniform(3e-4, 0.3))):
        contest(results, {label: Search(Adam, learning_rate=rate)}, tasks.digits_mlp, budget=5 * 340,
                also=", digits, MLP, five times as long")  # fmt: skip
    params, adam = {"x": np.zeros(1)}, Adam()
    for _ in range(2000):
        adam.update(params, {"x": params["x"] - 1000})
    results.add("a parabola at 1000", "x after 2000 steps", params["x"][0])
    return results


@tests("c-travel")
def adams_travel() -> Results:
    """The longest step of any weight over the rate: in training, and under two streams made to be bad."""
    results, network, data = Results(), MLP((64, 32, 10)), digits()
    longest, typical = [], []
    for seed in range(8):
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
    results.add("growing by 11 %", "step over the rate", ch08.unit_steps(Adam(1.0), ch08.loss_spike())[-1])
    results.add("any stream", "bound on the step over the rate", ch08.longest_step())
    return results


@tests("c-bias")
def bias_correction() -> Results:
    """A steady gradient of 1: the averages with and without their correction, and the steps that they make."""
    results, (beta1, beta2) = Results(), (0.9, 0.999)
    excess = ch08.excess_steps(1000)
    for step in (1, 10, 1000):
        for name, beta in (("gradient", beta1), ("square", beta2)):
            average = 1 - beta**step  # of ones, from zero
            results.add(f"step {step}", f"average of the {name}", average)
            results.add(f"step {step}", f"corrected average of the {name}", average / (1 - beta**step))
        results.add(f"step {step}", "without over with", excess[step - 1])
    return results


@tests("c-gen")
def adam_generalizes_worse() -> Results:
    results = Results()
    for epochs in (3, 12):
        for tuned in ch08.compare_on_digits(epochs):
            setting = f"{tuned.label}, {epochs} epochs"
            results.add(setting, "test accuracy", tuned.results["test_accuracy"])
            results.add(setting, "test loss", tuned.results["test_loss"])
            results.add(setting, "training loss", tuned.results["train_loss"])
            results.add(setting, TRIED, len(tuned.scores))
            results.add(setting, AT_EDGE, bool(ch08.real_edges(tuned)))
    return results


@tests("c-sharp")
def adam_finds_sharper_minima() -> Results:
    """Sharpness where the training loss is first under some value: at the settings tuned for a short and a long run."""
    results = Results()
    for epochs in (3, 12):
        tuning = ch08.compare_on_digits(epochs)
        for loss in (0.05, 0.02):
            for label, values in ch08.sharpness_at(loss, tuning).items():
                results.add(f"{label}, tuned for {epochs} epochs, training loss {loss:g}", "sharpness", values)
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


@tests("c-equal-betas")
def one_memory_for_both_averages() -> Results:
    """AdamW with equal memories and with two usual pairs, under the recipe of c-beta2; the rate tuned for each."""
    results = Results()
    for beta1, beta2 in ((0.95, 0.95), (0.9, 0.9), (0.9, 0.95), (0.9, 0.999)):
        rates = LogUniform(1e-3, 0.3)
        search = {
            f"{beta1:g}, {beta2:g}": Search(AdamW, learning_rate=rates, beta1=beta1, beta2=beta2, weight_decay=0.1)
        }
        contest(results, search, modern.text, schedule=modern.linear_to_zero, also=", text", **SLOW)
        contest(results, search, modern.digits_by_loss, budget=102, schedule=modern.linear_to_zero, also=", digits",
                report_seeds=range(20))  # fmt: skip
    return results
