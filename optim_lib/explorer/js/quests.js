// The quests of a figure: judged by masks of the table, when the reader comes to rest, and kept in their browser.

import { shelf } from "./keep.js";
import { bit } from "./table.js";

// Passing a setting is not standing there.
const REST_MS = 350;

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
    const choices = [...node.querySelectorAll(".uo-choice")];
    choices.forEach((button, choice) => button.addEventListener("click", () => this.answer(quest, choice)));
    return {
      quest,
      node,
      choices,
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

  judge() {
    if (this.suspended || !this.masks) return;
    let news = false;
    this.quests.forEach((quest, k) => {
      const { done, choice } = this.state[quest.id];
      if (done || (quest.kind === "predict" && choice === undefined) || !bit(this.masks[k], this.entry)) return;
      this.keep(quest, { done: true });
      news = true;
      this.figure.announce(quest.kind === "predict" ? verdict(quest, choice) : `Quest done: ${quest.text}`);
    });
    if (!news) return;
    this.show();
    this.figure.mark("map", "says");
  }

  // Quests are about the optimizer that the figure came with.
  suspend(suspended) {
    this.suspended = suspended;
    this.root?.classList.toggle("uo-suspended", suspended);
  }

  get hidesBest() {
    return this.quests.some((quest) => quest.hidesBest && !this.state[quest.id].done);
  }

  show() {
    if (!this.root) return;
    let count = 0;
    let touched = false;
    for (const { quest, node, choices, status, more } of this.items) {
      const { done, choice } = this.state[quest.id];
      count += done ? 1 : 0;
      touched ||= Boolean(done) || choice !== undefined;
      node.dataset.done = String(Boolean(done));
      status.textContent = done ? "Done: " : "To do: ";
      choices.forEach((button, c) => {
        button.setAttribute("aria-pressed", String(choice === c));
        button.disabled = choice !== undefined;
        button.dataset.right = String(Boolean(done) && c === quest.answer);
      });
      if (done) more.textContent = quest.kind === "predict" ? verdict(quest, choice) : (quest.because ?? "");
      else more.textContent = choice === undefined ? "" : `Now move to ${quest.look} and look.`;
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
