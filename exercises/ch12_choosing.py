"""Chapter 12, choosing: what optimizers remember, an honest report, four sick runs, three jobs, and a race."""

import functools

import numpy as np

from exercises import scenarios as jobs
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
    word,
)
from exercises.compare import kind_of
from optim_lib.training.costs import step_cost

TITLE = "Choosing the right optimizer"


# 12.1 What an optimizer remembers --------------------------------------------------------------------


@functools.cache
def measured_state(optimizer, *shapes):
    """How many numbers the library's optimizer keeps between two steps."""
    params = {f"p{i}": np.ones(shape) for i, shape in enumerate(shapes)}
    return step_cost(jobs.PACKAGED[optimizer](), params, repeats=1).state_bytes // 8


def compare_state(state_numbers, optimizers, *shapes):
    answers = {name: state_numbers(name, list(shapes)) for name in optimizers}
    for name, answer in answers.items():
        close(answer, measured_state(name, *shapes), f"for {name} and the shapes {list(shapes)}, the count")


def no_memory(state_numbers):
    compare_state(state_numbers, ("SGD", "MomentumSGD"), (5, 7), (7,))


def adaptive_memory(state_numbers):
    compare_state(state_numbers, ("AdaGrad", "RMSprop", "Adam", "AdamW", "LAMB"), (6, 9), (9,), (4, 3))


def factored_memory(state_numbers):
    compare_state(state_numbers, ("Adafactor",), (40, 30), (30,), (11,))


STATE = """
def state_numbers(optimizer, shapes):
    \"\"\"How many numbers an optimizer keeps between two steps, for parameters of these shapes.\"\"\"
    copies = {
        "SGD": 0, "MomentumSGD": 1, "AdaGrad": 1, "RMSprop": 1,
        "Adam": 2, "AdamW": 2, "LAMB": 2,
    }
    total = 0
    for shape in shapes:
        if optimizer == "Adafactor":
            total += sum(shape) if len(shape) == 2 else shape[0]
        else:
            total += copies[optimizer] * int(np.prod(shape))
    return total
"""

STATE_STARTER = """
def state_numbers(optimizer, shapes):
    \"\"\"How many numbers an optimizer keeps between two steps, for parameters of these shapes.\"\"\"
    total = ...
    return total
"""

memory = Exercise(
    id="12.1",
    title="What an optimizer remembers",
    answer="state_numbers",
    prompt="""
        Before a model is trained on a large machine somebody has to know whether it fits. Write
        `state_numbers(optimizer, shapes)`: how many numbers does the optimizer keep from one step to the next, beside
        the parameters themselves? `optimizer` is one of the names "SGD", "MomentumSGD", "AdaGrad", "RMSprop", "Adam",
        "AdamW", "LAMB" and "Adafactor" (momentum stands at 0.9); `shapes` is a list of shapes with one or two
        entries. Adafactor works without momentum: it keeps a number for each row and each column of a matrix, and one
        for each entry of a vector.
        Do not count the step number.
    """,
    starter=STATE_STARTER,
    checks=[
        Check("SGD and momentum", 1, no_memory, "Which of the two has to know anything about the step before?"),
        Check(
            "the adaptive optimizers", 1, adaptive_memory, "Count the arrays in each class: `v` alone, or `m` and `v`?"
        ),
        Check("Adafactor", 1, factored_memory, "For a matrix of 40 by 30: 40 rows and 30 columns."),
    ],
    hints=[
        "Look at the equations of each: every array with an index t - 1 on the right side is kept.",
        "SGD keeps nothing; momentum, AdaGrad and RMSprop one array of the parameter's shape; Adam and its kin two.",
        "`int(np.prod(shape))` counts the entries of an array; for Adafactor a matrix costs `shape[0] + shape[1]`.",
    ],
    solution=STATE,
    explanation=(
        "Adam's two moments make a model in training three times the size of the model itself, gradients not "
        "counted. "
        "For a matrix of 4096 by 4096 Adafactor keeps 8,192 numbers where Adam keeps over 33 million."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(
                STATE,
                ('"SGD": 0, "MomentumSGD": 1', '"SGD": 1, "MomentumSGD": 2'),
                ('"AdaGrad": 1, "RMSprop": 1', '"AdaGrad": 2, "RMSprop": 2'),
                ('"Adam": 2, "AdamW": 2, "LAMB": 2', '"Adam": 3, "AdamW": 3, "LAMB": 3'),
            ),
            "The parameters themselves are counted too: this exercise asks for what the optimizer adds to them.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(STATE, ("sum(shape) if len(shape) == 2 else shape[0]", "int(np.prod(shape))")),
            "Adafactor keeps a full array here. It factors the second moment of a matrix: rows and columns, not "
            "entries.",
            points=2,
        ),
        WrongAnswer(
            edit(STATE, ('"Adam": 2, "AdamW": 2', '"Adam": 2, "AdamW": 3')),
            "AdamW keeps no more than Adam: the decay needs only the parameter itself.",
            points=2,
        ),
        WrongAnswer(
            edit(STATE, ('"Adam": 2, "AdamW": 2, "LAMB": 2', '"Adam": 1, "AdamW": 1, "LAMB": 1')),
            "Adam and its kin keep two moments for each parameter, `m` and `v`.",
            points=2,
        ),
        WrongAnswer(
            edit(STATE, ('"AdaGrad": 1, "RMSprop": 1', '"AdaGrad": 0, "RMSprop": 0')),
            "AdaGrad and RMSprop each keep an array of squared gradients.",
            points=2,
        ),
        WrongAnswer(
            edit(STATE, ("copies[optimizer] * int(np.prod(shape))", "copies[optimizer] * sum(shape)")),
            "The sides of each shape are added: an array of 5 by 7 has 35 entries, not 12.",
            points=1,
        ),
        WrongAnswer(
            edit(STATE, ("        else:\n            total +=", "        else:\n            total =")),
            "Only the last shape counts: add up over all of them.",
            points=1,
        ),
    ],
)


