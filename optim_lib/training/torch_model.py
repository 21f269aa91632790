"""A torch module with the methods of the course's own networks, trained in the memory the two share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.checks import between, named_arrays
from optim_lib.extras import needed
from optim_lib.optimizers.base import Params

Array = NDArray[np.floating]


class NoClasses(ValueError):
    """A module has no output for each class: where to cut the one that it has, only its loss knows."""


class TorchModel:
    """A torch module with the methods of `MLP`: each computes at the parameters that it is given.

    `initialize` gives the module's own memory, seen by NumPy: an optimizer that steps on it steps the module. Any other
    parameters (averages, a copy, zeros) are put in for the length of a call, and the module's own come back after it.
    An empty dictionary stands for the module as it is.

    Parameters
    ----------
    module : torch.nn.Module
        On the CPU, in float32 or float64.
    loss : callable, optional
        ``loss(outputs, targets)``, a mean over the examples. By default cross-entropy if the targets are class
        numbers (of shape (n,), or (n, length) for sequences, with a last axis of outputs for the classes), and the
        mean squared error if they are not.

    Raises
    ------
    TypeError, ValueError
        If `module` is no module, has nothing to train, or is not on the CPU or of another type.
    """

    def __init__(self, module: Any, loss: Callable | None = None) -> None:
        torch = _torch()
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
        if loss is not None and not callable(loss):
            raise TypeError(f"loss must be a function of outputs and targets, got {loss!r}")
        self.torch, self.module, self.loss_function = torch, module, loss
        self.trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
        if not self.trained:
            raise ValueError("module must have parameters to train, got none")
        for name, p in self.trained.items():
            if p.device.type != "cpu":
                raise ValueError(f"module must be on the CPU, but {name} is not")
            if p.dtype not in (torch.float32, torch.float64):
                raise ValueError(f"module must be in float32 or float64, but {name} is in {p.dtype}")
        self.dtype = next(iter(self.trained.values())).dtype
        self.random_state = torch.Generator().manual_seed(0).get_state()

    def __repr__(self) -> str:
        return f"TorchModel({type(self.module).__name__})"

    def initialize(self, seed: int = 0) -> Params:
        """The module's present parameters, as NumPy arrays over the same memory; `seed` is for its random layers."""
        self.random_state = self.torch.Generator().manual_seed(int(seed)).get_state()
        return {name: p.detach().numpy() for name, p in self.trained.items()}

    def outputs(self, params: Params, x: ArrayLike) -> Array:
        """What the module returns for `x`, as in evaluation (no dropout)."""
        with self._at(params), self._evaluating():
            return self._outputs(x).numpy().copy()

    def predict(self, params: Params, x: ArrayLike) -> NDArray:
        """The most likely class of each example (and of each place of a sequence).

        Raises
        ------
        ValueError
            If the module has no output for each class, but one for all: where to cut it, only its loss knows.
        """
        outputs = self.outputs(params, x)
        if outputs.ndim < 2 or outputs.shape[-1] < 2:
            raise NoClasses(f"module must have an output for each class, but its outputs have shape {outputs.shape}")
        return outputs.argmax(axis=-1)

    def accuracy(self, params: Params, x: ArrayLike, y: ArrayLike) -> float:
        """The share of examples whose class is predicted."""
        predicted, y = self.predict(params, x), np.asarray(y)
        if y.shape != predicted.shape:
            raise ValueError(f"y must be class numbers of shape {predicted.shape}, got shape {y.shape}")
        return float((predicted == y).mean())

    def loss(self, params: Params, x: ArrayLike, y: ArrayLike) -> float:
        """The mean loss over the examples, as in evaluation (no dropout)."""
        with self._at(params), self._evaluating():
            return self._loss(x, y).item()

    def loss_and_gradients(self, params: Params, x: ArrayLike, y: ArrayLike) -> tuple[float, Params]:
        """The loss and its gradients by autograd, with dropout and the like if the module is in training."""
        with self._at(params):
            self.module.zero_grad(set_to_none=True)  # new arrays each time: those handed out before stay as they are
            with self._own_random_numbers():
                loss = self._loss(x, y)
            loss.backward()
            return loss.item(), {name: self._gradient(p) for name, p in self.trained.items()}

    def hessian_vector(self, params: Params, x: ArrayLike, y: ArrayLike, direction: Params) -> Params:
        r"""The product :math:`H v` of the Hessian of the mean loss and a direction; see `TorchObjective`."""
        return self.on(x, y).hessian_vector(params, direction)

    def on(self, x: ArrayLike, y: ArrayLike) -> TorchObjective:
        r"""The loss on these examples as a function of the parameters alone, for `measure.sharpness` and others."""
        return TorchObjective(self, np.asarray(x), np.asarray(y))

    def hidden_state(self) -> dict[str, Any]:
        """What a module has besides parameters: buffers (running means), and where its random layers are."""
        buffers = {name: buffer.numpy().copy() for name, buffer in self.module.named_buffers()}
        return {"buffers": buffers, "random_state": self.random_state.numpy().copy()}

    def restore_hidden_state(self, saved: Mapping[str, Any]) -> None:
        for name, buffer in self.module.named_buffers():
            buffer.numpy()[...] = saved["buffers"][name]
        self.random_state = self.torch.from_numpy(saved["random_state"].copy())

    @contextmanager
    def _at(self, params: Params) -> Iterator[None]:
        """The module at these parameters; afterwards all that it has is as it was, unless they are its own memory."""
        own = {name: p.detach().numpy() for name, p in self.trained.items()}
        params = own if isinstance(params, dict) and not params else params
        named_arrays("params", params, own, "the module")
        if all(_is_same_memory(params[name], array) for name, array in own.items()):
            yield
            return
        kept, hidden = {name: array.copy() for name, array in own.items()}, self.hidden_state()
        given = {name: np.array(params[name]) for name in own}  # some may be the module's own memory
        try:
            for name, array in own.items():
                array[...] = given[name]
            yield
        finally:
            for name, array in own.items():
                array[...] = kept[name]
            self.restore_hidden_state(hidden)

    @contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        """Random layers draw from a sequence of this model's own, which nothing else moves or is moved by."""
        outside = self.torch.get_rng_state()
        self.torch.set_rng_state(self.random_state)
        try:
            yield
        finally:
            self.random_state = self.torch.get_rng_state()
            self.torch.set_rng_state(outside)

    @contextmanager
    def _evaluating(self, gradients: bool = False) -> Iterator[None]:
        """Dropout and the like are off, and each layer is as it was afterwards: some may be frozen."""
        training = [layer for layer in self.module.modules() if layer.training]
        self.module.eval()
        try:
            with self.torch.set_grad_enabled(gradients):
                yield
        finally:
            for layer in training:
                layer.training = True

    def _outputs(self, x: ArrayLike) -> Any:
        inputs = self.torch.from_numpy(np.ascontiguousarray(x))
        outputs = self.module(inputs.to(self.dtype) if inputs.is_floating_point() else inputs)
        if not isinstance(outputs, self.torch.Tensor):
            raise TypeError(f"module must return a tensor, got {type(outputs).__name__}")
        return outputs

    def _loss(self, x: ArrayLike, y: ArrayLike) -> Any:
        outputs, targets = self._outputs(x), self.torch.from_numpy(np.ascontiguousarray(y))
        if self.loss_function is not None:
            loss = self.loss_function(outputs, targets)
            if not isinstance(loss, self.torch.Tensor) or loss.numel() != 1:
                raise ValueError(f"loss must give one number, the mean over the examples, got {loss!r}")
            return loss
        functional = self.torch.nn.functional
        if targets.is_floating_point():
            _require_shape(targets, outputs.shape, "as the outputs have")
            return functional.mse_loss(outputs, targets.to(outputs.dtype))
        # Of a sequence, each place is an example.
        _require_shape(targets, outputs.shape[:-1], "a class number for each of the outputs")
        return functional.cross_entropy(outputs.flatten(0, -2), targets.long().flatten())

    def _gradient(self, parameter: Any) -> Array:
        if parameter.grad is None:
            return np.zeros(tuple(parameter.shape), parameter.detach().numpy().dtype)
        return parameter.grad.numpy()


