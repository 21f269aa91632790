"""Progress survives: corrupt, read-only and unwritable files, several writers, a crash in the middle."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import filelock
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exercises import check, get, progress, record


def scores(file):
    return {id: entry["points"] for id, entry in json.loads(file.read_text())["exercises"].items()}


def test_the_best_score_is_kept(progress_file):
    for points, status in ((1, "partial"), (3, "right"), (2, "partial"), (0, "error")):
        assert record.save_score("8.1", points, 3, status) == ""
    entries, notice = record.load()
    assert notice == ""
    assert entries["8.1"]["points"] == 3
    assert entries["8.1"]["status"] == "right"
    assert entries["8.1"]["attempts"] == 4


def test_nothing_is_saved_for_an_exercise_that_is_not_attempted(progress_file):
    check("8.1", ...)
    assert not progress_file.exists()


def test_location_is_the_users_unless_the_environment_says_otherwise(monkeypatch, progress_file):
    assert record.path() == progress_file
    monkeypatch.delenv("OPTIM_COURSE_PROGRESS")
    assert record.path().name == "progress.json"
    assert "understanding-optimizers" in record.path().parts


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema": "1"}',
        '{"schema": 1}',
        '{"schema": 1, "exercises": {"8.1": 3}}',
        "[" * 100_000,
    ],
)
def test_a_corrupt_file_is_set_aside_and_said_so(progress_file, content):
    progress_file.parent.mkdir()
    progress_file.write_text(content)
    result = check("8.1", get("8.1").load(get("8.1").solution))
    assert result.status == "right"
    assert "The progress file was damaged; it is kept as" in result.notice
    assert progress_file.with_name("progress.json.corrupt-1").read_text() == content
    assert scores(progress_file) == {"8.1": 3}
    assert check("8.1", get("8.1").load(get("8.1").solution)).notice == ""


def test_a_second_corrupt_file_gets_its_own_name(progress_file):
    progress_file.parent.mkdir()
    for content in ("one", "two"):
        progress_file.write_text(content)
        progress()
    assert progress_file.with_name("progress.json.corrupt-1").read_text() == "one"
    assert progress_file.with_name("progress.json.corrupt-2").read_text() == "two"


def test_binary_rubbish_is_set_aside(progress_file):
    progress_file.parent.mkdir()
    progress_file.write_bytes(b"\xff\xfe\x00{")
    assert "kept as" in progress().notice
    assert progress_file.with_name("progress.json.corrupt-1").read_bytes() == b"\xff\xfe\x00{"


def test_a_corrupt_file_costs_no_points(progress_file):
    record.save_score("8.1", 3, 3, "right")
    record.save_score("8.2", 4, 4, "right")
    progress_file.write_text(progress_file.read_text()[:40])
    shown = progress()
    assert shown.points == 7
    assert "the second copy is used instead" in shown.notice
    assert progress().notice == ""
    assert scores(progress_file) == {"8.1": 3, "8.2": 4}


def test_a_damaged_entry_does_not_take_the_others_with_it(progress_file):
    record.save_score("8.1", 3, 3, "right")
    content = json.loads(progress_file.read_text())
    content["exercises"]["8.2"] = {"points": "four"}
    progress_file.write_text(json.dumps(content))
    progress_file.with_name("progress.json.copy").unlink()
    assert progress().points == 3


def test_a_file_of_a_newer_version_is_left_alone(progress_file):
    progress_file.parent.mkdir()
    newer = '{"schema": 2, "points": []}'
    progress_file.write_text(newer)
    result = check("8.1", get("8.1").load(get("8.1").solution))
    assert result.status == "right"
    assert result.notice.startswith("Your progress was not saved:")
    assert "newer version" in result.notice
    assert "newer version" in progress().notice
    assert progress_file.read_text() == newer


def test_a_read_only_file_is_respected_and_the_answer_graded(progress_file):
    record.save_score("8.2", 1, 4, "partial")
    before = progress_file.read_text()
    progress_file.chmod(0o444)
    result = check("8.1", get("8.1").load(get("8.1").solution))
    assert (result.status, result.points) == ("right", 3)
    assert "Your progress was not saved" in result.notice
    assert result.notice in " ".join(repr(result).split())
    assert "Your progress was not saved" in result._repr_html_()
    assert progress_file.read_text() == before


def test_a_place_that_cannot_be_written_costs_nothing(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("OPTIM_COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    result = check("8.1", get("8.1").load(get("8.1").solution))
    assert result.status == "right"
    assert "Your progress was not saved" in result.notice
    assert progress().points == 0


def test_a_folder_in_place_of_the_file_costs_nothing(progress_file):
    progress_file.mkdir(parents=True)
    assert "Your progress was not saved" in check("8.1", get("8.1").load(get("8.1").solution)).notice
    assert "cannot be read" in progress().notice


def test_a_full_disk_leaves_the_old_file(progress_file, monkeypatch):
    record.save_score("8.1", 3, 3, "right")
    before = progress_file.read_text()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in record.save_score("8.2", 4, 4, "right")
    assert progress_file.read_text() == before


def test_a_lock_that_another_program_holds_is_said(progress_file, monkeypatch):
    monkeypatch.setattr(record, "LOCK_SECONDS", 0.1)
    record.save_score("8.1", 1, 3, "partial")
    with filelock.FileLock(f"{progress_file}.lock"):
        assert "another program holds" in record.save_score("8.1", 3, 3, "right")
    assert record.save_score("8.1", 3, 3, "right") == ""


def test_a_link_stays_a_link(progress_file, tmp_path):
    target = tmp_path / "elsewhere.json"
    progress_file.parent.mkdir()
    target.write_text('{"schema": 1, "exercises": {}}')
    progress_file.symlink_to(target)
    record.save_score("8.1", 3, 3, "right")
    assert progress_file.is_symlink()
    assert scores(target) == {"8.1": 3}


def _write_many(start):
    for number in range(start, start + 25):
        assert record.save_score(f"1.{number}", number, 100, "partial") == ""


def test_concurrent_writers_lose_nothing(progress_file):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(25 * k,)) for k in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert scores(progress_file) == {f"1.{number}": number for number in range(100)}


KILLED_IN_A_SAVE = """
import os, signal
from exercises import record

