"""explore_curves(): what it accepts, and what its page draws and says."""

from __future__ import annotations

import numpy as np
import pytest

from optim_lib.explorer import explore_curves, find_best, predict, reach
from optim_lib.explorer import table as tables

X = np.arange(41)
RATES, MEMORIES = np.array([0.1, 0.5, 1.0, 2.1]), np.array([1.0, 10.0, 100.0])


def distances():
    """A grid of (rates, memories, steps), one curve that ignores the second axis, and one that diverges."""
    with np.errstate(over="ignore"):
        descent = np.abs(1 - RATES[:, None, None]) ** X
    descent[3, :, 30:] = np.inf
    wave = np.sin(X / MEMORIES[:, None])[None]
    return {"distance": {"descent": descent}, "rate": {"wave": wave, "flat": np.full((1, 1, X.size), 0.5)}}


def figure(**options):
    panels = distances()
    options = {"judged": "distance", "log_y": ["distance"], "title": "Two panels", **options}
    return explore_curves(panels, X, learning_rate=RATES, memory=MEMORIES, **options)


def says(page):
    return page.inner_text(".uo-says")


def move(page, **traits):
    page.evaluate("(traits) => Object.entries(traits).forEach(([name, i]) => model.set(name, i))", traits)
    page.evaluate("settled()")


def pixels(page, k):
    return page.evaluate("(k) => document.querySelectorAll('.uo-curve')[k].toDataURL()", k)


def test_it_says_what_it_is_and_has_a_slider_for_each_axis():
    made = figure()
    assert repr(made) == "curves: distance and rate over step, learning_rate x memory"
    assert [slider.description for slider in made.sliders.values()] == ["learning rate", "memory"]
    assert made.table.gaps(made.table.series[0]).shape == (1, 4, 3, 41)


def test_the_table_holds_the_values():
    made = figure()
    codes = tables.loss_codes(distances()["distance"]["descent"])
    assert made.canvas.spec["layout"][0] == ["rows", codes.size, X.size]
    assert tables.code_losses(codes)[0, 0, 5] == pytest.approx(0.9**5, rel=5e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": [0.1]}, "learning_rate must have one dimension and at least 2 values"),
        (
            {"learning_rate": [0.1, 0.2]},
            r"'distance' must have shape \(2, 3, 41\), got \(4, 1, 41\)",
        ),
        ({"initial": {"memory": 1000.0}}, "initial memory must be between 1 and 100"),
        ({"initial": {"rate": 1.0}}, "initial names 'rate', which is not an axis"),
        ({"log_y": ["loss"]}, "panels must be named in log_y and judged"),
        ({"log_y": ["rate"]}, "none negative on a log axis"),
        ({"judged": "loss"}, "panels must be named"),
    ],
)
def test_bad_input_is_named(change, message):
    options = {"learning_rate": RATES, "memory": MEMORIES, **change}
    with pytest.raises(ValueError, match=message):
        explore_curves(distances(), X, **options)


def test_axes_are_needed_and_not_too_many():
    with pytest.raises(ValueError, match="1 to 3 axes"):
        explore_curves(distances(), X)


def test_a_slider_changes_the_curves_that_depend_on_it_and_the_sentence(show):
    page = show(figure(initial={"learning_rate": 0.1, "memory": 1.0}))
    before = pixels(page, 0), pixels(page, 1), says(page)
    assert "With learning rate 0.1 and memory 1, the distance ends at 0.0148" in before[2]
    move(page, i1=2)
    assert pixels(page, 0) == before[0]
    assert pixels(page, 1) != before[1]
    move(page, i0=1)
    assert pixels(page, 0) != before[0]
    assert "With learning rate 0.5" in says(page)


def test_a_divergence_is_said(show):
    page = show(figure(initial={"learning_rate": 2.1}))
    assert "the distance diverges at step 30" in says(page)


def test_the_best_setting_is_said_unless_a_quest_asks_for_it(show):
    assert "The lowest on these sliders is learning rate 1 and memory 1" in says(show(figure(initial={"memory": 1})))
    hidden = figure(initial={"learning_rate": 0.1}, quests=[find_best()])
    assert "lowest" not in says(show(hidden))


def test_quests_are_judged_here(show):
    quests = [
        reach(1e-6),
        predict("Does 2.1 diverge?", answer=True, see={"learning_rate": 2.1}, because="Each step is longer."),
    ]
    page = show(figure(initial={"learning_rate": 0.1}, quests=quests))
    assert page.inner_text(".uo-tally") == "0 of 2 done"
    move(page, i0=1)
    page.click(".uo-check")
    page.wait_for_selector(".uo-tally >> text=1 of 2 done")
    page.click("text=yes")
    move(page, i0=3)
    page.wait_for_selector(".uo-tally >> text=2 of 2 done")


def test_a_copy_is_kept_for_comparison(show):
    page = show(figure(initial={"learning_rate": 0.1}))
    move(page, i0=1)
    plain = pixels(page, 0)
    move(page, i0=0)
    page.click(".uo-keep")
    move(page, i0=1)
    assert pixels(page, 0) != plain
    page.click(".uo-keep")
    page.evaluate("settled()")
    assert pixels(page, 0) == plain


def test_a_curve_is_hidden_and_shown(show):
    page = show(figure())
    before = pixels(page, 1)
    page.click("button:has-text('flat')")
    page.evaluate("settled()")
    assert pixels(page, 1) != before
    assert page.get_attribute("button:has-text('flat')", "aria-pressed") == "false"


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_overflows_and_charts_stack_when_narrow(show, width):
    page = show(figure(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tops = page.evaluate("[...document.querySelectorAll('.uo-curve')].map((c) => c.getBoundingClientRect().top)")
    assert (tops[0] == tops[1]) == (width == 800)


def test_charts_are_described_for_those_who_cannot_see_them(show):
    page = show(figure(initial={"learning_rate": 0.5}))
    words = page.locator(".uo-curve").first.get_attribute("aria-label")
    assert words.startswith("Distance over step, on a logarithmic axis: descent goes from 1 to 9.09e-13")
    assert page.locator(".uo-explorer").get_attribute("aria-label") == "Two panels"


def test_pointing_reads_a_value(show):
    page = show(figure(initial={"learning_rate": 0.5}))
    before = pixels(page, 0)
    box = page.locator(".uo-curve").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.evaluate("settled()")
    assert pixels(page, 0) != before