# 12.2 An honest report -------------------------------------------------------------------------------


def random_results(seed, settings=6, tuning=3, report=5):
    """Losses whose best setting depends on how one looks: a lucky seed, a lucky test result, a steady third."""
    rng = np.random.default_rng(seed)
    validation = rng.uniform(0.5, 0.9, (settings, tuning))
    test = rng.uniform(0.6, 0.9, (settings, report))
    validation[1] = [0.10, 0.95, 0.99]  # one lucky seed
    validation[5] += 0.4  # the worst
    validation[4] = [0.42, 0.40, 0.44]  # the best on the average
    validation[2] = [0.38, 0.39, 1.90]  # the best by the median, or without its worst
    test[3] = [0.30, 0.33, 0.31, 0.35, 0.90]  # the best on test by its median
    test[0] = 0.40  # the best on test by its mean
    test[4] = [0.52, 0.47, 0.61, 0.50, 0.97]
    test[1, 0], test[5, 2] = 0.05, 0.02
    return validation, test


def chosen_setting(fair_report):
    index, _ = outputs(fair_report(*random_results(121)), "setting", "result")
    close(index, 4, "the number of the setting chosen")


def reported_result(fair_report):
    validation, test = random_results(122)
    _, result = outputs(fair_report(validation, test), "setting", "result")
    close(result, np.median(test[4]), "the result reported")


def with_divergence(fair_report):
    validation, test = random_results(123)
    validation[1] = [0.31, np.nan, 0.32]
    validation[5] = [0.13, 0.14, np.inf]
    index, result = outputs(fair_report(validation, test), "setting", "result")
    close(index, 4, "with runs that diverged, the number of the setting chosen")
    close(result, np.median(test[4]), "with runs that diverged, the result reported")


REPORT = """
def fair_report(validation, test):
    \"\"\"The setting chosen, and its test loss as an honest table has it.\"\"\"
    means = validation.mean(axis=1)
    means = np.where(np.isfinite(means), means, np.inf)
    chosen = int(np.argmin(means))
    return chosen, np.median(test[chosen])
"""

