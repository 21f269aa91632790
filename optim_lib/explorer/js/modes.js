// A figure of modes: the loss left along each eigenvector, their sum, and where each curvature lies on the V or the U.

import { Board, BoardFigure, StepChart, between, mixed } from "./boards.js";
import { RadiusMap } from "./radius.js";
import { FONT, haloed, marker } from "./shapes.js";
import { DIVERGED, STEPS, decade, lossOf } from "./table.js";
import { clamp, lossText } from "./words.js";

const decadeOf = (code) => code / 200 - 20;

// |1 - rate * curvature|, and a dot on it for each direction.
class Valley extends Board {
  get own() {
    return this.spec.valley;
  }

  x(box, q) {
    return box.left + ((q - this.own.span[0]) / (this.own.span[1] - this.own.span[0])) * box.width;
  }

  base(c) {
    const box = this.box(this.own.reach);
    const { colors, own } = this;
    c.fillStyle = colors.diverged;
    c.fillRect(box.left, box.top, box.width, Math.max(0, box.y(1) - box.top));
    this.upright(c, box, own.reach, false);
    this.across(c, box, own.span, "rate \u00d7 curvature", (q) => this.x(box, q));
    c.textAlign = "left";
    c.textBaseline = "middle";
    haloed(c, "grows", box.left + 8, (box.top + box.y(1)) / 2, colors.muted, colors.paper);
    c.lineJoin = "round";
    this.strand(
      c,
      own.line.map(([q, keeps]) => [this.x(box, q), box.y(keeps)]),
      colors.muted,
      1.6,
    );
  }

  top(c) {
    const box = this.box(this.own.reach);
    const { figure, colors } = this;
    figure.standing().forEach(({ q, keeps, color, chosen }) => {
      const [x, y] = [this.x(box, q), box.y(keeps)];
      if (chosen) {
        c.fillStyle = color;
        c.globalAlpha = 0.5;
        c.fillRect(x - 0.75, y, 1.5, box.bottom - y);
        c.globalAlpha = 1;
      }
      marker(c, 0, x, y, chosen ? 6.5 : 4.6, color, colors.paper, 1.4);
    });
  }

  words() {
    return (
      "The share of its distance that a direction keeps in a step, over rate times curvature: a V with its tip at 1. " +
      `${this.figure.directionWords()}`
    );
  }
}

// One bar for each direction, from the flattest to the steepest; its start as an outline.
class Bars extends Board {
  constructor(figure, frame, k) {
    super(figure, frame, k, { role: "slider", tabindex: "0", "aria-orientation": "horizontal" });
  }

  // The left edge of a bar, and how wide it is.
  bar(box, k) {
    const wide = box.width / this.spec.count;
    return [box.left + k * wide + 0.14 * wide, 0.72 * wide];
  }

  at(x) {
    const box = this.box();
    return clamp(Math.floor(((x - box.left) / box.width) * this.spec.count), 0, this.spec.count - 1);
  }

  base(c) {
    const box = this.box(this.spec.decades);
    this.upright(c, box, this.spec.decades, true);
    c.textAlign = "right";
    c.textBaseline = "alphabetic";
    c.fillStyle = this.colors.muted;
    c.fillText("curvature \u2192", box.right, box.bottom + 30);
  }

  top(c) {
    const box = this.box(this.spec.decades);
    const { colors, figure, spec } = this;
    const small = box.width / spec.count < 30;
    for (let k = 0; k < spec.count; k++) {
      const [x, wide] = this.bar(box, k);
      const levels = figure.levels(k);
      const top = clamp(box.y(between(levels, figure.progress)), box.top, box.bottom - 1.5);
      const first = clamp(box.y(levels[0]), box.top, box.bottom);
      c.globalAlpha = 0.16;
      c.fillStyle = figure.colorOf(k);
      c.fillRect(x, first, wide, box.bottom - first);
      c.globalAlpha = 1;
      c.fillRect(x, top, wide, box.bottom - top);
      const chosen = k === figure.chosen;
      if (chosen) {
        c.beginPath();
        c.rect(x - 2, Math.min(top, first) - 2, wide + 4, box.bottom - Math.min(top, first) + 3);
        c.lineWidth = 1.6;
        c.strokeStyle = colors.ink;
        c.stroke();
      }
      c.font = `${chosen ? "600 " : ""}${small ? 9 : 10.5}px ${FONT}`;
      c.textAlign = "center";
      c.fillStyle = chosen ? colors.ink : colors.muted;
      c.fillText(spec.short[k], x + wide / 2, box.bottom + 14);
      c.font = `11.5px ${FONT}`;
    }
  }

  words() {
    const { canvas, figure, spec } = this;
    canvas.setAttribute("aria-valuemin", "1");
    canvas.setAttribute("aria-valuemax", String(spec.count));
    canvas.setAttribute("aria-valuenow", String(figure.chosen + 1));
    canvas.setAttribute("aria-valuetext", figure.directionWords());
    return `${this.title}, ${spec.count} bars on a logarithmic axis; the arrow keys choose one`;
  }
}

// What an eigenvector is made of: the weight that each feature has in it.
class Loadings extends Board {
  base() {}

