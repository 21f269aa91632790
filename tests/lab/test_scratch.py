"""The chapters' own cells, edited and run in the page: each gives there what the notebook has stored."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.lab.conftest import CHAPTER
from tests.lab.support import write
from tests.site.support import CHAPTERS, Watched
from tests.site.test_access import axe
from tools.build_book import ROOT
from tools.scratch import LONG, cells_of, scratch_cells

__all__ = ["axe"]

MILLISECONDS = 150_000
DONE = """
id => {
    const cell = document.querySelector(`[data-scratch="${id}"]`);
    return !cell.dataset.busy && cell.querySelector(".uo-said").textContent;
}
"""
AXE = """
() => axe.run(document.querySelectorAll(".uo-scratch"), {resultTypes: ["violations"]}).then(({violations}) =>
    violations.map(({id, nodes}) => `${id}: ${nodes.length} times, such as ${nodes[0].html.slice(0, 300)}`))
"""


@pytest.fixture(scope="module")
def chapter(request: pytest.FixtureRequest, browser: Browser, strict: str) -> Iterator[Watched]:
    """A chapter's page, open for all tests that ask for it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    watched = Watched(context.new_page(), strict).watch()
    watched.page.goto(f"{strict}/{request.param}")
    yield watched
    context.close()


def opened(page: Page, id: str) -> Locator:
    """A cell with its editor; its button is pressed if it has not been."""
    cell = page.locator(f'[data-scratch="{id}"]')
    cell.scroll_into_view_if_needed()
    if cell.get_attribute("data-editing") is None:
        cell.get_by_role("button", name="Edit and run").click()
    cell.locator(".cm-content").wait_for()
    return cell


def run(page: Page, id: str) -> Locator:
    cell = opened(page, id)
    cell.get_by_role("button", name="Run").click()
    page.wait_for_function(DONE, arg=id, timeout=MILLISECONDS)
    return cell


def stored_text(cell: nbformat.NotebookNode) -> str:
    """What a notebook has stored of a cell, as text: what it printed, and the plain form of its value."""
    texts = [out.text if out.output_type == "stream" else out.data.get("text/plain", "") for out in cell.outputs]
    return "\n".join(text.rstrip("\n") for text in texts)


