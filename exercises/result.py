"""What check, hint, solution and progress return, as text and as HTML.

Everything here is deterministic: a chapter stores these outputs and the tests compare them as exact strings.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from html import escape
from importlib.resources import files

from exercises.compare import plural
from exercises.definition import Exercise

NOT_ATTEMPTED = "not attempted"
NOT_RUN = "not run"
STATUSES = (NOT_ATTEMPTED, "wrong", "partial", "right", "error")
WORDS = {
    NOT_ATTEMPTED: "Not attempted yet",
    "wrong": "Not right yet",
    "partial": "Partly right",
    "right": "Right",
    "error": "Stopped with an error",
    NOT_RUN: "Not run",
}
_TEXT_MARKS = {NOT_ATTEMPTED: "[ ]", "wrong": "[x]", "partial": "[~]", "right": "[+]", "error": "[!]", NOT_RUN: "[-]"}
_PATHS = {
    NOT_ATTEMPTED: '<circle cx="8" cy="8" r="6" stroke-dasharray="2.5 2.2"/>',
    "wrong": '<path d="M3.5 3.5l9 9m0-9l-9 9"/>',
    "partial": '<circle cx="8" cy="8" r="6"/><path d="M8 2a6 6 0 0 0 0 12z" fill="currentColor"/>',
    "right": '<path d="M2.5 8.5l4 4 7-9"/>',
    "error": '<path d="M8 2l6.5 12h-13zM8 6.5v3.5m0 1.7v.3"/>',
    NOT_RUN: '<path d="M3 8h10"/>',
}
_WIDTH = 92
# How a student asks for more: with calls in a notebook, with buttons in a page, which says so with `WITH_BUTTONS`.
asking = {
    "hint": '`hint("{id}")`',
    "solution": '`solution("{id}")`',
    "check": "run its cell, then run this one again",
}
WITH_BUTTONS = {"hint": "Hint", "solution": "Solution", "check": "then press Check"}
_LONGEST = 200


@dataclass(frozen=True)
class Part:
    """The outcome of one check. `state` is one of `STATUSES`, or "not run" after a check that did not end."""

    name: str
    points: int
    max_points: int
    state: str
    feedback: str = ""
    look: str = ""


@dataclass
class Result:
    """What ``check`` returns: points, status and feedback, shown as a card in a notebook.

    Attributes
    ----------
    exercise : Exercise
    parts : list of Part
        One for each check.
    messages : list of str
        What was found about the answer as a whole.
    notes : list of str
        Remarks that cost no points.
    printed : str
        What the student's code printed while it was checked.
    notice : str
        Set only when something about saving has to be said.
    mistakes : list of str
        The sentences, among all that is said, of known mistakes that were recognized.
    """

    exercise: Exercise
    parts: list[Part]
    messages: list[str]
    notes: list[str] = field(default_factory=list)
    printed: str = ""
    notice: str = ""
    mistakes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = [replace(part, feedback=encodable(part.feedback)) for part in self.parts]
        self.messages, self.notes = [*map(encodable, self.messages)], [*map(encodable, self.notes)]
        self.printed = encodable(self.printed)

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def max_points(self) -> int:
        return self.exercise.points

    @property
    def status(self) -> str:
        states = {part.state for part in self.parts} - {NOT_RUN}
        if states == {NOT_ATTEMPTED}:
            return NOT_ATTEMPTED
        if states == {"right"}:
            return "right"
        if "right" in states:
            return "partial"
        return "error" if "error" in states else "wrong"

    @property
    def feedback(self) -> list[str]:
        """Every sentence for the student: about the whole, then check by check."""
        return [*self.messages, *(part.feedback for part in self.parts if part.feedback), *self.notes]

    def __repr__(self) -> str:
        lines = [f"{_TEXT_MARKS[self.status]} {self._headline()}"]
        for message in self.messages:
            lines += _wrapped(message, "    ")
        if self.status != NOT_ATTEMPTED:
            lines += self._part_lines()
        for sentence in self._closing():
            lines += _wrapped(sentence, "    ")
        if self.printed:
            lines += ["    Your code printed:", *(f"      {line}" for line in _first_lines(self.printed))]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = [f'<p class="uo-head">{mark(self.status)} {self._headline_html()}</p>']
        body += [f'<p class="uo-found">{prose(message)}</p>' for message in self.messages]
        if self.status != NOT_ATTEMPTED:
            body.append(f'<ul class="uo-parts">{"".join(self._part_items())}</ul>')
        body += [f'<p class="uo-note">{prose(sentence)}</p>' for sentence in self._closing()]
        if self.printed:
            printed = escape("\n".join(_first_lines(self.printed)))
            body.append(f"<details><summary>Your code printed</summary><pre>{printed}</pre></details>")
        label = f"Exercise {self.exercise.id}: {WORDS[self.status]}, {self._score()}"
        return card("".join(body), f"uo-check uo-{self.status.replace(' ', '-')}", label)

    def _headline(self) -> str:
        return f"{self.exercise.id} {self.exercise.title}: {WORDS[self.status].lower()}, {self._score()}"

    def _headline_html(self) -> str:
        return (
            f"<strong>{WORDS[self.status]}</strong> "
            f'<span class="uo-title">{escape(self.exercise.id)} {prose(self.exercise.title)}</span> '
            f'<span class="uo-points">{self._score()}</span>'
        )

    def _score(self) -> str:
        return f"{self.points} of {plural(self.max_points, 'point')}"

    def _part_lines(self) -> list[str]:
        lines = []
        for part, feedback in self._shown_parts():
            lines.append(f"  {_TEXT_MARKS[part.state]} {part.points}/{part.max_points}  {part.name}")
            for sentence in filter(None, (feedback, part.look)):
                lines += _wrapped(sentence, "           ")
        return lines

    def _part_items(self) -> list[str]:
        items = []
        for part, feedback in self._shown_parts():
            said = f"<p>{prose(feedback)}</p>" if feedback else ""
            look = f'<p class="uo-look">{prose(part.look)}</p>' if part.look else ""
            items.append(
                f'<li class="uo-{part.state.replace(" ", "-")}">{mark(part.state)} '
                f'<span class="uo-sr">{WORDS[part.state]}: </span>{prose(part.name)} '
                f'<span class="uo-points">{part.points} of {part.max_points}</span>{said}{look}</li>'
            )
        return items

    def _shown_parts(self) -> list[tuple[Part, str]]:
        """Each part with its feedback, said once when several say the same."""
        shown, said = [], set()
        for part in self.parts:
            repeated = part.feedback in said and part.state != "right"
            shown.append((part, "The same as above." if repeated else part.feedback))
            said.add(part.feedback or part)
        return shown

    def _closing(self) -> list[str]:
        name, exercise = self.exercise.answer, self.exercise
        closing = list(self.notes)
        if self.status == NOT_ATTEMPTED:
            task = f"Replace the `...` in `{name}`" if "..." in exercise.starter else f"Mend `{name}`"
            closing.append(f"{task}, {asking['check']}.")
        elif self.status == "right":
            closing.append(exercise.explanation)
        else:
            closing.append(f"{_ask('hint', exercise)} gives the first of {len(exercise.hints)} hints.")
        return [*closing, self.notice] if self.notice else closing


@dataclass(frozen=True)
class Hint:
    """What ``hint`` returns."""

    exercise: Exercise
    number: int

    @property
    def text(self) -> str:
        return self.exercise.hints[self.number - 1]

    @property
    def left(self) -> int:
        return len(self.exercise.hints) - self.number

    def __repr__(self) -> str:
        return "\n".join([self._headline(), *_wrapped(self.text, "    "), *_wrapped(self._next(), "    ")])

    def _repr_html_(self) -> str:
        body = (
            f'<p class="uo-head"><strong>{prose(self._headline())}</strong></p><p>{prose(self.text)}</p>'
            f'<p class="uo-note">{prose(self._next())}</p>'
        )
        return card(body, "uo-hint", f"Exercise {self.exercise.id}, hint {self.number}")

    def _headline(self) -> str:
        return f"{self.exercise.id} {self.exercise.title}: hint {self.number} of {len(self.exercise.hints)}"

    def _next(self) -> str:
        if not self.left:
            return f"That was the last hint; {_ask('solution', self.exercise)} shows a solution."
        return f"{plural(self.left, 'hint')} left: {_ask('hint', self.exercise)} again shows the next."


@dataclass(frozen=True)
class Solution:
    """What ``solution`` returns."""

    exercise: Exercise
    notice: str = ""

    def __repr__(self) -> str:
        code = textwrap.indent(self.exercise.solution, "    ")
        return "\n".join([self._headline(), code, *_wrapped(self.exercise.explanation, "    "), *self._notices()])

    def _repr_html_(self) -> str:
        notice = "".join(f'<p class="uo-note">{prose(text.strip())}</p>' for text in self._notices())
        body = (
            f'<p class="uo-head"><strong>{prose(self._headline())}</strong></p>'
            f"<pre><code>{escape(self.exercise.solution)}</code></pre>"
            f"<p>{prose(self.exercise.explanation)}</p>{notice}"
        )
        return card(body, "uo-solution", f"Exercise {self.exercise.id}, a solution")

    def _headline(self) -> str:
        return f"{self.exercise.id} {self.exercise.title}: a solution"

    def _notices(self) -> list[str]:
        return _wrapped(self.notice, "    ") if self.notice else []


@dataclass(frozen=True)
class Standing:
    """Where a student stands on one exercise."""

    exercise: Exercise
    points: int
    status: str
    after_solution: bool = False


@dataclass(frozen=True)
class Progress:
    """What ``progress`` returns: points of every chapter and the state of every exercise."""

    chapters: Sequence[tuple[int, str, Sequence[Standing]]]
    notice: str = ""

    @property
    def points(self) -> int:
        return sum(standing.points for _, _, standings in self.chapters for standing in standings)

    @property
    def max_points(self) -> int:
        return sum(standing.exercise.points for _, _, standings in self.chapters for standing in standings)

    def __repr__(self) -> str:
        width = max([len(title) for _, title, _ in self.chapters], default=0)
        lines = []
        for number, title, standings in self.chapters:
            points, most = _totals(standings)
            filled = round(10 * points / most) if most else 0
            states = "  ".join(f"{s.exercise.id} {_TEXT_MARKS[s.status]}{'*' * s.after_solution}" for s in standings)
            bar = "#" * filled + "." * (10 - filled)
            lines.append(f"{number:>2} {title:<{width}}  {points:>3} of {most:<3} {bar}  {states}")
        lines.append(f"{'':>2} {'All':<{width}}  {self.points:>3} of {self.max_points}")
        marks = "  ".join(f"{_TEXT_MARKS[status]} {WORDS[status].lower()}" for status in STATUSES)
        lines += ["", marks, *self._remarks()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(self._row(*chapter) for chapter in self.chapters)
        remarks = "".join(f'<p class="uo-note">{prose(remark)}</p>' for remark in self._remarks())
        body = (
            '<table><caption>Your progress</caption><thead><tr><th scope="col">Chapter</th>'
            '<th scope="col">Points</th><th scope="col">Exercises</th></tr></thead>'
            f'<tbody>{rows}</tbody><tfoot><tr><th scope="row">All</th>'
            f"<td>{_meter(self.points, self.max_points)}</td><td></td></tr></tfoot></table>{remarks}"
        )
        return card(body, "uo-progress", f"Progress: {self.points} of {self.max_points} points")

    def _row(self, number: int, title: str, standings: Sequence[Standing]) -> str:
        items = "".join(map(_standing_item, standings))
        return (
            f'<tr><th scope="row">{number} {escape(title)}</th><td>{_meter(*_totals(standings))}</td>'
            f'<td><ul class="uo-states">{items}</ul></td></tr>'
        )

    def _remarks(self) -> list[str]:
        starred = any(s.after_solution for _, _, standings in self.chapters for s in standings)
        remarks = ["* reached after the solution was shown"] if starred else []
        return [*remarks, self.notice] if self.notice else remarks


def _ask(what: str, exercise: Exercise) -> str:
    return asking[what].format(id=exercise.id)


def prose(text: str) -> str:
    """Text for HTML: escaped, with `code` between backticks marked up."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def card(body: str, classes: str, label: str) -> str:
    """The frame that everything is shown in, with the style it needs."""
    return (
        f'<div class="uo-card {classes}" role="group" aria-label="{escape(label)}">'
        f"<style>{stylesheet()}</style>{body}</div>"
    )


