"""The claims of chapter 1, introduction: an experiment for each."""

from __future__ import annotations

import numpy as np

from experiments import ch01
from experiments.claims.registry import tests
from experiments.claims.results import Results
from optim_lib import landscapes


@tests("c-minimum")
def finds_the_minimum() -> Results:
    results = Results()
    for width in (4, 16):
        problem = ch01.SmallReader(width)
        losses = np.array([problem.loss(theta) for theta in ch01.trained_from(problem, range(20))])
        results.add(f"width {width}", "loss", losses)
        results.add(f"width {width}", "worst over best", losses.max() / losses.min())
    return results


@tests("c-saddle-flat")
def saddles_are_flat() -> Results:
    results = Results()
    for name in ("saddle", "plateau"):
        results.add(name, "flat share", ch01.flat_share(getattr(landscapes, name), 0.01))
    return results
