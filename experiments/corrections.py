"""Where the article slips: what it says, what holds, and the numbers that show it, computed when the page is built.

The short listings in here are the article's own, where they are what is measured; the rules of the course are in
`optim_lib.optimizers`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from IPython.display import Markdown

from experiments.claims.ledger import VERDICTS, load_ledger
from optim_lib import landscapes
from optim_lib.descent import sweep
from optim_lib.optimizers import (
    LAMB,
    LARS,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    MomentumSGD,
    NesterovMomentum,
    UncorrectedAdam,
)
from optim_lib.schedules import warmup_cosine


@dataclass(frozen=True)
class Correction:
    """One place of the article: its section, what it says, what holds, the chapter that shows it, and the evidence.

    `evidence` is a function whose result is a sentence with measured numbers, or a sentence.
    """

    section: int
    says: str
    holds: str
    chapter: str
    evidence: Callable[[], str] | str

    def measured(self) -> str:
        return self.evidence if isinstance(self.evidence, str) else self.evidence()


def one(value: float) -> dict[str, np.ndarray]:
    return {"x": np.array([value])}


# ---------------------------------------------------------------------------------------------- evidence


def scheduling_misnomer() -> str:
    rates = np.array([1.9, 2.0, 2.1])
    bowl = landscapes.quadratic((1.0, 1.0))
    ends = sweep(SGD, bowl, (1.0, 0.0), 50, learning_rate=rates).points[:, -1, 0]
    return (
        f"$L = x^2/2$ from $x = 1$, 50 steps: at 1.9 $x$ is {ends[0]:.3f}, at 2.0 {ends[1]:.3f}, at 2.1 {ends[2]:.0f}"
    )


def saddle_curvatures() -> str:
    low, high = np.linalg.eigvalsh(landscapes.saddle.hessian((0.0, 0.0)))
    return f"the saddle of the course has curvatures {low:.2f} and {high:.2f} where its gradient is zero"


def mean_of_sgd() -> str:
    rng = np.random.default_rng(3)
    means = []
    for rate in (0.5, 0.1):
        x, sums = np.zeros(4000), []
        for step in range(600):
            x -= rate * (np.exp(x) - 1 + rng.standard_normal(4000))
            if step >= 200:
                sums.append(x.mean())
        means.append(np.mean(sums))
    return (
        f"$e^x - x$ with unit noise, minimum at 0, 4000 runs: the mean of $x$ settles at {means[0]:.2f} for the rate "
        f"0.5 and at {means[1]:.2f} for 0.1"
    )


def other_well() -> str:
    rng = np.random.default_rng(4)
    slope, x, exact = landscapes.double_well.slope, np.full(4000, 1.6), 1.6
    for _ in range(4000):
        x -= 0.05 * (slope(x, 0.0)[0] + 3.0 * rng.standard_normal(4000))
        exact -= 0.05 * slope(exact, 0.0)[0]
    return (
        f"two wells, start at 1.6: gradient descent ends at {exact:.2f}; with noise of standard deviation 3, "
        f"{100 * np.mean(x < 0):.0f} % of 4000 runs end in the other well"
    )


def velocity_of_steady_gradient() -> str:
    optimizer, params = MomentumSGD(0.1, momentum=0.9), one(0.0)
    for _ in range(300):
        optimizer.update(params, one(1.0))
    return (
        f"a gradient of 1 at every step: the velocity goes to {optimizer.state['x'].velocity[0]:.2f}, an average to 1"
    )


def nesterov_listing() -> str:
    """The article's listing against its own equation, on one quadratic."""
    rate, beta, curvature = 0.02, 0.9, np.array([1.0, 50.0])
    theta, v = np.array([1.0, 1.0]), np.zeros(2)
    listed, u = theta.copy(), np.zeros(2)
    apart = ahead = 0.0
    for _ in range(100):
        v = beta * v + curvature * (theta - rate * beta * v)
        theta = theta - rate * v
        previous = u.copy()
        u = beta * u - rate * curvature * listed
        listed = listed - beta * previous + (1 + beta) * u
        apart = max(apart, np.abs(listed - theta).max())
        ahead = max(ahead, np.abs(listed - (theta - rate * beta * v)).max())
    return (
        f"100 steps on curvatures 1 and 50: the listing is up to {apart:.2f} from the equation's $\\theta_t$, and "
        f"{'below 1e-12' if ahead < 1e-12 else f'{ahead:.0e}'} from its look-ahead point"
    )


