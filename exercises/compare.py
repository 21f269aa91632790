"""How checks compare, and how they say what is different.

A check raises :class:`Wrong` with a sentence for the student. The helpers here raise it for everything
that can be said without knowing the exercise: a missing return, a wrong shape, a NaN, a constant factor.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Set
from numbers import Number
from typing import Any

import numpy as np

RTOL = 1e-9
NO_ROUNDING = "Rounding alone is far smaller."
# Beside the numbers expected, this is nothing: the rest of a sum, which each processor rounds to another.
NOTHING = 1e-12


class Wrong(Exception):
    """The answer is wrong; the message is the feedback."""


class NotAttempted(Exception):
    """The answer still holds the starter's ``...``."""


def close(
    actual: Any,
    expected: Any,
    what: str,
    *,
    rtol: float = RTOL,
    accept: Iterable[tuple[Any, str]] = (),
    mistakes: Iterable[tuple[Any, str]] = (),
) -> str | None:
    """Compare numbers, arrays, or dicts and sequences of them; raise `Wrong` with what is different.

    The error allowed is `rtol` times the largest number expected, so that elements which happen to be near
    zero are not held to a tighter standard than the arithmetic can meet.

    Parameters
    ----------
    actual : what the student computed.
    expected : number, array, or a dict, list or tuple of these.
    what : str
        The subject of the feedback's sentence: ``"the first step"``.
    rtol : float
        Relative error allowed.
    accept : pairs (value, note)
        Other conventions' values, accepted too. The note of the one met is returned, to be shown.
    mistakes : pairs (value, sentence)
        Values that known mistakes give; the sentence is raised. A value may be a function of no arguments.

    Returns
    -------
    str or None
        The note of the accepted convention that was met. ``return close(...)`` from a check to show it.

    Raises
    ------
    Wrong, NotAttempted
    """
    try:
        _compare(actual, expected, what, rtol)
    except Wrong as wrong:
        for value, note in accept:
            if _is_close(actual, value, rtol):
                return note
        for value, sentence in mistakes:
            if _is_close(actual, value, rtol):
                raise Wrong(f"{sentence} ({_sentence(str(wrong))})") from None
        raise
    return None


def outputs(result: Any, *names: str) -> tuple:
    """Check that a function returned one thing for each of `names`, and return them.

    A tuple, a list, an array with one row for each, a generator: whatever can be unpacked in this order.

    >>> theta, m = outputs((1.0, 2.0), "theta", "m")
    """
    expected = f"{len(names)} things, ({', '.join(names)})"
    things = listed(result)
    if things is None:
        raise Wrong(f"The function should return {expected}; yours returned {kind_of(result)}.")
    if len(things) != len(names):
        raise Wrong(f"The function should return {expected}; yours returned {len(things)}.")
    return tuple(things)


def listed(value: Any) -> list | None:
    """The items of a list, a tuple, an array, an iterator or the like, in order; None of anything else."""
    if isinstance(value, str | bytes | Mapping | Set) or (isinstance(value, np.ndarray) and not value.ndim):
        return None
    if not isinstance(value, np.ndarray | Iterable) and not hasattr(value, "__getitem__"):
        return None
    try:
        return list(value)
    except TypeError:
        return None


def word(actual: Any, what: str, *known: str) -> str:
    """The one of the `known` words that `actual` is, whatever its case and the blanks around it.

    >>> word(" Saddle", "the answer", "saddle", "minimum")
    'saddle'
    """
    if actual is ...:
        raise NotAttempted
    if isinstance(actual, str):
        plain = " ".join(str.__str__(actual).split()).strip("\"'.").casefold()
        for each in known:
            if plain == each.casefold():
                return each
    *most, last = map(repr, known)
    choice = f"{', '.join(most)} or {last}" if most else last
    raise Wrong(f"{upper(what)} should be {choice}; it is {kind_of(actual)}.")


def entry(answers: Any, key: str, what: str) -> Any:
    """The answer under `key` in a dict of answers, whatever the case of its keys and the blanks around them.

    >>> entry({"a ": 1, "B": 2}, "A", "`answers`")
    1
    """
    if not isinstance(answers, Mapping):
        raise Wrong(f"{upper(what)} should be a dict; it is {kind_of(answers)}.")
    for each, answer in answers.items():
        if isinstance(each, str) and each.strip().casefold() == key.casefold():
            return answer
    raise Wrong(f"{upper(what)} lacks {key!r}.")


def numeric(actual: Any, what: str) -> np.ndarray:
    """`actual` as an array of numbers, or `Wrong` when it is not made of real numbers."""
    if actual is None:
        raise Wrong(f"{upper(what)} is None: is a `return` or an assignment missing?")
    if actual is ...:
        raise NotAttempted
    items = list(actual) if isinstance(actual, Iterator | MappingView) else actual
    try:
        array = np.asarray(items)
        if array.dtype == object:
            array = _of_objects(array)
        elif array.dtype.kind == "c" and not array.imag.any():
            array = array.real
    except (ValueError, TypeError, RuntimeError):
        raise Wrong(f"{upper(what)} should be numbers; it is {kind_of(actual)}.") from None
    if array.dtype.kind not in "buif":
        raise Wrong(f"{upper(what)} should be numbers; it is {kind_of(actual)}.")
    return array


