"""Chapter 9, AdamW: the penalty that equals a decay, the class, the listing's gap, what to decay, and how long."""

import numpy as np

from exercises.authoring import AcceptedAnswer, Check, Exercise, WrongAnswer, close, edit
from exercises.classes import (
    SHAPES,
    check_defaults,
    check_in_place,
    check_late_parameter,
    compare_runs,
    large_grads,
    random_params,
)
from optim_lib.optimizers import Adam, AdamW, is_vector
from optim_lib.schedules import LearningRateScheduler
from optim_lib.variants import ListingAdamW

TITLE = "AdamW"


# 9.1 The penalty that equals a decay ---------------------------------------------------------------


def plain_sgd(equivalent_l2):
    found = [equivalent_l2(0.999, 0.1), equivalent_l2(0.95, 0.5)]
    close(found, [0.01, 0.1], "the penalty for plain SGD")


def with_momentum(equivalent_l2):
    found = [equivalent_l2(0.999, 0.1, 0.9), equivalent_l2(0.95, 0.5, 0.6)]
    close(found, [0.001, 0.04], "the penalty for momentum")


EQUIVALENT = """
def equivalent_l2(kept, learning_rate, momentum=0.0):
    \"\"\"The L2 strength that does what shrinking the weights does.\"\"\"
    return (1 - kept) / learning_rate * (1 - momentum)
"""

equivalent_penalty = Exercise(
    id="9.1",
    title="The penalty that equals a decay",
    answer="equivalent_l2",
    prompt="""
        In old code you find that each step first shrinks every weight to `kept` times itself (0.999, say) and
        then takes a step of SGD, with the gradient that was measured before the shrinking. You want to write it as a
        penalty $\\tfrac{\\lambda}{2} \\lVert\\theta\\rVert^2$ instead. Return the $\\lambda$ that makes plain SGD take
        the same steps. With `momentum` the steps cannot be the same: return the $\\lambda$ for which a run comes to
        rest in the same place.
    """,
    starter=edit(EQUIVALENT, ("(1 - kept) / learning_rate * (1 - momentum)", "...")),
    checks=[
        Check(
            "plain SGD",
            1,
            plain_sgd,
            "Write the penalized step as a factor on the weights, minus the rate times the loss's own gradient.",
        ),
        Check(
            "the resting place of momentum",
            2,
            with_momentum,
            "At rest a step's decay equals its gradient step, and the velocity is the gradient over `1 - momentum`.",
        ),
    ],
    hints=[
        "A penalty adds `lambda * theta` to the gradient. By how much does a step of SGD then shrink the weights?",
        "It keeps `1 - learning_rate * lambda` of them. With momentum, the gradient is summed up to "
        "`1 / (1 - momentum)` of itself, and the penalty in it too; the decay beside it is not.",
        "`(1 - kept) / learning_rate` for SGD; with momentum that times `1 - momentum`.",
    ],
    solution=EQUIVALENT,
    explanation=(
        "The penalty shrinks the weights of SGD to 1 - rate * lambda in each step, so lambda is (1 - kept) / rate. "
        "Momentum multiplies a penalty's pull by 1 / (1 - momentum) and leaves a decay as it is, so a penalty has "
        "to be that much weaker to come to rest in the same place."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(EQUIVALENT, (" * (1 - momentum)", "")),
            "Plain SGD is right. With momentum the penalty is summed up in the velocity and pulls harder than the "
            "decay does: by which factor?",
            points=1,
        ),
        WrongAnswer(
            edit(EQUIVALENT, (" * (1 - momentum)", " / (1 - momentum)")),
            "Plain SGD is right. With momentum the factor is upside down: the velocity makes the penalty stronger, so "
            "a weaker one is enough.",
            points=1,
        ),
        WrongAnswer(
            edit(EQUIVALENT, (" * (1 - momentum)", " * momentum if momentum else (1 - kept) / learning_rate")),
            "Plain SGD is right. With momentum the steady velocity is the gradient over `1 - momentum`, not over "
            "`momentum`.",
            points=1,
        ),
        WrongAnswer(
            edit(EQUIVALENT, ("(1 - kept) / learning_rate", "(1 - kept) / (learning_rate * kept)")),
            "This would hold for a gradient measured at the weights that are shrunk already. Here it was measured "
            "before: then a step with the penalty keeps `1 - rate * lambda` of every weight, which has to be `kept`.",
            points=0,
        ),
        WrongAnswer(
            edit(EQUIVALENT, ("(1 - kept) / learning_rate", "-np.log(kept) / learning_rate")),
            "This is the decay of a flow in continuous time, `exp(-rate * lambda)`. A single step of SGD keeps "
            "`1 - rate * lambda`, which is not quite the same.",
            points=0,
        ),
        WrongAnswer(
            edit(EQUIVALENT, ("(1 - kept) / learning_rate", "(1 - kept)")),
            "This is the share that is lost in a step. A penalty's pull is multiplied by the learning rate, so "
            "that share is the rate times lambda.",
            points=0,
        ),
        WrongAnswer(
            edit(EQUIVALENT, ("(1 - kept) / learning_rate", "(1 - kept) * learning_rate")),
            "The share lost in a step is the rate times lambda: divide by the rate, do not multiply.",
            points=0,
        ),
        WrongAnswer(
            edit(EQUIVALENT, ("(1 - kept) / learning_rate", "kept / learning_rate")),
            "`kept` is what is left after a step; a penalty is measured by what is lost, `1 - kept`.",
            points=0,
        ),
        WrongAnswer(
            edit(EQUIVALENT, ("(1 - kept) / learning_rate", "(1 - kept) / (2 * learning_rate)")),
            "Half of the penalty asked for: the penalty is lambda / 2 times the squared norm, so its gradient is "
            "lambda times theta, without another factor.",
            points=0,
            convention=True,
        ),
    ],
)


