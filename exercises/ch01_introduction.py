"""Chapter 1, introduction: central differences, kinds of critical points, a slice of a loss, a way down."""

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
    kind_of,
    number,
    numeric,
    unchanged_inputs,
    upper,
    word,
)
from optim_lib.landscapes import beale, himmelblau
from optim_lib.measure import finite_difference_gradient
from optim_lib.networks import MLP

TITLE = "Introduction"


# 1.1 Central differences -----------------------------------------------------------------------------


def smooth_loss(coefficients):
    """A loss of three parameters with a third derivative, whose slopes differ in all of them."""
    a, b, c = coefficients

    def loss(theta):
        x, y, z = np.asarray(theta).ravel()
        return a * x**3 + b * np.sin(y) + c * x * z**2 + 3.0 * z

    return loss


def vector(numerical_gradient):
    theta, loss = np.array([0.7, -1.2, 1.9]), smooth_loss([1.3, 2.1, -0.8])
    close(numerical_gradient(loss, theta, 1e-5), finite_difference_gradient(loss, theta), "the gradient", rtol=1e-7)


def large_spacing(numerical_gradient):
    theta, loss = np.array([1.1, 0.4, -0.6]), smooth_loss([0.9, -1.7, 1.4])
    expected = finite_difference_gradient(loss, theta, 0.3)
    close(numerical_gradient(loss, theta, 0.3), expected, "the gradient with the wide spacing 0.3")


def matrix(numerical_gradient):
    weights, mix = np.random.default_rng(13).normal(size=(2, 3)), np.random.default_rng(14).normal(size=(3, 2))

    def loss(w):
        return float(np.sum(np.tanh(w @ mix) ** 2) + w[0, 2] * w[1, 0])

    expected = finite_difference_gradient(loss, weights)
    close(numerical_gradient(loss, weights, 1e-5), expected, "the gradient for a 2 by 3 matrix", rtol=1e-7)


def parameters_untouched(numerical_gradient):
    theta, loss = np.array([2, -1, 3]), smooth_loss([0.5, 1.1, 0.7])
    gradient = numerical_gradient(loss, theta, 1e-4)
    unchanged_inputs(numerical_gradient)
    expected = finite_difference_gradient(loss, theta.astype(float), 1e-4)
    close(gradient, expected, "the gradient at parameters that are whole numbers", rtol=1e-7)


NUMERICAL_GRADIENT = """
def numerical_gradient(loss, theta, h):
    \"\"\"The gradient of loss at theta by central differences: an array shaped like theta.\"\"\"
    theta = np.array(theta, dtype=float)
    gradient = np.zeros_like(theta)
    for i in np.ndindex(theta.shape):
        nudge = np.zeros_like(theta)
        nudge[i] = h
        gradient[i] = (loss(theta + nudge) - loss(theta - nudge)) / (2 * h)
    return gradient
"""

QUOTIENT = "(loss(theta + nudge) - loss(theta - nudge)) / (2 * h)"

