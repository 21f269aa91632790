// A figure without a widget behind it: the browser's own sliders, and a model of plain values.

import { liven } from "./index.js";

// What a figure asks of a widget's model.
class Model {
  constructor(state) {
    this.state = state;
    this.listeners = {};
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const listener of this.listeners[`change:${name}`] ?? []) listener();
  }

  on(name, listener) {
    (this.listeners[name] ??= []).push(listener);
  }

  off(name, listener) {
    this.listeners[name] = (this.listeners[name] ?? []).filter((one) => one !== listener);
  }

  save_changes() {}
}

function slider(model, axis, k) {
  const row = document.createElement("label");
  row.className = "uo-slider-still";
  const [name, value] = ["uo-slider-name", "uo-slider-value"].map((kind) => {
    const span = document.createElement("span");
    span.className = kind;
    return span;
  });
  const input = Object.assign(document.createElement("input"), { type: "range", min: 0, step: 1 });
  input.max = axis.labels.length - 1;
  name.textContent = axis.name;
  row.append(name, input, value);
  const show = () => {
    input.value = model.get(`i${k}`);
    value.textContent = axis.labels[model.get(`i${k}`)];
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => model.set(`i${k}`, Number(input.value)));
  model.on(`change:i${k}`, show);
  show();
  return row;
}

// Bring a figure's HTML to life: `state` has its spec and where its sliders stand, `source` gives the bytes of its table.
export function showPlain(container, state, source) {
  const model = new Model(state);
  container.querySelector(".uo-sliders").replaceChildren(...state.spec.axes.map((axis, k) => slider(model, axis, k)));
  return liven(model, container.querySelector(".uo-explorer"), source);
}
