"""The claims of chapter 9, AdamW: an experiment for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiments import ch09
from experiments.claims.registry import MANY, contest, tests
from experiments.claims.results import Results
from optim_lib import tasks
from optim_lib.data import Dataset, digits
from optim_lib.optimizers import (
    Adam,
    AdamW,
)
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
