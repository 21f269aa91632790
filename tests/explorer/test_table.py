"""What a figure's table keeps of the runs, and what it costs the page."""

from __future__ import annotations

import json
import re
import zlib

import numpy as np
import pytest
from ipywidgets.embed import dependency_state

from optim_lib.explorer import explore
from optim_lib.explorer import table as tables
from optim_lib.landscapes import LANDSCAPES, double_well, least_squares, plateau, ravine, rosenbrock
from optim_lib.optimizers import SGD, Adam, MomentumSGD

RATES, BETAS = np.geomspace(1e-4, 1, 31), np.linspace(0, 0.99, 21)


@pytest.fixture(scope="module")
def adam():
    return explore(Adam, rosenbrock, start=(-1.5, 1.5), learning_rate=RATES, beta1=BETAS)


def opened(figure):
    """The parts of a figure's table, decoded from what travels to the page."""
    data, at, parts = zlib.decompress(figure.canvas.table), 0, []
    for kind, size, row in figure.canvas.spec["layout"]:
        length = {"rows": 2 * size, "field": 3 * size, "bits": -(-size // 8)}[kind]
        part = data[at : at + length]
        at += length
        if kind == "rows":
            parts.append(tables.unpack_rows(part, (size // row, row)))
        elif kind == "field":
            parts.append(tables.unpack_field(part, (size // row, row)))
        else:
            parts.append(np.unpackbits(np.frombuffer(part, np.uint8))[:size].astype(bool))
    assert at == len(data)
    return parts


def test_points_arrive_within_half_a_4096th_of_the_picture(adam):
    x, y, *_ = opened(adam)
    left, right, bottom, top = adam.canvas.spec["view"]
    points = adam.table.series[0].points.reshape(-1, 61, 2)
    units = np.stack([x.view(np.int16), y.view(np.int16)], axis=-1) / tables.UNITS
    there = units * [right - left, top - bottom] + [left, bottom]
    near = np.abs((points - [(left + right) / 2, (bottom + top) / 2]) / [right - left, top - bottom]).max(-1) < 7
    assert near.mean() > 0.9
    assert np.abs(there - points)[near].max() <= 0.5001 / tables.UNITS * max(right - left, top - bottom)


def test_losses_arrive_right_to_three_digits(adam):
    codes = opened(adam)[2]
    expected = np.vectorize(lambda loss: float(f"{loss:.2e}"))(adam.table.series[0].gaps.reshape(-1, 61))
    np.testing.assert_allclose(tables.code_losses(codes), expected, rtol=1e-9)


@pytest.mark.parametrize("loss", [1.0, 9.994, 9.996, 99.96, 1e-16, 3.14159e-7, 2.6e16, 0.0999951])
def test_a_loss_survives_rounding_at_the_edge_of_a_decade(loss):
    assert tables.code_losses(tables.loss_codes(np.array([loss])))[0] == pytest.approx(float(f"{loss:.2e}"), rel=1e-12)


def test_the_ends_of_the_range_of_losses():
    losses = np.array([0.0, 1e-30, np.inf, 1e300])
    decoded = tables.code_losses(tables.loss_codes(losses))
    assert decoded[:2] == pytest.approx(1e-16, rel=1e-12)
    assert decoded[2] == np.inf
    assert np.isfinite(decoded[3])


def test_divergence_arrives_at_its_step():
    figure = explore(SGD, ravine, start=(-2, 1), learning_rate=[0.05, 0.5])
    codes = opened(figure)[2]
    grid = figure.table.series[0].gaps[0]
    assert (codes == tables.DIVERGED).tolist() == (~np.isfinite(grid)).tolist()
    assert (codes[1] == tables.DIVERGED).any()
    assert not (codes[0] == tables.DIVERGED).any()


def test_a_far_point_keeps_its_direction():
    view = (-1.0, 1.0, -1.0, 1.0)
    points = np.array([[0.0, 0.0], [300.0, 100.0], [np.nan, np.nan]])
    units = tables.point_units(points, view) / tables.UNITS - 0.5
    assert units[1, 0] == pytest.approx(tables.REACH, abs=1e-3)
    assert units[1, 0] / units[1, 1] == pytest.approx(3, rel=1e-3)
    assert units[2].tolist() == units[1].tolist(), "a diverged run stays where it was last seen"


@pytest.mark.parametrize("landscape", LANDSCAPES, ids=lambda landscape: landscape.name)
def test_the_surface_arrives_as_it_is(landscape):
    view = tables.picture(landscape.window, 1.12)
    field, largest, _ = tables.sample_field(landscape, view, landscape.lowest)
    assert (tables.unpack_field(tables.pack_field(field), field.shape) == field).all()
    row, column = 40, 90
    x = view[0] + (column - 1) / (tables.SAMPLES - 3) * (view[1] - view[0])
    y = view[2] + (row - 1) / (tables.SAMPLES - 3) * (view[3] - view[2])
    gap = landscape.loss([x, y]) - landscape.lowest
    assert field[row, column] / tables.FIELD_RANGE * largest == pytest.approx(gap, abs=largest / tables.FIELD_RANGE)


def test_rows_of_any_integers_survive_packing():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 65536, size=(40, 7)).astype(np.uint16)
    assert (tables.unpack_rows(tables.pack_rows(rows), rows.shape) == rows).all()


@pytest.mark.parametrize(("width", "height"), [(4, 4), (8, 2), (2, 5)])
def test_the_picture_contains_the_window_at_one_scale(width, height):
    left, right, bottom, top = tables.picture((0, width, 0, height), 1.12)
    assert left <= 0
    assert right >= width
    assert bottom <= 0
    assert top >= height
    if 1 / 3 <= width / height <= 3:
        assert (right - left) / (top - bottom) == pytest.approx(1.12)


def test_a_window_with_axes_of_different_kinds_is_left_alone():
    assert tables.picture((0, 100, 0, 1), 1.12) == (0, 100, 0, 1)


def embedded(figure):
    """The bytes that a figure puts into a notebook, without its script, style and still pictures."""
    state = dependency_state(figure, drop_defaults=False)
    shared = (figure.canvas._esm, figure.canvas._css, figure.canvas.html)
    return len(json.dumps(state)) - sum(len(json.dumps(text)) for text in shared)


def test_a_table_of_31_by_21_by_60_fits_the_page(adam):
    assert embedded(adam) <= 100_000


def test_a_table_with_every_start_fits_the_page():
    figure = explore(MomentumSGD, ravine, learning_rate=np.geomspace(1e-3, 0.3, 31), momentum=BETAS)
    assert len(figure.table.starts) == 3
    assert embedded(figure) <= 300_000


def test_a_large_table_keeps_to_the_first_start():
    axes = {
        "learning_rate": np.geomspace(1e-3, 1, 21),
        "beta1": np.linspace(0, 0.9, 10),
        "beta2": [0.5, 0.9, 0.99, 0.999],
    }
    figure = explore(Adam, ravine, steps=80, **axes)
    assert len(figure.table.starts) == 1
    assert len(explore(Adam, ravine, start=ravine.starts, steps=80, **axes).table.starts) == 3


def test_losses_are_measured_from_the_lowest():
    figure = explore(SGD, double_well, learning_rate=[0.01, 0.1])
    assert figure.canvas.spec["measure"] == "loss above the minimum"
    assert figure.table.floor == pytest.approx(double_well.lowest)
    assert figure.table.series[0].gaps.min() >= 0
    assert explore(SGD, rosenbrock, learning_rate=[1e-4, 1e-3]).canvas.spec["measure"] == "loss"


def test_losses_below_a_minimum_that_was_only_claimed():
    landscape = least_squares([0.0, 1.0, 2.0], [0.0, 1.0, 3.0])
    claimed = type(landscape)(**{**vars(landscape), "minima": ((0.0, 0.0),)})
    figure = explore(SGD, claimed, learning_rate=[0.1, 0.2])
    assert figure.table.floor == pytest.approx(min(np.min(s.gaps) for s in figure.table.series) + figure.table.floor)
    assert figure.table.floor < claimed.lowest


def test_the_state_holds_no_trace_of_this_machine(adam):
    state = json.dumps(dependency_state(adam, drop_defaults=False))
    assert not re.search(r"/(home|work|tmp|usr)/", state)


def test_a_level_top_lies_in_one_band():
    """The top of the plateau is level to a few of the field's integers; no band may end there."""
    field, _, exponent = tables.sample_field(plateau, plateau.window, 0.0)
    share = field.max() / tables.FIELD_RANGE
    for bands in (10, 12, 13, 14, 16, 20):
        assert np.floor(bands * share**exponent) == bands - 1
