"""explore() and race(): what they accept, what they return, and what they say when they cannot."""

from __future__ import annotations

import ipywidgets
import numpy as np
import pytest

from optim_lib.descent import descend
from optim_lib.explorer import Entry, MapCurve, explore, race
from optim_lib.explorer.words import labels, number, position, scale, ticks
from optim_lib.landscapes import ravine, rosenbrock
from optim_lib.optimizers import SGD, Adam, MomentumSGD, NesterovMomentum

RATES = np.geomspace(1e-3, 0.1, 5)


class StudentSGD:
    """As a student types it: it takes one learning rate and branches on it, so it cannot broadcast."""

    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, params, grads):
        if self.learning_rate > 0:
            for name in params:
                params[name] = params[name] - self.learning_rate * grads[name]
        return params


@pytest.mark.parametrize(
    ("axes", "plain"),
    [
        ({"learning_rate": RATES}, "explorer: Adam on Rosenbrock's banana, learning_rate"),
        ({"learning_rate": RATES, "beta1": [0.0, 0.9]}, "explorer: Adam on Rosenbrock's banana, learning_rate x beta1"),
        (
            {"learning_rate": RATES, "beta1": [0.0, 0.9], "beta2": [0.9, 0.999]},
            "explorer: Adam on Rosenbrock's banana, learning_rate x beta1 x beta2",
        ),
    ],
)
def test_one_two_and_three_axes(axes, plain):
    figure = explore(Adam, rosenbrock, **axes)
    assert list(figure.sliders) == list(axes)
    assert all(isinstance(slider, ipywidgets.SelectionSlider) for slider in figure.sliders.values())
    assert figure.table.series[0].gaps.shape == (3, *(len(values) for values in axes.values()), 61)
    assert repr(figure) == plain
    assert figure._repr_mimebundle_()["text/plain"] == plain


def test_noise_is_an_axis_too():
    figure = explore(SGD, ravine, learning_rate=RATES, noise=[0.0, 1.0])
    assert list(figure.sliders) == ["learning_rate", "noise"]


def test_the_table_is_what_descend_does():
    figure = explore(MomentumSGD, ravine, start=(1.0, 1.0), steps=30, learning_rate=RATES, momentum=[0.0, 0.9])
    run = descend(MomentumSGD(learning_rate=RATES[2], momentum=0.9), ravine, (1.0, 1.0), 30)
    np.testing.assert_allclose(figure.table.series[0].points[0, 2, 1], run.points, rtol=1e-12)


def test_a_students_class_gives_the_same_table():
    theirs = explore(StudentSGD, ravine, learning_rate=RATES)
    ours = explore(SGD, ravine, learning_rate=RATES)
    np.testing.assert_allclose(theirs.table.series[0].points, ours.table.series[0].points, rtol=1e-12)
    assert repr(theirs) == "explorer: StudentSGD on a ravine, learning_rate"


def test_sliders_and_canvas_begin_at_the_same_setting():
    figure = explore(Adam, ravine, learning_rate=RATES, beta1=[0.0, 0.5, 0.9], initial={"learning_rate": 0.03})
    assert [slider.index for slider in figure.sliders.values()] == [3, 2] == [figure.canvas.i0, figure.canvas.i1]
    assert figure.canvas.step == 60


def test_sliders_show_values_that_can_be_told_apart():
    figure = explore(Adam, ravine, learning_rate=0.1, beta2=[0.9, 0.99, 0.999, 0.9999, 0.99999])
    assert figure.sliders["beta2"]._options_labels == ("0.9", "0.99", "0.999", "0.9999", "0.99999")


def test_a_race_shares_its_learning_rate_by_scale():
    figure = race([SGD, ("slow", SGD, {"rate_scale": 0.1})], ravine, learning_rate=RATES)
    full, slow = figure.table.series
    expected = descend(SGD(learning_rate=RATES[1] * 0.1), ravine)
    np.testing.assert_allclose(slow.points[0, 1], expected.points, rtol=1e-12)
    assert (full.note, slow.note) == ("", "rate \u00d7 0.1")


def test_a_races_axis_goes_to_the_entries_that_have_it():
    figure = race([SGD, MomentumSGD, NesterovMomentum], ravine, learning_rate=RATES, momentum=[0.0, 0.5, 0.9])
    assert [series.axes for series in figure.table.series] == [(0,), (0, 1), (0, 1)]
    assert figure.canvas.spec["axes"][1]["of"] == ["MomentumSGD", "NesterovMomentum"]
    assert figure.table.ends(figure.table.series[0]).shape == (3, 5, 3)


