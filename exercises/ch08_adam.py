"""Chapter 8, Adam: the two moments, bias correction, the whole class, a bug hunt in AMSGrad, the longest step."""

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
    outputs,
    unchanged_inputs,
    vector,
)
from exercises.classes import (
    SHAPES,
    check_defaults,
    check_in_place,
    check_late_parameter,
    compare_runs,
    large_grads,
    random_params,
)
from optim_lib.optimizers import Adam, AMSGrad

TITLE = "Adam"


# 8.1 The two moments -------------------------------------------------------------------------------


def moments_of_adam(grads, beta1, beta2):
    """The moments that the library's Adam keeps, after each of `grads`."""
    adam = Adam(beta1=beta1, beta2=beta2)
    params = {"theta": np.zeros_like(grads[0])}
    history = []
    for grad in grads:
        adam.update(params, {"theta": grad})
        state = adam.state["theta"]
        history.append((state.m.copy(), state.v.copy()))
    m, v = zip(*history, strict=True)
    return np.array(m), np.array(v)


def random_grads(seed, steps=6, size=3):
    return np.random.default_rng(seed).normal(size=(steps, size))


def moments_after_one(moments):
    grads = random_grads(seed=81)[:1]
    m, v = outputs(moments(grads, 0.9, 0.99), "m", "v")
    expected_m, expected_v = moments_of_adam(grads, 0.9, 0.99)
    close(m, expected_m, "the first moment after one gradient")
    close(v, expected_v, "the second moment after one gradient")


def first_moment(moments):
    grads = random_grads(seed=82)
    m, _ = outputs(moments(grads, 0.8, 0.95), "m", "v")
    unchanged_inputs(moments)
    close(m, moments_of_adam(grads, 0.8, 0.95)[0], "the first moment")


def second_moment(moments):
    grads = random_grads(seed=83)
    _, v = outputs(moments(grads, 0.8, 0.95), "m", "v")
    close(v, moments_of_adam(grads, 0.8, 0.95)[1], "the second moment")


MOMENTS = """
def moments(grads, beta1, beta2):
    \"\"\"Adam's two moments after each gradient, not corrected: two arrays shaped like grads.\"\"\"
    m, v = np.zeros_like(grads), np.zeros_like(grads)
    m_now, v_now = 0.0, 0.0
    for t, grad in enumerate(grads):
        m_now = beta1 * m_now + (1 - beta1) * grad
        v_now = beta2 * v_now + (1 - beta2) * grad**2
        m[t], v[t] = m_now, v_now
    return m, v
"""

MOMENTS_STARTER = """
def moments(grads, beta1, beta2):
    \"\"\"Adam's two moments after each gradient, not corrected: two arrays shaped like grads.\"\"\"
    return ...
"""

two_moments = Exercise(
    id="8.1",
    title="The two moments",
    answer="moments",
    prompt="""
        Write `moments(grads, beta1, beta2)`. The rows of `grads` are the gradients $g_1, g_2, \\dots$ of
        successive steps: row 0 is $g_1$. Return two arrays of the same shape. The rows of the first are
        $m_1, m_2, \\dots$, those of the second $v_1, v_2, \\dots$, both averages starting from zero and without bias
        correction. Leave `grads` as it is.
    """,
    starter=MOMENTS_STARTER,
    checks=[
        Check(
            "the moments after one gradient",
            1,
            moments_after_one,
            "Put zero for the old moments into the two equations.",
        ),
        Check(
            "the first moment after every step",
            1,
            first_moment,
            "Work out the second row on paper from the first two gradients.",
        ),
        Check("the second moment after every step", 1, second_moment, "It averages the square of the gradient."),
    ],
    hints=[
        "Both moments are averages that forget: a share of the old average plus a share of the new value.",
        "The two shares add up to one: `beta1` of the old, `1 - beta1` of the new.",
        "Loop over the rows: `m_now = beta1 * m_now + (1 - beta1) * grad`, and the same with `grad**2` for the second.",
    ],
    solution=MOMENTS,
    explanation=(
        "The shares beta and 1 - beta add up to one, so each moment is an average; because it starts from "
        "zero, it is too small at first. The next exercise mends that."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(MOMENTS, ("(1 - beta1) * grad", "grad"), ("(1 - beta2) * grad**2", "grad**2")),
            "These are decayed sums, as momentum has them, not averages: the new gradient needs the weight `1 - beta`.",
            points=0,
        ),
        WrongAnswer(
            edit(
                MOMENTS,
                ("beta1 * m_now + (1 - beta1) * grad", "(1 - beta1) * m_now + beta1 * grad"),
                ("beta2 * v_now + (1 - beta2) * grad**2", "(1 - beta2) * v_now + beta2 * grad**2"),
            ),
            "The two weights are exchanged: `beta` belongs to the old average, `1 - beta` to the new gradient.",
            points=0,
        ),
        WrongAnswer(
            edit(MOMENTS, ("(1 - beta2) * grad**2", "(1 - beta2) * m_now**2")),
            "The second moment averages the square of the gradient, `grad**2`, not the square of the first moment.",
            points=1,
        ),
        WrongAnswer(
            edit(MOMENTS, ("(1 - beta2) * grad**2", "(1 - beta2) * np.abs(grad)")),
            "The second moment averages the square of the gradient; here it averages the absolute value.",
            points=1,
        ),
        WrongAnswer(
            edit(MOMENTS, ("beta1 * m_now + (1 - beta1)", "beta2 * m_now + (1 - beta2)")),
            "Both moments use `beta2`: the first one forgets at the rate `beta1`.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MOMENTS,
                ("beta1 * m_now + (1 - beta1)", "beta2 * m_now + (1 - beta2)"),
                ("beta2 * v_now + (1 - beta2)", "beta1 * v_now + (1 - beta1)"),
            ),
            "`beta1` and `beta2` are exchanged: the first moment forgets at the rate `beta1`, the second at `beta2`.",
            points=0,
        ),
        WrongAnswer(
            edit(MOMENTS, ("m_now, v_now = 0.0, 0.0", "m_now, v_now = grads[0], grads[0] ** 2")),
            "The averages start from the first gradient. That also removes the bias, but Adam starts both "
            "from zero and corrects afterwards, and this exercise asks for that.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(
                MOMENTS,
                ("m_now, v_now\n", "m_now / (1 - beta1 ** (t + 1)), v_now / (1 - beta2 ** (t + 1))\n"),
            ),
            "These are the corrected moments; this exercise asks for them before the correction.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(MOMENTS, ("return m, v", "return m[-1], v[-1]")),
            "Only the last moments are returned: keep those of every step, one row for each gradient.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def moments(grads, beta1, beta2):
                m, v = [0 * grads[0]], [0 * grads[0]]
                for grad in grads:
                    m.append(m[-1] + (1 - beta1) * (grad - m[-1]))
                    v.append(v[-1] + (1 - beta2) * (grad * grad - v[-1]))
                return [m[1:], v[1:]]
            """
        ),
    ],
)


# 8.2 Bias correction -------------------------------------------------------------------------------


def run_of_adam(theta, grads, *settings):
    """Adam's parameters and moments after each of `grads`, from the library."""
    adam = Adam(*settings)
    params = {"theta": theta.copy()}
    history = []
    for grad in grads:
        adam.update(params, {"theta": grad})
        state = adam.state["theta"]
        history.append((params["theta"].copy(), state.m.copy(), state.v.copy()))
    return tuple(np.array(values) for values in zip(*history, strict=True))


