"""Test surfaces in two dimensions, with exact gradients, known minima, and a window worth looking at.

>>> from optim_lib.landscapes import rosenbrock
>>> rosenbrock.loss([1.0, 1.0]), rosenbrock.gradient([0.0, 0.0])
(np.float64(0.0), array([-2.,  0.]))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
Point = tuple[float, float]


@dataclass(frozen=True)
class Landscape:
    r"""A loss :math:`L(x, y)` that knows its gradient, its minima and where to look.

    Parameters
    ----------
    name : str
        In words, for titles and screen readers.
    formula : str
        LaTeX, without dollar signs.
    value, slope : callable
        ``value(x, y)`` and ``slope(x, y) -> (dL/dx, dL/dy)`` for arrays of any shape.
    minima : sequence of points
        Every local minimum inside the window, the global ones first; empty if they are not known.
    window : (left, right, bottom, top)
        The part of the plane to draw.
    starts : sequence of points
        Starting points from which optimizers behave in instructive ways.
    saddles : sequence of points
        Saddle points inside the window; the egg carton, with one between any two neighboring dips, lists none.
    made : (name, arguments), optional
        The function of this module that gives `value` and `slope`, and its arguments in the types of JSON: from them
        the landscape can be made again elsewhere, such as in a page (`optim_lib.explorer.recipe`).

    Raises
    ------
    TypeError, ValueError
        If a function does not give a number for each point, or the slope is not that of the loss: a few points of the
        window are looked at.

    See Also
    --------
    from_function : a landscape from a loss alone.
    """

    name: str
    formula: str
    value: Callable[[Array, Array], Array] = field(repr=False)
    slope: Callable[[Array, Array], tuple[Array, Array]] = field(repr=False)
    minima: Sequence[Point]
    window: tuple[float, float, float, float]
    starts: Sequence[Point]
    saddles: Sequence[Point] = ()
    made: tuple[str, Mapping[str, Any]] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_window(self.window)
        for what in ("minima", "starts", "saddles"):
            points = np.asarray(getattr(self, what), dtype=object)
            if points.size and (points.ndim != 2 or points.shape[1] != 2):
                raise ValueError(f"{what} must be points (x, y), got {getattr(self, what)!r}")
        _check_functions(self.value, self.slope, self.window)

    def loss(self, p: ArrayLike) -> Array:
        """The loss at points `p` of shape (..., 2), as an array of shape (...)."""
        p = _points(p)
        return self.value(p[..., 0], p[..., 1])

    def gradient(self, p: ArrayLike) -> Array:
        """The gradient at points `p` of shape (..., 2), as an array of the same shape."""
        p = _points(p)
        gradient = np.empty_like(p)
        gradient[..., 0], gradient[..., 1] = self.slope(p[..., 0], p[..., 1])
        return gradient

    def hessian(self, p: ArrayLike, spacing: float = 1e-5) -> Array:
        """The Hessian at points `p` of shape (..., 2), from central differences of the exact gradient."""
        p = _points(p)
        shifts = spacing * np.eye(2)
        columns = [(self.gradient(p + shift) - self.gradient(p - shift)) / (2 * spacing) for shift in shifts]
        hessian = np.stack(columns, axis=-1)
        return 0.5 * (hessian + np.swapaxes(hessian, -1, -2))

    @property
    def lowest(self) -> float:
        """The loss at the global minimum.

        Raises
        ------
        ValueError
            If no minima are listed.
        """
        if not len(self.minima):
            raise ValueError(f"{self.name!r} must list its minima, the lowest first, for its lowest loss to be known")
        return float(self.loss(self.minima[0]))


def quadratic(
    curvatures: Point,
    angle: float = 0.0,
    *,
    name: str | None = None,
    window: tuple[float, float, float, float] = (-2.2, 2.2, -2.2, 2.2),
    starts: Sequence[Point] = ((-1.8, 1.2), (1.6, 1.6), (-1.5, -1.7)),
) -> Landscape:
    r"""A quadratic :math:`\tfrac12 (\lambda_1 u^2 + \lambda_2 w^2)` with axes `u`, `w` turned by `angle` radians.

    Parameters
    ----------
    curvatures : (float, float)
        :math:`\lambda_1, \lambda_2 > 0`, the eigenvalues of the Hessian; their ratio is the condition number.
    angle : float, default 0
        In radians, counterclockwise.

    Examples
    --------
    >>> quadratic((1.0, 25.0)).gradient([2.0, 1.0])
    array([ 2., 25.])
    """
    if np.shape(curvatures) != (2,) or not all(0 < curvature < np.inf for curvature in curvatures):
        raise ValueError(f"curvatures must be two positive numbers, got {curvatures!r}")
    l1, l2 = map(float, curvatures)
    c, s = np.cos(angle), np.sin(angle)
    a, b, d = l1 * c * c + l2 * s * s, (l1 - l2) * c * s, l1 * s * s + l2 * c * c
    turned = f", turned by {np.degrees(angle):.0f} degrees" if angle else ""
    return Landscape(
        name=name or f"a quadratic with curvatures {l1:g} and {l2:g}{turned}",
        formula=rf"\tfrac12 ({a:.3g} x^2 + {2 * b:.3g} xy + {d:.3g} y^2)" if angle else _axis_formula(l1, l2),
        value=lambda x, y: 0.5 * (a * x * x + 2 * b * x * y + d * y * y),
        slope=lambda x, y: (a * x + b * y, b * x + d * y),
        minima=((0.0, 0.0),),
        window=window,
        starts=starts,
        made=("quadratic", {"curvatures": [l1, l2], "angle": float(angle)}),
    )


def least_squares(x: ArrayLike, y: ArrayLike, *, name: str = "the mean squared error of a line") -> Landscape:
    r"""The loss of fitting a line to data, over its slope :math:`w` and intercept :math:`b`.

    .. math:: L(w, b) = \frac1n \sum_i (y_i - (w x_i + b))^2

    Parameters
    ----------
    x, y : array of shape (n,)
        The data; at least two different values of `x`.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.size < 2 or not (np.ptp(x) > 0 and np.all(np.isfinite(y))):
        raise ValueError(
            "x and y must be one-dimensional, finite, of one length, with two different x; "
            f"got shapes {x.shape} and {y.shape}"
        )
    # Around the least-squares line the loss is a quadratic; written so, data far from zero costs no digits.
    mean_x, mean_y = x.mean(), y.mean()
    variance = np.mean((x - mean_x) ** 2)
    w = np.mean((x - mean_x) * (y - mean_y)) / variance
    b = mean_y - w * mean_x
    least = np.mean((y - mean_y - w * (x - mean_x)) ** 2)
    reach = 2.2 * (max(abs(w), abs(b), np.std(y)) or 1.0)

    def at_mean(slope: Array, intercept: Array) -> Array:
        return mean_x * (slope - w) + (intercept - b)

    return Landscape(
        name=name,
        formula=r"\tfrac1n \sum_i (y_i - (w x_i + b))^2",
        value=lambda slope, intercept: variance * (slope - w) ** 2 + at_mean(slope, intercept) ** 2 + least,
        slope=lambda slope, intercept: (
            2 * variance * (slope - w) + 2 * mean_x * at_mean(slope, intercept),
            2 * at_mean(slope, intercept),
        ),
        minima=((float(w), float(b)),),
        window=(w - reach, w + reach, b - reach, b + reach),
        starts=(
            (w - 0.8 * reach, b + 0.6 * reach),
            (w + 0.7 * reach, b + 0.8 * reach),
            (w - 0.6 * reach, b - reach / 2),
        ),
        made=("least_squares", {"x": x.tolist(), "y": y.tolist()}),
    )


