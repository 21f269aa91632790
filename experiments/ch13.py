"""Chapter 13, the conclusion: the family in numbers, one scoreboard, and five runs whose names are missing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib import landscapes, optimizers
from optim_lib.data import Dataset, breast_cancer, digits
from optim_lib.descent import Run, descend, sweep
from optim_lib.family import family_table
from optim_lib.landscapes import Landscape
from optim_lib.measure import Agreement, compare_with_torch, largest_difference
from optim_lib.networks import MLP
from optim_lib.optimizers import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Lookahead,
    MomentumSGD,
    NesterovMomentum,
    Optimizer,
    RMSprop,
    UncorrectedAdam,
)
from optim_lib.training import train_sweep

Array = NDArray[np.floating]

# The six rules of the scoreboard, by the names that its columns have.
RULES: dict[str, type[Optimizer]] = {
    "SGD": SGD,
    "momentum": MomentumSGD,
    "Nesterov": NesterovMomentum,
    "AdaGrad": AdaGrad,
    "RMSprop": RMSprop,
    "Adam": Adam,
}
RATES = np.geomspace(1e-4, 10, 31)
NOISE = 2.0
# A share of the first loss that is smaller than this is rounding.
FLOOR = 1e-12
TUNING_SEEDS, REPORT_SEEDS = range(5), range(5, 15)
NETWORKS: dict[str, tuple[MLP, Dataset]] = {
    "digits": (MLP((64, 32, 10)), digits()),
    "tumors": (MLP((30, 16, 2)), breast_cancer()),
}


def tuned_runs(landscape: Landscape, start: tuple[float, float], steps: int) -> dict[str, Run]:
    """One run of each rule at the rate, of `RATES`, that ends lowest."""
    runs = {}
    for label, rule in RULES.items():
        best = sweep(rule, landscape, start, steps, learning_rate=RATES).best()["learning_rate"]
        runs[label] = descend(rule(learning_rate=best), landscape, start, steps)
    return runs


def where_each_ended(
    rules: Mapping[str, Callable[..., Any]], landscape: Landscape, rates: ArrayLike, steps: int
) -> str:
    """A sentence: where each rule ends at the best of these rates, the lowest first."""
    ended: list[tuple[float, str]] = []
    for label, rule in rules.items():
        runs = sweep(rule, landscape, steps=steps, progress=False, learning_rate=np.asarray(rates))
        finite = np.where(np.isfinite(runs.losses[:, -1]), runs.losses[:, -1], np.inf)
        best = int(np.argmin(finite))
        words = f"{label} at {finite[best]:.2g} (rate {runs.axes['learning_rate'][best]:.2g})"
        ended.append((float(finite[best]), words if np.isfinite(finite[best]) else f"{label} diverges at every rate"))
    told = [words for _, words in sorted(ended, key=lambda one: one[0])]
    return f"Each at its best rate, the loss after {steps} steps, the lowest first: {'; '.join(told)}."


# ---------------------------------------------------------------------------------------------- kinship


def kinship() -> list[dict[str, object]]:
    """What each rule becomes when what it added is switched off, and how far the two runs then are apart."""
    pairs = [
        ("momentum, β = 0", MomentumSGD(0.05, momentum=0.0), "SGD", SGD(0.05)),
        ("Nesterov, β = 0", NesterovMomentum(0.05, momentum=0.0), "SGD", SGD(0.05)),
        ("uncorrected Adam, β₁ = 0", UncorrectedAdam(0.05, 0.0, 0.9), "RMSprop", RMSprop(0.05, decay=0.9)),
        ("Adam, β₁ = β₂ = 0", Adam(0.05, 0.0, 0.0), "uncorrected Adam, β = 0", UncorrectedAdam(0.05, 0.0, 0.0)),
        ("AdamW, λ = 0", AdamW(0.05, weight_decay=0.0), "Adam", Adam(0.05)),
        ("Lookahead, all the way", Lookahead(Adam(0.05), alpha=1.0), "Adam", Adam(0.05)),
    ]
    rows = []
    for one_name, one, other_name, other in pairs:
        first, second = (_points(optimizer) for optimizer in (one, other))
        rows.append({"with": one_name, "equals": other_name, "apart": _words(largest_difference(first, second))})
    return rows


def _points(optimizer: Optimizer) -> Array:
    return descend(optimizer, landscapes.ravine, (-2.0, 1.0), 100, noise=0.3, seed=13).points


def _words(agreement: Agreement) -> str:
    return repr(agreement).rpartition("difference")[2].strip(" :")


def torch_agreement() -> list[dict[str, object]]:
    """The seven rules of the article that torch has too, at the same settings, over 300 noisy steps in float64."""
    import torch

    pairs = [
        (SGD(0.05), torch.optim.SGD, {"lr": 0.05}),
        (MomentumSGD(0.05, 0.9), torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
        (NesterovMomentum(0.05, 0.9), torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
        (AdaGrad(0.05, epsilon=1e-8), torch.optim.Adagrad, {"lr": 0.05, "eps": 1e-8}),
        (RMSprop(0.05, 0.9), torch.optim.RMSprop, {"lr": 0.05, "alpha": 0.9}),
        (Adam(0.05), torch.optim.Adam, {"lr": 0.05}),
        (AdamW(0.05, weight_decay=0.1), torch.optim.AdamW, {"lr": 0.05, "weight_decay": 0.1}),
    ]
    return [
        {
            "optimizer": type(ours).__name__,
            "in torch": f"{theirs.__name__}({', '.join(f'{key}={value}' for key, value in options.items())})",
            "apart": _words(compare_with_torch(ours, theirs, steps=300, **options)),
        }
        for ours, theirs, options in pairs
    ]


# ---------------------------------------------------------------------------------------------- scoreboard


def scoreboard(steps: int = 120, epochs: int = 3) -> list[dict[str, object]]:
    """Six rules on eight problems, each at the best of `RATES`: one row a problem, the loss that is left.

    On a surface, the share of the first loss that is left, at the worst of its three starts. With noise, the median
    over ten seeds at the rate that five others chose. For a network, the test loss, median over ten seeds, at the
    rate that validation loss chose on five others.
    """
    surfaces = {
        "ravine": landscapes.ravine,
        "angled ravine": landscapes.tilted_ravine,
        "banana": landscapes.rosenbrock,
        "Beale": landscapes.beale,
        "plateau": landscapes.plateau,
    }
    rows = [_row(name, {label: _left(rule, s, steps) for label, rule in RULES.items()}) for name, s in surfaces.items()]
    noisy = {label: _left_with_noise(rule, landscapes.tilted_ravine, steps) for label, rule in RULES.items()}
    rows.append(_row("noisy ravine", noisy))
    for name in NETWORKS:
        losses = network_losses(name, epochs)
        rows.append(_row(name, {label: float(np.median(values)) for label, values in losses.items()}))
    return rows


@cache
def network_losses(name: str, epochs: int = 3) -> dict[str, Array]:
    """The test losses of each rule on one of `NETWORKS`: ten seeds, at the rate that five others chose."""
    return {label: _test_losses(rule, *NETWORKS[name], epochs) for label, rule in RULES.items()}


def _row(problem: str, left: Mapping[str, float]) -> dict[str, object]:
    left = {label: max(share, FLOOR) for label, share in left.items()}
    return {"problem": problem, **left, "lowest": min(left, key=left.__getitem__)}


def _left(rule: type[Optimizer], surface: Landscape, steps: int) -> float:
    shares = []
    for start in surface.starts:
        losses = sweep(rule, surface, start, steps, learning_rate=RATES).losses
        shares.append((losses[:, -1] - surface.lowest) / (losses[:, 0] - surface.lowest))
    return float(np.max(shares, axis=0).min())


def _left_with_noise(rule: type[Optimizer], surface: Landscape, steps: int) -> float:
    def shares(seeds: range) -> Array:
        losses = [sweep(rule, surface, None, steps, noise=NOISE, seed=s, learning_rate=RATES).losses for s in seeds]
        return np.stack([each[:, -1] / each[:, 0] for each in losses])

    best = np.median(shares(TUNING_SEEDS), axis=0).argmin()
    return float(np.median(shares(REPORT_SEEDS)[:, best]))


def _test_losses(rule: type[Optimizer], network: MLP, data: Dataset, epochs: int) -> Array:
    def runs(rates: Array, seeds: range):
        return train_sweep(network, rule, data, epochs=epochs, seeds=seeds, learning_rate=rates, progress=False)

    tuning = np.median(runs(RATES[::2], TUNING_SEEDS).validation_losses[..., -1], axis=-1)
    best = RATES[::2][[np.where(np.isfinite(tuning), tuning, np.inf).argmin()]]
    params = runs(best, REPORT_SEEDS).params
    return network.loss(params, *data.test)[0]


def ranks(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """For each rule of a scoreboard: its best and its worst place over the problems, and where they were."""
    places = {
        row["problem"]: sorted(RULES, key=lambda label, row=row: row[label])  # from the lowest loss
        for row in rows
    }
    found = []
    for label in RULES:
        place = {problem: order.index(label) + 1 for problem, order in places.items()}
        best, worst = min(place, key=place.__getitem__), max(place, key=place.__getitem__)
        found.append({"rule": label, "best place": place[best], "on": best, "worst place": place[worst], "on ": worst})
    return found


# ---------------------------------------------------------------------------------------------- exercise 13.1


def mystery() -> dict[str, Run]:
    """Five runs on the ravine from one start, by letter."""
    optimizers = {
        "A": RMSprop(0.15, decay=0.5),
        "B": MomentumSGD(0.02),
        "C": SGD(0.07),
        "D": Adam(0.2),
        "E": AdaGrad(0.6),
    }
    return {letter: descend(optimizer, landscapes.ravine, (-2.0, 1.0), 40) for letter, optimizer in optimizers.items()}


def step_lengths(runs: Mapping[str, Run]) -> dict[str, Array]:
    """The length of each step of each run."""
    return {label: np.linalg.norm(np.diff(run.points, axis=0), axis=1) for label, run in runs.items()}


# ---------------------------------------------------------------------------------------------- the cheat sheet

# What each rule does in a step, as the chapters write it; its memory and its defaults are read from the class.
_STEP = r"\theta \leftarrow \theta - "
STEPS: dict[str, str] = {
    "SGD": _STEP + r"\eta\, g",
    "MomentumSGD": r"v \leftarrow \beta v + g, \quad " + _STEP + r"\eta\, v",
    "NesterovMomentum": r"v \leftarrow \beta v + g, \quad " + _STEP + r"\eta\,(\beta v + g)",
    "AdaGrad": r"G \leftarrow G + g^2, \quad " + _STEP + r"\eta\, g / (\sqrt G + \epsilon)",
    "RMSprop": r"v \leftarrow \gamma v + (1-\gamma) g^2, \quad " + _STEP + r"\eta\, g / (\sqrt v + \epsilon)",
    "Adam": r"m, v \text{ average } g, g^2; \quad " + _STEP + r"\eta\, \hat m / (\sqrt{\hat v} + \epsilon)",
    "AdamW": r"\theta \leftarrow (1 - \eta\lambda)\,\theta, \text{ and Adam's step}",
    "AMSGrad": r"\text{Adam, with the largest } v \text{ so far}",
    "NAdam": r"\text{Adam, with a look ahead in } \hat m",
    "LARS": r"v \leftarrow \beta v + \eta\,\phi \tfrac{\lVert\theta\rVert}{\lVert g\rVert + \lambda\lVert\theta\rVert}"
    r"(g + \lambda\theta), \quad " + _STEP + "v",
    "LAMB": r"u = \text{Adam's direction} + \lambda\theta, \quad "
    + _STEP
    + r"\eta \tfrac{\lVert\theta\rVert}{\lVert u\rVert}\, u",
    "Lion": r"\theta \leftarrow (1 - \eta\lambda)\,\theta - \eta\,\operatorname{sign}(\beta_1 m + (1-\beta_1)\, g), "
    r"\quad m \leftarrow \beta_2 m + (1-\beta_2)\, g",
    "Muon": r"\text{matrices: momentum} = U \Sigma V^\top, \quad "
    + _STEP
    + r"\eta \sqrt{\max(1, \text{out}/\text{in})}\; U V^\top",
    "Adafactor": r"\text{RMSprop, with } v \text{ from its row and column means}",
    "Shampoo": r"\text{matrices: } L \leftarrow L + g g^\top, \; R \leftarrow R + g^\top g, \quad "
    + _STEP
    + r"\eta\, L^{-1/4} g\, R^{-1/4}",
    "SOAP": r"\text{matrices: AdamW in the eigenvectors of Shampoo's } L \text{ and } R",
    "ScheduleFreeAdamW": r"z \leftarrow z - \eta\, g / (\sqrt{\hat v} + \epsilon), \; "
    r"x \text{ the mean of all } z, \; \theta = (1 - \beta_1) z + \beta_1 x",
    "AdamHyperball": r"\text{matrices: a step of length } \eta \lVert\theta_0\rVert "
    r"\text{ in Adam's direction, back to norm } \lVert\theta_0\rVert",
}
_SYMBOLS = {
    "learning_rate": "η",
    "momentum": "β",
    "decay": "\N{GREEK SMALL LETTER GAMMA}",
    "beta1": "β₁",
    "beta2": "β₂",
    "weight_decay": "λ",
    "trust_coefficient": "φ",
}


def cheat_sheet() -> list[dict[str, object]]:
    """A row for each rule: its step, its defaults, and the bytes that it keeps for a float32 weight."""
    memory = {member.optimizer: member.bytes_per_parameter for member in family_table()}
    rows = []
    for name, step in STEPS.items():
        rule = getattr(optimizers, name)
        defaults = {p.name: p.default for p in inspect.signature(rule).parameters.values() if p.name in _SYMBOLS}
        if rule is optimizers.Muon:  # these are of the Adam that it uses for vectors
            del defaults["beta1"], defaults["beta2"]
        shown = ", ".join(f"{_SYMBOLS[key]} {value:g}".replace(" 0.", " .") for key, value in defaults.items() if value)
        rows.append({"rule": f"`{name}`", "bytes": f"{memory[name]:g}", "one step": f"${step}$", "defaults": shown})
    return rows
