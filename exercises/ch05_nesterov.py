"""Chapter 5, Nesterov momentum: the look-ahead form, the shifted form, the way between them, and when it loses."""

import numpy as np

from exercises.authoring import (
    AcceptedAnswer,
    Check,
    Exercise,
    Wrong,
    WrongAnswer,
    close,
    difference,
    edit,
    numeric,
    outputs,
    unchanged_inputs,
    vector,
)
from exercises.classes import check_defaults, check_in_place, compare_runs, random_params
from optim_lib.landscapes import quadratic, rosenbrock
from optim_lib.optimizers import MomentumSGD, NesterovMomentum
from optim_lib.probes import look_ahead, radius

TITLE = "Nesterov momentum"

RAVINE = quadratic((1.0, 9.0), 0.5)


# 5.1 The look-ahead form -----------------------------------------------------------------------------


def recorded(gradient, places):
    """`gradient`, with a list of the places at which it was asked."""

    def ask(theta):
        places.append(np.array(theta, dtype=float))
        return gradient(theta)

    return ask


def asked_at(nesterov_step):
    theta, v, places = np.array([1.5, -0.5]), np.array([2.0, -1.0]), []
    nesterov_step(theta, v, recorded(RAVINE.gradient, places), 0.1, 0.8)
    if not places:
        raise Wrong("`gradient` was never called: it is a function that needs a point.")
    close(places[0], theta - 0.1 * 0.8 * v, "the point at which the gradient is measured")


def step_of(theta, v, gradient, learning_rate, momentum):
    """One step with the library's momentum, fed with the gradient of the look-ahead point."""
    optimizer, params = MomentumSGD(learning_rate=learning_rate, momentum=momentum), {"p": theta.copy()}
    optimizer.update(params, {"p": np.zeros_like(theta)})
    optimizer.state["p"].velocity[...] = v
    optimizer.update(params, {"p": gradient(theta - learning_rate * momentum * v)})
    return params["p"], optimizer.state["p"].velocity


def new_velocity(nesterov_step):
    theta, v = np.array([1.5, -0.5]), np.array([2.0, -1.0])
    _, got = outputs(nesterov_step(theta, v, RAVINE.gradient, 0.1, 0.8), "theta", "v")
    close(got, step_of(theta, v, RAVINE.gradient, 0.1, 0.8)[1], "the new velocity")


def new_position(nesterov_step):
    theta, v = np.array([-1.0, 0.7]), np.array([-3.0, 1.0])
    got, _ = outputs(nesterov_step(theta, v, RAVINE.gradient, 0.05, 0.9), "theta", "v")
    close(
        difference(got, theta, "the new theta"),
        step_of(theta, v, RAVINE.gradient, 0.05, 0.9)[0] - theta,
        "the change of theta",
    )


def many_look_ahead_steps(nesterov_step):
    start = np.array([-1.5, 1.5])
    theta, v, path = start.copy(), np.zeros(2), [start]
    for _ in range(20):
        theta, v = outputs(nesterov_step(theta, v, rosenbrock.gradient, 5e-4, 0.9), "theta", "v")
        theta, v = vector(theta, 2, "the new theta"), vector(v, 2, "the new v")
        path.append(theta)
    unchanged_inputs(nesterov_step)
    positions, _ = look_ahead(rosenbrock.gradient, start, 20, 5e-4, 0.9)
    close(np.array(path), positions, "the path of 20 steps")


NESTEROV_STEP = """
def nesterov_step(theta, v, gradient, learning_rate, momentum):
    \"\"\"One step of Nesterov's rule in its look-ahead form: return the new theta and the new v.\"\"\"
    ahead = theta - learning_rate * momentum * v
    v = momentum * v + gradient(ahead)
    theta = theta - learning_rate * v
    return theta, v
"""

AHEAD = "theta - learning_rate * momentum * v"

