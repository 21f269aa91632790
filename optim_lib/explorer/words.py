"""Numbers as the explorer writes them: the values of an axis, its ticks, and losses."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer.table import DIVERGED, LEAST_EXPONENT

LETTERS = "ABCDEFGHIJ"

Values = NDArray[np.floating]


def number(value: float, digits: int = 3) -> str:
    """A number to `digits` significant digits, without padding: 0.0316, 1e-5, 1200; with more if it is just under 1."""
    value = float(value)
    # What matters of a decay such as 0.9995 is how far it is from 1.
    while 0.5 < value < 1 and digits < 16 and abs(value - float(f"{value:.{digits}g}")) > 0.02 * (1 - value):
        digits += 1
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    if 1e-5 < abs(value) < 1e6:
        return np.format_float_positional(float(text), trim="-")
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent)}"


def labels(values: Values) -> list[str]:
    """One label for each value, with as few digits as tell them all apart (three at least)."""
    for digits in range(3, 17):
        written = [number(value, digits) for value in values]
        if len(set(written)) == len(set(values.tolist())):
            return written
    return [repr(float(value)) for value in values]


def words(name: str) -> str:
    """An argument's name as words: learning_rate becomes learning rate."""
    return name.replace("_", " ")


def listed(items: Sequence[str]) -> str:
    """Words in a row: "a, b and c"."""
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


def typographic(text: str) -> str:
    """Straight quotation marks and apostrophes as they are printed."""
    text = re.sub(r'(^|[\s(\u2014])"', "\\1\u201c", text).replace('"', "\u201d")
    return re.sub(r"(^|[\s(\u2014\u201c])'", "\\1\u2018", text).replace("'", "\u2019")


def slug(text: str) -> str:
    """A name for addresses and stores: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "").replace("\u2019", "")).strip("-")


def loss_text(code: int) -> str:
    """The loss that a code of the table stands for, as the figures write it."""
    if code == DIVERGED:
        return "diverged"
    if code == 0:
        return "under 1e-16"
    digits, exponent = str(code % 900 + 100), code // 900 + LEAST_EXPONENT
    if -4 <= exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits.rstrip("0")
    if 2 <= exponent < 6:
        return digits + "0" * (exponent - 2)
    whole = digits[: exponent + 1] if 0 <= exponent < 2 else digits[0]
    rest = digits[len(whole) :].rstrip("0")
    number = f"{whole}.{rest}" if rest else whole
    return number if 0 <= exponent < 2 else f"{number}e{exponent}"


def plain_number(value: float, span: float) -> str:
    """A number as exact as a reader can see it on an axis of this span."""
    if abs(value) < 1e-9 * span:
        return "0"
    digits = int(np.clip(np.ceil(np.log10(abs(value) / span)) + 3, 2, 6))
    rounded = float(f"{value:.{digits}g}")
    if abs(rounded) < 1e-4 or abs(rounded) >= 1e6:
        mantissa, exponent = f"{rounded:e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = np.format_float_positional(rounded, trim="-")
    return text.replace("-", "\u2212")


def scale(values: Values) -> str:
    """How an axis is spaced: 'log', 'linear', or 'index' if it is neither (or not increasing)."""
    steps = np.diff(values)
    if values.size < 3 or not np.all(steps > 0):
        return "index"
    if np.allclose(steps, steps.mean(), rtol=1e-3):
        return "linear"
    if values[0] > 0 and np.allclose(np.diff(np.log(values)), np.log(values[-1] / values[0]) / steps.size, rtol=1e-2):
        return "log"
    return "index"


def position(values: Values, wanted: Values | float) -> Values:
    """Where values lie along an axis, in (fractional) numbers of cells; NaN outside it."""
    values, wanted = np.asarray(values, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if values.size == 1:
        return np.where(np.isclose(wanted, values[0]), 0.0, np.nan)
    if np.any(np.diff(values) <= 0):
        order = np.argsort(values)
        return np.interp(wanted, values[order], order.astype(float), left=np.nan, right=np.nan)
    if scale(values) == "log":
        with np.errstate(all="ignore"):
            values, wanted = np.log(values), np.log(wanted)
    # Half a cell of margin, so that a line may run to the edge of the map.
    step_low, step_high = values[1] - values[0], values[-1] - values[-2]
    padded = np.concatenate([[values[0] - step_low / 2], values, [values[-1] + step_high / 2]])
    cells = np.concatenate([[-0.5], np.arange(values.size), [values.size - 0.5]])
    return np.interp(wanted, padded, cells, left=np.nan, right=np.nan)


def ticks(values: Values) -> list[tuple[float, str]]:
    """Ticks (position, label) of an axis, the most important first; a drawing drops those that do not fit."""
    kind = scale(values)
    if kind == "index":
        order = _ends_first(values.size)
        written = labels(values)
        return [(float(i), written[i]) for i in order]
    candidates = _log_ticks(values) if kind == "log" else _linear_ticks(values)
    places = np.round(position(values, np.array(candidates)), 3)
    return [(float(p), number(v)) for p, v in zip(places, candidates, strict=True) if 0 <= p <= values.size - 1]


def _log_ticks(values: Values) -> list[float]:
    low, high = int(np.floor(np.log10(values[0]))), int(np.ceil(np.log10(values[-1])))
    decades = [10.0**k for k in range(low, high + 1)]
    between = [m * 10.0**k for k in range(low, high + 1) for m in (3, 2, 5)]
    return decades + (between if high - low <= 3 else [])


def _linear_ticks(values: Values) -> list[float]:
    span = values[-1] - values[0]
    unit = 10.0 ** np.floor(np.log10(span / 2))
    step = next(unit * m for m in (1, 2, 5, 10) if span / (unit * m) <= 5)
    first = np.ceil(values[0] / step - 0.5)
    count = int(np.floor((values[-1] - first * step) / step + 0.6)) + 1
    inside = [float(np.round((first + k) * step, 12)) for k in range(count)]
    return inside[::2] + inside[1::2]


def _ends_first(count: int) -> list[int]:
    order = [0, count - 1, (count - 1) // 2, *range(count)]
    return list(dict.fromkeys(order))