# 9.2 The whole class -------------------------------------------------------------------------------

SETTINGS = {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.1, "weight_decay": 0.4}


def without_gradient(my_adamw):
    grads = [{name: np.zeros(shape) for name, shape in SHAPES.items()}] * 3
    compare_runs(my_adamw, AdamW, random_params(901), grads, note=" without gradients", **SETTINGS)


def first_step(my_adamw):
    settings = {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.5}
    compare_runs(my_adamw, AdamW, random_params(902), [large_grads(903, SHAPES)], rtol=1e-5, **settings)


def twenty_steps(my_adamw):
    grads = [random_params(seed) for seed in range(910, 930)]
    compare_runs(my_adamw, AdamW, random_params(904), grads, rtol=1e-7, **SETTINGS)
    check_defaults(my_adamw, AdamW, seed=980, weight_decay=0.01)


def in_place(my_adamw):
    check_in_place(my_adamw(learning_rate=0.1), random_params(905), random_params(906))


def late_parameter(my_adamw):
    start = random_params(907, {"early": (3,), "late": (2,)})
    check_late_parameter(my_adamw(learning_rate=0.1), AdamW(learning_rate=0.1), start, seed=940)


MY_ADAMW = """
class MyAdamW:
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8,
                 weight_decay=0.01):
        self.learning_rate = learning_rate
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.m, self.v, self.t = {}, {}, {}

    def update(self, params, grads):
        for name in params:
            if name not in self.m:
                self.m[name] = np.zeros_like(params[name])
                self.v[name] = np.zeros_like(params[name])
                self.t[name] = 0
            self.t[name] += 1
            grad = grads[name]
            self.m[name] = self.beta1 * self.m[name] + (1 - self.beta1) * grad
            self.v[name] = self.beta2 * self.v[name] + (1 - self.beta2) * grad**2
            m_hat = self.m[name] / (1 - self.beta1 ** self.t[name])
            v_hat = self.v[name] / (1 - self.beta2 ** self.t[name])
            params[name] *= 1 - self.learning_rate * self.weight_decay
            params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return params
"""

MY_ADAMW_STARTER = """
class MyAdamW:
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8,
                 weight_decay=0.01):
        self.learning_rate = learning_rate
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.m, self.v, self.t = {}, {}, {}

    def update(self, params, grads):
        return ...
"""

DECAY = "            params[name] *= 1 - self.learning_rate * self.weight_decay\n"
MOVE = "            params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)\n"

