"""Chapter 6, AdaGrad: effective rates, the whole class, a sparse update, and how long the way becomes."""

from functools import cache

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
    kind_of,
    numeric,
    outputs,
)
from exercises.classes import (
    check_defaults,
    check_in_place,
    check_late_parameter,
    compare_runs,
    large_grads,
    random_params,
)
from optim_lib.optimizers import AdaGrad
from optim_lib.probes import distances

TITLE = "AdaGrad"


# 6.1 Effective rates -------------------------------------------------------------------------------


def rates_of_adagrad(grads, learning_rate, epsilon):
    """The rate of each coordinate after each gradient, from the sums that the library's AdaGrad keeps."""
    adagrad = AdaGrad(learning_rate, epsilon)
    params = {"theta": np.zeros_like(grads[0])}
    rates = []
    for grad in grads:
        adagrad.update(params, {"theta": grad})
        rates.append(learning_rate / (np.sqrt(adagrad.state["theta"].accumulated) + epsilon))
    return np.array(rates)


def random_grads(seed, steps=6, size=3):
    return np.random.default_rng(seed).normal(size=(steps, size))


def rates_after_one(effective_rates):
    grads = large_grads(61, {"theta": (1, 3)})["theta"]
    expected = rates_of_adagrad(grads, 0.5, 1e-8)
    close(effective_rates(grads, 0.5, 1e-8), expected, "the rates after one gradient", rtol=1e-6)


def rates_after_each(effective_rates):
    grads = random_grads(seed=62)
    close(effective_rates(grads, 0.5, 0.1), rates_of_adagrad(grads, 0.5, 0.1), "the rates, with epsilon = 0.1,")


RATES = """
def effective_rates(grads, learning_rate, epsilon):
    \"\"\"AdaGrad's rate for each coordinate after each row of gradients: an array shaped like grads.\"\"\"
    accumulated = np.cumsum(grads**2, axis=0)
    return learning_rate / (np.sqrt(accumulated) + epsilon)
"""

RATES_STARTER = """
def effective_rates(grads, learning_rate, epsilon):
    \"\"\"AdaGrad's rate for each coordinate after each row of gradients: an array shaped like grads.\"\"\"
    return ...
"""

