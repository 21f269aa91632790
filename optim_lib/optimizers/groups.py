"""Other optimizers, or other hyperparameters, for some of the parameters."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from optim_lib.optimizers.base import Array, P
from optim_lib.optimizers.sgd import SGD
from optim_lib.optimizers.wrapping import forget, is_optimizer, restore, state_of, step_in_place, words_of

Predicate = str | Callable[[str, Array], bool]


class ParameterGroups:
    """Another optimizer, or other hyperparameters, for some of the parameters; together they are one optimizer.

    Parameters
    ----------
    groups : mapping from str or callable to optimizer
        Each parameter goes to the first group that wants it. A string is a pattern for its name (``"b*"``; ``"*"``
        takes all that are left), a callable is asked with its name and its array, as `is_vector` is.

    Notes
    -----
    ``learning_rate`` is that of the first group whose rate is not zero. Setting it, as a schedule does, multiplies the
    rates of all groups alike: they keep the proportions that they had at first, a group at rest stays at rest, and what
    is loaded brings its proportions with it.

    A parameter stays in the group that first stepped it, where its state is. A saved state fits groups that want the
    same parameters in the same order.

    Raises
    ------
    TypeError
        If a key or an optimizer is of another kind.
    KeyError
        From `update`: if no group wants a parameter. Before any parameter is changed all are checked.
    ValueError
        From `update`: if a parameter has been stepped by another group. From `load_state_dict`: if it does not fit.
    AttributeError
        If ``learning_rate`` is set and a group has none.

    Examples
    --------
    No weight decay on biases and norms:

    >>> from optim_lib.optimizers import AdamW
    >>> groups = ParameterGroups({is_vector: AdamW(weight_decay=0.0), "*": AdamW(weight_decay=0.1)})
    >>> params = {"W1": np.ones((3, 2)), "b1": np.ones((1, 2))}
    >>> params = groups.update(params, {"W1": np.zeros((3, 2)), "b1": np.zeros((1, 2))})
    >>> params["W1"][0, 0].round(6), params["b1"][0, 0]
    (np.float64(0.9999), np.float64(1.0))
    """

    def __init__(self, groups: Mapping[Any, Any]) -> None:
        if not isinstance(groups, Mapping) or not groups:
            raise TypeError(f"groups must be a dictionary such as {{'b*': SGD(), '*': Adam()}}, got {groups!r}")
        for key, optimizer in groups.items():
            if not isinstance(key, str) and not callable(key):
                raise TypeError(f"groups must have a pattern or a function of name and array as keys, got {key!r}")
            if not is_optimizer(optimizer):
                raise TypeError(f"groups[{key!r}] must have update(params, grads), such as Adam(), got {optimizer!r}")
        self.groups: dict[Predicate, Any] = dict(groups)
        self._proportions = _proportions([getattr(optimizer, "learning_rate", None) for optimizer in self.optimizers])
        self._group_of: dict[str, int] = {}

    @property
    def optimizers(self) -> list[Any]:
        return list(self.groups.values())

    def update(self, params: P, grads: Mapping[str, Any]) -> P:
        """Take one step of each group with its parameters, in place, and return `params`."""
        self.check(params, grads)
        for index, (optimizer, names) in enumerate(zip(self.optimizers, self.members(params), strict=True)):
            if names:
                group = {name: params[name] for name in names}
                step_in_place(optimizer, group, {name: grads[name] for name in names})
                self._group_of |= dict.fromkeys(names, index)
        return params

    def check(self, params: Mapping[str, Any], grads: Mapping[str, Any]) -> None:
        """Raise what `update` would raise, and change nothing."""
        SGD().check(params, grads)
        for index, (optimizer, names) in enumerate(zip(self.optimizers, self.members(params), strict=True)):
            for name in names:
                before = self._group_of.get(name, index)
                if before != index:
                    raise ValueError(
                        f"groups must go on stepping {name!r} in {self._words(before)}, where its state is; "
                        f"now {self._words(index)} wants it first"
                    )
            if names and hasattr(optimizer, "check"):
                optimizer.check({name: params[name] for name in names}, {name: grads[name] for name in names})

    def eval_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters at which to evaluate, as each group's optimizer says."""
        result = dict(params)
        for optimizer, names in zip(self.optimizers, self.members(params), strict=True):
            if hasattr(optimizer, "eval_params"):
                result |= optimizer.eval_params({name: params[name] for name in names})
        return result

    def members(self, params: Mapping[str, Any]) -> list[list[str]]:
        """The names of the parameters of each group."""
        members: list[list[str]] = [[] for _ in self.groups]
        for name, theta in params.items():
            wanting = (index for index, key in enumerate(self.groups) if _wants(key, name, theta))
            index = next(wanting, None)
            if index is None:
                raise KeyError(
                    f"groups has no group for the parameter {name!r}; a last group '*' takes all that are left"
                )
            members[index].append(name)
        return members

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state of every group, in order, with what it wants and its share of the rate."""
        parts = zip(self.groups.items(), self._proportions, strict=True)
        groups = {
            str(index): {"wants": _name_of(key), "proportion": copy.copy(proportion), "state": state_of(optimizer)}
            for index, ((key, optimizer), proportion) in enumerate(parts)
        }
        return {"optimizer": "ParameterGroups", "groups": groups, "group_of": dict(self._group_of)}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved; if it does not fit, raise TypeError or ValueError with nothing changed."""
        if not isinstance(saved, Mapping) or set(saved) != {"optimizer", "groups", "group_of"}:
            raise ValueError(f"ParameterGroups: saved must be what state_dict returns, got {saved!r}")
        if saved["optimizer"] != "ParameterGroups" or len(saved["groups"]) != len(self.groups):
            raise ValueError(
                f"ParameterGroups: saved must be the state of {len(self.groups)} groups, "
                f"got {len(saved['groups'])} of {saved['optimizer']}"
            )
        parts = [saved["groups"][key] for key in sorted(saved["groups"], key=int)]
        for index, (key, part) in enumerate(zip(self.groups, parts, strict=True)):
            if part["wants"] != _name_of(key):
                raise ValueError(
                    f"ParameterGroups: saved must have the state of {self._words(index)} as number {index + 1}, "
                    f"got that of the group {part['wants']!r}"
                )
        for optimizer, part in zip(self.optimizers, parts, strict=True):
            restore(copy.deepcopy(optimizer), part["state"])
        for optimizer, part in zip(self.optimizers, parts, strict=True):
            restore(optimizer, part["state"])
        self._proportions = [copy.copy(part["proportion"]) for part in parts]
        self._group_of = {str(name): int(index) for name, index in saved["group_of"].items()}

    def reset(self) -> None:
        """Forget all state, as if no step had been taken; hyperparameters stay."""
        for optimizer in self.optimizers:
            if not hasattr(optimizer, "reset"):
                forget(optimizer, "ParameterGroups")
        for optimizer in self.optimizers:
            optimizer.reset()
        self._group_of = {}

    @property
    def learning_rate(self) -> float | Array:
        moving = (index for index, share in enumerate(self._proportions) if share is not None and np.all(share))
        return self.optimizers[next(moving, 0)].learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | Array) -> None:
        for index, (optimizer, proportion) in enumerate(zip(self.optimizers, self._proportions, strict=True)):
            if proportion is None or not hasattr(optimizer, "learning_rate"):
                raise AttributeError(f"{self._words(index)} of the groups has no learning_rate to be set")
        before = [optimizer.learning_rate for optimizer in self.optimizers]
        try:
            for optimizer, proportion in zip(self.optimizers, self._proportions, strict=True):
                optimizer.learning_rate = value * proportion
        except Exception:
            for optimizer, rate in zip(self.optimizers, before, strict=True):
                optimizer.learning_rate = rate
            raise

    def _words(self, index: int) -> str:
        return f"the group {_name_of(list(self.groups)[index])!r}"

    def __repr__(self) -> str:
        names = [repr(key) if isinstance(key, str) else _name_of(key) for key in self.groups]
        parts = (f"{name}: {words_of(each)}" for name, each in zip(names, self.optimizers, strict=True))
        return f"ParameterGroups({{{', '.join(parts)}}})"


def is_vector(name: str, theta: Array) -> bool:
    """Whether a parameter has at most one axis that is longer than one, as biases and norms have."""
    return sum(n > 1 for n in theta.shape) <= 1


def _wants(key: Predicate, name: str, theta: Array) -> bool:
    return fnmatchcase(name, key) if isinstance(key, str) else bool(key(name, theta))


def _name_of(key: Predicate) -> str:
    """A pattern, or the name of a function: the same in every process."""
    if isinstance(key, str):
        return key
    if isinstance(key, functools.partial):
        given = [repr(value) for value in key.args] + [f"{name}={value!r}" for name, value in key.keywords.items()]
        return f"{_name_of(key.func)}({', '.join(given)})"
    return getattr(key, "__name__", type(key).__name__)


def _proportions(rates: list[Any]) -> list[Any]:
    """Each group's rate in units of the first that is not zero; None where there is no rate."""
    moving = [rate for rate in rates if rate is not None and np.all(rate)]
    if not moving:
        return [None if rate is None else 1.0 for rate in rates]
    return [None if rate is None else rate / moving[0] for rate in rates]
