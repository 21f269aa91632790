// The colors of the page as it is now: custom properties that optim_lib/palette.py writes.

import { clamp } from "./words.js";

const ROLES = ["paper", "ink", "muted", "faint", "panel", "accent", "isoline", "diverged", "hatch"];
const LISTS = { series: 6, surface: 5, sequential: 6 };

export function pageColors(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--uo-${name}`).trim() || "#888888";
  const colors = Object.fromEntries(ROLES.map((role) => [role, read(role)]));
  for (const [list, count] of Object.entries(LISTS))
    colors[list] = Array.from({ length: count }, (_, k) => read(`${list}-${k}`));
  return colors;
}

export function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

// A place between 0 and 1 on a list of colors.
export function ramp(stops, t) {
  const place = clamp(t, 0, 1) * (stops.length - 1);
  const k = Math.min(Math.floor(place), stops.length - 2);
  const [a, b] = [rgb(stops[k]), rgb(stops[k + 1])];
  return a.map((v, i) => Math.round(v + (b[i] - v) * (place - k)));
}

export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;
