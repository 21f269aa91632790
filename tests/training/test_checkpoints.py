"""A checkpoint goes on with its own run and refuses every other one; a comparison that is stopped says what is kept."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from optim_lib.data import Dataset, Split
from optim_lib.networks import MLP
from optim_lib.optimizers import SGD, AdamW, Lookahead, ParameterGroups
from optim_lib.schedules import cosine_annealing
from optim_lib.training import TorchModel, train

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
DATA = Dataset.from_arrays(RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60))
NET = MLP((4, 5, 3))


class Mine:
    """A student's class, with state of its own."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate, self.v = learning_rate, {}

    def update(self, params, grads):
        for name, grad in grads.items():
            self.v[name] = 0.9 * self.v.get(name, 0.0) + grad
            params[name] -= self.learning_rate * self.v[name]
        return params


def module(seed=0, activation=torch.nn.Tanh):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(4, 5), activation(), torch.nn.Linear(5, 3)).double()


def groups(rate, decay=0.01):
    return ParameterGroups({"*bias": SGD(rate), "b*": SGD(rate), "*": AdamW(rate, weight_decay=decay)})


def negated(data):
    return replace(data, train=Split(-data.train.x, data.train.y))


def relabeled(data):
    return replace(data, train=Split(data.train.x, np.roll(data.train.y, 1)))


def run(file, epochs=2, **changes):
    asked = {"model": NET, "optimizer": groups(0.01), "data": DATA, "schedule": None, "progress": False} | changes
    return train(asked.pop("model"), asked.pop("optimizer"), asked.pop("data"), epochs=epochs, checkpoint=file, **asked)


OTHER_RUNS = {
    "the inputs": ({}, {"data": negated(DATA)}, "data"),
    "the labels": ({}, {"data": relabeled(DATA)}, "data"),
    "the rates of groups": ({}, {"optimizer": groups(0.1)}, "optimizer"),
    "the decay of one group": ({}, {"optimizer": groups(0.01, 0.1)}, "optimizer"),
    "the length of a schedule": (
        {"schedule": partial(cosine_annealing, total_epochs=20)},
        {"schedule": partial(cosine_annealing, total_epochs=25)},
        "schedule",
    ),
    "a schedule of one's own": (
        {"schedule": lambda rate, epoch: rate / (1 + epoch)},
        {"schedule": lambda rate, epoch: rate / (1 + 2 * epoch)},
        "schedule",
    ),
    "a schedule where there was none": ({}, {"schedule": lambda rate, epoch: rate / (1 + epoch)}, "schedule"),
    "where the parameters begin": ({}, {"params": {n: 2 * p for n, p in NET.initialize(0).items()}}, "start"),
    "a student's rate": ({"optimizer": Mine(0.1)}, {"optimizer": Mine(0.2)}, "optimizer"),
    "float32": ({}, {"model": MLP((4, 5, 3), dtype=np.float32)}, "model"),
    "another module": ({"model": module(0)}, {"model": module(1)}, "start"),
    "another activation": ({"model": module(0)}, {"model": module(0, torch.nn.ReLU)}, "model"),
    "another loss": (
        {"model": TorchModel(module(0))},
        {"model": TorchModel(module(0), torch.nn.MultiMarginLoss())},
        "model",
    ),
}


@pytest.mark.parametrize("what", OTHER_RUNS)
def test_another_run_is_refused(what, tmp_path):
    first, second, named = OTHER_RUNS[what]
    run(tmp_path / "run.npz", 2, **first)
    with pytest.raises(ValueError, match=f"must be of this run, but it differs in .*{named}"):
        run(tmp_path / "run.npz", 4, **first | second)


def test_a_run_that_is_longer_than_asked_for_is_refused(tmp_path):
    run(tmp_path / "run.npz", 3)
    with pytest.raises(ValueError, match="must be of a run of at most 2 steps, as asked for, but it has taken 6"):
        run(tmp_path / "run.npz", 1)


SAME_RUNS = {
    "a wrapper round a student's class": lambda: {"optimizer": Lookahead(Mine())},
    "groups": lambda: {"optimizer": groups(0.01)},
    "groups with a student's class": lambda: {"optimizer": ParameterGroups({"b*": Mine(0.2), "*": Mine()})},
    "a module made anew": lambda: {"model": module()},
    "a schedule": lambda: {"schedule": partial(cosine_annealing, total_epochs=8)},
}


@pytest.mark.parametrize("what", SAME_RUNS)
def test_the_same_run_goes_on_bit_for_bit(what, tmp_path):
    make, file = SAME_RUNS[what], tmp_path / "run.npz"
    run(file, 2, **make())
    resumed, whole = run(file, 5, **make()), run(None, 5, **make())
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    for name, array in whole.params.items():
        np.testing.assert_array_equal(resumed.params[name], array)


@pytest.mark.parametrize(
    "make", [lambda: {"model": module(), "optimizer": groups(0.01)}, lambda: {"optimizer": Mine()}]
)
def test_whoever_goes_on_with_the_very_objects_of_the_run_may(make, tmp_path):
    asked = make()
    run(tmp_path / "run.npz", 2, **asked)
    resumed, whole = run(tmp_path / "run.npz", 4, **asked), run(None, 4, **make())
    np.testing.assert_array_equal(resumed.losses, whole.losses)


# ------------------------------------------------------------------------------- a comparison that is stopped

STOPPED = """
    import sys, time
    from optim_lib import tasks
    from optim_lib.optimizers import SGD
    from optim_lib.training import LogUniform, Search, compare

    class Slow(SGD):
        def update(self, params, grads):
            time.sleep(0.02)
            return super().update(params, grads)

    if __name__ == "__main__":
        print("begins", flush=True)
        compare({"slow": Search(Slow, learning_rate=LogUniform(0.01, 1.0))}, tasks.regression, trials=40, budget=5,
                cache=sys.argv[1], n_jobs=int(sys.argv[2]), progress=False)
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_comparison_that_is_stopped_says_what_is_kept(n_jobs, tmp_path):
    script, cache = tmp_path / "long.py", tmp_path / "cache"
    script.write_text(textwrap.dedent(STOPPED))
    process = subprocess.Popen(
        [sys.executable, str(script), str(cache), str(n_jobs)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(cache.glob("*.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=120)[1]
    last = error.strip().splitlines()[-1]
    assert last.startswith("KeyboardInterrupt: compare was stopped; ")
    assert "of 80 runs are done and are in" in last
    assert last.endswith("the same call goes on from there")
    done = int(last.split("; ")[1].split()[0])
    assert done == len((cache / "ill-conditioned-regression.csv").read_text().splitlines()) - 1 > 0
