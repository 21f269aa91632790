"""The state of a figure of modes: what is left of a quadratic loss in each of its eigenvectors, step by step.

On a quadratic the directions of the eigenvectors do not disturb each other. So a run is as many one-dimensional runs,
and the loss above the minimum is the sum of what is left in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.boards import Board, axis_specs, from_span, sliders_of, span_codes
from optim_lib.explorer.curves import checked_axes, checked_initial
from optim_lib.explorer.quests import AnyQuest
from optim_lib.explorer.sentences import setting_text
from optim_lib.explorer.state import FigureState, Names, Packing, finished
from optim_lib.explorer.table import DIVERGED, Series, Table
from optim_lib.explorer.words import loss_text, number
from optim_lib.optimizers import SGD, MomentumSGD
from optim_lib.probes import critical, spectral_radius

Array = NDArray[np.floating]

# The decades that bars and curves of the loss show, as shares of the first.
DECADES = (-6.0, 1.0)
# The map of the spectral radius goes this far to the right, and colors end at this radius.
WIDEST, LARGEST_RADIUS = 4.2, 1.3


def modes_state(
    curvatures: ArrayLike,
    offsets: ArrayLike,
    *,
    learning_rate: ArrayLike,
    momentum: ArrayLike | None = None,
    steps: int = 100,
    directions: ArrayLike | None = None,
    features: Sequence[str] = (),
    quests: Sequence[AnyQuest] = (),
    initial: Mapping[str, float] | None = None,
    title: str | None = None,
    key: str | None = None,
    describe: str | None = None,
) -> FigureState:
    r"""An interactive figure of a quadratic loss, one bar for each eigenvector.

    Gradient descent, or with `momentum` the heavy ball, runs along each eigenvector for itself. The figure shows the
    loss left in each, :math:`\tfrac12\lambda_i c_i^2` as a share of the whole at the start, their sum at each step, and
    where each curvature lies on the curve :math:`|1 - \eta\lambda|`, or on the map of the spectral radius.

    Parameters
    ----------
    curvatures : array of shape (n,)
        The eigenvalues of the Hessian, all positive, in increasing order.
    offsets : array of shape (n,)
        The start seen from the minimum, along the eigenvectors.
    learning_rate, momentum : array of one dimension
        A slider each; without `momentum` the runs are gradient descent's.
    steps : int, default 100
    directions : array of shape (n, n), optional
        The eigenvectors as columns: what the chosen one means is then shown, in `features`.
    features : sequence of n str
    quests, initial, title, key, describe
        As in `explore`; the loss that quests see is the share that is left.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a curvature is not positive.

    Examples
    --------
    >>> from optim_lib.explorer import explore_modes
    >>> explore_modes([1.0, 25.0], [1.0, 1.0], learning_rate=[0.01, 0.04, 0.08])
    modes: 2 curvatures, learning_rate
    """
    curvatures, offsets = np.asarray(curvatures, dtype=np.float64), np.asarray(offsets, dtype=np.float64)
    if curvatures.ndim != 1 or curvatures.shape != offsets.shape or not np.all(curvatures > 0):
        raise ValueError(f"curvatures must be positive and as many as offsets, got {curvatures} and {offsets}")
    vectors = _checked_directions(directions, features, curvatures.size)
    axes = {"learning_rate": learning_rate} | ({} if momentum is None else {"momentum": momentum})
    grid = checked_axes(axes)
    start = checked_initial(grid, initial or {})
    left = shares(curvatures, offsets, grid, steps)
    total = left.sum(axis=-2)
    label = "gradient descent" if momentum is None else "momentum"
    data = Table(None, np.zeros((1, 2)), steps, grid, [Series(label, (*range(len(grid)),), np.empty(0), total[None])], 0.0, start)  # fmt: skip # noqa: E501
    packing = Packing()
    packing.rows(tables.loss_codes(total))
    packing.rows(_decade_codes(left))
    products = grid["learning_rate"].reshape(-1, *[1] * len(grid)) * curvatures
    if momentum is None:
        theory, boards = (
            _valley(products, packing),
            [Board("valley", "What each direction keeps in a step")],
        )
    else:
        theory, boards = radius_map(packing), [Board("radius", "Spectral radius: each curvature on the map")]
    boards += [Board("bars", "Loss left in each direction"), Board("sum", "The loss: the sum of the bars")]
    boards += [Board("loadings", "The chosen direction, in features")] if vectors is not None else []
    spec = {
        "kind": "modes",
        "steps": steps,
        "boards": [board.spec for board in boards],
        "axes": axis_specs(grid, {}),
        "initial": list(start),
        "curvatures": [float(f"{value:.6g}") for value in curvatures],
        "names": [number(value) for value in curvatures],
        "short": [number(value, 2) for value in curvatures],
        "decades": list(DECADES),
        "chart": {"range": list(DECADES), "log": True},
        "features": list(features),
        "directions": [] if vectors is None else np.round(vectors.T, 3).tolist(),
        "color": 0 if momentum is None else 1,
        "count": curvatures.size,
        "rates": [float(f"{value:.6g}") for value in grid["learning_rate"]],
        "momenta": [0.0] if momentum is None else [float(f"{value:.6g}") for value in grid["momentum"]],
        **theory,
    }
    about = f"{curvatures.size} curvatures, {' x '.join(grid)}"
    names = Names(about, title or about, title or "", key, describe)

    def says(spec: dict[str, Any]) -> str:
        return sentence(spec, tables.loss_codes(total)[tuple(start)], _decade_codes(left)[tuple(start)])

    return finished("modes", names, spec, packing, data, sliders_of(grid, {}, start), quests, says)


def shares(curvatures: Array, offsets: Array, grid: Mapping[str, Array], steps: int) -> Array:
    """The loss left in each direction, of shape (\\*grid, directions, steps + 1), as a share of the first loss."""
    own = {name: values.reshape(-1, *[1] * (len(grid) - k)) for k, (name, values) in enumerate(grid.items())}
    optimizer = MomentumSGD(**own) if "momentum" in own else SGD(**own)
    shape = (*(values.size for values in grid.values()), curvatures.size)
    params, losses = {"c": np.broadcast_to(offsets, shape).copy()}, []
    with np.errstate(over="ignore"):
        for step in range(steps + 1):
            losses.append(0.5 * curvatures * params["c"] ** 2)
            if step < steps:
                optimizer.update(params, {"c": curvatures * params["c"]})
    left = np.stack(losses, axis=-1)
    return left / (0.5 * np.sum(curvatures * offsets**2))


def sentence(spec: Mapping[str, Any], total: NDArray[np.integer], left: NDArray[np.integer]) -> str:
    """What the figure says where the sliders stand, at the last step (``js/modes.js`` says it for every other)."""
    head = f"With {setting_text(spec, spec['initial'])}, after {spec['steps']} of {spec['steps']} steps"
    if total[-1] == DIVERGED:
        return f"{head} the run has diverged."
    levels = decades_of(left[:, -1])
    weights = 10.0 ** (levels - levels.max())
    most = int(np.argmax(weights))
    part = int(np.floor(100 * weights[most] / weights.sum() + 0.5))
    much = "nearly all" if part == 100 else f"{part} %"
    return (
        f"{head} the loss is {loss_text(int(total[-1]))} of the first; {much} of that lies along the eigenvector of "
        f"curvature {spec['names'][most]}."
    )


def decades_of(codes: NDArray[np.integer]) -> Array:
    """What the codes of bars stand for: a decade."""
    return codes.astype(np.float64) / 200 - 20


def radius_map(packing: Packing) -> dict[str, Any]:
    """The map of the spectral radius over rate times curvature and momentum, as figures of momentum show it."""
    view = (0.0, WIDEST, 0.0, 1.0)
    q, beta = tables.sample_places(view)
    inside = np.minimum(spectral_radius(q, np.clip(beta, -0.02, 1.02)), LARGEST_RADIUS)
    packing.field(np.rint(inside / LARGEST_RADIUS * tables.FIELD_RANGE).astype(np.uint32))
    border = np.linspace(0, WIDEST, 85)
    return {
        "radius": {
            "view": list(view),
            "exponent": 2.0,
            "largest": LARGEST_RADIUS,
            "critical": [[round(float(x), 3), round(float(critical(x)), 4)] for x in border],
        }
    }


def _valley(products: Array, packing: Packing) -> dict[str, Any]:
    """The V, and how high on it each direction lies at each rate."""
    q = products.reshape(len(products), -1)
    span = [0.0, float(np.ceil(10 * q.max()) / 10)]
    reach = [0.0, max(1.2, span[1] - 1)]
    packing.rows(span_codes(np.abs(1 - q), reach))
    return {"valley": {"span": span, "reach": reach, "line": [[0, 1], [1, 0], [span[1], span[1] - 1]]}}


def _decade_codes(values: Array) -> NDArray[np.uint16]:
    """Losses in 1/200 of a decade: finer than a bar can show, and even along a geometric decay."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.rint((np.log10(np.where(np.isfinite(values), values, tables.LARGEST)) + 20) * 200)
    return np.clip(np.nan_to_num(places, neginf=0.0), 0, DIVERGED - 1).astype(np.uint16)


