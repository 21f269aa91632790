"""Which experiment measures which claim, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from experiments.claims.results import Results
from experiments.claims.rule import AT_EDGE, TRIED, test_metric
from experiments.searching import REPORT_SEEDS, Found, search
from optim_lib import tasks
from optim_lib.training import Search

EXPERIMENTS: dict[str, Callable[[], Results]] = {}

_runs: ContextVar[Path | None] = ContextVar("folder of runs", default=None)


def tests(claim: str) -> Callable[[Callable[[], Results]], Callable[[], Results]]:
    """Register the experiment of a claim."""

    def register(experiment: Callable[[], Results]) -> Callable[[], Results]:
        EXPERIMENTS[claim] = experiment
        return experiment

    return register


@contextmanager
def keeping_runs(folder: Path) -> Iterator[None]:
    """Keep every run of a comparison in a folder, so that one that is stopped does not begin anew."""
    token = _runs.set(folder)
    try:
        yield
    finally:
        _runs.reset(token)


# Twelve seeds where a run is cheap. Where it is not: one pass, eight seeds.
MANY: dict[str, Any] = {"report_seeds": range(12)}
ONE_PASS: dict[str, Any] = {"fine_seeds": (), "report_seeds": range(12)}
SLOW: dict[str, Any] = {"coarse_seeds": (100,), "fine_seeds": (), "report_seeds": range(8)}


def by_length(steps: int) -> dict[str, Any]:
    """Two passes for a short run, one for a longer one."""
    return MANY if steps < 200 else ONE_PASS


def contest(
    results: Results, searches: Mapping[str, Search], task: tasks.Task, *, trials: int = 7, also: str = "", **how: Any
) -> dict[str, Found]:
    """Tune all alike on a task, in two passes, and note what was found.

    For each entrant the results have its test score, the validation loss where that is another metric, what was
    chosen, how many settings were tried, and whether the first pass chose an end of a range.
    """
    found = search(searches, task, trials=trials, cache=_runs.get(), **how)
    seeds = how.get("report_seeds", REPORT_SEEDS)
    for one in found.values():
        setting = one.label + also
        results.add(setting, test_metric(task.metric), one.results["test_score"], seeds)
        if task.metric == "accuracy":
            results.add(setting, "validation loss", one.results["validation_loss"], seeds)
        for name, value in one.setting.items():
            results.add(setting, name, value)
        if one.tried > 1:
            results.add(setting, TRIED, one.tried)
            results.add(setting, AT_EDGE, one.at_edge)
    return found
