"""Chapter 11, schedules: the article's four, the edges, one-cycle, one schedule after another, the greedy rate."""

import numpy as np

from exercises.authoring import (
    AcceptedAnswer,
    Check,
    Exercise,
    Wrong,
    WrongAnswer,
    close,
    edit,
    finite,
    number,
    outputs,
    vector,
)
from exercises.guard import AnswerError
from optim_lib import schedules
from optim_lib.probes import expected_losses

TITLE = "Schedules"


def rates_of(answer, rate, epochs, *settings):
    """A student's schedule at each epoch, as a list: all calls are made before anything is compared."""
    return [answer(rate, epoch, *settings) for epoch in epochs]


# 11.1 Step decay -------------------------------------------------------------------------------------


def first_plateau(step_decay):
    epochs = [0, 1, 3]
    close(rates_of(step_decay, 0.2, epochs, 0.3, 4), [0.2, 0.2, 0.2], "the rate at epochs 0, 1 and 3, before any drop")


def drops(step_decay):
    epochs = [4, 7, 8, 11, 12, 30]
    expected = [schedules.step_decay(0.2, epoch, 0.3, 4) for epoch in epochs]
    rates, by_default = rates_of(step_decay, 0.2, epochs, 0.3, 4), rates_of(step_decay, 0.2, [9, 10, 25])
    close(rates, expected, "the rate at epochs 4, 7, 8, 11, 12 and 30")
    expected = [schedules.step_decay(0.2, epoch, 0.5, 10) for epoch in (9, 10, 25)]
    close(by_default, expected, "with the starter's defaults, the rate at epochs 9, 10 and 25")


STEP_DECAY = """
def step_decay(initial_lr, epoch, drop_rate=0.5, epochs_drop=10):
    \"\"\"The rate at an epoch: times drop_rate after every epochs_drop epochs.\"\"\"
    return initial_lr * drop_rate ** (epoch // epochs_drop)
"""

