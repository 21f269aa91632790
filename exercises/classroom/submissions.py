"""Find what was handed in: whose it is, and which files count."""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

MAX_BYTES = 200 * 2**20
_NOTEBOOKS = (".ipynb", ".py")
_SKIPPED = {".ipynb_checkpoints", "__MACOSX", "__pycache__", ".git", ".venv", "venv", "node_modules"}


@dataclass
class Submission:
    """What one student handed in.

    Parameters
    ----------
    student : str
        The first folder below the one that is graded, or a lone file's name without its ending.
    files : list of Path
        The notebooks, in order.
    problems : list of str
        What was left out, and why.
    records : list of Path
        Progress files (``progress.json``): hints and attempts, as the student's machine counted them.
    """

    student: str
    files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    records: list[Path] = field(default_factory=list)


def collect(folder: Path) -> list[Submission]:
    """The submissions below `folder`, one for each student, in the order of their names.

    Raises
    ------
    NotADirectoryError
        When `folder` is none.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder of submissions")
    found: dict[str, Submission] = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            submission = found.setdefault(printable(entry.name), Submission(printable(entry.name)))
            _add_folder(submission, path)
            if not submission.files and not submission.problems:
                submission.problems.append("no notebook was handed in")
        elif path.suffix.lower() == ".ipynb":
            submission = found.setdefault(printable(path.stem), Submission(printable(path.stem)))
            _add_file(submission, path)
    return [found[student] for student in sorted(found)]


def name_below(path: Path, folder: Path) -> str:
    """The name of a file as tables show it: from `folder` on."""
    return printable(os.path.relpath(path, folder))


def printable(name: str) -> str:
    """A name of the file system as text that any file can hold."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def progress_of(submission: Submission) -> dict[str, dict]:
    """Attempts and hints from the progress files that were handed in; damaged ones count for nothing."""
    from exercises.record import Foreign, Unreadable, from_text, merge

    entries: dict[str, dict] = {}
    for path in submission.records:
        try:
            entries = merge(entries, from_text(path.read_text(encoding="utf-8-sig"), path.name))
        except (OSError, ValueError, TypeError, KeyError, Unreadable, Foreign):
            continue
    return json.loads(json.dumps(entries, default=str))


def _add_folder(submission: Submission, folder: Path) -> None:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in list(folders):
            if os.path.islink(os.path.join(parent, name)):
                folders.remove(name)
                submission.problems.append(f"{printable(name)}: it is a link to a folder, and links are not followed")
        for name in sorted(files):
            path = Path(parent, name)
            if name.startswith("."):
                continue
            if path.suffix.lower() in _NOTEBOOKS:
                _add_file(submission, path)
            elif path.suffix.lower() == ".json" and _is_small_file(path):
                submission.records.append(path)


def _add_file(submission: Submission, path: Path) -> None:
    problem = _problem(path)
    if problem:
        submission.problems.append(f"{printable(path.name)}: {problem}")
    else:
        submission.files.append(path)


def _problem(path: Path) -> str:
    try:
        status = path.lstat()
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if stat.S_ISLNK(status.st_mode):
        return "it is a link, and links are not followed"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a file"
    if status.st_size > MAX_BYTES:
        return f"it has {status.st_size / 2**20:.0f} MB; at most {MAX_BYTES / 2**20:.0f} are read"
    return ""


def _is_small_file(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size < 2**20
