// What the interactive figures share. A figure receives a table of everything that happened at every setting and draws
// the row where the sliders stand. It computes no update and no landscape: those exist once, in Python.

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const UNITS = 4096;
const DIVERGED = 65535;
const BANDS = 13;
const PLAY_SECONDS = 5;
const STILL_STEPS_A_SECOND = 4;
const QUIET_MS = 600;
const LABEL_HEIGHT = 14;

// ---------------------------------------------------------------- the table

// The arrays of a table, in the order of the spec's layout.
async function unpack(spec, view) {
  const packed = new Blob([new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]);
  const stream = packed.stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  return spec.layout.map(([kind, size, row]) => {
    const length = kind === "rows" ? 2 * size : kind === "field" ? 3 * size : Math.ceil(size / 8);
    const data = bytes.subarray(at, (at += length));
    return kind === "rows" ? rows(data, size, row) : kind === "field" ? field(data, size, row) : data;
  });
}

// 16-bit words, high bytes first, zigzag, second differences along each row.
function rows(data, size, row) {
  const out = new Uint16Array(size);
  for (let i = 0; i < size; i++) {
    const word = (data[i] << 8) | data[size + i];
    const residual = (word >> 1) ^ -(word & 1);
    const k = i % row;
    out[i] = residual + (k > 0 ? 2 * out[i - 1] : 0) - (k > 1 ? out[i - 2] : 0);
  }
  return out;
}

// 24-bit words, high bytes first, zigzag, third differences along both axes.
function field(data, size, row) {
  const out = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const word = (data[i] << 16) | (data[size + i] << 8) | data[2 * size + i];
    out[i] = (word >> 1) ^ -(word & 1);
  }
  for (let pass = 0; pass < 3; pass++) for (let i = row; i < size; i++) out[i] = (out[i] + out[i - row]) & 0xffffff;
  for (let pass = 0; pass < 3; pass++)
    for (let i = 0; i < size; i++) if (i % row) out[i] = (out[i] + out[i - 1]) & 0xffffff;
  return Float32Array.from(out, (v) => v / 0xffffff);
}

const bit = (mask, i) => (mask[i >> 3] >> (7 - (i & 7))) & 1;

// Losses come as codes: a decade has 900, one for each number of three digits.
const logLoss = (code) => Math.floor(code / 900) - 18 + Math.log10((code % 900) + 100);

function lossText(code) {
  if (code === DIVERGED) return "diverged";
  const exponent = Math.floor(code / 900) - 16;
  const digits = String((code % 900) + 100);
  if (code === 0) return "under 1e-16";
  if (exponent >= -4 && exponent < 0) return "0." + "0".repeat(-exponent - 1) + digits.replace(/0+$/, "");
  if (exponent >= 0 && exponent < 6) {
    const whole = exponent >= 2 ? digits + "0".repeat(exponent - 2) : digits.slice(0, exponent + 1);
    const rest = exponent >= 2 ? "" : digits.slice(exponent + 1).replace(/0+$/, "");
    return rest ? `${whole}.${rest}` : whole;
  }
  const rest = digits.slice(1).replace(/0+$/, "");
  return `${digits[0]}${rest ? "." + rest : ""}e${exponent}`;
}

// ---------------------------------------------------------------- small helpers

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const sentence = (words) =>
  words.length < 2 ? words.join("") : words.slice(0, -1).join(", ") + " and " + words.at(-1);

function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

function ramp(stops, t) {
  const place = clamp(t, 0, 1) * (stops.length - 1);
  const k = Math.min(Math.floor(place), stops.length - 2);
  const [a, b] = [rgb(stops[k]), rgb(stops[k + 1])];
  return a.map((v, i) => Math.round(v + (b[i] - v) * (place - k)));
}

const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

function isDark() {
  const html = document.documentElement;
  const body = document.body;
  const said = html.dataset.theme || html.getAttribute("theme");
  if (said === "dark" || said === "light") return said === "dark";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (/\bvscode-(dark|high-contrast)\b/.test(body.className))
    return !/\bvscode-high-contrast-light\b/.test(body.className);
  if (/\bvscode-light\b/.test(body.className)) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

const prefersStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// ---------------------------------------------------------------- shapes

const MARKERS = [
  (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
  (c, x, y, r) => c.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 3, -Math.PI / 2),
  (c, x, y, r) => polygon(c, x, y, 1.2 * r, 4, 0),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 3, Math.PI / 2),
  (c, x, y, r) => polygon(c, x, y, 1.15 * r, 6, 0),
];