# What a formula may use besides x, y and its own numbers.
_FUNCTIONS = ("abs", "arctan", "cos", "cosh", "exp", "expm1", "log", "log1p", "maximum", "minimum", "pi", "sign", "sin",
              "sinh", "sqrt", "tan", "tanh", "where")  # fmt: skip


def from_function(
    loss: Callable[[Array, Array], Array],
    slope: Callable[[Array, Array], tuple[Array, Array]] | None = None,
    *,
    name: str | None = None,
    formula: str = "L(x, y)",
    window: tuple[float, float, float, float] = (-2.2, 2.2, -2.2, 2.2),
    starts: Sequence[Point] | None = None,
    minima: Sequence[Point] = (),
    saddles: Sequence[Point] = (),
) -> Landscape:
    """A landscape from a function of your own.

    Parameters
    ----------
    loss : callable
        ``loss(x, y)`` for arrays of any shape: with NumPy's functions, ``np.exp`` and not ``math.exp``.
    slope : callable, optional
        ``slope(x, y) -> (dL/dx, dL/dy)``; by default central differences of the loss, in float64.
    starts : sequence of points, optional
        By default one, near the upper left corner of the window.
    name, formula, window, minima, saddles
        As in `Landscape`.

    Examples
    --------
    >>> hills = from_function(lambda x, y: np.sin(3 * x) + x**2 + y**2)
    >>> hills.gradient([0.0, 1.0]).round(6)
    array([3., 2.])
    """
    _check_window(window)
    left, right, bottom, top = window
    corner = (left + 0.1 * (right - left), top - 0.2 * (top - bottom))
    return Landscape(
        name=name or getattr(loss, "__name__", "<lambda>").replace("<lambda>", "a loss of one's own").replace("_", " "),
        formula=formula,
        value=loss,
        slope=_differences(loss, window) if slope is None else slope,
        minima=minima,
        window=window,
        starts=(corner,) if starts is None else starts,
        saddles=saddles,
    )


