"""Checks for exercises in which a student writes an optimizer's class: it runs beside the library's, step by step."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from exercises.compare import RTOL, Wrong, close
from exercises.guard import raw

SHAPES = {"weights": (3, 4), "bias": (4,), "scale": ()}

Arrays = dict[str, np.ndarray]
Maker = Callable[..., Any]


def random_params(seed: int, shapes: Mapping[str, tuple[int, ...]] = SHAPES) -> Arrays:
    """Random arrays by name: parameters, or gradients."""
    rng = np.random.default_rng(seed)
    return {name: np.array(rng.normal(size=shape)) for name, shape in shapes.items()}


def large_grads(seed: int, shapes: Mapping[str, Any]) -> Arrays:
    """Gradients well away from zero, so that a first step hardly depends on epsilon."""
    rng = np.random.default_rng(seed)
    return {name: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 2.0, shape) for name, shape in shapes.items()}


def copies(arrays: Mapping[str, np.ndarray]) -> Arrays:
    return {name: value.copy() for name, value in arrays.items()}


def moves(
    optimizer: Any, start: Arrays, all_grads: Sequence[Arrays], rates: Sequence[float] | None = None
) -> list[Arrays]:
    """How far each update moves each parameter; `rates` are set before the steps, if given.

    All updates are made before any is judged.
    """
    params, steps = copies(start), []
    for t, grads in enumerate(all_grads):
        if rates is not None:
            optimizer.learning_rate = rates[t]
        before = copies(params)
        params = updated(optimizer, params, copies(grads))
        steps.append({name: params[name] - before[name] for name in start})
    return steps


def updated(optimizer: Any, params: Arrays, grads: Arrays) -> Arrays:
    """What ``optimizer.update(params, grads)`` returns, or `Wrong` when that is no dict of the same parameters."""
    names = list(params)
    returned = optimizer.update(params, grads)
    if not isinstance(returned, dict) or returned.keys() != set(names):
        raise Wrong(f"`update` should return the dict of parameters it was given: {', '.join(names)}.")
    return returned


def compare_runs(
    answer: Maker,
    oracle: Maker,
    start: Arrays,
    all_grads: Sequence[Arrays],
    *,
    rates: Sequence[float] | None = None,
    note: str = "",
    rtol: float = RTOL,
    **settings: float,
) -> None:
    """Run a student's class beside the library's on the same gradients, and compare step by step."""
    mine = moves(answer(**settings), start, all_grads, rates)
    expected = moves(oracle(**settings), start, all_grads, rates)
    try:
        _compare_moves(mine, expected, note, rtol)
    except Wrong as wrong:
        for setting, value in _unused(answer, oracle, mine, start, all_grads, rates, rtol, settings):
            raise Wrong(
                f"The `{setting}` that your class is given has no effect: its steps are those of the default, "
                f"{value:g}. {wrong}"
            ) from None
        raise


def _compare_moves(mine: list[Arrays], expected: list[Arrays], note: str, rtol: float) -> None:
    for t, (step, expected_step) in enumerate(zip(mine, expected, strict=True), start=1):
        for name in expected_step:
            close(step[name], expected_step[name], f"step {t} of {name!r}{note}", rtol=rtol)


def _unused(answer, oracle, mine, start, all_grads, rates, rtol, settings) -> Iterator[tuple[str, float]]:
    """The settings that a student's class does not use: its steps are the library's with the default in their place."""
    try:
        parameters = inspect.signature(raw(answer)).parameters
    except (TypeError, ValueError):
        return
    for setting, value in settings.items():
        default = getattr(parameters.get(setting), "default", None)
        if isinstance(default, int | float) and default != value:
            expected = moves(oracle(**settings | {setting: default}), start, all_grads, rates)
            with contextlib.suppress(Wrong):
                _compare_moves(mine, expected, "", rtol)
                yield setting, default


def check_in_place(optimizer: Any, params: Arrays, grads: Arrays, steps: int = 1) -> None:
    """Whether every array of `params` has moved where it was, and `update` returns the dict that it was given."""
    arrays, before, returned = dict(params), copies(params), []
    for _ in range(steps):
        returned.append(optimizer.update(params, grads))
    if any(each is not params for each in returned):
        raise Wrong("`update` returns another dict than the one it was given: change `params` and return it.")
    for name, array in arrays.items():
        if params[name] is not array and array.ndim:
            raise Wrong(
                f"`params[{name!r}]` is a new array: a model that holds the old one would not learn. "
                f"Change it in place, `params[name] -= ...`."
            )
        if np.array_equal(params[name], before[name]):
            raise Wrong(f"`params[{name!r}]` has not moved.")


def check_late_parameter(mine: Any, reference: Any, start: Arrays, seed: int, rtol: float = 1e-7) -> None:
    """Whether a parameter that arrives at step 11 takes a proper first step; `start` has ``"early"`` and ``"late"``."""
    shapes = {name: array.shape for name, array in start.items()}
    params, expected = {"early": start["early"].copy()}, {"early": start["early"].copy()}
    for t in range(10):
        grads = {"early": random_params(seed + t, shapes)["early"]}
        params, expected = updated(mine, params, copies(grads)), reference.update(expected, grads)
    params["late"], expected["late"] = start["late"].copy(), start["late"].copy()
    grads = random_params(seed + 11, shapes)
    params, expected = updated(mine, params, copies(grads)), reference.update(expected, grads)
    what = "the first step of a parameter that arrives at step 11"
    close(params["late"] - start["late"], expected["late"] - start["late"], what, rtol=rtol)


def check_defaults(answer: Maker, oracle: Maker, seed: int, **settings: float) -> None:
    """Whether an optimizer made without arguments has the defaults that its starter gives.

    Every default shows: some gradients are as small as an epsilon, and there are enough steps for a decay.

    Parameters
    ----------
    answer, oracle : class
        The student's, made without arguments, and the library's, made with `settings`.
    """
    start, sizes = random_params(seed), {"weights": 1.0, "bias": 1e-8, "scale": 1e-4}
    start |= {"bias": np.zeros(4), "scale": np.zeros(())}  # so that their small steps are not lost in rounding
    all_grads = [{name: sizes[name] * grad for name, grad in random_params(seed + t).items()} for t in range(1, 5)]
    mine, expected = moves(answer(), start, all_grads), moves(oracle(**settings), start, all_grads)
    _compare_moves(mine, expected, ", with the starter's defaults (the class made without arguments),", rtol=1e-6)