central_differences = Exercise(
    id="1.1",
    title="Central differences",
    answer="numerical_gradient",
    prompt="""
        Write `numerical_gradient(loss, theta, h)`: the gradient of `loss` at `theta` by central differences with
        spacing `h`, one parameter at a time. `theta` is an array of any shape, and `loss(theta)` returns a number.
        Return an array shaped like `theta`. The caller's `theta` must stay as it is, and it may hold whole numbers.
    """,
    starter="""
        def numerical_gradient(loss, theta, h):
            \"\"\"The gradient of loss at theta by central differences: an array shaped like theta.\"\"\"
            return ...
    """,
    checks=[
        Check("three parameters", 2, vector, "Nudge one parameter up and down; the others stay."),
        Check("a wide spacing", 1, large_spacing, "The formula has the loss on both sides, divided by `2 * h`."),
        Check("a matrix of parameters", 1, matrix, "`np.ndindex(theta.shape)` goes through the places of any array."),
        Check(
            "the parameters stay as they are", 1, parameters_untouched, "Is `theta` a copy, and can it hold fractions?"
        ),
    ],
    hints=[
        "Loop over the parameters. For each one, evaluate the loss twice: with that parameter a little larger and a "
        "little smaller.",
        "Make an array `nudge` of zeros with `h` in one place. How far apart are `theta + nudge` and `theta - nudge`?",
        "`gradient[i] = (loss(theta + nudge) - loss(theta - nudge)) / (2 * h)`, with "
        "`theta = np.array(theta, dtype=float)` at the start.",
    ],
    solution=NUMERICAL_GRADIENT,
    explanation=(
        "The two evaluations are `2 * h` apart, and the error of first order cancels between them. The price is two "
        "evaluations of the loss for each parameter, which is why networks are trained by backpropagation."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, (QUOTIENT, "(loss(theta + nudge) - loss(theta)) / h")),
            "This is a one-sided difference: its error is proportional to `h`. Asked are central differences, with the "
            "loss on both sides of `theta`, whose error is proportional to the square of `h`.",
            convention=True,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, (QUOTIENT, "(loss(theta) - loss(theta - nudge)) / h")),
            "This is a one-sided difference, backward: its error is proportional to `h`. Take the loss on both sides.",
            convention=True,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, ("(2 * h)", "h")),
            "The gradient is twice too large: the two points are `2 * h` apart, not `h`.",
            points=0,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, ("/ (2 * h)", "/ 2 * h")),
            "`/ 2 * h` divides by two and then multiplies by `h`: Python goes from left to right. Put `2 * h` in "
            "parentheses.",
            points=0,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, (QUOTIENT, "(loss(theta - nudge) - loss(theta + nudge)) / (2 * h)")),
            "The sign is reversed: the slope is positive where the loss grows with the parameter, so subtract the "
            "lower side from the upper.",
            points=0,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, ("nudge[i] = h", "nudge[...] = h")),
            "All parameters are nudged together, so every entry is the sum of all slopes. Nudge one at a time.",
            points=0,
        ),
        WrongAnswer(
            """
            def numerical_gradient(loss, theta, h):
                theta = np.array(theta, dtype=float)
                gradient = np.zeros_like(theta)
                nudge = np.zeros_like(theta)
                for i in np.ndindex(theta.shape):
                    nudge[i] = h
                    gradient[i] = (loss(theta + nudge) - loss(theta - nudge)) / (2 * h)
                return gradient
            """,
            "The nudge of one parameter is still there when the next one's turn comes: set it back to zero, or make a "
            "new array of zeros for each.",
            points=0,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, ("np.array(theta, dtype=float)", "np.array(theta)")),
            "With whole numbers as parameters, `np.zeros_like` makes an array of whole numbers, and a nudge of 0.0001 "
            "becomes 0 in it. Convert first: `np.array(theta, dtype=float)`.",
            points=4,
            evident=True,
        ),
        WrongAnswer(
            """
            def numerical_gradient(loss, theta, h):
                gradient = np.zeros(theta.shape)
                for i in np.ndindex(theta.shape):
                    theta[i] += h
                    above = loss(theta)
                    theta[i] -= 2 * h
                    below = loss(theta)
                    gradient[i] = (above - below) / (2 * h)
                return gradient
            """,
            "The parameter is not put back after its turn: it has gone up by `h` and down by `2 * h`, so the next "
            "slopes are taken somewhere else. And it is the caller's own array that is changed: work on a copy.",
            points=0,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, ("np.ndindex(theta.shape)", "range(len(theta))")),
            "The loop goes through the rows: in a matrix `theta[i]` is a whole row, which is nudged at once. Go "
            "through single entries, with `np.ndindex(theta.shape)`.",
            points=4,
        ),
        WrongAnswer(
            edit(NUMERICAL_GRADIENT, ("return gradient", "return gradient.ravel()")),
            "The gradient of a matrix comes back as a flat vector: it should have the shape of `theta`.",
            points=4,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def numerical_gradient(loss, theta, h):
                work = np.array(theta, dtype=np.float64)
                gradient = np.empty(work.shape)
                for i in np.ndindex(work.shape):
                    here = work[i]
                    work[i] = here + h
                    above = loss(work)
                    work[i] = here - h
                    below = loss(work)
                    work[i] = here
                    gradient[i] = (above - below) / (2 * h)
                return gradient
            """
        ),
        AcceptedAnswer(
            """
            def numerical_gradient(loss, theta, h):
                nudges = h * np.eye(theta.size).reshape(-1, *theta.shape)
                slopes = [(loss(theta + nudge) - loss(theta - nudge)) / (2 * h) for nudge in nudges]
                return np.array(slopes).reshape(theta.shape)
            """
        ),
    ],
)


# 1.2 Kinds of critical points ------------------------------------------------------------------------


KINDS = ("minimum", "maximum", "saddle", "undecided")


def turned(seed, eigenvalues):
    """A symmetric matrix with these eigenvalues and random eigenvectors."""
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))[0]
    matrix = directions * np.array(eigenvalues) @ directions.T
    return (matrix + matrix.T) / 2


def name_all(classify, cases):
    """Ask for all names first, then compare."""
    said = [(classify(hessian, 1e-6), expected, words) for hessian, expected, words in cases]
    for answer, expected, words in said:
        name = word(answer, "the answer", *KINDS)
        if name != expected:
            raise Wrong(f'With {words} yours is "{name}"; "{expected}" is right.')


def clear_cases(classify):
    name_all(
        classify,
        [
            (np.diag([2.0, 0.5]), "minimum", "curvatures 2 and 0.5 along the axes"),
            (np.diag([-1.0, -3.0]), "maximum", "curvatures -1 and -3 along the axes"),
            (np.diag([1.0, -1.0]), "saddle", "curvatures 1 and -1 along the axes"),
        ],
    )


def turned_cases(classify):
    name_all(
        classify,
        [
            (
                np.array([[1.0, 3.0], [3.0, 1.0]]),
                "saddle",
                "the matrix [[1, 3], [3, 1]], whose eigenvalues are 4 and -2,",
            ),
            (turned(15, [0.2, 1.0, 7.0]), "minimum", "eigenvalues 0.2, 1 and 7"),
            (turned(16, [-0.1, -2.0, -0.5]), "maximum", "eigenvalues -0.1, -2 and -0.5"),
        ],
    )


def many_dimensions(classify):
    name_all(
        classify,
        [
            (turned(17, [-3.0, -1.0, 1.0, 2.0]), "saddle", "eigenvalues -3, -1, 1 and 2 (two of them negative)"),
            (turned(18, [-1.0, -2.0, -3.0, -4.0]), "maximum", "eigenvalues -1, -2, -3 and -4 (all negative)"),
            (turned(19, [-0.05, 1.0, 4.0, 6.0, 9.0]), "saddle", "eigenvalues -0.05, 1, 4, 6 and 9 (one negative)"),
        ],
    )


def flat_directions(classify):
    name_all(
        classify,
        [
            (turned(20, [0.0, 1.0, 2.0]), "undecided", "eigenvalues 0, 1 and 2"),
            (turned(21, [0.0, -1.0, -2.0]), "undecided", "eigenvalues 0, -1 and -2"),
            (turned(22, [1e-9, 1.0, 2.0]), "undecided", "eigenvalues 1e-9, 1 and 2 and a tolerance of 1e-6"),
            (turned(23, [0.0, 1.0, -1.0]), "saddle", "eigenvalues 0, 1 and -1 (both signs occur)"),
            (np.zeros((2, 2)), "undecided", "all eigenvalues zero"),
        ],
    )


def real_points(classify):
    name_all(
        classify,
        [
            (beale.hessian(beale.saddles[0]), "saddle", "Beale's function at (0, 1)"),
            (himmelblau.hessian(himmelblau.minima[1]), "minimum", "Himmelblau's function at (-2.81, 3.13)"),
            (himmelblau.hessian(himmelblau.saddles[0]), "saddle", "Himmelblau's function at (-3.07, -0.08)"),
            (
                himmelblau.hessian((-0.270844590667, -0.923038522376)),
                "maximum",
                "Himmelblau's function at (-0.27, -0.92)",
            ),
        ],
    )


CLASSIFY = """
def classify(hessian, tolerance):
    \"\"\"The kind of a critical point: "minimum", "maximum", "saddle" or "undecided".\"\"\"
    eigenvalues = np.linalg.eigvalsh(hessian)
    up = np.sum(eigenvalues > tolerance)
    down = np.sum(eigenvalues < -tolerance)
    if up and down:
        return "saddle"
    if up == len(eigenvalues):
        return "minimum"
    if down == len(eigenvalues):
        return "maximum"
    return "undecided"
"""

EIGENVALUES = "np.linalg.eigvalsh(hessian)"

kinds = Exercise(
    id="1.2",
    title="What kind of place is this?",
    answer="classify",
    prompt="""
        The gradient is zero; the Hessian is all you have. Write `classify(hessian, tolerance)` for a symmetric matrix
        of any size. Return `"minimum"`, `"maximum"`, `"saddle"`, or `"undecided"` where the eigenvalues do not tell.
        An eigenvalue between `-tolerance` and `tolerance` counts as zero.
    """,
    starter="""
        def classify(hessian, tolerance):
            \"\"\"The kind of a critical point: "minimum", "maximum", "saddle" or "undecided".\"\"\"
            return ...
    """,
    checks=[
        Check("curvatures along the axes", 1, clear_cases, "All positive, all negative, or both."),
        Check("turned axes", 1, turned_cases, "The diagonal is not enough: take the eigenvalues."),
        Check("more than two dimensions", 1, many_dimensions, "One negative eigenvalue among positive ones is enough."),
        Check("flat directions", 1, flat_directions, "When does a zero eigenvalue leave the question open?"),
        Check("points of known surfaces", 1, real_points, "Run `classify(landscapes.beale.hessian((0, 1)), 1e-6)`."),
    ],
    hints=[
        "`np.linalg.eigvalsh(hessian)` gives the eigenvalues of a symmetric matrix, in ascending order.",
        "Count the eigenvalues above `tolerance` and those below `-tolerance`. Which of the four cases needs both "
        "counts?",
        "If both counts are positive it is a saddle, whatever else is zero. If one count is the number of "
        "eigenvalues, it is a minimum or a maximum. Otherwise it is undecided.",
    ],
    solution=CLASSIFY,
    explanation=(
        "One way up and one way down make a saddle, flat directions or not. A minimum or a maximum needs every "
        "direction; if some are flat and the rest agree, higher derivatives decide."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(CLASSIFY, (EIGENVALUES, "np.diag(hessian)")),
            "The diagonal holds the curvatures along the axes only. Between them the ground may bend the other way: "
            "[[1, 3], [3, 1]] has a positive diagonal and is a saddle. Take the eigenvalues.",
        ),
        WrongAnswer(
            """
            def classify(hessian, tolerance):
                determinant = np.linalg.det(hessian)
                if abs(determinant) < tolerance:
                    return "undecided"
                if determinant < 0:
                    return "saddle"
                return "minimum" if hessian[0, 0] > 0 else "maximum"
            """,
            "The determinant is the product of the eigenvalues: its sign settles the matter in two dimensions only. "
            "In four, two negative eigenvalues make it positive again, and in three a maximum makes it negative.",
        ),
        WrongAnswer(
            """
            def classify(hessian, tolerance):
                mean = np.trace(hessian)
                if abs(mean) < tolerance:
                    return "saddle"
                return "minimum" if mean > 0 else "maximum"
            """,
            "The trace is the sum of the eigenvalues: a few large positive ones hide the negative ones. Look at each "
            "eigenvalue's sign.",
        ),
        WrongAnswer(
            edit(CLASSIFY, ("if up and down:", "if up and down and up + down == len(eigenvalues):")),
            "A flat direction does not undo a saddle: with one way up and one way down, it is a saddle whatever the "
            "others do.",
            evident=True,
        ),
        WrongAnswer(
            edit(CLASSIFY, ("up == len(eigenvalues)", "down == 0"), ("down == len(eigenvalues)", "up == 0")),
            "A minimum needs every eigenvalue positive. With some of them zero the Hessian cannot tell: x^2 + y^4 and "
            "x^2 - y^4 have the same one.",
        ),
        WrongAnswer(
            edit(
                CLASSIFY,
                ("eigenvalues > tolerance", "eigenvalues > 0"),
                ("eigenvalues < -tolerance", "eigenvalues < 0"),
            ),
            "Rounding turns an eigenvalue of zero into something like 1e-17, of either sign: use the tolerance on "
            "both sides.",
        ),
        WrongAnswer(
            edit(
                CLASSIFY,
                ('return "minimum"', 'return "maximum"'),
                ('    return "maximum"\n    return', '    return "minimum"\n    return'),
            ),
            "Minimum and maximum are exchanged: where all curvatures are positive the ground rises in every "
            "direction, and the place is the lowest around.",
        ),
        WrongAnswer(
            edit(CLASSIFY, ("eigenvalues < -tolerance", "eigenvalues < tolerance")),
            "An eigenvalue below `tolerance` need not be negative: it counts as zero unless it is below `-tolerance`.",
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def classify(hessian, tolerance):
                values = np.linalg.eigvals(hessian).real
                if values.max() > tolerance and values.min() < -tolerance:
                    return "saddle"
                if values.min() > tolerance:
                    return "minimum"
                return "maximum" if values.max() < -tolerance else "undecided"
            """
        ),
    ],
)


