"""A figure in a page of its own: one file, that asks for nothing."""

from __future__ import annotations

import base64
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optim_lib.explorer import markup
from optim_lib.explorer.script import script, style
from optim_lib.explorer.state import FigureState

if TYPE_CHECKING:
    from optim_lib.explorer.widgets import SliderFigure

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ max-width: 772px; margin: 16px auto; padding: 0 16px; background: var(--uo-paper); }}
{style}
</style>
</head>
<body>
{figure}
<script type="application/json" id="figure">{state}</script>
<script type="module">
{script}
</script>
</body>
</html>
"""


def save_html(figure: SliderFigure | FigureState, path: str | Path) -> Path:
    """Write a figure into a page of its own, to open in a browser or to put on one's own site.

    The file needs nothing but itself: no kernel, no server, no other file.

    Parameters
    ----------
    figure : what `explore`, `race` or `explore_curves` return, or a FigureState
    path : str or Path
        The file to write, such as ``"banana.html"``.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> from optim_lib.explorer import explore
    >>> from optim_lib.landscapes import rosenbrock
    >>> from optim_lib.optimizers import Adam
    >>> figure = explore(Adam, rosenbrock, learning_rate=[0.01, 0.1, 1.0])
    >>> save_html(figure, tempfile.mkdtemp() + "/banana.html").name
    'banana.html'
    """
    state = figure if isinstance(figure, FigureState) else getattr(figure, "state", None)
    if not isinstance(state, FigureState):
        raise TypeError(f"figure must be what explore, race or explore_curves return, got {figure!r}")
    path = Path(path)
    path.write_text(page(state), encoding="utf-8")
    return path


def page(state: FigureState) -> str:
    """The page of one figure."""
    kept: dict[str, Any] = {"spec": state.spec, "table": base64.b64encode(state.table).decode()}
    kept |= {f"i{k}": slider.index for k, slider in enumerate(state.sliders)}
    if "steps" in state.spec:
        kept |= {"start": 0, "step": state.spec["steps"]}
    return PAGE.format(
        title=escape(state.heading or state.spec["title"]),
        style=style(),
        figure=markup.page(state),
        state=json.dumps(kept, ensure_ascii=False).replace("</", "<\\/"),
        script=script("alone").replace("</script", "<\\/script"),
    )
