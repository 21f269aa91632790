"""Chapter 3, SGD: a mini-batch iterator, the class, noise against batch size, the rate for a floor, a decaying rate."""

from functools import cache
from itertools import combinations, product

import numpy as np

from exercises.authoring import (
    AcceptedAnswer,
    Check,
    Exercise,
    Wrong,
    WrongAnswer,
    close,
    edit,
    number,
    numeric,
    single,
    unchanged_inputs,
)
from exercises.classes import check_defaults, check_in_place, compare_runs, random_params, updated
from optim_lib.optimizers import SGD
from optim_lib.variants import DecayingSGD

TITLE = "Stochastic gradient descent"


# 3.1 A mini-batch iterator ---------------------------------------------------------------------------


def one_epoch(epoch_batches, n, batch_size, rng):
    """The batches of one epoch as lists of whole numbers, or what is wrong with them."""
    result = epoch_batches(n, batch_size, rng)
    if result is ... or result is None:
        numeric(result, "the epoch")
    try:
        batches = [numeric(batch, "a batch") for batch in result]
    except TypeError:
        raise Wrong("The function should return a list of batches, or yield them one by one.") from None
    if any(batch.ndim != 1 or batch.dtype.kind not in "iu" for batch in batches):
        raise Wrong("A batch should be a one-dimensional array (or list) of whole numbers: which examples it holds.")
    return [batch.tolist() for batch in batches]


def sizes_of_batches(epoch_batches):
    sizes = []
    for n, batch_size in ((12, 4), (10, 4), (9, 4), (3, 8)):
        sizes.append([len(batch) for batch in one_epoch(epoch_batches, n, batch_size, np.random.default_rng(31))])
    for found, expected, n, batch_size in zip(
        sizes, ([4, 4, 4], [4, 4, 2], [4, 4, 1], [3]), (12, 10, 9, 3), (4, 4, 4, 8), strict=True
    ):
        if found != expected:
            raise Wrong(
                f"{n} examples in batches of {batch_size} should make batches of the sizes {expected}; yours are "
                f"{found}."
            )


def each_exactly_once(epoch_batches):
    for n, batch_size in ((12, 4), (11, 4), (13, 4)):
        batches = one_epoch(epoch_batches, n, batch_size, np.random.default_rng(32))
        numbers = np.array([example for batch in batches for example in batch], dtype=int)
        if np.any((numbers < 0) | (numbers >= n)):
            raise Wrong(f"The numbers should run from 0 to n - 1, here {n - 1}.")
        seen = np.bincount(numbers, minlength=n)
        missing, repeated = np.flatnonzero(seen == 0), np.flatnonzero(seen > 1)
        if missing.size or repeated.size:
            raise Wrong(
                f"In one epoch of {n} examples each should be seen exactly once; yours leaves out {missing.size} of "
                f"them and repeats {repeated.size}."
            )


def well_shuffled(epoch_batches):
    rng, epochs = np.random.default_rng(33), 400
    together = first = 0
    for _ in range(epochs):
        batches = one_epoch(epoch_batches, 12, 4, rng)
        together += any({0, 1} <= set(batch) for batch in batches)
        first += bool(batches) and 0 in batches[0]
    together, first = together / epochs, first / epochs
    if abs(first - 1 / 3) > 0.1:
        raise Wrong(
            f"Over {epochs} epochs of three batches, example 0 was in the first batch {first:.0%} of the time; 33% is "
            f"expected."
        )
    if abs(together - 3 / 11) > 0.1:
        raise Wrong(
            f"Over {epochs} epochs of three batches, examples 0 and 1 were in one batch {together:.0%} of the time; "
            f"27% is expected of a shuffled order."
        )


def from_the_generator(epoch_batches):
    rng = np.random.default_rng(34)
    first, second = (one_epoch(epoch_batches, 30, 10, rng) for _ in range(2))
    again = one_epoch(epoch_batches, 30, 10, np.random.default_rng(34))
    if first == second:
        raise Wrong("Two epochs drawn from one generator came in the same order.")
    if first != again:
        raise Wrong(
            "Two generators with the same seed gave different epochs: draw the order from `rng`, so that a run can be "
            "repeated."
        )


EPOCH_BATCHES = """
def epoch_batches(n, batch_size, rng):
    \"\"\"One epoch: the numbers 0 to n - 1 in random order, batch_size at a time.\"\"\"
    order = rng.permutation(n)
    batches = []
    for start in range(0, n, batch_size):
        batches.append(order[start : start + batch_size])
    return batches
"""

