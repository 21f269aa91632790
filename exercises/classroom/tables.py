"""The tables of a graded class: scores, details, changes, and what a terminal is told."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exercises.classroom.marking import NOT_FOUND, Mark, Record
from exercises.compare import plural
from exercises.registry import get

_WORDS = {
    "network": "no network",
    "files": "files read-only, but a scratch folder",
    "reading": "nothing to read but Python and the course's library",
    "processes": "no new processes, no signals to others",
    "memory": "a limit of memory",
}


def assigned(records: Sequence[Record], chosen: Sequence[str]) -> list[str]:
    """The exercises that count for everybody: those of the chapters of which anybody handed in anything."""
    chapters = {id.split(".")[0] for record in records for id, mark in record.marks.items() if mark.status != NOT_FOUND}
    return [id for id in chosen if id.split(".")[0] in chapters]


def points_of(record: Record, exercises: Sequence[str]) -> int:
    return sum(record.marks[id].points for id in exercises if id in record.marks)


def max_points(exercises: Sequence[str]) -> int:
    return sum(get(id).points for id in exercises)


def problems_of(record: Record, exercises: Sequence[str]) -> list[str]:
    """What an instructor has to look at: files that were not read, and answers that were not found."""
    missing = [id for id in exercises if id in record.marks and record.marks[id].status == NOT_FOUND]
    found = {id.split(".")[0] for id in exercises if id in record.marks and record.marks[id].status != NOT_FOUND}
    whole = sorted({id.split(".")[0] for id in missing} - found, key=int)
    parts = [id for id in missing if id.split(".")[0] in found]
    problems = list(record.problems)
    if whole:
        problems.append(f"not handed in: chapter {', '.join(whole)}")
    if parts:
        problems.append(f"no answer found to {', '.join(parts)}")
    return problems


def write_scores(path: Path, graded: Any) -> None:
    """One row a submission: student, file, a column for each exercise, points, max_points, problems."""
    ids = graded.settings.exercises
    rows = [["student", "file", *ids, "points", "max_points", "problems"]]
    for record in graded.records:
        scores = [_score(record.marks.get(id), id in graded.exercises) for id in ids]
        rows.append(
            [
                record.student,
                "; ".join(record.files),
                *scores,
                points_of(record, graded.exercises),
                max_points(graded.exercises),
                "; ".join(problems_of(record, graded.exercises)),
            ]
        )
    write(path, rows)


def write_details(path: Path, graded: Any) -> None:
    """One row an exercise: points, max_points, status, mistake, and each check's points."""
    most = max([len(get(id).checks) for id in graded.exercises], default=0)
    columns = [f"check {number}{word}" for number in range(1, most + 1) for word in ("", " points", " max_points")]
    rows = [
        [
            "student",
            "exercise",
            "title",
            "points",
            "max_points",
            "status",
            "mistake",
            "feedback",
            "file",
            "cell",
            *columns,
        ]
    ]
    for record in graded.records:
        for id in graded.exercises:
            mark = record.marks.get(id) or Mark(id, get(id).points)
            parts = [value for part in mark.parts for value in (part["name"], part["points"], part["max_points"])]
            said = [*mark.messages, *(part["feedback"] for part in mark.parts if part["state"] != "right")]
            rows.append(
                [
                    record.student,
                    id,
                    get(id).title,
                    mark.points,
                    mark.max_points,
                    mark.status,
                    " | ".join(mark.mistakes),
                    " | ".join(dict.fromkeys(filter(None, said))),
                    mark.file,
                    mark.cell or "",
                    *parts,
                    *[""] * (3 * most - len(parts)),
                ]
            )
    write(path, rows)


def changes(graded: Any) -> list[dict]:
    """Whose points differ from the run before: from what, to what, and why."""
    found = []
    for record in graded.records:
        old = graded.before.get(record.student)
        if old is None:
            continue
        for id, mark in record.marks.items():
            then = old.marks.get(id)
            if then is not None and then.points != mark.points:
                found.append(
                    {
                        "student": record.student,
                        "exercise": id,
                        "from": then.points,
                        "to": mark.points,
                        "why": "; ".join(_why(then, mark)),
                    }
                )
    return found


