"""Rules that see a weight matrix as a matrix, not as a list of numbers: Muon, NorMuon, Shampoo and SOAP.

Axes of length one do not count: a bias stored as one row is a vector, and so is a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from optim_lib.optimizers.adam import update_moments
from optim_lib.optimizers.base import Array, Choice, Count, Hyperparameter, Optimizer, ParameterState

# The polynomial of Newton-Schulz as Jordan tuned it: steep at zero, and never far from 1 once it is there.
QUINTIC = (3.4445, -4.7750, 2.0315)


class MatrixOptimizer(Optimizer):
    """What the rules of this module share: how a parameter is seen as a tensor of true axes, and turned along them."""

    def true_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A parameter's own shape (without the axes of a sweep) without its axes of length one; a number is (1,)."""
        return tuple(n for n in shape[self.sweep_axes :] if n != 1) or (1,)

    def as_tensor(self, x: Array) -> Array:
        """The parameter with its true shape, behind the axes of a sweep."""
        return x.reshape(x.shape[: self.sweep_axes] + self.true_shape(x.shape))

    def products(self, x: Array) -> list[Array]:
        r"""For each true axis the products of its slices: of a matrix :math:`x x^\top` and :math:`x^\top x`."""
        unfolded = [self._axis_first(self.as_tensor(x), axis) for axis in range(len(self.true_shape(x.shape)))]
        return [rows @ rows.mT for rows in unfolded]

    def turned(self, x: Array, matrices: Iterable[Array]) -> Array:
        r"""The parameter, multiplied along each true axis by a matrix: of a matrix :math:`A x B^\top`."""
        tensor = self.as_tensor(x)
        for axis, matrix in enumerate(matrices):
            moved = np.moveaxis(tensor, self.sweep_axes + axis, self.sweep_axes)
            product = (matrix @ self._axis_first(tensor, axis)).reshape(moved.shape)
            tensor = np.moveaxis(product, self.sweep_axes, self.sweep_axes + axis)
        return tensor.reshape(x.shape)

    def for_matrices(self, value: float | Array, x: Array) -> float | Array:
        """A hyperparameter that multiplies the parameter x, as one that multiplies its square matrices."""
        if not isinstance(value, np.ndarray):
            return value
        shape = (1,) * (x.ndim - value.ndim) + value.shape
        return value.reshape(*shape[: self.sweep_axes], 1, 1)

    def _axis_first(self, tensor: Array, axis: int) -> Array:
        moved = np.moveaxis(tensor, self.sweep_axes + axis, self.sweep_axes)
        return moved.reshape(*moved.shape[: self.sweep_axes + 1], -1)