step = Exercise(
    id="11.1",
    title="Step decay",
    answer="step_decay",
    prompt="""
        Write `step_decay`: start at `initial_lr`, and multiply the rate by `drop_rate` each time that another
        `epochs_drop` epochs are over. Epochs count from 0, so with `epochs_drop = 4` the first drop is at epoch 4.
    """,
    starter="""
        def step_decay(initial_lr, epoch, drop_rate=0.5, epochs_drop=10):
            \"\"\"The rate at an epoch: times drop_rate after every epochs_drop epochs.\"\"\"
            return ...
    """,
    checks=[
        Check("before the first drop", 1, first_plateau, "How many drops have there been at epoch 3?"),
        Check("after one drop and after several", 2, drops, "Count the drops at each epoch, then multiply."),
    ],
    hints=[
        "How many whole blocks of `epochs_drop` epochs are over at this epoch?",
        "That number is `epoch // epochs_drop`, and each drop is one more factor.",
        "`initial_lr * drop_rate ** (epoch // epochs_drop)`",
    ],
    solution=STEP_DECAY,
    explanation=(
        "The floor in the exponent makes the stairs. The rate is multiplied by the factor, so a smaller factor is "
        "the larger drop: 0.1 cuts it to a tenth."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(STEP_DECAY, ("epoch // epochs_drop", "epoch / epochs_drop")),
            "The rate falls a little at every epoch: the exponent needs the number of whole blocks, `//` in place of "
            "`/`.",
            points=0,
        ),
        WrongAnswer(
            edit(STEP_DECAY, ("drop_rate **", "(1 - drop_rate) **")),
            "The rate loses the share `drop_rate` at each drop; it should be multiplied by it. The two agree only at "
            "0.5.",
            points=1,
        ),
        WrongAnswer(
            edit(STEP_DECAY, ("drop_rate ** (epoch // epochs_drop)", "(drop_rate if epoch >= epochs_drop else 1)")),
            "There is one drop and no second: every further block of `epochs_drop` epochs brings another factor.",
            points=1,
        ),
        WrongAnswer(
            edit(STEP_DECAY, ("epoch // epochs_drop", "epoch % epochs_drop")),
            "The remainder `%` counts the epochs since the last drop; the number of drops so far is `//`.",
            points=0,
        ),
        WrongAnswer(
            edit(STEP_DECAY, ("(epoch // epochs_drop)", "((epoch + 1) // epochs_drop)")),
            "Each drop comes one epoch early: epochs count from 0, so the first block of 4 is epochs 0 to 3.",
            points=0,
        ),
        WrongAnswer(
            edit(STEP_DECAY, ("drop_rate ** (epoch // epochs_drop)", "drop_rate * (epoch // epochs_drop)")),
            "The factor is multiplied by the number of drops; each drop multiplies the rate once more, which is a "
            "power, `**`.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def step_decay(initial_lr, epoch, drop_rate=0.5, epochs_drop=10):
                rate = initial_lr
                while epoch >= epochs_drop:
                    rate = rate * drop_rate
                    epoch = epoch - epochs_drop
                return rate
            """
        ),
    ],
)


# 11.2 Exponential decay ------------------------------------------------------------------------------


def one_epoch(exponential_decay):
    rates = rates_of(exponential_decay, 0.3, [0, 1], 0.8)
    close(rates, [0.3, 0.24], "the rate at epochs 0 and 1")


def many_epochs(exponential_decay):
    epochs = [2, 10, 2.5, 40]
    expected = [schedules.exponential_decay(0.3, epoch, 0.9) for epoch in epochs]
    rates, by_default = rates_of(exponential_decay, 0.3, epochs, 0.9), exponential_decay(0.3, 7)
    close(rates, expected, "the rate at epochs 2, 10, 2.5 and 40")
    close(by_default, schedules.exponential_decay(0.3, 7, 0.95), "with the starter's default, the rate at epoch 7")


def speed(exponential_decay):
    _, k = outputs(exponential_decay(0.3, 5, 0.9), "rate", "k")
    close(k, -np.log(0.9), "`k` for `decay_rate = 0.9`")


EXPONENTIAL_DECAY = """
def exponential_decay(initial_lr, epoch, decay_rate=0.95):
    \"\"\"The rate at an epoch, and k in initial_lr * exp(-k * epoch).\"\"\"
    rate = initial_lr * decay_rate**epoch
    k = -np.log(decay_rate)
    return rate, k
"""


def rate_alone(check):
    """A check of the rate, for an answer that returns the rate and k."""

    def checked(exponential_decay):
        check(lambda *args: outputs(exponential_decay(*args), "rate", "k")[0])

    return checked


exponential = Exercise(
    id="11.2",
    title="Two ways to write one decay",
    answer="exponential_decay",
    prompt="""
        The article's code multiplies the rate by `decay_rate` at every epoch; its equation is $\\eta_0 e^{-kt}$. Write
        `exponential_decay` so that it returns two numbers: the rate of the code, and the $k$ with which the equation
        gives the same curve.
    """,
    starter=edit(EXPONENTIAL_DECAY, ("initial_lr * decay_rate**epoch", "..."), ("-np.log(decay_rate)", "...")),
    checks=[
        Check("the rate at the first two epochs", 1, rate_alone(one_epoch), "Epoch 1 is one factor, epoch 0 none."),
        Check("the rate later on, also between epochs", 1, rate_alone(many_epochs), "One factor for each epoch."),
        Check("k", 1, speed, "Set the two formulas equal at `t = 1` and solve."),
    ],
    hints=[
        "After `epoch` epochs the rate has been multiplied by the factor `epoch` times.",
        "The two curves agree at `t = 1` if `exp(-k)` equals `decay_rate`. What is `k` then?",
        "`rate = initial_lr * decay_rate**epoch` and `k = -np.log(decay_rate)`.",
    ],
    solution=EXPONENTIAL_DECAY,
    explanation=(
        "A power is an exponential: decay_rate**t = exp(t * log(decay_rate)). So k is minus the logarithm of the "
        "factor: 0.051 for 0.95. Who puts 0.95 for k into the equation has a rate of nearly nothing after ten epochs."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(EXPONENTIAL_DECAY, ("decay_rate**epoch", "np.exp(-decay_rate * epoch)")),
            "This puts `decay_rate` where the equation has k. A factor of 0.9 an epoch is a gentle decay; k = 0.9 "
            "cuts the rate to 41 percent at every epoch.",
            points=1,
        ),
        WrongAnswer(
            edit(
                EXPONENTIAL_DECAY,
                ("decay_rate**epoch", "np.exp(-(1 - decay_rate) * epoch)"),
                ("-np.log(decay_rate)", "1 - decay_rate"),
            ),
            "1 - decay_rate is k only to first order: for 0.9 it is 0.1, and k is 0.105. Take the logarithm.",
            points=0,
        ),
        WrongAnswer(
            edit(EXPONENTIAL_DECAY, ("-np.log(decay_rate)", "np.log(decay_rate)")),
            "The sign of `k` is reversed: the equation has the minus already, and a positive k falls.",
            points=2,
        ),
        WrongAnswer(
            edit(EXPONENTIAL_DECAY, ("-np.log(decay_rate)", "decay_rate")),
            "The two parameters are not the same number: k is minus the logarithm of `decay_rate`.",
            points=2,
        ),
        WrongAnswer(
            edit(EXPONENTIAL_DECAY, ("-np.log(decay_rate)", "-np.log10(decay_rate)")),
            "The equation has base e, so it needs the natural logarithm, `np.log`.",
            points=2,
        ),
        WrongAnswer(
            edit(EXPONENTIAL_DECAY, ("decay_rate**epoch", "(1 - (1 - decay_rate) * epoch)")),
            "This falls in a straight line, by equal amounts. An exponential falls by equal factors.",
            points=2,
        ),
        WrongAnswer(
            edit(EXPONENTIAL_DECAY, ("decay_rate**epoch", "(1 - decay_rate) ** epoch")),
            "The rate is multiplied by `1 - decay_rate`: it should keep the share `decay_rate`, not lose it.",
            points=1,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            import math

            def exponential_decay(initial_lr, epoch, decay_rate=0.95):
                k = math.log(1 / decay_rate)
                return initial_lr * math.exp(-k * epoch), k
            """
        ),
    ],
)


# 11.3 Cosine annealing -------------------------------------------------------------------------------


