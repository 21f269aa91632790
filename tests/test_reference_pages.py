"""The pages after the chapters: the API reference is complete, the glossary and the corrections hold together."""

import importlib
import inspect
import json
import re
import types
from pathlib import Path

import pytest

from tools import api_reference

CHAPTERS = Path(__file__).parents[1] / "chapters"
MODULES = (
    "optimizers", "schedules", "descent", "landscapes", "explorer", "training", "tasks", "data", "networks",
    "measure", "family", "plotting",
)  # fmt: skip
DOCUMENTED = re.compile(r"^\.\. (?:auto(?:class|function|data)|py:data):: optim_lib\.(\w+)\.(\w+)$", re.MULTILINE)
REFERENCE = api_reference.expanded(api_reference.PAGE.read_text(encoding="utf-8"))


def documented_names(module: str) -> set[str]:
    found = {name for owner, name in DOCUMENTED.findall(REFERENCE) if owner == module}
    if module == "tasks":  # the ready-made tasks are rows of a table that is made from `ALL`
        tasks = importlib.import_module("optim_lib.tasks")
        found |= {name for name, value in vars(tasks).items() if any(value is task for task in tasks.ALL)}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_api_reference(module):
    package = importlib.import_module(f"optim_lib.{module}")
    exported = set(api_reference.public_names(package))
    kinds = {name for name in exported if isinstance(getattr(package, name), types.GenericAlias)}
    assert all(f"`{name}` is" in REFERENCE or f"`{name}` a" in REFERENCE for name in kinds)
    assert exported - documented_names(module) - kinds == set()


def test_the_api_reference_names_nothing_that_does_not_exist():
    assert "<!--" not in REFERENCE
    for module, name in DOCUMENTED.findall(REFERENCE):
        value = getattr(importlib.import_module(f"optim_lib.{module}"), name)
        assert name == "ALL" or inspect.getdoc(value), f"optim_lib.{module}.{name} has no docstring"
    listed = re.findall(r"^   ~optim_lib\.(\w+)\.(\w+)$", REFERENCE, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(DOCUMENTED.findall(REFERENCE)) - {("tasks", "ALL")}


def test_the_rules_come_in_the_order_of_the_course():
    names = [name for module, name in DOCUMENTED.findall(REFERENCE) if module == "optimizers"]
    first = ["Optimizer", "SGD", "MomentumSGD", "NesterovMomentum", "AdaGrad", "RMSprop"]
    assert names[: len(first)] == first


def test_a_new_public_name_comes_into_the_reference_by_itself(monkeypatch):
    from optim_lib import networks

    def fresh() -> None:
        """New."""

    monkeypatch.setattr(fresh, "__module__", "optim_lib.networks")
    monkeypatch.setattr(networks, "fresh", fresh, raising=False)
    monkeypatch.setattr(networks, "__all__", [*networks.__all__, "fresh"])
    assert ".. autofunction:: optim_lib.networks.fresh" in api_reference.expanded("<!-- api: optim_lib.networks -->")


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
        page = re.search(r"\{doc\}`(?:Chapter \d+|Cheat sheet|API reference) <(\w+)>`$", definition)
        assert page, definition
        assert any((CHAPTERS / f"{page[1]}{suffix}").exists() for suffix in (".ipynb", ".md")), definition
        for _, target in re.findall(r"\{term\}`(?:([^<`]+) <)?([^>`]+)>?`", definition):
            assert target in terms, target


GREEK = re.compile(
    r"\\(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|varphi|chi|psi|omega|Sigma)"
    r"(?![a-zA-Z])"
)


def test_every_greek_letter_of_the_chapters_is_on_the_notation_page():
    listed = set(GREEK.findall((CHAPTERS / "notation.md").read_text(encoding="utf-8")))
    for chapter in sorted(CHAPTERS.glob("*.ipynb")):
        cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
        prose = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        assert set(GREEK.findall(prose)) - listed == set(), chapter.stem
