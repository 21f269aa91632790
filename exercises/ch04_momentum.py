"""Chapter 4, momentum: the effective rate, the whole class, the optimal pair, and a run diagnosed from its path."""

import numpy as np

from exercises.authoring import (
    AcceptedAnswer,
    Check,
    Exercise,
    Wrong,
    WrongAnswer,
    close,
    edit,
    outputs,
    raw,
    unchanged_inputs,
    vector,
    word,
)
from exercises.classes import check_defaults, check_in_place, compare_runs, copies, random_params
from optim_lib.optimizers import MomentumSGD
from optim_lib.probes import optimal_pair, steps_of

TITLE = "Momentum"


# 4.1 The effective rate ------------------------------------------------------------------------------


def first_steps(step_lengths):
    results = []
    for rate, momentum in ((0.2, 0.5), (0.05, 0.9), (1.5, 0.0)):
        lengths = step_lengths(rate, momentum, 8)
        results.append((lengths, steps_of(np.full(8, rate), inside=False, momentum=momentum), rate, momentum))
    for lengths, expected, rate, momentum in results:
        close(lengths, expected, f"with rate {rate:g} and momentum {momentum:g}, the array of step lengths")


def settled_steps(step_lengths):
    lengths = vector(step_lengths(0.03, 0.8, 300), 300, "the array of 300 step lengths")
    close(lengths[-1:], np.array([0.15]), "with rate 0.03 and momentum 0.8, step number 300")


STEP_LENGTHS = """
def step_lengths(learning_rate, momentum, steps):
    \"\"\"The lengths of the first steps when every gradient is 1.\"\"\"
    t = np.arange(1, steps + 1)
    return learning_rate * (1 - momentum**t) / (1 - momentum)
"""

