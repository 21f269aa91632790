"""The claims of chapter 6, AdaGrad: an experiment for each."""

from __future__ import annotations

import numpy as np

from experiments import ch06
from experiments.claims.registry import tests
from experiments.claims.results import Results
from experiments.claims.rule import AT_EDGE, TRIED
from optim_lib.data import sparse_words
from optim_lib.optimizers import (
    AdaGrad,
)


@tests("c-sparse")
def sparse_features() -> Results:
    results = Results()
    words = sparse_words()
    for name, data in (("words", words), ("mixed", ch06.mixed(words))):
        for tuned in ch06.compare_on(data, report_seeds=range(8)):
            setting = f"{tuned.label}, {name}"
            results.add(setting, "test log loss", tuned.results["test_loss"])
            results.add(setting, "test accuracy", tuned.results["test_accuracy"])
            results.add(setting, "learning_rate", tuned.setting["learning_rate"])
            results.add(setting, TRIED, len(tuned.scores))
            results.add(setting, AT_EDGE, bool(tuned.at_edge))
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
    """Rates tuned on the first thousand steps of a stream, or on what is reported: the last quarter of ten thousand."""
    results = Results()
    for name, drift in (("still", 0.0), ("moving", 0.03)):
        for tuned, late in (("the first thousand steps", False), ("the last quarter", True)):
            errors, chosen = ch06.track(drift, late=late)
            for label, error in errors.items():
                setting = f"{label}, {name} target, tuned on {tuned}"
                results.add(setting, "error", error[3 * len(error) // 4 :].mean(axis=0))
                results.add(setting, "learning_rate", chosen[label])
                results.add(setting, AT_EDGE, chosen[label] in (ch06.TRACK_RATES[0], ch06.TRACK_RATES[-1]))
    return results


@tests("c-stall-network")
def a_network_stalls() -> Results:
    results = Results()
    for part, found in ch06.long_training(32, seeds=range(8)).items():
        for label, losses in found.items():
            results.add(f"{label}, {part}", "loss", losses[:, -1])
            results.add(f"{label}, {part}, after 8 epochs", "loss", losses[:, 8])
    return results