@dataclass(frozen=True, repr=False)
class TorchObjective:
    r"""The loss of a torch module on fixed examples, as a function :math:`L(\theta)` of its parameters.

    The module is as in evaluation (no dropout), and has its own parameters back afterwards.
    """

    model: TorchModel
    x: NDArray
    y: NDArray

    def __repr__(self) -> str:
        return f"{self.model!r}.on(x: {self.x.shape}, y: {self.y.shape})"

    def loss(self, params: Params) -> float:
        return self.model.loss(params, self.x, self.y)

    def gradients(self, params: Params) -> Params:
        return self._compute(params, self.x, self.y, self._gradients)

    def gradients_of_batches(self, params: Params, batches: NDArray[np.integer]) -> Params:
        """The gradient on each of several mini-batches, given by the numbers of their examples: one row for each."""
        each = [self._compute(params, self.x[batch], self.y[batch], self._gradients) for batch in batches]
        return {name: np.stack([gradients[name] for gradients in each]) for name in params}

    def hessian_vector(self, params: Params, direction: Params) -> Params:
        """The product of the Hessian and a direction, by differentiating the gradient along it (Pearlmutter 1994)."""
        torch = self.model.torch
        named_arrays("direction", direction, self.model.trained, "the module")

        def product(loss: Any, tensors: list[Any]) -> Params:
            first = torch.autograd.grad(loss, tensors, create_graph=True, allow_unused=True)
            along = [torch.as_tensor(direction[n], dtype=p.dtype) for n, p in self.model.trained.items()]
            slope = sum((g * d).sum() for g, d in zip(first, along, strict=True) if g is not None)
            if not slope.requires_grad:  # a loss that is linear in the parameters
                return self._named([None] * len(tensors))
            return self._named(torch.autograd.grad(slope, tensors, allow_unused=True))

        return self._compute(params, self.x, self.y, product)

    def _gradients(self, loss: Any, tensors: list[Any]) -> Params:
        return self._named(self.model.torch.autograd.grad(loss, tensors, allow_unused=True))

    def _compute(self, params: Params, x: NDArray, y: NDArray, compute: Callable[[Any, list[Any]], Params]) -> Params:
        attention = self.model.torch.nn.attention
        # The fast attention has no second derivative; the plain one has.
        plain = attention.sdpa_kernel(attention.SDPBackend.MATH)
        with self.model._at(params), self.model._evaluating(gradients=True), plain:
            return compute(self.model._loss(x, y), list(self.model.trained.values()))

    def _named(self, tensors: Sequence[Any]) -> Params:
        pairs = zip(self.model.trained.items(), tensors, strict=True)
        return {n: np.zeros(tuple(p.shape)) if t is None else t.detach().numpy() for (n, p), t in pairs}