def run_of_step(adam_step, theta, grads, *settings):
    """The same with a student's adam_step, which carries its own moments from step to step."""
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    history = []
    for t, grad in enumerate(grads, start=1):
        size = len(theta)
        theta, m, v = outputs(adam_step(theta, grad, m, v, t, *settings), "theta", "m", "v")
        theta, m, v = (vector(each, size, f"the new `{name}`") for each, name in ((theta, "theta"), (m, "m"), (v, "v")))
        history.append((theta, m, v))
    return tuple(list(values) for values in zip(*history, strict=True))


def first_step(adam_step):
    grads = [3 * large_grads(84, {"theta": 4})["theta"]]
    theta = np.random.default_rng(85).normal(size=4)
    settings = (0.01, 0.9, 0.999, 1e-8)
    after, _, _ = run_of_step(adam_step, theta, grads, *settings)
    expected, _, _ = run_of_adam(theta, grads, *settings)
    close(difference(after[0], theta, "the new theta"), expected[0] - theta, "your first step", rtol=1e-5)


def ten_steps(adam_step):
    grads = random_grads(seed=86, steps=10, size=4)
    theta = np.random.default_rng(87).normal(size=4)
    settings = (0.05, 0.8, 0.95, 0.1)
    after, _, _ = run_of_step(adam_step, theta, grads, *settings)
    expected, _, _ = run_of_adam(theta, grads, *settings)
    for t in range(len(grads)):
        before, expected_before = (theta, theta) if t == 0 else (after[t - 1], expected[t - 1])
        what = f"step {t + 1} of 10, with epsilon = 0.1,"
        close(np.subtract(after[t], before), expected[t] - expected_before, what, rtol=1e-7)


def moments_carried(adam_step):
    grads = random_grads(seed=88, steps=3, size=4)
    theta = np.random.default_rng(89).normal(size=4)
    settings = (0.05, 0.8, 0.95, 0.1)
    _, m, v = run_of_step(adam_step, theta, grads, *settings)
    _, expected_m, expected_v = run_of_adam(theta, grads, *settings)
    for t in range(len(grads)):
        close(m[t], expected_m[t], f"the `m` returned by step {t + 1}")
        close(v[t], expected_v[t], f"the `v` returned by step {t + 1}")
    unchanged_inputs(adam_step)


ADAM_STEP = """
def adam_step(theta, grad, m, v, t, learning_rate, beta1, beta2, epsilon):
    \"\"\"Step number t (1, 2, ...) of Adam: return the new theta, m and v.\"\"\"
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, m, v
"""

ADAM_STEP_STARTER = edit(
    ADAM_STEP,
    ("m / (1 - beta1**t)", "..."),
    ("v / (1 - beta2**t)", "..."),
    ("theta - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)", "..."),
)

