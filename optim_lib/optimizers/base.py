"""What every optimizer shares: checks, state, and the loop over parameters.

A subclass states its hyperparameters, the arrays it remembers for each parameter (``slots``) and its rule
(``step``). Nothing else: the rule is written for one parameter, in place, in the symbols of its equation.
"""

from __future__ import annotations

import copy
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Params = dict[str, Array]

# Elements handed to an elementwise rule at a time: few enough that its temporaries stay in the cache.
BLOCK = 16_384


class Hyperparameter:
    """A number, or an array that broadcasts against the parameters, in ``[low, below)``.

    The range is checked on every assignment, so a bad value is refused before a step is taken with it.
    """

    def __init__(self, default: float, low: float = 0.0, below: float = math.inf) -> None:
        self.default, self.low, self.below = default, low, below

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else optimizer.__dict__[self.name]

    def __set__(self, optimizer: Optimizer, value: float | Array) -> None:
        optimizer.__dict__[self.name] = self.checked(value, type(optimizer).__name__)

    def checked(self, value: Any, owner: str) -> float | Array:
        """Return `value` as a float or a float array, or raise an error that names the argument."""
        array = np.asarray(value)
        complaint = f"{owner}: {self.name} must be a number (or an array of numbers) in {self}, got {value!r}"
        if array.dtype.kind not in "fiu":
            raise TypeError(complaint)
        if not np.all((array >= self.low) & (array < self.below)):
            raise ValueError(complaint)
        return float(array) if array.ndim == 0 else array.astype(np.float64)

    def __str__(self) -> str:
        return f"[{self.low:g}, {self.below:g})"


class ParameterState(SimpleNamespace):
    """What an optimizer remembers about one parameter: its step count ``t`` and one array for each slot."""

    def arrays(self) -> dict[str, Array]:
        return {name: value for name, value in vars(self).items() if name != "t"}


