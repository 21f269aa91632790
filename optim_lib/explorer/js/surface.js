// The surface: bands of the loss, its marks and coordinates, and the paths on it.

import { roundTicks } from "./axes.js";
import { paintContours } from "./contours.js";
import { Panel } from "./panel.js";
import { FONT, cross, haloed, marker, plus, polygon, twice } from "./shapes.js";
import { LETTERS, clamp, listed, plainNumber } from "./words.js";

const FADES = 8;
const NEAR = 16;
// Of more paths than this, a narrow screen shows of each the last steps, and the others as a shade (still/surface.py).
const FEW = 3;
const TAIL = 12;
const SHADE = 0.16;
const NARROW = window.matchMedia?.("(max-width: 640px)");

export class Surface extends Panel {
  constructor(figure, frame) {
    super(figure, frame, "uo-main", { role: "img" });
    this.pointed = null;
  }

  // ---- what stands still

  base(c) {
    const picture = document.createElement("canvas");
    picture.width = Math.max(1, Math.round(this.width * this.ratio));
    picture.height = Math.max(1, Math.round(this.height * this.ratio));
    paintContours(picture, this.figure.runs.field, this.spec.field.exponent, this.colors);
    c.drawImage(picture, 0, 0, this.width, this.height);
    this.coordinates(c);
    c.lineCap = "round";
    for (const point of this.spec.minima) {
      const [x, y] = this.pixel(point);
      twice(c, () => plus(c, x, y, 5), this.colors.paper, [4.5, 1.8], this.colors.ink);
    }
    for (const point of this.spec.saddles) {
      const [x, y] = this.pixel(point);
      c.beginPath();
      polygon(c, x, y, 4.5, 4, 0);
      c.lineWidth = 1.3;
      c.strokeStyle = this.colors.muted;
      c.stroke();
    }
    for (const [label, ...point] of this.spec.marks) this.named(c, label, this.pixel(point));
  }

  coordinates(c) {
    const [left, right, bottom, top] = this.spec.view;
    c.textBaseline = "alphabetic";
    c.textAlign = "center";
    const most = this.width < 300 ? 4 : 6;
    for (const value of roundTicks(left, right, most)) {
      const x = ((value - left) / (right - left)) * this.width;
      if (x < 24 || x > this.width - 14) continue;
      c.fillStyle = this.colors.muted;
      c.fillRect(Math.round(x) - 0.5, this.height - 4, 1, 4);
      haloed(c, plainNumber(value, right - left), x, this.height - 7, this.colors.muted, this.colors.paper);
    }
    c.textAlign = "left";
    for (const value of roundTicks(bottom, top, most)) {
      const y = ((top - value) / (top - bottom)) * this.height;
      if (y < 14 || y > this.height - 24) continue;
      c.fillStyle = this.colors.muted;
      c.fillRect(0, Math.round(y) - 0.5, 4, 1);
      haloed(c, plainNumber(value, top - bottom), 7, y + 4, this.colors.muted, this.colors.paper);
    }
  }

  named(c, label, [x, y]) {
    marker(c, 1, x, y, 3.5, this.colors.ink, this.colors.paper, 1.5);
    c.font = `600 11.5px ${FONT}`;
    c.textBaseline = "middle";
    c.textAlign = "left";
    haloed(c, label, x + 7, y + 0.5, this.colors.ink, this.colors.paper);
    c.font = `11.5px ${FONT}`;
  }

  // ---- what moves

  top(c) {
    const { figure, spec, colors } = this;
    spec.starts.forEach((point, k) => {
      if (k !== figure.start) this.startMark(c, this.pixel(point), k, colors.muted, 0.75);
    });
    figure.shownRuns.forEach((run) => this.path(c, run));
    this.startMark(c, this.pixel(spec.starts[figure.start]), figure.start, colors.ink, 1);
    figure.shownRuns.forEach((run, k) => this.head(c, run, k));
    if (this.pointed) this.reading(c, this.pointed);
  }

  startMark(c, [x, y], k, ink, alpha) {
    c.globalAlpha = alpha;
    c.beginPath();
    c.arc(x, y, 4.5, 0, 2 * Math.PI);
    c.fillStyle = this.colors.paper;
    c.fill();
    c.lineWidth = 1.6;
    c.strokeStyle = ink;
    c.stroke();
    if (this.spec.starts.length > 1) {
      c.font = `600 11px ${FONT}`;
      c.textAlign = "center";
      c.textBaseline = "alphabetic";
      haloed(c, LETTERS[k], x, y - 9 < 12 ? y + 18 : y - 9, ink, this.colors.paper);
    }
    c.globalAlpha = 1;
  }

