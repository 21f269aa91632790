"""The claims of chapter 10, advanced optimizers: an experiment for each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from experiments import ch10, modern
from experiments.claims.registry import MANY, ONE_PASS, SLOW, contest, tests
from experiments.claims.results import Results
from experiments.claims.rule import AT_EDGE, TRIED
from optim_lib import tasks
from optim_lib.optimizers import ADOPT, LARS, Adam, AdEMAMix, MomentumSGD, Muon, NorMuon
from optim_lib.tasks.supervised import Supervised
from optim_lib.training import LogUniform, Search


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
        contest(results, {name: search["momentum"]}, _batches_of(size), budget=steps, **MANY)
    return results


@tests("c-large-sharp")
def large_batches_find_sharper_minima() -> Results:
    """Sharpness when the training loss is first under 0.05, at the same rates and at the highest that each allows."""
    results = Results()
    for rate, both in ch10.sharpness_by_batch([16, None], rates=[0.03, 0.1, 0.3], seeds=range(10)).items():
        small, large = both.values()
        results.add(f"batch 16, rate {rate:g}", "sharpness", small)
        results.add(f"all, rate {rate:g}", "sharpness", large)
        results.add(f"batch 16, rate {rate:g}", "runs that never came to that loss", np.isnan(small).sum())
        results.add(f"all, rate {rate:g}", "runs that never came to that loss", np.isnan(large).sum())
    return results


@tests("c-lars-lamb")
def layerwise_for_large_batches() -> Results:
    """Chapter 10's contest: thirteen rates, each with five memories, chosen by validation loss."""
    results = Results()
    for steps in (20, 100):
        for one in ch10.contest(ch10.LAYERWISE, steps, **ch10.THOROUGH):
            setting = f"{one.label}, {steps} steps"
            results.add(setting, "test loss", one.test_loss)
            results.add(setting, "test accuracy", one.test_accuracy)
            results.add(setting, "training loss", one.train_loss)
            results.add(setting, "learning_rate", one.rate)
            results.add(setting, "memory", one.memory)
            results.add(setting, TRIED, ch10.THOROUGH["trials"] * len(ch10.THOROUGH["memories"]))
            results.add(setting, AT_EDGE, one.at_edge)
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


MATRIX_RATES = LogUniform(3e-3, 1.0)


@tests("c-muon-momentum")
def muon_needs_its_momentum() -> Results:
    """Muon at its default momentum and without any; a line to zero, since its steps do not shrink by themselves."""
    results = Results()
    for label, momentum in (("momentum 0.95", 0.95), ("no momentum", 0.0)):
        digits = Search(Muon, learning_rate=MATRIX_RATES, momentum=momentum, adam_ratio=modern.SHARE, output_axis=-1)
        contest(results, {label: digits}, modern.digits_by_loss, budget=102, schedule=modern.linear_to_zero,
                also=", digits", **MANY)  # fmt: skip
        text = Search(modern.muon, learning_rate=MATRIX_RATES, momentum=momentum)
        contest(results, {label: text}, modern.text, schedule=modern.linear_to_zero, also=", text", **SLOW)
    return results


@tests("c-normuon")
def a_rate_for_each_neuron() -> Results:
    results = Results()
    for label, rule, on_text in (("Muon", Muon, modern.muon), ("NorMuon", NorMuon, modern.normuon)):
        digits = Search(rule, learning_rate=MATRIX_RATES, adam_ratio=modern.SHARE, output_axis=-1)
        contest(results, {label: digits}, modern.digits_by_loss, budget=102, schedule=modern.linear_to_zero,
                also=", digits", **MANY)  # fmt: skip
        text = Search(on_text, learning_rate=MATRIX_RATES)
        contest(results, {label: text}, modern.text, schedule=modern.linear_to_zero, also=", text", **SLOW)
    return results


@tests("c-ademamix")
def a_long_memory_besides() -> Results:
    """Adam with its one memory tuned, and with a long one besides; both at a constant rate."""
    results = Results()
    for steps in (340, 680):
        searches = {
            "Adam": Search(Adam, learning_rate=LogUniform(1e-4, 0.1), beta1=[0.5, 0.9, 0.99]),
            "AdEMAMix": Search(
                AdEMAMix, learning_rate=LogUniform(1e-4, 0.1), beta3=[0.99, 0.999, 0.9999], warmup=steps
            ),
        }
        contest(results, searches, modern.digits_by_loss, trials=8, budget=steps, also=f", {steps} steps",
                **ONE_PASS)  # fmt: skip
    return results


@tests("c-adopt")
def any_memory_will_do() -> Results:
    """Gradients of 100 one time in ten and of -10 otherwise, so that downhill is to the left, on [-1, 1]."""
    results, runs, seeds = Results(), 200, 12
    rules = {"Adam": Adam, "ADOPT": partial(ADOPT, clip=0), "ADOPT, clipped": ADOPT}
    for label, rule in rules.items():
        for beta2 in (0.1, 0.9, 0.999):
            ends = []
            for seed in range(seeds):
                rng, optimizer = np.random.default_rng(seed), rule(0.01, beta2=beta2)
                params = {"x": np.zeros(runs)}
                for t in range(1, 4001):
                    optimizer.learning_rate = 0.01 / t**0.5 * 10
                    optimizer.update(params, {"x": np.where(rng.random(runs) < 0.1, 100.0, -10.0)})
                    np.clip(params["x"], -1, 1, out=params["x"])
                ends.append(params["x"].mean())
            results.add(f"{label}, memory {beta2:g}", "x at the end", ends)
    return results
