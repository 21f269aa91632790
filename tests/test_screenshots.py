"""Pictures of pages: what is drawn by a script, far down, is on them, and what stays on the screen is there once."""

from __future__ import annotations

import pytest

from tools import screenshots

PAGE = """
<style>
  body { margin: 0; height: 5000px; }
  header { position: sticky; top: 0; height: 40px; background: rgb(255, 0, 0); }
  canvas { position: absolute; top: 4000px; left: 20px; }
</style>
<header></header><canvas width="100" height="100"></canvas>
<script>
  const pen = document.querySelector("canvas").getContext("2d");
  pen.fillStyle = "rgb(0, 0, 255)";
  pen.fillRect(0, 0, 100, 100);
</script>
"""


@pytest.fixture
def picture(browser):
    context = browser.new_context(viewport={"width": 390, "height": 900})
    page = context.new_page()
    page.set_content(PAGE)
    yield screenshots.whole(page, 390)
    context.close()


def test_a_canvas_far_down_is_on_the_picture(picture):
    assert picture.size == (390, 5000)
    assert picture.getpixel((70, 4050)) == (0, 0, 255)


def test_what_stays_on_the_screen_is_there_once(picture):
    red = [top for top in range(0, 5000, 20) if picture.getpixel((200, top)) == (255, 0, 0)]
    assert red == [0, 20]
