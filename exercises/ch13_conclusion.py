"""Chapter 13, conclusion: read a path, find what a rule ignores, read the settings of a run, write your own rule."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from exercises.authoring import (
    AcceptedAnswer,
    Check,
    Exercise,
    NotAttempted,
    Wrong,
    WrongAnswer,
    close,
    edit,
    entry,
    number,
    outputs,
    raw,
    unchanged_inputs,
)
from exercises.compare import kind_of
from optim_lib import landscapes
from optim_lib.data import Dataset, digits
from optim_lib.descent import Run, descend
from optim_lib.networks import MLP
from optim_lib.optimizers import LARS, SGD, AdaGrad, Adam, Lion, MomentumSGD, RMSprop
from optim_lib.training.runs import train

TITLE = "Conclusion"


# 13.1 Whose path is it? ----------------------------------------------------------------------------

RIGHT_NAMES = {"A": "RMSprop", "B": "MomentumSGD", "C": "SGD", "D": "Adam", "E": "AdaGrad"}
_OTHER_NAMES = {
    "gradientdescent": "sgd",
    "momentum": "momentumsgd",
    "sgdmomentum": "momentumsgd",
    "sgd+momentum": "momentumsgd",
    "sgdwithmomentum": "momentumsgd",
}


def _plain_name(value: Any) -> str:
    """A name as the check compares it: classes, other spellings and other words for one rule are the same."""
    if value is ...:
        raise NotAttempted
    text = value.__name__ if isinstance(value, type) else value
    if not isinstance(text, str):
        raise Wrong(f'Each name is a text such as "SGD"; one of yours is {kind_of(value)}.')
    key = "".join(text.lower().split())
    key = _OTHER_NAMES.get(key, key)
    if key not in {name.lower() for name in RIGHT_NAMES.values()}:
        raise Wrong(f"{text!r} is none of the five: {', '.join(sorted(RIGHT_NAMES.values()))}.")
    return key


def _named(names: Any, *letters: str) -> None:
    given = {letter: _plain_name(entry(names, letter, "`names`")) for letter in letters}
    wrong = [letter for letter in letters if given[letter] != RIGHT_NAMES[letter].lower()]
    if wrong:
        raise Wrong(f"{' and '.join(wrong)}: not the right name yet.")


NAMES = """
names = {
    "A": "RMSprop",
    "B": "MomentumSGD",
    "C": "SGD",
    "D": "Adam",
    "E": "AdaGrad",
}
"""

whose_path = Exercise(
    id="13.1",
    title="Whose path is it?",
    answer="names",
    prompt="""
        Five runs on the same ravine, from the same start, are drawn above: their paths, and the length of
        each of their steps. The names are missing. Give each letter its optimizer, one of `SGD`,
        `MomentumSGD`, `AdaGrad`, `RMSprop` and `Adam`. Every name occurs once.
    """,
    starter="""
        names = {
            "A": ...,
            "B": ...,
            "C": ...,
            "D": ...,
            "E": ...,
        }
    """,
    checks=[
        Check(
            "the two that step by the size of the gradient",
            2,
            lambda names: _named(names, "B", "C"),
            "These two start along the steep axis, where the gradient is long. Which of them carries speed through "
            "the floor?",
        ),
        Check(
            "the three that rescale each coordinate",
            3,
            lambda names: _named(names, "A", "D", "E"),
            "These three set off at 45 degrees, since both coordinates step alike. Compare how the lengths of their "
            "steps go on.",
        ),
    ],
    hints=[
        "Sort by the first step: does it go down the steep wall, or diagonally, as a step by signs would?",
        "Of the diagonal three, one has steps that only get shorter (it never forgets), one ends with steps of a "
        "steady length (it has no momentum to calm it), one speeds up and swings past.",
        "The steep pair: SGD's steps flip from wall to wall and shrink; momentum's sweep along the ravine and back.",
    ],
    solution=NAMES,
    explanation=(
        "A rule leaves its signature: the direction of the first step says whether coordinates are rescaled, "
        "overshooting says that there is memory of direction, and the length of late steps says what becomes of "
        "the memory of sizes."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(NAMES, ('"B": "MomentumSGD"', '"B": "SGD"'), ('"C": "SGD"', '"C": "MomentumSGD"')),
            "SGD and momentum are exchanged: SGD's steps turn back at each wall, momentum's path sweeps past the "
            "minimum and returns.",
            points=3,
        ),
        WrongAnswer(
            edit(NAMES, ('"A": "RMSprop"', '"A": "AdaGrad"'), ('"E": "AdaGrad"', '"E": "RMSprop"')),
            "AdaGrad and RMSprop are exchanged. Both go diagonally at first; AdaGrad never forgets, so its steps "
            "only shrink, while RMSprop's keep a steady length and rattle at the end.",
            points=2,
        ),
        WrongAnswer(
            edit(NAMES, ('"A": "RMSprop"', '"A": "Adam"'), ('"D": "Adam"', '"D": "RMSprop"')),
            "Adam and RMSprop are exchanged: it is Adam that has a memory of direction, so it is Adam that overshoots "
            "in a curve, and RMSprop that jumps back and forth across the floor.",
            points=2,
        ),
        WrongAnswer(
            edit(NAMES, ('"B": "MomentumSGD"', '"B": "Adam"'), ('"D": "Adam"', '"D": "MomentumSGD"')),
            "Adam and momentum are exchanged. Both overshoot; but only momentum starts down the steep wall, because "
            "only its step is longer where the gradient is.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(NAMES, ('"MomentumSGD"', '"momentum"'), ('"SGD"', '"gradient descent"'), ('"Adam"', '"adam"'))
        ),
        AcceptedAnswer(
            """
            from optim_lib.optimizers import SGD, AdaGrad, Adam, MomentumSGD, RMSprop
            names = dict(zip("ABCDE", [RMSprop, MomentumSGD, SGD, Adam, AdaGrad]))
            """
        ),
    ],
)


# 13.2 What it does not care about ------------------------------------------------------------------


_RULES: dict[str, Callable[[], Any]] = {
    "SGD": lambda: SGD(1e-4),
    "MomentumSGD": lambda: MomentumSGD(0.02),
    "AdaGrad": lambda: AdaGrad(0.002),
    "RMSprop": lambda: RMSprop(0.05),
    "Adam": lambda: Adam(0.1),
    "Lion": lambda: Lion(0.05),
    "LARS": lambda: LARS(0.1, weight_decay=0.0, trust_coefficient=1.0),
}
# Whether a run stays the same when the loss is multiplied, and when everything is turned.
_SAME = {
    "SGD": (False, True),
    "MomentumSGD": (False, True),
    "AdaGrad": (True, False),
    "RMSprop": (True, False),
    "Adam": (True, False),
    "Lion": (True, False),
    "LARS": (True, True),
}


def _invariances(invariances: Callable, *rules: str) -> None:
    curvature = np.array([[3.0, 1.0], [1.0, 2.0]])
    given = {}
    for name in rules:
        found = invariances(_RULES[name], lambda x: curvature @ x, np.array([2.0, -1.0]))
        given[name] = outputs(found, "same_when_scaled", "same_when_turned")
    for name in rules:
        for said in given[name]:
            if not isinstance(said, bool | np.bool_):
                raise Wrong(f"The two answers should be True or False; one is {kind_of(said)}.")
        # Both are named, whichever is wrong: of a comparison to the last bit, that hangs on the processor.
        if tuple(map(bool, given[name])) != _SAME[name]:
            scaled, turned = ("stays the same" if same else "changes" for same in _SAME[name])
            raise Wrong(
                f"A run of {name} {scaled} when the loss is multiplied, and {turned} when it is turned; "
                "yours says otherwise."
            )


INVARIANCES = """
def invariances(make, gradient, start):
    \"\"\"Whether a run stays the same when the loss is scaled, and when all is turned.\"\"\"
    def run(gradient, start):
        optimizer, params = make(), {"x": start.copy()}
        for _ in range(20):
            optimizer.update(params, {"x": gradient(params["x"])})
        return params["x"]

    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    plain = run(gradient, start)
    scaled = run(lambda x: 100 * gradient(x), start)
    turned = run(lambda x: turn @ gradient(turn.T @ x), turn @ start)
    same_when_scaled = bool(np.allclose(scaled, plain, rtol=1e-6))
    same_when_turned = bool(np.allclose(turned, turn @ plain, rtol=1e-6))
    return same_when_scaled, same_when_turned