@pytest.mark.parametrize("chapter", CHAPTERS, indirect=True)
def test_each_cell_unedited_gives_what_the_notebook_has_stored(chapter):
    page = chapter.page
    notebook = ROOT / f"{page.url.split('/course/')[1].removesuffix('.html')}.ipynb"
    stored = {cell.id: cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"}
    offered = page.locator("[data-scratch]").evaluate_all("cells => cells.map((cell) => cell.dataset.scratch)")
    assert sorted(offered) == sorted(scratch_cells(notebook))
    wrong = {}
    for id in offered:
        cell = run(page, id)
        if cell.locator(".uo-error").count():
            wrong[id] = cell.locator(".uo-error").inner_text()
        elif stored[id].outputs:
            printed = cell.evaluate("e => [...e.querySelectorAll('.uo-output pre')].map((p) => p.textContent)")
            tables = cell.locator(".uo-output table").all()
            if tables:
                html = next(out.data["text/html"] for out in stored[id].outputs if "data" in out)
                given = [re.sub(r"\s+", " ", table.inner_html()) for table in tables]
                same = page.evaluate(
                    "html => { const e = document.createElement('div'); e.innerHTML = html;"
                    " return [...e.querySelectorAll('table')].map((t) => t.innerHTML); }",
                    html,
                )
                if given != [re.sub(r"\s+", " ", one) for one in same]:
                    wrong[id] = tables[0].inner_text()
            elif "\n".join(text.rstrip("\n") for text in printed) != stored_text(stored[id]):
                wrong[id] = printed
    assert wrong == {}
    assert [one for one in chapter.wrong if "anywidget" not in one] == []


def test_cells_that_take_long_are_there():
    for stem, ids in LONG.items():
        assert set(ids) <= {cell.id for cell in cells_of(ROOT / "chapters" / f"{stem}.ipynb")}


@pytest.fixture(scope="module")
def cell(reader: Watched) -> str:
    """A quick cell of the chapter that prints."""
    page, notebook = reader.page, ROOT / CHAPTER.replace(".html", ".ipynb")
    printing = {one.id for one in cells_of(notebook) if "print(" in one.source and len(one.source) < 400}
    offered = page.locator("[data-scratch]").evaluate_all("cells => cells.map((cell) => cell.dataset.scratch)")
    return next(id for id in offered if id in printing)


def test_before_its_button_a_cell_is_as_any_other_and_nothing_is_fetched(reader, cell):
    page = reader.page
    place = page.locator(f'[data-scratch="{cell}"]')
    assert place.locator(".cm-editor").count() == 0
    assert not place.get_by_role("button", name="Run", exact=False).first.is_hidden()
    fetched = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [name for name in fetched if "/cells/" in name or "pyodide" in name] == []


def test_an_edited_cell_prints_below_and_reset_brings_the_chapters_back(reader, cell):
    page = reader.page
    place = opened(page, cell)
    shipped = place.locator(".cm-content").inner_text()
    write(place, "print('mine', 6 * 7)")
    run(page, cell)
    expect(place.locator(".uo-printed")).to_have_text("mine 42\n")
    expect(place.locator(".uo-stored")).to_be_hidden()
    place.get_by_role("button", name="Reset").click()
    assert place.locator(".cm-content").inner_text() == shipped
    expect(place.locator(".uo-output")).to_be_hidden()


def test_an_error_stands_at_its_line_and_a_loop_is_stopped(reader, cell):
    page = reader.page
    place = opened(page, cell)
    write(place, "x = 1\nx / 0")
    run(page, cell)
    expect(place.locator(".uo-line-wrong")).to_have_text("x / 0")
    write(place, "while True:\n    pass")
    place.get_by_role("button", name="Run").click()
    place.get_by_role("button", name="Stop").click()
    expect(place.locator(".uo-error")).to_contain_text("Stopped")
    write(place, "print(np.arange(3).sum())")
    run(page, cell)
    expect(place.locator(".uo-printed")).to_have_text("3\n")


def test_a_picture_of_matplotlibs_is_a_line_and_a_figure_with_sliders_appears(reader, cell):
    page = reader.page
    place = opened(page, cell)
    write(
        place,
        "from optim_lib import landscapes, plotting\nfrom optim_lib.explorer import explore\n"
        "from optim_lib.optimizers import SGD\ndisplay(plotting.contour(landscapes.bowl))\n"
        "explore(SGD, landscapes.bowl, learning_rate=[0.1, 0.2, 0.3])",
    )
    run(page, cell)
    expect(place.locator(".uo-output")).to_contain_text("drawn with matplotlib, which is not in the page")
    figure = place.locator(".uo-output .uo-figure")
    figure.locator(".uo-explorer[data-ready=true]").wait_for()
    before = figure.locator(".uo-says").inner_text()
    figure.locator("input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(figure.locator(".uo-says")).not_to_have_text(before)


def test_axe_finds_nothing_and_the_keyboard_is_enough(reader, cell, axe):
    page = reader.page
    page.evaluate(axe)
    assert page.evaluate(AXE) == []
    place = opened(page, cell)
    place.locator("[role=textbox]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("print('typed')")
    page.keyboard.press("Control+Enter")
    expect(place.locator(".uo-printed")).to_have_text("typed\n", timeout=MILLISECONDS)
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.do") == "run"


def test_its_text_outlasts_a_reload(reader, cell):
    page = reader.page
    write(opened(page, cell), "print('kept')")
    page.wait_for_function(
        "id => Object.values(courseStore.all('answer')).some(({text}) => text.includes('kept'))", arg=cell
    )
    page.reload()
    expect(opened(page, cell).locator(".cm-content")).to_contain_text("print('kept')")
    opened(page, cell).get_by_role("button", name="Reset").click()
