"""A figure in a notebook: ipywidgets' sliders, tied to a canvas that an anywidget draws.

The figure's state comes from `optim_lib.explorer.state` and its makers; nothing is computed here.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Callable
from typing import Any, ParamSpec

import anywidget
import ipywidgets
import traitlets

from optim_lib.explorer import markup
from optim_lib.explorer.curves import curves_state
from optim_lib.explorer.descents import explore_state, race_state
from optim_lib.explorer.modes import modes_state
from optim_lib.explorer.phase import phase_state
from optim_lib.explorer.recipe import recipe_of
from optim_lib.explorer.relief import relief_state
from optim_lib.explorer.scenes import scenes_state
from optim_lib.explorer.script import script, style
from optim_lib.explorer.state import FigureState, Slider

P = ParamSpec("P")


class Canvas(anywidget.AnyWidget):
    """The drawing: it gets the table once, and from then on only where the sliders stand."""

    _esm = script()
    _css = style()

    spec = traitlets.Dict().tag(sync=True)
    html = traitlets.Unicode().tag(sync=True)
    table = traitlets.Bytes().tag(sync=True)
    recipe = traitlets.Dict(allow_none=True).tag(sync=True)
    i0 = traitlets.Int(0).tag(sync=True)
    i1 = traitlets.Int(0).tag(sync=True)
    i2 = traitlets.Int(0).tag(sync=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__.lower()}: {self.spec.get('title', '')}"


class ExplorerCanvas(Canvas):
    """Paths on a surface, the loss at each step, and the map of settings."""

    start = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)


class CurvesCanvas(Canvas):
    """Panels of curves."""


class ScenesCanvas(Canvas):
    """Marks in a plane, and bars."""


class BoardsCanvas(Canvas):
    """Boards of one state, played step by step."""

    step = traitlets.Int(0).tag(sync=True)


class SliderFigure(ipywidgets.VBox):
    """What an interactive figure is: a heading, a slider for each axis, and the canvas that they move.

    Attributes
    ----------
    state : FigureState
    table : Table
        What quests look at: every run of the figure, or the values of its judged panel.
    sliders : dict of str to SelectionSlider
        By axis name.
    canvas : Canvas
    """

    def __init__(self, state: FigureState, canvas: Canvas) -> None:
        self.state, self.table, self.canvas = state, state.data, canvas
        self.sliders = {slider.name: tied_slider(self.canvas, k, slider) for k, slider in enumerate(state.sliders)}
        row = ipywidgets.Box(list(self.sliders.values()))
        row.add_class("uo-sliders")
        heading = html.escape(state.heading)
        title = [ipywidgets.HTML(f'<p class="uo-heading">{heading}</p>')] if heading else []
        super().__init__([*title, row, self.canvas])
        self.add_class("uo-figure")

    def __repr__(self) -> str:
        return self.state.about

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """As a widget where there are widgets; elsewhere a picture, which the site's script brings to life."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/html"] = markup.page(self.state, self.model_id or "")
        return bundle


class Explorer(SliderFigure):
    """What `explore` and `race` return: the sliders above the canvas."""

    def __init__(self, state: FigureState) -> None:
        super().__init__(state, ExplorerCanvas(**_traits(state), step=state.spec["steps"]))


class CurvesFigure(SliderFigure):
    """What `explore_curves` returns."""

    def __init__(self, state: FigureState) -> None:
        super().__init__(state, CurvesCanvas(**_traits(state)))


class ScenesFigure(SliderFigure):
    """What `explore_scenes` returns."""

    def __init__(self, state: FigureState) -> None:
        super().__init__(state, ScenesCanvas(**_traits(state)))


class BoardsFigure(SliderFigure):
    """What `explore_modes`, `explore_phase` and `explore_relief` return."""

    def __init__(self, state: FigureState) -> None:
        super().__init__(state, BoardsCanvas(**_traits(state), step=state.spec["steps"]))


def _traits(state: FigureState) -> dict[str, object]:
    return {
        "spec": state.spec,
        "html": markup.inside(state),
        "table": state.table,
        "recipe": recipe_of(state),
        "layout": ipywidgets.Layout(width="100%"),
    }


def tied_slider(canvas: Canvas, place: int, slider: Slider) -> ipywidgets.SelectionSlider:
    """A slider over labeled values whose index is the canvas's trait ``i{place}``, with or without a kernel."""
    setattr(canvas, f"i{place}", slider.index)
    widget = ipywidgets.SelectionSlider(
        options=[(label, position) for position, label in enumerate(slider.labels)],
        index=slider.index,
        description=slider.description,
        tooltip=slider.tooltip,
        style={"description_width": "initial"},
        layout=ipywidgets.Layout(width="auto", min_width="0"),
    )
    ipywidgets.jslink((widget, "index"), (canvas, f"i{place}"))
    return widget


def _shown(
    make: Callable[P, FigureState],
    figure: type[Explorer] | type[CurvesFigure] | type[ScenesFigure] | type[BoardsFigure],
    name: str,
) -> Callable[P, SliderFigure]:
    """The maker of a state as a function that shows it, with the same signature and documentation."""

    @functools.wraps(make)
    def show(*args: P.args, **kwargs: P.kwargs) -> SliderFigure:
        return figure(make(*args, **kwargs))

    show.__name__ = show.__qualname__ = name
    show.__module__ = "optim_lib.explorer"
    show.__annotations__ = {**make.__annotations__, "return": figure.__name__}
    return show


explore = _shown(explore_state, Explorer, "explore")
race = _shown(race_state, Explorer, "race")
explore_curves = _shown(curves_state, CurvesFigure, "explore_curves")
explore_scenes = _shown(scenes_state, ScenesFigure, "explore_scenes")
explore_modes = _shown(modes_state, BoardsFigure, "explore_modes")
explore_phase = _shown(phase_state, BoardsFigure, "explore_phase")
explore_relief = _shown(relief_state, BoardsFigure, "explore_relief")