iterator = Exercise(
    id="3.1",
    title="A mini-batch iterator",
    answer="epoch_batches",
    prompt="""
        Write `epoch_batches(n, batch_size, rng)`. It returns the batches of one epoch as a list (or yields them): each
        batch an array of the numbers of its examples, 0 to `n - 1`. Every example is in exactly one batch, in an order
        drawn afresh from the NumPy generator `rng`. If `batch_size` does not divide `n`, the last batch is smaller.
    """,
    starter="""
        def epoch_batches(n, batch_size, rng):
            \"\"\"One epoch: the numbers 0 to n - 1 in random order, batch_size at a time.\"\"\"
            return ...
    """,
    checks=[
        Check("the sizes of the batches", 1, sizes_of_batches, "What is left over after the last full batch?"),
        Check("each example exactly once", 1, each_exactly_once, "Put all batches of an epoch together and sort them."),
        Check("shuffled through and through", 1, well_shuffled, "May two neighbors land in different batches?"),
        Check("a new order from the generator", 1, from_the_generator, "Where does the randomness come from?"),
    ],
    hints=[
        "Shuffle once for each epoch, then cut the shuffled order into pieces.",
        "`rng.permutation(n)` is the order. The pieces start at 0, `batch_size`, twice `batch_size`, ...",
        "`for start in range(0, n, batch_size)`, and the batch is `order[start : start + batch_size]`: a slice that "
        "runs past the end is simply shorter.",
    ],
    solution=EPOCH_BATCHES,
    explanation=(
        "This is sampling without replacement, what nearly everybody runs. Each batch alone is a fair sample, but it "
        "is not independent of the others: together they are the whole data set, exactly."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(EPOCH_BATCHES, ("rng.permutation(n)", "np.arange(n)")),
            "The examples come in their stored order. If that is sorted by class, each batch pulls toward its own "
            "class: shuffle first.",
            points=2,
        ),
        WrongAnswer(
            edit(EPOCH_BATCHES, ("range(0, n, batch_size)", "range(0, n - batch_size + 1, batch_size)")),
            "The examples left over after the last full batch are dropped, as some loaders do on request "
            "(`drop_last`). This exercise asks for a smaller last batch.",
            points=2,
            convention=True,
        ),
        WrongAnswer(
            edit(
                EPOCH_BATCHES,
                ("    order = rng.permutation(n)\n", ""),
                ("order[start : start + batch_size]", "rng.integers(n, size=min(batch_size, n - start))"),
            ),
            "Each batch is drawn from all examples, with replacement, as the theory likes it. This exercise asks for "
            "an epoch, in which every example is seen exactly once.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(
                EPOCH_BATCHES,
                ("    order = rng.permutation(n)\n", ""),
                (
                    "order[start : start + batch_size]",
                    "rng.choice(n, min(batch_size, n - start), replace=False)",
                ),
            ),
            "No batch repeats an example, but two batches of one epoch may share some, and others are never seen: "
            "draw one order for the whole epoch and cut it.",
            points=3,
        ),
        WrongAnswer(
            edit(
                EPOCH_BATCHES,
                ("rng.permutation(n)", "np.arange(n)"),
                ("return batches", "return [batches[k] for k in rng.permutation(len(batches))]"),
            ),
            "Only the order of the batches is shuffled: what is in them is always the same.",
        ),
        WrongAnswer(
            edit(EPOCH_BATCHES, ("order = rng", "order = np.random.default_rng(0)")),
            "The generator is made anew, with the same seed, in every call: all epochs come in the same order. Use "
            "`rng`, which goes on from where it is.",
            points=2,
        ),
        WrongAnswer(
            edit(EPOCH_BATCHES, ("rng.permutation(n)", "np.random.permutation(n)")),
            "draw the order from `rng`",
            points=3,
            diagnose=False,
        ),
        WrongAnswer(
            edit(EPOCH_BATCHES, ("order[start : start + batch_size]", "order[start:batch_size]")),
            "The slice ends at `batch_size`, so only the first batch holds anything: end it at `start + batch_size`.",
            points=1,
        ),
        WrongAnswer(
            edit(EPOCH_BATCHES, ("return batches", "return np.array_split(order, -(-n // batch_size))")),
            "`np.array_split` evens the sizes out (10 examples in batches of 4 become 4, 3, 3). This exercise asks for "
            "full batches, and what is left over in the last.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(EPOCH_BATCHES, ("return batches", "return batches[0]")),
            "Only one batch is returned: asked are all batches of the epoch, in a list.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def epoch_batches(n, batch_size, rng):
                order = rng.permutation(n)
                for start in range(0, n, batch_size):
                    yield order[start : start + batch_size]
            """
        ),
        AcceptedAnswer(
            """
            def epoch_batches(n, batch_size, rng):
                left = list(range(n))
                rng.shuffle(left)
                batches = []
                while left:
                    batches.append(left[:batch_size])
                    left = left[batch_size:]
                return batches
            """
        ),
    ],
)


# 3.2 The class ---------------------------------------------------------------------------------------


def sgd_first_step(my_sgd):
    shapes = {"weights": (3, 4)}
    start, grads = random_params(35, shapes), [random_params(36, shapes)]
    compare_runs(my_sgd, SGD, start, grads, learning_rate=0.3)


def sgd_many_steps(my_sgd):
    start, grads = random_params(37), [random_params(seed) for seed in range(310, 316)]
    rates = [0.1, 0.1, 0.1, 0.02, 0.02, 0.02]
    compare_runs(my_sgd, SGD, start, grads, rates=rates, learning_rate=0.1)
    check_defaults(my_sgd, SGD, seed=380)


def in_place(answer):
    check_in_place(answer(learning_rate=0.1), random_params(38), random_params(39))
    unchanged_inputs(answer)


MY_SGD = """
class MySGD:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        for name in params:
            params[name] -= self.learning_rate * grads[name]
        return params
"""

MINUS = "params[name] -= self.learning_rate * grads[name]"

the_class = Exercise(
    id="3.2",
    title="The class",
    answer="MySGD",
    prompt="""
        Write `MySGD.update(params, grads)`, the listing of the article and the shape of every optimizer in this course.
        Both arguments are dicts from a parameter's name to its array. Change every array of `params` in place, return
        the same dict, and leave `grads` alone. Someone may set another `learning_rate` between two updates.
    """,
    starter="""
        class MySGD:
            def __init__(self, learning_rate=0.01):
                self.learning_rate = learning_rate

            def update(self, params, grads):
                return ...
    """,
    checks=[
        Check("the first step of one parameter", 1, sgd_first_step, "Subtract the rate times the gradient."),
        Check("six steps, the rate changed on the way", 1, sgd_many_steps, "Each step stands alone, as long as it is."),
        Check("the same dict, changed in place", 1, in_place, "`a -= b` changes an array, `a = a - b` makes another."),
    ],
    hints=[
        "Loop over the names. SGD remembers nothing, so one line in the loop is enough.",
        "`params[name] -= ...` changes the array that the model holds; `params[name] = params[name] - ...` does not.",
        "`params[name] -= self.learning_rate * grads[name]` in the loop, and `return params` after it.",
    ],
    solution=MY_SGD,
    explanation=(
        "The class does not know whether its gradients come from one example or from all of them: what makes it "
        "stochastic is what it is given."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(MY_SGD, ("-= self", "+= self")),
            "The step goes uphill: subtract the gradient.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_SGD, ("self.learning_rate * grads", "grads")),
            "The learning rate is missing: every step is as long as the gradient.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_SGD, (MINUS, "params[name] = params[name] - self.learning_rate * grads[name]")),
            "is a new array",
            points=2,
            diagnose=False,
        ),
        WrongAnswer(
            """
            class MySGD:
                def __init__(self, learning_rate=0.01):
                    self.learning_rate = learning_rate

                def update(self, params, grads):
                    new = {}
                    for name in params:
                        new[name] = params[name] - self.learning_rate * grads[name]
                    return new
            """,
            "`update` returns another dict",
            points=2,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_SGD, ("        return params", "            return params")),
            "The `return` stands inside the loop: only the first parameter is ever updated.",
        ),
        WrongAnswer(
            """
            class MySGD:
                def __init__(self, learning_rate=0.01):
                    self.learning_rate = self.rate = learning_rate

                def update(self, params, grads):
                    for name in params:
                        params[name] -= self.rate * grads[name]
                    return params
            """,
            "The rate is remembered from the start, so a new `learning_rate` set between two updates has no effect: "
            "read `self.learning_rate` in each step.",
            points=2,
        ),
        WrongAnswer(
            edit(MY_SGD, ("        return params", "        pass")),
            "is a `return` missing?",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_SGD, (MINUS, "params[name] -= self.learning_rate * np.mean(grads[name])")),
            "The gradient is averaged over the entries of the parameter. A batch's gradient is averaged over its "
            "examples already; each entry has its own.",
            points=1,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            class MySGD:
                def __init__(self, learning_rate=0.01):
                    self.learning_rate = learning_rate

                def update(self, params, grads):
                    for name, grad in grads.items():
                        params[name][...] = params[name] + -self.learning_rate * grad
                    return params
            """
        ),
    ],
)


