"""The family tree is made from the classes: all of them, with what each really keeps."""

from __future__ import annotations

import pytest

from optim_lib import optimizers, plotting
from optim_lib.family import KIN, MATRIX, draw_family_tree, family_table, family_tree, public_optimizers
from optim_lib.optimizers import Adafactor, Lookahead, Muon, MuonHyperball, NorMuon, Optimizer, Shampoo
from tests.library.table import OPTIMIZERS

ROWS = {row.optimizer: row for row in family_table()}


def test_every_public_optimizer_has_a_row_and_no_other():
    assert set(public_optimizers()) == {*OPTIMIZERS, Lookahead}
    assert set(ROWS) == set(KIN) == {optimizer.__name__ for optimizer in public_optimizers()}


def test_a_line_may_stand_anywhere_and_a_missing_one_is_named(monkeypatch):
    adam = KIN["Adam"]
    monkeypatch.delitem(KIN, "Adam")
    with pytest.raises(ValueError, match="has no line for Adam"):
        family_table()
    monkeypatch.setitem(KIN, "Adam", adam)  # now at the end
    rows = [row.optimizer for row in family_table()]
    assert set(rows) == set(ROWS)
    assert rows[rows.index("Adam") - 1] == "UncorrectedAdam"


def test_the_table_of_tests_misses_no_public_optimizer():
    exported = {name for name in optimizers.__all__ if isinstance(getattr(optimizers, name), type)}
    pieces = {"Optimizer", "ParameterState", "ParameterGroups", "GradientAccumulator", "WeightAverage"}
    assert exported - pieces == set(ROWS)


def test_a_parent_stands_before_its_children_which_are_one_generation_on():
    seen = set()
    for row in ROWS.values():
        if row.parent:
            assert row.parent in seen
            assert row.generation == ROWS[row.parent].generation + 1
        else:
            assert row.generation == 0
        assert row.also in {"", *({*ROWS} - {row.optimizer, row.parent})}
        assert row.adds
        seen.add(row.optimizer)


def test_each_row_stands_right_under_its_parents_family():
    """So that the lines of the drawing do not cross: depth first."""
    path = []
    for row in ROWS.values():
        path = path[: row.generation]
        assert path[-1:] == ([row.parent] if row.parent else [])
        path.append(row.optimizer)


# They keep other arrays of a matrix than of a vector.
MATRIX_RULES = (Adafactor, Muon, MuonHyperball, NorMuon, Shampoo)


@pytest.mark.parametrize("optimizer", [each for each in OPTIMIZERS if each not in MATRIX_RULES])
def test_a_row_has_the_slots_of_its_class(optimizer):
    kept = [name for name in ROWS[optimizer.__name__].keeps.split(", ") if name != "nothing"]
    assert {*optimizer.slots, *optimizer.numbers} <= set(kept)
    own_shapes = optimizer.slot_shapes is not Optimizer.slot_shapes
    assert own_shapes or len(kept) == len(optimizer.slots) + len(optimizer.numbers)


@pytest.mark.parametrize(
    ("optimizer", "size"),
    {
        "SGD": 0,
        "MomentumSGD": 4,
        "Adam": 8,
        "AMSGrad": 12,
        "Lion": 4,
        "Muon": 4,
        "NorMuon": 4 * (1 + 1 / 256),
        "MuonHyperball": 4,
        "AdamHyperball": 8,
        "AdEMAMix": 12,
        "ADOPT": 8,
        "CautiousAdamW": 8,
        "Adafactor": 4 * (256 + 256) / 256**2,
        "Shampoo": 4 * (256**2 + 256**2) / 256**2,
        "SOAP": 8 + 4 * 4,
        "ScheduleFreeSGD": 4,
        "ScheduleFreeAdamW": 8,
        "Prodigy": 16,
        "Lookahead": 4,
    }.items(),
)
def test_the_bytes_are_those_of_the_arrays(optimizer, size):
    assert MATRIX == (256, 256)
    assert ROWS[optimizer].bytes_per_parameter == pytest.approx(size, abs=0.005)


def test_the_figure_and_its_words_name_every_optimizer_and_its_bytes():
    piece = family_tree()
    svg, alt = piece.html, piece.html.split('aria-label="')[1].split('"')[0]
    for row in ROWS.values():
        assert f">{row.optimizer}</" in svg
        assert f"{row.optimizer}{', from ' + row.parent if row.parent else ''}" in alt
    assert "SOAP, from Shampoo and Adam: Adam, in the eigenvectors of those matrices, 24 bytes." in alt
    assert "SGD: a step against the gradient, no memory." in alt
    assert "to the 24 of SOAP" in repr(piece)


def test_no_text_of_the_figure_runs_into_the_bars():
    figure = draw_family_tree()
    figure.draw_without_rendering()
    ax = figure.axes[0]
    bars = [patch.get_window_extent() for patch in ax.patches]
    words = [text for text in ax.texts if text.get_position()[0] < 0.7]
    assert len(words) == 2 * len(ROWS) + 1
    assert max(text.get_window_extent().x1 for text in words) < min(bar.x0 for bar in bars)
    assert max(text.get_window_extent().x1 for text in ax.texts) <= figure.bbox.x1


def test_the_rows_make_a_table():
    text = repr(plotting.table(family_table(), columns={"optimizer": "optimizer", "keeps": "keeps"}))
    assert "Adafactor" in text
    assert "row, column" in text