def from_formula(
    loss: str,
    slope: Sequence[str] | None = None,
    *,
    numbers: Mapping[str, float] | None = None,
    name: str = "a loss of one's own",
    formula: str = "L(x, y)",
    window: tuple[float, float, float, float] = (-2.2, 2.2, -2.2, 2.2),
    starts: Sequence[Point] = ((-1.8, 1.2),),
    minima: Sequence[Point] = (),
    saddles: Sequence[Point] = (),
) -> Landscape:
    """A landscape from formulas, written in Python.

    Parameters
    ----------
    loss : str
        The loss over ``x`` and ``y``, with NumPy's functions (``sin``, ``exp``, ``where``, ..., also as ``np.sin``).
    slope : (str, str), optional
        The formulas of its two derivatives; central differences of the loss by default.
    numbers : dict of str to float, optional
        Names that the formulas may use.
    name, formula, window, starts, minima, saddles
        As in `Landscape`.

    Raises
    ------
    ValueError
        If a formula is not Python, or what it gives is no loss over the plane.

    Examples
    --------
    >>> egg = from_formula("x**2 + 10 * (1 - cos(y))", ["2 * x", "10 * sin(y)"])
    >>> egg.loss([1.0, 0.0]), egg.gradient([1.0, 0.0])
    (np.float64(1.0), array([2., 0.]))
    """
    numbers = {key: float(value) for key, value in (numbers or {}).items()}
    value = _formula("loss", loss, numbers)
    if slope is None:
        derivatives = _differences(value, window)
    else:
        if isinstance(slope, str) or len(slope) != 2:
            raise ValueError(f"slope must be two formulas, dL/dx and dL/dy, got {slope!r}")
        parts = [_formula("slope", part, numbers) for part in slope]

        def derivatives(x: Array, y: Array) -> tuple[Array, Array]:
            return parts[0](x, y), parts[1](x, y)

    return Landscape(
        name=name,
        formula=formula,
        value=value,
        slope=derivatives,
        minima=minima,
        window=window,
        starts=starts,
        saddles=saddles,
        made=("from_formula", {"loss": loss, "slope": None if slope is None else list(slope), "numbers": numbers}),
    )


