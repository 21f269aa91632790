"""Call a student's code safely: copies of its inputs, a record of its outputs, errors told in its own lines.

A check never meets the student's function itself but a guard around it. The guard turns everything that
can go wrong in a call into one sentence, and records what came out, so that the grader can compare the
behavior of two answers.
"""

import inspect
import linecache
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from exercises.compare import NotAttempted, Wrong, kind_of, plural
from exercises.sandbox import Clock, Originals, TimeUp
from optim_lib.libraries import is_installed

_PROJECT = Path(__file__).resolve().parent.parent
_OWN = (str(_PROJECT / "exercises"), str(_PROJECT / "optim_lib"))
MOST_ITEMS = 1_000_000


class AnswerError(Exception):
    """The student's code raised an exception; the message says which and where."""


class Guard:
    """What one run of one check needs to know: the record of outputs, the changed inputs, the clock.

    Parameters
    ----------
    changes : tuple of int
        Positions of the arguments that the answer is asked to change in place.
    none_ok : bool
        Whether the answer may return None.
    clock : Clock
        Runs while the student's code does.
    shaken : bool
        True to change every number that is handed to the answer a little: two answers that make the same mistake
        still agree, two that only coincide on the inputs of the check do not.
    """

    def __init__(
        self,
        changes: tuple[int, ...] = (),
        none_ok: bool = False,
        clock: Clock | None = None,
        shaken: bool = False,
    ) -> None:
        self.changes = changes
        self.none_ok = none_ok
        self.clock = clock or Clock(math.inf)
        self.handed = shaken_copy if shaken else snapshot
        self.originals = Originals()
        self.events: list[Any] = []
        self.changed_inputs: list[str] = []
        self.given_single = False

    def around(self, answer: Any, name: str) -> Any:
        """`answer` as a check meets it: functions and classes guarded, values recorded and passed on."""
        if isinstance(answer, type):
            return GuardedClass(self, answer, name)
        if callable(answer):
            return GuardedFunction(self, answer, name, self.changes)
        if answer is None:
            raise Wrong(f"`{name}` is None: assign your answer to it.")
        if not isinstance(answer, Mapping):  # of a dict of answers, those that are there are graded
            _refuse_ellipsis(answer)
        self.events.append(_recorded(answer))
        return answer

    def call(self, function: Any, name: str, args: tuple, kwargs: dict, changes: tuple[int, ...]) -> Any:
        """Call the student's `function` on copies, record what came out, and return it."""
        given = [arg if index in changes else self.handed(arg) for index, arg in enumerate(args)]
        given_kwargs = {key: self.handed(value) for key, value in kwargs.items()}
        before = [snapshot(arg) for arg in given], snapshot(given_kwargs)
        if holds_single([given, given_kwargs]) and not holds_single(self.events):  # not its own, handed back
            self.given_single = True
        result = self.run(lambda: _called(function, name, given, given_kwargs))
        changed = [given[index] for index in changes if index < len(given)]
        self.events.append(_recorded([result, changed]))
        self._note_changes(function, name, given, given_kwargs, before, changes)
        return result

    def run(self, code: Callable[[], Any], passing: tuple[type[Exception], ...] = ()) -> Any:
        """Run a piece of the student's code: timed, NumPy put back afterwards, errors told in the student's lines.

        Exceptions of the types `passing` are no errors and go on as they are.
        """
        try:
            with self.clock.running():
                return code()
        except (Wrong, NotAttempted, KeyboardInterrupt, TimeUp, *passing):
            raise
        except BaseException as error:
            self.events.append((type(error).__name__, text_of(error)))
            raise as_answer_error(error) from error
        finally:
            self.originals.put_back()

    @property
    def made_single(self) -> bool:
        """Whether the answer computed in single precision, without having been handed any."""
        return not self.given_single and holds_single(self.events)

    def _note_changes(self, function, name, given, given_kwargs, before, changes) -> None:
        names = _argument_names(function, len(given))
        for index, (now, then) in enumerate(zip(given, before[0], strict=True)):
            if index not in changes and not same(now, then):
                self._note_change(name, names[index])
        for key, then in before[1].items():
            if not same(given_kwargs[key], then):
                self._note_change(name, key)

    def _note_change(self, name: str, argument: str) -> None:
        sentence = (
            f"`{name}` changes its argument `{argument}` in place, so the caller's values are lost: "
            f"`a = a + b` makes a new array, `a += b` changes the old one."
        )
        if sentence not in self.changed_inputs:
            self.changed_inputs.append(sentence)