whole_class = Exercise(
    id="9.2",
    title="The whole class",
    answer="MyAdamW",
    prompt="""
        Write AdamW with the interface of the course: `update(params, grads)` changes every array of `params` in
        place and returns `params`. The decay acts on the weights as they were before the step, by the factor
        $1 - \\eta\\lambda$, as in `torch.optim.AdamW`. As in exercise 8.3, whose Adam you may start from, each
        parameter counts its own steps.
    """,
    starter=MY_ADAMW_STARTER,
    checks=[
        Check(
            "weights without gradients",
            1,
            without_gradient,
            "With gradients of zero the Adam step is zero, and only the decay is left.",
        ),
        Check("the first step", 1, first_step, "Which weights does the decay act on: the old ones or the new ones?"),
        Check(
            "twenty steps, three parameters",
            1,
            twenty_steps,
            "Lay your lines beside the equation: two moments, two corrections, the decay, the step.",
        ),
        Check("arrays changed in place", 1, in_place, "Use `*=` and `-=`, and return the dictionary."),
        Check(
            "a parameter that arrives late",
            1,
            late_parameter,
            "The correction of a parameter depends on how many gradients that parameter has seen.",
        ),
    ],
    hints=[
        "It is Adam with one more line. Nothing about the moments changes: the decay never meets the gradient.",
        "The decay multiplies the weights by a number slightly below one, before they are moved.",
        "`params[name] *= 1 - self.learning_rate * self.weight_decay`, and then the step of Adam.",
    ],
    solution=MY_ADAMW,
    explanation=(
        "One line more than Adam. That the decay comes before the step and outside of the moments is all there is to "
        "decoupling."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(
                MY_ADAMW,
                ("grad = grads[name]", "grad = grads[name] + self.weight_decay * params[name]"),
                (DECAY, ""),
            ),
            "This is Adam with an L2 penalty: the decay is added to the gradient and then divided by its size with "
            "the rest. AdamW keeps it out of the moments.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAMW, (DECAY + MOVE, MOVE + DECAY)),
            "The weights are decayed after the step, as in the article's listing. This exercise asks for the equation, "
            "which decays the weights before the step, as torch.optim does.",
            points=2,
            convention=True,
        ),
        WrongAnswer(
            edit(MY_ADAMW, ("1 - self.learning_rate * self.weight_decay", "1 - self.weight_decay")),
            "The decay lacks the learning rate. The paper counts its decay so, without the rate; this exercise asks "
            "for the factor `1 - learning_rate * weight_decay`, as torch.optim has it.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(MY_ADAMW, ("1 - self.learning_rate", "1 + self.learning_rate")),
            "The weights grow: the factor should be a little below one.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAMW, (DECAY, ""), ("* m_hat /", "* (m_hat + self.weight_decay * params[name]) /")),
            "The decay is added to the numerator, so it is still divided by the root of the second moment. "
            "It belongs outside of the fraction.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAMW, (DECAY, "")),
            "There is no decay: this is Adam.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAMW, ("self.m[name] / (1 - self.beta1 ** self.t[name])", "self.m[name]"),
                 ("self.v[name] / (1 - self.beta2 ** self.t[name])", "self.v[name]")),
            "The decay is right, but the moments are not corrected for their start at zero.",
        ),
        WrongAnswer(
            edit(
                MY_ADAMW,
                ("self.m, self.v, self.t = {}, {}, {}", "self.m, self.v, self.t = {}, {}, 0"),
                ("        for name in params:\n", "        self.t += 1\n        for name in params:\n"),
                ("                self.t[name] = 0\n            self.t[name] += 1\n", ""),
                ("self.beta1 ** self.t[name]", "self.beta1 ** self.t"),
                ("self.beta2 ** self.t[name]", "self.beta2 ** self.t"),
            ),
            "One step count for all parameters, as in the article: a parameter that arrives late is corrected as if it "
            "had been there from the start. Count the steps of each parameter.",
            points=4,
            convention=True,
        ),
        WrongAnswer(
            edit(
                MY_ADAMW,
                (
                    DECAY + MOVE,
                    "            params[name] = params[name] * (1 - self.learning_rate * self.weight_decay)"
                    " - self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)\n",
                ),
            ),
            "is a new array",
            points=4,
            diagnose=False,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                MY_ADAMW,
                (DECAY, "            old = params[name].copy()\n"),
                (MOVE, MOVE + "            params[name] -= self.learning_rate * self.weight_decay * old\n"),
            )
        ),
    ],
)  # fmt: skip


# 9.3 The listing and the equation ------------------------------------------------------------------


