// The map of the spectral radius: rate times curvature across, momentum up, and where a figure stands on it.

import { Board } from "./boards.js";
import { paintContours } from "./contours.js";
import { FONT, haloed, hatch, marker } from "./shapes.js";
import { plainNumber } from "./words.js";

const TICKS = [0, 0.25, 0.5, 0.75, 1];

export class RadiusMap extends Board {
  get map() {
    return this.spec.radius;
  }

  place(q, momentum) {
    const box = this.box();
    const [left, right, low, high] = this.map.view;
    return [
      box.left + ((q - left) / (right - left)) * box.width,
      box.bottom - ((momentum - low) / (high - low)) * box.height,
    ];
  }

  base(c) {
    const box = this.box();
    const { colors, map } = this;
    const picture = document.createElement("canvas");
    picture.width = Math.max(1, Math.round(box.width * this.ratio));
    picture.height = Math.max(1, Math.round(box.height * this.ratio));
    paintContours(picture, this.figure.radii, map.exponent, colors);
    c.drawImage(picture, box.left, box.top, box.width, box.height);
    // Beyond the edge every run diverges.
    this.inside(c, box, () => {
      const edge = [
        [2, 0],
        [4, 1],
        [map.view[1], 1],
        [map.view[1], 0],
      ].map(([q, beta]) => this.place(q, beta));
      c.beginPath();
      edge.forEach(([x, y], k) => c[k ? "lineTo" : "moveTo"](x, y));
      c.closePath();
      c.clip();
      hatch(c, box.left, box.top, box.width, box.height, colors);
    });
    this.inside(c, box, () => {
      const critical = map.critical.map((point) => this.place(...point));
      this.strand(c, critical, colors.paper, 4);
      this.strand(c, critical, colors.ink, 1.4);
    });
    this.across(c, box, map.view, "rate \u00d7 curvature", (q) => this.place(q, 0)[0]);
    c.textAlign = "right";
    c.textBaseline = "middle";
    c.fillStyle = colors.muted;
    for (const beta of TICKS) c.fillText(plainNumber(beta, 1), box.left - 7, this.place(0, beta)[1] + 0.5);
    this.bold(c);
    c.textAlign = "center";
    haloed(c, "swings", ...this.place(1, 0.8), colors.ink, colors.paper);
    haloed(c, "creeps", ...this.place(0.42, 0.05), colors.ink, colors.paper);
    haloed(c, "flips", ...this.place(1.72, 0.05), colors.ink, colors.paper);
    haloed(c, "diverges", ...this.place(3.4, 0.3), colors.muted, colors.paper);
    c.font = `11.5px ${FONT}`;
  }

  top(c) {
    const { colors, figure } = this;
    const stand = figure.standing();
    const points = stand.map(({ q, momentum }) => this.place(Math.min(q, this.map.view[1]), momentum));
    if (points.length > 1) {
      this.strand(c, points, colors.paper, 4.5);
      this.strand(c, points, colors.ink, 1.4);
    }
    points.forEach(([x, y], k) => marker(c, 0, x, y, stand[k].chosen ? 6 : 4.2, stand[k].color, colors.paper, 1.4));
  }

  words() {
    return (
      "A map of the spectral radius, rate times curvature across and momentum up. Along a U of critical settings it " +
      `is lowest for its momentum; inside the U runs swing, left of it they creep, right of it they flip. ${this.figure.saying()}`
    );
  }
}
