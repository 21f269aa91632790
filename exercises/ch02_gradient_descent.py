"""Chapter 2, gradient descent: the gradients of a line fit, the loop, the largest stable rate, the fastest rate."""

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
    outputs,
    single,
    unchanged_inputs,
)
from optim_lib.descent import descend
from optim_lib.landscapes import least_squares, quadratic, rosenbrock
from optim_lib.optimizers import SGD
from optim_lib.probes import curvature, with_intercept

TITLE = "Gradient descent"


# 2.1 The gradients of a line fit ---------------------------------------------------------------------


def random_line(seed, n=7):
    rng = np.random.default_rng(seed)
    x = rng.uniform(1.0, 5.0, n)
    return x, 3.0 * x + 2.0 + rng.normal(size=n)


def slope_gradient(mse_gradients):
    x, y = random_line(21)
    dw, _ = outputs(mse_gradients(x, y, 0.5, -1.0), "dw", "db")
    close(dw, least_squares(x, y).gradient([0.5, -1.0])[0], "the gradient for the slope, `dw`,")


def intercept_gradient(mse_gradients):
    x, y = random_line(22)
    _, db = outputs(mse_gradients(x, y, 0.5, -1.0), "dw", "db")
    close(db, least_squares(x, y).gradient([0.5, -1.0])[1], "the gradient for the intercept, `db`,")


def more_patients(mse_gradients):
    x, y = random_line(23, n=40)
    dw, db = outputs(mse_gradients(x, y, 4.0, 6.0), "dw", "db")
    unchanged_inputs(mse_gradients)
    expected = least_squares(x, y).gradient([4.0, 6.0])
    close(dw, expected[0], "with 40 points, the gradient for the slope")
    close(db, expected[1], "with 40 points, the gradient for the intercept")


MSE_GRADIENTS = """
def mse_gradients(x, y, w, b):
    \"\"\"The gradients of the mean squared error of the line w * x + b: for w and for b.\"\"\"
    error = y - (w * x + b)
    dw = -2 * np.mean(x * error)
    db = -2 * np.mean(error)
    return dw, db
"""

