"""The loss at each step."""

from __future__ import annotations

from optim_lib.explorer.axes import Box, loss_range, step_ticks
from optim_lib.explorer.still.opening import Opening, decade
from optim_lib.explorer.still.pieces import cross, line, log_axis, marker, path, svg, text


def losses(opening: Opening, width: float, height: float) -> str:
    """The picture of the losses of all runs, in the decades that they cross."""
    levels = [decade(codes[:alive]) for codes, alive in zip(opening.codes, opening.alive, strict=True)]
    box = Box(40, 8, width - 52, height - 30, *loss_range(levels))
    steps = opening.spec["steps"]

    def x(step: int) -> float:
        return box.left + step / steps * box.width

    parts = log_axis(box)
    parts += [text("uo-tick-text", x(step), box.bottom + 16, str(step), "middle") for step in step_ticks(steps)]
    for k, own in enumerate(levels):
        color = opening.colors[k]
        points = [(x(step), box.y(value)) for step, value in enumerate(own)]
        # A run that leaves the chart is drawn to its upper edge.
        seen = next((i + 1 for i, (_, y) in enumerate(points) if y < box.top - 6), len(points))
        parts.append(path(f"uo-line uo-c{color}", line(points[:seen])))
        if opening.lost(k):
            parts.append(path(f"uo-cross uo-c{color}", cross(x(opening.alive[k]), box.top + 4, 5)))
        else:
            parts.append(path(f"uo-head uo-c{color}", marker(color, *points[-1], 3.6)))
    return svg("loss", "The loss at each step, on a logarithmic axis.", width, height, parts)