bias_correction = Exercise(
    id="8.2",
    title="Bias correction",
    answer="adam_step",
    prompt="""
        Complete `adam_step`: correct both moments for their start at zero, then take the step. Steps are
        counted from `t = 1`, epsilon is added outside the root, and the moments are returned as they were
        before the correction, since the next step goes on from them.
    """,
    starter=ADAM_STEP_STARTER,
    checks=[
        Check(
            "the first step",
            1,
            first_step,
            "At `t = 1` the corrected moments are exactly `grad` and `grad**2`, so every coordinate moves by the rate.",
        ),
        Check("ten steps, one by one", 2, ten_steps, "Compare each line with the four equations of the chapter."),
        Check(
            "the moments returned",
            1,
            moments_carried,
            "What does the next call need: the corrected moments or the others? Are the arrays passed in "
            "left as they were?",
        ),
    ],
    hints=[
        "With `m = 0` at the start, the first `m` is only `1 - beta1` times the gradient. What must it be divided by?",
        "After `t` steps the weights of all gradients so far add up to `1 - beta1**t`, not to one.",
        "`m_hat = m / (1 - beta1**t)`, likewise `v_hat` with `beta2`; the step is `learning_rate * m_hat "
        "/ (np.sqrt(v_hat) + epsilon)`.",
    ],
    solution=ADAM_STEP,
    explanation=(
        "After t steps the weights in each average add up to 1 - beta**t; dividing by that makes them add "
        "up to one. Without it the first step would be (1 - beta1) / sqrt(1 - beta2) times too large: "
        "3.16 at the defaults."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(ADAM_STEP, ("m / (1 - beta1**t)", "m"), ("v / (1 - beta2**t)", "v")),
            "The step is (1 - beta1) / sqrt(1 - beta2) times too large at first, which is what "
            "uncorrected moments give: is the bias correction missing?",
            points=1,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("m / (1 - beta1**t)", "m"), ("v / (1 - beta2**t)", "v")),
            "is 3.162 times too large",
            points=1,
            diagnose=False,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("v / (1 - beta2**t)", "v")),
            "Only `m` is corrected: the step is too large by 1 / sqrt(1 - beta2**t), because `v` starts "
            "at zero as well.",
            points=1,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("m / (1 - beta1**t)", "m")),
            "Only `v` is corrected: the step is too small by 1 - beta1**t, because `m` starts at zero as well.",
            points=1,
        ),
        WrongAnswer(
            edit(
                ADAM_STEP,
                ("m / (1 - beta1**t)", "m / (1 - beta2**t)"),
                ("v / (1 - beta2**t)\n    theta", "v / (1 - beta1**t)\n    theta"),
            ),
            "The two corrections are exchanged: `m` was averaged with `beta1` and `v` with `beta2`, and each is "
            "corrected with its own.",
            points=1,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("beta1**t", "beta1 * t"), ("beta2**t", "beta2 * t")),
            "The correction has beta times t where it needs beta to the power t, `beta1**t`: the two "
            "agree at the first step only.",
            points=2,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("beta1**t", "beta1"), ("beta2**t", "beta2")),
            "The correction is the same at every step: the power t is missing, so only the first step is right.",
            points=2,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("beta1**t", "beta1 ** (t + 1)"), ("beta2**t", "beta2 ** (t + 1)")),
            "The correction counts steps from t = 0 and uses `t + 1`. Here the first step is t = 1: use `beta1**t`.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("beta1**t", "beta1 ** (t - 1)"), ("beta2**t", "beta2 ** (t - 1)")),
            "The power is one too low: at the first step `1 - beta**(t - 1)` is zero and the step is not a number.",
            points=1,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("np.sqrt(v_hat) + epsilon", "np.sqrt(v_hat + epsilon)")),
            "Epsilon is inside the root. Some papers write it so, but Adam adds it outside, `sqrt(v_hat) "
            "+ epsilon`, and this exercise asks for that.",
            points=2,
            convention=True,
        ),
        WrongAnswer(
            edit(
                ADAM_STEP,
                ("np.sqrt(v_hat) + epsilon", "np.sqrt(v) + epsilon"),
                ("* m_hat", "* m_hat * np.sqrt(1 - beta2**t)"),
            ),
            "This is the faster form of the paper's section 2, where epsilon meets the uncorrected v. It "
            "equals the equations only with epsilon scaled by sqrt(1 - beta2**t); here epsilon is added "
            "to the root of `v_hat`.",
            points=2,
            convention=True,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("(np.sqrt(v_hat) + epsilon)", "(v_hat + epsilon)")),
            "The step divides by `v_hat` itself: its root is missing.",
            points=1,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("return theta, m, v", "return theta, m_hat, v_hat")),
            "The corrected moments are returned, so the next step corrects them a second time: return `m` and `v`.",
            points=1,
        ),
        WrongAnswer(
            edit(ADAM_STEP, ("theta - learning_rate", "theta + learning_rate")),
            "The step goes uphill: subtract it.",
            points=1,
        ),
        WrongAnswer(
            edit(
                ADAM_STEP,
                ("m = beta1 * m + (1 - beta1) * grad", "m += (1 - beta1) * (grad - m)"),
                ("v = beta2 * v + (1 - beta2) * grad**2", "v += (1 - beta2) * (grad**2 - v)"),
            ),
            "changes its argument `m` in place",
            points=3,
            diagnose=False,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            edit(
                ADAM_STEP,
                ("    m_hat = m / (1 - beta1**t)\n    v_hat = v / (1 - beta2**t)\n", ""),
                (
                    "learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)",
                    "learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m"
                    " / (np.sqrt(v) + epsilon * np.sqrt(1 - beta2**t))",
                ),
            )
        ),
    ],
)


