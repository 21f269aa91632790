"""Sentences that set a figure: each is set on the figure's own table, and must be true there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from docutils import nodes

from optim_lib.explorer import curves_state, explore_state, race_state
from optim_lib.landscapes import ravine
from optim_lib.optimizers import SGD, MomentumSGD
from optim_lib.palette import is_optimizer
from tools import plays
from tools.notebooks import read
from tools.plays import Play, Standing, figures_of, holds, plays_of, shows

CHAPTERS = sorted((Path(__file__).parents[1] / "chapters").glob("*.ipynb"))
LEAST = 3  # links in a chapter
NAMES = [path.stem for path in CHAPTERS]

chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)


@chapters
def test_every_sentence_that_sets_a_figure_is_true_there(chapter):
    figures, found = figures_of(chapter), plays_of(read(chapter).cells)
    assert len(found) >= LEAST or not figures
    assert [str(play) for play in found if not holds(play, figures)] == []


@chapters
def test_no_link_to_a_figure_is_written_in_a_way_that_is_overlooked(chapter):
    cells = read(chapter).cells
    written = sum(cell.source.count("fig:") for cell in cells if cell.cell_type == "markdown")
    assert len(plays_of(cells)) == written


@chapters
def test_every_figure_has_a_key_of_its_own_in_its_cell(chapter):
    source = "\n".join(cell.source for cell in read(chapter).cells if cell.cell_type == "code")
    assert [key for key in figures_of(chapter) if source.count(f'key="{key}"') != 1] == []


# --- the machinery -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figures():
    rates = np.array([0.01, 0.05, 0.09])
    valley = explore_state(
        MomentumSGD, ravine, start=[(-2, 1), (1, 1)], learning_rate=rates, momentum=[0.0, 0.9],
        initial={"learning_rate": 0.05, "momentum": 0.0}, key="valley",
    )  # fmt: skip
    both = race_state({"SGD": SGD, "ball": MomentumSGD}, ravine, learning_rate=rates, key="both")
    lines = curves_state({"loss": {"a": np.array([[3.0, 1.0], [3.0, 2.0]])}}, [0, 1], speed=[1, 2], key="lines")
    return {state.spec["key"]: state for state in (valley, both, lines)}


def link(address: str, condition: str = "True") -> Play:
    cell = {"cell_type": "markdown", "id": "text", "source": f"So [it goes](fig:{address})<!-- {condition} -->."}
    (play,) = plays_of([cell])
    return play


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (link("valley?learning_rate=0.09", "end() > losses()[0]"), True),
        (link("valley?learning_rate=0.05", "end() > losses()[0]"), False),
        (link("valley?learning_rate=0.09&momentum=0.9", "not diverged() and loss() < losses()[0]"), True),
        (link("valley?step=0&start=B", "near((1, 1), 1e-9) and x() == 1 and y() == 1"), True),
        (link("valley?step=1", "len(losses()) == 2 and loss() > end()"), True),
        (link("valley", "at(momentum=0.9).end() != end() and len(along('learning_rate')) == 3"), True),
        (link("both?learning_rate=0.09", "lowest() == 'ball' and end('ball') < end('SGD')"), True),
        (link("lines?speed=2", "loss() == 2 and at(speed=1).loss() == 1"), True),
    ],
)
def test_a_condition_is_judged_where_the_link_leads(play, expected, figures):
    assert holds(play, figures) == expected


@pytest.mark.parametrize(
    ("play", "message"),
    [
        (link("velley?learning_rate=0.09"), "no figure with key='velley', only valley"),
        (link("valley?rate=0.09"), "has sliders learning_rate, momentum, and none named rate"),
        (link("valley?learning_rate=0.08"), "stands at 0.01, 0.05, 0.09, never at 0.08"),
        (link("valley?start=C"), "no start C"),
        (link("valley?step=61"), "steps 0 to 60, not 61"),
        (link("lines?step=1"), "none named step"),
        (link("valley?learning_rate=0.09", ""), "no condition"),
        (link("both", "loss() < 1"), "of which of SGD, ball"),
    ],
    ids=lambda value: value.key if isinstance(value, Play) else None,
)
def test_a_link_that_leads_nowhere_is_an_error(play, message, figures):
    with pytest.raises(ValueError, match=message):
        holds(play, figures)


def test_what_a_link_does_not_name_stands_as_at_first(figures):
    standing = Standing.first(figures["valley"]).asked({"momentum": "0.9"})
    assert (standing.setting, standing.start, standing.step) == ((1, 1), 0, 60)


@pytest.mark.parametrize(
    ("value", "written", "expected"),
    [
        (0.0331, "0.033", True),
        (0.0337, "0.033", False),
        (9.2, "9.2", True),
        (49.96, "50", True),
        (0.5004, "0.50", True),
    ],
)
def test_a_number_that_is_quoted_is_rounded_as_it_is_written(value, written, expected):
    assert shows(value, written) == expected


def test_only_the_cells_that_a_figure_needs_are_run():
    from ast import parse

    sources = ["import numpy as np", "a = 1", "b = 2", "raise ValueError", "c = a + 1", "explore(np, c)"]
    assert plays._needed([parse(source) for source in sources], 5) == {0, 1, 4, 5}


def test_on_the_site_the_words_carry_the_setting_and_the_comment_is_gone():
    from docutils.frontend import get_default_settings
    from docutils.utils import new_document

    document = new_document("a page", get_default_settings())
    paragraph = nodes.paragraph()
    paragraph += nodes.reference("", "it goes", refuri="fig:valley?momentum=0.9&amp;step=12")  # as MyST has it
    paragraph += nodes.raw("", "<!-- loss() < 1 -->", format="html")
    document += paragraph
    plays.FindPlays(document).apply()
    (words,) = document.findall(plays.PlayNode)
    assert words["address"] == "#fig=valley&momentum=0.9&step=12"
    assert paragraph.astext() == "it goes"


# --- one optimizer, one color ------------------------------------------------------------------------


def colors_in(state):
    """The label and the color of each curve or path of a figure."""
    if "series" in state.spec:
        return [(series["label"], series["color"]) for series in state.spec["series"]]
    if "color" in state.spec:  # boards show one rule
        return [("momentum" if any(state.spec.get("momenta", ())) else "gradient descent", state.spec["color"])]
    return list(zip(state.spec["labels"], state.spec["colors"], strict=True))


def test_one_optimizer_has_one_color_in_every_figure_of_the_course():
    found: dict[str, set[int]] = {}
    for chapter in CHAPTERS:
        for state in figures_of(chapter).values():
            for label, color in colors_in(state):
                if is_optimizer(label):
                    found.setdefault(label, set()).add(color)
    assert len(found) >= 15
    assert {label: colors for label, colors in found.items() if len(colors) > 1} == {}
