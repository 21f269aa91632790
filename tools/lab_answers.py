"""Compare what the page says about every known answer with what a notebook says: ``python -m tools.lab_answers``.

Starters, solutions, accepted and wrong answers of all exercises are checked twice, by the same code: here, and in the
worker of the built site, in Chromium. Points, status, the mistakes named, every sentence and the card have to be the
same. A table, an exercise a line, then every difference; the exit status is 1 if there is one. Exercise numbers choose
(``python -m tools.lab_answers 1.4 2.2``); ``--engine FOLDER`` takes another engine than the built site's.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from exercises import all_exercises, get, record, result
from exercises.definition import Exercise
from tools import lab, states
from tools.build_book import BUILD
from tools.measure_site import percentile

# Given a JavaScript function and its argument: its value in the page.
Ask = Callable[..., Any]
ENGINE = BUILD / "html" / "_static" / lab.ENGINE
# What a verdict is made of. The record has a time in it.
SAID = ("points", "max_points", "status", "mistakes", "feedback", "stdout", "error", "line", "html")

# One worker, asked as book/lab/engine.js asks it; each answer comes with the milliseconds that it took.
START = """
(address) => {
    const worker = new Worker(address, { type: "module" });
    const waiting = new Map();
    worker.onmessage = ({ data }) => waiting.get(data.id)?.(data);
    worker.onerror = (event) => { for (const heard of waiting.values()) heard({ fatal: event.message }); };
    window.askPython = (id, method, given) => new Promise((heard) => {
        const begin = performance.now();
        waiting.set(id, (data) => heard({ ...data, took: performance.now() - begin }));
        worker.postMessage({ id, method, given });
    });
    return askPython(1, null, null);
}
"""
CHECK = """
async (sources) => {
    const answers = [];
    for (const [id, source] of sources) {
        const number = (window.asked = (window.asked ?? 1) + 1);
        const { value, fatal, took } = await askPython(number, "check", { id, source, kept: "", tidy: true });
        answers.push([value ?? { status: "lost", feedback: fatal }, took]);
    }
    return answers;
}
"""


class Answer(NamedTuple):
    """An answer that the course knows, right or wrong."""

    id: str
    kind: str
    source: str


@dataclass
class Compared:
    """What was said of an answer, here and in the page, and the seconds that the page took."""

    answer: Answer
    here: dict[str, Any]
    page: dict[str, Any]
    seconds: float

    @property
    def differences(self) -> list[str]:
        """What is not the same, a sentence each; the card, which repeats it, only if it alone differs."""
        names = [name for name in SAID if self.page.get(name) != self.here.get(name)]
        return [
            f"{self.answer.id} {self.answer.kind}, {name}: the page says {self.page.get(name)!r}, "
            f"a notebook {self.here.get(name)!r}"
            for name in names
            if name != "html" or len(names) == 1
        ]


def known_answers(exercise: Exercise) -> Iterator[Answer]:
    """Every known answer to an exercise."""
    yield Answer(exercise.id, "starter", exercise.starter)
    yield Answer(exercise.id, "solution", exercise.solution)
    for number, accepted in enumerate(exercise.accepted_answers):
        yield Answer(exercise.id, f"accepted {number}", accepted.source)
    for number, wrong in enumerate(exercise.wrong_answers):
        yield Answer(exercise.id, f"wrong {number}", wrong.source)


class Here:
    """The module that the page's worker runs, run by this Python."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("lab_here", lab.SOURCES / "lab.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self._lab = module.Lab

    def check(self, answer: Answer) -> dict[str, Any]:
        """What a check says of an answer, in names of its own."""
        with mock.patch.dict(result.asking), mock.patch.object(record, "_plugged", None):
            return self._lab().check(answer.id, answer.source, tidy=True)


def start(ask: Ask, address: str) -> None:
    """Start the worker at an address in a page, and wait until Python is there."""
    started = ask(START, address)
    if not started.get("value"):
        raise RuntimeError(f"Python did not start in the page: {started.get('fatal')}")


@contextmanager
def python_in_page(browser: Any, engine: Path) -> Iterator[Ask]:
    """A page of an engine's folder, with its worker ready, as what asks it for a function's value."""
    with states.served(engine) as address:
        context = browser.new_context()
        try:
            page = context.new_page()
            page.goto(f"{address}/manifest.json")
            start(page.evaluate, "worker.js")
            yield page.evaluate
        finally:
            context.close()


def compared(ask: Ask, answers: Iterable[Answer], here: Here) -> list[Compared]:
    """Both verdicts on each answer."""
    answers = list(answers)
    told = ask(CHECK, [[answer.id, answer.source] for answer in answers])
    return [
        Compared(answer, here.check(answer), said, took / 1000)
        for answer, (said, took) in zip(answers, told, strict=True)
    ]


def table(browser: Any, engine: Path, exercises: Iterable[Exercise]) -> list[Compared]:
    """Print a line for each exercise as its answers are compared; all that was compared."""
    print(f"{'':6}{'answers':>8}{'the same':>10}{'slowest, s':>12}")
    everything, here = [], Here()
    with python_in_page(browser, engine) as ask:
        for exercise in exercises:
            found = compared(ask, known_answers(exercise), here)
            same = sum(not one.differences for one in found)
            slowest = max(one.seconds for one in found)
            print(f"{exercise.id:6}{len(found):8}{same:10}{slowest:12.2f}", flush=True)
            everything += found
    return everything


def main(arguments: list[str] | None = None) -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m tools.lab_answers", description=__doc__.splitlines()[0])
    parser.add_argument("ids", nargs="*", metavar="EXERCISE", help="only these")
    parser.add_argument("--engine", type=Path, default=ENGINE, metavar="FOLDER", help="the folder of the engine")
    options = parser.parse_args(arguments)
    program = states.program()
    if not program or not (options.engine / "manifest.json").exists():
        print("Answers are compared in Chromium, after make book: one of the two is missing.", file=sys.stderr)
        return 1
    exercises = [get(id) for id in options.ids] or all_exercises()
    begin = time.perf_counter()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        found = table(browser, options.engine, exercises)
        browser.close()
    differences = [difference for one in found for difference in one.differences]
    print("\n".join(["", *differences]) if differences else "")
    times, same = [one.seconds for one in found], sum(not one.differences for one in found)
    print(f"{len(found)} answers, {same} the same, in {time.perf_counter() - begin:.0f} s.")
    print(f"A check in the page takes {percentile(times, 0.5):.3f} s (median), {max(times):.2f} s at most.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
