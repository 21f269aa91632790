"""Quests: where they are done, and the errors of quests that make no sense."""

from __future__ import annotations

import numpy as np
import pytest

from optim_lib.explorer import (
    beats,
    diverge,
    diverges_at,
    explore,
    find_best,
    first_at,
    from_every_start,
    improves,
    largest_stable,
    only_at,
    predict,
    quest,
    race,
    reach,
    settle_in,
    work_out,
)
from optim_lib.landscapes import double_well, himmelblau, ravine
from optim_lib.optimizers import SGD, Adam, MomentumSGD

RATES = np.linspace(0.005, 0.095, 19)
MOMENTA = np.array([0.0, 0.45, 0.9])


@pytest.fixture(scope="module")
def ravine_table():
    return explore(MomentumSGD, ravine, learning_rate=RATES, momentum=MOMENTA, initial={"momentum": 0.0}).table


def where(task, table):
    return task.spec(table)[1]


def brute(table, done):
    """A mask by asking run by run."""
    series = table.series[0]
    mask = np.zeros(table.shape, dtype=bool)
    for index in np.ndindex(table.shape):
        mask[index] = done(series.gaps[index], series.points[index])
    return mask


def test_reach(ravine_table):
    expected = brute(ravine_table, lambda gaps, points: gaps.min() < 1e-6)
    assert expected.any()
    assert (where(reach(1e-6), ravine_table) == expected).all()
    sooner = where(reach(1e-6, within=40), ravine_table)
    assert (sooner == brute(ravine_table, lambda gaps, points: gaps[:41].min() < 1e-6)).all()
    assert sooner.sum() < expected.sum()


def test_diverge(ravine_table):
    expected = brute(ravine_table, lambda gaps, points: np.isinf(gaps[-1]))
    assert (where(diverge(), ravine_table) == expected).all()


def test_largest_stable_is_the_edge_that_theory_gives(ravine_table):
    mask = where(largest_stable(), ravine_table)
    edges = {int(j): RATES[i] for _, i, j in np.argwhere(mask)}
    # On the ravine's steep axis, heavy-ball momentum is stable below 2 (1 + momentum) / 25.
    assert edges[0] == pytest.approx(2 / 25)
    assert set(edges) == {0}, "with momentum no rate on this axis is unstable, so there is no edge to find"


def test_find_best(ravine_table):
    mask = where(find_best(), ravine_table)
    ends = ravine_table.ends(ravine_table.series[0])
    for k in range(3):
        assert np.argwhere(mask[k]).tolist() == [list(np.unravel_index(ends[k].argmin(), ends[k].shape))]
    assert find_best().spec(ravine_table)[0]["hidesBest"]
    assert where(find_best(tolerance=100), ravine_table).sum() > mask.sum()


def test_settle_in():
    table = explore(
        SGD, double_well, start=(0.3, -1.1), learning_rate=[0.01, 0.1, 0.3], initial={"learning_rate": 0.01}
    ).table
    left = where(
        settle_in(double_well.minima[0], text="left"),
        explore(SGD, double_well, start=[(1.6, 0.9), (-1.5, 1.0)], steps=200, learning_rate=[0.01, 0.1]).table,
    )
    assert left.tolist() == [[False, False], [True, True]]
    assert where(settle_in(double_well.minima[1]), table)[0, 1]


def test_from_every_start(ravine_table):
    ends = ravine_table.ends(ravine_table.series[0])
    expected = (ends < 1e-6).all(axis=0)
    mask = where(from_every_start(1e-6), ravine_table)
    assert (mask == expected[None]).all()
    assert expected.any()


def test_beats():
    table = race([SGD, Adam], ravine, learning_rate=[0.01, 0.3], initial={"learning_rate": 0.01}).table
    assert where(beats("Adam", "SGD"), table)[0].tolist() == [False, True]


def test_a_task_of_ones_own(ravine_table):
    task = quest("no momentum", "Use no momentum.", lambda table: np.arange(19)[None, :, None] == 3)
    assert where(task, ravine_table).sum() == 3 * 3


@pytest.mark.parametrize("last", [False, True])
def test_the_first_and_the_last_value_that_does_it(ravine_table, last):
    inside = where(reach(1e-3), ravine_table)
    edge = where(first_at(reach(1e-3), last=last, text="Find it."), ravine_table)
    for start, j in np.ndindex(inside.shape[0], inside.shape[2]):
        (rates,) = np.nonzero(inside[start, :, j])
        assert np.flatnonzero(edge[start, :, j]).tolist() == (rates[[-1 if last else 0]].tolist() if rates.size else [])


