// Panels of curves, after common.js: the curves at the setting where the sliders stand, and a kept copy to compare with.

const SCALE = 65000;

class Curves extends LiveFigure {
  constructor(model, el) {
    super(model);
    this.shown = this.spec.labels.map(() => true);
    this.kept = null;
    this.build(el);
  }

  build(el) {
    const { spec } = this;
    this.charts = spec.panels.map(() => new Panel("uo-curve", { role: "img" }));
    this.heads = spec.panels.map((panel) => make("div", { class: "uo-label" }, this.capital(panel.title)));
    this.says = make("p", { class: "uo-says", "aria-live": "off" });
    this.news = make("div", { class: "uo-sr", "aria-live": "polite" });
    this.quests = new Quests(spec, (words) => (this.news.textContent = words));
    this.quests.changed = () => this.mark("says");
    this.root = make("div", {
      class: "uo-explorer",
      role: "group",
      "aria-label": spec.title,
      "data-lm-suppress-shortcuts": "true",
    });
    if (spec.describe) this.root.append(make("p", { class: "uo-sr" }, spec.describe));
    const cells = this.charts.map((chart, k) => make("div", { class: "uo-chart" }, this.heads[k], chart.frame));
    const panels = make("div", { class: "uo-charts", "data-count": spec.panels.length }, ...cells);
    this.root.append(this.controls(), panels, this.says, this.quests.root, this.news);
    el.append(this.root);
  }

  controls() {
    this.keep = make("button", { type: "button", class: "uo-keep", "aria-pressed": "false" }, "Keep a copy");
    this.keep.addEventListener("click", () => {
      this.kept = this.kept ? null : this.here;
      this.keep.setAttribute("aria-pressed", String(Boolean(this.kept)));
      this.put(this.keep, this.kept ? "Drop the copy" : "Keep a copy");
      this.news.textContent = this.kept ? `Kept in gray: ${this.settingText(this.kept)}.` : "The copy is gone.";
      this.mark("curves");
    });
    const bar = make("div", { class: "uo-bar" });
    if (this.spec.labels.length > 1) bar.append(this.legend());
    bar.append(this.keep);
    return bar;
  }

  legend() {
    this.entries = this.spec.labels.map((label, k) => {
      const swatch = make("canvas", { width: 30, height: 30, class: "uo-swatch", "aria-hidden": "true" });
      const button = make(
        "button",
        { type: "button", class: "uo-entry", "aria-pressed": "true", title: "show or hide" },
        swatch,
        label,
      );
      button.addEventListener("click", () => {
        this.shown[k] = !this.shown[k];
        button.setAttribute("aria-pressed", String(this.shown[k]));
        this.mark("curves", "says");
      });
      return swatch;
    });
    return make(
      "div",
      { class: "uo-legend uo-legend-short", role: "group", "aria-label": "Curves" },
      ...this.entries.map((swatch) => swatch.parentNode),
    );
  }

  // ---- life

  get panels() {
    return this.charts;
  }

  async open() {
    const { model, spec } = this;
    for (const name of ["i0", "i1", "i2"]) this.listen(name, () => this.moved());
    this.watch();
    const parts = await unpack(spec, model.get("table"));
    this.table = spec.panels.map((panel) => panel.curves.map((curve) => ({ ...curve, codes: parts.shift() })));
    this.masks = parts;
    this.charts.forEach((chart, k) => {
      chart.canvas.addEventListener("pointermove", (event) => this.look(k, event.offsetX));
      chart.canvas.addEventListener("pointerleave", () => this.look(k, null));
    });
    this.repaintAll();
    const idle = window.requestIdleCallback ?? ((callback) => setTimeout(callback, 200));
    idle(() => {
      this.touched = true;
      this.mark();
    });
  }

  moved() {
    this.touched = true;
    if (this.table) this.quests.judge(this.masks, this.entry());
    this.mark("curves", "says");
  }

  look(k, x) {
    const box = this.box(k);
    const n = this.spec.x.length;
    const wanted = x === null ? null : this.fromPixel(box, x);
    let at = null;
    if (wanted !== null)
      for (let i = 0; i < n; i++)
        if (at === null || Math.abs(this.spec.x[i] - wanted) < Math.abs(this.spec.x[at] - wanted)) at = i;
    if (at === this.over) return;
    this.over = at;
    this.mark("curves");
  }

  // ---- reading the table

  entry() {
    return this.here.reduce((at, index, axis) => at * this.count(axis) + index, 0);
  }

  run(curve, setting) {
    const row = curve.shape.reduce((at, size, axis) => at * size + (size > 1 ? setting[axis] : 0), 0);
    const n = this.spec.x.length;
    return curve.codes.subarray(row * n, (row + 1) * n);
  }

