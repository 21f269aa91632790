"""How far two results are apart, said so that rounding on another machine does not change what is printed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.checks import whole
from optim_lib.extras import needed
from optim_lib.optimizers.base import Optimizer

Array = NDArray[np.floating]

# Differences below this are rounding: how much below depends on the machine.
ROUNDING = 1e-12


def largest_difference(ours: Any, theirs: Any) -> Agreement:
    """How far two results are apart: arrays, dictionaries of arrays, or torch tensors.

    The difference is relative to the largest magnitude in the array it is in, or absolute where that is below one.

    Examples
    --------
    >>> largest_difference(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-15]))
    largest difference: below 1e-12
    >>> largest_difference([1.0, 2.0], [1.0, 2.003])
    largest difference: about 1e-03
    """
    if isinstance(ours, Mapping) != isinstance(theirs, Mapping):
        raise TypeError(f"theirs must be what ours is, {type(ours).__name__}, got {type(theirs).__name__}")
    if isinstance(ours, Mapping):
        if not ours or ours.keys() != theirs.keys():
            raise ValueError(f"theirs must have the names of ours, {sorted(ours)}, got {sorted(theirs)}")
        return Agreement(_largest([largest_difference(ours[name], theirs[name]).largest for name in ours]))
    ours, theirs = _as_array(ours), _as_array(theirs)
    if ours.shape != theirs.shape:
        raise ValueError(f"theirs must have the shape of ours, {ours.shape}, got {theirs.shape}")
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    return Agreement(float(np.abs(ours - theirs).max(initial=0.0)) / scale)


@dataclass(frozen=True, repr=False)
class Agreement:
    """A largest difference, written so that rounding on another machine does not change what is printed.

    Attributes
    ----------
    largest : float
        The exact figure.
    what : str
        What was compared.
    """

    largest: float
    what: str = ""

    def __repr__(self) -> str:
        start = f"{self.what}: largest difference" if self.what else "largest difference:"
        if self.largest < ROUNDING:
            return f"{start} below {ROUNDING:.0e}"
        return f"{start} about {self.largest:.0e}" if math.isfinite(self.largest) else f"{start} not finite"


def compare_with_torch(
    optimizer: Any,
    torch_optimizer: Callable[..., Any],
    *,
    steps: int = 100,
    seed: int = 0,
    shapes: Sequence[tuple[int, ...]] = ((4, 3), (5,)),
    **options: Any,
) -> Agreement:
    """Take the same steps with an optimizer of the course and with torch's, and compare the parameters after each.

    The gradients are those of a quadratic at the optimizer's own parameters, plus noise that both see; all in float64.

    Parameters
    ----------
    optimizer : object with ``update(params, grads)``
        A copy is used, without the past it has if it can be reset.
    torch_optimizer : class, such as torch.optim.Adam
        Called with the parameters and the options.
    steps : int, default 100
    seed : int, default 0
    shapes : sequence of shapes
    **options
        For torch: ``lr=0.1, betas=(0.9, 0.999)``.

    Examples
    --------
    >>> import torch
    >>> from optim_lib.optimizers import Adam
    >>> compare_with_torch(Adam(learning_rate=0.1), torch.optim.Adam, lr=0.1)
    Adam and torch.optim.Adam, 100 steps: largest difference below 1e-12
    """
    with needed():
        import torch

    optimizer = copy.deepcopy(optimizer)
    if isinstance(optimizer, Optimizer):
        optimizer.reset()
    steps, rng = whole("steps", steps), np.random.default_rng(seed)
    params = {f"p{i}": rng.standard_normal(shape) for i, shape in enumerate(shapes)}
    curvatures = {name: np.exp(rng.standard_normal(p.shape)) for name, p in params.items()}
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    theirs = torch_optimizer(list(tensors.values()), **options)
    apart = []
    for _ in range(steps):
        noise = {name: 0.3 * rng.standard_normal(p.shape) for name, p in params.items()}
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(curvatures[name] * tensor.detach().numpy() + noise[name])
        theirs.step()
        params = optimizer.update(params, {name: curvatures[name] * p + noise[name] for name, p in params.items()})
        apart.append(largest_difference(params, {n: t.detach() for n, t in tensors.items()}).largest)
    name = f"{torch_optimizer.__module__.split('.')[0]}.optim.{torch_optimizer.__name__}"
    return Agreement(_largest(apart), f"{type(optimizer).__name__} and {name}, {steps} steps")


def _as_array(value: Any) -> Array:
    array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"ours and theirs must be numbers, got {array.dtype}")
    return array.astype(float)


def _largest(differences: Sequence[float]) -> float:
    return float(np.max(differences))  # NaN if one of them is: Python's max would pass over it
