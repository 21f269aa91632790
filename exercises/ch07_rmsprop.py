"""Chapter 7, RMSprop: how far it looks back, the whole class, a moving target, three stalls, and centering."""

from functools import cache

import numpy as np

from exercises.authoring import (
    AcceptedAnswer,
    Check,
    Exercise,
    WrongAnswer,
    close,
    edit,
    outputs,
    unchanged_inputs,
    vector,
)
from exercises.classes import (
    check_defaults,
    check_in_place,
    check_late_parameter,
    compare_runs,
    large_grads,
    random_params,
)
from optim_lib.optimizers import CenteredRMSprop, RMSprop
from optim_lib.probes import TARGET, fading_weights
from optim_lib.probes import follow as followed

TITLE = "RMSprop"


# 7.1 How far back ----------------------------------------------------------------------------------


@cache
def carried(decay):
    """The share of the weight that the 1, 2, 3, ... newest gradients carry, from the library."""
    return np.cumsum(fading_weights(decay, 5000))


def compare_counts(gradients_needed, cases):
    found = [gradients_needed(decay, share) for decay, share in cases]
    for (decay, share), count in zip(cases, found, strict=True):
        expected = float(np.argmax(carried(decay) >= share) + 1)
        close(count, expected, f"the number of gradients for decay {decay} and share {share}", rtol=1e-9)


def six_tenths(gradients_needed):
    compare_counts(gradients_needed, [(0.9, 0.6), (0.99, 0.6)])


def other_shares(gradients_needed):
    compare_counts(gradients_needed, [(0.9, 0.95), (0.99, 0.6321), (0.8, 0.3), (0.999, 0.99)])


def short_memories(gradients_needed):
    compare_counts(gradients_needed, [(0.0, 0.9), (0.5, 0.4), (0.5, 0.9)])


NEEDED = """
def gradients_needed(decay, share):
    \"\"\"How many of the newest gradients carry at least this share of the weight.\"\"\"
    count, left = 0, 1.0
    while left > 1 - share:
        left *= decay
        count += 1
    return count
"""

NEEDED_STARTER = """
def gradients_needed(decay, share):
    \"\"\"How many of the newest gradients carry at least this share of the weight.\"\"\"
    count, left = 0, 1.0
    ...
    return ...
"""

BY_LOGARITHM = """
def gradients_needed(decay, share):
    if decay == 0:
        return 1
    return int(np.ceil(np.log(1 - share) / np.log(decay)))
"""

window = Exercise(
    id="7.1",
    title="How far back?",
    answer="gradients_needed",
    prompt="""
        RMSprop's mean square gives the weight $1 - \\gamma$ to the newest squared gradient, $(1 - \\gamma)\\,\\gamma$
        to the one before it, and so on. All these weights, back to the beginning of time, add up to one. Write
        `gradients_needed(decay, share)`: the smallest number of newest gradients that together carry at least `share`
        of
        the weight, for a share between 0 and 1. Then ask it about a share of 0.632 and several decays.
    """,
    starter=NEEDED_STARTER,
    checks=[
        Check("six tenths of the weight", 1, six_tenths, "How much weight is left for all older gradients after one?"),
        Check("other shares", 1, other_shares, "At least the share: the count is rounded up."),
        Check("short memories", 1, short_memories, "With a decay of 0 the newest gradient carries everything."),
    ],
    hints=[
        "Look at what is left for the older ones. After the newest gradient it is `decay` of the weight; and after "
        "two?",
        "What is left after `n` gradients is `decay**n`. Count up until that is at most `1 - share`.",
        "`while left > 1 - share:` multiply `left` by `decay` and add one to `count`.",
    ],
    solution=NEEDED,
    explanation=(
        "The newest n gradients carry 1 - decay**n. With a share of 1 - 1/e = 0.632 the count is close to "
        "1 / (1 - decay), which is why that number is called the window: ten for 0.9, a hundred for 0.99."
    ),
    wrong_answers=[
        WrongAnswer(
            "def gradients_needed(decay, share):\n    return round(1 / (1 - decay))\n",
            "This is the window, which carries 63 percent of the weight whatever the decay. The exercise asks about "
            "any "
            "share.",
            points=0,
        ),
        WrongAnswer(
            "def gradients_needed(decay, share):\n    return int(np.ceil(share / (1 - decay)))\n",
            "Every gradient is given the weight of the newest one. The weights fade, so it takes more of them.",
            points=0,
        ),
        WrongAnswer(
            edit(BY_LOGARITHM, ("np.log(1 - share)", "np.log(share)")),
            "`decay**n` is what the older gradients carry; the newest n carry the rest, `1 - decay**n`.",
            points=0,
        ),
        WrongAnswer(
            edit(BY_LOGARITHM, ("np.ceil", "np.floor")),
            "The count is rounded down, so the gradients carry a little less than the share: round up.",
            points=0,
        ),
        WrongAnswer(
            edit(
                BY_LOGARITHM,
                ("    if decay == 0:\n        return 1\n", "    decay = max(decay, 1e-300)\n"),
                ("np.ceil", "1 + np.ceil"),
            ),
            "The count is one too high: is a gradient counted that is not needed?",
            points=0,
        ),
    ],
    accepted_answers=[AcceptedAnswer(BY_LOGARITHM)],
)


