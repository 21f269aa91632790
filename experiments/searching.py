"""A fair search in two passes, the same for everyone: coarse over the whole range, then fine around the best.

One optimum is narrow and another wide. On a coarse grid alone the narrow one loses by the luck of where the grid lies,
so the second pass tries rates between the best and its neighbors, on more seeds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from optim_lib.tasks import Task
from optim_lib.tasks.base import StepSchedule
from optim_lib.training import Search, compare

COARSE_SEEDS, FINE_SEEDS, REPORT_SEEDS = (100, 101), (100, 101, 102, 103), tuple(range(10))
# Places between the best rate and its two neighbors, in steps of the coarse grid.
FINE = (-2 / 3, -1 / 3, 0.0, 1 / 3, 2 / 3)


@dataclass(frozen=True)
class Found:
    """An optimizer at the setting that both passes chose.

    Attributes
    ----------
    label : str
    setting : dict of str to float
    at_edge : bool
        Whether the first pass chose an end of a range.
    coarse, fine : (ndarray, ndarray)
        The rates of each pass and their validation scores, a mean over its tuning seeds; `fine` is empty if there was
        nothing to search.
    results : dict of str to ndarray
        For each report seed: test_score, validation_score, train_loss, validation_loss, diverged.
    """

    label: str
    setting: dict[str, float]
    at_edge: bool
    coarse: tuple[NDArray[np.floating], NDArray[np.floating]]
    fine: tuple[NDArray[np.floating], NDArray[np.floating]]
    results: dict[str, NDArray[np.floating]] = field(repr=False)

    @property
    def tried(self) -> int:
        """How many settings were tried."""
        return len(self.coarse[0]) + len(self.fine[0])


def search(
    searches: Mapping[str, Search],
    task: Task,
    *,
    trials: int = 7,
    budget: int | None = None,
    schedule: StepSchedule | None = None,
    coarse_seeds: Sequence[int] = COARSE_SEEDS,
    fine_seeds: Sequence[int] = FINE_SEEDS,
    report_seeds: Sequence[int] = REPORT_SEEDS,
    cache: str | os.PathLike | None = None,
) -> dict[str, Found]:
    """Tune each optimizer in two passes by its validation score, and run the best on seeds that chose nothing.

    Parameters
    ----------
    searches : mapping of str to Search
        With a learning rate that is a number (nothing is searched then), a LogUniform or a list in rising order; what
        else is searched stays, in the second pass, at the best of the first.
    task, trials, budget, schedule, cache
        As in `optim_lib.training.compare`.
    fine_seeds : sequence of int
        Empty: no second pass, where runs are long and the first has found a wide optimum.
    """
    how = {"budget": budget, "schedule": schedule, "cache": cache, "n_jobs": 1, "progress": False}
    first, found = tuple(report_seeds)[:1], {}
    for label, one in searches.items():
        rate = one.space["learning_rate"]
        if isinstance(rate, int | float):
            tuned = compare(
                {label: one}, task, trials=1, tuning_seeds=coarse_seeds[:1], report_seeds=report_seeds, **how
            )
            only = np.array([float(rate)]), tuned[label].scores
            found[label] = Found(label, tuned[label].setting, False, only, (np.empty(0),) * 2, tuned[label].results)
            continue
        seeds = first if fine_seeds else report_seeds
        coarse = compare({label: one}, task, trials=trials, tuning_seeds=coarse_seeds, report_seeds=seeds, **how)[label]
        rates = np.unique(coarse.settings["learning_rate"])
        step = float((rates[-1] / rates[0]) ** (1 / (len(rates) - 1)))
        at_edge = bool(coarse.at_edge) or _at_end(coarse.setting["learning_rate"], rates)
        tried = coarse.settings["learning_rate"], coarse.scores
        if not fine_seeds:
            found[label] = Found(label, coarse.setting, at_edge, tried, (np.empty(0),) * 2, coarse.results)
            continue
        between = [float(f"{coarse.setting['learning_rate'] * step**place:.3g}") for place in FINE]
        narrowed = Search(one.optimizer, **(coarse.setting | {"learning_rate": between}))
        fine = compare({label: narrowed}, task, trials=len(FINE), tuning_seeds=fine_seeds, report_seeds=report_seeds,
                       **how)[label]  # fmt: skip
        closer = fine.settings["learning_rate"], fine.scores
        found[label] = Found(label, fine.setting, at_edge, tried, closer, fine.results)
    return found


def _at_end(rate: float, rates: NDArray[np.floating]) -> bool:
    return bool(np.isclose(rate, (rates[0], rates[-1]), rtol=1e-9).any())
