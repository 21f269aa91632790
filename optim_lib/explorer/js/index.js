// The interactive figures. A figure receives a table of everything that happened at every setting and draws the row where
// the sliders stand. It computes no update and no landscape: those exist once, in Python.

import { CurvesFigure } from "./curves.js";
import { DescentFigure } from "./descent.js";
import { ModesFigure } from "./modes.js";
import { PhaseFigure } from "./phase.js";
import { ReliefFigure } from "./relief.js";
import { ScenesFigure } from "./scenes.js";

// The others are descents on a surface.
const KINDS = {
  curves: CurvesFigure,
  modes: ModesFigure,
  phase: PhaseFigure,
  relief: ReliefFigure,
  scenes: ScenesFigure,
};

// Bring the HTML of a figure (optim_lib/explorer/markup.py) to life. `source` gives the bytes of its table.
export function liven(model, root, source) {
  const kind = KINDS[model.get("spec").kind] ?? DescentFigure;
  const figure = new kind(model, root, source);
  figure.opened = figure.open().catch((error) => failed(root, error));
  return figure;
}

// Say in a figure's place that it stays a picture.
export function failed(root, error) {
  console.error("A figure could not be brought to life.", error);
  const words = document.createElement("p");
  words.className = "uo-failure";
  words.setAttribute("role", "status");
  words.textContent =
    "This figure could not be brought to life, so it stays a picture. Loading the page again may help.";
  root.classList.add("uo-failed");
  root.prepend(words);
}

// As anywidget asks for it, in a notebook: the HTML and the table come with the widget.
function render({ model, el }) {
  el.innerHTML = model.get("html");
  const table = model.get("table");
  const bytes = new Uint8Array(table.buffer, table.byteOffset, table.byteLength);
  const figure = liven(model, el.firstElementChild, () => bytes);
  return () => figure.close();
}

export default { render };
