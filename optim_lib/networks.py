r"""A small neural network in NumPy, with its backpropagation written out.

>>> network = MLP((64, 32, 10))
>>> params = network.initialize(seed=0)
>>> {name: array.shape for name, array in params.items()}
{'W1': (64, 32), 'b1': (1, 32), 'W2': (32, 10), 'b2': (1, 10)}

Every array may carry leading axes, and then many networks are computed at once: parameters of shape
``(5, 64, 32)`` are five networks, inputs of shape ``(5, 16, 64)`` give each its own mini-batch of 16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array = NDArray[np.floating]
Params = dict[str, Array]


@dataclass(frozen=True)
class Activation:
    """A function :math:`a = \\phi(z)`, its slope in terms of `a`, and how fast the slope changes as `a` changes."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    bend: Callable[[Array], Array | float]


ACTIVATIONS = {
    "tanh": Activation(np.tanh, slope=lambda a: 1 - a * a, bend=lambda a: -2 * a),
    "relu": Activation(lambda z: z * (z.real > 0), slope=lambda a: a.real > 0, bend=lambda a: 0.0),
}
LOSSES = ("cross-entropy", "squared error")


@dataclass(frozen=True)
class MLP:
    r"""A multilayer perceptron: layers :math:`a_l = \phi(a_{l-1} W_l + b_l)`, the last one without :math:`\phi`.

    Parameters
    ----------
    sizes : tuple of int
        The width of every layer, inputs first. ``(64, 10)`` is softmax regression; ``(10, 1)`` with squared error is
        linear regression.
    activation : {"tanh", "relu"}
    loss : {"cross-entropy", "squared error"}
        Cross-entropy of the softmax against class numbers `y` of shape (n,), or the mean of
        :math:`(y_i - f(x_i))^2` over examples and outputs, against targets `y` of shape (n, outputs).
    dtype : floating-point dtype, default float64

    Notes
    -----
    Parameters are a dictionary: ``W1`` of shape (inputs, width), ``b1`` of shape (1, width), and so on. A bias is a
    row, so that all arrays have two axes of their own and one array of hyperparameters, of shape (settings, 1, 1),
    fits them all.

    Raises
    ------
    ValueError
        If an argument is not one of those above.
    """

    sizes: tuple[int, ...]
    activation: str = "tanh"
    loss_name: str = "cross-entropy"
    dtype: DTypeLike = np.float64

    def __init__(
        self,
        sizes: tuple[int, ...] = (64, 32, 10),
        activation: str = "tanh",
        loss: str = "cross-entropy",
        dtype: DTypeLike = np.float64,
    ) -> None:
        sizes = tuple(sizes)
        if len(sizes) < 2 or not all(isinstance(n, int | np.integer) and n >= 1 for n in sizes):
            raise ValueError(f"sizes must be at least two whole numbers of at least 1, got {sizes!r}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}")
        if loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}")
        if np.dtype(dtype).kind not in "fc":
            raise ValueError(f"dtype must be a floating-point type, such as float32, got {dtype!r}")
        values = {"sizes": sizes, "activation": activation, "loss_name": loss, "dtype": np.dtype(dtype)}
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return f"MLP({self.sizes}, activation={self.activation!r}, loss={self.loss_name!r})"

    @property
    def layers(self) -> int:
        return len(self.sizes) - 1

    def initialize(self, seed: int | np.random.Generator = 0) -> Params:
        r"""Random weights :math:`W \sim \mathcal N(0, g / \text{inputs})`, and biases of zero.

        For ReLU :math:`g = 2` (He et al. 2015, "Delving deep into rectifiers"): half of each sum is cut off. For tanh,
        and for the last layer, :math:`g = 1` (LeCun et al. 1998, "Efficient backprop").
        """
        rng = np.random.default_rng(seed)
        params = {}
        for layer, (inputs, outputs) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=1):
            gain = 2.0 if self.activation == "relu" and layer < self.layers else 1.0
            weights = np.sqrt(gain / inputs) * rng.standard_normal((inputs, outputs))
            params[f"W{layer}"] = weights.astype(self.dtype)
            params[f"b{layer}"] = np.zeros((1, outputs), self.dtype)
        return params

    def outputs(self, params: Params, x: ArrayLike) -> Array:
        """What the last layer says, of shape (..., n, outputs); for classes, before the softmax."""
        return self._activations(params, x)[-1]

    def predict(self, params: Params, x: ArrayLike) -> NDArray:
        """The most likely class of each example, of shape (..., n); or the outputs, of shape (..., n, outputs)."""
        outputs = self.outputs(params, x)
        return outputs.argmax(axis=-1) if self._tells_classes else outputs

    def accuracy(self, params: Params, x: ArrayLike, y: ArrayLike) -> Array:
        """The share of examples whose class is predicted, one number for each network."""
        if not self._tells_classes:
            raise ValueError("accuracy must be asked of a network with cross-entropy loss: targets are not classes")
        outputs = self.outputs(params, x)
        return (outputs.argmax(axis=-1) == self._targets(y, outputs.shape)).mean(axis=-1)

    def loss(self, params: Params, x: ArrayLike, y: ArrayLike) -> Array:
        """The mean loss over the examples, one number for each network."""
        outputs = self.outputs(params, x)
        return self._loss_and_slope(outputs, self._targets(y, outputs.shape), slope=False)[0]

    def loss_and_gradients(
        self, params: Params, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None
    ) -> tuple[Array, Params]:
        """The mean loss over the examples, and its gradient for each parameter: backpropagation.

        Leading axes of the parameters and of `x` and `y` broadcast: parameters without, and inputs of shape
        (50, 16, 64), give the gradients of 50 mini-batches of 16. With `weights`, of shape (..., n), the loss of each
        example counts that many times (the mean is still over n): the advantages of a policy gradient, for one.
        """
        activations = self._activations(params, x)
        slope_of = ACTIVATIONS[self.activation].slope
        targets = self._targets(y, activations[-1].shape)
        weights = 1.0 if weights is None else self._weights(weights, activations[-1].shape)
        loss, delta = self._loss_and_slope(activations[-1], targets, weights=weights)  # dL/d outputs
        gradients = {}
        for layer in range(self.layers, 0, -1):
            below = activations[layer - 1]
            gradients[f"W{layer}"] = _transpose(below) @ delta  # dL/dW = a^T delta
            gradients[f"b{layer}"] = delta.sum(axis=-2, keepdims=True)  # dL/db = sum of delta
            if layer > 1:
                delta = (delta @ _transpose(params[f"W{layer}"])) * slope_of(below)
        return loss, {name: gradients[name] for name in params}

    def hessian_vector(self, params: Params, x: ArrayLike, y: ArrayLike, direction: Params) -> Params:
        r"""The product :math:`H v` of the Hessian of the mean loss and a direction, exact but for rounding.

        Forward and backward pass, differentiated along the direction line by line: a dot marks how fast a quantity
        changes as the parameters move along `direction`. Directions with a leading axis give as many products.

        References
        ----------
        Pearlmutter (1994), "Fast exact multiplication by the Hessian".
        """
        activation = ACTIVATIONS[self.activation]
        a = self._activations(params, x)
        self._check_names_and_shapes("direction", direction)
        a_dot: list[Array | None] = [None]  # the inputs do not move
        for layer in range(1, self.layers + 1):
            z_dot = a[layer - 1] @ direction[f"W{layer}"] + direction[f"b{layer}"]
            if layer > 1:
                z_dot += a_dot[layer - 1] @ params[f"W{layer}"]
            a_dot.append(z_dot * activation.slope(a[layer]) if layer < self.layers else z_dot)
        delta = self._loss_and_slope(a[-1], self._targets(y, a[-1].shape))[1]
        delta_dot = self._slope_change(a[-1], a_dot[-1])
        products = {}
        for layer in range(self.layers, 0, -1):
            weights, below, below_dot = params[f"W{layer}"], a[layer - 1], a_dot[layer - 1]
            products[f"W{layer}"] = _transpose(below) @ delta_dot
            products[f"b{layer}"] = delta_dot.sum(axis=-2, keepdims=True)
            if layer > 1:
                products[f"W{layer}"] += _transpose(below_dot) @ delta
                back, slope = delta @ _transpose(weights), activation.slope(below)
                back_dot = delta_dot @ _transpose(weights) + delta @ _transpose(direction[f"W{layer}"])
                delta_dot = back_dot * slope + back * activation.bend(below) * below_dot
                delta = back * slope
        return {name: products[name] for name in params}

    def on(self, x: ArrayLike, y: ArrayLike) -> Objective:
        r"""The loss on these examples as a function of the parameters alone: :math:`L(\theta)`."""
        x, y = self._inputs(x), np.asarray(y)
        return Objective(self, x, self._targets(y, (*x.shape[:-1], self.sizes[-1])))

    @property
    def _tells_classes(self) -> bool:
        return self.loss_name == "cross-entropy"

    def _check_names_and_shapes(self, argument: str, params: Params) -> None:
        """Refuse what NumPy would broadcast into another network's numbers, or into an error about matmul."""
        for layer, shape in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=1):
            for name, expected in ((f"W{layer}", shape), (f"b{layer}", (1, shape[1]))):
                if name not in params:
                    raise KeyError(f"{argument} must have {name}, and has {', '.join(params)}")
                if np.shape(params[name])[-2:] != expected:
                    raise ValueError(f"{argument}[{name!r}] must be {expected}, got {np.shape(params[name])}")
        if len(params) > 2 * self.layers:
            raise ValueError(f"{argument} must be those of {self.layers} layers, got {', '.join(params)}")

    def _inputs(self, x: ArrayLike) -> Array:
        x = np.asarray(x)
        if x.dtype.kind not in "fiubc" or x.ndim < 2 or x.shape[-1] != self.sizes[0]:
            raise ValueError(f"x must be numbers of shape (n, {self.sizes[0]}), got {x.dtype} of shape {np.shape(x)}")
        return x if x.dtype == self.dtype else x.astype(self.dtype)

    def _targets(self, y: ArrayLike, outputs: tuple[int, ...]) -> NDArray:
        """`y` as an array, if it fits outputs of this shape: NumPy would broadcast what does not, and go on."""
        y, (n, width) = np.asarray(y), outputs[-2:]
        if not self._tells_classes:
            if y.dtype.kind not in "fiubc" or y.shape[-2:] != (n, width):
                raise ValueError(f"y must be numbers of shape ({n}, {width}), got {y.dtype} of shape {y.shape}")
        elif y.dtype.kind not in "iub" or y.shape[-1:] != (n,) or (y.size and not 0 <= y.min() <= y.max() < width):
            found = f" from {y.min()} to {y.max()}" if y.dtype.kind in "iuf" and y.size else ""
            wanted = f"class numbers from 0 to {width - 1}, of shape ({n},)"
            raise ValueError(f"y must be {wanted}, got {y.dtype}{found} of shape {y.shape}")
        return y

    def _weights(self, weights: ArrayLike, outputs: tuple[int, ...]) -> Array:
        weights = np.asarray(weights, self.dtype)
        if weights.shape[-1:] != (outputs[-2],):
            raise ValueError(f"weights must be one number for each example, ({outputs[-2]},), got {weights.shape}")
        return weights[..., None]

    def _activations(self, params: Params, x: ArrayLike) -> list[Array]:
        function = ACTIVATIONS[self.activation].value
        self._check_names_and_shapes("params", params)
        activations = [self._inputs(x)]
        for layer in range(1, self.layers + 1):
            z = activations[-1] @ params[f"W{layer}"]
            z += params[f"b{layer}"]
            activations.append(function(z) if layer < self.layers else z)
        return activations

    def _loss_and_slope(
        self, outputs: Array, y: NDArray, slope: bool = True, weights: Array | float = 1.0
    ) -> tuple[Array, Array | None]:
        """The mean loss, of shape (...), and its gradient for the outputs, of shape (..., n, outputs)."""
        n = outputs.shape[-2]
        if self.loss_name == "squared error":
            error = outputs - y
            size = n * error.shape[-1]
            loss = (weights * (error * error)).sum(axis=(-2, -1)) / size
            return loss, weights * (error * (2 / size)) if slope else None
        shifted = outputs - outputs.real.max(axis=-1, keepdims=True)
        log_sums = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        log_likelihoods = shifted - log_sums
        right = y[..., None] == np.arange(outputs.shape[-1])
        loss = -(weights * np.where(right, log_likelihoods, 0)).sum(axis=(-2, -1)) / n
        return loss, weights * ((np.exp(log_likelihoods) - right) / n) if slope else None

    def _slope_change(self, outputs: Array, outputs_dot: Array) -> Array:
        """How fast the loss's gradient for the outputs changes as the outputs do."""
        n = outputs.shape[-2]
        if self.loss_name == "squared error":
            return outputs_dot * (2 / (n * outputs.shape[-1]))
        weights = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        p = weights / weights.sum(axis=-1, keepdims=True)
        return p * (outputs_dot - (p * outputs_dot).sum(axis=-1, keepdims=True)) / n


@dataclass(frozen=True, repr=False)
class Objective:
    r"""The loss of a network on fixed examples, as a function :math:`L(\theta)` of its parameters."""

    network: MLP
    x: Array
    y: NDArray

    def __repr__(self) -> str:
        return f"{self.network!r}.on(x: {self.x.shape}, y: {self.y.shape})"

    def loss(self, params: Params) -> Array:
        return self.network.loss(params, self.x, self.y)

    def gradients(self, params: Params) -> Params:
        return self.network.loss_and_gradients(params, self.x, self.y)[1]

    def gradients_of_batches(self, params: Params, batches: NDArray[np.integer]) -> Params:
        """The gradient on each of several mini-batches, given by the numbers of their examples: one row for each."""
        return self.network.loss_and_gradients(params, self.x[batches], self.y[batches])[1]

    def hessian_vector(self, params: Params, direction: Params) -> Params:
        """The product of the Hessian and a direction; see `MLP.hessian_vector`."""
        return self.network.hessian_vector(params, self.x, self.y, direction)


def _transpose(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


__all__ = ["MLP", "Objective"]
