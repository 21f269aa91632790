"""The figures of a page, taken apart for the site: words first, and each figure's numbers in a file of its own.

A Sphinx extension. A notebook keeps its figures as widgets, whose state has everything that they hold, and each of
their outputs as HTML too (`optim_lib.explorer.markup`), which is what the page shows: a picture, a sentence, quests. Of
the state, the page keeps what brings the sliders to life, behind its text; what is large becomes files, which the
page's script (``tools/assets/widgets.js``) asks for when a figure comes near the screen::

    figures/adam-banana.1a2b3c4d.bin    the table, compressed
    figures/adam-banana.1a2b3c4d.js     the same as a script, for a page that is opened from disk and may fetch nothing
    figures/adam-banana.1a2b3c4d.json   how to compute the table again, if that can be told
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

FOLDER = "figures"
STATE = "application/vnd.jupyter.widget-state+json"
CONTAINER = re.compile(r'data-figure="(?P<key>[^"]*)" data-model="(?P<model>[^"]*)"')
# What the page has already (the HTML), or has once for all figures (script and style).
ELSEWHERE = ("html", "table", "recipe", "_esm", "_css")


class Figure:
    """A figure of a page: its canvas in the widgets' state."""

    def __init__(self, key: str, canvas: dict[str, Any]) -> None:
        self.key, self.canvas, self.state = key, canvas, canvas["state"]

    def write(self, folder: Path) -> dict[str, str]:
        """Write the figure's files; the attributes that tell the page of them."""
        buffers = {tuple(buffer["path"]): buffer["data"] for buffer in self.canvas.pop("buffers", [])}
        table = base64.b64decode(buffers["table",])
        recipe = json.dumps(self.state["recipe"], ensure_ascii=False) if self.state.get("recipe") else ""
        name = f"{self.key}.{hashlib.sha256(table + recipe.encode()).hexdigest()[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.bin").write_bytes(table)
        script = f"(globalThis.figureTables ??= {{}})[{json.dumps(name)}] = {json.dumps(buffers['table',])};\n"
        (folder / f"{name}.js").write_text(script, encoding="utf-8")
        if recipe:
            (folder / f"{name}.json").write_text(recipe, encoding="utf-8")
        for part in ELSEWHERE:
            self.state.pop(part, None)
        return {"table": name} | ({"recipe": f"{name}.json"} if recipe else {})


def taken_apart(body: str, state: dict[str, Any], folder: Path, address: str) -> str:
    """The text of a page with its figures' files named in it, and with what is left of the widgets' state behind it.

    Parameters
    ----------
    body : str
    state : dict
        The widgets' state of the notebook; it is changed.
    folder : Path
        Where the files are written.
    address : str
        Where the page finds them.
    """
    models = state["state"]

    def told(container: re.Match[str]) -> str:
        children = models[container["model"]]["state"]["children"]
        canvas = models[children[-1].removeprefix("IPY_MODEL_")]
        files = Figure(container["key"], canvas).write(folder)
        return container[0] + "".join(f' data-{name}="{address}/{file}"' for name, file in files.items())

    body = CONTAINER.sub(told, body)
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f'{body}\n<script type="{STATE}">{text}</script>'


def on_page(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Take the figures of a page apart, if it has any."""
    found = [file for file in context.get("script_files", []) if _attributes(file).get("type") == STATE]
    if not found or "body" not in context:
        return
    context["script_files"] = [file for file in context["script_files"] if file not in found]
    state = json.loads(_attributes(found[0])["body"])
    folder = Path(app.outdir) / "_static" / FOLDER
    address = context["pathto"](f"_static/{FOLDER}", resource=True)
    context["body"] = taken_apart(context["body"], state, folder, address)


def _attributes(file: object) -> dict[str, Any]:
    return getattr(file, "attributes", {})


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", on_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