def cosine_to_zero(cosine_annealing):
    epochs = [0, 3, 10, 17, 20]
    expected = [schedules.cosine_annealing(0.4, epoch, 20) for epoch in epochs]
    close(
        rates_of(cosine_annealing, 0.4, epochs, 20),
        expected,
        "from 0.4 to 0 in 20 epochs, the rate at 0, 3, 10, 17, 20",
    )


def cosine_to_floor(cosine_annealing):
    epochs = [0, 3, 6, 9, 12]
    expected = [schedules.cosine_annealing(0.4, epoch, 12, 0.1) for epoch in epochs]
    close(
        rates_of(cosine_annealing, 0.4, epochs, 12, 0.1),
        expected,
        "from 0.4 to 0.1 in 12 epochs, the rate at 0, 3, 6, 9, 12",
    )


def past_the_end(cosine_annealing):
    epochs = [13, 18, 24, 1000]
    expected = [schedules.cosine_annealing(0.4, epoch, 12, 0.1) for epoch in epochs]
    close(
        rates_of(cosine_annealing, 0.4, epochs, 12, 0.1),
        expected,
        "with 12 epochs and a floor of 0.1, the rate at epochs 13, 18, 24 and 1000",
    )


COSINE = """
def cosine_annealing(initial_lr, epoch, total_epochs, min_lr=0.0):
    \"\"\"Half a cosine from initial_lr to min_lr, and min_lr from there on.\"\"\"
    progress = min(epoch / total_epochs, 1.0)
    return min_lr + 0.5 * (initial_lr - min_lr) * (1 + np.cos(np.pi * progress))
"""

cosine = Exercise(
    id="11.3",
    title="Cosine annealing that stays down",
    answer="cosine_annealing",
    prompt="""
        Write `cosine_annealing`: half a cosine from `initial_lr` at epoch 0 to `min_lr` at epoch `total_epochs`. Past
        the end the article's formula climbs back up; yours shall stay at `min_lr`.
    """,
    starter="""
        def cosine_annealing(initial_lr, epoch, total_epochs, min_lr=0.0):
            \"\"\"Half a cosine from initial_lr to min_lr, and min_lr from there on.\"\"\"
            return ...
    """,
    checks=[
        Check("down to zero", 1, cosine_to_zero, "Work out the start, the middle and the end by hand."),
        Check("down to a floor", 2, cosine_to_floor, "Half-way the rate is the mean of the top and the floor."),
        Check("past the end", 1, past_the_end, "What should the share of the run that is over be at most?"),
    ],
    hints=[
        "`1 + cos(x)` falls from 2 to 0 while `x` goes from 0 to pi. Which share of the run is over?",
        "Scale that fall to the height `initial_lr - min_lr` (mind the 2) and put it on top of `min_lr`.",
        "`min_lr + 0.5 * (initial_lr - min_lr) * (1 + np.cos(np.pi * progress))`, with "
        "`progress = min(epoch / total_epochs, 1)`.",
    ],
    solution=COSINE,
    explanation=(
        "The cosine is flat at both ends: a while near the top, a while near the floor, and steepest in the middle. "
        "Cutting the progress off at 1 is what keeps it down; a cosine alone is periodic."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(COSINE, ("min(epoch / total_epochs, 1.0)", "max(epoch / total_epochs, 1.0)")),
            "`max` makes the share of the run that is over at least 1, so the rate is at the floor from the start and "
            "moves only past the end. At most 1 is meant: `min`.",
        ),
        WrongAnswer(
            edit(COSINE, ("min(epoch / total_epochs, 1.0)", "epoch / total_epochs")),
            "Down to the end this is right, and then the rate climbs again, up to the top at twice the length: cut "
            "the progress off at 1.",
            points=3,
        ),
        WrongAnswer(
            edit(COSINE, ("0.5 * (initial_lr - min_lr)", "0.5 * initial_lr")),
            "The rate starts too high, at `initial_lr + min_lr`: the cosine spans the difference of the two.",
            points=2,
        ),
        WrongAnswer(
            edit(COSINE, ("0.5 * (initial_lr - min_lr)", "(initial_lr - min_lr)")),
            "The rate starts twice too high: `1 + cos` falls from 2 to 0, so a factor of one half belongs to it.",
            points=1,
        ),
        WrongAnswer(
            edit(COSINE, ("1 + np.cos", "1 - np.cos")),
            "The curve is upside down: it rises from the floor to the top.",
            points=0,
        ),
        WrongAnswer(
            edit(COSINE, ("np.cos(np.pi * progress)", "np.cos(progress)")),
            "The cosine is asked for angles from 0 to 1 and hardly falls: half a wave is an angle of pi.",
            points=0,
        ),
        WrongAnswer(
            edit(COSINE, ("np.pi * progress", "2 * np.pi * progress")),
            "This is a whole wave: down to the floor and back to the top. Half a wave is an angle of pi.",
            points=0,
        ),
        WrongAnswer(
            edit(COSINE, ("min(epoch / total_epochs, 1.0)", "min(epoch / (total_epochs - 1), 1.0)")),
            "The floor is reached one epoch early, at `total_epochs - 1`. Some libraries count so, so that the last "
            "epoch has the floor; this exercise asks for the formula of the paper, which divides by `total_epochs`.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            """
            def cosine_annealing(initial_lr, epoch, total_epochs, min_lr=0.0):
                progress = min(epoch / total_epochs, 1.0)
                return max(min_lr, 0.5 * initial_lr * (1 + np.cos(np.pi * progress)))
            """,
            "This falls toward zero and is cut off at the floor. The cosine itself should end there: it spans "
            "`initial_lr - min_lr`.",
            points=2,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            import math

            def cosine_annealing(initial_lr, epoch, total_epochs, min_lr=0.0):
                if epoch >= total_epochs:
                    return min_lr
                return min_lr + (initial_lr - min_lr) * math.cos(math.pi / 2 * epoch / total_epochs) ** 2
            """
        ),
    ],
)