# 1.3 A slice of a loss -------------------------------------------------------------------------------


def bent_loss(theta):
    x, y, z, w = theta
    return x**2 + 3.0 * y**2 + x * z + 0.2 * w**4 + np.sin(z - y)


def expected_slice(loss, theta, d1, d2, xs, ys):
    return np.array([[loss(theta + x * d1 + y * d2) for y in ys] for x in xs])


def slice_problem(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=4), rng.normal(size=4), rng.normal(size=4)


def along_first(slice_of_loss):
    theta, d1, d2 = slice_problem(24)
    xs, ys = np.linspace(-1, 2, 5), np.array([0.0])
    close(
        slice_of_loss(bent_loss, theta, d1, d2, xs, ys),
        expected_slice(bent_loss, theta, d1, d2, xs, ys),
        "a slice of one column",
    )


def both_directions(slice_of_loss):
    theta, d1, d2 = slice_problem(25)
    xs, ys = np.linspace(-1, 1.5, 6), np.linspace(-2, 1, 4)
    z = slice_of_loss(bent_loss, theta, d1, d2, xs, ys)
    close(z, expected_slice(bent_loss, theta, d1, d2, xs, ys), "the slice")


def uneven_places(slice_of_loss):
    theta, d1, d2 = slice_problem(26)
    xs, ys = np.array([0.0, 0.1, 0.5, 2.0]), np.array([-1.0, 0.3, 0.4])
    z = slice_of_loss(bent_loss, theta, d1, d2, xs, ys)
    close(z, expected_slice(bent_loss, theta, d1, d2, xs, ys), "a slice with uneven places")