def _formula(what: str, text: str, numbers: Mapping[str, float]) -> Callable[[Array, Array], Array]:
    """A formula in Python as a function of x and y; an error if it is none."""
    if "^" in text:
        raise ValueError(f"{what} must be a formula in Python, where a power is written **, got {text!r}")
    try:
        code = compile(text.strip(), f"<{what}>", "eval")
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{what} must be a formula in Python, such as x**2 + 10 * y**2, got {text!r}") from error
    names = {function: getattr(np, function) for function in _FUNCTIONS} | {"np": np, **numbers}

    def function(x: Array, y: Array) -> Array:
        # What depends on neither x nor y is one number: here it is wanted at every point.
        return np.zeros_like(x) + eval(code, {"__builtins__": {}}, names | {"x": x, "y": y})

    try:
        with np.errstate(all="ignore"):
            found = function(np.linspace(-1.0, 1.0, 3), np.linspace(0.5, 1.0, 3))
    except Exception as error:
        raise ValueError(f"{what}, {text!r}, cannot be computed: {type(error).__name__}: {error}") from error
    if np.shape(found) != (3,) or np.asarray(found).dtype.kind != "f":
        raise ValueError(f"{what} must give one real number for each point, got {text!r}")
    return function


def _differences(
    value: Callable[[Array, Array], Array], window: tuple[float, float, float, float], share: float = 1e-5
) -> Callable[[Array, Array], tuple[Array, Array]]:
    """The slope of a loss by central differences, a hundred-thousandth of the window apart."""
    left, right, bottom, top = window
    h, k = share * (right - left), share * (top - bottom)

    def slope(x: Array, y: Array) -> tuple[Array, Array]:
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)  # in float32 they would be lost
        return (value(x + h, y) - value(x - h, y)) / (2 * h), (value(x, y + k) - value(x, y - k)) / (2 * k)

    return slope


def _check_window(window: Any) -> None:
    found = np.asarray(window)
    fits = found.shape == (4,) and found.dtype.kind in "fiu" and bool(np.isfinite(found).all())
    if not fits or not (window[0] < window[1] and window[2] < window[3]):
        raise ValueError(f"window must be (left, right, bottom, top), in this order, got {window!r}")


# Where in the window the functions of a landscape are looked at, in shares of its sides.
_PROBES = np.array([[0.137, 0.291], [0.418, 0.863], [0.659, 0.173], [0.843, 0.557], [0.271, 0.671]])


def _check_functions(value: Any, slope: Any, window: tuple[float, float, float, float]) -> None:
    """Refuse a loss that gives no number for each point, and a slope that is not its own."""
    for what, function in (("value", value), ("slope", slope)):
        if not callable(function):
            raise TypeError(f"{what} must be a function of x and y, got {function!r}")
    left, right, bottom, top = window
    x, y = left + (right - left) * _PROBES[:, 0], bottom + (top - bottom) * _PROBES[:, 1]
    with np.errstate(all="ignore"):
        losses = _at_points("value", value, x, y)
        if np.shape(losses) != x.shape or np.asarray(losses).dtype.kind not in "fiu":
            raise ValueError(f"value must give one number for each point, got {np.shape(losses)} for {x.shape}")
        given = _at_points("slope", slope, x, y)
        if not isinstance(given, tuple | list | np.ndarray) or len(given) != 2:
            raise ValueError(f"slope must give dL/dx and dL/dy, got {type(given).__name__}")
        if not np.isfinite(np.concatenate([np.ravel(part) for part in given])).all():
            return  # a slope that is not defined everywhere is somebody's experiment
        coarse, fine = (_differences(value, window, share)(x, y) for share in (1e-5, 1e-6))
        scale = max(float(np.max(np.abs(d[np.isfinite(d)]), initial=0.0)) for d in coarse)
        rounding = 1e-9 * float(np.max(np.abs(losses[np.isfinite(losses)]), initial=0.0))
        for axis, ours, near, nearer in zip("xy", given, coarse, fine, strict=True):
            apart = np.abs(np.broadcast_to(np.asarray(ours, dtype=float), x.shape) - near)
            unsure = 10 * np.abs(near - nearer) + 1e-3 * scale + rounding / min(right - left, top - bottom)
            wrong = np.isfinite(apart) & (apart > unsure)
            if wrong.any():
                at = int(np.argmax(wrong))
                raise ValueError(
                    f"slope must be the derivative of the loss, but dL/d{axis} at ({x[at]:.3g}, {y[at]:.3g}) is "
                    f"{near[at]:.3g}, got {np.broadcast_to(ours, x.shape)[at]:.3g}; leave it out for differences"
                )


