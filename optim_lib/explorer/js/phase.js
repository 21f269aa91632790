// One direction under momentum: its place on the map of the spectral radius, and its run in the plane of distance and
// velocity.

import { Board, BoardFigure, StepChart, between } from "./boards.js";
import { RadiusMap } from "./radius.js";
import { haloed, marker } from "./shapes.js";
import { STEPS } from "./table.js";
import { plainNumber } from "./words.js";

// Distance across, velocity up, at one scale.
class Portrait extends Board {
  // How much is shown: what the run needs, within limits.
  get window() {
    const far = Math.max(...this.figure.path.flat().map(Math.abs));
    return this.spec.windows.find((window) => far <= window) ?? this.spec.windows.at(-1);
  }

  place([c, u]) {
    const box = this.box();
    const scale = Math.min(box.width, box.height) / 2 / this.window;
    return [(box.left + box.right) / 2 + c * scale, (box.top + box.bottom) / 2 - u * scale];
  }

  base() {}

  grid(c) {
    const { colors } = this;
    const box = this.box();
    for (const r of [0.5, 1]) {
      const [x, y] = this.place([0, 0]);
      c.beginPath();
      c.arc(x, y, this.place([r, 0])[0] - x, 0, 2 * Math.PI);
      c.lineWidth = 1;
      c.strokeStyle = colors.faint;
      c.stroke();
    }
    const [x, y] = this.place([0, 0]);
    c.fillStyle = colors.faint;
    c.fillRect(box.left, Math.round(y) - 0.5, box.width, 1);
    c.fillRect(Math.round(x) - 0.5, box.top, 1, box.height);
    c.textBaseline = "alphabetic";
    c.textAlign = "right";
    c.fillStyle = colors.muted;
    c.fillText("distance \u2192", box.right, box.bottom + 30);
    for (const at of [-1, 1]) {
      c.textAlign = "center";
      c.fillText(plainNumber(at, 1), this.place([at, 0])[0], box.bottom + 15);
      c.textAlign = "right";
      c.fillText(plainNumber(at, 1), box.left - 7, this.place([0, at])[1] + 4);
    }
    c.textAlign = "left";
    haloed(c, "\u2191 velocity / \u221aq", box.left + 2, box.top + 11, colors.muted, colors.paper);
  }

  top(c) {
    const { colors, figure, spec } = this;
    this.grid(c);
    const [distances, velocities] = figure.path;
    const now = Math.min(figure.progress, spec.steps);
    const whole = Math.floor(now);
    const points = Array.from(distances, (distance, k) => this.place([distance, velocities[k]]));
    const head = this.place([between(distances, now), between(velocities, now)]);
    const color = colors.series[spec.color];
    this.inside(c, this.box(), () => {
      c.lineJoin = "round";
      c.globalAlpha = 0.25;
      this.strand(c, points.slice(whole), color, 1.4);
      c.globalAlpha = 1;
      const gone = [...points.slice(0, whole + 1), head];
      this.strand(c, gone, colors.paper, 4);
      this.strand(c, gone, color, 1.7);
      c.fillStyle = color;
      for (const [x, y] of points.slice(0, whole + 1)) {
        c.beginPath();
        c.arc(x, y, 2.4, 0, 2 * Math.PI);
        c.fill();
      }
      c.beginPath();
      c.arc(...points[0], 4.5, 0, 2 * Math.PI);
      c.fillStyle = colors.paper;
      c.fill();
      c.lineWidth = 1.6;
      c.strokeStyle = colors.ink;
      c.stroke();
      marker(c, spec.color, ...head, 5, color, colors.paper, 1.4);
    });
  }

  words() {
    return `The run in the plane of distance and velocity, from distance 1 at rest. ${this.figure.saying()}`;
  }
}

export class PhaseFigure extends BoardFigure {
  get drawings() {
    return { radius: RadiusMap, portrait: Portrait, sum: StepChart };
  }

  take(parts) {
    this.parts = parts.splice(0, 4);
    this.radii = parts.shift();
    this.masks = parts;
  }

  spread(codes) {
    const [low, high] = this.spec.span;
    return Array.from(codes, (code) => low + (code / STEPS) * (high - low));
  }

  // Distances and velocities at each step.
  get path() {
    return [0, 1].map((k) => this.spread(this.row(this.parts[k], this.spec.steps + 1)));
  }

  standing() {
    const { colors, spec } = this;
    const [q, momentum] = [spec.products[this.index(0)], spec.momenta[this.index(1)]];
    return [{ q, momentum, color: colors.series[spec.color], chosen: true }];
  }

  strands() {
    return [{ levels: this.path[0], color: this.colors.series[this.spec.color], width: 2 }];
  }

  saying() {
    const { spec } = this;
    const step = Math.floor(Math.min(this.progress, spec.steps));
    const mood = spec.moods[this.parts[2][this.entry()]];
    const keeps = (this.parts[3][this.entry()] / 10000).toFixed(3);
    const distance = this.path[0][step];
    const [low, high] = spec.span;
    const where = distance <= low || distance >= high ? "out of the picture" : plainNumber(distance, high - low);
    return (
      `With ${this.settingText()}, the direction ${mood}: in the long run each step multiplies its size by ${keeps}. ` +
      `At step ${step} of ${spec.steps} its distance is ${where}.`
    );
  }

  csv() {
    const [distances, velocities] = this.path;
    const rows = [`# ${this.spec.title}; ${this.settingText()}`, "step,distance,velocity / sqrt(q)"];
    distances.forEach((c, step) => rows.push([step, c.toPrecision(4), velocities[step].toPrecision(4)].join(",")));
    return `${rows.join("\n")}\n`;
  }
}
