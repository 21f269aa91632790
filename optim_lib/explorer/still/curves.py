"""A panel of curves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.axes import Box, decades, linear_labels, plain_power
from optim_lib.explorer.sentences import level
from optim_lib.explorer.state import FigureState
from optim_lib.explorer.still.pieces import line, log_axis, path, short, svg, text
from optim_lib.explorer.table import DIVERGED


def curves(state: FigureState, k: int, width: float, height: float) -> str:
    """The picture of one panel."""
    spec, panel = state.spec, state.spec["panels"][k]
    box = Box(46, 8, width - 58, height - 44, *panel["range"])
    first, last = (math.log10(spec["x"][k]) if spec["logX"] else spec["x"][k] for k in (0, -1))

    def across(x: float) -> float:
        return box.left + ((math.log10(x) if spec["logX"] else x) - first) / (last - first) * box.width

    parts = log_axis(box) if panel["log"] else _linear_axis(box)
    for value, words in _across_labels(first, last, spec["logX"]):
        parts.append(text("uo-tick-text", across(value), box.bottom + 15, words, "middle"))
    parts.append(text("uo-axis-name", box.right, box.bottom + 30, f"{spec['xlabel']} \u2192", "end"))
    for label, codes in _opening(state, k).items():
        color = spec["colors"][spec["labels"].index(label)]
        heights = zip(spec["x"], codes, level(panel, codes), strict=True)
        points = [None if code == DIVERGED else (across(x), box.y(float(value))) for x, code, value in heights]
        parts.append(path(f"uo-line uo-c{color}", line(points)))
    return svg("curve", f"{panel['title']} over {spec['xlabel']}.", width, height, parts)


def _across_labels(first: float, last: float, log: bool) -> list[tuple[float, str]]:
    if not log:
        return linear_labels(first, last, 5)
    return [
        (10.0**at, name if isinstance(name, str) else plain_power(10.0**name)) for at, name in decades(first, last, 6)
    ]


def _linear_axis(box: Box) -> list[str]:
    ticks = linear_labels(box.low, box.high, max(2, int(box.height // 32)))
    lines = "".join(f"M{short(box.left)} {short(box.y(value))}h{short(box.width)}" for value, _ in ticks)
    labels = [text("uo-tick-text", box.left - 7, box.y(value) + 4, words, "end") for value, words in ticks]
    return [path("uo-grid", lines), *labels]


def _opening(state: FigureState, k: int) -> dict[str, NDArray[np.integer]]:
    """The curves of a panel where the sliders stand at first."""
    labels = [curve["label"] for curve in state.spec["panels"][k]["curves"]]
    return dict(zip(labels, opening_rows(state, k), strict=True))


def opening_rows(state: FigureState, k: int) -> list[NDArray[np.uint16]]:
    """The codes of everything in a panel where the sliders stand at first."""
    panels, here = state.spec["panels"], state.spec["initial"]
    begin = sum(len(panel["curves"]) for panel in panels[:k])
    found = []
    for part, curve in zip(state.parts[begin:], panels[k]["curves"], strict=False):
        codes = tables.unpack_rows(part, (*curve["shape"], curve.get("n", len(state.spec["x"]))))
        found.append(codes[tuple(i if n > 1 else 0 for i, n in zip(here, curve["shape"], strict=True))])
    return found