report = Exercise(
    id="12.2",
    title="An honest report",
    answer="fair_report",
    prompt="""
        An optimizer has been tuned. Row $i$ of `validation` holds the validation losses of setting $i$ on the tuning
        seeds; row $i$ of `test` holds the test losses of the same setting on *other* seeds, the report seeds. Write
        `fair_report(validation, test)`, which returns the number of the setting to choose, and the test loss to
        report for it: choose by the mean over the tuning seeds, report the median over the report seeds. A run that
        diverged is NaN or infinite. A setting with such a run in `validation` is not to be chosen (at least one
        setting has none); `test` has no say in the choice.
    """,
    starter="""
    def fair_report(validation, test):
        \"\"\"The setting chosen, and its test loss as an honest table has it.\"\"\"
        chosen = ...
        return chosen, ...
    """,
    checks=[
        Check("the setting chosen", 1, chosen_setting, "Only `validation` may have a say in the choice."),
        Check("the result reported", 1, reported_result, "One row of `test`, and its middle value."),
        Check("settings that diverged on a seed", 2, with_divergence, "What is the mean of a row with a NaN in it?"),
    ],
    hints=[
        "Two arrays, two jobs: one chooses, the other is only looked at when the choice is made.",
        "`validation.mean(axis=1)` has one number for each setting, and is NaN or infinite where a run diverged.",
        "Replace what is not finite by `np.inf` before `np.argmin`; then `np.median(test[chosen])`.",
    ],
    solution=REPORT,
    explanation=(
        "Whoever chooses on test reports a number that nobody will see again, and whoever drops the diverged runs "
        "recommends a setting that fails every third time."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(REPORT, ("means = validation.mean(axis=1)", "means = test.mean(axis=1)")),
            "The setting with the best mean on test is chosen: the result is then too good to be met again. "
            "Choose on `validation` alone.",
            points=0,
        ),
        WrongAnswer(
            edit(REPORT, ("means = validation.mean(axis=1)", "means = np.median(test, axis=1)")),
            "The setting with the best median on test is chosen: the result is then too good to be met again. "
            "Choose on `validation` alone.",
            points=0,
        ),
        WrongAnswer(
            edit(REPORT, ("validation.mean(axis=1)", "validation.min(axis=1)")),
            "The setting with the luckiest single seed is chosen. Choose by the mean over the tuning seeds.",
            points=0,
        ),
        WrongAnswer(
            edit(REPORT, ("validation.mean(axis=1)", "np.median(validation, axis=1)")),
            "The setting is chosen by the median over the tuning seeds. That is a sound choice too, though with "
            "three "
            "seeds it forgives one failure in three; this exercise asks for the mean.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(
                REPORT,
                (
                    "validation.mean(axis=1)",
                    "np.nanmean(np.where(np.isfinite(validation), validation, np.nan), axis=1)",
                ),
            ),
            "Runs that diverged are left out of the mean, so a setting that fails on one seed wins. It is not to be "
            "chosen at all.",
            points=2,
        ),
        WrongAnswer(
            edit(REPORT, ("    means = np.where(np.isfinite(means), means, np.inf)\n", "")),
            "`np.argmin` stops at the first NaN and chooses it: a setting that diverged. Make what is not "
            "finite infinite.",
            points=2,
        ),
        WrongAnswer(
            edit(REPORT, ("np.median(test[chosen])", "test[chosen].min()")),
            "The best of the report seeds is reported. Report the median: a reader will not have your luck.",
            points=1,
        ),
        WrongAnswer(
            edit(REPORT, ("np.median(test[chosen])", "test[chosen].mean()")),
            "The mean over the report seeds is reported. Many papers do; this exercise asks for the median, "
            "which one "
            "bad seed does not move.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(REPORT, ("np.median(test[chosen])", "means[chosen]")),
            "The validation loss is reported. It chose the setting, so it flatters it: report the test loss.",
            points=1,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def fair_report(validation, test):
                fine = np.flatnonzero(np.isfinite(validation).all(axis=1))
                chosen = min(fine, key=lambda i: sum(validation[i]))
                return [chosen, sorted(test[chosen])[len(test[chosen]) // 2]]
            """
        )
    ],
)


# 12.3 Four sick runs ---------------------------------------------------------------------------------

CAUSES = (
    "rate too high",
    "rate too low",
    "inputs of the wrong size",
    "dead start",
    "no shuffling",
    "wrong labels",
    "too few examples",
)
CAUSE_OF = {"A": "inputs of the wrong size", "B": "wrong labels", "C": "dead start", "D": "too few examples"}

# What a student who names another cause has overlooked.
OVERLOOKED = {
    "A": {
        "rate too high": "It does explode, as with a high rate, but look at the loss before the first step: a "
        "guess between "
        "two classes costs 0.69, and A begins near 17. No step had been taken.",
        "": "Look at the loss before the first step, where the optimizer has done nothing yet.",
    },
    "B": {
        "too few examples": "The two curves part, but look when: with too few examples the training loss falls "
        "to nothing at "
        "once, and the validation loss falls with it at first. In B neither gets far below that of a guess.",
        "rate too low": "A low rate leaves the training and the validation loss together; in B the training "
        "loss goes on "
        "falling while the validation loss stays where guessing would leave it.",
        "": "What is learned from the training examples is worth nothing on others. What do the two have in "
        "common then?",
    },
    "C": {
        "rate too low": "With a low rate the loss would begin near ln 2, not at it: random weights say something about "
        "every input. C begins at ln 2 to all digits, so nothing of the inputs reaches the output. The gradient that "
        "there is belongs to the biases of the output, which learn how common the two classes are, and no more.",
        "": "The loss begins at ln 2 to all digits, as if no input reached the output: what do all hidden units say?",
    },
    "D": {
        "wrong labels": "With wrong labels nothing learned would be worth anything on other examples. In D the "
        "validation "
        "loss falls to a fifth of a guess at first, and only then rises.",
        "rate too high": "The training loss falls to nothing without a bump: the optimizer does its work very well.",
        "": "The optimizer does its work: the training loss goes to nothing. Watch the validation loss turn.",
    },
}


def read_cause(diagnosis, letter):
    return word(entry(diagnosis, letter, "`diagnosis`"), f"the cause of run {letter}", *CAUSES)


def diagnose(letter):
    def check(diagnosis):
        given = read_cause(diagnosis, letter)
        if given != CAUSE_OF[letter]:
            overlooked = OVERLOOKED[letter]
            raise Wrong(f"Run {letter} does not have {given!r}. {overlooked.get(given, overlooked[''])}")

    return check


DIAGNOSIS = """
diagnosis = {
    "A": "inputs of the wrong size",
    "B": "wrong labels",
    "C": "dead start",
    "D": "too few examples",
}
"""


def blamed(letter, cause, says, points=3):
    source = edit(DIAGNOSIS, (f'"{letter}": "{CAUSE_OF[letter]}"', f'"{letter}": "{cause}"'))
    return WrongAnswer(source, says, points=points, diagnose=False)


sick_runs = Exercise(
    id="12.3",
    title="Four sick runs",
    answer="diagnosis",
    prompt="""
        The figure above shows four runs of a small ReLU network on the tumors (two classes), each with one
        thing wrong, and the table
        their numbers. Name the cause of each, as one of: "rate too high", "rate too low",
        "inputs of the wrong size", "dead start", "no shuffling", "wrong labels", "too few examples".
        Three of the seven are not there; each occurs once at most.
    """,
    starter="""
    diagnosis = {
        "A": ...,
        "B": ...,
        "C": ...,
        "D": ...,
    }
    """,
    checks=[Check(f"run {letter}", 1, diagnose(letter), "Go down the checklist in its order.") for letter in CAUSE_OF],
    hints=[
        "Begin with the first row of the checklist: the loss before the first step. A guess between two classes "
        "costs ln 2 = 0.693.",
        "One run begins far too high. One begins at ln 2 to all digits: its inputs have no say, and only the biases of "
        "the output learn. The other two differ in the validation loss: does it ever get well below a guess?",
        "A: the inputs. C: the start. B never gets far below a guess on examples it has not seen; D does, and "
        "then gets worse.",
    ],
    solution=DIAGNOSIS,
    explanation=(
        "The loss before the first step, the norm of the gradient and the gap between two losses told four "
        "faults apart "
        "that look alike in a single curve."
    ),
    wrong_answers=[
        blamed("A", "rate too high", "look at the loss before the first step"),
        blamed("B", "too few examples", "In B neither gets far below that of a guess"),
        blamed("B", "rate too low", "A low rate leaves the training and the validation loss together"),
        blamed("C", "rate too low", "belongs to the biases of the output"),
        blamed("C", "no shuffling", "what do all hidden units say?"),
        blamed("D", "wrong labels", "falls to a fifth of a guess at first"),
        blamed("D", "overfitting", "it is the text 'overfitting'"),
        WrongAnswer("diagnosis = 'dead start'", "should be a dict", points=0, diagnose=False),
    ],
)


# 12.4 Three jobs -------------------------------------------------------------------------------------


def read_choice(choices, name):
    choice = entry(choices, name, "`choices`")
    if choice is ...:
        raise NotAttempted
    if not isinstance(choice, tuple | list) or len(choice) != 3:
        raise Wrong(
            f"The choice for {name!r} should be three things, (optimizer, settings, schedule); it is {kind_of(choice)}."
        )
    optimizer, settings, schedule = choice
    if any(part is ... for part in choice):
        raise NotAttempted
    if not isinstance(optimizer, str | type) or not isinstance(settings, dict) or not isinstance(schedule, str):
        raise Wrong(f"The choice for {name!r} should be a name, a dict of settings, and the name of a schedule.")
    if any(value is ... for value in settings.values()):
        raise NotAttempted
    return optimizer, settings, schedule


MISSED = {
    "rare words": "A word seen once needs a long step from its only gradient, and a common word must not get "
    "it: which "
    "optimizers have a rate for every parameter, and what rate suits steps of that kind?",
    "exact gradients": "Nothing is noisy here, and the ravine is a thousand times longer than wide: memory of the "
    "direction pays, at a rate far above the default, and there is no noise for a schedule to calm.",
    "raw units": "The loss begins in the tens of thousands and the inputs differ a hundredfold in size: ask in "
    "which units the rate is "
    "measured, for a step that follows the gradient and for one that divides it by its size.",
}


def job(name):
    def check(choices):
        optimizer, settings, schedule = read_choice(choices, name)
        scenario = jobs.SCENARIOS[name]
        try:
            outcome = jobs.try_out(name, optimizer, settings, schedule, seeds=jobs.JUDGED_SEEDS)
        except (ValueError, TypeError) as error:
            raise Wrong(f"The choice for {name!r} cannot be run: {error}.") from None
        if outcome.memory > scenario.memory:
            raise Wrong(
                f"{optimizer} keeps {number(outcome.memory)} numbers for each parameter, and this job allows "
                f"{number(scenario.memory)}. (Its loss is {number(outcome.loss)}; the target is "
                f"{number(scenario.target)}.)"
            )
        if not outcome.loss < scenario.target * (1 + jobs.LUCK):
            lost = not np.isfinite(outcome.loss)
            ends = "diverged" if lost else f"ended at a validation loss of {number(outcome.loss)}"
            rate = settings.get("learning_rate")
            advice = "Try a lower rate." if lost else MISSED[name]
            untouched = " The rate is still the default, which was made for other units." if rate is None else ""
            raise Wrong(f"{optimizer} {ends}; the target is {number(scenario.target)}.{untouched} {advice}")
        return f"{optimizer} ends at {number(outcome.loss)}, under {number(scenario.target)}."

    return check


CHOICES = """
choices = {
    "rare words": ("AdaGrad", {"learning_rate": 0.3}, "constant"),
    "exact gradients": ("MomentumSGD", {"learning_rate": 1.0, "momentum": 0.9}, "constant"),
    "raw units": ("Adam", {"learning_rate": 0.3}, "constant"),
}
"""


def other(name, old, new, says, points=4):
    return WrongAnswer(edit(CHOICES, (f'"{name}": {old}', f'"{name}": {new}')), says, points=points, diagnose=False)


WORDS = '("AdaGrad", {"learning_rate": 0.3}, "constant")'
EXACT = '("MomentumSGD", {"learning_rate": 1.0, "momentum": 0.9}, "constant")'
UNITS = '("Adam", {"learning_rate": 0.3}, "constant")'

three_jobs = Exercise(
    id="12.4",
    title="Three jobs",
    answer="choices",
    prompt="""
        Choose an optimizer, its settings and a schedule ("constant", "cosine" or "warmup cosine") for each of
        three jobs.
        Your choice is defended by its result: it is trained on five seeds that you have not seen, and the median of the
        five losses has to be under the target, or above it by no more than 5 %, which is what other seeds can do. No
        optimizer meets any of them with its default settings.

        - **rare words**: softmax regression on the words of a line, 60 steps. Validation loss under 1.30.
        - **exact gradients**: least squares on all examples, condition number 1000, 150 steps. Loss under 0.001; the
          model fills the memory, so the optimizer may keep at most one number for each parameter.
        - **raw units**: linear regression on the diabetes data in the units they were measured in, 200 steps.
          Validation loss
          under 3600 (predicting the mean gets 6255).

        Try before you choose: `try_out("rare words", "SGD", {"learning_rate": 1.0}, "cosine")` trains on five
        practice seeds.
    """,
    starter="""
    choices = {
        "rare words": (..., {"learning_rate": ...}, "constant"),
        "exact gradients": (..., {"learning_rate": ...}, "constant"),
        "raw units": (..., {"learning_rate": ...}, "constant"),
    }
    """,
    checks=[
        Check(name, 2, job(name), "Sweep the rate over some powers of ten with `try_out`.") for name in jobs.SCENARIOS
    ],
    hints=[
        "For each job, first ask what is hard about it: rare features, a long ravine, or units. Then which idea "
        "of the "
        "course was made for that.",
        "For rare words: a rate for every parameter (chapter 6). For exact gradients: a memory of direction, "
        "and only that "
        "(chapter 4). For raw units: steps that do not depend on the size of the gradient (chapters 7 and 8).",
        "All three want a rate far above the default. Near the answer: AdaGrad with 0.3, momentum 0.9 with a "
        "rate of 1, "
        "and Adam between 0.2 and 1.",
    ],
    solution=CHOICES,
    explanation=(
        "Three jobs, three ideas: a rate for each parameter, a memory of direction, a step without units. "
        "Momentum meets "
        "the third target too, at a rate of 0.00001 with a cosine: more than one choice is right, and none of "
        "them is a "
        "default."
    ),
    wrong_answers=[
        other("rare words", WORDS, '("AdaGrad", {}, "constant")', "The rate is still the default"),
        other(
            "rare words",
            WORDS,
            '("MomentumSGD", {"learning_rate": 1.0}, "constant")',
            "A word seen once needs a long step",
        ),
        other("rare words", WORDS, '("AdaGrad", {"learning_rate": 3.0}, "constant")', "the target is 1.3"),
        other(
            "exact gradients",
            EXACT,
            '("Adam", {"learning_rate": 3.0}, "constant")',
            "keeps 2 numbers for each parameter",
        ),
        other("exact gradients", EXACT, '("SGD", {"learning_rate": 1.0}, "constant")', "memory of the direction pays"),
        other("exact gradients", EXACT, '("MomentumSGD", {"learning_rate": 3.0}, "constant")', "diverged"),
        other(
            "exact gradients",
            EXACT,
            '("MomentumSGD", {"learning_rate": 1.0}, "cosine")',
            "no noise for a schedule to calm",
        ),
        other("raw units", UNITS, '("Adam", {}, "warmup cosine")', "made for other units"),
        other("raw units", UNITS, '("SGD", {"learning_rate": 0.01}, "constant")', "diverged"),
        other("raw units", UNITS, '("Adam", {"learning_rate": -0.3}, "constant")', "cannot be run"),
        other("raw units", UNITS, '("Adma", {"learning_rate": 0.3}, "constant")', "is not one of"),
        other("raw units", UNITS, '("Adam", {"lr": 0.3}, "constant")', "is not a hyperparameter of Adam"),
        other("raw units", UNITS, '("Adam", 0.3)', "should be three things"),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            choices = {
                "rare words": ("RMSprop", {"learning_rate": 0.07}, "constant"),
                "exact gradients": ("NesterovMomentum", {"learning_rate": 0.5, "momentum": 0.95}, "constant"),
                "raw units": ("MomentumSGD", {"learning_rate": 1e-5}, "cosine"),
            }
            """
        ),
        AcceptedAnswer(
            """
            choices = {
                "rare words": ["Adam", {"learning_rate": 0.07}, "constant"],
                "exact gradients": ["MomentumSGD", {"learning_rate": 1}, "constant"],
                "raw units": ["Adam", {"learning_rate": 1.0}, "cosine"],
            }
            """
        ),
    ],
)


