"""A torch module with the methods of the course's own networks, trained in the memory the two share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.extras import needed
from optim_lib.optimizers.base import Params

Array = NDArray[np.floating]


class TorchModel:
    """A torch module with the methods of `MLP`; its parameters are the module's own memory, seen by NumPy.

    Parameters
    ----------
    module : torch.nn.Module
        On the CPU, in float32 or float64.
    loss : callable, optional
        ``loss(outputs, targets)``, a mean over the examples. By default cross-entropy if the targets are class
        numbers (of shape (n,), or (n, length) for sequences), and the mean squared error if they are not.

    Raises
    ------
    TypeError, ValueError
        If `module` is no module, has nothing to train, or is not on the CPU.
    """

    def __init__(self, module: Any, loss: Callable | None = None) -> None:
        torch = _torch()
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
        self.torch, self.module, self.loss_function = torch, module, loss
        self.trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
        if not self.trained:
            raise ValueError("module must have parameters to train, got none")
        elsewhere = [name for name, p in self.trained.items() if p.device.type != "cpu"]
        if elsewhere:
            raise ValueError(f"module must be on the CPU, but {elsewhere[0]} is not")
        self.dtype = next(iter(self.trained.values())).dtype
        self.random_state = torch.Generator().manual_seed(0).get_state()

    def __repr__(self) -> str:
        return f"TorchModel({type(self.module).__name__})"

    def initialize(self, seed: int = 0) -> Params:
        """The module's present parameters, as NumPy arrays over the same memory; `seed` is for its random layers."""
        self.random_state = self.torch.Generator().manual_seed(int(seed)).get_state()
        return {name: p.detach().numpy() for name, p in self.trained.items()}

    def loss_and_gradients(self, params: Params, x: ArrayLike, y: ArrayLike) -> tuple[float, Params]:
        """The loss at the module's parameters, and its gradients by autograd."""
        self.module.zero_grad(set_to_none=False)
        with self._own_random_numbers():
            loss = self._loss(x, y)
        loss.backward()
        return loss.item(), {name: self._gradient(p) for name, p in self.trained.items()}

    def loss(self, params: Params, x: ArrayLike, y: ArrayLike) -> float:
        with self._evaluating():
            return self._loss(x, y).item()

    def predict(self, params: Params, x: ArrayLike) -> NDArray:
        with self._evaluating():
            return self.module(self._inputs(x)).numpy().argmax(axis=-1)

    def accuracy(self, params: Params, x: ArrayLike, y: ArrayLike) -> float:
        """The share of examples whose class is predicted."""
        return float((self.predict(params, x) == y).mean())

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
    def _own_random_numbers(self) -> Iterator[None]:
        """Random layers draw from a sequence of this model's own, which nothing else moves or is moved by."""
        outside = self.torch.get_rng_state()
        self.torch.set_rng_state(self.random_state)
        try:
            yield
        finally:
            self.random_state = self.torch.get_rng_state()
            self.torch.set_rng_state(outside)

    def _loss(self, x: ArrayLike, y: ArrayLike) -> Any:
        outputs, targets = self.module(self._inputs(x)), self.torch.from_numpy(np.asarray(y))
        functional = self.torch.nn.functional
        if self.loss_function is not None:
            return self.loss_function(outputs, targets)
        if targets.is_floating_point():
            return functional.mse_loss(outputs, targets.to(self.dtype))
        # Of a sequence, each place is an example.
        return functional.cross_entropy(outputs.flatten(0, -2), targets.long().flatten())

    def _inputs(self, x: ArrayLike) -> Any:
        inputs = self.torch.from_numpy(np.ascontiguousarray(x))
        return inputs.to(self.dtype) if inputs.is_floating_point() else inputs

    def _gradient(self, parameter: Any) -> Array:
        if parameter.grad is None:
            return np.zeros(tuple(parameter.shape), parameter.detach().numpy().dtype)
        return parameter.grad.numpy()

    def _evaluating(self) -> Any:
        return _Evaluating(self.torch, self.module)


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
        return self._at(params, lambda loss, tensors: loss.item())

    def gradients(self, params: Params) -> Params:
        torch = self.model.torch

        def gradients(loss: Any, tensors: list[Any]) -> Params:
            return self._named(torch.autograd.grad(loss, tensors, allow_unused=True))

        return self._at(params, gradients)

    def hessian_vector(self, params: Params, direction: Params) -> Params:
        """The product of the Hessian and a direction, by differentiating the gradient along it (Pearlmutter 1994)."""
        torch = self.model.torch

        def product(loss: Any, tensors: list[Any]) -> Params:
            first = torch.autograd.grad(loss, tensors, create_graph=True, allow_unused=True)
            along = [torch.as_tensor(direction[n], dtype=p.dtype) for n, p in self.model.trained.items()]
            slope = sum((g * d).sum() for g, d in zip(first, along, strict=True) if g is not None)
            return self._named(torch.autograd.grad(slope, tensors, allow_unused=True))

        return self._at(params, product)

    def _at(self, params: Params, compute: Callable[[Any, list[Any]], Any]) -> Any:
        torch, module, trained = self.model.torch, self.model.module, self.model.trained
        training, own = module.training, {name: p.detach().clone() for name, p in trained.items()}
        # The fast attention has no second derivative; the plain one has.
        plain = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        try:
            with torch.no_grad():
                for name, p in trained.items():
                    p.copy_(torch.as_tensor(np.asarray(params[name])))
            module.eval()
            with plain:
                return compute(self.model._loss(self.x, self.y), list(trained.values()))
        finally:
            module.train(training)
            with torch.no_grad():
                for name, p in trained.items():
                    p.copy_(own[name])

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
        self._options["lr"] = rate
        for group in self._torch.param_groups:
            group["lr"] = rate

    def update(self, params: Params, grads: Mapping[str, Array]) -> Params:
        """Take one step: change every array of `params` in place and return `params`."""
        torch = _torch()
        if self._tensors is None:
            self._tensors = {name: torch.from_numpy(array).requires_grad_() for name, array in params.items()}
            self._torch = self._make(list(self._tensors.values()), **self._options)
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


class _Evaluating:
    """No gradients, and dropout and the like switched off, for the length of a with block."""

    def __init__(self, torch: Any, module: Any) -> None:
        self.no_grad, self.module, self.training = torch.no_grad(), module, module.training

    def __enter__(self) -> None:
        self.module.eval()
        self.no_grad.__enter__()

    def __exit__(self, *error: object) -> None:
        self.no_grad.__exit__(*error)
        self.module.train(self.training)