def rate_inside() -> str:
    """A rate that drops at step 10, once inside the velocity (the article's listing) and once outside it."""
    outside, ours = NesterovMomentum(0.01), {"x": np.array([1.0, 1.0])}
    listed, u, curvature = np.array([1.0, 1.0]), np.zeros(2), np.array([1.0, 50.0])
    before = after = 0.0
    for step in range(60):
        rate = 0.01 if step < 10 else 0.001
        outside.learning_rate = rate
        outside.update(ours, {"x": curvature * ours["x"]})
        previous = u.copy()
        u = 0.9 * u - rate * curvature * listed
        listed = listed - 0.9 * previous + 1.9 * u
        gap = np.abs(listed - ours["x"]).max()
        before, after = (max(before, gap), after) if step < 10 else (before, max(after, gap))
    return f"rate 0.01, then 0.001 from step 10: equal until then, afterwards up to {after:.2f} apart"


def place_of_epsilon() -> str:
    inside = {g: g / math.sqrt(g * g + 1e-8) for g in (1e-3, 1e-7)}
    outside = {}
    for g in inside:
        params = one(0.0)
        AdaGrad(1.0, epsilon=1e-8).update(params, one(g))
        outside[g] = -params["x"][0]
    return "; ".join(
        f"first step over the rate for a gradient of {g:.0e}: outside {outside[g]:.3f}, inside {inside[g]:.3f}"
        for g in inside
    )


def adagrad_goes_on() -> str:
    found = []
    for steps in (100, 10_000):
        optimizer, params = AdaGrad(0.01), one(0.0)
        for _ in range(steps):
            optimizer.update(params, one(1.0))
        found.append(-params["x"][0])
    return (
        f"a steady gradient, rate 0.01: {found[0]:.2f} traveled after 100 steps, {found[1]:.2f} after 10,000; "
        "$2\\eta\\sqrt t$ has no bound"
    )


def uncorrected() -> str:
    ratios = {}
    corrected, plain, a, b = Adam(1.0), UncorrectedAdam(1.0), one(0.0), one(0.0)
    for step in range(1, 1001):
        before = a["x"][0], b["x"][0]
        corrected.update(a, one(1.0))
        plain.update(b, one(1.0))
        ratios[step] = (b["x"][0] - before[1]) / (a["x"][0] - before[0])
    return (
        f"without it the first step is {ratios[1]:.2f} times too *long*, the tenth {ratios[10]:.2f} times, the "
        f"thousandth {ratios[1000]:.2f} times"
    )


def adam_defaults() -> str:
    optimizer, params = Adam(), one(0.0)
    for _ in range(2000):
        optimizer.update(params, {"x": params["x"] - 1000})
    return f"$(x - 1000)^2/2$ from 0: after 2000 steps at the defaults $x = {params['x'][0]:.2f}$"


def decay_of_the_updated_weight() -> str:
    optimizer, params = AdamW(0.1, weight_decay=0.5), one(1.0)
    optimizer.update(params, one(1.0))
    listed = (1.0 - 0.1) * (1 - 0.1 * 0.5)
    return (
        f"$\\theta = g = 1$, $\\eta = 0.1$, $\\lambda = 0.5$, one step: listing {listed:.3f}, "
        f"equation {params['x'][0]:.3f}"
    )


def penalty_is_not_decay() -> str:
    rate, strength = 0.1, 0.1
    penalty, decay = MomentumSGD(rate), MomentumSGD(rate)
    a, b = one(0.0), one(0.0)
    for _ in range(2000):
        penalty.update(a, {"x": a["x"] - 1 + strength * a["x"]})
        shrunk = b["x"] * rate * strength
        decay.update(b, {"x": b["x"] - 1})
        b["x"] -= shrunk
    return (
        f"momentum 0.9 on $(x-1)^2/2$, $\\lambda = 0.1$: the penalty ends at {a['x'][0]:.3f}, decoupled decay at "
        f"{b['x'][0]:.3f}"
    )