"""

_NOT_ALL_TURNED = (
    "Not everything is turned, so nothing seems to turn along. Three things have to be: the start, `turn @ start`; the "
    "gradient, by the chain rule `turn @ gradient(turn.T @ x)`; and the end of the plain run, before you compare."
)

INVARIANCES_STARTER = """
def invariances(make, gradient, start):
    \"\"\"Whether a run stays the same when the loss is scaled, and when all is turned.\"\"\"
    def run(gradient, start):
        optimizer, params = make(), {"x": start.copy()}
        for _ in range(20):
            optimizer.update(params, {"x": gradient(params["x"])})
        return params["x"]

    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    plain = run(gradient, start)
    same_when_scaled = ...
    same_when_turned = ...
    return same_when_scaled, same_when_turned
"""

what_it_ignores = Exercise(
    id="13.2",
    title="What it does not care about",
    answer="invariances",
    prompt="""
        A rule is known by what it ignores. Complete `invariances(make, gradient, start)`, which tests an
        unknown optimizer: `make()` gives a fresh one, `gradient(x)` is the gradient of a loss $L(x)$ over the
        plane. Return two booleans. The first: does a run end where it ended (to about a millionth of its size, since
        rounding makes the last digits differ) when the loss is multiplied by 100? The second: when the whole problem
        is turned by the matrix $R$ of the starter, does the run only turn along? Turned, the loss is $L(R^\\top x)$,
        and its gradient $R\\, \\nabla L(R^\\top x)$; the start turns too.
    """,
    starter=INVARIANCES_STARTER,
    checks=[
        Check(
            "SGD and momentum",
            1,
            lambda f: _invariances(f, "SGD", "MomentumSGD"),
            "Both step along sums of gradients: what does a factor of 100, or a turn, do to a sum?",
        ),
        Check(
            "AdaGrad, RMSprop, Adam",
            2,
            lambda f: _invariances(f, "AdaGrad", "RMSprop", "Adam"),
            "Each divides a coordinate by its own size. Sizes cancel; what about coordinates?",
        ),
        Check(
            "two rules that you were not told of",
            2,
            lambda f: _invariances(f, "Lion", "LARS"),
            "Compare the turned run with the plain run *after turning it*, and make a fresh optimizer for each.",
        ),
    ],
    hints=[
        "Run the same optimizer, fresh each time, on a changed problem, and compare where it ends.",
        "Scaled: `run(lambda x: 100 * gradient(x), start)` against `plain`. Turned: the start must be turned as well, "
        "and the end compared with `turn @ plain`.",
        "`turned = run(lambda x: turn @ gradient(turn.T @ x), turn @ start)`, and "
        "`bool(np.allclose(turned, turn @ plain, rtol=1e-6))`.",
    ],
    solution=INVARIANCES,
    explanation=(
        "SGD and momentum turn along but depend on the loss's scale; the rules that divide coordinate by coordinate, "
        "and Lion, which takes signs, are the other way round. LARS divides by a norm, which neither a factor nor a "
        "turn changes the meaning of, so it ignores both."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(
                INVARIANCES,
                ("np.allclose(scaled, plain, rtol=1e-6)", "np.array_equal(scaled, plain)"),
                ("np.allclose(turned, turn @ plain, rtol=1e-6)", "np.array_equal(turned, turn @ plain)"),
            ),
            "The ends are compared to the last bit, and rounding alone makes them differ there: two are the same "
            "when they differ by no more than a millionth, as `np.allclose` says with `rtol=1e-6`.",
            evident=True,
        ),
        WrongAnswer(
            edit(INVARIANCES, ("[[0.8, -0.6], [0.6, 0.8]]", "[[0.0, -1.0], [1.0, 0.0]]")),
            "yours says otherwise",
            points=1,
            diagnose=False,
        ),
        WrongAnswer(
            edit(INVARIANCES, ("gradient(turn.T @ x), turn @ start)", "gradient(turn.T @ x), start)")),
            _NOT_ALL_TURNED,
            points=2,
        ),
        WrongAnswer(
            edit(
                INVARIANCES, ("np.allclose(turned, turn @ plain, rtol=1e-6)", "np.allclose(turned, plain, rtol=1e-6)")
            ),
            "Three things have to be",
            points=2,
            diagnose=False,
        ),
        WrongAnswer(
            edit(INVARIANCES, ("turn @ gradient(turn.T @ x)", "gradient(turn.T @ x)")),
            "Three things have to be",
            points=2,
            diagnose=False,
        ),
        WrongAnswer(
            edit(
                INVARIANCES,
                ("optimizer, params = make(), {", "params = {"),
                ("    def run(", "    optimizer = make()\n    def run("),
            ),
            "All runs share one optimizer, so the second begins with the memory of the first: make one for each run.",
        ),
        WrongAnswer(
            edit(INVARIANCES, ("100 * gradient(x), start)", "100 * gradient(x), 100 * start)")),
            "The start is multiplied too. Only the loss changes its scale; the place stays.",
        ),
    ],
)


# 13.3 Read the settings from a run -----------------------------------------------------------------


def _recorded_run(optimizer: Any, seed: int, steps: int = 8, size: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """The points before each step and after the last, and the gradient at each: a noisy quadratic."""
    rng = np.random.default_rng(seed)
    curvature, params = rng.uniform(0.2, 1.5, size), {"theta": rng.normal(size=size)}
    points, grads = [params["theta"].copy()], []
    for _ in range(steps):
        grads.append(curvature * params["theta"] + 0.3 * rng.normal(size=size))
        optimizer.update(params, {"theta": grads[-1]})
        points.append(params["theta"].copy())
    return np.array(points), np.array(grads)


def _settings(settings_of: Callable, *cases: tuple[float, float, int]) -> None:
    runs = [_recorded_run(MomentumSGD(rate, momentum), seed) for rate, momentum, seed in cases]
    given = [outputs(settings_of(points, grads), "learning_rate", "momentum") for points, grads in runs]
    for (rate, momentum, _), (found_rate, found_momentum) in zip(cases, given, strict=True):
        close(found_rate, rate, f"the learning rate of a run with momentum {momentum:g}", rtol=1e-6)
        if momentum:
            close(found_momentum, momentum, f"the momentum of a run with learning rate {rate:g}", rtol=1e-6)
        elif not abs(float(found_momentum)) < 1e-6:
            raise Wrong(f"The momentum of a run without any is {number(found_momentum)}; 0 is expected.")


def without_momentum(settings_of):
    _settings(settings_of, (0.1, 0.0, 131), (0.03, 0.0, 132))


def with_momentum(settings_of):
    _settings(settings_of, (0.1, 0.9, 133), (0.05, 0.5, 134), (0.02, 0.99, 135))


SETTINGS_OF = """
def settings_of(points, grads):
    \"\"\"The learning rate and the momentum of a recorded run of MomentumSGD.\"\"\"
    steps = points[1:] - points[:-1]
    before, now, grad = steps[:-1].ravel(), steps[1:].ravel(), grads[1:].ravel()
    columns = np.stack([before, -grad], axis=1)
    momentum, learning_rate = np.linalg.lstsq(columns, now, rcond=None)[0]
    return learning_rate, momentum
