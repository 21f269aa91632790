"""Open one interactive figure alone, for work on how it is drawn: no chapter is run, no book is built.

    python -m tools.one_figure "explore(Adam, landscapes.rosenbrock)"

writes ``_build/figure.html``, a page with the site's own style and scripts, and says where it is. The code sees NumPy
as ``np`` and what `optim_lib`, `optim_lib.landscapes` and `optim_lib.explorer` export. After an edit of the explorer,
run it again and reload the page.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

import numpy as np
from ipywidgets import Widget
from ipywidgets.embed import embed_data

from tools import colors, site_assets

BUILD = Path(__file__).parents[1] / "_build"
PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>One figure</title>
<link rel="stylesheet" href="site_assets/widgets/widgets.css">
<link rel="stylesheet" href="../book/site.css">
</head><body style="max-width: 54rem; margin: 2rem auto; padding: 0 1rem">
<script type="application/vnd.jupyter.widget-state+json">{state}</script>
<script type="application/vnd.jupyter.widget-view+json">{view}</script>
<script defer src="site_assets/widgets/widgets.js"></script>
</body></html>
"""


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
    """The page's HTML, to stand in the folder of the build."""
    data = embed_data(views=[figure], drop_defaults=False)
    (view,) = data["view_specs"]
    state, shown = (json.dumps(part).replace("</", r"<\/") for part in (data["manager_state"], view))
    return PAGE.format(theme="dark" if dark else "light", state=state, view=shown)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.one_figure", description=__doc__.splitlines()[0])
    parser.add_argument("code", help='an expression, as "explore(Adam, landscapes.rosenbrock)"')
    parser.add_argument("--dark", action="store_true", help="on a dark page")
    parser.add_argument("--to", type=Path, default=BUILD / "figure.html", metavar="FILE", help="in the folder _build")
    options = parser.parse_args(arguments)
    colors.write()
    site_assets.ensure(BUILD / "site_assets")
    options.to.write_text(page(figure_of(options.code), options.dark), encoding="utf-8")
    print(options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
