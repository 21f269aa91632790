"""The colors of the course, all of them: of the figures, the explorer, the pages, the cards and the logo.

Figures take them from here when they are drawn. Style sheets and the logo are text, and must also stand alone in a
notebook: ``python -m tools.colors`` writes the colors into them, ``make book`` does so too, and a test compares.

The series colors are those of Okabe and Ito, distinct for color-blind readers; in dark mode the ones that would fall
under a contrast of 3:1 against the paper are lightened. Sequential colors run from a low loss to a high one: the lower
the loss, the more a color stands out from the paper, on light and on dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

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

# One optimizer, one color, in every figure. Those in one place never meet in a figure of the course.
OF_OPTIMIZER = {
    0: ("gradient descent", "SGD", "constant", "Lion", "LARS"),
    1: ("momentum", "MomentumSGD", "momentum 0.9", "heavy ball", "ball", "Shampoo", "LAMB"),
    2: ("AdaGrad", "AdamW", "AdaBelief", "decaying", "Schedule-Free"),
    3: ("RMSprop", "Muon"),
    4: ("Adam", "AMSGrad"),
    5: (
        "Nesterov",
        "NesterovMomentum",
        "NAdam",
        "UncorrectedAdam",
        "without correction",
        "CenteredRMSprop",
        "centered",
    ),
}
_PLACES = {name.lower(): place for place, names in OF_OPTIMIZER.items() for name in names}

# Shades between the stops of a ramp: of a surface's bands, and of a map's cells.
BANDS = 13
HEATS = 16

# Pages that say whether they are dark: the site, Colab, JupyterLab, VS Code. All others follow the system.
_DARK_PAGES = (
    "html[data-theme=dark]",
    "html[theme=dark]",
    "body[data-jp-theme-light=false]",
    "body.vscode-dark",
    "body.vscode-high-contrast:not(.vscode-high-contrast-light)",
)
_LIGHT_PAGES = ("body[data-jp-theme-light=true]", "body.vscode-light", "body.vscode-high-contrast-light")


def palette(dark: bool = False) -> dict[str, str | tuple[str, ...]]:
    """The colors by role, for a light or a dark page."""
    return dict(DARK if dark else LIGHT)


def is_optimizer(label: str) -> bool:
    """Whether a label is the name of an optimizer that has a color of its own, whatever is said of its setting."""
    return _place(label) is not None


def color_places(labels: Iterable[str]) -> list[int]:
    """For each label of a figure its color, as a place in ``series``.

    An optimizer keeps its own color; what has none, or shares it with another of this figure, gets one that is free.

    Examples
    --------
    >>> color_places(["Adam", "SGD", "yours", "momentum 0.5", "momentum 0.9"])
    [4, 0, 2, 3, 1]
    """
    labels = list(labels)
    found: dict[int, int] = {}
    # Full names first: of "momentum 0.5" and "momentum 0.9", the usual one is momentum.
    for find in (lambda label: _PLACES.get(label.lower()), _place):
        for k, label in enumerate(labels):
            place = find(label)
            if k not in found and place is not None and place not in found.values():
                found[k] = place
    free = [place for place in range(len(SERIES)) if place not in found.values()]
    for k in range(len(labels)):
        if k not in found:
            found[k] = free.pop(0) if free else k % len(SERIES)
    return [found[k] for k in range(len(labels))]


def colors_of(labels: Iterable[str]) -> list[str]:
    """For each label of a figure its color on a light page."""
    return [SERIES[place] for place in color_places(map(str, labels))]


def _place(label: str) -> int | None:
    """The color of the optimizer that a label begins with: "SGD + L2", "Nesterov, guaranteed", "momentum 0.5"."""
    name = re.split(r"\s*[,+(]|\s+(?:with|at)\b|\s+[\d.]+$", label.lower())[0]
    return _PLACES.get(name)


def ramp(stops: Sequence[str], count: int) -> list[str]:
    """`count` colors spread evenly along a list of colors."""
    channels = [[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops]
    colors = []
    for k in range(count):
        at = k / (count - 1) * (len(stops) - 1)
        low = min(int(at), len(stops) - 2)
        mixed = [round(a + (b - a) * (at - low)) for a, b in zip(channels[low], channels[low + 1], strict=True)]
        colors.append("#" + "".join(f"{channel:02x}" for channel in mixed))
    return colors


def style_sheet() -> str:
    """The colors as custom properties: ``--uo-ink``, ``--uo-series-0``, ..., light and dark as the page is."""
    light, dark = _properties(LIGHT, "light"), _properties(DARK, "dark")
    return "\n".join(
        [
            f"html {{ {light} }}",
            f"@media (prefers-color-scheme: dark) {{ html:not([data-theme]):not([theme]) {{ {dark} }} }}",
            f"{', '.join(_LIGHT_PAGES)} {{ {light} }}",
            f"{', '.join(_DARK_PAGES)} {{ {dark} }}",
            "",
        ]
    )


def _properties(colors: dict[str, str | tuple[str, ...]], scheme: str) -> str:
    flat = {"scheme": scheme}
    for role, value in colors.items():
        flat |= {role: value} if isinstance(value, str) else {f"{role}-{k}": color for k, color in enumerate(value)}
    flat |= {f"band-{k}": color for k, color in enumerate(ramp(colors["surface"], BANDS + 1))}
    flat |= {f"heat-{k}": color for k, color in enumerate(ramp(colors["sequential"], HEATS))}
    return " ".join(f"--uo-{name}: {color};" for name, color in flat.items())
