"""Chapter 7, RMSprop: what is forgotten and how soon, a target that moves, and recurrent and control tasks.

``python -m experiments.ch07`` recomputes what takes minutes: `between_adam_and_rmsprop`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.claims.results import Results
from optim_lib import plotting, tasks
from optim_lib.explorer import Bars
from optim_lib.explorer.table import Table
from optim_lib.landscapes import ravine
from optim_lib.optimizers import SGD, AdaGrad, Adam, CenteredRMSprop, Optimizer, RMSprop
from optim_lib.optimizers.base import ParameterState
from optim_lib.probes import TARGET, distances, fading_weights, follow
from optim_lib.schedules import cosine_annealing
from optim_lib.training import LogUniform, Search, compare

Array = NDArray[np.floating]
Panels = dict[str, dict[str, Array]]


# ---------------------------------------------------------------------------------------------- forgetting

STEEP_STEPS = 40


def forgetting(steepness: ArrayLike, decays: ArrayLike, steps: int = 400, seed: int = 7) -> Panels:
    """A slope that is steep for 40 steps and then not, through noise: what is remembered, and what that costs.

    Gradients are normal, of standard deviation `steepness` at first and 1 afterwards. Two panels of curves for
    `explore_curves`, from step 10 on, of shape (steepness, decays, steps - 9), 1 where a curve does not depend on an
    axis: the root that AdaGrad and RMSprop divide by (AdaGrad's over the root of the number of steps, so that it is an
    average too), and how many times it is as large as the present standard deviation.
    """
    steepness, decays = np.asarray(steepness, dtype=float), np.asarray(decays, dtype=float)
    sizes = np.where(np.arange(steps) < STEEP_STEPS, steepness[:, None, None], 1.0)
    grads = sizes * np.random.default_rng(seed).standard_normal(steps)
    adagrad, rmsprop = AdaGrad(), RMSprop(decay=decays[:, None])
    shape = (steepness.size, decays.size)
    one, all_decays = {"x": np.zeros((steepness.size, 1))}, {"x": np.zeros((steepness.size, decays.size, 1))}
    roots = {"AdaGrad": np.empty((shape[0], 1, steps)), "RMSprop": np.empty((*shape, steps))}
    for t in range(steps):
        grad = grads[..., t]
        adagrad.update(one, {"x": grad.copy()})
        rmsprop.update(all_decays, {"x": np.repeat(grad[:, None], decays.size, axis=1)})
        roots["AdaGrad"][..., t] = np.sqrt(adagrad.state["x"].accumulated / (t + 1))
        roots["RMSprop"][..., t] = np.sqrt(rmsprop.state["x"].mean_square)[..., 0]
    shown = {name: root[..., 9:] for name, root in roots.items()}
    return {
        "the size of the gradient, as remembered": {"the true size": sizes[..., 9:]} | shown,
        "divisor over true size": {name: root / sizes[..., 9:] for name, root in shown.items()},
    }


def recovered(steepness: Sequence[float], factor: float = 1.1) -> Callable[[Table], Array]:
    """For a quest on `forgetting`: after a start 30 times as steep, RMSprop's divisor is right again at the end."""

    def judge(table: Table) -> Array:
        near = np.abs(np.log(table.ends(*table.named("RMSprop")))) < np.log(factor)
        return near & (np.asarray(steepness) == 30)[None, :, None]

    return judge


def calm(steepness: Sequence[float], factor: float = 1.1) -> Callable[[Table], Array]:
    """The same without a steep start: over the last 100 steps the divisor changes by no more than a factor."""

    def judge(table: Table) -> Array:
        last = table.gaps(*table.named("RMSprop"))[..., -100:]
        return (last.max(axis=-1) < factor * last.min(axis=-1)) & (np.asarray(steepness) == 1)[None, :, None]

    return judge


def steps_to_recover(steepness: Sequence[float], decays: Sequence[float]) -> list[dict[str, object]]:
    """A row for each rule: how long after a steep start until steps are half as long as without one.

    The gradient is 1, but for the first 40 steps, in which it is `steepness`. The run beside it has a gradient of 1
    throughout.
    """
    rules: dict[str, Optimizer] = {"AdaGrad": AdaGrad(learning_rate=1.0)}
    rules |= {f"RMSprop, decay {decay:g}": RMSprop(learning_rate=1.0, decay=decay) for decay in decays}
    rows = []
    for label, rule in rules.items():
        steps = 15 * int(max(steepness)) ** 2 if label == "AdaGrad" else 3000
        grads = np.ones((STEEP_STEPS + steps, len(steepness) + 1))
        grads[:STEEP_STEPS, :-1] = steepness
        moves = np.diff(distances(rule, grads), axis=0)[STEEP_STEPS - 1 :]
        recovered = moves[:, :-1] >= moves[:, -1:] / 2
        rows.append(
            {"rule": label} | {f"{r:g} times": int(n) + 1 for r, n in zip(steepness, recovered.argmax(0), strict=True)}
        )
    return rows