class MuonFamily(MatrixOptimizer):
    """What Muon and the rules after it share: momentum, orthogonalized, for a matrix; Adam's step for a vector."""

    learning_rate: float | Array
    momentum: float | Array
    adam_ratio: float | Array
    beta1: float | Array
    beta2: float | Array
    epsilon: float | Array
    output_axis: int

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        own = shape[self.sweep_axes :]
        outputs = own[self.output_axis] if own else 1
        is_matrix = outputs != 1 != math.prod(own) // max(outputs, 1)
        return {"momentum_buffer": shape} if is_matrix else {"m": shape, "v": shape}

    def orthogonalized_momentum(self, grad: Array, state: ParameterState) -> Array:
        """Nesterov's mixture of momentum and gradient, orthogonalized as the matrix of outputs against all inputs."""
        state.momentum_buffer *= self.momentum
        state.momentum_buffer += (1 - self.momentum) * grad
        mixture = (1 - self.momentum) * grad + self.momentum * state.momentum_buffer
        outputs_first = np.moveaxis(mixture, self._output_axis(), self.sweep_axes)
        matrix = outputs_first.reshape(*outputs_first.shape[: self.sweep_axes + 1], -1)
        o = orthogonalize(matrix).reshape(outputs_first.shape)
        return np.moveaxis(o, self.sweep_axes, self._output_axis())

    def shape_scale(self, theta: Array) -> float:
        """The root of outputs over inputs where there are more outputs, or 1."""
        outputs = theta.shape[self._output_axis()]
        inputs = math.prod(theta.shape[self.sweep_axes :]) / outputs
        return max(1, outputs / inputs) ** 0.5

    def step_of_adam(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v / (1 - self.beta2**state.t)
        theta -= self.learning_rate * self.adam_ratio * m_hat / (np.sqrt(v_hat) + self.epsilon)

    def _output_axis(self) -> int:
        """The axis of the outputs, counted behind those of a sweep."""
        return -1 if self.output_axis else self.sweep_axes


class Muon(MuonFamily):
    r"""Muon: momentum, orthogonalized: every direction of a matrix is stepped along equally far.

    The momentum of a weight matrix is often nearly of low rank: a few directions take the whole step. Muon keeps its
    singular vectors and replaces all its singular values by about 1. A few steps of Newton-Schulz, which need nothing
    but products of matrices, do that without a singular value decomposition.

    .. math::
        b_t &= \beta \, b_{t-1} + (1 - \beta) \, g_t \\
        o_t &= \operatorname{orthogonalize}\bigl((1 - \beta) \, g_t + \beta \, b_t\bigr) \approx U V^\top
            \quad\text{where}\quad (\ldots) = U \Sigma V^\top \\
        \theta_{t+1} &= (1 - \eta\lambda) \, \theta_t - \eta \sqrt{\max(1, \text{outputs} / \text{inputs})} \; o_t

    Vectors (biases, gains, single numbers) have no singular vectors: they take the step of `AdamW`.

    Parameters
    ----------
    learning_rate : float or array, default 0.02
        :math:`\eta \in [0, \infty)`; also, about, the spectral norm of a step.
    momentum : float or array, default 0.95
        :math:`\beta \in [0, 1)`, of Nesterov's kind.
    weight_decay : float or array, default 0.0
        :math:`\lambda \in [0, \infty)`, decoupled as in `AdamW`, for matrices and vectors.
    adam_ratio : float or array, default 0.015
        In :math:`[0, \infty)`: the rate of AdamW, for vectors, is this times :math:`\eta`. The default gives the
        authors' pair of 0.02 and 0.0003, and a schedule moves both.
    beta1, beta2, epsilon : float or array, default 0.9, 0.95 and 1e-10
        For vectors, as in `AdamW`.
    output_axis : 0 or -1, default 0
        Which axis of a weight is its outputs: 0 where they are the rows, as torch stores a layer; -1 where they are the
        last axis, as in the networks of this course, whose weights are of shape (inputs, outputs).

    Notes
    -----
    State: for a matrix ``momentum_buffer``, shaped like it; for a vector ``m`` and ``v``. A parameter of more than two
    axes is the matrix of its output axis against all others, as in the authors' code.

    Orthogonalizing does not ask which way a matrix lies, but the scale does: the same layer, stored the other way round
    and with the other `output_axis`, takes the same step.

    Agrees with torch.optim.Muon, once that computes in double precision: it orthogonalizes in bfloat16. optax differs
    in the weights of Nesterov's mixture (it corrects the bias of the momentum, but not by the same factor).

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks".

    Examples
    --------
    >>> import numpy as np
    >>> Muon(learning_rate=0.1).update({"w": np.zeros((2, 2))}, {"w": np.array([[3.0, 0.0], [0.0, 1.0]])})["w"].round(2)
    array([[-0.08,  0.  ],
           [ 0.  , -0.11]])
    """

    learning_rate: float | Array = Hyperparameter(default=0.02)
    momentum: float | Array = Hyperparameter(default=0.95, below=1.0)
    weight_decay: float | Array = Hyperparameter(default=0.0)
    adam_ratio: float | Array = Hyperparameter(default=0.015)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.95, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-10)
    output_axis: int = Choice(default=0, among=(0, -1))
    slots = ("momentum_buffer", "m", "v")

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        theta *= 1 - self.learning_rate * self.weight_decay
        if hasattr(state, "momentum_buffer"):
            o = self.orthogonalized_momentum(grad, state)
            theta -= self.learning_rate * self.shape_scale(theta) * o
        else:
            self.step_of_adam(theta, grad, state)