def kill_at(count, call=getattr(os, {function!r})):
    def counted(*arguments):
        nonlocal count
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments)
    return counted

os.{function} = kill_at({count})
record.save_score("8.2", 4, 4, "right")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_writer_killed_in_the_middle_leaves_a_whole_file(progress_file, function, count):
    """A save calls each of the two twice: for the file, and for its second copy."""
    record.save_score("8.1", 3, 3, "right")
    writer = subprocess.run([sys.executable, "-c", KILLED_IN_A_SAVE.format(function=function, count=count)])
    assert writer.returncode == -signal.SIGKILL
    entries, notice = record.load()
    assert notice == ""
    assert entries["8.1"]["points"] == 3
    assert ("8.2" in entries) == (count == 2)
    assert record.save_score("8.3", 5, 5, "right") == ""
    assert scores(progress_file).keys() >= {"8.1", "8.3"}


def test_reset_keeps_the_old_file(progress_file):
    assert record.reset() is None
    record.save_score("8.1", 3, 3, "right")
    before = progress_file.read_text()
    kept = record.reset()
    assert kept.read_text() == before
    assert progress().points == 0
    record.save_score("8.1", 1, 3, "partial")
    assert record.reset() != kept


def test_points_stay_with_their_exercise_when_numbers_move(progress_file):
    record.save_score("3.3", 4, 4, "right", "noise")
    record.save_score("3.4", 2, 4, "partial", "rate_for_floor")
    # A version of the course in which another exercise was inserted as 3.3.
    assert record.entry_of(record.load()[0], "3.3", "inserted") == {}
    assert record.entry_of(record.load()[0], "3.4", "noise")["points"] == 4
    record.save_score("3.3", 1, 5, "partial", "inserted")
    record.save_score("3.4", 3, 4, "partial", "noise")
    record.save_score("3.5", 4, 4, "right", "rate_for_floor")
    entries, _ = record.load()
    found = {
        name: record.entry_of(entries, id, name)["points"]
        for id, name in [("3.3", "inserted"), ("3.4", "noise"), ("3.5", "rate_for_floor")]
    }
    assert found == {"inserted": 1, "noise": 4, "rate_for_floor": 4}


def test_an_entry_of_an_early_version_goes_by_its_number(progress_file):
    record.save_score("8.1", 2, 3, "partial")
    record.save_score("8.1", 3, 3, "right", "moments")
    entries, _ = record.load()
    assert entries == {
        "8.1": {
            "attempts": 2,
            "points": 3,
            "max_points": 3,
            "status": "right",
            "after_solution": False,
            "answer": "moments",
        }
    }


def test_a_lone_copy_is_read_and_becomes_the_file_again(progress_file):
    record.save_score("8.1", 3, 3, "right")
    progress_file.unlink()
    shown = progress()
    assert shown.points == 3
    assert "restored from its second copy" in shown.notice
    assert progress().notice == ""
    assert scores(progress_file) == {"8.1": 3}