gradients = Exercise(
    id="2.1",
    title="The gradients of a line fit",
    answer="mse_gradients",
    prompt="""
        Write `mse_gradients(x, y, w, b)`: the two partial derivatives of
        $L(w, b) = \\frac1n \\sum_i (y_i - (w x_i + b))^2$, first for $w$, then for $b$. `x` and `y` are arrays of
        the same length; `w` and `b` are numbers.
    """,
    starter=edit(MSE_GRADIENTS, ("-2 * np.mean(x * error)", "..."), ("-2 * np.mean(error)", "...")),
    checks=[
        Check("the gradient for the slope", 1, slope_gradient, "The chain rule brings down an `x` for each point."),
        Check("the gradient for the intercept", 1, intercept_gradient, "The derivative of the error for `b` is -1."),
        Check("more points, beyond the minimum", 1, more_patients, "A mean does not grow with the number of points."),
    ],
    hints=[
        "Differentiate one term first: the square of the error, with the chain rule. What is the derivative of the "
        "error `y - (w * x + b)` for `w`, and for `b`?",
        "One term gives `-2 * x * error` for `w` and `-2 * error` for `b`. The loss is the mean of the terms.",
        "`dw = -2 * np.mean(x * error)`; `db` is the same without the `x`.",
    ],
    solution=MSE_GRADIENTS,
    explanation=(
        "Each point pulls with its error, and its pull on the slope is scaled by its x: points far out have the longer "
        "lever. The 2 comes from the square, the minus from the error's own derivative."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(MSE_GRADIENTS, ("dw = -2", "dw = 2"), ("db = -2", "db = 2")),
            "Both signs are reversed: the error is `y - (w * x + b)`, so its derivative brings a minus. With this "
            "gradient, descent climbs.",
            points=0,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("dw = -2 * ", "dw = -"), ("db = -2 * ", "db = -")),
            "Both gradients are half of what is asked: this is the gradient of half the mean squared error, a loss "
            "that many texts use because its 2 cancels. This exercise asks for the gradient of the mean squared "
            "error itself.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("np.mean(x * error)", "np.sum(x * error)"), ("np.mean(error)", "np.sum(error)")),
            "These are sums over the points where the loss has a mean: they are `len(x)` times too large, and a "
            "learning rate that works for 40 points would diverge for 400.",
            points=0,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("np.mean(x * error)", "np.mean(error)")),
            "The gradient for `w` lacks its `x`: the derivative of `w * x` for `w` is `x`.",
            points=1,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("np.mean(x * error)", "np.mean(x) * np.mean(error)")),
            "The mean of a product is not the product of the means: multiply each error by its own `x` before "
            "averaging.",
            points=1,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("    return dw, db", "    return dw / len(x), db / len(x)")),
            "The mean is taken twice: `np.mean` has divided by the number of points already.",
            points=0,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("np.mean(x * error)", "np.mean(y * error)")),
            "The gradient for `w` has the factor `y` where it needs `x`: the derivative of `w * x` for `w` is `x`.",
            points=1,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("np.mean(x * error)", "np.mean(x * y)")),
            "The gradient for `w` multiplies each `x` by its `y`; it is each `x` times its *error*, `y` minus the "
            "prediction.",
            points=1,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("return dw, db", "return db, dw")),
            "The two gradients are exchanged: return the one for `w` first.",
            points=0,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("return dw, db", "return w - dw, b - db")),
            "This returns parameters after a step; asked are the two gradients alone.",
            points=0,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("y - (w * x + b)", "y - (w * x)")),
            "The prediction lacks the intercept `b`.",
            points=0,
        ),
        WrongAnswer(
            edit(MSE_GRADIENTS, ("-2 * np.mean(x * error)", "-2 * x * error"), ("-2 * np.mean(error)", "-2 * error")),
            "These are the gradients of the single points, one for each. The loss is their mean, and so is its "
            "gradient.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def mse_gradients(x, y, w, b):
                residual = w * x + b - y
                return 2 / len(x) * x @ residual, 2 / len(x) * residual.sum()
            """
        ),
        AcceptedAnswer(
            """
            def mse_gradients(x, y, w, b):
                dw = db = 0.0
                for xi, yi in zip(x, y):
                    dw -= 2 * xi * (yi - (w * xi + b)) / len(x)
                    db -= 2 * (yi - (w * xi + b)) / len(x)
                return [dw, db]
            """
        ),
    ],
)


# 2.2 The loop ----------------------------------------------------------------------------------------

RAVINE = quadratic((1.0, 5.0), 0.4)


def compare_paths(points, landscape, start, rate, steps):
    expected = descend(SGD(learning_rate=rate), landscape, start, steps).points
    what = f"the path of {steps} step{'s' if steps > 1 else ''}"
    points = numeric(points, what)
    if points.shape == (steps, 2) and np.allclose(points, expected[1:]):
        raise Wrong("The start is missing: the first row should be the start, before any step.")
    close(points, expected, what)


def one_step(gradient_descent):
    start = np.array([1.5, -0.5])
    compare_paths(gradient_descent(RAVINE.gradient, start, 0.1, 1), RAVINE, start, 0.1, 1)


def many_steps(gradient_descent):
    start = np.array([-1.2, 1.0])
    points = gradient_descent(rosenbrock.gradient, start, 0.001, 25)
    compare_paths(points, rosenbrock, start, 0.001, 25)


def whole_numbers(gradient_descent):
    start = np.array([2, -1])
    points = gradient_descent(RAVINE.gradient, start, 0.1, 4)
    compare_paths(points, RAVINE, start, 0.1, 4)


def start_untouched(gradient_descent):
    start, near = np.array([1.0, 1.0]), np.array([2e-3, -1e-3])
    points = gradient_descent(RAVINE.gradient, start, 0.3, 6)
    arriving = gradient_descent(RAVINE.gradient, near, 0.15, 60)
    unchanged_inputs(gradient_descent)
    compare_paths(points, RAVINE, start, 0.3, 6)
    compare_paths(arriving, RAVINE, near, 0.15, 60)


GRADIENT_DESCENT = """
def gradient_descent(gradient, start, learning_rate, steps):
    \"\"\"Every point of the descent, the start first: an array of shape (steps + 1, parameters).\"\"\"
    theta = np.array(start, dtype=float)
    points = [theta]
    for t in range(steps):
        theta = theta - learning_rate * gradient(theta)
        points.append(theta)
    return np.array(points)
"""

IN_PLACE = ("theta = theta - learning_rate", "theta -= learning_rate")
NO_COPY = ("np.array(start, dtype=float)", "np.asarray(start)")

loop = Exercise(
    id="2.2",
    title="The loop",
    answer="gradient_descent",
    prompt="""
        Write `gradient_descent(gradient, start, learning_rate, steps)`. `gradient(theta)` returns the gradient at
        `theta`, an array like `start`. Return every point of the descent, the start first: an array of shape
        `(steps + 1, parameters)`. The caller's `start` must stay as it is, and it may hold whole numbers.
    """,
    starter="""
        def gradient_descent(gradient, start, learning_rate, steps):
            \"\"\"Every point of the descent, the start first: an array of shape (steps + 1, parameters).\"\"\"
            return ...
    """,
    checks=[
        Check("one step", 1, one_step, "Two rows: the start, and the start minus the rate times its gradient."),
        Check("twenty-five steps", 2, many_steps, "Each step takes the gradient where it stands now."),
        Check("a start of whole numbers", 1, whole_numbers, "An array of integers cannot hold half a step."),
        Check("the start stays as it is", 1, start_untouched, "Is `theta` a copy of `start`, or the same array?"),
    ],
    hints=[
        "Keep a list of points that begins with the start. In each round, take the gradient at the newest point.",
        "`theta -= ...` changes the array that is already in your list, and the caller's `start` with it; "
        "`theta = theta - ...` makes a new one.",
        "`theta = np.array(start, dtype=float)`, then in the loop `theta = theta - learning_rate * gradient(theta)` "
        "and `points.append(theta)`.",
    ],
    solution=GRADIENT_DESCENT,
    explanation=(
        "Five lines, and every optimizer of this course has this loop around it. The traps are NumPy's, not the "
        "method's: an array is shared until it is copied, and an array of integers stays one."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(GRADIENT_DESCENT, IN_PLACE),
            "All rows of the path are the same: `theta -= ...` changes the one array that the list holds again and "
            "again. Store a copy, or make a new array in each step.",
            points=0,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("theta - learning_rate", "theta + learning_rate")),
            "The path climbs: subtract the gradient.",
            points=0,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("gradient(theta)", "gradient(points[0])")),
            "Every step uses the gradient at the start, so the path is a straight line: take the gradient where the "
            "descent stands now.",
            points=1,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("points = [theta]", "points = []")),
            "The start is missing",
            points=0,
            diagnose=False,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("range(steps)", "range(steps - 1)")),
            "One step is missing: after `steps` steps there are `steps + 1` points, the start among them.",
            points=0,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("range(steps)", "range(steps + 1)")),
            "There is one step too many: the start counts as a point but not as a step.",
            points=0,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("learning_rate * gradient", "learning_rate / (t + 1) * gradient")),
            "Your rate shrinks from step to step: it is divided by the number of the step. Asked is a constant rate.",
            points=1,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("points.append(theta)", "points.append(gradient(theta))")),
            "The rows after the first are gradients. Keep the points: `theta` after each step.",
            points=0,
        ),
        WrongAnswer(
            edit(
                GRADIENT_DESCENT,
                (
                    "        theta = theta",
                    "        if np.linalg.norm(gradient(theta)) < 1e-3:\n            break\n        theta = theta",
                ),
            ),
            "The loop ends early where the gradient is small. Asked is a path of exactly `steps` steps in any case.",
            points=4,
            evident=True,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("return np.array(points)", "return theta")),
            "Only the last point is returned; asked is the whole path, one row for each point.",
            points=0,
        ),
        WrongAnswer(
            edit(GRADIENT_DESCENT, ("np.array(points)", "np.array(points).T")),
            "The path is transposed: one row for each point, one column for each parameter.",
            points=0,
        ),
        WrongAnswer(
            edit(
                GRADIENT_DESCENT,
                NO_COPY,
                IN_PLACE,
                ("points = [theta]", "points = [theta.copy()]"),
                ("points.append(theta)", "points.append(theta.copy())"),
            ),
            "`theta -= ...` works on the caller's own array: `start` has moved, and a start of whole numbers fails "
            "because integers cannot hold half a step. Begin with `np.array(start, dtype=float)`, which copies.",
            points=3,
        ),
        WrongAnswer(
            """
            def gradient_descent(gradient, start, learning_rate, steps):
                points = np.zeros((steps + 1, len(start)), dtype=np.asarray(start).dtype)
                points[0] = start
                for t in range(steps):
                    points[t + 1] = points[t] - learning_rate * gradient(points[t])
                return points
            """,
            "With a start of whole numbers every point is cut to whole numbers, because the array of points took over "
            "their type: make it an array of floats.",
            points=4,
        ),
        WrongAnswer(
            edit(
                GRADIENT_DESCENT,
                (
                    "learning_rate * gradient(theta)",
                    "learning_rate * gradient(theta) / np.linalg.norm(gradient(theta))",
                ),
            ),
            "Every step has the length of the learning rate: this is normalized gradient descent. This exercise asks "
            "for the plain rule, whose steps shrink with the gradient.",
            points=0,
            convention=True,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def gradient_descent(gradient, start, learning_rate, steps):
                points = np.empty((steps + 1, len(start)))
                points[0] = start
                for t in range(steps):
                    points[t + 1] = points[t] - learning_rate * gradient(points[t])
                return points
            """
        ),
        AcceptedAnswer(edit(GRADIENT_DESCENT, ("return np.array(points)", "return points"))),
    ],
)


