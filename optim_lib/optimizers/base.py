"""What every optimizer shares: state, saving, and the loop over parameters.

A subclass states its hyperparameters, what it remembers for each parameter (``slots``, ``numbers``) and its rule
(``step``). Nothing else: the rule is written for one parameter, in the symbols of its equation.

A few rules need one thing more, and say it in a method of its own: state of another shape than the parameter's
(`Optimizer.slot_shapes`), state that does not begin at zero (`begin`), a number that changes once in a step
(`advance`), or a quantity that all parameters share (`couple`).
"""

from __future__ import annotations

import copy
import dis
import inspect
import itertools
import types
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from optim_lib.optimizers import checks, memory, words
from optim_lib.optimizers.fields import Choice, Count, Field, Hyperparameter, L2Penalty, PenaltyField
from optim_lib.optimizers.state import ParameterState

__all__ = ["Array", "Choice", "Count", "Hyperparameter", "L2Penalty", "Optimizer", "ParameterState", "Params"]

Array = NDArray[np.floating]
Params = dict[str, Array]
# `update` takes any mapping from name to array, and gives back the one that it was given.
P = TypeVar("P", bound=Mapping[str, Any])

# Bytes of parameter, gradient and state handed to an elementwise rule at a time: few enough to stay in the cache with
# what the rule computes on the way, many enough that calling it takes no time worth mentioning.
BLOCK_BYTES = 4 * 1024 * 1024

# The arrays that a rule computes on the way are freed at once. glibc returns such memory to the system and has to map
# it again, page by page, for the next one, until a piece as large as this was freed: from then on it keeps what it has
# at hand, twice as much at most. In a fresh process a step of Adam with a million parameters takes 2.1 ms and maps no
# page; without this line it takes 13.5 ms and maps 5,800. Other allocators take no notice.
np.empty(31 * 1024 * 1024, dtype=np.uint8)


class _Signature:
    """The signature of the constructor, asked for when it is needed: a decorator may have changed the class."""

    def __get__(self, optimizer: Optimizer | None, owner: type[Optimizer]) -> inspect.Signature:
        if owner.__init__ is not Optimizer.__init__:
            own = inspect.signature(owner.__init__)
            return own.replace(parameters=list(own.parameters.values())[1:])
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        fields = owner._fields.items()
        return inspect.Signature([inspect.Parameter(name, kind, default=field.default) for name, field in fields])