function polygon(c, x, y, r, sides, turn) {
  for (let k = 0; k < sides; k++) {
    const angle = turn + (2 * Math.PI * k) / sides;
    c[k ? "lineTo" : "moveTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  c.closePath();
}

function star(c, x, y, r) {
  c.beginPath();
  for (let k = 0; k < 10; k++) {
    const angle = -Math.PI / 2 + (Math.PI * k) / 5;
    const reach = k % 2 ? 0.45 * r : r;
    c[k ? "lineTo" : "moveTo"](x + reach * Math.cos(angle), y + reach * Math.sin(angle));
  }
  c.closePath();
}

function marker(c, kind, x, y, r, fill, edge, width = 1.5) {
  c.beginPath();
  MARKERS[kind % MARKERS.length](c, x, y, r);
  c.lineWidth = 2 * width;
  c.strokeStyle = edge;
  c.stroke();
  c.fillStyle = fill;
  c.fill();
}

function haloed(c, text, x, y, ink, paper) {
  c.lineJoin = "round";
  c.lineWidth = 3.5;
  c.strokeStyle = paper;
  c.strokeText(text, x, y);
  c.fillStyle = ink;
  c.fillText(text, x, y);
}

function hatch(c, x, y, w, h, colors) {
  c.save();
  c.beginPath();
  c.rect(x, y, w, h);
  c.clip();
  c.fillStyle = colors.diverged;
  c.fillRect(x, y, w, h);
  c.beginPath();
  for (let d = Math.floor((x - y - h) / 5) * 5; d < x + w - y; d += 5) {
    c.moveTo(d + y, y);
    c.lineTo(d + y + h, y + h);
  }
  c.lineWidth = 0.8;
  c.strokeStyle = colors.hatch;
  c.stroke();
  c.restore();
}

// ---------------------------------------------------------------- a canvas that knows its size

class Panel {
  constructor(name, attributes) {
    this.canvas = make("canvas", { class: name, ...attributes });
    this.frame = make("div", { class: `${name}-frame` }, this.canvas);
    this.under = document.createElement("canvas");
    this.width = this.height = 0;
  }

  // True if the size has changed.
  fit() {
    const { width, height } = this.frame.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    Object.assign(this, { width, height, ratio });
    for (const canvas of [this.canvas, this.under]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    return true;
  }

  // Draw afresh on one of the two canvases; what the drawing sets does not outlive it.
  fresh(canvas, draw) {
    const c = canvas.getContext("2d");
    c.save();
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    c.font = `11.5px ${FONT}`;
    draw(c);
    c.restore();
  }

  // The layer that rarely changes.
  below(draw) {
    this.fresh(this.under, draw);
  }

  // The layer above it.
  above(draw) {
    this.fresh(this.canvas, (c) => {
      c.drawImage(this.under, 0, 0, this.width, this.height);
      draw(c);
    });
  }
}

// ---------------------------------------------------------------- the surface

// Catmull-Rom taps for stretching `from` samples over `to` pixels.
function taps(from, to) {
  const index = new Int32Array(to);
  const weights = new Float32Array(4 * to);
  for (let i = 0; i < to; i++) {
    // The outermost samples lie outside the picture, so that every pixel has four neighbors.
    const place = 1 + ((i + 0.5) / to) * (from - 3);
    const k = clamp(Math.floor(place), 1, from - 3);
    const t = place - k;
    index[i] = k - 1;
    weights[4 * i] = 0.5 * t * (-1 + t * (2 - t));
    weights[4 * i + 1] = 0.5 * (2 + t * t * (3 * t - 5));
    weights[4 * i + 2] = 0.5 * t * (1 + t * (4 - 3 * t));
    weights[4 * i + 3] = 0.5 * t * t * (t - 1);
  }
  return { index, weights };
}

function paintSurface(canvas, samples, exponent, colors) {
  const { width, height } = canvas;
  const n = Math.round(Math.sqrt(samples.length));
  const across = taps(n, width);
  const stretched = new Float32Array(n * width);
  for (let row = 0; row < n; row++)
    for (let i = 0; i < width; i++) {
      const s = row * n + across.index[i];
      const w = 4 * i;
      stretched[row * width + i] =
        samples[s] * across.weights[w] +
        samples[s + 1] * across.weights[w + 1] +
        samples[s + 2] * across.weights[w + 2] +
        samples[s + 3] * across.weights[w + 3];
    }
  const down = taps(n, height);
  const levels = (y, out) => {
    const s = down.index[height - 1 - y] * width;
    const w = 4 * (height - 1 - y);
    const [a, b, c, d] = down.weights.subarray(w, w + 4);
    for (let i = 0; i < width; i++) {
      const v =
        stretched[s + i] * a +
        stretched[s + width + i] * b +
        stretched[s + 2 * width + i] * c +
        stretched[s + 3 * width + i] * d;
      out[i] = BANDS * Math.pow(v > 0 ? v : 0, exponent);
    }
  };
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const fills = Array.from({ length: BANDS + 2 }, (_, k) => ramp(colors.surface, k / BANDS));
  const line = rgb(colors.isoline);
  let here = new Float32Array(width);
  let next = new Float32Array(width);
  levels(0, here);
  for (let y = 0, p = 0; y < height; y++) {
    if (y + 1 < height) levels(y + 1, next);
    for (let x = 0; x < width; x++, p += 4) {
      const level = here[x];
      const slope = Math.hypot(here[x + 1 < width ? x + 1 : x] - level, next[x] - level) || 1e-9;
      const band = Math.floor(level);
      const part = level - band;
      const away = Math.min(part, 1 - part) / slope;
      // Lines closer than about three pixels would only darken the picture.
      const ink = away < 1 ? 0.5 * (1 - away) * clamp(1.4 - 4 * slope, 0, 1) : 0;
      const fill = fills[Math.min(band, BANDS + 1)];
      image.data[p] = fill[0] + (line[0] - fill[0]) * ink;
      image.data[p + 1] = fill[1] + (line[1] - fill[1]) * ink;
      image.data[p + 2] = fill[2] + (line[2] - fill[2]) * ink;
      image.data[p + 3] = 255;
    }
    [here, next] = [next, here];
  }
  context.putImageData(image, 0, 0);
}

// ---------------------------------------------------------------- axes

// Ticks of a logarithmic axis: decades, thinned to what fits; over a short stretch also 1 3, or 1 2 5.
function decades([low, high], most) {
  const span = high - low;
  if (span >= 2.2) {
    const step = Math.ceil(span / most);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => ({
      at: (first + k) * step,
      power: (first + k) * step,
    }));
  }
  const digits = span < 0.8 ? [1, 1.5, 2, 3, 5, 7] : span < 1.4 ? [1, 2, 5] : [1, 3];
  const ticks = [];
  for (let k = Math.floor(low); k <= high; k++)
    for (const m of digits) {
      const at = k + Math.log10(m);
      if (at >= low && at <= high) ticks.push({ at, text: String(parseFloat((m * 10 ** k).toPrecision(2))) });
    }
  return ticks;
}

function tickLabel(c, tick, x, y, plain) {
  const short = plain || tick.power === 0 || tick.power === 1;
  const text = tick.text ?? (short ? String(parseFloat((10 ** tick.power).toPrecision(1))) : null);
  if (text !== null) return c.fillText(text, x, y);
  const power = String(tick.power).replace("-", "\u2212");
  c.save();
  c.font = `8.5px ${FONT}`;
  c.fillText(power, x, y - 4);
  const shift = c.measureText(power).width + 0.5;
  c.restore();
  c.fillText("10", x - shift, y);
}

function logAxis(c, box, range, colors) {
  const ticks = decades(range, Math.max(2, Math.floor(box.height / 20)));
  const plain = ticks.every((tick) => tick.text || (tick.power >= -3 && tick.power <= 3));
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const tick of ticks) {
    const y = box.y(tick.at);
    c.fillStyle = colors.faint;
    c.fillRect(box.left, Math.round(y) - 0.5, box.width, 1);
    c.fillStyle = colors.muted;
    tickLabel(c, tick, box.left - 7, y + 0.5, plain);
  }
}

// Draw the labels that fit, the most important first.
function place(candidates, gap) {
  const taken = [];
  return candidates.filter(({ at, size }) => {
    const free = taken.every(([low, high]) => at + size / 2 + gap < low || at - size / 2 - gap > high);
    if (free) taken.push([at - size / 2, at + size / 2]);
    return free;
  });
}

function plotBox(panel, { left, right, top, bottom }, range) {
  const box = { left, top, width: panel.width - left - right, height: panel.height - top - bottom };
  box.right = left + box.width;
  box.bottom = top + box.height;
  if (range) box.y = (v) => box.bottom - ((v - range[0]) / (range[1] - range[0])) * box.height;
  return box;
}

// ---------------------------------------------------------------- quests

class Quests {
  constructor(spec, announce) {
    this.spec = spec;
    this.announce = announce;
    this.key = `uo:${location.pathname}:${spec.key}`;
    this.state = this.recall();
    this.items = spec.quests.map((quest, k) => this.item(quest, k));
    this.forget = make("button", { type: "button", class: "uo-forget" }, "Start over");
    this.forget.addEventListener("click", () => this.reset());
    this.tally = make("span", { class: "uo-tally" });
    this.root = make("section", { class: "uo-tasks", "aria-label": "Quests" });
    if (spec.quests.length) {
      const head = make(
        "div",
        { class: "uo-tasks-head" },
        make("span", { class: "uo-tasks-title" }, "Quests"),
        this.tally,
        this.forget,
      );
      this.root.append(head, make("ul", { class: "uo-quests" }, ...this.items.map((item) => item.node)));
    } else this.root.hidden = true;
    this.show();
  }

  recall() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) ?? {};
    } catch {
      return {};
    }
  }

  remember() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.state));
    } catch {
      // Storage may be closed to us: the quests then last as long as the page.
    }
  }

  reset() {
    this.state = {};
    this.remember();
    this.show();
    this.changed?.();
    this.announce("Quests start over.");
  }

  item(quest, k) {
    const status = make("span", { class: "uo-sr" });
    const text = make("span", { class: "uo-quest-text" }, quest.text);
    const more = make("div", { class: "uo-quest-more" });
    const node = make("li", { "data-done": "false" }, make("span", { class: "uo-tick", "aria-hidden": "true" }));
    node.append(make("div", { class: "uo-quest-body" }, status, text, more));
    if (quest.kind === "predict") {
      const group = make("span", { class: "uo-choices", role: "group", "aria-label": "Your prediction" });
      quest.choices.forEach((choice, c) => {
        const button = make("button", { type: "button", class: "uo-choice", "aria-pressed": "false" }, choice);
        button.addEventListener("click", () => this.answer(k, c));
        group.append(button);
      });
      node.querySelector(".uo-quest-body").insertBefore(group, more);
    }
    return { quest, node, status, more };
  }

  answer(k, choice) {
    const { quest } = this.items[k];
    if (this.state[quest.id]) return;
    this.state[quest.id] = { choice };
    this.remember();
    this.show();
    this.announce(`You predict: ${quest.choices[choice]}. Now move to ${quest.look} and look.`);
    if (this.last !== undefined) this.judge(this.masks, this.last);
  }

  // The reader stands at this entry of the table.
  judge(masks, entry) {
    this.masks = masks;
    this.last = entry;
    let news = false;
    this.items.forEach(({ quest }, k) => {
      const state = this.state[quest.id];
      if (state?.done || (quest.kind === "predict" && !state) || !bit(masks[k], entry)) return;
      this.state[quest.id] = { ...state, done: true };
      news = true;
      this.announce(quest.kind === "predict" ? this.verdict(quest, state.choice) : `Quest done: ${quest.text}`);
    });
    if (!news) return;
    this.remember();
    this.show();
  }

  verdict(quest, choice) {
    const right = choice === quest.answer;
    const head = right ? "As you predicted" : `You predicted \u201c${quest.choices[choice]}\u201d`;
    return `${head}: ${right ? "" : "it is "}\u201c${quest.choices[quest.answer]}\u201d. ${quest.because}`;
  }

  get hidesBest() {
    return this.items.some(({ quest }) => quest.hidesBest && !this.state[quest.id]?.done);
  }

  show() {
    let done = 0;
    for (const { quest, node, status, more } of this.items) {
      const state = this.state[quest.id] ?? {};
      done += state.done ? 1 : 0;
      node.dataset.done = String(Boolean(state.done));
      status.textContent = state.done ? "Done: " : "To do: ";
      if (quest.kind !== "predict") continue;
      [...node.querySelectorAll(".uo-choice")].forEach((button, c) => {
        button.setAttribute("aria-pressed", String(state.choice === c));
        button.disabled = state.choice !== undefined;
        button.dataset.right = String(Boolean(state.done) && c === quest.answer);
      });
      if (state.done) more.textContent = this.verdict(quest, state.choice);
      else if (state.choice !== undefined) more.textContent = `Now move to ${quest.look} and look.`;
      else more.textContent = "";
    }
    this.tally.textContent = `${done} of ${this.items.length} done`;
    this.forget.hidden = Object.keys(this.state).length === 0;
  }
}