def _at_points(what: str, function: Callable, x: Array, y: Array) -> Any:
    try:
        return function(x, y)
    except Exception as error:
        raise TypeError(
            f"{what} must be a function of x and y that takes arrays (NumPy's functions do, those of math do not): "
            f"{type(error).__name__}: {error}"
        ) from error


def _points(p: ArrayLike) -> Array:
    p = np.asarray(p)
    if p.dtype.kind != "f":
        p = p.astype(np.float64)
    if p.ndim == 0 or p.shape[-1] != 2:
        raise ValueError(f"p must be points (x, y), an array of shape (..., 2), got shape {p.shape}")
    return p


def _axis_formula(l1: float, l2: float) -> str:
    return rf"\tfrac12 ({l1:g} x^2 + {l2:g} y^2)"


bowl = quadratic((1.0, 2.0), name="a bowl")

ravine = quadratic(
    (1.0, 25.0),
    name="a ravine",
    window=(-2.4, 2.4, -1.6, 1.6),
    starts=((-2.0, 1.0), (2.0, -1.2), (-1.5, -0.5)),
)

tilted_ravine = quadratic(
    (1.0, 50.0), np.pi / 6, name="a ravine at an angle", starts=((-1.8, -0.4), (1.7, 1.6), (-0.6, -1.8))
)


def _rosenbrock_slope(x: Array, y: Array) -> tuple[Array, Array]:
    above = y - x * x
    return -2 * (1 - x) - 400 * x * above, 200 * above


rosenbrock = Landscape(
    name="Rosenbrock's banana",
    formula=r"(1 - x)^2 + 100 (y - x^2)^2",
    value=lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    slope=_rosenbrock_slope,
    minima=((1.0, 1.0),),
    window=(-2.0, 2.0, -1.0, 3.0),
    starts=((-1.5, 1.5), (-0.5, 2.5), (1.6, -0.6)),
)


def _beale_terms(x: Array, y: Array) -> tuple[Array, Array, Array]:
    return 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y


def _beale(x: Array, y: Array) -> Array:
    r1, r2, r3 = _beale_terms(x, y)
    return r1 * r1 + r2 * r2 + r3 * r3


def _beale_slope(x: Array, y: Array) -> tuple[Array, Array]:
    r1, r2, r3 = _beale_terms(x, y)
    dx = 2 * (r1 * (y - 1) + r2 * (y * y - 1) + r3 * (y * y * y - 1))
    dy = 2 * x * (r1 + 2 * r2 * y + 3 * r3 * y * y)
    return dx, dy


beale = Landscape(
    name="Beale's function",
    formula=r"(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
    value=_beale,
    slope=_beale_slope,
    minima=((3.0, 0.5),),
    window=(-1.0, 4.5, -2.0, 2.0),
    starts=((1.0, 1.5), (0.5, -1.5), (4.0, -1.0)),
    saddles=((0.0, 1.0),),
)

himmelblau = Landscape(
    name="Himmelblau's function",
    formula=r"(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    value=lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    slope=lambda x, y: (
        4 * x * (x * x + y - 11) + 2 * (x + y * y - 7),
        2 * (x * x + y - 11) + 4 * y * (x + y * y - 7),
    ),
    minima=(
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286169),
        (3.584428340330492, -1.848126526964404),
    ),
    window=(-5.5, 5.5, -5.5, 5.5),
    starts=((0.0, 0.5), (-0.5, -1.0), (5.0, -5.0)),
    saddles=(
        (-3.073025750764390, -0.081353044287968),
        (0.086677504555396, 2.884254701174776),
        (3.385154183607021, 0.073851879837749),
        (-0.127961346730680, -1.953714980244577),
    ),
)

