"""The state of a phase portrait: one direction of a quadratic under momentum, in the plane of distance and velocity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.explorer.boards import Board, axis_specs, from_span, sliders_of, span_codes
from optim_lib.explorer.curves import checked_axes, checked_initial
from optim_lib.explorer.modes import radius_map
from optim_lib.explorer.quests import AnyQuest
from optim_lib.explorer.sentences import setting_text
from optim_lib.explorer.state import FigureState, Names, Packing, finished
from optim_lib.explorer.table import Series, Table
from optim_lib.explorer.words import plain_number
from optim_lib.optimizers import MomentumSGD
from optim_lib.probes import spectral_radius

Array = NDArray[np.floating]

NAMES = {"product": "rate \u00d7 curvature"}
MOODS = ("creeps", "swings", "flips", "diverges")
# Distances and velocities are kept this far, and the portrait shows as much as a run needs.
SPAN, WINDOWS = (-3.0, 3.0), (1.25, 2.5)


def phase_state(
    *,
    product: ArrayLike,
    momentum: ArrayLike,
    steps: int = 40,
    quests: Sequence[AnyQuest] = (),
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    key: str | None = None,
    describe: str | None = None,
) -> FigureState:
    r"""An interactive phase portrait of momentum on a parabola, beside its place on the map of the spectral radius.

    The run starts at distance 1 and at rest. Velocities are shown as :math:`\eta v/\sqrt q`, in the units in which a
    swing without friction would be nearly a circle.

    Parameters
    ----------
    product, momentum : array of one dimension
        A slider each: :math:`q = \eta\lambda > 0`, the rate times the curvature, and :math:`\beta`.
    steps : int, default 40
    quests, initial, title, key, describe
        As in `explore`; what quests see is the distance from the origin of the portrait.

    Examples
    --------
    >>> from optim_lib.explorer import explore_phase
    >>> explore_phase(product=[0.1, 1.0, 3.0], momentum=[0.0, 0.5, 0.9])
    phase: 1 direction, product x momentum
    """
    grid = checked_axes({"product": product, "momentum": momentum})
    start = checked_initial(grid, initial or {})
    q, beta = (values.reshape(shape) for values, shape in zip(grid.values(), ((-1, 1), (1, -1)), strict=True))
    if not np.all(q > 0):
        raise ValueError(f"product must be positive, got {q.min():g} as its lowest")
    distances, velocities = runs(q, beta, steps)
    away = np.hypot(distances, velocities)
    data = Table(None, np.zeros((1, 2)), steps, grid, [Series("momentum", (0, 1), np.empty(0), away[None])], 0.0, start)
    moods, radius = mood(q, beta), spectral_radius(q, beta)
    packing = Packing()
    packing.rows(span_codes(distances, SPAN))
    packing.rows(span_codes(velocities, SPAN))
    packing.rows(moods.astype(np.uint16))
    packing.rows(np.rint(np.minimum(radius, 6.5) * 10000).astype(np.uint16))
    spec: dict[str, Any] = {
        "kind": "phase",
        "steps": steps,
        "boards": [
            Board("radius", "Spectral radius: where this direction stands").spec,
            Board("portrait", "Phase portrait: distance and velocity").spec,
            Board("sum", "Distance at each step").spec,
        ],
        "axes": axis_specs(grid, NAMES),
        "initial": list(start),
        "products": [float(f"{value:.6g}") for value in grid["product"]],
        "momenta": [float(f"{value:.6g}") for value in grid["momentum"]],
        "moods": list(MOODS),
        "span": list(SPAN),
        "windows": list(WINDOWS),
        "chart": {"range": [-1.25, 1.25], "log": False},
        "color": 1,
        **radius_map(packing),
    }
    about = f"1 direction, {' x '.join(grid)}"
    names = Names(about, title or about, title or "", key, describe)

    def says(spec: dict[str, Any]) -> str:
        here = tuple(start)
        end = float(from_span(span_codes(distances[here], SPAN), SPAN)[-1])
        where = "out of the picture" if abs(end) >= SPAN[1] else plain_number(end, SPAN[1] - SPAN[0])
        return (
            f"With {setting_text(spec, start)}, the direction {MOODS[moods[here]]}: in the long run each step "
            f"multiplies its size by {radius[here]:.3f}. At step {steps} of {steps} its distance is {where}."
        )

    return finished("phase", names, spec, packing, data, sliders_of(grid, NAMES, start), quests, says)


def runs(q: Array, beta: Array, steps: int) -> tuple[Array, Array]:
    r"""Distances and velocities :math:`\eta v/\sqrt q` of `MomentumSGD` on a parabola, from 1 and at rest."""
    shape = np.broadcast_shapes(q.shape, beta.shape)
    optimizer, params = MomentumSGD(q[..., None], beta[..., None]), {"c": np.ones((*shape, 1))}
    found = [np.stack([np.ones(shape), np.zeros(shape)])]
    for _ in range(steps):
        before = params["c"].copy()
        optimizer.update(params, {"c": before})
        found.append(np.stack([params["c"][..., 0], (before - params["c"])[..., 0] / np.sqrt(q)]))
    distances, velocities = np.stack(found, axis=-1)
    return distances, velocities


def mood(q: Array, beta: Array) -> NDArray[np.intp]:
    """What a direction does, as a place in `MOODS`: from the eigenvalues of one step."""
    trace = 1 + beta - q
    real = np.where(trace > 0, 0, 2)
    within = np.where(trace**2 < 4 * beta, 1, real)
    return np.where(q >= 2 * (1 + beta), 3, within)