"""

read_settings = Exercise(
    id="13.3",
    title="Read the settings from a run",
    answer="settings_of",
    prompt="""
        A colleague has lost the settings of a run, but kept its log. Write `settings_of(points, grads)`:
        row $t$ of `points` is $\\theta$ before step $t$ (and the last row after the last step), row $t$ of
        `grads` is the gradient used in step $t$. The run was momentum with a constant rate,
        $v_t = \\beta v_{t-1} + g_t$ and $\\theta_{t+1} = \\theta_t - \\eta v_t$. Return $\\eta$ and $\\beta$,
        in this order. For a run of plain SGD you should find $\\beta = 0$.
    """,
    starter="""
        def settings_of(points, grads):
            \"\"\"The learning rate and the momentum of a recorded run of MomentumSGD.\"\"\"
            steps = points[1:] - points[:-1]
            learning_rate = ...
            momentum = ...
            return learning_rate, momentum
    """,
    checks=[
        Check(
            "runs of plain SGD",
            1,
            without_momentum,
            "Without momentum every step is the gradient times minus the rate.",
        ),
        Check(
            "runs with momentum",
            3,
            with_momentum,
            "Write one step in terms of the step before it: the velocity drops out.",
        ),
    ],
    hints=[
        "A step is minus the rate times the velocity. Put the rule of the velocity in: how does a step follow from "
        "the step before and the gradient?",
        "`step_t = momentum * step_{t-1} - learning_rate * grad_t`: for each coordinate and each t one linear "
        "equation in the two unknowns.",
        "Stack `steps[:-1].ravel()` and `-grads[1:].ravel()` as two columns, and solve for `steps[1:].ravel()` with "
        "`np.linalg.lstsq`.",
    ],
    solution=SETTINGS_OF,
    explanation=(
        "Eliminating the velocity gives step t as beta times the step before minus eta times the gradient, which is "
        "linear in both unknowns. The same trick shows that a logged run contains its optimizer."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(SETTINGS_OF, ("grads[1:].ravel()", "grads[:-1].ravel()")),
            "The gradients are one step late: the step from row t to row t + 1 uses row t of `grads`, so `steps[1:]` "
            "goes with `grads[1:]`.",
            points=0,
        ),
        WrongAnswer(
            edit(SETTINGS_OF, ("-grad]", "grad]")),
            "The learning rate comes out negative: a step goes *against* the gradient.",
            points=0,
        ),
        WrongAnswer(
            edit(SETTINGS_OF, ("return learning_rate, momentum", "return momentum, learning_rate")),
            "The two are returned in the other order: first the learning rate, then the momentum.",
            points=0,
        ),
        WrongAnswer(
            edit(
                SETTINGS_OF,
                ("np.linalg.lstsq(columns, now, rcond=None)[0]", "0.0, -(now @ grad) / (grad @ grad)"),
            ),
            "This fits the rate of plain SGD, with no momentum: it is right only where there is none. The step before "
            "belongs into the fit.",
            points=1,
        ),
        WrongAnswer(
            edit(SETTINGS_OF, ("return learning_rate, momentum", "return learning_rate / (1 - momentum), momentum")),
            "The rate is that of a velocity which averages, `v = beta * v + (1 - beta) * g`. This exercise asks for "
            "the rate of the decayed sum, `v = beta * v + g`, as the chapter on momentum has it.",
            points=1,
            convention=True,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def settings_of(points, grads):
                steps = np.diff(points, axis=0)
                eta = -(steps[0] @ grads[0]) / (grads[0] @ grads[0])
                rest = steps[1] + eta * grads[1]
                return eta, (rest @ steps[0]) / (steps[0] @ steps[0])
            """
        ),
    ],
)


