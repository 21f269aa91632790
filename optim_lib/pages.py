"""A piece of a page: HTML with its own style where there is a browser, plain text elsewhere."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files

import numpy as np

from optim_lib.palette import DARK, LIGHT

BANDS = 13
LEVELS = 16
DARK_PAGES = (
    "html[data-theme=dark] .uo-plot",
    "html[theme=dark] .uo-plot",
    "[data-jp-theme-light=false] .uo-plot",
    ".vscode-dark .uo-plot",
)


class Piece:
    """A piece of a page: HTML where there is a browser, plain text elsewhere."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def page_piece(body: str, tag: str = "div") -> str:
    """Wrap HTML in the class that carries the style, with the style before it."""
    return f'<style>{stylesheet(body)}</style><{tag} class="uo-plot">{body}</{tag}>'


def stylesheet(body: str) -> str:
    """The style sheet, with those custom properties that `body` or the sheet itself uses."""
    sheet = _sheet()
    used = set(re.findall(r"var\(--p-(\w+)", body + sheet))

    def values(colors: dict[str, str]) -> str:
        return "".join(f"--p-{name}:{color};" for name, color in colors.items() if name in used)

    dark = ",".join(DARK_PAGES)
    return f".uo-plot{{{values(LIGHT_COLORS)}}}{dark}{{{values(DARK_COLORS)}}}{sheet}"


def inline(text: str) -> str:
    """Bold, emphasis, code and mathematics of one paragraph as HTML."""
    html = escape(text, quote=False)
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\$([^$]+)\$", r'<span class="math notranslate nohighlight">\\(\1\\)</span>', html)
    html = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", html)


def plain(text: str) -> str:
    """The same paragraph without its marks."""
    return re.sub(r"\*\*(.+?)\*\*|`([^`]+)`", lambda match: match[1] or match[2], text)


def ramp(colors: tuple[str, ...], count: int) -> list[str]:
    """`count` colors spread evenly along a list of colors."""
    rgb = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in colors])
    places = np.linspace(0, len(colors) - 1, count)
    channels = [np.interp(places, np.arange(len(colors)), rgb[:, channel]) for channel in range(3)]
    return ["#" + "".join(f"{round(float(value)):02x}" for value in color) for color in np.stack(channels, axis=-1)]


def _colors(palette: dict) -> dict[str, str]:
    """Every color of the figures by the name of its custom property."""
    named = {f"s{i}": color for i, color in enumerate(palette["series"])}
    named |= {name: color for name, color in palette.items() if isinstance(color, str)}
    named |= {f"f{i}": color for i, color in enumerate(ramp(palette["surface"], BANDS))}
    named |= {f"q{i}": color for i, color in enumerate(ramp(palette["sequential"], LEVELS))}
    named |= {f"g{i}": color for i, color in enumerate(ramp((palette["paper"], palette["ink"]), LEVELS))}
    return {name: color.lower() for name, color in named.items()}


LIGHT_COLORS, DARK_COLORS = _colors(LIGHT), _colors(DARK)


@cache
def _sheet() -> str:
    text = files("optim_lib").joinpath("plotting", "plotting.css").read_text(encoding="utf-8")
    return re.sub(r"\s*\n\s*", "", text)