# 12.5 A hundred steps --------------------------------------------------------------------------------

TARGETS = (0.30, 0.20, 0.18)


def run_of(recipe):
    name, settings, rates = outputs(recipe(jobs.CHALLENGE_STEPS), "name", "settings", "rates")
    if any(part is ... for part in (name, settings, rates)):
        raise NotAttempted
    if not isinstance(name, str | type) or not isinstance(settings, dict):
        raise Wrong("`recipe` should return the name of a class, a dict of settings, and an array of rates.")
    try:
        return jobs.run_recipe(lambda steps: (name, settings, rates), jobs.CHALLENGE_JUDGED), np.asarray(rates)
    except (ValueError, TypeError) as error:
        raise Wrong(f"The recipe cannot be run: {error}.") from None


def advice_on(rates):
    """What to try next, by what the rates do now."""
    late, early = rates[-10:].mean(), rates[:10].mean()
    if late > 0.5 * early:
        return "Batches of eight are noisy: a large rate early and a small one late has the best of both."
    return "The rates fall already. Sweep the first one again, then change the optimizer: its best rate is another."


def under(target):
    def check(recipe):
        loss, rates = run_of(recipe)
        if not loss < target + jobs.CHALLENGE_LUCK:
            ends = "diverges" if not np.isfinite(loss) else f"ends at {number(loss)}"
            advice = (
                advice_on(rates)
                if loss < TARGETS[0] + jobs.CHALLENGE_LUCK
                else "A better rate is enough for the first target: try powers of ten, then between."
            )
            raise Wrong(f"The recipe {ends}, mean of twelve seeds; this target is {number(target)}. {advice}")
        return f"It ends at {number(loss)}."

    return check