class NorMuon(MuonFamily):
    r"""NorMuon: Muon, with a rate of its own for each neuron.

    Orthogonalizing makes all *directions* of a matrix equally long, not its rows: some neurons still take steps several
    times as long as others. NorMuon divides each row by the root of the average of its mean squares, as Adam does with
    single weights, and keeps the length of the whole.

    .. math::
        o_t &= \operatorname{orthogonalize}\bigl((1 - \beta) \, g_t + \beta \, b_t\bigr)
            \quad\text{as in `Muon`} \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) \, \operatorname{mean}_{\text{inputs}}(o_t^2), \qquad
            o'_t = \frac{o_t}{\sqrt{v_t} + \epsilon} \\
        \theta_{t+1} &= (1 - \eta\lambda) \, \theta_t - \eta \sqrt{\max(1, \text{outputs} / \text{inputs})} \;
            \frac{\lVert o_t \rVert}{\lVert o'_t \rVert} \, o'_t

    Vectors take the step of `AdamW`, as in `Muon`.

    Parameters
    ----------
    learning_rate, momentum, weight_decay, adam_ratio : float or array, default 0.02, 0.95, 0.0 and 0.015
        As in `Muon`.
    beta1, beta2, epsilon : float or array, default 0.9, 0.95 and 1e-10
        For vectors, as in `AdamW`; :math:`\beta_2` and :math:`\epsilon` are also those of the rows.
    output_axis : 0 or -1, default 0
        As in `Muon`: along it lie the neurons.

    Notes
    -----
    State: for a matrix ``momentum_buffer``, shaped like it, and ``v``, a number for each output; for a vector ``m`` and
    ``v``.

    Sources disagree about the length of a step: algorithm 1 of the paper gives it the root mean square 0.2, the
    authors' code, followed here, the length that it had as Muon's, so that the two share a rate.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Li et al. (2025), "NorMuon: making Muon more efficient and scalable", algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> rows = NorMuon(0.1).update({"w": np.zeros((3, 2))}, {"w": np.array([[3.0, 0.0], [3.0, 0.1], [0.0, 1.0]])})["w"]
    >>> np.linalg.norm(rows, axis=1).round(3)
    array([0.074, 0.074, 0.074])
    """

    learning_rate: float | Array = Hyperparameter(default=0.02)
    momentum: float | Array = Hyperparameter(default=0.95, below=1.0)
    weight_decay: float | Array = Hyperparameter(default=0.0)
    adam_ratio: float | Array = Hyperparameter(default=0.015)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.95, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-10)
    output_axis: int = Choice(default=0, among=(0, -1))
    slots = ("momentum_buffer", "m", "v")

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        shapes = super().slot_shapes(shape)
        if "momentum_buffer" not in shapes:
            return shapes
        kept = {*range(self.sweep_axes), range(len(shape))[self._output_axis()]}
        return {**shapes, "v": tuple(n if axis in kept else 1 for axis, n in enumerate(shape))}

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        theta *= 1 - self.learning_rate * self.weight_decay
        if hasattr(state, "momentum_buffer"):
            o = self.orthogonalized_momentum(grad, state)
            inputs = tuple(axis for axis in self.own_axes(o) if state.v.shape[axis] != o.shape[axis])
            state.v *= self.beta2
            state.v += (1 - self.beta2) * np.mean(o**2, axis=inputs, keepdims=True)
            o_prime = o / (np.sqrt(state.v) + self.epsilon)
            o_prime *= self.norm(o) / (self.norm(o_prime) + self.epsilon)
            theta -= self.learning_rate * self.shape_scale(theta) * o_prime
        else:
            self.step_of_adam(theta, grad, state)


