// A surface to turn: seen from where the reader stands, and from above. It is drawn on a plain canvas, since a few
// hundred cells need no WebGL: from the far side to the near, each covers what lies behind it.

import { Board, BoardFigure, between } from "./boards.js";
import { css, ramp, rgb } from "./colors.js";
import { paintContours } from "./contours.js";
import { gestures } from "./gestures.js";
import { haloed, marker, twice, plus } from "./shapes.js";
import { STEPS } from "./table.js";
import { clamp, plainNumber } from "./words.js";

const TURN = 0.1;
const DARKEST = 0.34;

// How dark a slope is under a light from the left and above, as optim_lib/explorer/still/relief.py has it.
function shade(right, up, scale) {
  const [x, y] = [right * scale, up * scale];
  const lit = (0.75 + 0.6 * x - 0.25 * y) / Math.hypot(x, y, 1);
  return clamp(DARKEST * (1 - lit), 0, DARKEST);
}

// The marks of a walk: how it came, where it began, where it is.
function walkOn(board, c, at) {
  const { colors, figure, spec } = board;
  const color = colors.series[spec.color];
  const points = figure.walk.map(at);
  c.lineJoin = c.lineCap = "round";
  board.strand(c, points, colors.paper, 4.2);
  board.strand(c, points, color, 1.8);
  c.fillStyle = color;
  for (const [x, y] of points.slice(1, -1)) {
    c.beginPath();
    c.arc(x, y, 2.2, 0, 2 * Math.PI);
    c.fill();
  }
  c.beginPath();
  c.arc(...points[0], 4.5, 0, 2 * Math.PI);
  c.fillStyle = colors.paper;
  c.fill();
  c.lineWidth = 1.6;
  c.strokeStyle = colors.ink;
  c.stroke();
  marker(c, spec.color, ...points.at(-1), 5, color, colors.paper, 1.4);
}

class Relief extends Board {
  constructor(figure, frame, k) {
    super(figure, frame, k, { role: "application", tabindex: "0", "aria-roledescription": "surface to turn" });
  }

  // Where a point of the room is on the picture.
  projector() {
    const { azimuth, elevation } = this.figure;
    const { reach, tall } = this.spec;
    const [ca, sa, ce, se] = [Math.cos(azimuth), Math.sin(azimuth), Math.cos(elevation), Math.sin(elevation)];
    const scale = Math.min(this.width / 3.3, this.height / 2.3) / reach;
    return (x, y, z) => [
      this.width / 2 + scale * (x * ca - y * sa),
      this.height / 2 + 8 + scale * (-(x * sa + y * ca) * se - ((1.25 * reach * z) / tall) * ce),
    ];
  }

  base() {}

  top(c) {
    const { colors, figure, spec } = this;
    const { azimuth } = figure;
    const at = this.projector();
    const n = spec.samples - 2;
    const place = (i) => -spec.reach + (2 * spec.reach * i) / (n - 1);
    const corners = Array.from({ length: n * n }, (_, k) => {
      const [i, j] = [k % n, Math.floor(k / n)];
      return at(place(i), place(j), figure.height(i + 1, j + 1));
    });
    const ink = rgb(colors.ink);
    const shaded = (tone, dark) => css(ramp(colors.surface, tone).map((v, k) => Math.round(v + (ink[k] - v) * dark)));
    const cell = (2 * spec.reach) / (n - 1);
    // The far side first: what is far grows with x sin + y cos.
    const across = Math.sin(azimuth) > 0;
    const along = Math.cos(azimuth) > 0;
    c.lineWidth = 0.7;
    c.lineJoin = "round";
    c.strokeStyle = colors.isoline;
    for (let a = 0; a < n - 1; a++)
      for (let b = 0; b < n - 1; b++) {
        const i = across ? n - 2 - a : a;
        const j = along ? n - 2 - b : b;
        const [right, up] = [
          figure.height(i + 2, j + 1) - figure.height(i + 1, j + 1),
          figure.height(i + 1, j + 2) - figure.height(i + 1, j + 1),
        ];
        const around = [
          corners[j * n + i],
          corners[j * n + i + 1],
          corners[(j + 1) * n + i + 1],
          corners[(j + 1) * n + i],
        ];
        c.beginPath();
        around.forEach(([x, y], k) => c[k ? "lineTo" : "moveTo"](x, y));
        c.closePath();
        c.fillStyle = shaded(
          figure.tone(i + 1.5, j + 1.5),
          shade(right / cell, up / cell, (1.25 * spec.reach) / spec.tall),
        );
        c.fill();
        c.globalAlpha = 0.45;
        c.stroke();
        c.globalAlpha = 1;
      }
    for (const [name, x, y] of [
      ["x \u2192", spec.reach * 1.12, -spec.reach],
      ["y \u2192", -spec.reach, spec.reach * 1.12],
    ]) {
      c.textAlign = "center";
      c.textBaseline = "middle";
      haloed(c, name, ...at(x, y, figure.heightAt(x > 0 ? 1 : 0, y > 0 ? 1 : 0)), colors.muted, colors.paper);
    }
    walkOn(this, c, ([x, y, z]) => at(x, y, z + 0.02 * spec.tall));
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
    c.fillStyle = colors.muted;
    c.fillText("drag, or use the arrow keys, to turn", 4, this.height - 4);
  }