# 11.4 The edges of a warmup --------------------------------------------------------------------------


def rising(warmup_cosine):
    epochs = [0, 1, 3]
    rates = rates_of(warmup_cosine, 0.5, epochs, 20, 4)
    expected = [schedules.warmup_cosine(0.5, epoch, 20, 4) for epoch in epochs]
    note = "Your warmup counts (t + 1) / T_w and is at the top one epoch earlier: accepted, and common."
    return close(
        rates,
        expected,
        "the rate at epochs 0, 1 and 3 of a warmup of 4",
        accept=[([0.125, 0.25, 0.5], note)],
    )


def falling(warmup_cosine):
    epochs = [4, 9, 12, 20]
    rates = rates_of(warmup_cosine, 0.5, epochs, 20, 4, 0.05)
    expected = [schedules.warmup_cosine(0.5, epoch, 20, 4, 0.05) for epoch in epochs]
    by_default = rates_of(warmup_cosine, 0.5, [9, 14], 20)
    close(rates, expected, "after the warmup of 4, the rate at epochs 4, 9, 12 and 20")
    expected = [schedules.warmup_cosine(0.5, epoch, 20, 5, 0.0) for epoch in (9, 14)]
    close(by_default, expected, "with the starter's defaults, the rate at epochs 9 and 14")


def beyond(warmup_cosine):
    rates = rates_of(warmup_cosine, 0.5, [21, 28, 36, 500], 20, 4, 0.05)
    close(rates, [0.05] * 4, "past the end at 20, the rate at epochs 21, 28, 36 and 500")


def all_warmup(warmup_cosine):
    rates = rates_of(warmup_cosine, 0.5, [50, 6, 5], 5, 5, 0.05)
    close(rates, [0.05] * 3, "when all 5 epochs are warmup, the rate from the end on")


def refused(warmup_cosine):
    try:
        rate = warmup_cosine(0.5, 2, 3, 5)
    except AnswerError as error:
        if isinstance(error.__cause__, ValueError):
            return
        raise
    raise Wrong(
        f"A warmup of 5 epochs in a run of 3 gives the rate {number(rate)}; raise a `ValueError` instead."
        if isinstance(rate, float | int | np.number)
        else "A warmup of 5 epochs in a run of 3 should raise a `ValueError`."
    )


WARMUP_COSINE = """
def warmup_cosine(initial_lr, epoch, total_epochs, warmup_epochs=5, min_lr=0.0):
    if warmup_epochs > total_epochs:
        raise ValueError("the warmup is longer than the run")
    if epoch < warmup_epochs:
        return initial_lr * (epoch + 1) / (warmup_epochs + 1)
    if epoch >= total_epochs:
        return min_lr
    progress = (epoch - warmup_epochs) / (total_epochs - warmup_epochs)
    return min_lr + 0.5 * (initial_lr - min_lr) * (1 + np.cos(np.pi * progress))
"""

ARTICLE_WARMUP_COSINE = """
def warmup_cosine(initial_lr, epoch, total_epochs, warmup_epochs=5, min_lr=0.0):
    if epoch < warmup_epochs:
        return initial_lr * epoch / warmup_epochs
    progress = (epoch - warmup_epochs) / (total_epochs - warmup_epochs)
    return min_lr + 0.5 * (initial_lr - min_lr) * (1 + np.cos(np.pi * progress))
"""

