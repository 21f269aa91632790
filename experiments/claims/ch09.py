"""The claims of chapter 9, AdamW: an experiment for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments import ch09, modern
from experiments.claims.registry import MANY, ONE_PASS, SLOW, contest, tests
from experiments.claims.results import Results
from optim_lib import tasks
from optim_lib.data import Dataset, digits
from optim_lib.optimizers import (
    Adam,
    AdamHyperball,
    AdamW,
    CautiousAdamW,
)
from optim_lib.schedules import warmup_cosine
from optim_lib.tasks.supervised import Supervised, few
from optim_lib.training import LogUniform, Search


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
        left = np.array([ch09.under_noise(rule, sizes, 0.1, seed=seed)[:, 0, -1] for seed in range(8)])
        for size, shares in zip(sizes, left.T, strict=True):
            results.add(f"{label}, gradients of size {size:g}", "share left", shares)
    return results


def few_digits() -> Dataset:
    """200 digits to learn from, and all others to choose and judge by."""
    return few(digits(), 200, 1000, 1000)


few_digits_task = Supervised("few digits, MLP", "accuracy", False, 420, few_digits, tasks.supervised.digit_mlp, 32)


few_digits_by_loss = replace(few_digits_task, name="few digits, MLP, by loss", metric="loss", lower_is_better=True)


@tests("c-l2")
def decoupled_beats_penalty() -> Results:
    """Two budgets; settings chosen and judged by accuracy, and once more chosen and judged by loss."""
    results = Results()
    rate = LogUniform(3e-4, 0.1)
    searches = {
        "Adam, no decay": Search(Adam, learning_rate=rate),
        "Adam + L2": Search(ch09.AdamL2, learning_rate=rate, weight_decay=LogUniform(1e-5, 1.0)),
        "AdamW": Search(AdamW, learning_rate=rate, weight_decay=LogUniform(1e-3, 100.0)),
    }
    for task, chosen in ((few_digits_task, "accuracy"), (few_digits_by_loss, "loss")):
        for steps in (140, 700):
            contest(results, searches, task, trials=21, budget=steps, also=f", {steps} steps, by {chosen}",
                    coarse_seeds=(100, 101, 102), **MANY)  # fmt: skip
    return results


RATES, DECAYS = LogUniform(3e-4, 0.1), LogUniform(1e-3, 100.0)


@tests("c-cautious")
def cautious_decay_is_better() -> Results:
    """Few digits, where decay has something to do: rate and decay tuned alike, chosen and judged by loss."""
    results = Results()
    searches = {
        "AdamW": Search(AdamW, learning_rate=RATES, weight_decay=DECAYS),
        "cautious": Search(CautiousAdamW, learning_rate=RATES, weight_decay=DECAYS),
    }
    for steps in (140, 420):
        contest(results, searches, few_digits_by_loss, trials=9, budget=steps, also=f", {steps} steps", **ONE_PASS)
    return results


@tests("c-hyperball")
def a_fixed_norm_beats_decay() -> Results:
    """Two numbers tuned of each: rate and decay, or the rate of the matrices and that of the vectors beside it."""
    results = Results()
    searches = {
        "AdamW": Search(AdamW, learning_rate=RATES, weight_decay=DECAYS),
        "Hyperball": Search(AdamHyperball, learning_rate=LogUniform(1e-3, 1.0), adam_ratio=LogUniform(1e-2, 1000.0)),
    }
    for steps in (140, 420):
        contest(results, searches, few_digits_by_loss, trials=9, budget=steps, also=f", {steps} steps", **ONE_PASS)
    on_text = {
        "AdamW": Search(AdamW, learning_rate=LogUniform(1e-3, 0.3), beta2=0.95, weight_decay=0.1),
        "Hyperball": Search(modern.adam_hyperball, learning_rate=LogUniform(3e-3, 1.0)),
    }
    contest(results, on_text, modern.text, schedule=warmup_cosine_of_a_tenth, also=", text", **SLOW)
    return results


def warmup_cosine_of_a_tenth(rate: float, step: float, total: float) -> float:
    return float(warmup_cosine(rate, step, total, warmup_epochs=total / 10))
