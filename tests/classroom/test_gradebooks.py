"""Gradebooks of Canvas and Moodle are filled so that they can be imported."""

import csv

import pytest

from exercises.classroom import gradebooks
from exercises.classroom.marking import Mark, Record, Settings
from exercises.classroom.run import Graded


def graded(*students):
    records = [Record(name, [], {"8.1": Mark("8.1", 3, points, "right")}) for name, points in students]
    return Graded(records, ["8.1"], {}, 0, Settings(("8.1",)))


def rows(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_canvas_rows_are_found_by_number_login_and_name(tmp_path):
    book = tmp_path / "canvas.csv"
    book.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Old (7)\n    Points Possible,,,,,10\n"
        '"Berg, Anna",101,s1,anna.b@uni.edu,A,1\n"Müller, Ben",102,s2,ben,A,2\n"Roe, Cleo",103,s3,c3,B,3\n',
        encoding="utf-8-sig",
    )
    handed_in = graded(("berganna_LATE_101_5550_08_adam", 3), ("Ben Müller", 2), ("c3", 1), ("nobody", 3))
    missing = gradebooks.fill(book, tmp_path / "out.csv", handed_in, "Week 8")
    found = rows(tmp_path / "out.csv")
    assert [(row["ID"], row["Week 8"]) for row in found[1:]] == [("101", "3"), ("102", "2"), ("103", "1")]
    assert found[0]["Week 8"] == "3"
    assert list(found[0]) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 8"]
    assert missing == ["nobody: not in the gradebook (nobody there has this name or number)"]


def test_moodles_worksheet_gets_grades_and_feedback(tmp_path):
    book = tmp_path / "moodle.csv"
    book.write_text(
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments\n"
        "Participant 4711,Anna Berg,anna@uni.edu,Submitted,,100,\nParticipant 4712,Ben Roe,ben@uni.edu,None,,100,\n"
    )
    gradebooks.fill(book, tmp_path / "out.csv", graded(("Anna Berg_4711_assignsubmission_file_", 2)), "x")
    anna, ben = rows(tmp_path / "out.csv")
    assert (anna["Grade"], anna["Maximum Grade"], anna["Feedback comments"]) == ("2", "3", "8.1: 2 of 3")
    assert ben["Grade"] == ""


def test_what_is_no_gradebook_is_said(tmp_path):
    book = tmp_path / "x.csv"
    book.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no gradebook"):
        gradebooks.fill(book, tmp_path / "out.csv", graded(("a", 1)), "x")
