"""What the pieces around an optimizer share: it may be one of this package, or any class with ``update``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def is_optimizer(thing: Any) -> bool:
    """Whether it has ``update(params, grads)``, and is an object and not yet a class."""
    return not isinstance(thing, type) and hasattr(thing, "update")


def rules_in(optimizer: Any) -> Iterator[Any]:
    """An optimizer and those that it hands parameters on to."""
    yield optimizer
    for part in (*getattr(optimizer, "optimizers", ()), getattr(optimizer, "inner", None)):
        if is_optimizer(part):
            yield from rules_in(part)


def words_of(optimizer: Any) -> str:
    """An optimizer in words that are the same in every process: a class without its own has its settings named."""
    if type(optimizer).__repr__ is not object.__repr__:
        return repr(optimizer)
    names = inspect.signature(type(optimizer)).parameters
    settings = [f"{name}={getattr(optimizer, name)!r}" for name in names if hasattr(optimizer, name)]
    return f"{type(optimizer).__name__}({', '.join(settings)})"


def step_in_place(optimizer: Any, params: dict[str, Any], grads: Mapping[str, Any]) -> None:
    """One step of any optimizer, also of one that returns new arrays: their values are brought home."""
    before, update = dict(params), f"{type(optimizer).__name__}.update"
    after = optimizer.update(params, grads)
    if not isinstance(after, Mapping) or before.keys() - after.keys():
        raise TypeError(f"{update} must return the dictionary of parameters, got {after!r}")
    for name, array in before.items():
        if after[name] is not array:
            if np.shape(after[name]) != array.shape:
                raise ValueError(
                    f"{update} must keep the shape of {name!r}, {array.shape}, got {np.shape(after[name])}"
                )
            array[...] = after[name]
            params[name] = array


def state_of(optimizer: Any) -> Any:
    """What `restore` needs: the optimizer's own ``state_dict``, or a copy of its attributes."""
    if hasattr(optimizer, "state_dict"):
        return optimizer.state_dict()
    return {"optimizer": type(optimizer).__name__, "attributes": copy.deepcopy(vars(optimizer))}


def restore(optimizer: Any, saved: Any) -> None:
    """Take over what `state_of` gave of an optimizer of the same class."""
    if hasattr(optimizer, "load_state_dict"):
        optimizer.load_state_dict(saved)
        return
    mine = type(optimizer).__name__
    if not isinstance(saved, Mapping) or saved.keys() != {"optimizer", "attributes"} or saved["optimizer"] != mine:
        raise ValueError(f"saved must be the state of {mine}, got {saved!r}")
    vars(optimizer).clear()
    vars(optimizer).update(copy.deepcopy(dict(saved["attributes"])))


def forget(optimizer: Any, owner: str) -> None:
    """Reset an optimizer, or say that it cannot be."""
    if not hasattr(optimizer, "reset"):
        raise TypeError(f"{owner}: {words_of(optimizer)} has no reset(), so make a new one instead")
    optimizer.reset()
