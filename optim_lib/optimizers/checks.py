"""What is looked at before anything changes: names, parameters, gradients, and a state that is to be loaded."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def names(params: Mapping[str, Any], grads: Mapping[str, Any]) -> None:
    """Both must be dictionaries, of the same names."""
    for argument, given in (("params", params), ("grads", grads)):
        if not isinstance(given, Mapping):
            kind = type(given).__name__
            raise TypeError(f"{argument} must be a dictionary from name to array, such as {{'w': ...}}, got {kind}")
    if params.keys() == grads.keys():
        return
    missing = [name for name in params if name not in grads]
    if missing:
        raise KeyError(f"grads has no gradient for the parameter(s) {', '.join(map(repr, missing))}")
    extra = [name for name in grads if name not in params]
    raise KeyError(f"grads names {', '.join(map(repr, extra))}, but params has no such parameter")


def parameter(name: str, theta: Any) -> None:
    """A parameter must be an array of real numbers, each in a place of its own, that can be changed where it is."""
    if not isinstance(theta, np.ndarray) or isinstance(theta, np.ma.MaskedArray) or not is_wide_float(theta.dtype):
        raise TypeError(
            f"params[{name!r}] must be a floating-point NumPy array (float32 or wider), got {_kind(theta)}; "
            f"{_way_to_an_array(theta)}"
        )
    if not theta.flags.writeable:
        raise ValueError(f"params[{name!r}] must be writeable, got a read-only array; copy it first")
    if not theta.flags.forc and any(n > 1 and not step for n, step in zip(theta.shape, theta.strides, strict=True)):
        raise ValueError(f"params[{name!r}] must have memory for each number, got an array that repeats some; copy it")


def gradient(name: str, grad: Any, shape: tuple[int, ...]) -> NDArray:
    """A gradient must be real numbers in the shape of its parameter."""
    array = real_array(f"grads[{name!r}]", grad)
    if array.shape != shape:
        raise ValueError(f"grads[{name!r}] must have the shape of its parameter, {shape}, got {array.shape}")
    return array


def real_array(label: str, value: Any) -> NDArray:
    """The value as an array, if it is one of real numbers (a list of them will do)."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{label} must be an array of real numbers, got a masked array; fill it first")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{label} must be an array of real numbers, got {_kind(value)}") from None
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{label} must be an array of real numbers, got an array of {array.dtype}")
    return array


def hyperparameter_shape(
    hyperparameter: str, value: NDArray, name: str, shape: tuple[int, ...], one: tuple[int, ...] | None, axes: int
) -> None:
    """An array of a hyperparameter must broadcast into the parameter; with `one`, it must be one number for all of it.

    Parameters
    ----------
    one : tuple of int or None
        The shape of one number for the parameter, in a sweep of one for each setting.
    axes : int
        How many axes are those of a sweep.
    """
    if not _broadcasts_into(value.shape, shape):
        raise ValueError(
            f"{hyperparameter} must broadcast against params[{name!r}] of shape {shape}, got shape {value.shape}"
        )
    if one is not None and not _broadcasts_into(value.shape, one):
        raise ValueError(
            f"{hyperparameter} must be one number for all of params[{name!r}], in a sweep one for each setting "
            f"(sweep_axes is {axes}), got shape {value.shape}"
        )


def kept_state(name: str, theta: Array, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """A parameter must be of the shape and dtype for which its state was made."""
    for slot, array in arrays.items():
        if array.shape != shapes.get(slot) or array.dtype != theta.dtype:
            raise ValueError(
                f"params[{name!r}] must stay what it was when {slot} was made, {array.dtype} of shape "
                f"{array.shape}, got {theta.dtype} of shape {theta.shape}"
            )
    if len(arrays) < len(shapes):
        missing = ", ".join(shapes.keys() - arrays.keys())
        raise ValueError(f"params[{name!r}] must come with the state that was saved for it, but {missing} is not there")


def saved_state(owner: str, values: Any, slots: Iterable[str], numbers: Iterable[str], own_shapes: bool) -> dict:
    """A copy of one parameter's saved state, checked as far as it can be before the parameter is seen again."""
    expected = {"t", *slots, *numbers}
    if not isinstance(values, Mapping) or "t" not in values or not (own_shapes or set(values) == expected):
        found = sorted(values) if isinstance(values, Mapping) else repr(values)
        raise ValueError(f"{owner} must have {sorted(expected)}, got {found}")
    t = np.asarray(values["t"])
    if t.ndim or t.dtype.kind not in "iu" or t < 0:
        raise ValueError(f"{owner} must have a whole number of at least 0 as t, got {values['t']!r}")
    arrays = {slot: array for slot, array in values.items() if slot != "t"}
    for slot, array in arrays.items():
        if not isinstance(array, np.ndarray) or not is_wide_float(array.dtype):
            raise TypeError(f"{owner} must have a floating-point array as {slot}, got {array!r}")
    shapes = {array.shape for slot, array in arrays.items() if not own_shapes and slot in slots}
    if len(shapes) > 1 or len({array.dtype for array in arrays.values()}) > 1:
        found = ", ".join(f"{slot} {array.dtype} {array.shape}" for slot, array in arrays.items())
        raise ValueError(f"{owner} must have arrays of one shape and dtype, got {found}")
    return {"t": operator.index(t), **{slot: array.copy(order="K") for slot, array in arrays.items()}}


def is_wide_float(dtype: np.dtype) -> bool:
    """Whether a dtype can hold a rule's numbers; float16 cannot: it rounds an epsilon of 1e-8 to zero."""
    return dtype.kind == "f" and dtype.itemsize >= 4


def _broadcasts_into(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    trailing = target[len(target) - len(shape) :]
    return len(shape) <= len(target) and all(have in (1, want) for have, want in zip(shape, trailing, strict=True))


def _kind(value: Any) -> str:
    if isinstance(value, np.ma.MaskedArray):
        return "a masked array"
    if isinstance(value, np.generic):
        return f"{type(value).__name__}, a single number that cannot be changed in place"
    return f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


def _way_to_an_array(value: Any) -> str:
    if type(value).__module__.partition(".")[0] == "torch" or hasattr(value, "requires_grad"):
        return (
            "optim_lib.training.TorchModel(module).initialize() gives the parameters of a module as arrays, in the "
            "memory that the module sees"
        )
    if isinstance(value, np.ma.MaskedArray):
        return "value.filled(...) makes one"
    return "np.array(value, dtype=float) makes one"
