"""The table behind an explorer: what the optimizer did at every setting, and how it travels to the page.

Points are kept to 1/4096 of the picture, losses to exactly three significant digits: what a reader can see. Neighboring
steps are alike, so second differences are small numbers, and zlib packs them to about a byte each.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optim_lib.landscapes import Landscape

Array = NDArray[np.floating]

# Points: units across the picture, and how far outside (in pictures, from its center) a point is still kept apart.
UNITS = 4096
REACH = 7.0

# Losses: a code is (exponent, mantissa of three digits); smaller losses are rounding errors and are drawn as this one.
SMALLEST = 1e-16
LARGEST = 9.99e36
LEAST_EXPONENT = -16
DIVERGED = 65535

# Values on a linear axis: this many steps between the lowest and the highest.
STEPS = 65_000

# The field of contours: samples a side, and the range of the integers that hold it.
SAMPLES = 128
FIELD_RANGE = 2**24 - 1


@dataclass(frozen=True)
class Series:
    """The runs of one optimizer from every start at every setting.

    Attributes
    ----------
    label : str
        The optimizer's name in legends and sentences.
    axes : tuple of int
        Which of the figure's axes this optimizer has.
    points : ndarray of shape (starts, *own grid, steps + 1, 2)
    gaps : ndarray of shape (starts, *own grid, steps + 1)
        The loss above the figure's floor; infinite from a divergence on.
    note : str
        What a legend adds to the label, such as the factor on a shared learning rate.
    """

    label: str
    axes: tuple[int, ...]
    points: Array
    gaps: Array
    note: str = ""


@dataclass(frozen=True)
class Table:
    """All runs behind a figure. Arrays that quests see have the shape (starts, *grid, ...)."""

    landscape: Landscape
    starts: Array
    steps: int
    axes: dict[str, Array]
    series: Sequence[Series]
    floor: float
    initial: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.starts), *(values.size for values in self.axes.values()))

    @property
    def labels(self) -> list[str]:
        return [series.label for series in self.series]

    def named(self, label: str | None) -> list[Series]:
        """The series of that label, or all of them for None."""
        if label is None:
            return list(self.series)
        chosen = [series for series in self.series if series.label == label]
        if not chosen:
            raise ValueError(f"by must be one of {', '.join(map(repr, self.labels))}, got {label!r}")
        return chosen

    def spread(self, series: Series, values: Array) -> Array:
        """An array over a series' own settings, repeated over the axes that it does not have."""
        own = len(series.axes)
        shape = [1] * len(self.axes)
        for position, axis in enumerate(series.axes):
            shape[axis] = values.shape[1 + position]
        tail = values.shape[1 + own :]
        return np.broadcast_to(values.reshape(values.shape[0], *shape, *tail), (*self.shape, *tail))

    def gaps(self, series: Series) -> Array:
        """The loss above the floor at every step: (starts, *grid, steps + 1)."""
        return self.spread(series, series.gaps)

    def ends(self, series: Series) -> Array:
        """The final loss above the floor: (starts, *grid)."""
        return self.gaps(series)[..., -1]

    def points(self, series: Series) -> Array:
        """Every point: (starts, *grid, steps + 1, 2)."""
        return self.spread(series, series.points)

    def diverged(self, series: Series) -> NDArray[np.bool_]:
        return ~np.isfinite(self.ends(series))

    def axis(self, name: str) -> int:
        if name not in self.axes:
            raise ValueError(f"axis must be one of the figure's axes {', '.join(self.axes)}, got {name!r}")
        return list(self.axes).index(name)

    def nearest(self, name: str, value: float) -> int:
        """The index along an axis of the value nearest to `value`; an error if none is near."""
        values = self.axes[list(self.axes)[self.axis(name)]]
        index = int(np.argmin(np.abs(values - value)))
        margin = np.abs(np.diff(values)).max() if values.size > 1 else 0.0
        if not abs(values[index] - value) <= margin + 1e-12:
            raise ValueError(f"{name}={value!r} is outside the axis, {values.min():g} to {values.max():g}")
        return index


def floor_of(landscape: Landscape, losses: Sequence[Array]) -> float:
    """The loss that plots and quests measure from: the landscape's lowest, or 0 if it has no listed minimum."""
    seen = min((float(np.min(values)) for values in losses), default=0.0)
    lowest = landscape.lowest if len(landscape.minima) else 0.0
    tolerance = 1e-9 * max(1.0, abs(lowest))
    if abs(lowest) < 1e-12:
        lowest = 0.0
    return lowest if seen >= lowest - tolerance else seen


def loss_codes(gaps: Array) -> NDArray[np.uint16]:
    """Losses rounded to three significant digits, as 900 codes a decade; 65535 for a run that has diverged."""
    alive = np.isfinite(gaps)
    clipped = np.clip(np.where(alive, gaps, 1.0), SMALLEST, LARGEST)
    exponent = np.floor(np.log10(clipped)).astype(np.int64)
    mantissa = np.rint(clipped / 10.0 ** (exponent - 2.0)).astype(np.int64)
    codes = (exponent - LEAST_EXPONENT) * 900 + mantissa - 100
    return np.where(alive, np.clip(codes, 0, DIVERGED - 1), DIVERGED).astype(np.uint16)


