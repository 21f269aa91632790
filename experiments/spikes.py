"""Loss spikes: bad batches in a run of Adam, with a short and a long second memory, clipped and not.

``python -m experiments.spikes`` measures them all (a minute), and writes what the figure and the table of chapter 11
read. A run *breaks* if its loss on the validation digits rises above ln 10, what guessing costs, and is *lost* if 60
steps after the first bad batch it is still above what it was before.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from itertools import chain, count, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments import ch11, modern
from optim_lib.optimizers import Adam, clip_by_global_norm
from optim_lib.tasks.supervised import Supervised
from optim_lib.training.runs import batches_of, evaluate

Array = NDArray[np.float64]
Spoil = Callable[[NDArray, NDArray], tuple[NDArray, NDArray]]

RESULTS = Path(__file__).parent / "results" / "spikes.csv"
RATES, BAD_BATCHES, SEEDS = (0.003, 0.01, 0.03, 0.1), (1, 3, 10), tuple(range(12))
AFTER, EVERY = 60, 2
GUESSING = math.log(10)
KITS = {
    "β₂ 0.999": (0.999, math.inf),
    "β₂ 0.999, clipped": (0.999, 1.0),
    "β₂ 0.95": (0.95, math.inf),
    "β₂ 0.95, clipped": (0.95, 1.0),
}


def runs(rate: float, bad: int, kit: str, seeds: tuple[int, ...] = SEEDS) -> Array:
    """The validation losses from just before the first bad batch on; of shape (seeds, AFTER + 1)."""
    beta2, max_norm = KITS[kit]
    with np.errstate(over="ignore", invalid="ignore"):
        losses = [ch11.spike(Adam(rate, beta2=beta2), seed, max_norm, after=AFTER, bad=bad) for seed in seeds]
    return np.nan_to_num(losses, nan=np.inf, posinf=np.inf)


def broken(losses: Array) -> int:
    """How many of the runs break."""
    return int((losses.max(axis=1) > GUESSING).sum())


def lost(losses: Array) -> int:
    """How many of the runs are no lower at the end than before the first bad batch."""
    return int((losses[:, -1] > losses[:, 0]).sum())


def measure(to: Path = RESULTS) -> None:
    """Run every setting on every seed; store how many break, how many are lost, and the median loss on the way."""
    with to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["rate", "bad batches", "kit", "broken", "lost", "median loss at every second step"])
        for rate, bad, kit in product(RATES, BAD_BATCHES, KITS):
            losses = runs(rate, bad, kit)
            median = np.median(losses[:, ::EVERY], axis=0)
            writer.writerow([rate, bad, kit, broken(losses), lost(losses), " ".join(f"{loss:.3g}" for loss in median)])


def _rows(path: Path = RESULTS) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def curves() -> tuple[NDArray[np.integer], dict[str, Array]]:
    """The steps after the first bad batch, and for each kit the median losses, of shape (rates, bad batches, steps)."""
    found: dict[str, list[list[float]]] = {kit: [] for kit in KITS}
    for row in _rows():
        found[row["kit"]].append([float(loss) for loss in row["median loss at every second step"].split()])
    shape = (len(RATES), len(BAD_BATCHES), -1)
    return np.arange(0, AFTER + 1, EVERY), {kit: np.reshape(losses, shape) for kit, losses in found.items()}


def table(bad: int = 10, what: str = "broken") -> list[dict[str, object]]:
    """For each kit, how many of the runs with so many bad batches are broken (or lost) at each rate."""
    rows: dict[str, dict[str, object]] = {kit: {"": kit} for kit in KITS}
    for row in _rows():
        if int(row["bad batches"]) == bad:
            rows[row["kit"]][f"rate {row['rate']}"] = int(row[what])
    return list(rows.values())


def highest(rate: float, bad: int = 10) -> dict[str, float]:
    """The highest median loss with each kit."""
    place = RATES.index(rate), BAD_BATCHES.index(bad)
    return {kit: float(losses[place].max()) for kit, losses in curves()[1].items()}


def wrong_text(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """Windows of text whose next characters are all the wrong ones."""
    return x, (y + 1) % modern.text.data.classes


def wrong_digits(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """Digits that are ten times too bright and labeled wrong."""
    return 10 * x, (y + 1) % 10


def spike_of(task: Supervised, spoil: Spoil, optimizer: Adam, seed: int, max_norm: float) -> tuple[float, float]:
    """The validation loss of a task after 60 steps, and its highest over ten bad batches and twenty good ones."""
    model, data, steps = task.model(seed), task.data, 60
    params, seen = model.initialize(seed), []
    epochs = (batches_of(len(data.train.x), task.batch_size, seed, epoch) for epoch in count())
    for step, batch in zip(range(steps + 30), chain.from_iterable(epochs), strict=False):
        if step >= steps:
            seen.append(evaluate(model, params, data.validation)[0])
        x, y = data.train.x[batch], data.train.y[batch]
        _, grads = model.loss_and_gradients(params, *(spoil(x, y) if steps <= step < steps + 10 else (x, y)))
        optimizer.update(params, grads if math.isinf(max_norm) else clip_by_global_norm(grads, max_norm)[0])
    return seen[0], max(seen)


if __name__ == "__main__":
    measure()
