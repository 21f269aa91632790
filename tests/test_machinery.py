"""What the tests themselves rest on: how they are spread over processes, and what happens without a browser."""

from __future__ import annotations

import pytest

from tests import browser
from tests.conftest import scope_of


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("tests/site/test_pages.py::test_page_is_whole_and_quiet[1280-dark-08_adam]", "tests/site/[08_adam]"),
        ("tests/site/test_figures.py::test_quiz[08_adam-390]", "tests/site/[08_adam]"),
        ("tests/site/test_pages.py::test_search_finds_a_chapter[served]", "tests/site/test_pages.py"),
        ("tests/test_chapters.py::test_chapter_runs_as_shipped[10_advanced]", "tests/test_chapters.py[10_advanced]"),
        ("tests/exercises/test_every_exercise.py::test_it[08_adam]", "tests/exercises/test_every_exercise.py"),
    ],
)
def test_slow_tests_are_grouped_by_chapter_and_others_by_file(nodeid, scope):
    assert scope_of(nodeid) == scope


def test_without_a_browser_a_test_is_skipped_on_a_laptop(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="nothing was tested"):
        browser.chromium()


def test_without_a_browser_a_test_fails_in_ci(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing was tested"):
        browser.chromium()


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_a_browser_is_found_by_its_usual_names(monkeypatch, tmp_path, name):
    (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser.chromium() == str(tmp_path / name)
