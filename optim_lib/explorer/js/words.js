// Numbers and lists in words, as optim_lib/explorer/words.py has them.

import { DIVERGED, level } from "./table.js";

export const LETTERS = "ABCDEFGHIJ";

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const listed = (items) =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;

export const capital = (text) => text[0].toUpperCase() + text.slice(1);

// A word of a table of values separated by commas.
export const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function lossText(code) {
  if (code === DIVERGED) return "diverged";
  if (code === 0) return "under 1e-16";
  const exponent = Math.floor(code / 900) - 16;
  const digits = String((code % 900) + 100);
  const trimmed = (text) => text.replace(/0+$/, "");
  if (exponent >= -4 && exponent < 0) return `0.${"0".repeat(-exponent - 1)}${trimmed(digits)}`;
  if (exponent >= 2 && exponent < 6) return digits + "0".repeat(exponent - 2);
  const whole = exponent >= 0 && exponent < 2 ? digits.slice(0, exponent + 1) : digits[0];
  const rest = trimmed(digits.slice(whole.length));
  const number = rest ? `${whole}.${rest}` : whole;
  return exponent >= 0 && exponent < 2 ? number : `${number}e${exponent}`;
}

export const at = (text) => `at ${text}`.replace("at under", "under");

// A number as exact as a reader can see it on an axis of this span.
export function plainNumber(value, span) {
  if (Math.abs(value) < 1e-9 * span) return "0";
  const digits = clamp(Math.ceil(Math.log10(Math.abs(value) / span)) + 3, 2, 6);
  const number = parseFloat(value.toPrecision(digits));
  const size = Math.abs(number);
  const text = size < 1e-4 || size >= 1e6 ? number.toExponential().replace("e+", "e") : String(number);
  return text.replaceAll("-", "\u2212");
}

// A value of a panel of curves.
export function valueText(panel, code) {
  if (code === DIVERGED) return "diverged";
  return panel.log ? lossText(code) : plainNumber(level(panel, code), panel.range[1] - panel.range[0]);
}

// Values of axes: "learning rate 0.1 and beta1 0.9".
export function settingText(spec, setting, axes = spec.axes.map((_, k) => k)) {
  return listed(axes.map((k) => `${spec.axes[k].name} ${spec.axes[k].labels[setting[k]]}`));
}
