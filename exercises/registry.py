"""Find the exercises: every module ``exercises/chNN_name.py`` defines its own in a list ``EXERCISES``."""

import importlib
import pkgutil
import re
import sys
from difflib import get_close_matches
from functools import cache

from exercises.definition import Exercise

_MODULE = re.compile(r"ch(\d\d)_(\w+)")


@cache
def _modules() -> dict[int, str]:
    """The name of each chapter's module. None is imported: a check needs its own chapter's, and a reader waits."""
    matches = (_MODULE.fullmatch(module.name) for module in pkgutil.iter_modules(sys.modules[__package__].__path__))
    return {int(match[1]): match[0] for match in sorted(filter(None, matches), key=lambda match: int(match[1]))}


@cache
def _chapter(number: int) -> tuple[str, tuple[Exercise, ...]]:
    """The title of a chapter, and its exercises in order."""
    name = _modules()[number]
    module = importlib.import_module(f"exercises.{name}")
    title = getattr(module, "TITLE", name.partition("_")[2].replace("_", " ").capitalize())
    return title, _of_chapter(number, name, module.EXERCISES)


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
    return [(number, *_chapter(number)) for number in _modules()]


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
    if not isinstance(id, str):
        raise KeyError(f'an exercise is named by a text such as "8.2", got {id!r}')
    chapter = id.split(".")[0]
    if chapter.isdecimal() and int(chapter) in _modules():
        known = {exercise.id: exercise for exercise in _chapter(int(chapter))[1]}
        near = list(known)
    else:
        known = {exercise.id: exercise for exercise in all_exercises()}
        near = get_close_matches(id, known) or list(known)
    if id not in known:
        raise KeyError(f"there is no exercise {id!r}; there is {', '.join(near[:8])}")
    return known[id]
