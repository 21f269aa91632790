"""Which experiment measures which claim, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from experiments.claims.results import Results
from optim_lib import tasks
from optim_lib.training import Search, Tuning, compare

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


def contest(
    results: Results, searches: Mapping[str, Search], task: tasks.Task, *, trials: int = 7, also: str = "", **how: Any
) -> Tuning:
    """Tune all alike on a task, and note the test scores, what was chosen and whether it is at an end of its range."""
    tuning = compare(searches, task, trials=trials, cache=_runs.get(), progress=False, **how)
    seeds = how.get("report_seeds", range(5))
    for tuned in tuning:
        setting = tuned.label + also
        results.add(setting, "test", tuned.results["test_score"], seeds)
        results.add(setting, "validation loss", tuned.results["validation_loss"], seeds)
        for name, value in tuned.setting.items():
            results.add(setting, name, value)
        results.add(setting, "at the edge", bool(tuned.at_edge))
    return tuning


def difference(results: Results, first: str, second: str, metric: str = "test") -> None:
    """Note the differences between two settings, seed by seed: they share the first parameters and the batches."""
    values = results.get(first, metric) - results.get(second, metric)
    results.add(f"{first} minus {second}", metric, values)
