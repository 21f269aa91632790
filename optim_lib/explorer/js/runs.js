// The table of a figure of descents, read: what became of every run at every setting.

import { DIVERGED, UNITS } from "./table.js";

export class Runs {
  constructor(spec, parts) {
    this.spec = spec;
    this.steps = spec.steps;
    this.known = new Map();
    this.series = spec.series.map((s, k) => ({
      ...s,
      x: new Int16Array(parts[3 * k].buffer),
      y: new Int16Array(parts[3 * k + 1].buffer),
      codes: parts[3 * k + 2],
      settings: s.shape.reduce((a, b) => a * b, 1),
    }));
    this.field = parts[3 * this.series.length];
    this.masks = parts.slice(3 * this.series.length + 1);
  }

  count(axis) {
    return this.spec.axes[axis].labels.length;
  }

  // Whether the map is a line along one axis: one axis, or a race.
  get flat() {
    return this.spec.axes.length === 1 || this.series.length > 1;
  }

  // The axes of the map, and those of them whose values a reader chooses.
  get mapped() {
    return this.flat ? [0] : [0, 1];
  }

  get free() {
    return this.mapped.filter((axis) => !this.spec.axes[axis].given);
  }

  // The number of a setting in the masks, which run over (starts, *axes).
  entry(start, setting) {
    return setting.reduce((at, index, axis) => at * this.count(axis) + index, start);
  }

  // Where the run of a series at a setting begins in its arrays.
  base(series, start, setting) {
    const own = series.axes.reduce((at, axis, k) => at * series.shape[k] + setting[axis], 0);
    return (start * series.settings + own) * (this.steps + 1);
  }

  run(series, start, setting) {
    return new Run(series, this.base(series, start, setting), this.steps);
  }

  end(series, start, setting) {
    return series.codes[this.base(series, start, setting) + this.steps];
  }

  // The lowest end on the map, with what belongs to the problem as it stands; how many settings share it.
  best(series, start, setting) {
    const { free } = this;
    const key = [series.label, start, ...setting.map((i, axis) => (free.includes(axis) ? "any" : i))].join();
    if (!this.known.has(key)) this.known.set(key, this.search(series, start, setting, free));
    return this.known.get(key);
  }

  search(series, start, setting, free) {
    const found = { code: DIVERGED, setting: null, ties: 0 };
    const at = [...setting];
    const visit = ([axis, ...rest]) => {
      if (axis !== undefined) {
        for (at[axis] = 0; at[axis] < this.count(axis); at[axis]++) visit(rest);
        return;
      }
      const code = this.end(series, start, at);
      if (code === DIVERGED) return;
      if (code < found.code) Object.assign(found, { code, setting: [...at], ties: 0 });
      if (code === found.code) found.ties += 1;
    };
    if (free.length) visit(free);
    return found;
  }
}

class Run {
  constructor(series, base, steps) {
    Object.assign(this, { series, base, steps });
    this.gone = -1;
    if (series.codes[base + steps] === DIVERGED) {
      this.gone = 0;
      while (series.codes[base + this.gone] !== DIVERGED) this.gone++;
    }
    // The last step before a divergence, or of all.
    this.last = this.gone < 0 ? steps : this.gone - 1;
  }

  code(step) {
    return this.series.codes[this.base + step];
  }

  // In pictures, from the lower left.
  place(step) {
    return [this.series.x[this.base + step] / UNITS, this.series.y[this.base + step] / UNITS];
  }

  isOutside(step) {
    return this.place(step).some((part) => part < 0 || part > 1);
  }

  isGone(step) {
    return this.gone >= 0 && step >= this.gone;
  }
}
