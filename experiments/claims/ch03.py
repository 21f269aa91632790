"""The claims of chapter 3, stochastic gradient descent: an experiment for each."""

from __future__ import annotations

import numpy as np

from experiments import batches, ch03
from experiments.claims.registry import tests
from experiments.claims.results import Results
from experiments.claims.rule import AT_EDGE, TRIED
from optim_lib import landscapes
from optim_lib.data import digits
from optim_lib.measure import gradient_noise
from optim_lib.networks import MLP


@tests("c-same-solution")
def same_solution() -> Results:
    results = Results()
    for rate in (0.5, 0.1, 0.02):
        places = [ch03.skewed_mean(rate, runs=1000, seed=seed) for seed in range(8)]
        results.add(f"rate {rate:g}", "mean", [mean for mean, _ in places])
        results.add(f"rate {rate:g}", "spread", [spread for _, spread in places])
    return results


@tests("c-escape")
def noise_escapes() -> Results:
    results = Results()
    worse, better = landscapes.double_well.starts[0], landscapes.double_well.starts[2]
    for noise in (0, 2, 3, 6):
        from_worse = [ch03.fate(noise, worse, seed=seed) for seed in range(8)]
        from_better = [ch03.fate(noise, better, seed=seed) for seed in range(8)]
        results.add(f"noise {noise}", "left the worse well", [fate.crossed for fate in from_worse])
        results.add(f"noise {noise}", "left the better well", [fate.crossed for fate in from_better])
        results.add(f"noise {noise}", "loss at the end", [fate.loss for fate in from_worse])
    return results


@tests("c-noise")
def noise_generalizes() -> Results:
    results = Results()
    for labels, wrong in (("right labels", 0.0), ("a fifth wrong", 0.2)):
        found = ch03.does_noise_regularize(digits(), wrong, np.geomspace(0.01, 10.24, 11))
        for idea, both in found.items():
            results.add(f"{labels}, {idea}", "gain", both["small"] - both["large"])
    return results


@tests("c-noise-batch")
def noise_by_batch() -> Results:
    results, network, data, sizes = Results(), MLP((64, 32, 10)), digits(), (4, 16, 64, 256)
    noise = [
        gradient_noise(network.on(*data.train), network.initialize(s), sizes, replacement=True, seed=s)
        for s in range(8)
    ]
    for k, size in enumerate(sizes):
        shares = [size * measured.variance[k] / measured.per_example_variance for measured in noise]
        results.add(f"batch {size}", "variance times batch", shares)
    return results


@tests("c-batch")
def batches_of_32_to_256() -> Results:
    results = Results()
    rows = ch03.batch_size_race(digits(), (1, 4, 16, 32, 64, 256, 1079), np.geomspace(0.005, 10.24, 12))[0.15]
    for row in rows:
        setting = f"batch {row['batch size']}"
        for metric in ("steps", "fewest", "most"):
            results.add(setting, metric, row[metric])
        results.add(setting, "examples", row["steps"] * row["batch size"])
        results.add(setting, "learning_rate", row["best rate"])
        results.add(setting, "at the edge", row["at the edge"])
    return results


def _raced(name: str, target: float, sizes: tuple[int, ...], results: Results) -> list[batches.Race]:
    """The races of one rule to one target, and what the rule of the ledger asks of a comparison."""
    races = [batches.races(name)[target][size] for size in sizes]
    setting = f"{name} to {target:g}"
    results.add(setting, TRIED, sum(race.tried for race in races))
    results.add(setting, AT_EDGE, any(race.edge for race in races))
    return races


@tests("c-batch-rate")
def the_best_rate_by_batch() -> Results:
    results = Results()
    for target in batches.TARGETS:
        for name in batches.RULES:
            races = _raced(name, target, batches.NOISY, results)
            best = np.array([race.best for race in races])
            results.add(f"{name} to {target:g}", "exponent", batches.exponent(batches.NOISY, best))
            for size in batches.SIZES:
                results.add(f"{name} to {target:g}, batch {size}", "best rate", batches.races(name)[target][size].best)
    return results


@tests("c-knee")
def steps_and_examples_trade_off() -> Results:
    results = Results()
    for target in batches.TARGETS:
        for name in ("SGD", "Adam"):
            setting = f"{name} to {target:g}"
            races = _raced(name, target, batches.SIZES, results)
            steps = np.array([race.steps for race in races])
            fewest, critical = batches.hyperbola(batches.SIZES, steps)
            fitted = fewest * (1 + critical / np.array(batches.SIZES)[:, None])
            results.add(setting, "fewest steps", fewest)
            results.add(setting, "knee", critical)
            results.add(setting, "misfit", np.sqrt(np.mean(np.log(steps / fitted) ** 2, axis=0)))
            for size, race in zip(batches.SIZES, races, strict=True):
                results.add(f"{setting}, batch {size}", "steps", race.steps)
                results.add(f"{setting}, batch {size}", "learning_rate", race.rate)
            if name == "SGD":
                rate = races[-1].rate
                scale = [batches.noise_on_the_way(rate, seed)[target] for seed in range(critical.size)]
                results.add(setting, "noise scale", scale)
                results.add(setting, "knee over noise scale, doublings", np.log2(critical / scale))
    return results