# 3.3 Noise against batch size ------------------------------------------------------------------------


def some_gradients(seed, n=6, d=3):
    return np.random.default_rng(seed).normal(loc=0.8, size=(n, d))


def by_enumeration(gradients, batch_size, replacement):
    """The mean squared distance over every batch that there is."""
    n, full = len(gradients), gradients.mean(axis=0)
    every = product(range(n), repeat=batch_size) if replacement else combinations(range(n), batch_size)
    return np.mean([((gradients[list(batch)].mean(axis=0) - full) ** 2).sum() for batch in every])


def compare_noise(noise, seed, cases, n=6, d=3):
    gradients = some_gradients(seed, n, d)
    results = [noise(gradients, batch_size, replacement) for batch_size, replacement in cases]
    for result, (batch_size, replacement) in zip(results, cases, strict=True):
        how = "with" if replacement else "without"
        what = f"the noise of batches of {batch_size} out of {n}, drawn {how} replacement,"
        close(result, by_enumeration(gradients, batch_size, replacement), what)


def noise_of_one(noise):
    compare_noise(noise, 40, [(1, True)])


def noise_with(noise):
    compare_noise(noise, 41, [(2, True), (4, True), (5, True)], n=5, d=4)


def noise_without(noise):
    compare_noise(noise, 42, [(1, False), (2, False), (4, False), (6, False)], n=7)


