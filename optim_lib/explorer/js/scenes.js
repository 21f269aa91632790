// A figure of scenes: marks in a plane, and bars, at the setting where the sliders stand.

import { linearAxis, plotBox, roundTicks } from "./axes.js";
import { Chart, CurvesFigure } from "./curves.js";
import { DIVERGED, STEPS } from "./table.js";
import { capital, clamp, listed, plainNumber, quoted } from "./words.js";

// As in still/scenes.py: an arrow's head, and how much of a group its bars fill.
const HEAD = 9;
const FILLED = 0.84;
const STACK_FILLED = 0.68;

class Scene extends Chart {
  box() {
    return plotBox(this, { left: 46, right: 12, top: 8, bottom: 36 }, this.panel.range);
  }

  fromPixel() {
    return null;
  }

  base(c) {
    const box = this.box();
    this.axes(c, box);
    if (!this.panel.xlabel) return;
    c.textAlign = "right";
    c.textBaseline = "alphabetic";
    c.fillStyle = this.colors.muted;
    c.fillText(`${this.panel.xlabel} \u2192`, box.right, box.bottom + 30);
  }

  top(c) {
    const box = this.box();
    const { figure } = this;
    c.save();
    c.beginPath();
    c.rect(box.left - 1, box.top - 3, box.width + 2, box.height + 5);
    c.clip();
    c.lineJoin = c.lineCap = "round";
    if (figure.kept) this.draw(c, box, figure.kept, () => this.colors.hatch);
    this.draw(c, box, figure.here, (curve) => figure.colorOf(curve));
    c.restore();
  }

  words() {
    return `${capital(this.panel.title)}: ${listed(this.drawn.map((curve) => this.told(curve)))}.`;
  }
}

// Marks in a plane with one scale for both axes, its window in the middle of the frame.
class PlaneScene extends Scene {
  view(box) {
    const [left, right, bottom, top] = this.panel.window;
    const scale = Math.min(box.width / (right - left), box.height / (top - bottom));
    const [wide, tall] = [box.width / scale / 2, box.height / scale / 2];
    const [x, y] = [(left + right) / 2, (bottom + top) / 2];
    const place = (point) => [box.left + (point[0] - x + wide) * scale, box.bottom - (point[1] - y + tall) * scale];
    return { shown: [x - wide, x + wide, y - tall, y + tall], place };
  }

  axes(c, box) {
    const { colors, panel } = this;
    const { shown, place } = this.view(box);
    c.textBaseline = "alphabetic";
    c.textAlign = "center";
    for (const tick of roundTicks(shown[0], shown[1], 5)) {
      const [x] = place([tick, 0]);
      c.fillStyle = Math.abs(tick) < 1e-9 ? colors.hatch : colors.faint;
      c.fillRect(Math.round(x) - 0.5, box.top, 1, box.height);
      c.fillStyle = colors.muted;
      c.fillText(plainNumber(tick, shown[1] - shown[0]), x, box.bottom + 15);
    }
    c.textAlign = "right";
    for (const tick of roundTicks(shown[2], shown[3], 5)) {
      const [, y] = place([0, tick]);
      c.fillStyle = Math.abs(tick) < 1e-9 ? colors.hatch : colors.faint;
      c.fillRect(box.left, Math.round(y) - 0.5, box.width, 1);
      c.fillStyle = colors.muted;
      c.fillText(plainNumber(tick, shown[3] - shown[2]), box.left - 7, y + 4);
    }
    c.textAlign = "left";
    c.fillStyle = colors.ink;
    if (panel.ylabel) c.fillText(`\u2191 ${panel.ylabel}`, box.left + 4, box.top + 12);
  }

  points(curve, setting) {
    return pointsOf(this.panel, this.figure.run(curve, setting));
  }

  draw(c, box, setting, colorOf) {
    const { place } = this.view(box);
    for (const curve of this.drawn) {
      const points = this.points(curve, setting).map((point) => point && place(point));
      c.strokeStyle = c.fillStyle = colorOf(curve);
      MARKS[curve.mark](c, points, this.colors);
    }
  }

  table(curve) {
    const [left, right] = this.panel.window;
    const points = this.points(curve, this.figure.here).filter(Boolean);
    return points.map((point) => point.map((value) => rounded(value, right - left)));
  }

  told(curve) {
    const points = this.points(curve, this.figure.here).filter(Boolean);
    const [left, right] = this.panel.window;
    const at = (point) => `(${point.map((value) => plainNumber(value, right - left)).join(", ")})`;
    if (!points.length) return `${curve.label} is not there`;
    if (curve.mark === "arrow") return `${curve.label} points from ${at(points[0])} to ${at(points.at(-1))}`;
    if (curve.mark === "line") return `${curve.label} is a line from ${at(points[0])} to ${at(points.at(-1))}`;
    return `${curve.label} ${points.length > 1 ? `is ${points.length} dots, the last` : "is"} at ${at(points.at(-1))}`;
  }
}

