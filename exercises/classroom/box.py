"""The student's side: a chain of processes in which answers run, each link with less than the one before.

``python -m exercises.classroom.box FD`` starts the *nursery*: it imports what most answers need, once, and waits for
orders on the socket FD. For each submission it forks a *box*, which moves into namespaces of its own; the box forks
one process for reading the notebooks, and one for every answer. Those give up the rest of what they could do before
they touch anything of the student's, and are gone with their answer.

No exercise is known here, and no check runs here: this side calls a student's function when it is asked to, and says
what came out.
"""

import ast
import builtins
import contextlib
import io
import json
import linecache
import os
import signal
import socket
import sys
import types
import warnings
from pathlib import Path
from typing import Any

from exercises.classroom import isolation, plan, reading
from exercises.classroom.wire import Buffers, Channel, Closed, Packer
from exercises.own_work import lent

_PRINTED = 20_000


class OutOfTime(BaseException):
    """The student's code took too long."""


# The chain of processes


def nursery(control: socket.socket) -> None:
    """Wait for orders, and fork a box for each."""
    import numpy  # noqa: F401

    with contextlib.suppress(ImportError):
        import optim_lib.optimizers  # noqa: F401
    isolation.undumpable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while order := _order(control):
        message, sockets = order
        if os.fork() == 0:
            control.close()
            _box(sockets[0], message)
            os._exit(0)
        for each in sockets:
            each.close()
        with contextlib.suppress(OSError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        _say(control, {"ok": True})


def _box(control: socket.socket, message: dict) -> None:
    """Move into namespaces, and fork a process for each order."""
    scratch = Path(message["scratch"])
    reached = isolation.namespaces(scratch)
    if "files" in reached:
        for folder in message["hidden"]:
            isolation.hide(Path(folder))
    # The first child after unshare is the first process of the new namespace; when it ends, all others do.
    child = os.fork() if "processes" in reached else 0
    if child:
        control.close()
        os.waitpid(child, 0)
        return
    isolation.undumpable()
    if "processes" in reached:
        isolation.own_proc()
    while order := _order(control):
        message, sockets = order
        started = os.fork()
        if started == 0:
            control.close()
            _serve(sockets[0], scratch, message, reached)
            os._exit(0)
        for each in sockets:
            each.close()
        _say(control, {"ok": True})
        _order(control)  # the grader is done with it
        with contextlib.suppress(ProcessLookupError):
            os.kill(started, signal.SIGKILL)
        _, status, usage = os.wait4(started, 0)
        if "processes" in reached:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        with contextlib.suppress(OSError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        _say(control, {"status": status, "seconds": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss})


def _order(control: socket.socket) -> tuple[dict, list[socket.socket]] | None:
    """The next order with the sockets that came with it; None when the other side has gone."""
    try:
        data, handles, _, _ = socket.recv_fds(control, 2**20, 4)
    except OSError:
        return None
    sockets = [socket.socket(fileno=handle) for handle in handles]
    return (json.loads(data), sockets) if data else None


def _say(control: socket.socket, message: dict) -> None:
    with contextlib.suppress(OSError):
        control.sendall(json.dumps(message).encode())


def _serve(connection: socket.socket, scratch: Path, message: dict, reached: list[str]) -> None:
    """Become the process of one answer (or of the reader of the notebooks): enclosed, silent, without input."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.chdir(scratch)
    limits = isolation.Limits(**message["limits"])
    held = isolation.enclose(scratch, [Path(each) for each in message["readable"]], limits, reached)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), _Capped(), _Capped()
    sys.setrecursionlimit(1000)
    channel = Channel(connection)
    channel.send({"held": held}, [])
    with contextlib.suppress(Closed):
        if message["do"] == "plan":
            _plan(channel)
        else:
            Answering(channel, limits).run()


def _plan(channel: Channel) -> None:
    wanted = None
    while True:
        message, data = channel.receive()
        if wanted is None or "wanted" in message:
            wanted = [plan.Wanted(*each) for each in message["wanted"]]
        try:
            cells = reading.cells(bytes(data.take(message["size"])), message["name"])
            channel.send({"found": plan.as_data(plan.plan(cells, wanted))}, [])
        except reading.NotANotebook as error:
            channel.send({"problem": str(error)}, [])
        except MemoryError:
            channel.send({"problem": "reading it takes more memory than a submission may have"}, [])


class _Capped:
    """A stream that forgets all but the first characters."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        if len(self.text) < _PRINTED:
            self.text += str(text)[: _PRINTED - len(self.text)]
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise OSError("this stream has no number")

    def taken(self) -> str:
        text, self.text = self.text, ""
        return text


# One answer


class Answering:
    """Run an answer's statements, then do what the grader asks: call, get, set, next."""

    def __init__(self, channel: Channel, limits: isolation.Limits) -> None:
        self.channel, self.limits = channel, limits
        self.packer = Packer(self._stand_in, trusted=True)
        self.raised: dict[int, BaseException] = {}

    def run(self) -> None:
        sys.modules["exercises"] = _stub()
        for name in [name for name in sys.modules if name.startswith("exercises.")]:
            del sys.modules[name]
        sys.modules["exercises.quiz"] = _stub()
        sys.meta_path.insert(0, _Closed())
        for number in (signal.SIGALRM, signal.SIGPROF):
            signal.signal(number, _stop)
        while True:
            self._answer_one(*self.channel.receive())

    def _answer_one(self, message: dict, data: Buffers) -> None:
        """Do one thing and send what came of it; nothing that the student's code does ends this loop."""
        buffers: list[bytes] = []
        before: dict[str, Any] = {}
        try:
            arguments = self.packer.unpack(message.get("values"), data)
            before = self.packer.state_of(arguments)
            with warnings.catch_warnings(record=True) as caught, _time_limit(self.limits.seconds):
                warnings.simplefilter("always")
                result = self._do(message, arguments)
                reply = {"changes": self.packer.changes(before, buffers)}
                reply["warned"] = [str(each.message)[:300] for each in caught[:1]]
                reply["result"] = self.packer.pack(result, buffers)
        except Closed:
            raise
        except BaseException as error:
            buffers = []
            reply = self._error(error)
            with contextlib.suppress(Exception):
                reply["changes"] = self.packer.changes(before, buffers)
        if isinstance(sys.stdout, _Capped):
            reply["printed"] = sys.stdout.taken()
        self.channel.send(reply, buffers)

    def _do(self, message: dict, arguments: Any) -> Any:
        kept = self.packer.kept
        match message["do"]:
            case "run":
                answer = _run(message)
                return answer, lent(answer)
            case "call":
                args, kwargs = arguments
                return kept[message["ref"]](*args, **kwargs)
            case "get":
                return getattr(kept[message["ref"]], message["name"])
            case "set":
                return setattr(kept[message["ref"]], message["name"], arguments)
            case "next":
                return next(kept[message["ref"]])
        raise ValueError(message["do"])

    def _stand_in(self, said: dict) -> Any:
        """A function here that calls one of the grader's: a landscape's gradient, for example."""

        def call_back(*args: Any, **kwargs: Any) -> Any:
            buffers: list[bytes] = []
            values = self.packer.pack([args, kwargs], buffers)
            self.channel.send({"call": said["ref"], "values": values}, buffers)
            reply, data = self.channel.receive()
            while "do" in reply:  # what was called back calls an answer in its turn
                self._answer_one(reply, data)
                reply, data = self.channel.receive()
            if "raised" in reply:
                error = _exception(reply["type"], reply["message"])
                self.raised[reply["raised"]] = error
                raise error
            return self.packer.unpack(reply["result"], data)

        call_back.__name__ = call_back.__qualname__ = said["name"]
        return call_back

    def _error(self, error: BaseException) -> dict:
        for key, raised in self.raised.items():
            if raised is error:
                return {"again": key}
        if isinstance(error, OutOfTime):
            return {"error": "OutOfTime", "message": "", **_place(error)}
        try:
            message = str(error)[:2000]
        except BaseException:
            message = ""
        bases = [each.__name__ for each in type(error).__mro__ if getattr(builtins, each.__name__, None) is each]
        return {"error": type(error).__name__, "bases": bases, "message": message, **_place(error)}


def _run(message: dict) -> Any:
    """Run the pieces of cells in one namespace and return the value of the expression."""
    namespace: dict[str, Any] = {"__name__": "answer", "display": _nothing, "get_ipython": _ipython}
    sys.modules["answer"] = module = types.ModuleType("answer")
    module.__dict__.update(namespace)
    namespace = module.__dict__
    exec(compile(message["setup"], "<setup>", "exec"), namespace)
    first: Exception | None = None
    for piece in message["pieces"]:
        name = piece["name"]
        source = piece["source"]
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        body = ast.parse(source).body
        for pick in piece["picks"]:
            try:
                exec(compile(ast.Module([body[pick]], []), name, "exec"), namespace)
            except Exception as error:
                first = first or error
    try:
        return eval(compile(message["expression"], "<expression>", "eval"), namespace)
    except NameError:
        if first is not None:
            raise first from None
        raise


def _place(error: BaseException) -> dict:
    """The deepest line of the student's in a traceback."""
    place: dict = {}
    traceback = error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name.startswith("<cell"):
            place = {"file": name, "line": traceback.tb_lineno}
        traceback = traceback.tb_next
    return place


def _exception(kind: str, message: str) -> BaseException:
    known = getattr(builtins, kind, None)
    if isinstance(known, type) and issubclass(known, Exception):
        with contextlib.suppress(TypeError):
            return known(message)
    return type(kind, (Exception,), {})(message)


@contextlib.contextmanager
def _time_limit(seconds: float):
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 2 * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _stop(number: int, frame: Any) -> None:
    raise OutOfTime


# What stands in for the exercises here

WRITE_IT = "The course's solution is no answer: write it yourself."


class _Closed:
    """Refuses to import anything of the exercises."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.split(".")[0] == "exercises":
            raise ImportError(WRITE_IT)


class _Withheld:
    """What `get` and `solution` give here: nothing of it can be used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise PermissionError(WRITE_IT)


class _NoResult:
    """What `check` gives here: the grader calls the answers itself."""

    points = max_points = 0
    status = "not attempted"
    feedback = ""


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def _stub() -> types.ModuleType:
    module = types.ModuleType("exercises")
    module.__path__ = []
    module.check = lambda *args, **kwargs: _NoResult()
    module.get = module.solution = lambda *args, **kwargs: _Withheld()
    module.hint = module.progress = module.quiz = _nothing
    module.all_exercises = lambda: []
    return module


def _ipython() -> Any:
    class Shell:
        def __getattr__(self, name: str) -> Any:
            return _nothing

    return Shell()


if __name__ == "__main__":
    nursery(socket.socket(fileno=int(sys.argv[1])))
