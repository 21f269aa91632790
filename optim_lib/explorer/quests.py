"""Tasks that an explorer sets its reader and judges itself, when the reader commits to an answer.

There are three kinds: a prediction, a task that is done at some settings, and a number to work out. A task is decided
here, once, for every setting of the table: the page only looks up whether the reader, on pressing *Check*, stands at a
right one. So it can ask anything that Python can say about the runs, and a task that no setting fulfills, or that is
done before the reader has touched anything, is an error when the cell runs. Passing a setting is not an answer, and
there are few tries: whoever drags a slider from end to end has done nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer.table import Table
from optim_lib.explorer.words import labels, number, words
from optim_lib.palette import is_optimizer

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Quest:
    """A task: its words, and the settings at which it is done.

    Attributes
    ----------
    id : str
        Stable across builds: the page remembers done quests by it.
    text : str or callable
        What to do; a callable gets the table.
    judge : callable
        From the table, a mask of shape (starts, *grid): where the task is done.
    spoiled_by_star : bool
        Whether the figure must not give away its best setting before this quest is done.
    limit : callable, optional
        From the table, how far the figure goes, in words: it ends the error about an impossible quest.
    because : str
        What it taught: a sentence for when it is over.
    """

    id: str
    text: str | Callable[[Table], str]
    judge: Callable[[Table], Mask] = field(repr=False)
    spoiled_by_star: bool = False
    limit: Callable[[Table], str] | None = field(default=None, repr=False)
    because: str = ""

    def spec(self, table: Table) -> tuple[dict[str, Any], Mask]:
        """What the page needs: a description, and the mask."""
        mask = np.broadcast_to(self.judge(table), table.shape)
        if not mask.any():
            limit = f" ({self.limit(table)})" if self.limit else ""
            raise ValueError(f"quest {self.id!r} cannot be done: no setting of this figure fulfills it{limit}")
        if mask[(0, *table.initial)]:
            raise ValueError(f"quest {self.id!r} is done before the reader moves anything: choose another initial=")
        text = self.text(table) if callable(self.text) else self.text
        spec = {"id": self.id, "kind": "task", "text": text, "because": self.because}
        return spec | {"hidesBest": self.spoiled_by_star}, mask


@dataclass(frozen=True)
class Prediction:
    """A question to answer before looking; done when the reader has answered and then gone to see."""

    id: str
    question: str
    choices: Sequence[str]
    answer: int | bool | Callable[[Table], int | bool]
    see: dict[str, float]
    because: str | None = None
    start: int | None = None

    def spec(self, table: Table) -> tuple[dict[str, Any], Mask]:
        answer = self.answer(table) if callable(self.answer) else self.answer
        index = (0 if answer else 1) if isinstance(answer, bool | np.bool_) else int(answer)
        if len(self.choices) < 2 or not 0 <= index < len(self.choices):
            raise ValueError(f"predict needs 2 or more choices and an answer among them, got {index} of {self.choices}")
        mask = _at(table, self.see)
        if mask[(0, *table.initial)]:
            raise ValueError(f"predict(see={self.see}) is where the reader already stands: choose another initial=")
        spec = {
            "id": self.id,
            "kind": "predict",
            "text": self.question,
            "choices": list(self.choices),
            "answer": index,
            "look": " and ".join(f"{words(name)} {number(value)}" for name, value in self.see.items()),
            "see": {name: labels(table.axes[name])[table.nearest(name, value)] for name, value in self.see.items()},
            "because": self.because or _evidence(table, self.see),
            "hidesBest": False,
        }
        return spec, mask


@dataclass(frozen=True)
class Number:
    """A number to work out before looking; done when the reader's is near enough."""

    id: str
    question: str
    answer: float | Callable[[Table], float]
    within: float
    because: str

    def spec(self, table: Table) -> tuple[dict[str, Any], Mask]:
        answer = float(self.answer(table) if callable(self.answer) else self.answer)
        if not np.isfinite(answer):
            raise ValueError(f"work_out needs a finite answer, got {answer!r}")
        margin = self.within * (abs(answer) or 1.0)
        spec = {
            "id": self.id,
            "kind": "number",
            "text": self.question,
            "lowest": float(f"{answer - margin:.6g}"),
            "highest": float(f"{answer + margin:.6g}"),
            "because": self.because,
            "hidesBest": False,
        }
        return spec, np.zeros(table.shape, dtype=bool)


