"""How the grader and a student's process talk: values in frames that are safe to read, calls in both directions.

A frame is JSON and, behind it, the bytes of its arrays. Whoever reads one builds numbers, texts, arrays, lists, tuples,
dictionaries and sets, and nothing else; the student's process is never trusted with more. (The other way, from the
grader, an object may come pickled.) Functions, classes and instances stay where they are, and the other side gets a
number to ask for.

Arguments are passed as if both sides shared their memory: a list, dictionary or array that was passed is the same
object when it comes back, and what a call changed in place is changed on the caller's side too.
"""

import contextlib
import inspect
import json
import pickle
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

MAX_FRAME = 256 * 2**20
_HEAD = struct.Struct("<IQ")
_KINDS = "biufcSU"
_DEPTH = 40
_TEXT = 20_000


class Closed(Exception):
    """The other side has ended, or sent what cannot be read."""


class OutOfTime(Exception):
    """The other side did not answer in time."""


class Unportable(TypeError):
    """A value that cannot cross."""


class Buffers:
    """The bytes behind a frame, taken in order."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> memoryview:
        if type(size) is not int or not 0 <= size <= len(self.data) - self.at:
            raise Closed
        self.at += size
        return self.data[self.at - size : self.at]


class Channel:
    """Frames over a socket, each with a deadline."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def send(self, header: Any, buffers: list[bytes]) -> None:
        text = json.dumps(header).encode()
        frame = b"".join([_HEAD.pack(len(text), sum(map(len, buffers))), text, *buffers])
        try:
            self.connection.settimeout(60)
            self.connection.sendall(frame)
        except OSError:
            raise Closed from None

    def receive(self, deadline: float | None = None) -> tuple[dict, "Buffers"]:
        """The next frame; `deadline` is a time of the monotonic clock, None waits for ever."""
        texts, rest = _HEAD.unpack(self._read(_HEAD.size, deadline))
        if texts + rest > MAX_FRAME:
            raise Closed
        body = memoryview(self._read(texts + rest, deadline))
        try:
            header = json.loads(bytes(body[:texts]))
        except (ValueError, RecursionError):
            raise Closed from None
        if not isinstance(header, dict):
            raise Closed
        return header, Buffers(body[texts:])

    def _read(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        view, at = memoryview(data), 0
        while at < size:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise OutOfTime
            self.connection.settimeout(left)
            try:
                count = self.connection.recv_into(view[at:])
            except TimeoutError:
                raise OutOfTime from None
            except OSError:
                raise Closed from None
            if not count:
                raise Closed
            at += count
        return data


class Packer:
    """Values to frames and back, for one side of a conversation.

    Parameters
    ----------
    stand_in : callable
        Given the description of something that stays on the other side, what to take for it here.
    trusted : bool
        Whether the other side may send pickled objects.
    """

    def __init__(self, stand_in: Callable[[dict], Any], trusted: bool) -> None:
        self.stand_in, self.trusted = stand_in, trusted
        self.kept: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._shared: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def keep(self, thing: Any) -> int:
        """The number by which the other side asks for `thing`, which stays here."""
        if id(thing) not in self._numbers:
            self._numbers[id(thing)] = len(self.kept)
            self.kept.append(thing)
        return self._numbers[id(thing)]

    def share(self, thing: Any, name: str | None = None) -> str:
        """The name under which both sides know a list, dictionary, array or random generator."""
        known = self._names.get(id(thing))
        if known is None:
            known = name or f"{'a' if self.trusted else 'g'}{len(self._shared)}"
            self._names[id(thing)], self._shared[known] = known, thing
        return known

    def generators(self) -> list[np.random.Generator]:
        """The random generators that both sides know: what comes later may draw from them."""
        return [thing for thing in self._shared.values() if isinstance(thing, np.random.Generator)]

    # Values to frames

    def pack(self, value: Any, buffers: list[bytes], share: bool = False, depth: int = 0) -> Any:
        """`value` as JSON, with the bytes of its arrays added to `buffers`."""
        if depth > _DEPTH:
            raise Unportable("too deeply nested")
        kind = type(value)
        if value is None or kind in (bool, float):
            return value
        if kind is str:
            return value
        if kind is int:
            return value if value.bit_length() < 10_000 else {"h": {"kind": "object", "cls": "int"}}
        if value is ...:
            return {"e": 1}
        if id(value) in self._names and self._shared[self._names[id(value)]] is value and not share:
            return {"r": self._names[id(value)]}
        return self._pack_container(value, buffers, share, depth)

    def _pack_container(self, value: Any, buffers: list[bytes], share: bool, depth: int) -> Any:
        if isinstance(value, np.ndarray):
            return self._pack_array(value, buffers, share, depth)
        if isinstance(value, np.generic):
            if value.dtype.kind not in _KINDS:
                return self._described(value)
            buffers.append(value.tobytes())
            return {"n": value.dtype.str, "b": len(buffers[-1])}
        name = {"o": self.share(value)} if share and isinstance(value, list | dict) else {}
        if isinstance(value, Mapping):
            pairs = [[self.pack(part, buffers, share, depth + 1) for part in pair] for pair in value.items()]
            return {"d": pairs, **name}
        if isinstance(value, tuple):
            return {"t": [self.pack(item, buffers, share, depth + 1) for item in value]}
        if isinstance(value, list):
            return {"l": [self.pack(item, buffers, share, depth + 1) for item in value], **name}
        if isinstance(value, set | frozenset):
            return {"s": [self.pack(item, buffers, False, depth + 1) for item in value]}
        if isinstance(value, range):
            return {"range": [value.start, value.stop, value.step]}
        if isinstance(value, complex):
            return {"c": [value.real, value.imag]}
        if isinstance(value, bytes):
            buffers.append(value)
            return {"bytes": len(value)}
        if isinstance(value, float | int | str):  # of a class of their own: what they are, without what they can do
            base = next(base for base in (bool, int, float, str) if isinstance(value, base))
            return self.pack(base(value), buffers, share, depth + 1)
        return self._pack_object(value, buffers, share, depth)

    def _pack_array(self, value: np.ndarray, buffers: list[bytes], share: bool, depth: int) -> Any:
        if type(value) is not np.ndarray and not isinstance(value, np.memmap):
            return self._described(value)
        if value.dtype == object:
            items = [self.pack(item, buffers, False, depth + 1) for item in value.ravel()]
            return {"ao": list(value.shape), "items": items}
        if value.dtype.kind not in _KINDS:
            return self._described(value)
        buffers.append(value.tobytes())
        name = {"o": self.share(value), "w": value.flags.writeable} if share else {}
        return {"a": value.dtype.str, "shape": list(value.shape), "b": len(buffers[-1]), **name}

    def _pack_object(self, value: Any, buffers: list[bytes], share: bool, depth: int) -> Any:
        if self.trusted:  # in the student's process
            if not isinstance(value, type) and hasattr(value, "__array__"):
                with contextlib.suppress(Exception):
                    return self._pack_array(np.array(value.__array__()), buffers, False, depth)
            if isinstance(value, type({}.keys()) | type({}.values())):
                return self.pack(list(value), buffers, False, depth + 1)
            return self._described(value)
        if isinstance(value, np.random.Generator):
            name = {"o": self.share(value)} if share else {}
            buffers.append(pickle.dumps(value))
            return {"p": len(buffers[-1]), **name}
        if callable(value) and not _importable(value):
            return {"f": self.keep(value), "name": getattr(value, "__name__", "function")}
        try:
            buffers.append(pickle.dumps(value))
        except Exception as error:
            raise Unportable(f"{type(value).__name__}: {error}") from None
        return {"p": len(buffers[-1])}

    def _described(self, value: Any) -> dict:
        """What the other side needs to know of something that stays here."""
        said: dict[str, Any] = {"ref": self.keep(value)}
        if isinstance(value, type):
            said |= {"kind": "class", "name": value.__name__, "library": _libraries(value)}
        elif isinstance(value, Iterator):
            said |= {"kind": "iterator", "cls": type(value).__name__}
        elif inspect.isroutine(value) or (callable(value) and not hasattr(value, "__dict__")):
            said |= {"kind": "function", "name": str(getattr(value, "__name__", "function"))}
            said |= {"library": _libraries(value)}
        else:
            said |= {"kind": "object", "cls": type(value).__name__, "of": self.keep(type(value))}
            said |= {"callable": callable(value), "library": _libraries(value)}
        if callable(value):
            said["signature"] = _signature(value)
        return {"h": said}

    # Frames to values

    def unpack(self, node: Any, data: Buffers) -> Any:
        """The value that `node` describes; its arrays' bytes are taken from `data`, in the order of packing.

        Raises
        ------
        Closed
            When it describes none.
        """
        try:
            return self._unpack(node, data)
        except Closed:
            raise
        except Exception:
            raise Closed from None

    def _unpack(self, node: Any, data: Buffers) -> Any:
        if not isinstance(node, dict):
            if isinstance(node, list):
                raise Closed
            return node
        if "a" in node:
            return self._unpack_array(node, data)
        if "n" in node:
            return np.frombuffer(data.take(node["b"]), _dtype(node["n"]))[0]
        if "r" in node:
            return self._shared[node["r"]]
        if "d" in node:
            pairs = [(self._unpack(key, data), self._unpack(value, data)) for key, value in node["d"]]
            return self._known(node, dict(pairs), lambda old, new: (old.clear(), old.update(new)))
        if "t" in node:
            return tuple(self._unpack(item, data) for item in node["t"])
        if "l" in node:
            items = [self._unpack(item, data) for item in node["l"]]
            return self._known(node, items, lambda old, new: old.__setitem__(slice(None), new))
        if "s" in node:
            return {self._unpack(item, data) for item in node["s"]}
        if "e" in node:
            return ...
        if "c" in node:
            return complex(*node["c"])
        if "range" in node:
            return range(*node["range"])
        if "bytes" in node:
            return bytes(data.take(node["bytes"]))
        if "ao" in node:
            array = np.empty(len(node["items"]), dtype=object)
            array[:] = [self._unpack(item, data) for item in node["items"]]
            return array.reshape(node["ao"])
        if "h" in node:
            return self.stand_in(node["h"])
        return self._unpack_trusted(node, data)

    def _unpack_trusted(self, node: dict, data: Buffers) -> Any:
        if not self.trusted:
            raise Closed
        if "f" in node:
            return self.stand_in({"kind": "callback", "ref": node["f"], "name": node["name"]})
        value = pickle.loads(data.take(node["p"]))
        return self._known(node, value, lambda old, new: setattr(old.bit_generator, "state", new.bit_generator.state))

    def _unpack_array(self, node: dict, data: Buffers) -> np.ndarray:
        array = np.frombuffer(data.take(node["b"]), _dtype(node["a"])).reshape(node["shape"]).copy()

        def overwrite(old: np.ndarray, new: np.ndarray) -> None:
            writeable = old.flags.writeable
            old.flags.writeable = True
            old[...] = new
            old.flags.writeable = writeable

        array = self._known(node, array, overwrite)
        if node.get("w") is False:
            array.flags.writeable = False
        return array

    def _known(self, node: dict, new: Any, overwrite: Callable[[Any, Any], Any]) -> Any:
        """The shared object that `node` speaks of, brought up to date, or `new`, which becomes one."""
        name = node.get("o")
        if not isinstance(name, str):
            return new
        old = self._shared.get(name)
        if type(old) is type(new) and getattr(old, "shape", 0) == getattr(new, "shape", 0):
            overwrite(old, new)
            return old
        self.share(new, name)
        return new

    # What a call changed

    def state_of(self, values: Any) -> dict[str, Any]:
        """What the shared objects inside `values` hold now, by name."""
        state: dict[str, Any] = {}

        def visit(value: Any, depth: int = 0) -> None:
            name = self._names.get(id(value))
            if name is not None:
                state[name] = _held(value)
            if depth < _DEPTH and isinstance(value, dict | list | tuple):
                for item in value.values() if isinstance(value, dict) else value:
                    visit(item, depth + 1)

        visit(values)
        return state

    def changes(self, before: dict[str, Any], buffers: list[bytes]) -> list:
        """The shared objects that no longer hold what they held `before`, for :meth:`apply` on the other side."""
        changed = [name for name, state in before.items() if _held(self._shared[name]) != state]
        # Arrays first: a dictionary that is sent afterwards may refer to them.
        changed.sort(key=lambda name: not isinstance(self._shared[name], np.ndarray))
        packed = []
        for name in changed:
            value = self._shared[name]
            if isinstance(value, np.random.Generator):
                packed.append([name, {"state": self.pack(value.bit_generator.state, buffers)}])
                continue
            if isinstance(value, dict | list):
                for item in value.values() if isinstance(value, dict) else value:
                    if type(item) is np.ndarray and id(item) not in self._names:
                        packed.append([self.share(item), self.pack(item, buffers, share=True)])
            packed.append([name, self._top(value, buffers)])
        return packed

    def _top(self, value: Any, buffers: list[bytes]) -> Any:
        if isinstance(value, np.ndarray):
            return self.pack(value, buffers, share=True)
        if isinstance(value, dict):
            return {"d": [[self.pack(part, buffers) for part in pair] for pair in value.items()]}
        return {"l": [self.pack(item, buffers) for item in value]}

    def apply(self, changes: list, data: Buffers) -> None:
        """Bring this side's shared objects up to date."""
        try:
            for name, node in changes:
                if "state" in node:
                    self._shared[name].bit_generator.state = self._unpack(node["state"], data)
                else:
                    self._unpack({**node, "o": str(name)}, data)
        except Closed:
            raise
        except Exception:
            raise Closed from None


def _held(value: Any) -> Any:
    """What a shared object holds, to be compared with what it holds later."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, dict):
        return [(key, id(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [id(item) for item in value]
    return json.dumps(_plain(value.bit_generator.state), sort_keys=True)


def _dtype(text: str) -> np.dtype:
    dtype = np.dtype(str(text))
    if dtype.kind not in _KINDS or dtype.names:
        raise Closed
    return dtype


def _plain(value: Any) -> Any:
    """A generator's state as JSON can hold it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def _importable(value: Any) -> bool:
    """Whether the other side finds `value` by its name in a library."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    found = sys.modules.get(module) if isinstance(module, str) else None
    if found is None or module.split(".")[0] in ("exercises", "__main__"):
        return False
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is value


def _libraries(value: Any) -> list[str]:
    """The names of the library classes or functions that `value` is, is an instance of, or derives from."""
    subjects = value.__mro__ if isinstance(value, type) else (value, *type(value).__mro__)
    names = []
    for subject in subjects:
        module = getattr(subject, "__module__", None)
        if isinstance(module, str) and module.split(".")[0] not in ("builtins", "answer"):
            names.append(f"{module}:{getattr(subject, '__qualname__', '')}")
    return names


def _signature(value: Any) -> list | None:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, int(p.kind), None if p.default is p.empty else _shown(p.default)] for p in parameters]


def _shown(value: Any) -> str:
    try:
        return repr(value)[:200]
    except Exception:
        return "..."
