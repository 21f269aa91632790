"""``python -m experiments.claims``: measure all claims again, or those that are named.

A pass that was stopped goes on where it was: what it has done is noted in _build/claims until it is complete.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from experiments.claims.experiments import EXPERIMENTS, keeping_runs
from experiments.claims.ledger import load_ledger
from experiments.claims.results import FOLDER

WORKSPACE = Path("_build/claims")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments.claims", description="Measure the claims again.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="these claims only; by default all")
    parser.add_argument("--list", action="store_true", help="list the claims and their verdicts, and measure nothing")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="FOLDER", help="where the results go")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.ids) - EXPERIMENTS.keys())
    if unknown:
        parser.error(f"there is no experiment for {', '.join(unknown)}; there are: {', '.join(sorted(EXPERIMENTS))}")
    if options.list:
        for claim in load_ledger():
            print(f"{claim.id:22} {claim.verdict:18} {claim.claim}")
        return 0
    done_file = WORKSPACE / "done.json"
    done = set(json.loads(done_file.read_text())) if done_file.exists() and not options.ids else set()
    if done:
        print(f"Going on with a pass that was stopped: {len(done)} of {len(EXPERIMENTS)} claims are done.")
    wanted = [name for name in options.ids or EXPERIMENTS if name not in done]
    started, processor = time.perf_counter(), time.process_time()
    with keeping_runs(WORKSPACE / "runs"), threadpool_limits(1), tqdm(wanted, unit="claim") as bar:
        for name in bar:
            bar.set_description(name)
            begun = time.process_time()
            EXPERIMENTS[name]().write(name, options.to)
            tqdm.write(f"{name}: {time.process_time() - begun:.1f} s")
            if not options.ids:
                done.add(name)
                _note(done_file, done)
    if not options.ids:
        shutil.rmtree(WORKSPACE)
    print(f"{len(wanted)} claims in {time.perf_counter() - started:.0f} s ({time.process_time() - processor:.0f} s "
          "of processor time).")  # fmt: skip
    return _report(options.to)


def _note(file: Path, done: set[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(sorted(done)), encoding="utf-8")
    temporary.replace(file)


def _report(folder: Path) -> int:
    """Say which sentences no longer hold and which comparisons are not fair; the exit code is 1 if there are any."""
    wrong = 0
    for claim in load_ledger(folder=folder):
        if not (folder / f"{claim.id}.csv").exists():
            continue
        for problem in claim.broken():
            print(f"{claim.id}: {problem}.")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
