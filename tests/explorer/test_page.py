"""The figure in a real browser: what a reader sees, hears and can do."""

from __future__ import annotations

import numpy as np
import pytest

from optim_lib.explorer import (
    MapCurve,
    beats,
    diverge,
    explore,
    find_best,
    improves,
    largest_stable,
    predict,
    race,
    reach,
    work_out,
)
from optim_lib.landscapes import double_well, ravine, rosenbrock
from optim_lib.optimizers import SGD, Adam, MomentumSGD, NesterovMomentum

RATES, MOMENTA = np.linspace(0.01, 0.1, 10), np.linspace(0, 0.9, 7)


@pytest.fixture(scope="module")
def momentum():
    return explore(
        MomentumSGD,
        ravine,
        learning_rate=RATES,
        momentum=MOMENTA,
        initial={"learning_rate": 0.03, "momentum": 0.0},
        quests=[
            diverge(),
            find_best(),
            predict("Does momentum 0.9 help?", answer=improves("momentum", 0.9), see={"momentum": 0.9}),
        ],
    )


def pixels(page, name):
    return page.eval_on_selector(name, "canvas => canvas.toDataURL()")


def settle(page):
    page.evaluate("settled()")


def says(page):
    return page.inner_text(".uo-says")


def set_trait(page, **traits):
    for name, value in traits.items():
        page.evaluate("([name, value]) => model.set(name, value)", [name, value])
    settle(page)


def setting(page):
    return page.evaluate("[model.get('i0'), model.get('i1')]")


def done(page):
    """Which quests are done, once the reader has come to rest."""
    page.wait_for_timeout(500)
    return page.eval_on_selector_all(".uo-quests li", "items => items.map((item) => item.dataset.done === 'true')")


def ink(page, name):
    """The share of a canvas that is not transparent."""
    return page.eval_on_selector(
        name,
        """canvas => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let drawn = 0;
          for (let i = 3; i < data.length; i += 4) drawn += data[i] > 0;
          return drawn / (data.length / 4);
        }""",
    )


def loss_text(loss):
    """A loss to three digits, as the page writes it."""
    rounded = float(f"{loss:.2e}")
    if 1e-4 <= rounded < 1e6:
        return f"{rounded:.10f}".rstrip("0").rstrip(".")
    mantissa, exponent = f"{rounded:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def test_all_three_pictures_are_drawn(show, momentum):
    page = show(momentum)
    assert ink(page, ".uo-main") > 0.99
    assert ink(page, ".uo-loss") > 0.01
    assert ink(page, ".uo-map") > 0.4


@pytest.mark.parametrize("trait", ["i0", "i1", "start", "step"])
def test_moving_anything_repaints_and_rewrites(show, momentum, trait):
    page = show(momentum)
    names = (".uo-main", ".uo-loss") if trait == "step" else (".uo-main", ".uo-loss", ".uo-map")
    before, said = [pixels(page, name) for name in names], says(page)
    set_trait(page, **{trait: {"i0": 5, "i1": 4, "start": 1, "step": 7}[trait]})
    assert all(pixels(page, name) != old for name, old in zip(names, before, strict=True))
    assert says(page) != said


def test_the_sentence_says_what_the_table_says(show, momentum):
    page = show(momentum)
    series = momentum.table.series[0]
    for i, j, start in [(2, 0, 0), (7, 3, 0), (4, 6, 1), (0, 1, 2), (9, 5, 0)]:
        set_trait(page, i0=i, i1=j, start=start)
        losses = series.gaps[start, i, j]
        expected = f"from {loss_text(losses[0])} to {loss_text(losses[-1])} in 60 steps"
        assert expected in says(page)
        set_trait(page, step=17)
        assert f"to {loss_text(losses[17])} after 17 of 60 steps" in says(page)
        set_trait(page, step=60)


def test_divergence_is_said_in_words(show, momentum):
    page = show(momentum)
    set_trait(page, i0=9, i1=0)
    assert "rises" in says(page) or "diverges" in says(page)
    figure = explore(SGD, ravine, learning_rate=[0.05, 0.5], quests=[])
    page = show(figure)
    set_trait(page, i0=1)
    step = int(np.isinf(figure.table.series[0].gaps[0, 1]).argmax())
    assert f"the run diverges: at step {step} it is over 1000 windows away" in says(page)
    set_trait(page, step=step - 1)
    assert "has risen" in says(page)