def code_losses(codes: NDArray[np.uint16]) -> Array:
    """The losses that codes stand for."""
    codes = codes.astype(np.int64)
    losses = (codes % 900 + 100) * 10.0 ** (codes // 900 + LEAST_EXPONENT - 2.0)
    return np.where(codes == DIVERGED, np.inf, losses)


def picture(window: Sequence[float], aspect: float) -> tuple[float, float, float, float]:
    """The window widened or heightened to an aspect ratio, at one scale for both axes where that is sensible."""
    left, right, bottom, top = map(float, window)
    width, height = right - left, top - bottom
    if not 1 / 3 <= width / height <= 3:
        return left, right, bottom, top
    extra_x, extra_y = max(0.0, height * aspect - width) / 2, max(0.0, width / aspect - height) / 2
    return left - extra_x, right + extra_x, bottom - extra_y, top + extra_y


def point_units(points: Array, view: Sequence[float]) -> NDArray[np.int16]:
    """Points in units of the picture, from its lower left; far ones are drawn in along the ray from the center."""
    left, right, bottom, top = view
    with np.errstate(all="ignore"):
        offset = (points - [(left + right) / 2, (bottom + top) / 2]) / [right - left, top - bottom]
    offset = _hold_last(offset)
    distance = np.abs(offset).max(axis=-1, keepdims=True)
    offset = offset * np.minimum(1.0, REACH / np.maximum(distance, REACH))
    return np.rint((offset + 0.5) * UNITS).astype(np.int16)


def _hold_last(points: Array) -> Array:
    """A diverged run stays where it was last seen: the page does not draw it, and equal points pack to nothing."""
    alive = np.isfinite(points).all(axis=-1)
    steps = np.where(alive, np.arange(points.shape[-2]), 0)
    last = np.maximum.accumulate(steps, axis=-1)
    return np.nan_to_num(np.take_along_axis(points, last[..., None], axis=-2))


def pack_rows(values: NDArray[np.integer]) -> bytes:
    """16-bit rows as second differences along the last axis, zigzag, high bytes first."""
    words = values.astype(np.uint16)
    residual = np.diff(np.diff(words, axis=-1, prepend=np.uint16(0)), axis=-1, prepend=np.uint16(0)).view(np.int16)
    return _planes(((residual << 1) ^ (residual >> 15)).view(np.uint16).ravel(), 2)


def unpack_rows(data: bytes, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """The inverse of `pack_rows`, as the page does it."""
    packed = _words(data, 2).astype(np.uint16)
    residual = (packed >> 1) ^ (np.uint16(0) - (packed & 1))
    once = np.cumsum(residual.reshape(shape), axis=-1, dtype=np.uint16)
    return np.cumsum(once, axis=-1, dtype=np.uint16)


def pack_field(field: NDArray[np.integer]) -> bytes:
    """24-bit samples as third differences along both axes, zigzag, high bytes first."""
    residual = field.astype(np.int64)
    for axis in (0, 1):
        for _ in range(3):
            residual = np.diff(residual, axis=axis, prepend=0)
    residual = ((residual + 2**23) & 0xFFFFFF) - 2**23
    return _planes(((residual << 1) ^ (residual >> 23)).astype(np.uint32).ravel() & 0xFFFFFF, 3)


def unpack_field(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint32]:
    """The inverse of `pack_field`, as the page does it."""
    packed = _words(data, 3).astype(np.int64)
    field = ((packed >> 1) ^ -(packed & 1)).reshape(shape)
    for axis in (0, 1):
        for _ in range(3):
            field = np.cumsum(field, axis=axis)
    return (field & 0xFFFFFF).astype(np.uint32)


def sample_places(view: Sequence[float]) -> tuple[Array, Array]:
    """Where a picture's samples lie (rows from the bottom up)."""
    left, right, bottom, top = view
    # One sample more on each side than the picture is wide: the page interpolates with four neighbors.
    places = np.arange(-1, SAMPLES - 1) / (SAMPLES - 3)
    x, y = np.meshgrid(left + places * (right - left), bottom + places * (top - bottom))
    return x, y


def sample_field(landscape: Landscape, view: Sequence[float], floor: float) -> tuple[NDArray[np.uint32], float, float]:
    """The surface's samples (rows from the bottom up), the loss that the largest stands for, and the bands' exponent.

    Bands are even in ``(loss / largest) ** exponent``; the exponent puts the median of the picture near the middle.
    """
    x, y = sample_places(view)
    with np.errstate(all="ignore"):
        gap = np.asarray(landscape.loss(np.stack([x, y], axis=-1)), dtype=np.float64) - floor
    gap = np.maximum(np.nan_to_num(gap, nan=np.nanmax(gap[np.isfinite(gap)])), 0.0)
    # A little above the highest sample: a plateau at the top, level to rounding, would flicker between two bands.
    largest = 1.0001 * float(gap.max()) or 1.0
    middle = float(np.median(gap)) / largest
    exponent = float(np.clip(np.log(0.5) / np.log(np.clip(middle, 1e-9, 0.999)), 0.15, 1.0))
    return np.rint(gap / largest * FIELD_RANGE).astype(np.uint32), largest, exponent


def pack(parts: Sequence[bytes]) -> bytes:
    return zlib.compress(b"".join(parts), 9)


def _planes(words: NDArray[np.unsignedinteger], count: int) -> bytes:
    return b"".join(((words >> 8 * k) & 255).astype(np.uint8).tobytes() for k in reversed(range(count)))


def _words(data: bytes, count: int) -> NDArray[np.unsignedinteger]:
    planes = np.frombuffer(data, dtype=np.uint8).reshape(count, -1).astype(np.uint32)
    return sum(plane << 8 * (count - 1 - k) for k, plane in enumerate(planes))
