"""What readers do on a page of the site, done in a browser: figures played, quizzes answered, exercises, cells run."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

from exercises import get
from tools import states

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# Milliseconds; a busy machine starts Python in twenty seconds.
PATIENCE = 120_000


def play_figures(page: Page) -> None:
    """Move the first slider of each figure, press Play and Check, and answer what is asked before."""
    for figure in page.locator("[data-figure]").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".uo-explorer[data-ready=true]").wait_for()
        figure.locator(".noUi-handle").first.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        for name in ("Play", "yes", "Check"):
            button = figure.get_by_role("button", name=name, exact=True).first
            if button.count() and button.is_enabled():
                button.click()


def answer_quizzes(page: Page) -> None:
    """Answer every question, some of them right; where several answers are asked for, give all."""
    for k, question in enumerate(page.locator(".uo-question").all()):
        labels = question.locator(".uo-answer label").all()
        several = question.locator("input[type=checkbox]").count() > 0
        for label in labels if several else [labels[k % len(labels)]]:
            label.click()


def write(cell: Locator, text: str) -> None:
    cell.locator("[role=textbox]").click()
    cell.page.keyboard.press("Control+a")
    cell.page.keyboard.insert_text(text)


def press(cell: Locator, name: str) -> None:
    """Press a button and wait until Python has done what it asks."""
    cell.get_by_role("button", name=name).first.click()
    cell.page.wait_for_function("cell => cell.dataset.busy !== 'true'", arg=cell.element_handle(), timeout=PATIENCE)


def _right(place: Locator, id: str) -> None:
    write(place, get(id).solution)
    press(place, "Check")


def _wrong(place: Locator, id: str) -> None:
    write(place, get(id).wrong_answers[0].source)
    press(place, "Check")


def _error(place: Locator, id: str) -> None:
    write(place, "print('before')\n1 / 0")
    press(place, "Run")


def _stopped(place: Locator, id: str) -> None:
    write(place, "while True:\n    pass")
    place.get_by_role("button", name="Run").click()
    place.get_by_role("button", name="Stop").click()
    press(place, "Hint")


VERDICTS: tuple[Callable[[Locator, str], None], ...] = (_right, _wrong, _error, _stopped)


def answer_exercises(page: Page) -> None:
    """Bring the exercises of a page into the states that there are: right, wrong, an error, stopped and with a hint."""
    for place, answer in zip(page.locator("[data-exercise]").all(), itertools.cycle(VERDICTS)):
        place.scroll_into_view_if_needed()
        place.locator(".cm-content").wait_for()
        answer(place, place.get_attribute("data-exercise"))


def run_cells(page: Page) -> None:
    """Run two cells of a page as a reader has changed them: one prints, the other fails."""
    cells, texts = page.locator("[data-scratch]").all(), ("print('mine')\n6 * 7", "x = 1\nx / 0")
    for cell, text in zip(cells, texts, strict=False):
        cell.scroll_into_view_if_needed()
        cell.get_by_role("button", name="Edit and run").click()
        cell.locator(".cm-content").wait_for()
        write(cell, text)
        press(cell, "Run")


DO: dict[str, Callable[[Page], None]] = {
    states.AT_REST: lambda page: None,
    "figures": play_figures,
    "quizzes": answer_quizzes,
    "exercises": answer_exercises,
    "cells": run_cells,
}


def use(page: Page, name: str) -> None:
    """Use a page that is open, in one of the ways of `states.USES`."""
    DO[name](page)