def gaps(listing_gap, before):
    """A student's gap and the true one at the step after `before` others; the two runs share their moments."""
    rate, decay, shapes = 0.05, 0.7, {"w": (4,)}
    theta, grads = random_params(960, shapes), [large_grads(961 + t, shapes) for t in range(before + 1)]
    classes = (
        (ListingAdamW, {"weight_decay": decay}),
        (AdamW, {"weight_decay": decay}),
        (Adam, {}),
    )
    ends = []
    for each, settings in classes:
        optimizer = each(learning_rate=rate, beta1=0.8, beta2=0.95, epsilon=0.01, **settings)
        for grad in grads:
            at = {"w": theta["w"].copy()}
            optimizer.update(at, {"w": grad["w"]})
        ends.append(at["w"])
    listing, equation, adam = ends
    return listing_gap(theta["w"] - adam, rate, decay), listing - equation


def first_gap(listing_gap):
    close(*gaps(listing_gap, before=0), "the gap after the first step", rtol=1e-7)


def later_gap(listing_gap):
    close(*gaps(listing_gap, before=7), "the gap after the eighth step", rtol=1e-7)


GAP = """
def listing_gap(step, learning_rate, weight_decay):
    \"\"\"The weights after the listing's update, minus those after the equation's.\"\"\"
    return learning_rate * weight_decay * step
"""

gap = Exercise(
    id="9.3",
    title="The listing and the equation",
    answer="listing_gap",
    prompt="""
        Both begin an update at the same weights, with the same moments. `step` is what Adam subtracts, the whole
        $\\eta\\,\\hat m_t / (\\sqrt{\\hat v_t} + \\epsilon)$ with the rate in it. The equation decays the old weights,
        the listing those that `step` has already moved. Return the weights after the listing minus the
        weights after the equation. (You are not given the weights. Do you need them?)
    """,
    starter=edit(GAP, ("learning_rate * weight_decay * step", "...")),
    checks=[
        Check("the first step", 1, first_gap, "Write both updates in full, one below the other, and subtract."),
        Check("a later step", 2, later_gap, "What `step` is made of does not matter."),
    ],
    hints=[
        "Call the weights theta and the factor `1 - learning_rate * weight_decay` k. The listing ends at "
        "k * (theta - step).",
        "The equation ends at k * theta - step. Subtract, and theta drops out.",
        "What is left is (1 - k) * step.",
    ],
    solution=GAP,
    explanation=(
        "The listing shrinks the step along with the weights, so it moves a little less far: by rate times decay "
        "of the step. At rate 0.001 and decay 0.01 that is a hundred-thousandth; at 0.1 and 0.5 it is a twentieth."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(GAP, ("return ", "return -")),
            "The sign is the other way round: the listing shrinks the step too, so it subtracts less.",
            points=0,
        ),
        WrongAnswer(
            edit(GAP, ("learning_rate * weight_decay * step", "learning_rate**2 * weight_decay * step")),
            "One learning rate too many: `step` has it in it already.",
            points=0,
        ),
        WrongAnswer(
            edit(GAP, ("learning_rate * weight_decay * step", "weight_decay * step")),
            "The factor on the weights is `1 - learning_rate * weight_decay`: here the rate is missing.",
            points=0,
        ),
        WrongAnswer(
            edit(GAP, ("learning_rate * weight_decay * step", "(1 - learning_rate * weight_decay) * step")),
            "This is what the listing makes of the step. The equation makes `step` itself of it: subtract the two.",
            points=0,
        ),
        WrongAnswer(
            edit(GAP, ("learning_rate * weight_decay * step", "0.0 * step")),
            "The two orders do not give the same: one shrinks the step as well as the weights.",
            points=0,
            evident=True,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                GAP,
                (
                    "return learning_rate * weight_decay * step",
                    "theta, k = 1.0, 1 - learning_rate * weight_decay\n"
                    "    return k * (theta - step) - (k * theta - step)",
                ),
            )
        ),
    ],
)


# 9.4 What not to decay -----------------------------------------------------------------------------

TRANSFORMER = {
    "symbol.weight": (96, 32),
    "blocks.0.norm.weight": (32,),
    "blocks.0.norm.bias": (32,),
    "blocks.0.mix.weight": (32, 32),
    "blocks.0.mix.bias": (32,),
    "head.weight": (96, 32),
}
NETWORK = {
    "W1": (64, 32),
    "b1": (1, 32),
    "bank": (8, 16, 3, 3),
    "one_by_one": (16, 8, 1, 1),
    "gain": (1, 16, 1, 1),
    "turn": (2, 2),
    "colors": (3, 3),
    "pair": (2,),
    "temperature": (),
}