edges = Exercise(
    id="11.4",
    title="Four bugs at the edges",
    answer="warmup_cosine",
    prompt="""
        This is the article's `warmup_cosine`. In the middle it is right; at its edges four things go wrong. Mend
        them: (1) the first epoch should train, so let the warmup rise as $(t + 1)/(T_w + 1)$; (2) past the end the
        rate should stay at `min_lr`; (3) when everything is warmup, $T_w = T$, the rate from epoch $T$ on should be
        `min_lr` as well; (4) a warmup longer than the run should raise a `ValueError`.
    """,
    starter=ARTICLE_WARMUP_COSINE,
    checks=[
        Check("the warmup", 1, rising, "Count from one: the first of five stairs, not the ground."),
        Check("the cosine after it", 1, falling, "This part was right: compare with the listing."),
        Check("past the end", 1, beyond, "What is `progress` at an epoch past the end?"),
        Check("all warmup", 1, all_warmup, "When is `total_epochs - warmup_epochs` zero?"),
        Check("more warmup than run", 1, refused, "Test it before anything else."),
    ],
    hints=[
        "Call the listing at epoch 0, at epoch `2 * total_epochs`, and with `warmup_epochs=total_epochs`.",
        "One early `return min_lr` mends two of the four, if it stands before the division.",
        "`raise ValueError(...)` first; then the rise with `(epoch + 1) / (warmup_epochs + 1)`; then "
        "`if epoch >= total_epochs: return min_lr`; the rest stays.",
    ],
    solution=WARMUP_COSINE,
    explanation=(
        "None of the four would have shown in a plot of a usual schedule. They show when a run is prolonged, when a "
        "test run is made very short, and, for the first, as an epoch in which nothing at all is learned."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(WARMUP_COSINE, ("(epoch + 1) / (warmup_epochs + 1)", "epoch / warmup_epochs")),
            "The rate at epoch 0 is still 0: a whole epoch of gradients is computed and thrown away.",
            points=4,
        ),
        WrongAnswer(
            edit(WARMUP_COSINE, ("    if epoch >= total_epochs:\n        return min_lr\n", "")),
            "Past the end the cosine rises again, and when everything is warmup it divides by zero: return `min_lr` "
            "from `total_epochs` on, before the division.",
            points=3,
        ),
        WrongAnswer(
            edit(
                WARMUP_COSINE,
                ("    if epoch >= total_epochs:\n        return min_lr\n", ""),
                ("(total_epochs - warmup_epochs)", "max(total_epochs - warmup_epochs, 1)"),
            ),
            "The division is safe now, but past the end the cosine still rises again.",
            points=3,
        ),
        WrongAnswer(
            edit(
                WARMUP_COSINE,
                (
                    "    if warmup_epochs > total_epochs:\n"
                    '        raise ValueError("the warmup is longer than the run")\n',
                    "",
                ),
            ),
            "A warmup of 5 epochs in a run of 3 gives the rate 0.25",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(WARMUP_COSINE, ("warmup_epochs > total_epochs", "warmup_epochs >= total_epochs")),
            "A run that is all warmup is refused too. It is unusual but makes sense: only a warmup longer than the run "
            "does not.",
            points=4,
        ),
        WrongAnswer(
            edit(
                WARMUP_COSINE,
                (
                    "    if epoch >= total_epochs:\n        return min_lr\n    progress = (epoch - warmup_epochs) "
                    "/ (total_epochs - warmup_epochs)\n",
                    "    progress = min((epoch - warmup_epochs) / (total_epochs - warmup_epochs), 1)\n",
                ),
            ),
            "Past the end it is right, but a run that is all warmup still divides by zero: cutting the progress off "
            "comes too late for that.",
            points=4,
        ),
        WrongAnswer(
            edit(WARMUP_COSINE, ("        return min_lr\n", "        return 0.0\n")),
            "Past the end the rate jumps to 0; it should stay at `min_lr`, where the cosine has ended.",
            points=2,
        ),
        WrongAnswer(
            edit(WARMUP_COSINE, ("if epoch >= total_epochs", "if epoch > total_epochs")),
            "At epoch T itself, when everything is warmup, it divides by zero: the end belongs to the floor, `>=`.",
            points=4,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(WARMUP_COSINE, ("(epoch + 1) / (warmup_epochs + 1)", "(epoch + 1) / warmup_epochs")),
        ),
    ],
)


# 11.5 One cycle --------------------------------------------------------------------------------------

TOTAL, TOP = 41, 0.8


def run_of(one_cycle, steps, *settings):
    """The rates and the momenta of a student's one_cycle at these steps."""
    pairs = [outputs(one_cycle(step, *settings), "rate", "momentum") for step in steps]
    return [rate for rate, _ in pairs], [momentum for _, momentum in pairs]


def rate_up(one_cycle):
    steps = [0, 4, 9, 14]
    rates, _ = run_of(one_cycle, steps, 50, TOP, 0.3)
    by_default, _ = run_of(one_cycle, steps, 50, TOP)
    expected = list(schedules.one_cycle(TOP, np.array(steps), 50))
    close(rates, expected, "on the way up, the rate at steps 0, 4, 9 and 14")
    close(by_default, expected, "with the starter's default, the rate at steps 0, 4, 9 and 14")


def rate_down(one_cycle):
    steps = [14, 20, 33, 45]
    rates, _ = run_of(one_cycle, steps, 50, TOP, 0.3)
    between_steps, _ = run_of(one_cycle, [12, 30], TOTAL, TOP, 0.25)
    expected = list(schedules.one_cycle(TOP, np.array(steps), 50))
    close(rates, expected, "on the way down, the rate at steps 14, 20, 33, 45")
    expected = list(schedules.one_cycle(TOP, np.array([12, 30]), TOTAL, 0.25))
    close(between_steps, expected, "with the top between two steps, at 9.25, the rate at steps 12 and 30")


def last_rate(one_cycle):
    rates, _ = run_of(one_cycle, [TOTAL - 1], TOTAL, TOP, 0.25)
    close(rates[0], schedules.one_cycle(TOP, TOTAL - 1, TOTAL, 0.25), "the rate of the last step, 40 of 0 to 40,")


def momentum_mirrored(one_cycle):
    steps = [0, 3, 10, 20, 39]
    _, momenta = run_of(one_cycle, steps, 40, TOP, 0.275)
    expected = list(schedules.one_cycle_momentum(np.array(steps), 40, 0.275))
    close(momenta, expected, "the momentum at steps 0, 3, 10, 20 and 39, with the top at step 10")


