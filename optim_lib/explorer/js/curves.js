// A figure of curves: those at the setting where the sliders stand, and a kept copy to compare with.

import { decades, linearAxis, logAxis, plainPower, plotBox, roundTicks } from "./axes.js";
import { LiveFigure } from "./figure.js";
import { Panel } from "./panel.js";
import { FONT, haloed, marker } from "./shapes.js";
import { DIVERGED, level, lossOf } from "./table.js";
import { at, capital, clamp, listed, plainNumber, quoted, settingText, valueText } from "./words.js";

export class Chart extends Panel {
  constructor(figure, frame, k) {
    super(figure, frame, "uo-curve", { role: "img" });
    this.k = k;
  }

  get panel() {
    return this.spec.panels[this.k];
  }

  get drawn() {
    return this.figure.shownCurves(this.k);
  }

  box() {
    return plotBox(this, { left: 46, right: 12, top: 8, bottom: 36 }, this.panel.range);
  }

  // The ends of the axis: of a logarithmic one as powers of ten.
  get ends() {
    const ends = [this.spec.x[0], this.spec.x.at(-1)];
    return this.spec.logX ? ends.map(Math.log10) : ends;
  }

  toPixel(box, x) {
    const [first, last] = this.ends;
    return box.left + (((this.spec.logX ? Math.log10(x) : x) - first) / (last - first)) * box.width;
  }

  fromPixel(pixel) {
    const box = this.box();
    const [first, last] = this.ends;
    const at = first + ((pixel - box.left) / box.width) * (last - first);
    return this.spec.logX ? 10 ** at : at;
  }

  // The places to name below the chart, and their names.
  xTicks() {
    const [first, last] = this.ends;
    if (!this.spec.logX)
      return roundTicks(first, last, 5).map((tick) => ({ x: tick, text: plainNumber(tick, last - first) }));
    return decades([first, last], 6).map(({ at, power, text }) => ({
      x: 10 ** at,
      text: text ?? plainPower(power),
    }));
  }

  base(c) {
    const box = this.box();
    const { colors, panel } = this;
    if (panel.log) logAxis(c, box, panel.range, colors);
    else linearAxis(c, box, panel.range, colors);
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillStyle = colors.muted;
    for (const { x, text } of this.xTicks()) c.fillText(text, this.toPixel(box, x), box.bottom + 15);
    c.textAlign = "right";
    c.fillText(`${this.spec.xlabel} \u2192`, box.right, box.bottom + 30);
  }

  top(c) {
    const box = this.box();
    const { colors, figure } = this;
    c.save();
    c.beginPath();
    c.rect(box.left - 1, box.top - 3, box.width + 2, box.height + 5);
    c.clip();
    c.lineJoin = "round";
    if (figure.kept)
      for (const curve of this.drawn) this.line(c, box, figure.run(curve, figure.kept), colors.muted, 1.3, [4, 3]);
    for (const curve of this.drawn) {
      const run = figure.run(curve, figure.here);
      this.line(c, box, run, colors.paper, 4.5, []);
      this.line(c, box, run, figure.colorOf(curve), 2, []);
    }
    c.restore();
    if (figure.over !== null) this.reading(c, box);
  }

  line(c, box, codes, color, width, dash) {
    c.beginPath();
    let pen = false;
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === DIVERGED) {
        pen = false;
        continue;
      }
      c[pen ? "lineTo" : "moveTo"](this.toPixel(box, this.spec.x[i]), box.y(level(this.panel, codes[i])));
      pen = true;
    }
    c.setLineDash(dash);
    c.lineWidth = width;
    c.strokeStyle = color;
    c.stroke();
    c.setLineDash([]);
  }

  // The values where the reader points.
  reading(c, box) {
    const { colors, figure, panel, spec } = this;
    const x = this.toPixel(box, spec.x[figure.over]);
    c.fillStyle = colors.muted;
    c.fillRect(Math.round(x) - 0.5, box.top, 1, box.height);
    const right = x > (box.left + box.right) / 2;
    c.textAlign = right ? "right" : "left";
    c.textBaseline = "middle";
    this.drawn.forEach((curve, i) => {
      const code = figure.run(curve, figure.here)[figure.over];
      const color = figure.colorOf(curve);
      if (code !== DIVERGED)
        marker(c, 0, x, clamp(box.y(level(panel, code)), box.top, box.bottom), 3.5, color, colors.paper);
      haloed(c, valueText(panel, code), x + (right ? -7 : 7), box.top + 8 + 15 * i, color, colors.paper);
    });
    c.textAlign = "center";
    haloed(c, plainNumber(spec.x[figure.over], spec.x.at(-1)), x, box.bottom + 11, colors.ink, colors.paper);
  }

  words() {
    const { figure, panel } = this;
    const axis = panel.log ? "on a logarithmic axis" : "on a linear axis";
    const fates = this.drawn.map((curve) => {
      const codes = figure.run(curve, figure.here);
      return `${curve.label} goes from ${valueText(panel, codes[0])} to ${valueText(panel, codes.at(-1))}`;
    });
    return `${capital(panel.title)} over ${this.spec.xlabel}, ${axis}: ${listed(fates)}.`;
  }
}

