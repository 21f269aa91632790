"""The short quiz of a chapter: `quiz("08_adam")` shows the questions of ``quizzes/08_adam.json``.

A quiz needs no kernel and no script: an answer is a radio button or a checkbox, and the style sheet shows what is to be
said of it once it is chosen. On the site, ``book/quiz.js`` keeps the answers and reads the feedback out. A quiz is a
JSON list of questions, each with a stable ``id``, the ``question``, its ``type`` ("multiple_choice": one is right;
"many_choice": each that is right is to be ticked) and the ``answers``, each with ``correct`` and its ``feedback``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from optim_lib.pages import Piece

FOLDER = Path(__file__).parent / "quizzes"
INPUTS = {"multiple_choice": "radio", "many_choice": "checkbox"}


def names() -> list[str]:
    """The names of all quizzes, in order of chapter."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


@cache
def questions(name: str) -> list[dict[str, Any]]:
    """The questions of one quiz.

    Raises
    ------
    ValueError
        If there is no such quiz, a question lacks an id of its own or a right answer, or an answer lacks its feedback.
    """
    if name not in names():
        raise ValueError(f"name must be one of {', '.join(names())}, got {name!r}")
    found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for number, question in enumerate(found, start=1):
        where, answers = f"question {number} of quiz {name!r}", question["answers"]
        if not question.get("id") or [other["id"] for other in found].count(question["id"]) > 1:
            raise ValueError(f"{where} has no id of its own")
        if question["type"] not in INPUTS:
            raise ValueError(f"{where} must have one of the types {', '.join(INPUTS)}, got {question['type']!r}")
        if not any(answer.get("correct") for answer in answers):
            raise ValueError(f"{where} has no right answer")
        if not all(answer.get("feedback") for answer in answers):
            raise ValueError(f"{where} has an answer without feedback")
    return found


def quiz(name: str) -> Piece:
    """The quiz of a chapter; an answer is judged as it is chosen."""
    return Piece(
        _style() + _section(name), f"A quiz of {len(questions(name))} questions; it is answered in a notebook."
    )


def every_quiz() -> Piece:
    """All quizzes, each under the title of its chapter; on the site those answered rightly are hidden."""
    from exercises.registry import chapters

    titles = {number: f"{number} {title}" for number, title, _ in chapters()}
    parts = [
        f'<div class="uo-quiz-chapter"><h2><a href="{name}.html">{escape(titles[int(name[:2])])}</a></h2>'
        f"{_section(name)}</div>"
        for name in names()
    ]
    return Piece(f"{_style()}<div data-open-questions>{''.join(parts)}</div>", "All questions of the quizzes.")


def _section(name: str) -> str:
    asked = "".join(_question(name, question) for question in questions(name))
    return f'<section class="uo-quiz" data-quiz="{name}" aria-label="Quiz of chapter {int(name[:2])}">{asked}</section>'


def _question(name: str, question: dict[str, Any]) -> str:
    key = f"{name}/{question['id']}"
    ask = "" if question["type"] == "multiple_choice" else ' <span class="uo-all">Tick all that are right.</span>'
    answers = "".join(_answer(key, number, question, answer) for number, answer in enumerate(question["answers"]))
    return (
        f'<fieldset class="uo-question" data-question="{key}" data-type="{question["type"]}">'
        f"<legend>{_words(question['question'])}{ask}</legend>{answers}</fieldset>"
    )


def _answer(key: str, number: int, question: dict[str, Any], answer: dict[str, Any]) -> str:
    right = bool(answer.get("correct"))
    ident = f"quiz-{re.sub(r'[^a-z0-9]+', '-', key)}-{number}"
    verdict = "Right" if right else "Not this one"
    return (
        f'<div class="uo-answer" data-correct="{str(right).lower()}">'
        f'<input type="{INPUTS[question["type"]]}" name="{key}" id="{ident}">'
        f'<label for="{ident}">{_words(answer["answer"])}</label>'
        f'<p class="uo-feedback"><strong>{verdict}.</strong> {_words(answer["feedback"])}</p></div>'
    )


def _words(text: str) -> str:
    """Text as HTML, with what stands between backticks as code, and apostrophes as in print."""
    parts = re.split(r"`([^`]+)`", escape(text, quote=False))
    parts[::2] = [re.sub(r"(?<=\w)'", "\N{RIGHT SINGLE QUOTATION MARK}", part) for part in parts[::2]]
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return "".join(parts)


@cache
def _style() -> str:
    return f"<style>{files('exercises').joinpath('quiz.css').read_text(encoding='utf-8')}</style>"
