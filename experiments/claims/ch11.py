"""The claims of chapter 11, schedules: an experiment for each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from experiments import ch11, modern, spikes
from experiments.claims.registry import SLOW, by_length, contest, tests
from experiments.claims.results import Results
from experiments.claims.rule import AT_EDGE, TRIED
from optim_lib import tasks
from optim_lib.optimizers import (
    Adam,
    AdamW,
    MomentumSGD,
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
from optim_lib.training import LogUniform, Search

Array = NDArray[np.floating]


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
                contest(
                    results,
                    one,
                    task,
                    budget=steps,
                    schedule=schedule,
                    also=also,
                    **by_length(steps),
                )
    for labels, data in (("right", ch11.DATA), ("a fifth wrong", ch11.NOISY)):
        for epochs in (3, 10):
            raced = ch11.race(epochs, data=data)
            for label in SCHEDULES:
                setting = f"{label}, digits, MLP, {epochs} epochs, labels {labels}"
                results.add(setting, "test loss", raced.runs[label].test_losses)
                results.add(setting, "test accuracy", raced.runs[label].test_accuracies)
                results.add(setting, "learning_rate", raced.peaks[label])
                results.add(setting, TRIED, len(ch11.PEAKS))
                results.add(setting, AT_EDGE, raced.peaks[label] in (ch11.PEAKS[0], ch11.PEAKS[-1]))
    return results


class CycledMomentum(MomentumSGD):
    """Momentum that is high while the rate of a one-cycle policy is low, and the other way round."""

    learning_rate: float | Array = Hyperparameter(default=0.01)
    momentum: float | Array = Hyperparameter(default=0.9, below=1.0)
    total_steps: float | Array = Hyperparameter(default=100.0)

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
                contest(results, {label: momentum}, task, budget=steps, schedule=schedule, also=also,
                        **by_length(steps))  # fmt: skip
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
            contest(results, both, task, budget=steps, schedule=one_cycle, also=also,
                    **by_length(steps))  # fmt: skip
    return results


@tests("c-warm")
def warm_up_is_needed() -> Results:
    """A transformer with its norms before or after the blocks: AdamW and a cosine, with 16 of 80 steps to warm up.

    How large the first embeddings are decides what the blocks can read: 0.02 as in GPT-2, and fifteen times that.
    """
    results = Results()
    for norm in ("pre", "post"):
        for size in (0.02, 0.3):
            model = partial(tasks.supervised.transformer, norm=norm, embedding=size)
            name = f"{norm}-norm, embeddings {size:g}"
            task = replace(tasks.char_transformer, name=f"characters, {name}", make_model=model)
            for label, steps in (("warm-up", 16), ("none", 0)):
                schedule = partial(warmup_cosine, warmup_epochs=steps)
                contest(results, {label: Search(AdamW, learning_rate=LogUniform(3e-4, 0.3))}, task, budget=80,
                        schedule=schedule, also=f", {name}", **SLOW)  # fmt: skip
    return results


@tests("c-linear-zero")
def a_line_to_zero() -> Results:
    """AdamW with a tenth of the run to warm up, then a line to zero or a cosine to a tenth of the rate."""
    results = Results()
    schedules = {"line to zero": modern.linear_to_zero, "cosine to a tenth": modern.cosine_to_a_tenth}
    for label, schedule in schedules.items():
        search = {label: Search(AdamW, learning_rate=LogUniform(1e-3, 0.3), beta2=0.95, weight_decay=0.1)}
        contest(results, search, modern.text, schedule=schedule, also=", text", **SLOW)
        for steps in (102, 510):
            contest(results, search, modern.digits_by_loss, budget=steps, schedule=schedule,
                    also=f", digits, {steps} steps", **by_length(steps))  # fmt: skip
    return results


@tests("c-clipping")
def clipping_saves_a_run() -> Results:
    """One batch in a run of digits is ten times too bright, with wrong labels: the loss 20 steps later."""
    results = Results()
    for label, setting in ch11.SPIKES.items():
        found = [ch11.spike(seed=seed, **setting) for seed in range(12)]
        results.add(label, "loss 20 steps later", [each[-1] for each in found])
        results.add(label, "loss before", [each[0] for each in found])
    return results


@tests("c-spike")
def memory_and_clipping_against_a_spike() -> Results:
    """Ten bad batches in a run of Adam, at the rate that the speedrun found: the highest loss that they make."""
    results, rate = Results(), 0.0173
    for label, task, spoil in (
        ("text", modern.text, spikes.wrong_text),
        ("digits, CNN", tasks.digits_cnn, spikes.wrong_digits),
    ):
        for kit, (beta2, max_norm) in spikes.KITS.items():
            found = [spikes.spike_of(task, spoil, Adam(rate, beta2=beta2), seed, max_norm) for seed in range(10)]
            before, highest = zip(*found, strict=True)
            results.add(f"{kit}, {label}", "loss before", before)
            results.add(f"{kit}, {label}", "highest loss", highest)
    return results
