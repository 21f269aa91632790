"""Mark one submission: find its answers, run each in a process of its own, and run the checks out here.

The checks never run where a student's code does, so nothing that this code patches, prints, raises or ends can change
a point: the grader hands inputs over, gets numbers back, and compares.
"""

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

from exercises.classroom import draws, plan
from exercises.classroom.isolation import Limits
from exercises.classroom.standins import Asking, Stopped
from exercises.classroom.wire import Channel, Closed, OutOfTime
from exercises.definition import Exercise
from exercises.grading import grade
from exercises.guard import as_answer_error
from exercises.own_work import told
from exercises.registry import get
from exercises.result import NOT_ATTEMPTED, NOT_RUN, Part, Result
from exercises.sandbox import TimeUp

_PROJECT = Path(__file__).resolve().parent.parent.parent
_READING_SECONDS = 60.0
NOT_FOUND = "not found"


@dataclass(frozen=True)
class Settings:
    """How a class is graded: which exercises, with which limits, on which inputs."""

    exercises: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    seed: int | None = None
    by_student: bool = False


@dataclass
class File:
    """A notebook that was handed in: its name below the student's folder and its bytes, or why they were not read."""

    name: str
    data: bytes = b""
    problem: str = ""


@dataclass
class Mark:
    """What one student got for one exercise."""

    id: str
    max_points: int
    points: int = 0
    status: str = NOT_FOUND
    messages: list[str] = field(default_factory=list)
    parts: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    file: str = ""
    cell: int = 0
    how: str = ""
    source: str = ""
    seconds: float = 0.0
    memory: int = 0
    drawn: bool = False


@dataclass
class Record:
    """What one submission got."""

    student: str
    files: list[str]
    marks: dict[str, Mark]
    problems: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    seconds: float = 0.0
    progress: dict[str, dict] = field(default_factory=dict)


def mark_submission(student: str, files: Sequence[File], settings: Settings) -> Record:
    """Mark everything that `student` handed in."""
    with _LOCK:  # a check redirects what is printed, and warnings: one at a time in a process
        try:
            return _mark_submission(student, files, settings)
        except Closed:  # the nursery has ended, by whatever hand: a new one
            _nursery().close()
            _nursery.cache_clear()
            return _mark_submission(student, files, settings)


_LOCK = threading.Lock()


def _mark_submission(student: str, files: Sequence[File], settings: Settings) -> Record:
    started = time.perf_counter()
    record = Record(student, [file.name for file in files], {})
    with _box(settings.limits) as box:
        found = _plans(box, files, settings, record)
        draw = draws.draw_of(student, settings.seed, settings.by_student)
        for id in settings.exercises:
            exercise = get(id)
            mark = Mark(id, exercise.points)
            for file, candidates in found.get(id, []):
                for candidate in candidates:
                    new = _mark(box, exercise, candidate, file, draw)
                    if _rank(new) > _rank(mark):
                        mark = new
                    if new.status == "right" or "still running" in "".join(new.messages):
                        break
            record.marks[id] = mark
        record.held = box.held
    record.seconds = time.perf_counter() - started
    return record


_ORDER = (NOT_FOUND, NOT_ATTEMPTED, "error", "wrong", "partial", "right")


def _rank(mark: Mark) -> tuple[int, int]:
    return mark.points, _ORDER.index(mark.status)


def _plans(box: "_Box", files: Sequence[File], settings: Settings, record: Record) -> dict[str, list]:
    """For each exercise, the candidates in each file."""
    found: dict[str, list] = {}
    wanted = [[id, get(id).answer, get(id).starter] for id in settings.exercises]
    for file in files:
        problem = file.problem
        if not problem:
            try:
                plans = _read(box, file, wanted)
            except (Stopped, Closed, OutOfTime):
                problem = "it could not be read within the limits of time and memory"
            except ValueError as error:
                problem = str(error)
        if problem:
            record.problems.append(f"{file.name}: {problem}")
            continue
        if not plans:
            record.problems.append(f"{file.name}: no answer to any exercise was found in it")
        for each in plans:
            found.setdefault(each.id, []).append((file.name, each.candidates))
    return found


def _read(box: "_Box", file: File, wanted: list) -> list[plan.Found]:
    with box.process("plan") as channel:
        channel.send({"wanted": wanted, "name": file.name, "size": len(file.data)}, [file.data])
        reply, _ = channel.receive(time.monotonic() + _READING_SECONDS)
    if "problem" in reply:
        raise ValueError(str(reply["problem"])[:300])
    try:
        return plan.from_data(reply["found"])
    except (TypeError, KeyError, ValueError):
        raise Closed from None


def _mark(
    box: "_Box", exercise: Exercise, candidate: plan.Candidate, file: str, draw: draws.Draw | None = None
) -> Mark:
    mark = Mark(exercise.id, exercise.points, file=file, cell=candidate.cell, how=candidate.how)
    mark.source = candidate.definition[:20_000]
    if candidate.untouched:
        mark.status = NOT_ATTEMPTED
        return mark
    if candidate.problem:
        return _noted(mark, _refused(exercise, candidate.problem))
    pieces = [
        {"name": f"<cell {piece.cell} of {file}>", "source": piece.source, "picks": piece.picks}
        for piece in candidate.pieces
    ]
    # The same code gets the same marks: it is run once.
    texts = tuple(piece.text for piece in candidate.pieces)
    key = exercise.id, draw, box.limits, candidate.expression, texts
    if key in _MARKED:
        return replace(_MARKED[key], file=file, cell=candidate.cell, how=candidate.how, source=mark.source)
    _remember(pieces)
    message = {"do": "run", "setup": exercise.setup, "pieces": pieces, "expression": candidate.expression}
    try:
        with draws.inputs(exercise, draw) as mark.drawn, box.process("answer") as channel:
            result = _graded(exercise, Asking(channel, box.limits.seconds), message)
    except (Closed, OutOfTime):
        result = _refused(exercise, "The process in which your code runs could not be started.")
    mark.seconds, mark.memory = box.seconds, box.memory
    _noted(mark, result)
    if not any(part.state in ("error", NOT_RUN) for part in result.parts) and len(_MARKED) < 20_000:
        _MARKED[key] = mark
    return mark