def test_the_ways_to_name_an_entry():
    listed = race([SGD, ("heavy", MomentumSGD), Entry("nag", NesterovMomentum, {})], ravine, learning_rate=RATES)
    named = race({"SGD": SGD, "heavy": (MomentumSGD, {"momentum": 0.5})}, ravine, learning_rate=RATES)
    assert listed.table.labels == ["SGD", "heavy", "nag"]
    assert named.table.labels == ["SGD", "heavy"]
    assert repr(named) == "explorer: SGD, heavy on a ravine, learning_rate"


def test_map_curves_lie_where_the_values_are():
    figure = explore(
        MomentumSGD,
        ravine,
        learning_rate=np.array([0.1, 0.2, 0.3]),
        momentum=np.array([0.0, 0.5]),
        map_curves=[MapCurve("here", 0.25, 0.25), MapCurve("edge", 0.2), MapCurve("out", [0.1, 9.0], [0.0, 0.0])],
    )
    here, edge, out = figure.canvas.spec["curves"]
    assert (here["xs"], here["ys"]) == ([1.5], [0.5])
    assert edge["across"] == [1.0]
    assert out["xs"] == [0.0, None]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: explore(Adam, ravine, learning_rate=0.1), "1 to 3 hyperparameters given as arrays .* got 0"),
        (
            lambda: explore(Adam, ravine, learning_rate=RATES, beta1=[0, 0.9], beta2=[0.9, 0.99], epsilon=[1e-8, 1e-3]),
            "got 4: learning_rate, beta1, beta2, epsilon",
        ),
        (lambda: explore(Adam, ravine, learning_rate=[0.1]), "learning_rate must be .* at least 2 values"),
        (lambda: explore(Adam, ravine, learning_rate=[[0.1, 0.2]]), "learning_rate must be"),
        (lambda: explore(Adam, ravine, start=(1, 2, 3), learning_rate=RATES), r"start must be one point \(x, y\)"),
        (lambda: explore(Adam, ravine, learning_rate=RATES, initial={"beta1": 0.9}), "'beta1', which is not an axis"),
        (lambda: explore(Adam, ravine, learning_rate=RATES, initial={"learning_rate": 7}), "between 0.001 and 0.1"),
        (lambda: explore(Adam, ravine, rate=RATES), "rate"),
        (lambda: explore(Adam(), ravine, learning_rate=RATES), "must be a class"),
        (
            lambda: explore(Adam, ravine, learning_rate=RATES, map_curves=[MapCurve("edge", [0.1], [0.2])]),
            "'edge' has ys, but the figure has one axis",
        ),
        (
            lambda: explore(
                Adam, ravine, learning_rate=RATES, beta1=[0, 0.9], map_curves=[MapCurve("c", [0.1, 0.2], [0.2])]
            ),
            "as many xs as ys, got 2 and 1",
        ),
        (lambda: race([SGD], ravine, learning_rate=RATES), "2 to 6 entries, got 1"),
        (lambda: race([SGD, SGD], ravine, learning_rate=RATES), "its own label"),
        (lambda: race([SGD, (Adam, "Adam")], ravine, learning_rate=RATES), r"\(label, class\)"),
        (lambda: race([SGD, MomentumSGD], ravine, learning_rate=RATES, beta1=[0, 0.9]), "accepts 'beta1'"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0316227766, "0.0316"),
        (1e-4, "0.0001"),
        (1e-5, "1e-5"),
        (1200, "1200"),
        (0, "0"),
        (0.5, "0.5"),
        (0.99999, "0.99999"),
        (0.9973, "0.9973"),
        (0.882, "0.882"),
    ],
)
def test_numbers_are_written_briefly(value, text):
    assert number(value) == text


def test_the_spacing_of_an_axis():
    assert scale(np.geomspace(1e-4, 1, 9)) == "log"
    assert scale(np.linspace(0, 0.99, 9)) == "linear"
    assert scale(np.array([0.5, 0.9, 0.99])) == "index"
    assert scale(np.array([0.3, 0.2, 0.1])) == "index"


def test_positions_follow_the_spacing():
    rates = np.geomspace(1e-4, 1, 5)
    np.testing.assert_allclose(position(rates, [1e-4, 10**-1.5, 1.0]), [0, 2.5, 4])
    assert np.isnan(position(rates, 100.0))
    np.testing.assert_allclose(position(np.array([0.3, 0.2, 0.1]), [0.3, 0.15]), [0, 1.5])


def test_ticks_are_round_values_inside_the_axis():
    for values in (
        np.geomspace(1e-3, 0.3, 31),
        np.linspace(0, 0.98, 21),
        np.linspace(-3, 7, 11),
        np.geomspace(1, 2, 9),
    ):
        found = ticks(values)
        assert len(found) >= 2
        assert all(0 <= place <= values.size - 1 for place, _ in found)
        assert all(len(text) <= 6 for _, text in found)
    assert labels(np.array([0.9, 0.99])) == ["0.9", "0.99"]
