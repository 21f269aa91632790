"""What every optimizer shares: checks, state, and the loop over parameters.

A subclass states its hyperparameters, what it remembers for each parameter (``slots``, ``numbers``) and its rule
(``step``). Nothing else: the rule is written for one parameter, in place, in the symbols of its equation.

A few rules need one thing more, and say it in a method of its own: state of another shape than the parameter's
(`Optimizer.slot_shapes`), state that does not begin at zero (`begin`), a number that changes once in a step
(`advance`), or a quantity that all parameters share (`couple`).
"""

from __future__ import annotations

import copy
import inspect
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Params = dict[str, Array]

# Bytes of parameter, gradient and state handed to an elementwise rule at a time: few enough to stay in the cache with
# what the rule computes on the way, many enough that calling it takes no time worth mentioning.
BLOCK_BYTES = 4 * 1024 * 1024

# The arrays that a rule computes on the way are freed at once. glibc returns such memory to the system and has to map
# it again, page by page, for the next one, which may take longer than the arithmetic, until a piece as large as this
# was freed: from then on it keeps what it has at hand, twice as much at most. Other allocators take no notice.
np.empty(31 * 1024 * 1024, dtype=np.uint8)


class Hyperparameter:
    """A number, or an array that broadcasts against the parameters, in ``[low, below)``.

    With `positive` the lower end is not in the range, with `closed` the upper one is.
    The range is checked on every assignment, so a bad value is refused before a step is taken with it.
    """

    sweeps: ClassVar[bool] = True

    def __init__(
        self,
        default: float,
        low: float = 0.0,
        below: float = math.inf,
        *,
        positive: bool = False,
        closed: bool = False,
    ) -> None:
        self.default, self.low, self.below, self.positive, self.closed = default, low, below, positive, closed

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else optimizer.__dict__.get(self.name, self.default)

    def __set__(self, optimizer: Optimizer, value: float | Array) -> None:
        optimizer.__dict__[self.name] = self.checked(value, type(optimizer).__name__)

    def checked(self, value: Any, owner: str) -> float | Array:
        """Return `value` as a float or a float array, or raise an error that names the argument."""
        array = np.asarray(value)
        error = None
        if array.dtype.kind not in "fiu":
            error = TypeError
        elif array.size == 0 or not np.all(self._allows(array)):
            error = ValueError
        if error:
            raise error(f"{owner}: {self.name} must be {self}, got {value!r}")
        return float(array) if array.ndim == 0 else array.astype(np.float64)

    def _allows(self, array: NDArray) -> NDArray[np.bool_]:
        above = array > self.low if self.positive else array >= self.low
        return above & (array <= self.below if self.closed else array < self.below)

    def __str__(self) -> str:
        start, end = "(" if self.positive else "[", "]" if self.closed else ")"
        return f"a number (or an array of numbers) in {start}{self.low:g}, {self.below:g}{end}"


class Count(Hyperparameter):
    """A whole number of at least 1, such as how many steps lie between two events; it cannot be an array."""

    sweeps = False

    def checked(self, value: Any, owner: str) -> int:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{owner}: {self.name} must be {self}, got {value!r}")
        if array.ndim or not 1 <= array < math.inf or array != math.floor(array):
            raise ValueError(f"{owner}: {self.name} must be {self}, got {value!r}")
        return int(array)

    def __str__(self) -> str:
        return "a whole number of at least 1"


class Choice(Hyperparameter):
    """One of a few values, such as which axis of a weight is its outputs; it cannot be an array."""

    sweeps = False

    def __init__(self, default: int, among: tuple[int, ...]) -> None:
        super().__init__(default)
        self.among = among

    def checked(self, value: Any, owner: str) -> int:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{owner}: {self.name} must be {self}, got {value!r}")
        if array.ndim or array not in self.among:
            raise ValueError(f"{owner}: {self.name} must be {self}, got {value!r}")
        return int(array)

    def __str__(self) -> str:
        return " or ".join(map(str, self.among))


