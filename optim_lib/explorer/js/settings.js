// The map of settings: final losses over two axes as colors, or along one as lines.

import { apart, logAxis, plotBox } from "./axes.js";
import { css, ramp } from "./colors.js";
import { Panel } from "./panel.js";
import { FONT, cross, hatch, haloed, marker, outline, star, twice } from "./shapes.js";
import { DIVERGED, decade } from "./table.js";
import { clamp, listed, lossText, settingText } from "./words.js";

const LABEL_HEIGHT = 14;

export class SettingsMap extends Panel {
  constructor(figure, frame) {
    super(figure, frame, "uo-map", {
      role: "application",
      tabindex: "0",
      "aria-roledescription": "map of settings",
    });
  }

  get flat() {
    return this.figure.runs.flat;
  }

  get count() {
    return (axis) => this.figure.runs.count(axis);
  }

  get range() {
    return this.spec.endRange[this.figure.start];
  }

  end(series, setting) {
    return this.figure.runs.end(series, this.figure.start, setting);
  }

  box() {
    return plotBox(this, { left: 44, right: 12, top: 24, bottom: 36 }, this.flat ? this.range : null);
  }

  toX(box, i) {
    return box.left + ((i + 0.5) / this.count(0)) * box.width;
  }

  toY(box, j) {
    return box.bottom - ((j + 0.5) / this.count(1)) * box.height;
  }

  cellAt(x, y) {
    const box = this.box();
    const along = (at, from, size, count) => clamp(Math.floor(((at - from) / size) * count), 0, count - 1);
    const cell = { i0: along(x, box.left, box.width, this.count(0)) };
    if (!this.flat) cell.i1 = along(box.bottom - y, 0, box.height, this.count(1));
    return cell;
  }

  base(c) {
    if (this.flat) this.lines(c);
    else this.cells(c);
  }

  // ---- two axes: a cell for each setting