# 2.3 The largest stable rate -------------------------------------------------------------------------


def random_features(seed, n, scales, center=0.0):
    """Features that correlate, each with its own scale and none with mean zero."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 1))
    return (rng.normal(size=(n, len(scales))) + 0.8 * shared + center) * np.array(scales)


def edge_of(x):
    return 2 / np.linalg.eigvalsh(curvature(with_intercept(x)))[-1]


def one_feature(largest_stable_rate):
    x = random_features(24, 30, [1.5], center=0.7)
    close(largest_stable_rate(x), edge_of(x), "the rate for one feature")


def three_features(largest_stable_rate):
    x = random_features(25, 50, [1.0, 2.0, 0.5], center=0.4)
    close(largest_stable_rate(x), edge_of(x), "the rate for three features")


def raw_features(largest_stable_rate):
    x = random_features(26, 90, [5.0, 1.0, 8.0, 3.0], center=1.5)
    close(largest_stable_rate(x), edge_of(x), "the rate for four features in raw units")


def it_is_the_edge(largest_stable_rate):
    x = random_features(27, 40, [1.0, 1.2], center=0.6)
    rate = single(largest_stable_rate(x), "the rate")
    hessian = curvature(with_intercept(x))
    below, above = (growth(hessian, factor * rate) for factor in (0.999, 1.001))
    if not below < 1:
        raise Wrong(
            f"At 0.999 of your rate the error grows: by a factor of {number(below)} in 1000 steps. Your rate "
            f"is past the edge."
        )
    if not above > 1:
        raise Wrong(
            f"At 1.001 of your rate the error still shrinks: to {number(above)} of its size in 1000 steps. There is "
            f"room above your rate."
        )


def growth(hessian, rate):
    """How much 1000 steps multiply the error along the direction that fares worst."""
    with np.errstate(over="ignore"):
        return float(np.abs(1 - rate * np.linalg.eigvalsh(hessian)).max() ** 1000)


LARGEST_STABLE_RATE = """
def largest_stable_rate(x):
    \"\"\"The edge of stability of the mean squared error of a linear model with intercept on features x.\"\"\"
    n = len(x)
    design = np.column_stack([x, np.ones(n)])
    hessian = 2 / n * design.T @ design
    return 2 / np.linalg.eigvalsh(hessian).max()