def noise_of_all(noise):
    gradients = some_gradients(43)
    found, all_but_one = noise(gradients, 6, False), noise(gradients, 5, False)
    found = single(found, "the noise of a batch of all examples, each once,")
    if not abs(found) < 1e-12:
        raise Wrong(
            f"A batch of all examples, each once, has the full gradient: its noise should be 0, yours is "
            f"{number(found)}."
        )
    if np.all(numeric(all_but_one, "the noise") == 0):
        raise Wrong("The noise of a batch that leaves one example out is not 0: it matters which one.")


NOISE = """
def noise(gradients, batch_size, replacement):
    \"\"\"The expected squared distance of a batch's gradient from the full one.\"\"\"
    n = len(gradients)
    full = gradients.mean(axis=0)
    sigma2 = ((gradients - full) ** 2).sum(axis=1).mean()
    result = sigma2 / batch_size
    if not replacement:
        result *= (n - batch_size) / (n - 1)
    return result
"""

SIGMA2 = "((gradients - full) ** 2).sum(axis=1).mean()"
FACTOR = "(n - batch_size) / (n - 1)"

noise_law = Exercise(
    id="3.3",
    title="Noise against batch size",
    answer="noise",
    prompt="""
        The rows of `gradients`, of shape `(n, d)`, are the gradients of the single examples. Write
        `noise(gradients, batch_size, replacement)`: the *expected* squared distance
        $\\mathbb E\\lVert g - \\nabla L \\rVert^2$ between the gradient of a random batch and the mean of all rows,
        without drawing a single batch. The examples of a batch are drawn uniformly; `replacement` says whether one may
        come up twice.
    """,
    starter="""
        def noise(gradients, batch_size, replacement):
            \"\"\"The expected squared distance of a batch's gradient from the full one.\"\"\"
            return ...
    """,
    checks=[
        Check("one example", 1, noise_of_one, "How far are the rows from their mean, squared, on average?"),
        Check("batches with replacement", 1, noise_with, "Independent errors: the variance of a mean of B is 1/B."),
        Check("batches without replacement", 1, noise_without, "Which factor is 1 for one example and 0 for all?"),
        Check("everything, each once", 1, noise_of_all, "What is left to chance?"),
    ],
    hints=[
        "Start with one example: the expected squared distance is the mean over the rows of the squared length of "
        "row minus mean.",
        "The mean of B independent draws has 1/B of that. Without replacement the draws repel each other a little, "
        "by the factor `(n - B) / (n - 1)`.",
        "`sigma2 = ((gradients - full) ** 2).sum(axis=1).mean()`; return `sigma2 / batch_size`, times "
        "`(n - batch_size) / (n - 1)` without replacement.",
    ],
    solution=NOISE,
    explanation=(
        "The noise falls as 1/B, however large the data set is: a poll of a thousand people is as good in a large "
        "country as in a small one. Only when the batch is a sizable share of the data does drawing without "
        "replacement help."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(NOISE, ("sigma2 / batch_size", "sigma2 / np.sqrt(batch_size)")),
            "The squared distance falls as 1/B; it is the distance itself that falls as one over the root of B.",
            points=2,
        ),
        WrongAnswer(
            edit(NOISE, ("return result", "return np.sqrt(result)")),
            "This is the root of what is asked: the typical distance in place of the expected squared one.",
            points=1,
        ),
        WrongAnswer(
            edit(NOISE, (SIGMA2, "((gradients - full) ** 2).mean()")),
            "This is the variance of an average coordinate. The squared distance adds the coordinates up: sum over "
            "the columns, average over the rows.",
            points=1,
        ),
        WrongAnswer(
            edit(NOISE, (SIGMA2, "gradients.var(axis=0, ddof=1).sum()")),
            "This divides by n - 1, the estimate for a population from a sample of it. The n rows are the whole "
            "population that batches are drawn from: divide by n.",
            points=1,
        ),
        WrongAnswer(
            edit(NOISE, ("(gradients - full) ** 2", "gradients**2")),
            "This is the mean squared length of the gradients; the full gradient must be subtracted first. It is the "
            "part that all examples agree on, and no noise.",
            points=1,
        ),
        WrongAnswer(
            edit(NOISE, ("    if not replacement:\n        result *= (n - batch_size) / (n - 1)\n", "")),
            "Drawing without replacement is treated as drawing with it. It matters: a batch of all examples, each "
            "once, has no noise at all.",
            points=2,
        ),
        WrongAnswer(
            edit(NOISE, (FACTOR, "(n - batch_size) / n")),
            "The factor is `(n - B) / (n - 1)`: with one example nothing can repeat, so it must be 1 there.",
            points=3,
        ),
        WrongAnswer(
            edit(NOISE, (FACTOR, "1 - (batch_size / n) ** 2")),
            "The factor without replacement is 0 for a batch of everything, but in between it falls in a straight "
            "line: `(n - B) / (n - 1)`.",
        ),
        WrongAnswer(
            edit(NOISE, ("if not replacement", "if replacement")),
            "The two cases are exchanged: it is drawing without replacement that needs the factor.",
            points=1,
        ),
        WrongAnswer(
            edit(NOISE, ("sigma2 / batch_size", "sigma2 * batch_size")),
            "The noise grows with the batch: this is the sum of the gradients' noise. A batch's gradient is a mean.",
            points=2,
        ),
        WrongAnswer(
            edit(NOISE, ("result = sigma2 / batch_size", "result = sigma2")),
            "The batch size does not appear: this is the noise of a single example.",
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def noise(gradients, batch_size, replacement):
                n, one = len(gradients), np.trace(np.atleast_2d(np.cov(gradients.T, bias=True)))
                return one / batch_size if replacement else one * (n / batch_size - 1) / (n - 1)
            """
        ),
    ],
)


# 3.4 The rate for a floor ----------------------------------------------------------------------------

CASES = ((2.0, 1.0, 4, 0.03), (0.5, 9.0, 32, 0.2), (10.0, 0.4, 1, 0.05), (1.0, 25.0, 100, 0.01))


def settled(curvature, variance, batch_size, rate, steps=100_000):
    """The mean loss above the minimum after many steps, by following the variance step by step (in closed form)."""
    keep = (1 - rate * curvature) ** 2
    if keep >= 1:
        return np.inf
    spread = rate**2 * variance / batch_size * (1 - keep**steps) / (1 - keep)
    return 0.5 * curvature * spread


def rates_of_cases(rate_for_floor):
    rates = [rate_for_floor(*case) for case in CASES]
    for rate, (curvature, variance, batch_size, floor) in zip(rates, CASES, strict=True):
        noise = variance / batch_size
        what = f"with {curvature=:g}, {variance=:g}, {batch_size=} and {floor=:g}, the rate"
        close(rate, 4 * floor / (noise + 2 * curvature * floor), what)


def it_is_the_floor(rate_for_floor):
    case = (3.0, 2.0, 8, 0.02)
    rate = rate_for_floor(*case)
    close(np.shape(numeric(rate, "the rate")), (), "the shape of the rate")
    found = settled(*case[:3], float(rate))
    if not np.isfinite(found):
        raise Wrong(f"With your rate, {number(rate)}, and curvature 3 the run diverges.")
    close(found, case[3], "the loss at which a run with your rate settles")


def near_the_edge(rate_for_floor):
    rate = rate_for_floor(5.0, 1e-4, 16, 1.0)
    what = "with curvature 5, hardly any noise and a generous floor, the rate"
    close(rate, 4 / (1e-4 / 16 + 10), what)


RATE_FOR_FLOOR = """
def rate_for_floor(curvature, variance, batch_size, floor):
    \"\"\"The constant rate with which the mean loss of SGD ends at this height above the minimum.\"\"\"
    noise = variance / batch_size
    return 4 * floor / (noise + 2 * curvature * floor)
"""

rate_for_a_floor = Exercise(
    id="3.4",
    title="The rate for a floor",
    answer="rate_for_floor",
    prompt="""
        On the parabola $\\tfrac12 \\lambda c^2$ SGD sees the slope $\\lambda c$ plus noise. One example's noise has
        mean 0 and the variance `variance`, the same everywhere; a batch of `batch_size` independent examples has less.
        Write `rate_for_floor(curvature, variance, batch_size, floor)`: the constant learning rate whose mean loss ends,
        in the long run, exactly at `floor`. (Every smaller rate ends lower.) The exact formula is asked, not the rule
        for small rates.
    """,
    starter="""
        def rate_for_floor(curvature, variance, batch_size, floor):
            \"\"\"The constant rate with which the mean loss of SGD ends at this height above the minimum.\"\"\"
            noise = ...
            return ...
    """,
    checks=[
        Check("four bowls", 2, rates_of_cases, "Which rate makes the formula for the floor give `floor`?"),
        Check("a run settles there", 1, it_is_the_floor, "Put your rate back into the formula for the floor."),
        Check("hardly any noise", 1, near_the_edge, "Without noise, what limits the rate?"),
    ],
    hints=[
        "The chapter has the formula from the rate to the floor. Turn it around.",
        "The floor is `rate * noise / (2 * (2 - rate * curvature))`, with `noise = variance / batch_size`. Multiply "
        "by the denominator and collect the rate on one side.",
        "`rate * (noise + 2 * curvature * floor) = 4 * floor`.",
    ],
    solution=RATE_FOR_FLOOR,
    explanation=(
        "For a low floor this is 4 * floor / noise: half the floor needs half the rate, or twice the batch. For a high "
        "one it approaches 2 / curvature, the edge of stability from chapter 2, which no batch size can move."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(RATE_FOR_FLOOR, ("(noise + 2 * curvature * floor)", "noise")),
            "This is the rule for small rates, 4 * floor / noise. It forgets the edge of stability: with little noise "
            "it promises a rate at which the run diverges.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(RATE_FOR_FLOOR, ("variance / batch_size", "variance")),
            "The batch size does not enter: a batch of B has a variance B times smaller.",
        ),
        WrongAnswer(
            edit(RATE_FOR_FLOOR, ("variance / batch_size", "variance / np.sqrt(batch_size)")),
            "The variance of a batch falls as 1/B; it is the standard deviation that falls as one over the root.",
        ),
        WrongAnswer(
            edit(RATE_FOR_FLOOR, ("variance / batch_size", "variance * batch_size")),
            "The noise grows with the batch here: divide the variance by the batch size.",
        ),
        WrongAnswer(
            edit(RATE_FOR_FLOOR, ("4 * floor / (noise + 2", "2 * floor / (noise + 1")),
            "The factor one half of the loss is lost: the loss is half the curvature times the mean squared distance, "
            "so this settles at half the floor.",
            points=0,
        ),
        WrongAnswer(
            edit(
                RATE_FOR_FLOOR,
                (
                    "4 * floor / (noise + 2 * curvature * floor)",
                    "2 * curvature * floor / (noise + curvature**2 * floor)",
                ),
            ),
            "This takes `floor` for the mean squared distance from the minimum. It is a loss: half the curvature times "
            "that distance.",
            points=0,
        ),
        WrongAnswer(
            edit(
                RATE_FOR_FLOOR,
                (
                    "return 4 * floor / (noise + 2 * curvature * floor)",
                    "rate = floor\n    return rate * noise / (2 * (2 - rate * curvature))",
                ),
            ),
            "This is the floor of a given rate; asked is the rate of a given floor.",
            points=0,
        ),
        WrongAnswer(
            edit(
                RATE_FOR_FLOOR, ("4 * floor / (noise + 2 * curvature * floor)", "min(4 * floor / noise, 2 / curvature)")
            ),
            "The smaller of the two limits is too bold where they meet: the formula for the floor has both in one, so "
            "solve it exactly.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def rate_for_floor(curvature, variance, batch_size, floor):
                low, high = 0.0, 2 / curvature
                for _ in range(200):
                    rate = (low + high) / 2
                    settles = rate * variance / batch_size / (2 * (2 - rate * curvature))
                    low, high = (rate, high) if settles <= floor else (low, rate)
                return low
            """
        ),
    ],
)