@dataclass_transform(field_specifiers=(Hyperparameter,))
class Optimizer(ABC):
    """The interface of the course: ``params = optimizer.update(params, grads)``.

    A subclass declares its hyperparameters as fields (``learning_rate: float | Array = Hyperparameter(0.01)``), in the
    order in which its constructor takes them.

    Parameters and gradients are dictionaries from name to array. `update` changes the parameter arrays in place
    and returns the dictionary it was given. Everything is checked before anything changes.

    Attributes
    ----------
    state : dict of str to ParameterState
        Filled when a parameter is first seen; each parameter counts its own steps.
    check_finite : bool
        If true, a NaN or an infinity in a gradient is an error. False by default, as in torch.optim: the moments
        of that parameter are then not finite from that step on.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = True
    check_finite: bool = False
    sweep_axes: int = 0

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        fields = {name: field for name, field in vars(cls).items() if isinstance(field, Hyperparameter)}
        cls.__signature__ = inspect.Signature(
            [
                inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=field.default)
                for name, field in fields.items()
            ]
        )

    def __init__(self, *values: float | Array, **named: float | Array) -> None:
        accepted = inspect.signature(type(self))
        try:
            bound = accepted.bind(*values, **named)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}{accepted}: {error}") from None
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            setattr(self, name, value)

    @abstractmethod
    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        """Apply the update rule to one parameter, in place."""

    def update(self, params: Params, grads: Mapping[str, Array]) -> Params:
        """Take one step: change every array of `params` in place and return `params`.

        Parameters
        ----------
        params : dict of str to ndarray
            Floating-point arrays of any shape.
        grads : mapping of str to ndarray
            The gradient of the loss for each parameter: same names, same shapes. A gradient of another dtype is
            cast to its parameter's.

        Raises
        ------
        KeyError
            If a gradient is missing, or belongs to no parameter.
        TypeError
            If a parameter is not a floating-point array, or a gradient is not numeric.
        ValueError
            If a shape does not match, a parameter is read-only, or (with `check_finite`) a gradient is not finite.
        """
        self._check_names(params, grads)
        checked = {name: self._checked_gradient(name, theta, grads[name]) for name, theta in params.items()}
        for name, theta in params.items():
            state = self._state_of(name, theta)
            state.t += 1
            self._as_dtype(theta.dtype)._step_in_blocks(theta, checked[name], state)
        return params

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to go on later, bit for bit: hyperparameters and per-parameter state."""
        return {
            "optimizer": type(self).__name__,
            "hyperparameters": {name: copy.copy(getattr(self, name)) for name in self.hyperparameters()},
            "state": {name: copy.deepcopy(vars(state)) for name, state in self.state.items()},
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved; raise ValueError, with nothing changed, if it does not fit."""
        mine = type(self).__name__
        if saved.get("optimizer") != mine:
            raise ValueError(f"{mine}: saved must be a {mine} state, got one of {saved.get('optimizer')!r}")
        if set(saved["hyperparameters"]) != set(self.hyperparameters()):
            raise ValueError(
                f"{mine}: saved hyperparameters must be {sorted(self.hyperparameters())}, "
                f"got {sorted(saved['hyperparameters'])}"
            )
        expected = {"t", *self.slots}
        for name, values in saved["state"].items():
            if set(values) != expected:
                raise ValueError(f"{mine}: saved state of {name!r} must have {sorted(expected)}, got {sorted(values)}")
        accepted = {
            name: getattr(type(self), name).checked(value, mine) for name, value in saved["hyperparameters"].items()
        }
        self.__dict__.update(accepted)
        self.__dict__["_state"] = {
            name: ParameterState(**copy.deepcopy(dict(values))) for name, values in saved["state"].items()
        }

    def reset(self) -> None:
        """Forget all state, as if no step had been taken; hyperparameters stay."""
        self.state.clear()

    @property
    def state(self) -> dict[str, ParameterState]:
        return self.__dict__.setdefault("_state", {})

    @classmethod
    def hyperparameters(cls) -> list[str]:
        """The names of the hyperparameters, in the order of the constructor."""
        return list(inspect.signature(cls).parameters)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self.hyperparameters())})"

    # ------------------------------------------------------------------ checks, before anything has changed

    def _check_names(self, params: Params, grads: Mapping[str, Array]) -> None:
        if params.keys() == grads.keys():
            return
        missing = [name for name in params if name not in grads]
        if missing:
            raise KeyError(f"grads has no gradient for the parameter(s) {', '.join(map(repr, missing))}")
        extra = [name for name in grads if name not in params]
        raise KeyError(f"grads names {', '.join(map(repr, extra))}, but params has no such parameter")

    def _checked_gradient(self, name: str, theta: Array, grad: Array) -> Array:
        if not isinstance(theta, np.ndarray) or theta.dtype.kind != "f":
            kind = f"an array of {theta.dtype}" if isinstance(theta, np.ndarray) else type(theta).__name__
            raise TypeError(
                f"params[{name!r}] must be a floating-point NumPy array, got {kind}; "
                "np.asarray(value, dtype=float) makes one"
            )
        grad = np.asarray(grad)
        if grad.dtype.kind not in "fiu":
            raise TypeError(f"grads[{name!r}] must be an array of real numbers, got an array of {grad.dtype}")
        if grad.shape != theta.shape:
            raise ValueError(f"grads[{name!r}] must have the shape of its parameter, {theta.shape}, got {grad.shape}")
        if not theta.flags.writeable:
            raise ValueError(f"params[{name!r}] must be writeable, got a read-only array; copy it first")
        if self.check_finite and not np.all(np.isfinite(grad)):
            raise ValueError(f"grads[{name!r}] must be finite (check_finite is on), got a NaN or an infinity")
        self._check_history(name, theta)
        return grad.astype(theta.dtype, copy=False)

    def _check_history(self, name: str, theta: Array) -> None:
        for slot, array in self.state[name].arrays().items() if name in self.state else ():
            if array.shape != theta.shape or array.dtype != theta.dtype:
                raise ValueError(
                    f"params[{name!r}] must stay what it was when {slot} was made, {array.dtype} of shape "
                    f"{array.shape}, got {theta.dtype} of shape {theta.shape}"
                )
        for hyperparameter, value in self._arrays().items():
            if np.broadcast_shapes(value.shape, theta.shape) != theta.shape:
                raise ValueError(
                    f"{hyperparameter} must broadcast against params[{name!r}] of shape {theta.shape}, "
                    f"got shape {value.shape}"
                )

    # ------------------------------------------------------------------ state and the way to the rule

    def _state_of(self, name: str, theta: Array) -> ParameterState:
        if name not in self.state:
            self.state[name] = ParameterState(t=0, **{slot: np.zeros_like(theta) for slot in self.slots})
        return self.state[name]

    def _step_in_blocks(self, theta: Array, grad: Array, state: ParameterState) -> None:
        if self._whole_at_once(theta, grad):
            self.step(theta, grad, state)
            return
        flat_theta, flat_grad = theta.reshape(-1), grad.reshape(-1)
        flat_state = {slot: array.reshape(-1) for slot, array in state.arrays().items()}
        for block in _blocks(theta.size):
            views = ParameterState(t=state.t, **{slot: array[block] for slot, array in flat_state.items()})
            self.step(flat_theta[block], flat_grad[block], views)

    def _whole_at_once(self, theta: Array, grad: Array) -> bool:
        if theta.size <= BLOCK or not self.elementwise or self._arrays():
            return True
        return not (theta.flags.c_contiguous and grad.flags.c_contiguous)

    def _arrays(self) -> dict[str, Array]:
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def _as_dtype(self, dtype: np.dtype) -> Self:
        """This optimizer with its swept hyperparameters cast to `dtype`, so that float32 stays float32."""
        swept = self._arrays()
        if all(value.dtype == dtype for value in swept.values()):
            return self
        cast = copy.copy(self)
        cast.__dict__.update({name: value.astype(dtype) for name, value in swept.items()})
        return cast

    def norm(self, x: Array) -> Array | np.floating:
        """The Euclidean norm of one parameter; in a sweep, one norm for each setting (axes kept)."""
        own_axes = tuple(range(self.sweep_axes, x.ndim))
        return np.sqrt(np.sum(x * x, axis=own_axes, keepdims=True))


def _blocks(size: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))