  top(c) {
    const { colors, figure, spec } = this;
    const n = spec.features.length;
    const [left, right] = [Math.min(132, 0.4 * this.width), this.width - 14];
    const middle = (left + right) / 2;
    const tall = (this.height - 26) / n;
    const [color, weights] = [figure.colorOf(figure.chosen), spec.directions[figure.chosen]];
    c.textBaseline = "middle";
    weights.forEach((weight, k) => {
      const y = 4 + k * tall;
      const long = Math.abs(weight) * (right - middle);
      c.fillStyle = color;
      c.globalAlpha = Math.abs(weight) < 0.1 ? 0.45 : 1;
      c.fillRect(weight < 0 ? middle - long : middle, y + 0.16 * tall, long, 0.68 * tall);
      c.globalAlpha = 1;
      c.textAlign = "right";
      c.font = `${Math.abs(weight) >= 0.3 ? "600 " : ""}11.5px ${FONT}`;
      c.fillStyle = Math.abs(weight) >= 0.1 ? colors.ink : colors.muted;
      c.fillText(spec.features[k], left - 8, y + tall / 2);
    });
    c.fillStyle = colors.muted;
    c.fillRect(middle - 0.5, 2, 1, this.height - 24);
    c.font = `11.5px ${FONT}`;
    c.textBaseline = "alphabetic";
    c.textAlign = "left";
    c.fillText("\u2190 weights down", left, this.height - 6);
    c.textAlign = "right";
    c.fillText("weights up \u2192", right, this.height - 6);
  }

  words() {
    const { figure, spec } = this;
    const told = spec.directions[figure.chosen]
      .map((weight, k) => [weight, spec.features[k]])
      .filter(([weight]) => Math.abs(weight) >= 0.2)
      .map(([weight, feature]) => `${feature} ${weight.toFixed(2)}`.replace("-", "\u2212"));
    return `${figure.directionWords()} Its largest weights: ${told.join(", ")}.`;
  }
}

export class ModesFigure extends BoardFigure {
  get drawings() {
    return { valley: Valley, radius: RadiusMap, bars: Bars, sum: StepChart, loadings: Loadings };
  }

  build() {
    this.chosen = 0;
    super.build();
  }

  take(parts) {
    this.total = parts.shift();
    this.left = parts.shift();
    if (this.spec.radius) this.radii = parts.shift();
    else this.factors = parts.shift();
    this.masks = parts;
  }

  pointers() {
    const bars = this.boards[1];
    this.pressedOn(bars, (x) => this.pick(bars.at(x)));
    this.on(bars.canvas, "keydown", (event) => {
      const last = this.spec.count - 1;
      const to = {
        ArrowLeft: this.chosen - 1,
        ArrowDown: this.chosen - 1,
        ArrowRight: this.chosen + 1,
        ArrowUp: this.chosen + 1,
        Home: 0,
        End: last,
      }[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.pick(clamp(to, 0, last));
    });
  }

  pick(k) {
    this.chosen = k;
    this.touched = true;
    this.mark("boards");
  }

  // ---- reading the table

  colorOf(k) {
    const { series } = this.colors;
    return mixed(series[0], series[1], k / Math.max(1, this.spec.count - 1));
  }

  levels(k) {
    return Array.from(this.row(this.left, this.spec.steps + 1, k, this.spec.count), decadeOf);
  }

  get sum() {
    return this.row(this.total, this.spec.steps + 1);
  }

  // Where each direction stands on the V or on the U.
  standing() {
    const { spec } = this;
    const rate = spec.rates[this.index(0)];
    const momentum = spec.momenta[this.index(1)] ?? 0;
    const [low, high] = spec.valley?.reach ?? [0, 0];
    return spec.curvatures.map((curvature, k) => ({
      q: rate * curvature,
      momentum,
      keeps: this.factors && low + (this.factors[this.index(0) * spec.count + k] / STEPS) * (high - low),
      color: this.colorOf(k),
      chosen: k === this.chosen,
    }));
  }

  strands() {
    const { colors, spec } = this;
    const parts = spec.curvatures.map((_, k) => ({
      levels: this.levels(k),
      color: this.colorOf(k),
      width: k === this.chosen ? 2 : 1.1,
    }));
    const whole = Array.from(this.sum).filter((code) => code !== DIVERGED);
    return [...parts, { levels: whole.map(decade), color: colors.ink, width: 2.6 }];
  }

  // ---- in words

  saying() {
    const { spec } = this;
    const step = Math.floor(Math.min(this.progress, spec.steps));
    const head = `With ${this.settingText()}, after ${step} of ${spec.steps} steps`;
    const code = this.sum[step];
    if (code === DIVERGED) return `${head} the run has diverged.`;
    const levels = spec.curvatures.map((_, k) => this.levels(k)[step]);
    const highest = Math.max(...levels);
    const weights = levels.map((level) => 10 ** (level - highest));
    const most = weights.indexOf(Math.max(...weights));
    const part = Math.floor((100 * weights[most]) / weights.reduce((a, b) => a + b) + 0.5);
    const much = part === 100 ? "nearly all" : `${part} %`;
    return `${head} the loss is ${lossText(code)} of the first; ${much} of that lies along the eigenvector of curvature ${spec.names[most]}.`;
  }

  directionWords() {
    const { spec, chosen } = this;
    const step = Math.floor(Math.min(this.progress, spec.steps));
    const left = 10 ** this.levels(chosen)[step];
    return `Direction ${chosen + 1} of ${spec.count}, curvature ${spec.names[chosen]}: ${Number(left.toPrecision(2))} of the first loss is left in it at step ${step}.`;
  }

  csv() {
    const { spec } = this;
    const rows = [
      `# ${spec.title}; ${this.settingText()}`,
      ["step", "loss", ...spec.names.map((name) => `curvature ${name}`)].join(","),
    ];
    this.sum.forEach((code, step) => {
      const left = spec.curvatures.map((_, k) => (10 ** this.levels(k)[step]).toPrecision(3));
      rows.push([step, code === DIVERGED ? "" : lossOf(code).toPrecision(3), ...left].join(","));
    });
    return `${rows.join("\n")}\n`;
  }
}
