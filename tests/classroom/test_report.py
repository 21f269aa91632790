"""What the class report says, on a class whose results are known."""

import pytest

from exercises import get
from exercises.classroom import report, similar, statistics, tables
from exercises.classroom.marking import Mark, Record, Settings
from exercises.classroom.run import Graded

CHAPTER = ("8.1", "8.2", "8.3")
LONG = """
def moments(grads, beta1, beta2):
    {0} = np.zeros_like(grads)
    {1} = np.zeros_like(grads)
    for {2} in range(len(grads)):
        before = {0}[{2} - 1] if {2} else 0.0
        {0}[{2}] = beta1 * before + (1 - beta1) * grads[{2}]
        {1}[{2}] = {3} * grads[{2}] ** 2
    return {0}, {1}
"""


def student(name, *points, mistakes=(), source="", progress=None):
    marks = {}
    for id, reached in zip(CHAPTER, points, strict=True):
        most = get(id).points
        status = "right" if reached == most else "wrong"
        parts = [
            {
                "name": get(id).checks[0].name,
                "points": int(reached == most),
                "max_points": 1,
                "feedback": "",
                "look": "",
                "state": status,
            }
        ]
        marks[id] = Mark(id, most, reached, status, parts=parts, mistakes=list(mistakes) if id == "8.1" else [])
    marks["8.1"].source = source
    return Record(name, [], marks, progress=progress or {})


@pytest.fixture
def graded():
    entries = {"8.1": {"attempts": 4, "hints": 2, "answer": "moments"}}
    records = [
        student("anna", 3, 4, 0, source=LONG.format("m", "v", "t", 2)),
        student("ben", 3, 4, 5, source=LONG.format("first", "second", "k", 2) + "# mine", progress=entries),
        student("cleo", 0, 0, 5, mistakes=["The sign."], source=LONG.format("m", "v", "t", 3)),
        student("d <b>", 0, 1, 0, mistakes=["The sign."]),
        student("emil", 3, 4, 5),
    ]
    return Graded(records, list(CHAPTER), {}, 5, Settings(CHAPTER))


def test_named_mistakes_are_counted_and_exercises_separate(graded):
    first, second, third = statistics.of_exercises(graded.records, graded.exercises)
    assert first.mistakes == [("The sign.", 2)]
    assert (first.tried, first.full, first.unnamed, first.share) == (5, 3, 0, 0.6)
    assert (first.attempts, first.hints) == (4, 2)
    assert second.unnamed == 2
    assert first.separates > third.separates
    assert sum(count for _, count in statistics.distribution(graded.records, graded.exercises, 12)) == 5


def test_answers_alike_but_for_their_names_are_put_side_by_side(graded):
    pair, near = similar.pairs(graded.records, ["8.1"])
    assert (pair.one, pair.other, pair.share) == ("anna", "ben", 1.0)
    assert (near.other, near.share > 0.9, near.share < 1) == ("cleo", True, True)
    graded.records[2].marks["8.1"].source = ""
    graded.records[0].marks["8.1"].source = graded.records[1].marks["8.1"].source = get("8.1").solution
    assert similar.pairs(graded.records, ["8.1"]) == []


def test_the_pages_say_it_and_hold_no_markup_of_a_students(graded, tmp_path):
    text = report.write(tmp_path, graded).read_text(encoding="utf-8")
    assert "The sign." in text
    assert "40 %" in text
    assert "d &lt;b&gt;" in text
    assert "<b>" not in text.split("Students</h2>")[1].split("look alike")[0]
    pages = sorted(path.name for path in (tmp_path / "students").iterdir())
    assert pages == ["anna.html", "ben.html", "cleo.html", "d_b.html", "emil.html"]
    assert (tmp_path / "parts.csv").read_text().count("\n") == 4


def test_names_of_pages_never_meet():
    names = report.page_names(["a b", "a_b", "A b", "..", "Jörg"])
    assert len({name.casefold() for name in names.values()}) == 5


def test_a_changed_score_is_told_with_its_reason(graded):
    old = student("anna", 0, 4, 0)
    old.marks["8.1"].source = graded.records[0].marks["8.1"].source
    graded.before["anna"] = old
    (change,) = tables.changes(graded)
    assert (change["student"], change["exercise"], change["from"], change["to"]) == ("anna", "8.1", 0, 3)
    assert "gives 1 instead of 0" in change["why"]


def test_a_text_that_a_spreadsheet_would_run_is_quoted(tmp_path):
    tables.write(tmp_path / "x.csv", [["=1+1", 3, "-x", "plain"]])
    assert (tmp_path / "x.csv").read_text().strip() == "'=1+1,3,'-x,plain"