def lars_norm_twice() -> str:
    weights, grad = np.array([3.0, 4.0]), np.array([0.6, 0.8])
    article, ours = [], []
    for scale in (1.0, 10.0, 100.0):
        g = scale * grad
        ratio = np.linalg.norm(weights) / np.linalg.norm(g)
        article.append(np.linalg.norm(ratio * g / np.linalg.norm(g)) / 5)
        params = {"W": weights.copy()}
        LARS(1.0, momentum=0.0, weight_decay=0.0, trust_coefficient=1.0).update(params, {"W": g})
        ours.append(np.linalg.norm(params["W"] - weights) / 5)
    return (
        f"the loss times 1, 10, 100: relative step by the article's formula {', '.join(f'{x:.3g}' for x in article)}; "
        f"by the paper's {', '.join(f'{x:.3g}' for x in ours)}"
    )


def lamb_zero_bias() -> str:
    params = {"b": np.zeros(3)}
    LAMB(0.01).update(params, {"b": np.ones(3)})
    first = -params["b"][0]
    return f"a bias at zero: ratio 0, so the article's step is 0 for ever; the library's first step is {first:.2g}"


def exponential_parameter() -> str:
    return (
        f"after 10 epochs with 0.95: the listing {0.95**10:.3f}, the formula with $k = 0.95$ {math.exp(-9.5):.1e}; "
        f"they agree for $k = {-math.log(0.95):.4f}$"
    )


def warmup_edges() -> str:
    def article(epoch: float, total: float, warmup: float = 5, rate: float = 0.1) -> float:
        if epoch < warmup:
            return rate * epoch / warmup
        return 0.5 * rate * (1 + math.cos(math.pi * (epoch - warmup) / (total - warmup)))

    try:
        article(5, 5)
        zero = "nothing"
    except ZeroDivisionError as error:
        zero = type(error).__name__
    late = warmup_cosine(0.1, 95, total_epochs=50, warmup_epochs=5)
    return (
        f"its rate at epoch 0 is {article(0, 50):g}; `warmup_epochs = total_epochs` raises {zero}; 45 epochs past the "
        f"end of 50 it is back at {article(95, 50):.2g}, the library's stays at {late:.2g}"
    )


def missing_gradient() -> str:
    params, moved = {"a": np.array([1.0]), "b": np.array([1.0])}, "nothing has moved"
    try:
        for name in params:
            params[name] -= 0.001 * {"a": np.array([1.0])}[name]
    except KeyError:
        moved = f"`a` is already at {params['a'][0]:.3f}"
    ours = {"a": np.array([1.0]), "b": np.array([1.0])}
    try:
        SGD(0.001).update(ours, {"a": np.array([1.0])})
    except KeyError:
        return f"no gradient for `b`: the listing stops when {moved}; the library's `a` is still {ours['a'][0]:.0f}"
    return "the library accepts it"


def silent_broadcast() -> str:
    try:
        SGD().update({"W": np.ones((4, 3))}, {"W": np.ones((1, 3))})
    except ValueError:
        return "a gradient of shape (1, 3) for a parameter of shape (4, 3): the listing broadcasts, the library refuses"
    return "both broadcast"


def shared_step_count() -> str:
    first = (1 - 0.9) / (1 - 0.9**1001) / (math.sqrt(1 - 0.999) / math.sqrt(1 - 0.999**1001))
    return f"a parameter first seen at step 1001 starts with a step of {first:.2f} times the rate in place of 1"


def verdicts(*claims: str) -> Callable[[], str]:
    """The verdicts of the ledger on some claims, each with a link."""

    def words() -> str:
        found = {claim.id: claim for claim in load_ledger()}
        return "; ".join(f"{{ref}}`{found[name].claim.rstrip('.')} <{name}>`: {found[name].verdict}" for name in claims)

    return words


def tree_in_words() -> str:
    counts = Counter(claim.verdict for claim in load_ledger() if claim.leaf)
    told = ", ".join(f"{counts[word]} {word}" for word in VERDICTS if counts[word])
    return f"of {counts.total()} leaves: {told} ({{doc}}`claims ledger <claims>`)"


# ---------------------------------------------------------------------------------------------- the list

# The section under which the article's interface is corrected: it belongs to all of them.
INTERFACE = 0

