"""Open one interactive figure alone, for work on how it is drawn: no chapter is run, no book is built.

    python -m tools.one_figure "explore(Adam, landscapes.rosenbrock, learning_rate=[0.01, 0.1, 1.0])"

writes ``_build/figure.html``, a page with the figures' own style and scripts, and says where it is. The code sees NumPy
as ``np`` and what `optim_lib`, `optim_lib.landscapes` and `optim_lib.explorer` export. After an edit of the explorer,
run it again and reload the page.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import numpy as np
from ipywidgets import Widget

from optim_lib.explorer import alone
from tools import colors

BUILD = Path(__file__).parents[1] / "_build"


def figure_of(code: str) -> Widget:
    """The figure that an expression makes."""
    names = {"np": np}
    for module in ("optim_lib.optimizers", "optim_lib.schedules", "optim_lib.explorer"):
        content = importlib.import_module(module)
        names |= {name: getattr(content, name) for name in content.__all__}
    names["landscapes"] = importlib.import_module("optim_lib.landscapes")
    figure = eval(code, names)
    if not isinstance(figure, Widget):
        raise TypeError(f"the code must make a figure, as explore(...) does; it made {type(figure).__name__}")
    return figure


def page(figure: Widget, dark: bool = False) -> str:
    """The page's HTML, which needs nothing else."""
    theme = "dark" if dark else "light"
    return alone.page(figure.state).replace("<html", f'<html data-theme="{theme}"', 1)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.one_figure", description=__doc__.splitlines()[0])
    parser.add_argument("code", help='an expression, as "explore(Adam, landscapes.rosenbrock, learning_rate=[0.1, 1])"')
    parser.add_argument("--dark", action="store_true", help="on a dark page")
    parser.add_argument("--to", type=Path, default=BUILD / "figure.html", metavar="FILE")
    options = parser.parse_args(arguments)
    colors.write()
    options.to.parent.mkdir(exist_ok=True)
    options.to.write_text(page(figure_of(options.code), options.dark), encoding="utf-8")
    print(options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
