"""The laptop speedrun: how few steps to a target loss? ``python -m experiments.speedrun`` shows the records.

Everything but the optimizer is frozen: data, model, initialization, batches, and the target. An entry is a function
that makes an optimizer, and a schedule. Its score is the number of steps after which the validation loss, looked at
every five steps, is first at the target or below; a run that has not come there within the limit has no number.

An entry is a record if it beats the record before it on the same seeds: an exact sign-flip test over the differences,
seed by seed, with p < 0.01. Ten seeds decide, those of `SEEDS`; whatever is tuned is tuned on others. A lucky seed is
of no use: with nine seeds level the test cannot be passed.

    python -m experiments.speedrun                 the records, and all entries with their intervals
    python -m experiments.speedrun run text adam   measure an entry, store it, and say whether it is a record
    python -m experiments.speedrun check text      run the record again on two seeds, beside what is stored
    python -m experiments.speedrun tune text       find the rate of each rule: five, on seeds that do not count
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments import modern
from experiments.claims.rule import sign_flip
from optim_lib import tasks
from optim_lib.optimizers import (
    SOAP,
    Adam,
    AdamHyperball,
    AdamW,
    Muon,
    MuonHyperball,
    ParameterGroups,
)
from optim_lib.tasks.supervised import Supervised
from optim_lib.training.runs import Steps, batches_of, evaluate

RESULTS = Path(__file__).parent / "results" / "speedrun.csv"
SEEDS, TUNING_SEEDS = tuple(range(10)), (100, 101)
EVERY, WARMUP, ALPHA = 5, 10, 0.01

Rule = Callable[..., Any]
Schedule = Callable[[float, float], float]


@dataclass(frozen=True)
class Track:
    """What is frozen: a task with its data, model and batches, the target, and the most steps that a run may take."""

    task: Supervised
    target: float
    limit: int
    ends: tuple[str, ...]  # the names of the first and the last layer begin so

    def is_end(self, name: str, theta: NDArray) -> bool:
        return name.startswith(self.ends)


TRACKS = {
    "text": Track(modern.text, target=2.8, limit=160, ends=("symbol", "place", "head")),
    "digits": Track(tasks.digits_cnn, target=0.25, limit=200, ends=("8.",)),
}


@dataclass(frozen=True)
class Entry:
    """An optimizer for a track: a function that makes it, a schedule, and the idea in a few words."""

    make: Callable[[], Any]
    schedule: Schedule
    idea: str


def warm(rate: float, step: float) -> float:
    """A constant rate, after ten steps to warm up."""
    return rate * min(1.0, (step + 1) / WARMUP)


# The run --------------------------------------------------------------------------------------------------


def steps_to_target(track: Track, entry: Entry, seed: int) -> float:
    """The score of an entry on one seed; infinite if the limit is reached first."""
    model, data = track.task.model(seed), track.task.data
    run = Steps(entry.make(), entry.schedule, None)
    run.begin(model.initialize(seed))
    epoch = 0
    while run.step < track.limit:
        for batch in batches_of(len(data.train.x), track.task.batch_size, seed, epoch):
            x, y = data.train.x[batch], data.train.y[batch]
            run.take(lambda params, x=x, y=y: model.loss_and_gradients(params, x, y), run.step)
            if run.diverged_at is not None or run.step >= track.limit:
                break
            if run.step % EVERY == 0 and evaluate(model, run.params, data.validation)[0] <= track.target:
                return float(run.step)
        if run.diverged_at is not None:
            break
        epoch += 1
    return math.inf


def beats(new: Sequence[float], record: Sequence[float]) -> bool:
    """Whether an entry is a record: fewer steps than the one before, by the exact test, on enough shared seeds.

    >>> beats([90.0] * 10, [100.0] * 10), beats([20.0] + [100.0] * 9, [100.0] * 10)
    (True, False)
    """
    if len(new) != len(record) or len(new) < len(SEEDS):
        raise ValueError(f"an entry needs the same {len(SEEDS)} seeds as the record, got {len(new)} and {len(record)}")
    with np.errstate(invalid="ignore"):  # neither came to the target: level
        difference = np.nan_to_num(np.subtract(record, new), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return sign_flip(difference) < ALPHA


def interval(steps: Sequence[float]) -> tuple[float, float]:
    """The second lowest and second highest: of ten runs, an exact interval of 97.9 % for the median."""
    ordered = sorted(steps)
    return ordered[1], ordered[-2]


# The entries: the code of each, in the order in which they came ------------------------------------------


def with_adam(track: Track, rule: Rule, rate: float, **options: Any) -> ParameterGroups:
    """A rule for hidden matrices, and Adam at a share of its rate for the ends of the network and for vectors."""
    adam = AdamW(rate * modern.SHARE, beta2=0.95, weight_decay=0.0)
    return ParameterGroups({track.is_end: adam, "*": rule(rate, adam_ratio=modern.SHARE, **options)})


# Each rule with a rate, as a function of both; what is not said is at its default.
RULES: dict[str, tuple[Callable[[Track, float], Any], str]] = {
    "adam": (lambda track, rate: Adam(rate), "the baseline"),
    "adamw": (lambda track, rate: AdamW(rate, beta2=0.95, weight_decay=0.1), "the recipe of large language models"),
    "adam hyperball": (partial(with_adam, rule=AdamHyperball), "matrices keep their norm, and turn"),
    "soap": (lambda track, rate: SOAP(rate, precondition_frequency=2, weight_decay=0.0), "Adam in Shampoo's basis"),
    "muon": (partial(with_adam, rule=Muon), "every direction of a matrix alike"),
    "muon hyperball": (partial(with_adam, rule=MuonHyperball), "and matrices keep their norm"),
    "muon without momentum": (partial(with_adam, rule=Muon, momentum=0.0), "what is momentum good for?"),
}
GRID = {
    "adam": np.geomspace(0.003, 0.1, 5),
    "adamw": np.geomspace(0.003, 0.1, 5),
    "adam hyperball": np.geomspace(0.03, 1.0, 5),
    "soap": np.geomspace(0.003, 0.1, 5),
    "muon": np.geomspace(0.02, 0.6, 5),
    "muon hyperball": np.geomspace(0.02, 1.0, 5),
    "muon without momentum": np.geomspace(0.02, 0.6, 5),
}
# What `tune` found.
TUNED: dict[str, dict[str, float]] = {
    "text": {
        "adam": 0.0173,
        "adamw": 0.0173,
        "adam hyperball": 0.416,
        "soap": 0.0416,
        "muon": 0.0468,
        "muon hyperball": 0.376,
        "muon without momentum": 0.11,
    },
    "digits": {
        "adam": 0.0173,
        "adamw": 0.0173,
        "adam hyperball": 0.128,
        "soap": 0.0173,
        "muon": 0.0468,
        "muon hyperball": 0.376,
        "muon without momentum": 0.11,
    },
}


def entries(track: str) -> dict[str, Entry]:
    """The entries of a track by name, in order. A new one is a line of `RULES`, or an `Entry` added here."""
    return {name: tuned_entry(track, name, rate) for name, rate in TUNED[track].items()}


def tuned_entry(track: str, name: str, rate: float) -> Entry:
    make, idea = RULES[name]
    return Entry(lambda: make(track=TRACKS[track], rate=rate), warm, idea)


# The table ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One entry: its median with an interval, and whether it was a record when it came."""

    track: str
    entry: str
    idea: str
    median: float
    low: float
    high: float
    record: bool


