"""What a student has reached: kept best score by best score, written atomically, never lowered, never lost.

Everything here works on *entries*, one for each exercise, under its number. An entry also names the answer that the
exercise asks for (``adam_step``), so that points stay with their exercise when another is inserted before it and the
numbers move. Where the entries are kept is a :class:`Store`: a file (:class:`FileStore`, the default), or a text that
someone else keeps (:class:`TextStore`, for a page in the browser). :func:`export` and :func:`merge_in` carry a record
from one to the other, in both directions.

In a file, a save writes a temporary file, makes it durable and renames it over the old one, all under a lock, so a
reader or a crash sees the old file or the new one and nothing between. A second copy is kept the same way.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

SCHEMA = 1
LOCK_SECONDS = 5.0
_STATUSES = ("wrong", "partial", "right", "error")
_SCORE = ("points", "max_points", "status", "after_solution")
Entries = dict[str, dict[str, Any]]


class Unreadable(Exception):
    """A record is damaged; `entries` holds those that are whole."""

    def __init__(self, entries: Entries | None = None) -> None:
        super().__init__("the progress file is damaged")
        self.entries = entries or {}


class Foreign(Exception):
    """A record was written by a newer version of the course."""


class Store(Protocol):
    """Where the entries are kept."""

    def load(self) -> tuple[Entries, str]:
        """The entries by exercise number, and a sentence when something has to be said about them."""

    def change(self, change: Callable[[Entries], Any]) -> str:
        """Let `change` alter the entries and keep the outcome; return a sentence when that could not be done."""


_plugged: Store | None = None


def use(store: Store | None) -> None:
    """Keep everything in `store` from now on; None returns to the file."""
    global _plugged
    _plugged = store


def path() -> Path:
    """The file where progress is kept: ``OPTIM_COURSE_PROGRESS``, or ``progress.json`` in the user's data folder.

    A relative ``OPTIM_COURSE_PROGRESS`` is taken from the user's data folder too: a notebook's kernel and a terminal
    stand in different folders, and must find the same file.
    """
    chosen = os.environ.get("OPTIM_COURSE_PROGRESS") or "progress.json"
    return _data_folder() / Path(chosen).expanduser()


def load() -> tuple[Entries, str]:
    """The entries by exercise number, and a sentence when something about the record has to be said."""
    return _store().load()


def entry_of(entries: Entries, id: str, answer: str) -> dict[str, Any]:
    """The entry of the exercise that asks for `answer` and now has the number `id`; empty when there is none."""
    key = _key(entries, id, answer)
    return entries[key] if key else {}


def save_score(id: str, points: int, max_points: int, status: str, answer: str = "") -> str:
    """Note an attempt; the best score stands. Return a sentence when it could not be saved."""

    def change(entry: dict) -> None:
        entry["attempts"] = entry.get("attempts", 0) + 1
        if points > entry.get("points", -1):
            entry.update(points=points, max_points=max_points, status=status)
            entry["after_solution"] = bool(entry.get("solution_seen")) and points > 0

    return _save(id, answer, change)


def save_hint(id: str, number: int, answer: str = "") -> str:
    """Note that a hint was shown."""
    return _save(id, answer, lambda entry: entry.update(hints=max(number, entry.get("hints", 0))))


def save_solution_seen(id: str, answer: str = "") -> str:
    """Note that the solution was shown; points earned from now on are marked."""
    return _save(id, answer, lambda entry: entry.update(solution_seen=True))


def export() -> str:
    """The whole record as text: what :func:`merge_in` takes, and what stands in the file."""
    return as_text(load()[0])


def merge_in(text: str) -> str:
    """Merge an exported record into this one, so that nothing of either is lost.

    Merging the same text again changes nothing. Returns a sentence when it could not be saved.

    Raises
    ------
    ValueError
        When `text` is not a record, or of a newer version of the course; nothing is changed then.
    """
    try:
        other = from_text(text, "the record to be merged")
    except Unreadable as unreadable:
        if not unreadable.entries:
            raise ValueError("this is not a record of the course's progress, or it is damaged") from None
        other = unreadable.entries
    except Foreign as foreign:
        raise ValueError(str(foreign)) from None

    def change(entries: Entries) -> None:
        merged = merge(entries, other)
        entries.clear()
        entries.update(merged)

    return _store().change(change)


def merge(one: Entries, other: Entries) -> Entries:
    """Both records in one: of each exercise the better score, the larger counts, and whatever only one knows.

    In whichever order, and however often, records are merged, the same scores come out.
    """
    merged = {id: dict(entry) for id, entry in one.items()}
    for id, entry in other.items():
        key = _claim(merged, id, entry.get("answer", ""))
        merged[key] = _better_of(merged.get(key, {}), entry)
    return merged


def from_text(text: str, name: str) -> Entries:
    """The entries in `text`; `name` is what a sentence calls the record.

    Raises
    ------
    Unreadable, Foreign
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        raise Unreadable
    if content["schema"] > SCHEMA:
        raise Foreign(f"{name} belongs to a newer version of the course and is left as it is.")
    entries = content.get("exercises")
    if not isinstance(entries, dict):
        raise Unreadable
    whole = {id: entry for id, entry in entries.items() if _is_entry(entry)}
    if len(whole) < len(entries):
        raise Unreadable(whole)
    return entries


