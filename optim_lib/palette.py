"""The colors of the course, shared by the matplotlib figures, the explorer and the site's style sheet.

The series colors are those of Okabe and Ito, distinct for color-blind readers; in dark mode the ones that would fall
under a contrast of 3:1 against the paper are lightened. Sequential colors run from a low loss to a high one: the lower
the loss, the more a color stands out from the paper, on light and on dark.
"""

from __future__ import annotations

SERIES_NAMES = ("vermillion", "blue", "green", "purple", "orange", "sky")

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2430",
    "muted": "#5b6372",
    "faint": "#dfe3ea",
    "track": "#c3c9d4",
    "panel": "#f6f7f9",
    "accent": "#0072B2",
    "series": ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    "surface": ("#a9c5dc", "#c3d7e7", "#dae6f0", "#ebf1f6", "#f7f9fb"),
    "sequential": ("#0b2a5b", "#0b5d9e", "#2f94c4", "#83c3d6", "#cfe3dc", "#f3eede"),
    "isoline": "#5f83a3",
    "diverged": "#e7e5e3",
    "hatch": "#9a9691",
    "good": "#00795a",
}

DARK = {
    "paper": "#14171f",
    "ink": "#e6e6e6",
    "muted": "#a3abba",
    "faint": "#2d3340",
    "track": "#454d5c",
    "panel": "#1b1f29",
    "accent": "#56B4E9",
    "series": ("#FF8A3D", "#4FA9E2", "#2FC39A", "#DE93BE", "#F2B632", "#8FD0F5"),
    "surface": ("#3d6687", "#2f5170", "#254058", "#1d3143", "#182531"),
    "sequential": ("#f7f1d0", "#a9dcc4", "#56b4c9", "#2f80ad", "#27507e", "#232f4b"),
    "isoline": "#86a9c6",
    "diverged": "#24262c",
    "hatch": "#666b75",
    "good": "#3fd0a4",
}

# In the order in which figures use them.
SERIES = LIGHT["series"]


def palette(dark: bool = False) -> dict[str, str | tuple[str, ...]]:
    """The colors by role, for a light or a dark page."""
    return dict(DARK if dark else LIGHT)
