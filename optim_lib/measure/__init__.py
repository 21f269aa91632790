r"""Measure what the chapters talk about: gradients, curvature, noise, slices, and agreement with others.

A function that wants an `objective` takes ``network.on(x, y)`` (exact Hessian-vector products; of a torch module,
``TorchModel(module).on(x, y)``), or any function from parameters to gradients (central differences of it). Parameters
are a dictionary of arrays, or one array.
"""

from optim_lib.measure.agreement import Agreement, compare_with_torch, largest_difference
from optim_lib.measure.curvature import extreme_eigenvalues, hessian, sharpness
from optim_lib.measure.gradients import finite_difference_gradient
from optim_lib.measure.noise import GradientNoise, gradient_noise
from optim_lib.measure.slices import LossSlice, loss_slice, random_direction
from optim_lib.measure.steps import EffectiveRate, effective_learning_rate, steps_to_tolerance

__all__ = [
    "Agreement",
    "EffectiveRate",
    "GradientNoise",
    "LossSlice",
    "compare_with_torch",
    "effective_learning_rate",
    "extreme_eigenvalues",
    "finite_difference_gradient",
    "gradient_noise",
    "hessian",
    "largest_difference",
    "loss_slice",
    "random_direction",
    "sharpness",
    "steps_to_tolerance",
]