def as_text(entries: Entries) -> str:
    """The entries as they stand in a file."""
    return json.dumps({"schema": SCHEMA, "exercises": entries}, indent=1, sort_keys=True) + "\n"


def reset() -> Path | None:
    """Start afresh; the old file is kept beside it. Return where, or None when there was none.

    Raises
    ------
    OSError
    """
    return FileStore(path()).reset()


class TextStore:
    """A record that someone else keeps as a text: ``read()`` gives it (or None), ``write(text)`` keeps it."""

    def __init__(self, read: Callable[[], str | None], write: Callable[[str], Any]) -> None:
        self._read_text, self._write_text = read, write

    def load(self) -> tuple[Entries, str]:
        text = self._read_text()
        try:
            return (from_text(text, "Your record") if text else {}), ""
        except Unreadable as unreadable:
            return unreadable.entries, "Your record was damaged; what is whole in it goes on."
        except Foreign as foreign:
            return {}, str(foreign)

    def change(self, change: Callable[[Entries], Any]) -> str:
        text = self._read_text()
        try:
            entries = from_text(text, "the record") if text else {}
        except Unreadable as unreadable:
            entries = unreadable.entries
        except Foreign as foreign:
            return f"Your progress was not saved: {foreign}"
        change(entries)
        self._write_text(as_text(entries))
        return ""


class FileStore:
    """A record in a file, with a second copy beside it."""

    def __init__(self, file: Path) -> None:
        # The file itself when `file` is a link, so that a rename does not replace the link.
        self.file = Path(os.path.realpath(file))
        self.copy = self.file.with_name(self.file.name + ".copy")

    def load(self) -> tuple[Entries, str]:
        try:
            return self._read(self.file), ""
        except FileNotFoundError:
            return self._mend_for_reading() if self.copy.exists() else ({}, "")
        except Foreign as foreign:
            return {}, str(foreign)
        except OSError as error:
            return {}, f"{self.file} cannot be read ({_reason(error)})."
        except Unreadable:
            return self._mend_for_reading()

    def change(self, change: Callable[[Entries], Any]) -> str:
        try:
            self._refuse_read_only()
            with self._lock():
                entries, notice = self._read_or_mend()
                change(entries)
                self._write_both(entries)
                return notice
        except Foreign as foreign:
            return f"Your progress was not saved: {foreign}"
        except TimeoutError:
            return f"Your progress was not saved: another program holds {self.file}.lock."
        except (OSError, NotImplementedError) as error:
            return f"Your progress was not saved: {self.file} cannot be written ({_reason(error)}). The grade stands."

    def reset(self) -> Path | None:
        present = [file for file in (self.file, self.copy) if file.exists()]
        if not present:
            return None
        with self._lock():
            kept = self._free_name("backup")
            os.replace(present[0], kept)
            self.copy.unlink(missing_ok=True)
        return kept

    def _read(self, file: Path) -> Entries:
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise Unreadable from None
        return from_text(text, str(file))

    def _mend_for_reading(self) -> tuple[Entries, str]:
        try:
            with self._lock():
                return self._read_or_mend()
        except Foreign as foreign:
            return {}, str(foreign)
        except (OSError, NotImplementedError):
            return self._read_copy(), f"{self.file} is missing or damaged and could not be mended: this is its copy."

    def _read_or_mend(self) -> tuple[Entries, str]:
        """The entries; a damaged file is first set aside, and what is whole in it or its copy goes on."""
        try:
            return self._read(self.file), ""
        except FileNotFoundError:
            return self._restore() if self.copy.exists() else ({}, "")
        except Unreadable as unreadable:
            entries = self._read_copy() | unreadable.entries
        kept = self._free_name("corrupt")
        shutil.copyfile(self.file, kept)
        self._write_both(entries)
        rest = "the second copy is used instead" if entries else "a new one is started"
        return entries, f"The progress file was damaged; it is kept as {kept}, and {rest}."

    def _restore(self) -> tuple[Entries, str]:
        """The entries of a copy whose file is gone."""
        try:
            entries, kept = self._read(self.copy), ""
        except Unreadable as unreadable:
            entries, kept = unreadable.entries, self._free_name("corrupt")
            shutil.copyfile(self.copy, kept)
        self._write_both(entries)
        damaged = f", which was damaged and is kept as {kept}" if kept else ""
        return entries, f"{self.file} was gone; it is restored from its second copy{damaged}."

    def _read_copy(self) -> Entries:
        try:
            return self._read(self.copy)
        except (OSError, Foreign):
            return {}
        except Unreadable as unreadable:
            return unreadable.entries

    def _write_both(self, entries: Entries) -> None:
        text = as_text(entries)
        self._write(self.file, text)
        self._write(self.copy, text)

    @staticmethod
    def _write(file: Path, text: str) -> None:
        temporary = file.with_name(file.name + ".tmp")
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)

    def _refuse_read_only(self) -> None:
        """A file that its owner made read-only stays as it is, though a rename could replace it."""
        if self.file.exists() and not self.file.stat().st_mode & 0o222:
            raise PermissionError(None, "it is read-only")

    def _lock(self) -> contextlib.AbstractContextManager:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            from filelock import FileLock
        except ModuleNotFoundError:  # as in a browser, where there is one process
            return contextlib.nullcontext()
        return FileLock(self.file.with_name(self.file.name + ".lock"), timeout=LOCK_SECONDS)

    def _free_name(self, word: str) -> Path:
        number = 1
        while (name := self.file.with_name(f"{self.file.name}.{word}-{number}")).exists():
            number += 1
        return name


