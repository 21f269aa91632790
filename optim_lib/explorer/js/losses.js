// The loss at each step, in the decades that the runs shown cross.

import { logAxis, lossRange, plotBox, stepTicks } from "./axes.js";
import { Panel } from "./panel.js";
import { cross, marker, twice } from "./shapes.js";
import { decade } from "./table.js";
import { capital, clamp } from "./words.js";

export class Losses extends Panel {
  constructor(figure, frame) {
    super(figure, frame, "uo-loss", { role: "img" });
    this.range = [0, 1];
  }

  // Take the range of the runs as they are; whether it has changed.
  refit() {
    const levels = this.figure.shownRuns.map((run) =>
      Array.from({ length: run.last + 1 }, (_, step) => decade(run.code(step))),
    );
    const range = levels.length ? lossRange(levels) : this.range;
    const changed = range.some((end, k) => end !== this.range[k]);
    this.range = range;
    return changed;
  }

  box() {
    return plotBox(this, { left: 40, right: 12, top: 8, bottom: 22 }, this.range);
  }

  base(c) {
    const box = this.box();
    logAxis(c, box, this.range, this.colors);
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillStyle = this.colors.muted;
    for (const step of stepTicks(this.spec.steps)) c.fillText(String(step), this.toPixel(box, step), box.bottom + 16);
  }

  toPixel(box, step) {
    return box.left + (step / this.spec.steps) * box.width;
  }

  // The step at a pixel.
  stepAt(x) {
    const box = this.box();
    return clamp(((x - box.left) / box.width) * this.spec.steps, 0, this.spec.steps);
  }

  top(c) {
    const box = this.box();
    const { colors, figure } = this;
    const x = (step) => this.toPixel(box, step);
    const y = (run, step) => box.y(decade(run.code(step)));
    const now = Math.min(figure.progress, this.spec.steps);
    c.fillStyle = colors.muted;
    c.globalAlpha = 0.5;
    c.fillRect(Math.round(x(now)) - 0.5, box.top, 1, box.height);
    c.globalAlpha = 1;
    c.save();
    c.beginPath();
    c.rect(box.left - 6, box.top - 6, box.width + 12, box.height + 12);
    c.clip();
    c.lineJoin = "round";
    for (const run of figure.shownRuns) {
      const color = colors.series[run.series.color];
      for (const [from, to, alpha] of [
        [Math.floor(now), run.last, 0.28],
        [0, Math.min(Math.floor(now), run.last), 1],
      ]) {
        c.beginPath();
        for (let step = from; step <= to; step++) c[step > from ? "lineTo" : "moveTo"](x(step), y(run, step));
        c.lineWidth = 1.8;
        c.globalAlpha = alpha;
        c.strokeStyle = color;
        c.stroke();
      }
      c.globalAlpha = 1;
      if (run.gone >= 0) twice(c, () => cross(c, x(run.gone), box.top + 4, 5), colors.paper, [5, 2.4], color);
    }
    for (const run of figure.shownRuns) {
      const step = Math.floor(now);
      if (step > run.last) continue;
      const level = clamp(y(run, step), box.top, box.bottom);
      marker(c, run.series.color, x(now), level, 3.6, colors.series[run.series.color], colors.paper, 1.3);
    }
    c.restore();
  }

  words() {
    const { figure, spec } = this;
    const fates = figure.shownRuns.map((run) => `${run.series.label}: ${figure.sentences.fate(run)}`).join(". ");
    return `${capital(spec.measure)} at each step, on a logarithmic axis. ${fates}.`;
  }
}