class GuardedFunction:
    """A student's function or method, called through a guard."""

    def __init__(self, guard: Guard, function: Any, name: str, changes: tuple[int, ...] = ()) -> None:
        self._guard, self._function, self._changes = guard, function, changes
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self._guard.call(self._function, self.__name__, args, kwargs, self._changes)
        if result is None and not self._guard.none_ok:
            raise Wrong(f"`{self.__name__}` returned None: is a `return` missing?")
        _refuse_ellipsis(result)
        if isinstance(result, Iterator):
            return self._items(result)
        return result

    def _items(self, iterator: Iterator) -> Iterator:
        """The items of a generator that the student wrote, each recorded."""
        for _ in range(MOST_ITEMS):
            try:
                item = self._guard.run(lambda: next(iterator), passing=(StopIteration,))
            except StopIteration:
                return
            _refuse_ellipsis(item)
            self._guard.events.append(_recorded(item))
            yield item
        raise Wrong(f"`{self.__name__}` goes on for more than {MOST_ITEMS:,} items: does it never end?")


class GuardedClass:
    """A student's class; making an instance and calling its methods go through a guard."""

    def __init__(self, guard: Guard, cls: type, name: str) -> None:
        self._guard, self._class = guard, cls
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> "GuardedInstance":
        instance = self._guard.call(self._class, self.__name__, args, kwargs, ())
        return GuardedInstance(self._guard, instance, self.__name__)

    def __getattr__(self, name: str) -> Any:
        return _attribute(self._guard, self._class, name, self.__name__)


class GuardedInstance:
    """An instance of a student's class: attributes pass through, methods are guarded."""

    def __init__(self, guard: Guard, instance: Any, name: str) -> None:
        object.__setattr__(self, "_guard", guard)
        object.__setattr__(self, "_instance", instance)
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name: str) -> Any:
        return _attribute(self._guard, self._instance, name, self._name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._instance, name, value)


def raw(answer: Any) -> Any:
    """The student's own object inside a guard, for code that needs the class or function itself."""
    for name in ("_instance", "_class", "_function"):
        if isinstance(answer, GuardedInstance | GuardedClass | GuardedFunction) and name in vars(answer):
            return vars(answer)[name]
    return answer


def unchanged_inputs(answer: Any) -> None:
    """Raise `Wrong` when the guarded `answer` has changed an input in place during this check.

    A check calls the answer first and this afterwards. Without such a check a change is reported but
    costs no points.
    """
    changed = answer._guard.changed_inputs
    if changed:
        raise Wrong(changed[0])


def as_answer_error(error: BaseException) -> Exception:
    """The exception that the grader reports for one that the student's code raised."""
    message = text_of(error).strip()
    if isinstance(error, TypeError) and "ellipsis" in message.lower():
        return NotAttempted()
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return AnswerError(f"Your code stopped with `{text}`{place_of(error.__traceback__)}.")


def text_of(error: BaseException) -> str:
    """``str(error)``, also when that raises; NumPy's usual integers, int64 here and int32 in a browser, are ``int``."""
    try:
        return str(error).replace(f"'{np.dtype(int).name}'", "'int'")
    except BaseException:
        return ""


def place_of(traceback: TracebackType | None) -> str:
    """``" in line 4: `m = beta * n`"``: the deepest line of the student's in a traceback."""
    deepest = None
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if not filename.startswith((*_OWN, "<frozen", "<__array_function__")) and not is_installed(filename):
            deepest = filename, traceback.tb_lineno, traceback.tb_frame.f_globals
        traceback = traceback.tb_next
    if deepest is None:
        return ""
    line = linecache.getline(*deepest).strip()
    return f" in line {deepest[1]}" + (f": `{line}`" if line else "")


def passes_through(traceback: TracebackType | None, answer: Any) -> bool:
    """Whether an exception came from code in the file, or notebook cell, of the student's `answer`."""
    functions = vars(answer).values() if isinstance(answer, type) else [answer]
    files = {function.__code__.co_filename for function in functions if hasattr(function, "__code__")}
    while traceback is not None and traceback.tb_frame.f_code.co_filename not in files:
        traceback = traceback.tb_next
    return traceback is not None