# 13.4 Your own optimizer ---------------------------------------------------------------------------

RATES = np.geomspace(1e-4, 10, 11)
BOWL = landscapes.quadratic((1.0, 4.0), 0.4, name="a bowl")
RAVINE = landscapes.quadratic((1.0, 100.0), np.pi / 5, name="a ravine at an angle")
BOWL_STARTS = ((-1.7, 1.2), (1.1, 1.6))
RAVINE_STARTS = ((-1.9, -0.7), (1.2, 1.8))
BANANA_STARTS = landscapes.rosenbrock.starts[:2]
NETWORK, EPOCHS = MLP((64, 24, 10)), 2


@cache
def examples() -> Dataset:
    return digits(seed=13)


class _Plain:
    """A student's optimizer without the guard, for the thousands of steps of a tuned run."""

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = raw(optimizer)

    def update(self, params: dict, grads: dict) -> dict:
        result = self._optimizer.update(params, {name: grad.copy() for name, grad in grads.items()})
        if result is ...:
            raise NotAttempted
        if not isinstance(result, dict) or set(result) != set(params):
            raise Wrong(f"`update` returned {kind_of(result)}: it should return the dictionary of parameters.")
        return result


def _make(answer: Any, rate: float) -> _Plain:
    return _Plain(answer(learning_rate=float(rate)))