def decays_of(weight_decays, shapes):
    params = {name: np.ones(shape) for name, shape in shapes.items()}
    expected = {name: 0.0 if is_vector(name, array) else 0.3 for name, array in params.items()}
    return weight_decays(params, 0.3), expected


def of_transformer(weight_decays):
    close(*decays_of(weight_decays, TRANSFORMER), "the decay")


def of_network(weight_decays):
    close(*decays_of(weight_decays, NETWORK), "the decay")


DECAYS = """
def weight_decays(params, weight_decay):
    \"\"\"The decay of each parameter: a dict of `weight_decay` or 0.\"\"\"
    decays = {}
    for name, array in params.items():
        long_axes = sum(n > 1 for n in array.shape)
        decays[name] = weight_decay if long_axes >= 2 else 0.0
    return decays
"""

groups = Exercise(
    id="9.4",
    title="What not to decay",
    answer="weight_decays",
    prompt="""
        Sort a model's parameters by their shape. Matrices, and arrays with more axes such as the filters of a
        convolution, get `weight_decay`. Biases, gains of norms and single numbers get 0: everything with at
        most one axis that is longer than one. Do not trust names, and mind that some libraries store a bias as
        an array of shape `(1, 32)`. Return a dictionary from the name of each parameter to its decay.
    """,
    starter="""
def weight_decays(params, weight_decay):
    \"\"\"The decay of each parameter: a dict of `weight_decay` or 0.\"\"\"
    return ...
""",
    checks=[
        Check("a transformer", 1, of_transformer, "Which arrays have one axis, and which have two?"),
        Check(
            "a network with biases as rows, filters, and a temperature",
            2,
            of_network,
            "Count the axes of `array.shape` that are longer than one.",
        ),
    ],
    hints=[
        "The shape decides. `len(array.shape)` is nearly right; what does it say about a bias of shape `(1, 32)`?",
        "Count only axes that are longer than one: `sum(n > 1 for n in array.shape)`.",
        "`weight_decay if sum(n > 1 for n in array.shape) >= 2 else 0.0`, for each name.",
    ],
    solution=DECAYS,
    explanation=(
        "This is the library's `is_vector`, with the decay beside it. In PyTorch the same split makes two entries in "
        "the list of parameter groups that an optimizer takes."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(DECAYS, ("sum(n > 1 for n in array.shape)", "array.ndim")),
            "Axes of length one are counted too, so a bias of shape (1, 32) passes for a matrix. Count those that are "
            "longer than one.",
            points=1,
        ),
        WrongAnswer(
            edit(
                DECAYS,
                ("long_axes = sum(n > 1 for n in array.shape)", "long_axes = 1 if 'bias' in name else 2"),
            ),
            "The names decide here: a norm's gain is called `weight` as well. Go by the shape.",
            points=0,
        ),
        WrongAnswer(
            edit(DECAYS, ("weight_decay if long_axes >= 2 else 0.0", "0.0 if long_axes >= 2 else weight_decay")),
            "The two groups are exchanged: matrices are decayed, biases and gains are not.",
            points=0,
        ),
        WrongAnswer(
            edit(DECAYS, ("long_axes >= 2", "long_axes == 2")),
            "Filters with four long axes should be decayed as well: two axes *or more*.",
            points=1,
        ),
        WrongAnswer(
            edit(DECAYS, ("long_axes >= 2", "long_axes >= 1")),
            "Vectors are decayed too: a bias or a gain has one axis longer than one.",
            points=0,
        ),
        WrongAnswer(
            edit(DECAYS, ("weight_decay if long_axes >= 2 else 0.0", "weight_decay")),
            "Everything is decayed: biases and gains should get 0.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(edit(DECAYS, ("sum(n > 1 for n in array.shape)", "np.squeeze(array).ndim"))),
    ],
)


# 9.5 The same decay on another schedule ------------------------------------------------------------


def cosine(steps, highest=0.01):
    return np.array([LearningRateScheduler.cosine_annealing(highest, t, steps) for t in range(steps)])


def matching(weight_decay, old_rates, new_rates):
    return weight_decay * np.sum(old_rates) / np.sum(new_rates)


def matches(matching_decay, cases, what):
    found = [matching_decay(*case) for case in cases]
    # The exact answer (equal products) and the one to first order (equal sums) are within half a percent here.
    close(found, [matching(*case) for case in cases], what, rtol=0.01)