const MARKS = {
  line(c, points) {
    c.beginPath();
    let pen = false;
    for (const point of points) {
      if (point) c[pen ? "lineTo" : "moveTo"](...point);
      pen = Boolean(point);
    }
    c.lineWidth = 1.7;
    c.stroke();
  },

  dots(c, points, colors) {
    for (const point of points.filter(Boolean)) {
      c.beginPath();
      c.arc(...point, 4, 0, 2 * Math.PI);
      c.strokeStyle = colors.paper;
      c.lineWidth = 1.6;
      c.stroke();
      c.fill();
    }
  },

  arrow(c, [tail, tip]) {
    if (!tail || !tip) return;
    const long = Math.hypot(tip[0] - tail[0], tip[1] - tail[1]);
    if (long < 1) return;
    const [u, v] = [(tip[0] - tail[0]) / long, (tip[1] - tail[1]) / long];
    const head = Math.min(HEAD, long);
    const [x, y, half] = [tip[0] - head * u, tip[1] - head * v, 0.5 * head];
    c.beginPath();
    c.moveTo(...tail);
    c.lineTo(x, y);
    c.lineWidth = 2.6;
    c.stroke();
    c.beginPath();
    c.moveTo(...tip);
    c.lineTo(x - half * v, y + half * u);
    c.lineTo(x + half * v, y - half * u);
    c.closePath();
    c.fill();
  },
};

class BarsScene extends Scene {
  axes(c, box) {
    const { colors, panel } = this;
    linearAxis(c, box, panel.range, colors);
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillStyle = colors.muted;
    const { names } = panel;
    const group = box.width / names.length;
    const every = Math.ceil(names.length / 8);
    names.forEach((name, j) => {
      const x = box.left + group * (j + 0.5);
      if (typeof name === "string") twoLines(name).forEach((part, k) => c.fillText(part, x, box.bottom + 15 + 13 * k));
      else if (j % every === 0) c.fillText(plainNumber(name, names.at(-1) - names[0]), x, box.bottom + 15);
    });
  }

  draw(c, box, setting, colorOf) {
    const { drawn, panel } = this;
    const group = box.width / panel.names.length;
    const filled = panel.stacked ? STACK_FILLED : FILLED;
    const wide = (filled * group) / (panel.stacked ? 1 : drawn.length);
    const under = panel.names.map(() => 0);
    drawn.forEach((curve, place) => {
      c.fillStyle = colorOf(curve);
      barsOf(panel, this.figure.run(curve, setting)).forEach((value, j) => {
        const x = box.left + group * (j + (1 - filled) / 2) + (panel.stacked ? 0 : place * wide);
        const [foot, head] = [box.y(under[j]), box.y(under[j] + value)];
        c.fillRect(x, head, wide, foot - head);
        if (panel.stacked) under[j] += value;
      });
    });
  }

  table(curve) {
    const { names, range } = this.panel;
    return barsOf(this.panel, this.figure.run(curve, this.figure.here)).map((value, j) => [
      String(names[j]),
      rounded(value, range[1]),
    ]);
  }

  told(curve) {
    const values = barsOf(this.panel, this.figure.run(curve, this.figure.here));
    const [low, high] = this.panel.range;
    const { names } = this.panel;
    const said = (j) => `${plainNumber(values[j], high - low)} for ${names[j]}`;
    const all = values.map((_, j) => j);
    return `${curve.label} is ${listed((names.length > 8 ? [0, names.length - 1] : all).map(said))}`;
  }
}

function twoLines(name) {
  const space = name.indexOf(" ");
  return space < 0 ? [name] : [name.slice(0, space), name.slice(space + 1)];
}

// The points of a mark, null where there is none.
function pointsOf(panel, codes) {
  const n = codes.length / 2;
  const value = (code, [low, high]) => low + (code / STEPS) * (high - low);
  return Array.from({ length: n }, (_, i) => {
    const [x, y] = [codes[i], codes[n + i]];
    return x === DIVERGED || y === DIVERGED ? null : [value(x, panel.reach[0]), value(y, panel.reach[1])];
  });
}

// As exact as the table is, over an axis of this span.
const rounded = (value, span) => value.toFixed(clamp(3 - Math.floor(Math.log10(span)), 0, 12));

const barsOf = ({ range: [low, high] }, codes) => Array.from(codes, (code) => low + (code / STEPS) * (high - low));

export class ScenesFigure extends CurvesFigure {
  chart(frame, k) {
    return new (this.spec.panels[k].type === "plane" ? PlaneScene : BarsScene)(this, frame, k);
  }

  // There is no axis to point along.
  look() {}

  get shape() {
    return this.charts.length > 1 ? 1.25 : 2;
  }

  // What is read is read of all, whatever is hidden.
  saying() {
    const { shown } = this;
    this.shown = shown.map(() => true);
    const said = super.saying();
    this.shown = shown;
    return said;
  }

  csv() {
    const rows = [`# ${this.spec.title}; ${this.settingText()}`, "picture,mark,x,y"];
    for (const chart of this.charts)
      for (const curve of chart.drawn)
        for (const [x, y] of chart.table(curve))
          rows.push([quoted(chart.panel.title), quoted(curve.label), quoted(x), y].join(","));
    return `${rows.join("\n")}\n`;
  }
}