// ---------------------------------------------------------------- what every figure does

// A subclass has `panels`, `says`, `resized`, `paint` and `repaintAll`.
class LiveFigure {
  constructor(model) {
    this.model = model;
    this.spec = model.get("spec");
    this.off = [];
    this.dirty = new Set();
  }

  listen(name, callback) {
    this.model.on(`change:${name}`, callback);
    this.off.push(() => this.model.off(`change:${name}`, callback));
  }

  watch() {
    const theme = () => {
      if (isDark() !== this.dark) this.repaintAll();
    };
    const themes = new MutationObserver(theme);
    const options = { attributes: true, attributeFilter: ["data-theme", "theme", "class", "data-jp-theme-light"] };
    themes.observe(document.documentElement, options);
    themes.observe(document.body, options);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", theme);
    const sizes = new ResizeObserver(() => this.resized());
    for (const panel of this.panels) sizes.observe(panel.frame);
    const room = new ResizeObserver(([seen]) => this.keepRoom(seen.contentRect));
    room.observe(this.says);
    const near = new IntersectionObserver(
      (seen) => {
        this.near = seen.at(-1).isIntersecting;
        if (this.near) this.mark();
      },
      { rootMargin: "50%" },
    );
    near.observe(this.root);
    this.off.push(
      () => themes.disconnect(),
      () => scheme.removeEventListener("change", theme),
      () => sizes.disconnect(),
      () => room.disconnect(),
      () => near.disconnect(),
    );
  }

