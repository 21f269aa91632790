"""The claims of chapter 4, momentum: an experiment for each."""

from __future__ import annotations

import numpy as np

from experiments import ch02, ch04
from experiments.claims.registry import tests
from experiments.claims.results import Results


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
    # The case that is described: the rate at which gradient descent zigzags, kept, and momentum switched on.
    rate = 2 / (1 + 100)
    for label, momentum in (("SGD", 0.0), ("momentum 0.5", 0.5), ("momentum 0.9", 0.9)):
        steep = ch04.distances(100 * rate, momentum, 100)
        results.add(f"{label}, gradient descent's best rate", "flips", np.sum(steep[1:] * steep[:-1] < 0))
        results.add(f"{label}, gradient descent's best rate", "way across", np.abs(np.diff(steep)).sum())
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
