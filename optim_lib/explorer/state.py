"""What a figure is: plain data, from NumPy and the standard library alone.

Three things show it and compute nothing: the notebook's widgets (`optim_lib.explorer.widgets`), the built page, and the
still picture. It is made by `explore_state`, `race_state` and `curves_state`, and again, from JSON, by
`optim_lib.explorer.recipe.recompute`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.quests import AnyQuest, Mask
from optim_lib.explorer.table import Table
from optim_lib.explorer.words import slug, typographic


@dataclass(frozen=True)
class Slider:
    """One axis of a figure, as a reader moves along it."""

    name: str
    labels: list[str]
    index: int
    description: str
    tooltip: str


@dataclass(frozen=True)
class FigureState:
    """A figure as plain data.

    Attributes
    ----------
    kind : str
        "explore", "race", "curves", "scenes", "modes", "phase" or "relief".
    about : str
        In one line, for a terminal.
    heading : str
        The title above the figure; empty for none.
    spec : dict
        What the page has to know to draw the table, in the types of JSON: words, axes, ranges, quests, and the
        ``layout`` of the table.
    parts : list of bytes
        The arrays of the table, each packed as `optim_lib.explorer.table` describes, in the order of the layout.
    data : Table
        The numbers before they are packed; quests look at them.
    sliders : list of Slider
    setup : Setup or None
        What the numbers were computed from, for `optim_lib.explorer.recipe`.
    """

    kind: str
    about: str
    heading: str
    spec: dict[str, Any]
    parts: list[bytes] = field(repr=False)
    data: Table = field(repr=False)
    sliders: list[Slider]
    setup: Any = field(default=None, repr=False)

    @property
    def raw(self) -> bytes:
        """The parts one after the other."""
        return b"".join(self.parts)

    @property
    def table(self) -> bytes:
        """The parts, compressed: what travels to the page."""
        return zlib.compress(self.raw, 9)


class Packing:
    """Collects the arrays of a table, and says in its layout where each lies."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.layout: list[list[Any]] = []

    def rows(self, values: NDArray[np.integer]) -> None:
        self.parts.append(tables.pack_rows(values))
        self.layout.append(["rows", int(np.prod(values.shape)), values.shape[-1]])

    def field(self, samples: NDArray[np.integer]) -> None:
        self.parts.append(tables.pack_field(samples))
        self.layout.append(["field", samples.size, samples.shape[1]])

    def masks(self, masks: Sequence[Mask]) -> None:
        for mask in masks:
            self.parts.append(np.packbits(mask.ravel()).tobytes())
            self.layout.append(["bits", mask.size, 1])


@dataclass(frozen=True)
class Names:
    """What a figure is called: in a terminal, to those who do not see it, above it, and where its work is kept."""

    about: str
    title: str
    heading: str
    key: str | None
    describe: str | None


def finished(
    kind: str,
    names: Names,
    spec: dict[str, Any],
    packing: Packing,
    data: Table,
    sliders: list[Slider],
    quests: Sequence[AnyQuest],
    says: Callable[[dict[str, Any]], str],
    setup: Any = None,
) -> FigureState:
    """A state from its parts: what all kinds of figures have in their specs is added here."""
    judged = [quest.spec(data) for quest in quests]
    packing.masks([mask for _, mask in judged])
    spec |= {
        "title": typographic(names.title),
        "heading": typographic(names.heading),
        "key": slug(names.key or names.heading or names.about),
        "describe": typographic(names.describe or ""),
        "quests": [_printed(told) for told, _ in judged],
        "layout": packing.layout,
    }
    spec["says"] = typographic(says(spec))
    prefix = "explorer" if kind in ("explore", "race") else kind
    return FigureState(kind, f"{prefix}: {names.about}", spec["heading"], spec, packing.parts, data, sliders, setup)


def _printed(quest: dict[str, Any]) -> dict[str, Any]:
    """A quest's words as they are printed."""
    told = {name: typographic(value) if isinstance(value, str) else value for name, value in quest.items()}
    told |= {"choices": [typographic(choice) for choice in quest["choices"]]} if "choices" in quest else {}
    return told | {"id": quest["id"]}