# 8.3 The whole class -------------------------------------------------------------------------------


def class_first_step(my_adam):
    shapes = {"weights": (3, 4)}
    grads = [large_grads(90, shapes)]
    settings = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    compare_runs(my_adam, Adam, random_params(91, shapes), grads, rtol=1e-5, **settings)


def class_twenty_steps(my_adam):
    grads = [random_params(seed) for seed in range(100, 120)]
    compare_runs(
        my_adam, Adam, random_params(92), grads, rtol=1e-7, learning_rate=0.05, beta1=0.8, beta2=0.95, epsilon=0.1
    )
    check_defaults(my_adam, Adam, seed=160)


def class_in_place(my_adam):
    check_in_place(my_adam(learning_rate=0.1), random_params(93), random_params(94))


def class_late_parameter(my_adam):
    start = random_params(95, {"early": (3,), "late": (2,)})
    check_late_parameter(my_adam(learning_rate=0.1), Adam(learning_rate=0.1), start, seed=130)


MY_ADAM = """
class MyAdam:
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m, self.v, self.t = {}, {}, {}

    def update(self, params, grads):
        for name in params:
            if name not in self.m:
                self.m[name] = np.zeros_like(params[name])
                self.v[name] = np.zeros_like(params[name])
                self.t[name] = 0
            self.t[name] += 1
            self.m[name] = self.beta1 * self.m[name] + (1 - self.beta1) * grads[name]
            self.v[name] = self.beta2 * self.v[name] + (1 - self.beta2) * grads[name] ** 2
            m_hat = self.m[name] / (1 - self.beta1 ** self.t[name])
            v_hat = self.v[name] / (1 - self.beta2 ** self.t[name])
            params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return params
"""

MY_ADAM_STARTER = """
class MyAdam:
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.m, self.v, self.t = {}, {}, {}

    def update(self, params, grads):
        return ...
"""

SHARED_COUNT = edit(
    MY_ADAM,
    ("self.m, self.v, self.t = {}, {}, {}", "self.m, self.v, self.t = {}, {}, 0"),
    ("        for name in params:\n", "        self.t += 1\n        for name in params:\n"),
    ("                self.t[name] = 0\n            self.t[name] += 1\n", ""),
    ("beta1 ** self.t[name]", "beta1 ** self.t"),
    ("beta2 ** self.t[name]", "beta2 ** self.t"),
)

SHARED_STATE = """
class MyAdam:
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.m, self.v, self.t = 0.0, 0.0, 0

    def update(self, params, grads):
        self.t += 1
        for name in params:
            self.m = self.beta1 * self.m + (1 - self.beta1) * grads[name]
            self.v = self.beta2 * self.v + (1 - self.beta2) * grads[name] ** 2
            m_hat = self.m / (1 - self.beta1 ** self.t)
            v_hat = self.v / (1 - self.beta2 ** self.t)
            params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return params
"""

LOOP = "        for name in params:\n"
STEP = "params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)"

