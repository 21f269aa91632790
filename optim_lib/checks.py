"""Sentences for arguments that are no good: which argument, what it must be, and what came."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def whole(name: str, value: Any, least: int = 1) -> int:
    """`value` as an int, if it is a whole number of at least `least`."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return int(value)


def positive(name: str, value: Any, what: str = "a positive number") -> float:
    """`value` as a float, if it is a finite number above 0."""
    return between(name, value, low=0.0, open_low=True, what=what)


def between(
    name: str, value: Any, low: float = -math.inf, high: float = math.inf, *, open_low: bool = False, what: str
) -> float:
    """`value` as a float, if it is a finite number in a range; `what` says which."""
    is_number = np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiu"
    if not is_number or not math.isfinite(value) or not low <= value <= high or (open_low and value == low):
        raise ValueError(f"{name} must be {what}, got {value!r}")
    return float(value)


def in_order(name: str, values: Any) -> None:
    """Refuse the places along an axis if they do not rise, or fall, from each to the next."""
    steps = np.diff(values)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise ValueError(f"{name} must rise or fall from each value to the next, got {np.asarray(values)}")


def seed(name: str, value: Any) -> int:
    """`value` as an int, if NumPy can seed a generator with it and get the same numbers again."""
    return whole(name, value, least=0)


def seeds(name: str, values: Any) -> tuple[int, ...]:
    """`values` as a tuple of different seeds: one that is there twice would count as two runs."""
    try:
        found = tuple(seed(name, value) for value in values)
    except TypeError:
        raise TypeError(f"{name} must be several whole numbers, such as range(5), got {values!r}") from None
    if not found:
        raise ValueError(f"{name} must have at least one seed, got none")
    if len(set(found)) < len(found):
        raise ValueError(f"{name} must be different numbers, got {found}")
    return found


def named_arrays(name: str, params: Any, like: Mapping[str, Any], whose: str) -> None:
    """Refuse parameters whose names or shapes are not those of `like`."""
    if not isinstance(params, Mapping):
        raise TypeError(f"{name} must be a dictionary from names to arrays, got {type(params).__name__}")
    missing, unknown = sorted(like.keys() - params.keys()), sorted(params.keys() - like.keys(), key=str)
    if missing or unknown:
        faults = [
            f"{word} {', '.join(map(str, keys))}" for word, keys in (("lacks", missing), ("has", unknown)) if keys
        ]
        raise ValueError(f"{name} must have the names of {whose}, {', '.join(like)}; it {' and '.join(faults)}")
    for key, array in like.items():
        if np.shape(params[key]) != np.shape(array):
            raise ValueError(
                f"{name}[{key!r}] must have the shape that it has in {whose}, {np.shape(array)}, "
                f"got {np.shape(params[key])}"
            )
