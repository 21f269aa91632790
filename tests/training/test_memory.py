"""The memory budget of chapter 12, against published figures."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.memory import STATES, budget, bytes_per_parameter


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_the_figures_of_the_paper_on_sharding(stage, gigabytes):
    """Figure 1 of Rajbhandari et al. (2020): 7.5 billion parameters, 64 devices, Adam in mixed precision."""
    found = 7.5 * bytes_per_parameter(STATES["AdamW"], 64, stage).sum()
    assert found == pytest.approx(gigabytes, abs=0.05)


def test_single_precision_takes_no_copy():
    assert bytes_per_parameter(8.0, 1, 0, mixed=False).tolist() == [4, 4, 0, 8]


def test_what_is_divided_is_divided_evenly():
    bars, gigabytes = budget(7.5, [1, 8], [0, 3])
    assert np.allclose(gigabytes["AdamW"], [[120, 120], [120, 15]])
    assert np.allclose(bars.values["optimizer"][1, 1], bars.values["optimizer"][0, 1] / 8)
    assert bars.values["optimizer"].shape == (2, 2, len(STATES))
