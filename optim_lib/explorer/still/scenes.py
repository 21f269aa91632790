"""A picture of a scene: marks in a plane, or bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer.axes import Box, linear_labels, round_ticks
from optim_lib.explorer.scenes import coordinates, heights
from optim_lib.explorer.state import FigureState
from optim_lib.explorer.still.curves import opening_rows
from optim_lib.explorer.still.pieces import circle, line, path, short, svg, text
from optim_lib.explorer.words import plain_number

# As in ``js/scenes.js``: an arrow's head, and how much of a group its bars fill.
HEAD, FILLED, STACK_FILLED = 9.0, 0.84, 0.68

Panel = dict[str, Any]


@dataclass(frozen=True)
class View:
    """A box, and where the points of a plane lie in it: one scale for both axes, the window in the middle."""

    box: Box
    window: Sequence[float]

    @property
    def scale(self) -> float:
        left, right, bottom, top = self.window
        return min(self.box.width / (right - left), self.box.height / (top - bottom))

    @property
    def shown(self) -> tuple[float, float, float, float]:
        """What the box shows: more than the window along one axis."""
        left, right, bottom, top = self.window
        wide, tall = self.box.width / self.scale / 2, self.box.height / self.scale / 2
        x, y = (left + right) / 2, (bottom + top) / 2
        return x - wide, x + wide, y - tall, y + tall

    def place(self, x: float, y: float) -> tuple[float, float]:
        left, _, bottom, _ = self.shown
        return self.box.left + (x - left) * self.scale, self.box.bottom - (y - bottom) * self.scale


def scene(state: FigureState, k: int, width: float, height: float) -> str:
    """The picture of one scene."""
    panel = state.spec["panels"][k]
    box = Box(46, 8, width - 58, height - 44, *panel.get("range", (0.0, 1.0)))
    draw = _plane if panel["type"] == "plane" else _bars
    colors = dict(zip(state.spec["labels"], state.spec["colors"], strict=True))
    parts = draw(panel, opening_rows(state, k), box, colors)
    if panel["xlabel"]:
        parts.append(text("uo-axis-name", box.right, box.bottom + 30, f"{panel['xlabel']} \u2192", "end"))
    return svg("curve", f"{panel['title']}.", width, height, parts)


def _plane(panel: Panel, rows: Sequence[NDArray[np.uint16]], box: Box, colors: dict[str, int]) -> list[str]:
    view = View(box, panel["window"])
    left, right, bottom, top = view.shown
    parts = []
    for value in round_ticks(left, right, 5):
        x, _ = view.place(value, 0)
        parts.append(path(_rule(value), f"M{short(x)} {short(box.top)}v{short(box.height)}"))
        parts.append(text("uo-tick-text", x, box.bottom + 15, plain_number(value, right - left), "middle"))
    for value in round_ticks(bottom, top, 5):
        _, y = view.place(0, value)
        parts.append(path(_rule(value), f"M{short(box.left)} {short(y)}h{short(box.width)}"))
        parts.append(text("uo-tick-text", box.left - 7, y + 4, plain_number(value, top - bottom), "end"))
    if panel["ylabel"]:
        parts.append(text("uo-axis-name", box.left + 4, box.top + 12, f"\u2191 {panel['ylabel']}"))
    marks: list[str] = []
    for curve, codes in zip(panel["curves"], rows, strict=True):
        points = [
            None if math.isnan(x) else view.place(float(x), float(y))
            for x, y in zip(*coordinates(panel, codes), strict=True)
        ]
        marks += DRAWN[curve["mark"]](points, colors[curve["label"]])
    return [*parts, _clipped(box, marks)]


def _rule(value: float) -> str:
    """The class of a line across the plane: the axes themselves stand out."""
    return "uo-origin" if abs(value) < 1e-9 else "uo-grid"


def _clipped(box: Box, parts: Sequence[str]) -> str:
    """Parts of which only what lies in the box is seen."""
    x, y, wide, tall = (short(value) for value in (box.left - 1, box.top - 3, box.width + 2, box.height + 5))
    return f'<svg x="{x}" y="{y}" width="{wide}" height="{tall}" viewBox="{x} {y} {wide} {tall}">{"".join(parts)}</svg>'


Points = Sequence[tuple[float, float] | None]


def _line(points: Points, color: int) -> list[str]:
    return [path(f"uo-line uo-c{color}", line(points))]


def _dots(points: Points, color: int) -> list[str]:
    return [circle(f"uo-dot uo-c{color}", *point, 4) for point in points if point is not None]


def _arrow(points: Points, color: int) -> list[str]:
    if None in points:
        return []
    (x0, y0), (x1, y1) = points  # type: ignore[misc]
    long = math.hypot(x1 - x0, y1 - y0)
    if long < 1:
        return []
    u, v = (x1 - x0) / long, (y1 - y0) / long
    head = min(HEAD, long)
    bx, by, half = x1 - head * u, y1 - head * v, 0.5 * head
    tip = line([(x1, y1), (bx - half * v, by + half * u), (bx + half * v, by - half * u)]) + "z"
    return [path(f"uo-shaft uo-c{color}", line([(x0, y0), (bx, by)])), path(f"uo-bar-fill uo-c{color}", tip)]


DRAWN: dict[str, Callable[[Points, int], list[str]]] = {"line": _line, "dots": _dots, "arrow": _arrow}


def _bars(panel: Panel, rows: Sequence[NDArray[np.uint16]], box: Box, colors: dict[str, int]) -> list[str]:
    low, high = panel["range"]
    ticks = linear_labels(low, high, max(2, int(box.height // 32)))
    parts = [path("uo-grid", "".join(f"M{short(box.left)} {short(box.y(at))}h{short(box.width)}" for at, _ in ticks))]
    parts += [text("uo-tick-text", box.left - 7, box.y(at) + 4, words, "end") for at, words in ticks]
    count, names = len(rows), panel["names"]
    group = box.width / len(names)
    filled = STACK_FILLED if panel["stacked"] else FILLED
    wide = filled * group / (1 if panel["stacked"] else count)
    under = np.zeros(len(names))
    for place, (curve, codes) in enumerate(zip(panel["curves"], rows, strict=True)):
        values = heights(panel, codes)
        d = ""
        for j, value in enumerate(values):
            x = box.left + group * (j + (1 - filled) / 2) + (0 if panel["stacked"] else place * wide)
            foot, head = box.y(float(under[j])), box.y(float(under[j] + value))
            d += f"M{short(x)} {short(foot)}V{short(head)}h{short(wide)}V{short(foot)}z"
        parts.append(path(f"uo-bar-fill uo-c{colors[curve['label']]}", d))
        if panel["stacked"]:
            under = under + values
    return parts + _bar_names(names, box, group)


def _bar_names(names: Sequence[str | float], box: Box, group: float) -> list[str]:
    if not isinstance(names[0], str):
        every = math.ceil(len(names) / 8)
        span = float(names[-1]) - float(names[0])
        return [
            text(
                "uo-tick-text", box.left + group * (j + 0.5), box.bottom + 15, plain_number(float(name), span), "middle"
            )
            for j, name in enumerate(names)
            if j % every == 0
        ]
    return [
        text("uo-tick-text", box.left + group * (j + 0.5), box.bottom + 15 + 13 * k, part, "middle")
        for j, name in enumerate(names)
        for k, part in enumerate(str(name).split(" ", 1))
    ]