class ParameterState(SimpleNamespace):
    """What an optimizer remembers about one parameter: its step count ``t``, and an array for each slot and number."""

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
    slots : tuple of str
        Of the class: the arrays it remembers for each parameter, shaped like the parameter.
    numbers : tuple of str
        Of the class: the numbers it remembers for each parameter, each an array of one element (in a sweep, of one
        for each setting).
    elementwise : bool
        Of the class: whether each coordinate goes its own way; if so, a large parameter is stepped block by block.
    independent : bool
        Of the class: whether each parameter goes its own way.
    state : dict of str to ParameterState
        Filled when a parameter is first seen; each parameter counts its own steps.
    check_finite : bool
        If true, a NaN or an infinity in a gradient is an error. False by default, as in torch.optim: the moments
        of that parameter are then not finite from that step on.
    sweep_axes : int
        How many leading axes of every parameter are those of a sweep, and not its own. `sweep` sets it.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    numbers: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = True
    independent: ClassVar[bool] = True
    _fields: ClassVar[dict[str, Hyperparameter]] = {}
    check_finite: bool = False
    sweep_axes: int = 0

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        ancestry = [vars(owner).items() for owner in reversed(cls.__mro__)]
        cls._fields = {name: field for owned in ancestry for name, field in owned if isinstance(field, Hyperparameter)}
        cls.__signature__ = cls._constructor_signature()

    @classmethod
    def _constructor_signature(cls) -> inspect.Signature:
        if cls.__init__ is not Optimizer.__init__:
            own = inspect.signature(cls.__init__)
            return own.replace(parameters=list(own.parameters.values())[1:])
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature(
            [inspect.Parameter(name, kind, default=field.default) for name, field in cls._fields.items()]
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

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse an attribute that nothing reads (a misspelled hyperparameter), unless the class has its own init."""
        own_constructor = type(self).__init__ is not Optimizer.__init__
        if not (own_constructor or name.startswith("_") or hasattr(type(self), name)):
            known = ", ".join(self.hyperparameters())
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}; its hyperparameters are {known}")
        super().__setattr__(name, value)

    @abstractmethod
    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        """Apply the update rule to one parameter, in place."""

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The shape of each array that is remembered for a parameter of a shape."""
        return dict.fromkeys(self.slots, shape)

    def begin(self, theta: Array, state: ParameterState) -> None:  # noqa: B027
        """Fill what does not begin at zero, when a parameter is first seen."""

    def advance(self, state: ParameterState) -> None:  # noqa: B027
        """Change the numbers of a parameter, once for each of its steps and before it."""

    def couple(self) -> None:  # noqa: B027
        """Change what all parameters share, after each has taken its step; only of a rule that is not `independent`."""

    def check(self, params: Params, grads: Mapping[str, Array]) -> None:
        """Raise what `update` would raise, and change nothing."""
        self._checked_gradients(params, grads)

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
            If `params` or `grads` is not a mapping, a parameter is not an array of float32 or wider, or a gradient
            is not numeric.
        ValueError
            If a shape does not match, a parameter is read-only, or (with `check_finite`) a gradient is not finite.
        """
        checked = self._checked_gradients(params, grads)
        for name, theta in params.items():
            state = self._state_of(name, theta)
            state.t += 1
            stepped = theta, checked[name], state
            if not theta.ndim:  # what NumPy computes from a single number would be no array
                stepped = _with_an_axis(*stepped)
            self._as_dtype(theta.dtype)._step_in_blocks(*stepped)
        if not self.independent:
            self.couple()
        return params

    def eval_params(self, params: Params) -> Params:
        """The parameters at which to evaluate: those that are trained, unless the rule says otherwise."""
        return params

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to go on later, bit for bit: hyperparameters and per-parameter state."""
        return {
            "optimizer": type(self).__name__,
            "hyperparameters": {name: copy.copy(getattr(self, name)) for name in self.hyperparameters()},
            "state": {name: copy.deepcopy(vars(state)) for name, state in self.state.items()},
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved; if it does not fit, raise TypeError or ValueError with nothing changed."""
        mine = type(self).__name__
        if not isinstance(saved, Mapping) or set(saved) != {"optimizer", "hyperparameters", "state"}:
            raise ValueError(f"{mine}: saved must be what state_dict returns, got {saved!r}")
        if saved["optimizer"] != mine:
            raise ValueError(f"{mine}: saved must be the state of {mine}, got that of {str(saved['optimizer'])!r}")
        if set(saved["hyperparameters"]) != set(self._fields):
            raise ValueError(
                f"{mine}: saved hyperparameters must be {sorted(self._fields)}, got {sorted(saved['hyperparameters'])}"
            )
        accepted = {name: field.checked(saved["hyperparameters"][name], mine) for name, field in self._fields.items()}
        state = {name: self._checked_state(name, values) for name, values in saved["state"].items()}
        self.__dict__.update(accepted, _state=state)

    def _checked_state(self, name: str, values: Mapping[str, Any]) -> ParameterState:
        """A copy of one parameter's saved state, checked as far as it can be before the parameter is seen again."""
        owner, own_shapes = f"{type(self).__name__}: saved state of {name!r}", self._has_own_shapes()
        if not isinstance(values, Mapping) or "t" not in values:
            raise ValueError(f"{owner} must have {sorted({'t', *self.slots, *self.numbers})}, got {sorted(values)}")
        expected = set(values) if own_shapes else {"t", *self.slots, *self.numbers}
        if set(values) != expected:
            raise ValueError(f"{owner} must have {sorted(expected)}, got {sorted(values)}")
        t = np.asarray(values["t"])
        if t.ndim or t.dtype.kind not in "iu" or t < 0:
            raise ValueError(f"{owner} must have a whole number of at least 0 as t, got {values['t']!r}")
        arrays = {slot: values[slot] for slot in values if slot != "t"}
        for slot, array in arrays.items():
            if not isinstance(array, np.ndarray) or not _is_wide_float(array.dtype):
                raise TypeError(f"{owner} must have a floating-point array as {slot}, got {array!r}")
        shapes = {array.shape for slot, array in arrays.items() if not own_shapes and slot in self.slots}
        if len(shapes) > 1 or len({array.dtype for array in arrays.values()}) > 1:
            found = ", ".join(f"{slot} {array.dtype} {array.shape}" for slot, array in arrays.items())
            raise ValueError(f"{owner} must have arrays of one shape and dtype, got {found}")
        return ParameterState(t=operator.index(t), **{slot: array.copy(order="K") for slot, array in arrays.items()})

    def reset(self) -> None:
        """Forget all state, as if no step had been taken; hyperparameters stay."""
        self.state.clear()

    @property
    def state(self) -> dict[str, ParameterState]:
        return self.__dict__.setdefault("_state", {})

    @classmethod
    def hyperparameters(cls) -> list[str]:
        """The names of the hyperparameters, in the order of the constructor."""
        return list(cls._fields)

    @classmethod
    def can_sweep(cls, names: Iterable[str]) -> bool:
        """Whether all hyperparameters of these names may be arrays, for one vectorized run over a grid."""
        return all(name not in cls._fields or cls._fields[name].sweeps for name in names)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self.hyperparameters())})"

    # ------------------------------------------------------------------ checks, before anything has changed

    def _checked_gradients(self, params: Params, grads: Mapping[str, Array]) -> dict[str, Array]:
        self._check_names(params, grads)
        swept = self._swept()
        for name, theta in params.items():
            self._check_parameter(name, theta, swept)
        owners = {id(_owner(theta)) for theta in params.values()}
        return {name: self._checked_gradient(name, theta, grads[name], owners) for name, theta in params.items()}

    def _check_names(self, params: Params, grads: Mapping[str, Array]) -> None:
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

    def _check_parameter(self, name: str, theta: Array, swept: dict[str, Array]) -> None:
        if not isinstance(theta, np.ndarray) or not _is_wide_float(theta.dtype):
            kind = f"an array of {theta.dtype}" if isinstance(theta, np.ndarray) else type(theta).__name__
            raise TypeError(
                f"params[{name!r}] must be a floating-point NumPy array (float32 or wider), got {kind}; "
                "np.asarray(value, dtype=float) makes one"
            )
        if not theta.flags.writeable:
            raise ValueError(f"params[{name!r}] must be writeable, got a read-only array; copy it first")
        if name in self.state:
            self._check_state(name, theta)
        for hyperparameter, value in swept.items():
            if not _broadcasts_into(value.shape, theta.shape):
                raise ValueError(
                    f"{hyperparameter} must broadcast against params[{name!r}] of shape {theta.shape}, "
                    f"got shape {value.shape}"
                )
            if (self.numbers or self._has_own_shapes()) and not _broadcasts_into(
                value.shape, self._number_shape(theta.shape)
            ):
                raise ValueError(
                    f"{hyperparameter} must be one number for all of params[{name!r}], in a sweep one for each setting "
                    f"(sweep_axes is {self.sweep_axes}), got shape {value.shape}"
                )

    def _check_state(self, name: str, theta: Array) -> None:
        """Refuse a parameter that is not of the shape and dtype for which its state was made."""
        arrays = self.state[name].arrays()
        shapes = self._state_shapes(theta.shape)
        for slot, array in arrays.items():
            if array.shape != shapes.get(slot) or array.dtype != theta.dtype:
                raise ValueError(
                    f"params[{name!r}] must stay what it was when {slot} was made, {array.dtype} of shape "
                    f"{array.shape}, got {theta.dtype} of shape {theta.shape}"
                )
        if len(arrays) < len(shapes):
            missing = ", ".join(shapes.keys() - arrays.keys())
            raise ValueError(
                f"params[{name!r}] must come with the state that was saved for it, but {missing} is not there"
            )

    def _checked_gradient(self, name: str, theta: Array, grad: Array, owners: set[int]) -> Array:
        grad = np.asarray(grad)
        if grad.dtype.kind not in "fiu":
            raise TypeError(f"grads[{name!r}] must be an array of real numbers, got an array of {grad.dtype}")
        if grad.shape != theta.shape:
            raise ValueError(f"grads[{name!r}] must have the shape of its parameter, {theta.shape}, got {grad.shape}")
        if self.check_finite and not np.all(np.isfinite(grad)):
            raise ValueError(f"grads[{name!r}] must be finite (check_finite is on), got a NaN or an infinity")
        # A gradient that lives in a parameter's memory (that of w**2 / 2 is w itself) must not change with it.
        return grad.astype(theta.dtype, copy=id(_owner(grad)) in owners)

    # ------------------------------------------------------------------ state and the way to the rule

    def _state_of(self, name: str, theta: Array) -> ParameterState:
        if name not in self.state:
            shapes = self._state_shapes(theta.shape)
            state = ParameterState(t=0, **{slot: np.zeros_like(theta, shape=shape) for slot, shape in shapes.items()})
            self._as_dtype(theta.dtype).begin(theta, state)
            self.state[name] = state
        return self.state[name]

    def _state_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        shapes = self.slot_shapes(shape)
        return shapes | dict.fromkeys(self.numbers, self._number_shape(shape)) if self.numbers else shapes

    def _number_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one number for a parameter of a shape: in a sweep, one for each setting."""
        return shape[: self.sweep_axes] + (1,) * len(shape[self.sweep_axes :])

    def _has_own_shapes(self) -> bool:
        return type(self).slot_shapes is not Optimizer.slot_shapes

    def _step_in_blocks(self, theta: Array, grad: Array, state: ParameterState) -> None:
        if not theta.size:
            return
        arrays, numbers = {"theta": theta, "grad": grad, **state.arrays()}, {}
        if self.numbers:
            self.advance(state)
            numbers = {name: arrays.pop(name) for name in self.numbers}
        size = BLOCK_BYTES // (len(arrays) * theta.itemsize)
        order = _common_order(arrays.values()) if theta.size > size and self.elementwise and not self._swept() else None
        if order is None:
            self.step(theta, grad, state)
            return
        flat = {name: array.reshape(-1, order=order, copy=False) for name, array in arrays.items()}
        numbers = {name: array.reshape(()) for name, array in numbers.items()}
        for start in range(0, theta.size, size):
            block = {name: array[start : start + size] for name, array in flat.items()}
            self.step(block.pop("theta"), block.pop("grad"), ParameterState(t=state.t, **block, **numbers))

    def _swept(self) -> dict[str, Array]:
        """The hyperparameters that are arrays."""
        values = self.__dict__
        return {name: value for name in self._fields if isinstance(value := values.get(name), np.ndarray)}

    def _as_dtype(self, dtype: np.dtype) -> Self:
        """This optimizer with its swept hyperparameters cast to `dtype`, so that float32 stays float32."""
        swept = self._swept()
        if all(value.dtype == dtype for value in swept.values()):
            return self
        cast = copy.copy(self)
        cast.__dict__.update({name: value.astype(dtype) for name, value in swept.items()})
        return cast

    def norm(self, x: Array) -> Array | np.floating:
        """The Euclidean norm of one parameter; in a sweep, one norm for each setting (axes kept)."""
        return np.sqrt(np.sum(x * x, axis=self.own_axes(x), keepdims=True))

    def rms(self, x: Array) -> Array | np.floating:
        """The root mean square of one parameter; in a sweep, one for each setting (axes kept)."""
        return np.sqrt(np.mean(x * x, axis=self.own_axes(x), keepdims=True))

    def own_axes(self, x: Array) -> tuple[int, ...]:
        """The axes of one parameter that are not those of a sweep."""
        return tuple(range(self.sweep_axes, x.ndim))


def _is_wide_float(dtype: np.dtype) -> bool:
    """Whether a dtype can hold a rule's numbers; float16 cannot: it rounds an epsilon of 1e-8 to zero."""
    return dtype.kind == "f" and dtype.itemsize >= 4


def _with_an_axis(theta: Array, grad: Array, state: ParameterState) -> tuple[Array, Array, ParameterState]:
    """The same memory, in arrays of one element for each single number."""
    arrays = {name: np.atleast_1d(array) for name, array in state.arrays().items()}
    return theta.reshape(1), grad.reshape(1), ParameterState(t=state.t, **arrays)


def _owner(array: Array) -> Array:
    """The array whose memory a view shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _broadcasts_into(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    trailing = target[len(target) - len(shape) :]
    return len(shape) <= len(target) and all(have in (1, want) for have, want in zip(shape, trailing, strict=True))


def _common_order(arrays: Iterable[Array]) -> str | None:
    """The memory order in which all arrays can be read as one line without a copy."""
    return next((order for order in "CF" if all(array.flags[f"{order}_CONTIGUOUS"] for array in arrays)), None)
