"""The instructor's page: its commands run, in their order, on a class; the container file says what is there."""

import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from exercises.__main__ import _parser, main
from tests.classroom.make_class import make_class

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "chapters" / "instructors.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[3:]
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("python -m exercises ")
]


def test_the_page_shows_the_commands_of_a_week():
    assert {command[0] for command in COMMANDS} == {"list", "progress", "export", "import", "grade"}
    assert len([command for command in COMMANDS if command[0] == "grade"]) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_the_commands_of_a_week_run_in_their_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPTIM_COURSE_PROGRESS", str(tmp_path / "progress.json"))
    make_class(tmp_path / "submissions", 2, {9})
    (tmp_path / "canvas.csv").write_text('Student,ID,SIS Login ID,Section\n"000, Student",1,x,A\n')
    for command in COMMANDS:
        if "--scheduler" in command:
            _parser().parse_args(command)
            continue
        if "--exercises" in command:
            command = [word.replace("8", "9.2") if word == "8" else word for word in command]
        assert main([*command, *(["--jobs", "1"] if command[0] == "grade" else [])]) == 0, command
        capsys.readouterr()
    for name in (
        "scores.csv",
        "details.csv",
        "gradebook.csv",
        "report/index.html",
        "report/parts.csv",
        "exam/scores.csv",
    ):
        assert (tmp_path / name).stat().st_size > 80, name
    report = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "http" not in report.replace("http-equiv", "")
    assert len(list((tmp_path / "report" / "students").glob("*.html"))) == 2
    points = next(line for line in (tmp_path / "scores.csv").read_text().splitlines() if line.startswith("student 000"))
    gradebook = (tmp_path / "gradebook.csv").read_text().splitlines()
    assert gradebook[0].endswith("Week 8")
    assert gradebook[2].rsplit(",", 1)[1] == points.rsplit(",", 3)[1]


def test_the_container_file_copies_what_is_there_and_runs_the_command():
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for name in line.split()]
    assert {"exercises", "optim_lib", "pyproject.toml"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)
    assert '"-m", "exercises"' in text
    shown = " ".join(re.search(r"docker run.*?report/?report|docker run.*?/out/report", PAGE, re.DOTALL)[0].split())
    assert shown in " ".join(re.sub(r"^#", "", text, flags=re.MULTILINE).split())
    _parser().parse_args(shlex.split(shown.replace("\\", "").split("course-grader ")[1]))


def test_the_container_installs_what_the_project_names_and_grading_imports():
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (image,) = re.findall(r"^FROM \S+/python:(\d+\.\d+)-slim$", text, re.MULTILINE)
    assert tuple(map(int, image.split("."))) >= (3, 11)
    assert project["project"]["requires-python"] == ">=3.11"
    (extras,) = re.findall(r"'\.\[(.*)\]'", text)
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])
    assert "--constraint constraints.txt" in text
    assert "--constraint constraints.txt" in (ROOT / "Makefile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for name in line.split()]
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= set(copied)
    licenses = set(project["project"]["license-files"]) | {project["project"]["readme"]}
    assert licenses <= set(copied), "the build of the package needs them"
    assert text.index("\nUSER ") > text.index("\nRUN pip")  # nothing is installed as the user that answers run as
