"""Find the exercises: every module ``exercises/chNN_name.py`` defines its own in a list ``EXERCISES``."""

import importlib
import pkgutil
import re
from difflib import get_close_matches
from functools import cache

from exercises.definition import Exercise

_MODULE = re.compile(r"ch(\d\d)_(\w+)")


@cache
def _modules() -> dict[int, tuple[str, tuple[Exercise, ...]]]:
    """For each chapter, its title and its exercises in order."""
    import exercises

    chapters = {}
    for module in pkgutil.iter_modules(exercises.__path__):
        match = _MODULE.fullmatch(module.name)
        if match:
            content = importlib.import_module(f"exercises.{module.name}")
            title = getattr(content, "TITLE", match[2].replace("_", " ").capitalize())
            chapters[int(match[1])] = title, _of_chapter(int(match[1]), module.name, content.EXERCISES)
    return dict(sorted(chapters.items()))


def _of_chapter(chapter: int, module: str, exercises: list[Exercise]) -> tuple[Exercise, ...]:
    for exercise in exercises:
        if exercise.chapter != chapter:
            raise ValueError(f"exercises/{module}.py defines {exercise.id!r}, which belongs to another chapter")
    ids = [exercise.id for exercise in exercises]
    if len(set(ids)) < len(ids):
        raise ValueError(f"exercises/{module}.py defines an exercise twice: {', '.join(ids)}")
    return tuple(sorted(exercises, key=lambda exercise: exercise.order))


def chapters() -> list[tuple[int, str, tuple[Exercise, ...]]]:
    """Number, title and exercises of every chapter, in order."""
    return [(number, title, exercises) for number, (title, exercises) in _modules().items()]


def all_exercises() -> list[Exercise]:
    """Every exercise of the course, in order."""
    return [exercise for _, _, exercises in chapters() for exercise in exercises]


def get(id: str) -> Exercise:
    """The exercise called `id`, such as ``"8.2"``.

    Raises
    ------
    KeyError
        When there is none; the message names the nearest.
    """
    by_id = {exercise.id: exercise for exercise in all_exercises()}
    if id in by_id:
        return by_id[id]
    if not isinstance(id, str):
        raise KeyError(f'an exercise is named by a text such as "8.2", got {id!r}')
    chapter = id.split(".")[0]
    near = [known for known in by_id if known.split(".")[0] == chapter] or get_close_matches(id, by_id) or list(by_id)
    raise KeyError(f"there is no exercise {id!r}; there is {', '.join(near[:8])}")