whole_class = Exercise(
    id="8.3",
    title="The whole class",
    answer="MyAdam",
    prompt="""
        Write `MyAdam.update(params, grads)`. Both are dicts from a parameter's name to its array. Change
        every array of `params` in place and return the same dict. Each parameter has its own moments and
        counts its own steps, so one that is added later starts with a proper first step. Epsilon is added
        outside the root.
    """,
    starter=MY_ADAM_STARTER,
    checks=[
        Check("the first step of one parameter", 1, class_first_step, "This is exercise 8.2 with `t = 1`."),
        Check(
            "twenty steps of three parameters",
            2,
            class_twenty_steps,
            "What does one parameter know of another?",
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
            "How many steps has the late parameter made?",
        ),
    ],
    hints=[
        "Loop over the names. What must be remembered for each of them from one call to the next?",
        "Three things for each name: `self.m[name]`, `self.v[name]` and `self.t[name]`, made when the "
        "name is first seen.",
        "In the loop: raise `self.t[name]` by one, update both moments, correct them with `self.t[name]` "
        "and finish with `params[name] -= ...`; after the loop, `return params`.",
    ],
    solution=MY_ADAM,
    explanation=(
        "All state is kept by name, the step count too: a shared count would correct a late parameter's "
        "moments as if they were old, and its first steps would be too large."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(
                SHARED_COUNT,
                ("        self.t += 1\n", ""),
                (
                    "            self.m[name] = self.beta1",
                    "            self.t += 1\n            self.m[name] = self.beta1",
                ),
            ),
            "The step count grows once for every parameter instead of once for every call, so with three "
            "parameters the correction fades three times too early.",
            points=2,
        ),
        WrongAnswer(
            SHARED_COUNT,
            "One step count is shared by all parameters, as in many short listings. A parameter that "
            "arrives later is then hardly corrected; here, as in torch.optim, each parameter counts its "
            "own steps.",
            points=4,
            convention=True,
        ),
        WrongAnswer(
            SHARED_STATE,
            "All parameters share one `m` and one `v`: keep a pair for every name, `self.m[name]` and `self.v[name]`.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("np.sqrt(v_hat) + self.epsilon", "np.sqrt(v_hat + self.epsilon)")),
            "Epsilon is inside the root. Some papers write it so, but Adam adds it outside, `sqrt(v_hat) "
            "+ epsilon`, and this exercise asks for that.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(
                MY_ADAM,
                ("self.m[name] / (1 - self.beta1 ** self.t[name])", "self.m[name]"),
                ("self.v[name] / (1 - self.beta2 ** self.t[name])", "self.v[name]"),
            ),
            "The bias correction is missing: the first step is (1 - beta1) / sqrt(1 - beta2) times too large.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("self.beta1 ** self", "self.beta1 * self"), ("self.beta2 ** self", "self.beta2 * self")),
            "The correction has beta times t where it needs beta to the power t, `beta1**t`: they agree at the first "
            "step only.",
        ),
        WrongAnswer(
            edit(
                MY_ADAM,
                (" ** self.t[name])\n            v_hat", ")\n            v_hat"),
                (" ** self.t[name])\n            params", ")\n            params"),
            ),
            "The correction is the same at every step: the power t is missing, so only the first step is right.",
        ),
        WrongAnswer(
            edit(
                MY_ADAM,
                ("self.beta1 * self.m[name] + (1 - self.beta1)", "self.beta2 * self.m[name] + (1 - self.beta2)"),
                ("self.beta2 * self.v[name] + (1 - self.beta2)", "self.beta1 * self.v[name] + (1 - self.beta1)"),
                ("/ (1 - self.beta1 **", "/ (1 - self.beta_two **"),
                ("/ (1 - self.beta2 **", "/ (1 - self.beta1 **"),
                ("self.beta_two", "self.beta2"),
            ),
            "`beta1` and `beta2` are exchanged throughout: the first moment forgets at the rate `beta1`, the second at "
            "`beta2`.",
        ),
        WrongAnswer(
            edit(MY_ADAM, ("self.v[name] / (1 - self.beta2 ** self.t[name])", "self.v[name]")),
            "Only `m` is corrected: the step is too large by 1 / sqrt(1 - beta2**t), because `v` starts at zero too.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("self.m[name] / (1 - self.beta1 ** self.t[name])", "self.m[name]")),
            "Only `v` is corrected: the step is too small by 1 - beta1**t, because `m` starts at zero as well.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_ADAM,
                ("            v_hat = self.v[name] / (1 - self.beta2 ** self.t[name])\n", ""),
                ("m_hat / (np.sqrt(v_hat)", "m_hat * np.sqrt(1 - self.beta2 ** self.t[name]) / (np.sqrt(self.v[name])"),
            ),
            "This is the faster form of the paper's section 2, where epsilon meets the uncorrected v. It equals the "
            "equations only with epsilon scaled by sqrt(1 - beta2**t); here epsilon is added to the root of `v_hat`.",
            convention=True,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("(np.sqrt(v_hat) + self.epsilon)", "(v_hat + self.epsilon)")),
            "The step divides by `v_hat` itself: its root is missing.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("params[name] -=", "params[name] +=")),
            "The step goes uphill: subtract it.",
            points=1,
        ),
        WrongAnswer(
            edit(
                MY_ADAM,
                ("self.beta2 * self.v[name] + (1 - self.beta2)", "0.999 * self.v[name] + 0.001"),
                ("1 - self.beta2 ** self", "1 - 0.999 ** self"),
            ),
            "The `beta2` that your class is given has no effect",
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("self.t[name] = 0\n", "self.t[name] = 1\n")),
            "The step count is 2 at the first step: start it at 0 and raise it before it is used.",
            points=1,
        ),
        WrongAnswer(
            edit(MY_ADAM, (STEP, STEP.replace("params[name] -=", "params[name] = params[name] -"))),
            "`params['weights']` is a new array",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_ADAM, (LOOP, "        params = {name: params[name].copy() for name in params}\n" + LOOP)),
            "A copy of the parameters is updated and returned: the caller's own arrays never move.",
            points=4,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("        return params", "        return dict(params)")),
            "`update` returns another dict",
            points=4,
            diagnose=False,
        ),
        WrongAnswer(
            edit(MY_ADAM, ("        return params", "        pass")),
            "is a `return` missing?",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(
                MY_ADAM,
                (
                    "            self.t[name] += 1\n",
                    "            self.t[name] += 1\n            grads[name] += 1e-3\n",
                ),
            ),
            "changes its argument `grads` in place",
            diagnose=False,
        ),
    ],
)


# 8.4 A bug hunt ------------------------------------------------------------------------------------


def amsgrad_first_step(fixed):
    shapes = {"weights": (3, 4)}
    settings = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    compare_runs(fixed, AMSGrad, random_params(96, shapes), [large_grads(97, shapes)], rtol=1e-5, **settings)


def amsgrad_growing(fixed):
    grads = [{name: t * value for name, value in random_params(98).items()} for t in range(1, 9)]
    compare_runs(
        fixed, AMSGrad, random_params(99), grads, rtol=1e-7, learning_rate=0.05, beta1=0.8, beta2=0.9, epsilon=1e-3
    )