# 7.2 The whole class -------------------------------------------------------------------------------


def class_first_step(my_rmsprop):
    shapes = {"weights": (3, 4)}
    grads = [large_grads(71, shapes)]
    settings = {"learning_rate": 0.01, "decay": 0.9, "epsilon": 1e-8}
    compare_runs(my_rmsprop, RMSprop, random_params(72, shapes), grads, rtol=1e-5, **settings)


def class_twenty_steps(my_rmsprop):
    grads = [random_params(seed) for seed in range(700, 720)]
    settings = {"learning_rate": 0.05, "decay": 0.8, "epsilon": 0.1}
    compare_runs(my_rmsprop, RMSprop, random_params(73), grads, rtol=1e-7, **settings)
    check_defaults(my_rmsprop, RMSprop, seed=750)


def class_in_place(my_rmsprop):
    check_in_place(my_rmsprop(learning_rate=0.1), random_params(74), random_params(75))


def class_late_parameter(my_rmsprop):
    start = random_params(76, {"early": (3,), "late": (2,)})
    check_late_parameter(my_rmsprop(learning_rate=0.1), RMSprop(learning_rate=0.1), start, seed=745, rtol=1e-3)


MY_RMSPROP = """
class MyRMSprop:
    def __init__(self, learning_rate=0.001, decay=0.9, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.decay = decay
        self.epsilon = epsilon
        self.mean_square = {}

    def update(self, params, grads):
        for name in params:
            if name not in self.mean_square:
                self.mean_square[name] = np.zeros_like(params[name])
            old, new = self.mean_square[name], grads[name] ** 2
            self.mean_square[name] = self.decay * old + (1 - self.decay) * new
            root = np.sqrt(self.mean_square[name])
            params[name] -= self.learning_rate * grads[name] / (root + self.epsilon)
        return params
"""

MY_RMSPROP_STARTER = """
class MyRMSprop:
    def __init__(self, learning_rate=0.001, decay=0.9, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.decay = decay
        self.epsilon = epsilon
        self.mean_square = {}

    def update(self, params, grads):
        return ...
"""

LOOP = "        for name in params:\n"
AVERAGE = "self.decay * old + (1 - self.decay) * new"
STEP = "params[name] -= self.learning_rate"

SHARED_STATE = """
class MyRMSprop:
    def __init__(self, learning_rate=0.001, decay=0.9, epsilon=1e-8):
        self.learning_rate, self.decay, self.epsilon, self.mean_square = learning_rate, decay, epsilon, 0.0

    def update(self, params, grads):
        for name in params:
            self.mean_square = self.decay * self.mean_square + (1 - self.decay) * grads[name] ** 2
            params[name] -= self.learning_rate * grads[name] / (np.sqrt(self.mean_square) + self.epsilon)
        return params
"""