# 3.5 A rate that decays ------------------------------------------------------------------------------


def decaying_first_step(my_class):
    shapes = {"weights": (3, 4)}
    start, grads = random_params(44, shapes), [random_params(45, shapes)]
    compare_runs(my_class, DecayingSGD, start, grads, learning_rate=0.4, decay_steps=5.0)


def decaying_steps(my_class):
    shapes = {"weights": (3, 4)}
    start, grads = random_params(46, shapes), [random_params(seed, shapes) for seed in range(320, 332)]
    compare_runs(my_class, DecayingSGD, start, grads, learning_rate=0.4, decay_steps=4.0)


def decaying_many_parameters(my_class):
    start, grads = random_params(47), [random_params(seed) for seed in range(340, 346)]
    compare_runs(my_class, DecayingSGD, start, grads, learning_rate=0.2, decay_steps=2.5)
    check_in_place(my_class(learning_rate=0.1), random_params(49), random_params(48))
    check_defaults(my_class, DecayingSGD, seed=390, learning_rate=0.01, decay_steps=10.0)


def noisy_end(optimizer, steps=600, runs=200):
    """The mean loss of many runs in a bowl of curvature 1 with noise of variance 1, after the last step."""
    rng, params = np.random.default_rng(48), {"c": np.full(runs, 3.0)}
    for _ in range(steps):
        params = updated(optimizer, params, {"c": params["c"] + rng.standard_normal(runs)})
    return float(np.mean(0.5 * params["c"] ** 2))


