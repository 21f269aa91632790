"""Show code from the library itself, so that what a chapter prints is what its figures ran."""

from __future__ import annotations

import ast
import inspect
import textwrap
from html import escape
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from optim_lib.pages import Piece, page_piece


def source(*objects: Any, docstrings: bool = False) -> Piece:
    """The code of classes or functions, with its syntax colored.

    Parameters
    ----------
    *objects : class or function
        Printed one after another.
    docstrings : bool, default False
        Whether to keep the docstrings. The chapter has said what they say.

    Examples
    --------
    >>> from optim_lib.optimizers import SGD
    >>> source(SGD)
    class SGD(Optimizer):
        learning_rate: float | Array = Hyperparameter(default=0.01)
        weight_decay: float | Array = L2Penalty(default=0.0)
        elementwise = True
    <BLANKLINE>
        def step(self, theta: Array, grad: Array, state: ParameterState) -> None:
            theta -= self.learning_rate * grad
    """
    if not objects:
        raise TypeError("source needs at least one class or function")
    text = "\n\n\n".join(_code_of(thing, docstrings) for thing in objects)
    places = dict.fromkeys(filter(None, map(_place, objects)))
    note = f'<p class="up-note">From <code>{escape(", ".join(places))}</code></p>' if places else ""
    return Piece(page_piece(highlight(text, PythonLexer(), HtmlFormatter(wrapcode=True)) + note), text)


def _code_of(thing: Any, docstrings: bool) -> str:
    text = textwrap.dedent(inspect.getsource(thing)).rstrip()
    return text if docstrings else _without_docstrings(text)


def _without_docstrings(text: str) -> str:
    lines = text.split("\n")
    dropped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or ast.get_docstring(node) is None:
            continue
        if len(node.body) == 1:
            continue
        docstring = node.body[0]
        dropped.update(range(docstring.lineno, docstring.end_lineno + 1))
        if not lines[docstring.end_lineno].strip():
            dropped.add(docstring.end_lineno + 1)
    return "\n".join(line for number, line in enumerate(lines, start=1) if number not in dropped)


def _place(thing: Any) -> str:
    """The file, from the package on; nothing for what was typed in a notebook."""
    path = Path(inspect.getsourcefile(thing) or "")
    package = thing.__module__.split(".")[0]
    parts = path.parts
    return "/".join(parts[parts.index(package) :]) if package in parts else ""
