"""Optimizers as a student might type them: the article's interface, loops over names, state in dictionaries.

Some broadcast over a grid of hyperparameters, some do not, and some would broadcast to other numbers.
"""

from __future__ import annotations

import math

import numpy as np


class StudentSGD:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        for name in params:
            params[name] -= self.learning_rate * grads[name]
        return params


class StudentMomentum:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum = learning_rate, momentum
        self.velocity = {}

    def update(self, params, grads):
        for name in params:
            if name not in self.velocity:
                self.velocity[name] = np.zeros_like(params[name])
            self.velocity[name] = self.momentum * self.velocity[name] + grads[name]
            params[name] -= self.learning_rate * self.velocity[name]
        return params


class StudentAdam:
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for name in params:
            if name not in self.m:
                self.m[name] = np.zeros_like(params[name])
                self.v[name] = np.zeros_like(params[name])
            self.m[name] = self.beta1 * self.m[name] + (1 - self.beta1) * grads[name]
            self.v[name] = self.beta2 * self.v[name] + (1 - self.beta2) * grads[name] ** 2
            m_hat = self.m[name] / (1 - self.beta1**self.t)
            v_hat = self.v[name] / (1 - self.beta2**self.t)
            params[name] -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
        return params


class NewDictionarySGD(StudentSGD):
    """Leaves the arrays it was given alone and returns new ones."""

    def update(self, params, grads):
        return {name: params[name] - self.learning_rate * grads[name] for name in params}


class ScalarSGD(StudentSGD):
    """Cannot broadcast: works one number at a time."""

    def update(self, params, grads):
        for name in params:
            for index in range(len(params[name])):
                params[name][index] -= (
                    float(self.learning_rate)
                    * math.sqrt(float(grads[name][index]) ** 2)
                    * math.copysign(1.0, grads[name][index])
                )
        return params


class BranchingMomentum(StudentMomentum):
    """Cannot broadcast: an array has no truth value."""

    def update(self, params, grads):
        if self.momentum > 0:
            return super().update(params, grads)
        for name in params:
            params[name] -= self.learning_rate * grads[name]
        return params


class ClippedSGD(StudentSGD):
    """Would broadcast, to other numbers: the norm would be that of all settings' gradients together."""

    def update(self, params, grads):
        for name in params:
            norm = np.linalg.norm(grads[name])
            params[name] -= self.learning_rate * grads[name] * min(1.0, 1.0 / norm)
        return params


class CheckedSGD(StudentSGD):
    """Refuses a large rate, and cannot say so of an array."""

    def __init__(self, learning_rate=0.01):
        if learning_rate > 1:
            raise ValueError("learning_rate is too large for me")
        super().__init__(learning_rate)


class WarningSGD(StudentSGD):
    """Broadcasts, but `float` of an array of one number is deprecated in NumPy: alone, a grid of one setting warns."""

    def update(self, params, grads):
        for name in params:
            params[name] -= float(self.learning_rate) * grads[name]
        return params


class ForgetfulSGD(StudentSGD):
    """Forgets to return."""

    def update(self, params, grads):
        for name in params:
            params[name] -= self.learning_rate * grads[name]


BROADCASTING = (StudentSGD, StudentMomentum, StudentAdam, NewDictionarySGD)
NOT_BROADCASTING = (ScalarSGD, ClippedSGD, WarningSGD)
