"""Names of a package that are imported when they are first asked for (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optim_lib.extras import needed


def on_demand(
    package: str, places: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__`, so that importing it does not import what its modules need.

    Parameters
    ----------
    package : str
        Its `__name__`.
    places : mapping of module to names
        Which of its modules has which names.
    """
    place_of = {name: f"{package}.{module}" for module, names in places.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name not in place_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with needed():
            value = getattr(importlib.import_module(place_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *place_of})

    return __getattr__, __dir__