"""

largest_rate = Exercise(
    id="2.3",
    title="The largest stable rate",
    answer="largest_stable_rate",
    prompt="""
        A linear model predicts $y$ from the rows of `x`, of shape `(n, features)`, as $x^\\top w + b$: one weight for
        each feature, and an intercept. Write `largest_stable_rate(x)`: the learning rate beyond which gradient
        descent on its *mean squared error* diverges. The edge depends on the features alone, so no `y` is needed.
    """,
    starter="""
        def largest_stable_rate(x):
            \"\"\"The edge of stability of the mean squared error of a linear model with intercept on features x.\"\"\"
            return ...
    """,
    checks=[
        Check("one feature", 1, one_feature, "Write down the 2 by 2 Hessian for `w` and `b`."),
        Check("three features that correlate", 1, three_features, "Which number of the Hessian sets the edge?"),
        Check("four features in raw units", 1, raw_features, "The edge is 2 over the largest eigenvalue."),
        Check("stable just below, unstable just above", 1, it_is_the_edge, "Try your rate on a small data set."),
    ],
    hints=[
        "The loss is a quadratic, so its Hessian is the same everywhere. What is it, in terms of the matrix whose "
        "columns are the features and, for the intercept, ones?",
        "For a mean squared error it is `2 / n * design.T @ design`: the 2 from the square, the n from the mean.",
        "`2 / np.linalg.eigvalsh(hessian).max()`, with `design = np.column_stack([x, np.ones(n)])`.",
    ],
    solution=LARGEST_STABLE_RATE,
    explanation=(
        "The direction of largest curvature is the first to diverge, at 2 over that curvature. The intercept is a "
        "feature too (a column of ones), and the two factors of 2 are different ones: one belongs to the loss, the "
        "other to the edge."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("2 / n * design", "1 / n * design")),
            "Your rate is twice the edge: the Hessian of the mean squared error has a factor of 2, from the square. "
            "Without it, this is the Hessian of half the loss.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("2 / np.linalg", "1 / np.linalg")),
            "Your rate is half the edge. At 1 over the largest curvature the steepest direction jumps straight to its "
            "minimum; it overshoots but still shrinks up to 2 over the curvature.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("2 / n * design", "2 * design")),
            "This is the Hessian of the sum of squares: the mean divides by n, and the edge is n times larger.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("np.column_stack([x, np.ones(n)])", "np.asarray(x)")),
            "The intercept is left out: it is one more direction, with a column of ones, and it tilts and steepens the "
            "bowl unless every feature has mean zero.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("np.linalg.eigvalsh(hessian).max()", "np.linalg.eigvalsh(hessian).min()")),
            "This takes the smallest curvature. The edge is set by the largest: the steepest direction diverges first, "
            "and one direction is enough.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("np.linalg.eigvalsh(hessian).max()", "np.diag(hessian).max()")),
            "This takes the largest curvature along a single parameter. Features that correlate make a direction "
            "between them steeper than any one of them: take the largest eigenvalue.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("np.linalg.eigvalsh(hessian).max()", "np.trace(hessian)")),
            "This divides by the sum of all curvatures. That is safe, but not the edge: only the largest counts.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("np.linalg.eigvalsh(hessian).max()", "np.linalg.norm(hessian)")),
            "`np.linalg.norm` of a matrix is the root of the sum of its squared entries (Frobenius). The edge needs "
            "the largest eigenvalue, `np.linalg.norm(hessian, 2)`.",
            points=0,
        ),
        WrongAnswer(
            """
            def largest_stable_rate(x):
                design = np.column_stack([x, np.ones(len(x))])
                return len(x) / np.linalg.svd(design, compute_uv=False)[0]
            """,
            "The singular value must be squared: the eigenvalues of `design.T @ design` are the squares of the "
            "singular values of `design`.",
            points=0,
        ),
        WrongAnswer(
            """
            def largest_stable_rate(x):
                eigenvalues = np.linalg.eigvalsh(2 / len(x) * np.column_stack([x, np.ones(len(x))]).T
                                                 @ np.column_stack([x, np.ones(len(x))]))
                return 2 / (eigenvalues[0] + eigenvalues[-1])
            """,
            "This is the fastest rate, 2 over the sum of the smallest and the largest curvature; asked is the largest "
            "one that is still stable.",
            points=0,
        ),
        WrongAnswer(
            edit(LARGEST_STABLE_RATE, ("design = np.column_stack([x, np.ones(n)])", "design = x - x.mean(axis=0)")),
            "The features are centered first. That is a different problem, often a much milder one: asked is the edge "
            "for the features as they are, with an intercept.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def largest_stable_rate(x):
                design = np.column_stack([np.ones(len(x)), x])
                return len(x) / np.linalg.norm(design, 2) ** 2
            """
        ),
        AcceptedAnswer(
            """
            def largest_stable_rate(x):
                design = np.column_stack([x, np.ones(len(x))])
                return 1 / np.linalg.eigvals(design.T @ design / len(x)).real.max()
            """
        ),
    ],
)


