r"""A surface to turn, :math:`\tfrac12(a x^2 + b y^2)`, with both curvatures as sliders, and a walk on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.explorer.boards import Board, axis_specs, sliders_of, span_codes
from optim_lib.explorer.curves import checked_axes, checked_initial
from optim_lib.explorer.quests import AnyQuest
from optim_lib.explorer.sentences import setting_text
from optim_lib.explorer.state import FigureState, Names, Packing, finished
from optim_lib.explorer.table import Series, Table
from optim_lib.explorer.words import plain_number
from optim_lib.optimizers import SGD

Array = NDArray[np.floating]

NAMES = {"a": "curvature along x", "b": "curvature along y"}
KINDS = ("a minimum", "a maximum", "a saddle", "the floor of a valley", "the top of a ridge", "a point of a plane")
# Samples along each side, with one more at each end; and from where the surface is first seen, in radians.
SAMPLES, VIEW = 27, (0.55, 0.5)


def relief_state(
    *,
    a: ArrayLike,
    b: ArrayLike,
    start: tuple[float, float] = (-1.5, 0.4),
    learning_rate: float = 0.1,
    steps: int = 40,
    reach: float = 2.0,
    quests: Sequence[AnyQuest] = (),
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    key: str | None = None,
    describe: str | None = None,
) -> FigureState:
    r"""An interactive surface with two curvatures, to turn, with its map of contours and a walk of gradient descent.

    Parameters
    ----------
    a, b : array of one dimension
        The curvatures along x and along y, a slider each.
    start : (float, float), default (-1.5, 0.4)
    learning_rate : float, default 0.1
    steps : int, default 40
    reach : float, default 2
        The window goes as far from the origin in each direction.
    quests, initial, title, key, describe
        As in `explore`; what quests see is the length of the gradient at each step.

    Examples
    --------
    >>> from optim_lib.explorer import explore_relief
    >>> explore_relief(a=[-1.0, 0.0, 1.0], b=[-1.0, 0.0, 1.0])
    relief: a surface with two curvatures, a x b
    """
    grid = checked_axes({"a": a, "b": b})
    initial_places = checked_initial(grid, initial or {})
    if not max(map(abs, start)) < reach:
        raise ValueError(f"start must lie within reach, {reach:g}, got {start}")
    places = reach * (2 * np.arange(-1, SAMPLES - 1) / (SAMPLES - 3) - 1)
    profiles = [0.5 * values[:, None] * places**2 for values in grid.values()]
    walks = [walk(values, at, learning_rate, steps) for values, at in zip(grid.values(), start, strict=True)]
    slopes = [values[:, None] * own for values, own in zip(grid.values(), walks, strict=True)]
    steepness = np.hypot(slopes[0][:, None], slopes[1][None])
    data = Table(None, np.zeros((1, 2)), steps, grid, [Series("SGD", (0, 1), np.empty(0), steepness[None])], 0.0, initial_places)  # fmt: skip # noqa: E501
    high = max(float(np.abs(own).max()) for own in profiles)
    tall = float(sum(0.5 * np.abs(values).max() * reach**2 for values in grid.values()))
    span = [-1.5 * reach, 1.5 * reach]
    kinds = kind(grid["a"][:, None], grid["b"][None])
    packing = Packing()
    for own in profiles:
        packing.rows(span_codes(own, (-high, high)))
    for own in walks:
        packing.rows(span_codes(own, span))
    packing.rows(kinds.astype(np.uint16))
    spec: dict[str, Any] = {
        "kind": "relief",
        "steps": steps,
        "boards": [Board("relief", "The surface").spec, Board("above", "The same, from above").spec],
        "axes": axis_specs(grid, NAMES, given=("a", "b")),
        "initial": list(initial_places),
        "samples": SAMPLES,
        "reach": reach,
        "heights": [-high, high],
        "tall": tall,
        "span": span,
        "view": list(VIEW),
        "kinds": list(KINDS),
        "color": 0,
    }
    about = f"a surface with two curvatures, {' x '.join(grid)}"
    names = Names(about, title or about, title or "", key, describe)

    def says(spec: dict[str, Any]) -> str:
        x, y = (float(own[place, -1]) for own, place in zip(walks, initial_places, strict=True))
        there = f"the walk is at ({plain_number(x, 4)}, {plain_number(y, 4)})"
        where = "the walk has left the picture" if max(abs(x), abs(y)) > reach else there
        what = KINDS[kinds[tuple(initial_places)]]
        return (
            f"With {setting_text(spec, initial_places)}, the origin is {what}. After {steps} of {steps} steps {where}."
        )

    return finished("relief", names, spec, packing, data, sliders_of(grid, NAMES, initial_places), quests, says)


def walk(curvatures: Array, start: float, learning_rate: float, steps: int) -> Array:
    """The steps of gradient descent along one axis, for each curvature: shape (curvatures, steps + 1)."""
    optimizer, params = SGD(learning_rate), {"x": np.full(curvatures.shape, float(start))}
    found = [params["x"].copy()]
    for _ in range(steps):
        found.append(optimizer.update(params, {"x": curvatures * params["x"]})["x"].copy())
    return np.stack(found, axis=-1)


def kind(a: Array, b: Array) -> NDArray[np.intp]:
    """What the origin is, as a place in `KINDS`."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    flat = np.where(high > 0, 3, np.where(low < 0, 4, 5))
    curved = np.where(low > 0, 0, np.where(high < 0, 1, 2))
    return np.where((low == 0) | (high == 0), flat, curved)
