"""What decides the result of a run, as one short string: the code that it reaches, and the data."""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib
import inspect
import sys
import types
import weakref
from collections.abc import Iterator
from importlib.util import find_spec, resolve_name
from typing import Any

import numpy as np

from optim_lib.libraries import is_installed

# What Python keeps in a class for itself.
BOOKKEEPING = {
    "__abstractmethods__", "__annotations__", "__dataclass_fields__", "__dataclass_params__", "__dict__", "__doc__",
    "__firstlineno__", "__match_args__", "__module__", "__parameters__", "__signature__", "__static_attributes__",
    "__slotnames__", "__weakref__", "_abc_impl",
}  # fmt: skip


def fingerprint(*things: Any) -> str:
    """A string that is another one if the code, the numbers or the arrays of these things are others.

    Functions and classes of the course and of the user are followed into everything they call; comments, docstrings and
    layout do not count. Of other packages, the version counts, and what their objects hold: the weights of a torch
    module, what a scaler has learned.

    Examples
    --------
    >>> def rule(theta, grad): return theta - 0.1 * grad
    >>> def same(theta, grad): return theta - 0.1 * grad
    >>> fingerprint(rule) == fingerprint(rule) != fingerprint(3)
    True
    """
    walk = _Walk()
    for thing in things:
        walk.over(thing)
    return walk.digest.hexdigest()[:32]


class _Walk:
    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.seen: dict[int, tuple[int, Any]] = {}

    def say(self, *words: Any) -> None:
        self.digest.update(("\x1f".join(map(str, words)) + "\x1e").encode())

    def over(self, thing: Any) -> None:
        if thing is None or isinstance(thing, bool | int | float | complex | str | bytes | np.generic):
            self.say(type(thing).__name__, repr(thing))
        elif id(thing) in self.seen:
            self.say("again", self.seen[id(thing)][0])
        else:
            self.seen[id(thing)] = len(self.seen), thing  # kept alive, so that no other object gets its id
            self._over_new(thing)

    def _over_new(self, thing: Any) -> None:
        for kinds, way in _WAYS:
            if isinstance(thing, kinds):
                return way(self, thing)
        if hasattr(thing, "__wrapped__"):
            return self.over(thing.__wrapped__)
        self.say("object", getattr(thing, "__name__", ""))
        self.over(type(thing))
        return self.over(_attributes(thing)) if _is_ours(type(thing).__module__) else self._foreign(thing)

    def _all(self, word: str, things: Any) -> None:
        things = list(things)
        self.say(word, len(things))
        for thing in things:
            self.over(thing)

    def _array(self, array: np.ndarray) -> None:
        self.say("array", array.dtype, array.shape)
        if array.dtype.hasobject:
            self._all("objects", array.ravel().tolist())
        else:
            self.digest.update(np.ascontiguousarray(array).tobytes())

    def _dict(self, mapping: Any) -> None:
        self._all("dict", (part for key in sorted(mapping, key=repr) for part in (key, mapping[key])))

    def _module(self, module: types.ModuleType) -> None:
        if not _is_ours(module.__name__):
            return self.say("module", module.__name__, _version(module.__name__))
        own = {n: v for n, v in vars(module).items() if getattr(v, "__module__", None) == module.__name__}
        return self._all("module", (own[name] for name in sorted(own)))

    def _class(self, cls: type) -> None:
        if not _is_ours(cls.__module__):
            return self.say("class", cls.__module__, cls.__qualname__, _version(cls.__module__))
        self.say("class", cls.__qualname__)
        for owner in cls.__mro__[1:-1]:
            self.over(owner)
        own = {name: value for name, value in vars(cls).items() if name not in BOOKKEEPING}
        return self.over(own)

    def _function(self, function: types.FunctionType) -> None:
        code = function.__code__
        if not _is_ours(function.__module__):
            return self.say("function", function.__module__, function.__qualname__, _version(function.__module__))
        self.say("function", _byte_code(code))
        self._all("defaults", (function.__defaults__, function.__kwdefaults__))
        cells = [cell for cell in function.__closure__ or () if _is_filled(cell)]
        self._all("closure", (cell.cell_contents for cell in cells))
        names = _names(code)
        used = {name: function.__globals__[name] for name in sorted(names & function.__globals__.keys())}
        imported = _imported(code, function.__globals__.get("__package__"))
        used |= {f"import {name}": thing for name, thing in sorted(imported, key=_first)}
        self._all("globals", (part for name in used for part in (name, used[name])))
        # Of a module of the user's, also the numbers that are read from it: ``settings.RATE``.
        for module in used.values():
            if isinstance(module, types.ModuleType) and _is_ours(module.__name__):
                read = [name for name in sorted(names & vars(module).keys()) if not name.startswith("__")]
                self._all(f"of {module.__name__}", (part for name in read for part in (name, vars(module)[name])))

    def _foreign(self, thing: Any) -> None:
        """What an object of another package holds: as numbers if it is a tensor, as pickle would save it if not."""
        if hasattr(thing, "detach"):
            tensor = thing.detach().cpu()
            self.say("tensor", tensor.dtype)
            return self.over((tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).numpy())
        try:
            saved = thing.__reduce_ex__(4)
        except Exception:  # a lock, a file, a handle: of these only the type counts, and what else they have
            return self.over(_attributes(thing))
        if isinstance(saved, str):
            return self.say("saved", saved)
        return self._all("saved", (list(part) if isinstance(part, Iterator) else part for part in saved))