  words() {
    const { azimuth, elevation } = this.figure;
    const degrees = (angle) => Math.round((angle * 180) / Math.PI);
    return `The surface, turned by ${degrees(azimuth)} degrees and seen from ${degrees(elevation)} degrees above. ${this.figure.saying()}`;
  }
}

class FromAbove extends Board {
  base() {}

  place([x, y]) {
    const { reach } = this.spec;
    return [((x + reach) / (2 * reach)) * this.width, ((reach - y) / (2 * reach)) * this.height];
  }

  top(c) {
    const { colors, figure } = this;
    const picture = document.createElement("canvas");
    picture.width = Math.max(1, Math.round(this.width / 1.5));
    picture.height = Math.max(1, Math.round(this.height / 1.5));
    paintContours(picture, figure.tones(), 1, colors);
    c.drawImage(picture, 0, 0, this.width, this.height);
    twice(c, () => plus(c, ...this.place([0, 0]), 5), colors.paper, [4.5, 1.8], colors.ink);
    for (const at of [-1, 1]) {
      c.textAlign = "center";
      c.textBaseline = "alphabetic";
      haloed(c, plainNumber(at, 1), this.place([at, 0])[0], this.height - 7, colors.muted, colors.paper);
      c.textAlign = "left";
      haloed(c, plainNumber(at, 1), 7, this.place([0, at])[1] + 4, colors.muted, colors.paper);
    }
    this.inside(c, { left: 0, top: 0, width: this.width, height: this.height }, () =>
      walkOn(this, c, (point) => this.place(point)),
    );
  }

  words() {
    return `The same surface from above, as a map of contours. ${this.figure.saying()}`;
  }
}

export class ReliefFigure extends BoardFigure {
  get drawings() {
    return { relief: Relief, above: FromAbove };
  }

  build() {
    [this.azimuth, this.elevation] = this.spec.view;
    super.build();
  }

  take(parts) {
    [this.profiles, this.walks] = [
      [parts.shift(), parts.shift()],
      [parts.shift(), parts.shift()],
    ];
    this.kinds = parts.shift();
    this.masks = parts;
  }

