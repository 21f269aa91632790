// An exercise in the page: an editor, what Python says about the answer, hints and a solution.
import * as answers from "./answers.js";
import { Cell, element } from "./cell.js";
import { Stopped } from "./engine.js";

const KEEP_AFTER = 400; // milliseconds without typing

export class Exercise extends Cell {
  constructor(root, lab) {
    const id = root.dataset.exercise;
    super(root, lab, { id, label: `exercise ${id}`, seconds: Number(root.dataset.seconds) });
    this.name = root.dataset.answer;
    this.verdict = root.querySelector(".uo-judged");
    this.aside = root.querySelector(".uo-aside");
    this.keys = { "Shift-Enter": () => this.check() };
    this.hintsShown = 0;
    this.takeKept();
    addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => document.hidden && this.keep());
  }

  // The reader's own text, from this browser; what they have typed before the script came counts too.
  takeKept() {
    const kept = answers.kept(this.name);
    this.seen = kept?.text;
    if (kept && this.text === this.shipped) this.text = kept.text;
    this.offerEarlier();
  }

  changed(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), KEEP_AFTER);
    this.unkept = text;
  }

  keep(options) {
    clearTimeout(this.timer);
    if (this.unkept === undefined || this.unkept === this.seen) return;
    this.keeping = true;
    answers.keep(this.name, this.unkept, this.seen, options);
    this.keeping = false;
    this.seen = this.unkept;
    this.unkept = undefined;
    this.offerEarlier();
  }

  // Another tab has changed the answer, or an import has.
  changedElsewhere(value) {
    const isTyping = this.unkept !== undefined || this.keeping;
    if (!value || isTyping || value.text === this.text) return;
    this.seen = value.text;
    this.text = value.text;
    clearTimeout(this.timer);
    this.unkept = undefined;
    this.offerEarlier();
  }

  offerEarlier() {
    const earlier = answers.kept(this.name)?.earlier?.filter(({ text }) => text !== this.shipped) ?? [];
    const button = earlier.length || this.earlierButton ? (this.earlierButton ??= this.button("earlier", "Earlier")) : null;
    if (button) button.hidden = !earlier.length;
    this.versions = earlier;
  }

  // The version before this one; pressed again, the one before that.
  earlier() {
    const [before] = this.versions;
    if (!before) return;
    this.open();
    this.editor.replace(before.text);
    this.unkept = before.text;
    this.keep({ whole: true });
  }

  reset() {
    this.keep();
    super.reset();
    this.unkept = this.shipped;
    this.keep({ whole: true });
    this.verdict.replaceChildren();
    this.aside.replaceChildren();
    this.show({});
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
    this.verdict.replaceChildren(element("div", { html }));
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