# 2.4 The fastest rate --------------------------------------------------------------------------------


def random_hessian(seed, eigenvalues):
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))[0]
    hessian = directions * np.array(eigenvalues) @ directions.T
    return (hessian + hessian.T) / 2


def rate_of_two(fastest):
    hessian = random_hessian(28, [0.7, 9.0])
    rate, _ = outputs(fastest(hessian, 0.01), "rate", "steps")
    close(rate, 2 / 9.7, "the rate")


def rate_of_five(fastest):
    hessian = random_hessian(29, [0.2, 0.5, 3.0, 5.0, 12.0])
    rate, _ = outputs(fastest(hessian, 0.01), "rate", "steps")
    close(rate, 2 / 12.2, "the rate for five parameters")


# No case is near a border: the exact numbers of steps are 43.50, 736.82, 19.93 and 23.17, before rounding up.
STEP_CASES = ((30, (0.4, 6.0), 0.003), (31, (0.05, 8.0), 1e-4), (32, (1.0, 3.0), 1e-6), (33, (0.8, 6.0), 2e-3))


def steps_needed(fastest):
    results = []
    for seed, (low, high), share in STEP_CASES:
        hessian = random_hessian(seed, [low, (low + high) / 3, high])
        _, steps = outputs(fastest(hessian, share), "rate", "steps")
        factor = (high - low) / (high + low)
        results.append((steps, int(np.ceil(np.log(share) / np.log(factor))), high / low, share))
    for steps, expected, kappa, share in results:
        what = f"with condition number {number(kappa)} and a share of {share:g}, the number of steps"
        close(steps, expected, what)