def a_network(slice_of_loss):
    rng = np.random.default_rng(27)
    x, y = rng.normal(size=(12, 3)), rng.integers(0, 2, 12)

    def loss(theta):
        w1, b1, w2, b2 = np.split(theta, [6, 8, 12])
        params = {"W1": w1.reshape(3, 2), "b1": b1.reshape(1, 2), "W2": w2.reshape(2, 2), "b2": b2.reshape(1, 2)}
        return float(MLP((3, 2, 2)).loss(params, x, y))

    theta, d1, d2 = rng.normal(size=(3, 14))
    xs, ys = np.linspace(-0.5, 0.5, 3), np.linspace(-0.2, 0.4, 4)
    z = slice_of_loss(loss, theta, d1, d2, xs, ys)
    unchanged_inputs(slice_of_loss)
    close(z, expected_slice(loss, theta, d1, d2, xs, ys), "a slice through the loss of a network")


SLICE = """
def slice_of_loss(loss, theta, d1, d2, xs, ys):
    \"\"\"The loss over a plane: z[i, j] at theta + xs[i] * d1 + ys[j] * d2.\"\"\"
    z = np.zeros((len(xs), len(ys)))
    for i, x in enumerate(xs):
        for j, y in enumerate(ys):
            z[i, j] = loss(theta + x * d1 + y * d2)
    return z
"""

