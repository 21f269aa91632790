"""The script and the style sheet of the figures as one text each, as a notebook's widget wants them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from optim_lib.palette import style_sheet

HERE = Path(__file__).parent
MODULES = HERE / "js"
IMPORT = re.compile(r'^import\s*\{[^}]*\}\s*from\s*"\./([\w-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def script(entry: str = "index") -> str:
    """The modules of ``js/`` as one, each after those that it imports.

    Nothing but the words ``import`` and ``export`` is taken out: all names stand side by side, and so must differ.
    """
    texts: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in texts:
            return
        text = (MODULES / f"{name}.js").read_text(encoding="utf-8")
        for needed in IMPORT.findall(text):
            visit(needed)
        texts[name] = EXPORT.sub("", IMPORT.sub("", text))

    visit(entry)
    return "\n".join(texts.values())


@cache
def style() -> str:
    """The colors and the style of the figures."""
    return style_sheet() + (HERE / "explorer.css").read_text(encoding="utf-8")
