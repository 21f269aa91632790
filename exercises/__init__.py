"""The graded exercises of the course.

For students::

    from exercises import check, hint, solution, progress

    check("8.2", adam_step)     # grade an answer
    hint("8.2")                 # a hint; again for the next one
    solution("8.2")             # a solution
    progress()                  # points, chapter by chapter

For authors: :mod:`exercises.authoring` says how an exercise is written. ``python -m exercises`` lists the
commands.
"""

from exercises.definition import Exercise
from exercises.registry import all_exercises, get
from exercises.result import Hint, Progress, Result, Solution
from exercises.student import check, hint, progress, solution

__all__ = [
    "Exercise",
    "Hint",
    "Progress",
    "Result",
    "Solution",
    "all_exercises",
    "check",
    "get",
    "hint",
    "progress",
    "solution",
]
