"""The grader's side of one answer: stand-ins that look like the student's function or class, and ask its process.

To a check a stand-in is the answer itself: it has the signature, the name and the attributes, changes arrays in place
where the student's code does, and raises what that raised, in the student's own line.
"""

import builtins
import contextlib
import inspect
import linecache
import time
import warnings
from typing import Any

from exercises.classroom.wire import Channel, Closed, OutOfTime, Packer
from exercises.sandbox import TimeUp

GRACE = 5.0


class Stopped(Exception):
    """The process that ran the answer has ended."""


class Asking:
    """A conversation with the process of one answer."""

    def __init__(self, channel: Channel, seconds: float) -> None:
        self.channel, self.seconds = channel, seconds
        self.packer = Packer(self._stand_in, trusted=False)
        # Thousands of short calls on a busy machine are no endless loop; one call has its own, shorter limit.
        self.left = 30 * seconds
        self.ended: BaseException | None = None
        self.out_of_time = False
        self._errors: list[BaseException] = []
        self._classes: dict[int, type] = {}

    def ask(self, message: dict, values: Any = None) -> Any:
        """Send a request and return its result, serving the calls that come in between."""
        if self.ended is not None:
            raise self.ended
        buffers: list[bytes] = []
        message["values"] = self.packer.pack(values, buffers, share=True)
        started, own = time.monotonic(), 0.0
        try:
            self.channel.send(message, buffers)
            while True:
                limit = min(2 * self.seconds, max(self.left, 0.1)) + GRACE
                reply, data = self.channel.receive(started + own + limit)
                if "call" not in reply:
                    break
                before = time.monotonic()
                self._call_back(reply, data)
                own += time.monotonic() - before
            self.left -= time.monotonic() - started - own
            if self.left < 0:
                raise OutOfTime
            return self._result(reply, data)
        except (OutOfTime, TimeUp):
            self.out_of_time = True
            self.ended = TimeUp()
        except Closed:
            self.ended = Stopped("the process in which it ran has ended")
        raise self.ended

    def _result(self, reply: dict, data: Any) -> Any:
        if isinstance(reply.get("printed"), str) and reply["printed"]:
            print(reply["printed"], end="")
        for message in reply.get("warned", [])[:1]:
            warnings.warn(str(message), RuntimeWarning, stacklevel=2)
        self.packer.apply(reply.get("changes", []), data)
        if "again" in reply:
            raise self._errors[reply["again"]]
        if "error" in reply:
            raise_in_line(self._exception(reply), reply.get("file"), reply.get("line"))
        return self.packer.unpack(reply.get("result"), data)

    def _exception(self, reply: dict) -> BaseException:
        kind, message = str(reply["error"]), str(reply.get("message", ""))
        if kind == "OutOfTime":
            self.out_of_time = True
            self.ended = TimeUp()
            return self.ended
        known = getattr(builtins, kind, None)
        if kind == "SystemExit":
            return SystemExit(message)
        if isinstance(known, type) and issubclass(known, Exception):
            with contextlib.suppress(TypeError):
                return known(message)
        for base in reply.get("bases", []):
            known = getattr(builtins, str(base), None)
            if isinstance(known, type) and issubclass(known, Exception):
                with contextlib.suppress(TypeError):
                    return type(kind, (known,), {"__str__": lambda self: message})(message)
        return type(kind, (Exception,), {})(message)

    def _call_back(self, request: dict, data: Any) -> None:
        """Call one of the grader's functions for the student's code."""
        buffers: list[bytes] = []
        try:
            function = self.packer.kept[request["call"]]
            args, kwargs = self.packer.unpack(request["values"], data)
        except (Closed, LookupError, TypeError, ValueError):
            raise Closed from None
        try:
            reply = {"result": self.packer.pack(function(*args, **kwargs), buffers)}
        except TimeUp:
            raise
        except Exception as error:
            buffers = []
            self._errors.append(error)
            reply = {"raised": len(self._errors) - 1, "type": type(error).__name__, "message": str(error)}
        self.channel.send(reply, buffers)

    # Stand-ins

    def _stand_in(self, said: dict) -> Any:
        """What a check meets in place of a thing of the student's."""
        kind, ref = said["kind"], said["ref"]
        if kind == "function":
            return _signed(self._function(ref, str(said["name"])), said)
        if kind == "class":
            return self._class(ref, str(said["name"]), said)
        if kind == "iterator":
            return _Iterator(self, ref, str(said["cls"]))
        if kind == "object":
            made = object.__new__(self._class(said.get("of", -1 - ref), str(said["cls"]), {}))
            object.__setattr__(made, "_ref", ref)
            return made
        raise Closed

    def _function(self, ref: int, name: str) -> Any:
        def stand_in(*args: Any, **kwargs: Any) -> Any:
            return self.ask({"do": "call", "ref": ref}, [args, kwargs])

        stand_in.__name__ = stand_in.__qualname__ = name
        return stand_in

    def _class(self, ref: int, name: str, said: dict) -> type:
        if ref not in self._classes:
            self._classes[ref] = _Meta(
                name, (_Instance,), {"_asking": self, "_ref_of_class": ref, "__module__": "answer"}
            )
        made = self._classes[ref]
        if said:
            _signed(made, said)
        return made


class _Meta(type):
    """The class of a stand-in for a class: calling it makes an instance over there."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._asking.ask({"do": "call", "ref": cls._ref_of_class}, [args, kwargs])

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return cls._asking.ask({"do": "get", "ref": cls._ref_of_class, "name": name})


class _Instance(metaclass=_Meta):
    """A stand-in for an instance."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return type(self)._asking.ask({"do": "get", "ref": self._ref, "name": name})

    def __setattr__(self, name: str, value: Any) -> None:
        type(self)._asking.ask({"do": "set", "ref": self._ref, "name": name}, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object>"


class _Iterator:
    """A stand-in for a generator."""

    def __init__(self, asking: Asking, ref: int, name: str) -> None:
        self._asking, self._ref, self._name = asking, ref, name

    def __iter__(self) -> "_Iterator":
        return self

    def __next__(self) -> Any:
        return self._asking.ask({"do": "next", "ref": self._ref}, self._asking.packer.generators())


class _Default:
    """A default value, as a signature shows it."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def __repr__(self) -> str:
        return self.shown


def _signed(stand_in: Any, said: dict) -> Any:
    """`stand_in` with the signature that was described."""
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        parameters = [
            inspect.Parameter(
                str(name),
                inspect._ParameterKind(kind),
                default=inspect.Parameter.empty if default is None else _Default(str(default)),
            )
            for name, kind, default in said["signature"]
        ]
        stand_in.__signature__ = inspect.Signature(parameters)
    return stand_in


def raise_in_line(error: BaseException, file: str | None, line: int | None) -> None:
    """Raise `error` as if it came from a line of the student's cell."""
    if isinstance(file, str) and type(line) is int and 0 < line < 100_000 and file in linecache.cache:
        exec(compile("\n" * (line - 1) + "raise error", file, "exec"), {"error": error})
    error.of_the_call = True
    raise error
