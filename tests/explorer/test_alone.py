"""A figure in a page of its own."""

from __future__ import annotations

import numpy as np
import pytest

from optim_lib.explorer import explore, explore_curves, find_best, race, save_html
from optim_lib.explorer.script import MODULES, script
from optim_lib.landscapes import ravine
from optim_lib.optimizers import SGD, MomentumSGD
from tools import one_figure

RATES, X = np.geomspace(1e-3, 0.06, 5), np.arange(9)
FIGURES = {
    "explore": lambda: explore(MomentumSGD, ravine, learning_rate=RATES, momentum=[0, 0.9], quests=[find_best()]),
    "race": lambda: race([SGD, MomentumSGD], ravine, learning_rate=RATES),
    "curves": lambda: explore_curves(
        {"error": {"one": (1 - RATES[:, None]) ** np.arange(9)}}, np.arange(9), rate=RATES
    ),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_a_saved_figure_lives_and_asks_for_nothing(browser, tmp_path, kind):
    path = save_html(FIGURES[kind](), tmp_path / "figure.html")
    page = browser.new_page()
    wrong, asked = [], []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector(".uo-explorer[data-ready=true]")
    before = page.inner_text(".uo-says")
    page.locator(".uo-sliders input").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('.uo-says').textContent !== before", arg=before)
    page.close()
    assert wrong == []
    assert asked == [path.as_uri()]


def test_what_is_no_figure_is_named(tmp_path):
    with pytest.raises(TypeError, match="figure must be what explore, race or explore_curves return, got 3"):
        save_html(3, tmp_path / "figure.html")


def test_every_module_of_the_scripts_is_in_the_one_that_notebooks_get():
    whole = script("alone")
    assert "import {" not in whole
    for module in MODULES.glob("*.js"):
        last = module.read_text(encoding="utf-8").strip().splitlines()[-2]
        assert last in whole, module.name


def test_the_command_says_where_it_wrote(tmp_path, capsys):
    path = tmp_path / "race.html"
    assert one_figure.main(["race([SGD, Adam], landscapes.ravine, learning_rate=[0.01, 0.02])", "--to", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert "data-figure" in path.read_text(encoding="utf-8")