def snapshot(value: Any) -> Any:
    """A copy of the arrays in `value`, through dicts, lists and tuples; other objects as they are."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {key: snapshot(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(snapshot(item) for item in value)
    return value


def holds_single(value: Any) -> bool:
    """Whether there is a number of half or single precision in `value`, through dicts, lists and tuples."""
    if isinstance(value, np.ndarray | np.floating):
        return value.dtype in (np.float16, np.float32)
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list | tuple) and any(map(holds_single, value))


def shaken_copy(value: Any) -> Any:
    """A copy of `value` with every number that is not whole made smaller, by up to a thousandth of itself.

    Shares stay below one, zeros zero, and symmetric matrices symmetric.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        noise = np.random.default_rng(value.size).uniform(size=value.shape)
        if value.ndim == 2 and value.shape[0] == value.shape[1] and np.array_equal(value, value.T, equal_nan=True):
            noise = (noise + noise.T) / 2
        return value * (1 - 1e-3 * noise)
    if isinstance(value, float):
        return value * (1 - 0.7e-3)
    if type(value) is dict:
        return {key: shaken_copy(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(shaken_copy(item) for item in value)
    return snapshot(value)


def _recorded(value: Any) -> Any:
    """A snapshot that two answers can share, of plain types: objects of their own classes become one mark."""
    if isinstance(value, np.ndarray):
        return np.array(value) if value.dtype.kind in "buifUS" else "<object>"
    if isinstance(value, Mapping):
        return {str(key): _recorded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_recorded(item) for item in value]
    if isinstance(value, str):
        return str.__str__(value)
    if value is None or isinstance(value, bool | np.number):
        return value
    if isinstance(value, int | float):
        return float(value) if isinstance(value, float) else int(value)
    return "<object>"


def same(one: Any, other: Any, rtol: float = 0.0) -> bool:
    """Whether two snapshots hold the same, numbers to within `rtol` of the largest."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key], rtol) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b, rtol) for a, b in zip(one, other, strict=True))
    if _is_numeric(one) and _is_numeric(other):
        one, other = np.asarray(one), np.asarray(other)
        if one.shape != other.shape:
            return False
        size = np.abs(other[np.isfinite(other)]).max(initial=0.0)
        return np.allclose(one, other, rtol=0, atol=rtol * size, equal_nan=True)
    if one is other:
        return True
    return isinstance(one, str | bool | None) and type(one) is type(other) and one == other


def _is_numeric(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "buif"
    return isinstance(value, int | float | np.number)


def _refuse_ellipsis(result: Any) -> None:
    """Raise `NotAttempted` when an answer is, or directly holds, the starter's ``...``."""
    if isinstance(result, Mapping):
        result = tuple(result.values())
    if result is ... or (isinstance(result, tuple | list) and any(item is ... for item in result)):
        raise NotAttempted


def _attribute(guard: Guard, owner: Any, name: str, owner_name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        value = guard.run(lambda: getattr(owner, name), passing=(AttributeError,))
    except AttributeError:
        raise Wrong(f"`{owner_name}` has no method or attribute `{name}`.") from None
    if value is ...:
        raise NotAttempted
    if inspect.isroutine(value):
        return GuardedFunction(guard, value, name, guard.changes)
    return value


def _called(function: Any, name: str, args: list, kwargs: dict) -> Any:
    """`function(*args, **kwargs)`; when it does not take these arguments, a sentence that says what it takes."""
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        # Not raised in the function's own code, here or in the process of a stand-in.
        if error.__traceback__.tb_next is None or getattr(error, "of_the_call", False):
            _match_signature(function, name, args, kwargs)
        raise


def _match_signature(function: Any, name: str, args: list, kwargs: dict) -> None:
    """Raise `Wrong` when `function` cannot be called so, saying how it is called and what it takes."""
    try:
        signature = inspect.signature(function)
        signature.bind(*args, **kwargs)
    except ValueError:
        return
    except TypeError as error:
        shown = ", ".join([*map(kind_of, args), *(f"{key}={kind_of(value)}" for key, value in kwargs.items())])
        raise Wrong(
            f"`{name}` is called with {plural(len(args) + len(kwargs), 'argument')} ({shown}), but yours is "
            f"`{name}({_plain(signature)})`: {error}."
        ) from None


def _plain(signature: inspect.Signature) -> str:
    return ", ".join(str(parameter) for parameter in signature.parameters.values())


def _argument_names(function: Any, count: int) -> list[str]:
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return [names[index] if index < len(names) else f"number {index + 1}" for index in range(count)]
