"""Chapter 10, advanced optimizers: the trust ratio, a repair of LARS, LAMB's step, Lion, and Newton-Schulz."""

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
)
from optim_lib.optimizers import LAMB, LARS, Lion
from optim_lib.optimizers.matrix import orthogonalize

TITLE = "Advanced optimizers"

SHAPES = {"weights": (3, 4), "bias": (5,)}


def random_arrays(seed, shapes=SHAPES):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def copies(params):
    return {name: value.copy() for name, value in params.items()}


def steps_of(optimizer, start, all_grads):
    """How far each update moves each parameter. All updates are made before any is judged."""
    params, steps = copies(start), []
    for grads in all_grads:
        before = copies(params)
        params = optimizer.update(params, copies(grads))
        if not isinstance(params, dict) or params.keys() != start.keys():
            raise Wrong(f"`update` should return the dict of parameters it was given: {', '.join(start)}.")
        steps.append({name: params[name] - before[name] for name in start})
    return steps


def compare_steps(mine, expected, rtol=1e-7, note=""):
    for t, (step, expected_step) in enumerate(zip(mine, expected, strict=True), start=1):
        for name in expected_step:
            close(step[name], expected_step[name], f"step {t} of {name!r}{note}", rtol=rtol)


# 10.1 The trust ratio --------------------------------------------------------------------------------


def ratio_of_lars(theta, grad, trust_coefficient, weight_decay):
    """The ratio behind one step of the library's LARS, from the lengths of the step and of what it multiplies."""
    lars = LARS(1.0, momentum=0.0, weight_decay=weight_decay, trust_coefficient=trust_coefficient)
    moved = lars.update({"theta": theta.copy()}, {"theta": grad})["theta"] - theta
    return np.linalg.norm(moved) / np.linalg.norm(grad + weight_decay * theta)


def layer(seed, shape=(3, 4)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), 0.1 * rng.normal(size=shape)


def ratio_of_a_layer(trust_ratio):
    theta, grad = layer(1001)
    close(trust_ratio(theta, grad, 1.0, 0.0), ratio_of_lars(theta, grad, 1.0, 0.0), "the ratio of a matrix")


def ratio_with_decay(trust_ratio):
    theta, grad = layer(1002, (2, 5))
    actual = trust_ratio(theta, grad, 0.02, 0.3)
    close(
        actual, ratio_of_lars(theta, grad, 0.02, 0.3), "the ratio with a weight decay of 0.3 and a coefficient of 0.02"
    )


def ratio_without_norms(trust_ratio):
    theta, grad = layer(1003)
    with np.errstate(all="ignore"):
        fresh = trust_ratio(np.zeros_like(theta), grad, 0.02, 0.3)
        still = trust_ratio(theta, np.zeros_like(grad), 0.02, 0.3)
        other = trust_ratio(theta, grad, 0.02, 0.3)
    if np.all(numeric(other, "the ratio") == 1):
        raise Wrong("The ratio is 1 where no norm is zero, too: a constant.")
    close(fresh, 1.0, "the ratio of a layer whose weights are all zero")
    close(still, 1.0, "the ratio of a layer whose gradient is zero")


RATIO = """
def trust_ratio(theta, grad, trust_coefficient, weight_decay):
    \"\"\"LARS's factor on the rate of one layer; 1 where a norm is zero.\"\"\"
    weight_norm, grad_norm = np.linalg.norm(theta), np.linalg.norm(grad)
    if weight_norm == 0 or grad_norm == 0:
        return 1.0
    return trust_coefficient * weight_norm / (grad_norm + weight_decay * weight_norm)
"""

RATIO_STARTER = """
def trust_ratio(theta, grad, trust_coefficient, weight_decay):
    \"\"\"LARS's factor on the rate of one layer; 1 where a norm is zero.\"\"\"
    return ...
"""