def load(path: Path = RESULTS) -> dict[str, dict[str, list[float]]]:
    """The stored steps of each track and entry, by seed."""
    found: dict[str, dict[str, list[float]]] = {track: {} for track in TRACKS}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["track"]].setdefault(row["entry"], []).append(float(row["steps"]))
    return found


def save(results: Mapping[str, Mapping[str, Sequence[float]]], path: Path = RESULTS) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["track", "entry", "seed", "steps"])
        for track, scores in results.items():
            for entry, steps in scores.items():
                writer.writerows([track, entry, seed, f"{each:g}"] for seed, each in zip(SEEDS, steps, strict=True))


def history(track: str, results: Mapping[str, Sequence[float]] | None = None) -> list[Row]:
    """All entries of a track in order; each is measured against the record of its time."""
    results = load()[track] if results is None else results
    rows, best = [], None
    for name, entry in entries(track).items():
        if name not in results:
            continue
        steps = results[name]
        is_record = best is None or beats(steps, best)
        best = steps if is_record else best
        rows.append(Row(track, name, entry.idea, float(np.median(steps)), *interval(steps), is_record))
    return rows


def record(track: str) -> str:
    """The name of the entry that holds the record."""
    return [row.entry for row in history(track) if row.record][-1]


def same(one: float, other: float) -> bool:
    """Whether a run came to the target as on the machine that stored it: last bits may move it by a few looks."""
    return abs(one - other) <= max(3 * EVERY, 0.2 * other) or one == other


