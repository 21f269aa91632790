"""The short quiz of a chapter: `quiz("08_adam")` shows the questions of ``quizzes/08_adam.json``.

The questions are graded in the page by jupyterquiz, with no kernel. A quiz is a JSON list in jupyterquiz's format;
`questions` refuses one whose answers do not all say why they are right or wrong.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyterquiz import display_quiz

FOLDER = Path(__file__).parent / "quizzes"

# The page's own colors where it defines them, JupyterLab's where that is the page, plain ones elsewhere.
COLORS = {
    "--jq-multiple-choice-bg": "var(--uo-quiz-bg, var(--jp-layout-color2, #eef2f7))",
    "--jq-many-choice-bg": "var(--uo-quiz-bg, var(--jp-layout-color2, #eef2f7))",
    "--jq-numeric-bg": "var(--uo-quiz-bg, var(--jp-layout-color2, #eef2f7))",
    "--jq-string-bg": "var(--uo-quiz-bg, var(--jp-layout-color2, #eef2f7))",
    "--jq-text-color": "var(--uo-ink, var(--jp-ui-font-color1, #1f2430))",
    "--jq-mc-button-bg": "var(--uo-paper, var(--jp-layout-color0, #ffffff))",
    "--jq-mc-button-border": "var(--uo-rule, var(--jp-border-color1, #b9c0cc))",
    "--jq-numeric-input-bg": "var(--uo-paper, var(--jp-layout-color0, #ffffff))",
    "--jq-numeric-input-label": "var(--uo-ink, var(--jp-ui-font-color1, #1f2430))",
    "--jq-link-color": "var(--uo-blue, #0072b2)",
    "--jq-correct-color": "var(--uo-right, #00664b)",
    "--jq-incorrect-color": "var(--uo-wrong, #a34700)",
}


def names() -> list[str]:
    """The names of all quizzes, in order of chapter."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def questions(name: str) -> list[dict[str, Any]]:
    """The questions of one quiz.

    Raises
    ------
    ValueError
        If there is no such quiz, or an answer lacks its feedback, or a question has no right answer.
    """
    if name not in names():
        raise ValueError(f"name must be one of {', '.join(names())}, got {name!r}")
    found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for number, question in enumerate(found, start=1):
        answers = question["answers"]
        if not any(answer.get("correct") for answer in answers):
            raise ValueError(f"question {number} of quiz {name!r} has no right answer")
        if not all(answer.get("feedback") for answer in answers):
            raise ValueError(f"question {number} of quiz {name!r} has an answer without feedback")
    return found


def quiz(name: str) -> None:
    """Show a quiz; its answers are graded as they are chosen."""
    with _same_ids_every_time(name):
        display_quiz(questions(name), shuffle_answers=False, border_radius=6, max_width=720, colors=COLORS)


@contextmanager
def _same_ids_every_time(seed: str) -> Iterator[None]:
    # jupyterquiz draws its element ids from the global generator; a page must come out the same in every build.
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