def _store() -> Store:
    return _plugged or FileStore(path())


def _data_folder() -> Path:
    try:
        from platformdirs import user_data_dir
    except ModuleNotFoundError:
        return Path.home() / ".understanding-optimizers"
    return Path(user_data_dir("understanding-optimizers", appauthor=False))


def _save(id: str, answer: str, change: Callable[[dict], Any]) -> str:
    """Change one entry; return a sentence when that could not be saved."""

    def change_entry(entries: Entries) -> None:
        entry = entries.setdefault(_claim(entries, id, answer), {})
        change(entry)
        if answer:
            entry["answer"] = answer

    return _store().change(change_entry)


def _key(entries: Entries, id: str, answer: str) -> str | None:
    """Where the entry of an exercise stands: under its number, or, when numbers have moved, wherever its answer is."""
    if id in entries and _same_answer(entries[id], answer):
        return id
    chapter = id.split(".")[0]
    for key, entry in entries.items():
        if answer and entry.get("answer") == answer and key.split(".")[0] == chapter:
            return key
    return None


def _same_answer(entry: dict, answer: str) -> bool:
    """Entries of early versions name no answer: they go by their number."""
    return not answer or entry.get("answer", answer) == answer


def _claim(entries: Entries, id: str, answer: str) -> str:
    """Make `id` the key of this exercise's entry; one of another exercise that stands there is moved aside."""
    key = _key(entries, id, answer)
    entry = entries.pop(key) if key else None
    if id in entries:
        other = entries.pop(id)
        aside = f"{id} {other['answer']}"
        entries[aside] = _better_of(entries.get(aside, {}), other)
    if entry is not None:
        entries[id] = entry
    return id


def _better_of(one: dict, other: dict) -> dict:
    """One entry of two: the score that is higher (at equal points, the one reached without the solution)."""

    def rank(entry: dict) -> tuple:
        return entry.get("points", -1), not entry.get("after_solution"), *map(str, map(entry.get, _SCORE))

    better = max(one, other, key=rank)
    merged = {name: better[name] for name in _SCORE if name in better}
    for name in (one.keys() | other.keys()) - set(_SCORE):
        values = [entry[name] for entry in (one, other) if name in entry]
        if name in ("attempts", "hints"):
            merged[name] = max(values)
        elif name == "solution_seen":
            merged[name] = any(values)
        else:
            merged[name] = max(values, key=lambda value: json.dumps(value, sort_keys=True))
    return merged


def _is_entry(entry: Any) -> bool:
    """Whether an entry has the types that everything here relies on."""
    if not isinstance(entry, dict) or entry.get("status", "wrong") not in _STATUSES:
        return False
    if not isinstance(entry.get("answer", ""), str):
        return False
    numbers = [entry.get(name, 0) for name in ("points", "max_points", "attempts", "hints")]
    return all(type(value) is int and value >= 0 for value in numbers)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
