"""What a newcomer reads first is true: the picture is drawn from real runs, the commands and the files exist."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tools import notebooks, readme_picture

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
LEAD = "(lead)"
# The headings of the article, without those that only repeat ("Implementation").
HEADINGS = 57


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def is_same_picture(one: str, other: str) -> bool:
    """Whether two drawings are equal but for the last digit of a number."""
    if NUMBER.sub("0", one) != NUMBER.sub("0", other):
        return False
    return np.allclose(*(np.array(NUMBER.findall(text), dtype=float) for text in (one, other)), rtol=0.01, atol=2)


def test_the_picture_is_what_the_command_draws():
    assert is_same_picture(readme_picture.PICTURE.read_text(encoding="utf-8"), readme_picture.drawn())


def test_a_picture_of_other_runs_is_another(monkeypatch):
    optimizer, rate = readme_picture.RUNNERS["Adam"]
    monkeypatch.setitem(readme_picture.RUNNERS, "Adam", (optimizer, 1.05 * rate))
    assert not is_same_picture(readme_picture.PICTURE.read_text(encoding="utf-8"), readme_picture.drawn())


def test_the_picture_loads_nothing():
    picture = readme_picture.PICTURE.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\"' )]+", picture)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.search(r"<(script|image|foreignObject)\b|@import|url\((?!#)", picture)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_of_a_document_leads_to_a_file(document):
    links = re.findall(r"\]\(([^)#]+)", text_of(document))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_of_a_document_exists(document):
    known = set(re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`?make (\w+)`", text_of(document))) <= known
    assert set(re.findall(r"^make (\w+)", text_of(document), re.MULTILINE)) <= known


def test_the_layout_of_the_readme_names_what_is_there():
    paths = re.findall(r"`([\w./]+/)`", text_of("README.md").split("## Layout")[1].split("```")[0])
    assert len(paths) >= 6
    assert [path for path in paths if not (ROOT / path).is_dir() and path != "_build/html/"] == []


def test_the_readme_credits_the_article_and_names_both_licenses():
    readme = " ".join(text_of("README.md").split())
    for part in ("Mayank Sharma", "How Neural Networks Actually Learn", "19 January 2026", "MIT", "CC BY 4.0"):
        assert part in readme


# --- the map from the article to the course ----------------------------------------------------------


def rows() -> list[list[str]]:
    """The table of CONTRIBUTING.md: heading, files, section."""
    table = text_of("CONTRIBUTING.md").split("| --- | --- | --- |\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| \n").split("|")] for line in table.splitlines()]


def test_the_map_has_every_heading_once():
    headings = [row[0] for row in rows()]
    assert len(headings) == len(set(headings)) == HEADINGS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_the_map_names_places_that_exist(row):
    files = re.findall(r"`(chapters/[\w.-]+)`", row[1])
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []
    section = row[2] if len(row) > 2 else ""
    if section not in ("", LEAD) and files[0].endswith(".ipynb"):
        assert f"## {section}" in "\n".join(cell.source for cell in notebooks.read(ROOT / files[0]).cells).splitlines()
