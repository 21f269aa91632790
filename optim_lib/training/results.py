"""Results of runs in a CSV file that people can read, and that a kill, a clash or a slip cannot spoil.

One file for each task, one row for each run. A row begins with the key of its run and ends with a check sum. The file
is replaced as a whole, by one process at a time.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import shutil
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

from optim_lib.extras import needed

COLUMNS = (
    "key", "task", "optimizer", "setting", "budget", "seed", "schedule", "clip_norm", "score", "test_score",
    "train_loss", "validation_loss", "diverged_at", "seconds", "evaluated_at", "scores", "measures", "check",
)  # fmt: skip

Row = dict[str, str]


class Results:
    """The rows of one task in a folder.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    task : str
    """

    def __init__(self, folder: str | os.PathLike, task: str) -> None:
        with needed():
            from filelock import FileLock

        self.path = Path(folder) / f"{re.sub('[^a-z0-9]+', '-', task.lower()).strip('-')}.csv"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(self.path.with_suffix(".lock"))

    def read(self) -> dict[str, Row]:
        """Every row that can be trusted, by key; of the others, a copy is kept and a warning given."""
        with self.lock:
            return self._read()

    def add(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Add rows, or replace those of the same key."""
        new = {row["key"]: {name: row.get(name, "") for name in COLUMNS} for row in rows}
        for row in new.values():
            row["check"] = check_sum(row)
        with self.lock:
            self._write((self._read() | new).values())

    def _read(self) -> dict[str, Row]:
        if not self.path.exists():
            return {}
        # What is not text becomes a mark that no check sum agrees with.
        lines = self.path.read_bytes().decode("utf-8", errors="replace").replace("\0", "\ufffd").splitlines()
        good, bad = {}, 0
        known = lines[:1] == [",".join(COLUMNS)]
        for line in lines[1:]:
            try:
                values = next(csv.reader([line], strict=True), [])
            except csv.Error:
                values = []
            row = dict(zip(COLUMNS, values, strict=False))
            if known and len(values) == len(COLUMNS) and row["check"] == check_sum(row):
                good[row["key"]] = row
            else:
                bad += 1
        if bad or not known:
            self._set_aside(bad)
        return good

    def _set_aside(self, bad: int) -> None:
        kept = self.path.with_suffix(".damaged.csv")
        if not kept.exists() or kept.read_bytes() != self.path.read_bytes():
            shutil.copyfile(self.path, kept)
            rows = f"{bad} row" + ("s" if bad != 1 else "")
            warnings.warn(
                f"{self.path} has {rows} that cannot be trusted; they are computed again, and a copy of the file is "
                f"in {kept.name}",
                stacklevel=4,
            )

    def _write(self, rows: Iterable[Row]) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["optimizer"], row["budget"], row["setting"], row["key"])))
        temporary = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            with open(temporary, "w", encoding="utf-8", newline="") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        finally:
            temporary.unlink(missing_ok=True)


def check_sum(row: Mapping[str, str]) -> str:
    text = "\x1f".join(row[name] for name in COLUMNS if name != "check")
    return hashlib.sha256(text.encode()).hexdigest()[:12]