CORRECTIONS = [
    Correction(
        1,
        'the optimizer "finds" the global minimum, $\\arg\\min L$',
        "it finds a point with a small gradient and a low loss; no rule here has a global guarantee",
        "01_introduction",
        other_well,
    ),
    Correction(
        1,
        'saddle points are "flat regions"',
        "the gradient is zero at one point; the curvature has both signs, and is not small",
        "01_introduction",
        saddle_curvatures,
    ),
    Correction(
        2,
        'finding a rate that is just right is the "learning rate scheduling problem"',
        "choosing a rate and scheduling it are two problems; for a quadratic the edge is $2/\\lambda_{\\max}$ exactly",
        "02_gradient_descent",
        scheduling_misnomer,
    ),
    Correction(
        2,
        "gradient descent gets stuck in local minima",
        "in one dimension, yes; in many, saddles are the commoner obstacle, and gradient descent leaves "
        "them from almost every start {cite}`dauphin2014,lee2016`",
        "02_gradient_descent",
        "shown in chapters 1 and 2 on a saddle, and on the Hessian of a network",
    ),
    Correction(
        3,
        'SGD "will converge to the same solution (on average)"',
        "with a constant rate it ends in a cloud around a minimum; its mean need not be the minimum; it "
        "may end in another one. It converges for rates that shrink like $1/t$ {cite}`robbins1951`",
        "03_sgd",
        mean_of_sgd,
    ),
    Correction(
        3,
        "the expected stochastic gradient is the true one",
        "if examples are drawn uniformly; epochs that are shuffled, as everybody runs them, are unbiased "
        "only taken singly",
        "03_sgd",
        "an exercise of chapter 3",
    ),
    Correction(
        3,
        "noise makes for better generalization",
        "contested: at equal fit it is not needed {cite}`geiping2022`",
        "03_sgd",
        verdicts("c-noise"),
    ),
    Correction(
        4,
        "the velocity is an exponentially weighted moving average",
        "it is a decayed sum, $1/(1-\\beta)$ times the average",
        "04_momentum",
        velocity_of_steady_gradient,
    ),
    Correction(
        12,
        "the same rates, 0.01 to 0.1, for SGD with and without momentum",
        "follows from the line on the velocity: with $\\beta = 0.9$ the same rate makes steps ten times as "
        "long, so divide by ten",
        "12_choosing",
        velocity_of_steady_gradient,
    ),
    Correction(
        5,
        "the listing is a reformulation of the equation",
        "it is, but `params` then holds the look-ahead point and not $\\theta_t$",
        "05_nesterov",
        nesterov_listing,
    ),
    Correction(
        5,
        "(nothing about the rate inside the velocity)",
        "one listing has the rate inside the velocity and one outside; they part when the rate changes",
        "05_nesterov",
        rate_inside,
    ),
    Correction(
        5,
        "Nesterov's convergence is better, theoretically optimal",
        "for smooth convex problems, exact gradients and a $\\beta$ that grows; noise can cancel it "
        "{cite}`devolder2014`",
        "05_nesterov",
        verdicts("c-nesterov", "c-nesterov-convex"),
    ),
    Correction(
        6,
        "the equations of AdaGrad and RMSprop have $\\sqrt{G + \\epsilon}$, the listings $\\sqrt G + \\epsilon$",
        "they are not the same: inside the root $10^{-8}$ acts like $10^{-4}$ outside",
        "06_adagrad",
        place_of_epsilon,
    ),
    Correction(
        6,
        'AdaGrad\'s learning "stops entirely"',
        "the rate falls as $1/\\sqrt t$, and the distance still grows without bound; too slow for deep "
        "networks is not the same as stopped",
        "06_adagrad",
        adagrad_goes_on,
    ),
    Correction(
        8,
        "the averages are biased toward zero, and the correction compensates",
        "true of the averages; the *step* without it is too long, not too short",
        "08_adam",
        uncorrected,
    ),
    Correction(
        8,
        "the defaults work well without tuning",
        "under a steady gradient a step is as long as the rate, so a default suits parameters of a default size",
        "08_adam",
        adam_defaults,
    ),
    Correction(
        8,
        "Adam's non-convergence is pathological and rare",
        "true, and small enough to be seen: the game of {cite:t}`reddi2018`",
        "08_adam",
        "played in chapter 8: Adam with a short memory walks to the worst point, AMSGrad to the best",
    ),
    Correction(
        8,
        "Adam converges to sharper minima and generalizes worse",
        "disputed in the literature {cite}`wilson2017,choi2019`; for what came out here, see the verdicts",
        "08_adam",
        verdicts("c-sharp", "c-gen"),
    ),
    Correction(
        9,
        'Adam\'s weight decay is "mathematically incorrect"',
        "it is the exact gradient of an L2 penalty; only the name weight decay was wrong {cite}`loshchilov2019`",
        "09_adamw",
        "chapter 9",
    ),
    Correction(
        9,
        "the AdamW listing decays the weights that the step has just updated",
        "the equation, the paper and PyTorch decay $\\theta_t$",
        "09_adamw",
        decay_of_the_updated_weight,
    ),
    Correction(
        9,
        "in SGD, L2 and weight decay are equivalent",
        "in plain SGD; with momentum even the end points differ",
        "09_adamw",
        penalty_is_not_decay,
    ),
    Correction(
        10,
        "LARS: $\\lambda_l = \\lVert\\theta\\rVert / \\lVert\\nabla L\\rVert$, and then a step along "
        "$\\nabla L / \\lVert\\nabla L\\rVert$",
        "the norm is divided out twice, so the step depends on the scale of the loss, which LARS is there "
        "to prevent; momentum, weight decay and the trust coefficient are missing {cite}`you2017`",
        "10_advanced",
        lars_norm_twice,
    ),
    Correction(
        10,
        "LAMB without bias correction and without a clipping function",
        "algorithm 2 of {cite:t}`you2020` has both, and a layer whose norm is zero needs the ratio 1",
        "10_advanced",
        lamb_zero_bias,
    ),
    Correction(
        10,
        "large batches converge to sharper minima that generalize less",
        "longer training and tuned rates close most of the gap {cite}`hoffer2017,shallue2019`",
        "10_advanced",
        verdicts("c-large", "c-large-sharp"),
    ),
    Correction(
        10,
        "LAMB trained BERT in 76 minutes, against more than three days with Adam",
        "on 64 times the hardware: on the same 16 chips the two took 82.8 and 81.4 hours "
        "({cite:t}`you2020`, table 1). The gain is that 1024 chips could be used",
        "10_advanced",
        verdicts("c-lamb-bert"),
    ),
    Correction(
        11,
        "step decay drops the rate *by* $\\gamma$",
        "it multiplies by $\\gamma$: a smaller $\\gamma$ is the larger drop",
        "11_schedules",
        "$\\gamma = 0.1$ leaves a tenth, $\\gamma = 0.5$ a half",
    ),
    Correction(
        11,
        "exponential decay: $e^{-kt}$ in the text, `decay_rate ** epoch` in the listing",
        "the same only with $k = -\\ln$ `decay_rate`",
        "11_schedules",
        exponential_parameter,
    ),
    Correction(
        11,
        "`warmup_cosine`",
        "three edges: a first epoch without learning, a division by zero, and a rate that rises again past the end",
        "11_schedules",
        warmup_edges,
    ),
    Correction(
        12,
        "the decision tree and the table",
        "a summary of habit, not of measurement; no optimizer wins everywhere {cite}`schmidt2021`",
        "12_choosing",
        tree_in_words,
    ),
    Correction(
        12,
        'weight decay "L2" in the table\'s rows for AdaGrad, RMSprop and Adam',
        "none of the article's classes but AdamW has a weight decay",
        "12_choosing",
        "the listings' constructors",
    ),
    Correction(
        INTERFACE,
        "the listings' interface: a missing gradient",
        "fails after some parameters have moved; check everything first",
        "03_sgd",
        missing_gradient,
    ),
    Correction(
        INTERFACE,
        "the listings' interface: a gradient of the wrong shape",
        "is broadcast in silence",
        "03_sgd",
        silent_broadcast,
    ),
    Correction(
        INTERFACE,
        "the listings' interface: one step count for all parameters",
        "a parameter that joins later is corrected as if it were old",
        "08_adam",
        shared_step_count,
    ),
]


def section(number: int) -> Markdown:
    """The corrections to one section of the article, as a table."""
    rows = ["| the article | what holds | measured | shown in |", "| --- | --- | --- | --- |"]
    for each in CORRECTIONS:
        if each.section == number:
            link = f"{{doc}}`chapter {int(each.chapter[:2])} <{each.chapter}>`"
            rows.append(f"| {each.says} | {each.holds} | {each.measured()} | {link} |")
    return Markdown("\n".join(rows))