effective_rate = Exercise(
    id="4.1",
    title="Up to speed",
    answer="step_lengths",
    prompt="""
        Every gradient is exactly 1. Write `step_lengths(learning_rate, momentum, steps)`: the lengths of the first
        `steps` steps of SGD with momentum, an array whose first entry belongs to $t = 1$. The velocity starts at zero
        and is a decayed sum, $v_t = \\beta v_{t-1} + g_t$. A loop or a formula, as you like; `momentum` may be 0.
    """,
    starter="""
        def step_lengths(learning_rate, momentum, steps):
            \"\"\"The lengths of the first steps when every gradient is 1.\"\"\"
            return ...
    """,
    checks=[
        Check("the first eight steps", 2, first_steps, "Write down the first three velocities by hand."),
        Check("the length it settles at", 1, settled_steps, "What is 1 + beta + beta**2 + ... without end?"),
    ],
    hints=[
        "With gradients of 1 the velocities are 1, then 1 + beta, then 1 + beta + beta**2. A step is the rate times "
        "the velocity.",
        "The sum 1 + beta + ... + beta**(t - 1) is (1 - beta**t) / (1 - beta).",
        "`t = np.arange(1, steps + 1)`, then `learning_rate * (1 - momentum**t) / (1 - momentum)`.",
    ],
    solution=STEP_LENGTHS,
    explanation=(
        "The first step is that of plain SGD; the steps then grow to learning_rate / (1 - momentum), the effective "
        "rate. With momentum 0.9 that is ten times the first."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(STEP_LENGTHS, (" / (1 - momentum)", "")),
            "This is an average: its weights `(1 - momentum) * momentum**k` add up to one, and the steps settle at the "
            "learning rate itself. The velocity of this exercise is a sum, with weights `momentum**k`.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(STEP_LENGTHS, ("np.arange(1, steps + 1)", "np.arange(steps)")),
            "The array starts one step too early, with a step of length zero: the first gradient is in the velocity "
            "before the first step is taken.",
            points=1,
        ),
        WrongAnswer(
            edit(STEP_LENGTHS, ("(1 - momentum**t) / (1 - momentum)", "np.ones(steps) / (1 - momentum)")),
            "This is the length that the steps settle at. On the way there they are shorter: the first one, when the "
            "velocity holds a single gradient, is the learning rate itself.",
            points=1,
        ),
        WrongAnswer(
            edit(
                STEP_LENGTHS,
                ("learning_rate * (1 - momentum**t) / (1 - momentum)", "learning_rate * momentum**(t - 1)"),
            ),
            "This is what one single gradient contributes, t - 1 steps later. The step is made of all gradients so "
            "far: add the contributions up.",
            points=0,
        ),
        WrongAnswer(
            edit(
                STEP_LENGTHS,
                ("return learning_rate", "return np.cumsum(learning_rate"),
                ("(1 - momentum)", "(1 - momentum))"),
            ),
            "These are the distances covered since the start. Asked are the single steps.",
            points=0,
        ),
        WrongAnswer(
            edit(
                STEP_LENGTHS, ("learning_rate * (1 - momentum**t) / (1 - momentum)", "learning_rate * np.ones(steps)")
            ),
            "All your steps are as long as the first, as in plain SGD, or with a velocity whose new gradient has only "
            "the weight `1 - momentum`. This velocity adds the whole new gradient to what is left of the old ones, so "
            "the steps grow.",
            points=0,
        ),
        WrongAnswer(
            edit(STEP_LENGTHS, ("return learning_rate * ", "return ")),
            "These are the velocities. A step is the learning rate times the velocity.",
            points=0,
        ),
        WrongAnswer(
            edit(STEP_LENGTHS, ("return learning_rate", "return -learning_rate")),
            "The parameter moves down, but a length is positive.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def step_lengths(learning_rate, momentum, steps):
                velocity, lengths = 0.0, []
                for _ in range(steps):
                    velocity = momentum * velocity + 1
                    lengths.append(learning_rate * velocity)
                return lengths
            """
        ),
    ],
)


# 4.2 The whole class ---------------------------------------------------------------------------------


def one_parameter(my_momentum):
    shapes = {"weights": (3, 4)}
    grads = [random_params(seed, shapes) for seed in range(420, 424)]
    compare_runs(my_momentum, MomentumSGD, random_params(41, shapes), grads, learning_rate=0.1, momentum=0.7)


def three_parameters(my_momentum):
    grads = [random_params(seed) for seed in range(430, 442)]
    compare_runs(my_momentum, MomentumSGD, random_params(42), grads, learning_rate=0.05, momentum=0.9)
    check_defaults(my_momentum, MomentumSGD, seed=460)


def changed_rate(my_momentum):
    grads = [random_params(seed) for seed in range(450, 458)]
    rates, note = [0.5] * 4 + [0.05] * 4, ", after the rate has fallen to a tenth at step 5,"
    compare_runs(
        my_momentum, MomentumSGD, random_params(43), grads, rates=rates, note=note, learning_rate=0.5, momentum=0.8
    )


def in_place(my_momentum):
    optimizer, grads = my_momentum(learning_rate=0.1, momentum=0.9), random_params(45)
    check_in_place(optimizer, random_params(44), grads, steps=2)
    unchanged_inputs(my_momentum)
    # The guard hands over copies of the gradients; only the student's own class can be seen to keep the caller's array.
    mine, handed, params = raw(my_momentum)(learning_rate=0.1, momentum=0.9), copies(grads), random_params(44)
    for _ in range(2):
        mine.update(params, handed)
    if any(not np.array_equal(handed[name], grads[name]) for name in grads):
        raise Wrong(
            "On the second step you write into the gradient array of the first: the velocity is the caller's own "
            "array, not a copy of it. Start from `np.zeros_like`."
        )


MY_MOMENTUM = """
class MyMomentum:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {}

    def update(self, params, grads):
        for name in params:
            if name not in self.velocity:
                self.velocity[name] = np.zeros_like(params[name])
            self.velocity[name] = self.momentum * self.velocity[name] + grads[name]
            params[name] -= self.learning_rate * self.velocity[name]
        return params
"""

VELOCITY = "self.velocity[name] = self.momentum * self.velocity[name] + grads[name]"
MOVE = "params[name] -= self.learning_rate * self.velocity[name]"

whole_class = Exercise(
    id="4.2",
    title="The whole class",
    answer="MyMomentum",
    prompt="""
        Write `MyMomentum.update(params, grads)`. Both are dicts from a parameter's name to its array. Change every
        array of `params` in place, and return the same dict. Each parameter has a velocity of its own, a decayed sum of
        gradients that starts at zero. The dict `self.velocity` is there to keep them, by the parameter's name; it is
        empty until a name comes up for the first time, which `if name not in self.velocity:` finds out. Someone may set
 `optimizer.learning_rate` anew between two steps: the new rate
        then holds for the whole velocity at once.
    """,
    starter="""
        class MyMomentum:
            def __init__(self, learning_rate=0.01, momentum=0.9):
                self.learning_rate = learning_rate
                self.momentum = momentum
                self.velocity = {}

            def update(self, params, grads):
                return ...
    """,
    checks=[
        Check("four steps of one parameter", 1, one_parameter, "Lay your lines beside the two equations."),
        Check("twelve steps of three parameters", 1, three_parameters, "What does one parameter know of another?"),
        Check("a rate that changes", 1, changed_rate, "Is there an old rate in your velocity?"),
        Check("in place, and nothing else", 1, in_place, "Which arrays may `update` change, and which not?"),
    ],
    hints=[
        "Loop over the names. What must be kept for each of them from one call to the next, and what is it at first?",
        "`self.velocity[name]` is made with `np.zeros_like` when the name is first seen; then the velocity is updated, "
        "then the parameter.",
        "In the loop: `self.velocity[name] = self.momentum * self.velocity[name] + grads[name]`, then "
        "`params[name] -= self.learning_rate * self.velocity[name]`; after the loop, `return params`.",
    ],
    solution=MY_MOMENTUM,
    explanation=(
        "This is the article's class, and PyTorch's rule. The rate multiplies the velocity and is not stored in it, so "
        "a schedule takes effect at once."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(MY_MOMENTUM, ("+ grads[name]", "+ (1 - self.momentum) * grads[name]")),
            "Your velocity is an average of the gradients, as in Adam: the weight `1 - momentum` makes it `1 / (1 - "
            "momentum)` times smaller. This exercise asks for the decayed sum, as in the article and in PyTorch.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            """
            class MyMomentum:
                def __init__(self, learning_rate=0.01, momentum=0.9):
                    self.learning_rate = learning_rate
                    self.momentum = momentum
                    self.velocity = {}

                def update(self, params, grads):
                    for name in params:
                        if name not in self.velocity:
                            self.velocity[name] = grads[name].copy()
                        else:
                            self.velocity[name] *= self.momentum
                            self.velocity[name] += (1 - self.momentum) * grads[name]
                        params[name] -= self.learning_rate * self.velocity[name]
                    return params
            """,
            "After the first step, each new gradient has the weight `1 - momentum`: PyTorch calls that `dampening`, "
            "and leaves it out unless asked for it. This exercise asks for the decayed sum, where it has the weight 1.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(
                MY_MOMENTUM,
                ("+ grads[name]", "+ self.learning_rate * grads[name]"),
                (MOVE, "params[name] -= self.velocity[name]"),
            ),
            "Your velocity holds gradients times the rate, a convention of some papers and of Keras. It gives the same "
            "steps while the rate is constant, but after a change the old rate lives on in the velocity. This exercise "
            "asks for the rate outside, as in PyTorch.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(
                MY_MOMENTUM,
                (MOVE, "params[name] -= self.learning_rate * (grads[name] + self.momentum * self.velocity[name])"),
            ),
            "This is Nesterov's momentum, which the next chapter is about: it looks one step ahead. Here the step is "
            "the rate times the velocity.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(MY_MOMENTUM, (VELOCITY + "\n", "pass\n"), (MOVE, MOVE + "\n            " + VELOCITY)),
            "The parameter moves before the velocity has seen the new gradient, so every step is one gradient late "
            "and the first is zero.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_MOMENTUM, (VELOCITY, "self.velocity[name] = grads[name]")),
            "Nothing is remembered: this is plain SGD. The old velocity, times the momentum, belongs in the new one.",
            points=1,
        ),
        WrongAnswer(
            """
            class MyMomentum:
                def __init__(self, learning_rate=0.01, momentum=0.9):
                    self.learning_rate, self.momentum, self.velocity = learning_rate, momentum, 0.0

                def update(self, params, grads):
                    for name in params:
                        self.velocity = self.momentum * self.velocity + grads[name]
                        params[name] -= self.learning_rate * self.velocity
                    return params
            """,
            "All parameters share one velocity: keep one for every name, `self.velocity[name]`.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_MOMENTUM,
                ("np.zeros_like(params[name])\n", "grads[name]\n            else:\n    "),
                (
                    "            " + VELOCITY,
                    "            self.velocity[name] *= self.momentum\n"
                    "                self.velocity[name] += grads[name]",
                ),
            ),
            "the velocity is the caller's own array",
            points=3,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_MOMENTUM, (MOVE, MOVE.replace("params[name] -=", "params[name] = params[name] -"))),
            "`params['weights']` is a new array",
            points=3,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_MOMENTUM, ("params[name] -=", "params[name] +=")),
            "The step goes uphill: subtract it.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_MOMENTUM, ("        return params", "        pass")),
            "is a `return` missing?",
            points=0,
            diagnose=False,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            class MyMomentum:
                def __init__(self, learning_rate=0.01, momentum=0.9):
                    self.learning_rate, self.momentum, self.velocity = learning_rate, momentum, {}

                def update(self, params, grads):
                    for name, grad in grads.items():
                        velocity = self.velocity.setdefault(name, np.zeros_like(grad))
                        velocity *= self.momentum
                        velocity += grad
                        params[name] -= self.learning_rate * velocity
                    return params
            """
        ),
    ],
)


