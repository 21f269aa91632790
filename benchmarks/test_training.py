"""A whole training step of a torch module: with an optimizer of the course, and with the same one of torch.optim."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from optim_lib.optimizers import Adam, MomentumSGD
from optim_lib.tasks import models
from optim_lib.training import TorchModel

BATCH = 64
BAR = 1.5
OPTIMIZERS = {
    "Adam": (Adam, torch.optim.Adam),
    "MomentumSGD": (MomentumSGD, lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, momentum=0.9)),
}


def digits() -> tuple[Callable[[], torch.nn.Module], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return models.digit_cnn, rng.random((BATCH, 64), dtype=np.float32), rng.integers(10, size=BATCH)


def characters() -> tuple[Callable[[], torch.nn.Module], np.ndarray, np.ndarray]:
    text = np.random.default_rng(0).integers(96, size=(BATCH, 33))
    return models.transformer, text[:, :-1], text[:, 1:]


TASKS = {"CNN": digits, "transformer": characters}


def cross_entropy(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(outputs.reshape(targets.numel(), -1), targets.reshape(-1))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("task", TASKS)
def test_training_step(against, task, name):
    make, x, y = TASKS[task]()
    ours, theirs = OPTIMIZERS[name]
    model = TorchModel(make(), loss=cross_entropy)
    optimizer, params = ours(learning_rate=1e-3), model.initialize()
    module, inputs, targets = make(), torch.from_numpy(x), torch.from_numpy(y)
    peer = theirs(module.parameters(), lr=1e-3)

    def our_step() -> None:
        _, grads = model.loss_and_gradients(params, x, y)
        optimizer.update(params, grads)

    def their_step() -> float:
        peer.zero_grad()
        loss = cross_entropy(module(inputs), targets)
        loss.backward()
        peer.step()
        return loss.item()

    what = f"training step of the {task}, {name}"
    against(what, our_step, {"torch.optim, default": their_step}, {"torch.optim, default": BAR}, budget=1.0)
