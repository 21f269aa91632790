"""Rules that a chapter holds against the published ones: nobody should train with them because they are here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optim_lib.optimizers import SGD, Adam, Optimizer
from optim_lib.optimizers.base import Hyperparameter, ParameterState

Array = NDArray[np.floating]


class DecayingSGD(SGD):
    r"""SGD with the rate :math:`\eta_t = \eta / (1 + (t-1)/\tau)^p`.

    Parameters
    ----------
    learning_rate : float or array, default 0.01
        :math:`\eta`, the rate of the first step.
    decay_steps : float or array, default 10
        :math:`\tau > 0`: how many steps until the rate begins to fall in earnest.
    power : float or array, default 1
        :math:`p \ge 0`; 0 is a constant rate.
    """

    learning_rate: float | Array = Hyperparameter(default=0.01)
    decay_steps: float | Array = Hyperparameter(default=10.0, low=np.finfo(float).tiny)
    power: float | Array = Hyperparameter(default=1.0)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        super().step(theta, grad / (1 + (state.t - 1) / self.decay_steps) ** self.power, state)


class DecayedLate(Optimizer):
    """After a rule: shrink the weights that it has already moved, as the article's listing does."""

    weight_decay: float | Array = Hyperparameter(default=0.01)

    def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
        super().step(theta, grad, state)
        theta *= 1 - self.learning_rate * self.weight_decay


class ListingAdamW(DecayedLate, Adam):
    """The article's listing of AdamW."""