@cache
def noisy_ends():
    """With a constant rate, and with one that decays as asked; exponential decay ends between, at 0.0145."""
    return noisy_end(SGD(0.5)), noisy_end(DecayingSGD(learning_rate=0.5, decay_steps=10.0))


def no_floor(my_class):
    end = noisy_end(my_class(learning_rate=0.5, decay_steps=10.0))
    constant, expected = noisy_ends()
    if not end < constant / 50:
        raise Wrong(
            f"In a noisy bowl a constant rate ends at a mean loss of {number(constant)}, a rate that decays as asked "
            f"at {number(expected)}, and yours at {number(end)}."
        )


DECAYING = """
class MyDecayingSGD:
    def __init__(self, learning_rate=0.01, decay_steps=10.0):
        self.learning_rate = learning_rate
        self.decay_steps = decay_steps
        self.t = 0

    def update(self, params, grads):
        self.t += 1
        rate = self.learning_rate / (1 + (self.t - 1) / self.decay_steps)
        for name in params:
            params[name] -= rate * grads[name]
        return params
"""

RATE = "self.learning_rate / (1 + (self.t - 1) / self.decay_steps)"

decaying_rate = Exercise(
    id="3.5",
    title="A rate that decays",
    answer="MyDecayingSGD",
    prompt="""
        Write an SGD without a floor. Step $t$ = 1, 2, 3, ... has the rate
        $\\eta_t = \\eta / (1 + (t - 1)/\\tau)$, with `learning_rate` for $\\eta$ and `decay_steps` for $\\tau$; one
        call of `update` is one step for all parameters. As before: in place, and the same dict is returned. When it is
        right, try $\\eta\\, e^{-(t - 1)/\\tau}$ as well, which goes to zero faster. It is not what is asked (your
        points stay yours), and the last check shows what is wrong with it.
    """,
    starter="""
        class MyDecayingSGD:
            def __init__(self, learning_rate=0.01, decay_steps=10.0):
                self.learning_rate = learning_rate
                self.decay_steps = decay_steps
                self.t = 0

            def update(self, params, grads):
                return ...
    """,
    checks=[
        Check("the first step", 1, decaying_first_step, "At `t = 1` the rate is `learning_rate` itself."),
        Check("twelve steps of one parameter", 1, decaying_steps, "Write down the rates of steps 1, 2 and 3."),
        Check(
            "six steps of three parameters", 1, decaying_many_parameters, "What is one step: a call, or a parameter?"
        ),
        Check("the floor is gone", 1, no_floor, "Does the rate go to zero, and slowly enough to arrive?"),
    ],
    hints=[
        "Count the calls of `update`, not the parameters. When must the count go up: before the loop or in it?",
        "Compute the rate of this step from `self.learning_rate` and the count; do not overwrite "
        "`self.learning_rate`, or the decays multiply.",
        "`self.t += 1`, then `rate = self.learning_rate / (1 + (self.t - 1) / self.decay_steps)`, then the loop of "
        "exercise 3.2 with `rate`.",
    ],
    solution=DECAYING,
    explanation=(
        "The rates fall like 1/t: their sum grows without bound, so the run can reach any place, and the sum of their "
        "squares does not, so the noise it collects is finite. An exponential decay has a finite sum: the "
        "run freezes with the noise of its last long steps in it, or before it has arrived."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(
                DECAYING,
                ("        self.t += 1\n", ""),
                ("        rate = " + RATE + "\n", ""),
                (
                    "            params[name] -= rate",
                    "            self.t += 1\n            rate = " + RATE + "\n            params[name] -= rate",
                ),
            ),
            "The count goes up once for every parameter, so with three of them the rate decays three times too fast, "
            "and each has another rate: count calls.",
            points=3,
        ),
        WrongAnswer(
            edit(DECAYING, ("(self.t - 1)", "self.t")),
            "The decay is one step ahead: at the first step, `t = 1`, the rate should still be `learning_rate`.",
            points=1,
        ),
        WrongAnswer(
            edit(
                DECAYING,
                ("        rate = " + RATE, "        self.learning_rate = " + RATE),
                ("-= rate *", "-= self.learning_rate *"),
            ),
            "`self.learning_rate` is overwritten, so each step divides a rate that is divided already: the decays "
            "multiply. Keep the first rate, and compute this step's rate beside it.",
            points=1,
        ),
        WrongAnswer(
            edit(DECAYING, (RATE, "self.learning_rate * np.exp(-(self.t - 1) / self.decay_steps)")),
            "This rate decays exponentially. The sum of all rates is finite, so the run freezes: with the noise of "
            "its last long steps still in it, or before it arrives. This exercise asks for a rate that falls like 1/t.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(DECAYING, (RATE, "self.learning_rate / np.sqrt(1 + (self.t - 1) / self.decay_steps)")),
            "This rate falls like one over the root of t, a schedule in use, but slower than asked: leave out the "
            "root.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(DECAYING, (RATE, "self.learning_rate / (1 + (self.t - 1) // self.decay_steps)")),
            "Whole-number division `//` keeps the rate constant for `decay_steps` steps and then drops it, a "
            "staircase: use `/`.",
        ),
        WrongAnswer(
            edit(DECAYING, (RATE, "self.learning_rate / (1 + (self.t - 1) * self.decay_steps)")),
            "`decay_steps` is multiplied where it should divide: a larger value should make the decay slower.",
        ),
        WrongAnswer(
            edit(DECAYING, (RATE, "self.learning_rate / self.t")),
            "The rate is `learning_rate / t`: `decay_steps` has no part in it, and the rate is halved after a single "
            "step.",
        ),
        WrongAnswer(
            edit(DECAYING, ("        self.t += 1\n", "")),
            "The count never goes up, so the rate stays what it was at the start: add one to `self.t` in each call.",
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            class MyDecayingSGD:
                def __init__(self, learning_rate=0.01, decay_steps=10.0):
                    self.learning_rate, self.decay_steps, self.t = learning_rate, decay_steps, 0

                def update(self, params, grads):
                    rate = self.learning_rate * self.decay_steps / (self.decay_steps + self.t)
                    for name in grads:
                        params[name] -= rate * grads[name]
                    self.t += 1
                    return params
            """
        ),
    ],
)

EXERCISES = [iterator, the_class, noise_law, rate_for_a_floor, decaying_rate]