class Shampoo(MatrixOptimizer):
    r"""Shampoo: AdaGrad for matrices: one learned scale for the rows, one for the columns, each a whole matrix.

    AdaGrad divides each coordinate by the size of its own gradients; the best rule of its kind would use all their
    products, a matrix of :math:`(nm)^2` numbers for :math:`n \times m` weights. Shampoo keeps the two factors of an
    approximation of it, :math:`n^2 + m^2`.

    .. math::
        L_t &= L_{t-1} + g_t g_t^\top, & R_t &= R_{t-1} + g_t^\top g_t, & L_0 &= \epsilon I, \; R_0 = \epsilon I \\
        \theta_{t+1} &= \theta_t - \eta \, L_t^{-1/4} \, g_t \, R_t^{-1/4}

    Of a tensor of :math:`k` axes each axis has its matrix, with the power :math:`-1/(2k)`. So a vector is stepped by
    :math:`H_t^{-1/2} g_t`, the whole of AdaGrad's matrix.

    Parameters
    ----------
    learning_rate : float or array, default 0.1
        :math:`\eta \in [0, \infty)`.
    epsilon : float or array, default 0.0001
        :math:`\epsilon \in [0, \infty)`; where it is zero, directions that no gradient has had are not stepped along.

    Notes
    -----
    State: ``statistics0``, ``statistics1``, ...: for each axis a square matrix of its length.

    The paper's own rule, without what implementations add: momentum, a moving average in place of the sum, roots
    computed only every few steps, another optimizer's step length ("grafting"), a limit to the size of an axis.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Gupta, Koren and Singer (2018), "Shampoo: preconditioned stochastic tensor optimization", algorithms 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> shampoo = Shampoo(learning_rate=0.1, epsilon=0.0)
    >>> shampoo.update({"w": np.zeros((2, 2))}, {"w": np.array([[0.0, 9.0], [0.01, 0.0]])})["w"].round(6)
    array([[ 0. , -0.1],
           [-0.1,  0. ]])
    """

    learning_rate: float | Array = Hyperparameter(default=0.1)
    epsilon: float | Array = Hyperparameter(default=0.0001)

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        lead, own = shape[: self.sweep_axes], self.true_shape(shape)
        return {f"statistics{axis}": (*lead, n, n) for axis, n in enumerate(own)}

    def begin(self, theta: Array, state: ParameterState) -> None:
        for statistics in state.arrays().values():
            statistics += self.for_matrices(self.epsilon, theta) * np.eye(statistics.shape[-1], dtype=theta.dtype)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        all_statistics = state.arrays().values()
        for statistics, product in zip(all_statistics, self.products(grad), strict=True):
            statistics += product
        roots = [inverse_root(statistics, 2 * len(all_statistics)) for statistics in all_statistics]
        theta -= self.learning_rate * self.turned(grad, roots)


