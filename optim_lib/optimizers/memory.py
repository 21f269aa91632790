"""How the numbers of an array lie in memory, which is nothing that a rule should have to think of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def common_order(arrays: Iterable[Array]) -> str | None:
    """The memory order in which all arrays can be read as one line without a copy."""
    return next((order for order in "CF" if all(array.flags[f"{order}_CONTIGUOUS"] for array in arrays)), None)


def read_only(array: Array) -> Array:
    """The same memory, through which it cannot be changed."""
    view = array.view()
    view.flags.writeable = False
    return view


def plain(array: Array) -> Array:
    """The array, if it is one line in C's order, each number as and where the processor wants it; else such a copy."""
    if array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative:
        return array
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def owner(array: Array) -> Any:
    """What owns the memory that an array shows: another array, or what lent it (a buffer, a file, a tensor)."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    lender = array.base.obj if isinstance(array.base, memoryview) else array.base
    return array if lender is None else lender
