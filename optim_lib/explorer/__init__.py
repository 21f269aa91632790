"""The interactive figure of the course: `explore` one optimizer, `race` several, and quests for the reader."""

from optim_lib.explorer.curves import CurvesFigure, explore_curves
from optim_lib.explorer.explorer import Entry, Explorer, MapCurve, explore, race
from optim_lib.explorer.quests import (
    beats,
    diverge,
    diverges_at,
    find_best,
    from_every_start,
    improves,
    largest_stable,
    predict,
    quest,
    reach,
    settle_in,
)

__all__ = [
    "CurvesFigure",
    "Entry",
    "Explorer",
    "MapCurve",
    "beats",
    "diverge",
    "diverges_at",
    "explore",
    "explore_curves",
    "find_best",
    "from_every_start",
    "improves",
    "largest_stable",
    "predict",
    "quest",
    "race",
    "reach",
    "settle_in",
]
