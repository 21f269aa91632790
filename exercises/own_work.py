"""Whether an answer is the student's own: not the library's class, PyTorch's, or the solution that stands in here."""

import dis
import functools
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

from exercises.definition import Exercise, clean

# Modules whose functions and classes are answers. The base class that every optimizer is written on is none.
_LENDERS = {
    "optim_lib.optimizers": "the library's",
    "optim_lib.schedules": "the library's",
    "optim_lib.descent": "the library's",
    "optim_lib.measure": "the library's",
    "experiments": "the library's",
    "torch.optim": "PyTorch's",
    "optax": "Optax's",
    "keras": "Keras's",
}
_FREE = ("optim_lib.optimizers.base", "optim_lib.optimizers.fields", "optim_lib.optimizers.state")


def borrowed(exercise: Exercise, answer: Any) -> str:
    """A sentence when `answer` is, or consists of calls to, what the exercise asks the student to write; or ``""``."""
    if isinstance(answer, str) and exercise.kind != "value":
        solved = clean(answer) == exercise.solution
        return "This is the text of a solution. Write the answer yourself and pass that." if solved else ""
    return told(exercise, lent(answer))


def told(exercise: Exercise, found: Iterable[tuple[str, str, bool]]) -> str:
    """The sentence for what :func:`lent` found in an answer to `exercise`, or the empty string."""
    allowed = _names_in_sources(exercise)
    for name, owner, calls in found:
        if name not in allowed:
            if calls:
                return f"Your answer calls {owner} `{name}`. Write that part yourself: it is what this exercise is for."
            return f"This is {owner} own `{name}`. Write yours: that is what this exercise is for."
    return ""


def lent(answer: Any) -> list[tuple[str, str, bool]]:
    """Of each thing of a library's in `answer`: its name, whose it is, and whether it is only called in there."""
    found = [(getattr(each, "__name__", ""), _lender(each), calls) for each, calls in _foreign(answer)]
    return [(name, owner, calls) for name, owner, calls in found if owner]


def is_handed_out(exercise: Exercise, answer: Any) -> bool:
    """Whether `answer` was made by ``exec`` from the text of the solution, and not written in a cell or a file."""
    files = {code.co_filename for code in _codes(answer)}
    return files == {"<string>"} and fingerprint(answer) == fingerprint(exercise.load(exercise.solution))


def _lender(found: Any) -> str:
    module = getattr(found, "__module__", None) or ""
    if not isinstance(module, str) or module.startswith(_FREE):
        return ""
    for lender, owner in _LENDERS.items():
        if module == lender or module.startswith(lender + "."):
            return owner
    return ""


def _foreign(answer: Any) -> Iterator[tuple[Any, bool]]:
    """What `answer` is or is made from, each with whether it is only called in there."""
    while isinstance(answer, functools.partial | types.MethodType):
        answer = answer.func if isinstance(answer, functools.partial) else answer.__func__
    if isinstance(answer, type):
        yield from ((cls, False) for cls in answer.__mro__)
    elif callable(answer):
        yield answer, False
    for code, names in _codes(answer).items():
        yield from ((found, True) for found in _used(code, names))


def _codes(answer: Any) -> dict[types.CodeType, dict]:
    """The code of a function, or of the functions in a class, each with its global names."""
    members = vars(answer).values() if isinstance(answer, type) else [answer]
    functions = [getattr(member, "__func__", member) for member in members]
    codes = {}
    for function in functions:
        if isinstance(function, types.FunctionType):
            codes |= dict.fromkeys(_nested(function.__code__), function.__globals__)
    return codes


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _used(code: types.CodeType, names: dict) -> Iterator[Any]:
    """The global objects that `code` reads, those inside modules and those that it imports included."""
    module: Any = None
    for instruction in dis.get_instructions(code):
        operation, name = instruction.opname, instruction.argval
        if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
            value = names.get(name)
        elif operation == "IMPORT_NAME":
            value = sys.modules.get(name)
        elif operation in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"):
            value = getattr(module, name, None) if module else None
        else:
            continue
        if isinstance(value, types.ModuleType):
            module = value
        else:
            module = module if operation == "IMPORT_FROM" else None
            if value is not None:
                yield value


@functools.cache
def _names_in_sources(exercise: Exercise) -> frozenset[str]:
    """Every name that the exercise's own texts use: what the student may use as well."""
    sources = [exercise.setup, exercise.starter, exercise.solution]
    sources += [accepted.source for accepted in exercise.accepted_answers]
    names: set[str] = set()
    for source in sources:
        for code in _nested(compile(clean(source), "<names>", "exec")):
            names.update(code.co_names)
    return frozenset(names - {exercise.answer})


def fingerprint(answer: Any) -> Any:
    """What a function or class compiles to, without names of files, line numbers and docstrings."""
    if isinstance(answer, type):
        members = {name: value for name, value in vars(answer).items() if not name.startswith("__") or callable(value)}
        return {name: fingerprint(value) for name, value in members.items() if name != "__weakref__"}
    if isinstance(answer, types.FunctionType):
        defaults = repr(answer.__defaults__), repr(answer.__kwdefaults__)
        return _code_fingerprint(answer.__code__), defaults
    return repr(answer) if isinstance(answer, int | float | str | tuple | None) else repr(type(answer))


def _code_fingerprint(code: types.CodeType) -> tuple:
    consts = code.co_consts[1:] if code.co_consts and isinstance(code.co_consts[0], str) else code.co_consts
    nested = tuple(_code_fingerprint(c) if isinstance(c, types.CodeType) else repr(c) for c in consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, nested
