"""A number that the text quotes is printed by a checked cell near it, or stands in code; the others are listed.

And a cell that prints is checked, or listed with a reason.
"""

import ast
import json
import re
from pathlib import Path

from tools.notebooks import CHECKED_TAG
from tools.plays import plays_of

CHAPTERS = Path(__file__).parents[1] / "chapters"
NEAR = 6  # cells
# What is left out: formulas, code, links, citations, comments, and the statements of exercises.
NOT_PROSE = re.compile(r"<!--.*?-->|\$\$.*?\$\$|\$[^$]*\$|```.*?```|`[^`]*`|\{[a-z:]+\}`[^`]*`|\]\([^)]*\)", re.S)
EXERCISE = re.compile(r"[Ee]xercises? \d+\.\d+")
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")
# Numbers that no cell near them prints, and why each may stand: nobody measured it here, or it is checked elsewhere.
EXCEPTIONS = {
    "a rounded value, or a border, of a slider to which the sentence has links: tests/test_plays.py looks at it": {
        "01 things-to-try: 0.4",
        "01 things-to-try: 0.7",
        "02 choosing-a-rate-is-not-scheduling: 0.26",
        "04 a-hump-on-the-way: 0.24",
        "04 a-hump-on-the-way: 1.52",
        "04 the-idea-add-the-gradients-up: 0.08",
        "04 two-places-for-the-rate: 0.013",
        "04 two-places-for-the-rate: 0.063",
        "06 the-same-step-in-pytorch: 0.02",
        "07 1-at-the-lowest-rate-and: 0.095",
        "10 1-bring-the-smallest-value-down: 0.001",
        "11 1-the-figure-starts-with-the: 0.13",
    },
    "worked out in the text, from numbers or formulas that stand there": {
        "03 does-noise-escape-a-poor-minimum: 1.32",
        "04 the-same-step-in-pytorch: 2.2",
        "05 the-edge-and-a-momentum-that: 2.8",
        "06 where-adagrad-struggles: 0.25",
        "12 check-your-understanding: 0.006",
    },
    "a setting or a size that was chosen, not measured": {
        "02 is-there-an-edge-in-a: 99.9",
        "04 where-it-struggles: 3.3",
        "10 are-the-minima-sharper: 0.05",
        "11 the-claims-tested: 0.9",
        "12 the-idea-a-fair-comparison-is: 0.01",
        "12 why-there-is-no-answer-yet: 0.0001",
    },
    "what a paper or a table says: a section, a size, a usual value": {
        "02 further-reading: 2.1",
        "08 further-reading: 2.1",
        "10 lookahead-and-schedule-free-average-instead: 0.1",
        "10 lookahead-and-schedule-free-average-instead: 1.1",
        "10 lookahead-and-schedule-free-average-instead: 1.2",
        "10 lookahead-and-schedule-free-average-instead: 1.4",
        "10 the-mathematics: 0.001",
        "11 finding-the-peak-the-range-test: 0.02",
    },
    "measured near it, where last digits differ from processor to processor, and said no more exactly than that": {
        "09 what-not-to-decay: 0.02",
        "11 the-signs-have-turned-with-noise: 0.4",
        "12 read-it-row-by-row-against: 0.02",
        "12 the-idea-a-fair-comparison-is: 0.0035",
        "12 the-idea-a-fair-comparison-is: 1.26",
    },
}


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
        # Where a link leads, and what its condition says, is looked at in the figure (tests/test_plays.py).
        links = [
            f"{play.condition} {' '.join(play.setting.values())}"
            for play in plays_of([cell | {"source": "".join(cell["source"])}])
        ]
        known = set(map(float, NUMBER.findall(" ".join([*map(printed, near), *links]))))
        numbers = NUMBER.findall(EXERCISE.sub(" ", NOT_PROSE.sub(" ", "".join(cell["source"]))))
        found += [f"{cell['id']}: {number}" for number in numbers if float(number) not in known]
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


def test_every_number_in_prose_is_checked_near_it_or_has_a_reason():
    """And no exception is kept that is no longer one."""
    loose = {
        f"{path.stem[:2]} {place}"
        for path in sorted(CHAPTERS.glob("*.ipynb"))
        for place in loose_numbers(json.loads(path.read_text(encoding="utf-8"))["cells"])
    }
    listed = set().union(*EXCEPTIONS.values())
    assert sorted(loose - listed) == []
    assert sorted(listed - loose) == []


# What a cell may end in and print no number of its own: a picture, a source, a figure with sliders, a question, a sign
# that the reader's own work is looked at, or a verdict that the ledger works out.
PICTURES = re.compile(
    r"plotting\.(show|source)|explore(_\w+)?|race|quiz|check|hint|progress|try_out|family_tree|page\.\w+"
)
PRINTERS = re.compile(r"print|display")
OF_THE_READER = re.compile(r"(if|results =) check\(")  # prints once the reader has solved the exercise
# All that a chapter prints is compared, but for these cells.
NOT_COMPARED = {
    "a time, measured on the machine that runs it": {"03 plotting-table-str-row-batch-size", "12 plotting-table-2"},
}


def prints(source: str) -> bool:
    """Whether a code cell says something that a reader may quote: it prints, or ends in a value that is no picture."""
    tree = ast.parse(source)
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if any(PRINTERS.fullmatch(call) for call in calls):
        return True
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return False
    return not (isinstance(last.value, ast.Call) and PICTURES.fullmatch(ast.unparse(last.value.func)))


def not_compared(cells: list[dict]) -> list[str]:
    """The ids of cells that print, and that nbval does not compare."""
    return [
        cell["id"]
        for cell in cells
        if cell["cell_type"] == "code"
        and CHECKED_TAG not in cell["metadata"].get("tags", ())
        and not OF_THE_READER.match("".join(cell["source"]))
        and prints("".join(cell["source"]))
    ]


def test_a_printing_cell_that_is_not_compared_is_found():
    sources = {
        "table": "plotting.table(rows)",
        "own-table": "run = f()\nrun.table(columns)",
        "loop": "for x in xs:\n    print(x)",
        "value": "x = 1\nx",
        "picture": "plotting.show(chart)",
        "silent": "x = f()",
        "reader": "if check('1.1', f).status == 'right':\n    print(f(2))",
    }
    cells = [
        {"cell_type": "code", "id": name, "metadata": {"tags": []}, "source": [source]}
        for name, source in sources.items()
    ]
    assert not_compared(cells) == ["table", "own-table", "loop", "value"]
    for cell in cells:
        cell["metadata"]["tags"] = [CHECKED_TAG]
    assert not_compared(cells) == []


def test_every_cell_that_prints_is_compared_or_has_a_reason():
    """And no exception is kept that is no longer one."""
    found = {
        f"{path.stem[:2]} {cell}"
        for path in sorted(CHAPTERS.glob("*.ipynb"))
        for cell in not_compared(json.loads(path.read_text(encoding="utf-8"))["cells"])
    }
    listed = set().union(*NOT_COMPARED.values())
    assert sorted(found - listed) == []
    assert sorted(listed - found) == []
