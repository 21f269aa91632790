"""The licenses of what the built site contains of others, as one text that is served beside it.

``NOTICE`` says what that is; here are the words that these licenses ask to be kept, read from the packages that
the site was built with: those of the versions in use.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

NOTICE = Path(__file__).parents[1] / "NOTICE"
# Packages of Python whose files the pages load, or whose fonts they have. ipywidgets speaks for @jupyter-widgets and
# @lumino too, which are of the same authors, under the same license, and bring no text of their own.
FROM_PYTHON = (
    "sphinx",
    "sphinx-book-theme",
    "pydata-sphinx-theme",
    "sphinx-design",
    "sphinx-togglebutton",
    "sphinx-copybutton",
    "myst-nb",
    "ipywidgets",
    "ziamath",
)
# Packages of npm that build or test the pages and are not in them.
TOOLS = re.compile(r"^(@esbuild|@types|esbuild|axe-core)\b")
LICENSE = re.compile(r"^(LICEN[CS]E|COPYING)", re.IGNORECASE)


def of_python() -> Iterator[tuple[str, str]]:
    """The name and license of each package of Python."""
    for name in FROM_PYTHON:
        files = [file for file in importlib.metadata.files(name) or () if LICENSE.match(file.name)]
        if not files:
            raise ValueError(f"{name} comes without its license")
        for file in files:
            yield name, file.locate().read_text(encoding="utf-8")


def of_npm(modules: Path) -> Iterator[tuple[str, str]]:
    """The name and license of each package in a folder ``node_modules`` that has one."""
    for folder in sorted([*modules.glob("[!@.]*"), *modules.glob("@*/*")]):
        name = folder.relative_to(modules).as_posix()
        if not TOOLS.match(name):
            for file in sorted(folder.iterdir() if folder.is_dir() else ()):
                if LICENSE.match(file.name) and file.is_file():
                    yield name, file.read_text(encoding="utf-8")


def text(modules: Path) -> str:
    """The whole: the notice, then the licenses one after another."""
    parts = [NOTICE.read_text(encoding="utf-8").strip()]
    parts += [f"{name}\n{'-' * len(name)}\n\n{words.strip()}" for name, words in (*of_python(), *of_npm(modules))]
    return ("\n\n" + "=" * 90 + "\n\n").join(parts) + "\n"