def _at_each_rate(answer: Any, landscape: landscapes.Landscape, starts: tuple, steps: int) -> tuple[list, list]:
    """For each of the rates, the part of the first loss that is left (at the worse start), and a run."""
    shares, shown = [], []
    for rate in RATES:
        runs = [descend(_make(answer, rate), landscape, start, steps) for start in starts]
        shares.append(max(float(run.losses[-1] / run.losses[0]) for run in runs))
        shown.append(runs[0])
    return shares, shown


def _why(shares: list[float], run: Run) -> str:
    """What the best run of an optimizer that missed a target looks like, in a sentence."""
    best = int(np.argmin(shares))
    if not np.ptp(run.points, axis=0).any():
        return "It does not move at all."
    if shares[best] >= 1:
        return "No rate brings the loss down at all: does the step go uphill?"
    steps = np.diff(run.points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    late = lengths[-10:]
    if late.min() > 0.3 * lengths[:10].mean():
        return (
            "The last steps are as long as the first, so it jumps back and forth over the minimum: a step must shrink "
            "as the gradient does, or with time."
        )
    turns = np.sum(steps[1:] * steps[:-1], axis=1)[: len(steps) // 2]
    if np.mean(turns < 0) > 0.6:
        return (
            "Most of its steps turn back on the step before: it zigzags between the walls. A memory of past gradients "
            "cancels what flips its sign."
        )
    if late.max() < 1e-9 * max(lengths.max(), 1e-300):
        return "Its steps have died out before it arrived: something divides by a sum that only grows."
    if best in (0, len(RATES) - 1):
        return f"Its best rate, {RATES[best]:.2g}, is at the end of the list: what unit is your step in?"
    if not shares[best + 1] < 1:
        return (
            f"At this rate it is too slow along the floor, and at the next, {RATES[best + 1]:.2g}, the steep walls "
            "throw it out: no single rate suits both. A memory of past gradients builds up speed along the floor only."
        )
    return "It is on its way, but too slow."


def _descends(answer: Any, landscape: landscapes.Landscape, starts: tuple, steps: int, target: float) -> str:
    shares, runs = _at_each_rate(answer, landscape, starts, steps)
    best = int(np.argmin(shares))
    told = (
        f"At the best of {len(RATES)} rates, {RATES[best]:.2g}, {_share(shares[best])} of the first loss is left "
        f"after {steps} steps"
    )
    if not shares[best] <= target:
        raise Wrong(f"{told}; at most {target:g} is asked. {_why(shares, runs[best])}")
    others = ", ".join(
        f"{name} {_share(_baseline_left(name, landscape.name, starts, steps))}" for name in ("SGD", "Adam")
    )
    return f"{told} (tuned alike: {others})."


def _share(left: float) -> str:
    return f"{left:.0e}" if np.isfinite(left) else "all"


_SURFACES = {surface.name: surface for surface in (BOWL, RAVINE, landscapes.rosenbrock)}
_BASELINES = {"SGD": SGD, "momentum": MomentumSGD, "Adam": Adam}


@cache
def _baseline_left(name: str, surface: str, starts: tuple, steps: int) -> float:
    return min(_at_each_rate(_BASELINES[name], _SURFACES[surface], starts, steps)[0])


def _network_loss(answer: Any) -> tuple[float, float]:
    """The test loss, mean of three seeds, at the rate with the lowest validation loss on a fourth; and that rate."""

    def history(rate: float, seed: int) -> Any:
        return train(NETWORK, _make(answer, rate), examples(), epochs=EPOCHS, seed=seed, progress=False)

    validation = [history(rate, 0).validation_losses[-1] for rate in RATES]
    best = float(RATES[int(np.argmin(np.where(np.isfinite(validation), validation, np.inf)))])
    finals = [history(best, seed) for seed in (1, 2, 3)]
    losses = [np.inf if run.diverged_at is not None else NETWORK.loss(run.params, *examples().test) for run in finals]
    return float(np.mean(losses)), best


@cache
def _baseline_loss(name: str) -> float:
    return _network_loss(_BASELINES[name])[0]


def an_idea(answer):
    """Whether on the ravine or the banana a tenth of what the best of the baselines leaves is left."""
    told = []
    for landscape, starts, steps in ((RAVINE, RAVINE_STARTS, 100), (landscapes.rosenbrock, BANANA_STARTS, 400)):
        left = min(_at_each_rate(answer, landscape, starts, steps)[0])
        best = min(_baseline_left(name, landscape.name, starts, steps) for name in _BASELINES)
        if left <= best / 10:
            return f"On {landscape.name} less than a tenth of what the best of the three leaves ({_share(best)})."
        told.append(f"{_share(left)} on {landscape.name} (the best of the three: {_share(best)})")
    raise Wrong(
        f"What is left of the first loss is {' and '.join(told)}. Momentum and Adam as they are do not beat "
        "themselves: a tenth of the best is asked, on one of the two."
    )


def in_place(answer):
    """One update on two arrays: the same dictionary, the same arrays, other values; twice, and gradients left alone."""
    rng = np.random.default_rng(136)
    optimizer = answer(learning_rate=0.01)
    params = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=5)}
    arrays, before = dict(params), {name: array.copy() for name, array in params.items()}
    for _ in range(2):
        returned = optimizer.update(params, {name: rng.normal(size=array.shape) for name, array in params.items()})
    if not isinstance(returned, dict) or set(returned) != set(arrays):
        raise Wrong(f"`update` returned {kind_of(returned)}: it should return the dictionary of parameters.")
    replaced = [name for name, array in arrays.items() if returned[name] is not array]
    if replaced:
        raise Wrong(
            f"`update` puts a new array in place of {replaced[0]!r}, so whoever holds the old one does not see the "
            "step: write `params[name] -= step`."
        )
    still = [name for name in arrays if np.array_equal(arrays[name], before[name])]
    if still:
        raise Wrong(f"Two updates leave {still[0]!r} as it was.")
    for name, array in arrays.items():
        close(np.isfinite(array).all(), True, f"whether {name!r} is finite after two updates")
    unchanged_inputs(optimizer.update)