# What is asked in this order: the first kind that fits says how a thing is walked over.
_WAYS: list[tuple[Any, Any]] = [
    (np.ndarray, _Walk._array),
    (dict | types.MappingProxyType, _Walk._dict),
    (set | frozenset, lambda walk, thing: walk._all("set", sorted(thing, key=repr))),
    # A weak container remembers what has been met so far in this process; what decides a run is held by something else.
    (weakref.WeakSet | weakref.WeakKeyDictionary | weakref.WeakValueDictionary, lambda walk, thing: walk.say("weak")),
    (list | tuple, lambda walk, thing: walk._all(type(thing).__name__, thing)),
    (functools.partial, lambda walk, thing: walk._all("partial", (thing.func, thing.args, thing.keywords))),
    (types.ModuleType, _Walk._module),
    (type, _Walk._class),
    (types.MethodType, lambda walk, thing: walk._all("method", (thing.__func__, thing.__self__))),
    (types.FunctionType, _Walk._function),
    (property, lambda walk, thing: walk._all("property", (thing.fget, thing.fset))),
    (staticmethod | classmethod, lambda walk, thing: walk.over(thing.__wrapped__)),
]


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _attributes(thing: Any) -> dict[str, Any]:
    slots = [name for owner in type(thing).__mro__ for name in np.atleast_1d(vars(owner).get("__slots__", ())).tolist()]
    found = {name: getattr(thing, name) for name in slots if isinstance(name, str) and hasattr(thing, name)}
    return found | (vars(thing) if hasattr(thing, "__dict__") else {})


@functools.cache
def _byte_code(code: types.CodeType) -> tuple:
    """What a function does, as it was loaded: the file that it stood in may have been edited since."""
    constants = [_byte_code(c) if isinstance(c, types.CodeType) else _in_order(c) for c in code.co_consts]
    if _has_docstring(code):
        constants[0] = "docstring"
    return code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, tuple(constants)


def _has_docstring(code: types.CodeType) -> bool:
    flag = getattr(inspect, "CO_HAS_DOCSTRING", None)  # before Python 3.14 the first constant was a docstring or None
    if not code.co_flags & inspect.CO_OPTIMIZED or not code.co_consts:
        return False
    return bool(code.co_flags & flag) if flag else isinstance(code.co_consts[0], str | None)


def _in_order(constant: Any) -> str:
    return repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def _names(code: types.CodeType) -> set[str]:
    inner = [_names(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*inner)


def _imported(code: types.CodeType, package: str | None) -> Iterator[tuple[str, Any]]:
    """What a function imports inside itself, of the course's and the user's modules."""
    before: list[Any] = [None, None]  # what an import of a name takes from the stack: how far up, and what of it
    module = None
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            level = before[0] if isinstance(before[0], int) else 0
            module = _module_called("." * level + instruction.argval, package)
            if module:
                yield module.__name__, module
        elif instruction.opname == "IMPORT_FROM" and module:
            name = instruction.argval
            part = getattr(module, name, None) or _module_called(f"{module.__name__}.{name}", package)
            yield f"{module.__name__}.{name}", part
        before = [before[1], instruction.argval]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _imported(constant, package)


def _module_called(name: str, package: str | None) -> types.ModuleType | None:
    """A module of the course's or the user's; None if it is another's, or not there."""
    try:
        absolute = resolve_name(name, package or "")
        return importlib.import_module(absolute) if _is_ours(absolute) else None
    except ImportError:
        return None


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


@functools.cache
def _is_ours(module: str | None) -> bool:
    """Whether a module is the course's or the user's: no package that was installed, and none of Python's."""
    top = (module or "").partition(".")[0]
    if top in ("optim_lib", "exercises", "experiments", "__main__"):
        return True
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or getattr(sys.modules.get(top), "__file__", None)
    if file is None and top and top not in sys.modules:
        spec = find_spec(top)
        file = spec and spec.origin
        if spec is None:
            return False
    return file is None or not is_installed(file)


def _version(module: str) -> str:
    return str(getattr(sys.modules.get(module.partition(".")[0]), "__version__", ""))
