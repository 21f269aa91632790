"""The claims of chapter 5, Nesterov: an experiment for each."""

from __future__ import annotations

from experiments import ch05
from experiments.claims.registry import tests
from experiments.claims.results import Results


@tests("c-nesterov")
def nesterov_is_better() -> Results:
    results = Results()
    for label, counts in ch05.steps_by_condition([100, 1000]).items():
        results.add("condition 100", f"{label}, steps", counts[0])
        results.add("condition 1000", f"{label}, steps", counts[1])
    levels = (0.0, 0.03, 0.3, 3.0)
    for label, found in ch05.gaps_by_noise(levels, 100).items():
        for level, gap in zip(levels, found["gap"], strict=True):
            results.add(f"noise {level:g}", f"{label}, gap", gap)
    return results


@tests("c-overshoot")
def corrects_before() -> Results:
    results = Results()
    for row in ch05.overshoots([0.01, 0.1, 0.5, 1.0]):
        setting = f"rate times curvature {row['rate times curvature']:g}"
        for label in ("momentum", "Nesterov"):
            results.add(setting, f"{label}, crossings", row[f"crossings, {label}"])
            results.add(setting, f"{label}, furthest past", row[f"furthest past, {label}"])
    return results


@tests("c-nesterov-convex")
def nesterov_for_convex_problems() -> Results:
    results = Results()
    for row in ch05.regression_steps([0.01, 1e-6]):
        for share in ("0.01", "1e-06"):
            results.add(f"to {share}", f"{row['optimizer']}, steps", row[f"to {share}"])
    return results