RECIPE = """
def recipe(total_steps):
    \"\"\"The name of an optimizer, its settings, and the rate of every step.\"\"\"
    rates = 0.03 * (1 - np.arange(total_steps) / total_steps)
    return "RMSprop", {"decay": 0.9}, rates
"""

challenge = Exercise(
    id="12.5",
    title="A hundred steps",
    answer="recipe",
    prompt="""
        The last exercise is open. A network with 32 hidden units gets a hundred steps of eight digits each,
        800 digits in all, and
        the validation loss at the end is to be as low as you can make it. Write `recipe(total_steps)`, which
        returns the
        name of a class of `optim_lib.optimizers`, its settings (a dict), and an array with the rate of each
        step. The loss is
        the mean over twelve seeds that you have not seen; the targets are 0.30, 0.20 and 0.18, and a loss that is
        above by less than 0.01 passes, since two means of twelve differ by so much.
        `run_recipe(recipe)` tries yours on twelve practice seeds. Adam at its defaults gets 1.13, momentum at
        its own 0.34.
    """,
    starter="""
    def recipe(total_steps):
        \"\"\"The name of an optimizer, its settings, and the rate of every step.\"\"\"
        rates = np.full(total_steps, ...)
        return "Adam", {}, rates
    """,
    checks=[
        Check("under 0.30", 1, under(TARGETS[0]), "Sweep a constant rate first."),
        Check(
            "under 0.20", 1, under(TARGETS[1]), "Let the rates fall to zero at the end, and sweep the first one again."
        ),
        Check(
            "under 0.18",
            2,
            under(TARGETS[2]),
            "Compare three optimizers, each with its own best rate and the same schedule.",
        ),
    ],
    hints=[
        "Sweep a constant rate for two or three optimizers with `run_recipe`, and keep a table.",
        "Now multiply the rates by `1 - np.arange(total_steps) / total_steps`, and sweep again: the best first "
        "rate is "
        "higher than the best constant one.",
        "RMSprop begins with full steps, since it has no memory of direction to fill. Try it with a line from "
        "0.03 to 0.",
    ],
    solution=RECIPE,
    explanation=(
        "In a hundred steps there is no time to warm up a memory, and batches of eight leave noise to anneal "
        "away: a bare "
        "RMSprop on a straight line to zero does both. Shampoo at a constant 0.5 and SOAP at 0.02 get there as well."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(RECIPE, ("0.03 * (1 - np.arange(total_steps) / total_steps)", "np.full(total_steps, 0.001)")),
            "A better rate is enough",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(RECIPE, ("0.03 * (1 - np.arange(total_steps) / total_steps)", "np.full(total_steps, 0.005)")),
            "a large rate early and a small one late",
            points=1,
            diagnose=False,
        ),
        WrongAnswer(
            edit(RECIPE, ('"RMSprop", {"decay": 0.9}', '"Adam", {}')),
            "The rates fall already.",
            points=2,
            diagnose=False,
        ),
        WrongAnswer(
            edit(RECIPE, ("0.03 *", "30.0 *")),
            "The recipe diverges, or hardly better: a rate of 30 is a thousand times too high for steps without units.",
            points=0,
        ),
        WrongAnswer(
            edit(RECIPE, ("np.arange(total_steps) / total_steps", "np.arange(50) / 50")),
            "the rates must be 100 numbers",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(RECIPE, ('{"decay": 0.9}, rates', "rates")),
            "should return 3 things",
            points=0,
            diagnose=False,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def recipe(total_steps):
                return "SOAP", {}, [0.02] * total_steps
            """
        )
    ],
)

EXERCISES = [memory, report, sick_runs, three_jobs, challenge]
