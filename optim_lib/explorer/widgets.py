"""What the interactive figures share on Python's side: the canvas widget, its scripts, and the sliders tied to it."""

from __future__ import annotations

import html
import pathlib
from collections.abc import Sequence

import anywidget
import ipywidgets
import traitlets

from optim_lib.explorer.table import Table

HERE = pathlib.Path(__file__).parent


def script(name: str) -> str:
    """The code of a figure: what all share, and then its own. A page takes one file for each widget."""
    return "\n".join((HERE / file).read_text(encoding="utf-8") for file in ("common.js", name))


class Canvas(anywidget.AnyWidget):
    """The drawing: it gets the table once, and from then on only where the sliders stand."""

    _css = HERE / "explorer.css"

    spec = traitlets.Dict().tag(sync=True)
    table = traitlets.Bytes().tag(sync=True)
    i0 = traitlets.Int(0).tag(sync=True)
    i1 = traitlets.Int(0).tag(sync=True)
    i2 = traitlets.Int(0).tag(sync=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__.lower()}: {self.spec.get('title', '')}"


class SliderFigure(ipywidgets.VBox):
    """What an interactive figure is: a heading, a slider for each axis, and the canvas that they move.

    Attributes
    ----------
    table : Table
        What quests look at: every run of the figure, or the values of its judged panel.
    sliders : dict of str to SelectionSlider
        By axis name.
    canvas : Canvas
    """

    def __init__(
        self, about: str, heading: str, data: Table, sliders: dict[str, ipywidgets.SelectionSlider], canvas: Canvas
    ) -> None:
        row = ipywidgets.Box(list(sliders.values()))
        row.add_class("uo-sliders")
        title = [ipywidgets.HTML(f'<p class="uo-heading">{html.escape(heading)}</p>')] if heading else []
        super().__init__([*title, row, canvas])
        self.add_class("uo-figure")
        self.about, self.table, self.sliders, self.canvas = about, data, sliders, canvas

    def __repr__(self) -> str:
        return self.about


def tied_slider(
    canvas: Canvas, place: int, options: Sequence[str], index: int, description: str, tooltip: str
) -> ipywidgets.SelectionSlider:
    """A slider over labeled values whose index is the canvas's trait ``i{place}``, with or without a kernel."""
    setattr(canvas, f"i{place}", index)
    slider = ipywidgets.SelectionSlider(
        options=[(label, position) for position, label in enumerate(options)],
        index=index,
        description=description,
        tooltip=tooltip,
        style={"description_width": "initial"},
        layout=ipywidgets.Layout(width="auto", min_width="0"),
    )
    ipywidgets.jslink((slider, "index"), (canvas, f"i{place}"))
    return slider