# 4.3 The optimal pair --------------------------------------------------------------------------------


def random_hessian(seed, eigenvalues):
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))[0]
    hessian = directions * np.array(eigenvalues) @ directions.T
    return (hessian + hessian.T) / 2


def pairs(best_pair, cases):
    return [
        (outputs(best_pair(random_hessian(seed, values)), "learning rate", "momentum"), values)
        for seed, values in cases
    ]


SMALL = ((43, [0.7, 9.0]), (44, [0.02, 3.0]))
LARGE = ((45, [0.2, 0.5, 3.0, 5.0, 12.0]), (46, [1.0, 1.0, 1.0, 64.0]))


def momentum_of_two(best_pair):
    for (_, momentum), values in pairs(best_pair, SMALL):
        close(momentum, optimal_pair(values[0], values[-1])[1], f"with curvatures {values}, the momentum")


def rate_of_two(best_pair):
    for (rate, _), values in pairs(best_pair, SMALL):
        close(rate, optimal_pair(values[0], values[-1])[0], f"with curvatures {values}, the learning rate")


def pair_of_many(best_pair):
    for (rate, momentum), values in pairs(best_pair, LARGE):
        expected = optimal_pair(values[0], values[-1])
        close(rate, expected[0], f"with curvatures {values}, the learning rate")
        close(momentum, expected[1], f"with curvatures {values}, the momentum")


