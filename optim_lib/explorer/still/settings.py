"""The map of settings: final losses over two axes as colors, or along one as lines."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from optim_lib.explorer.axes import Box
from optim_lib.explorer.sentences import setting_text
from optim_lib.explorer.still.opening import Codes, Opening, decade
from optim_lib.explorer.still.pieces import apart, circle, cross, haloed, line, log_axis, path, short, star, svg, text
from optim_lib.explorer.table import DIVERGED
from optim_lib.explorer.words import listed
from optim_lib.palette import HEATS


class SettingsMap:
    """The picture of final losses over the settings of the sliders."""

    def __init__(self, opening: Opening, width: float, height: float) -> None:
        self.opening, self.spec, self.here = opening, opening.spec, opening.data.initial
        self.axes: list[dict[str, Any]] = self.spec["axes"][: 1 if opening.flat else 2]
        self.width, self.height = width, height
        self.box = Box(44, 24, width - 56, height - 60, *self.spec["endRange"][0])
        self.hides_best = any(quest["hidesBest"] for quest in self.spec["quests"])

    def svg(self) -> str:
        over = listed([axis["name"] for axis in self.axes])
        label = f"Map of the final loss over {over}; now at {setting_text(self.spec, self.here)}."
        drawn = self._lines() if self.opening.flat else self._cells()
        return svg("map", label, self.width, self.height, [*self._labels(), *drawn, *self._theory(), *self._now()])

    def _x(self, i: float) -> float:
        return self.box.left + (i + 0.5) / len(self.axes[0]["labels"]) * self.box.width

    def _y(self, j: float) -> float:
        return self.box.bottom - (j + 0.5) / len(self.axes[1]["labels"]) * self.box.height

    def _height(self, code: int) -> float:
        """Where a final loss lies on the axis of losses; at the top if there is none."""
        if code == DIVERGED:
            return self.box.top + 7
        return min(max(self.box.y(float(decade(code))), self.box.top), self.box.bottom)

    def _labels(self) -> list[str]:
        box, first = self.box, self.axes[0]
        parts = log_axis(box) if self.opening.flat else []
        for at, words in apart([(self._x(at), words, 6.5 * len(words)) for at, words in first["ticks"]], 4):
            parts.append(text("uo-tick-text", at, box.bottom + 16, words, "middle"))
        parts.append(text("uo-axis-name", box.right, box.bottom + 31, f"{first['name']} \u2192", "end"))
        if not self.opening.flat:
            second = self.axes[1]
            for at, words in apart([(self._y(at), words, 11) for at, words in second["ticks"]], 3):
                parts.append(text("uo-tick-text", box.left - 7, at + 4, words, "end"))
            parts.append(text("uo-axis-name", 4, 13, f"\u2191 {second['name']}"))
        return parts

    def _cells(self) -> list[str]:
        """Cells of one color that lie side by side in a row are one rectangle."""
        codes, box = self.opening.ends(0), self.box
        part = np.clip((decade(codes) - box.low) / (box.high - box.low), 0, 1)
        shades = np.where(codes == DIVERGED, HEATS, np.rint(part * (HEATS - 1)).astype(int))
        wide, tall = box.width / codes.shape[0], box.height / codes.shape[1]
        areas: dict[int, str] = {}
        for j, row in enumerate(shades.T):
            for begin, end in itertools.pairwise(np.flatnonzero(np.diff(row, prepend=-1, append=-1))):
                corner = f"M{short(box.left + begin * wide)} {short(box.bottom - (j + 1) * tall)}"
                long = short((end - begin) * wide)
                areas[int(row[begin])] = areas.get(int(row[begin]), "") + f"{corner}h{long}v{short(tall)}h-{long}z"
        parts = [path("uo-lost" if shade == HEATS else f"uo-h{shade}", d) for shade, d in sorted(areas.items())]
        if not self.hides_best and (best := self._best(codes)):
            parts.append(path("uo-star", star(self._x(best[0]), self._y(best[1]), 7)))
        return parts

    def _best(self, codes: Codes) -> tuple[int, int] | None:
        """The lowest end, with what belongs to the problem as it stands; None if there is nothing to choose."""
        given = [axis["given"] for axis in self.axes]
        kept = codes[tuple(self.here[k] if given[k] else slice(None) for k in range(2))]
        if all(given) or (kept == DIVERGED).all():
            return None
        place = iter(np.unravel_index(int(kept.argmin()), kept.shape))
        i, j = (self.here[k] if given[k] else int(next(place)) for k in range(2))
        return i, j

    def _lines(self) -> list[str]:
        parts = []
        for k, color in enumerate(self.opening.colors):
            codes = self.opening.ends(k)
            points = [None if code == DIVERGED else (self._x(i), self._height(code)) for i, code in enumerate(codes)]
            lost = "".join(cross(self._x(i), self.box.top + 7, 2.6) for i in np.flatnonzero(codes == DIVERGED))
            parts += [path(f"uo-line uo-c{color}", line(points)), path(f"uo-cross uo-c{color}", lost)]
        return parts

    def _theory(self) -> list[str]:
        parts = []
        for curve in self.spec["curves"]:
            if "across" in curve:
                column = f"{short(self.box.top)}V{short(self.box.bottom)}"
                d = "".join(f"M{short(self._x(i))} {column}" for i in curve["across"] if i is not None)
            else:
                ends = zip(curve["xs"], curve["ys"], strict=True)
                points = [None if i is None or j is None else (self._x(i), self._y(j)) for i, j in ends]
                d = line(points) if len(points) > 1 else ""
            parts.append(haloed("uo-theory", d))
        return parts

    def _now(self) -> list[str]:
        i = self.here[0]
        if not self.opening.flat:
            x, y = self._x(i), self._y(self.here[1])
            return [circle("uo-ring-halo", x, y, 6), circle("uo-ring", x, y, 6)]
        parts = [path("uo-now", f"M{short(self._x(i))} {short(self.box.top)}V{short(self.box.bottom)}")]
        for k, color in enumerate(self.opening.colors):
            parts.append(circle(f"uo-ring uo-c{color}", self._x(i), self._height(self.opening.ends(k)[i]), 5.5))
        return parts
