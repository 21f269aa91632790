"""Ticks, ranges and boxes of the small charts, as the page has them too (``js/axes.js``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer.words import plain_number

# A chart of losses shows at least this many decades, in steps of a quarter.
LEAST_DECADES = 0.5
QUARTER = 0.25
# How far above its start a run is followed, in decades: those that diverge go on for ever.
ABOVE_START = 1.0


@dataclass(frozen=True)
class Box:
    """The inside of a chart, and where values lie in it."""

    left: float
    top: float
    width: float
    height: float
    low: float = 0.0
    high: float = 1.0

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def y(self, value: float) -> float:
        """The height of a value, kept a little outside of the box at most."""
        at = self.bottom - (value - self.low) / (self.high - self.low) * self.height
        return min(max(at, self.top - 40), self.bottom + 2)


def loss_range(runs: Sequence[NDArray[np.floating]]) -> tuple[float, float]:
    """The decades that a chart of these runs shows: their own, up to a decade above where they start."""
    seen = np.concatenate(runs)
    high = min(float(seen.max()), max(float(run[0]) for run in runs) + ABOVE_START)
    low, high = math.floor(float(seen.min()) / QUARTER) * QUARTER, math.ceil(high / QUARTER) * QUARTER
    missing = max(0.0, LEAST_DECADES - (high - low)) / 2
    return low - missing, high + missing


def decades(low: float, high: float, most: int) -> list[tuple[float, str | int]]:
    """Ticks of a logarithmic axis: (decade, label), where a whole number stands for a power of ten."""
    span = high - low
    if span >= 2.2:
        step = math.ceil(span / most)
        return [(k * step, k * step) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    digits = [1, 1.5, 2, 3, 5, 7] if span < 0.8 else [1, 2, 5] if span < 1.4 else [1, 3]
    at = [(k + math.log10(m), m * 10.0**k) for k in range(math.floor(low), math.floor(high) + 1) for m in digits]
    return [(place, plain_power(value)) for place, value in at if low <= place <= high]


def plain_power(value: float) -> str:
    """A tick of a logarithmic axis in plain figures."""
    rounded = float(f"{value:.2g}")
    if 1e-6 <= rounded < 1e21:
        return np.format_float_positional(rounded, trim="-")
    mantissa, exponent = f"{rounded:e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values inside a linear axis."""
    unit = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(m * unit for m in (1, 2, 5, 10) if (high - low) / (m * unit) <= most)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def linear_labels(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round values inside a linear axis, with their labels."""
    return [(value, plain_number(value, high - low)) for value in round_ticks(low, high, most)]


def step_ticks(steps: int) -> list[int]:
    """Steps to name below a chart: four stretches at most."""
    units = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000)
    unit = next((unit for unit in units if steps / unit <= 4.01), steps)
    return list(range(0, steps + 1, unit))
