"""Sentences that set a figure, and the conditions under which they are true.

In a chapter a link of this form plays the figure whose ``key`` it names::

    With a momentum of 0.9 it [shoots past](fig:ravine?momentum=0.9&step=12)<!-- x("ball") > 0.5 --> the minimum.

A notebook shows plain words, and the comment not at all. On the site the link sets the sliders, the start and the step;
what it does not name stands where the figure has it at first. The comment is a condition in Python that must hold
there: `holds` evaluates it on the figure's own table, with the names that `Standing` has. As a Sphinx extension, this
module makes of each link the words that ``tools/assets/widgets.js`` turns into one.

``python -m tools.plays [CHAPTER...]`` lists every link with its condition, and every quest with the share of all
settings that meet it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
from docutils import nodes
from numpy.typing import NDArray
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from optim_lib import explorer
from optim_lib.explorer.state import FigureState
from optim_lib.explorer.table import Series
from optim_lib.explorer.words import LETTERS
from tools.notebooks import read

ROOT = Path(__file__).parents[1]
SCHEME = "fig:"
LINK = re.compile(r"\[(?P<words>[^\]]+)\]\(fig:(?P<address>[^)\s]*)\)(?:<!--(?P<condition>.*?)-->)?", re.DOTALL)
MAKERS = {
    "explore": explorer.explore_state,
    "race": explorer.race_state,
    "explore_curves": explorer.curves_state,
    "explore_modes": explorer.modes_state,
    "explore_phase": explorer.phase_state,
    "explore_relief": explorer.relief_state,
    "explore_scenes": explorer.scenes_state,
}


@dataclass(frozen=True)
class Play:
    """A link that sets a figure: its words, where it leads, and the condition beside it."""

    cell: str
    words: str
    key: str
    setting: dict[str, str]
    condition: str

    def __str__(self) -> str:
        return f"{self.cell}: [{' '.join(self.words.split())}](fig:{self.key}?{urlencode(self.setting)})"


def plays_of(cells: list[Any]) -> list[Play]:
    """The links of a chapter's Markdown cells, in order."""
    found = []
    for cell in cells:
        for link in LINK.finditer(cell["source"] if cell["cell_type"] == "markdown" else ""):
            key, setting = address_of(link["address"])
            found.append(Play(cell["id"], link["words"], key, setting, (link["condition"] or "").strip()))
    return found


def address_of(address: str) -> tuple[str, dict[str, str]]:
    """A figure's key and a setting from ``key?slider=value&...``."""
    key, _, query = address.removeprefix(SCHEME).partition("?")
    return key, dict(parse_qsl(query, keep_blank_values=True))


