"""Static plots give an optimizer the color that it has in the interactive figures."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from optim_lib import plotting
from optim_lib.landscapes import bowl
from optim_lib.palette import SERIES, color_places

# Against the order of the colors, so that counting through them would be noticed.
LABELS = ["Adam", "momentum", "SGD"]
COLORS = [color.lower() for color in SERIES]
STEPS = np.arange(1.0, 6.0)
VALUES = {label: STEPS + k for k, label in enumerate(LABELS)}

PLOTS = {
    "lines": lambda: plotting.lines(STEPS, VALUES, xlabel="step", ylabel="loss"),
    "bands": lambda: plotting.bands(STEPS, {k: [v, v + 1] for k, v in VALUES.items()}, xlabel="step", ylabel="loss"),
    "strip": lambda: plotting.strip(VALUES, xlabel="loss"),
    "bars": lambda: plotting.bars({k: v[0] for k, v in VALUES.items()}, xlabel="loss"),
    "histogram": lambda: plotting.histogram(VALUES, xlabel="loss", bins=3),
    "contour": lambda: plotting.contour(bowl, {k: np.outer(v, (0.1, 0.2)) for k, v in VALUES.items()}),
}


def drawn(figure) -> list[str]:
    """The colors of a figure that are those of series, each where it is first used."""
    used = []
    paths = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    for artist in [*paths, *figure.axes[0].patches]:
        for color in (getattr(artist, "get_color", lambda: None)(), getattr(artist, "get_facecolor", lambda: None)()):
            if color is not None and to_hex(color) in COLORS and to_hex(color) not in used:
                used.append(to_hex(color))
    return used


@pytest.mark.parametrize("name", PLOTS)
def test_an_optimizer_has_its_own_color_in_a_static_plot(name):
    assert color_places(LABELS) == [4, 1, 0]
    assert drawn(PLOTS[name]()) == [COLORS[k] for k in (4, 1, 0)]
