"""Fill a gradebook that was exported from Canvas or Moodle, so that it can be imported there."""

import csv
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exercises.classroom import tables
from exercises.classroom.reading import decoded

# What identifies a student in the columns of each system, and what an import needs to see again.
_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_MOODLE = ("First name", "Last name", "Surname", "Full name", "ID number", "Username", "Email address", "Identifier")


def fill(book: Path, target: Path, graded: Any, column: str) -> list[str]:
    """Write the rows of `book` with everybody's points to `target`; return what could not be matched, a line each.

    `book` is Canvas's exported gradebook, Moodle's exported grades, or Moodle's grading worksheet (then its own columns
    ``Grade`` and ``Feedback comments`` are filled). A submission belongs to a row when its name holds the row's number,
    login, address or name, as the folders and files do that these systems hand out.

    Raises
    ------
    ValueError
        When `book` is none of these.
    """
    rows = list(csv.DictReader(decoded(book.read_bytes()).splitlines()))
    names = list(rows[0]) if rows else []
    canvas, moodle = set(_CANVAS[:2]) <= set(names), bool(set(_MOODLE[:7]) & set(names))
    if not canvas and not moodle:
        raise ValueError(f"{book} is no gradebook of Canvas (columns Student, ID) or Moodle (Email address, ...)")
    students = [row for row in rows if not (row.get("Student") or "").strip().startswith("Points Possible")]
    keys = [_keys(row) for row in students]
    points: dict[int, tuple[int, str]] = {}
    lines = []
    for record in graded.records:
        found = _matching(record.student, keys)
        if len(found) == 1 and found[0] not in points:
            points[found[0]] = tables.points_of(record, graded.exercises), _comment(record, graded.exercises)
        else:
            why = "nobody there has this name or number" if not found else "it could be more than one"
            lines.append(f"{record.student}: not in the gradebook ({why})")
    most = tables.max_points(graded.exercises)
    tables.write(target, _canvas(students, points, most, column) if canvas else _moodle(students, points, most, column))
    return lines


def _canvas(students: list[dict], points: dict, most: int, column: str) -> list[list]:
    kept = [name for name in _CANVAS if name in students[0]] if students else list(_CANVAS)
    rows: list[list] = [[*kept, column], ["    Points Possible", *[""] * (len(kept) - 1), most]]
    for number, row in enumerate(students):
        rows.append([*(row[name] for name in kept), points.get(number, ("",))[0]])
    return rows


def _moodle(students: list[dict], points: dict, most: int, column: str) -> list[list]:
    if students and {"Identifier", "Grade"} <= set(students[0]):  # the grading worksheet
        names = [name for name in students[0] if name]
        for number, row in enumerate(students):
            if number in points:
                row["Grade"], comment = points[number]
                row.update({"Maximum Grade": most} if "Maximum Grade" in row else {})
                row.update({"Feedback comments": comment} if "Feedback comments" in row else {})
        return [names, *([row[name] for name in names] for row in students)]
    kept = [name for name in _MOODLE if students and name in students[0]]
    return [
        [*kept, column],
        *([*(row[name] for name in kept), points.get(n, ("",))[0]] for n, row in enumerate(students)),
    ]


def _comment(record: Any, exercises: Sequence[str]) -> str:
    """One line of feedback: the points, and each mistake that has a name."""
    marks = [record.marks[id] for id in exercises if id in record.marks]
    said = [f"{mark.id}: {mark.points} of {mark.max_points}" for mark in marks]
    said += [f"{mark.id}: {sentence}" for mark in marks for sentence in mark.mistakes]
    return "; ".join(said)


def _keys(row: dict) -> set[str]:
    """Everything that identifies the student of a row, normalized."""
    text = {name: (row.get(name) or "").strip() for name in (*_CANVAS[:4], *_MOODLE)}
    keys = {_plain(text[name]) for name in ("ID", "SIS User ID", "SIS Login ID", "ID number", "Username")}
    keys.add("".join(re.findall(r"\d+", text["Identifier"])))
    mail = text["Email address"]
    keys |= {_plain(mail), _plain(mail.split("@")[0]), _plain(text["SIS Login ID"].split("@")[0])}
    first, last = text["First name"], text["Last name"] or text["Surname"]
    names = [text["Full name"], text["Student"], *([f"{first} {last}"] if first or last else [])]
    for name in names:
        words = name.split(",", 1) if "," in name else name.rsplit(" ", 1)
        keys |= {_plain("".join(words)), _plain("".join(reversed(words)))}
    return keys - {""}


def _matching(student: str, keys: Sequence[set[str]]) -> list[int]:
    """The rows that share most with a submission's name."""
    parts = {_plain(student), *(_plain(part) for part in re.split(r"_+", student))} - {""}
    shared = [len(parts & each) for each in keys]
    return [number for number, count in enumerate(shared) if count and count == max(shared)]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum())
