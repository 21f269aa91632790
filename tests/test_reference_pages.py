"""The pages after the chapters: the API reference is complete, the glossary and the corrections hold together."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

CHAPTERS = Path(__file__).parents[1] / "chapters"
MODULES = (
    "optimizers", "schedules", "descent", "landscapes", "explorer", "training", "tasks", "data", "networks",
    "measure", "plotting",
)  # fmt: skip
DOCUMENTED = re.compile(r"^\.\. (?:auto(?:class|function|data)|py:data):: optim_lib\.(\w+)\.(\w+)$", re.MULTILINE)


def public_names(module: str) -> set[str]:
    """What a module exports: its `__all__`, or else the functions and classes that it defines itself."""
    content = importlib.import_module(f"optim_lib.{module}")
    if hasattr(content, "__all__"):
        return set(content.__all__)
    return {
        name
        for name, value in vars(content).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == content.__name__
    }


def documented_names(module: str) -> set[str]:
    text = (CHAPTERS / "api.md").read_text(encoding="utf-8")
    found = {name for owner, name in DOCUMENTED.findall(text) if owner == module}
    if module == "tasks":  # the ready-made tasks are rows of a table that is made from `ALL`
        tasks = importlib.import_module("optim_lib.tasks")
        found |= {name for name, value in vars(tasks).items() if any(value is task for task in tasks.ALL)}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_api_reference(module):
    assert public_names(module) - documented_names(module) == set()


def test_the_api_reference_names_nothing_that_does_not_exist():
    text = (CHAPTERS / "api.md").read_text(encoding="utf-8")
    for module, name in DOCUMENTED.findall(text):
        value = getattr(importlib.import_module(f"optim_lib.{module}"), name)
        assert name == "ALL" or inspect.getdoc(value), f"optim_lib.{module}.{name} has no docstring"
    listed = re.findall(r"^   ~optim_lib\.(\w+)\.(\w+)$", text, re.MULTILINE)
    assert set(listed) == set(DOCUMENTED.findall(text)) - {("tasks", "ALL")}


def test_every_correction_has_its_chapter_its_sources_and_a_measurement():
    from experiments.corrections import CORRECTIONS

    known = set(re.findall(r"^@\w+\{(\w+),", (CHAPTERS / "references.bib").read_text(encoding="utf-8"), re.MULTILINE))
    for correction in CORRECTIONS:
        assert (CHAPTERS / f"{correction.chapter}.ipynb").exists(), correction.chapter
        measured = correction.measured()
        assert measured, correction.says
        assert "nan" not in measured, correction.says
        cited = re.findall(r"\{cite(?::t)?\}`([\w,]+)`", f"{correction.says} {correction.holds} {measured}")
        assert {key for keys in cited for key in keys.split(",")} <= known, correction.says


def test_every_correction_is_on_the_page():
    from experiments.corrections import CORRECTIONS, INTERFACE

    text = (CHAPTERS / "corrections.md").read_text(encoding="utf-8")
    shown = {int(number) for number in re.findall(r"corrections\.section\((\d+)\)", text)}
    assert {correction.section for correction in CORRECTIONS} - {INTERFACE} == shown


def test_glossary_entries_are_distinct_and_lead_to_chapters():
    text = (CHAPTERS / "glossary.md").read_text(encoding="utf-8").partition(":::{glossary}\n")[2]
    terms = [line for line in text.splitlines() if line and not line.startswith((" ", ":"))]
    assert len(terms) == len({term.lower() for term in terms}) >= 50
    for definition in (line for line in text.splitlines() if line.startswith("  ")):
        chapter = re.search(r"\{doc\}`Chapter \d+ <(\w+)>`$", definition)
        assert chapter, definition
        assert (CHAPTERS / f"{chapter[1]}.ipynb").exists(), definition
        for _, target in re.findall(r"\{term\}`(?:([^<`]+) <)?([^>`]+)>?`", definition):
            assert target in terms, target
