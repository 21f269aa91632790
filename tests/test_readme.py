"""What a newcomer reads first is true: the picture is drawn from real runs, the commands and the files exist."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml

from tools import licenses, notebooks, readme_picture

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "MAINTAINERS.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")
NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
LEAD = "(lead)"
# The headings of the article, without those that only repeat ("Implementation").
HEADINGS = 57
# What the pages are built with and do not contain, and what they contain that does not come from npm.
BUILD_TOOLS = {"esbuild", "axe-core", "purgecss"}
FRAME = ("Sphinx Book Theme", "PyData Sphinx Theme", "Font Awesome", "STIX Two Math")


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
    words = re.sub(r"```.*?```", "", text_of(document), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)", words)
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


def test_the_notice_names_what_the_pages_load():
    """Each npm package, by its name or its scope, and what the pages' frame is made of."""
    assets = json.loads(text_of("tools/assets/package.json"))["dependencies"].keys() - BUILD_TOOLS
    notice = text_of("NOTICE")
    assert {name for name in assets if name.partition("/")[0] not in notice} == set()
    assert {name for name in FRAME if name not in notice} == set()


def test_the_licenses_of_what_the_pages_load_are_served_with_them(tmp_path):
    for package in ("shown", "@scope/part", "@esbuild/linux"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "LICENSE.md").write_text(f"The terms of {package}", encoding="utf-8")
    text = licenses.text(tmp_path)
    assert text.startswith(text_of("NOTICE")[:40])
    assert "The terms of shown" in text
    assert "The terms of @scope/part" in text
    assert "@esbuild" not in text
    assert text.count("\n" + "=" * 90) >= 2 + len(licenses.FROM_PYTHON)


def test_the_version_is_the_same_wherever_it_stands():
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    citation = yaml.safe_load(text_of("CITATION.cff"))
    assert citation["version"] == version
    assert f"## {version} - {citation['date-released']}\n" in text_of("CHANGELOG.md")


# --- the workflows -----------------------------------------------------------------------------------


def test_the_site_is_published_only_after_its_tests():
    jobs = {}
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs |= yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    publishing = [job for job in jobs.values() if any("deploy-pages" in step.get("uses", "") for step in job["steps"])]
    assert [job["needs"] for job in publishing] == ["test"]
    assert any(step.get("run") == ".ci/run" for step in jobs["test"]["steps"])


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
