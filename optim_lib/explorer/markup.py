"""The HTML of a figure: everything that does not move, made here once.

The script (``js/``) finds its parts by their classes and brings them to life, in a notebook as in a page. Without it
the figure is a picture with its title, its sentence and its quests.
"""

from __future__ import annotations

from html import escape
from typing import Any

from optim_lib.explorer.state import FigureState, Slider
from optim_lib.explorer.still import pictures
from optim_lib.explorer.still.pieces import circle, marker, path, plus, star, swatch
from optim_lib.explorer.words import LETTERS

Spec = dict[str, Any]

# What a reader can do with a figure as a whole: the name of the act, and what the button says.
TOOLS = {
    "link": ("Link", "Copy a link to this figure as it stands"),
    "reset": ("Reset", "Put the sliders, the start and the step back to where they stood first"),
    "full": ("Full screen", "Show this figure on the whole screen"),
    "png": ("PNG", "Save the picture as PNG"),
    "svg": ("SVG", "Save the picture as SVG"),
    "csv": ("CSV", "Save the numbers of the runs shown as CSV"),
}

HERE = "Check the setting where the sliders stand: three tries"

KEY = {
    "minimum": ("minimum", path("uo-plus", plus(8, 8))),
    "saddle": ("saddle point", path("uo-saddle", marker(3, 8, 8, 3.75))),
    "start": ("start", circle("uo-chosen", 8, 8, 4.5)),
    "head": ("where the run is", path("uo-head", marker(0, 8, 8, 5))),
    "heads": ("where each run is", path("uo-head", marker(0, 8, 8, 5))),
    "here": ("this setting", circle("uo-ring", 8, 8, 5.5)),
    "best": ("the best of the map", path("uo-star", star(8, 8, 7))),
    "theory": ("theory", path("uo-theory", "M1 8h14")),
}


def page(state: FigureState, model: str = "") -> str:
    """A whole figure for a page: title, room for its sliders, pictures, sentence, quests.

    Parameters
    ----------
    state : FigureState
    model : str
        The identifier of the figure's widget, whose sliders the page's script puts in their room.
    """
    spec = state.spec
    key, title = escape(spec["key"]), escape(state.heading or spec["title"])
    heading = f'<p class="uo-heading">{escape(state.heading)}</p>' if state.heading else ""
    sliders = "".join(_slider(slider) for slider in state.sliders)
    return (
        f'<div class="uo-figure" data-figure="{key}" data-model="{escape(model)}">'
        f'<a class="uo-skip" href="#after-{key}">Skip the figure \u201c{title}\u201d</a>'
        f'{heading}<div class="uo-sliders">{sliders}</div>{inside(state)}'
        f'<span class="uo-after" id="after-{key}" tabindex="-1"></span></div>'
    )


def inside(state: FigureState) -> str:
    """What stands below a figure's sliders: controls, pictures, sentence, quests."""
    spec, drawn = state.spec, pictures(state)
    describe = f'<p class="uo-sr">{escape(spec["describe"])}</p>' if spec["describe"] else ""
    says = f'<p class="uo-says" aria-live="off">{escape(spec["says"])}</p>'
    if state.kind in ("curves", "scenes"):
        body = f"{_curves_bar(spec)}{_charts(spec, drawn)}{says}"
    elif "boards" in spec:
        body = f'<div class="uo-bar">{_clock(spec)}</div>{_boards(spec, drawn)}{says}'
    else:
        body = f"{_descent_bar(spec)}{_panels(spec, drawn, says)}{_key(spec)}"
    aspect = f' style="--uo-aspect: {spec["aspect"]:.4g}"' if "aspect" in spec else ""
    return (
        f'<div class="uo-explorer" role="group" aria-label="{escape(spec["title"])}" '
        f'data-lm-suppress-shortcuts="true"{aspect}>{describe}{body}{_quests(spec)}{_tools()}'
        f'<div class="uo-sr uo-news" aria-live="polite"></div></div>'
    )