def _checked_directions(directions: ArrayLike | None, features: Sequence[str], n: int) -> Array | None:
    if directions is None:
        return None
    vectors = np.asarray(directions, dtype=np.float64)
    if vectors.shape != (n, n) or len(features) != n:
        raise ValueError(f"directions must be {n} columns for {n} features, got {vectors.shape} and {len(features)}")
    # An eigenvector has no sign of its own: its longest part is shown as positive.
    longest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return vectors * np.sign(longest)


def opening_rows(state: FigureState) -> tuple[NDArray[np.uint16], NDArray[np.uint16], tuple[int, ...]]:
    """The codes of the sum and of the bars where the sliders stand at first, and that place in the grid."""
    spec, here = state.spec, tuple(state.spec["initial"])
    sizes, n = [len(axis["labels"]) for axis in spec["axes"]], spec["steps"] + 1
    total = tables.unpack_rows(state.parts[0], (*sizes, n))[here]
    left = tables.unpack_rows(state.parts[1], (*sizes, spec["count"], n))[here]
    return total, left, here


def opening_factors(state: FigureState) -> Array:
    """How much of its distance each direction keeps in a step, where the sliders stand at first."""
    spec, codes = (
        state.spec,
        tables.unpack_rows(state.parts[2], (len(state.spec["axes"][0]["labels"]), state.spec["count"])),
    )
    return from_span(codes[spec["initial"][0]], spec["valley"]["reach"])
