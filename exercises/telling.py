"""Whether what two answers returned alike says something about their mistake.

Very different mistakes meet in an output of zeros, in None, in a single True. A number such as 0.3162 that a known
wrong answer gives and the solution does not is no coincidence.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

_MOST = 10_000


def is_telling(pairs: Iterable[tuple[list, list]], *, numbers_only: bool = False) -> bool:
    """Whether the first of each pair, a known wrong answer's outputs, could hardly come from another mistake.

    Parameters
    ----------
    pairs : pairs of lists
        Recorded outputs of the known wrong answer and of the solution, for the same checks.
    numbers_only : bool
        False to take a varied series of words, truth values or whole numbers too.
    """
    words: list[Any] = []
    for wrong, right in pairs:
        expected = dict(_leaves(right))
        for place, leaf in _leaves(wrong):
            if isinstance(leaf, float):
                other = expected.get(place)
                if not _is_trivial(leaf) and not (isinstance(other, float) and _is_close(leaf, other)):
                    return True
            elif isinstance(leaf, BaseException):
                return True
            words.append(leaf)
    return not numbers_only and len(words) >= 3 and len(set(words)) > 1


def _leaves(value: Any, place: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """Every number and word in `value`, with its place."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*place, key))
    elif isinstance(value, tuple):  # the type and text of an exception
        yield place, Exception(*value)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*place, index))
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        for index, item in enumerate(value.ravel()[:_MOST]):
            yield (*place, index), float(item)
    elif isinstance(value, np.ndarray):
        for index, item in enumerate(value.ravel()[:_MOST].tolist()):
            yield (*place, index), _plain(item)
    else:
        yield place, _plain(value)


def _plain(value: Any) -> Any:
    """A number as a float, so that 2 and 2.0 are alike; a word or a truth value as it is."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return float(value) if isinstance(value, int | float | np.number) else value


def _is_trivial(number: float) -> bool:
    """Whether many mistakes give this number: zero, a small whole or half one, no number at all."""
    return not np.isfinite(number) or (abs(number) < 10 and (2 * number).is_integer())


def _is_close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * abs(other)