ONE_CYCLE = """
def one_cycle(step, total_steps, max_lr, warmup_fraction=0.3):
    \"\"\"The rate and the momentum at a step, from 0 to total_steps - 1.\"\"\"
    def between(start, end, share):
        return end + (start - end) * (1 + np.cos(np.pi * share)) / 2

    first_lr = max_lr / 25
    last_lr = first_lr / 1e4
    peak = warmup_fraction * total_steps - 1
    if step < peak:
        share = step / peak
        return between(first_lr, max_lr, share), between(0.95, 0.85, share)
    share = (step - peak) / (total_steps - 1 - peak)
    return between(max_lr, last_lr, share), between(0.85, 0.95, share)
"""

cycle = Exercise(
    id="11.5",
    title="One cycle, rate and momentum",
    answer="one_cycle",
    prompt="""
        Write `one_cycle`, which returns the rate and the momentum at a step. The rate starts at `max_lr / 25`, is
        `max_lr` at step $p\\,T - 1$ (with $p$ = `warmup_fraction`, $T$ = `total_steps`; it may lie between two steps),
        and at the last step, $T - 1$, is a ten-thousandth of where it started. The momentum goes the other way: 0.95 at
        both ends, 0.85 at the top. All of them move along half a cosine, for which `between` is given.
    """,
    starter=edit(
        ONE_CYCLE,
        ("first_lr / 1e4", "..."),
        ("warmup_fraction * total_steps - 1\n", "...\n"),
        ("return between(first_lr, max_lr, share), between(0.95, 0.85, share)", "return ..."),
        ("(step - peak) / (total_steps - 1 - peak)", "..."),
        ("return between(max_lr, last_lr, share), between(0.85, 0.95, share)", "return ..."),
        ("step / peak\n", "...\n"),
    ),
    checks=[
        Check("the rate on the way up", 1, rate_up, "Between `first_lr` and `max_lr`, with the share `step / peak`."),
        Check("the rate on the way down", 1, rate_down, "The second half begins at `peak` and ends at the last step."),
        Check("the last rate", 1, last_rate, "A ten-thousandth of the first rate, not of the top."),
        Check("the momentum", 2, momentum_mirrored, "High when the rate is low."),
    ],
    hints=[
        "Two halves: from step 0 to `peak`, and from `peak` to the last step. In each, which share is over?",
        "On the way up the share is `step / peak`; on the way down `(step - peak) / (total_steps - 1 - peak)`.",
        "Up: `between(first_lr, max_lr, share), between(0.95, 0.85, share)`. Down: `between(max_lr, last_lr, share), "
        "between(0.85, 0.95, share)`, with `last_lr = first_lr / 1e4`.",
    ],
    solution=ONE_CYCLE,
    explanation=(
        "Rate and momentum are mirrored, so the effective rate lr / (1 - momentum) swings less than the rate: at the "
        "top the rate is 25 times its first value, the effective rate only 25 / 3 times. The numbers are those of "
        "torch's OneCycleLR."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(
                ONE_CYCLE,
                ("max_lr, share), between(0.95, 0.85, share)", "max_lr, share), between(0.85, 0.95, share)"),
                ("last_lr, share), between(0.85, 0.95, share)", "last_lr, share), between(0.95, 0.85, share)"),
            ),
            "The momentum rises with the rate; it should be lowest where the rate is highest.",
            points=3,
        ),
        WrongAnswer(
            edit(
                ONE_CYCLE,
                ("between(0.95, 0.85, share)", "0.95"),
                ("between(0.85, 0.95, share)", "0.95"),
            ),
            "The momentum never moves: it falls from 0.95 to 0.85 while the rate rises, and comes back.",
            points=3,
        ),
        WrongAnswer(
            edit(ONE_CYCLE, ("warmup_fraction * total_steps - 1", "int(warmup_fraction * total_steps) - 1")),
            "The top is moved to a whole step. It is at `warmup_fraction * total_steps - 1`, also where that lies "
            "between two steps.",
            points=4,
        ),
        WrongAnswer(
            edit(ONE_CYCLE, ("first_lr / 1e4", "max_lr / 1e4")),
            "The last rate is 25 times too large: it is a ten-thousandth of the first rate, `max_lr / 25 / 1e4`, which "
            "is also how torch reads its `final_div_factor`.",
            points=3,
        ),
        WrongAnswer(
            edit(ONE_CYCLE, ("warmup_fraction * total_steps - 1", "warmup_fraction * total_steps")),
            "The top comes one step late: steps count from 0, so the p T steps of the rise end at step p T - 1.",
            points=1,
        ),
        WrongAnswer(
            edit(ONE_CYCLE, ("(total_steps - 1 - peak)", "(total_steps - peak)")),
            "The rate does not arrive: the last step is `total_steps - 1`, and there the share should be 1.",
            points=1,
        ),
        WrongAnswer(
            edit(ONE_CYCLE, ("(1 + np.cos(np.pi * share)) / 2", "(1 - share)")),
            "These are straight lines. Smith's first papers have them; this exercise asks for cosines, as torch has by "
            "default.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(ONE_CYCLE, ("return between(max_lr, last_lr, share)", "return between(max_lr, first_lr, share)")),
            "The rate comes down only to where it began; the end is a ten-thousandth of that.",
            points=3,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def one_cycle(step, total_steps, max_lr, warmup_fraction=0.3):
                peak = warmup_fraction * total_steps - 1
                if step < peak:
                    height = (1 - np.cos(np.pi * step / peak)) / 2
                    rate = max_lr / 25 + (max_lr - max_lr / 25) * height
                else:
                    height = (1 + np.cos(np.pi * (step - peak) / (total_steps - 1 - peak))) / 2
                    rate = max_lr / 250000 + (max_lr - max_lr / 250000) * height
                return [rate, 0.95 - 0.1 * height]
            """
        ),
    ],
)


# 11.6 One after another ------------------------------------------------------------------------------


def rise(t):
    return 0.1 + 0.2 * t


def decline(t):
    return 5.0 * 0.5**t


def before(joined):
    close([joined(rise, decline, 4, t) for t in (0, 1, 3)], [0.1, 0.3, 0.7], "the rate at epochs 0, 1 and 3, before 4")


def takes_over(joined):
    close([joined(rise, decline, 4, t) for t in (4, 5, 9)], [5.0, 2.5, 5 / 32], "the rate at epochs 4, 5 and 9")


def nested(joined):
    def three(t):
        return joined(rise, lambda later: joined(decline, rise, 2, later), 4, t)

    close([three(t) for t in (3, 4, 5, 6, 8)], [0.7, 5.0, 2.5, 0.1, 0.5], "three schedules joined by joining twice")


JOINED = """
def joined(first, second, at, epoch):
    \"\"\"The rate at an epoch: by first before `at`, by second from there on.\"\"\"
    if epoch < at:
        return first(epoch)
    return second(epoch - at)
"""

join = Exercise(
    id="11.6",
    title="One schedule after another",
    answer="joined",
    prompt="""
        A warmup, then a plateau, then a decay: long schedules are short ones joined. `first` and `second` are functions
        from an epoch to a rate. Write `joined(first, second, at, epoch)`: `first` rules before epoch `at`; from `at` on
        `second` rules, and counts its own epochs from 0.
    """,
    starter="""
        def joined(first, second, at, epoch):
            \"\"\"The rate at an epoch: by first before `at`, by second from there on.\"\"\"
            return ...
    """,
    checks=[
        Check("before the border", 1, before, "Ask the first schedule."),
        Check("from the border on", 2, takes_over, "Which epoch is it by the second schedule's own clock?"),
        Check("three schedules", 1, nested, "It follows from the others, if joined schedules are schedules too."),
    ],
    hints=[
        "There are two cases. To which of them does the epoch `at` belong?",
        "The second schedule knows nothing about the first: at epoch `at` it must be asked for its epoch 0.",
        "`return first(epoch) if epoch < at else second(epoch - at)`",
    ],
    solution=JOINED,
    explanation=(
        "With its own clock each piece can be written and tested alone. Joined schedules are schedules, so they can be "
        "joined again: `join_schedules` of the library and torch's SequentialLR do no more than that."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(JOINED, ("second(epoch - at)", "second(epoch)")),
            "The second schedule is asked for the epoch of the whole run and begins somewhere in its middle: its own "
            "clock starts at 0, `epoch - at`.",
            points=1,
        ),
        WrongAnswer(
            edit(JOINED, ("epoch < at", "epoch <= at")),
            "At epoch `at` itself the first schedule still rules; it is the first epoch of the second.",
            points=1,
        ),
        WrongAnswer(
            edit(JOINED, ("second(epoch - at)", "second(epoch - at + 1)")),
            "The second schedule skips its epoch 0: at epoch `at` its clock should show 0.",
            points=1,
        ),
        WrongAnswer(
            edit(JOINED, ("return second(epoch - at)", "return first(at) * second(epoch - at)")),
            "The second rate is multiplied by the last of the first. That is another way to compose, where the second "
            "is a factor; here each schedule gives a rate.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            """
            def joined(first, second, at, epoch):
                return min(first(epoch), second(max(epoch - at, 0)))
            """,
            "The smaller of the two rates is taken. Before epoch `at` the second schedule has no say, and afterwards "
            "the first has none.",
            points=1,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def joined(first, second, at, epoch):
                schedule, start = (first, 0) if epoch < at else (second, at)
                return schedule(epoch - start)
            """
        ),
    ],
)