saddle = Landscape(
    name="a saddle between two valleys",
    formula=r"\tfrac12 x^2 - \tfrac12 y^2 + \tfrac14 y^4",
    value=lambda x, y: 0.5 * x * x - 0.5 * y * y + 0.25 * y * y * y * y,
    slope=lambda x, y: (x, y * y * y - y),
    minima=((0.0, 1.0), (0.0, -1.0)),
    window=(-2.0, 2.0, -1.7, 1.7),
    starts=((-1.6, 0.001), (1.6, 0.0), (-1.2, -0.3)),
    saddles=((0.0, 0.0),),
)

plateau = Landscape(
    name="a plateau around a pit",
    formula=r"1 - e^{-(x^2 + y^2)/2}",
    value=lambda x, y: -np.expm1(-0.5 * (x * x + y * y)),
    slope=lambda x, y: (x * np.exp(-0.5 * (x * x + y * y)), y * np.exp(-0.5 * (x * x + y * y))),
    minima=((0.0, 0.0),),
    window=(-5.0, 5.0, -5.0, 5.0),
    starts=((-4.0, 2.0), (-2.5, -2.0), (1.5, 0.8)),
)

double_well = Landscape(
    name="two wells, one deeper",
    formula=r"(x^2 - 1)^2 + 0.3 x + \tfrac12 y^2",
    value=lambda x, y: (x * x - 1) ** 2 + 0.3 * x + 0.5 * y * y,
    slope=lambda x, y: (4 * x * (x * x - 1) + 0.3, 1.0 * y),
    minima=((-1.035578714088854, 0.0), (0.960149555519106, 0.0)),
    window=(-1.8, 1.8, -1.4, 1.4),
    starts=((1.6, 0.9), (0.3, -1.1), (-1.5, 1.0)),
    saddles=((0.075429158569748, 0.0),),
)

three_hump_camel = Landscape(
    name="the three-hump camel",
    formula=r"2x^2 - 1.05x^4 + \tfrac16 x^6 + xy + y^2",
    value=lambda x, y: 2 * x * x - 1.05 * x * x * x * x + x * x * x * x * x * x / 6 + x * y + y * y,
    slope=lambda x, y: (4 * x - 4.2 * x * x * x + x * x * x * x * x + y, x + 2 * y),
    minima=((0.0, 0.0), (-1.747552345830289, 0.873776172915145), (1.747552345830289, -0.873776172915145)),
    window=(-2.3, 2.3, -2.0, 2.0),
    starts=((-2.0, -1.5), (2.1, 1.2), (-1.2, 1.8)),
    saddles=((-1.070542291823660, 0.535271145911830), (1.070542291823660, -0.535271145911830)),
)

_RASTRIGIN_DIPS = (0.0, -0.994958637652335, 0.994958637652335, -1.989912233708550, 1.989912233708550)

rastrigin = Landscape(
    name="Rastrigin's egg carton",
    formula=r"20 + x^2 + y^2 - 10\cos 2\pi x - 10\cos 2\pi y",
    value=lambda x, y: 20 + x * x + y * y - 10 * np.cos(2 * np.pi * x) - 10 * np.cos(2 * np.pi * y),
    slope=lambda x, y: (
        2 * x + 20 * np.pi * np.sin(2 * np.pi * x),
        2 * y + 20 * np.pi * np.sin(2 * np.pi * y),
    ),
    minima=tuple((x, y) for x in _RASTRIGIN_DIPS for y in _RASTRIGIN_DIPS),
    window=(-2.6, 2.6, -2.6, 2.6),
    starts=((-2.2, 1.7), (2.3, 2.3), (-0.7, -1.4)),
)

LANDSCAPES = (
    bowl,
    ravine,
    tilted_ravine,
    rosenbrock,
    beale,
    himmelblau,
    saddle,
    plateau,
    double_well,
    three_hump_camel,
    rastrigin,
)