def unit_steps(optimizer: Optimizer, grads: ArrayLike) -> Array:
    """How far an optimizer with a rate of 1 moves against each of a stream of gradients of one parameter."""
    path = distances(optimizer, np.asarray(grads, dtype=float)[:, None])[:, 0]
    return np.diff(path, prepend=0.0)


class LateRMSprop(RMSprop):
    """RMSprop, but each gradient is divided by the average of those before it."""

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        theta -= self.learning_rate * grad / (np.sqrt(state.mean_square) + self.epsilon)
        state.mean_square += (1 - self.decay) * (grad**2 - state.mean_square)


def nine_to_one(rules: Mapping[str, Optimizer], rounds: int = 200) -> list[dict[str, object]]:
    """Nine gradients of 0.1 and one of -0.9, again and again: how far each rule walks in a round once it is settled."""
    stream = np.tile([0.1] * 9 + [-0.9], rounds)
    return [
        {"rule": label, "rates walked in ten steps": unit_steps(rule, stream)[-100:].sum() / 10}
        for label, rule in rules.items()
    ]


def first_steps(decays: Sequence[float], steps: int = 5000) -> list[dict[str, float]]:
    """The first steps of RMSprop on a steady gradient, in units of the rate, and how many are over 1.05 rates long."""
    rows = []
    for decay in decays:
        moves = unit_steps(RMSprop(learning_rate=1.0, decay=decay), np.ones(steps))
        rows.append(
            {"decay": decay, "step 1": moves[0], "step 2": moves[1], "step 10": moves[9], "step 100": moves[99],
             "steps over 1.05 rates": int((moves > 1.05).sum())}
        )  # fmt: skip
    return rows


# ---------------------------------------------------------------------------------------------- a target that moves


def moving_target(rates: ArrayLike, speeds: ArrayLike, decays: ArrayLike, steps: int = 200) -> Panels:
    """Two panels for `explore_curves`, over (rates, speeds, decays, steps): positions, and distances to the target."""
    rates, speeds, decays = (np.asarray(values, dtype=float) for values in (rates, speeds, decays))
    rate, speed = rates[:, None, None], speeds[:, None]
    paths = {
        "SGD": follow(SGD, speed, steps, learning_rate=rate),
        "AdaGrad": follow(AdaGrad, speed, steps, learning_rate=rate),
        "RMSprop": follow(RMSprop, speed, steps, learning_rate=rate, decay=decays),
    }
    target = TARGET + speed[None, ..., None] * np.arange(steps)
    return {
        "position": {"the target": target} | paths,
        "distance": {label: np.abs(path - target) for label, path in paths.items()},
    }


def lags(speed: float, rate: float, steps: int = 4000) -> list[dict[str, object]]:
    """The distance to a target that moves away at a steady speed, after 100, 1000 and all steps."""
    target, rows = TARGET + speed * np.arange(steps), []
    for optimizer in (SGD, AdaGrad, RMSprop):
        distance = np.abs(follow(optimizer, speed, steps, learning_rate=rate) - target)
        # The mean of ten steps: near the target RMSprop jumps from side to side.
        rows.append(
            {"optimizer": optimizer.__name__} | {f"step {t}": distance[t - 10 : t].mean() for t in (100, 1000, steps)}
        )
    return rows


# ---------------------------------------------------------------------------------------------- coming to rest


def coming_to_rest(rate: float = 0.1, steps: int = 300) -> dict[str, Array]:
    """The distance of RMSprop from the minimum of a parabola, with a constant rate and with two that shrink."""
    schedules: dict[str, Callable[[int], float]] = {
        "constant rate": lambda t: rate,
        "rate / √t": lambda t: rate / np.sqrt(t + 1),
        "cosine": lambda t: float(cosine_annealing(rate, t, steps)),
    }
    found = {}
    for label, schedule in schedules.items():
        rule, params, path = RMSprop(learning_rate=rate), {"x": np.ones(1)}, []
        for t in range(steps):
            path.append(abs(float(params["x"][0])))
            rule.learning_rate = schedule(t)
            rule.update(params, {"x": params["x"].copy()})
        found[label] = np.array(path)
    return found


def rates_over_edge(rate: float = 0.05, steps: int = 250) -> dict[str, Array]:
    """RMSprop's effective rate on the two coordinates of the ravine, over 2 / curvature, the largest stable one."""
    curvatures = np.array([1.0, 25.0])
    rule, params, found = RMSprop(learning_rate=rate), {"p": np.array(ravine.starts[0])}, []
    for _ in range(steps):
        rule.update(params, {"p": ravine.gradient(params["p"])})
        found.append(rate / (np.sqrt(rule.state["p"].mean_square) + rule.epsilon) * curvatures / 2)
    return dict(zip(("flat coordinate", "steep coordinate"), np.array(found).T, strict=True))


