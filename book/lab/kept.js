// A cell whose text is the reader's own and is kept in this browser.
import * as answers from "./answers.js";
import { Cell } from "./cell.js";

const KEEP_AFTER = 400; // milliseconds without typing

export class KeptCell extends Cell {
  // name: what the text is kept under.
  constructor(root, lab, { name, ...options }) {
    super(root, lab, options);
    this.name = name;
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

  // Another tab has changed the text, or an import has.
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
    this.show({});
  }
}