def on_the_bowl(answer):
    return _descends(answer, BOWL, BOWL_STARTS, 100, 5e-3)


def in_the_ravine(answer):
    return _descends(answer, RAVINE, RAVINE_STARTS, 100, 5e-3)


def on_the_banana(answer):
    return _descends(answer, landscapes.rosenbrock, BANANA_STARTS, 400, 0.02)


def network_learns(answer):
    loss, rate = _network_loss(answer)
    sgd = _baseline_loss("SGD")
    told = f"Its test loss is {loss:.2f} at the best rate, {rate:.2g}; that of tuned SGD is {sgd:.2f}."
    if not loss <= 1.5 * sgd:
        raise Wrong(f"{told} At most 1.5 times that is asked.")
    return told


def network_is_level(answer):
    loss, _ = _network_loss(answer)
    best = min(_baseline_loss(name) for name in _BASELINES)
    baselines = ", ".join(f"{name} {_baseline_loss(name):.2f}" for name in _BASELINES)
    told = f"Test loss {loss:.2f}; tuned alike: {baselines}."
    if not loss <= 1.25 * best:
        raise Wrong(f"{told} To be level it may be a quarter above the best of these.")
    return told


MY_OPTIMIZER = """
class MyOptimizer:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity = {}

    def update(self, params, grads):
        for name in params:
            grad = grads[name]
            velocity = self.velocity.setdefault(name, np.zeros_like(grad))
            if np.sum(velocity * grad) < 0:
                velocity[...] = 0
            velocity *= self.momentum
            velocity += grad
            params[name] -= self.learning_rate * (grad + self.momentum * velocity)
        return params
"""