class SOAP(MatrixOptimizer):
    r"""SOAP: Adam in the eigenbasis of Shampoo.

    Shampoo's step is close to one of Adafactor, taken in the eigenvectors of :math:`L` and :math:`R`. SOAP takes one of
    Adam there: it turns the gradient into that basis, keeps its second moment there, and turns the step back. The basis
    may then be renewed only now and then, because Adam's second moment keeps up in between.

    .. math::
        g'_t &= Q_L^\top g_t \, Q_R, \qquad m_t = \beta_1 m_{t-1} + (1 - \beta_1) \, g_t, \qquad
            m'_t = Q_L^\top m_t \, Q_R \\
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2) \, g'^2_t \\
        \theta_{t+1} &= (1 - \eta\lambda) \, \theta_t
            - \eta \; Q_L \left( \frac{\hat m'_t}{\sqrt{\hat v_t} + \epsilon} \right) Q_R^\top \\
        L_t &= \beta_2 L_{t-1} + (1 - \beta_2) \, g_t g_t^\top, \qquad
            R_t = \beta_2 R_{t-1} + (1 - \beta_2) \, g_t^\top g_t

    Every :math:`f` steps the bases are renewed by one step of the power method, :math:`Q_L \leftarrow
    \operatorname{qr}(L_t Q_L)`, :math:`Q_R \leftarrow \operatorname{qr}(R_t Q_R)`. Vectors take the step of `AdamW`.

    Parameters
    ----------
    learning_rate : float or array, default 0.003
        :math:`\eta \in [0, \infty)`.
    beta1, beta2 : float or array, default 0.95 and 0.95
        In :math:`[0, 1)`, as in `Adam`; :math:`\beta_2` is also the memory of :math:`L` and :math:`R`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    weight_decay : float or array, default 0.01
        :math:`\lambda \in [0, \infty)`, decoupled as in `AdamW`.
    precondition_frequency : int, default 10
        :math:`f \ge 1`.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter; for a matrix also ``statistics0``, ``statistics1`` (:math:`L` and
    :math:`R`) and ``basis0``, ``basis1`` (:math:`Q_L` and :math:`Q_R`), one of each for every axis of a tensor.

    As in the authors' code the first gradient only makes the bases, from its own eigenvectors, and no step is taken
    with it; so :math:`t` counts from the second. Each renewal sorts the eigenvectors, and :math:`v` with them, by
    size. Where the first gradient leaves several eigenvalues zero, any basis of their space would do:
    implementations may differ, and this one takes a basis that does not depend on rounding (`settled`). The authors
    decay the weights after the step, here it is done before, as in `AdamW`.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Vyas et al. (2025), "SOAP: improving and stabilizing Shampoo using Adam", algorithm 3.

    Examples
    --------
    >>> import numpy as np
    >>> soap, params = SOAP(learning_rate=0.1, weight_decay=0.0), {"w": np.zeros((2, 2))}
    >>> for _ in range(2):
    ...     params = soap.update(params, {"w": np.array([[0.0, 9.0], [0.01, 0.0]])})
    >>> params["w"].round(6)
    array([[ 0. , -0.1],
           [-0.1,  0. ]])
    """

    learning_rate: float | Array = Hyperparameter(default=0.003)
    beta1: float | Array = Hyperparameter(default=0.95, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.95, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    weight_decay: float | Array = Hyperparameter(default=0.01)
    precondition_frequency: int = Count(default=10)
    slots = ("m", "v")

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        lead, own = shape[: self.sweep_axes], self.true_shape(shape)
        axes = enumerate(own) if len(own) > 1 else ()
        square = {f"{kind}{axis}": (*lead, n, n) for axis, n in axes for kind in ("statistics", "basis")}
        return {"m": shape, "v": shape} | square

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        statistics, bases = (list(arrays_named(state, kind).values()) for kind in ("statistics", "basis"))
        steps = state.t - 1
        if steps:
            state.m *= self.beta1
            state.m += (1 - self.beta1) * grad
            state.v *= self.beta2
            state.v += (1 - self.beta2) * self.turned(grad, transposed(bases)) ** 2
            m_hat = self.turned(state.m, transposed(bases)) / (1 - self.beta1**steps)
            v_hat = state.v / (1 - self.beta2**steps)
            theta *= 1 - self.learning_rate * self.weight_decay
            theta -= self.learning_rate * self.turned(m_hat / (np.sqrt(v_hat) + self.epsilon), bases)
        beta2 = self.for_matrices(self.beta2, theta)
        for average, product in zip(statistics, self.products(grad), strict=False):
            average *= beta2
            average += (1 - beta2) * product
        if steps % self.precondition_frequency == 0:
            self._renew(state, statistics, bases, first=not steps)

    def _renew(self, state: ParameterState, statistics: list[Array], bases: list[Array], first: bool) -> None:
        v = self.as_tensor(state.v)
        for axis, (average, basis) in enumerate(zip(statistics, bases, strict=True)):
            if first:
                basis[...] = settled(*eigen(average))[..., ::-1]
                continue
            product = average @ basis
            order = np.argsort(-np.sum(basis * product, axis=-2), axis=-1, stable=True)
            basis[...] = orthogonal(np.take_along_axis(product, order[..., None, :], axis=-1))
            behind = (1,) * (v.ndim - self.sweep_axes - axis - 1)
            v = np.take_along_axis(
                v, order.reshape(*order.shape[:-1], *(1,) * axis, order.shape[-1], *behind), self.sweep_axes + axis
            )
        state.v[...] = v.reshape(state.v.shape)


def orthogonalize(matrix: Array, steps: int = 5) -> Array:
    r"""About the :math:`U V^\top` of a matrix :math:`U \Sigma V^\top`, by Newton-Schulz; leading axes are a stack.

    Each step puts the singular values, which stay below about 1.2, through :math:`a \sigma + b \sigma^3 + c \sigma^5`.

    >>> u, _, vt = np.linalg.svd(orthogonalize(np.array([[3.0, 0.0], [0.0, 1.0]])))
    >>> np.allclose(np.abs(u @ vt), np.eye(2))
    True
    """
    a, b, c = QUINTIC
    wide = matrix.shape[-2] <= matrix.shape[-1]
    x = matrix if wide else matrix.mT
    x = x / np.maximum(np.sqrt(np.sum(x * x, axis=(-2, -1), keepdims=True)), 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        # gram.mT is gram: written so, NumPy sees the square of a symmetric matrix and computes half of it.
        x = a * x + (b * gram + c * (gram @ gram.mT)) @ x
    return x if wide else x.mT


def eigen(matrix: Array) -> tuple[Array, Array, Array]:
    """The eigenvalues of symmetric matrices in increasing order, the eigenvectors, and what rounding makes of zero.

    In double precision; NaN where a matrix is not finite.
    """
    finite = np.isfinite(matrix).all(axis=(-2, -1), keepdims=True)
    values, vectors = np.linalg.eigh(np.where(finite, matrix, 0).astype(np.float64))
    values, vectors = np.where(finite[..., 0], values, np.nan), np.where(finite, vectors, np.nan)
    return values, vectors, values[..., -1:] * values.shape[-1] * float(np.finfo(matrix.dtype).eps)


def settled(values: Array, vectors: Array, negligible: Array) -> Array:
    """Eigenvectors of which those of the eigenvalue zero do not depend on rounding.

    A gradient of n rows and fewer columns leaves several of them, of which any rotation would do. Of all these bases
    of their space this takes the one in which counting the coordinates, diag(1, 2, ..., n), is diagonal.
    """
    zeros = np.sum(values <= negligible, axis=-1)
    result = vectors.copy()
    for index in np.ndindex(zeros.shape):
        null = vectors[index][:, : zeros[index]]
        counted = null.T * np.arange(1, len(null) + 1) @ null
        result[index][:, : zeros[index]] = null @ np.linalg.eigh(counted)[1]
    return result


def orthogonal(matrix: Array) -> Array:
    """The orthogonal factor of a QR decomposition; NaN where a matrix is not finite."""
    finite = np.isfinite(matrix).all(axis=(-2, -1), keepdims=True)
    q = np.linalg.qr(np.where(finite, matrix, 0).astype(np.float64)).Q
    return np.where(finite, q, np.nan).astype(matrix.dtype)


def inverse_root(matrix: Array, power: int) -> Array:
    r"""A symmetric matrix without negative eigenvalues, to the power :math:`-1/p`.

    Eigenvalues too small to be told from zero are raised to what could be, so that rounding is not enlarged.
    """
    values, vectors, negligible = eigen(matrix)
    values = np.maximum(values, negligible)
    scales = np.where(values == 0, 0, np.where(values == 0, 1, values) ** (-1 / power))
    return ((vectors * scales[..., None, :]) @ vectors.mT).astype(matrix.dtype)


def arrays_named(state: ParameterState, kind: str) -> dict[str, Array]:
    """Those arrays of a state whose names begin so, in order."""
    return {name: array for name, array in state.arrays().items() if name.startswith(kind)}


def transposed(matrices: Iterable[Array]) -> list[Array]:
    return [matrix.mT for matrix in matrices]
