// An exercise in the page: an editor, what Python says about the answer, hints and a solution.
import { element, elsewhere } from "./cell.js";
import { Stopped } from "./engine.js";
import { KeptCell } from "./kept.js";

export class Exercise extends KeptCell {
  constructor(root, lab) {
    const id = root.dataset.exercise;
    const { answer: name, seconds } = root.dataset;
    super(root, lab, { id, label: `exercise ${id}`, seconds: Number(seconds), name });
    this.verdict = root.querySelector(".uo-judged");
    this.aside = root.querySelector(".uo-aside");
    this.keys = { "Shift-Enter": () => this.check() };
    this.hintsShown = 0;
  }

  reset() {
    super.reset();
    this.verdict.replaceChildren();
    this.aside.replaceChildren();
    this.say("The starter is back. Undo brings your answer back.");
  }

  async check() {
    this.keep();
    this.verdict.replaceChildren();
    await this.work("check", { id: this.id, source: this.text, kept: this.lab.record() }, (answer) => this.judge(answer));
  }

  judge(answer) {
    this.lab.mergeRecord(answer.record);
    const { stdout, error, cell, line, html } = answer;
    this.show({ stdout });
    this.verdict.replaceChildren(element("div", { html }), ...elsewhere(answer.feedback));
    const card = this.verdict.querySelector(".uo-card");
    this.say(`${card?.getAttribute("aria-label") ?? answer.status}. ${answer.feedback}`);
    if (line) this.lab.cell(cell)?.editor?.mark(line, error ?? "");
  }

  async failed(error, given) {
    await super.failed(error);
    if (given.id === undefined || !(error instanceof Stopped) || error.why !== "time") return;
    // The verdict of the notebook, from a fresh worker.
    const answer = await this.lab.engine.ask("stopped", { id: this.id, seconds: this.seconds });
    this.show({ stdout: this.printed });
    this.verdict.replaceChildren(element("div", { html: answer.html }));
  }

  async hint() {
    const { hints } = await this.lab.texts(this.id);
    this.hintsShown = Math.min(this.hintsShown + 1, hints.length);
    this.showAside(hints[this.hintsShown - 1]);
    this.lab.note(this, { hints: this.hintsShown });
  }

  async solution() {
    const { solution } = await this.lab.texts(this.id);
    this.showAside(solution);
    this.lab.note(this, { solution_seen: true });
  }

  showAside(html) {
    this.aside.replaceChildren(element("div", { html }));
    const card = this.aside.querySelector(".uo-card");
    this.say(card.innerText);
  }
}