def steady_slope(decay: float = 0.9, steps: int = 600) -> dict[str, Array]:
    """Step lengths on a gradient of 0.3 that never changes, in units of the rate: RMSprop, centered, and torch's."""
    import torch

    grads = np.full(steps, 0.3)
    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    theirs, path = torch.optim.RMSprop([theta], lr=1.0, alpha=decay, centered=True), [0.0]
    for grad in grads:
        theta.grad = torch.tensor([grad], dtype=torch.float64)
        theirs.step()
        path.append(-theta.item())
    return {
        "RMSprop": unit_steps(RMSprop(1.0, decay), grads),
        "centered": unit_steps(CenteredRMSprop(1.0, decay), grads),
        "torch, centered": np.diff(path),
    }


# ---------------------------------------------------------------------------------------------- what takes minutes

FOLDER = Path(__file__).parent / "results"
NEAR = LogUniform(2e-3, 0.05)
BETWEEN = {
    "Adam": Search(Adam, learning_rate=NEAR),
    "Adam, beta1 = 0.5": Search(Adam, learning_rate=NEAR, beta1=0.5),
    "without momentum (beta1 = 0)": Search(Adam, learning_rate=NEAR, beta1=0.0),
    "and with a window of 100 (beta2 = 0.99)": Search(Adam, learning_rate=NEAR, beta1=0.0, beta2=0.99),
    "and with a window of 10 (beta2 = 0.9)": Search(Adam, learning_rate=NEAR, beta1=0.0, beta2=0.9),
    "RMSprop (no correction either)": Search(RMSprop, learning_rate=NEAR),
    "RMSprop with a window of 100": Search(RMSprop, learning_rate=NEAR, decay=0.99),
}

LONGER = ("Adam", "without momentum (beta1 = 0)", "RMSprop (no correction either)")


def between_adam_and_rmsprop(cache: Path | None = None) -> Results:
    """The recurrent network with the rules that lie between Adam and RMSprop.

    150 steps: seven rates, five seeds. 600 steps: three of the rules, five rates, three seeds.
    """
    results = Results()
    longer = {label: BETWEEN[label] for label in LONGER}
    for rules, steps, trials, seeds in ((BETWEEN, 150, 7, 5), (longer, 600, 5, 3)):
        how = {"tuning_seeds": (100,), "report_seeds": range(seeds), "cache": cache}
        for tuned in compare(rules, tasks.recurrent, trials=trials, budget=steps, **how):
            setting = tuned.label + f", {steps} steps"
            results.add(setting, "test", tuned.results["test_score"], range(seeds))
            results.add(setting, "learning_rate", tuned.setting["learning_rate"])
    return results


def between_table(steps: int, caption: str) -> Any:
    """What `between_adam_and_rmsprop` found the last time, after so many steps."""
    return _table(Results.read("ch07-between", FOLDER), "test", ".2f", caption, f", {steps} steps")


def ledger_table(claim: str, metric: str, how: str, caption: str) -> Any:
    """The results of a claim in the ledger: a row for each setting, without the differences between settings."""
    return _table(Results.read(claim), metric, how, caption)


def _table(results: Results, metric: str, how: str, caption: str, ending: str = "") -> Any:
    rows = []
    for setting, name in results.values:
        if name == metric and " minus " not in setting and setting.endswith(ending):
            values = results.get(setting, metric)
            rate = results.median(setting, "learning_rate")
            spread = f"{np.median(values):{how}} ({values.min():{how}} to {values.max():{how}})"
            rows.append(
                {
                    "setting": setting.removesuffix(ending),
                    "learning rate": f"{rate:.3g}",
                    "median (lowest to highest)": spread,
                }
            )
    seeds = results.seeds(rows[0]["setting"] + ending, metric)
    return plotting.table(rows, caption=caption, notes=[f"Over {seeds} seeds, none of which chose a rate."])


if __name__ == "__main__":
    print(between_adam_and_rmsprop().write("ch07-between", FOLDER))


# ---------------------------------------------------------------------------------------------- memories as bars


def remembered(
    decays: ArrayLike, steps: ArrayLike, oldest: int = 40, newest: int = 10
) -> tuple[Bars, dict[str, Array]]:
    """For `explore_scenes`: each past gradient's share of AdaGrad's sum and of RMSprop's mean, and that of the newest.

    The weights are read off the optimizers' own states, one gradient at a time (`fading_weights`), and divided by their
    sum over the gradients that there have been.
    """
    ages = np.arange(oldest)
    counts = np.asarray(steps)
    alive = ages[None, None] < counts[None, :, None]
    whole = np.broadcast_to(np.ones(int(counts.max())), (1, int(counts.max())))
    fading = np.stack([fading_weights(decay, int(counts.max())) for decay in np.atleast_1d(decays)])
    bars, shares = {}, {}
    for label, weights in (("AdaGrad", whole), ("RMSprop", fading)):
        totals = np.cumsum(weights, axis=-1)
        total = totals[:, counts - 1]
        bars[label] = np.where(alive, weights[:, None, :oldest] / total[..., None], 0)
        shares[label] = np.broadcast_to(totals[:, np.minimum(counts, newest) - 1] / total, total.shape)
    return Bars(bars, ages + 1, xlabel="age of the gradient"), shares
