"""The hyperparameters of an optimizer: fields of its class, checked whenever they are set.

A checker of types takes an optimizer for a dataclass and these functions for its field specifiers, so that it knows the
names, the order and the defaults of every constructor.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from optim_lib.optimizers.base import Optimizer

Array = NDArray[np.floating]


def Hyperparameter(
    default: float,
    low: float = 0.0,
    below: float = math.inf,
    *,
    positive: bool = False,
    closed: bool = False,
) -> Any:
    """A hyperparameter: a number, or an array that broadcasts against the parameters, in ``[low, below)``.

    Parameters
    ----------
    default : float
        Write ``Hyperparameter(default=0.01)``: checkers of types know a default by this name alone.
    low, below : float
        The range.
    positive : bool
        Whether the lower end is left out.
    closed : bool
        Whether the upper end is in the range.

    Examples
    --------
    >>> from optim_lib.optimizers import SGD
    >>> class Scaled(SGD):
    ...     factor: float = Hyperparameter(default=0.5, below=1.0)
    ...
    ...     def step(self, theta, grad, state):
    ...         theta -= self.factor * self.learning_rate * grad
    >>> Scaled(0.1)
    Scaled(learning_rate=0.1, weight_decay=0.0, factor=0.5)
    >>> Scaled(factor=2.0)
    Traceback (most recent call last):
    ValueError: Scaled: factor must be a number (or an array of numbers) in [0, 1), got 2.0
    """
    return NumberField(default, low, below, positive, closed)


def L2Penalty(default: float = 0.0) -> Any:
    r"""A hyperparameter :math:`\lambda` of which ``step`` sees nothing but a gradient with :math:`\lambda\theta` added.

    It is that of an L2 penalty in the loss, :math:`\tfrac{\lambda}{2} \lVert\theta\rVert^2`: a number, or an array, in
    :math:`[0, \infty)`.
    """
    return PenaltyField(default, 0.0, math.inf, positive=False, closed=False)


def Count(default: int) -> Any:
    """A hyperparameter that is a whole number of at least 1, such as how many steps lie between two events."""
    return CountField(default)


def Choice(default: int, among: tuple[int, ...]) -> Any:
    """A hyperparameter that is one of a few values, such as which axis of a weight is its outputs."""
    return ChoiceField(default, among)


class Field:
    """The descriptor behind a hyperparameter: it keeps the value in the optimizer, and checks it on every assignment.

    `sweeps` says whether the value may be an array, for one vectorized run over a grid.
    """

    sweeps = False
    name = ""

    def __init__(self, default: float) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else optimizer.__dict__.get(self.name, self.default)

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        # A dataclass takes what the class has under the name, this field, for the default.
        given = self.default if value is self else value
        optimizer.__dict__[self.name] = self.checked(given, type(optimizer).__name__)

    def checked(self, value: Any, owner: str) -> Any:
        """Return `value` as what the rule computes with, or raise an error that names the argument."""
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{owner}: {self.name} must be {self}, got {value!r}")
        if array.size == 0 or not self.allows(array):
            raise ValueError(f"{owner}: {self.name} must be {self}, got {value!r}")
        return self.converted(array)

    def allows(self, array: NDArray) -> bool:
        """Whether it may be all of these numbers."""
        return True

    def converted(self, array: NDArray) -> Any:
        return int(array)


class NumberField(Field):
    sweeps = True

    def __init__(self, default: float, low: float, below: float, positive: bool, closed: bool) -> None:
        super().__init__(default)
        self.low, self.below, self.positive, self.closed = low, below, positive, closed

    def allows(self, array: NDArray) -> bool:
        above = array > self.low if self.positive else array >= self.low
        return bool(np.all(above & (array <= self.below if self.closed else array < self.below)))

    def converted(self, array: NDArray) -> float | Array:
        return float(array) if array.ndim == 0 else array.astype(np.float64)

    def __str__(self) -> str:
        start, end = "(" if self.positive else "[", "]" if self.closed else ")"
        return f"a number (or an array of numbers) in {start}{self.low:g}, {self.below:g}{end}"


class PenaltyField(NumberField):
    """A number whose product with the parameter is added to the gradient before the rule gets it."""


class CountField(Field):
    def allows(self, array: NDArray) -> bool:
        return array.ndim == 0 and bool(1 <= array < math.inf and array == math.floor(array))

    def __str__(self) -> str:
        return "a whole number of at least 1"


class ChoiceField(Field):
    def __init__(self, default: int, among: tuple[int, ...]) -> None:
        super().__init__(default)
        self.among = among

    def allows(self, array: NDArray) -> bool:
        return array.ndim == 0 and array in self.among

    def __str__(self) -> str:
        return " or ".join(map(str, self.among))
