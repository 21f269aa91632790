"""Grade a folder of submissions: in parallel, with results kept as they come, so that an interrupted run goes on."""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from exercises.classroom import report as reporting
from exercises.classroom import tables
from exercises.classroom.marking import File, Mark, Record, Settings, mark_submission
from exercises.classroom.submissions import Submission, collect, name_below, progress_of
from exercises.registry import all_exercises, get
from optim_lib.workers import end_with

SLOW = ("12.4", "13.4")


@dataclass
class Graded:
    """A class that was graded.

    Parameters
    ----------
    records : list of Record
        One for each student.
    exercises : list of str
        The exercises that count: those of the chapters that anybody handed in.
    before : dict
        The records of the run before, by student, when there was one.
    fresh : int
        How many submissions had to be graded; the others were kept from the run before.
    settings : Settings
    """

    records: list[Record]
    exercises: list[str]
    before: dict[str, Record]
    fresh: int
    settings: Settings


def grade_folder(
    folder: Path,
    kept: Path,
    settings: Settings,
    *,
    jobs: int = -1,
    regrade: bool = False,
    progress: bool = True,
) -> Graded:
    """Grade every submission below `folder`; `kept` is the file that remembers results.

    What was graded before, of the same files by the same checks with the same settings, is not graded again (unless
    `regrade`). The work is spread by joblib, so inside ``joblib.parallel_config("dask")`` it runs on a Dask cluster.
    """
    submissions = collect(folder)
    before = _kept(kept)
    kept.parent.mkdir(parents=True, exist_ok=True)
    records: dict[str, Record] = {}
    waiting: list[tuple[Submission, str]] = []
    version = course_version()
    for submission in submissions:
        key = _key(submission, folder, settings, version)
        old = before.get(submission.student)
        if old and old[0] == key and not regrade:
            records[submission.student] = old[1]
        else:
            waiting.append((submission, key))
    with open(kept, "a", encoding="utf-8") as store:
        for record, key in _marked(waiting, folder, settings, jobs, progress):
            records[record.student] = record
            store.write(json.dumps({"key": key, "record": asdict(record)}) + "\n")
            store.flush()
    graded = [records[submission.student] for submission in submissions]
    _keep(
        kept, {record.student: record for record in graded}, before, dict(_keys(submissions, folder, settings, version))
    )
    old = {student: record for student, (_, record) in before.items()}
    return Graded(graded, tables.assigned(graded, settings.exercises), old, len(waiting), settings)


def _marked(
    waiting: list[tuple[Submission, str]], folder: Path, settings: Settings, jobs: int, progress: bool
) -> Iterator[tuple[Record, str]]:
    """The records of the submissions that wait, as they are ready."""
    from joblib import Parallel, delayed
    from tqdm import tqdm

    if not waiting:
        return
    keys = {submission.student: key for submission, key in waiting}
    tasks = (delayed(_one)(*_sent(submission, folder), settings, os.getpid()) for submission, _ in waiting)
    done = Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs", batch_size=1)(tasks)
    try:
        for record in tqdm(done, total=len(waiting), desc="graded", unit="submission", disable=not progress):
            yield record, keys[record.student]
    except BrokenExecutor:
        raise OSError(
            "a process of the grader was ended from outside (too little memory?); what was graded is kept: "
            "the same command goes on from there"
        ) from None


def _one(
    student: str, files: list[File], problems: list[str], entries: dict[str, dict], settings: Settings, parent: int
) -> Record:
    """Mark one submission, wherever this runs; a process of this machine ends with the one that handed it over."""
    end_with(parent)
    try:
        record = mark_submission(student, files, settings)
    except Exception as error:  # the grader's own: it must not stop the others
        record = Record(student, [file.name for file in files], {})
        record.problems.append(f"the grader stopped with {type(error).__name__}: {error}")
    record.problems[:0] = problems
    record.progress = entries
    return record


def _sent(submission: Submission, folder: Path) -> tuple[str, list[File], list[str], dict[str, dict]]:
    """A submission with its bytes, which a machine elsewhere needs."""
    files = []
    for path in submission.files:
        name = name_below(path, folder)
        try:
            files.append(File(name, path.read_bytes()))
        except OSError as error:
            files.append(File(name, problem=f"it cannot be read ({error.strerror})"))
    return submission.student, files, submission.problems, progress_of(submission)


