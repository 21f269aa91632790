"""explore_scenes(): what it accepts, and what its page and its still picture draw and say."""

from __future__ import annotations

import numpy as np
import pytest

from optim_lib.explorer import Bars, Plane, arrow, dots, explore_scenes, outline, predict, quest
from optim_lib.explorer.scenes import coordinates, heights
from optim_lib.explorer.still.curves import opening_rows

ANGLES, LENGTHS = np.array([0.0, 90.0, 180.0]), np.array([1.0, 2.0])
TIPS = LENGTHS[:, None] * np.stack([np.cos(np.radians(ANGLES)), np.sin(np.radians(ANGLES))], axis=-1)[:, None]
SQUARE = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1), (1, 1)], dtype=float)


def figure(**options):
    plane = Plane(
        [outline("square", SQUARE[None, None]), arrow("hand", TIPS), dots("tip", TIPS[:, :, None])],
        window=(-2.5, 2.5, -2.5, 2.5),
        xlabel="across",
    )
    parts = np.stack([np.broadcast_to(LENGTHS, (3, 2)), np.full((3, 2), 0.5)], axis=-1)
    bars = Bars({"first": parts, "second": parts / 2}, ["long one", "short one"], stacked=True)
    options = {"title": "A hand", "angle": ANGLES, "length": LENGTHS, **options}
    return explore_scenes({"dial": plane, "parts": bars}, ("height", {"hand": TIPS[..., 1]}), **options)


def says(page):
    return page.inner_text(".uo-says")


def move(page, **traits):
    page.evaluate("(traits) => Object.entries(traits).forEach(([name, i]) => model.set(name, i))", traits)
    page.evaluate("settled()")


def pixels(page, k):
    return page.evaluate("(k) => document.querySelectorAll('.uo-curve')[k].toDataURL()", k)


def test_it_says_what_it_is_and_has_a_slider_for_each_axis():
    made = figure()
    assert repr(made) == "scenes: dial and parts, angle x length"
    assert [slider.description for slider in made.sliders.values()] == ["angle", "length"]


def test_the_table_holds_points_and_heights():
    state = figure(initial={"angle": 90, "length": 2}).state
    dial, parts = state.spec["panels"][:2]
    _, hand, tip = opening_rows(state, 0)
    assert np.allclose(coordinates(dial, hand), [[0, 0], [0, 2]], atol=1e-3)
    assert np.allclose(coordinates(dial, tip), [[0], [2]], atol=1e-3)
    assert np.allclose(heights(parts, opening_rows(state, 1)[0]), [2, 0.5], atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"angle": [0.0, 90.0]}, r"'hand' of .* must have the grid \(2, 2\)"),
        ({"given": ["width"]}, "given must name axes of this figure"),
        ({"initial": {"angle": 500}}, "initial angle must be between 0 and 180"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        figure(**change)


def test_bad_scenes_are_named():
    reading = ("height", {"hand": TIPS[..., 1]})
    with pytest.raises(ValueError, match="at least one Plane or Bars"):
        explore_scenes({}, reading, angle=ANGLES, length=LENGTHS)
    with pytest.raises(ValueError, match="must be \\(left, right, bottom, top\\)"):
        explore_scenes({"p": Plane([arrow("hand", TIPS)], (1, -1, 0, 1))}, reading, angle=ANGLES, length=LENGTHS)
    with pytest.raises(ValueError, match="must have 2 values that are not negative"):
        explore_scenes({"b": Bars({"x": TIPS}, ["a", "b"])}, reading, angle=ANGLES, length=LENGTHS)


def test_a_slider_changes_what_depends_on_it_and_the_sentence(show):
    page = show(figure(initial={"angle": 0, "length": 1}))
    before = pixels(page, 0), pixels(page, 1)
    assert says(page) == "With angle 0 and length 1, the height is 0."
    move(page, i0=1)
    assert pixels(page, 0) != before[0]
    assert pixels(page, 1) == before[1]
    assert says(page) == "With angle 90 and length 1, the height is 1."
    move(page, i1=1)
    assert pixels(page, 1) != before[1]


def test_the_best_setting_is_said_where_one_is_wanted(show):
    assert "The lowest on these sliders is angle 0 and length 1, for one, where it is 0" in says(
        show(figure(ideal=0, initial={"angle": 90, "length": 1}))
    )


def test_marks_are_hidden_kept_and_told(show):
    page = show(figure(initial={"angle": 0, "length": 2}))
    told = page.locator(".uo-curve").first.get_attribute("aria-label")
    assert "hand points from (0, 0) to (2, 0)" in told
    assert page.locator(".uo-curve").nth(1).get_attribute("aria-label").startswith("Parts: first is 2 for long one")
    before = pixels(page, 0)
    page.click("button:has-text('square')")
    page.evaluate("settled()")
    assert pixels(page, 0) != before
    page.click(".uo-keep")
    move(page, i0=1)
    with_copy = pixels(page, 0)
    page.click(".uo-keep")
    page.evaluate("settled()")
    assert pixels(page, 0) != with_copy


def test_quests_are_judged_by_the_reading(show):
    quests = [
        quest("up", "Point upwards.", lambda table: table.ends(table.series[0]) > 0.5),
        predict("Is it longer?", answer=True, see={"length": 2}, because="It is twice as long."),
    ]
    page = show(figure(initial={"angle": 0, "length": 1}, quests=quests))
    move(page, i0=1)
    page.click(".uo-quests li >> nth=0 >> .uo-check")
    page.wait_for_selector(".uo-tally >> text=1 of 2 done")


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_overflows(show, width):
    page = show(figure(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_numbers_are_exported(show):
    page = show(figure(initial={"angle": 90, "length": 2}))
    with page.expect_download() as waiting:
        page.click("button:has-text('CSV')")
    rows = waiting.value.path().read_text().splitlines()
    assert "dial,tip,0.000,2.000" in [row.replace("-0.000", "0.000") for row in rows]
    assert "parts,second,long one,1.000" in rows


def test_the_still_picture_shows_the_same_marks():
    drawn = figure(initial={"angle": 0, "length": 1}).canvas.html
    assert drawn.count('class="uo-shaft') == 1
    assert drawn.count('class="uo-dot') >= 1
    assert ">long<" in drawn