def other_constant(matching_decay):
    cases = [
        (0.1, np.full(1000, 0.01), np.full(1000, 0.004)),
        (0.1, np.full(1000, 0.01), np.full(3000, 0.01)),
    ]
    matches(matching_decay, cases, "the new decay")


def other_schedule(matching_decay):
    cases = [
        (0.1, np.full(800, 0.01), cosine(1000)),
        (0.2, cosine(500), np.concatenate([np.linspace(0, 0.008, 100), cosine(1500, 0.008)])),
    ]
    matches(matching_decay, cases, "the new decay")


MATCHING = """
def matching_decay(weight_decay, old_rates, new_rates):
    \"\"\"The decay that leaves as much of a weight at the new rates.\"\"\"
    return weight_decay * np.sum(old_rates) / np.sum(new_rates)
"""

same_decay = Exercise(
    id="9.5",
    title="The same decay on another schedule",
    answer="matching_decay",
    prompt="""
        A run has learning rates `old_rates`, one for each step, and a decay that suits it. You change the schedule
        to `new_rates`, perhaps with another number of steps. Consider a weight that nothing but the decay
        moves. Return the weight decay with which AdamW leaves as much of it after the new run as after the
        old one. An answer within one percent is good enough: in every step the rate times the decay is small.
    """,
    starter=edit(MATCHING, ("weight_decay * np.sum(old_rates) / np.sum(new_rates)", "...")),
    checks=[
        Check("another constant rate, another length", 1, other_constant, "What is left after two steps? After all?"),
        Check(
            "warm-up and cosine",
            2,
            other_schedule,
            "Each step counts by its own rate: neither the first rate nor the number of steps says enough.",
        ),
    ],
    hints=[
        "What is left is the product of `1 - rate * weight_decay` over all steps.",
        "Take the logarithm: for a small x, log(1 - x) is about -x. What has to be equal is a sum.",
        "`weight_decay * sum(rates)` has to stay the same.",
    ],
    solution=MATCHING,
    explanation=(
        "What is left is about exp(-weight_decay * sum of rates). So a cosine to zero, whose rates add up to half as "
        "much, decays half as much as a constant rate, and a run twice as long decays twice as much: two reasons "
        "to choose the decay anew when the schedule changes."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(MATCHING, ("np.sum(old_rates) / np.sum(new_rates)", "np.mean(old_rates) / np.mean(new_rates)")),
            "The mean rates are compared, but not the number of steps: a longer run decays more.",
            points=0,
        ),
        WrongAnswer(
            edit(MATCHING, ("np.sum(old_rates) / np.sum(new_rates)", "len(old_rates) / len(new_rates)")),
            "Only the number of steps is compared: a step decays by its own rate times the weight decay.",
            points=0,
        ),
        WrongAnswer(
            edit(MATCHING, ("np.sum(old_rates) / np.sum(new_rates)", "np.sum(new_rates) / np.sum(old_rates)")),
            "Upside down: where the rates add up to more, the decay has to be smaller.",
            points=0,
        ),
        WrongAnswer(
            edit(
                MATCHING,
                (
                    "np.sum(old_rates) / np.sum(new_rates)",
                    "np.max(old_rates) * len(old_rates) / (np.max(new_rates) * len(new_rates))",
                ),
            ),
            "Constant rates are right, but a schedule is taken for its highest rate all the way: add up the rates.",
            points=1,
        ),
        WrongAnswer(
            edit(MATCHING, (" * np.sum(old_rates) / np.sum(new_rates)", "")),
            "The decay is left as it was. In torch.optim's convention a step decays by rate times decay, so other "
            "rates decay by another amount.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                MATCHING,
                (
                    "return weight_decay * np.sum(old_rates) / np.sum(new_rates)",
                    "goal = np.sum(np.log1p(-weight_decay * old_rates))\n"
                    "    low, high = 0.0, 10.0\n"
                    "    for _ in range(60):\n"
                    "        middle = (low + high) / 2\n"
                    "        more = np.sum(np.log1p(-middle * new_rates)) < goal\n"
                    "        low, high = (low, middle) if more else (middle, high)\n"
                    "    return low",
                ),
            )
        ),
    ],
)

EXERCISES = [equivalent_penalty, whole_class, gap, groups, same_decay]
