"""Figures of boards: the numbers that they are drawn from, and what their pages do."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import ch02
from optim_lib.descent import descend
from optim_lib.explorer import (
    boards,
    explore_modes,
    explore_phase,
    explore_relief,
    find_best,
    modes,
    phase,
    predict,
    reach,
    relief,
    save_html,
)
from optim_lib.explorer import table as tables
from optim_lib.landscapes import quadratic
from optim_lib.optimizers import SGD, MomentumSGD
from optim_lib.probes import matrix, spectral_radius

RATES, MOMENTA = np.array([0.05, 0.12, 0.2, 0.245]), np.array([0.0, 0.5, 0.9])
FIGURES = {
    "modes": lambda **options: explore_modes(
        [1.0, 4.0, 9.0], [1.0, 2.0, -1.0], learning_rate=RATES, steps=30, directions=np.eye(3),
        features=("one", "two", "three"), **options,
    ),
    "momentum": lambda **options: explore_modes(
        [1.0, 4.0, 9.0], [1.0, 2.0, -1.0], learning_rate=RATES, momentum=MOMENTA, steps=30, **options
    ),
    "phase": lambda **options: explore_phase(product=[0.1, 1.0, 2.9, 3.5], momentum=MOMENTA, steps=20, **options),
    "relief": lambda **options: explore_relief(a=[-1.0, 0.0, 1.0], b=[-1.0, 0.0, 0.5, 1.0], **options),
}  # fmt: skip


def says(page):
    return page.inner_text(".uo-says")


def move(page, **traits):
    page.evaluate("(traits) => Object.entries(traits).forEach(([name, i]) => model.set(name, i))", traits)
    page.evaluate("settled()")


def model_steps(page):
    return page.evaluate("model.get('spec').steps")


def pixels(page, k):
    return page.evaluate("(k) => document.querySelectorAll('.uo-board')[k].toDataURL()", k)


# --- the numbers


@pytest.mark.parametrize("momentum", [None, 0.5, 0.9])
def test_the_sum_of_the_directions_is_the_loss_of_the_run_on_the_real_regression(momentum):
    x, y = ch02.regression()
    own = ch02.modes(x, y)
    grid = {"learning_rate": np.array([0.05, 0.12])} | ({} if momentum is None else {"momentum": np.array([momentum])})
    left = modes.shares(own["curvatures"], own["offsets"], grid, steps=40)
    optimizer = SGD(0.12) if momentum is None else MomentumSGD(0.12, momentum)
    bottom, theta, losses = np.linalg.lstsq(x, y, rcond=None)[0], {"theta": np.zeros(11)}, []
    for _ in range(41):
        losses.append(np.mean((x @ (theta["theta"] - bottom)) ** 2))
        optimizer.update(theta, {"theta": 2 / len(y) * x.T @ (x @ theta["theta"] - y)})
    assert left[1].sum(axis=-2).ravel() == pytest.approx(np.array(losses) / losses[0], rel=1e-8)


def test_bars_travel_finer_than_they_are_seen():
    values = np.geomspace(1e-15, 1e5, 400)
    assert np.abs(modes.decades_of(modes._decade_codes(values)) - np.log10(values)).max() <= 1 / 400
    assert modes.decades_of(modes._decade_codes(np.array([0.0])))[0] == -20


def test_a_place_on_the_v_is_the_share_of_the_distance_that_the_optimizer_keeps():
    figure = FIGURES["modes"](initial={"learning_rate": 0.245})
    keeps = modes.opening_factors(figure.state)
    after = descend(SGD(0.245), quadratic([1.0, 9.0]), (1.0, 1.0), 1).points[1]
    assert keeps[[0, 2]] == pytest.approx(np.abs(after), abs=1e-4)


@pytest.mark.parametrize(("q", "beta"), [(0.1, 0.5), (0.3, 0.9), (2.9, 0.5), (3.5, 0.5)])
def test_the_portrait_is_the_matrix_applied_again_and_again(q, beta):
    distances, velocities = phase.runs(np.array([[q]]), np.array([[beta]]), 12)
    state, step = np.array([1.0, 0.0]), matrix(q, beta)
    for t in range(13):
        assert [distances[0, 0, t], velocities[0, 0, t] * np.sqrt(q)] == pytest.approx(state, rel=1e-9, abs=1e-12)
        state = step @ state


def test_moods_are_those_of_the_eigenvalues():
    q, beta = np.meshgrid(np.linspace(0.03, 4.1, 60), np.linspace(0, 0.99, 40))
    found = np.array(phase.MOODS)[phase.mood(q, beta)]
    values = np.linalg.eigvals(matrix(q, beta))
    assert np.all(spectral_radius(q, beta)[found == "diverges"] >= 1)
    assert np.all(spectral_radius(q, beta)[found != "diverges"] < 1)
    assert np.all(np.abs(values.imag).max(axis=-1)[found == "swings"] > 0)
    for name, sign in (("creeps", 1), ("flips", -1)):
        largest = np.take_along_axis(values, np.abs(values).argmax(axis=-1)[..., None], axis=-1)[..., 0]
        assert np.all(sign * largest.real[found == name] > 0)
        assert np.all(np.abs(largest.imag[found == name]) < 1e-6)


def test_the_walk_on_a_surface_is_gradient_descent_and_its_kind_is_that_of_its_curvatures():
    ours = [relief.walk(np.array([c]), at, 0.1, 25)[0] for c, at in ((1.0, -1.5), (0.5, 0.4))]
    theirs = descend(SGD(0.1), quadratic([1.0, 0.5]), (-1.5, 0.4), 25).points
    assert np.stack(ours, axis=1) == pytest.approx(theirs)
    a, b = np.array([1, -1, 1, 1, 0, -1, 0.0]), np.array([2, -2, -1, 0, 3, 0, 0.0])
    assert [relief.KINDS[k] for k in relief.kind(a, b)] == [
        "a minimum",
        "a maximum",
        "a saddle",
        "the floor of a valley",
        "the floor of a valley",
        "the top of a ridge",
        "a point of a plane",
    ]


def test_values_on_a_span_come_back():
    values = np.array([-3.0, -0.123, 2.0, 99.0])
    assert boards.from_span(boards.span_codes(values, (-3, 3)), (-3, 3)) == pytest.approx([-3, -0.123, 2, 3], abs=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: explore_modes([1.0, 0.0], [1.0, 1.0], learning_rate=RATES), "curvatures must be positive and as many"),
        (lambda: explore_modes([1.0, 2.0], [1.0], learning_rate=RATES), "curvatures must be positive and as many"),
        (
            lambda: explore_modes([1.0, 2.0], [1.0, 1.0], learning_rate=RATES, directions=np.eye(2)),
            "directions must be 2 columns for 2 features, got",
        ),
        (lambda: explore_phase(product=[0.0, 1.0], momentum=MOMENTA), "product must be positive, got 0 as its lowest"),
        (lambda: explore_relief(a=[0, 1], b=[0, 1], start=(3, 0)), "start must lie within reach, 2, got"),
        (lambda: explore_modes([1.0], [1.0], learning_rate=[0.1]), "learning_rate must have one dimension"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- the page


@pytest.mark.parametrize("kind", FIGURES)
def test_the_page_says_at_first_what_python_says(show, kind):
    figure = FIGURES[kind]()
    page = show(figure)
    assert says(page) == figure.canvas.spec["says"]
    assert page.locator(".uo-board").count() == len(figure.canvas.spec["boards"])


@pytest.mark.parametrize("kind", FIGURES)
def test_sliders_and_steps_move_every_board_and_the_sentence(show, kind):
    page = show(FIGURES[kind]())
    move(page, step=5)
    before, words = [pixels(page, k) for k in range(2)], says(page)
    move(page, i0=2)
    assert all(pixels(page, k) != before[k] for k in range(2))
    assert says(page) != words
    moved = pixels(page, 1), says(page)
    move(page, step=3)
    assert pixels(page, 1) != moved[0]
    assert "3 of" in says(page)


@pytest.mark.parametrize("kind", FIGURES)
def test_play_runs_from_the_start_to_the_end(show, kind):
    page = show(FIGURES[kind]())
    told = page.evaluate("""async () => {
        const button = document.querySelector(".uo-play");
        const said = [];
        button.click();
        for (let k = 0; k < 40 && new Set(said.map(([step]) => step)).size < 3; k++) {
            await settled();
            said.push([model.get("step"), button.textContent]);
        }
        button.click();
        await settled();
        return [...said, [model.get("step"), button.textContent]];
    }""")
    steps = [step for step, _ in told]
    assert steps == sorted(steps)
    assert steps[0] < steps[-2] < model_steps(page)
    assert [words for _, words in told[-2:]] == ["Pause", "Play"]


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("width", [390, 800])
def test_nothing_overflows_and_every_board_is_told_in_words(show, kind, width):
    page = show(FIGURES[kind](), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    told = page.evaluate("[...document.querySelectorAll('.uo-board')].map((c) => c.getAttribute('aria-label'))")
    assert all(len(words) > 30 for words in told)


def test_a_direction_is_chosen_with_the_keys_and_with_the_pointer(show):
    page = show(FIGURES["modes"]())
    bars = page.locator("[data-draws=bars] canvas")
    first, words = pixels(page, 3), bars.get_attribute("aria-valuetext")
    assert words.startswith("Direction 1 of 3, curvature 1:")
    bars.focus()
    page.keyboard.press("ArrowRight")
    page.evaluate("settled()")
    assert bars.get_attribute("aria-valuetext").startswith("Direction 2 of 3, curvature 4:")
    assert pixels(page, 3) != first
    box = bars.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 30, box["y"] + box["height"] / 2)
    page.evaluate("settled()")
    assert bars.get_attribute("aria-valuenow") == "3"
    assert "three 1.00" in page.locator("[data-draws=loadings] canvas").get_attribute("aria-label")


def test_a_surface_turns_by_drag_and_keys_and_goes_back(show):
    page = show(FIGURES["relief"]())
    surface = page.locator("[data-draws=relief] canvas")
    first, above = pixels(page, 0), pixels(page, 1)
    box = surface.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 120, steps=4)
    page.mouse.up()
    page.evaluate("settled()")
    dragged = pixels(page, 0)
    assert dragged != first
    surface.focus()
    page.keyboard.press("ArrowLeft")
    page.evaluate("settled()")
    assert pixels(page, 0) != dragged
    assert pixels(page, 1) == above
    page.click("[data-tool=reset]")
    page.evaluate("settled()")
    assert pixels(page, 0) == first


def test_a_finger_turns_a_surface_sideways_and_scrolls_along(show):
    page = show(FIGURES["relief"](), has_touch=True)
    surface = page.locator("[data-draws=relief] canvas")
    first, box = pixels(page, 0), surface.bounding_box()
    client = page.context.new_cdp_session(page)

    def drag(dx, dy):
        x, y = box["x"] + 150, box["y"] + 100
        client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for part in (0.3, 0.6, 1.0):
            at = {"x": x + part * dx, "y": y + part * dy}
            client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.evaluate("settled()")

    drag(0, -60)
    assert pixels(page, 0) == first
    page.evaluate("scrollTo(0, 0)")
    drag(80, 0)
    assert pixels(page, 0) != first


def test_quests_are_judged_on_boards(show):
    quests = [
        reach(0.001),
        predict("Lower at 0.12?", answer=True, see={"learning_rate": 0.12}, because="It keeps less."),
    ]
    page = show(FIGURES["modes"](initial={"learning_rate": 0.05}, quests=quests))
    page.click("text=yes")
    move(page, i0=1)
    page.click(".uo-check")
    page.wait_for_selector(".uo-tally >> text=2 of 2 done")


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_is_saved_alone_and_its_numbers_as_csv(browser, tmp_path, kind):
    path = save_html(FIGURES[kind](quests=[find_best()]) if kind == "modes" else FIGURES[kind](), tmp_path / "f.html")
    page, wrong = browser.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(".uo-explorer[data-ready=true]")
    for kind_of_file in ("csv", "svg"):
        with page.expect_download() as download:
            page.click(f"[data-tool={kind_of_file}]")
        text = download.value.path().read_text(encoding="utf-8")
        assert len(text.splitlines()) > 20 if kind_of_file == "csv" else "<path" in text
    page.close()
    assert wrong == []


@pytest.mark.parametrize("kind", FIGURES)
def test_a_table_is_small(kind):
    assert len(FIGURES[kind]().canvas.table) < 60_000
    assert tables.DIVERGED == 65535