look_ahead_form = Exercise(
    id="5.1",
    title="The look-ahead form",
    answer="nesterov_step",
    prompt="""
        Write one step of Nesterov's rule as its equation has it. `gradient` is a function: `gradient(point)` is the
        gradient at a point. `v` is the velocity *without* the learning rate, a decayed sum of gradients. Return the
        new `theta` and the new `v`, and leave the arrays that you were given as they are.
    """,
    starter="""
        def nesterov_step(theta, v, gradient, learning_rate, momentum):
            \"\"\"One step of Nesterov's rule in its look-ahead form: return the new theta and the new v.\"\"\"
            ahead = ...
            v = ...
            theta = ...
            return theta, v
    """,
    checks=[
        Check("where the gradient is measured", 1, asked_at, "Where would the old velocity alone carry theta?"),
        Check("the new velocity", 1, new_velocity, "The old one fades by the momentum, then the gradient is added."),
        Check("the change of theta", 1, new_position, "The step starts at theta and follows the new velocity."),
        Check("twenty steps", 1, many_look_ahead_steps, "Each step goes on from the theta and v of the last."),
    ],
    hints=[
        "Momentum would measure the gradient at `theta`. Where will `theta` be if only the old velocity acts on it?",
        "The velocity decays by `momentum` and is then multiplied by the rate: the look-ahead point is "
        "`theta - learning_rate * momentum * v`.",
        "`v = momentum * v + gradient(ahead)`, and then `theta = theta - learning_rate * v` with that new `v`, from "
        "the old `theta`.",
    ],
    solution=NESTEROV_STEP,
    explanation=(
        "Only the place of measurement is new. The step itself is momentum's: it starts at theta, not at the "
        "look-ahead point, and follows the new velocity, which holds the old one already."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(NESTEROV_STEP, ("gradient(ahead)", "gradient(theta)")),
            "The gradient is measured at `theta`: this is momentum. Nesterov's rule measures it at the look-ahead "
            "point.",
            points=0,
        ),
        WrongAnswer(
            edit(NESTEROV_STEP, (AHEAD, "theta + learning_rate * momentum * v")),
            "The look-ahead goes backward: `v` is a sum of gradients, which point uphill, so moving along it is minus "
            "the rate times `v`.",
            points=0,
        ),
        WrongAnswer(
            edit(NESTEROV_STEP, (AHEAD, "theta - learning_rate * v")),
            "The look-ahead takes the whole old velocity. Only the share `momentum` of it survives into this step, so "
            "that is how far it carries `theta`.",
            points=0,
        ),
        WrongAnswer(
            edit(NESTEROV_STEP, (AHEAD, "theta - momentum * v")),
            "The look-ahead lacks the learning rate: here `v` is a sum of gradients, and becomes a distance only "
            "when it "
            "is multiplied by the rate. Where the rate is kept inside the velocity this line would be right.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(NESTEROV_STEP, ("theta = theta - learning_rate * v", "theta = ahead - learning_rate * v")),
            "The step starts at the look-ahead point, so the old velocity acts twice: once in `ahead`, once inside the "
            "new `v`. Start at `theta`.",
            points=2,
        ),
        WrongAnswer(
            edit(
                NESTEROV_STEP,
                (
                    "v = momentum * v + gradient(ahead)\n    theta = theta - learning_rate * v",
                    "theta = theta - learning_rate * v\n    v = momentum * v + gradient(ahead)",
                ),
            ),
            "`theta` is moved with the old velocity, before the gradient has had its say: the look-ahead is wasted.",
            points=2,
        ),
        WrongAnswer(
            edit(
                NESTEROV_STEP,
                ("v = momentum * v + gradient(ahead)", "v = momentum * v + (1 - momentum) * gradient(ahead)"),
            ),
            "This velocity is an average of gradients, with weights `momentum` and `1 - momentum`. The course follows "
            "torch.optim.SGD: a decayed sum, in which the new gradient has the weight 1.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(
                NESTEROV_STEP,
                ("v = momentum * v + gradient(ahead)", "v = momentum * v + learning_rate * gradient(ahead)"),
                ("theta - learning_rate * v\n    return", "theta - v\n    return"),
            ),
            "The learning rate is inside this velocity, as in Sutskever et al. and in Keras, but the `v` that you are "
            "given does not hold it. This exercise keeps it outside, as torch.optim.SGD does.",
            convention=True,
        ),
        WrongAnswer(
            edit(NESTEROV_STEP, ("return theta, v", "return v, theta")),
            "The two are exchanged: return `theta` first, then `v`.",
            points=1,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def nesterov_step(theta, v, gradient, learning_rate, momentum):
                ahead = theta - learning_rate * momentum * v
                g = gradient(ahead)
                return ahead - learning_rate * g, momentum * v + g
            """
        ),
    ],
)


# 5.2 The shifted form ---------------------------------------------------------------------------------


def compare_shifted(cls, seed, steps, **options):
    grads = [random_params(1000 * seed + t) for t in range(1, steps + 1)]
    compare_runs(cls, NesterovMomentum, random_params(seed), grads, **options)


def shifted_first_step(cls):
    compare_shifted(cls, 52, 1, learning_rate=0.1, momentum=0.8)


def shifted_twelve_steps(cls):
    compare_shifted(cls, 53, 12, learning_rate=0.05, momentum=0.9)
    check_defaults(cls, NesterovMomentum, seed=550)


def shifted_in_place(cls):
    check_in_place(cls(learning_rate=0.1, momentum=0.5), random_params(54), random_params(55))


def shifted_with_schedule(cls):
    rates, note = [0.1] * 5 + [0.01] * 4, ", the rate cut to a tenth after the fifth,"
    compare_shifted(cls, 56, 9, rates=rates, note=note, learning_rate=0.1, momentum=0.9)


MY_NESTEROV = """
class MyNesterov:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity = {}

    def update(self, params, grads):
        for name in params:
            if name not in self.velocity:
                self.velocity[name] = np.zeros_like(params[name])
            v = self.momentum * self.velocity[name] + grads[name]
            self.velocity[name] = v
            params[name] -= self.learning_rate * (grads[name] + self.momentum * v)
        return params
"""

NEW_V = "v = self.momentum * self.velocity[name] + grads[name]"
SHIFTED_STEP = "self.learning_rate * (grads[name] + self.momentum * v)"

shifted_form = Exercise(
    id="5.2",
    title="The shifted form",
    answer="MyNesterov",
    prompt="""
        Write `MyNesterov.update(params, grads)` in the form that stores the look-ahead point: the gradients that you
        are given were measured at `params`, and there is no second chance to measure. Change every array of `params`
        in place and return the same dict. Keep the learning rate out of the velocity, so that a change of
        `learning_rate` during the run acts at once, as in `torch.optim.SGD(nesterov=True)`.
    """,
    starter="""
        class MyNesterov:
            def __init__(self, learning_rate=0.01, momentum=0.9):
                self.learning_rate = learning_rate
                self.momentum = momentum
                self.velocity = {}

            def update(self, params, grads):
                return ...
    """,
    checks=[
        Check(
            "the first step", 1, shifted_first_step, "From `v = 0`, the first step is `1 + momentum` times the rate."
        ),
        Check("twelve steps", 2, shifted_twelve_steps, "Which velocity looks ahead: the old one, or the new?"),
        Check("the same dict, changed in place", 1, shifted_in_place, "`a -= b` changes an array."),
        Check(
            "a rate that is cut during the run", 1, shifted_with_schedule, "What does your velocity hold after the cut?"
        ),
    ],
    hints=[
        "Subtract the two look-ahead points of successive steps from each other. The old velocity can be written "
        "with the "
        "new one and the gradient.",
        "First the velocity, as in momentum: `v = momentum * v + grad`. The step then has two parts, the gradient "
        "itself "
        "and the next look-ahead.",
        "`params[name] -= self.learning_rate * (grads[name] + self.momentum * v)` with the new `v`, kept in "
        "`self.velocity[name]`.",
    ],
    solution=MY_NESTEROV,
    explanation=(
        "The step is made of the gradient, which completes the move from the look-ahead point to the position, and of "
        "the next look-ahead, `momentum` times the new velocity. Nothing is measured twice."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(MY_NESTEROV, (SHIFTED_STEP, "self.learning_rate * v")),
            "This is momentum: a step along the new velocity (or, what is the same, along the gradient plus momentum "
            "times the "
            "*old* velocity). The look-ahead takes momentum times the *new* one, which holds this gradient already.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_NESTEROV, (SHIFTED_STEP, "self.learning_rate * (v + self.momentum * v)")),
            "The step takes the whole new velocity *and* the look-ahead, `1 + momentum` times `v`. The old velocity "
            "is in "
            "the stored point already: add the gradient alone, not `v`.",
            points=2,
        ),
        WrongAnswer(
            """
            class MyNesterov:
                def __init__(self, learning_rate=0.01, momentum=0.9):
                    self.learning_rate = learning_rate
                    self.momentum = momentum
                    self.velocity = {}

                def update(self, params, grads):
                    for name in params:
                        old = self.velocity.get(name, np.zeros_like(params[name]))
                        new = self.momentum * old - self.learning_rate * grads[name]
                        self.velocity[name] = new
                        params[name] += -self.momentum * old + (1 + self.momentum) * new
                    return params
            """,
            "The learning rate is inside the velocity, as in the article's listing and in Keras. As long as the rate "
            "is "
            "constant the two are the same; after a cut this velocity still holds steps of the old size. This exercise "
            "keeps the rate outside.",
            points=4,
            convention=True,
        ),
        WrongAnswer(
            edit(MY_NESTEROV, (NEW_V, "v = self.momentum * self.velocity[name] + (1 - self.momentum) * grads[name]")),
            "This velocity is an average: the new gradient has the weight `1 - momentum` where it should have the "
            "weight 1.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(MY_NESTEROV, ("            self.velocity[name] = v\n", "")),
            "The new velocity is never kept: at every step the memory is empty, and each step is `1 + momentum` times "
            "plain gradient descent.",
        ),
        WrongAnswer(
            edit(MY_NESTEROV, ("params[name] -= self", "params[name] = params[name] - self")),
            "is a new array",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_NESTEROV, ("        return params", "        return dict(params)")),
            "`update` returns another dict",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_NESTEROV, ("params[name] -= self", "params[name] += self")),
            "The step goes uphill: subtract it.",
            points=1,
        ),
        WrongAnswer(
            """
            class MyNesterov:
                def __init__(self, learning_rate=0.01, momentum=0.9):
                    self.learning_rate = learning_rate
                    self.momentum = momentum
                    self.velocity = 0.0

                def update(self, params, grads):
                    for name in params:
                        self.velocity = self.momentum * np.mean(self.velocity) + grads[name]
                        params[name] -= self.learning_rate * (grads[name] + self.momentum * self.velocity)
                    return params
            """,
            "All parameters share one velocity: keep one for every name.",
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            class MyNesterov:
                def __init__(self, learning_rate=0.01, momentum=0.9):
                    self.learning_rate = learning_rate
                    self.momentum = momentum
                    self.velocity = {}

                def update(self, params, grads):
                    for name, theta in params.items():
                        old = self.velocity.get(name, 0.0)
                        new = self.momentum * old + grads[name]
                        self.velocity[name] = new
                        theta += self.learning_rate * (self.momentum * old - (1 + self.momentum) * new)
                    return params
            """
        ),
    ],
)