class TorchOptimizer:
    """An optimizer of torch behind the interface of the course: it steps on NumPy parameters, in their own memory.

    Parameters
    ----------
    optimizer : class, such as torch.optim.Adam
    learning_rate : float, optional
        What torch calls ``lr``; its default if not given.
    **options
        The rest, as torch names it.

    Examples
    --------
    >>> import torch
    >>> optimizer = TorchOptimizer(torch.optim.SGD, learning_rate=0.5)
    >>> optimizer.update({"w": np.array([1.0, 2.0])}, {"w": np.array([2.0, 0.0])})
    {'w': array([0., 2.])}
    """

    def __init__(self, optimizer: Callable[..., Any], learning_rate: float | None = None, **options: Any) -> None:
        if learning_rate is not None:
            options["lr"] = learning_rate
        self._make, self._options, self._tensors = optimizer, options, None
        # Refuse a bad option now and not at the first step.
        self._torch = optimizer([_torch().zeros(1, requires_grad=True)], **options)

    def __repr__(self) -> str:
        return f"TorchOptimizer({self._make.__name__}, {self._options})"

    @property
    def learning_rate(self) -> float:
        return float(self._torch.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self._options["lr"] = between("learning_rate", rate, low=0.0, what="a number of at least 0")
        for group in self._torch.param_groups:
            group["lr"] = rate

    def update(self, params: Params, grads: Mapping[str, Array]) -> Params:
        """Take one step: change every array of `params` in place and return `params`."""
        torch = _torch()
        if self._tensors is None:
            for name, array in params.items():
                if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or not array.flags.writeable:
                    raise TypeError(f"params[{name!r}] must be a floating-point array that can be written to")
            self._tensors = {name: torch.from_numpy(array).requires_grad_() for name, array in params.items()}
            self._torch = self._make(list(self._tensors.values()), **self._options)
        named_arrays("params", params, self._tensors, "the first step")
        named_arrays("grads", grads, self._tensors, "the first step")
        for name, tensor in self._tensors.items():
            if tensor.data_ptr() != params[name].ctypes.data:
                raise ValueError(
                    f"params[{name!r}] must be the array of the first step; make an optimizer for each run"
                )
            tensor.grad = torch.from_numpy(np.ascontiguousarray(grads[name], dtype=params[name].dtype))
        self._torch.step()
        return params

    def arrays(self) -> list[NDArray]:
        """What the optimizer remembers."""
        kept = [value for state in self._torch.state.values() for value in state.values()]
        return [value.detach().numpy() for value in kept if isinstance(value, _torch().Tensor)]


class FromTorch:
    """A class of torch.optim as a class of the course, for `Search`, `tune` and `compare`.

    Examples
    --------
    >>> import torch
    >>> FromTorch(torch.optim.Adam)(learning_rate=0.01, betas=(0.9, 0.99)).learning_rate
    0.01
    """

    def __init__(self, optimizer: Callable[..., Any]) -> None:
        self.optimizer = optimizer
        self.__name__ = f"torch.optim.{optimizer.__name__}"
        theirs = list(inspect.signature(optimizer).parameters.values())[1:]
        self.__signature__ = inspect.Signature(
            [p.replace(name="learning_rate") if p.name == "lr" else p for p in theirs]
        )

    def __repr__(self) -> str:
        return self.__name__

    def __call__(self, **options: Any) -> TorchOptimizer:
        return TorchOptimizer(self.optimizer, **options)


def _torch() -> Any:
    with needed():
        import torch

    return torch


def _is_same_memory(one: Any, other: NDArray) -> bool:
    return one is other or (
        isinstance(one, np.ndarray)
        and one.dtype == other.dtype
        and one.strides == other.strides
        and one.__array_interface__["data"][0] == other.__array_interface__["data"][0]
    )


def _require_shape(targets: Any, shape: Any, what: str) -> None:
    if targets.shape != shape:
        raise ValueError(f"y must have shape {tuple(shape)}, {what}, got {tuple(targets.shape)}")