  close() {
    clearTimeout(this.quiet);
    cancelAnimationFrame(this.frame);
    this.off.forEach((undo) => undo());
    this.root.remove();
  }

  choose(setting) {
    for (const [name, value] of Object.entries(setting)) this.model.set(name, value);
    this.model.save_changes();
  }

  count(axis) {
    return this.spec.axes[axis].labels.length;
  }

  index(axis) {
    return axis < this.spec.axes.length ? this.model.get(`i${axis}`) : 0;
  }

  get here() {
    return this.spec.axes.map((_, axis) => this.index(axis));
  }

  settingText(setting, axes = this.spec.axes.map((_, k) => k)) {
    return sentence(axes.map((k) => `${this.spec.axes[k].name} ${this.spec.axes[k].labels[setting[k]]}`));
  }

  mark(...parts) {
    parts.forEach((part) => this.dirty.add(part));
    if (this.frame || !this.table) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.near || this.touched) this.paint();
    });
  }

  // The colors of the page as it is now.
  recolor() {
    this.dark = isDark();
    this.colors = this.spec.palette[this.dark ? "dark" : "light"];
    this.dress();
  }

  // The style sheet takes its colors from the palette too, for the sliders above as well.
  dress() {
    if (!this.colors) return;
    const holder = this.root.closest(".uo-figure");
    for (const node of holder ? [this.root, holder] : [this.root]) {
      for (const role of ["paper", "ink", "muted", "faint", "panel", "accent", "good", "track"])
        node.style.setProperty(`--uo-${role}`, this.colors[role]);
      node.style.setProperty("--uo-path", this.colors.series[0]);
      node.style.colorScheme = this.dark ? "dark" : "light";
    }
  }

  // The sliders are ipywidgets', whose handles tell a screen reader neither their name nor their value.
  nameSliders() {
    const handles = this.root.closest(".uo-figure")?.querySelectorAll(".uo-sliders .noUi-handle") ?? [];
    handles.forEach((handle, k) => {
      handle.setAttribute("aria-label", this.spec.axes[k].name);
      handle.setAttribute("aria-valuetext", this.spec.axes[k].labels[this.index(k)]);
    });
  }

  put(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  // A sentence that has taken three lines keeps them, so that the page below does not jump with each move.
  keepRoom({ width, height }) {
    this.says.style.minHeight = width === this.wordsWidth ? `${height}px` : "";
    this.wordsWidth = width;
  }

  // Readers see every word at once; screen readers hear the sentence when the slider rests.
  speak(words) {
    if (words === this.said) return;
    const first = this.said === undefined;
    this.said = words;
    this.says.setAttribute("aria-live", "off");
    this.says.textContent = words;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.says.setAttribute("aria-live", "polite");
      if (!first) this.says.replaceChildren(words);
    }, QUIET_MS);
  }

  capital(text) {
    return text[0].toUpperCase() + text.slice(1);
  }
}
