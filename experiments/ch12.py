"""Chapter 12, choosing: every optimizer of the article's table, tuned alike, on ten tasks.

``python -m experiments.ch12`` runs the comparison (several minutes on one core) and writes its runs to
``experiments/claims/results/comparison.csv``, which the chapter reads.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.claims.results import Results
from experiments.claims.rule import Contrast, judge, test_metric
from experiments.searching import Found, search
from optim_lib import plotting, tasks
from optim_lib.data import Dataset, Split, digits
from optim_lib.descent import sweep
from optim_lib.landscapes import Landscape
from optim_lib.networks import MLP, Params
from optim_lib.optimizers import (
    LAMB,
    LARS,
    SGD,
    SOAP,
    Adafactor,
    AdaGrad,
    Adam,
    AdamW,
    Lion,
    MomentumSGD,
    Muon,
    NesterovMomentum,
    RMSprop,
    ScheduleFreeAdamW,
)
from optim_lib.schedules import warmup_cosine
from optim_lib.tasks import Supervised, Task
from optim_lib.tasks.supervised import few
from optim_lib.threads import one_thread
from optim_lib.training import Search, step_cost, train

# What the usual table of optimizers has; of a range, its middle.
UNTUNED_RATES = {
    "SGD": 0.03, "SGD + momentum": 0.03, "Nesterov": 0.03, "AdaGrad": 0.01,
    "RMSprop": 0.001, "Adam": 0.001, "AdamW": 0.001, "LAMB": 0.001,
}  # fmt: skip
# Rates to try, two a decade, so that a person can read them; a task that wants larger ones shifts its window.
LATTICE = [float(f"{digit}e{power}") for power in range(-5, 4) for digit in (1, 3)]
TRIALS = 8
OPTIMIZERS: dict[str, tuple[Any, float, dict[str, float]]] = {
    "SGD": (SGD, 1e-2, {}),
    "SGD + momentum": (MomentumSGD, 1e-3, {"momentum": 0.9}),
    "Nesterov": (NesterovMomentum, 1e-3, {"momentum": 0.9}),
    "AdaGrad": (AdaGrad, 3e-3, {}),
    "RMSprop": (RMSprop, 1e-4, {}),
    "Adam": (Adam, 3e-4, {}),
    "AdamW": (AdamW, 3e-4, {"weight_decay": 0.1}),
    "LAMB": (LAMB, 1e-3, {"weight_decay": 0.01}),
    "LARS": (LARS, 1e-1, {"momentum": 0.9}),
}


def fine_tuning_data() -> Dataset:
    """A hundred digits from 5 to 9, and all others of these classes to be judged by."""
    data = digits()
    parts = {part: _classes(getattr(data, part), 5, 9) for part in ("train", "validation", "test")}
    return few(replace(data, **parts), 100, 1000, 1000)


def _classes(split: Split, first: int, last: int) -> Split:
    chosen = (split.y >= first) & (split.y <= last)
    return Split(split.x[chosen], split.y[chosen] - first)


@dataclass(frozen=True, repr=False, init=False)
class Pretrained(MLP):
    """A network that has learned the digits from 0 to 4, with a new last layer for those from 5 to 9."""

    def initialize(self, seed: int | np.random.Generator = 0) -> Params:
        data = digits()
        parts = {part: _classes(getattr(data, part), 0, 4) for part in ("train", "validation", "test")}
        fresh = MLP(self.sizes).initialize(seed)
        learned = train(MLP(self.sizes), Adam(0.003), replace(data, **parts), epochs=10, seed=7, progress=False).params
        return {name: learned[name] if name in ("W1", "b1") else fresh[name] for name in fresh}


def pretrained(seed: int = 0) -> Pretrained:
    return Pretrained((64, 32, 5))


fine_tuning = Supervised("fine-tuning", "accuracy", False, 60, fine_tuning_data, pretrained, 20)
large_batch = replace(tasks.digits_mlp, name="one large batch", budget=20, batch_size=None)


@dataclass(frozen=True)
class Contest:
    """A task of the comparison, and how it is run: the same for every optimizer."""

    task: Task
    budget: int
    warmed_up: bool = True
    shift: int = 0
    fine: bool = True
    coarse_seeds: tuple[int, ...] = (100, 101)
    also: tuple[str, ...] = ()

    def searches(self) -> dict[str, Search]:
        """For each optimizer `TRIALS` rates in a row, from its own lowest on, shifted by `shift` half decades."""
        found = {}
        for label, (optimizer, lowest, fixed) in OPTIMIZERS.items():
            if label == "LARS" and label not in self.also:
                continue
            first = LATTICE.index(lowest) + self.shift
            found[label] = Search(optimizer, learning_rate=LATTICE[first : first + TRIALS], **fixed)
        return found

    def untuned(self) -> dict[str, Search]:
        """Adam at its default rate."""
        return {"Adam": Search(Adam, learning_rate=UNTUNED_RATES["Adam"])}

    def run(self, searches: dict[str, Search], cache: Any = None) -> dict[str, Found]:
        schedule = partial(warmup_cosine, warmup_epochs=self.budget // 10) if self.warmed_up else None
        how = {} if self.fine else {"fine_seeds": (), "report_seeds": range(8)}
        return search(searches, self.task, trials=TRIALS, budget=self.budget, schedule=schedule,
                      coarse_seeds=self.coarse_seeds, cache=cache, **how)  # fmt: skip


CONTESTS = (
    Contest(tasks.digits_mlp, 340),
    Contest(tasks.digits_cnn, 204, fine=False),
    Contest(fine_tuning, 60),
    Contest(large_batch, 20, shift=1, also=("LARS",)),
    Contest(tasks.sparse_words, 160),
    Contest(tasks.regression, 300, warmed_up=False, shift=2),
    Contest(tasks.char_transformer, 100, fine=False, coarse_seeds=(100,)),
    Contest(tasks.recurrent, 100, fine=False, coarse_seeds=(100,)),
    Contest(tasks.cartpole_policy, 40, warmed_up=False, fine=False),
    Contest(tasks.cartpole_value, 1200, warmed_up=False, fine=False),
)


# The committed results -------------------------------------------------------------------------------

RESULTS = Path(__file__).parent / "claims" / "results" / "comparison.csv"
COLUMNS = ("task", "optimizer", "learning_rate", "phase", "seed", "validation", "validation_loss", "test")


def write_results(cache: str | Path | None = None, file: Path = RESULTS, contests: Iterable[Contest] = ()) -> None:
    """Run the whole comparison, and write one row for each rate tried and for each report seed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for contest in contests or CONTESTS:
        for one in contest.run(contest.searches(), cache).values():
            name = (contest.task.name, one.label)
            for phase, (rates, scores) in (("coarse", one.coarse), ("fine", one.fine)):
                for rate, score in zip(rates, scores, strict=True):
                    writer.writerow([*name, f"{rate:g}", phase, "", f"{score:.6g}", "", ""])
            writer.writerows(_reported(name, "report", one))
        for one in contest.run(contest.untuned(), cache).values():
            writer.writerows(_reported((contest.task.name, one.label), "untuned", one))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.getvalue(), encoding="utf-8")


