// The quests of a figure: judged by masks of the table when the reader commits to an answer, and kept in their browser.
// A task is checked where the sliders stand, a number as it was typed, a few times at most; a prediction is given once,
// and its reason comes when the reader has gone to look.

import { shelf } from "./keep.js";
import { bit } from "./table.js";

// Passing a setting is not standing there.
const REST_MS = 350;
const TRIES = 3;

export class Quests {
  constructor(figure, root) {
    this.figure = figure;
    this.root = root;
    this.quests = figure.spec.quests;
    this.held = 0;
    this.state = Object.fromEntries(this.quests.map((quest) => [quest.id, this.recall(quest)]));
    if (!root) return;
    this.tally = root.querySelector(".uo-tally");
    this.forget = root.querySelector(".uo-forget");
    this.items = [...root.querySelectorAll("li")].map((node, k) => this.item(node, this.quests[k]));
    this.forget.addEventListener("click", () => this.startOver());
    this.unwatch = shelf().watch("quest", (id, _, elsewhere) => elsewhere && this.changedElsewhere(id));
    this.show();
  }

  close() {
    clearTimeout(this.timer);
    this.unwatch?.();
  }

  item(node, quest) {
    const choices = [...node.querySelectorAll(".uo-choice:not(.uo-check, .uo-look)")];
    const [check, number, look] = [".uo-check", ".uo-number", ".uo-look"].map((name) => node.querySelector(name));
    choices.forEach((button, choice) => button.addEventListener("click", () => this.answer(quest, choice)));
    check?.addEventListener("click", () => this.check(quest, number));
    number?.addEventListener("keydown", (event) => event.key === "Enter" && this.check(quest, number));
    look?.addEventListener("click", () => this.figure.stand(quest.see));
    return {
      quest,
      node,
      choices,
      check,
      number,
      look,
      status: node.querySelector(".uo-quest-state"),
      more: node.querySelector(".uo-quest-more"),
    };
  }

  // ---- what is kept

  nameOf(quest) {
    return `${this.figure.spec.key}/${quest.id}`;
  }

  recall(quest) {
    return shelf().get("quest", this.nameOf(quest)) ?? {};
  }

  // What is there is read afresh first: another tab may have been at it.
  keep(quest, more) {
    const changed = (old) => ({ ...old, ...more });
    shelf().set("quest", this.nameOf(quest), changed);
    this.state[quest.id] = { ...this.state[quest.id], ...this.recall(quest), ...more };
  }

  changedElsewhere(id) {
    const quest = this.quests.find((one) => this.nameOf(one) === id);
    if (!quest) return;
    this.state[quest.id] = this.recall(quest);
    this.show();
    this.figure.mark("map", "says");
  }

  startOver() {
    for (const quest of this.quests) {
      shelf().remove("quest", this.nameOf(quest));
      this.state[quest.id] = {};
    }
    this.show();
    this.figure.mark("map", "says");
    this.figure.announce("Quests start over.");
  }

  // ---- what the reader does

  answer(quest, choice) {
    if (this.state[quest.id].choice !== undefined) return;
    this.keep(quest, { choice });
    this.show();
    this.figure.announce(`You predict: ${quest.choices[choice]}. Now move to ${quest.look} and look.`);
    if (this.entry !== undefined) this.judge();
  }

  // The reader says: here, or this number.
  check(quest, number) {
    const { done, tries = 0 } = this.state[quest.id];
    if (done || tries >= TRIES || !this.figure.loaded) return;
    if (this.suspended) return this.figure.announce("Quests are about the optimizer that the figure came with.");
    const typed = number && Number(number.value.trim().replace(",", ".").replace("\u2212", "-"));
    if (number && (!number.value.trim() || Number.isNaN(typed))) return this.figure.announce("Please type a number.");
    if (number) this.keep(quest, { typed: number.value.trim() });
    if (number ? quest.lowest <= typed && typed <= quest.highest : this.stands(quest)) return this.solved(quest);
    this.keep(quest, { tries: tries + 1 });
    this.show();
    this.figure.announce(this.told(quest));
  }

  stands(quest) {
    return bit(this.figure.masks[this.quests.indexOf(quest)], this.figure.entry());
  }

  solved(quest) {
    this.keep(quest, { done: true });
    this.figure.announce(`Quest done: ${quest.text} ${quest.because ?? ""}`);
    this.show();
    this.figure.mark("map", "says");
  }

  // The reader has come to an entry of the table, and may go on.
  stand(masks, entry) {
    Object.assign(this, { masks, entry });
    this.wait();
  }

  hold(holding) {
    this.held = holding;
    if (this.entry !== undefined) this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    if (!this.held && !this.suspended) this.timer = setTimeout(() => this.judge(), REST_MS);
  }

  // A prediction is over when the reader has gone to see.
  judge() {
    if (this.suspended || !this.masks) return;
    for (const quest of this.quests) {
      const { done, choice } = this.state[quest.id];
      if (quest.kind !== "predict" || done || choice === undefined || !this.stands(quest)) continue;
      this.keep(quest, { done: true });
      this.show();
      this.figure.announce(verdict(quest, choice));
    }
  }

  // Quests are about the optimizer that the figure came with.
  suspend(suspended) {
    this.suspended = suspended;
    this.root?.classList.toggle("uo-suspended", suspended);
  }

  get hidesBest() {
    return this.quests.some((quest) => quest.hidesBest && !this.state[quest.id].done);
  }

  // What stands below a quest.
  told(quest) {
    const { done, choice, tries = 0 } = this.state[quest.id];
    if (quest.kind === "predict" && done) return verdict(quest, choice);
    if (quest.kind === "predict") return choice === undefined ? "" : `Now move to ${quest.look} and look.`;
    if (done) return quest.because ?? "";
    const left = TRIES - tries;
    if (left <= 0) return `No try is left. ${quest.because ?? ""} To try again, start over.`;
    const rest = left === 1 ? "One try is left." : `${left} tries are left.`;
    return tries ? `Not ${quest.kind === "number" ? "this number" : "here"}. ${rest}` : "";
  }

  show() {
    if (!this.root) return;
    let count = 0;
    let touched = false;
    for (const { quest, node, choices, check, number, look, status, more } of this.items) {
      const { done, choice, tries = 0, typed } = this.state[quest.id];
      count += done ? 1 : 0;
      touched ||= Boolean(done) || choice !== undefined || tries > 0;
      node.dataset.done = String(Boolean(done));
      status.textContent = done ? "Done: " : "To do: ";
      choices.forEach((button, c) => {
        button.setAttribute("aria-pressed", String(choice === c));
        button.disabled = choice !== undefined;
        button.dataset.right = String(Boolean(done) && c === quest.answer);
      });
      if (check) check.disabled = Boolean(done) || tries >= TRIES;
      if (number) Object.assign(number, { disabled: check.disabled, value: typed ?? number.value });
      if (look) look.hidden = Boolean(done) || choice === undefined;
      more.textContent = this.told(quest);
    }
    this.tally.textContent = `${count} of ${this.items.length} done`;
    this.forget.hidden = !touched;
  }
}

export function verdict(quest, choice) {
  const right = choice === quest.answer;
  const head = right ? "As you predicted" : `You predicted \u201c${quest.choices[choice]}\u201d`;
  return `${head}: ${right ? "" : "it is "}\u201c${quest.choices[quest.answer]}\u201d. ${quest.because}`;
}
