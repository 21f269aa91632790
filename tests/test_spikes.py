"""The loss spikes of chapter 11: what breaking means, and that the stored runs are those of the code."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import ch11, spikes
from optim_lib.optimizers import Adam


def test_a_run_is_broken_where_guessing_is_better_and_lost_where_it_does_not_come_back():
    losses = np.array([[0.2, 0.3, 0.1], [0.2, 2.5, 0.1], [0.2, 2.5, 0.3], [0.2, np.inf, np.inf]])
    assert spikes.broken(losses) == 3
    assert spikes.lost(losses) == 2


def test_ten_bad_batches_hurt_more_than_one():
    once, often = (ch11.spike(Adam(0.03), seed=0, after=12, bad=bad) for bad in (1, 10))
    assert once[0] == often[0]  # nothing has happened yet
    assert once[1] == often[1]  # the first of them is the same
    assert often.max() > 2 * once.max()


@pytest.mark.parametrize("kit", spikes.KITS)
def test_what_is_stored_is_what_the_code_measures(kit):
    _, curves = spikes.curves()
    measured = np.median(spikes.runs(0.01, 1, kit)[:, :: spikes.EVERY], axis=0)
    stored = curves[kit][spikes.RATES.index(0.01), spikes.BAD_BATCHES.index(1)]
    assert np.allclose(measured, stored, rtol=0.1)
