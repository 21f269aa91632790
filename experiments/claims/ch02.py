"""The claims of chapter 2, gradient descent: an experiment for each."""

from __future__ import annotations

import numpy as np

from experiments import ch02, ch03
from experiments.claims.registry import tests
from experiments.claims.results import Results
from optim_lib import landscapes


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