def table(track: str) -> list[dict[str, Any]]:
    """The rows of `history` in words, for `plotting.table`."""
    return [
        {
            "entry": row.entry,
            "idea": row.idea,
            "steps": f"{row.median:g} ({row.low:g} to {row.high:g})",
            "record": "yes" if row.record else "",
        }
        for row in history(track)
    ]


# The command ----------------------------------------------------------------------------------------------


def run(track: str, name: str) -> None:
    entry = entries(track)[name]
    steps = [steps_to_target(TRACKS[track], entry, seed) for seed in SEEDS]
    results = load()
    results[track][name] = steps
    save({each: {name: found[name] for name in entries(each) if name in found} for each, found in results.items()})
    print(next(row for row in history(track, results[track]) if row.entry == name))


def check(track: str, seeds: Sequence[int] = SEEDS[:2]) -> bool:
    """Run the record again, and compare with what is stored."""
    name = record(track)
    stored, entry = load()[track][name], entries(track)[name]
    again = [steps_to_target(TRACKS[track], entry, seed) for seed in seeds]
    print(f"{track}, {name}: {again} steps, stored {[stored[seed] for seed in seeds]}")
    return all(same(steps, stored[seed]) for seed, steps in zip(seeds, again, strict=True))


def tune(track: str) -> None:
    for name, rates in GRID.items():
        scores = []
        for rate in rates:
            steps = [steps_to_target(TRACKS[track], tuned_entry(track, name, rate), seed) for seed in TUNING_SEEDS]
            scores.append(np.mean(np.minimum(steps, 2 * TRACKS[track].limit)))
        best = int(np.argmin(scores))
        edge = ", at an end of the range" if best in (0, len(rates) - 1) else ""
        print(f"{track}, {name}: {rates[best]:.3g}{edge}; {np.round(scores).tolist()}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments.speedrun", description=__doc__.partition("\n")[0])
    parser.add_argument("command", nargs="?", choices=["show", "run", "check", "tune"], default="show")
    parser.add_argument("track", nargs="?", choices=TRACKS)
    parser.add_argument("entry", nargs="*", help="of run: names of entries; by default those without a result")
    options = parser.parse_args(arguments)
    tracks = [options.track] if options.track else list(TRACKS)
    if options.command == "check":
        agree = [check(track) for track in tracks]
        return 0 if all(agree) else 1
    for track in tracks:
        if options.command == "tune":
            tune(track)
        elif options.command == "run":
            unknown = [name for name in options.entry if name not in entries(track)]
            if unknown:
                parser.error(f"{track} has no entry {', '.join(unknown)}; it has {', '.join(entries(track))}")
            for name in options.entry or [name for name in entries(track) if name not in load()[track]]:
                run(track, name)
        else:
            print(f"{track}: validation loss {TRACKS[track].target:g}, looked at every {EVERY} steps")
            for row in table(track):
                print(f"  {row['entry']:24} {row['steps']:20} {'record' if row['record'] else '':8} {row['idea']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
