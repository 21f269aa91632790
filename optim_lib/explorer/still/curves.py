"""A panel of curves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.axes import Box, linear_labels
from optim_lib.explorer.sentences import level
from optim_lib.explorer.state import FigureState
from optim_lib.explorer.still.pieces import line, log_axis, path, short, svg, text
from optim_lib.explorer.table import DIVERGED
from optim_lib.explorer.words import plain_number


def curves(state: FigureState, k: int, width: float, height: float) -> str:
    """The picture of one panel."""
    spec, panel = state.spec, state.spec["panels"][k]
    box = Box(46, 8, width - 58, height - 44, *panel["range"])
    first, last = spec["x"][0], spec["x"][-1]

    def across(x: float) -> float:
        return box.left + (x - first) / (last - first) * box.width

    parts = log_axis(box) if panel["log"] else _linear_axis(box)
    for value, _ in linear_labels(first, last, 5):
        words = plain_number(value, last - first)
        parts.append(text("uo-tick-text", across(value), box.bottom + 15, words, "middle"))
    parts.append(text("uo-axis-name", box.right, box.bottom + 30, f"{spec['xlabel']} \u2192", "end"))
    for label, codes in _opening(state, k).items():
        color = spec["colors"][spec["labels"].index(label)]
        heights = zip(spec["x"], codes, level(panel, codes), strict=True)
        points = [None if code == DIVERGED else (across(x), box.y(float(value))) for x, code, value in heights]
        parts.append(path(f"uo-line uo-c{color}", line(points)))
    return svg("curve", f"{panel['title']} over {spec['xlabel']}.", width, height, parts)


def _linear_axis(box: Box) -> list[str]:
    ticks = linear_labels(box.low, box.high, max(2, int(box.height // 32)))
    lines = "".join(f"M{short(box.left)} {short(box.y(value))}h{short(box.width)}" for value, _ in ticks)
    labels = [text("uo-tick-text", box.left - 7, box.y(value) + 4, words, "end") for value, words in ticks]
    return [path("uo-grid", lines), *labels]


def _opening(state: FigureState, k: int) -> dict[str, NDArray[np.integer]]:
    """The curves of a panel where the sliders stand at first."""
    panels, here = state.spec["panels"], state.spec["initial"]
    begin = sum(len(panel["curves"]) for panel in panels[:k])
    found = {}
    for part, curve in zip(state.parts[begin:], panels[k]["curves"], strict=False):
        codes = tables.unpack_rows(part, (*curve["shape"], len(state.spec["x"])))
        place = tuple(i if n > 1 else 0 for i, n in zip(here, curve["shape"], strict=True))
        found[curve["label"]] = codes[place]
    return found