the_ratio = Exercise(
    id="10.1",
    title="The trust ratio",
    answer="trust_ratio",
    prompt="""
        Write `trust_ratio(theta, grad, trust_coefficient, weight_decay)`: LARS's factor on the rate of the layer
        `theta`, a number. It is $\\phi\\lVert\\theta\\rVert / (\\lVert g\\rVert + \\lambda\\lVert\\theta\\rVert)$,
        and 1 where
        either norm is zero.
    """,
    starter=RATIO_STARTER,
    checks=[
        Check(
            "a layer without weight decay", 1, ratio_of_a_layer, "Which norm goes on top, and over how many numbers?"
        ),
        Check("weight decay and a coefficient", 1, ratio_with_decay, "Compare the denominator with the equation."),
        Check("norms that are zero", 1, ratio_without_norms, "A fresh bias is zero. What should its ratio be?"),
    ],
    hints=[
        "`np.linalg.norm` of a matrix is the root of the sum of all squares: one number for the whole layer.",
        "Compute both norms first, and return 1.0 if one of them is zero.",
        "The rest is `trust_coefficient * weight_norm / (grad_norm + weight_decay * weight_norm)`.",
    ],
    solution=RATIO,
    explanation=(
        "One number for a whole layer: multiplied by the gradient, it makes a step whose length is a fixed share "
        "of the "
        "length of the weights. Where the weights are zero that share would be zero too, so the ratio is 1."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(
                RATIO,
                ("trust_coefficient * weight_norm / (grad_norm + weight_decay * weight_norm)", "RESULT"),
                ("RESULT", "(grad_norm + weight_decay * weight_norm) / (trust_coefficient * weight_norm)"),
            ),
            "The ratio is upside down: a layer with a large gradient needs the smaller factor.",
            points=1,
        ),
        WrongAnswer(
            edit(RATIO, ("    if weight_norm == 0 or grad_norm == 0:\n        return 1.0\n", "")),
            "Zero norms are not taken care of: a bias that starts at zero would get the ratio 0 and never move.",
            points=2,
        ),
        WrongAnswer(
            edit(RATIO, ("weight_norm == 0 or grad_norm == 0", "grad_norm == 0")),
            "Weights that are all zero get the ratio 0, so they stay zero for ever. The ratio is 1 there as well.",
            points=2,
            evident=True,
        ),
        WrongAnswer(
            edit(RATIO, ("return 1.0", "return 0.0")),
            "Where a norm is zero the ratio is 0 here: a bias that starts at zero would never move. It should be 1.",
            points=2,
            evident=True,
        ),
        WrongAnswer(
            edit(RATIO, ("grad_norm + weight_decay * weight_norm", "np.linalg.norm(grad + weight_decay * theta)")),
            "The denominator is the norm of the sum, `grad + weight_decay * theta`. Some implementations do that (LAMB "
            "does); LARS as published adds the two norms, and this exercise asks for that.",
            points=2,
            convention=True,
        ),
        WrongAnswer(
            edit(RATIO, ("(grad_norm + weight_decay * weight_norm)", "grad_norm")),
            "The weight decay is missing from the denominator.",
            points=2,
        ),
        WrongAnswer(
            edit(
                RATIO,
                (
                    "np.linalg.norm(theta), np.linalg.norm(grad)",
                    "np.linalg.norm(theta, axis=0), np.linalg.norm(grad, axis=0)",
                ),
                ("weight_norm == 0 or grad_norm == 0", "not weight_norm.all() or not grad_norm.all()"),
            ),
            "This is a ratio for each column. A layer is the whole array: one norm over all its numbers.",
            points=1,
        ),
        WrongAnswer(
            edit(RATIO, ("np.linalg.norm(theta), np.linalg.norm(grad)", "np.abs(theta).sum(), np.abs(grad).sum()")),
            "These are sums of absolute values. The norms are Euclidean: the root of the sum of squares.",
            points=1,
        ),
        WrongAnswer(
            edit(
                RATIO,
                ("np.linalg.norm(theta), np.linalg.norm(grad)", "np.linalg.norm(theta, 2), np.linalg.norm(grad, 2)"),
            ),
            "`np.linalg.norm(matrix, 2)` is the largest singular value. Leave the 2 out: the norm of a layer is "
            "the root "
            "of the sum of all its squares.",
            points=1,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def trust_ratio(theta, grad, trust_coefficient, weight_decay):
                w = (theta**2).sum() ** 0.5
                g = (grad**2).sum() ** 0.5
                return trust_coefficient * w / (g + weight_decay * w) if w > 0 and g > 0 else 1
            """
        )
    ],
)


# 10.2 Repair the article's LARS ------------------------------------------------------------------------


def lars(**settings):
    return LARS(weight_decay=0.0, **settings)


def one_step_of_each_scale(repaired):
    start, grads = {"weights": layer(1010)[1]}, random_arrays(1011, {"weights": (3, 4)})
    settings, scales = {"learning_rate": 0.5, "momentum": 0.0, "trust_coefficient": 0.1}, (1, 10, 0.01)
    mine = [steps_of(repaired(**settings), start, [{"weights": s * grads["weights"]}])[0] for s in scales]
    expected = steps_of(lars(**settings), start, [grads])[0]
    for scale, step in zip(scales, mine, strict=True):
        # A tiny number added to a norm, as a precaution, is no fault.
        close(step["weights"], expected["weights"], f"the first step with the loss multiplied by {scale}", rtol=1e-5)


def steps_with_momentum(repaired):
    start = random_arrays(1012)
    grads = [random_arrays(seed) for seed in range(1013, 1019)]
    settings = {"learning_rate": 0.5, "momentum": 0.8, "trust_coefficient": 0.1}
    compare_steps(steps_of(repaired(**settings), start, grads), steps_of(lars(**settings), start, grads), rtol=1e-5)
    small = [{"weights": layer(seed)[1]} for seed in range(1090, 1094)]
    mine, expected = steps_of(repaired(), small[0], small), steps_of(LARS(weight_decay=0.0), small[0], small)
    compare_steps(mine, expected, rtol=1e-5, note=", with the starter's defaults (the class made without arguments),")


def zero_weights_and_zero_gradients(repaired):
    start = {"weights": random_arrays(1019)["weights"], "bias": np.zeros(5)}
    some, later = random_arrays(1020), random_arrays(1021)
    settings = {"learning_rate": 0.5, "momentum": 0.8, "trust_coefficient": 0.1}
    with np.errstate(all="ignore"):
        grads = [some, {"weights": np.zeros((3, 4)), "bias": np.zeros(5)}, later]
        mine = steps_of(repaired(**settings), start, grads)
    compare_steps(mine, steps_of(lars(**settings), start, grads), rtol=1e-5)


REPAIRED = """
class RepairedLARS:
    def __init__(self, learning_rate=0.1, momentum=0.9, trust_coefficient=0.001):
        self.learning_rate, self.momentum = learning_rate, momentum
        self.trust_coefficient = trust_coefficient
        self.velocity = {}

    def update(self, params, grads):
        for name, theta in params.items():
            grad = grads[name]
            velocity = self.velocity.setdefault(name, np.zeros_like(theta))
            weight_norm, grad_norm = np.linalg.norm(theta), np.linalg.norm(grad)
            ratio = 1.0
            if weight_norm > 0 and grad_norm > 0:
                ratio = self.trust_coefficient * weight_norm / grad_norm
            velocity *= self.momentum
            velocity += self.learning_rate * ratio * grad
            theta -= velocity
        return params
"""
GUARD = (
    """            ratio = 1.0
            if weight_norm > 0 and grad_norm > 0:
                ratio = self.trust_coefficient * weight_norm / grad_norm
""",
    """            ratio = self.trust_coefficient * weight_norm / grad_norm
""",
)
TWICE = ("ratio * grad\n", "ratio * grad / grad_norm\n")

repair = Exercise(
    id="10.2",
    title="Repair the article's LARS",
    answer="RepairedLARS",
    prompt="""
        This is the article's LARS in the chapter's notation, with momentum and a trust coefficient around it and
        without
        weight decay. Repair it, so that a step does not depend on the scale of the loss, a bias that starts at zero
        moves, and a gradient of zero does no harm. Where either norm is zero the whole ratio is 1, without the trust
        coefficient.
    """,
    starter=edit(REPAIRED, GUARD, TWICE),
    checks=[
        Check(
            "the same step whatever the scale of the loss",
            2,
            one_step_of_each_scale,
            "How long is the step, as a share of the weights? Put 10 times the gradient in, on paper.",
        ),
        Check("six steps with momentum", 1, steps_with_momentum, "What belongs into the velocity, and what does not?"),
        Check(
            "zero weights, zero gradients",
            1,
            zero_weights_and_zero_gradients,
            "Follow a bias of zeros through one update, and then a gradient of zeros.",
        ),
    ],
    hints=[
        "The ratio has the norm of the gradient in its denominator already. What is the length of `ratio * grad`?",
        "Do not divide `grad` by its norm again: `ratio * grad` has the length of the weights times the coefficient.",
        "Begin with `ratio = 1.0`, and compute the quotient only if both norms are above zero.",
    ],
    solution=REPAIRED,
    explanation=(
        "The ratio times the gradient is as long as the weights, times the coefficient: the gradient's own length has "
        "canceled. Dividing by it once more brings the length back, upside down: the larger the gradient, the "
        "shorter the step."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(REPAIRED, TWICE),
            "Zero norms are taken care of, but the gradient's norm still divides twice: with ten times the loss "
            "the step "
            "is ten times shorter.",
            points=0,
        ),
        WrongAnswer(
            edit(REPAIRED, GUARD),
            "The scale is right. Left to mend: a bias of zeros has the ratio 0 and never moves, and a gradient of "
            "zeros "
            "makes 0/0.",
            points=3,
        ),
        WrongAnswer(
            edit(REPAIRED, ("weight_norm > 0 and grad_norm > 0", "grad_norm > 0")),
            "A gradient of zeros does no harm now, but a bias of zeros has the ratio 0 and stays: it should be 1.",
            points=3,
        ),
        WrongAnswer(
            edit(REPAIRED, ("ratio = 1.0", "ratio = self.trust_coefficient")),
            "Where a norm is zero your ratio is the trust coefficient. It should be 1 there: then a bias of zeros "
            "takes a step of the plain learning rate.",
            points=3,
        ),
        WrongAnswer(
            edit(
                REPAIRED,
                ("self.trust_coefficient * weight_norm / grad_norm", "self.trust_coefficient * weight_norm"),
            ),
            "Now the gradient's norm does not divide at all: with ten times the loss the step is ten times longer. "
            "It has to "
            "divide once.",
            points=0,
        ),
        WrongAnswer(
            edit(
                REPAIRED,
                ("velocity += self.learning_rate * ratio * grad\n", "velocity += grad\n"),
                ("theta -= velocity", "theta -= self.learning_rate * ratio * velocity"),
            ),
            "The first step is right, but the ratio multiplies the whole velocity. In LARS each gradient enters "
            "the velocity "
            "with the ratio that it had, and with the rate.",
            points=2,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                REPAIRED,
                (
                    GUARD[0],
                    "            ratio = self.trust_coefficient * weight_norm / grad_norm "
                    "if weight_norm * grad_norm else 1.0\n",
                ),
            )
        ),
        AcceptedAnswer(edit(REPAIRED, ("weight_norm / grad_norm", "weight_norm / (grad_norm + 1e-8)"))),
    ],
)


# 10.3 LAMB's step --------------------------------------------------------------------------------------


LAMB_SETTINGS = {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.1, "weight_decay": 0.3}


def run_of_lamb(theta, grads, settings=LAMB_SETTINGS):
    lamb, params, path = LAMB(**settings), {"theta": theta.copy()}, [theta.copy()]
    for grad in grads:
        path.append(lamb.update(params, {"theta": grad})["theta"].copy())
    return np.diff(path, axis=0)


def run_of_step(lamb_step, theta, grads, settings=LAMB_SETTINGS):
    m, v, steps = np.zeros_like(theta), np.zeros_like(theta), []
    for t, grad in enumerate(grads, start=1):
        before = theta
        theta, m, v = outputs(lamb_step(theta, grad, m, v, t, **settings), "theta", "m", "v")
        steps.append(difference(theta, before, "the new theta"))
        theta, m, v = numeric(theta, "the new theta"), numeric(m, "the new `m`"), numeric(v, "the new `v`")
        for name, array in (("m", m), ("v", v)):
            difference(array, before, f"the new `{name}`")
    return steps


def lamb_first(lamb_step):
    theta, grad = layer(1030)
    grad = 10 * grad
    close(
        run_of_step(lamb_step, theta, [grad])[0], run_of_lamb(theta, [grad])[0], "the first step, with epsilon = 0.1,"
    )


def lamb_eight(lamb_step):
    theta, _ = layer(1031, (2, 5))
    grads = np.random.default_rng(1032).normal(size=(8, 2, 5))
    mine, expected = run_of_step(lamb_step, theta, grads), run_of_lamb(theta, grads)
    for t, (step, expected_step) in enumerate(zip(mine, expected, strict=True), start=1):
        close(step, expected_step, f"step {t} of 8")
    unchanged_inputs(lamb_step)


def lamb_from_zero(lamb_step):
    theta, grads = np.zeros(4), np.random.default_rng(1033).normal(size=(3, 4))
    (still, grad), without_decay = layer(1034), LAMB_SETTINGS | {"weight_decay": 0.0}
    with np.errstate(all="ignore"):
        mine = run_of_step(lamb_step, theta, grads)
        at_rest, moving = run_of_step(lamb_step, still, [0 * still, grad], without_decay)
    close(at_rest, 0 * still, "the step with a gradient of zeros and no weight decay")
    close(moving, run_of_lamb(still, [0 * still, grad], without_decay)[1], "the step after it, without weight decay,")
    for t, (step, expected_step) in enumerate(zip(mine, run_of_lamb(theta, grads), strict=True), start=1):
        close(step, expected_step, f"step {t} of a bias that starts at zero")


LAMB_STEP = """
def lamb_step(
    theta, grad, m, v, t, learning_rate, beta1, beta2, epsilon, weight_decay
):
    \"\"\"Step number t (1, 2, ...) of LAMB: return the new theta, m and v.\"\"\"
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    direction = m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * theta
    weight_norm, norm = np.linalg.norm(theta), np.linalg.norm(direction)
    ratio = weight_norm / norm if weight_norm > 0 and norm > 0 else 1.0
    theta = theta - learning_rate * ratio * direction
    return theta, m, v
"""

lamb_exercise = Exercise(
    id="10.3",
    title="LAMB's step",
    answer="lamb_step",
    prompt="""
        Complete one step of LAMB, as its paper has it: Adam's two corrected moments, the decay inside the
        direction, and
        the ratio of the weights' norm to the direction's; epsilon is added outside the root. Where either norm is zero
        the ratio is 1.
    """,
    starter=edit(
        LAMB_STEP,
        (
            """    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    direction = m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * theta
    weight_norm, norm = np.linalg.norm(theta), np.linalg.norm(direction)
    ratio = weight_norm / norm if weight_norm > 0 and norm > 0 else 1.0
""",
            """    direction = ...
    ratio = ...
""",
        ),
    ),
    checks=[
        Check(
            "the first step of a matrix",
            2,
            lamb_first,
            "Write the direction out for one gradient, with both corrections.",
        ),
        Check("eight steps", 2, lamb_eight, "The corrections change with `t`. Does the decay change the direction?"),
        Check("a bias that starts at zero", 1, lamb_from_zero, "The norm of the weights is zero at first."),
    ],
    hints=[
        "The direction is what AdamW would step along: the corrected ratio, plus `weight_decay * theta`.",
        "The ratio is taken after the decay has been added: the norm of `theta` over the norm of the whole direction.",
        "`direction = m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * theta`, and the ratio is "
        "`np.linalg.norm(theta) / np.linalg.norm(direction)`, or 1 where one of them is zero.",
    ],
    solution=LAMB_STEP,
    explanation=(
        "LAMB is AdamW with a length of its own: AdamW chooses the direction in the layer's space, the ratio makes "
        "the step "
        "as long as the rate times the layer."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(LAMB_STEP, ("m / (1 - beta1**t)", "m"), ("v / (1 - beta2**t)", "v")),
            "The bias correction is missing, as it is in the article. The ratio cancels it only without decay and "
            "epsilon; here "
            "both are large.",
            points=0,
        ),
        WrongAnswer(
            edit(LAMB_STEP, ("np.linalg.norm(direction)", "np.linalg.norm(grad)")),
            "The ratio divides by the norm of the gradient. LAMB divides by the norm of its direction, decay and all.",
            points=0,
        ),
        WrongAnswer(
            edit(
                LAMB_STEP,
                (" + weight_decay * theta\n", "\n"),
                ("ratio * direction", "(ratio * direction + weight_decay * theta)"),
            ),
            "The decay stays outside of the ratio, as if AdamW had been rescaled before its decay. In LAMB it is "
            "part of the "
            "direction.",
            points=0,
        ),
        WrongAnswer(
            edit(
                LAMB_STEP,
                ("np.linalg.norm(direction)\n", "np.linalg.norm(direction - weight_decay * theta)\n"),
            ),
            "The decay is in the step but not in the norm that divides. The norm is that of the whole direction.",
            points=0,
        ),
        WrongAnswer(
            edit(LAMB_STEP, ("learning_rate * ratio * direction", "learning_rate * direction")),
            "Without the ratio this is AdamW: its step is not a share of the layer's length.",
            points=0,
        ),
        WrongAnswer(
            edit(LAMB_STEP, ("np.sqrt(v_hat) + epsilon", "np.sqrt(v_hat + epsilon)")),
            "Epsilon stands inside the root; this exercise adds it outside, as in Adam's chapter.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(LAMB_STEP, (" if weight_norm > 0 and norm > 0 else 1.0", "")),
            "A bias that starts at zero has the ratio 0 and never moves: where a norm is zero the ratio is 1.",
            points=4,
        ),
        WrongAnswer(
            edit(LAMB_STEP, ("if weight_norm > 0 and norm > 0", "if weight_norm > 0")),
            "A direction of zeros makes 0/0 here: the ratio is 1 where *either* norm is zero.",
            points=4,
            evident=True,
        ),
        WrongAnswer(
            edit(LAMB_STEP, ("weight_norm / norm if", "norm / weight_norm if")),
            "The ratio is upside down: the norm of the weights goes on top.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                LAMB_STEP,
                (
                    "np.linalg.norm(theta), np.linalg.norm(direction)",
                    "(theta**2).sum() ** 0.5, (direction**2).sum() ** 0.5",
                ),
            )
        )
    ],
)


# 10.4 Lion -----------------------------------------------------------------------------------------------


def lion_first(my_lion):
    start, grads = random_arrays(1040, {"weights": (3, 4)}), [random_arrays(1041, {"weights": (3, 4)})]
    settings = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}
    compare_steps(steps_of(my_lion(**settings), start, grads), steps_of(Lion(**settings), start, grads))


def lion_twenty(my_lion):
    start, grads = random_arrays(1042), [random_arrays(seed) for seed in range(1050, 1070)]
    settings = {"learning_rate": 0.1, "beta1": 0.6, "beta2": 0.95, "weight_decay": 0.0}
    compare_steps(steps_of(my_lion(**settings), start, grads), steps_of(Lion(**settings), start, grads))
    lion_defaults(my_lion)


def lion_defaults(my_lion):
    """A sign shows a default only where the mixture is near zero: of many gradients, some are on either side."""
    start, ones = {"weights": np.linspace(0.5, 1.5, 100)}, {"weights": np.ones(100)}
    grads = [ones, ones, ones, {"weights": -np.linspace(0.0025, 0.5975, 100)}]
    mine, expected = steps_of(my_lion(), start, grads), steps_of(Lion(weight_decay=0.0), start, grads)
    compare_steps(mine, expected, note=", with the starter's defaults (the class made without arguments),")


def lion_decays(my_lion):
    start, grads = random_arrays(1043), [random_arrays(seed) for seed in range(1070, 1078)]
    settings = {"learning_rate": 0.1, "beta1": 0.6, "beta2": 0.95, "weight_decay": 0.7}
    compare_steps(steps_of(my_lion(**settings), start, grads), steps_of(Lion(**settings), start, grads))


MY_LION = """
class MyLion:
    def __init__(self, learning_rate=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.beta1, self.beta2 = beta1, beta2
        self.m = {}

    def update(self, params, grads):
        for name, theta in params.items():
            grad = grads[name]
            m = self.m.setdefault(name, np.zeros_like(theta))
            c = self.beta1 * m + (1 - self.beta1) * grad
            theta -= self.learning_rate * (np.sign(c) + self.weight_decay * theta)
            m += (1 - self.beta2) * (grad - m)
        return params
"""

MY_LION_STARTER = """
class MyLion:
    def __init__(self, learning_rate=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.beta1, self.beta2 = beta1, beta2
        self.m = {}

    def update(self, params, grads):
        return ...
"""

lion_exercise = Exercise(
    id="10.4",
    title="Lion",
    answer="MyLion",
    prompt="""
        Write `MyLion.update(params, grads)`: change every array of `params` in place and return the dict. The step
        is taken
        along the sign of the mixture $c_t$, with decoupled weight decay; the memory $m$ is renewed afterwards, with
        $\\beta_2$.
    """,
    starter=MY_LION_STARTER,
    checks=[
        Check("the first step", 1, lion_first, "With an empty memory, which way does each coordinate go, and how far?"),
        Check("twenty steps", 2, lion_twenty, "Two mixtures of the same two things: one to step, one to remember."),
        Check("weight decay", 1, lion_decays, "The decay is not part of what the sign is taken of."),
    ],
    hints=[
        "There is one array of memory for each parameter, and two mixtures of it with the gradient.",
        "First the step: the sign of `beta1 * m + (1 - beta1) * grad`. Only then does `m` become its own mixture, "
        "with `beta2`.",
        "`theta -= self.learning_rate * (np.sign(c) + self.weight_decay * theta)`, then `m += (1 - self.beta2) * "
        "(grad - m)`.",
    ],
    solution=MY_LION,
    explanation=(
        "The step looks back over about ten gradients and the memory over about a hundred: as with Nesterov, the "
        "newest "
        "gradient counts for more in the step than it will in the memory."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(
                MY_LION,
                ("            c = self.beta1 * m + (1 - self.beta1) * grad\n", ""),
                (
                    "            theta -= self.learning_rate * (np.sign(c) + self.weight_decay * theta)\n"
                    "            m += (1 - self.beta2) * (grad - m)\n",
                    "            m += (1 - self.beta2) * (grad - m)\n"
                    "            theta -= self.learning_rate * (np.sign(m) + self.weight_decay * theta)\n",
                ),
            ),
            "This steps along the sign of the memory `m`, with `beta2`. Lion takes the sign of a mixture of its "
            "own, with `beta1`.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_LION,
                ("self.beta1 * m + (1 - self.beta1) * grad", "self.beta2 * m + (1 - self.beta2) * grad"),
                ("m += (1 - self.beta2)", "m += (1 - self.beta1)"),
            ),
            "The two coefficients are exchanged: `beta1` belongs to the step, `beta2` to the memory.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_LION,
                (
                    "            c = self.beta1 * m + (1 - self.beta1) * grad\n",
                    "            m += (1 - self.beta2) * (grad - m)\n"
                    "            c = self.beta1 * m + (1 - self.beta1) * grad\n",
                ),
                (
                    "theta)\n            m += (1 - self.beta2) * (grad - m)\n",
                    "theta)\n",
                ),
            ),
            "The memory is renewed before the step, so the gradient enters the mixture twice. Step first, remember "
            "afterwards.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_LION,
                ("grad = grads[name]\n", "grad = grads[name] + self.weight_decay * theta\n"),
                (" + self.weight_decay * theta)\n            m +=", ")\n            m +="),
            ),
            "The decay is added to the gradient, as an L2 penalty, and disappears in the sign. Lion's decay is "
            "decoupled.",
            points=3,
        ),
        WrongAnswer(
            edit(
                MY_LION,
                ("(np.sign(c) + self.weight_decay * theta)", "np.sign(c + self.weight_decay * theta)"),
            ),
            "The decay is inside the sign, where all sizes are lost. Add it outside.",
            points=3,
        ),
        WrongAnswer(
            edit(
                MY_LION,
                (
                    "self.learning_rate * (np.sign(c) + self.weight_decay * theta)",
                    "self.learning_rate * np.sign(c) + self.weight_decay * theta",
                ),
            ),
            "The decay is not multiplied by the learning rate.",
            points=3,
        ),
        WrongAnswer(
            edit(MY_LION, ("np.sign(c)", "np.sign(m)")),
            "This steps along the sign of the memory as it was before the newest gradient, so every step is one "
            "gradient late and the first is zero. Lion takes the sign of a mixture with the newest gradient, `c`.",
            points=0,
        ),
        WrongAnswer(
            edit(MY_LION, ("np.sign(c)", "np.tanh(c)")),
            "`np.tanh` squeezes the mixture, but it keeps part of its size. Lion takes the sign: every number moves by "
            "the same amount.",
            points=0,
        ),
        WrongAnswer(
            edit(MY_LION, ("m += (1 - self.beta2)", "m += (1 - self.beta1)")),
            "Both mixtures use `beta1`. The memory has a mixture of its own, with `beta2`.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_LION, ("np.sign(c)", "c")),
            "The sign is missing: this is a step along the mixture itself, as momentum takes it.",
            points=0,
        ),
        WrongAnswer(
            edit(MY_LION, ("theta -= ", "theta += ")),
            "The step goes uphill: subtract it.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                MY_LION,
                (
                    "m += (1 - self.beta2) * (grad - m)",
                    "self.m[name] = self.beta2 * m + (1 - self.beta2) * grad",
                ),
            )
        )
    ],
)


# 10.5 Newton-Schulz ----------------------------------------------------------------------------------------


CUBIC, QUINTIC = (1.5, -0.5, 0.0), (3.4445, -4.7750, 2.0315)


def no_steps(newton_schulz):
    matrix = np.random.default_rng(1080).normal(size=(3, 5))
    close(newton_schulz(matrix, 0, CUBIC), matrix / np.linalg.norm(matrix), "the matrix after 0 steps")


def as_muon(newton_schulz):
    matrix = np.random.default_rng(1081).normal(size=(3, 5))
    close(newton_schulz(matrix, 5, QUINTIC), orthogonalize(matrix), "Muon's five steps of a 3 x 5 matrix", rtol=1e-6)


def to_the_end(newton_schulz):
    matrix = np.random.default_rng(1082).normal(size=(6, 2))
    u, _, vt = np.linalg.svd(matrix, full_matrices=False)
    close(
        newton_schulz(matrix, 40, CUBIC), u @ vt, "40 steps of the cubic, against U V^T, of a 6 x 2 matrix", rtol=1e-6
    )
    unchanged_inputs(newton_schulz)


NEWTON_SCHULZ = """
def newton_schulz(matrix, steps, coefficients):
    \"\"\"About U V^T, for a matrix that is U S V^T.\"\"\"
    a, b, c = coefficients
    x = matrix / np.linalg.norm(matrix)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + b * gram @ x + c * gram @ gram @ x
    return x
"""

newton_exercise = Exercise(
    id="10.5",
    title="Newton-Schulz",
    answer="newton_schulz",
    prompt="""
        Write `newton_schulz(matrix, steps, coefficients)`. Scale the matrix so that no singular value is above 1,
        by dividing
        it by its Frobenius norm; then repeat, `steps` times,
        $X \\leftarrow aX + b\\,(XX^\\top)X + c\\,(XX^\\top)^2X$. With the coefficients $(1.5, -0.5, 0)$ it should
        come to $UV^\\top$,
        for wide and tall matrices alike. Why does it never need the singular vectors?
    """,
    starter=edit(
        NEWTON_SCHULZ,
        (
            """    a, b, c = coefficients
    x = matrix / np.linalg.norm(matrix)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + b * gram @ x + c * gram @ gram @ x
    return x""",
            """    return ...""",
        ),
    ),
    checks=[
        Check("no steps: only the scale", 1, no_steps, "The Frobenius norm is the root of the sum of all squares."),
        Check("Muon's five steps", 2, as_muon, "Compute `x @ x.T` anew in each step."),
        Check("the cubic, to the end", 2, to_the_end, "Does it end at U V^T, all of its singular values 1?"),
    ],
    hints=[
        "`np.linalg.norm(matrix)` is the Frobenius norm. It is at least as large as the largest singular value.",
        "In the loop: `gram = x @ x.T`, and then products with `@`. A product of entries (`*`) would be something "
        "else.",
        "`x = a * x + b * gram @ x + c * gram @ gram @ x`, with a new `gram` in each step.",
    ],
    solution=NEWTON_SCHULZ,
    explanation=(
        "Put X = U S V^T in: each term is U times a power of S times V^T, so U and V^T factor out and every "
        "singular value goes "
        "through the polynomial by itself. The iteration computes on singular values without ever seeing one."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(NEWTON_SCHULZ, ("    x = matrix / np.linalg.norm(matrix)\n", "    x = matrix\n")),
            "The matrix is not scaled at first: singular values far above 1 explode. Divide by the Frobenius norm.",
            points=0,
        ),
        WrongAnswer(
            edit(NEWTON_SCHULZ, ("np.linalg.norm(matrix)", "np.linalg.norm(matrix, 2)")),
            "The scale is the largest singular value, which takes a singular value decomposition to know. Divide "
            "by the "
            "Frobenius norm, `np.linalg.norm(matrix)`.",
            points=2,
            convention=True,
        ),
        WrongAnswer(
            edit(
                NEWTON_SCHULZ,
                (
                    "    for _ in range(steps):\n        gram = x @ x.T\n",
                    "    gram = x @ x.T\n    for _ in range(steps):\n",
                ),
            ),
            "The product of x with its transpose is computed once, before the loop. It changes with x: compute it "
            "in each step.",
            points=1,
        ),
        WrongAnswer(
            edit(NEWTON_SCHULZ, ("b * gram @ x + c * gram @ gram @ x", "b * x**3 + c * x**5")),
            "These are powers of the entries. The powers of a matrix are products with `@`: it is the singular "
            "values that should "
            "go through the polynomial.",
            points=1,
        ),
        WrongAnswer(
            edit(NEWTON_SCHULZ, ("c * gram @ gram @ x", "c * gram @ x")),
            "The third term has the square of `x @ x.T`. With c = 0 that does not show, with Muon's coefficients "
            "it does.",
            points=3,
        ),
        WrongAnswer(
            edit(NEWTON_SCHULZ, ("    return x", "    return x * np.linalg.norm(matrix)")),
            "The scale is put back at the end. It should not be: the singular values of the result are about 1.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                NEWTON_SCHULZ,
                ("gram = x @ x.T\n", "gram = x.T @ x\n"),
                ("b * gram @ x + c * gram @ gram @ x", "x @ (b * gram + c * gram @ gram)"),
            )
        ),
        AcceptedAnswer(
            """
            def newton_schulz(matrix, steps, coefficients):
                u, s, vt = np.linalg.svd(matrix, full_matrices=False)
                a, b, c = coefficients
                s = s / np.sqrt((s**2).sum())
                for _ in range(steps):
                    s = a * s + b * s**3 + c * s**5
                return u * s @ vt
            """
        ),
    ],
)

EXERCISES = [the_ratio, repair, lamb_exercise, lion_exercise, newton_exercise]
