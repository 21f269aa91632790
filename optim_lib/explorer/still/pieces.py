"""Pieces of SVG that the pictures share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from optim_lib.explorer.axes import Box, decades


def short(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0").replace("-0.0", "0")


def svg(name: str, label: str, width: float, height: float, parts: Iterable[str]) -> str:
    size = f"0 0 {short(width)} {short(height)}"
    drawn = "".join(parts)
    return (
        f'<svg class="uo-still uo-still-{name}" viewBox="{size}" role="img" aria-label="{escape(label)}">{drawn}</svg>'
    )


def path(name: str, d: str) -> str:
    return f'<path class="{name}" d="{d}"/>' if d else ""


def haloed(name: str, d: str) -> str:
    return path("uo-halo", d) + path(name, d)


def circle(name: str, x: float, y: float, r: float) -> str:
    return f'<circle class="{name}" cx="{short(x)}" cy="{short(y)}" r="{short(r)}"/>'


def text(name: str, x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text class="{name}" x="{short(x)}" y="{short(y)}" text-anchor="{anchor}">{escape(words)}</text>'


def line(points: Sequence[tuple[float, float] | None]) -> str:
    """A line through points; None interrupts it."""
    d, pen = "", "M"
    for point in points:
        if point is not None:
            d += f"{pen}{short(point[0])} {short(point[1])}"
        pen = "M" if point is None else "L"
    return d


def marker(kind: int, x: float, y: float, r: float) -> str:
    """The outline of an optimizer's mark."""
    if kind % 6 == 0:
        half = f"a{short(r)} {short(r)} 0 1 0"
        return f"M{short(x - r)} {short(y)}{half} {short(2 * r)} 0{half} {short(-2 * r)} 0z"
    if kind % 6 == 1:
        side = short(1.76 * r)
        return f"M{short(x - 0.88 * r)} {short(y - 0.88 * r)}h{side}v{side}h-{side}z"
    sides, turn, grown = ((3, -0.5, 1.25), (4, 0.0, 1.2), (3, 0.5, 1.25), (6, 0.0, 1.15))[kind % 6 - 2]
    return polygon(x, y, [grown * r] * sides, math.pi * turn)


def star(x: float, y: float, r: float) -> str:
    return polygon(x, y, [r, 0.45 * r] * 5, -math.pi / 2)


def polygon(x: float, y: float, radii: Sequence[float], turn: float) -> str:
    angles = [turn + 2 * math.pi * k / len(radii) for k in range(len(radii))]
    return line([(x + r * math.cos(a), y + r * math.sin(a)) for r, a in zip(radii, angles, strict=True)]) + "z"


def plus(x: float, y: float) -> str:
    return f"M{short(x - 5)} {short(y)}h10m-5 -5v10"


def cross(x: float, y: float, r: float) -> str:
    long = short(2 * r)
    return f"M{short(x - r)} {short(y - r)}l{long} {long}m0 -{long}l-{long} {long}"


def swatch(kind: int) -> str:
    """An optimizer's mark for a legend."""
    shape = path("uo-dot", marker(kind, 7.5, 7.5, 4.5))
    return f'<svg class="uo-swatch uo-c{kind}" viewBox="0 0 15 15" aria-hidden="true">{shape}</svg>'


def log_axis(box: Box) -> list[str]:
    """Lines across a chart with a logarithmic axis, and their labels."""
    ticks = decades(box.low, box.high, max(2, int(box.height // 20)))
    plain = all(isinstance(label, str) or -3 <= label <= 3 for _, label in ticks)
    across = "".join(f"M{short(box.left)} {short(box.y(at))}h{short(box.width)}" for at, _ in ticks)
    return [path("uo-grid", across), *(_power(box.left - 7, box.y(at) + 4, label, plain) for at, label in ticks)]


def _power(x: float, y: float, label: str | int, plain: bool) -> str:
    if isinstance(label, str):
        return text("uo-tick-text", x, y, label, "end")
    if plain or label in (0, 1):
        return text("uo-tick-text", x, y, f"{10.0**label:.10f}".rstrip("0").rstrip("."), "end")
    power = str(label).replace("-", "\u2212")
    raised = f'10<tspan class="uo-power" dy="-4">{power}</tspan>'
    return f'<text class="uo-tick-text" x="{short(x)}" y="{short(y)}" text-anchor="end">{raised}</text>'


def apart(candidates: Sequence[tuple[float, str, float]], gap: float) -> list[tuple[float, str]]:
    """The labels (place, words, size) that fit side by side, the most important first."""
    taken: list[tuple[float, float]] = []
    kept = []
    for at, words, size in candidates:
        if all(at + size / 2 + gap < low or at - size / 2 - gap > high for low, high in taken):
            taken.append((at - size / 2, at + size / 2))
            kept.append((at, words))
    return kept
