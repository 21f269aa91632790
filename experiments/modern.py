"""What the comparisons of recent rules share: their tasks, and who steps the first and the last layer of a transformer.

Muon and Hyperball are made for hidden matrices. Embeddings, which are rows that are looked up, and the last layer stay
with Adam, as their authors have it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from optim_lib import tasks
from optim_lib.data import Dataset, characters
from optim_lib.optimizers import SOAP, AdamHyperball, AdamW, Muon, MuonHyperball, NorMuon, Optimizer, ParameterGroups
from optim_lib.optimizers.base import Array
from optim_lib.schedules import cosine_annealing, warmup_stable_decay
from optim_lib.tasks.supervised import few


def few_windows() -> Dataset:
    return few(characters(length=32), 800, 200, 400)


# One block, so that a run takes less than a second; embeddings large enough for it to read them.
text = replace(
    tasks.char_transformer,
    name="characters, one block",
    budget=120,
    make_data=few_windows,
    make_model=partial(tasks.supervised.transformer, layers=1, width=16, embedding=0.1),
)
digits_by_loss = replace(tasks.digits_mlp, name="digits, MLP, by loss", metric="loss", lower_is_better=True)

# The rate of Adam, beside that of the hidden matrices, where both are of the order that suits them.
SHARE = 0.2


def in_or_out(name: str, theta: Array) -> bool:
    """Whether a parameter of the course's transformer is an embedding or in the last layer."""
    return name.startswith(("symbol", "place", "head"))


def hidden(rule: type[Optimizer], learning_rate: float, **options: Any) -> ParameterGroups:
    """A rule for the hidden matrices of a transformer, and Adam for all else."""
    adam = AdamW(learning_rate * SHARE, beta2=0.95, weight_decay=0.0)
    return ParameterGroups({in_or_out: adam, "*": rule(learning_rate, adam_ratio=SHARE, **options)})


def adam_hyperball(learning_rate: float) -> ParameterGroups:
    return hidden(AdamHyperball, learning_rate)


def soap(learning_rate: float) -> SOAP:
    return SOAP(learning_rate, precondition_frequency=2, weight_decay=0.0)


def muon(learning_rate: float, momentum: float = 0.95) -> ParameterGroups:
    return hidden(Muon, learning_rate, momentum=momentum)


def normuon(learning_rate: float, momentum: float = 0.95) -> ParameterGroups:
    return hidden(NorMuon, learning_rate, momentum=momentum)


def muon_hyperball(learning_rate: float, momentum: float = 0.95) -> ParameterGroups:
    return hidden(MuonHyperball, learning_rate, momentum=momentum)


def linear_to_zero(initial_lr: float, step: float, total_steps: float) -> float:
    """A straight line from the first rate to zero, after a tenth of the run to warm up."""
    tenth = total_steps / 10
    return float(warmup_stable_decay(initial_lr, step, total_steps, tenth, total_steps - tenth))


def cosine_to_a_tenth(initial_lr: float, step: float, total_steps: float) -> float:
    """Half a cosine down to a tenth of the first rate, after a tenth of the run to warm up."""
    tenth = total_steps / 10
    if step < tenth:
        return initial_lr * (step + 1) / (tenth + 1)
    return float(cosine_annealing(initial_lr, step - tenth, total_steps - tenth, min_lr=initial_lr / 10))
