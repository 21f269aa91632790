"""What training a model takes of a device's memory: weights, gradients and what the optimizer keeps, in bytes.

Activations, which depend on the batch and on the architecture, are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.explorer import Bars

Array = NDArray[np.floating]

# Bytes of state for each parameter of a square matrix, all in float32 but for the eight bits.
STATES = {"SGD": 0.0, "Lion, Muon": 4.0, "8-bit Adam": 2.0, "AdamW": 8.0, "SOAP": 24.0}
PARTS = ("weights", "gradients", "float32 copy", "optimizer")


def bytes_per_parameter(state: float, devices: ArrayLike, stage: ArrayLike, *, mixed: bool = True) -> Array:
    """Bytes a parameter on each device, of shape (..., 4): weights, gradients, float32 copy, the optimizer's state.

    In mixed precision weights and gradients have 2 bytes and a copy of the weights has 4; otherwise both have 4, and
    there is no copy. From stage 1 on the copy and the state are divided among the devices, from stage 2 on the
    gradients as well, at stage 3 the weights too (Rajbhandari et al., 2020).
    """
    devices, stage = np.broadcast_arrays(np.asarray(devices, dtype=float), np.asarray(stage))
    whole = [2.0, 2.0, 4.0, state] if mixed else [4.0, 4.0, 0.0, state]
    divided_from = [3, 2, 1, 1]
    parts = [part / np.where(stage >= first, devices, 1) for part, first in zip(whole, divided_from, strict=True)]
    return np.stack(parts, axis=-1)


def budget(billions: float, devices: Sequence[int], stages: Sequence[int]) -> tuple[Bars, dict[str, Array]]:
    """For `explore_scenes`: gigabytes a device for a number of parameters, part by part as stacked bars, and in all."""
    grid = np.asarray(devices)[:, None], np.asarray(stages)[None, :]
    each = {rule: billions * bytes_per_parameter(state, *grid) for rule, state in STATES.items()}
    stacked = np.stack(list(each.values()), axis=-2)
    bars = Bars({part: stacked[..., k] for k, part in enumerate(PARTS)}, list(STATES), stacked=True)
    return bars, {rule: each[rule].sum(axis=-1) for rule in ("AdamW", "8-bit Adam", "Lion, Muon")}
