"""Weights that keep their norm, and turn: Hyperball, with the direction of Adam or of Muon."""

from __future__ import annotations

import numpy as np

from optim_lib.optimizers.adam import update_moments
from optim_lib.optimizers.base import Array, Choice, Hyperparameter, ParameterState
from optim_lib.optimizers.matrix import MatrixOptimizer, MuonFamily


class Hyperball(MatrixOptimizer):
    """What both share: a matrix's norm, kept, and a step along the sphere of that radius."""

    learning_rate: float | Array

    def begin(self, theta: Array, state: ParameterState) -> None:
        if hasattr(state, "radius"):
            state.radius[...] = self.norm(theta)

    def turn(self, theta: Array, u: Array, radius: Array) -> None:
        """A step against u as long as the rate says, in radii, and back to the sphere. Zero has no direction."""
        theta -= self.learning_rate * radius * u / nonzero(self.norm(u))
        theta *= radius / nonzero(self.norm(theta))


class AdamHyperball(Hyperball):
    r"""Hyperball with Adam's direction: a matrix keeps the norm that it began with, and no weight decays.

    Under weight decay the norm of a matrix settles where the decay balances the steps, and norm and rate together say
    by what angle a step turns it. Hyperball fixes both: the norm stays, and the rate is the angle.

    .. math::
        u_t &= \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}, \qquad R = \lVert \theta_0 \rVert \\
        \theta_{t+1} &= R \cdot \operatorname{Norm}\bigl( \theta_t - \eta R \cdot \operatorname{Norm}(u_t) \bigr),
            \qquad \operatorname{Norm}(x) = x / \lVert x \rVert

    with :math:`\hat m_t` and :math:`\hat v_t` as in `Adam`, and norms over the whole matrix. Vectors take Adam's step.

    Parameters
    ----------
    learning_rate : float or array, default 0.02
        :math:`\eta \in [0, \infty)`, the length of a step in units of the norm: about the angle, in radians, by which
        it turns the matrix. The authors compare it with :math:`\sqrt{\eta\lambda}` of AdamW.
    beta1, beta2 : float or array, default 0.9 and 0.95
        In :math:`[0, 1)`, as in `Adam`.
    epsilon : float or array, default 1e-8
        :math:`\epsilon \in [0, \infty)`.
    adam_ratio : float or array, default 0.03
        In :math:`[0, \infty)`: the rate of Adam, for vectors, is this times :math:`\eta`. The default gives the pair of
        0.02 and 0.0006 of the authors' code, and a schedule moves both.

    Notes
    -----
    State: ``m`` and ``v``, shaped like the parameter; for a matrix also ``radius``, one number.

    It is meant for matrices whose size does not matter, because a normalization follows or a gain can make up for it.
    Embeddings are left to Adam by the authors (`ParameterGroups` does that). A matrix that begins at zero has no
    direction to turn, and stays at zero.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Wen et al. (2026), "Fantastic pretraining optimizers and where to find them II: hyperball optimization".

    Examples
    --------
    >>> import numpy as np
    >>> params = {"w": np.array([[3.0, 0.0], [0.0, 4.0]])}
    >>> turned = AdamHyperball(learning_rate=0.1).update(params, {"w": np.array([[1.0, 1.0], [1.0, 1.0]])})["w"]
    >>> turned.round(3), np.linalg.norm(turned).round(12)
    (array([[ 2.948, -0.268],
           [-0.268,  4.02 ]]), np.float64(5.0))
    """

    learning_rate: float | Array = Hyperparameter(default=0.02)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.95, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    adam_ratio: float | Array = Hyperparameter(default=0.03)
    slots = ("m", "v")

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        is_matrix = len(self.true_shape(shape)) > 1
        return {"m": shape, "v": shape} | ({"radius": self._number_shape(shape)} if is_matrix else {})

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        update_moments(grad, state, self.beta1, self.beta2)
        m_hat = state.m / (1 - self.beta1**state.t)
        v_hat = state.v / (1 - self.beta2**state.t)
        u = m_hat / (np.sqrt(v_hat) + self.epsilon)
        if hasattr(state, "radius"):
            self.turn(theta, u, state.radius)
        else:
            theta -= self.learning_rate * self.adam_ratio * u


class MuonHyperball(Hyperball, MuonFamily):
    r"""Hyperball with Muon's direction: each matrix turns by one angle, in all its directions alike.

    .. math::
        \theta_{t+1} = R \cdot \operatorname{Norm}\bigl( \theta_t - \eta R \cdot \operatorname{Norm}(o_t) \bigr),
            \qquad R = \lVert \theta_0 \rVert

    with :math:`o_t` as in `Muon`, and norms over the whole matrix, as in `AdamHyperball`. Muon's scale for the shape
    of a matrix falls out. Vectors take Adam's step.

    Parameters
    ----------
    learning_rate : float or array, default 0.02
        :math:`\eta \in [0, \infty)`, the length of a step in units of the norm, as in `AdamHyperball`.
    momentum : float or array, default 0.95
        :math:`\beta \in [0, 1)`, of Nesterov's kind.
    adam_ratio : float or array, default 0.03
        In :math:`[0, \infty)`: the rate of Adam, for vectors, is this times :math:`\eta`.
    beta1, beta2, epsilon : float or array, default 0.9, 0.95 and 1e-8
        For vectors, as in `Adam`.
    output_axis : 0 or -1, default 0
        As in `Muon`. It matters for parameters of more than two axes alone.

    Notes
    -----
    State: for a matrix ``momentum_buffer``, shaped like it, and ``radius``, one number; for a vector ``m`` and ``v``.
    What is said there of matrices that begin at zero, and of embeddings, holds here too.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter is not a number in its range. `update` lists its own errors.

    References
    ----------
    Wen et al. (2026), "Fantastic pretraining optimizers and where to find them II: hyperball optimization".

    Examples
    --------
    >>> import numpy as np
    >>> params = {"w": np.array([[3.0, 0.0], [0.0, 4.0]])}
    >>> np.linalg.norm(MuonHyperball(0.1).update(params, {"w": np.array([[1.0, 2.0], [0.0, 1.0]])})["w"]).round(12)
    np.float64(5.0)
    """

    learning_rate: float | Array = Hyperparameter(default=0.02)
    momentum: float | Array = Hyperparameter(default=0.95, below=1.0)
    adam_ratio: float | Array = Hyperparameter(default=0.03)
    beta1: float | Array = Hyperparameter(default=0.9, below=1.0)
    beta2: float | Array = Hyperparameter(default=0.95, below=1.0)
    epsilon: float | Array = Hyperparameter(default=1e-8)
    output_axis: int = Choice(default=0, among=(0, -1))
    slots = ("momentum_buffer", "m", "v")

    def slot_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        shapes = super().slot_shapes(shape)
        return shapes | ({"radius": self._number_shape(shape)} if "momentum_buffer" in shapes else {})

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        if hasattr(state, "radius"):
            self.turn(theta, self.orthogonalized_momentum(grad, state), state.radius)
        else:
            self.step_of_adam(theta, grad, state)


def nonzero(length: Array) -> Array:
    """A length to divide by: 1 in place of 0."""
    return np.where(length == 0, 1, length)