  // What a code stands for on the panel's axis (a decade, if that is logarithmic).
  level(panel, code) {
    return panel.log ? logLoss(code) : panel.range[0] + (code / SCALE) * (panel.range[1] - panel.range[0]);
  }

  text(panel, code) {
    if (code === DIVERGED) return "diverged";
    return panel.log ? lossText(code) : plainNumber(this.level(panel, code), panel.range[1] - panel.range[0]);
  }

  // ---- painting

  repaintAll() {
    this.recolor();
    this.mark("base", "legend", "says");
  }

  resized() {
    this.dress();
    if (this.charts.map((chart) => chart.fit()).some(Boolean)) this.mark("base");
  }

  paint() {
    const todo = this.dirty;
    this.dirty = new Set();
    this.touched = false;
    if (this.charts[0].width < 2) {
      this.dirty = todo;
      return;
    }
    if (todo.has("legend"))
      this.entries?.forEach((swatch, k) => {
        const c = swatch.getContext("2d");
        c.setTransform(2, 0, 0, 2, 0, 0);
        c.clearRect(0, 0, 15, 15);
        c.fillStyle = this.colors.series[k];
        c.fillRect(1, 6, 13, 3);
      });
    this.charts.forEach((chart, k) => {
      if (todo.has("base")) chart.below((c) => this.paintBase(c, k));
      if (todo.has("base") || todo.has("curves")) chart.above((c) => this.paintCurves(c, k));
    });
    if (todo.has("says")) this.say();
    this.nameSliders();
    this.root.dataset.ready = "true";
  }

  box(k) {
    return plotBox(this.charts[k], { left: 46, right: 12, top: 8, bottom: 36 }, this.spec.panels[k].range);
  }

  toPixel(box, x) {
    const [first, last] = [this.spec.x[0], this.spec.x.at(-1)];
    return box.left + ((x - first) / (last - first)) * box.width;
  }

  fromPixel(box, pixel) {
    const [first, last] = [this.spec.x[0], this.spec.x.at(-1)];
    return first + ((pixel - box.left) / box.width) * (last - first);
  }

  paintBase(c, k) {
    const box = this.box(k);
    const { colors, spec } = this;
    if (spec.panels[k].log) logAxis(c, box, spec.panels[k].range, colors);
    else linearAxis(c, box, spec.panels[k].range, colors);
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillStyle = colors.muted;
    for (const tick of roundTicks(spec.x[0], spec.x.at(-1), 5))
      c.fillText(plainNumber(tick, spec.x.at(-1) - spec.x[0]), this.toPixel(box, tick), box.bottom + 15);
    c.textAlign = "right";
    c.fillText(`${spec.xlabel} \u2192`, box.right, box.bottom + 30);
  }

  paintCurves(c, k) {
    const box = this.box(k);
    const { colors, spec } = this;
    const panel = spec.panels[k];
    c.save();
    c.beginPath();
    c.rect(box.left - 1, box.top - 3, box.width + 2, box.height + 5);
    c.clip();
    c.lineJoin = "round";
    const drawn = this.table[k].filter((curve) => this.shown[spec.labels.indexOf(curve.label)]);
    if (this.kept) for (const curve of drawn) this.line(c, box, panel, this.run(curve, this.kept), colors.muted, 1.3, [4, 3]);
    for (const curve of drawn) {
      const color = colors.series[spec.labels.indexOf(curve.label)];
      this.line(c, box, panel, this.run(curve, this.here), colors.paper, 4.5, []);
      this.line(c, box, panel, this.run(curve, this.here), color, 2, []);
    }
    c.restore();
    if (this.over !== null && this.over !== undefined) this.paintReading(c, box, panel, drawn);
    this.charts[k].canvas.setAttribute("aria-label", this.chartWords(k, drawn));
  }

