"""The class report, and a page of feedback for each student: HTML that opens from disk, without a network."""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from exercises.classroom import similar, statistics, tables
from exercises.registry import chapters, get
from exercises.result import WORDS, prose

STUDENTS = "students"


def write(folder: Path, graded: Any) -> Path:
    """Write the report into `folder` and return its first page."""
    (folder / STUDENTS).mkdir(parents=True, exist_ok=True)
    most = tables.max_points(graded.exercises)
    pages = page_names([record.student for record in graded.records])
    found = statistics.of_exercises(graded.records, graded.exercises)
    rows = [
        {
            "student": record.student,
            "page": f"{STUDENTS}/{pages[record.student]}",
            "points": tables.points_of(record, graded.exercises),
            "problems": tables.problems_of(record, graded.exercises),
        }
        for record in graded.records
    ]
    bins = statistics.distribution(graded.records, graded.exercises, most)
    context = {
        "records": rows,
        "most": most,
        "exercises": found,
        "bins": bins,
        "highest": max([count for _, count in bins], default=1) or 1,
        "mean": sum(row["points"] for row in rows) / len(rows),
        "mistakes": _most_frequent(found),
        "pairs": similar.pairs(graded.records, graded.exercises),
        "sandbox": tables.sandbox_sentence(graded.records),
        "counted": any(each.attempts is not None for each in found),
        "pages": {student: f"{STUDENTS}/{page}" for student, page in pages.items()},
    }
    first = folder / "index.html"
    first.write_text(_template("class.html").render(context), encoding="utf-8")
    for record in graded.records:
        page = _template("student.html").render(_of_student(record, graded, most))
        (folder / STUDENTS / pages[record.student]).write_text(page, encoding="utf-8")
    _write_parts(folder / "parts.csv", found)
    return first


def page_names(students: Sequence[str]) -> dict[str, str]:
    """For each student a file name that every system takes, and no two the same."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for student in students:
        stem = re.sub(r"[^\w-]+", "_", student).strip("_")[:80] or "student"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.casefold())
        names[student] = f"{name}.html"
    return names


def _most_frequent(found: Sequence[statistics.OfExercise]) -> list[dict]:
    """The named mistakes of all exercises, the most frequent first."""
    rows = [
        {"exercise": each, "sentence": sentence, "count": count, "share": count / each.tried}
        for each in found
        for sentence, count in each.mistakes
    ]
    return sorted(rows, key=lambda row: (-row["count"], [int(n) for n in row["exercise"].id.split(".")]))


def _of_student(record: Any, graded: Any, most: int) -> dict:
    parts = []
    for number, title, exercises in chapters():
        marks = [record.marks[e.id] for e in exercises if e.id in graded.exercises and e.id in record.marks]
        if marks:
            parts.append(
                {
                    "number": number,
                    "title": title,
                    "points": sum(mark.points for mark in marks),
                    "most": sum(mark.max_points for mark in marks),
                    "marks": [(mark, get(mark.id)) for mark in marks],
                }
            )
    return {
        "student": record.student,
        "points": tables.points_of(record, graded.exercises),
        "most": most,
        "chapters": parts,
        "problems": tables.problems_of(record, graded.exercises),
        "words": WORDS | {"not found": "No answer was found"},
    }


def _write_parts(path: Path, found: Sequence[statistics.OfExercise]) -> None:
    """By question and part: how many tried, what share of them passed."""
    rows: list[list] = [["exercise", "title", "check", "tried", "passed"]]
    for each in found:
        rows += [[each.id, each.title, name, each.tried, f"{share:.4f}"] for name, share in each.parts]
    tables.write(path, rows)


@cache
def _environment() -> Any:
    from jinja2 import Environment, FunctionLoader

    def source(name: str) -> str:
        return files("exercises").joinpath("classroom", "templates", name).read_text(encoding="utf-8")

    environment = Environment(loader=FunctionLoader(source), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    from markupsafe import Markup

    environment.filters["prose"] = lambda text: Markup(prose(text))
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    return environment


def _template(name: str) -> Any:
    return _environment().get_template(name)