def round_bowl(fastest):
    rate, steps = outputs(fastest(4.0 * np.eye(3), 1e-3), "rate", "steps")
    close(rate, 0.25, "the rate in a round bowl")
    close(steps, 1, "the number of steps in a round bowl")


FASTEST = """
def fastest(hessian, share):
    \"\"\"The best constant rate, and the steps that bring any start within `share` of its distance.\"\"\"
    eigenvalues = np.linalg.eigvalsh(hessian)
    smallest, largest = eigenvalues[0], eigenvalues[-1]
    rate = 2 / (largest + smallest)
    factor = (largest - smallest) / (largest + smallest)
    if factor < 1e-12:
        return rate, 1
    steps = int(np.ceil(np.log(share) / np.log(factor)))
    return rate, steps
"""

STEPS = "int(np.ceil(np.log(share) / np.log(factor)))"

fastest_rate = Exercise(
    id="2.4",
    title="The fastest rate",
    answer="fastest",
    prompt="""
        Write `fastest(hessian, share)` for a quadratic loss with this Hessian (symmetric, all eigenvalues positive).
        Return two things: the constant learning rate that is fastest for the worst start, and the smallest number of
        steps after which the *distance* to the minimum is guaranteed to be at most `share` (a number between 0 and
        1) of the first distance, whatever the start. Mind the bowl in which all curvatures are equal.
    """,
    starter="""
        def fastest(hessian, share):
            \"\"\"The best constant rate, and the steps that bring any start within `share` of its distance.\"\"\"
            rate = ...
            steps = ...
            return rate, steps
    """,
    checks=[
        Check("the rate for two parameters", 1, rate_of_two, "Balance the two extreme directions."),
        Check("the rate for five parameters", 1, rate_of_five, "Which two of the five eigenvalues matter?"),
        Check("the number of steps", 2, steps_needed, "By which factor does the worst direction shrink in one step?"),
        Check("the round bowl", 1, round_bowl, "With one curvature for all directions, where does one step end?"),
    ],
    hints=[
        "At the best rate the steepest and the flattest direction shrink by the same factor, one of them flipping its "
        "sign. Set `1 - rate * smallest` equal to `rate * largest - 1`.",
        "That gives `rate = 2 / (largest + smallest)`, and both shrink by `(largest - smallest) / (largest + "
        "smallest)` in each step. After t steps that is the factor to the power t.",
        "The smallest whole t with `factor**t <= share` is `np.ceil(np.log(share) / np.log(factor))`. If the factor "
        "is 0, one step is enough and the logarithm must not be taken.",
    ],
    solution=FASTEST,
    explanation=(
        "Only the two extreme curvatures matter, and only through their ratio: the factor is (kappa - 1) / (kappa + "
        "1), so the number of steps grows in proportion to the condition number."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(FASTEST, ("2 / (largest + smallest)", "2 / largest")),
            "This is the edge of stability: there the steepest direction flips its sign for ever and never shrinks. "
            "The fastest rate balances the steepest against the flattest direction.",
            points=2,
        ),
        WrongAnswer(
            edit(FASTEST, ("2 / (largest + smallest)", "1 / largest")),
            "At 1 over the largest curvature the steepest direction is done in one step, and the flattest crawls by a "
            "factor of 1 - 1/kappa. A larger rate trades one for the other: balance them.",
            points=3,
        ),
        WrongAnswer(
            edit(FASTEST, ("2 / (largest + smallest)", "2 / np.trace(hessian)")),
            "The trace is the sum of all eigenvalues, which is smallest plus largest for two parameters only. With "
            "more of them, take the two extremes.",
            points=3,
        ),
        WrongAnswer(
            edit(FASTEST, ("2 / (largest + smallest)", "1 / eigenvalues.mean()")),
            "This is 1 over the mean of all eigenvalues, right for two parameters only: those between the extremes do "
            "not matter.",
            points=4,
        ),
        WrongAnswer(
            edit(FASTEST, (STEPS, "int(np.ceil(np.log(share) / (2 * np.log(factor))))")),
            "This is the count for the loss, which falls by the factor squared in each step and so needs half as many. "
            "This exercise asks for the distance to the minimum.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(FASTEST, (STEPS, "int(np.log(share) / np.log(factor))")),
            "The number of steps is rounded down, so the last one is missing: after it the distance is still above the "
            "share. Round up.",
            points=3,
        ),
        WrongAnswer(
            edit(FASTEST, ("np.ceil(np.log(share) / np.log(factor))", "np.round(np.log(share) / np.log(factor))")),
            "The number of steps is rounded to the nearest: where that is down, the distance is still above the share. "
            "Round up.",
            points=3,
        ),
        WrongAnswer(
            edit(
                FASTEST,
                ("    if factor < 1e-12:\n        return rate, 1\n", ""),
                (STEPS, "np.log(share) / np.log(factor)"),
            ),
            "A number of steps is whole: round up, and treat a factor of 0 apart.",
        ),
        WrongAnswer(
            edit(
                FASTEST,
                ("    if factor < 1e-12:\n        return rate, 1\n", ""),
                (STEPS, "max(0, int(np.ceil(np.log(share) / np.log(max(factor, 1e-300)))) - 1)"),
            ),
            "You stop one step early: after that many steps the distance is still above the share.",
        ),
        WrongAnswer(
            edit(FASTEST, (STEPS, "int(np.ceil(largest / smallest / 2 * np.log(1 / share)))")),
            "This is the approximation for large condition numbers, kappa / 2 times the logarithm. It promises too "
            "many steps when kappa is small: use the exact factor.",
            points=3,
            convention=True,
        ),
        WrongAnswer(
            edit(FASTEST, ("(largest - smallest) / (largest + smallest)", "1 - smallest / largest")),
            "The factor 1 - 1/kappa belongs to the rate 1 / largest. At your rate each step shrinks the worst "
            "directions by (kappa - 1) / (kappa + 1), about twice as fast.",
            points=3,
        ),
        WrongAnswer(
            edit(FASTEST, ("return rate, steps", "return steps, rate"), ("return rate, 1", "return 1, rate")),
            "The two are exchanged: return the rate first, then the number of steps.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def fastest(hessian, share):
                low, *_, high = np.sort(np.linalg.eigvals(hessian).real)
                rate, distance, steps = 2 / (low + high), 1.0, 0
                while distance > share:
                    distance *= max(abs(1 - rate * low), abs(1 - rate * high))
                    steps += 1
                return rate, steps
            """
        ),
    ],
)

EXERCISES = [gradients, loop, largest_rate, fastest_rate]