@cache
def stylesheet() -> str:
    """card.css on one line, without its comments."""
    css = files("exercises").joinpath("card.css").read_text(encoding="utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r"\s*([{};,])\s*", r"\1", css).replace(": ", ":").replace(";}", "}").strip()


def mark(status: str) -> str:
    """The picture of a status."""
    return (
        '<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_PATHS[status]}</svg>'
    )


def _meter(points: int, most: int) -> str:
    share = 100 * points / most if most else 0
    return (
        f'<span class="uo-meter" aria-hidden="true"><span style="width:{share:.0f}%"></span></span> '
        f'<span class="uo-sum">{points} of {most}</span>'
    )


def _standing_item(standing: Standing) -> str:
    words, title = _standing_words(standing), escape(standing.exercise.title)
    return (
        f'<li class="uo-{standing.status.replace(" ", "-")}" title="{title}: {words}">'
        f"{mark(standing.status)} {standing.exercise.id}{'*' * standing.after_solution}"
        f'<span class="uo-sr"> {words}</span></li>'
    )


def _standing_words(standing: Standing) -> str:
    words = f"{WORDS[standing.status].lower()}, {standing.points} of {standing.exercise.points}"
    return words + (", after the solution was shown" if standing.after_solution else "")


def _totals(standings: Sequence[Standing]) -> tuple[int, int]:
    return sum(s.points for s in standings), sum(s.exercise.points for s in standings)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _first_lines(text: str, most: int = 12) -> list[str]:
    lines = [line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..." for line in text.rstrip().splitlines()]
    return lines if len(lines) <= most else [*lines[:most], f"... and {len(lines) - most} more lines"]


def encodable(text: str) -> str:
    """`text` with what UTF-8 cannot hold (half of a surrogate pair) spelled out: a notebook has to store it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