AnyQuest = Quest | Prediction | Number


def reach(
    loss: float, within: int | None = None, *, by: str | None = None, text: str | None = None, because: str = ""
) -> Quest:
    """Bring the loss under a value, within a number of steps (all of them by default).

    The loss is measured as the figure plots it: above the landscape's lowest. `by` names the optimizer of a race.
    """
    if not loss > 0:
        raise ValueError(f"loss must be positive, got {loss!r}")

    def judge(table: Table) -> Mask:
        _check_steps(within, table)
        last = table.steps if within is None else within
        return _any(table, by, lambda series: table.gaps(series)[..., : last + 1].min(axis=-1) < loss)

    def limit(table: Table) -> str:
        last = table.steps if within is None else within
        lowest = min(float(series.gaps[..., : last + 1].min()) for series in table.named(by))
        return f"the lowest loss is {number(lowest)}"

    def wording(table: Table) -> str:
        who = f"the loss of {called(by)}" if by else "the loss"
        return f"Bring {who} under {number(loss)} in {table.steps if within is None else within} steps."

    return Quest(_id("reach", loss, within, by), text or wording, judge, limit=limit, because=because)


def diverge(within: int | None = None, *, by: str | None = None, text: str | None = None, because: str = "") -> Quest:
    """Make the run diverge, within a number of steps if given."""

    def judge(table: Table) -> Mask:
        _check_steps(within, table)
        last = table.steps if within is None else within
        return _any(table, by, lambda series: ~np.isfinite(table.gaps(series)[..., last]))

    who = called(by) if by else "the run"
    in_time = f" in at most {within} steps" if within is not None else ""
    return Quest(_id("diverge", within, by), text or f"Make {who} diverge{in_time}.", judge, because=because)


def largest_stable(
    axis: str = "learning_rate", *, by: str | None = None, text: str | None = None, because: str = ""
) -> Quest:
    """Find the largest value of an axis with which the loss does not end higher than it began (others as they are)."""

    def judge(table: Table) -> Mask:
        along = table.axis(axis) + 1
        return _any(table, by, lambda series: _edge(_stable(table, series), along))

    who = called(by) if by else "the run"
    default = f"Find the edge: the largest {words(axis)} with which {who} ends no higher than it began."
    return Quest(_id("largest_stable", axis, by), text or default, judge, because=because)


def find_best(tolerance: float = 1.0, *, by: str | None = None, text: str | None = None, because: str = "") -> Quest:
    """Find the setting with the lowest final loss (or one within a factor `tolerance` of it). Hides the map's star."""
    if not tolerance >= 1:
        raise ValueError(f"tolerance is a factor of at least 1, got {tolerance!r}")

    def judge(table: Table) -> Mask:
        def near_best(series: Any) -> Mask:
            ends = table.ends(series)
            best = ends.min(axis=tuple(range(1, ends.ndim)), keepdims=True)
            return ends <= tolerance * best

        return _any(table, by, near_best)

    who = f" for {called(by)}" if by else ""
    near = f", to within a factor of {number(tolerance)}" if tolerance > 1 else ""
    return Quest(
        _id("find_best", tolerance, by), text or f"Find the best setting{who}{near}.", judge, True, because=because
    )


def settle_in(
    minimum: tuple[float, float],
    *,
    radius: float = 0.05,
    by: str | None = None,
    text: str | None = None,
    because: str = "",
) -> Quest:
    """End within `radius` (a fraction of the window's width) of one of the landscape's minima."""
    if np.shape(minimum) != (2,) or not np.isfinite(minimum).all():
        raise ValueError(f"minimum must be one point (x, y) of finite numbers, got {minimum!r}")

    def judge(table: Table) -> Mask:
        left, right, *_ = table.landscape.window

        def near(series: Any) -> Mask:
            ends = table.points(series)[..., -1, :]
            with np.errstate(invalid="ignore"):
                return np.hypot(*np.moveaxis(ends - np.asarray(minimum), -1, 0)) < radius * (right - left)

        return _any(table, by, near)

    x, y = minimum
    where = f"({number(x)}, {number(y)})"
    return Quest(
        _id("settle_in", *minimum, by),
        text or f"Make {called(by) if by else 'the run'} settle in the minimum at {where}.",
        judge,
        because=because,
    )


