"""The claims of chapter 10, advanced optimizers: an experiment for each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from experiments import ch10
from experiments.claims.registry import contest, difference, tests
from experiments.claims.results import Results
from optim_lib import tasks
from optim_lib.optimizers import (
    LAMB,
    LARS,
    Adam,
    MomentumSGD,
    NesterovMomentum,
)
from optim_lib.schedules import (
    warmup_cosine,
)
from optim_lib.tasks.supervised import Supervised
from optim_lib.training import LogUniform, Search

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
