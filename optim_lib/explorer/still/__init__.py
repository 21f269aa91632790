"""The pictures of a figure as it opens, drawn by Python as SVG: there before the script, without it, and in print.

Their colors are classes of ``explorer.css``, so that one picture serves light and dark pages. What the script draws in
their place has the same marks, axes and colors: ``surface.js``, ``losses.js``, ``settings.js``, ``curves.js``,
``scenes.js``.
"""

from __future__ import annotations

from optim_lib.explorer.state import FigureState
from optim_lib.explorer.still.boards import boards
from optim_lib.explorer.still.curves import curves
from optim_lib.explorer.still.losses import losses
from optim_lib.explorer.still.opening import Opening
from optim_lib.explorer.still.scenes import scene
from optim_lib.explorer.still.settings import SettingsMap
from optim_lib.explorer.still.surface import Surface

# The sizes, in pixels, that the pictures have where the page is wide; elsewhere they are scaled.
MAIN, SIDE = 442, 280
CHART_WIDE, CHART, SCENE = (740, 370), (361, 249), (361, 288)


def pictures(state: FigureState) -> dict[str, str]:
    """The pictures of a figure: "main", "loss", "map"; or "curve-0", "board-0", ... for curves, scenes and boards."""
    if state.kind == "scenes":
        count = len(state.spec["panels"]) - 1
        return {f"curve-{k}": scene(state, k, *(CHART_WIDE if count == 1 else SCENE)) for k in range(count)}
    if state.kind == "curves":
        size = CHART_WIDE if len(state.spec["panels"]) == 1 else CHART
        return {f"curve-{k}": curves(state, k, *size) for k in range(len(state.spec["panels"]))}
    if "boards" in state.spec:
        return boards(state, *CHART)
    opening = Opening(state)
    # Beside the surface, less two lines of words: five parts for the losses, eight for the map.
    rest = MAIN / state.spec["aspect"] - 40
    return {
        "main": Surface(opening, MAIN).svg(),
        "loss": losses(opening, SIDE, rest * 5 / 13),
        "map": SettingsMap(opening, SIDE, rest * 8 / 13).svg(),
    }