  path(c, run) {
    const { colors, figure } = this;
    const color = colors.series[run.series.color];
    const until = Math.min(Math.floor(figure.progress), run.last);
    const crowded = NARROW?.matches && figure.shownRuns.length > FEW;
    const points = [];
    for (let step = 0; step <= until; step++) points.push(this.pixel(run.place(step)));
    points.push(this.between(run, figure.progress));
    c.lineJoin = c.lineCap = "round";
    c.beginPath();
    points.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x, y));
    c.lineWidth = 4.2;
    c.globalAlpha = 0.55;
    c.strokeStyle = colors.paper;
    if (!crowded) c.stroke();
    c.lineWidth = 1.7;
    c.strokeStyle = c.fillStyle = color;
    const size = this.spec.steps > 150 ? 1.3 : 2.1;
    // The past fades, a stretch at a time: a stroke for each step would take longer than all else that is drawn.
    const last = points.length - 1;
    const stretches = Math.min(FADES, last);
    for (let n = 0; n < stretches; n++) {
      const from = Math.floor((n * last) / stretches);
      const to = Math.floor(((n + 1) * last) / stretches);
      c.globalAlpha = crowded && last - to > TAIL ? SHADE : 0.55 + 0.45 * (to / points.length);
      c.beginPath();
      for (let i = from; i <= to; i++) c[i > from ? "lineTo" : "moveTo"](...points[i]);
      c.stroke();
      if (crowded) continue;
      c.beginPath();
      for (let i = from + 1; i <= Math.min(to, until); i++) {
        const [x, y] = points[i];
        c.moveTo(x + size, y);
        c.arc(x, y, size, 0, 2 * Math.PI);
      }
      c.fill();
    }
    c.globalAlpha = 1;
  }

  // Where a run has arrived; an arrow at the edge, where it is out there.
  head(c, run, k) {
    const { colors, figure, width, height } = this;
    const color = colors.series[run.series.color];
    const [x, y] = this.between(run, figure.progress);
    const gone = run.isGone(figure.progress);
    if (x >= 0 && x <= width && y >= 0 && y <= height) {
      if (gone) return twice(c, () => cross(c, x, y, 5), colors.paper, [5, 2.4], color);
      return marker(c, run.series.color, x, y, 5, color, colors.paper, 1.6);
    }
    const [cx, cy] = [width / 2, height / 2];
    const reach = Math.min((cx - 15) / Math.abs(x - cx), (cy - 15) / Math.abs(y - cy));
    const [ex, ey] = [cx + reach * (x - cx), cy + reach * (y - cy)];
    c.save();
    c.translate(ex, ey);
    c.rotate(Math.atan2(y - cy, x - cx));
    c.beginPath();
    c.moveTo(11, 0);
    c.lineTo(-5, 7.5);
    c.lineTo(-2, 0);
    c.lineTo(-5, -7.5);
    c.closePath();
    c.lineWidth = 3.5;
    c.lineJoin = "round";
    c.strokeStyle = colors.paper;
    c.stroke();
    c.fillStyle = color;
    c.fill();
    c.restore();
    const words = gone ? `diverged at step ${run.gone}` : "outside";
    c.font = `600 12px ${FONT}`;
    c.textBaseline = "middle";
    c.textAlign = ex > cx ? "right" : "left";
    const aside = clamp(ex + (ex > cx ? -18 : 18), 6, width - 6);
    haloed(c, words, aside, clamp(ey, 12 + 15 * k, height - 12), color, colors.paper);
  }

  // The coordinates and the loss at the place that the reader points at.
  reading(c, [x, y]) {
    const [u, v] = this.fromPixel(x, y);
    const [left, right, bottom, top] = this.spec.view;
    const words = `(${plainNumber(u, right - left)}, ${plainNumber(v, top - bottom)})`;
    c.font = `11.5px ${FONT}`;
    c.textBaseline = "alphabetic";
    c.textAlign = "right";
    haloed(c, words, this.width - 8, 17, this.colors.ink, this.colors.paper);
  }

  // ---- places

  pixel([x, y]) {
    return [x * this.width, (1 - y) * this.height];
  }

  // The coordinates of the landscape at a pixel.
  fromPixel(x, y) {
    const [left, right, bottom, top] = this.spec.view;
    return [left + (x / this.width) * (right - left), top - (y / this.height) * (top - bottom)];
  }

  // Where the run is at a step with a fraction, while it plays.
  between(run, progress) {
    const whole = Math.min(Math.floor(progress), run.last);
    const [x, y] = this.pixel(run.place(whole));
    const part = Math.min(progress, run.last) - whole;
    if (part <= 0) return [x, y];
    const [x2, y2] = this.pixel(run.place(whole + 1));
    return [x + part * (x2 - x), y + part * (y2 - y)];
  }

  startAt(x, y) {
    return this.spec.starts.findIndex((point) => {
      const [px, py] = this.pixel(point);
      return Math.hypot(px - x, py - y) < NEAR;
    });
  }

  point(at) {
    this.pointed = at;
    this.figure.mark("main");
  }

  words() {
    const [left, right, bottom, top] = this.spec.view.map((v) => parseFloat(v.toPrecision(3)));
    const names = this.spec.series.map((series) => series.label);
    const what = names.length > 1 ? `the paths of ${listed(names)}` : "the path";
    const step = this.figure.model.get("step");
    const over = `x from ${left} to ${right} and y from ${bottom} to ${top}`;
    return `${this.spec.title}: contours of the loss over ${over}, with ${what} up to step ${step}.`;
  }
}
