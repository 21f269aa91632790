"""The pictures of figures of boards as they open: bars of eigenvectors, the map of the radius, portrait, curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from optim_lib.explorer import table as tables
from optim_lib.explorer.axes import Box, linear_labels, step_ticks
from optim_lib.explorer.boards import from_span
from optim_lib.explorer.modes import decades_of, opening_factors, opening_rows
from optim_lib.explorer.sentences import level
from optim_lib.explorer.state import FigureState
from optim_lib.explorer.still import relief
from optim_lib.explorer.still.contours import contours
from optim_lib.explorer.still.pieces import circle, haloed, line, log_axis, marker, path, short, svg, text
from optim_lib.palette import BANDS
from optim_lib.probes import spectral_radius

Point = tuple[float, float]
FINE = 4
SAMPLES = 61
RELIEF = 301.0


def boards(state: FigureState, width: float, height: float) -> dict[str, str]:
    """The picture of each board: "board-0", "board-1", ..."""
    drawn, count = {}, len(state.spec["boards"])
    for k, board in enumerate(state.spec["boards"]):
        # The last of an odd number has a row to itself; a surface is as high as it needs.
        wide = 740.0 if count % 2 and k == count - 1 else width
        high = RELIEF if board["draws"] in ("relief", "above") else height
        parts = DRAWINGS[board["draws"]](state, wide, high)
        drawn[f"board-{k}"] = svg("board", f"{board['title']}.", wide, high, parts)
    return drawn


def _box(width: float, height: float, span: Sequence[float] = (0.0, 1.0)) -> Box:
    return Box(46, 8, width - 58, height - 44, *span)


def _mixed(state: FigureState, k: int) -> str:
    """The color of a direction, from the flattest to the steepest."""
    part = 100 * (1 - k / max(1, state.spec["count"] - 1))
    return f"--uo-c: color-mix(in srgb, var(--uo-series-0) {part:.3g}%, var(--uo-series-1))"


def _across(box: Box, span: Sequence[float], name: str) -> list[str]:
    low, high = span
    ticks = [
        text("uo-tick-text", box.left + (value - low) / (high - low) * box.width, box.bottom + 15, label, "middle")
        for value, label in linear_labels(low, high, 6)
    ]
    return [*ticks, text("uo-axis-name", box.right, box.bottom + 30, f"{name} \u2192", "end")]


def _upright(box: Box) -> list[str]:
    ticks = linear_labels(box.low, box.high, max(2, int(box.height // 32)))
    lines = "".join(f"M{short(box.left)} {short(box.y(value))}h{short(box.width)}" for value, _ in ticks)
    return [
        path("uo-grid", lines),
        *(text("uo-tick-text", box.left - 7, box.y(value) + 4, label, "end") for value, label in ticks),
    ]


def _dot(style: str, place: Point, r: float) -> str:
    return f'<path class="uo-dot" style="{style}" d="{marker(0, *place, r)}"/>'


def _valley(state: FigureState, width: float, height: float) -> list[str]:
    spec, own = state.spec, state.spec["valley"]
    box = _box(width, height, own["reach"])
    low, high = own["span"]

    def at(q: float, keeps: float) -> Point:
        return box.left + (q - low) / (high - low) * box.width, box.y(keeps)

    above = max(0.0, box.y(1) - box.top)
    size = f'x="{short(box.left)}" y="{short(box.top)}" width="{short(box.width)}" height="{short(above)}"'
    parts = [f'<rect class="uo-lost" {size}/>']
    parts += [*_upright(box), *_across(box, own["span"], "rate \u00d7 curvature")]
    parts.append(text("uo-words", box.left + 8, box.top + above / 2 + 4, "grows"))
    parts.append(path("uo-line", line([at(*point) for point in own["line"]])))
    products = spec["rates"][spec["initial"][0]] * np.array(spec["curvatures"])
    for k, (q, keeps) in enumerate(zip(products, opening_factors(state), strict=True)):
        parts.append(_dot(_mixed(state, k), at(float(q), float(keeps)), 4.6 if k else 6.5))
    return parts


def _bars(state: FigureState, width: float, height: float) -> list[str]:
    spec, box = state.spec, _box(width, height, state.spec["decades"])
    levels = decades_of(opening_rows(state)[1])
    wide = box.width / spec["count"]
    parts = log_axis(box)
    for k, own in enumerate(levels):
        x, across = box.left + (k + 0.14) * wide, 0.72 * wide
        for value, opacity in ((own[0], ' opacity="0.16"'), (own[-1], "")):
            top = min(max(box.y(float(value)), box.top), box.bottom - 1.5)
            size = f'x="{short(x)}" y="{short(top)}" width="{short(across)}" height="{short(box.bottom - top)}"'
            parts.append(f'<rect style="{_mixed(state, k)}; fill: var(--uo-c)" {size}{opacity}/>')
        parts.append(text("uo-tick-text uo-small", x + across / 2, box.bottom + 14, spec["short"][k], "middle"))
    return [*parts, text("uo-axis-name", box.right, box.bottom + 30, "curvature \u2192", "end")]


def _sum(state: FigureState, width: float, height: float) -> list[str]:
    spec, box = state.spec, _box(width, height, state.spec["chart"]["range"])
    steps = spec["steps"]

    def strand(levels: np.ndarray) -> str:
        points = [(box.left + k / steps * box.width, box.y(float(v))) for k, v in enumerate(levels)]
        return line([point if point[1] <= box.bottom else None for point in points])

    parts = log_axis(box) if spec["chart"]["log"] else _upright(box)
    for step in step_ticks(steps):
        parts.append(text("uo-tick-text", box.left + step / steps * box.width, box.bottom + 15, str(step), "middle"))
    parts.append(text("uo-axis-name", box.right, box.bottom + 30, "step \u2192", "end"))
    if spec["kind"] == "phase":
        return [*parts, path(f"uo-line uo-c{spec['color']}", strand(_portrait_run(state)[0]))]
    total, left, _ = opening_rows(state)
    for k, own in enumerate(decades_of(left)):
        parts.append(f'<path class="uo-line uo-thin" style="{_mixed(state, k)}" d="{strand(own)}"/>')
    return [*parts, path("uo-line uo-thick", strand(level({"log": True}, total)))]


def _loadings(state: FigureState, width: float, height: float) -> list[str]:
    spec = state.spec
    left, right = min(132.0, 0.4 * width), width - 14
    middle, tall = (left + right) / 2, (height - 26) / len(spec["features"])
    parts = []
    for k, (weight, feature) in enumerate(zip(spec["directions"][0], spec["features"], strict=True)):
        long, y = abs(weight) * (right - middle), 4 + k * tall
        x = middle - long if weight < 0 else middle
        size = f'x="{short(x)}" y="{short(y + 0.16 * tall)}" width="{short(long)}" height="{short(0.68 * tall)}"'
        parts.append(f'<rect style="{_mixed(state, 0)}; fill: var(--uo-c)" {size}/>')
        parts.append(text("uo-tick-text", left - 8, y + tall / 2 + 4, feature, "end"))
    parts.append(path("uo-tick-mark", f"M{short(middle)} 2v{short(height - 24)}"))
    parts.append(text("uo-axis-name", left, height - 6, "\u2190 weights down"))
    return [*parts, text("uo-axis-name", right, height - 6, "weights up \u2192", "end")]


def _radius(state: FigureState, width: float, height: float) -> list[str]:
    own, box = state.spec["radius"], _box(width, height)
    left, right, low, high = own["view"]

    def at(q: float, beta: float) -> Point:
        return box.left + (q - left) / (right - left) * box.width, box.bottom - (beta - low) / (high - low) * box.height

    rows = round(SAMPLES * box.height / box.width)
    q, beta = np.meshgrid(np.linspace(left, right, SAMPLES), np.linspace(high, low, rows))
    bands = BANDS * np.minimum(spectral_radius(q, beta) / own["largest"], 1.0) ** own["exponent"]
    scale = (FINE * box.width / (SAMPLES - 1), FINE * box.height / (rows - 1))
    outlines = "".join(path(f"uo-b{k}", contours(bands, k, scale)) for k in range(1, BANDS + 1))
    moved = f"translate({short(box.left)} {short(box.top)}) scale({1 / FINE})"
    size = f'x="{short(box.left)}" y="{short(box.top)}" width="{short(box.width)}" height="{short(box.height)}"'
    parts = [f'<rect class="uo-b0" {size}/><g class="uo-bands" transform="{moved}">{outlines}</g>']
    edge = line([at(2, 0), at(4, 1), at(right, 1), at(right, 0)]) + "z"
    parts.append(f'<path class="uo-lost" d="{edge}"/>')
    parts.append(haloed("uo-line", line([at(*point) for point in own["critical"] if point[1] <= high])))
    parts += _across(box, (left, right), "rate \u00d7 curvature")
    parts += [text("uo-tick-text", box.left - 7, at(0, v)[1] + 4, f"{v:g}", "end") for v in (0, 0.25, 0.5, 0.75, 1)]
    for words, place in (
        ("swings", (1, 0.8)),
        ("creeps", (0.42, 0.05)),
        ("flips", (1.72, 0.05)),
        ("diverges", (3.4, 0.3)),
    ):
        parts.append(text("uo-words", *at(*place), words, "middle"))
    return [*parts, *_standing(state, at)]


def _standing(state: FigureState, at: Callable[[float, float], Point]) -> list[str]:
    spec, here = state.spec, state.spec["initial"]
    beta = spec["momenta"][here[1]]
    if spec["kind"] == "phase":
        return [path(f"uo-head uo-c{spec['color']}", marker(0, *at(spec["products"][here[0]], beta), 6))]
    places = [at(min(spec["rates"][here[0]] * value, spec["radius"]["view"][1]), beta) for value in spec["curvatures"]]
    dots = [_dot(_mixed(state, k), place, 4.2 if k else 6) for k, place in enumerate(places)]
    return [haloed("uo-line", line(places)), *dots]


def _portrait_run(state: FigureState) -> list[np.ndarray]:
    spec = state.spec
    shape = (*(len(axis["labels"]) for axis in spec["axes"]), spec["steps"] + 1)
    return [
        from_span(tables.unpack_rows(part, shape)[tuple(spec["initial"])], spec["span"]) for part in state.parts[:2]
    ]


def _portrait(state: FigureState, width: float, height: float) -> list[str]:
    spec, box = state.spec, _box(width, height)
    far = max(float(np.abs(values).max()) for values in _portrait_run(state))
    window = next((window for window in spec["windows"] if far <= window), spec["windows"][-1])
    scale = min(box.width, box.height) / 2 / window

    def at(c: float, u: float) -> Point:
        return (box.left + box.right) / 2 + c * scale, (box.top + box.bottom) / 2 - u * scale

    (x, y), color = at(0, 0), f"uo-c{spec['color']}"
    parts = [circle("uo-grid", x, y, r * scale) for r in (0.5, 1)]
    parts.append(
        path(
            "uo-grid",
            f"M{short(box.left)} {short(y)}h{short(box.width)}M{short(x)} {short(box.top)}v{short(box.height)}",
        )
    )
    for value, label in ((-1, "\u22121"), (1, "1")):
        parts.append(text("uo-tick-text", at(value, 0)[0], box.bottom + 15, label, "middle"))
        parts.append(text("uo-tick-text", box.left - 7, at(0, value)[1] + 4, label, "end"))
    parts.append(text("uo-axis-name", box.right, box.bottom + 30, "distance \u2192", "end"))
    parts.append(text("uo-words", box.left + 2, box.top + 11, "\u2191 velocity / \u221aq"))
    points = [at(float(c), float(u)) for c, u in zip(*_portrait_run(state), strict=True)]
    parts.append(haloed(f"uo-path {color}", line(points)))
    parts.append(path(f"uo-steps {color}", "".join(f"M{short(px)} {short(py)}h0" for px, py in points[1:-1])))
    return [
        *parts,
        circle("uo-chosen", *points[0], 4.5),
        path(f"uo-head {color}", marker(spec["color"], *points[-1], 5)),
    ]


DRAWINGS = {
    "valley": _valley,
    "bars": _bars,
    "sum": _sum,
    "loadings": _loadings,
    "radius": _radius,
    "portrait": _portrait,
    "relief": relief.relief,
    "above": relief.above,
}
