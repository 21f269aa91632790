// Ticks, ranges and boxes of the small charts, as optim_lib/explorer/axes.py has them.

import { FONT } from "./shapes.js";
import { clamp, plainNumber } from "./words.js";

const LEAST_DECADES = 0.5;
const QUARTER = 0.25;
const ABOVE_START = 1;

// The decades that a chart of runs shows: their own, up to a decade above where they start.
export function lossRange(runs) {
  let [least, most] = [Infinity, -Infinity];
  for (const run of runs)
    for (const value of run) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  most = Math.min(most, Math.max(...runs.map((run) => run[0])) + ABOVE_START);
  const [low, high] = [Math.floor(least / QUARTER) * QUARTER, Math.ceil(most / QUARTER) * QUARTER];
  const missing = Math.max(0, LEAST_DECADES - (high - low)) / 2;
  return [low - missing, high + missing];
}

// Ticks of a logarithmic axis: decades, thinned to what fits; over a short stretch also 1 3, or 1 2 5.
export function decades([low, high], most) {
  const span = high - low;
  if (span >= 2.2) {
    const step = Math.ceil(span / most);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => ({
      at: (first + k) * step,
      power: (first + k) * step,
    }));
  }
  const digits = span < 0.8 ? [1, 1.5, 2, 3, 5, 7] : span < 1.4 ? [1, 2, 5] : [1, 3];
  const ticks = [];
  for (let k = Math.floor(low); k <= high; k++)
    for (const m of digits) {
      const at = k + Math.log10(m);
      if (at >= low && at <= high) ticks.push({ at, text: String(parseFloat((m * 10 ** k).toPrecision(2))) });
    }
  return ticks;
}

// A power of ten in plain figures.
export const plainPower = (power) => String(parseFloat((10 ** power).toPrecision(2))).replace("e+", "e");

function tickLabel(c, tick, x, y, plain) {
  const short = plain || tick.power === 0 || tick.power === 1;
  const text = tick.text ?? (short ? String(parseFloat((10 ** tick.power).toPrecision(1))) : null);
  if (text !== null) return c.fillText(text, x, y);
  const power = String(tick.power).replace("-", "\u2212");
  c.save();
  c.font = `8.5px ${FONT}`;
  c.fillText(power, x, y - 4);
  const shift = c.measureText(power).width + 0.5;
  c.restore();
  c.fillText("10", x - shift, y);
}

export function logAxis(c, box, range, colors) {
  const ticks = decades(range, Math.max(2, Math.floor(box.height / 20)));
  const plain = ticks.every((tick) => tick.text || (tick.power >= -3 && tick.power <= 3));
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const tick of ticks) {
    const y = box.y(tick.at);
    c.fillStyle = colors.faint;
    c.fillRect(box.left, Math.round(y) - 0.5, box.width, 1);
    c.fillStyle = colors.muted;
    tickLabel(c, tick, box.left - 7, y + 0.5, plain);
  }
}

// Round values inside a linear axis.
export function roundTicks(low, high, most) {
  const unit = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => (high - low) / s <= most);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
  return ticks;
}

export function linearAxis(c, box, range, colors) {
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

// Steps to name below a chart: four stretches at most.
export function stepTicks(steps) {
  const units = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000];
  const unit = units.find((u) => steps / u <= 4.01) ?? steps;
  return Array.from({ length: Math.floor(steps / unit) + 1 }, (_, k) => k * unit);
}

// The labels that fit side by side, the most important first.
export function apart(candidates, gap) {
  const taken = [];
  return candidates.filter(({ at, size }) => {
    const free = taken.every(([low, high]) => at + size / 2 + gap < low || at - size / 2 - gap > high);
    if (free) taken.push([at - size / 2, at + size / 2]);
    return free;
  });
}

// The inside of a chart, and where values lie in it: a little outside of it at most.
export function plotBox({ width, height }, { left, right, top, bottom }, range) {
  const box = { left, top, width: width - left - right, height: height - top - bottom };
  box.right = left + box.width;
  box.bottom = top + box.height;
  if (range)
    box.y = (v) => clamp(box.bottom - ((v - range[0]) / (range[1] - range[0])) * box.height, top - 40, box.bottom + 2);
  return box;
}