# 11.7 The greedy schedule ----------------------------------------------------------------------------


def greedy(curvature, noise, square, steps):
    """The rates that make each step's expected square as small as it can be, from the closed form."""
    rates, squares = [], [square]
    for _ in range(steps):
        rate = curvature * squares[-1] / (curvature**2 * squares[-1] + noise**2)
        rates.append(rate)
        squares.append((1 - rate * curvature) ** 2 * squares[-1] + (rate * noise) ** 2)
    return np.array(rates)


def without_noise(greedy_rates):
    close(greedy_rates(4.0, 0.0, 2.0, 1), [0.25], "without noise, the first rate")


def first_greedy(greedy_rates):
    close(greedy_rates(2.0, 1.5, 3.0, 1), greedy(2.0, 1.5, 3.0, 1), "the first rate")


def later_greedy(greedy_rates):
    close(greedy_rates(2.0, 1.5, 3.0, 40), greedy(2.0, 1.5, 3.0, 40), "the rates of 40 steps")


def nothing_is_better(greedy_rates):
    rates = vector(greedy_rates(0.5, 2.0, 9.0, 12), 12, "the array of rates").astype(float)
    finite(rates, "the array of rates")
    setting = {"curvature": 0.5, "noise": 2.0, "start": 3.0}
    for step in range(12):
        expected = expected_losses(rates[: step + 1], **setting)[-1]
        for factor in (0.9, 1.1):
            other = rates[: step + 1].copy()
            other[step] *= factor
            if expected_losses(other, **setting)[-1] < expected:
                raise Wrong(
                    f"In step {step + 1} the rate {number(other[step])} does better than yours, {number(rates[step])}."
                )


