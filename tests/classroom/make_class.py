"""Make a class to try the grader on: ``python -m tests.classroom.make_class FOLDER --students 300``.

Every student hands in the notebooks of some chapters, filled from the solutions, accepted answers, known wrong answers
and starters, each with a probability of the student's own; a few answers raise or never end.
"""

import argparse
import json
import random
from pathlib import Path

from exercises import all_exercises
from exercises.definition import Exercise, clean
from exercises.registry import chapters


def make_class(folder: Path, students: int, wanted: set[int], seed: int = 1, progress: bool = True) -> None:
    """Write the submissions of a class below `folder`."""
    rng = random.Random(seed)
    for number in range(students):
        ability = rng.betavariate(3, 1.5)
        student = folder / f"student {number:03d}"
        student.mkdir(parents=True, exist_ok=True)
        for chapter, _, exercises in chapters():
            if chapter in wanted:
                content = _notebook([(each, _answer(each, ability, rng, number)) for each in exercises])
                (student / f"{chapter:02d}_chapter.ipynb").write_text(json.dumps(content), encoding="utf-8")
        if progress and number % 2:
            entries = {
                each.id: {"attempts": rng.randint(1, 9), "hints": rng.randint(0, 3), "answer": each.answer}
                for each in all_exercises()
                if each.chapter in wanted
            }
            (student / "progress.json").write_text(json.dumps({"schema": 1, "exercises": entries}), encoding="utf-8")


def _answer(exercise: Exercise, ability: float, rng: random.Random, number: int) -> str:
    luck = rng.random()
    if luck < ability:
        source = rng.choice([exercise.solution, *(accepted.source for accepted in exercise.accepted_answers)])
    elif luck < ability + 0.8 * (1 - ability):
        source = rng.choice(exercise.wrong_answers).source
    else:
        source = exercise.starter
    return clean(source) + f"\n# by student {number}"


def _notebook(answers: list[tuple[Exercise, str]]) -> dict:
    cells = [_code("import numpy as np\nfrom exercises import check, hint")]
    for exercise, source in answers:
        if exercise.setup != "import numpy as np":
            cells.append(_code(exercise.setup))
        cells += [_code(source, [f"ex-{exercise.id}"]), _code(f'check("{exercise.id}", {exercise.answer})')]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def _code(source: str, tags: list[str] | None = None) -> dict:
    return {"cell_type": "code", "metadata": {"tags": tags or []}, "source": source, "outputs": []}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--chapters", type=int, nargs="+", default=list(range(1, 14)))
    options = parser.parse_args()
    make_class(options.folder, options.students, set(options.chapters))
