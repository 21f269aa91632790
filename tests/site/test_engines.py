"""Every page is read, and every slider moved, in Firefox and WebKitGTK, where they are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import engines
from tests.site.support import EVERYWHERE, script


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def page(request, site):
    with getattr(engines, request.param)() as page:
        yield page


@pytest.mark.parametrize("path", EVERYWHERE, ids=lambda path: Path(path.partition("?")[0]).stem)
def test_a_page_is_read_and_its_sliders_move(page, address, path):
    page.open(f"{address}/{path}")
    found = page.ask(script("read_and_move.js"))
    assert found["title"]
    assert found["words"] > 50
    assert found["sideways"] <= 1
    assert found["untypeset"] == 0
    assert found["still"] == [], "these sliders move nothing"