# 5.3 Convert between them -------------------------------------------------------------------------------


def shifted_run(seed, start, steps, learning_rate, momentum):
    """The points that the library stores, and the gradients that it was given, on a random quadratic."""
    rng = np.random.default_rng(seed)
    curvatures = rng.uniform(0.5, 4.0, len(start))
    params, optimizer = {"p": np.array(start)}, NesterovMomentum(learning_rate=learning_rate, momentum=momentum)
    points, grads = [params["p"].copy()], []
    for _ in range(steps):
        grads.append(curvatures * params["p"])
        optimizer.update(params, {"p": grads[-1]})
        points.append(params["p"].copy())
    positions, _ = look_ahead(lambda p: curvatures * p, start, steps, learning_rate, momentum)
    return np.array(points), np.array(grads), positions


def compare_positions(positions, seed, start, steps, what, learning_rate=0.1, momentum=0.8):
    points, grads, expected = shifted_run(seed, np.array(start), steps, learning_rate, momentum)
    got = positions(points, grads, learning_rate, momentum)
    got = numeric(got, "the array of positions")
    if got.shape == (steps, len(start)):
        raise Wrong("A position is missing: there is one for each stored point, the start included.")
    if got.shape != expected.shape:
        close(got, expected, "the array of positions")
    close(got - points[0], expected - points[0], f"in a run of {what}, the array of positions minus `points[0]`")


