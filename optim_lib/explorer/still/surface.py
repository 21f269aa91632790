"""The surface: bands of the loss, its marks, and the paths on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optim_lib.explorer.axes import linear_labels
from optim_lib.explorer.still.contours import contours
from optim_lib.explorer.still.opening import Opening
from optim_lib.explorer.still.pieces import circle, cross, haloed, line, marker, path, plus, short, svg, text
from optim_lib.explorer.words import LETTERS, listed
from optim_lib.palette import BANDS

SAMPLES = 61
# Bands are drawn in quarters of a pixel, so that whole numbers are fine enough.
FINE = 4
# Of more paths than this, a narrow screen shows of each the last steps, and the others as a shade (js/surface.js).
FEW = 3
TAIL = 12


class Surface:
    """The picture of a surface, `width` pixels wide."""

    def __init__(self, opening: Opening, width: float) -> None:
        self.opening, self.spec = opening, opening.spec
        self.width, self.height = width, width / opening.spec["aspect"]

    def svg(self) -> str:
        spec, runs = self.spec, range(len(self.opening.colors))
        parts = [self._bands(), *self._coordinates()]
        parts.append(haloed("uo-plus", "".join(plus(*self._at(point)) for point in spec["minima"])))
        parts += [path("uo-saddle", marker(3, *self._at(point), 3.75)) for point in spec["saddles"]]
        parts += [self._named(label, *self._at(point)) for label, *point in spec["marks"]]
        starts = [self._at(point) for point in spec["starts"]]
        parts += [self._start(k, *starts[k]) for k in range(1, len(starts))]
        paths = "".join(self._path(k) for k in runs)
        parts.append(f'<g class="uo-crowded">{paths}</g>' if len(runs) > FEW else paths)
        parts.append(self._start(0, *starts[0]))
        parts += [self._head(k) for k in runs]
        return svg("main", self._words(), self.width, self.height, parts)

    def _at(self, point: Sequence[float]) -> tuple[float, float]:
        return point[0] * self.width, (1 - point[1]) * self.height

    def _bands(self) -> str:
        left, right, bottom, top = self.spec["view"]
        rows = round(SAMPLES / self.spec["aspect"])
        x, y = np.meshgrid(np.linspace(left, right, SAMPLES), np.linspace(top, bottom, rows))
        data, field = self.opening.data, self.spec["field"]
        with np.errstate(all="ignore"):
            gap = np.asarray(data.landscape.loss(np.stack([x, y], axis=-1)), dtype=np.float64) - data.floor
        gap = np.clip(np.nan_to_num(gap, nan=field["largest"]), 0.0, field["largest"])
        bands = BANDS * (gap / field["largest"]) ** field["exponent"]
        scale = (FINE * self.width / (SAMPLES - 1), FINE * self.height / (rows - 1))
        outlines = "".join(path(f"uo-b{k}", contours(bands, k, scale)) for k in range(1, BANDS + 1))
        ground = f'<rect class="uo-b0" width="{short(self.width)}" height="{short(self.height)}"/>'
        return f'{ground}<g class="uo-bands" transform="scale({1 / FINE})">{outlines}</g>'

    def _coordinates(self) -> list[str]:
        left, right, bottom, top = self.spec["view"]
        marks, labels = "", []
        for value, label in linear_labels(left, right, 6):
            x = (value - left) / (right - left) * self.width
            if 24 < x < self.width - 14:
                marks += f"M{short(x)} {short(self.height)}v-4"
                labels.append(text("uo-coordinate", x, self.height - 7, label, "middle"))
        for value, label in linear_labels(bottom, top, 6):
            y = (top - value) / (top - bottom) * self.height
            if 14 < y < self.height - 24:
                marks += f"M0 {short(y)}h4"
                labels.append(text("uo-coordinate", 7, y + 4, label))
        return [path("uo-tick-mark", marks), *labels]

    def _named(self, label: str, x: float, y: float) -> str:
        return path("uo-named", marker(1, x, y, 3.5)) + text("uo-words", x + 7, y + 4, label)

    def _start(self, k: int, x: float, y: float) -> str:
        name = "uo-other" if k else "uo-chosen"
        if len(self.spec["starts"]) < 2:
            return circle(name, x, y, 4.5)
        letter = text(f"uo-letter {name}", x, y + 18 if y - 9 < 12 else y - 9, LETTERS[k], "middle")
        return circle(name, x, y, 4.5) + letter

    def _path(self, k: int) -> str:
        color = f"uo-c{self.opening.colors[k]}"
        points = [self._at(point) for point in self.opening.points[k][: max(1, self.opening.alive[k])]]
        dots = "".join(f"M{short(x)} {short(y)}h0" for x, y in points[1:-1])
        tail = max(0, len(points) - 1 - TAIL)
        past = haloed(f"uo-path {color}", line(points[: tail + 1])) if tail else ""
        recent = haloed(f"uo-path {color}", line(points[tail:]))
        return f'<g class="uo-past">{past}</g>{recent}' + path(f"uo-steps {color}", dots)

    def _head(self, k: int) -> str:
        """Where a run has arrived; an arrow at the edge if it is out there."""
        place, lost = self.opening.colors[k], self.opening.lost(k)
        x, y = self._at(self.opening.points[k][max(0, self.opening.alive[k] - 1)])
        if 0 <= x <= self.width and 0 <= y <= self.height:
            if lost:
                return haloed(f"uo-cross uo-c{place}", cross(x, y, 5))
            return path(f"uo-head uo-c{place}", marker(place, x, y, 5))
        cx, cy = self.width / 2, self.height / 2
        reach = min((cx - 15) / max(abs(x - cx), 1e-9), (cy - 15) / max(abs(y - cy), 1e-9))
        ex, ey = cx + reach * (x - cx), cy + reach * (y - cy)
        turn = math.degrees(math.atan2(y - cy, x - cx))
        moved = f"translate({short(ex)} {short(ey)}) rotate({short(turn)})"
        arrow = f'<path class="uo-arrow uo-c{place}" transform="{moved}" d="M11 0L-5 7.5L-2 0L-5 -7.5z"/>'
        words = f"diverged at step {self.opening.alive[k]}" if lost else "outside"
        side, anchor = (-18, "end") if ex > cx else (18, "start")
        level = min(max(ey, 12 + 15 * k), self.height - 12) + 4
        return arrow + text(f"uo-words uo-c{place}", min(max(ex + side, 6), self.width - 6), level, words, anchor)

    def _words(self) -> str:
        left, right, bottom, top = (f"{value:.3g}" for value in self.spec["view"])
        names = [series["label"] for series in self.spec["series"]]
        what = f"the paths of {listed(names)}" if len(names) > 1 else "the path"
        over = f"x from {left} to {right} and y from {bottom} to {top}"
        return f"{self.spec['title']}: contours of the loss over {over}, with {what}."
