// The sentences of a figure of descents. As the figure opens, optim_lib/explorer/sentences.py has said the same.

import { decade, DIVERGED } from "./table.js";
import { LETTERS, at, listed, lossText, settingText } from "./words.js";

export class Sentences {
  constructor(figure) {
    this.figure = figure;
  }

  now() {
    return this.figure.spec.series.length > 1 ? this.race() : this.single();
  }

  single() {
    const { spec, start, here, allRuns } = this.figure;
    const from = spec.starts.length > 1 ? `From start ${LETTERS[start]}, with` : "With";
    return `${from} ${settingText(spec, here)}, ${this.fate(allRuns[0])}. ${this.best(allRuns[0])}`.trim();
  }

  // What became of a run by now: "falls from 24 to 0.1 in 60 steps".
  fate(run) {
    const { measured } = this.figure;
    const { steps } = run;
    const step = this.figure.model.get("step");
    const first = lossText(run.code(0));
    if (run.isGone(step)) return `the run diverges: ${this.ending(run)}`;
    const code = run.code(step);
    if (step === 0) return `${measured} is ${first} before the first step`;
    const falls = decade(code) < decade(run.code(0));
    const aside = run.isOutside(step) ? ", outside the picture" : "";
    if (code === run.code(0)) return `${measured} is still ${first} after ${step} of ${steps} steps${aside}`;
    const between = `from ${first} to ${lossText(code)}`;
    if (step === steps) return `${measured} ${falls ? "falls" : "rises"} ${between} in ${step} steps${aside}`;
    return `${measured} has ${falls ? "fallen" : "risen"} ${between} after ${step} of ${steps} steps${aside}`;
  }

  ending(run) {
    const far = run.isOutside(run.last) || run.last < 1;
    return `at step ${run.gone} it is ${far ? "over 1000 windows away" : "no longer a number"}`;
  }

  // Where on the map runs end lowest: over the hyperparameters, with what belongs to the problem as it stands.
  best(run) {
    const { spec, runs, start, here, quests } = this.figure;
    if (quests.hidesBest || !runs.free.length) return "";
    const { setting, code, ties } = runs.best(run.series, start, here);
    if (!setting) return "Every setting on this map diverges.";
    if (code === run.code(run.steps)) return "No setting on this map ends lower.";
    const given = runs.mapped.filter((axis) => !runs.free.includes(axis));
    const head = given.length ? `With ${settingText(spec, setting, given)}, the` : "The";
    const among = ties > 1 ? ", for one" : "";
    return `${head} best on this map is ${settingText(spec, setting, runs.free)}${among}, which ends ${at(lossText(code))}.`;
  }

  race() {
    const { spec, here, shownRuns } = this.figure;
    const step = this.figure.model.get("step");
    if (!shownRuns.length) return "Every optimizer is hidden.";
    const code = (run) => (run.isGone(step) ? DIVERGED : run.code(step));
    const alive = shownRuns.filter((run) => code(run) !== DIVERGED).sort((a, b) => code(a) - code(b));
    const lost = shownRuns.filter((run) => code(run) === DIVERGED);
    const above = spec.measure === "loss" ? "" : `${spec.measure.replace(/^loss /, "")}, `;
    const living = alive.length ? above + standings(alive.map((run) => [code(run), run.series.label])) : "";
    const dead = lost.map((run) => `${run.series.label} diverged at step ${run.gone}`).join("; ");
    const after = `after ${step} step${step === 1 ? "" : "s"}`;
    return `With ${settingText(spec, here)}, ${after}: ${[living, dead].filter(Boolean).join("; ")}.`;
  }
}

// Who stands where, the lowest first; level ones are said to be level.
export function standings(runs) {
  const groups = [];
  for (const [code, label] of runs) {
    if (groups.at(-1)?.code === code) groups.at(-1).names.push(label);
    else groups.push({ code, names: [label] });
  }
  const [first, ...rest] = groups;
  const state = first.names.length > 1 ? "are level" : rest.length ? "is lowest" : "is";
  const lead = `${listed(first.names)} ${state} ${at(lossText(first.code))}`;
  const then = rest.map(({ code, names }) => `${listed(names)} ${at(lossText(code))}`);
  return then.length ? `${lead}, then ${listed(then)}` : lead;
}
