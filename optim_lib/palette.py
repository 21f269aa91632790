"""The colors of the course, all of them: of the figures, the explorer, the pages, the cards and the logo.

Figures take them from here when they are drawn. Style sheets and the logo are text, and must also stand alone in a
notebook: ``python -m tools.colors`` writes the colors into them, ``make book`` does so too, and a test compares.

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

# What only pages need: links, warnings, asides. They are read as words on the paper.
PAGE_LIGHT = {"link": "#00609a", "warm": "#a34700", "violet": "#8a4a75"}
PAGE_DARK = {"link": "#7cc4ee", "warm": "#ff9a57", "violet": "#e3a3c8"}

# The cards of the exercises have stronger ones: a word in them is a verdict. (Stored outputs carry a copy.)
CARD_LIGHT = {
    "ink": "#1f2530",
    "soft": "#566070",
    "line": "#c9ced6",
    "paper": "#ffffff",
    "code": "#eef0f3",
    "go": "#17663a",
    "no": "#a82020",
    "mid": "#8a4b00",
    "err": "#7a2f9c",
}
CARD_DARK = {
    "ink": "#e4e8ee",
    "soft": "#a6b0be",
    "line": "#465162",
    "paper": "#1c222b",
    "code": "#2c3440",
    "go": "#6fd39a",
    "no": "#ff9a92",
    "mid": "#f0b95c",
    "err": "#d9a6f5",
}

# In the order in which figures use them.
SERIES = LIGHT["series"]


def palette(dark: bool = False) -> dict[str, str | tuple[str, ...]]:
    """The colors by role, for a light or a dark page."""
    return dict(DARK if dark else LIGHT)
