"""The drawings of figures beside those that are kept: nothing changes by accident.

What is compared are the canvases alone, at half their size and without their words, so that it does not matter which
fonts a machine has. Lines may be smoothed a little differently; a color, a place or a shape may not differ. After a
change that is meant, ``COURSE_REFERENCES=renew pytest tests/explorer/test_references.py -n0`` draws them anew: look at
them.
"""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from optim_lib.explorer import explore, explore_curves, explore_modes, explore_phase, explore_relief, race
from optim_lib.landscapes import ravine, rosenbrock
from optim_lib.optimizers import SGD, Adam, MomentumSGD
from tests.explorer.test_scenes import figure as scenes

KEPT = Path(__file__).parent / "references"
MOST_BYTES = 150_000
# How far a channel may be off, of 255, and how much of a picture may be further off.
NEAR, SHARE = 32, 0.001
RATES, MOMENTA = np.linspace(0.01, 0.1, 10), np.linspace(0, 0.9, 7)
X = np.linspace(0.0, 10.0, 41)
DECAY = {"fast": np.exp(-np.multiply.outer(RATES, X)), "slow": np.exp(-np.multiply.outer(RATES, X) / 3)}

FIGURES = {
    "descent": (lambda: explore(MomentumSGD, ravine, learning_rate=RATES, momentum=MOMENTA), {"i0": 4, "i1": 5}),
    "race": (lambda: race([SGD, MomentumSGD, Adam], rosenbrock, learning_rate=np.geomspace(1e-4, 1e-2, 9)), {"i0": 4}),
    "curves": (lambda: explore_curves({"left": DECAY}, X, learning_rate=RATES), {"i0": 7}),
    "scenes": (scenes, {"i0": 1, "i1": 1}),
    "modes": (lambda: explore_modes([1.0, 4.0, 9.0], [1.0, 2.0, -1.0], learning_rate=RATES, steps=30), {"i0": 8}),
    "phase": (lambda: explore_phase(product=[0.1, 1.0, 2.9], momentum=MOMENTA, steps=20), {"i0": 1, "i1": 4}),
    "relief": (lambda: explore_relief(a=[-1.0, 0.0, 1.0], b=[-1.0, 0.5, 1.0]), {"i0": 2, "i1": 0}),
}
# Each in light; in dark those that have all kinds of colors between them.
PICTURES = [*((name, "light") for name in FIGURES), *((name, "dark") for name in ("descent", "modes", "scenes"))]
DRAWN = """
async ([places, theme]) => {
    const pen = CanvasRenderingContext2D.prototype;
    pen.fillText = pen.strokeText = () => {};
    pen.measureText = (text) => ({ width: 7 * text.length, actualBoundingBoxAscent: 9, actualBoundingBoxDescent: 2 });
    for (const [name, value] of Object.entries(places)) model.set(name, value);
    document.documentElement.dataset.theme = theme;
    await settled();
    const canvases = document.querySelectorAll(".uo-explorer canvas");
    return [...canvases].filter((canvas) => canvas.checkVisibility()).map((canvas) => canvas.toDataURL());
}
"""


def drawn(page, places: dict[str, int], theme: str) -> Image.Image:
    """The canvases of a figure under each other."""
    urls = page.evaluate(DRAWN, [places, theme])
    pictures = [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA") for url in urls]
    size = (max(picture.width for picture in pictures), sum(picture.height for picture in pictures))
    together, top = Image.new("RGBA", size, "white" if theme == "light" else "black"), 0
    for picture in pictures:
        together.alpha_composite(picture, (0, top))
        top += picture.height
    return together.convert("RGB").reduce(2)


def off(one: Image.Image, other: Image.Image) -> float:
    """The share of two pictures of one size that is of different colors."""
    apart = np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max(axis=-1)
    return float((apart > NEAR).mean())


@pytest.mark.parametrize(("name", "theme"), PICTURES)
def test_a_figure_is_drawn_as_it_was(show, browser, name, theme):
    if browser.browser_type.name != "chromium":
        pytest.skip("each engine smooths lines in its own way; what is kept is Chromium's")
    make, places = FIGURES[name]
    picture, path = drawn(show(make(), width=420), places, theme), KEPT / f"{name}-{theme}.png"
    if os.environ.get("COURSE_REFERENCES") == "renew":
        path.parent.mkdir(exist_ok=True)
        picture.save(path, optimize=True)
    kept = Image.open(path).convert("RGB")
    assert picture.size == kept.size
    assert off(picture, kept) <= SHARE, f"{path.name} is drawn differently: if that is meant, renew it"


def test_another_color_of_a_line_is_seen(show):
    make, places = FIGURES["curves"]
    figure = make()
    kept = Image.open(KEPT / "curves-light.png").convert("RGB")
    page = show(figure, width=420)
    page.add_style_tag(content=".uo-figure, .uo-explorer { --uo-series-0: #00795a !important }")
    assert off(drawn(page, places, "light"), kept) > SHARE


def test_the_kept_pictures_are_small():
    kept = list(KEPT.glob("*.png"))
    assert {path.stem for path in kept} == {"-".join(picture) for picture in PICTURES}
    assert sum(path.stat().st_size for path in kept) <= MOST_BYTES
