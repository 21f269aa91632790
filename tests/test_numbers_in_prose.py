"""A number that the text quotes is printed by a checked cell near it, or stands in code; the others are listed."""

import json
import re
from pathlib import Path

import pytest

from tools.plays import plays_of

CHAPTERS = Path(__file__).parents[1] / "chapters"
NEAR = 6  # cells
# What is left out: formulas, code, links, citations, comments, and the statements of exercises.
NOT_PROSE = re.compile(r"<!--.*?-->|\$\$.*?\$\$|\$[^$]*\$|```.*?```|`[^`]*`|\{[a-z:]+\}`[^`]*`|\]\([^)]*\)", re.S)
EXERCISE = re.compile(r"[Ee]xercises? \d+\.\d+")
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")
# Settings, sizes and what papers say: nothing of these was measured here. A measured number gets a cell that prints it.
KNOWN = {
    "08_adam": {"further-reading: 2.1"},
    "09_adamw": {"and-a-transformer: 0.1", "what-not-to-decay: 0.02"},
    "10_advanced": {
        "are-the-minima-sharper: 0.05", "the-idea-a-step-in-proportion: 0.001", "the-idea-a-step-in-proportion: 0.01",
        "the-mathematics: 0.001", "never-at-rest: 0.001", "1-bring-the-smallest-value-down: 0.7",
        "1-bring-the-smallest-value-down: 0.001", "lookahead-and-schedule-free-average-instead: 1.4",
        "lookahead-and-schedule-free-average-instead: 0.1", "lookahead-and-schedule-free-average-instead: 1.1",
        "lookahead-and-schedule-free-average-instead: 1.2",
    },
    "11_schedules": {
        "a-schedule-must-know-its-end: 0.03", "1-the-figure-starts-with-the: 0.13", "the-claims-tested: 0.9",
        "the-signs-have-turned-with-noise: 0.4", "finding-the-peak-the-range-test: 0.02",
    },
    "12_choosing": {
        "why-there-is-no-answer-yet: 0.0001", "the-idea-a-fair-comparison-is: 0.0035",
        "the-idea-a-fair-comparison-is: 1.26", "the-idea-a-fair-comparison-is: 0.01",
        "read-it-row-by-row-against: 0.02",
        "pitfalls: 0.3", "check-your-understanding: 0.006",
    },
    "13_conclusion": set(),
}  # fmt: skip


def printed(cell: dict) -> str:
    texts = ["".join(cell["source"])]
    for output in cell.get("outputs", ()):
        texts.append("".join(output.get("text", "")) + "".join(output.get("data", {}).get("text/plain", "")))
    return " ".join(texts)


def loose_numbers(cells: list[dict]) -> list[str]:
    found = []
    for k, cell in enumerate(cells):
        tags = cell["metadata"].get("tags", ())
        if cell["cell_type"] != "markdown" or any(tag.startswith("ex-") for tag in tags):
            continue
        near = [each for each in cells[max(0, k - NEAR) : k + NEAR + 1] if each["cell_type"] == "code"]
        # A number that a link's condition has is looked at in the figure (tests/test_plays.py).
        conditions = " ".join(play.condition for play in plays_of([cell | {"source": "".join(cell["source"])}]))
        known = set(NUMBER.findall(" ".join([*map(printed, near), conditions])))
        numbers = NUMBER.findall(EXERCISE.sub(" ", NOT_PROSE.sub(" ", "".join(cell["source"]))))
        found += [f"{cell['id']}: {number}" for number in numbers if number not in known]
    return found


def test_a_number_without_a_cell_is_found():
    prose = {
        "cell_type": "markdown",
        "id": "text",
        "metadata": {},
        "source": ["It ends at 0.93, not at 0.41 or $1.5$."],
    }
    code = {"cell_type": "code", "id": "code", "metadata": {}, "source": ["print(x)"], "outputs": [{"text": ["0.93"]}]}
    assert loose_numbers([code, prose]) == ["text: 0.41"]


@pytest.mark.parametrize("name", KNOWN)
def test_no_more_numbers_without_a_cell(name):
    cells = json.loads((CHAPTERS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert sorted(set(loose_numbers(cells)) - KNOWN[name]) == []
