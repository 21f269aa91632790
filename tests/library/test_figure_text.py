"""Making a figure's SVG compact must not touch the words in it."""

import numpy as np

from optim_lib import plotting


def test_a_title_keeps_its_spaces():
    figure = plotting.lines(
        [0, 1], {"loss": [0, 1]}, xlabel="step; of many", ylabel="loss", title="saddle: up and down"
    )
    page = plotting.show(figure, alt="A line.", caption="A line.").html
    assert "saddle: up and down" in page
    assert "step; of many" in page


def test_styles_are_still_compact():
    figure = plotting.lines([0, 1], {"loss": [0, 1]}, xlabel="step", ylabel="loss")
    assert 'style="stroke: ' not in plotting.show(figure, alt="A line.", caption="A line.").html


def test_a_cloud_of_points_is_a_few_elements_with_a_dot_for_each():
    x, y = np.random.default_rng(0).normal(size=(2, 500))
    page = plotting.show(plotting.scatter(x, y, xlabel="x", ylabel="y"), alt="A cloud.", caption="A cloud.").html
    assert page.count("<use") < 30  # the ticks
    assert page.count("h0") == 500
    assert page.count("stroke-linecap:round") < 10


def test_points_that_are_few_are_all_there():
    figure = plotting.scatter([1, 2, 3], [3, 1, 2], xlabel="x", ylabel="y")
    page = plotting.show(figure, alt="Three points.", caption="Three points.").html
    assert page.count("stroke-linecap:round") == 3