@dataclass_transform(field_specifiers=(Hyperparameter, L2Penalty, Count, Choice))
class Optimizer(ABC):
    """The interface of the course: ``params = optimizer.update(params, grads)``.

    A subclass declares its hyperparameters as fields, in the order in which its constructor takes them, and its rule:

    >>> class Heavy(Optimizer):
    ...     learning_rate: float | Array = Hyperparameter(default=0.01)
    ...     momentum: float | Array = Hyperparameter(default=0.9, below=1.0)
    ...     slots = ("velocity",)
    ...
    ...     def step(self, theta, grad, state):
    ...         state.velocity = self.momentum * state.velocity + grad
    ...         theta -= self.learning_rate * state.velocity
    >>> Heavy(learning_rate=0.5).update({"w": np.array([1.0])}, {"w": np.array([1.0])})
    {'w': array([0.5])}

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
        Of the class: whether its `step` treats every coordinate alike and for itself, with no norm, no mean and no
        product of matrices. Then a large parameter may be stepped block by block, which is faster. It is said beside
        `step`, and counts for that `step` alone: a subclass that has methods of its own has to say it again.
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
    elementwise: ClassVar[bool] = False
    independent: ClassVar[bool] = True
    _fields: ClassVar[dict[str, Field]] = {}
    _penalties: ClassVar[tuple[str, ...]] = ()
    _renames: ClassVar[bool] = False
    __signature__ = _Signature()
    check_finite: bool = False
    sweep_axes: int = 0

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        ancestry = [vars(owner).items() for owner in reversed(cls.__mro__)]
        cls._fields = {name: field for owned in ancestry for name, field in owned if isinstance(field, Field)}
        cls._penalties = tuple(name for name, field in cls._fields.items() if isinstance(field, PenaltyField))
        cls.independent = cls.couple is Optimizer.couple
        cls._renames = isinstance(cls.step, types.FunctionType) and _gives_another_array_its_name(cls.step)
        # Whoever declares it speaks for its own methods: one that comes before it may need more than one entry.
        nearest = next(owner for owner in cls.__mro__ if "elementwise" in vars(owner) or _has_methods(owner))
        cls.elementwise = vars(nearest).get("elementwise", False)

    def __init__(self, *values: float | Array, **named: float | Array) -> None:
        accepted = inspect.signature(type(self))
        try:
            bound = accepted.bind(*values, **named)
        except TypeError as error:
            hint = words.about_arguments(type(self), named)
            raise TypeError(f"{type(self).__name__}{accepted}: {error}{hint}") from None
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse an attribute that nothing reads (a misspelled hyperparameter), unless the class has its own init."""
        own_constructor = type(self).__init__ is not Optimizer.__init__
        if not (own_constructor or name.startswith("_") or hasattr(type(self), name)):
            known, hint = ", ".join(self.hyperparameters()), words.about_arguments(type(self), [name])
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}; its hyperparameters are {known}{hint}"
            )
        super().__setattr__(name, value)

    @abstractmethod
    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        """Apply the update rule to one parameter: change `theta` in place, and `state` in place or by assignment."""

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The shape of each array that is remembered for a parameter of a shape."""
        return dict.fromkeys(self.slots, shape)

    def begin(self, theta: Array, state: ParameterState) -> None:  # noqa: B027
        """Fill what does not begin at zero, when a parameter is first seen."""

    def advance(self, state: ParameterState) -> None:  # noqa: B027
        """Change the numbers of a parameter, once for each of its steps and before it."""

    def couple(self) -> None:  # noqa: B027
        """Change what all parameters share, after each has taken its step."""

    def check(self, params: Mapping[str, Any], grads: Mapping[str, Any]) -> None:
        """Raise what `update` would raise, and change nothing."""
        self._checked_gradients(params, grads)

    def update(self, params: P, grads: Mapping[str, Any]) -> P:
        """Take one step: change every array of `params` in place and return `params`.

        Parameters
        ----------
        params : dict of str to ndarray
            Floating-point arrays of any shape, anywhere in memory.
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
            with self._cast_to(theta.dtype):
                self._take_step(theta, checked[name], state)
        if not self.independent:
            kept = {name: state.arrays() for name, state in self.state.items()}
            self.couple()
            for name, arrays in kept.items():
                self._bring_home(self.state[name], arrays, self.state[name].t, "couple")
        return params

    def eval_params(self, params: P) -> P:
        """The parameters at which to evaluate: those that are trained, unless the rule says otherwise."""
        return params

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to go on later, bit for bit: hyperparameters and per-parameter state."""
        saved = {
            "optimizer": type(self).__name__,
            "hyperparameters": {name: copy.copy(getattr(self, name)) for name in self.hyperparameters()},
            "state": {name: copy.deepcopy(vars(state)) for name, state in self.state.items()},
        }
        return saved | ({"attributes": copy.deepcopy(own)} if (own := self._own_attributes()) else {})

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict` saved; if it does not fit, raise TypeError or ValueError with nothing changed."""
        mine = type(self).__name__
        parts = {"optimizer", "hyperparameters", "state"}
        if not isinstance(saved, Mapping) or set(saved) - {"attributes"} != parts:
            raise ValueError(f"{mine}: saved must be what state_dict returns, got {saved!r}")
        if saved["optimizer"] != mine:
            raise ValueError(f"{mine}: saved must be the state of {mine}, got that of {str(saved['optimizer'])!r}")
        if set(saved["hyperparameters"]) != set(self._fields):
            raise ValueError(
                f"{mine}: saved hyperparameters must be {sorted(self._fields)}, got {sorted(saved['hyperparameters'])}"
            )
        accepted = {name: field.checked(saved["hyperparameters"][name], mine) for name, field in self._fields.items()}
        slots, own_shapes = (self.slots, self.numbers), type(self).slot_shapes is not Optimizer.slot_shapes
        state = {
            name: ParameterState(**checks.saved_state(f"{mine}: saved state of {name!r}", values, *slots, own_shapes))
            for name, values in saved["state"].items()
        }
        self.__dict__.update(copy.deepcopy(dict(saved.get("attributes", {}))), **accepted, _state=state)

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

    def _checked_gradients(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> dict[str, Array]:
        checks.names(params, grads)
        swept = self._swept()
        for name, theta in params.items():
            self._check_parameter(name, theta, swept)
        owners = {id(memory.owner(theta)) for theta in params.values()}
        return {name: self._checked_gradient(name, theta, grads[name], owners) for name, theta in params.items()}

    def _check_parameter(self, name: str, theta: Array, swept: dict[str, Array]) -> None:
        checks.parameter(name, theta)
        if name in self.state:
            checks.kept_state(name, theta, self.state[name].arrays(), self._state_shapes(theta.shape))
        if swept:
            whole = self.numbers or type(self).slot_shapes is not Optimizer.slot_shapes
            one = self._number_shape(theta.shape) if whole else None
            for hyperparameter, value in swept.items():
                checks.hyperparameter_shape(hyperparameter, value, name, theta.shape, one, self.sweep_axes)

    def _checked_gradient(self, name: str, theta: Array, grad: Any, owners: set[int]) -> Array:
        array = checks.gradient(name, grad, theta.shape)
        # A gradient that lives in a parameter's memory (that of w**2 / 2 is w itself) must not change with it.
        cast = array.astype(theta.dtype, copy=id(memory.owner(array)) in owners)
        if self.check_finite and not np.all(np.isfinite(cast)):
            raise ValueError(f"grads[{name!r}] must be finite (check_finite is on), got a NaN or an infinity")
        return cast

    # ------------------------------------------------------------------ state and the way to the rule

    def _state_of(self, name: str, theta: Array) -> ParameterState:
        if name not in self.state:
            # A rule that sees a whole parameter adds its numbers up in C's order, wherever they lie.
            order = "K" if self.elementwise else "C"
            arrays = {
                slot: np.zeros_like(theta, shape=shape, order=order, subok=False)
                for slot, shape in self._state_shapes(theta.shape).items()
            }
            state = ParameterState(t=0, **arrays)
            with self._cast_to(theta.dtype):
                self.begin(memory.plain(np.asarray(theta)), state)
            self._bring_home(state, arrays, 0, "begin")
            self.state[name] = state
        return self.state[name]

    def _state_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        shapes = self.slot_shapes(shape)
        return shapes | dict.fromkeys(self.numbers, self._number_shape(shape)) if self.numbers else shapes

    def _number_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one number for a parameter of a shape: in a sweep, one for each setting."""
        return shape[: self.sweep_axes] + (1,) * len(shape[self.sweep_axes :])

    def _own_attributes(self) -> dict[str, Any]:
        """What a subclass keeps in attributes of its own, neither fields nor state."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in self._fields and not name.startswith("_") and name not in ("check_finite", "sweep_axes")
        }

    def _take_step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        """Hand one parameter to the rule: in blocks, if it may be cut up; if not, in C's order."""
        if not theta.size:
            return
        kept = state.arrays()
        if self.numbers:
            self.advance(state)
            self._bring_home(state, kept, state.t, "advance")
        arrays = {"theta": theta, "grad": grad, **kept}
        # A single number is handed on as an array of one, a memory map or a matrix as the array that it is.
        arrays = {name: np.atleast_1d(np.asarray(array)) for name, array in arrays.items()}
        if not self.elementwise:
            self._step_whole(arrays, state.t)
            return
        numbers = {name: memory.read_only(arrays.pop(name)) for name in self.numbers}
        size = BLOCK_BYTES // (len(arrays) * theta.itemsize)
        order = memory.common_order(arrays.values()) if theta.size > size and not self._swept() else None
        if order is None:
            self._step_on({**arrays, **numbers}, state.t)
            return
        flat = {name: array.reshape(-1, order=order, copy=False) for name, array in arrays.items()}
        numbers = {name: number.reshape(1) for name, number in numbers.items()}
        for start in range(0, theta.size, size):
            block = {name: array[start : start + size] for name, array in flat.items()}
            self._step_on({**block, **numbers}, state.t)

    def _step_whole(self, arrays: dict[str, Array], t: int) -> None:
        """A step on arrays that lie in C's order, so that sums are the same wherever the parameter lies."""
        plain = {name: memory.plain(array) for name, array in arrays.items()}
        self._step_on(dict(plain), t)
        for name, array in arrays.items():
            if array is not plain[name] and name != "grad":
                array[...] = plain[name]

    def _step_on(self, arrays: dict[str, Array], t: int) -> None:
        """A step of the rule on arrays that may be parts or copies of those that are remembered."""
        theta, grad = arrays.pop("theta"), memory.read_only(arrays.pop("grad"))
        state = ParameterState(t=t, **arrays)
        before = theta.copy() if self._renames else None
        for decay in self._penalty_values():
            if np.any(decay):
                grad = grad + decay * theta
        try:
            returned = self.step(theta, grad, state)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise ValueError(
                f"{type(self).__name__}.step must not change grad, which is the caller's, nor what advance changes"
            ) from error
        if returned is not None:
            raise TypeError(f"{type(self).__name__}.step must change theta in place and return nothing")
        if before is not None and np.array_equal(before, theta) and np.any(grad):
            raise TypeError(
                f"{type(self).__name__}.step must change theta in place, as theta -= ... or theta[...] = ... does; "
                "theta = ... gives its name to another array"
            )
        self._bring_home(state, arrays, t, "step")

    def _bring_home(self, state: ParameterState, arrays: dict[str, Array], t: int, method: str) -> None:
        """Bring what a rule has assigned to its state into the arrays that are remembered: they may be blocks."""
        found, rule = vars(state), f"{type(self).__name__}.{method}"
        if found["t"] != t:
            raise ValueError(f"{rule} must leave state.t alone: update counts the steps")
        if more := found.keys() - arrays.keys() - {"t"}:
            raise ValueError(f"{rule} must name what it remembers in slots or numbers, it has set state.{min(more)}")
        for name, array in arrays.items():
            value = found[name]
            if value is not array:
                self._assign(rule, name, array, value)
                found[name] = array

    @staticmethod
    def _assign(rule: str, name: str, array: Array, value: Any) -> None:
        if not array.flags.writeable:
            raise ValueError(f"{rule} must not change state.{name}: numbers change in advance, once for each step")
        if np.shape(value) != array.shape:
            raise ValueError(f"{rule} must give state.{name} the shape {array.shape}, got {np.shape(value)}")
        np.copyto(array, value, casting="same_kind")

    def _penalty_values(self) -> list[float | Array]:
        return [getattr(self, name) for name in self._penalties]

    def _swept(self) -> dict[str, Array]:
        """The hyperparameters that are arrays."""
        values = self.__dict__
        return {name: value for name in self._fields if isinstance(value := values.get(name), np.ndarray)}

    @contextmanager
    def _cast_to(self, dtype: np.dtype) -> Iterator[None]:
        """Inside, swept hyperparameters are of a dtype, so that float32 stays float32."""
        swept = self._swept()
        try:
            self.__dict__.update({name: value.astype(dtype, copy=False) for name, value in swept.items()})
            yield
        finally:
            self.__dict__.update(swept)

    def norm(self, x: Array) -> Array:
        """The Euclidean norm of one parameter; in a sweep, one norm for each setting (axes kept)."""
        return np.sqrt(np.sum(x * x, axis=self.own_axes(x), keepdims=True))

    def rms(self, x: Array) -> Array:
        """The root mean square of one parameter; in a sweep, one for each setting (axes kept)."""
        return np.sqrt(np.mean(x * x, axis=self.own_axes(x), keepdims=True))

    def own_axes(self, x: Array) -> tuple[int, ...]:
        """The axes of one parameter that are not those of a sweep."""
        return tuple(range(self.sweep_axes, x.ndim))


def _has_methods(owner: type) -> bool:
    kinds = types.FunctionType, property, staticmethod, classmethod
    return any(isinstance(member, kinds) for member in vars(owner).values())


def _gives_another_array_its_name(step: types.FunctionType) -> bool:
    """Whether a rule says ``theta = theta - ...``, which leaves the parameter as it is."""
    theta = step.__code__.co_varnames[1:2]
    instructions = list(dis.get_instructions(step))
    return any(
        before.opname == "BINARY_OP" and not before.argrepr.endswith("=") and store.opname.startswith("STORE_FAST")
        and np.atleast_1d(store.argval)[0] in theta
        for before, store in itertools.pairwise(instructions)
    )  # fmt: skip
