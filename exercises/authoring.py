'''How to write an exercise. Everything that an author needs is imported from here.

A chapter's exercises stand in ``exercises/chNN_name.py``, which defines ``TITLE`` and a list ``EXERCISES``;
they are found by their file name. One exercise::

    from exercises.authoring import Check, Exercise, WrongAnswer, close, edit
    from optim_lib.optimizers import SGD                   # the oracle: never a second copy of a rule

    def one_step(sgd_step):                                # a check gets the student's answer, guarded
        rng = np.random.default_rng(2)
        theta, grad = rng.normal(size=3), rng.normal(size=3)
        expected = SGD(learning_rate=0.1).update({"w": theta.copy()}, {"w": grad})["w"]
        close(sgd_step(theta, grad, 0.1) - theta, expected - theta, "the step")

    SOLUTION = """
    def sgd_step(theta, grad, learning_rate):
        return theta - learning_rate * grad
    """

    EXERCISES = [
        Exercise(
            id="2.1", title="One step", answer="sgd_step",
            prompt="Write one step of gradient descent.",
            starter=edit(SOLUTION, ("theta - learning_rate * grad", "...")),
            checks=[Check("one step from a random point", 2, one_step, look="Compare with equation 2.1.")],
            hints=["Which way is downhill?", "Subtract the gradient, scaled by the rate."],
            solution=SOLUTION,
            explanation="The gradient points uphill, so the step subtracts it.",
            wrong_answers=[
                WrongAnswer(edit(SOLUTION, ("theta - ", "theta + ")), "The step goes uphill: subtract it."),
                ...
            ],
        )
    ]

What the framework does, so that a check need not:

- *Not attempted* is an answer that is ``...``, returns ``...`` (also inside a tuple, list or dict),
  computes with ``...``, or still compiles to the same code as the starter. So the starter of a bug hunt is
  simply the listing with its bugs.
- A function or class reaches the check behind a guard. Arrays are passed as copies (``changes=(0,)`` names
  the positions of arguments to be changed in place: these are passed as they are). A call that returns
  None, does not match the signature, raises, or never ends becomes a sentence with the student's line. A
  missing method too. ``raw(answer)`` is the student's own object, for a function such as `sweep` that needs
  the class itself.
- Changing an input in place is reported without loss of points; a check that calls
  ``unchanged_inputs(answer)`` after the answer makes it count.
- ``close(actual, expected, what)`` compares numbers, arrays and dicts or lists of them, and names a missing
  value, a shape, a NaN, a factor, a sign, an offset, or the worst place. Give it *steps* rather than
  positions: "3.16 times too large" is then seen. ``outputs(result, "theta", "m")`` unpacks a tuple. ``raise
  Wrong("...")`` says anything else.
- Every wrong answer is also a diagnosis: when a student's answer gives the same outputs, check by check, as a
  known wrong one, its sentence is shown, above the measured difference. So the sentence is written once,
  states the mistake and where to look, and needs no code of its own. List the likelier of two that behave
  alike first. It is said only if the outputs are *telling*: very different mistakes share a zero, a True, an index.
  Where an exercise returns nothing else and no other mistake can give this series of them, say
  ``WrongAnswer(..., evident=True)``. ``diagnose=False`` is for an answer that a check itself finds words for.
- Only the student's code is timed, ``time_limit`` seconds a check. What the checks need beforehand (an import that
  takes seconds, a baseline that is trained) goes into ``prepare``, a function of no arguments that is called before
  the first check.
- Another convention is either accepted (``close(..., accept=[(value, note)])``, and an ``AcceptedAnswer``
  so that the tests hold it) or refused with ``WrongAnswer(source, "... this exercise asks for ...",
  convention=True)``.

Rules for checks. Make all calls first and compare afterwards: a check that stops at the first difference
can tell two mistakes apart only up to there. Be deterministic (`default_rng` with a fixed seed, made inside
the check) and keep no state. Give arrays sizes that differ from each other, so that a transposed or
broadcast one shows; a large epsilon (0.1) where its place matters; more than one step where history
matters; gradients well away from zero where it does not. Hints, feedback and `look` are plain text with
`code` in backticks (no LaTeX: they are read in a terminal too). ``pytest tests/exercises`` grades the
starter, the solution, and every accepted and wrong answer of every exercise.

In the notebook a Markdown cell tagged ``ex-2.1`` is the statement, a code cell tagged ``ex-2.1`` the starter, and a
later cell holds ``check("2.1", sgd_step)`` alone. ``python -m exercises sync NOTEBOOK`` writes the statements
(with the hints, folded), the starters, the outputs of the check cells and the other tags; ``python -m exercises
solve SRC DST`` makes the solved copy. A cell that uses the student's answer must also run with the starter: ask
``check(...).status == "right"`` first.
'''

from exercises.compare import (
    NotAttempted,
    Wrong,
    close,
    difference,
    entry,
    finite,
    kind_of,
    listed,
    number,
    numeric,
    outputs,
    single,
    upper,
    vector,
    word,
)
from exercises.definition import AcceptedAnswer, Check, Exercise, WrongAnswer, clean, edit
from exercises.guard import raw, unchanged_inputs

__all__ = [
    "AcceptedAnswer",
    "Check",
    "Exercise",
    "NotAttempted",
    "Wrong",
    "WrongAnswer",
    "clean",
    "close",
    "difference",
    "edit",
    "entry",
    "finite",
    "kind_of",
    "listed",
    "number",
    "numeric",
    "outputs",
    "raw",
    "single",
    "unchanged_inputs",
    "upper",
    "vector",
    "word",
]
