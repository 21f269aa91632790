// Marks on a drawing. Every function takes a context: that of a canvas, or that of an SVG (svg.js).

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const MARKERS = [
  (c, x, y, r) => c.arc(x, y, r, 0, 2 * Math.PI),
  (c, x, y, r) => c.rect(x - 0.88 * r, y - 0.88 * r, 1.76 * r, 1.76 * r),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 3, -Math.PI / 2),
  (c, x, y, r) => polygon(c, x, y, 1.2 * r, 4, 0),
  (c, x, y, r) => polygon(c, x, y, 1.25 * r, 3, Math.PI / 2),
  (c, x, y, r) => polygon(c, x, y, 1.15 * r, 6, 0),
];

// The outline of an optimizer's mark.
export const outline = (c, kind, x, y, r) => MARKERS[kind % MARKERS.length](c, x, y, r);

export function polygon(c, x, y, r, sides, turn) {
  for (let k = 0; k < sides; k++) {
    const angle = turn + (2 * Math.PI * k) / sides;
    c[k ? "lineTo" : "moveTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  c.closePath();
}

export function star(c, x, y, r) {
  c.beginPath();
  for (let k = 0; k < 10; k++) {
    const angle = -Math.PI / 2 + (Math.PI * k) / 5;
    const reach = k % 2 ? 0.45 * r : r;
    c[k ? "lineTo" : "moveTo"](x + reach * Math.cos(angle), y + reach * Math.sin(angle));
  }
  c.closePath();
}

export function marker(c, kind, x, y, r, fill, edge, width = 1.5) {
  c.beginPath();
  outline(c, kind, x, y, r);
  c.lineWidth = 2 * width;
  c.strokeStyle = edge;
  c.stroke();
  c.fillStyle = fill;
  c.fill();
}

export function haloed(c, text, x, y, ink, paper) {
  c.lineJoin = "round";
  c.lineWidth = 3.5;
  c.strokeStyle = paper;
  c.strokeText(text, x, y);
  c.fillStyle = ink;
  c.fillText(text, x, y);
}

// The same outline twice: broad in the paper's color, then in its own.
export function twice(c, draw, paper, [halo, width], ink) {
  for (const [size, color] of [
    [halo, paper],
    [width, ink],
  ]) {
    c.beginPath();
    draw();
    c.lineWidth = size;
    c.strokeStyle = color;
    c.stroke();
  }
}

export function cross(c, x, y, r) {
  c.moveTo(x - r, y - r);
  c.lineTo(x + r, y + r);
  c.moveTo(x - r, y + r);
  c.lineTo(x + r, y - r);
}

export function plus(c, x, y, r) {
  c.moveTo(x - r, y);
  c.lineTo(x + r, y);
  c.moveTo(x, y - r);
  c.lineTo(x, y + r);
}

export function hatch(c, x, y, w, h, colors) {
  c.save();
  c.beginPath();
  c.rect(x, y, w, h);
  c.clip();
  c.fillStyle = colors.diverged;
  c.fillRect(x, y, w, h);
  c.beginPath();
  for (let d = Math.floor((x - y - h) / 5) * 5; d < x + w - y; d += 5) {
    c.moveTo(d + y, y);
    c.lineTo(d + y + h, y + h);
  }
  c.lineWidth = 0.8;
  c.strokeStyle = colors.hatch;
  c.stroke();
  c.restore();
}