def _reported(name: tuple[str, str], phase: str, one: Found) -> list[list[object]]:
    rate, columns = f"{one.setting['learning_rate']:g}", ("validation_score", "validation_loss", "test_score")
    rows = zip(*(one.results[column] for column in columns), strict=True)
    return [[*name, rate, phase, seed, *(f"{value:.6g}" for value in row)] for seed, row in enumerate(rows)]


@dataclass(frozen=True)
class Entrant:
    """An optimizer on a task: what was tried, what was chosen, and the test results of the report seeds.

    `rates` and `scores` are those of the first, coarse pass; `at_edge` says whether its best is the first or the last.
    """

    label: str
    rates: NDArray[np.floating]
    scores: NDArray[np.floating]
    rate: float
    test: NDArray[np.floating]
    at_edge: bool = False

    @property
    def median(self) -> float:
        return float(np.median(self.test))


@dataclass(frozen=True)
class Field:
    """All entrants of one task: tuned, and at the rate of the usual table."""

    contest: Contest
    entrants: dict[str, Entrant]
    untuned: dict[str, Entrant]

    @property
    def name(self) -> str:
        return self.contest.task.name

    @property
    def lower_is_better(self) -> bool:
        return self.contest.task.lower_is_better

    def best(self, among: Iterable[str] | None = None) -> Entrant:
        """The one with the best median on test."""
        chosen = [self.entrants[label] for label in (among or self.entrants)]
        return (min if self.lower_is_better else max)(chosen, key=lambda entrant: entrant.median)

    @cached_property
    def standing(self) -> dict[str, str]:
        """How everyone stands to the best: "best", "level", "behind" or "open", by the rule of the claims ledger."""
        best, metric = self.best(), test_metric(self.contest.task.metric)
        results = Results()
        for label, one in self.entrants.items():
            results.add(label, metric, one.test)
        others = [label for label in self.entrants if label != best.label]
        expects = "lower" if self.lower_is_better else "higher"
        contrasts = [Contrast(label, f"{best.label}/{metric}", f"{label}/{metric}", expects) for label in others]
        words = {"for": "behind", "level": "level", "open": "open", "against": "open"}
        return {best.label: "best"} | {o.contrast.part: words[o.word] for o in judge(contrasts, results)}

    def which(self, *standings: str) -> list[str]:
        """The labels of those that stand so."""
        return [label for label in self.entrants if self.standing[label] in standings]


