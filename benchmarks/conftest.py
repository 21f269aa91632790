"""Measuring fairly on a machine that does other things: the same thread, taken in turns, the best of many rounds.

A benchmark gives ours and its peers to `against`. Each is run once before it is timed, then all take turns; the
minimum of each is kept, since other work on the machine can only make a run longer. What is judged, printed and saved
is the ratio.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Before NumPy is loaded: one thread, and OpenBLAS as it chooses its own kernels.
os.environ["OMP_NUM_THREADS"] = "1"
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)

import pytest  # noqa: E402

LEAST_ROUNDS, MOST_ROUNDS = 5, 300
RATIOS = pytest.StashKey[list["Ratio"]]()


@dataclass(frozen=True)
class Ratio:
    """How long ours takes, in units of a peer, and the largest ratio that is allowed (None: any)."""

    what: str
    peer: str
    ours: float
    theirs: float
    bar: float | None = None

    @property
    def value(self) -> float:
        return self.ours / self.theirs

    @property
    def holds(self) -> bool:
        return self.bar is None or self.value <= self.bar

    def row(self) -> tuple[str, ...]:
        bar = "" if self.bar is None else f"{self.bar:g}" + ("" if self.holds else "  NOT MET")
        ratio = f"{self.value:.2f}" if self.value >= 0.01 else f"1/{1 / self.value:.0f}"
        return self.what, self.peer, f"{self.ours * 1e3:.3f}", f"{self.theirs * 1e3:.3f}", ratio, bar


def nothing() -> None:
    pass


def seconds_in_turns(
    jobs: Mapping[str, Callable[[], object]], budget: float, before: Callable[[], None] = nothing
) -> dict[str, float]:
    """The shortest time of each job, in rounds that take about `budget` seconds together; `before` is not timed."""
    clock, times = time.perf_counter, {}
    for name, job in jobs.items():
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
    """Measure ours against peers; fail if a ratio is over its bar. Peers are jobs, or seconds measured elsewhere."""

    def measure(
        what: str,
        ours: Callable[[], object],
        peers: Mapping[str, Callable[[], object] | float],
        bars: Mapping[str, float],
        budget: float = 1.5,
        before: Callable[[], None] = nothing,
    ) -> None:
        jobs = {name: peer for name, peer in peers.items() if callable(peer)}
        seconds = seconds_in_turns({"ours": ours, **jobs}, budget, before)
        benchmark.pedantic(ours, setup=before, rounds=LEAST_ROUNDS)
        known = {name: seconds.get(name, peer) for name, peer in peers.items()}
        ratios = [Ratio(what, name, seconds["ours"], known[name], bars.get(name)) for name in peers]
        request.config.stash.setdefault(RATIOS, []).extend(ratios)
        benchmark.extra_info["ratios"] = [
            {"peer": ratio.peer, "ours_s": ratio.ours, "peer_s": ratio.theirs, "ratio": ratio.value, "bar": ratio.bar}
            for ratio in ratios
        ]
        over = [
            f"{ratio.value:.3g} times {ratio.peer}, the bar is {ratio.bar:g}" for ratio in ratios if not ratio.holds
        ]
        assert not over, f"{what} takes {'; '.join(over)}"

    return measure


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch

    torch.set_num_threads(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = [ratio.row() for ratio in config.stash.get(RATIOS, [])]
    if not rows:
        return
    rows.insert(0, ("", "against", "ours ms", "peer ms", "ratio", "bar"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    terminalreporter.section("Ratios: time of ours / time of the peer (best of many, in turns, one thread)")
    for what, peer, *numbers in rows:
        words = f"{what:<{widths[0]}}  {peer:<{widths[1]}}"
        terminalreporter.line("  ".join([words, *(f"{n:>{w}}" for n, w in zip(numbers, widths[2:], strict=True))]))