  pointers() {
    const { canvas } = this.boards[0];
    let last = null;
    gestures(
      canvas,
      (event) => {
        if (last) this.turn((event.clientX - last[0]) * 0.011, (event.clientY - last[1]) * 0.009);
        last = [event.clientX, event.clientY];
      },
      () => (last = null),
    );
    this.on(canvas, "keydown", (event) => {
      const by = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, TURN], ArrowDown: [0, -TURN] }[event.key];
      if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.turn(...by);
    });
  }

  turn(around, up) {
    const whole = 2 * Math.PI;
    this.azimuth = (((this.azimuth + around) % whole) + whole) % whole;
    this.elevation = clamp(this.elevation + up, 0.05, Math.PI / 2);
    this.touched = true;
    this.mark("boards");
  }

  putBack() {
    [this.azimuth, this.elevation] = this.spec.view;
    super.putBack();
  }

  // ---- reading the table: the surface is the sum of a profile along x and one along y

  profile(axis, i) {
    const [low, high] = this.spec.heights;
    return low + (this.profiles[axis][this.index(axis) * this.spec.samples + i] / STEPS) * (high - low);
  }

  height(i, j) {
    return this.profile(0, i) + this.profile(1, j);
  }

  // At a corner of the window.
  heightAt(right, up) {
    const last = this.spec.samples - 2;
    return this.height(right ? last : 1, up ? last : 1);
  }

  // A height as a color, from the lowest of this surface to its highest.
  tone(i, j) {
    const middle = (at) => (axis) => {
      const k = Math.floor(at);
      return (
        this.profile(axis, k) +
        (this.profile(axis, Math.min(k + 1, this.spec.samples - 1)) - this.profile(axis, k)) * (at - k)
      );
    };
    return this.toned(middle(i)(0) + middle(j)(1));
  }

  get extremes() {
    const n = this.spec.samples;
    const own = [0, 1].map((axis) => Array.from({ length: n - 2 }, (_, i) => this.profile(axis, i + 1)));
    return [Math.min, Math.max].map((end) => own.map((values) => end(...values)).reduce((a, b) => a + b));
  }

  toned(z) {
    const [low, high] = this.extremes;
    return high > low ? clamp((z - low) / (high - low), 0, 1) : 0.5;
  }

  tones() {
    const n = this.spec.samples;
    const [low, high] = this.extremes;
    const span = high - low || 1;
    return Float32Array.from({ length: n * n }, (_, k) => (this.height(k % n, Math.floor(k / n)) - low) / span);
  }

  // The points of the walk so far, as long as they are in the window: x, y, height.
  get walk() {
    const { spec } = this;
    const [low, high] = spec.span;
    const n = spec.steps + 1;
    const now = Math.min(this.progress, spec.steps);
    const along = this.walks.map((codes, axis) =>
      Array.from(
        codes.subarray(this.index(axis) * n, (this.index(axis) + 1) * n),
        (code) => low + (code / STEPS) * (high - low),
      ),
    );
    const times = [...Array(Math.floor(now) + 1).keys(), now];
    const points = times.map((time) => along.map((own) => between(own, time)));
    const out = points.findIndex((point) => point.some((value) => Math.abs(value) > spec.reach));
    const inside = out < 0 ? points : points.slice(0, Math.max(1, out));
    return inside.map(([x, y]) => [x, y, this.onSurface(0, x) + this.onSurface(1, y)]);
  }

  onSurface(axis, value) {
    const { reach, samples } = this.spec;
    const at = 1 + ((value + reach) / (2 * reach)) * (samples - 3);
    const k = clamp(Math.floor(at), 0, samples - 2);
    return this.profile(axis, k) + (this.profile(axis, k + 1) - this.profile(axis, k)) * (at - k);
  }

  saying() {
    const { spec } = this;
    const step = Math.floor(Math.min(this.progress, spec.steps));
    const [low, high] = spec.span;
    const [x, y] = [0, 1].map(
      (axis) => low + (this.walks[axis][this.index(axis) * (spec.steps + 1) + step] / STEPS) * (high - low),
    );
    const gone = Math.max(Math.abs(x), Math.abs(y)) > spec.reach;
    const where = gone
      ? "the walk has left the picture"
      : `the walk is at (${plainNumber(x, 4)}, ${plainNumber(y, 4)})`;
    return `With ${this.settingText()}, the origin is ${spec.kinds[this.kinds[this.entry()]]}. After ${step} of ${spec.steps} steps ${where}.`;
  }

  csv() {
    const rows = [`# ${this.spec.title}; ${this.settingText()}`, "step,x,y,loss"];
    this.walk.forEach((point, step) => rows.push([step, ...point.map((value) => value.toPrecision(4))].join(",")));
    return `${rows.join("\n")}\n`;
  }
}
