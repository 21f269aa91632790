"""Run code that cannot be trusted to end, in a process of its own.

An endless call in C, a bare ``except`` in a loop, a crash, all the memory of the machine: nothing inside a process
can end these. Where the system can fork safely, a student's checks run in a child, and the notebook goes on whatever
becomes of it.
"""

import contextlib
import io
import mmap
import os
import pickle
import resource
import select
import signal
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from exercises import sandbox
from exercises.sandbox import AGAIN, PATIENCE, TimeUp

# How long a child that has had its time may take to notice.
GRACE = 1.0
# The memory that a child may take beyond what it starts with.
MEMORY = 2 << 30
_INTERRUPTED = 130
# What a child's clock was last set to, and when: on the wall, and of its processor time.
_NOTE = struct.Struct("ddd")


class Ended(Exception):
    """The child process ended before its function had returned; the message says how."""


def in_child(steps: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """What the generator `steps()` yields, made in a child process. Everything but the yielded values stays there.

    The child has a limit of memory. It is ended when its :class:`Clock` has run out and it goes on all the same.

    Raises
    ------
    Ended
        When the child is ended, or ends by itself: ``os._exit``, a crash, no memory left.
    KeyboardInterrupt
        When the student interrupts.
    """
    note = mmap.mmap(-1, _NOTE.size)
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside other threads: none is used in the child
        child = os.fork()
    if not child:
        os.close(reading)
        _work(steps, writing, note)
    os.close(writing)
    try:
        yield from _received(_Pipe(reading, child, note))
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        note.close()


def _work(steps: Callable[[], Iterator[Any]], writing: int, note: Any) -> None:
    """In the child: send each value as its length and itself, then a last empty one; never return."""
    code = 1
    try:
        sandbox.observer = lambda seconds: _NOTE.pack_into(note, 0, seconds, time.monotonic(), time.process_time())
        _limit_memory()
        _limit_threads()
        with os.fdopen(writing, "wb") as pipe:
            for value in steps():
                _send(pipe, pickle.dumps(value))
            _send(pipe, b"")
        code = 0
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _send(pipe: io.BufferedWriter, data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _received(pipe: "_Pipe") -> Iterator[Any]:
    while size := int.from_bytes(pipe.read(8), "big"):
        yield pickle.loads(pipe.read(size))


@dataclass(frozen=True)
class _Pipe:
    """The parent's end."""

    file: int
    child: int
    note: Any

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            ready, _, _ = select.select([self.file], [], [], AGAIN)
            if ready:
                part = os.read(self.file, min(size - len(data), 1 << 20))
                if not part:
                    raise self._ending()
                data += part
            elif self._is_overdue():
                raise TimeUp
        return data

    def _ending(self) -> BaseException:
        deadline = time.monotonic() + GRACE
        while not (ending := os.waitid(os.P_PID, self.child, os.WEXITED | os.WNOWAIT | os.WNOHANG)):
            if time.monotonic() > deadline:
                return Ended("it closed files that are not its own")
            time.sleep(0.01)
        if ending.si_code == os.CLD_EXITED:
            if ending.si_status == _INTERRUPTED:
                return KeyboardInterrupt()
            return Ended(f"it ended Python itself, with exit code {ending.si_status}")
        name = signal.Signals(ending.si_status).name
        return Ended("it used up the memory" if name == "SIGKILL" else f"it made Python crash ({name})")

    def _is_overdue(self) -> bool:
        """Whether the child goes on though its clock should have rung: it cannot be interrupted."""
        seconds, wall, processor = _NOTE.unpack_from(self.note, 0)
        late = time.monotonic() - wall
        if not seconds or late < seconds + GRACE:
            return False
        return _processor_time(self.child) - processor > seconds or late > PATIENCE * seconds + GRACE


def _processor_time(process: int) -> float:
    with open(f"/proc/{process}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _limit_memory() -> None:
    with open("/proc/self/statm", encoding="utf-8") as file:
        now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = now + MEMORY if hard == resource.RLIM_INFINITY else min(now + MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _limit_threads() -> None:
    """One thread for OpenMP: the others stayed in the parent, and GNU's would be waited for without end."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "sklearn" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, user_api="openmp")