GREEDY = """
def greedy_rates(curvature, noise, square, steps):
    \"\"\"The best rate for each step; square = E[c^2] before the first.\"\"\"
    rates = []
    for _ in range(steps):
        rate = curvature * square / (curvature**2 * square + noise**2)
        square = (1 - rate * curvature) ** 2 * square + rate**2 * noise**2
        rates.append(rate)
    return np.array(rates)
"""

think = Exercise(
    id="11.7",
    title="The best rate for the next step",
    answer="greedy_rates",
    prompt="""
        Along one direction of a noisy quadratic, a step with rate $\\eta$ turns the expected square
        $\\mathbb E[c^2]$ into $(1 - \\eta\\lambda)^2\\, \\mathbb E[c^2] + \\eta^2 s^2$. Which rate makes that smallest?
        Write `greedy_rates(curvature, noise, square, steps)`: an array with the best rate for each of the next steps,
        every one chosen for the square that the steps before have left. Before the first step the square is `square`;
        `noise` is $s$, and `curvature` is $\\lambda$.
    """,
    starter=edit(
        GREEDY,
        ("curvature * square / (curvature**2 * square + noise**2)", "..."),
        ("(1 - rate * curvature) ** 2 * square + rate**2 * noise**2", "..."),
    ),
    checks=[
        Check("no noise", 1, without_noise, "Without noise one step can land on the minimum."),
        Check("the first rate", 1, first_greedy, "Set the derivative for the rate to zero."),
        Check("forty rates", 2, later_greedy, "The square changes with every step: use the formula of the prompt."),
        Check("no other rate does better", 1, nothing_is_better, "Try a rate a tenth larger or smaller in your head."),
    ],
    hints=[
        "The new square is a parabola in the rate. Its derivative is "
        "`-2 * curvature * (1 - rate * curvature) * square + 2 * rate * noise**2`.",
        "That is zero at `rate = curvature * square / (curvature**2 * square + noise**2)`. Far away this is nearly "
        "`1 / curvature`; close to the minimum the noise takes over.",
        "After each step put the rate into the formula of the prompt to get the next square.",
    ],
    solution=GREEDY,
    explanation=(
        "Far from the minimum the best rate is 1 / curvature, as if there were no noise. Later the square shrinks like "
        "noise^2 / (curvature^2 t), and the best rate like 1 / (curvature t): the schedule of Robbins and Monro, from "
        "nothing but a derivative."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(GREEDY, ("curvature * square / (curvature**2 * square + noise**2)", "1 / curvature")),
            "This is the best rate without noise, at every step. With noise it lands on the minimum on average and "
            "keeps all the noise of the last step.",
            points=1,
        ),
        WrongAnswer(
            edit(GREEDY, ("(curvature**2 * square + noise**2)", "(curvature**2 * square + noise)")),
            "The variance is the square of `noise`: the denominator needs `noise**2`.",
            points=1,
        ),
        WrongAnswer(
            edit(
                GREEDY,
                ("        square = (1 - rate * curvature) ** 2 * square + rate**2 * noise**2\n", ""),
            ),
            "The square is never updated, so all rates are the first one. After each step less is left to go, and the "
            "best rate is smaller.",
            points=2,
        ),
        WrongAnswer(
            edit(GREEDY, ("** 2 * square + rate**2 * noise**2", "** 2 * square")),
            "The new square leaves out the noise that the step adds, `rate**2 * noise**2`, so the rates fall too fast.",
            points=2,
        ),
        WrongAnswer(
            edit(
                GREEDY,
                (
                    "(1 - rate * curvature) ** 2 * square + rate**2 * noise**2",
                    "(1 - rate * curvature) * square + rate * noise",
                ),
            ),
            "The new square is that of c: the factor on the old square is `(1 - rate * curvature)**2`, and the noise "
            "comes in with `rate**2 * noise**2`.",
            points=2,
        ),
        WrongAnswer(
            edit(GREEDY, ("curvature * square / (", "square / (")),
            "The numerator lacks the curvature: the derivative of `(1 - rate * curvature)**2` brings one down.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def greedy_rates(curvature, noise, square, steps):
                rates = []
                for _ in range(steps):
                    rates.append(curvature * square / (curvature**2 * square + noise**2))
                    square = square * noise**2 / (curvature**2 * square + noise**2)
                return rates
            """
        ),
    ],
)

EXERCISES = [step, exponential, cosine, edges, cycle, join, think]
