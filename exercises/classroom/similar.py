"""Answers that look alike, by their normalized syntax trees: something to look at, not a judgment."""

import ast
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exercises.registry import get

# Shorter answers are alike by themselves: there is only one good way to write them.
FEWEST_NODES = 40
_GRAM = 4
_ALIKE = 0.9
_MOST_PAIRS = 40


@dataclass(frozen=True)
class Pair:
    """Two answers to one exercise, and how large a part of their structure they share (1: all of it)."""

    exercise: str
    one: str
    other: str
    share: float
    sources: tuple[str, str]


def pairs(records: Sequence[Any], exercises: Sequence[str]) -> list[Pair]:
    """The pairs of students whose answers share nearly all of their structure, the rarest structures first.

    Names, texts, comments and layout do not count. Structures that the solution or a known answer of the course
    has do not count either, and a structure that many students share is common and comes last.
    """
    found: list[tuple[int, Pair]] = []
    for id in exercises:
        known = _known(id)
        by_form: dict[tuple, list[tuple[str, str]]] = defaultdict(list)
        for record in records:
            mark = record.marks.get(id)
            form = normal_form(mark.source) if mark and mark.source and mark.status != "not attempted" else ()
            if len(form) >= FEWEST_NODES and form not in known:
                by_form[form].append((record.student, mark.source))
        groups = [(form, students) for form, students in by_form.items() if len(students) <= max(3, len(records) // 10)]
        for _, students in groups:
            for number, (one, source) in enumerate(students):
                for other, source_of_other in students[number + 1 :]:
                    found.append((len(students), Pair(id, one, other, 1.0, (source, source_of_other))))
        found += _nearly(id, groups)
    found.sort(key=lambda item: (item[0], -item[1].share, item[1].exercise, item[1].one, item[1].other))
    return [pair for _, pair in found[:_MOST_PAIRS]]


def normal_form(source: str) -> tuple[str, ...]:
    """The syntax tree as a row of words, with names numbered in their order and texts left out.

    >>> normal_form("a = b + 1") == normal_form("x = y + 1  # the same")
    True
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    names: dict[str, str] = {}
    words: list[str] = []
    for node in ast.walk(tree):
        word = type(node).__name__
        if isinstance(node, ast.Name | ast.arg):
            name = node.id if isinstance(node, ast.Name) else node.arg
            word += names.setdefault(name, f" {len(names)}")
        elif isinstance(node, ast.Attribute):
            word += f" .{node.attr}"
        elif isinstance(node, ast.Constant):
            word += "" if isinstance(node.value, str) else f" {node.value!r}"
        words.append(word)
    return tuple(words)


def _nearly(id: str, groups: list[tuple[tuple, list]]) -> list[tuple[int, Pair]]:
    """Pairs of different structures that share most of their runs of words."""
    grams = [_grams(form) for form, _ in groups]
    holders: dict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(grams):
        for gram in own:
            holders[gram].append(number)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for numbers in holders.values():
        if len(numbers) <= 20:  # what many have is common
            for place, one in enumerate(numbers):
                for other in numbers[place + 1 :]:
                    shared[one, other] += 1
    found = []
    for (one, other), count in shared.items():
        share = count / len(grams[one] | grams[other])
        if share >= _ALIKE:
            (student, source), (another, source_of_other) = groups[one][1][0], groups[other][1][0]
            found.append((2, Pair(id, student, another, share, (source, source_of_other))))
    return found


def _grams(form: tuple[str, ...]) -> set[int]:
    return {zlib.crc32(" ".join(form[at : at + _GRAM]).encode()) for at in range(len(form) - _GRAM + 1)}


def _known(id: str) -> set[tuple]:
    exercise = get(id)
    answers = [exercise.starter, exercise.solution]
    answers += [answer.source for answer in (*exercise.accepted_answers, *exercise.wrong_answers)]
    return {normal_form(ast.unparse(ast.parse(_dedented(source)))) for source in answers}


def _dedented(source: str) -> str:
    from exercises.definition import clean

    return clean(source)