def one_conversion(positions):
    compare_positions(positions, 57, [1.0, -2.0, 0.5], 1, "one step")


def two_conversions(positions):
    compare_positions(positions, 58, [2.0, 1.0, -1.0], 2, "two steps")


def long_conversion(positions):
    start = [1.0, -1.0, 3.0, 0.5]
    compare_positions(positions, 59, start, 15, "15 steps", 0.05, 0.9)
    unchanged_inputs(positions)


POSITIONS = """
def positions(points, grads, learning_rate, momentum):
    \"\"\"The positions of the look-ahead form, from the stored points.\"\"\"
    v = np.zeros_like(points[0])
    found = [points[0]]
    for point, grad in zip(points[1:], grads):
        v = momentum * v + grad
        found.append(point + learning_rate * momentum * v)
    return np.array(found)
"""

BACK = "point + learning_rate * momentum * v"

convert = Exercise(
    id="5.3",
    title="Convert between them",
    answer="positions",
    prompt="""
        A run of the shifted form has left its record. Row 0 of `points` is the start, row `t` the point stored after
        step `t`, and row `t - 1` of `grads` is the gradient that step `t` was given: `points` has one row more. Both
        rate and momentum were constant, and the velocity started at zero. Return the *positions* of the look-ahead
        form, $\\theta$ at the start and after each step: an array of the shape of `points`.
    """,
    starter="""
        def positions(points, grads, learning_rate, momentum):
            \"\"\"The positions of the look-ahead form, from the stored points.\"\"\"
            return ...
    """,
    checks=[
        Check("one step", 1, one_conversion, "The first two rows: the start, and where plain descent would be."),
        Check("two steps", 2, two_conversions, "Which velocity separates the stored point from the position?"),
        Check("fifteen steps", 2, long_conversion, "The velocity is rebuilt from the gradients, step by step."),
    ],
    hints=[
        "The stored point is the position minus the rate times the momentum times a velocity. The record does not hold "
        "the velocity. Can it be rebuilt?",
        "`v = momentum * v + grad`, from zero, with one gradient for each step. After a step, the stored point has "
        "looked ahead with that new `v`.",
        "Start the list with `points[0]`, and for each later point append `point + learning_rate * momentum * v`.",
    ],
    solution=POSITIONS,
    explanation=(
        "Undoing the look-ahead needs the velocity, and the gradients have it. There is a shorter way: the position "
        "after "
        "a step is the point before it minus the rate times its gradient, since the gradient completes the look-ahead."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(POSITIONS, (BACK, "point - learning_rate * momentum * v")),
            "This looks ahead once more: the stored point is ahead of the position already. Add the look-ahead back.",
            points=0,
        ),
        WrongAnswer(
            edit(POSITIONS, (BACK, "point + learning_rate * v")),
            "The look-ahead is `learning_rate * momentum * v`: the momentum is missing.",
            points=0,
        ),
        WrongAnswer(
            edit(POSITIONS, (BACK, "point + momentum * v")),
            "The learning rate is missing: here the velocity is a sum of gradients, not of steps.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(
                POSITIONS,
                (
                    "        v = momentum * v + grad\n        found.append(point + learning_rate * momentum * v)",
                    "        found.append(point + learning_rate * momentum * v)\n        v = momentum * v + grad",
                ),
            ),
            "The velocity is one step late: the point after step t has looked ahead with the velocity that step t "
            "made.",
            points=0,
        ),
        WrongAnswer(
            edit(POSITIONS, ("v = momentum * v + grad", "v = grad")),
            "Only the newest gradient is in your velocity. It is a decayed sum of all of them.",
            points=1,
        ),
        WrongAnswer(
            edit(POSITIONS, (BACK, "point")),
            "These are the stored points themselves. The positions lie behind them, by the look-ahead.",
            points=0,
        ),
        WrongAnswer(
            edit(POSITIONS, ("    found = [points[0]]", "    found = []")),
            "there is one for each stored point",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(POSITIONS, ("point + learning_rate * momentum * v", "point - learning_rate * grad")),
            "The gradient of step t was measured at the point *before* that step: subtract it from row t - 1, not from "
            "row t.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def positions(points, grads, learning_rate, momentum):
                return np.vstack([points[:1], points[:-1] - learning_rate * grads])
            """
        ),
    ],
)


# 5.4 When it loses --------------------------------------------------------------------------------------


def expected_factors(curvatures, learning_rate, momentum):
    products = learning_rate * np.asarray(curvatures)
    return tuple(float(radius(cls, products, [momentum]).max()) for cls in (MomentumSGD, NesterovMomentum))


def compare_factors(factors, cases):
    results = [outputs(factors(np.array(c), eta, beta), "momentum", "nesterov") for c, eta, beta in cases]
    for got, (curvatures, eta, beta) in zip(results, cases, strict=True):
        where = f"for curvatures {curvatures}, rate {eta:g} and momentum {beta:g}"
        expected = expected_factors(curvatures, eta, beta)
        close(got[0], expected[0], f"momentum's factor {where}", rtol=1e-6)
        close(got[1], expected[1], f"Nesterov's factor {where}", rtol=1e-6)


def swinging(factors):
    compare_factors(factors, [([2.0], 0.1, 0.9), ([5.0], 0.1, 0.8)])


def creeping(factors):
    compare_factors(factors, [([0.5], 0.01, 0.5), ([1.0], 0.02, 0.6)])


def several_curvatures(factors):
    compare_factors(factors, [([1.0, 7.0, 25.0], 0.02, 0.8), ([0.2, 3.0], 0.3, 0.6)])


def beyond_the_edge(factors):
    compare_factors(factors, [([1.0, 25.0], 0.06, 0.9), ([10.0, 0.1], 0.15, 0.5)])


FACTORS = """
def factors(curvatures, learning_rate, momentum):
    \"\"\"By how much each rule shrinks its worst direction in a step: momentum's factor, then Nesterov's.\"\"\"
    heavy, nesterov = [], []
    for curvature in curvatures:
        a, b = learning_rate * curvature, momentum
        matrix = np.array([[1 - a, -b], [a, b]])
        heavy.append(np.abs(np.linalg.eigvals(matrix)).max())
        matrix = np.array([[1 - a * (1 + b), -b * b], [a, b]])
        nesterov.append(np.abs(np.linalg.eigvals(matrix)).max())
    return max(heavy), max(nesterov)
"""

FACTORS_STARTER = """
def factors(curvatures, learning_rate, momentum):
    \"\"\"By how much each rule shrinks its worst direction in a step: momentum's factor, then Nesterov's.\"\"\"
    heavy, nesterov = [], []
    for curvature in curvatures:
        a, b = learning_rate * curvature, momentum
        # Momentum takes (c, u) to (c - (a c + b u), a c + b u), where u is the rate times the velocity.
        matrix = np.array([[1 - a, -b], [a, b]])
        heavy.append(...)
        matrix = ...
        nesterov.append(...)
    return ..., ...
"""

NESTEROV_MATRIX = "[[1 - a * (1 + b), -b * b], [a, b]]"

when_it_loses = Exercise(
    id="5.4",
    title="When it loses",
    answer="factors",
    prompt="""
        On a quadratic, both rules act on each direction by a fixed 2-by-2 matrix, and the largest absolute value of its
        eigenvalues says how fast that direction shrinks in the long run. The slowest direction decides. Write
        `factors(curvatures, learning_rate, momentum)`: the largest of these over all `curvatures`, first for momentum,
        then for Nesterov's rule. At 1 or more, the rule does not converge. (The shifted form and the look-ahead form
        have the same eigenvalues: take the one you like.)
    """,
    starter=FACTORS_STARTER,
    checks=[
        Check("a direction that swings", 1, swinging, "Complex eigenvalues count with their absolute value."),
        Check("a direction that creeps", 1, creeping, "Real eigenvalues: the larger of the two decides."),
        Check("several curvatures", 1, several_curvatures, "Either rule is as slow as its slowest direction."),
        Check("beyond the edge", 2, beyond_the_edge, "A factor above 1 is a right answer: here one rule diverges."),
    ],
    hints=[
        "For the shifted form, write one step of a single direction: the gradient is the curvature times `c`. Then "
        "read "
        "off how the new `c` and the new velocity depend on the old ones.",
        "With `u` for the rate times the velocity: `u_new = a c + b u`, and the step is `c_new = c - a c - b u_new`. "
        "Insert the first into the second.",
        f"The matrix is `{NESTEROV_MATRIX}`. Its factor is `np.abs(np.linalg.eigvals(matrix)).max()`; at the end take "
        "the `max` over the curvatures.",
    ],
    solution=FACTORS,
    explanation=(
        "Nesterov's factor is momentum's with the momentum b (1 - a) in each direction: smaller while a < 1. Once a "
        "passes 1 + 1 / (1 + 2b) it diverges, long before momentum does at 2 + 2b. So Nesterov loses where the rate is "
        "large, and ties where the slowest direction is flat."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(FACTORS, (NESTEROV_MATRIX, "[[1 - a, -b], [a, b]]")),
            "Both factors are momentum's. In Nesterov's rule the step is the gradient plus momentum times the *new* "
            "velocity, which holds the gradient once more.",
            points=0,
        ),
        WrongAnswer(
            edit(FACTORS, (NESTEROV_MATRIX, "[[1 - a * (1 + b), -b], [a, b]]")),
            "In the first row the old velocity comes with `b` where it should have `b * b`: the new velocity holds `b` "
            "times the old one, and the step takes `b` times the new.",
            points=0,
        ),
        WrongAnswer(
            edit(FACTORS, (NESTEROV_MATRIX, "[[1 - a, -b], [a, b * (1 - a)]]")),
            "The second row has the look-ahead form's effective momentum `b (1 - a)`, but the position moves with that "
            "same new velocity: the first row needs it too.",
            points=0,
        ),
        WrongAnswer(
            edit(FACTORS, ("return max(heavy), max(nesterov)", "return min(heavy), min(nesterov)")),
            "This is the fastest direction. The slowest one decides: take the maximum over the curvatures.",
            points=2,
        ),
        WrongAnswer(
            edit(FACTORS, ("return max(heavy), max(nesterov)", "return np.mean(heavy), np.mean(nesterov)")),
            "This averages over the curvatures. In the long run only the slowest direction is left: take the maximum.",
            points=2,
        ),
        WrongAnswer(
            edit(
                FACTORS,
                (
                    "    return max",
                    "    heavy = [min(f, 1) for f in heavy]\n    nesterov = [min(f, 1) for f in nesterov]\n    "
                    "return max",
                ),
            ),
            "The factors are cut off at 1. A divergent direction has a factor above 1, and how far above matters.",
            points=3,
        ),
        WrongAnswer(
            edit(
                FACTORS,
                (
                    "heavy.append(np.abs(np.linalg.eigvals(matrix)).max())",
                    "heavy.append(np.linalg.eigvals(matrix).real.max())",
                ),
                (
                    "nesterov.append(np.abs(np.linalg.eigvals(matrix)).max())",
                    "nesterov.append(np.linalg.eigvals(matrix).real.max())",
                ),
            ),
            "These are real parts of the eigenvalues. A swinging direction has complex ones, and a diverging one "
            "often a "
            "large negative one: take the absolute value.",
            points=1,
        ),
        WrongAnswer(
            edit(
                FACTORS,
                ("heavy.append(np.abs(np.linalg.eigvals(matrix)).max())", "heavy.append(np.linalg.norm(matrix, 2))"),
                (
                    "nesterov.append(np.abs(np.linalg.eigvals(matrix)).max())",
                    "nesterov.append(np.linalg.norm(matrix, 2))",
                ),
            ),
            "This is the norm of the matrix, what one step can do at worst. In the long run the eigenvalues decide.",
            points=0,
        ),
        WrongAnswer(
            edit(
                FACTORS,
                ("heavy.append(np.abs(np.linalg.eigvals(matrix)).max())", "heavy.append(np.sqrt(b))"),
                (
                    "nesterov.append(np.abs(np.linalg.eigvals(matrix)).max())",
                    "nesterov.append(np.sqrt(abs(b * (1 - a))))",
                ),
            ),
            "The root of the determinant is the factor only while the eigenvalues are complex. A creeping or diverging "
            "direction has two real ones, and the larger of them decides.",
            points=1,
        ),
        WrongAnswer(
            edit(FACTORS, ("return max(heavy), max(nesterov)", "return max(nesterov), max(heavy)")),
            "The two are exchanged: return momentum's factor first.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(edit(FACTORS, (NESTEROV_MATRIX, "[[1 - a, -b * (1 - a)], [a, b * (1 - a)]]"))),
        AcceptedAnswer(
            """
            def factors(curvatures, learning_rate, momentum):
                def worst(b, a):
                    return np.abs(np.roots([1, -(1 + b - a), b])).max()
                a = learning_rate * np.asarray(curvatures)
                return max(worst(momentum, x) for x in a), max(worst(momentum * (1 - x), x) for x in a)
            """
        ),
    ],
)

EXERCISES = [look_ahead_form, shifted_form, convert, when_it_loses]