def test_the_arrow_of_a_diverged_run_points_where_it_went(show):
    """Far points are drawn in along their ray; an overflow there once turned the arrow around."""
    figure = explore(SGD, ravine, start=(-2.0, 0.0), learning_rate=[0.5, 4.0], steps=9)
    page = show(figure)
    set_trait(page, i0=1)
    last = figure.table.series[0].points[0, 1]
    last = last[np.isfinite(last[:, 0])][-1]
    columns = page.eval_on_selector(
        ".uo-main",
        """canvas => {
          const at = (from, to) => {
            const { data } = canvas.getContext("2d").getImageData(from, 0, to - from, canvas.height);
            let red = 0;
            for (let i = 0; i < data.length; i += 4) red += data[i] > 180 && data[i + 1] < 120 && data[i + 2] < 60;
            return red;
          };
          return [at(0, 25), at(canvas.width - 25, canvas.width)];
        }""",
    )
    assert (columns[0] > 40 and columns[0] > columns[1]) == bool(last[0] < 0)


def test_the_map_moves_the_sliders(show, momentum):
    page = show(momentum)
    box = page.locator(".uo-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 16, box["y"] + 30)
    assert setting(page) == [9, 6]
    assert page.evaluate("model.saved") > 0
    page.mouse.move(box["x"] + box["width"] - 16, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 50, box["y"] + box["height"] - 40, steps=5)
    page.mouse.up()
    assert setting(page) == [0, 0]


def test_the_map_answers_the_keyboard(show, momentum):
    page = show(momentum)
    page.focus(".uo-map")
    for key, expected in [
        ("ArrowRight", [3, 0]),
        ("ArrowUp", [3, 1]),
        ("Shift+ArrowUp", [3, 6]),
        ("ArrowUp", [3, 6]),
        ("ArrowLeft", [2, 6]),
        ("PageDown", [2, 0]),
        ("End", [9, 0]),
        ("Home", [0, 0]),
    ]:
        page.keyboard.press(key)
        assert setting(page) == expected, key
    settle(page)
    assert "Now at learning rate 0.01 and momentum 0" in page.get_attribute(".uo-map", "aria-label")


def test_every_picture_has_a_name(show, momentum):
    page = show(momentum)
    for name, role in ((".uo-main", "img"), (".uo-loss", "img"), (".uo-map", "application")):
        assert page.get_attribute(name, "role") == role
        before = page.get_attribute(name, "aria-label")
        assert len(before) > 40
        page.evaluate("model.set('step', model.get('step') - 1); model.set('i0', model.get('i0') + 1)")
        settle(page)
        assert page.get_attribute(name, "aria-label") != before


def test_screen_readers_hear_the_sentence_when_it_rests(show, momentum):
    page = show(momentum)
    page.wait_for_timeout(700)
    assert page.get_attribute(".uo-says", "aria-live") == "polite"
    set_trait(page, i0=6)
    assert page.get_attribute(".uo-says", "aria-live") == "off"
    page.wait_for_timeout(700)
    assert page.get_attribute(".uo-says", "aria-live") == "polite"


def test_the_scrubber_moves_through_the_steps(show, momentum):
    page = show(momentum)
    before = pixels(page, ".uo-main")
    page.focus(".uo-step")
    page.keyboard.press("Home")
    settle(page)
    assert page.evaluate("model.get('step')") == 0
    assert pixels(page, ".uo-main") != before
    assert "before the first step" in says(page)
    assert page.inner_text(".uo-step-text") == "step 0 of 60"


def test_play_runs_to_the_end_and_can_pause(show, momentum):
    page = show(momentum)
    page.click(".uo-play")
    page.wait_for_function("model.get('step') > 3 && model.get('step') < 60")
    page.click(".uo-play")
    settle(page)
    paused = page.evaluate("model.get('step')")
    assert page.inner_text(".uo-play") == "Play"
    page.wait_for_timeout(300)
    assert page.evaluate("model.get('step')") == paused
    page.click(".uo-play")
    page.wait_for_function("model.get('step') === 60", timeout=20_000)
    page.wait_for_selector(".uo-play >> text=Play")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_point_glides_unless_the_reader_wants_less_motion(show, motion):
    page = show(explore(SGD, ravine, steps=30, learning_rate=[0.01, 0.02]), reduced_motion=motion)
    set_trait(page, step=0)
    page.click(".uo-play")
    pictures, steps = page.evaluate(
        """async () => {
          const [pictures, steps] = [new Set(), new Set()];
          for (let frame = 0; frame < 40; frame++) {
            await new Promise(requestAnimationFrame);
            pictures.add(document.querySelector(".uo-main").toDataURL());
            steps.add(model.get("step"));
          }
          return [pictures.size, steps.size];
        }"""
    )
    assert (pictures <= steps + 1) == (motion == "reduce")


def test_nothing_moves_by_itself(show, momentum):
    page = show(momentum)
    before = pixels(page, ".uo-main")
    page.wait_for_timeout(500)
    assert pixels(page, ".uo-main") == before
    assert done(page) == [False, False, False]


def test_starts_are_buttons_and_places_on_the_surface(show, momentum):
    page = show(momentum)
    page.click(".uo-start >> nth=2")
    settle(page)
    assert page.evaluate("model.get('start')") == 2
    assert page.get_attribute(".uo-start >> nth=2", "aria-pressed") == "true"
    x, y = momentum.canvas.spec["starts"][1]
    box = page.locator(".uo-main").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"])
    assert page.evaluate("model.get('start')") == 1


def check(page, k=0):
    """Press Check at a quest."""
    page.click(f".uo-quests li >> nth={k} >> .uo-check")


def test_a_task_is_done_where_the_reader_checks_it_and_not_in_passing(show):
    rates = np.linspace(0.02, 0.4, 20)
    tasks = [largest_stable(because="Beyond it every step lands higher."), diverge()]
    page = show(explore(SGD, ravine, learning_rate=rates, initial={"learning_rate": 0.04}, quests=tasks))
    for index in range(20):
        set_trait(page, i0=index)
    assert done(page) == [False, False], "a sweep of the slider is no answer"
    check(page, 1)
    assert done(page) == [False, True]
    assert "Quest done" in page.inner_text(".uo-sr[aria-live]")
    assert "Done:" in page.text_content(".uo-quests li >> nth=1")
    assert page.is_disabled(".uo-quests li >> nth=1 >> .uo-check")
    assert "Beyond" not in page.inner_text(".uo-quests")
    set_trait(page, i0=int(np.flatnonzero(rates <= 2 / 25)[-1]))
    check(page, 0)
    assert done(page) == [True, True], "done stays done"
    assert "Beyond it every step lands higher." in page.inner_text(".uo-quests li >> nth=0")


def test_three_tries_and_then_the_reason(show):
    because = "Beyond 2/25 it climbs."
    figure = explore(SGD, ravine, learning_rate=[0.01, 0.02, 0.5], quests=[diverge(because=because)])
    page = show(figure)
    for left in ("2 tries are left", "One try is left", because):
        assert because not in page.inner_text(".uo-quests")
        check(page)
        assert left in page.inner_text(".uo-quests")
        assert left in page.inner_text(".uo-sr[aria-live]")
    assert page.is_disabled(".uo-check")
    set_trait(page, i0=2)
    assert done(page) == [False]
    page.click(".uo-forget")
    check(page)
    assert done(page) == [True]


@pytest.mark.parametrize("typed", ["0.08", "0,0801", " 8e-2 "])
def test_a_number_is_worked_out_and_typed(show, typed):
    question = work_out("What is the edge for a curvature of 25?", 2 / 25, because="It is 2/25.")
    page = show(explore(SGD, ravine, learning_rate=[0.01, 0.02], quests=[question]))
    page.fill(".uo-number", "two")
    check(page)
    assert "type a number" in page.inner_text(".uo-sr[aria-live]")
    page.fill(".uo-number", "0.09")
    check(page)
    assert "Not this number. 2 tries are left." in page.inner_text(".uo-quests")
    page.fill(".uo-number", typed)
    page.press(".uo-number", "Enter")
    assert done(page) == [True]
    assert "It is 2/25." in page.inner_text(".uo-quests")
    page.reload()
    page.wait_for_selector(".uo-explorer[data-ready=true]")
    assert page.input_value(".uo-number") == typed.strip()


def test_tasks_agree_with_the_table_at_every_setting(show):
    figure = explore(
        MomentumSGD,
        ravine,
        learning_rate=RATES,
        momentum=MOMENTA,
        initial={"momentum": 0},
        quests=[reach(1e-3, within=40)],
    )
    page = show(figure)
    gaps = figure.table.series[0].gaps[..., :41].min(axis=-1) < 1e-3
    rng = np.random.default_rng(0)
    for _ in range(8):
        start, i, j = (int(rng.integers(n)) for n in gaps.shape)
        set_trait(page, start=start, i1=j, i0=i)
        page.evaluate("document.querySelector('.uo-forget').click()")
        check(page)
        assert done(page) == [bool(gaps[start, i, j])], (start, i, j)


def test_a_prediction_waits_for_an_answer_and_then_for_a_look(show, momentum):
    page = show(momentum)
    item = ".uo-quests li >> nth=2"
    set_trait(page, i1=6)
    assert done(page)[2] is False, "looking first does not count as predicting"
    set_trait(page, i1=0)
    page.click(f"{item} >> .uo-choice >> nth=1")
    assert page.is_disabled(f"{item} >> .uo-choice >> nth=0")
    assert "Now move to momentum 0.9" in page.inner_text(item)
    assert momentum.canvas.spec["quests"][2]["because"] not in page.inner_text(item)
    assert done(page)[2] is False
    page.click(f"{item} >> .uo-look")
    settle(page)
    assert setting(page)[1] == 6
    assert done(page)[2] is True
    assert page.is_hidden(f"{item} >> .uo-look")
    assert momentum.canvas.spec["quests"][2]["because"] in page.inner_text(item)


def test_done_quests_are_remembered_and_can_be_forgotten(show, momentum):
    page = show(momentum)
    figure = explore(SGD, ravine, learning_rate=[0.05, 0.5], quests=[diverge()])
    page = show(figure)
    set_trait(page, i0=1)
    check(page)
    assert done(page) == [True]
    page.reload()
    page.wait_for_selector(".uo-explorer[data-ready=true]")
    assert done(page) == [True]
    page.click(".uo-forget")
    assert done(page) == [False]
    page.reload()
    page.wait_for_selector(".uo-explorer[data-ready=true]")
    assert done(page) == [False]
    assert page.is_hidden(".uo-forget")


def test_the_best_setting_is_not_given_away_by_a_quest(show, momentum):
    page = show(momentum)
    assert "best" not in says(page)
    best = np.unravel_index(momentum.table.series[0].gaps[0, ..., -1].argmin(), (10, 7))
    set_trait(page, i0=int(best[0]), i1=int(best[1]))
    check(page, 1)
    assert done(page)[1]
    set_trait(page, i0=0)
    assert "The best on this map is" in says(page)


def test_dark_mode_changes_live(show, momentum):
    page = show(momentum)
    light = {name: pixels(page, name) for name in (".uo-main", ".uo-loss", ".uo-map")}
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    settle(page)
    dark = {name: pixels(page, name) for name in light}
    assert all(dark[name] != light[name] for name in light)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    settle(page)
    assert {name: pixels(page, name) for name in light} == light


@pytest.mark.parametrize(
    "change",
    ["document.body.dataset.jpThemeLight = 'false'", "document.body.classList.add('vscode-dark')"],
    ids=["jupyterlab", "vscode"],
)
def test_dark_mode_of_other_hosts(show, momentum, change):
    page = show(momentum)
    page.evaluate("delete document.documentElement.dataset.theme")
    settle(page)
    light = pixels(page, ".uo-main")
    page.evaluate(change)
    settle(page)
    assert pixels(page, ".uo-main") != light


def test_dark_mode_of_the_system(show, momentum):
    page = show(momentum, color_scheme="dark")
    light = pixels(page, ".uo-main")
    page.evaluate("delete document.documentElement.dataset.theme")
    settle(page)
    assert pixels(page, ".uo-main") != light


@pytest.mark.parametrize("width", [320, 390, 800, 1200])
def test_nothing_overflows(show, momentum, width):
    page = show(momentum, width=width)
    set_trait(page, i0=7)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = [page.locator(name).bounding_box() for name in (".uo-main", ".uo-loss", ".uo-map")]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    assert all(box["height"] > 80 for box in boxes)
    stacked = boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert stacked == (width < 620)


@pytest.mark.parametrize("width", [390, 800])
@pytest.mark.parametrize("kind", ["explore", "race"])
def test_nothing_below_moves_while_a_slider_does(show, kind, width):
    options = {"learning_rate": np.linspace(0.01, 0.4, 10), "initial": {"learning_rate": 0.01}}
    if kind == "explore":
        figure = explore(MomentumSGD, ravine, momentum=MOMENTA, quests=[diverge()], **options)
    else:
        figure = race([SGD, MomentumSGD, NesterovMomentum, Adam], ravine, quests=[diverge(by="SGD")], **options)
    page = show(figure, width=width)
    places = set()
    for i in range(10):
        set_trait(page, i0=i)
        places.add(page.evaluate("document.querySelector('.uo-tasks').getBoundingClientRect().top"))
    assert len(places) == 1


def test_a_race_draws_and_hides_its_entries(show):
    figure = race(
        [SGD, ("heavy", MomentumSGD, {"rate_scale": 0.1}), Adam],
        ravine,
        learning_rate=RATES,
        quests=[beats("Adam", "SGD")],
    )
    page = show(figure)
    assert page.locator(".uo-entry").count() == 3
    assert "rate \u00d7 0.1" in page.inner_text(".uo-legend")
    before = [pixels(page, name) for name in (".uo-main", ".uo-loss", ".uo-map")]
    page.click(".uo-entry >> nth=2")
    settle(page)
    assert all(pixels(page, n) != old for n, old in zip((".uo-main", ".uo-loss", ".uo-map"), before, strict=True))
    assert "Adam" not in says(page)
    assert page.get_attribute(".uo-entry >> nth=2", "aria-pressed") == "false"


def test_a_races_sentence_is_in_the_order_of_arrival(show):
    figure = race([SGD, ("heavy", MomentumSGD, {"rate_scale": 0.1}), Adam], ravine, learning_rate=RATES)
    page = show(figure)
    for i in (1, 5, 9):
        set_trait(page, i0=i)
        alive = [s for s in figure.table.series if np.isfinite(s.gaps[0, i, -1])]
        ranked = [s.label for s in sorted(alive, key=lambda s: s.gaps[0, i, -1])]
        words = says(page)
        assert sorted(ranked, key=words.index) == ranked


def test_a_third_axis_changes_the_map(show):
    figure = explore(
        Adam, rosenbrock, steps=30, learning_rate=np.geomspace(0.01, 1, 5), beta1=[0, 0.9], beta2=[0.5, 0.999]
    )
    page = show(figure)
    grab = """() => {
      const canvas = document.querySelector(".uo-map");
      return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
    }"""
    before = np.array(page.evaluate(grab))
    set_trait(page, i2=1 - page.evaluate("model.get('i2')"))
    assert np.mean(np.array(page.evaluate(grab)) != before) > 0.2, "the cells change, not only the star"
    assert "steps, beta2" in page.inner_text(".uo-side")


def test_a_loss_above_the_minimum_is_called_so(show):
    page = show(explore(SGD, double_well, start=(1.6, 0.9), learning_rate=[0.01, 0.1]))
    assert "the loss above its minimum falls" in says(page)
    labels = page.locator(".uo-label").all_inner_texts()
    assert labels == ["Loss gap at each step", "Loss gap after 60 steps"]


def test_the_mean_loss_of_several_draws_is_called_so(show):
    page = show(explore(SGD, double_well, start=(1.6, 0.9), learning_rate=[0.01, 0.1], noise=0.1, draws=3))
    assert "the mean loss above its minimum falls" in says(page)
    labels = page.locator(".uo-label").all_inner_texts()
    assert labels == ["Mean loss gap at each step", "Mean loss gap after 60 steps"]
    entries = [SGD, MomentumSGD]
    page = show(race(entries, double_well, start=(1.6, 0.9), learning_rate=[0.01, 0.1], noise=0.1, draws=3))
    assert "after 60 steps: mean loss above the minimum, " in says(page)


def test_labels_of_lines_on_the_map_keep_apart(show):
    curves = [MapCurve("the edge", 0.30), MapCurve("the fastest", 0.29), MapCurve("theory", 0.31)]
    page = show(explore(SGD, ravine, learning_rate=np.linspace(0.01, 0.4, 40), map_curves=curves))
    page.evaluate(
        """() => {
          window.written = {};
          const original = CanvasRenderingContext2D.prototype.fillText;
          CanvasRenderingContext2D.prototype.fillText = function (words, x, y) {
            window.written[words] = y;
            original.call(this, words, x, y);
          };
        }"""
    )
    page.set_viewport_size({"width": 780, "height": 900})
    page.evaluate("settled()")
    heights = sorted(page.evaluate("['the edge', 'the fastest', 'theory'].map((words) => window.written[words])"))
    assert min(np.diff(heights)) >= 14


def test_two_views_of_one_figure_move_together_and_close(show, momentum):
    page = show(momentum)
    page.evaluate(
        """async () => {
          const el = document.body.appendChild(document.createElement("div"));
          window.close_second = widget.render({ model, el });
          await new Promise((done) => setTimeout(done, 300));
        }"""
    )
    assert page.locator(".uo-explorer[data-ready=true]").count() == 2
    set_trait(page, i0=8)
    sentences = page.locator(".uo-says").all_inner_texts()
    assert sentences[0] == sentences[1]
    page.evaluate("close_second(); close_figure()")
    assert page.evaluate("listening()") == 0
    assert page.locator(".uo-explorer").count() == 0


def test_closed_storage_is_no_obstacle(show):
    page = show(explore(SGD, ravine, learning_rate=[0.05, 0.5], quests=[diverge()]))
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('closed'); }; }")
    set_trait(page, i0=1)
    check(page)
    assert done(page) == [True]