slices = Exercise(
    id="1.3",
    title="A slice of a loss",
    answer="slice_of_loss",
    prompt="""
        Write `slice_of_loss(loss, theta, d1, d2, xs, ys)`. The parameters `theta` and the directions `d1` and `d2` are
        vectors of one length; `loss(theta)` returns a number. Return the array `z` of shape `(len(xs), len(ys))` with
        $z_{ij} = L(\\theta + x_i\\, d_1 + y_j\\, d_2)$. Use the directions as they are, and leave `theta` as it is.
    """,
    starter="""
        def slice_of_loss(loss, theta, d1, d2, xs, ys):
            \"\"\"The loss over a plane: z[i, j] at theta + xs[i] * d1 + ys[j] * d2.\"\"\"
            return ...
    """,
    checks=[
        Check("along the first direction", 1, along_first, "With `ys = [0]` only `d1` matters."),
        Check("both directions", 1, both_directions, "Rows belong to `xs` and `d1`, columns to `ys` and `d2`."),
        Check(
            "places at uneven distances",
            1,
            uneven_places,
            "Each point is reached from `theta`, not from the last point.",
        ),
        Check("a real network", 1, a_network, "Does `theta` still hold what it held before?"),
    ],
    hints=[
        "Two loops, one in the other: one goes through `xs`, the other through `ys`. Where in the space of the "
        "parameters is the point for a given pair?",
        "`theta + x * d1 + y * d2` is a new vector; hand it to `loss`. With `+=` you would move `theta` itself.",
        "`z = np.zeros((len(xs), len(ys)))`, then in the loops `z[i, j] = loss(theta + x * d1 + y * d2)`.",
    ],
    solution=SLICE,
    explanation=(
        "Every point of the picture is a whole set of parameters. What you see depends on the two directions, which "
        "is why Li et al. scale each neuron's part of a random direction to that neuron's weights."
    ),
    wrong_answers=[
        WrongAnswer(
            """
            def slice_of_loss(loss, theta, d1, d2, xs, ys):
                return np.array([[loss(theta + x * d1 + y * d2) for x in xs] for y in ys])
            """,
            "The array is transposed: its rows should belong to `xs` and its columns to `ys`. `plt.contour` wants it "
            "the other way round; this exercise asks for `z[i, j]` at `xs[i]` and `ys[j]`.",
            convention=True,
        ),
        WrongAnswer(
            """
            def slice_of_loss(loss, theta, d1, d2, xs, ys):
                z = np.zeros((len(xs), len(ys)))
                point = np.array(theta)
                for i, x in enumerate(xs):
                    for j, y in enumerate(ys):
                        point += x * d1 + y * d2
                        z[i, j] = loss(point)
                return z
            """,
            "The moves add up: each point starts where the last one ended. Start every point afresh from `theta`.",
            points=0,
        ),
        WrongAnswer(
            edit(SLICE, ("x * d1 + y * d2)", "x * d2 + y * d1)")),
            "The two directions are exchanged: `xs` goes with `d1`, `ys` with `d2`.",
            points=0,
        ),
        WrongAnswer(
            edit(SLICE, ("x * d1 + y * d2)", "x * d1 / np.linalg.norm(d1) + y * d2 / np.linalg.norm(d2))")),
            "The directions are scaled to length one. That is often a good idea, but here they are to be used as they"
            " are.",
            points=0,
            convention=True,
        ),
        WrongAnswer(
            """
            def slice_of_loss(loss, theta, d1, d2, xs, ys):
                z = np.zeros((len(xs), len(ys)))
                for i, x in enumerate(xs):
                    for j, y in enumerate(ys):
                        z[i, j] = loss(x * d1 + y * d2)
                return z
            """,
            "This slice goes through zero instead of through `theta`: add the moves to `theta`.",
            points=0,
        ),
        WrongAnswer(
            edit(SLICE, ("loss(theta + x * d1 + y * d2)", "loss(theta + x * d1 + y * d2) - loss(theta)")),
            "This is the loss above that of `theta`. Asked is the loss itself.",
            points=0,
        ),
        WrongAnswer(
            edit(SLICE, ("enumerate(ys)", "enumerate(xs)"), ("(len(xs), len(ys))", "(len(xs), len(xs))")),
            "Both loops go through `xs`. The second direction has places of its own, `ys`.",
            points=0,
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(
            """
            def slice_of_loss(loss, theta, d1, d2, xs, ys):
                return [[loss(theta + x * d1 + y * d2) for y in ys] for x in xs]
            """
        ),
    ],
)


# 1.4 A way down --------------------------------------------------------------------------------------


def steepest(hessian):
    return np.linalg.eigvalsh(hessian)[0]


def compare_direction(direction, hessian, what):
    """The direction as an array, if it is right."""
    if direction is None:
        values = ", ".join(number(value) for value in np.linalg.eigvalsh(hessian))
        raise Wrong(f"{upper(what)} is None, but a way down exists: the eigenvalues are {values}.")
    direction = numeric(direction, what)
    if direction.shape != (len(hessian),):
        found = "a single number" if not direction.ndim else f"an array of shape {direction.shape}"
        raise Wrong(f"{upper(what)} should be one vector of {len(hessian)} numbers; it is {found}.")
    finite(direction, what)
    close(np.linalg.norm(direction), 1.0, f"the length of {what}")
    curvature = direction @ hessian @ direction
    if np.linalg.norm(hessian @ direction - curvature * direction) > 1e-6 * np.linalg.norm(hessian):
        # Without its curvature, which for a mix of eigenvectors hangs on their signs, and LAPACK may take either.
        raise Wrong(
            f"{upper(what)} is no eigenvector, so the curvature along it is above the lowest there is, "
            f"{number(steepest(hessian))}."
        )
    close(curvature, steepest(hessian), f"the curvature along {what}")
    return direction


def two_dimensions(way_down):
    steep, gentle = turned(28, [-1.5, 2.0]), turned(33, [-0.2, 3.0])
    found = way_down(steep), way_down(gentle)
    compare_direction(found[0], steep, "the direction in two dimensions")
    compare_direction(found[1], gentle, "the direction where the ground bends down gently")


def many_ways(way_down):
    hessian = turned(29, [-0.3, -2.0, -1.1, 1.0, 1.5])
    compare_direction(way_down(hessian), hessian, "the direction, with three ways down to choose from,")


def hidden(way_down):
    hessian = np.array([[1.0, 3.0, 0.5], [3.0, 2.0, -1.0], [0.5, -1.0, 4.0]])
    compare_direction(way_down(hessian), hessian, "the direction where every axis leads up")


def no_way(way_down):
    answers = [way_down(turned(seed, values)) for seed, values in ((30, [0.5, 1.0, 4.0]), (31, [2.0, 3.0]))]
    if any(answer is ... for answer in answers):
        numeric(..., "the answer")
    for answer in answers:
        if answer is not None:
            raise Wrong(
                f"At a minimum no direction leads down, and the answer should be `None`; yours is {kind_of(answer)}."
            )


def it_descends(way_down):
    hessian = himmelblau.hessian(himmelblau.saddles[1])
    direction = compare_direction(way_down(hessian), hessian, "the direction at a saddle of Himmelblau's function")
    here = himmelblau.loss(himmelblau.saddles[1])
    for side in (-1, 1):
        there = himmelblau.loss(himmelblau.saddles[1] + side * 0.1 * direction)
        if not there < here:
            raise Wrong(f"A step of {side * 0.1} along it raises the loss, from {number(here)} to {number(there)}.")


WAY_DOWN = """
def way_down(hessian):
    \"\"\"The unit vector along which the loss curves down most, or None if there is none.\"\"\"
    eigenvalues, directions = np.linalg.eigh(hessian)
    if eigenvalues[0] >= 0:
        return None
    return directions[:, 0]
"""

escape = Exercise(
    id="1.4",
    title="A way down",
    answer="way_down",
    none_ok=True,
    prompt="""
        You stand at a critical point. The gradient is zero, so it cannot tell you where to go. Write
        `way_down(hessian)`: the direction, a vector of length one, along which the loss curves *down* most steeply, or
        `None` if no direction curves down. (A vector and its opposite are equally good: the ground falls on both
        sides.)
    """,
    starter="""
        def way_down(hessian):
            \"\"\"The unit vector along which the loss curves down most, or None if there is none.\"\"\"
            return ...
    """,
    checks=[
        Check("two dimensions", 1, two_dimensions, "The curvature along a unit vector `v` is `v @ hessian @ v`."),
        Check("the steepest of several", 1, many_ways, "Three eigenvalues are negative here. Which is the steepest?"),
        Check("every axis leads up", 1, hidden, "The way down lies between the axes."),
        Check("a minimum has none", 1, no_way, "What are the signs of the eigenvalues at a minimum?"),
        Check("on a surface", 1, it_descends, "From the saddle, the loss should fall to both sides."),
    ],
    hints=[
        "Which unit vector `v` makes `v @ hessian @ v` as small as it can be? Think of the ground along each "
        "eigenvector.",
        "It is the eigenvector of the smallest eigenvalue. `np.linalg.eigh` returns the eigenvalues in ascending "
        "order, and the eigenvectors beside them.",
        "`eigenvalues, directions = np.linalg.eigh(hessian)`: the eigenvectors are the *columns* of `directions`. "
        "Return the first of them, unless its eigenvalue is not negative.",
    ],
    solution=WAY_DOWN,
    explanation=(
        "Written in eigenvectors, the curvature along a unit vector is a weighted mean of the eigenvalues, so no "
        "direction can beat the eigenvector of the smallest one. It need not be near any axis."
    ),
    wrong_answers=[
        WrongAnswer(
            edit(WAY_DOWN, ("directions[:, 0]", "directions[0]")),
            "This is a row of the matrix; `np.linalg.eigh` keeps the eigenvectors in its columns: `directions[:, 0]`.",
        ),
        WrongAnswer(
            edit(WAY_DOWN, ("directions[:, 0]", "directions[:, -1]")),
            "This is the direction of the largest eigenvalue, the steepest way up. The eigenvalues come in ascending "
            "order: the first is the most negative.",
        ),
        WrongAnswer(
            """
            def way_down(hessian):
                curvatures = np.diag(hessian)
                if curvatures.min() >= 0:
                    return None
                return np.eye(len(hessian))[curvatures.argmin()]
            """,
            "Only the axes are tried, one parameter at a time. The way down usually lies between them, and may exist "
            "where every axis leads up.",
        ),
        WrongAnswer(
            edit(WAY_DOWN, ("    if eigenvalues[0] >= 0:\n        return None\n", "")),
            "The smallest eigenvalue is not always negative: at a minimum there is no way down, and the answer should"
            " be `None`.",
            points=4,
        ),
        WrongAnswer(
            """
            def way_down(hessian):
                eigenvalues, directions = np.linalg.eigh(hessian)
                if eigenvalues[0] >= 0:
                    return None
                return directions[:, np.abs(eigenvalues).argmin()]
            """,
            "This takes the eigenvalue closest to zero, the flattest direction. Asked is the most negative one.",
        ),
        WrongAnswer(
            edit(WAY_DOWN, ("directions[:, 0]", "directions[:, np.abs(eigenvalues).argmax()]")),
            "This takes the eigenvalue of largest size, whatever its sign: where a positive one is larger, that is the "
            "steepest way up. Asked is the most negative one.",
        ),
        WrongAnswer(
            edit(
                WAY_DOWN,
                ("    if eigenvalues[0] >= 0", "    k = np.abs(eigenvalues).argmax()\n    if eigenvalues[k] >= 0"),
                ("directions[:, 0]", "directions[:, k]"),
            ),
            "is None, but a way down exists: the eigenvalues are",
            diagnose=False,
        ),
        WrongAnswer(
            """
            def way_down(hessian):
                eigenvalues, directions = np.linalg.eigh(hessian)
                if eigenvalues[0] >= 0:
                    return None
                return eigenvalues[0] * directions[:, 0]
            """,
            "The direction is right, but it is multiplied by the eigenvalue: its length should be one.",
        ),
        WrongAnswer(
            """
            def way_down(hessian):
                eigenvalues, directions = np.linalg.eigh(hessian)
                down = directions[:, eigenvalues < 0].sum(axis=1)
                return down / np.linalg.norm(down) if (eigenvalues < 0).any() else None
            """,
            "This mixes all the ways down. The curvature along the mixture is their mean: the steepest alone curves "
            "down more.",
        ),
        WrongAnswer(
            edit(WAY_DOWN, ("return directions[:, 0]", "return eigenvalues[0]")),
            "This is the curvature, a number. Asked is the direction: the eigenvector that belongs to it.",
        ),
    ],
    accepted_answers=[
        AcceptedAnswer(edit(WAY_DOWN, ("return directions", "return -directions"))),
        AcceptedAnswer(
            """
            def way_down(hessian):
                values, vectors = np.linalg.eig(hessian)
                k = values.real.argmin()
                return vectors[:, k].real if values[k].real < 0 else None
            """
        ),
    ],
)

EXERCISES = [central_differences, kinds, slices, escape]