# --- what holds at a setting ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """A figure as it stands at a setting. Its methods are the words of conditions.

    `of` names an optimizer or a curve; a figure with one needs no name. Losses are those that the figure shows, above
    the lowest; of a figure of curves or scenes they are the values that its sentence reports.
    """

    state: FigureState
    setting: tuple[int, ...]
    start: int
    step: int

    @classmethod
    def first(cls, state: FigureState) -> Standing:
        """As the figure stands at first."""
        return cls(state, tuple(state.data.initial), 0, state.data.steps)

    def asked(self, setting: dict[str, str]) -> Standing:
        """With what a link names, which must be there to be chosen."""
        sliders = {slider.name: slider.labels for slider in self.state.sliders}
        places, start, step = list(self.setting), self.start, self.step
        for name, value in setting.items():
            if name == "start" and self.state.kind in ("explore", "race"):
                if value not in list(LETTERS[: len(self.state.data.starts)]):
                    raise ValueError(f"{self.state.spec['key']} has no start {value}")
                start = LETTERS.index(value)
            elif name == "step" and "steps" in self.state.spec:
                if not value.isdigit() or int(value) > self.state.data.steps:
                    raise ValueError(f"{self.state.spec['key']} has steps 0 to {self.state.data.steps}, not {value}")
                step = int(value)
            elif name not in sliders:
                raise ValueError(f"{self.state.spec['key']} has sliders {', '.join(sliders)}, and none named {name}")
            elif value not in sliders[name]:
                raise ValueError(
                    f"{name} of {self.state.spec['key']} stands at {', '.join(sliders[name])}, never at {value}"
                )
            else:
                places[list(sliders).index(name)] = sliders[name].index(value)
        return replace(self, setting=tuple(places), start=start, step=step)

    def at(self, **setting: Any) -> Standing:
        """The same with some sliders, the start or the step elsewhere."""
        return self.asked({name: str(value) for name, value in setting.items()})

    def along(self, axis: str) -> list[Standing]:
        """The same at every value of a slider."""
        labels = next(slider.labels for slider in self.state.sliders if slider.name == axis)
        return [self.at(**{axis: label}) for label in labels]

    def _series(self, of: str | None) -> Series:
        found = self.state.data.named(of)
        if len(found) > 1:
            raise ValueError(f"of which of {', '.join(self.state.data.labels)}?")
        return found[0]

    def losses(self, of: str | None = None) -> NDArray[np.floating]:
        """The losses up to this step."""
        series = self._series(of)
        return self.state.data.gaps(series)[(self.start, *self.setting)][: self.step + 1]

    def loss(self, of: str | None = None) -> float:
        """The loss at this step."""
        return float(self.losses(of)[-1])

    def end(self, of: str | None = None) -> float:
        """The loss at the last step."""
        return replace(self, step=self.state.data.steps).loss(of)

    def diverged(self, of: str | None = None) -> bool:
        """Whether the run has diverged by the last step."""
        return not np.isfinite(self.end(of))

    def path(self, of: str | None = None) -> NDArray[np.floating]:
        """The points up to this step."""
        series = self._series(of)
        return self.state.data.points(series)[(self.start, *self.setting)][: self.step + 1]

    def x(self, of: str | None = None) -> float:
        """Where the run is, along the first axis."""
        return float(self.path(of)[-1, 0])

    def y(self, of: str | None = None) -> float:
        """Where the run is, along the second axis."""
        return float(self.path(of)[-1, 1])

    def near(self, point: tuple[float, float], within: float, of: str | None = None) -> bool:
        """Whether the run is near a point."""
        return bool(np.hypot(*(self.path(of)[-1] - np.asarray(point))) < within)

    def lowest(self, *of: str) -> str:
        """The one of these (or of all) that ends lowest."""
        return min(of or self.state.data.labels, key=self.end)


def shows(value: float, written: str) -> bool:
    """Whether a value, rounded to as many figures as are written, is what is written: shows(0.0331, "0.033").

    Examples
    --------
    >>> shows(0.0331, "0.033"), shows(0.0337, "0.033"), shows(51_492, "51000")
    (True, False, True)
    """
    digits = len(written.replace(".", "").replace("-", "").lstrip("0").rstrip("0" if "." not in written else ""))
    return bool(np.isclose(float(f"{value:.{max(digits, 1)}g}"), float(written), rtol=1e-9))


def holds(play: Play, figures: dict[str, FigureState]) -> bool:
    """Whether the condition beside a link is true where the link leads.

    Raises
    ------
    ValueError
        If the link names a figure, a slider or a value that is not there, or has no condition.
    """
    if play.key not in figures:
        raise ValueError(f"{play}: the chapter has no figure with key={play.key!r}, only {', '.join(figures)}")
    standing = Standing.first(figures[play.key]).asked(play.setting)
    if not play.condition:
        raise ValueError(f"{play}: no condition in a comment behind it")
    words = {name: getattr(standing, name) for name in vars(Standing) if not name.startswith("_") and name != "first"}
    return bool(eval(play.condition, {"np": np, "shows": shows, "inf": np.inf, **words}))


# --- the figures of a chapter --------------------------------------------------------------------------


def figures_of(chapter: Path) -> dict[str, FigureState]:
    """The figures of a chapter by their keys, computed by running their cells and those that these need."""
    return {state.spec["key"]: state for state, _ in _computed(chapter)}


def quests_of(chapter: Path) -> Iterator[tuple[FigureState, dict[str, Any], NDArray[np.bool_]]]:
    """Every quest of a chapter: its figure, what the page is told of it, and where it is done."""
    for state, quests in _computed(chapter):
        for quest in quests:
            told, mask = quest.spec(state.data)
            yield state, told, mask


@cache
def _computed(chapter: Path) -> list[tuple[FigureState, list[Any]]]:
    cells = [cell.source for cell in read(chapter).cells if cell.cell_type == "code"]
    trees = [ast.parse(source) for source in cells]
    wanted = [k for k, tree in enumerate(trees) if _is_figure(tree)]
    needed = sorted(set().union(*(_needed(trees, k) for k in wanted), {0}))
    found: list[tuple[FigureState, list[Any]]] = []
    names: dict[str, Any] = {"__name__": chapter.stem}

    def kept(maker: Any) -> Any:
        def make(*args: Any, quests: Any = (), **options: Any) -> FigureState:
            state = maker(*args, quests=quests, **options)
            found.append((state, list(quests)))
            return state

        return make

    for k in needed:
        exec(compile(trees[k], f"{chapter.name}, code cell {k}", "exec"), names)
        names |= {name: kept(maker) for name, maker in MAKERS.items()}
    return found


def _is_figure(tree: ast.Module) -> bool:
    """Whether a cell ends in a figure."""
    last = tree.body[-1] if tree.body else None
    call = last.value if isinstance(last, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MAKERS


def _needed(trees: list[ast.Module], wanted: int) -> set[int]:
    """A cell and, of those before it, the last to define each name that it needs; and so on from these."""
    needed = {wanted}
    for name in _loaded(trees[wanted]) - _stored(trees[wanted]):
        definers = [k for k in range(wanted) if name in _stored(trees[k])]
        if definers and definers[-1] not in needed:
            needed |= _needed(trees, definers[-1])
    return needed


def _loaded(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _stored(tree: ast.Module) -> set[str]:
    """The names that a cell defines at its top level."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        else:
            names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return names


