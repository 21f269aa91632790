// A drawing that knows its size: two layers, of which the lower one rarely changes.
//
// A subclass draws `base(c)` and `top(c)` in pixels of the page, and says `words()` for those who do not see it.

import { FONT } from "./shapes.js";

export class Panel {
  constructor(figure, frame, name, attributes) {
    this.figure = figure;
    this.frame = frame;
    this.canvas = document.createElement("canvas");
    this.canvas.className = name;
    for (const [attribute, value] of Object.entries(attributes)) this.canvas.setAttribute(attribute, value);
    this.under = document.createElement("canvas");
    this.width = this.height = 0;
    frame.append(this.canvas);
  }

  get colors() {
    return this.figure.colors;
  }

  get spec() {
    return this.figure.spec;
  }

  // Take the size of the frame; whether it has changed.
  fit() {
    const { width, height } = this.frame.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    Object.assign(this, { width, height, ratio });
    for (const canvas of [this.canvas, this.under]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    return true;
  }

  paint(withBase) {
    if (withBase) this.fresh(this.under, (c) => this.base(c));
    this.fresh(this.canvas, (c) => {
      c.drawImage(this.under, 0, 0, this.width, this.height);
      this.top(c);
    });
    this.canvas.setAttribute("aria-label", this.words());
  }

  // Draw afresh; what the drawing sets does not outlive it.
  fresh(canvas, draw) {
    const c = canvas.getContext("2d");
    c.save();
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    c.font = `11.5px ${FONT}`;
    draw(c);
    c.restore();
  }

  // Draw on another context, at another size: for a picture to save.
  drawOn(c, width, height) {
    const { width: w, height: h, ratio } = this;
    Object.assign(this, { width, height, ratio: 2 });
    c.save();
    c.font = `11.5px ${FONT}`;
    this.base(c);
    this.top(c);
    c.restore();
    Object.assign(this, { width: w, height: h, ratio });
  }
}