@pytest.mark.parametrize("damage", ["", "cut"])
def test_a_save_beside_a_lone_copy_keeps_what_is_whole_in_it(progress_file, damage):
    record.save_score("8.1", 3, 3, "right")
    copy = progress_file.with_name("progress.json.copy")
    progress_file.unlink()
    if damage:
        copy.write_text(copy.read_text()[:20])
    assert "restored" in record.save_score("8.2", 4, 4, "right")
    assert scores(progress_file) == ({"8.2": 4} if damage else {"8.1": 3, "8.2": 4})
    assert progress_file.with_name("progress.json.corrupt-1").exists() == bool(damage)


def test_reset_takes_a_lone_copy_too(progress_file):
    record.save_score("8.1", 3, 3, "right")
    progress_file.unlink()
    assert record.reset().exists()
    assert progress().points == 0


def test_a_relative_path_means_one_place_wherever_a_process_stands(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("OPTIM_COURSE_PROGRESS", "anna/progress.json")
    places = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        monkeypatch.chdir(folder)
        record.save_score("8.1", len(places) + 1, 3, "partial")
        places.append(record.path())
    assert places[0] == places[1]
    assert places[0].is_absolute()
    assert record.load()[0]["8.1"]["attempts"] == 2


def test_a_record_crosses_to_a_page_and_back_and_nothing_is_lost(progress_file):
    kept = []
    page = record.TextStore(lambda: kept[-1] if kept else None, kept.append)
    record.save_score("8.1", 1, 3, "partial", "moments")
    record.save_hint("8.2", 2, "adam_step")
    here = record.export()
    record.use(page)
    try:
        record.save_score("8.1", 3, 3, "right", "moments")
        record.save_solution_seen("8.3", "MyAdam")
        assert record.merge_in(here) == ""
        there = record.export()
    finally:
        record.use(None)
    assert record.merge_in(there) == ""
    assert record.export() == there
    entries, _ = record.load()
    assert (entries["8.1"]["points"], entries["8.2"]["hints"], entries["8.3"]["solution_seen"]) == (3, 2, True)
    record.merge_in(here)
    assert record.export() == there


SCORE = st.builds(
    lambda points, status, after: {"points": points, "max_points": 3, "status": status, "after_solution": after},
    st.integers(0, 3),
    st.sampled_from(["wrong", "partial", "right"]),
    st.booleans(),
)
REST = st.fixed_dictionaries(
    {},
    optional={
        "attempts": st.integers(1, 9),
        "hints": st.integers(1, 3),
        "solution_seen": st.booleans(),
        "unknown": st.integers(),
    },
)
ENTRY = st.builds(lambda score, rest: {**score, **rest}, SCORE | st.just({}), REST)
# Two versions of the course number their exercises differently.
NUMBERS = st.sampled_from([{"8.1": "a", "8.2": "b", "8.3": "c"}, {"8.1": "a", "8.2": "new", "8.3": "b", "8.4": "c"}])
ENTRIES = st.builds(
    lambda numbers, entries: {
        id: entry | {"answer": answer} for (id, answer), entry in zip(numbers.items(), entries, strict=False)
    },
    NUMBERS,
    st.lists(ENTRY, max_size=4),
)


def by_answer(entries):
    return {entry["answer"]: entry for entry in entries.values()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENTRIES, ENTRIES)
def test_merging_keeps_the_best_of_both(one, other):
    merged = record.merge(one, other)
    assert by_answer(record.merge(merged, other)) == by_answer(merged)
    assert by_answer(record.merge(merged, one)) == by_answer(merged)
    assert by_answer(record.merge(other, one)) == by_answer(merged)
    for entries in (one, other):
        for id, entry in entries.items():
            kept = record.entry_of(merged, id, entry.get("answer", ""))
            for name in ("points", "attempts", "hints", "solution_seen"):
                assert kept.get(name, 0) >= entry.get(name, 0)


def test_what_is_no_record_is_refused_and_changes_nothing(progress_file):
    record.save_score("8.1", 3, 3, "right")
    before = record.export()
    for text in ("", "{", '{"schema": 1}', '{"schema": 99, "exercises": {}}'):
        with pytest.raises(ValueError, match=r"not a record|newer version"):
            record.merge_in(text)
    assert record.export() == before


def test_a_record_needs_no_library(progress_file):
    """In a browser neither filelock nor platformdirs is there."""
    code = (
        "import sys; sys.modules.update(filelock=None, platformdirs=None);"
        "from exercises import record; assert record.save_score('8.1', 3, 3, 'right') == '';"
        "assert record.load()[0]['8.1']['points'] == 3; del record.os.environ['OPTIM_COURSE_PROGRESS']; record.path()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