# What is kept between runs


def course_version() -> str:
    """A mark of the checks and the grader: it differs when any of their code does."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    for path in sorted([*root.glob("*.py"), *root.glob("classroom/*.py")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _key(submission: Submission, folder: Path, settings: Settings, version: str) -> str:
    digest = hashlib.sha256(f"{version} {settings!r}".encode())
    for path in [*submission.files, *submission.records]:
        digest.update(name_below(path, folder).encode())
        try:
            digest.update(path.read_bytes())
        except OSError:
            digest.update(b"unreadable")
    digest.update("".join(submission.problems).encode())
    return digest.hexdigest()[:24]


def _keys(submissions: Iterable[Submission], folder: Path, settings: Settings, version: str) -> Iterator[tuple]:
    for submission in submissions:
        yield submission.student, _key(submission, folder, settings, version)


def _kept(path: Path) -> dict[str, tuple[str, Record]]:
    """The records of earlier runs, the last of each student; a line that was cut off counts for nothing."""
    found: dict[str, tuple[str, Record]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                content = json.loads(line)
                record = content["record"]
                marks = {id: Mark(**mark) for id, mark in record.pop("marks").items()}
                found[record["student"]] = content["key"], Record(marks=marks, **record)
            except (ValueError, KeyError, TypeError):
                continue
    return found


def _keep(path: Path, records: dict[str, Record], before: dict, keys: dict[str, str]) -> None:
    """Write the records once more, each only once."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "w", encoding="utf-8") as store:
        for student, record in records.items():
            store.write(json.dumps({"key": keys[student], "record": asdict(record)}) + "\n")
        for student, (key, record) in before.items():
            if student not in records:
                store.write(json.dumps({"key": key, "record": asdict(record)}) + "\n")
    os.replace(temporary, path)


# The command


def command(
    folder: Path,
    scores: Path,
    report: Path,
    *,
    settings: Settings,
    jobs: int = -1,
    regrade: bool = False,
    say: Callable[[str], None] = print,
) -> Graded:
    """Grade a folder, write the tables and the report, and say what came out."""
    graded = grade_folder(
        folder, report / "graded.jsonl", settings, jobs=jobs, regrade=regrade, progress=sys.stderr.isatty()
    )
    if not graded.records:
        raise ValueError(f"{folder} holds no submission: no notebook (.ipynb) and no folder")
    report.mkdir(parents=True, exist_ok=True)
    tables.write_scores(scores, graded)
    tables.write_details(scores.with_name("details.csv"), graded)
    reporting.write(report, graded)
    changes = tables.changes(graded)
    if graded.before:
        tables.write_changes(scores.with_name("changes.csv"), changes)
    for line in tables.summary(graded, changes, regrade):
        say(line)
    return graded


@contextlib.contextmanager
def dask(scheduler: str | None, jobs: int) -> Iterator[None]:
    """Spread the work over a Dask cluster: the one at `scheduler`, or one of `jobs` processes on this machine."""
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError:
        raise ValueError("--backend dask needs the packages dask and distributed") from None
    from joblib import parallel_config

    with contextlib.ExitStack() as stack:
        if scheduler is None:
            workers = jobs if jobs > 0 else os.cpu_count()
            cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            scheduler = stack.enter_context(cluster)
        stack.enter_context(Client(scheduler))
        stack.enter_context(parallel_config(backend="dask"))
        yield


def chosen(words: Iterable[str], fast: bool = False) -> tuple[str, ...]:
    """The exercises that words such as ``8`` or ``9.1`` name; all of them when there are none.

    Raises
    ------
    KeyError
        When a word names none.
    """
    words = [part for word in words for part in word.replace(",", " ").split()]
    known = [exercise.id for exercise in all_exercises()]
    picked = []
    for word in words:
        found = [id for id in known if id.split(".")[0] == word.lstrip("0")] or [get(word).id]
        picked += found
    ids = [id for id in known if not words or id in picked]
    return tuple(id for id in ids if not fast or id not in SLOW)


def with_limits(settings: Settings, seconds: float | None, memory: float | None) -> Settings:
    """`settings` with other limits."""
    limits = settings.limits
    if seconds is not None:
        limits = replace(limits, seconds=seconds)
    if memory is not None:
        limits = replace(limits, memory=int(memory * 2**30))
    return replace(settings, limits=limits)
