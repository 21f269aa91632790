"""The shared colors: readable on their paper, and alike in kind on light and dark."""

from __future__ import annotations

import re

import pytest

from optim_lib.palette import (
    CARD_DARK,
    CARD_LIGHT,
    DARK,
    LIGHT,
    PAGE_DARK,
    PAGE_LIGHT,
    SERIES,
    SERIES_NAMES,
    color_places,
    palette,
)
from tools import colors


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("roles", "page"), [(LIGHT, PAGE_LIGHT), (DARK, PAGE_DARK)], ids=["light", "dark"])
def test_words_can_be_read(roles, page):
    for ground in ("paper", "panel"):
        assert contrast(roles["ink"], roles[ground]) >= 7
        assert contrast(roles["muted"], roles[ground]) >= 4.5
        assert all(contrast(color, roles[ground]) >= 4.5 for color in page.values())
    assert contrast(roles["accent"], roles["paper"]) >= 3
    assert contrast(roles["good"], roles["paper"]) >= 4.5


@pytest.mark.parametrize("card", [CARD_LIGHT, CARD_DARK], ids=["light", "dark"])
def test_a_verdict_can_be_read_on_its_card(card):
    for role in ("ink", "soft", "go", "no", "mid", "err"):
        assert contrast(card[role], card["paper"]) >= 4.5, role


def test_series_stand_out_from_the_paper():
    assert all(contrast(color, DARK["paper"]) >= 3 for color in DARK["series"])
    assert all(contrast(color, LIGHT["paper"]) >= 3 for color in LIGHT["series"][:3])


@pytest.mark.parametrize("roles", [LIGHT, DARK], ids=["light", "dark"])
def test_a_lower_loss_always_stands_out_more(roles):
    for scale in ("sequential", "surface"):
        steps = [contrast(color, roles["paper"]) for color in roles[scale]]
        assert steps == sorted(steps, reverse=True), scale
    assert contrast(roles["hatch"], roles["diverged"]) >= 1.8


def test_light_and_dark_have_the_same_roles():
    assert LIGHT.keys() == DARK.keys()
    assert PAGE_LIGHT.keys() == PAGE_DARK.keys()
    assert CARD_LIGHT.keys() == CARD_DARK.keys()
    assert len(SERIES_NAMES) == len(SERIES) == len(DARK["series"])
    for roles in (LIGHT | PAGE_LIGHT, DARK | PAGE_DARK):
        flat = [c for value in roles.values() for c in ([value] if isinstance(value, str) else value)]
        assert all(re.fullmatch("#[0-9a-fA-F]{6}", color) for color in flat)
    assert palette() == LIGHT
    assert palette(dark=True) == DARK


# --- where the colors are written down ---------------------------------------------------------------

EVERY_SHEET = pytest.mark.parametrize("path", colors.sheets(), ids=lambda path: path.name)


def test_every_sheet_and_the_logo_have_the_colors_of_the_palette():
    assert [path.name for path, text, new in colors.painted() if text != new] == [], "run: python -m tools.colors"


@EVERY_SHEET
def test_a_sheet_has_no_color_of_its_own(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall("#[0-9a-fA-F]{3,8}\\b", colors._USE.sub("", text)) == []


def test_a_changed_color_changes_the_sheets(monkeypatch):
    monkeypatch.setitem(LIGHT, "ink", "#123456")
    monkeypatch.setitem(DARK, "ink", "#abcdef")
    sheet = ".a { --uo-ink: #000000; color: var(--uo-ink, #000); }\n[data-theme=dark] .a { --uo-ink: #000000; }"
    assert colors.painted_sheet(sheet) == (
        ".a { --uo-ink: #123456; color: var(--uo-ink, #123456); }\n[data-theme=dark] .a { --uo-ink: #abcdef; }"
    )
    assert (
        colors.painted_drawing('<path stroke="#000000" class="blue"/>') == f'<path stroke="{SERIES[1]}" class="blue"/>'
    )


def test_a_role_that_the_palette_lacks_is_named():
    with pytest.raises(ValueError, match="no role 'inkk'"):
        colors.painted_sheet(".a { --uo-inkk: #000000; }")


@pytest.mark.parametrize(
    ("labels", "places"),
    [
        (["SGD", "momentum", "Adam"], [0, 1, 4]),
        (["RMSprop", "Adam"], [3, 4]),
        (["momentum 0.5", "momentum 0.9"], [0, 1]),
        (["SGD + L2", "SGD + decay"], [0, 1]),
        (["yours", "Adam", "SGD"], [1, 4, 0]),
    ],
)
def test_one_optimizer_has_one_color_and_two_in_a_figure_never_the_same(labels, places):
    assert color_places(labels) == places