BEST_PAIR = """
def best_pair(hessian):
    \"\"\"The learning rate and momentum that are fastest in the long run.\"\"\"
    eigenvalues = np.linalg.eigvalsh(hessian)
    low, high = np.sqrt(eigenvalues[0]), np.sqrt(eigenvalues[-1])
    learning_rate = (2 / (high + low)) ** 2
    momentum = ((high - low) / (high + low)) ** 2
    return learning_rate, momentum
"""

optimal = Exercise(
    id="4.3",
    title="The optimal pair",
    answer="best_pair",
    prompt="""
        Write `best_pair(hessian)` for a quadratic loss with this Hessian (symmetric, all eigenvalues positive). Return
        the learning rate and the momentum for which the slowest of all directions is, in the long run, as fast as it
        can be.
    """,
    starter=edit(
        BEST_PAIR,
        ("(2 / (high + low)) ** 2", "..."),
        ("((high - low) / (high + low)) ** 2", "..."),
        (
            "    eigenvalues = np.linalg.eigvalsh(hessian)\n"
            "    low, high = np.sqrt(eigenvalues[0]), np.sqrt(eigenvalues[-1])\n",
            "",
        ),
    ),
    checks=[
        Check("the momentum for two parameters", 1, momentum_of_two, "Where do the two critical curves cross?"),
        Check("the rate for two parameters", 1, rate_of_two, "Where do the two critical curves cross?"),
        Check("more parameters", 2, pair_of_many, "Which two of the eigenvalues matter?"),
    ],
    hints=[
        "Both extreme directions should be critical at once. The flat one is when sqrt(beta) = 1 - sqrt(rate * "
        "smallest), the steep one, beyond its minimum, when sqrt(beta) = sqrt(rate * largest) - 1.",
        "Set the two right sides equal: sqrt(rate) * (sqrt(largest) + sqrt(smallest)) = 2. Square it for the rate, and "
        "put the root of the rate back for the momentum.",
        "With `low, high = np.sqrt(eigenvalues[0]), np.sqrt(eigenvalues[-1])`: the rate is `(2 / (high + low)) ** 2`, "
        "the momentum `((high - low) / (high + low)) ** 2`.",
    ],
    solution=BEST_PAIR,
    explanation=(
        "Each direction then shrinks by sqrt(beta) = (sqrt(kappa) - 1) / (sqrt(kappa) + 1) a step: the formula of "
        "gradient descent with the root of the condition number in place of the condition number."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(BEST_PAIR, ("((high - low) / (high + low)) ** 2", "(high - low) / (high + low)")),
            "This is the factor by which each direction shrinks, which is the *root* of the momentum: square it.",
            points=1,
        ),
        WrongAnswer(
            edit(BEST_PAIR, ("((high - low) / (high + low)) ** 2", "((high**2 - low**2) / (high**2 + low**2)) ** 2")),
            "The momentum is computed from the curvatures where it takes their square roots: the critical curves "
            "contain sqrt(rate * curvature).",
            points=1,
        ),
        WrongAnswer(
            edit(BEST_PAIR, ("(2 / (high + low)) ** 2", "2 / (high**2 + low**2)")),
            "This is the fastest rate of gradient descent without momentum. With its best momentum the rate is (2 / "
            "(sqrt(largest) + sqrt(smallest)))**2, up to twice as large.",
            points=1,
        ),
        WrongAnswer(
            """
            def best_pair(hessian):
                eigenvalues = np.linalg.eigvalsh(hessian)
                low, high = np.sqrt(eigenvalues[0]), np.sqrt(eigenvalues[-1])
                momentum = ((high - low) / (high + low)) ** 2
                return 2 * (1 + momentum) / high**2, momentum
            """,
            "This rate is the edge of stability at that momentum: there the steepest direction swings for ever.",
            points=1,
        ),
        WrongAnswer(
            edit(BEST_PAIR, ("eigenvalues[0]", "eigenvalues.mean()")),
            "The smallest curvature is needed here, not the mean: the flattest direction is the one that would lag "
            "behind.",
            points=0,
        ),
        WrongAnswer(
            edit(BEST_PAIR, ("np.sqrt(eigenvalues[0]), np.sqrt(eigenvalues[-1])", "eigenvalues[0], eigenvalues[-1]")),
            "The formulas take the square roots of the extreme curvatures.",
            points=0,
        ),
        WrongAnswer(
            edit(BEST_PAIR, ("return learning_rate, momentum", "return momentum, learning_rate")),
            "The two are exchanged: return the learning rate first, then the momentum.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def best_pair(hessian):
                values = np.sort(np.linalg.eigvals(hessian).real)
                kappa = values[-1] / values[0]
                factor = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
                return (1 + factor) ** 2 / values[-1], factor**2
            """
        ),
    ],
)


# 4.4 A diagnosis -------------------------------------------------------------------------------------


def excerpt(product, momentum, seed):
    """Eight distances from the minimum, cut from the middle of a run."""
    scale = np.random.default_rng(seed).uniform(0.5, 2.0)
    optimizer, params, path = MomentumSGD(product, momentum), {"c": np.full(1, scale)}, []
    for _ in range(13):
        path.append(float(params["c"][0]))
        optimizer.update(params, {"c": params["c"].copy()})
    return np.array(path[5:])


# No run is near an edge: the product would have to change by 6 % to turn complex eigenvalues into real ones, or
# convergence into divergence. Small and large momentum are found in every regime.
SWINGING = ((0.3, 0.8, 47), (1.7, 0.6, 48), (0.05, 0.95, 49), (1.0, 0.3, 54))
OTHERS = ((0.1, 0.3, 50), (3.2, 0.5, 51), (2.1, 0.15, 52), (0.02, 0.5, 53), (0.004, 0.8, 55))


def diagnosed(diagnose, cases):
    names = ("momentum", "product", "regime")
    return [(outputs(diagnose(excerpt(q, beta, seed)), *names), q, beta) for q, beta, seed in cases]


def of_swinging(diagnose):
    for (momentum, _, _), q, beta in diagnosed(diagnose, SWINGING):
        close(
            momentum, beta, f"for a run with momentum {beta:g} and rate times curvature {q:g}, the momentum", rtol=1e-5
        )


def product_of_swinging(diagnose):
    for (_, product, _), q, beta in diagnosed(diagnose, SWINGING):
        close(product, q, f"for a run with momentum {beta:g} and rate times curvature {q:g}, the product", rtol=1e-5)


def of_others(diagnose):
    results = diagnosed(diagnose, OTHERS)
    unchanged_inputs(diagnose)
    for (momentum, product, _), q, beta in results:
        what = f"for a run with momentum {beta:g} and rate times curvature {q:g}"
        close(momentum, beta, f"{what}, the momentum", rtol=1e-5)
        close(product, q, f"{what}, the product", rtol=1e-5)


def regimes(diagnose):
    results = diagnosed(diagnose, SWINGING + OTHERS)
    for (_, _, regime), q, beta in results:
        regime = word(regime, "the regime", "diverges", "swings", "settles")
        alive = "swings" if (1 + beta - q) ** 2 < 4 * beta else "settles"
        expected = "diverges" if q > 2 * (1 + beta) else alive
        if regime != expected:
            raise Wrong(
                f"For a run with momentum {beta:g} and rate times curvature {q:g} the regime is '{expected}'; yours is "
                f"'{regime}'."
            )


DIAGNOSE = """
def diagnose(c):
    \"\"\"Momentum, rate times curvature, and regime of a run.\"\"\"
    earlier = np.stack([c[1:-1], -c[:-2]], axis=1)
    (trace, momentum), *_ = np.linalg.lstsq(earlier, c[2:], rcond=None)
    product = 1 + momentum - trace
    radius = np.abs(np.roots([1, -trace, momentum])).max()
    if radius > 1:
        regime = "diverges"
    elif trace**2 < 4 * momentum:
        regime = "swings"
    else:
        regime = "settles"
    return momentum, product, regime
"""

diagnosis = Exercise(
    id="4.4",
    title="A diagnosis from the path",
    answer="diagnose",
    prompt="""
        A colleague sends you eight numbers from a log: the distance of one parameter from its minimum, with its sign,
        at eight successive steps *in the middle of a run* of SGD with momentum on a parabola. Rate, momentum and
        curvature are forgotten. Write `diagnose(c)`. Return the momentum $\\beta$, the product $\\eta\\lambda$, and the
        regime: `"diverges"` if the distances grow in the long run, `"swings"` if they shrink and the two eigenvalues of
        the step are complex, `"settles"` if they shrink and both are real. (No run lies on an edge between regimes.)
    """,
    starter="""
        def diagnose(c):
            \"\"\"Momentum, rate times curvature, and regime of a run.\"\"\"
            momentum = ...
            product = ...
            regime = ...
            return momentum, product, regime
    """,
    checks=[
        Check("the momentum of a run that swings", 2, of_swinging, "Which equation ties three successive distances?"),
        Check("its rate times curvature", 1, product_of_swinging, "Use the same equation."),
        Check("runs that settle or diverge", 1, of_others, "The equation is the same in every regime."),
        Check("the regime", 1, regimes, "When has a quadratic equation complex roots, and when is a root beyond 1?"),
    ],
    hints=[
        "Take the velocity out of the two equations. What remains ties three successive distances: c[t+1] = (1 + beta "
        "- q) * c[t] - beta * c[t-1], with q the rate times the curvature.",
        "Two unknowns, 1 + beta - q and beta, and six such equations: solve any two of them, or all with "
        "`np.linalg.lstsq`.",
        "`a, beta = np.linalg.lstsq(np.stack([c[1:-1], -c[:-2]], axis=1), c[2:], rcond=None)[0]`, `q = 1 + beta - a`. "
        "The eigenvalues are the roots of `mu**2 - a * mu + beta`: complex if `a**2 < 4 * beta`.",
    ],
    solution=DIAGNOSE,
    explanation=(
        "Every heavy-ball run on a parabola obeys one recursion with two numbers in it, so four successive points "
        "give both away, wherever the excerpt begins."
    ),
    wrong_answers=[
        WrongAnswer(
            """
            def diagnose(c):
                product = 1 - c[1] / c[0]
                momentum = (c[2] - c[1] + product * c[1]) / (c[1] - c[0])
                trace = 1 + momentum - product
                radius = np.abs(np.roots([1, -trace, momentum])).max()
                regime = "diverges" if radius > 1 else "swings" if trace**2 < 4 * momentum else "settles"
                return momentum, product, regime
            """,
            "You take the first two points for the first step of a run, made without velocity. The excerpt begins in "
            "the middle, where there is one: use three successive points at a time.",
            points=0,
        ),
        WrongAnswer(
            edit(DIAGNOSE, ("product = 1 + momentum - trace", "product = 1 - trace")),
            "The middle distance has the weight 1 + beta - q, so q is 1 + beta minus that weight: the beta is missing.",
            points=3,
        ),
        WrongAnswer(
            edit(DIAGNOSE, ("-c[:-2]", "c[:-2]"), ("product = 1 + momentum - trace", "product = 1 - momentum - trace")),
            "The momentum has the wrong sign: the distance two steps back enters with *minus* beta.",
            points=1,
        ),
        WrongAnswer(
            edit(DIAGNOSE, ("radius > 1", "abs(c[-1]) > abs(c[0])")),
            "Whether the last distance is larger than the first can mislead: a swing can be at its turning point, or a "
            "growing one at its crossing. Ask the eigenvalues.",
            points=4,
        ),
        WrongAnswer(
            edit(DIAGNOSE, ("trace**2 < 4 * momentum", "np.any(c[1:] * c[:-1] < 0)")),
            "A change of sign within eight steps is not the test: a slow swing may not cross in that time, and a real "
            "negative eigenvalue crosses in every step. Ask whether the eigenvalues are complex.",
            points=4,
        ),
        WrongAnswer(
            edit(DIAGNOSE, ("trace**2 < 4 * momentum", "momentum > 0.5")),
            "The momentum alone does not tell whether a run swings: with a small rate times curvature a large momentum "
            "still settles, and with a large one a small momentum swings. Ask whether the eigenvalues are complex.",
            points=4,
        ),
        WrongAnswer(
            edit(DIAGNOSE, ("radius > 1", "product > 2")),
            "Two is the edge without momentum. With it, the product may go up to 2 * (1 + beta).",
            points=4,
        ),
        WrongAnswer(
            edit(DIAGNOSE, ("return momentum, product", "return product, momentum")),
            "The first two are exchanged: return the momentum, then the product.",
            points=1,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def diagnose(c):
                (a, b), *_ = [np.linalg.solve([[c[1], -c[0]], [c[2], -c[1]]], [c[2], c[3]])]
                q = 1 + b - a
                if q > 2 * (1 + b):
                    return b, q, "diverges"
                return b, q, "swings" if (1 - b**0.5) ** 2 < q < (1 + b**0.5) ** 2 else "settles"
            """
        ),
    ],
)

EXERCISES = [effective_rate, whole_class, optimal, diagnosis]