def read_results(file: Path = RESULTS) -> dict[str, Field]:
    """The committed comparison, by task."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {
        contest.task.name: Field(contest, _read(rows, contest, "report"), _read(rows, contest, "untuned"))
        for contest in CONTESTS
    }


def _read(rows: list[dict[str, str]], contest: Contest, phase: str) -> dict[str, Entrant]:
    found: dict[str, Entrant] = {}
    ours = [row for row in rows if row["task"] == contest.task.name]
    for label in dict.fromkeys(row["optimizer"] for row in ours if row["phase"] == phase):
        tried = [row for row in ours if (row["optimizer"], row["phase"]) == (label, "coarse")]
        report = [row for row in ours if (row["optimizer"], row["phase"]) == (label, phase)]
        rates, scores = (
            np.array([float(row[name]) for row in tried if phase == "report"])
            for name in ("learning_rate", "validation")
        )
        best = (scores if contest.task.lower_is_better else -scores).argmin() if scores.size else None
        found[label] = Entrant(
            label,
            rates=rates,
            scores=scores,
            at_edge=best is not None and best in (0, scores.size - 1),
            rate=float(report[0]["learning_rate"]),
            test=np.array([float(row["test"]) for row in report]),
        )
    return found


def results_table(fields: dict[str, Field], caption: str = "") -> Any:
    """Median test results: a row for each task, a column for each optimizer; bold what is level with the best."""
    labels = [label for label in OPTIMIZERS if label != "LARS"]
    headings = {"task": "task", **{label: label.replace("SGD + ", "") for label in labels}}
    rows = []
    for field in fields.values():
        cells = {label: _cell(field, label) for label in labels}
        rows.append({"task": f"{field.name} {'↓' if field.lower_is_better else '↑'}", **cells})
    notes = [
        "Accuracy on the digits, log loss on topics and characters, loss of the regression, ticks of 200 for poles; "
        "↑ higher is better, ↓ lower. Bold: the best, and who is level with it by the rule below. A question mark: the "
        "seeds cannot tell it from the best.",
        *(f"On {f.name}, LARS: {_cell(f, 'LARS')}." for f in fields.values() if "LARS" in f.entrants),
    ]
    return plotting.table(rows, headings, caption=caption, notes=notes)


def _cell(field: Field, label: str) -> str:
    value, standing = field.entrants[label].median, field.standing[label]
    text = "diverged" if not np.isfinite(value) else f"{value:.3g}" if value >= 0.01 else f"{value:.0e}"
    return f"**{text}**" if standing in ("best", "level") else f"{text} ?" if standing == "open" else text


ARTICLE_RATES = {
    "SGD": (0.01, 0.1), "SGD + momentum": (0.01, 0.1), "Nesterov": (0.01, 0.1), "AdaGrad": (0.01, 0.01),
    "RMSprop": (0.001, 0.001), "Adam": (0.001, 0.001), "AdamW": (0.001, 0.001), "LAMB": (0.001, 0.001),
}  # fmt: skip


def rate_span(fields: dict[str, Field], label: str) -> tuple[float, float]:
    """The lowest and the highest rate that was chosen for an optimizer, over the tasks."""
    rates = [field.entrants[label].rate for field in fields.values()]
    return min(rates), max(rates)


def level_count(fields: dict[str, Field], label: str) -> int:
    """On how many tasks an optimizer is the best or level with it."""
    return sum(field.standing[label] in ("best", "level") for field in fields.values())


def behind_count(fields: dict[str, Field], label: str) -> int:
    """On how many tasks an optimizer is behind the best."""
    return sum(field.standing[label] == "behind" for field in fields.values())


def expected_best(field: Field, label: str) -> NDArray[np.floating]:
    """The validation score to expect from the best of k rates drawn at random from those tried, k = 1, 2, ...

    Exact: the mean over all subsets (Dodge et al. 2019). A rate that diverges counts as the worst that did not.
    """
    scores = field.entrants[label].scores
    finite = np.isfinite(scores)
    scores = np.where(finite, scores, scores[finite].max() if field.lower_is_better else scores[finite].min())
    best: Callable = min if field.lower_is_better else max
    return np.array([np.mean([best(drawn) for drawn in combinations(scores, k)]) for k in range(1, len(scores) + 1)])


def costs(shapes: dict[str, tuple[int, ...]], repeats: int = 30) -> list[dict[str, object]]:
    """Numbers of state for each parameter, and the time of a step over that of SGD (which differs by machine)."""
    rng = np.random.default_rng(0)
    params = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    made = {label: make(**fixed) for label, (make, _, fixed) in OPTIMIZERS.items()}
    made |= {rule.__name__: rule() for rule in (Lion, Adafactor, ScheduleFreeAdamW, Muon, SOAP)}
    measured = {label: step_cost(optimizer, params, repeats) for label, optimizer in made.items()}
    return [
        {
            "optimizer": label,
            "state": cost.state_bytes / cost.parameter_bytes,
            "microseconds": 1e6 * cost.seconds,
            "times SGD": cost.seconds / measured["SGD"].seconds,
        }
        for label, cost in measured.items()
    ]


def transformer_scores(beta1: float, beta2: float, seeds: Iterable[int] = range(3)) -> list[float]:
    """Test nats per character of AdamW on the transformer, as in the comparison but with other coefficients."""
    task, schedule = tasks.char_transformer, partial(warmup_cosine, warmup_epochs=10)
    optimizer = AdamW(0.01, beta1=beta1, beta2=beta2, weight_decay=0.1)
    return [task.run(optimizer, 100, seed, schedule=schedule).test_score for seed in seeds]


# A race between tuned optimizers ----------------------------------------------------------------------

RATES = np.geomspace(1e-4, 10.0, 101)
RACERS = ("SGD", "SGD + momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam")


def tuned_entries(landscape: Landscape, start: tuple[float, float], steps: int) -> dict[str, tuple[Any, dict]]:
    """Entries for a race, each with its own best rate from one start as the unit of the shared slider.

    Best of `RATES` by the loss after `steps` steps: the same search for everyone.
    """
    entries = {}
    for label in RACERS:
        optimizer, _, fixed = OPTIMIZERS[label]
        ends = sweep(optimizer, landscape, start, steps, learning_rate=RATES, **fixed).losses[:, -1]
        best = float(RATES[np.argmin(np.where(np.isfinite(ends), ends, np.inf))])
        entries[label] = (optimizer, {**fixed, "rate_scale": best})
    return entries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cache", help="a folder for single runs, so that an interrupted comparison goes on")
    with one_thread():
        write_results(parser.parse_args().cache)


if __name__ == "__main__":
    main()