  line(c, box, panel, codes, color, width, dash) {
    c.beginPath();
    let pen = false;
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === DIVERGED) {
        pen = false;
        continue;
      }
      c[pen ? "lineTo" : "moveTo"](this.toPixel(box, this.spec.x[i]), box.y(this.level(panel, codes[i])));
      pen = true;
    }
    c.setLineDash(dash);
    c.lineWidth = width;
    c.strokeStyle = color;
    c.stroke();
    c.setLineDash([]);
  }

  paintReading(c, box, panel, drawn) {
    const { colors, spec } = this;
    const x = this.toPixel(box, spec.x[this.over]);
    c.fillStyle = colors.muted;
    c.fillRect(Math.round(x) - 0.5, box.top, 1, box.height);
    const right = x > (box.left + box.right) / 2;
    c.textAlign = right ? "right" : "left";
    c.textBaseline = "middle";
    drawn.forEach((curve, i) => {
      const code = this.run(curve, this.here)[this.over];
      const color = colors.series[spec.labels.indexOf(curve.label)];
      if (code !== DIVERGED)
        marker(c, 0, x, clamp(box.y(this.level(panel, code)), box.top, box.bottom), 3.5, color, colors.paper);
      haloed(c, this.text(panel, code), x + (right ? -7 : 7), box.top + 8 + 15 * i, color, colors.paper);
    });
    c.textAlign = "center";
    haloed(c, plainNumber(spec.x[this.over], spec.x.at(-1)), x, box.bottom + 11, colors.ink, colors.paper);
  }

  // ---- in words

  chartWords(k, drawn) {
    const panel = this.spec.panels[k];
    const axis = panel.log ? "on a logarithmic axis" : "on a linear axis";
    const fates = drawn.map((curve) => {
      const codes = this.run(curve, this.here);
      return `${curve.label} goes from ${this.text(panel, codes[0])} to ${this.text(panel, codes.at(-1))}`;
    });
    return `${this.capital(panel.title)} over ${this.spec.xlabel}, ${axis}: ${sentence(fates)}.`;
  }

  say() {
    const { spec } = this;
    const panel = spec.panels[spec.judged];
    const curves = this.table[spec.judged].filter((curve) => this.shown[spec.labels.indexOf(curve.label)]);
    const several = curves.length > 1;
    const fates = curves.map((curve) => {
      const codes = this.run(curve, this.here);
      const gone = codes.indexOf(DIVERGED);
      const fate = gone < 0 ? this.ending(panel, codes.at(-1)) : `diverges at ${spec.xlabel} ${spec.x[gone]}`;
      return several ? `${fate} for ${curve.label}` : fate;
    });
    // "ends at 2 for this and at 3 for that"
    const short = fates.map((fate, k) => (k && fates[k - 1].startsWith("ends ") ? fate.replace(/^ends /, "") : fate));
    let words = `With ${this.settingText(this.here)}, the ${panel.title} ${sentence(short)}.`;
    if (!curves.length) words = "Every curve is hidden.";
    else if (!this.quests.hidesBest) words += this.bestWords(panel, curves);
    this.speak(words);
  }

  ending(panel, code) {
    return `ends at ${this.text(panel, code)}`.replace("at under", "under");
  }

  bestWords(panel, curves) {
    let best = { code: DIVERGED };
    for (const curve of curves)
      for (let entry = 0; entry < this.spec.axes.reduce((all, _, axis) => all * this.count(axis), 1); entry++) {
        const setting = this.settingOf(entry);
        const code = this.run(curve, setting).at(-1);
        if (code < best.code) best = { code, setting, curve };
      }
    if (!best.setting) return "";
    const who = curves.length > 1 ? `${best.curve.label} with ` : "";
    return ` The lowest on these sliders is ${who}${this.settingText(best.setting)}, which ${this.ending(panel, best.code)}.`;
  }

  settingOf(entry) {
    const setting = [];
    for (let axis = this.spec.axes.length - 1; axis >= 0; axis--) {
      setting.unshift(entry % this.count(axis));
      entry = Math.floor(entry / this.count(axis));
    }
    return setting;
  }
}

// ---------------------------------------------------------------- linear axes

function roundTicks(low, high, most) {
  const rough = (high - low) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => (high - low) / s <= most);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
  return ticks;
}

// A number as exact as a reader can see it on an axis of this span.
function plainNumber(value, span) {
  if (Math.abs(value) < 1e-9 * span) return "0";
  const digits = clamp(Math.ceil(Math.log10(Math.abs(value) / span)) + 3, 2, 6);
  const number = parseFloat(value.toPrecision(digits));
  const size = Math.abs(number);
  const text = size && (size < 1e-4 || size >= 1e6) ? number.toExponential().replace("e+", "e") : String(number);
  return text.replace("-", "\u2212");
}

function linearAxis(c, box, range, colors) {
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const tick of roundTicks(...range, Math.max(2, Math.floor(box.height / 32)))) {
    const y = box.y(tick);
    c.fillStyle = colors.faint;
    c.fillRect(box.left, Math.round(y) - 0.5, box.width, 1);
    c.fillStyle = colors.muted;
    c.fillText(plainNumber(tick, range[1] - range[0]), box.left - 7, y + 0.5);
  }
}

export default {
  render({ model, el }) {
    const figure = new Curves(model, el);
    figure.open();
    return () => figure.close();
  },
};
