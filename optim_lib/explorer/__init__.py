"""The interactive figures of the course: `explore` one optimizer, `race` several, and quests for the reader.

A figure is plain data, its `FigureState`, computed from NumPy alone by `explore_state`, `race_state`, `curves_state`
and `scenes_state`, and by `modes_state`, `phase_state` and `relief_state`. `explore`, `race` and the others show it in
a notebook; ipywidgets and anywidget are imported when one of them is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from optim_lib.explorer.alone import save_html
from optim_lib.explorer.curves import curves_state as curves_state
from optim_lib.explorer.descents import Entry, MapCurve
from optim_lib.explorer.descents import explore_state as explore_state
from optim_lib.explorer.descents import race_state as race_state
from optim_lib.explorer.modes import modes_state as modes_state
from optim_lib.explorer.phase import phase_state as phase_state
from optim_lib.explorer.quests import (
    beats,
    diverge,
    diverges_at,
    find_best,
    first_at,
    from_every_start,
    improves,
    largest_stable,
    lowest_at,
    only_at,
    predict,
    quest,
    reach,
    settle_in,
    work_out,
)
from optim_lib.explorer.recipe import recompute
from optim_lib.explorer.relief import relief_state as relief_state
from optim_lib.explorer.scenes import Bars, Plane, arrow, dots, outline
from optim_lib.explorer.scenes import scenes_state as scenes_state
from optim_lib.explorer.state import FigureState
from optim_lib.extras import needed

if TYPE_CHECKING:
    from optim_lib.explorer.widgets import (
        BoardsFigure,
        CurvesFigure,
        Explorer,
        ScenesFigure,
        explore,
        explore_curves,
        explore_modes,
        explore_phase,
        explore_relief,
        explore_scenes,
        race,
    )

__all__ = [
    "Bars",
    "BoardsFigure",
    "CurvesFigure",
    "Entry",
    "Explorer",
    "FigureState",
    "MapCurve",
    "Plane",
    "ScenesFigure",
    "arrow",
    "beats",
    "diverge",
    "diverges_at",
    "dots",
    "explore",
    "explore_curves",
    "explore_modes",
    "explore_phase",
    "explore_relief",
    "explore_scenes",
    "find_best",
    "first_at",
    "from_every_start",
    "improves",
    "largest_stable",
    "lowest_at",
    "only_at",
    "outline",
    "predict",
    "quest",
    "race",
    "reach",
    "recompute",
    "save_html",
    "settle_in",
    "work_out",
]

NOTEBOOK = (
    "BoardsFigure",
    "CurvesFigure",
    "Explorer",
    "ScenesFigure",
    "explore",
    "explore_curves",
    "explore_modes",
    "explore_phase",
    "explore_relief",
    "explore_scenes",
    "race",
)


def __getattr__(name: str) -> Any:
    if name not in NOTEBOOK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needed():
        return getattr(import_module("optim_lib.explorer.widgets"), name)


def __dir__() -> list[str]:
    return __all__
