"""Compare optimizers on a task: the same budget for everyone, many runs at once, and no run twice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.extras import needed
from optim_lib.progress import progress_bar
from optim_lib.training.costs import step_cost
from optim_lib.training.fingerprints import fingerprint
from optim_lib.training.results import Results, Row
from optim_lib.training.sweeps import plain
from optim_lib.training.tuning import Search, Tuned, Tuning, check_measures, check_searches, check_seeds, plural
from optim_lib.workers import end_with

if TYPE_CHECKING:
    from optim_lib.tasks import Record, StepSchedule, Task

Array = NDArray[np.floating]


def compare(
    searches: Mapping[str, Search],
    task: Task,
    *,
    trials: int = 12,
    budget: int | None = None,
    tuning_seeds: Iterable[int] = (100, 101),
    report_seeds: Iterable[int] = (0, 1, 2, 3, 4),
    schedule: StepSchedule | None = None,
    clip_norm: float | None = None,
    measures: Mapping[str, Callable[[Record], float]] | None = None,
    cache: str | os.PathLike | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> Tuning:
    """Compare optimizers on a task with the same budget: tune each on its own seeds, report on others.

    Every optimizer gets `trials` settings of its search space (a stratified random search: see `Search.settings`). Each
    is run with every tuning seed; the one with the best validation score (mean over those seeds; a tie goes to the
    lower validation loss) is run afresh with every report seed, and only these runs are looked at on test.

    Parameters
    ----------
    searches : mapping of label to Search
        A class of torch.optim is searched as ``Search(FromTorch(torch.optim.Adam), ...)``.
    task : Task
        One of `optim_lib.tasks`.
    trials : int, default 12
    budget : int, optional
        How many steps a run takes; by default the task's.
    tuning_seeds, report_seeds : iterable of int
        Without a seed in common.
    schedule, clip_norm
        As in `Task.run`.
    measures : mapping of str to callable, optional
        More to report: each is called with the `Record` of a report run.
    cache : path, optional
        A folder for CSV files of results, one a task. A run that is there is not run again, unless the code that it
        reaches has changed, or its data. The files are kept while runs go on: after a kill, the rest is run.
    n_jobs : int, optional
        How many runs at once, as in joblib: 1 by default, or what ``joblib.parallel_config`` says. With
        ``joblib.parallel_config(backend="dask")`` they go to a Dask cluster. The numbers do not depend on it.
    progress : bool, default True

    Returns
    -------
    Tuning
        Each `Tuned` has results ``test_score``, ``validation_score``, ``train_loss``, ``validation_loss``, ``diverged``
        and the measures asked for, one number for each report seed; and ``cost``, measured here and now.

    Raises
    ------
    ValueError
        If the seeds overlap, or an argument is out of range.

    Examples
    --------
    >>> from optim_lib import tasks
    >>> from optim_lib.optimizers import SGD, Adam
    >>> from optim_lib.training import LogUniform
    >>> rates = {"SGD": LogUniform(0.01, 10.0), "Adam": LogUniform(0.01, 10.0)}
    >>> searches = {c.__name__: Search(c, learning_rate=rates[c.__name__]) for c in (SGD, Adam)}
    >>> result = compare(searches, tasks.regression, trials=4, report_seeds=range(3), progress=False)
    >>> round(result["SGD"].setting["learning_rate"], 6), result["SGD"].at_edge
    (1.0, [])
    """
    check_searches(searches)
    check_measures(measures or {})
    if not hasattr(task, "run") or not hasattr(task, "budget"):
        raise TypeError(f"task must be one of optim_lib.tasks, or a Supervised of a dataset, got {type(task).__name__}")
    tuning_seeds, report_seeds = check_seeds(tuning_seeds, report_seeds)
    steps = task.budget if budget is None else budget
    plan = _Plan(task, steps, schedule, clip_norm, dict(measures or {}))
    runs = _Runs(plan, searches, cache, n_jobs, progress)
    settings = {label: _one_by_one(search.settings(trials)) for label, search in searches.items()}
    jobs = [_Job(label, s, seed) for label in searches for s in settings[label] for seed in tuning_seeds]
    tried = runs.results(jobs)
    scores, best = {}, {}
    for label in searches:
        rows = [[tried[_Job(label, s, seed).name] for seed in tuning_seeds] for s in settings[label]]
        scores[label] = _means(rows, "score")
        losses = np.nan_to_num(_means(rows, "validation_loss"), nan=0.0)
        order = np.lexsort((losses, scores[label] if task.lower_is_better else -scores[label]))
        best[label] = settings[label][order[0]]
    reported = runs.results([_Job(label, best[label], seed) for label in searches for seed in report_seeds])
    tuned = {}
    for label, search in searches.items():
        rows = [reported[_Job(label, best[label], seed).name] for seed in report_seeds]
        tuned[label] = Tuned(
            label=label,
            setting=best[label],
            at_edge=search.edges(best[label]),
            settings=search.settings(trials),
            scores=scores[label],
            results=_report(rows, plan.measures),
            histories=None,
            curves=[(_numbers(row["evaluated_at"]), _numbers(row["scores"])) for row in rows],
            cost=_cost(search.optimizer(**best[label]), task),
        )
    conditions = (
        f"{task.name}: {plural(trials, 'setting')} for each optimizer, {plural(steps, 'step')}; chosen by validation "
        f"{task.metric} over {plural(len(tuning_seeds), 'seed')}; median (lowest to highest) over "
        f"{plural(len(report_seeds), 'other seed')}."
    )
    titles = {"test_score": f"test {task.metric}", "validation_score": f"validation {task.metric}"}
    return Tuning(tuned, conditions, columns=("test_score", *plan.measures), titles=titles)


@dataclass(frozen=True)
class _Plan:
    """What all runs of a comparison have in common."""

    task: Task
    budget: int
    schedule: StepSchedule | None
    clip_norm: float | None
    measures: dict[str, Callable[[Record], float]]

    def run(self, optimizer: Callable[..., Any], setting: dict[str, Any], seed: int) -> Row:
        make = partial(optimizer, **setting)
        record = self.task.run(make, self.budget, seed, schedule=self.schedule, clip_norm=self.clip_norm)
        return {
            "score": repr(record.score),
            "test_score": repr(record.test_score),
            "train_loss": repr(record.train_loss),
            "validation_loss": repr(record.validation_loss),
            "diverged_at": "" if record.diverged_at is None else str(record.diverged_at),
            "seconds": f"{record.seconds:.4f}",
            "evaluated_at": " ".join(map(str, record.evaluated_at.tolist())),
            "scores": " ".join(map(repr, record.scores.tolist())),
            "measures": json.dumps({name: float(measure(record)) for name, measure in self.measures.items()}),
        }

    def words(self) -> Row:
        schedule = getattr(self.schedule, "func", self.schedule)
        return {
            "task": self.task.name,
            "budget": str(self.budget),
            "schedule": "" if schedule is None else getattr(schedule, "__name__", type(schedule).__name__),
            "clip_norm": "" if self.clip_norm is None else repr(float(self.clip_norm)),
        }

    def fingerprint(self, optimizer: Callable[..., Any]) -> str:
        made = getattr(self.task, "data", None)
        data = None if made is None else [(part.x, part.y) for part in (made.train, made.validation, made.test)]
        return fingerprint(self.task, self.budget, self.schedule, self.clip_norm, self.measures, data, optimizer)


@dataclass(frozen=True)
class _Job:
    label: str
    setting: dict[str, Any]
    seed: int

    @property
    def name(self) -> tuple[str, str, int]:
        return self.label, json.dumps(self.setting, sort_keys=True), int(self.seed)


class _Runs:
    """Runs jobs, or finds what they gave the last time."""

    def __init__(
        self,
        plan: _Plan,
        searches: Mapping[str, Search],
        cache: str | os.PathLike | None,
        n_jobs: int | None,
        progress: bool,
    ) -> None:
        self.plan, self.searches, self.n_jobs, self.progress = plan, searches, n_jobs, progress
        self.store = None if cache is None else Results(cache, plan.task.name)
        optimizers = {label: search.optimizer for label, search in searches.items()}
        self.prints = {} if cache is None else {label: plan.fingerprint(made) for label, made in optimizers.items()}

    def results(self, jobs: list[_Job]) -> dict[tuple, Row]:
        with needed():
            import joblib

        keys = {job.name: self._key(job) for job in jobs}
        known = self.store.read() if self.store else {}
        found = {name: known[key] for name, key in keys.items() if key in known}
        missing = list({job.name: job for job in jobs if job.name not in found}.values())
        shown = {"desc": "runs", "leave": False, "disable": not self.progress}
        with progress_bar(total=len(jobs), initial=len(found), **shown) as bar:
            # Block by block, so that what is done is kept: not every backend of joblib hands over results one by one.
            parallel = joblib.Parallel(n_jobs=self.n_jobs)
            workers = joblib.effective_n_jobs(self.n_jobs) if self.n_jobs is not None else parallel.n_jobs
            size = max(2, 2 * abs(int(workers or 1)))
            for start in range(0, len(missing), size):
                block = missing[start : start + size]
                rows = self._run_all(parallel, block, len(jobs) - len(missing) + start, len(jobs))
                named = {job.name: self._named(job, keys[job.name], row) for job, row in zip(block, rows, strict=True)}
                found |= named
                if self.store:
                    self.store.add(named.values())
                bar.update(len(block))
        return found

    def _run_all(self, parallel: Any, block: list[_Job], done: int, of: int) -> list[Row]:
        """A block of runs; if the user stops it, the workers end too, and it is said what is kept."""
        import joblib

        try:
            return parallel(joblib.delayed(self._work(job))() for job in block)
        except KeyboardInterrupt:
            _end_workers()
            path = self.store.path if self.store else None
            kept = f"are in {path}; the same call goes on from there" if path else "are not kept, without a cache"
            raise KeyboardInterrupt(f"compare was stopped; {done} of {of} runs are done and {kept}") from None

    def _work(self, job: _Job) -> Callable[[], Row]:
        run = partial(self.plan.run, self.searches[job.label].optimizer, job.setting, job.seed)
        return partial(_for_this_process, os.getpid(), run)

    def _key(self, job: _Job) -> str:
        return fingerprint(self.prints.get(job.label), *job.name[1:])

    def _named(self, job: _Job, key: str, row: Row) -> Row:
        optimizer = self.searches[job.label].optimizer.__name__
        words = {"key": key, "optimizer": optimizer, "setting": job.name[1], "seed": str(job.seed)}
        return words | self.plan.words() | row


def _for_this_process(parent: int, run: Callable[[], Row]) -> Row:
    end_with(parent)
    return run()


def _end_workers() -> None:
    """End the processes that joblib keeps for later, and do not wait for what they are at."""
    with suppress(Exception):
        from joblib.externals.loky import reusable_executor

        executor = reusable_executor._executor
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)


def _one_by_one(settings: Mapping[str, NDArray]) -> list[dict[str, Any]]:
    return [dict(zip(settings, map(plain, values), strict=True)) for values in zip(*settings.values(), strict=True)]


def _means(rows: list[list[Row]], name: str) -> Array:
    return np.array([np.mean([float(row[name]) for row in of_setting]) for of_setting in rows])


def _report(rows: list[Row], measures: Mapping[str, Any]) -> dict[str, Array]:
    columns = {"test_score": "test_score", "validation_score": "score", "train_loss": "train_loss"}
    columns["validation_loss"] = "validation_loss"
    results = {name: np.array([float(row[column]) for row in rows]) for name, column in columns.items()}
    results["diverged"] = np.array([float(row["diverged_at"] != "") for row in rows])
    return results | {name: np.array([json.loads(row["measures"])[name] for row in rows]) for name in measures}


def _numbers(text: str) -> Array:
    return np.array([float(word) for word in text.split()])


def _cost(optimizer: Any, task: Task) -> Any:
    return step_cost(optimizer, task.model(0).initialize(0))