def from_every_start(loss: float, *, by: str | None = None, text: str | None = None, because: str = "") -> Quest:
    """Find one setting that brings the final loss under a value from every starting point of the figure."""

    def judge(table: Table) -> Mask:
        if len(table.starts) < 2:
            raise ValueError("from_every_start needs a figure with several starting points, this one has 1")
        return _any(table, by, lambda series: (table.ends(series) < loss).all(axis=0, keepdims=True))

    default = f"Find one setting that ends under {number(loss)} from every starting point."
    return Quest(_id("from_every_start", loss, by), text or default, judge, because=because)


def beats(winner: str, loser: str, *, factor: float = 1.0, text: str | None = None, because: str = "") -> Quest:
    """In a race: make one optimizer end lower than another, by a factor if given."""

    def judge(table: Table) -> Mask:
        (first,), (second,) = table.named(winner), table.named(loser)
        return table.ends(first) * factor < table.ends(second)

    by_much = f" by a factor of {number(factor)}" if factor > 1 else ""
    default = f"Make {called(winner)} beat {called(loser)}{by_much}."
    return Quest(_id("beats", winner, loser, factor), text or default, judge, because=because)


def quest(id: str, text: str, judge: Callable[[Table], Mask], *, because: str = "") -> Quest:
    """Any other task: `judge` gets the `Table` and returns a mask over ``(starts, *grid)``."""
    return Quest(id, text, judge, because=because)


def first_at(task: Quest, axis: str = "learning_rate", *, last: bool = False, text: str, because: str = "") -> Quest:
    """A task made exact: only the smallest value of an axis at which it is done counts (others as they are).

    With ``last=True``, only the largest. The text must say so, such as "Find the smallest rate at which ...".
    """

    def judge(table: Table) -> Mask:
        along = table.axis(axis) + 1
        done = np.broadcast_to(task.judge(table), table.shape)
        ordered = np.flip(done, along) if last else done
        earliest = ordered & (np.cumsum(ordered, axis=along) == 1)
        return np.flip(earliest, along) if last else earliest

    which = "last" if last else "first"
    return Quest(_id(which, axis, task.id), text, judge, task.spoiled_by_star, task.limit, because)


def only_at(task: Quest, start: int | None = None, *, text: str, because: str = "", **setting: float) -> Quest:
    """A task that counts from one start, or with some axes at given values, alone. The text must say so."""

    def judge(table: Table) -> Mask:
        done = np.broadcast_to(task.judge(table), table.shape) & _at(table, setting)
        if start is None:
            return done
        return done & (np.arange(table.shape[0]) == start).reshape(-1, *[1] * len(table.axes))

    where = [f"{name}={value:g}" for name, value in setting.items()]
    return Quest(_id("only", start, *where, task.id), text, judge, task.spoiled_by_star, task.limit, because)


def work_out(question: str, answer: float | Callable[[Table], float], *, within: float = 0.02, because: str) -> Number:
    """Ask for a number that can be worked out before anything is moved.

    Parameters
    ----------
    question : str
        It says how exact the number must be, if more than two figures are asked for.
    answer : float or callable
        The number, or a function of the table.
    within : float, default 0.02
        How far the reader's may lie from it, as a share of it.
    because : str
        How it is worked out.
    """
    return Number(_id("number", question), question, answer, within, because)


def predict(
    question: str,
    choices: Sequence[str] = ("yes", "no"),
    *,
    answer: int | bool | Callable[[Table], int | bool],
    see: dict[str, float],
    because: str | None = None,
) -> Prediction:
    """Ask before the reader looks: the answer locks, and feedback comes when the sliders stand at `see`.

    Parameters
    ----------
    question : str
    choices : sequence of str, default ("yes", "no")
    answer : int, bool or callable
        The index of the right choice; True is the first, False the second; or a function of the table, such as
        `improves`, so that the answer cannot drift from what the figure shows.
    see : dict of axis name to value
        Where to look, once the answer is given.
    because : str, optional
        The explanation; by default, the final losses there and at the initial setting.
    """
    return Prediction(_id("predict", question), question, choices, answer, see, because)