def _slider(slider: Slider) -> str:
    """A slider's place, which looks like the slider that will stand there."""
    part = 100 * slider.index / max(1, len(slider.labels) - 1)
    return (
        '<div class="uo-slider-still" aria-hidden="true">'
        f'<span class="uo-slider-name">{escape(slider.description)}</span>'
        f'<span class="uo-slider-track"><span style="left: {part:.3g}%"></span></span>'
        f'<span class="uo-slider-value">{escape(slider.labels[slider.index])}</span></div>'
    )


def _button(name: str, words: str, **attributes: str) -> str:
    told = "".join(f' {key.replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return f'<button type="button" class="{name}"{told}>{words}</button>'


def _descent_bar(spec: Spec) -> str:
    return f'<div class="uo-bar">{_clock(spec)}{_starts(spec)}{_legend(spec)}</div>'


def _clock(spec: Spec) -> str:
    """The button that plays the steps, and the bar of steps."""
    steps = spec["steps"]
    icon = '<span class="uo-icon" aria-hidden="true"></span><span class="uo-play-text">Play</span>'
    step = f'<input type="range" class="uo-step" min="0" max="{steps}" step="1" value="{steps}" aria-label="step">'
    scrub = f'<span class="uo-scrub">{step}</span>'
    return (
        f'<div class="uo-time">{_button("uo-play", icon)}{scrub}'
        f'<output class="uo-step-text">step {steps} of {steps}</output></div>'
    )


def _starts(spec: Spec) -> str:
    places = spec["startLabels"]
    if len(places) < 2:
        return ""
    buttons = [
        _button(
            "uo-start",
            LETTERS[k],
            title=f"start at {place}",
            aria_label=f"start {LETTERS[k]}, at {place}",
            aria_pressed=str(k == 0).lower(),
        )
        for k, place in enumerate(places)
    ]
    label = '<span class="uo-starts-label">Start</span>'
    return f'<div class="uo-starts" role="group" aria-label="Starting point">{label}{"".join(buttons)}</div>'


def _legend(spec: Spec) -> str:
    if len(spec["series"]) < 2:
        return ""
    entries = [_entry(series["color"], series["label"], series["note"]) for series in spec["series"]]
    return f'<div class="uo-legend" role="group" aria-label="Optimizers">{"".join(entries)}</div>'


def _entry(color: int, label: str, note: str = "") -> str:
    added = f'<span class="uo-note">{escape(note)}</span>' if note else ""
    words = f"{swatch(color)}{escape(label)}{added}"
    return _button("uo-entry", words, aria_pressed="true", title="show or hide")


def _panels(spec: Spec, drawn: dict[str, str], says: str) -> str:
    head = spec["measure"].replace("above the minimum", "gap").capitalize()
    return (
        f'<div class="uo-panels"><div class="uo-main-frame">{drawn["main"]}</div>{says}<div class="uo-side">'
        f'<div class="uo-label">{head} at each step</div><div class="uo-loss-frame">{drawn["loss"]}</div>'
        f'<div class="uo-label uo-map-label">{escape(map_label(spec))}</div>'
        f'<div class="uo-map-frame">{drawn["map"]}</div></div></div>'
    )


def map_label(spec: Spec) -> str:
    """What stands above the map of settings."""
    head = spec["measure"].replace("above the minimum", "gap").capitalize()
    flat = len(spec["axes"]) == 1 or len(spec["series"]) > 1
    others = [f"{axis['name']} {axis['labels'][i]}" for axis, i in zip(spec["axes"], spec["initial"], strict=True)]
    aside = "".join(f", {words}" for words in others[1 if flat else 2 :])
    return f"{head} after {spec['steps']} steps{aside}"


def _key(spec: Spec) -> str:
    """What the marks of the pictures mean."""
    single = len(spec["series"]) == 1
    hidden = any(quest["hidesBest"] for quest in spec["quests"])
    shown = {
        "minimum": bool(spec["minima"]),
        "saddle": bool(spec["saddles"]),
        "start": True,
        "head": single,
        "heads": not single,
        "here": True,
        "best": not hidden,
        "theory": bool(spec["curves"]),
    }
    items = [
        f'<span class="uo-key-{name}">{_icon(shape)}{words}</span>'
        for name, (words, shape) in KEY.items()
        if shown[name] or name == "best"
    ]
    return f'<p class="uo-key">{"".join(items)}</p>'


def _icon(shape: str) -> str:
    return f'<svg class="uo-still" viewBox="0 0 16 16" aria-hidden="true">{shape}</svg>'


def _curves_bar(spec: Spec) -> str:
    shown = spec["labels"][: spec.get("legend")]
    labels = zip(spec["colors"], shown, strict=False)
    legend = "".join(_entry(color, label) for color, label in labels) if len(shown) > 1 else ""
    group = f'<div class="uo-legend uo-legend-short" role="group" aria-label="Curves">{legend}</div>' if legend else ""
    return f'<div class="uo-bar">{group}{_button("uo-keep", "Keep a copy", aria_pressed="false")}</div>'


def _charts(spec: Spec, drawn: dict[str, str]) -> str:
    cells = [
        f'<div class="uo-chart"><div class="uo-label">{escape(panel["title"][:1].upper() + panel["title"][1:])}</div>'
        f'<div class="uo-curve-frame">{drawn[f"curve-{k}"]}</div></div>'
        for k, panel in enumerate(spec["panels"])
        if panel.get("type") != "reading"
    ]
    return f'<div class="uo-charts" data-kind="{spec["kind"]}" data-count="{len(cells)}">{"".join(cells)}</div>'


def _boards(spec: Spec, drawn: dict[str, str]) -> str:
    cells = [
        f'<div class="uo-chart"><div class="uo-label">{escape(board["title"])}</div>'
        f'<div class="uo-board-frame" data-draws="{board["draws"]}">{drawn[f"board-{k}"]}</div></div>'
        for k, board in enumerate(spec["boards"])
    ]
    return f'<div class="uo-charts">{"".join(cells)}</div>'


def _quests(spec: Spec) -> str:
    if not spec["quests"]:
        return ""
    items = "".join(_quest(quest) for quest in spec["quests"])
    name = escape(f"Quests: {spec['heading'] or spec['title']}")
    tally = f'<span class="uo-tally">0 of {len(spec["quests"])} done</span>'
    head = f'<span class="uo-tasks-title">Quests</span>{tally}{_button("uo-forget", "Start over", hidden="")}'
    return (
        f'<section class="uo-tasks" aria-label="{name}"><div class="uo-tasks-head">{head}</div>'
        f'<ul class="uo-quests">{items}</ul></section>'
    )


def _quest(quest: dict[str, Any]) -> str:
    return (
        '<li data-done="false"><span class="uo-tick" aria-hidden="true"></span><div class="uo-quest-body">'
        f'<span class="uo-sr uo-quest-state">To do: </span><span class="uo-quest-text">{escape(quest["text"])}</span>'
        f'{_answer(quest)}<div class="uo-quest-more"></div></div></li>'
    )


def _answer(quest: dict[str, Any]) -> str:
    """With what a reader commits to an answer: choices, a number, or the setting where the figure stands."""
    if quest["kind"] == "predict":
        choices = "".join(_button("uo-choice", escape(choice), aria_pressed="false") for choice in quest["choices"])
        look = _button("uo-choice uo-look", "Go and look", hidden="")
        return f'<span class="uo-choices" role="group" aria-label="Your prediction">{choices}{look}</span>'
    number = '<input class="uo-number" type="text" inputmode="decimal" autocomplete="off" aria-label="Your number">'
    check = _button("uo-choice uo-check", "Check", title="Check this number" if quest["kind"] == "number" else HERE)
    return f'<span class="uo-choices">{number if quest["kind"] == "number" else ""}{check}</span>'


def _tools() -> str:
    buttons = [_button("uo-tool", words, data_tool=name, title=title) for name, (words, title) in TOOLS.items()]
    return f'<div class="uo-tools" role="group" aria-label="This figure">{"".join(buttons)}</div>'
