"""A torch module with the methods of the course's own networks, trained in the memory the two share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        numbers, and the mean squared error if they are not.

    Raises
    ------
    TypeError, ValueError
        If `module` is no module, has nothing to train, or is not on the CPU.
    """

    def __init__(self, module: Any, loss: Callable | None = None) -> None:
        import torch

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

    def __repr__(self) -> str:
        return f"TorchModel({type(self.module).__name__})"

    def initialize(self, seed: int = 0) -> Params:
        """The module's present parameters, as NumPy arrays over the same memory; `seed` changes nothing."""
        return {name: p.detach().numpy() for name, p in self.trained.items()}

    def loss_and_gradients(self, params: Params, x: ArrayLike, y: ArrayLike) -> tuple[float, Params]:
        """The loss at the module's parameters, and its gradients by autograd."""
        self.module.zero_grad(set_to_none=False)
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

    def _loss(self, x: ArrayLike, y: ArrayLike) -> Any:
        outputs, targets = self.module(self._inputs(x)), self.torch.from_numpy(np.asarray(y))
        functional = self.torch.nn.functional
        if self.loss_function is not None:
            return self.loss_function(outputs, targets)
        if targets.is_floating_point():
            return functional.mse_loss(outputs, targets.to(self.dtype))
        return functional.cross_entropy(outputs, targets.long())

    def _inputs(self, x: ArrayLike) -> Any:
        inputs = self.torch.from_numpy(np.ascontiguousarray(x))
        return inputs.to(self.dtype) if inputs.is_floating_point() else inputs

    def _gradient(self, parameter: Any) -> Array:
        if parameter.grad is None:
            return np.zeros(tuple(parameter.shape), parameter.detach().numpy().dtype)
        return parameter.grad.numpy()

    def _evaluating(self) -> Any:
        return _Evaluating(self.torch, self.module)


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
