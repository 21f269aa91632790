"""Limits for a student's code: its time, what it prints, and NumPy as it was.

Three tools that know nothing about exercises. :class:`Clock` counts the time of the student's code alone and raises
`TimeUp` in it. :class:`Printed` keeps the beginning of what is printed. :class:`Originals` puts back the functions of
NumPy that an answer has replaced. Code that cannot be interrupted runs in :mod:`exercises.child`.
"""

import builtins
import contextlib
import io
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any, ClassVar

import numpy as np

# Waiting (for a lock, a file, a busy machine) counts a third of computing.
PATIENCE = 3.0
# What a check's own work may take: far more than any does. It ends what a student's object does behind the guard.
OWN_SECONDS = 60.0
# How often an alarm rings again when it was not obeyed, in seconds.
AGAIN = 0.2

# Called with the seconds that a clock is set to: a child process tells its parent.
observer: Callable[[float], None] | None = None


class TimeUp(BaseException):
    """The time is over. Not an Exception, so that a student's ``except Exception`` lets it through."""


class Clock:
    """The time that a student's code may take; while the check itself works the clock stands still.

    Use it as a context manager around a check, and ``with clock.running():`` around each call of the student's code.
    Time is that of the processor, or a third of the time on the wall when that is more. Where a system can neither
    send a signal nor start a thread (a browser) the student's loops and calls look at the clock; code that is stuck in
    one long operation is for what runs Python there to end.

    Parameters
    ----------
    seconds : float
        For the student's code, all its calls together.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.in_answer = False
        self._left = {True: float(seconds), False: OWN_SECONDS}
        self._alarm: Any = _NoAlarm()

    def __enter__(self) -> "Clock":
        self._alarm = _alarm()
        self._alarm.set(self._left[False])
        return self

    def __exit__(self, *raised: object) -> None:
        self._alarm.close()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Around a call of the student's code. Calls inside calls count once."""
        if self.in_answer:
            yield
            return
        self._switch(True)
        try:
            yield
        except TimeUp:
            raise
        except BaseException:
            self._switch(False)
            raise
        else:
            self._switch(False)

    def _switch(self, to_answer: bool) -> None:
        self._left[self.in_answer] -= self._alarm.spent()
        self.in_answer = to_answer
        self._alarm.set(max(self._left[to_answer], 1e-3))


def _alarm() -> Any:
    if sys.platform == "emscripten":
        return _JumpAlarm() if hasattr(sys, "monitoring") else _NoAlarm()
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _SignalAlarm()
    try:
        return _ThreadAlarm()
    except RuntimeError:  # no threads here
        return _NoAlarm()


class _NoAlarm:
    """Never rings."""

    def set(self, seconds: float) -> None: ...

    def spent(self) -> float:
        return 0.0

    def close(self) -> None: ...


class _Alarm:
    """Raises `TimeUp` when the time given to :meth:`set` has been spent, and again until the code has ended."""

    processor: Callable[[], float]

    def set(self, seconds: float) -> None:
        self.seconds, self.since = seconds, (self.processor(), time.perf_counter())

    def spent(self) -> float:
        processor, wall = self.since
        return max(self.processor() - processor, (time.perf_counter() - wall) / PATIENCE)

    def is_up(self) -> bool:
        return self.spent() >= self.seconds - 1e-3


class _SignalAlarm(_Alarm):
    """A timer of the system: POSIX, in the main thread."""

    processor = staticmethod(getattr(time, "thread_time", time.process_time))

    def __init__(self) -> None:
        self._handler = signal.signal(signal.SIGALRM, self._ring)
        self._timer, self._began = signal.getitimer(signal.ITIMER_REAL)[0], time.monotonic()

    def _ring(self, signum: int, frame: object) -> None:
        if self.is_up():
            raise TimeUp

    def set(self, seconds: float) -> None:
        super().set(seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
        if observer:
            observer(seconds)

    def close(self) -> None:
        rest = self._timer and max(self._timer - (time.monotonic() - self._began), 1e-3)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler)
        signal.setitimer(signal.ITIMER_REAL, rest)


class _ThreadAlarm(_Alarm):
    """A thread that watches: Windows, or outside the main thread. It reaches code between two lines of Python only."""

    processor = staticmethod(time.process_time)

    def __init__(self) -> None:
        self._target, self._open, self._changed = threading.get_ident(), True, threading.Condition()
        self.set(math.inf)
        threading.Thread(target=self._watch, daemon=True).start()

    def set(self, seconds: float) -> None:
        with self._changed:
            super().set(seconds)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify()
        _raise_in(self._target, None)

    def _watch(self) -> None:
        with self._changed:
            while self._open:
                left = self.seconds - self.spent()
                self._changed.wait(min(max(left, AGAIN), 3600.0))
                if self._open and self.is_up():
                    _raise_in(self._target, TimeUp)


class _JumpAlarm(_Alarm):
    """The student's code looks at the clock itself, wherever it jumps or is called: in a browser."""

    processor = staticmethod(time.perf_counter)
    tool = 4  # of the numbers that `sys.monitoring` has for tools, one without a name
    open: ClassVar[list["_JumpAlarm"]] = []  # a student's code may call a check that has a clock of its own
    between, looks = 200, 0  # the clock is slower to read than a loop is to turn

    def __init__(self) -> None:
        if not self.open:
            sys.monitoring.use_tool_id(self.tool, "clock")
            events = sys.monitoring.events.JUMP, sys.monitoring.events.PY_START
            for event in events:
                sys.monitoring.register_callback(self.tool, event, self._look)
            sys.monitoring.set_events(self.tool, events[0] | events[1])
        self.set(math.inf)
        self.open.append(self)

    def close(self) -> None:
        self.open.remove(self)
        if not self.open:
            sys.monitoring.set_events(self.tool, 0)
            sys.monitoring.free_tool_id(self.tool)

    @classmethod
    def _look(cls, code: CodeType, *place: int) -> object:
        if code.co_filename[0] != "<":
            return sys.monitoring.DISABLE  # there, for good
        cls.looks -= 1
        if cls.looks <= 0:
            if any(alarm.is_up() for alarm in cls.open):
                raise TimeUp
            cls.looks = cls.between
        return None


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    import ctypes  # not everywhere

    raised = ctypes.py_object(error) if error else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)


class Printed(io.TextIOBase):
    """A stream that keeps the first `most` characters written to it and counts the rest."""

    def __init__(self, most: int = 10_000) -> None:
        self.kept, self.left_out, self._most = "", 0, most

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        text = str(text)
        room = self._most - len(self.kept)
        self.kept += text[:room]
        self.left_out += max(len(text) - room, 0)
        return len(text)

    def getvalue(self) -> str:
        return f"{self.kept}\n... and {self.left_out} more characters" if self.left_out else self.kept


class Originals:
    """The functions of NumPy, `math` and Python itself as they are now; :meth:`put_back` undoes what was replaced."""

    def __init__(self) -> None:
        modules = np, np.linalg, np.random, math, builtins
        self._saved = [(module, dict(vars(module))) for module in modules]
        self.replaced: list[str] = []

    def put_back(self) -> None:
        """Put back every name that has been given another value, and note which."""
        for module, saved in self._saved:
            if vars(module) == saved:
                continue
            for name, value in saved.items():
                if vars(module).get(name, saved) is not value:
                    setattr(module, name, value)
                    self.replaced.append(f"{module.__name__}.{name}")
            saved.update(vars(module))


def can_fork() -> bool:
    """Whether a child process can be had safely: on Linux, in the main thread."""
    return sys.platform == "linux" and threading.current_thread() is threading.main_thread()
