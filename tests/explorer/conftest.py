"""A page with one figure in a real browser, without Jupyter: a small model stands in for the widget's."""

from __future__ import annotations

import base64
import json

import pytest

# The model has what the figure uses of a widget's: get, set, on, off, save_changes.
PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ margin: 0 16px; background: #fff; }}
html[data-theme="dark"] body {{ background: #14171f; }}
{css}
</style>
</head><body><div class="uo-figure"><div id="figure"></div></div>
<script type="application/json" id="state">{state}</script>
<script type="text/plain" id="code">{code}</script>
<script type="module">
const state = JSON.parse(document.getElementById("state").textContent);
state.table = new DataView(Uint8Array.from(atob(state.table), (c) => c.charCodeAt(0)).buffer);
const listeners = {{}};
const model = {{
  saved: 0,
  get: (name) => state[name],
  set(name, value) {{
    if (state[name] === value) return;
    state[name] = value;
    (listeners["change:" + name] ?? []).forEach((callback) => callback());
  }},
  on: (name, callback) => (listeners[name] ??= []).push(callback),
  off: (name, callback) => (listeners[name] = (listeners[name] ?? []).filter((c) => c !== callback)),
  save_changes() {{ model.saved += 1; }},
}};
window.model = model;
// When everything asked for has been painted.
window.settled = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
window.listening = () => Object.values(listeners).flat().length;
const url = URL.createObjectURL(new Blob([document.getElementById("code").textContent], {{ type: "text/javascript" }}));
window.widget = (await import(url)).default;
window.close_figure = widget.render({{ model, el: document.getElementById("figure") }});
</script></body></html>"""


@pytest.fixture
def show(browser, tmp_path):
    """Open a figure: show(figure, width=..., **context) gives the page, which must stay free of errors."""
    contexts, errors = [], []

    def open_page(figure, width=800, **options):
        canvas = figure.canvas
        names = ("spec", "html", "i0", "i1", "i2", "start", "step")
        state = {name: getattr(canvas, name) for name in names if canvas.has_trait(name)}
        state["table"] = base64.b64encode(canvas.table).decode()
        written = PAGE.format(css=canvas._css, code=canvas._esm, state=json.dumps(state).replace("</", "<\\/"))
        path = tmp_path / "figure.html"
        path.write_text(written, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        page.wait_for_selector(".uo-explorer[data-ready=true]")
        page.evaluate("settled()")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
