"""The shared colors: readable on their paper, and alike in kind on light and dark."""

from __future__ import annotations

import re

import pytest

from optim_lib.palette import DARK, LIGHT, SERIES, SERIES_NAMES, palette


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read(colors):
    for ground in ("paper", "panel"):
        assert contrast(colors["ink"], colors[ground]) >= 7
        assert contrast(colors["muted"], colors[ground]) >= 4.5
    assert contrast(colors["accent"], colors["paper"]) >= 3
    assert contrast(colors["good"], colors["paper"]) >= 4.5


def test_series_stand_out_from_the_paper():
    assert all(contrast(color, DARK["paper"]) >= 3 for color in DARK["series"])
    assert all(contrast(color, LIGHT["paper"]) >= 3 for color in LIGHT["series"][:3])


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_a_lower_loss_always_stands_out_more(colors):
    for scale in ("sequential", "surface"):
        steps = [contrast(color, colors["paper"]) for color in colors[scale]]
        assert steps == sorted(steps, reverse=True), scale
    assert contrast(colors["hatch"], colors["diverged"]) >= 1.8


def test_light_and_dark_have_the_same_roles():
    assert LIGHT.keys() == DARK.keys()
    assert len(SERIES_NAMES) == len(SERIES) == len(DARK["series"])
    for colors in (LIGHT, DARK):
        flat = [c for value in colors.values() for c in ([value] if isinstance(value, str) else value)]
        assert all(re.fullmatch("#[0-9a-fA-F]{6}", color) for color in flat)
    assert palette() == LIGHT
    assert palette(dark=True) == DARK
