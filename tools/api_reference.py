"""The API reference, made from the package when the book is built: a new public name needs no word in the page.

A Sphinx extension. In ``chapters/api.md`` a comment stands for the names that it names::

    <!-- api: optim_lib.optimizers.sgd -->     what optim_lib.optimizers exports and this module of it defines
    <!-- api: optim_lib.optimizers -->         what it exports and no other comment names
    <!-- api: optim_lib.optimizers.adam.update_moments -->     this function, exported or not

They come in the order in which the source defines them; each entry is the docstring.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

PAGE = Path(__file__).parents[1] / "chapters" / "api.md"
COMMENT = re.compile(r"<!-- api: ([\w. ]+) -->")


def public_names(module: ModuleType) -> list[str]:
    """What a module exports: its `__all__`, or else the functions and classes that it defines itself."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return [name for name, value in own.items() if _is_code(value) and value.__module__ == module.__name__]


def expanded(text: str) -> str:
    """The page's Markdown with each comment replaced by the entries that it stands for."""
    targets = {target for names in COMMENT.findall(text) for target in names.split()}
    named = {name for target in targets if not _is_whole(target) for name in _names(target)}

    def entries(match: re.Match[str]) -> str:
        found: list[str] = []
        for target in match[1].split():
            found += [name for name in _names(target) if not (_is_whole(target) and name in named)]
        return "\n".join(_block(found))

    return COMMENT.sub(entries, text)


def _is_whole(target: str) -> bool:
    """Whether a target is a module that the reference documents, and not a part of one."""
    return target.count(".") == 1


def _is_code(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def _names(target: str) -> list[str]:
    """The full names that a target stands for, in the order of the source."""
    try:
        importlib.import_module(target)
    except ModuleNotFoundError:
        return [target]
    exporter = ".".join(target.split(".")[:2])
    module = importlib.import_module(exporter)
    found = {name: getattr(module, name) for name in public_names(module)}
    named = [name for name, value in found.items() if _is_code(value) and target in (exporter, value.__module__)]
    return [f"{exporter}.{name}" for name in sorted(named, key=lambda name: _place(found[name]))]


def _place(value: Any) -> tuple[str, int]:
    return value.__module__, inspect.getsourcelines(value)[1]


def _block(names: list[str]) -> Iterator[str]:
    yield from ("```{eval-rst}", ".. autosummary::", "   :nosignatures:", "")
    yield from (f"   ~{name}" for name in names)
    for name in names:
        yield ""
        yield from _entry(name)
    yield "```"


def _entry(name: str) -> Iterator[str]:
    module, _, last = name.rpartition(".")
    value = getattr(importlib.import_module(module), last)
    if inspect.isfunction(value):
        yield f".. autofunction:: {name}"
        return
    yield f".. autoclass:: {name}"
    if members := [key for key, member in vars(value).items() if _is_shown(key, member, value)]:
        yield f"   :members: {', '.join(members)}"


def _is_shown(name: str, member: Any, owner: type) -> bool:
    """Whether a class's entry has one for this member: not where its own or its base class's text describes it."""
    is_property = isinstance(member, property)
    plain = member.fget if is_property else getattr(member, "__func__", member)
    inherited = any(name in vars(base) for base in owner.__mro__[1:])
    listed = is_property and re.search(rf"^{name}(?: :|$)", inspect.getdoc(owner) or "", re.MULTILINE)
    return not (name.startswith("_") or inherited or listed) and inspect.isfunction(plain) and bool(plain.__doc__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""

    def read(app: Sphinx, docname: str, source: list[str]) -> None:
        if COMMENT.search(source[0]):
            source[0] = expanded(source[0])

    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