def improves(axis: str, value: float, *, by: str | None = None) -> Callable[[Table], bool]:
    """For `predict`: whether moving one axis from the initial setting to a value lowers the final loss."""

    def answer(table: Table) -> bool:
        before, after = _ends_at(table, {axis: value}, by)
        return bool(after < before)

    return answer


def diverges_at(*, by: str | None = None, **setting: float) -> Callable[[Table], bool]:
    """For `predict`: whether the run diverges at a setting (axes not named are at their initial value)."""

    def answer(table: Table) -> bool:
        return not np.isfinite(_ends_at(table, setting, by)[1])

    return answer


def lowest_at(start: int = 0, **setting: float) -> Callable[[Table], int]:
    """For `predict`: which of the optimizers, or curves, ends lowest at a setting, by its number."""

    def answer(table: Table) -> int:
        place = (start, *(table.nearest(name, setting[name]) if name in setting else k
                          for name, k in zip(table.axes, table.initial, strict=True)))  # fmt: skip
        return int(np.argmin([table.ends(series)[place] for series in table.series]))

    return answer


def called(label: str) -> str:
    """A label in a sentence: the name of an optimizer as it is, anything else as the legend's words.

    Examples
    --------
    >>> called("Adam"), called("without bias")
    ('Adam', '"without bias"')
    """
    described = ("without correction", "centered", "constant", "decaying")
    return label if is_optimizer(label) and label not in described else f'"{label}"'


def _any(table: Table, by: str | None, done: Callable[[Any], Mask]) -> Mask:
    return np.logical_or.reduce([np.broadcast_to(done(series), table.shape) for series in table.named(by)])


def _stable(table: Table, series: Any) -> Mask:
    gaps = table.gaps(series)
    return gaps[..., -1] <= gaps[..., 0]


def _edge(stable: Mask, along: int) -> Mask:
    """Where a run is stable and every larger value along the axis is not (and there is one)."""
    larger = np.flip(np.logical_or.accumulate(np.flip(stable, along), axis=along), along)
    shifted = np.roll(larger, -1, axis=along)
    last = [slice(None)] * stable.ndim
    last[along] = -1
    shifted[tuple(last)] = True
    return stable & ~shifted


def _at(table: Table, setting: dict[str, float]) -> Mask:
    mask = np.ones(table.shape, dtype=bool)
    for name, value in setting.items():
        along = table.axis(name) + 1
        here = np.arange(table.shape[along]) == table.nearest(name, value)
        mask &= here.reshape([-1 if axis == along else 1 for axis in range(len(table.shape))])
    return mask


def _ends_at(table: Table, setting: dict[str, float], by: str | None) -> tuple[float, float]:
    """The final loss at the initial setting, and with some axes moved (the first start; the best of a race)."""
    moved = list(table.initial)
    for name, value in setting.items():
        moved[table.axis(name)] = table.nearest(name, value)
    ends = [table.ends(series)[0] for series in table.named(by)]
    return min(float(e[table.initial]) for e in ends), min(float(e[tuple(moved)]) for e in ends)


def _evidence(table: Table, see: dict[str, float]) -> str:
    before, after = _ends_at(table, see, None)
    there = " and ".join(f"{words(name)} {number(value)}" for name, value in see.items())
    names = list(table.axes)
    here = " and ".join(f"{words(name)} {number(table.axes[name][table.initial[names.index(name)]])}" for name in see)
    return f"With {there} the run {_fate(after)}; with {here} it {_fate(before)}."


def _fate(end: float) -> str:
    return f"ends at {number(end)}" if np.isfinite(end) else "diverges"


def _check_steps(within: int | None, table: Table) -> None:
    if within is not None and not 1 <= within <= table.steps:
        raise ValueError(f"within must be between 1 and the figure's {table.steps} steps, got {within!r}")


def _id(kind: str, *parts: Any) -> str:
    written = [f"{part:g}" if isinstance(part, float) else str(part) for part in parts if part is not None]
    return ":".join([kind, *written])