MY_MOMENTUM = """
class MyOptimizer:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum, self.velocity = learning_rate, momentum, {}

    def update(self, params, grads):
        for name in params:
            velocity = self.velocity.setdefault(name, np.zeros_like(params[name]))
            velocity *= self.momentum
            velocity += grads[name]
            params[name] -= self.learning_rate * velocity
        return params
"""

MY_SGD = """
class MyOptimizer:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        for name in params:
            params[name] -= self.learning_rate * grads[name]
        return params
"""

MY_STARTER = """
class MyOptimizer:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        return ...
"""

own_optimizer = Exercise(
    id="13.4",
    title="Your own optimizer",
    answer="MyOptimizer",
    prompt="""
        Write an optimizer of your own: a class whose constructor takes `learning_rate` (other settings may
        have defaults), with `update(params, grads)`, which changes the arrays of `params` in place and
        returns the dictionary. Take anything from this course, or something that is not in it. On each
        task your optimizer is given eleven learning rates, from 0.0001 to 10, and judged at the best of
        them, just as the baselines SGD, momentum and Adam are. Of the first loss at most 0.005 may be left on a bowl
        and on a narrow ravine at an angle, after 100 steps each, and 0.02 on Rosenbrock's banana after 400. On a
        network and data that you have not seen the rate is chosen on validation and the loss reported on test
        examples, for three fresh seeds: it may be half as high again as that of SGD, and for the next points a
        quarter above the best of the three. The last four points want an idea: on the ravine or on the banana a
        tenth of what the best of the three leaves.
    """,
    starter=MY_STARTER,
    checks=[
        Check(
            "two updates, in place",
            2,
            in_place,
            "`params` may hold several arrays of different shapes; keep what you remember by name.",
        ),
        Check("a bowl, in 100 steps", 2, on_the_bowl, "SGD is enough here."),
        Check(
            "a ravine a hundred times steeper than long, in 100 steps",
            2,
            in_the_ravine,
            "Which chapter ended the zigzag? Rescaling the coordinates helps less in a ravine at an angle.",
        ),
        Check(
            "Rosenbrock's banana, in 400 steps",
            2,
            on_the_banana,
            "A curved valley: momentum follows it, a good scale finds it.",
        ),
        Check(
            "a network: it learns",
            1,
            network_learns,
            "Mini-batches are noisy: does one large gradient do lasting harm to your step?",
        ),
        Check(
            "a network: level with tuned baselines",
            2,
            network_is_level,
            "SGD, momentum and Adam got the same eleven rates.",
        ),
        Check(
            "an idea: ten times better than the best of three, on the ravine or the banana",
            4,
            an_idea,
            "What does momentum do wrong when it overshoots? What could it look at, to notice?",
        ),
    ],
    hints=[
        "Start from what you know: the rule of any chapter, written with plain dictionaries for its state, is a valid "
        "answer. Then change one thing and see.",
        "A memory of the direction (`velocity[name]`) gets through the ravine and around the banana's bend; keep it "
        "in a dict, made of zeros when a name is first seen.",
        "Momentum gets all but the last four points. For those, look where it loses its time: it sweeps past the "
        "minimum and has to come back. Chapter 5 measures the gradient ahead; and a rule can notice "
        "that its velocity points uphill.",
    ],
    solution=MY_OPTIMIZER,
    explanation=(
        "This one is Nesterov's momentum, which forgets its velocity as soon as that points uphill: the gradient "
        "restart of O'Donoghue and Candes (2015), here for each parameter by itself. Any sound rule gets most of the "
        "points: the checks ask for a step that remembers, and that shrinks; the last asks for an idea."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(MY_MOMENTUM, "Momentum and Adam as they are do not beat themselves", points=11, diagnose=False),
        WrongAnswer(
            """
            from optim_lib.optimizers import Adam

            class MyOptimizer(Adam):
                def __init__(self, learning_rate=0.01):
                    super().__init__(learning_rate=learning_rate)
            """,
            "This is the library's own `Adam`",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            """
            from optim_lib.optimizers import NesterovMomentum

            class MyOptimizer:
                def __init__(self, learning_rate=0.01):
                    self.inner = NesterovMomentum(learning_rate)

                def update(self, params, grads):
                    return self.inner.update(params, grads)
            """,
            "Your answer calls the library's `NesterovMomentum`",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(MY_SGD, "the steep walls throw it out: no single rate suits both", points=7, diagnose=False),
        WrongAnswer(
            edit(MY_MOMENTUM, ("params[name] -= self", "params[name] += self")),
            "No rate brings the loss down at all: does the step go uphill?",
            points=2,
            diagnose=False,
        ),
        WrongAnswer(
            edit(
                MY_MOMENTUM,
                (
                    "params[name] -= self.learning_rate * velocity",
                    "params[name] = params[name] - self.learning_rate * velocity",
                ),
            ),
            "puts a new array in place of 'W'",
            points=9,
            diagnose=False,
        ),
        WrongAnswer(
            edit(
                MY_MOMENTUM,
                ("self.velocity.setdefault(name, np.zeros_like(params[name]))", "self.velocity"),
                ("momentum, {}", "momentum, np.zeros(2)"),
            ),
            "could not be broadcast together",
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_SGD, ("* grads[name]", "* np.sign(grads[name])")),
            "The last steps are as long as the first, so it jumps back and forth over the minimum",
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_MOMENTUM, ("        return params", "        self.velocity = dict(self.velocity)")),
            "returned None: is a `return` missing?",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(
                MY_MOMENTUM, ("velocity += grads[name]", "grads[name] += 1e-4 * params[name]; velocity += grads[name]")
            ),
            "changes its argument `grads` in place",
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_MOMENTUM, ("learning_rate=0.01, momentum=0.9", "rate=0.01, momentum=0.9")).replace(
                "= learning_rate, momentum", "= rate, momentum"
            ),
            "`MyOptimizer` is called with 1 argument (learning_rate=",
            points=0,
            diagnose=False,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(MY_OPTIMIZER, ("            if np.sum(velocity * grad) < 0:\n                velocity[...] = 0\n", ""))
        ),
    ],
)

EXERCISES = [whose_path, what_it_ignores, read_settings, own_optimizer]