def _of_objects(array: np.ndarray) -> np.ndarray:
    """An array of fractions, decimals and the like as floats."""
    if any(item is ... for item in array.flat):
        raise NotAttempted
    if not all(isinstance(item, Number) for item in array.flat):
        raise TypeError
    return array.astype(float)


def single(actual: Any, what: str) -> float:
    """`actual` as one finite number, or `Wrong`."""
    array = numeric(actual, what)
    if array.shape != ():
        raise Wrong(f"{upper(what)} {_shape(array)}; a single number is expected.")
    finite(array, what)
    return float(array)


def vector(actual: Any, length: int, what: str) -> np.ndarray:
    """`actual` as a one-dimensional array of `length` numbers, or `Wrong`."""
    array = numeric(actual, what)
    if array.shape != (length,):
        raise Wrong(f"{upper(what)} {_shape(array)}; shape ({length},) is expected.")
    return array


def difference(after: Any, before: np.ndarray, what: str) -> np.ndarray:
    """How far `what` has moved: `after` minus `before`, or `Wrong` when `after` is no array of its shape."""
    array = numeric(after, what)
    if array.shape != np.shape(before):
        raise Wrong(f"{upper(what)} {_shape(array)}; {_shape_expected(np.asarray(before))} is expected.")
    return array - before


def finite(array: np.ndarray, what: str) -> None:
    """Raise `Wrong` when `array` holds a NaN or an infinity."""
    bad = ~np.isfinite(array)
    if not bad.any():
        return
    name = "NaN (not a number)" if np.isnan(array).any() else "infinity"
    where = "" if array.ndim == 0 else f" in {bad.sum()} of {array.size} places"
    raise Wrong(f"{upper(what)} is {name}{where}: look for a division by zero or the root of a negative number.")


def describe_difference(actual: np.ndarray, expected: np.ndarray, what: str) -> str:
    """One sentence on how `actual` differs from `expected`; both finite and of one shape."""
    what = upper(what)
    size = _size(expected)
    actual, expected = _without_rests(actual, size), _without_rests(expected, size)
    if _size(actual) == 0:
        return f"{what} is zero; {_values(expected)} is expected."
    factor = _common_factor(actual, expected)
    if factor is not None:
        return f"{what} {_factor_words(factor)}: {_both(actual, expected)}."
    if actual.size > 1 and size and np.ptp(actual - expected) <= 1e-6 * np.abs(actual - expected).max():
        return f"{what} is off by {number((actual - expected).flat[0])}, the same in every place."
    if actual.ndim == 2 and actual.shape == actual.T.shape and np.allclose(actual.T, expected, RTOL, RTOL * size):
        return f"{what} is transposed: rows and columns are exchanged."
    error = np.abs(actual - expected)
    relative = error.max() / size if size else np.inf
    if relative < 1e-4:
        return (
            f"{what} is close but not equal: the largest difference is {error.max():.2g}, "
            f"{relative:.1e} of the size expected. {NO_ROUNDING}"
        )
    if actual.ndim == 0:
        return f"{what} is {number(actual)}; {number(expected)} is expected."
    worst = np.unravel_index((error > (1 - RTOL) * error.max()).argmax(), error.shape)  # the first of equals
    wrong = int((error > RTOL * size).sum())
    index = ", ".join(map(str, worst))
    return (
        f"{what} is wrong in {wrong} of {actual.size} places; the largest difference is at [{index}]: "
        f"yours is {number(actual[worst])}, expected is {number(expected[worst])}."
    )


def number(value: Any) -> str:
    """A number as feedback shows it: four significant digits."""
    return f"{float(value):.4g}"


def plural(count: int, noun: str) -> str:
    """A count with its noun: ``plural(2, "point")`` is "2 points"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def kind_of(value: Any) -> str:
    """What a value is, in words: "an array of shape (3,)", "the text 'abc'", "a function"."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        of_type = "" if value.dtype.kind in "buif" else f" and type {value.dtype}"
        return f"an array of shape {value.shape}{of_type}"
    if isinstance(value, str):
        return f"the text {value[:20]!r}"
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.integer | np.floating):
        return f"the number {number(value)}"
    if isinstance(value, tuple | list | dict | set):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value):
        return "a function"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def upper(sentence: str) -> str:
    """`sentence` with its first letter in upper case, unless it begins with code."""
    return sentence[:1].upper() + sentence[1:]