def amsgrad_shrinking(fixed):
    sizes = (2.0, 0.1, 0.1, 0.1, 0.1, 1.5, 1.5, 2.5)
    grads = [{name: size * value for name, value in large_grads(150, SHAPES).items()} for size in sizes]
    compare_runs(
        fixed, AMSGrad, random_params(151), grads, rtol=1e-7, learning_rate=0.05, beta1=0.8, beta2=0.9, epsilon=1e-3
    )
    check_in_place(fixed(learning_rate=0.1), random_params(152), random_params(153))
    check_defaults(fixed, AMSGrad, seed=170)


AMSGRAD = """
class FixedAMSGrad:
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.m, self.v, self.v_max, self.t = {}, {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for name in params:
            if name not in self.m:
                self.m[name] = np.zeros_like(params[name])
                self.v[name] = np.zeros_like(params[name])
                self.v_max[name] = np.zeros_like(params[name])
            m, v, v_max = self.m[name], self.v[name], self.v_max[name]
            m += (1 - self.beta1) * (grads[name] - m)
            v += (1 - self.beta2) * (grads[name] ** 2 - v)
            v_max[...] = np.maximum(v_max, v)
            m_hat = m / (1 - self.beta1**self.t)
            v_hat = v_max / (1 - self.beta2**self.t)
            params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return params
"""

# The planted bugs, each as an edit of the solution.
ONE_ARRAY = (
    """                self.v[name] = np.zeros_like(params[name])
                self.v_max[name] = np.zeros_like(params[name])
""",
    """                self.v[name] = self.v_max[name] = np.zeros_like(params[name])
""",
)
WRONG_BETA = ("self.beta2**self.t", "self.beta1**self.t")
FED_BACK = ("v_max[...] = np.maximum(v_max, v)", "v_max[...] = v[...] = np.maximum(v_max, v)")

bug_hunt = Exercise(
    id="8.4",
    title="A bug hunt",
    answer="FixedAMSGrad",
    prompt="""
        This AMSGrad descends on most surfaces, so nobody noticed that it has three bugs. Find and mend
        them. It should keep Adam's two moments, divide by the largest second moment so far, and correct
        both for their start at zero; the maximum is taken before the correction, as
        `torch.optim.Adam(amsgrad=True)` does. In symbols: with $v^{\\max}_t = \\max(v^{\\max}_{t-1}, v_t)$, the
        quotient $v^{\\max}_t / (1 - \\beta_2^t)$ takes the place of Adam's $\\hat v_t$.
    """,
    starter=edit(AMSGRAD, ONE_ARRAY, WRONG_BETA, FED_BACK),
    checks=[
        Check(
            "the first step",
            1,
            amsgrad_first_step,
            "Work out `m`, `v` and `v_max` for one gradient on paper.",
        ),
        Check(
            "gradients that grow",
            1,
            amsgrad_growing,
            "Here the maximum is always the newest: AMSGrad equals Adam.",
        ),
        Check(
            "gradients that shrink and grow again",
            2,
            amsgrad_shrinking,
            "What should `v` hold when a large gradient has passed, and what `v_max`?",
        ),
    ],
    hints=[
        "One bug is in how the state is made, one in the maximum, one in the correction. Take the first step by hand.",
        "`a = b = np.zeros(3)` makes one array with two names. And what does `v[...] = ...` do to the "
        "average of the next step?",
        "Make three separate arrays; write the maximum to `v_max` alone; correct the second moment with `beta2`.",
    ],
    solution=AMSGRAD,
    explanation=(
        "Only `v_max` may remember for ever; `v` goes on forgetting. Each bug leaves an optimizer that "
        "descends, which is why an optimizer is tested against a reference step by step, on gradients "
        "that shrink as well as grow."
    ),
    changes=(0,),
    wrong_answers=[
        WrongAnswer(
            edit(AMSGRAD, ONE_ARRAY, WRONG_BETA),
            "The code is changed, but it still computes what it computed before: the first bug to mend "
            "shows in the very first step.",
            points=0,
        ),
        WrongAnswer(
            edit(AMSGRAD, WRONG_BETA, FED_BACK),
            "One bug is mended, two are left. The first step is too large: which correction belongs to "
            "the second moment?",
            points=0,
        ),
        WrongAnswer(
            edit(AMSGRAD, WRONG_BETA),
            "One bug is left. The first step is too large: which correction belongs to the second moment?",
            points=0,
        ),
        WrongAnswer(
            edit(AMSGRAD, ONE_ARRAY, FED_BACK),
            "The correction is right, but this is plain Adam: the maximum has no effect. Are `v` and "
            "`v_max` two arrays?",
            points=2,
        ),
        WrongAnswer(
            edit(AMSGRAD, FED_BACK),
            "One bug is left: the maximum is written back into `v`, which then cannot forget. It shows "
            "when gradients shrink and grow again.",
            points=2,
        ),
        WrongAnswer(
            edit(
                AMSGRAD,
                (
                    "v_max[...] = np.maximum(v_max, v)",
                    "v_max[...] = np.maximum(v_max, v / (1 - self.beta2**self.t))",
                ),
                ("v_max / (1 - self.beta2**self.t)", "v_max"),
            ),
            "The maximum is taken of the corrected second moments, as optax does. This exercise asks for "
            "the maximum of the uncorrected ones, corrected afterwards, as torch.optim does.",
            points=2,
            convention=True,
        ),
        WrongAnswer(
            edit(AMSGRAD, ("m / (1 - self.beta1**self.t)", "m"), ("v_max / (1 - self.beta2**self.t)", "v_max")),
            "There is no bias correction, as in the paper of Reddi, Kale and Kumar. This exercise keeps "
            "Adam's correction of both moments, as torch.optim does.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(AMSGRAD, ("v_max[...] = np.maximum(v_max, v)", "v_max[...] = v")),
            "this is plain Adam: the maximum has no effect",
            points=2,
            diagnose=False,
        ),
    ],
)