def _why(then: Mark, now: Mark) -> list[str]:
    reasons = []
    if then.source != now.source:
        reasons.append("another answer was handed in")
    if now.messages and now.messages != then.messages:
        return [*reasons, now.messages[0]]
    old = {part["name"]: part for part in then.parts}
    new = {part["name"]: part for part in now.parts}
    for name, part in new.items():
        before = old.get(name)
        if before is None:
            if old:
                reasons.append(f'a new check, "{name}", gives {part["points"]} of {part["max_points"]}')
        elif before["max_points"] != part["max_points"]:
            reasons.append(f'"{name}" is worth {part["max_points"]} instead of {before["max_points"]}')
        elif before["points"] != part["points"]:
            said = part["feedback"] or before["feedback"]
            reasons.append(
                f'"{name}" gives {part["points"]} instead of {before["points"]}' + (f" ({said})" if said else "")
            )
    reasons += [f'the check "{name}" is gone' for name in old if new and name not in new]
    if not reasons:
        reasons.append(f"it was {then.status} and is {now.status}" + (f": {now.messages[0]}" if now.messages else ""))
    return reasons


def write_changes(path: Path, found: Sequence[dict]) -> None:
    columns = ["student", "exercise", "from", "to", "why"]
    write(path, [columns, *([row[column] for column in columns] for row in found)])


def summary(graded: Any, found: Sequence[dict], regrade: bool) -> list[str]:
    """What the terminal is told."""
    total = max_points(graded.exercises)
    records = graded.records
    lines = [f"{plural(len(records), 'submission')}, {plural(len(graded.exercises), 'exercise')}, {total} points."]
    if graded.fresh < len(records):
        lines.append(
            f"{plural(graded.fresh, 'submission')} graded now; the others have not changed since the last run."
        )
    lines.append(sandbox_sentence(records))
    if graded.settings.seed is not None or graded.settings.by_student:
        lines.append(draws_sentence(records, graded.exercises))
    width = max(len(record.student) for record in records)
    troubled = [(record, problems_of(record, graded.exercises)) for record in records]
    troubled = [(record, problems) for record, problems in troubled if problems]
    if troubled:
        lines += ["", "What could not be found or read:"]
        lines += [f"  {record.student:<{width}}  {'; '.join(problems)}" for record, problems in troubled]
    if graded.before and (found or regrade):
        lines += ["", f"Changed since the last run: {plural(len(found), 'score')}."]
        lines += [
            f"  {row['student']:<{width}}  {row['exercise']}: {row['from']} -> {row['to']}, {row['why']}"
            for row in found
        ]
    return lines


def draws_sentence(records: Sequence[Record], exercises: Sequence[str]) -> str:
    """Which exercises were graded on inputs of their own draw, and which on those that everybody has."""
    tried = [id for id in exercises if any(record.marks[id].seconds for record in records if id in record.marks)]
    drawn = [id for id in tried if any(record.marks[id].drawn for record in records if id in record.marks)]
    same = [id for id in tried if id not in drawn]
    sentence = f"Inputs were drawn anew for {plural(len(drawn), 'exercise')} of {len(tried)}."
    return sentence + (f" As shipped, since no fair draw changes them: {', '.join(same)}." if same else "")


def sandbox_sentence(records: Sequence[Record]) -> str:
    """Which walls stood around the students' code, and which did not."""
    marked = [set(record.held) for record in records if record.held]
    if not marked:
        return "No student's code was run."
    held = set.intersection(*marked)
    lacking = [words for name, words in _WORDS.items() if name not in held]
    sentence = "Students' code ran with " + "; ".join(words for name, words in _WORDS.items() if name in held) + "."
    if lacking:
        sentence += " This system cannot give: " + "; ".join(lacking) + ". Use a container or an account of its own."
    return sentence


def _score(mark: Mark | None, counts: bool) -> int | str:
    if mark is None or (mark.status == NOT_FOUND and not counts):
        return ""
    return mark.points


def write(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    """Write a table, in UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([[_safe(value) for value in row] for row in rows])


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a quote in front."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "-") else value
