"""The claims of chapter 7, RMSprop: an experiment for each."""

from __future__ import annotations

from experiments.claims.registry import SLOW, contest, tests
from experiments.claims.results import Results
from optim_lib import tasks
from optim_lib.optimizers import (
    Adam,
    MomentumSGD,
    RMSprop,
)
from optim_lib.training import LogUniform, Search


@tests("c-rnn")
def rmsprop_for_recurrent_networks() -> Results:
    results = Results()
    searches = {
        "SGD + momentum": Search(MomentumSGD, learning_rate=LogUniform(0.01, 10.0), momentum=0.9),
        "RMSprop": Search(RMSprop, learning_rate=LogUniform(3e-4, 0.3)),
        "Adam": Search(Adam, learning_rate=LogUniform(3e-4, 0.3)),
    }
    for steps in (50, 150):
        contest(results, searches, tasks.recurrent, budget=steps, also=f", {steps} steps", **SLOW)
    return results
