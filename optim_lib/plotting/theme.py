"""The house style, and the way a matplotlib figure becomes a piece of a page.

A figure is drawn once, in the colors of a light page, and turned into an SVG whose colors are custom properties: the
same picture follows the page into dark mode. Its text stays text, in the font of the page.
"""

from __future__ import annotations

import hashlib
import io
import re
from html import escape

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optim_lib.pages import BANDS, LEVELS, LIGHT_COLORS, Piece, inline, page_piece, plain
from optim_lib.palette import LIGHT

# Inches. A panel is a figure that stands beside another one, or above it where the page is narrow.
WIDTH, HEIGHT = 5.1, 3.2
PANEL_WIDTH = 3.9


STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "optim_lib",
    "font.family": "sans-serif",
    "font.size": 10.2,
    "text.color": LIGHT["ink"],
    "axes.edgecolor": LIGHT["muted"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.labelsize": 10.2,
    "axes.linewidth": 0.8,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.8,
    "axes.titleweight": "bold",
    "axes.titlecolor": LIGHT["ink"],
    "axes.titlepad": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": LIGHT["faint"],
    "grid.linewidth": 0.7,
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.labelsize": 9.6,
    "ytick.labelsize": 9.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.9,
    "lines.markersize": 5.0,
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
    "figure.constrained_layout.use": True,
}


SURFACE = [LIGHT_COLORS[f"f{i}"] for i in range(BANDS)]
SEQUENTIAL = [LIGHT_COLORS[f"q{i}"] for i in range(LEVELS)]
GRAYS = [LIGHT_COLORS[f"g{i}"] for i in range(LEVELS)]
_NAME_OF = {color: name for name, color in reversed(LIGHT_COLORS.items())}


def axes(
    xlabel: str = "",
    ylabel: str = "",
    *,
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> tuple[Figure, Axes]:
    """An empty figure in the house style, to draw on what no recipe draws; pass it to `show`.

    Use the colors of `optim_lib.palette` (or ``"C0"`` to ``"C5"``), which follow the page into dark mode; any other
    color stays as it is.
    """
    from matplotlib import cycler

    with rc_context({**STYLE, "axes.prop_cycle": cycler(color=LIGHT["series"])}):
        figure = Figure(figsize=(width, height))
        ax = figure.add_subplot()
        ax.set(xlabel=xlabel, ylabel=ylabel)
        if title:
            ax.set_title(title)
        if log_x:
            ax.set_xscale("log")
        if log_y:
            ax.set_yscale("log")
    return figure, ax


def show(*figures: Figure, alt: str, caption: str) -> Piece:
    """Show a figure, or several side by side, with a text for those who cannot see it and a caption for all.

    Parameters
    ----------
    *figures : Figure
        What the recipes return. Several stand side by side, and one above the other on a narrow page.
    alt : str
        What the picture shows, for a screen reader: the finding, with its numbers.
    caption : str
        What to see in it. A first sentence in ``**bold**`` is its title; `` `code` ``, ``*emphasis*`` and ``$math$``
        work.

    Raises
    ------
    TypeError, ValueError
        If there is no figure, or `alt` or `caption` is empty.
    """
    if not figures or not all(isinstance(figure, Figure) for figure in figures):
        raise TypeError(f"figures must be one or more matplotlib figures, got {figures!r}")
    for name, value in (("alt", alt), ("caption", caption)):
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{name} must say what the figure shows, got {value!r}")
    if len(figures) > 1:
        for figure in figures:
            _make_panel(figure)
    body = "".join(svg(figure) for figure in figures)
    html = (
        f'<div class="up-panels" role="img" aria-label="{escape(alt, quote=True)}">{body}</div>'
        f"<figcaption>{inline(caption)}</figcaption>"
    )
    return Piece(page_piece(html, "figure"), f"Figure: {plain(caption)}")


def svg(figure: Figure) -> str:
    """The figure as an SVG to stand inside a page: no fixed colors, no fonts, no dates, no ids that could clash."""
    stream = io.StringIO()
    with rc_context(STYLE):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups()
    body = text[text.index("</defs>") + len("</defs>") : text.rindex("</svg>")]
    body = _compact(body)
    body = _own_ids(body)
    body = re.sub(r"#[0-9a-f]{6}\b", _as_property, body)
    pixels = float(width) * 4 / 3
    return (
        f'<svg viewBox="0 0 {width} {height}" style="max-width:{pixels:.0f}px" aria-hidden="true" focusable="false">'
        f"{body}</svg>"
    )


def _make_panel(figure: Figure) -> None:
    width, height = figure.get_size_inches()
    if width > PANEL_WIDTH:
        figure.set_size_inches(PANEL_WIDTH, max(height * PANEL_WIDTH / width, 0.92 * min(height, HEIGHT)))


def _compact(body: str) -> str:
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*;?", "", body)
    body = re.sub(r"font: (italic |bold )?([\d.]+px) [^;\"]*", r"font-size: \2", body)
    body = re.sub(r' d="([^"]*)"', lambda match: f' d="{_rounded(match[1])}"', body)
    body = re.sub(r' transform="rotate\(-0 [^"]*"', "", body)
    body = re.sub(r">\s+<", "><", body)
    return re.sub(r'style="[^"]*"', lambda match: re.sub(r"(?<=[;:]) ", "", match[0]), body).strip()


def _rounded(path: str) -> str:
    """The same path in fewer characters: long polylines to a tenth of a point, as steps from point to point."""
    tokens = path.split()
    if len(tokens) < 60 or not {token for token in tokens if token.isalpha()} <= {"M", "L", "z"}:
        return " ".join(token if token.isalpha() else _number(float(token), 100) for token in tokens)
    short, here, at = [], np.zeros(2, dtype=int), 0
    while at < len(tokens):
        if tokens[at] == "z":
            short.append("z")
            at += 1
            continue
        point = np.rint([10 * float(value) for value in tokens[at + 1 : at + 3]]).astype(int)
        dx, dy = point - here
        if tokens[at] == "M":
            short.append(f"M{_number(point[0], 1, 10)} {_number(point[1], 1, 10)}l")
        elif dx or dy:
            short.append(f"{_number(dx, 1, 10)} {_number(dy, 1, 10)} ")
        elif short[-1].startswith("M"):
            short.append("h0")  # a dot
        here, at = point, at + 3
    return re.sub(r" (?=[zM-]|$)|l(?=[zMh]|$)", "", "".join(short))


def _number(value: float, precision: int, unit: int = 1) -> str:
    text = f"{round(value * precision) / precision / unit:.2f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0(?=\.)", r"\1", text) if text != "-0" else "0"


def _own_ids(body: str) -> str:
    """Drop the ids that nothing refers to, and make the others the figure's own."""
    used = set(re.findall(r"#([A-Za-z_][\w.-]*)(?=[)\"])", body))
    mark = hashlib.sha256(body.encode()).hexdigest()[:8]
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{mark}-{m[1]}"' if m[1] in used else "", body)
    return re.sub(r"(url\(#|href=\"#)([A-Za-z_][\w.-]*)", rf"\g<1>{mark}-\2", body)


def _as_property(match: re.Match) -> str:
    name = _NAME_OF.get(match[0])
    return f"var(--p-{name})" if name else match[0]
