// The picture of a surface: bands of color and lines between them, from samples of the loss.

import { ramp, rgb } from "./colors.js";
import { clamp } from "./words.js";

const BANDS = 13;

// Catmull-Rom taps for stretching `from` samples over `to` pixels.
function taps(from, to) {
  const index = new Int32Array(to);
  const weights = new Float32Array(4 * to);
  for (let i = 0; i < to; i++) {
    // The outermost samples lie outside the picture, so that every pixel has four neighbors.
    const place = 1 + ((i + 0.5) / to) * (from - 3);
    const k = clamp(Math.floor(place), 1, from - 3);
    const t = place - k;
    index[i] = k - 1;
    weights[4 * i] = 0.5 * t * (-1 + t * (2 - t));
    weights[4 * i + 1] = 0.5 * (2 + t * t * (3 * t - 5));
    weights[4 * i + 2] = 0.5 * t * (1 + t * (4 - 3 * t));
    weights[4 * i + 3] = 0.5 * t * t * (t - 1);
  }
  return { index, weights };
}

export function paintContours(canvas, samples, exponent, colors) {
  const { width, height } = canvas;
  const n = Math.round(Math.sqrt(samples.length));
  const across = taps(n, width);
  const stretched = new Float32Array(n * width);
  for (let row = 0; row < n; row++)
    for (let i = 0; i < width; i++) {
      const s = row * n + across.index[i];
      const w = 4 * i;
      stretched[row * width + i] =
        samples[s] * across.weights[w] +
        samples[s + 1] * across.weights[w + 1] +
        samples[s + 2] * across.weights[w + 2] +
        samples[s + 3] * across.weights[w + 3];
    }
  const down = taps(n, height);
  const levels = (y, out) => {
    const s = down.index[height - 1 - y] * width;
    const w = 4 * (height - 1 - y);
    const [a, b, c, d] = down.weights.subarray(w, w + 4);
    for (let i = 0; i < width; i++) {
      const v =
        stretched[s + i] * a +
        stretched[s + width + i] * b +
        stretched[s + 2 * width + i] * c +
        stretched[s + 3 * width + i] * d;
      out[i] = BANDS * Math.pow(v > 0 ? v : 0, exponent);
    }
  };
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const fills = Array.from({ length: BANDS + 2 }, (_, k) => ramp(colors.surface, k / BANDS));
  const line = rgb(colors.isoline);
  let here = new Float32Array(width);
  let next = new Float32Array(width);
  levels(0, here);
  for (let y = 0, p = 0; y < height; y++) {
    if (y + 1 < height) levels(y + 1, next);
    for (let x = 0; x < width; x++, p += 4) {
      const level = here[x];
      const slope = Math.hypot(here[x + 1 < width ? x + 1 : x] - level, next[x] - level) || 1e-9;
      const band = Math.floor(level);
      const part = level - band;
      const away = Math.min(part, 1 - part) / slope;
      // Lines closer than about three pixels would only darken the picture.
      const ink = away < 1 ? 0.5 * (1 - away) * clamp(1.4 - 4 * slope, 0, 1) : 0;
      const fill = fills[Math.min(band, BANDS + 1)];
      image.data[p] = fill[0] + (line[0] - fill[0]) * ink;
      image.data[p + 1] = fill[1] + (line[1] - fill[1]) * ink;
      image.data[p + 2] = fill[2] + (line[2] - fill[2]) * ink;
      image.data[p + 3] = 255;
    }
    [here, next] = [next, here];
  }
  context.putImageData(image, 0, 0);
}