def share(mask: NDArray[np.bool_]) -> float:
    """The share of all settings at which a task is done."""
    return float(mask.mean())


def main(arguments: list[str] | None = None) -> int:
    named = sys.argv[1:] if arguments is None else arguments
    chapters = [Path(name) for name in named] or sorted((ROOT / "chapters").glob("*.ipynb"))
    wrong = 0
    for chapter in chapters:
        print(chapter.stem)
        figures = figures_of(chapter)
        for play in plays_of(read(chapter).cells):
            try:
                said = "holds" if holds(play, figures) else "DOES NOT HOLD"
            except Exception as error:
                said = f"WRONG: {error}"
            wrong += said != "holds"
            print(f"  {said:<14} {play}\n{'':17}{play.condition}")
        for state, told, mask in quests_of(chapter):
            part = f"{share(mask):6.1%}" if told["kind"] == "task" else f"{told['kind']:>7}"
            print(f"  {part}  {state.spec['key']}: {told['text']}")
    return min(wrong, 1)


# --- on the site ---------------------------------------------------------------------------------------


class PlayNode(nodes.inline):
    """Words that set a figure."""


class FindPlays(SphinxTransform):
    """Make of each link to a figure the words that the page's script turns into a link."""

    default_priority = 5

    def apply(self, **kwargs: Any) -> None:
        for link in list(self.document.findall(nodes.reference)):
            if not link.get("refuri", "").startswith(SCHEME):
                continue
            key, setting = address_of(unescape(link["refuri"]))
            beside = link.next_node(descend=False, siblings=True)
            if isinstance(beside, nodes.raw) and beside.astext().startswith("<!--"):
                beside.parent.remove(beside)
            words = PlayNode("", "", *link.children, address="#" + urlencode({"fig": key, **setting}))
            link.parent.replace(link, words)


def _open(translator: Any, node: PlayNode) -> None:
    translator.body.append(f'<span class="uo-plays" data-plays="{escape(node["address"])}">')


def _close(translator: Any, node: PlayNode) -> None:
    translator.body.append("</span>")


def _plain(translator: Any, node: PlayNode) -> None:
    """Words like all others."""


def setup(app: Sphinx) -> dict[str, Any]:
    plain = (_plain, _plain)
    app.add_node(PlayNode, html=(_open, _close), latex=plain, text=plain, man=plain, texinfo=plain)
    app.add_transform(FindPlays)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    sys.exit(main())
