"""Measured numbers in small CSV files: one for each claim, one row for each number."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

FOLDER = Path(__file__).parent / "results"
COLUMNS = ("claim", "setting", "seed", "metric", "value")


@dataclass
class Results:
    """The numbers of one claim: for each setting and metric one value, or one for each seed."""

    values: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)

    def add(self, setting: str, metric: str, values: ArrayLike, seeds: Iterable[object] | None = None) -> None:
        """Add a number without a seed, or one for each seed: those given, or 0, 1, 2 ..."""
        numbers = np.asarray(values, dtype=float)
        if numbers.ndim == 0:
            self.values[setting, metric] = {"": _rounded(numbers)}
            return
        names = range(numbers.size) if seeds is None else seeds
        self.values[setting, metric] = {
            str(name): _rounded(number) for name, number in zip(names, numbers, strict=True)
        }

    def get(self, setting: str, metric: str) -> NDArray[np.float64]:
        """The values of all seeds."""
        try:
            return np.array(list(self.values[setting, metric].values()))
        except KeyError:
            known = "; ".join(f"{a}/{b}" for a, b in self.values)
            raise KeyError(f"there is no result {setting}/{metric}; there are: {known}") from None

    def values_at(self, place: str) -> dict[str, float]:
        """The values of ``setting/metric`` by seed; by an empty name if nothing was drawn at random."""
        setting, _, metric = place.rpartition("/")
        self.get(setting, metric)
        return self.values[setting, metric]

    def at(self, place: str) -> NDArray[np.float64]:
        """The values of ``setting/metric``."""
        return np.array(list(self.values_at(place).values()))

    def median(self, setting: str, metric: str) -> float:
        return float(np.median(self.get(setting, metric)))

    def low(self, setting: str, metric: str) -> float:
        return float(np.min(self.get(setting, metric)))

    def high(self, setting: str, metric: str) -> float:
        return float(np.max(self.get(setting, metric)))

    def seeds(self, setting: str, metric: str) -> int:
        """How many seeds there are; 0 if nothing was drawn at random."""
        return sum(seed != "" for seed in self.values[setting, metric])

    def write(self, claim: str, folder: Path = FOLDER) -> Path:
        """Replace the file of a claim as a whole."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for (setting, metric), values in self.values.items():
            writer.writerows((claim, setting, seed, metric, repr(value)) for seed, value in values.items())
        folder.mkdir(parents=True, exist_ok=True)
        path = path_of(claim, folder)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            with open(temporary, "w", encoding="utf-8", newline="") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    @classmethod
    def read(cls, claim: str, folder: Path = FOLDER) -> Results:
        results = cls()
        with open(path_of(claim, folder), encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["claim"] != claim:
                    raise ValueError(f"{path_of(claim, folder).name} has a row of another claim, {row['claim']!r}")
                values = results.values.setdefault((row["setting"], row["metric"]), {})
                values[row["seed"]] = float(row["value"])
        return results


def path_of(claim: str, folder: Path = FOLDER) -> Path:
    return folder / f"{claim}.csv"


def _rounded(value: ArrayLike) -> float:
    """Six digits: more would differ from one machine to the next."""
    return float(f"{float(value):.6g}")