def _compare(actual: Any, expected: Any, what: str, rtol: float) -> None:
    if isinstance(expected, Mapping):
        _compare_mapping(actual, expected, what, rtol)
        return
    if isinstance(expected, list | tuple):
        _compare_sequence(actual, expected, what, rtol)
        return
    expected = np.asarray(expected)
    array = numeric(actual, what)
    if array.shape != expected.shape:
        raise Wrong(f"{upper(what)} {_shape(array)}; {_shape_expected(expected)} is expected.")
    if np.array_equal(array, expected, equal_nan=True):
        return
    finite(array, what)
    precision = np.finfo(array.dtype) if array.dtype in (np.float16, np.float32) else None
    if array.dtype == np.float32:
        rtol = max(rtol, 16 * float(precision.eps))
    array, expected = array.astype(float), expected.astype(float)
    error, size = np.abs(array - expected).max(initial=0.0), max(_size(expected), np.finfo(float).tiny)
    if error <= rtol * size:
        return
    if precision and error < min(1e4 * float(precision.eps), 0.05) * size:
        raise Wrong(
            f"{upper(what)} is right to {error / size:.1e} only: yours is in {precision.dtype}, where rounding "
            f"adds up. Compute in NumPy's usual float64."
        )
    raise Wrong(describe_difference(array, expected, what))


def _compare_mapping(actual: Any, expected: Mapping, what: str, rtol: float) -> None:
    if actual is ...:
        raise NotAttempted
    if not isinstance(actual, Mapping):
        raise Wrong(f"{upper(what)} should be a dict; it is {kind_of(actual)}.")
    missing = [name for name in expected if name not in actual]
    extra = [name for name in actual if name not in expected]
    if missing or extra:
        problem = f"lacks {missing[0]!r}" if missing else f"has {extra[0]!r}, which does not belong there"
        raise Wrong(f"{upper(what)} {problem}.")
    for name, value in expected.items():
        _compare(actual[name], value, f"{what}, {name!r}," if len(expected) > 1 else what, rtol)


def _compare_sequence(actual: Any, expected: list | tuple, what: str, rtol: float) -> None:
    if actual is None or actual is ...:
        numeric(actual, what)
    items = listed(actual)
    if items is None:
        raise Wrong(f"{upper(what)} should be a sequence of {len(expected)}; it is {kind_of(actual)}.")
    if len(items) != len(expected):
        count = "1 entry" if len(items) == 1 else f"{len(items)} entries"
        raise Wrong(f"{upper(what)} has {count}; {len(expected)} are expected.")
    if isinstance(expected, list) and expected and all(_is_single(item) for item in [*items, *expected]):
        _compare(items, np.array(expected), what, rtol)  # one scale for all: an expected zero is not exact
        return
    for index, (one, other) in enumerate(zip(items, expected, strict=True)):
        _compare(one, other, f"{what}, entry {index},", rtol)


def _is_single(item: Any) -> bool:
    try:
        return np.ndim(item) == 0
    except ValueError:  # a ragged list
        return False


def _is_close(actual: Any, value: Any, rtol: float) -> bool:
    value = value() if isinstance(value, Callable) else value
    try:
        _compare(actual, value, "", rtol)
    except (Wrong, NotAttempted):
        return False
    return True


def _without_rests(array: np.ndarray, size: float) -> np.ndarray:
    """The array with a plain zero where a number is nothing beside `size`."""
    return np.where(np.abs(array) <= NOTHING * size, 0.0, array)


def _size(array: np.ndarray) -> float:
    return float(np.abs(array).max(initial=0.0))


def _common_factor(actual: np.ndarray, expected: np.ndarray) -> float | None:
    """The factor between the two, when one factor explains every element."""
    size = _size(expected)
    if not size:
        return None
    factor = float((actual * expected).sum() / (expected**2).sum())
    misfit = np.abs(actual - factor * expected).max() / (max(abs(factor), 1e-300) * size)
    return factor if misfit <= 1e-3 * min(1.0, abs(factor - 1)) and abs(factor - 1) > 1e-4 else None


def _factor_words(factor: float) -> str:
    if abs(factor + 1) < 1e-6:
        return "has the opposite sign"
    sign = "has the opposite sign and " if factor < 0 else ""
    factor = abs(factor)
    size = f"{number(factor)} times too large" if factor > 1 else f"{number(1 / factor)} times too small"
    return f"{sign}is {size}"


def _both(actual: np.ndarray, expected: np.ndarray) -> str:
    """Both numbers; of a long array, those where the largest is expected."""
    if actual.size <= 4:
        return f"yours is {_values(actual)}, expected is {_values(expected)}"
    place = np.unravel_index(np.abs(expected).argmax(), expected.shape)
    index = ", ".join(map(str, place))
    return f"at [{index}] yours is {number(actual[place])}, expected is {number(expected[place])}"


def _values(array: np.ndarray) -> str:
    if array.ndim == 0:
        return number(array)
    flat = array.ravel()
    shown = ", ".join(number(value) for value in flat[:4])
    return f"[{shown}{', ...' if flat.size > 4 else ''}]"


def _shape(array: np.ndarray) -> str:
    return "is a single number" if array.ndim == 0 else f"has shape {array.shape}"


def _shape_expected(array: np.ndarray) -> str:
    return "a single number" if array.ndim == 0 else f"shape {array.shape}"


def _sentence(text: str) -> str:
    return upper(text).rstrip(".")