export class CurvesFigure extends LiveFigure {
  build() {
    this.shown = this.spec.labels.map(() => true);
    this.kept = this.over = null;
    this.charts = [...this.root.querySelectorAll(".uo-curve-frame")].map((frame, k) => this.chart(frame, k));
    this.entries = [...this.root.querySelectorAll(".uo-entry")];
    this.entries.forEach((button, k) =>
      button.addEventListener("click", () => {
        this.shown[k] = !this.shown[k];
        button.setAttribute("aria-pressed", String(this.shown[k]));
        this.mark("curves", "says");
      }),
    );
    this.keep = this.find(".uo-keep");
    this.keep.addEventListener("click", () => this.keepCopy());
  }

  chart(frame, k) {
    return new Chart(this, frame, k);
  }

  keepCopy() {
    this.kept = this.kept ? null : this.here;
    this.keep.setAttribute("aria-pressed", String(Boolean(this.kept)));
    this.put(this.keep, this.kept ? "Drop the copy" : "Keep a copy");
    this.announce(this.kept ? `Kept in gray: ${settingText(this.spec, this.kept)}.` : "The copy is gone.");
    this.mark("curves");
  }

  // ---- life

  get panels() {
    return this.charts;
  }

  load(parts) {
    parts = [...parts];
    this.table = this.spec.panels.map((panel) => panel.curves.map((curve) => ({ ...curve, codes: parts.shift() })));
    this.masks = parts;
    for (const chart of this.charts) {
      chart.canvas.addEventListener("pointermove", (event) => this.look(chart.fromPixel(event.offsetX)));
      chart.canvas.addEventListener("pointerleave", () => this.look(null));
    }
  }

  moved(name) {
    super.moved(name);
    this.mark("curves", "says");
  }

  look(x) {
    const away = x === null ? [] : this.spec.x.map((value) => Math.abs(value - x));
    const nearest = x === null ? null : away.indexOf(Math.min(...away));
    if (nearest === this.over) return;
    this.over = nearest;
    this.mark("curves");
  }

  // ---- reading the table

  entry() {
    return this.here.reduce((place, index, axis) => place * this.count(axis) + index, 0);
  }

  run(curve, setting) {
    const row = curve.shape.reduce((place, size, axis) => place * size + (size > 1 ? setting[axis] : 0), 0);
    const n = curve.n ?? this.spec.x.length;
    return curve.codes.subarray(row * n, (row + 1) * n);
  }

  shownCurves(k) {
    return this.table[k].filter((curve) => this.shown[this.spec.labels.indexOf(curve.label)]);
  }

  colorOf(curve) {
    return this.colors.series[this.spec.colors[this.spec.labels.indexOf(curve.label)]];
  }

  // ---- painting

  repaintAll() {
    this.recolor();
    this.mark("base", "says");
  }

  resized() {
    if (this.charts.map((chart) => chart.fit()).some(Boolean)) this.mark("base");
  }

  paint(todo) {
    if (todo.has("base") || todo.has("curves")) for (const chart of this.charts) chart.paint(todo.has("base"));
  }

  // ---- in words, as optim_lib/explorer/sentences.py says them at first

  saying() {
    const { spec } = this;
    const panel = spec.panels[spec.judged];
    const curves = this.shownCurves(spec.judged);
    if (!curves.length) return "Every curve is hidden.";
    const fates = curves.map((curve) => {
      const codes = this.run(curve, this.here);
      const gone = codes.indexOf(DIVERGED);
      const fate = gone < 0 ? ending(panel, codes.at(-1)) : `diverges at ${spec.xlabel} ${spec.x[gone]}`;
      return curves.length > 1 ? `${fate} for ${curve.label}` : fate;
    });
    // "ends at 2 for this and at 3 for that"
    const verb = `${verbOf(panel)} `;
    const short = fates.map((fate, k) =>
      k && fates[k - 1].startsWith(verb) && fate.startsWith(verb) ? fate.slice(verb.length) : fate,
    );
    const words = `With ${this.settingText()}, the ${panel.title} ${listed(short)}.`;
    return this.quests.hidesBest ? words : words + this.bestWords(panel, curves);
  }

