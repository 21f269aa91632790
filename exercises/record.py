"""The file that keeps a student's progress: written atomically, never lowered, never lost.

A save writes a temporary file, makes it durable and renames it over the old one, all under a lock, so a
reader or a crash sees the old file or the new one and nothing between. A second copy is kept the same way.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout

SCHEMA = 1
LOCK_SECONDS = 5.0
_STATUSES = ("wrong", "partial", "right", "error")


class Unreadable(Exception):
    """The file is damaged; `entries` holds those that are whole."""

    def __init__(self, entries: dict[str, dict] | None = None) -> None:
        super().__init__("the progress file is damaged")
        self.entries = entries or {}


class Foreign(Exception):
    """The file was written by a newer version of the course."""


def path() -> Path:
    """Where progress is kept: ``OPTIM_COURSE_PROGRESS``, or the user's data folder."""
    chosen = os.environ.get("OPTIM_COURSE_PROGRESS")
    if chosen:
        return Path(chosen).expanduser()
    return Path(platformdirs.user_data_dir("understanding-optimizers", appauthor=False)) / "progress.json"


def load() -> tuple[dict[str, dict], str]:
    """The entries by exercise id, and a sentence when something about the file has to be said."""
    file = _target(path())
    try:
        return _read(file), ""
    except FileNotFoundError:
        return {}, ""
    except Foreign as foreign:
        return {}, str(foreign)
    except OSError as error:
        return {}, f"{file} cannot be read ({_reason(error)})."
    except Unreadable:
        return _mend_for_reading(file)


def save_score(id: str, points: int, max_points: int, status: str) -> str:
    """Note an attempt; the best score stands. Return a sentence when it could not be saved."""

    def change(entry: dict) -> None:
        entry["attempts"] = entry.get("attempts", 0) + 1
        if points > entry.get("points", -1):
            entry.update(points=points, max_points=max_points, status=status)
            entry["after_solution"] = bool(entry.get("solution_seen")) and points > 0

    return _save(id, change)


def save_hint(id: str, number: int) -> str:
    """Note that a hint was shown."""
    return _save(id, lambda entry: entry.update(hints=max(number, entry.get("hints", 0))))


def save_solution_seen(id: str) -> str:
    """Note that the solution was shown; points earned from now on are marked."""
    return _save(id, lambda entry: entry.update(solution_seen=True))


def reset() -> Path | None:
    """Start afresh; the old file is kept beside it. Return where, or None when there was none.

    Raises
    ------
    OSError, filelock.Timeout
    """
    file = _target(path())
    if not file.exists():
        return None
    with _lock(file):
        kept = _free_name(file, "backup")
        os.replace(file, kept)
        _copy_of(file).unlink(missing_ok=True)
    return kept


def _save(id: str, change: Callable[[dict], Any]) -> str:
    """Change one entry under the lock; return a sentence when that could not be saved."""
    file = _target(path())
    try:
        _refuse_read_only(file)
        with _lock(file):
            return _save_locked(file, id, change)
    except Foreign as foreign:
        return f"Your progress was not saved: {foreign}"
    except Timeout:
        return f"Your progress was not saved: another program holds {file}.lock."
    except (OSError, NotImplementedError) as error:
        return f"Your progress was not saved: {file} cannot be written ({_reason(error)}). The grade stands."


def _save_locked(file: Path, id: str, change: Callable[[dict], Any]) -> str:
    entries, notice = _read_or_mend(file)
    change(entries.setdefault(id, {}))
    _write_both(file, entries)
    return notice


def _mend_for_reading(file: Path) -> tuple[dict, str]:
    try:
        with _lock(file):
            return _read_or_mend(file)
    except (OSError, NotImplementedError, Timeout):
        return _read_copy(file), f"{file} is damaged and could not be set aside; the second copy is shown."


def _read(file: Path) -> dict[str, dict]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        raise Unreadable
    if content["schema"] > SCHEMA:
        raise Foreign(f"{file} belongs to a newer version of the course and is left as it is.")
    entries = content.get("exercises")
    if not isinstance(entries, dict):
        raise Unreadable
    whole = {id: entry for id, entry in entries.items() if _is_entry(entry)}
    if len(whole) < len(entries):
        raise Unreadable(whole)
    return entries


def _is_entry(entry: Any) -> bool:
    """Whether an entry has the types that everything here relies on."""
    if not isinstance(entry, dict) or entry.get("status", "wrong") not in _STATUSES:
        return False
    numbers = [entry.get(name, 0) for name in ("points", "max_points", "attempts", "hints")]
    return all(type(value) is int and value >= 0 for value in numbers)


def _read_or_mend(file: Path) -> tuple[dict, str]:
    """The entries; a damaged file is first set aside, and what is whole in it or its copy goes on."""
    try:
        return _read(file), ""
    except FileNotFoundError:
        return {}, ""
    except Unreadable as unreadable:
        entries = _read_copy(file) | unreadable.entries
    kept = _free_name(file, "corrupt")
    shutil.copyfile(file, kept)
    _write_both(file, entries)
    rest = "the second copy is used instead" if entries else "a new one is started"
    return entries, f"The progress file was damaged; it is kept as {kept}, and {rest}."


def _read_copy(file: Path) -> dict[str, dict]:
    try:
        return _read(_copy_of(file))
    except (OSError, Unreadable, Foreign):
        return {}


def _write_both(file: Path, entries: dict[str, dict]) -> None:
    text = json.dumps({"schema": SCHEMA, "exercises": entries}, indent=1, sort_keys=True) + "\n"
    _write(file, text)
    _write(_copy_of(file), text)


def _write(file: Path, text: str) -> None:
    temporary = file.with_name(file.name + ".tmp")
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, file)


def _refuse_read_only(file: Path) -> None:
    """A file that its owner made read-only stays as it is, though a rename could replace it."""
    if file.exists() and not file.stat().st_mode & 0o222:
        raise PermissionError(None, "it is read-only")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _lock(file: Path) -> FileLock:
    file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(file.with_name(file.name + ".lock"), timeout=LOCK_SECONDS)


def _target(file: Path) -> Path:
    """The file itself when `file` is a link, so that a rename does not replace the link."""
    return Path(os.path.realpath(file))


def _copy_of(file: Path) -> Path:
    return file.with_name(file.name + ".copy")


def _free_name(file: Path, word: str) -> Path:
    number = 1
    while (name := file.with_name(f"{file.name}.{word}-{number}")).exists():
        number += 1
    return name
