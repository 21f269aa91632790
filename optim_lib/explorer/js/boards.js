// Figures of boards: several pictures of one state that move together. A subclass has `drawings`, its boards by name,
// and `take(parts)`, which keeps the arrays of the table and leaves the masks in `this.masks`.

import { linearAxis, logAxis, plotBox, roundTicks, stepTicks } from "./axes.js";
import { rgb } from "./colors.js";
import { placeOn } from "./gestures.js";
import { Panel } from "./panel.js";
import { FONT, marker } from "./shapes.js";
import { TimedFigure } from "./timed.js";
import { plainNumber } from "./words.js";

const INSETS = { left: 46, right: 12, top: 8, bottom: 36 };

// One board: where its numbers lie, and its axes.
export class Board extends Panel {
  constructor(figure, frame, k, attributes = { role: "img" }) {
    super(figure, frame, "uo-board", attributes);
    this.title = this.spec.boards[k].title;
  }

  box(range, insets = INSETS) {
    return plotBox(this, insets, range);
  }

  // Ticks of a linear axis across, and its name below them.
  across(c, box, [low, high], name, x) {
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillStyle = this.colors.muted;
    for (const tick of roundTicks(low, high, box.width < 220 ? 4 : 6))
      c.fillText(plainNumber(tick, high - low), x(tick), box.bottom + 15);
    c.textAlign = "right";
    c.fillText(`${name} \u2192`, box.right, box.bottom + 30);
  }

  upright(c, box, range, log) {
    if (log) logAxis(c, box, range, this.colors);
    else linearAxis(c, box, range, this.colors);
  }

  inside(c, box, draw) {
    c.save();
    c.beginPath();
    c.rect(box.left - 1, box.top - 1, box.width + 2, box.height + 2);
    c.clip();
    draw();
    c.restore();
  }

  strand(c, points, color, width) {
    c.beginPath();
    points.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x, y));
    c.lineWidth = width;
    c.strokeStyle = color;
    c.stroke();
  }

  bold(c) {
    c.font = `600 11.5px ${FONT}`;
  }
}

// Curves over the steps, what is to come in faint. The figure gives `strands()`: their levels, colors and widths.
export class StepChart extends Board {
  get own() {
    return this.spec.chart;
  }

  base(c) {
    const box = this.box(this.own.range);
    this.upright(c, box, this.own.range, this.own.log);
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillStyle = this.colors.muted;
    for (const step of stepTicks(this.spec.steps)) c.fillText(String(step), this.x(box, step), box.bottom + 15);
    c.textAlign = "right";
    c.fillText("step \u2192", box.right, box.bottom + 30);
  }

  x(box, step) {
    return box.left + (step / this.spec.steps) * box.width;
  }

  top(c) {
    const box = this.box(this.own.range);
    const { colors, figure, spec } = this;
    const now = Math.min(figure.progress, spec.steps);
    const whole = Math.floor(now);
    this.inside(c, box, () => {
      c.lineJoin = "round";
      for (const { levels, color, width } of figure.strands()) {
        const points = Array.from(levels, (level, step) => [this.x(box, step), box.y(level)]);
        c.globalAlpha = 0.3;
        this.strand(c, points.slice(whole), color, width);
        c.globalAlpha = 1;
        if (width > 2) this.strand(c, points.slice(0, whole + 1), colors.paper, width + 2.4);
        this.strand(c, points.slice(0, whole + 1), color, width);
      }
    });
    const { levels, color } = figure.strands().at(-1);
    if (whole < levels.length)
      marker(c, figure.spec.color, this.x(box, now), box.y(between(levels, now)), 4, color, colors.paper, 1.3);
  }

  words() {
    return `${this.title}. ${this.figure.saying()}`;
  }
}

// A value between two steps.
export function between(levels, at) {
  const k = Math.min(Math.floor(at), levels.length - 1);
  const next = Math.min(k + 1, levels.length - 1);
  return levels[k] + (levels[next] - levels[k]) * (at - k);
}

// A color between two.
export function mixed(from, to, t) {
  const [a, b] = [rgb(from), rgb(to)];
  return `#${a
    .map((v, k) =>
      Math.round(v + (b[k] - v) * t)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

export class BoardFigure extends TimedFigure {
  build() {
    this.buildClock();
    const frames = [...this.root.querySelectorAll(".uo-board-frame")];
    this.boards = frames.map((frame, k) => new this.drawings[this.spec.boards[k].draws](this, frame, k));
  }

  get panels() {
    return this.boards;
  }

  get played() {
    return ["boards"];
  }

  load(parts) {
    this.take([...parts]);
    this.followClock();
    this.pointers();
  }

  // What a reader does on the boards; nothing unless a subclass says so.
  pointers() {}

  // A pointer's place on a board, as long as it is pressed.
  pressedOn(board, act) {
    board.canvas.addEventListener("click", (event) => act(...placeOn(board.canvas, event)));
  }

  moved(name) {
    super.moved(name);
    this.mark("boards", "says");
  }

  entry() {
    return this.place(this.here);
  }

  // The place of a setting in a table over the whole grid.
  place(setting) {
    return setting.reduce((place, index, axis) => place * this.count(axis) + index, 0);
  }

  // The row of a table of rows: of this setting, or of the k-th of `many` things at it.
  row(codes, n, k = 0, many = 1) {
    const at = (this.entry() * many + k) * n;
    return codes.subarray(at, at + n);
  }

  repaintAll() {
    this.recolor();
    this.mark("base", "says");
  }

  resized() {
    if (this.boards.map((board) => board.fit()).some(Boolean)) this.mark("base");
  }

  paint(todo) {
    if (todo.has("base") || todo.has("boards")) for (const board of this.boards) board.paint(todo.has("base"));
    this.paintClock();
  }

  get credit() {
    return "";
  }

  drawAll(c, width) {
    const wide = (width - 18) / 2;
    const tall = wide / 1.45;
    const alone = this.boards.length % 2 ? this.boards.length - 1 : -1;
    this.boards.forEach((board, k) => {
      c.save();
      c.translate((k % 2) * (wide + 18), Math.floor(k / 2) * (tall + 34));
      c.font = `600 12.2px ${FONT}`;
      c.textAlign = "left";
      c.textBaseline = "alphabetic";
      c.fillStyle = this.colors.ink;
      c.fillText(board.title, 0, 13);
      c.translate(0, 22);
      board.drawOn(c, k === alone ? width : wide, tall);
      c.restore();
    });
    return Math.ceil(this.boards.length / 2) * (tall + 34) - 12;
  }
}