effective = Exercise(
    id="6.1",
    title="The rate after each step",
    answer="effective_rates",
    prompt="""
        Write `effective_rates(grads, learning_rate, epsilon)`. The rows of `grads` are the gradients $g_1, g_2, \\dots$
        of successive steps, one column for each parameter: row 0 is $g_1$. Return an array of the same shape whose rows
        hold, in the same order, the factors by which each step multiplies its gradient. The sum $G_t$ includes $g_t$,
        and epsilon is added outside the root.
    """,
    starter=RATES_STARTER,
    checks=[
        Check("the rates after one gradient", 1, rates_after_one, "Put a single gradient into the two equations."),
        Check(
            "the rates after each of six gradients",
            2,
            rates_after_each,
            "Work out the second row on paper from the first two gradients.",
        ),
    ],
    hints=[
        "What does AdaGrad remember about each parameter, and how does it grow from row to row?",
        "A running sum of `grads**2` down each column: `np.cumsum` takes an `axis`.",
        "`accumulated = np.cumsum(grads**2, axis=0)`, then the rate over `np.sqrt(accumulated) + epsilon`.",
    ],
    solution=RATES,
    explanation=(
        "Each column has a sum of its own, so each parameter has a rate of its own. No rate ever rises, since no "
        "square is negative; and a row of zeros changes nothing."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(RATES, ("np.cumsum(grads**2, axis=0)", "np.cumsum(grads**2, axis=0) - grads**2")),
            "The sum stops one gradient too early: `G_t` includes the gradient that the step is taken with. Without "
            "it the first rate is `learning_rate / epsilon`.",
            points=0,
        ),
        WrongAnswer(
            edit(RATES, ("(np.sqrt(accumulated) + epsilon)", "(accumulated + epsilon)")),
            "The root is missing: the rate is divided by the root of the sum of squares, a size, not by the sum.",
            points=0,
        ),
        WrongAnswer(
            edit(RATES, ("np.sqrt(accumulated) + epsilon", "np.sqrt(accumulated + epsilon)")),
            "Epsilon is inside the root. The article's equation has it there, its listing and torch.optim do not; "
            "this exercise asks for `sqrt(G) + epsilon`.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(RATES, ("np.sqrt(accumulated)", "np.sqrt(accumulated / np.arange(1, len(grads) + 1)[:, None])")),
            "This divides by the root of the mean of the squares. AdaGrad has their sum, which grows with every step.",
            points=1,
        ),
        WrongAnswer(
            edit(RATES, ("np.cumsum(grads**2, axis=0)", "grads**2")),
            "Nothing is summed: each row uses its own gradient alone, so nothing is remembered.",
            points=1,
        ),
        WrongAnswer(
            edit(RATES, ("np.sqrt(accumulated)", "np.cumsum(np.abs(grads), axis=0)")),
            "The sizes of the gradients are summed. AdaGrad sums their squares and takes the root of the sum.",
            points=1,
        ),
        WrongAnswer(
            edit(RATES, ("axis=0", "axis=1")),
            "The sum runs along a row, over the parameters. Each parameter sums its own gradients: down a column.",
            points=0,
        ),
        WrongAnswer(
            edit(RATES, ("np.cumsum(grads**2, axis=0)", "np.cumsum((grads**2).sum(1))[:, None] + 0 * grads")),
            "All parameters share one sum, and so one rate. AdaGrad keeps a sum for each.",
            points=0,
        ),
        WrongAnswer(
            edit(RATES, ("return learning_rate /", "return learning_rate * grads /")),
            "These are the steps. The exercise asks for what the gradient is multiplied by, without the gradient.",
            points=0,
        ),
        WrongAnswer(
            edit(RATES, ("np.cumsum(grads**2, axis=0)", "np.sum(grads**2, axis=0)")),
            "Only the last rates are returned: keep those of every step, one row for each gradient.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def effective_rates(grads, learning_rate, epsilon):
                total, rates = 0.0, []
                for grad in grads:
                    total = total + grad * grad
                    rates.append(learning_rate / (total**0.5 + epsilon))
                return rates
            """
        ),
    ],
)


# 6.2 The whole class -------------------------------------------------------------------------------


def class_first_step(my_adagrad):
    shapes = {"weights": (3, 4)}
    grads = [large_grads(63, shapes)]
    compare_runs(my_adagrad, AdaGrad, random_params(64, shapes), grads, rtol=1e-5, learning_rate=0.01, epsilon=1e-8)


def class_twenty_steps(my_adagrad):
    grads = [random_params(seed) for seed in range(600, 620)]
    compare_runs(my_adagrad, AdaGrad, random_params(65), grads, rtol=1e-7, learning_rate=0.05, epsilon=0.1)
    check_defaults(my_adagrad, AdaGrad, seed=640)


def class_in_place(my_adagrad):
    check_in_place(my_adagrad(learning_rate=0.1), random_params(66), random_params(67))


def class_late_parameter(my_adagrad):
    start = random_params(68, {"early": (3,), "late": (2,)})
    check_late_parameter(my_adagrad(learning_rate=0.1), AdaGrad(learning_rate=0.1), start, seed=630)


MY_ADAGRAD = """
class MyAdaGrad:
    def __init__(self, learning_rate=0.01, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.epsilon = epsilon
        self.accumulated = {}

    def update(self, params, grads):
        for name in params:
            if name not in self.accumulated:
                self.accumulated[name] = np.zeros_like(params[name])
            self.accumulated[name] += grads[name] ** 2
            root = np.sqrt(self.accumulated[name])
            params[name] -= self.learning_rate * grads[name] / (root + self.epsilon)
        return params
"""

MY_ADAGRAD_STARTER = """
class MyAdaGrad:
    def __init__(self, learning_rate=0.01, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.epsilon = epsilon
        self.accumulated = {}

    def update(self, params, grads):
        return ...
"""

LOOP = "        for name in params:\n"
SUM = "self.accumulated[name] += grads[name] ** 2"
STEP = "params[name] -= self.learning_rate"
ONCE = (
    """        for name in params:
            if name not in self.accumulated:
                self.accumulated[name] = np.zeros_like(params[name])
""",
    """        if not self.accumulated:
            self.accumulated = {name: np.zeros_like(params[name]) for name in params}
        for name in params:
""",
)

SHARED_STATE = """
class MyAdaGrad:
    def __init__(self, learning_rate=0.01, epsilon=1e-8):
        self.learning_rate, self.epsilon, self.accumulated = learning_rate, epsilon, 0.0

    def update(self, params, grads):
        for name in params:
            self.accumulated = self.accumulated + grads[name] ** 2
            params[name] -= self.learning_rate * grads[name] / (np.sqrt(self.accumulated) + self.epsilon)
        return params
"""

whole_class = Exercise(
    id="6.2",
    title="The whole class",
    answer="MyAdaGrad",
    prompt="""
        Write `MyAdaGrad.update(params, grads)`. Both are dicts from a parameter's name to its array. Change
        every array of `params` in place and return the same dict. Every number in every array has a sum of squares of
        its own, and a parameter that first appears in a later call starts with an empty one. Epsilon is added outside
        the root.
    """,
    starter=MY_ADAGRAD_STARTER,
    checks=[
        Check(
            "the first step of one parameter", 1, class_first_step, "Each number moves by the rate, whatever `grad`."
        ),
        Check(
            "twenty steps of three parameters",
            2,
            class_twenty_steps,
            "What is kept from one call to the next, and for whom?",
        ),
        Check(
            "the same dict, changed in place",
            1,
            class_in_place,
            "`a -= b` changes an array, `a = a - b` makes another.",
        ),
        Check(
            "a parameter that arrives late",
            1,
            class_late_parameter,
            "When is the sum of a new name made?",
        ),
    ],
    hints=[
        "Loop over the names. What must be remembered for each of them from one call to the next?",
        "One array for each name, `self.accumulated[name]`, of zeros and shaped like the parameter, made when the "
        "name is first seen.",
        "In the loop: `self.accumulated[name] += grads[name] ** 2`, then `params[name] -= self.learning_rate * "
        "grads[name] / (np.sqrt(self.accumulated[name]) + self.epsilon)`; after the loop, `return params`.",
    ],
    solution=MY_ADAGRAD,
    explanation=(
        "First add, then divide: the newest gradient is part of its own denominator, so no step is longer than the "
        "learning rate."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(MY_ADAGRAD, (SUM, "self.accumulated[name] = grads[name] ** 2")),
            "The sum is replaced in every call instead of growing, so every step has the length of the first.",
            points=3,
        ),
        WrongAnswer(
            edit(
                MY_ADAGRAD,
                (f"            {SUM}\n", ""),
                ("        return params", f"            {SUM}\n        return params"),
            ),
            "The step is taken before the new gradient is added: the first one divides by epsilon alone and is huge.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, ("root = np.sqrt(self.accumulated[name])", "root = self.accumulated[name]")),
            "The root is missing: the step divides by the sum of squares itself.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_ADAGRAD,
                ("self.accumulated[name] = np.zeros_like(params[name])", "self.accumulated[name] = grads[name] ** 2"),
            ),
            "The first gradient is counted twice, once when its sum is made and once when it is added: the first "
            "step is too short by the root of two.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, (SUM, "self.accumulated[name] += np.sum(grads[name] ** 2)")),
            "All the numbers of a parameter share one sum, and so one rate. AdaGrad keeps a sum for each number: no "
            "`np.sum`.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, (SUM, "self.accumulated[name] += 0.1 * (grads[name] ** 2 - self.accumulated[name])")),
            "This sum forgets: it is the decaying average of RMSprop, the next chapter. AdaGrad adds up.",
            points=1,
        ),
        WrongAnswer(
            SHARED_STATE,
            "All parameters share one sum: keep one for every name, `self.accumulated[name]`.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_ADAGRAD,
                ("np.sqrt(self.accumulated[name])", "np.sqrt(self.accumulated[name] + self.epsilon)"),
                ("(root + self.epsilon)", "root"),
            ),
            "Epsilon is inside the root. The article's equation has it there, its listing and torch.optim do not; "
            "this exercise asks for `sqrt(G) + epsilon`.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, ONCE),
            "The sums are made in the first call only, so a name that arrives later has none: ask for each name "
            "whether it is new.",
            points=4,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, (STEP, "params[name] = params[name] - self.learning_rate")),
            "`params['weights']` is a new array",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, (LOOP, "        params = {name: params[name].copy() for name in params}\n" + LOOP)),
            "A copy of the parameters is updated and returned: the caller's own arrays never move.",
            points=4,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, ("        return params", "        pass")),
            "is a `return` missing?",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_ADAGRAD, (SUM, "grads[name] **= 2\n            self.accumulated[name] += grads[name]")),
            "changes its argument `grads` in place",
            diagnose=False,
        ),
    ],
)


# 6.3 A sparse update -------------------------------------------------------------------------------

WORDS, WIDTH = 7, 3


def sparse_run(update, lookups, start, learning_rate, epsilon):
    """The table and the sums after each lookup, each time as copies."""
    table, sums, history = start.copy(), np.zeros_like(start), []
    for rows, grads in lookups:
        table, sums = outputs(update(table, sums, rows, grads, learning_rate, epsilon), "table", "accumulated")
        table, sums = numeric(table, "the table"), numeric(sums, "`accumulated`")
        history.append((table.copy(), sums.copy()))
    return history


def dense_run(lookups, start, learning_rate, epsilon):
    """The same with the library's AdaGrad and the whole gradient. Rows never looked up divide 0 by epsilon."""
    adagrad, params, history = AdaGrad(learning_rate, epsilon), {"table": start.copy()}, []
    for rows, grads in lookups:
        whole = np.zeros_like(start)
        np.add.at(whole, rows, grads)
        adagrad.update(params, {"table": whole})
        history.append((params["table"].copy(), adagrad.state["table"].accumulated.copy()))
    return history


def random_lookups(seed, all_rows):
    """Gradients for these lookups, away from zero."""
    rng = np.random.default_rng(seed)
    sizes = [(len(rows), WIDTH) for rows in all_rows]
    grads = [rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 2.0, size) for size in sizes]
    return [(np.array(rows), grad) for rows, grad in zip(all_rows, grads, strict=True)]


def compare_tables(sparse_update, seed, all_rows, epsilon):
    start = np.random.default_rng(seed).normal(size=(WORDS, WIDTH))
    lookups = random_lookups(seed + 1, all_rows)
    found = sparse_run(sparse_update, lookups, start, 0.2, epsilon)
    expected = dense_run(lookups, start, 0.2, epsilon)
    before, expected_before = start, start
    for t, ((table, sums), (expected_table, expected_sums)) in enumerate(zip(found, expected, strict=True), start=1):
        which = f"lookup {t}, of the words {', '.join(map(str, all_rows[t - 1]))}"
        close(
            difference(table, before, f"the table after {which}"),
            expected_table - expected_before,
            f"the step of {which}",
        )
        close(sums, expected_sums, f"`accumulated` after {which}")
        before, expected_before = table, expected_table


def one_lookup(sparse_update):
    compare_tables(sparse_update, 70, [[4, 1, 6]], epsilon=0.1)


def four_lookups(sparse_update):
    compare_tables(sparse_update, 72, [[4, 1, 6], [1, 2, 5], [6, 0, 1], [4, 2, 1]], epsilon=0.1)


def repeated_words(sparse_update):
    compare_tables(sparse_update, 74, [[4, 1, 4], [2, 1, 4, 2, 2]], epsilon=0.1)


def rows_of(value, rows, name):
    array = numeric(value, f"`{name}`")
    if array.shape != (rows, WIDTH):
        raise Wrong(f"`{name}` should come back with the shape ({rows}, {WIDTH}); yours is {kind_of(value)}.")
    return array


def nothing_else_touched(sparse_update):
    start = np.random.default_rng(76).normal(size=(WORDS, WIDTH))
    table, sums = start.copy(), np.zeros_like(start)
    ((rows, grads),) = random_lookups(77, [[5, 2]])
    returned, returned_sums = outputs(sparse_update(table, sums, rows, grads, 0.1, 0.0), "table", "accumulated")
    still = np.setdiff1d(np.arange(WORDS), rows)
    for name, given, back in (("table", table, returned), ("accumulated", sums, returned_sums)):
        if not np.isfinite(rows_of(back, WORDS, name)[still]).all():
            raise Wrong(
                f"With `epsilon = 0` a word that was never looked up is no longer a number in `{name}`: its row was "
                "divided by its sum, which is zero. Leave all rows alone that are not in `rows`."
            )
        if back is not given:
            raise Wrong(f"`{name}` comes back as a new array: change the one that was passed in, and return that.")
    if not np.array_equal(table[still], start[still]):
        raise Wrong("Rows that were not looked up have moved.")
    if np.array_equal(table[rows], start[rows]):
        raise Wrong("The rows that were looked up have not moved.")


SPARSE = """
def sparse_update(table, accumulated, rows, grads, learning_rate, epsilon):
    \"\"\"One AdaGrad step of those rows of the table that were looked up; both arrays change in place.\"\"\"
    words, place = np.unique(rows, return_inverse=True)
    summed = np.zeros((words.size, table.shape[1]))
    np.add.at(summed, place, grads)
    accumulated[words] += summed**2
    table[words] -= learning_rate * summed / (np.sqrt(accumulated[words]) + epsilon)
    return table, accumulated
"""

SPARSE_STARTER = """
def sparse_update(table, accumulated, rows, grads, learning_rate, epsilon):
    \"\"\"One AdaGrad step of those rows of the table that were looked up; both arrays change in place.\"\"\"
    ...
    return ...
"""

GATHER = """    words, place = np.unique(rows, return_inverse=True)
    summed = np.zeros((words.size, table.shape[1]))
    np.add.at(summed, place, grads)
"""

sparse = Exercise(
    id="6.3",
    title="A sparse update",
    answer="sparse_update",
    prompt="""
        A table of word vectors has one row for each word. A line of text looks up the rows `rows`, and `grads` has the
        gradient for each of these lookups, in the same order. Write the AdaGrad step that touches those rows of `table`
        and of `accumulated` and no others, and return both arrays, changed in place. A word may occur in a line more
        than once: its gradient is the *sum* of those of its lookups, and it makes one step. (In NumPy,
        `a[rows] += values` adds only once where a row is repeated. `np.add.at(a, rows, values)` adds every time, and a
        loop over `np.unique(rows)` meets each word once.)
    """,
    starter=SPARSE_STARTER,
    checks=[
        Check("one line of three words", 1, one_lookup, "This is the rule of the chapter on three rows of an array."),
        Check("four lines, one after another", 1, four_lookups, "What has `accumulated` got to remember?"),
        Check(
            "lines that repeat a word",
            2,
            repeated_words,
            "Try `a = np.zeros(3); a[[0, 0]] += 1; print(a)`. Then ask what is squared: each gradient or their sum?",
        ),
        Check(
            "nothing else is touched",
            1,
            nothing_else_touched,
            "Are both arrays changed in place, and only in the rows looked up?",
        ),
    ],
    hints=[
        "Without repeated words it is `accumulated[rows] += grads**2` and one more line. What does NumPy do with "
        "`a[rows] += ...` when a row is there twice?",
        "`np.unique(rows, return_inverse=True)` gives each word once, and for each lookup the place of its word "
        "among them. `np.add.at(a, places, values)` adds all of them, repeated places too.",
        "`words, place = np.unique(rows, return_inverse=True)`; add `grads` into zeros of shape `(words.size, "
        "table.shape[1])` with `np.add.at`; then the rule with `accumulated[words]` and `table[words]`.",
    ],
    solution=SPARSE,
    explanation=(
        "A gradient of zero changes neither the sum nor the parameter, so AdaGrad may skip every row that was not "
        "looked up and is still exactly AdaGrad. With momentum or Adam that is not so: their rows move on without a "
        "gradient. torch.optim.Adagrad does the same with the gradients of `torch.nn.Embedding(sparse=True)`."
    ),
    changes=(0, 1),
    wrong_answers=[
        WrongAnswer(
            edit(
                SPARSE,
                (GATHER, ""),
                ("accumulated[words] += summed**2", "accumulated[rows] += grads**2"),
                ("table[words]", "table[rows]"),
                ("* summed", "* grads"),
                ("accumulated[words])", "accumulated[rows])"),
            ),
            "Where a row is looked up twice, `a[rows] += ...` keeps only the last of its gradients: NumPy reads all "
            "rows, adds, and writes them back. Add up the gradients of each word first.",
            points=3,
        ),
        WrongAnswer(
            edit(
                SPARSE,
                (
                    "    np.add.at(summed, place, grads)\n",
                    "    np.add.at(summed, place, grads)\n    np.add.at(accumulated, rows, grads**2)\n",
                ),
                ("    accumulated[words] += summed**2\n", ""),
            ),
            "The squares of the single gradients are added. A word looked up twice has one gradient, the sum, and "
            "AdaGrad squares that: first add up, then square.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            """
            def sparse_update(table, accumulated, rows, grads, learning_rate, epsilon):
                for row, grad in zip(rows, grads):
                    accumulated[row] += grad**2
                    table[row] -= learning_rate * grad / (np.sqrt(accumulated[row]) + epsilon)
                return table, accumulated
            """,
            "A repeated word makes a step for each of its lookups. In this exercise it makes one step, with the sum "
            "of its gradients, as it would with the whole gradient.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            """
            def sparse_update(table, accumulated, rows, grads, learning_rate, epsilon):
                whole = np.zeros_like(table)
                np.add.at(whole, rows, grads)
                accumulated += whole**2
                table -= learning_rate * whole / (np.sqrt(accumulated) + epsilon)
                return table, accumulated
            """,
            "With `epsilon = 0` a word that was never looked up is no longer a number",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(SPARSE, ("summed**2", "(summed**2).sum(axis=1, keepdims=True)")),
            "All numbers of a word share one sum. Each number of the table has a sum of its own.",
            points=1,
        ),
        WrongAnswer(
            edit(
                SPARSE,
                (
                    "    np.add.at(summed, place, grads)\n",
                    "    np.add.at(summed, place, grads)\n    summed /= np.bincount(place)[:, None]\n",
                ),
            ),
            "The gradients of a repeated word are averaged. Its gradient is their sum: each lookup pulls at it.",
            points=3,
        ),
        WrongAnswer(
            edit(
                SPARSE,
                ("    accumulated[words] += summed**2\n", ""),
                ("    return table", "    accumulated[words] += summed**2\n    return table"),
            ),
            "The step is taken before the gradient is added to the sum: first add, then divide.",
            points=1,
        ),
        WrongAnswer(
            edit(SPARSE, ("accumulated[words] += summed**2", "accumulated[words] = summed**2")),
            "The sums are replaced instead of growing: the words of earlier lines are forgotten.",
            points=2,
        ),
        WrongAnswer(
            edit(SPARSE, (GATHER, "    table, accumulated = table.copy(), accumulated.copy()\n" + GATHER)),
            "`table` comes back as a new array",
            points=4,
            diagnose=False,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def sparse_update(table, accumulated, rows, grads, learning_rate, epsilon):
                for word in set(rows.tolist()):
                    grad = grads[rows == word].sum(axis=0)
                    accumulated[word] += grad**2
                    table[word] -= learning_rate * grad / (np.sqrt(accumulated[word]) + epsilon)
                return table, accumulated
            """
        ),
    ],
)


# 6.4 How long the way becomes ----------------------------------------------------------------------


@cache
def steps_of_adagrad(distance, learning_rate, grad, before, most=2000):
    """How many steps the library's AdaGrad takes, after a first gradient whose square is `before`."""
    grads = np.full((most + 1, 1), grad)
    grads[0] = np.sqrt(before)
    travelled = distances(AdaGrad(learning_rate, 1e-300), grads)[:, 0]
    return int(np.argmax(travelled - travelled[0] >= distance))


# In every case the last step is needed, and goes past the distance, by a clear part of itself.
def compare_counts(steps_to_travel, cases):
    found = [steps_to_travel(*case) for case in cases]
    for case, steps in zip(cases, found, strict=True):
        distance, learning_rate, grad, before = case
        what = f"the number of steps for distance {distance}, rate {learning_rate}, gradient {grad}, sum {before},"
        close(steps, float(steps_of_adagrad(*case)), what, rtol=1e-9)


def no_history(steps_to_travel):
    compare_counts(steps_to_travel, [(0.05, 0.1, 2.0, 0.0), (0.5, 0.1, 2.0, 0.0), (0.3, 0.1, 2.0, 0.0)])


def any_size(steps_to_travel):
    compare_counts(steps_to_travel, [(0.7, 0.1, 1.5, 0.0), (0.7, 0.1, 0.02, 0.0), (0.7, 0.1, 1.0, 0.0)])


def after_a_steep_start(steps_to_travel):
    compare_counts(steps_to_travel, [(0.6, 0.1, 1.0, 100.0), (0.5, 0.2, 0.5, 9.0)])


TRAVEL = """
def steps_to_travel(distance, learning_rate, grad, before):
    \"\"\"How many AdaGrad steps with a constant gradient it takes to travel a distance.\"\"\"
    travelled, accumulated, steps = 0.0, before, 0
    while travelled < distance:
        accumulated += grad**2
        travelled += learning_rate * grad / np.sqrt(accumulated)
        steps += 1
    return steps
"""

TRAVEL_STARTER = """
def steps_to_travel(distance, learning_rate, grad, before):
    \"\"\"How many AdaGrad steps with a constant gradient it takes to travel a distance.\"\"\"
    travelled, accumulated, steps = 0.0, before, 0
    while travelled < distance:
        ...
    return ...
"""

travel = Exercise(
    id="6.4",
    title="When does it stall?",
    answer="steps_to_travel",
    prompt="""
        A weight has to travel `distance`, and every step sees the same gradient, `grad` > 0. Return how many steps of
        AdaGrad with rate `learning_rate` and no epsilon it takes to come at least that far. `before` is the sum of
        squared gradients with which the journey begins: 0 for a fresh start, 100 if a steep slope with a gradient of 10
        has just been left. When it is right, ask it two things: what does twice the distance cost? And what does that
        one steep gradient cost?
    """,
    starter=TRAVEL_STARTER,
    checks=[
        Check("a fresh start", 1, no_history, "Take the first three steps by hand: 1, 1/√2, 1/√3 times the rate."),
        Check(
            "gradients of other sizes",
            1,
            any_size,
            "On a fresh start the size of the gradient cancels.",
        ),
        Check(
            "after a steep slope",
            2,
            after_a_steep_start,
            "`before` is a sum of squares already. Does every later step still carry it?",
        ),
    ],
    hints=[
        "Walk the path: in each round add a square, take a step, count it.",
        "The step is the rate times the gradient over the root of everything accumulated, `before` and this step's "
        "own gradient included.",
        "In the loop: `accumulated += grad**2`, `travelled += learning_rate * grad / np.sqrt(accumulated)`, `steps "
        "+= 1`. After it: `return steps`.",
    ],
    solution=TRAVEL,
    explanation=(
        "The sum of 1/√t grows as 2√T, so twice the distance costs four times the steps: it never stops, and it "
        "never stops getting slower. A steep start adds a fixed amount under every root; until the later gradients "
        "have outweighed it, each step is shorter by the ratio of the steep gradient to theirs."
    ),
    wrong_answers=[
        WrongAnswer(
            """
            def steps_to_travel(distance, learning_rate, grad, before):
                ratio = distance / (2 * learning_rate)
                return int(np.ceil((ratio + np.sqrt(before) / grad) ** 2 - before / grad**2))
            """,
            "This is the law for many steps, a distance of 2η√T: nearly right for long journeys. The exercise asks "
            "for the exact count, so walk the steps.",
            points=0,
        ),
        WrongAnswer(
            edit(TRAVEL, ("accumulated, steps = 0.0, before, 0", "accumulated, steps = 0.0, 0.0, 0")),
            "`before` is not used: the sum starts where the steep slope has left it.",
            points=2,
        ),
        WrongAnswer(
            edit(TRAVEL, ("0.0, before, 0", "0.0, before**2, 0")),
            "`before` is a sum of squares already; it is squared once more.",
            points=2,
        ),
        WrongAnswer(
            edit(TRAVEL, ("    while", "    accumulated += before\n    while")),
            "`before` is counted twice.",
            points=2,
        ),
        WrongAnswer(
            edit(TRAVEL, ("steps += 1", "steps += 1\n        accumulated -= before\n        before = 0.0")),
            "The steep slope is forgotten after one step. AdaGrad carries it under every root, for ever.",
            points=2,
        ),
        WrongAnswer(
            edit(
                TRAVEL,
                ("        accumulated += grad**2\n", ""),
                ("steps += 1\n", "steps += 1\n        accumulated += grad**2\n"),
            ),
            "The step is taken before its own gradient is added: on a fresh start the first one is infinitely long.",
            points=0,
        ),
        WrongAnswer(
            edit(TRAVEL, ("np.sqrt(accumulated)", "accumulated")),
            "The root is missing: without it the steps shrink as 1/t, and the way grows only as a logarithm.",
            points=0,
        ),
        WrongAnswer(
            edit(TRAVEL, ("learning_rate * grad / np.sqrt", "learning_rate / np.sqrt")),
            "The gradient is missing above the root: it is multiplied by the rate, and cancels only on a fresh start.",
            points=0,
        ),
        WrongAnswer(
            edit(TRAVEL, ("before, 0\n", "before, 1\n")),
            "The count starts at 1, so it is one too high.",
            points=0,
        ),
        WrongAnswer(
            edit(TRAVEL, ("return steps", "return travelled")),
            "This is the distance travelled; the exercise asks for the number of steps.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def steps_to_travel(distance, learning_rate, grad, before):
                t = np.arange(1, 100_001)
                way = np.cumsum(learning_rate * grad / np.sqrt(before + t * grad**2))
                return np.searchsorted(way, distance) + 1
            """
        ),
    ],
)

EXERCISES = [effective, whole_class, sparse, travel]