whole_class = Exercise(
    id="7.2",
    title="The whole class",
    answer="MyRMSprop",
    prompt="""
        Write `MyRMSprop.update(params, grads)`. Both are dicts from a parameter's name to its array. Change every array
        of `params` in place and return the same dict. Every number in every array has a mean square of its own, which
        starts at zero and is not corrected for that. Epsilon is added outside the root.
    """,
    starter=MY_RMSPROP_STARTER,
    checks=[
        Check(
            "the first step of one parameter",
            1,
            class_first_step,
            "The first mean square is a tenth of the squared gradient, so each number moves by 3.16 rates.",
        ),
        Check(
            "twenty steps of three parameters",
            2,
            class_twenty_steps,
            "What is kept from one call to the next, and how much of it?",
        ),
        Check(
            "the same dict, changed in place",
            1,
            class_in_place,
            "`a -= b` changes an array, `a = a - b` makes another.",
        ),
        Check("a parameter that arrives late", 1, class_late_parameter, "When is the average of a new name made?"),
    ],
    hints=[
        "It is the class of AdaGrad but for one line: a sum becomes an average that forgets.",
        "One array for each name, `self.mean_square[name]`, of zeros at first. The new one is a share `self.decay` "
        "of the "
        "old and a share `1 - self.decay` of `grads[name] ** 2`.",
        "Update the average first, then `params[name] -= self.learning_rate * grads[name] / "
        "(np.sqrt(self.mean_square[name]) + self.epsilon)`; after the loop, `return params`.",
    ],
    solution=MY_RMSPROP,
    explanation=(
        "One line of AdaGrad has changed, and with it what the memory means: no longer all that has been seen, but the "
        "size of the recent gradients."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(MY_RMSPROP, (AVERAGE, "old + new")),
            "Nothing is forgotten: this is AdaGrad's sum. RMSprop keeps a share `decay` of the old average.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, (AVERAGE, "self.decay * old + new")),
            "This is a fading sum, not an average: the new square needs the weight `1 - decay`, or the divisor is too "
            "large by `1 / sqrt(1 - decay)`.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, (AVERAGE, "(1 - self.decay) * old + self.decay * new")),
            "The two weights are exchanged: `decay` belongs to the old average, `1 - decay` to the new square.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, ("= np.zeros_like(params[name])", "= grads[name] ** 2")),
            "The average starts from the first square in place of zero, as some libraries have it. Here, as in "
            "torch.optim, it "
            "starts at zero, and the first step is `1 / sqrt(1 - decay)` rates long.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            """
            class MyRMSprop:
                def __init__(self, learning_rate=0.001, decay=0.9, epsilon=1e-8):
                    self.learning_rate, self.decay, self.epsilon = learning_rate, decay, epsilon
                    self.mean_square, self.t = {}, {}

                def update(self, params, grads):
                    for name in params:
                        old = self.mean_square.get(name, np.zeros_like(params[name]))
                        self.mean_square[name] = self.decay * old + (1 - self.decay) * grads[name] ** 2
                        self.t[name] = self.t.get(name, 0) + 1
                        corrected = self.mean_square[name] / (1 - self.decay ** self.t[name])
                        params[name] -= self.learning_rate * grads[name] / (np.sqrt(corrected) + self.epsilon)
                    return params
            """,
            "The average is corrected for its start at zero, as Adam does it. RMSprop takes it as it is, so that the "
            "first step is `1 / sqrt(1 - decay)` rates long.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, (AVERAGE, "0.9 * old + 0.1 * new")),
            "The `decay` that your class is given has no effect",
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, ("root = np.sqrt(self.mean_square[name])", "root = self.mean_square[name]")),
            "The root is missing: the step divides by the mean square itself.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_RMSPROP,
                ("np.sqrt(self.mean_square[name])", "np.sqrt(self.mean_square[name] + self.epsilon)"),
                ("(root + self.epsilon)", "root"),
            ),
            "Epsilon is inside the root. The article's equation has it there, its listing and torch.optim do not; this "
            "exercise asks for `sqrt(mean_square) + epsilon`.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(
                MY_RMSPROP,
                (f"            self.mean_square[name] = {AVERAGE}\n", ""),
                ("        return params", f"            self.mean_square[name] = {AVERAGE}\n        return params"),
            ),
            "The step is taken before the new gradient is averaged in: the first one divides by epsilon alone and is "
            "huge.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, ("grads[name] ** 2", "np.mean(grads[name] ** 2)")),
            "All the numbers of a parameter share one mean square, and so one rate. RMSprop keeps one for each number.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, ("grads[name] ** 2", "np.abs(grads[name])")),
            "The sizes are averaged. RMSprop averages the squares and takes the root of the average.",
            points=1,
        ),
        WrongAnswer(
            SHARED_STATE,
            "All parameters share one average: keep one for every name, `self.mean_square[name]`.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, (STEP, "params[name] = params[name] - self.learning_rate")),
            "`params['weights']` is a new array",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, (LOOP, "        params = {name: params[name].copy() for name in params}\n" + LOOP)),
            "A copy of the parameters is updated and returned: the caller's own arrays never move.",
            points=4,
        ),
        WrongAnswer(
            edit(MY_RMSPROP, ("        return params", "        pass")),
            "is a `return` missing?",
            points=0,
            diagnose=False,
        ),
    ],
)


# 7.3 Follow a moving target ------------------------------------------------------------------------


def compare_chases(follow, cases):
    found = [follow(*case) for case in cases]
    for (speed, rate, decay, steps), distances in zip(cases, found, strict=True):
        path = followed(RMSprop, speed, steps, learning_rate=rate, decay=decay, epsilon=1e-12)
        expected = np.abs(path - (TARGET + speed * np.arange(steps)))
        what = f"the distances for speed {speed}, rate {rate} and decay {decay}"
        close(distances, expected, what, rtol=1e-5)


def target_at_rest(follow):
    compare_chases(follow, [(0.0, 0.05, 0.9, 12)])


def target_that_moves(follow):
    compare_chases(follow, [(0.03, 0.1, 0.9, 40), (0.2, 0.1, 0.8, 30)])


def other_memories(follow):
    compare_chases(follow, [(0.02, 0.05, 0.5, 60), (0.05, 0.04, 0.99, 50)])


FOLLOW = """
def follow(speed, learning_rate, decay, steps):
    \"\"\"How far from a moving target RMSprop is before each step.\"\"\"
    x, target, mean_square = 0.0, 1.0, 0.0
    distances = []
    for step in range(steps):
        distances.append(abs(x - target))
        grad = x - target
        mean_square = decay * mean_square + (1 - decay) * grad**2
        x -= learning_rate * grad / np.sqrt(mean_square)
        target += speed
    return distances
"""

FOLLOW_STARTER = """
def follow(speed, learning_rate, decay, steps):
    \"\"\"How far from a moving target RMSprop is before each step.\"\"\"
    x, target, mean_square = 0.0, 1.0, 0.0
    distances = []
    for step in range(steps):
        distances.append(abs(x - target))
        ...
    return distances
"""

MEASURE = "        distances.append(abs(x - target))\n"
FOLLOWED_AVERAGE = "decay * mean_square + (1 - decay) * grad**2"

chase = Exercise(
    id="7.3",
    title="Follow a moving target",
    answer="follow",
    prompt="""
        You are at $x = 0$, a target at 1. In each step the gradient is the distance to it, $x - \\text{target}$; take a
        step of RMSprop (no epsilon needed); then the target moves on by `speed`. Write
        `follow(speed, learning_rate, decay, steps)`, which returns the distances $|x - \\text{target}|$ before each
        of the
        steps: the first is 1. Then find out: with a speed of 0.05, which learning rates stay with the target for a
        thousand steps, and how far from it are they in the end? Does the decay matter?
    """,
    starter=FOLLOW_STARTER,
    checks=[
        Check("a target that stands still", 1, target_at_rest, "The first step is `1 / sqrt(1 - decay)` rates long."),
        Check(
            "a target that moves", 2, target_that_moves, "In each round: measure, step, and only then move the target."
        ),
        Check("memories of other lengths", 1, other_memories, "Where does `decay` enter?"),
    ],
    hints=[
        "The loop has four lines left: the gradient, the average, the step, the target.",
        "`grad = x - target`; then the mean square is updated with it, and the step divides by its root.",
        "After the step, `target += speed`.",
    ],
    solution=FOLLOW,
    explanation=(
        "Far from the target all gradients are about equal, so each step is one learning rate long: RMSprop catches "
        "any "
        "target that is slower than that, whatever the decay, and none that is faster. The price comes after it has "
        "caught it: steps of that length carry it past the target and back, at a distance of about half a rate."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(FOLLOW, ("grad = x - target", "grad = target - x")),
            "It runs away: the gradient of half the squared distance is `x - target`, and the step goes against it.",
            points=0,
        ),
        WrongAnswer(
            edit(FOLLOW, (FOLLOWED_AVERAGE, "mean_square + grad**2")),
            "This is AdaGrad, which never forgets: its steps shrink, and the target gets away.",
            points=0,
        ),
        WrongAnswer(
            edit(FOLLOW, (FOLLOWED_AVERAGE, "decay * mean_square + grad**2")),
            "The new square needs the weight `1 - decay`: without it the steps are too short.",
            points=0,
        ),
        WrongAnswer(
            edit(FOLLOW, (FOLLOWED_AVERAGE, "(1 - decay) * mean_square + decay * grad**2")),
            "The two weights are exchanged: `decay` belongs to the old average.",
            points=0,
        ),
        WrongAnswer(
            edit(FOLLOW, ("np.sqrt(mean_square)", "mean_square")),
            "The root is missing: the step divides by the mean square itself.",
            points=0,
        ),
        WrongAnswer(
            edit(FOLLOW, (" / np.sqrt(mean_square)", "")),
            "Nothing is divided: this is SGD, whose steps are as long as the distance is large.",
            points=0,
        ),
        WrongAnswer(
            edit(FOLLOW, ("        target += speed\n", "")),
            "The target stands still: it moves on by `speed` after each step.",
            points=1,
        ),
        WrongAnswer(
            edit(FOLLOW, ("        target += speed\n", ""), (MEASURE, "        target += speed\n" + MEASURE)),
            "The target has moved before the first distance is measured: measure, step, then move it.",
            points=1,
        ),
        WrongAnswer(
            edit(FOLLOW, (MEASURE, ""), ("        target += speed\n", "        target += speed\n" + MEASURE)),
            "The distances are measured after each step. The exercise asks for those before: the first is 1.",
            points=0,
        ),
        WrongAnswer(
            edit(FOLLOW, ("abs(x - target)", "x - target")),
            "Distances are not negative: the absolute value is missing.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                FOLLOW,
                ("np.sqrt(mean_square)", "(np.sqrt(mean_square) + 1e-8)"),
                ("return distances", "return np.array(distances)"),
            )
        ),
    ],
)


# 7.4 Cure a stall ----------------------------------------------------------------------------------


def walk_beside(cured, all_grads, rtol=1e-3, **settings):
    shapes = {"weights": np.shape(all_grads[0]), "more": np.shape(all_grads[0])}
    grads = [{"weights": np.array(grad), "more": -0.7 * np.array(grad)} for grad in all_grads]
    compare_runs(cured, RMSprop, random_params(77, shapes), grads, rtol=rtol, learning_rate=0.1, **settings)


def after_a_steep_slope(cured):
    walk_beside(cured, [[100.0]] * 5 + [[1.0]] * 40, decay=0.8)


def beside_a_larger_one(cured):
    walk_beside(cured, [[1.0, 0.05, -0.3]] * 12, decay=0.9)


def on_a_plateau(cured):
    walk_beside(cured, [[1e-6]] * 12, decay=0.9)
    shapes = {"weights": (1,)}
    check_in_place(cured(learning_rate=0.1), random_params(78, shapes), random_params(79, shapes))
    note = ", with the starter's defaults (the class made without arguments),"
    for size in (1.0, 1e-6):
        compare_runs(cured, RMSprop, {"weights": np.zeros(1)}, [{"weights": np.full(1, size)}], rtol=1e-5, note=note)


CURED = """
class Cured:
    def __init__(self, learning_rate=0.001, decay=0.9, epsilon=1e-8):
        self.learning_rate, self.decay, self.epsilon = learning_rate, decay, epsilon
        self.mean_square = {}

    def update(self, params, grads):
        for name in params:
            old = self.mean_square.get(name, np.zeros_like(params[name]))
            new = self.decay * old + (1 - self.decay) * grads[name] ** 2
            self.mean_square[name] = new
            root = np.sqrt(self.mean_square[name]) + self.epsilon
            params[name] -= self.learning_rate * grads[name] / root
        return params
"""

RATCHET = ("self.mean_square[name] = new", "self.mean_square[name] = np.maximum(new, old)")
SHARED = ("* grads[name] ** 2", "* np.mean(grads[name] ** 2)")
INSIDE = (
    "np.sqrt(self.mean_square[name]) + self.epsilon",
    "np.sqrt(self.mean_square[name] + self.epsilon)",
)

stall = Exercise(
    id="7.4",
    title="Cure a stall",
    answer="Cured",
    prompt="""
        This RMSprop trains many networks well enough, but on some of them a few weights hardly move. It has three
        bugs, each of which
        brings some weight nearly to a halt: one after a steep slope, one beside a weight with larger gradients, one
        on a
        plateau, where all gradients are about $10^{-6}$. Find and mend them, so that it is the RMSprop of this chapter.
    """,
    starter=edit(CURED, RATCHET, SHARED, INSIDE),
    checks=[
        Check(
            "after a steep slope",
            1,
            after_a_steep_slope,
            "Print the mean square when the gradients have been 100 for five steps and then 1 for twenty. Does it "
            "fall?",
        ),
        Check(
            "beside a weight with larger gradients",
            1,
            beside_a_larger_one,
            "Does each number of the array have a mean square of its own?",
        ),
        Check("on a plateau", 2, on_a_plateau, "Compare 1e-12 with 1e-8, and then the roots of the two."),
    ],
    hints=[
        "Three lines, three bugs: what is averaged, what is kept, what is divided by.",
        "`np.maximum` lets the average rise and never fall. `np.mean` gives all numbers of an array one average. And "
        "which is larger on the plateau, the mean square or epsilon?",
        "Keep `new` as it is; average `grads[name] ** 2` without `np.mean`; add epsilon after the root, not inside.",
    ],
    solution=CURED,
    explanation=(
        "Three ways to stall: a memory that only rises, a memory that is shared, and an epsilon that is larger than "
        "what it is "
        "added to. The first is AMSGrad's, where it is meant; the second is a rate for each layer; the third is the "
        "article's own equation, which at gradients of 1e-6 takes steps about a hundred times shorter than its "
        "listing's, once the average is full."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(CURED, SHARED, INSIDE),
            "One bug is mended, two are left: all numbers of an array share one mean square, and on a plateau "
            "epsilon is all "
            "that is left under the root.",
            points=1,
        ),
        WrongAnswer(
            edit(CURED, RATCHET, INSIDE),
            "One bug is mended, two are left: the mean square can rise and never fall, and on a plateau epsilon is "
            "all that is "
            "left under the root.",
            points=1,
        ),
        WrongAnswer(
            edit(CURED, RATCHET, SHARED),
            "One bug is mended, two are left: the mean square can rise and never fall, and all numbers of an array "
            "share one.",
            points=2,
        ),
        WrongAnswer(
            edit(CURED, INSIDE),
            "One bug is left: epsilon is inside the root, where 1e-8 is far more than the square of 1e-6. Add it "
            "outside.",
            points=2,
        ),
        WrongAnswer(
            edit(CURED, SHARED),
            "One bug is left: all the numbers of an array share one mean square, so the large gradients set the rate "
            "of "
            "the small ones.",
            points=3,
        ),
        WrongAnswer(
            edit(CURED, RATCHET),
            "One bug is left: `np.maximum` lets the mean square rise and never fall, so a steep slope is remembered "
            "for ever.",
            points=3,
        ),
        WrongAnswer(
            edit(CURED, (" + self.epsilon", "")),
            "Epsilon is gone. On the plateau it still counts for a few percent, and without it a gradient of exactly "
            "zero divides zero by zero. Keep "
            "it, outside the root.",
            points=2,
        ),
        WrongAnswer(
            edit(CURED, ("self.mean_square[name] = new", "self.mean_square[name] = grads[name] ** 2")),
            "Nothing is remembered at all now: every step is one rate long, whatever the gradients were before.",
            points=0,
        ),
    ],
)


# 7.5 Size or variation -----------------------------------------------------------------------------


def centered_run(centered_step, grads, learning_rate, decay, epsilon):
    """Steps, mean squares and means, all made before any is judged."""
    theta = mean_square = mean = np.zeros_like(grads[0])
    history = []
    for grad in grads:
        before = theta
        result = centered_step(theta, grad, mean_square, mean, learning_rate, decay, epsilon)
        theta, mean_square, mean = outputs(result, "theta", "mean_square", "mean")
        size = len(grad)
        theta, mean = vector(theta, size, "the new theta"), vector(mean, size, "the new `mean`")
        mean_square = vector(mean_square, size, "the new `mean_square`")
        history.append((theta - before, mean_square, mean))
    return history


def expected_run(grads, learning_rate, decay, epsilon):
    optimizer, params, history = CenteredRMSprop(learning_rate, decay, epsilon), {"theta": np.zeros_like(grads[0])}, []
    for grad in grads:
        before = params["theta"].copy()
        optimizer.update(params, {"theta": grad})
        state = optimizer.state["theta"]
        history.append((params["theta"] - before, state.variance + state.mean**2, state.mean.copy()))
    return history


def compare_centered(centered_step, grads, settings, rtol=1e-7):
    found, expected = centered_run(centered_step, grads, *settings), expected_run(grads, *settings)
    unchanged_inputs(centered_step)
    for t, (mine, theirs) in enumerate(zip(found, expected, strict=True), start=1):
        for value, right, what in zip(mine, theirs, ("the step", "`mean_square`", "`mean`"), strict=True):
            close(value, right, f"{what} at step {t}", rtol=rtol)


def centered_first(centered_step):
    compare_centered(centered_step, large_grads(78, {"theta": (1, 4)})["theta"], (0.1, 0.8, 1e-8), rtol=1e-5)


def centered_eight(centered_step):
    compare_centered(centered_step, np.random.default_rng(79).normal(size=(8, 3)), (0.1, 0.8, 0.1))


def centered_drift(centered_step):
    compare_centered(centered_step, 2 + np.random.default_rng(80).normal(size=(12, 3)), (0.1, 0.9, 0.05))


CENTERED = """
def centered_step(theta, grad, mean_square, mean, learning_rate, decay, epsilon):
    \"\"\"One step of centered RMSprop: the new theta, mean_square and mean.\"\"\"
    mean_square = decay * mean_square + (1 - decay) * grad**2
    mean = decay * mean + (1 - decay) * grad
    variance = mean_square - mean**2
    theta = theta - learning_rate * grad / (np.sqrt(variance) + epsilon)
    return theta, mean_square, mean
"""

CENTERED_STARTER = """
def centered_step(theta, grad, mean_square, mean, learning_rate, decay, epsilon):
    \"\"\"One step of centered RMSprop: the new theta, mean_square and mean.\"\"\"
    mean_square = decay * mean_square + (1 - decay) * grad**2
    mean = ...
    variance = ...
    theta = ...
    return theta, mean_square, mean
"""

centering = Exercise(
    id="7.5",
    title="Size or variation?",
    answer="centered_step",
    prompt="""
        Complete one step of centered RMSprop. It keeps a second average, of the gradient itself, and divides by the
        root of the difference between the mean square and the square of the mean. Epsilon is added outside the root.
        Both averages forget with the same `decay`, and the newest gradient is in both before the step is taken. Leave
        the arrays that you are given as they are. When it is right: feed it a
        hundred gradients that are all 1. How long is the last step, and what does that say about where this rule is
        safe?
    """,
    starter=CENTERED_STARTER,
    checks=[
        Check(
            "the first step", 1, centered_first, "With one gradient the difference is `decay * (1 - decay) * grad**2`."
        ),
        Check("eight steps of noise", 1, centered_eight, "Which average is squared, and when?"),
        Check("noise around a drift", 2, centered_drift, "Here the mean is not small."),
    ],
    hints=[
        "The mean is averaged as the mean square is, without the square.",
        "A variance is the mean of the square minus the square of the mean.",
        "`mean = decay * mean + (1 - decay) * grad`, `variance = mean_square - mean**2`, and then the step of "
        "RMSprop with "
        "`np.sqrt(variance)` for the root.",
    ],
    solution=CENTERED,
    explanation=(
        "On gradients that agree the variance is almost nothing, and the step almost unbounded: after a hundred ones "
        "it is over a "
        "hundred rates long. Centering takes long steps where the slope is steady, which is what one wants on a "
        "plateau, and what one fears where the slope ends."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(CENTERED, ("mean_square - mean**2", "mean_square")),
            "The mean is kept and not used: this is RMSprop.",
            points=0,
        ),
        WrongAnswer(
            edit(CENTERED, ("mean_square - mean**2", "mean_square - np.abs(mean)")),
            "The mean is subtracted without its square. A variance is the mean of the square minus the square of the "
            "mean.",
            points=0,
        ),
        WrongAnswer(
            edit(CENTERED, ("mean_square - mean**2", "mean_square + mean**2")),
            "The square of the mean is added. Taking it off is what leaves the variance.",
            points=0,
        ),
        WrongAnswer(
            edit(CENTERED, ("learning_rate * grad /", "learning_rate * (grad - mean) /")),
            "Only the divisor is centered. The step still follows the gradient itself, or it would not follow a slope.",
            points=0,
        ),
        WrongAnswer(
            edit(CENTERED, ("learning_rate * grad /", "learning_rate * mean /")),
            "The step follows the mean of the gradients. That is an idea of its own (Adam's); here it follows the "
            "newest one.",
            points=0,
        ),
        WrongAnswer(
            edit(CENTERED, ("np.sqrt(variance) + epsilon", "np.sqrt(variance + epsilon)")),
            "Epsilon is inside the root, as in the paper that introduced the rule. This exercise asks for it "
            "outside, as in "
            "torch.optim.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(
                CENTERED,
                (
                    "    mean = decay * mean + (1 - decay) * grad\n    variance = mean_square - mean**2\n",
                    "    variance = mean_square - mean**2\n    mean = decay * mean + (1 - decay) * grad\n",
                ),
            ),
            "The mean is used before the newest gradient is in it, the mean square after. Both must be of the same "
            "time.",
            points=0,
        ),
        WrongAnswer(
            edit(CENTERED, ("mean = decay * mean + (1 - decay) * grad", "mean = decay * mean + grad")),
            "The mean is a sum: the newest gradient needs the weight `1 - decay`.",
            points=0,
        ),
        WrongAnswer(
            edit(CENTERED, ("(np.sqrt(variance) + epsilon)", "(variance + epsilon)")),
            "The root is missing: the step divides by the variance, not by the standard deviation.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(edit(CENTERED, ("mean_square - mean**2", "np.maximum(mean_square - mean**2, 0)"))),
    ],
)

EXERCISES = [window, whole_class, chase, stall, centering]