# 8.5 The longest step ------------------------------------------------------------------------------

# Steps and memories; in the last case the size is forgotten sooner than the direction.
STREAMS = ((6, 0.9, 0.999), (5, 0.7, 0.95), (30, 0.9, 0.99), (4, 0.6, 0.5))


def growing(steps, beta1, beta2):
    """The stream that the inequality of Cauchy and Schwarz asks for; its last gradient is 1."""
    return np.array([(beta1 / beta2) ** (steps - t) for t in range(1, steps + 1)])


def last_step_of_adam(grads, beta1, beta2):
    """How far the library's Adam moves at the last of `grads`, in units of its rate."""
    after, _, _ = run_of_adam(np.zeros(1), np.reshape(grads, (-1, 1)), 1.0, beta1, beta2, 0.0)
    return -np.diff(after[:, 0], prepend=0.0)[-1]


def stream_of(longest, steps, beta1, beta2):
    result = longest(steps, beta1, beta2)
    if isinstance(result, np.ndarray):
        raise Wrong("`longest` returned one array. Return two things: the gradients, and the length of the last step.")
    grads, length = outputs(result, "grads", "length")
    return vector(grads, steps, f"with steps = {steps}, `grads`"), length


def two_gradients(longest):
    settings = ((2, 0.8, 0.9), (2, 0.9, 0.999))
    streams = [stream_of(longest, *each)[0] for each in settings]
    for grads, (steps, beta1, beta2) in zip(streams, settings, strict=True):
        what = f"with beta1 = {beta1:g} and beta2 = {beta2:g}, the stream of two gradients"
        close(grads, growing(steps, beta1, beta2), what)


def more_gradients(longest):
    streams = [stream_of(longest, *each)[0] for each in STREAMS]
    for grads, (steps, beta1, beta2) in zip(streams, STREAMS, strict=True):
        what = f"with beta1 = {beta1:g} and beta2 = {beta2:g}, the stream of {steps} gradients"
        close(grads, growing(steps, beta1, beta2), what)


def its_length(longest):
    settings = (*STREAMS, (2000, 0.9, 0.99))
    lengths = [stream_of(longest, *each)[1] for each in settings]
    for length, (steps, beta1, beta2) in zip(lengths, settings, strict=True):
        what = f"with beta1 = {beta1:g} and beta2 = {beta2:g}, the length of step {steps}"
        close(length, last_step_of_adam(growing(steps, beta1, beta2), beta1, beta2), what)


LONGEST = """
def longest(steps, beta1, beta2):
    \"\"\"The gradients that make Adam's last step the longest, and its length over the rate.\"\"\"
    age = np.arange(steps)[::-1]
    grads = (beta1 / beta2) ** age
    m_hat = (1 - beta1) * np.sum(beta1**age * grads) / (1 - beta1**steps)
    v_hat = (1 - beta2) * np.sum(beta2**age * grads**2) / (1 - beta2**steps)
    return grads, m_hat / np.sqrt(v_hat)
"""

GROWTH = "(beta1 / beta2) ** age"

