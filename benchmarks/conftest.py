"""Measuring fairly on a machine that does other things: the same thread, taken in turns, the best of many rounds.

A benchmark gives ours and its peers to `against`. Each is run a few times before it is timed, then all take turns; the
minimum of each is kept, since other work on the machine can only make a run longer. For the same reason it is the
process's own time that counts, except where a peer has threads of its own. What is judged, printed and saved is the
ratio. A run of the whole folder saves them where chapters/speed.md reads them, `experiments/results`.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

# Before NumPy is loaded: one thread, and OpenBLAS as it chooses its own kernels.
os.environ["OMP_NUM_THREADS"] = "1"
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)

import pytest  # noqa: E402

RESULTS = Path(__file__).parents[1] / "experiments" / "results" / "speed.json"
LEAST_ROUNDS, MOST_ROUNDS = 4, 300
# Some rules do less in their first steps: RAdam of torch.optim in five of them. Long jobs are not run in again.
WARM_UP, SHORT = 6, 0.2
RATIOS = pytest.StashKey[list["Ratio"]]()


@dataclass(frozen=True)
class Ratio:
    """How long ours takes, in units of a peer, and the largest ratio that is the aim (None: any)."""

    what: str
    size: str
    peer: str
    ours: float
    theirs: float
    bar: float | None = None

    @property
    def value(self) -> float:
        return self.ours / self.theirs

    def over(self, most: float | None) -> bool:
        return most is not None and self.value > most

    def row(self) -> tuple[str, ...]:
        bar = "" if self.bar is None else f"{self.bar:g}" + ("  NOT MET" if self.over(self.bar) else "")
        ratio = f"{self.value:.2f}" if self.value >= 0.01 else f"1/{1 / self.value:.0f}"
        return self.what, self.size, self.peer, f"{self.ours * 1e3:.3f}", f"{self.theirs * 1e3:.3f}", ratio, bar

    def saved(self) -> dict[str, str | float | None]:
        return {name: float(f"{v:.4g}") if isinstance(v, float) else v for name, v in asdict(self).items()}


def nothing() -> None:
    pass


def seconds_in_turns(
    jobs: Mapping[str, Callable[[], object]], budget: float, before: Callable[[], None], clock: Callable[[], float]
) -> dict[str, float]:
    """The shortest time of each job, in rounds that take about `budget` seconds together; `before` is not timed."""
    times = {}
    for name, job in jobs.items():
        begin = clock()
        job()
        for _ in range(WARM_UP if clock() - begin < SHORT else 0):
            job()
        times[name] = []
    begin, rounds = clock(), 0
    while rounds < LEAST_ROUNDS or (rounds < MOST_ROUNDS and clock() - begin < budget):
        for name, job in jobs.items():
            before()
            start = clock()
            job()
            times[name].append(clock() - start)
        rounds += 1
    return {name: min(taken) for name, taken in times.items()}


@pytest.fixture
def against(benchmark, request):
    """Measure ours against peers, which are jobs, or seconds measured elsewhere.

    A ratio over its bar is marked in the summary; over `limit`, or without one over the bar, it is a failure.
    """

    def measure(
        what: str,
        ours: Callable[[], object],
        peers: Mapping[str, Callable[[], object] | float],
        bars: Mapping[str, float],
        size: str = "",
        limit: float | None = None,
        budget: float = 1.5,
        before: Callable[[], None] = nothing,
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        jobs = {name: job for name, job in peers.items() if callable(job)}
        seconds = {**peers, **seconds_in_turns({"ours": ours, **jobs}, budget, before, clock)}
        benchmark.pedantic(ours, setup=before, rounds=3)
        ratios = [Ratio(what, size, name, seconds["ours"], seconds[name], bars.get(name)) for name in peers]
        request.config.stash.setdefault(RATIOS, []).extend(ratios)
        benchmark.extra_info["ratios"] = [ratio.saved() for ratio in ratios]
        over = [
            f"{ratio.value:.3g} times {ratio.peer} (at most {limit or ratio.bar:g})"
            for ratio in ratios
            if ratio.bar is not None and ratio.over(limit or ratio.bar)
        ]
        assert not over, f"{what} {size} takes {'; '.join(over)}"

    return measure


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch

    torch.set_num_threads(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ratios = config.stash.get(RATIOS, [])
    if not ratios:
        return
    rows = [("", "", "against", "ours ms", "peer ms", "ratio", "bar"), *(ratio.row() for ratio in ratios)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    terminalreporter.section("Ratios: time of ours / time of the peer (best of many, in turns, one thread)")
    for row in rows:
        words = [f"{word:<{width}}" for word, width in zip(row[:3], widths[:3], strict=True)]
        numbers = [f"{number:>{width}}" for number, width in zip(row[3:6], widths[3:6], strict=True)]
        terminalreporter.line("  ".join([*words, *numbers, row[6]]).rstrip())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Save the ratios, if all were measured."""
    config = session.config
    whole = [Path(argument).resolve() for argument in config.args] == [Path(__file__).parent]
    if not whole or config.option.keyword or config.option.collectonly or config.option.maxfail:
        return
    ratios = [ratio.saved() for ratio in config.stash.get(RATIOS, [])]
    packages = {name: version(name) for name in ("numpy", "torch", "optax", "jax")}
    about = {"python": platform.python_version(), **packages, "processor": processor()}
    lines = ",\n  ".join(json.dumps(ratio) for ratio in ratios)
    RESULTS.write_text(f'{{"versions": {json.dumps(about)},\n "ratios": [\n  {lines}\n]}}\n', encoding="utf-8")


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
