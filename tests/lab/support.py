"""What the tests of the lab do as a reader does: go to an exercise, write in it, press its buttons."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tools.uses import press, write

__all__ = ["press", "write"]

SECONDS = 90_000  # milliseconds: a busy machine starts Python in twenty seconds
AXE = """
() => axe.run(document.querySelectorAll(".uo-exercise"), {resultTypes: ["violations"]}).then(({violations}) =>
    violations.map(({id, nodes}) => `${id}: ${nodes.length} times, such as ${nodes[0].html.slice(0, 300)}`))
"""


def exercise(page: Page, id: str) -> Locator:
    """An exercise, scrolled to, with its editor there."""
    place = page.locator(f'[data-exercise="{id}"]')
    place.scroll_into_view_if_needed()
    place.locator(".cm-content").wait_for()
    return place


def found(page: Page, axe: str) -> list[str]:
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(axe)
    return page.evaluate(AXE)


def text_of(place: Locator) -> str:
    return "\n".join(place.locator(".cm-line").all_inner_texts()).replace("\n\n", "\n")