  cells(c) {
    const box = this.box();
    const [wide, tall] = [this.count(0), this.count(1)];
    const series = this.figure.runs.series[0];
    const edge = (k, n, from, size) => Math.round((from + (k / n) * size) * this.ratio) / this.ratio;
    const rest = this.figure.here.slice(2);
    let hatched = false;
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < tall; j++) {
        const code = this.end(series, [i, j, ...rest]);
        const [x, y] = [edge(i, wide, box.left, box.width), edge(tall - 1 - j, tall, box.top, box.height)];
        const [w, h] = [edge(i + 1, wide, box.left, box.width) - x, edge(tall - j, tall, box.top, box.height) - y];
        if (code === DIVERGED) {
          hatched = true;
          hatch(c, x, y, w, h, this.colors);
        } else {
          c.fillStyle = css(ramp(this.colors.sequential, this.shade(code)));
          c.fillRect(x, y, w, h);
        }
      }
    this.axis(c, box);
    this.sideAxis(c, box);
    this.colorBar(c, box, hatched);
    this.theory(c, box);
  }

  shade(code) {
    const [low, high] = this.range;
    return (decade(code) - low) / (high - low);
  }

  axis(c, box) {
    const axis = this.spec.axes[0];
    c.font = `11.5px ${FONT}`;
    const candidates = axis.ticks.map(([at, text]) => ({
      at: this.toX(box, at),
      text,
      size: c.measureText(text).width,
    }));
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    for (const tick of apart(candidates, 4)) {
      if (tick.at > box.right + 2 || tick.at < box.left - 2) continue;
      c.fillStyle = this.colors.muted;
      c.fillRect(Math.round(tick.at) - 0.5, box.bottom, 1, 4);
      c.fillText(tick.text, clamp(tick.at, tick.size / 2, this.width - tick.size / 2), box.bottom + 16);
    }
    c.textAlign = "right";
    c.fillStyle = this.colors.ink;
    c.fillText(`${axis.name} \u2192`, box.right, box.bottom + 31);
  }

  sideAxis(c, box) {
    const axis = this.spec.axes[1];
    const candidates = axis.ticks.map(([at, text]) => ({ at: this.toY(box, at), text, size: 11 }));
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const tick of apart(candidates, 3)) {
      if (tick.at > box.bottom + 2 || tick.at < box.top - 2) continue;
      c.fillStyle = this.colors.muted;
      c.fillRect(box.left - 4, Math.round(tick.at) - 0.5, 4, 1);
      c.fillText(tick.text, box.left - 7, tick.at + 0.5);
    }
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
    c.fillStyle = this.colors.ink;
    c.fillText(`\u2191 ${axis.name}`, 4, 13);
  }

  // What the colors mean. What does not fit beside the name of the axis is left out, the least important first.
  colorBar(c, box, hatched) {
    const power = (v) => String(parseFloat((10 ** v).toPrecision(1))).replace("e+", "e");
    const [best, high] = this.range.map(power);
    const low = (this.spec.endClipped[this.figure.start] ? "\u2264 " : "") + best;
    const name = c.measureText(`\u2191 ${this.spec.axes[1].name}`).width + 20;
    const scale = c.measureText(low + high).width + 14 + 16;
    const lost = ["diverges", ""].find((words) => {
      const key = hatched ? (words ? c.measureText(words).width + 28 : 23) : 0;
      return box.right - name - scale - key >= 0;
    });
    let right = box.right;
    if (hatched) right = this.hatchKey(c, right, lost ?? "") - 10;
    const wide = clamp(right - name - scale + 16, 0, 72);
    if (wide < 16) return;
    const [top, tall] = [5, 9];
    c.textBaseline = "alphabetic";
    c.textAlign = "right";
    c.fillStyle = this.colors.muted;
    c.fillText(high, right, 13);
    right -= c.measureText(high).width + 5;
    for (let k = 0; k < wide; k++) {
      c.fillStyle = css(ramp(this.colors.sequential, k / wide));
      c.fillRect(right - wide + k, top, 1.5, tall);
    }
    c.fillStyle = this.colors.muted;
    c.fillText(low, right - wide - 5, 13);
  }

  // The legend's entry for hatched settings; returns where it begins.
  hatchKey(c, right, words) {
    c.textBaseline = "alphabetic";
    c.textAlign = "right";
    c.fillStyle = this.colors.muted;
    c.fillText(words, right, 13);
    const left = right - (words ? c.measureText(words).width + 5 : 0) - 13;
    hatch(c, left, 5, 13, 9, this.colors);
    return left;
  }

  // ---- one axis: the final loss as a line

  lines(c) {
    const box = this.box();
    logAxis(c, box, this.range, this.colors);
    const count = this.count(0);
    const rest = this.figure.here.slice(1);
    const shown = this.figure.shownSeries.map((series) => ({
      series,
      codes: Array.from({ length: count }, (_, i) => this.end(series, [i, ...rest])),
    }));
    const several = this.spec.series.length > 1;
    let hatched = false;
    for (let i = 0; i < count; i++) {
      if (!shown.some(({ codes }) => codes[i] === DIVERGED)) continue;
      const x = this.toX(box, i - 0.5);
      hatch(c, x, box.top, this.toX(box, i + 0.5) - x + 0.5, several ? 14 : box.height, this.colors);
      hatched = true;
    }
    this.axis(c, box);
    this.theory(c, box);
    shown.forEach(({ series, codes }, k) => this.endLine(c, box, codes, series.color, k));
    if (hatched) this.hatchKey(c, box.right, several ? "one diverges" : "diverges");
  }

  endY(box, code) {
    return clamp(box.y(decade(code)), box.top, box.bottom);
  }

  endLine(c, box, codes, color, k) {
    c.strokeStyle = c.fillStyle = this.colors.series[color];
    c.lineWidth = 1.6;
    c.lineJoin = "round";
    c.beginPath();
    let pen = false;
    codes.forEach((code, i) => {
      if (code !== DIVERGED) c[pen ? "lineTo" : "moveTo"](this.toX(box, i), this.endY(box, code));
      pen = code !== DIVERGED;
    });
    c.stroke();
    codes.forEach((code, i) => {
      const x = this.toX(box, i);
      c.beginPath();
      if (code === DIVERGED) {
        if (k && codes.length >= 40) return;
        cross(c, x, box.top + 7, 2.6);
        c.lineWidth = 1.5;
        c.stroke();
        return;
      }
      outline(c, color, x, this.endY(box, code), 2.1);
      c.fill();
    });
  }

  // ---- theory over the map

  theory(c, box) {
    this.labeled = [];
    for (const curve of this.spec.curves) {
      const points = curve.across
        ? null
        : curve.xs.map((x, k) =>
            x === null || curve.ys[k] === null ? null : [this.toX(box, x), this.toY(box, curve.ys[k])],
          );
      if (points?.length === 1) {
        if (points[0]) this.theoryMark(c, box, points[0], curve.label);
        continue;
      }
      const strokes = points
        ? [points]
        : curve.across
            .filter((x) => x !== null)
            .map((x) => [
              [this.toX(box, x), box.top],
              [this.toX(box, x), box.bottom],
            ]);
      for (const stroke of strokes) this.theoryLine(c, box, stroke, curve.label);
    }
  }

  theoryLine(c, box, points, label) {
    for (const [width, ink, dash] of [
      [4, this.colors.paper, []],
      [1.6, this.colors.ink, [5, 3]],
    ]) {
      c.beginPath();
      let pen = false;
      for (const point of points) {
        if (point) c[pen ? "lineTo" : "moveTo"](...point);
        pen = Boolean(point);
      }
      c.setLineDash(dash);
      c.lineWidth = width;
      c.strokeStyle = ink;
      c.stroke();
      c.setLineDash([]);
    }
    const seen = points.filter(Boolean);
    if (!seen.length) return;
    const [x, y] = points.length === 2 ? [seen[0][0], box.top + 16] : seen[Math.floor(seen.length * 0.75)];
    this.theoryLabel(c, box, label, x, y);
  }

  theoryMark(c, box, [x, y], label) {
    marker(c, 3, x, y, 5, this.colors.ink, this.colors.paper, 1.5);
    this.theoryLabel(c, box, label, x, y + 4, true);
  }

  // Beside a line or a mark: on the preferred side if it fits there.
  theoryLabel(c, box, label, x, y, after = false) {
    c.font = `italic 11.5px ${FONT}`;
    c.textBaseline = "alphabetic";
    const width = c.measureText(label).width + 10;
    const left = after ? x + width < box.right : x - width < box.left;
    const from = left ? x + 8 : x - 8 - width;
    const at = this.freeLine(from, from + width, clamp(y, box.top + 12, box.bottom - 4));
    this.labeled.push([from, from + width, at]);
    c.textAlign = left ? "left" : "right";
    haloed(c, label, left ? x + 8 : x - 8, at, this.colors.ink, this.colors.paper);
    c.font = `11.5px ${FONT}`;
  }

  // The first height from y down at which no label stands in the way.
  freeLine(left, right, y) {
    const taken = ([from, to, at]) => from < right && left < to && Math.abs(at - y) < LABEL_HEIGHT;
    while (this.labeled.some(taken)) y += LABEL_HEIGHT;
    return y;
  }

  // ---- what moves

  top(c) {
    const box = this.box();
    const { figure } = this;
    if (this.flat) {
      const x = this.toX(box, figure.here[0]);
      c.fillStyle = this.colors.ink;
      c.globalAlpha = 0.45;
      c.fillRect(x - 0.5, box.top, 1, box.height);
      c.globalAlpha = 1;
    }
    const series = this.flat ? figure.shownSeries : figure.shownSeries.slice(0, 1);
    for (const one of series) {
      if (!figure.quests.hidesBest) this.best(c, box, one);
      this.ring(c, box, one);
    }
  }

  center(box, series, setting) {
    const x = this.toX(box, setting[0]);
    if (!this.flat) return [x, this.toY(box, setting[1])];
    const code = this.end(series, setting);
    return [x, code === DIVERGED ? box.top + 7 : this.endY(box, code)];
  }

  best(c, box, series) {
    const { setting } = this.figure.runs.best(series, this.figure.start, this.figure.here);
    if (!setting) return;
    star(c, ...this.center(box, series, setting), 7);
    c.lineJoin = "round";
    c.lineWidth = 3;
    c.strokeStyle = this.flat ? this.colors.series[series.color] : this.colors.ink;
    c.stroke();
    c.fillStyle = this.colors.paper;
    c.fill();
  }

  ring(c, box, series) {
    const [x, y] = this.center(box, series, this.figure.here);
    const inner = this.flat ? 5.5 : clamp(box.width / this.count(0) / 2 + 1.5, 5.5, 10);
    const ink = this.flat ? this.colors.series[series.color] : this.colors.ink;
    twice(c, () => c.arc(x, y, inner, 0, 2 * Math.PI), this.colors.paper, [5.5, 2.4], ink);
  }

  // ---- in words

  // What stands above the map: what it shows, or what lies under the pointer.
  label(over) {
    const { spec, figure } = this;
    const others = spec.axes.map((_, k) => k).slice(this.flat ? 1 : 2);
    const at = others.map((k) => `, ${settingText(spec, figure.here, [k])}`).join("");
    if (!over) return `${figure.heading} after ${spec.steps} steps${at}`;
    const setting = [over.i0, over.i1 ?? figure.here[1], figure.here[2]];
    const where = figure.runs.mapped.map((k) => settingText(spec, setting, [k])).join(", ");
    const ends = figure.shownSeries.map((series) => lossText(this.end(series, setting)));
    return ends.length === 1 ? `${where}: ${ends[0]}` : where;
  }

  words() {
    const { spec, figure } = this;
    const axes = figure.runs.mapped.map((k) => spec.axes[k].name);
    const several = spec.series.length > 1;
    const ends = figure.shownSeries.map((series) => {
      const words = lossText(this.end(series, figure.here));
      return several ? `${series.label} ${words}` : words;
    });
    const what = `Map of ${figure.measured} after ${spec.steps} steps over ${listed(axes)}`;
    return `${what}; arrow keys move. Now at ${settingText(spec, figure.here)}: ${ends.join(", ")}.`;
  }
}