  // Which setting does best, with what belongs to the problem as it stands.
  bestWords(panel, curves) {
    const { spec, here } = this;
    const free = spec.axes.flatMap((axis, k) => (axis.given ? [] : [k]));
    if (spec.ideal === null || !free.length) return "";
    const target = spec.ideal && (panel.log ? Math.log10(spec.ideal) : spec.ideal);
    const away = (code) => {
      if (code === DIVERGED) return Infinity;
      return spec.ideal === 0 ? code : Math.abs(level(panel, code) - target);
    };
    let best = { away: Infinity, ties: 0 };
    for (const curve of curves)
      for (const setting of this.settings(free)) {
        const code = this.run(curve, setting).at(-1);
        const distance = away(code);
        if (distance < best.away) best = { away: distance, code, setting, curve, ties: 0 };
        if (distance === best.away) best.ties += 1;
      }
    if (!best.setting) return "";
    const now = Math.min(...curves.map((curve) => away(this.run(curve, here).at(-1))));
    const [most, more] =
      spec.ideal === 0 ? ["lowest", "lower"] : [`nearest to ${spec.ideal}`, `nearer to ${spec.ideal}`];
    if (now === best.away) return ` No setting on these sliders ${verbOf(panel)} ${more}.`;
    const given = spec.axes.flatMap((axis, k) => (axis.given ? [k] : []));
    const head = given.length ? ` With ${settingText(spec, here, given)}, the` : " The";
    const who = curves.length > 1 ? `${best.curve.label} with ` : "";
    const found = settingText(spec, best.setting, free) + (best.ties > 1 ? ", for one" : "");
    return `${head} ${most} on these sliders is ${who}${found}, ${reads(panel) ? "where it" : "which"} ${ending(panel, best.code)}.`;
  }

  // Every setting that differs from this one along some axes.
  *settings([axis, ...rest], setting = this.here) {
    if (axis === undefined) {
      yield setting;
      return;
    }
    for (let i = 0; i < this.count(axis); i++) yield* this.settings(rest, setting.with(axis, i));
  }

  // ---- to take away

  get credit() {
    return "";
  }

  get shape() {
    return this.charts.length > 1 ? 1.45 : 2;
  }

  drawAll(c, width) {
    const across = this.charts.length > 1 ? 2 : 1;
    const wide = (width - 18 * (across - 1)) / across;
    const tall = wide / this.shape;
    this.charts.forEach((chart, k) => {
      c.save();
      c.translate((k % across) * (wide + 18), Math.floor(k / across) * (tall + 34));
      c.font = `600 12.2px ${FONT}`;
      c.textAlign = "left";
      c.textBaseline = "alphabetic";
      c.fillStyle = this.colors.ink;
      c.fillText(capital(chart.panel.title), 0, 13);
      c.translate(0, 22);
      chart.drawOn(c, wide, tall);
      c.restore();
    });
    return Math.ceil(this.charts.length / across) * (tall + 34) - 12;
  }

  csv() {
    const rows = [`# ${this.spec.title}; ${this.settingText()}`, `panel,curve,${quoted(this.spec.xlabel)},value`];
    this.spec.panels.forEach((panel, k) => {
      for (const curve of this.shownCurves(k))
        this.run(curve, this.here).forEach((code, i) => {
          const value = panel.log ? lossOf(code) : level(panel, code);
          const text = code === DIVERGED ? "" : value.toPrecision(panel.log ? 3 : 5);
          rows.push([quoted(panel.title), quoted(curve.label), this.spec.x[i], text].join(","));
        });
    });
    return `${rows.join("\n")}\n`;
  }
}

// Whether a panel is no chart but the numbers that a scene is told by.
const reads = (panel) => panel.type === "reading";
const verbOf = (panel) => (reads(panel) ? "is" : "ends");
const ending = (panel, code) => (reads(panel) ? `is ${valueText(panel, code)}` : `ends ${at(valueText(panel, code))}`);
