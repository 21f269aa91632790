"""One plateau and its endings, in chapter 11: against the noise floor, and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import ch11

RATES, ENDS, SHARES = np.array([0.1, 0.4]), [200, 400], [0.05, 0.4]


@pytest.fixture(scope="module")
def runs():
    return ch11.branches(RATES, ENDS, SHARES)


def test_the_plateau_is_at_the_noise_floor(runs):
    assert runs["plateau"][:, 0, 0, -200:].mean(axis=-1) == pytest.approx(RATES / (2 * (2 - RATES)), rel=0.1)


def test_a_branch_is_the_plateau_until_it_falls_and_stands_still_from_its_end_on(runs):
    branch = runs["branch"][:, 0, 1]
    assert np.array_equal(branch[:, :120], runs["plateau"][:, 0, 0, :120])
    assert np.array_equal(branch[:, 200], branch[:, -1])


def test_a_longer_fall_ends_lower(runs):
    ends = runs["branch"][..., -1]
    assert np.all(ends[:, :, 1] < ends[:, :, 0])
    assert np.all(ends[:, 0] > ends[:, 1])
