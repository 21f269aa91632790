"""What figures of boards have in common: several pictures of one state, that move together as sliders and steps do.

A kind of figure (`optim_lib.explorer.modes`, `phase`, `relief`) computes a table and names its boards; for each board
there is a drawing in ``js/`` and a still picture in ``still/``, and both look the numbers up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.state import Slider
from optim_lib.explorer.words import labels, words

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Board:
    """One picture of a figure.

    Attributes
    ----------
    draws : str
        What is drawn: the name of a drawing in ``js/`` and in ``still/``.
    title : str
        What stands above it.
    """

    draws: str
    title: str

    @property
    def spec(self) -> dict[str, str]:
        return {"draws": self.draws, "title": self.title}


def axis_specs(grid: Mapping[str, Array], names: Mapping[str, str], given: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What the page knows of the axes; `names` has words for those that their argument's name does not tell."""
    return [
        {"key": name, "name": names.get(name, words(name)), "labels": labels(values), "given": name in given}
        for name, values in grid.items()
    ]


def sliders_of(grid: Mapping[str, Array], names: Mapping[str, str], initial: Sequence[int]) -> list[Slider]:
    """A slider for each axis."""
    told = [names.get(name, words(name)) for name in grid]
    return [
        Slider(name, labels(values), index, text, text)
        for (name, values), index, text in zip(grid.items(), initial, told, strict=True)
    ]


def span_codes(values: Array, span: Sequence[float]) -> NDArray[np.uint16]:
    """Values as steps between the two ends of a span, which they do not leave."""
    low, high = span
    return np.rint((np.clip(np.nan_to_num(values, nan=high), low, high) - low) / (high - low) * tables.STEPS).astype(
        np.uint16
    )


def from_span(codes: NDArray[np.integer], span: Sequence[float]) -> Array:
    """What such codes stand for, as the page has them."""
    low, high = span
    return low + codes.astype(np.float64) / tables.STEPS * (high - low)
