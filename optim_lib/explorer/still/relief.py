"""A surface as it is first seen, and from above."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.boards import from_span
from optim_lib.explorer.state import FigureState
from optim_lib.explorer.still.contours import contours
from optim_lib.explorer.still.pieces import circle, haloed, line, marker, path, plus, short, text
from optim_lib.palette import BANDS

FINE = 4
# Every second sample is enough for a picture that stands still.
COARSE = 2
DARKEST = 0.34


def relief(state: FigureState, width: float, height: float) -> list[str]:
    """The surface from the side."""
    spec = state.spec
    at = _projected(state, width, height)
    x, y = (_profile(state, axis)[1:-1][::COARSE] for axis in (0, 1))
    n = len(x)
    places = np.linspace(-spec["reach"], spec["reach"], n)
    parts, cell = [], places[1] - places[0]
    low, high = float(x.min() + y.min()), float(x.max() + y.max())
    for j in reversed(range(n - 1)):
        for i in reversed(range(n - 1)):
            around = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            band = round(BANDS * _tone(float(np.mean([x[k] + y[m] for k, m in around])), low, high))
            slopes = [(own[k + 1] - own[k]) / cell * spec["reach"] * 1.25 / spec["tall"] for own, k in ((x, i), (y, j))]
            corners = [at(places[k], places[m], x[k] + y[m]) for k, m in around]
            mix = f"color-mix(in srgb, var(--uo-ink) {100 * _shade(*slopes):.0f}%, var(--uo-band-{band}))"
            parts.append(f'<path class="uo-cell" style="fill: {mix}" d="{line(corners)}z"/>')
    walk = [at(px, py, z + 0.02 * spec["tall"]) for px, py, z in _walk(state)]
    return [*parts, *_marks(state, walk)]


def above(state: FigureState, width: float, height: float) -> list[str]:
    """The surface from above, as bands between contours."""
    reach = state.spec["reach"]
    x, y = (_profile(state, axis)[1:-1] for axis in (0, 1))
    z = x[None, :] + y[::-1, None]
    tones = np.vectorize(_tone)(z, z.min(), z.max())
    scale = (FINE * width / (len(x) - 1), FINE * height / (len(y) - 1))
    outlines = "".join(path(f"uo-b{k}", contours(BANDS * tones, k, scale)) for k in range(1, BANDS + 1))
    parts = [f'<rect class="uo-b0" width="{short(width)}" height="{short(height)}"/>']
    parts.append(f'<g class="uo-bands" transform="scale({1 / FINE})">{outlines}</g>')

    def at(px: float, py: float) -> tuple[float, float]:
        return (px + reach) / (2 * reach) * width, (reach - py) / (2 * reach) * height

    parts.append(haloed("uo-plus", plus(*at(0, 0))))
    for value, label in ((-1, "\u22121"), (1, "1")):
        parts.append(text("uo-coordinate", at(value, 0)[0], height - 7, label, "middle"))
        parts.append(text("uo-coordinate", 7, at(0, value)[1] + 4, label))
    return [*parts, *_marks(state, [at(px, py) for px, py, _ in _walk(state)])]


def _tone(z: float, low: float, high: float) -> float:
    """A height as a color, from the lowest of this surface to its highest."""
    return (z - low) / (high - low) if high > low else 0.5


def _shade(x: float, y: float) -> float:
    """How dark a slope is under a light from the left and above."""
    lit = (0.75 + 0.6 * x - 0.25 * y) / math.hypot(x, y, 1)
    return min(max(DARKEST * (1 - lit), 0.0), DARKEST)


def _projected(state: FigureState, width: float, height: float) -> Callable[[float, float, float], tuple[float, float]]:
    azimuth, elevation = state.spec["view"]
    reach, tall = state.spec["reach"], state.spec["tall"]
    ca, sa, ce, se = math.cos(azimuth), math.sin(azimuth), math.cos(elevation), math.sin(elevation)
    scale = min(width / 3.3, height / 2.3) / reach

    def at(x: float, y: float, z: float) -> tuple[float, float]:
        back = x * sa + y * ca
        return (
            width / 2 + scale * (x * ca - y * sa),
            height / 2 + 8 + scale * (-back * se - 1.25 * reach * z / tall * ce),
        )

    return at


def _profile(state: FigureState, axis: int) -> NDArray[np.floating]:
    spec = state.spec
    codes = tables.unpack_rows(state.parts[axis], (len(spec["axes"][axis]["labels"]), spec["samples"]))
    return from_span(codes[spec["initial"][axis]], spec["heights"])


def _walk(state: FigureState) -> list[tuple[float, float, float]]:
    """The walk as long as it is in the window: x, y, height."""
    spec = state.spec
    along = []
    for axis in (0, 1):
        codes = tables.unpack_rows(state.parts[2 + axis], (len(spec["axes"][axis]["labels"]), spec["steps"] + 1))
        along.append(from_span(codes[spec["initial"][axis]], spec["span"]))
    out = np.flatnonzero(np.maximum(*np.abs(along)) > spec["reach"])
    n = max(1, int(out[0])) if out.size else spec["steps"] + 1
    samples = np.linspace(-spec["reach"], spec["reach"], spec["samples"] - 2)
    heights = [np.interp(own, samples, _profile(state, axis)[1:-1]) for axis, own in enumerate(along)]
    return list(zip(*(own[:n].tolist() for own in along), (heights[0] + heights[1])[:n].tolist(), strict=True))


def _marks(state: FigureState, points: list[tuple[float, float]]) -> list[str]:
    color = f"uo-c{state.spec['color']}"
    dots = "".join(f"M{short(x)} {short(y)}h0" for x, y in points[1:-1])
    return [
        haloed(f"uo-path {color}", line(points)),
        path(f"uo-steps {color}", dots),
        circle("uo-chosen", *points[0], 4.5),
        path(f"uo-head {color}", marker(state.spec["color"], *points[-1], 5)),
    ]