_MARKED: dict[tuple, Mark] = {}


def _graded(exercise: Exercise, asking: Asking, message: dict) -> Result:
    try:
        answer, found = asking.ask(message)
        sentence = told(exercise, [(str(name), str(owner), bool(calls)) for name, owner, calls in found])
        if sentence and exercise.kind != "value":
            return _refused(exercise, sentence, "wrong")
    except TimeUp:
        limit = f"{exercise.time_limit:g} seconds"
        return _refused(exercise, f"Your code was still running after {limit}: does a loop never end?")
    except Stopped:
        return _refused(exercise, "Your code ended the process in which it ran, or took more memory than it may.")
    except (Exception, SystemExit) as error:
        return _refused(exercise, str(as_answer_error(error)) or "There is still a `...` in it.")
    result = grade(exercise, answer)
    if isinstance(asking.ended, Stopped):
        result = _refused(exercise, "Your code ended the process in which it ran, or took more memory than it may.")
    return result


def _refused(exercise: Exercise, sentence: str, state: str = "error") -> Result:
    return Result(exercise, [Part(check.name, 0, check.points, state) for check in exercise.checks], [sentence])


def _noted(mark: Mark, result: Result) -> Mark:
    mark.points, mark.status = result.points, result.status
    mark.messages, mark.notes = list(result.messages), list(result.notes)
    mark.parts = [asdict(part) for part in result.parts]
    mark.mistakes = list(result.mistakes)
    return mark


def _remember(pieces: list[dict]) -> None:
    import linecache

    for piece in pieces:
        source, name = piece["source"], piece["name"]
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)


# The processes


class _Nursery:
    """The process that forks a box for each submission, and its folder."""

    def __init__(self) -> None:
        if not hasattr(os, "fork"):
            raise OSError("grading a class needs Linux or macOS (on Windows: WSL, or the container)")
        self.folder = Path(tempfile.mkdtemp(prefix="course-grading-"))
        self.control, other = socket.socketpair()
        keep = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "PYTHONHASHSEED")
        environment = {name: os.environ[name] for name in keep if name in os.environ}
        environment |= {
            "PYTHONPATH": str(_PROJECT),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MPLBACKEND": "Agg",
            "HOME": str(self.folder / "box"),
            "TMPDIR": str(self.folder / "box"),
            "MPLCONFIGDIR": str(self.folder / "box"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exercises.classroom.box", str(other.fileno())],
            pass_fds=[other.fileno()],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
        )
        other.close()
        atexit.register(self.close)

    def close(self) -> None:
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def _nursery() -> _Nursery:
    return _Nursery()


class _Box:
    """The processes of one submission."""

    def __init__(self, control: socket.socket, limits: Limits, scratch: Path) -> None:
        self.control, self.limits, self.scratch = control, limits, scratch
        self.held: list[str] = []
        self.seconds, self.memory = 0.0, 0

    @contextlib.contextmanager
    def process(self, do: str) -> Iterator[Channel]:
        """A new process in the box, to talk to; it is gone at the end."""
        ours, theirs = socket.socketpair()
        limits = asdict(self.limits) | ({"seconds": _READING_SECONDS} if do == "plan" else {})
        order = {"do": do, "limits": limits, "readable": _readable()}
        with ours:
            with theirs:
                _order(self.control, order, theirs)
            channel = Channel(ours)
            hello, _ = channel.receive(time.monotonic() + 60)
            self.held = [str(word) for word in hello.get("held", [])]
            try:
                yield channel
            finally:
                with contextlib.suppress(Closed):
                    ended = _order(self.control, {"do": "end"})
                    self.seconds, self.memory = float(ended["seconds"]), int(ended["memory"])


@contextlib.contextmanager
def _box(limits: Limits) -> Iterator[_Box]:
    nursery = _nursery()
    scratch = nursery.folder / "box"
    scratch.mkdir(exist_ok=True)
    ours, theirs = socket.socketpair()
    hidden = [str(_PROJECT / "exercises")]
    try:
        with ours:
            with theirs:
                _order(nursery.control, {"scratch": str(scratch), "hidden": hidden}, theirs)
            yield _Box(ours, limits, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _order(control: socket.socket, message: dict, *sockets: socket.socket) -> dict:
    """Give an order and wait for the answer."""
    try:
        control.settimeout(60)
        socket.send_fds(control, [json.dumps(message).encode()], [each.fileno() for each in sockets])
        data = control.recv(2**20)
        return json.loads(data)
    except (OSError, ValueError):
        raise Closed from None


@cache
def _readable() -> list[str]:
    """The folders that an answer may read: Python, its libraries, the course's library, and the system's."""
    python = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *filter(None, sys.path)}
    folders = {path for path in python if os.path.isdir(path) and Path(path).resolve() != _PROJECT}
    folders |= {str(_PROJECT / name) for name in ("optim_lib", "experiments")}
    folders |= {
        "/usr",
        "/lib",
        "/lib64",
        "/etc",
        "/proc/self",
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/sys/devices/system/cpu",
    }
    return sorted({os.path.realpath(folder) if folder != "/proc/self" else folder for folder in folders})