longest_step = Exercise(
    id="8.5",
    title="The longest step",
    answer="longest",
    prompt="""
        How far can Adam be made to step? Write `longest(steps, beta1, beta2)`. Return two things: the gradients
        $g_1, \\dots, g_t$ of one parameter, an array of $t$ = `steps` numbers, after which step $t$ is as long as any
        stream of so many can make it, scaled such that the last one is 1; and the length of that step over the
        learning rate. Both moments are corrected, $\\epsilon$ is zero, and both coefficients lie between 0 and 1;
        $\\beta_1$ may be the larger one. You need the inequality of Cauchy and Schwarz,
        $(\\sum a_i b_i)^2 \\le \\sum a_i^2 \\sum b_i^2$, and when it is an equality.
    """,
    starter="""
        def longest(steps, beta1, beta2):
            \"\"\"The gradients that make Adam's last step the longest, and its length over the rate.\"\"\"
            age = np.arange(steps)[::-1]  # how many steps ago each gradient was
            grads = ...
            return grads, ...
    """,
    checks=[
        Check(
            "two gradients",
            1,
            two_gradients,
            "With the gradients x and 1, m is `beta1 * x + 1` up to a factor, and v is `beta2 * x**2 + 1`. For which x "
            "is `m**2 / v` largest?",
        ),
        Check("more gradients", 2, more_gradients, "Each is larger than the one before by the same factor. By which?"),
        Check(
            "the length of the step",
            1,
            its_length,
            "Put the stream into both averages, and correct each for its start at zero.",
        ),
    ],
    hints=[
        "Up to factors that no gradient changes, m is the sum of `beta1**age * g`, and v the sum of "
        "`beta2**age * g**2`. Write m as a sum of products, one factor of which is `beta2**(age / 2) * g`.",
        "The other factor is `(beta1 / sqrt(beta2))**age`. Cauchy and Schwarz are equal where the two are "
        "proportional: `beta2**(age / 2) * g = (beta1 / sqrt(beta2))**age`.",
        "So `grads = (beta1 / beta2) ** age`. For the length, compute `m_hat` and `v_hat` as sums over `age`, each "
        "divided by `1 - beta**steps`, and return `m_hat / np.sqrt(v_hat)`.",
    ],
    solution=LONGEST,
    explanation=(
        "Gradients that grow by `beta2 / beta1` a step, 11 % at the defaults, are worst: the numerator has noticed, "
        "the denominator has not. After 100 steps that makes 2.2 rates at most, after thousands up to "
        "`(1 - beta1) / sqrt((1 - beta2) * (1 - beta1**2 / beta2))` = 7.27, and 1.16 when beta2 is 0.95. A single "
        "large gradient after thousands of zeros makes 3.16."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(LONGEST, ("np.arange(steps)[::-1]", "np.arange(steps)")),
            "The stream is turned round: `grads[0]` is the first gradient, the oldest; the last one is the largest.",
            points=1,
        ),
        WrongAnswer(
            edit(LONGEST, (GROWTH, "(beta2 / beta1) ** age")),
            "The ratio is upside down. What is old costs nearly its full price in v, and hardly counts in m any more: "
            "it should be small.",
            points=0,
        ),
        WrongAnswer(
            edit(LONGEST, (GROWTH, "beta1**age")),
            "These gradients are the weights that m gives them. That is longest for a given sum of squares, but v "
            "weighs the squares by `beta2**age`: divide by that.",
            points=0,
        ),
        WrongAnswer(
            edit(LONGEST, (GROWTH, "(beta1 / np.sqrt(beta2)) ** age")),
            "This is the vector that stands beside `sqrt(beta2)**age * g` in the inequality. The gradient itself is "
            "that divided by `sqrt(beta2)**age` once more.",
            points=0,
        ),
        WrongAnswer(
            edit(LONGEST, (GROWTH, "np.ones(steps)")),
            "Under a steady stream each step is one rate long. Gradients that grow do better: v looks back farther "
            "than m.",
            points=0,
        ),
        WrongAnswer(
            edit(LONGEST, (GROWTH, "1.0 * (age == 0)")),
            "One gradient after silence makes a long step, but not the longest: a smaller gradient before it adds more "
            "to m than it costs in v.",
            points=0,
        ),
        WrongAnswer(
            edit(LONGEST, (GROWTH, "(beta2 / beta1) ** np.arange(steps)")),
            "The stream grows as it should, and is scaled such that its first gradient is 1. This exercise asks for a "
            "last gradient of 1.",
            points=1,
            convention=True,
        ),
        WrongAnswer(
            edit(LONGEST, (" / (1 - beta1**steps)", ""), (" / (1 - beta2**steps)", "")),
            "The stream is right. The length is that without bias correction: divide m by `1 - beta1**steps` and v by "
            "`1 - beta2**steps`.",
            points=3,
        ),
        WrongAnswer(
            edit(LONGEST, (" / (1 - beta2**steps)", "")),
            "The stream is right. In the length only m is corrected for its start at zero; v needs its own "
            "`1 - beta2**steps`.",
            points=3,
        ),
        WrongAnswer(
            edit(LONGEST, (" / (1 - beta1**steps)", "")),
            "The stream is right. In the length only v is corrected for its start at zero; m needs its own "
            "`1 - beta1**steps`.",
            points=3,
        ),
        WrongAnswer(
            edit(
                LONGEST,
                ("m_hat / np.sqrt(v_hat)", "(1 - beta1) / np.sqrt((1 - beta2) * (1 - beta1**2 / beta2))"),
            ),
            "The stream is right. The length is the one that the step tends to after very many gradients; after "
            "`steps` of them the sums have that many terms, and the corrections count.",
            points=3,
        ),
        WrongAnswer(
            edit(LONGEST, ("m_hat / np.sqrt(v_hat)", "m_hat / v_hat")),
            "The stream is right. Adam divides by the root of the second moment.",
            points=3,
        ),
        WrongAnswer(
            edit(LONGEST, ("return grads, m_hat / np.sqrt(v_hat)", "return grads")),
            "Return two things: the gradients, and the length of the last step.",
            points=0,
            diagnose=False,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def longest(steps, beta1, beta2):
                grads = [1.0]
                while len(grads) < steps:
                    grads.insert(0, grads[0] * beta1 / beta2)
                q = beta1**2 / beta2
                bound = (1 - beta1) / (1 - beta1**steps) * ((1 - beta2**steps) / (1 - beta2)) ** 0.5
                return grads, bound * sum(q**k for k in range(steps)) ** 0.5
            """
        ),
    ],
)

EXERCISES = [two_moments, bias_correction, whole_class, bug_hunt, longest_step]