def test_a_task_can_be_kept_to_a_start_and_a_value(ravine_table):
    everywhere = where(reach(1e-3), ravine_table)
    kept = where(only_at(reach(1e-3), start=1, momentum=0.45, text="There."), ravine_table)
    assert kept[1, :, 1].tolist() == everywhere[1, :, 1].tolist()
    assert kept.sum() == everywhere[1, :, 1].sum() > 0


def test_a_number_to_work_out(ravine_table):
    spec, mask = work_out("The edge?", lambda table: 2 / 25, within=0.05, because="2/25.").spec(ravine_table)
    assert (spec["lowest"], spec["highest"]) == pytest.approx((0.076, 0.084))
    assert not mask.any()
    assert work_out("None?", 0, because="0.").spec(ravine_table)[0]["lowest"] == -0.02
    with pytest.raises(ValueError, match="finite answer"):
        work_out("Lost?", np.inf, because="").spec(ravine_table)


def test_what_a_quest_teaches_is_told_with_it(ravine_table):
    tasks = [reach(1e-6, because="So."), first_at(diverge(), text="First.", because="So.", last=True)]
    assert [task.spec(ravine_table)[0]["because"] for task in tasks] == ["So.", "So."]


def test_a_prediction_is_answered_by_the_table():
    table = explore(SGD, ravine, learning_rate=RATES, initial={"learning_rate": 0.02}).table
    spec, mask = predict("Better?", answer=improves("learning_rate", 0.05), see={"learning_rate": 0.05}).spec(table)
    assert spec["answer"] == 0
    assert spec["look"] == "learning rate 0.05"
    assert spec["see"] == {"learning_rate": "0.05"}
    assert np.argwhere(mask[0]).tolist() == [[9]]
    spec, _ = predict("Lost?", answer=diverges_at(learning_rate=0.095), see={"learning_rate": 0.095}).spec(table)
    assert spec["answer"] == 0
    assert "diverges" in spec["because"]
    spec, _ = predict("Worse?", answer=improves("learning_rate", 0.01), see={"learning_rate": 0.01}).spec(table)
    assert spec["answer"] == 1


def test_texts_are_written_for_the_author(ravine_table):
    texts = [task.spec(ravine_table)[0]["text"] for task in (reach(1e-6), diverge(), largest_stable(), find_best())]
    assert texts[0] == "Bring the loss under 1e-6 in 60 steps."
    assert all(text.endswith(".") for text in texts)
    assert reach(1e-6, text="Go.").spec(ravine_table)[0]["text"] == "Go."


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (reach(1e-30), "cannot be done.*lowest loss is"),
        (reach(1e3), "done before the reader moves"),
        (reach(1e-6, within=61), "within must be between 1 and the figure's 60 steps"),
        (reach(1e-6, by="Adam"), "by must be one of 'MomentumSGD'"),
        (largest_stable("beta1"), "axis must be one of the figure's axes learning_rate, momentum"),
        (settle_in((9, 9)), "cannot be done"),
        (predict("?", answer=2, see={"momentum": 0.9}), "an answer among them"),
        (predict("?", answer=0, see={"momentum": 0.0, "learning_rate": RATES[9]}), "already stands"),
        (predict("?", answer=0, see={"momentum": 5}), "outside the axis"),
        (predict("?", answer=0, see={"beta1": 0.5}), "axis must be one of"),
    ],
    ids=lambda value: getattr(value, "id", value),
)
def test_a_quest_that_makes_no_sense_is_an_error(task, message, ravine_table):
    with pytest.raises(ValueError, match=message):
        task.spec(ravine_table)


def test_every_start_needs_several():
    with pytest.raises(ValueError, match="several starting points"):
        explore(SGD, ravine, start=(1, 1), learning_rate=RATES, quests=[from_every_start(1e-3)])


def test_quests_that_cannot_be_written_down():
    with pytest.raises(ValueError, match="loss must be positive"):
        reach(0)
    with pytest.raises(ValueError, match="factor of at least 1"):
        find_best(0.5)


def test_quests_of_a_figure_have_stable_and_different_names():
    tasks = [reach(1e-3), reach(1e-6), diverge(), find_best(), settle_in(himmelblau.minima[0])]
    figure = explore(
        SGD, ravine, learning_rate=RATES, initial={"learning_rate": 0.02}, quests=[reach(1e-2), reach(1e-3), diverge()]
    )
    assert len({task.id for task in tasks}) == len(tasks)
    assert [q["id"] for q in figure.canvas.spec["quests"]] == ["reach:0.01", "reach:0.001", "diverge"]
