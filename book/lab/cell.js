// Code in the page that can be edited and run: what exercises and the chapter's own cells have in common.
import { makeEditor } from "./editor.js";
import { Stopped } from "./engine.js";

const WHY = {
  stop: "Stopped. What the cells above had defined is computed again at the next run.",
  memory: "Stopped: the code needed more memory than a page has.",
};

const ELSEWHERE = /is not in the page|ModuleNotFoundError/;

// Where code asks for what the page has not: the way to the chapter's notebook.
export function elsewhere(...said) {
  const [chapter] = location.pathname.match(/\d\d_\w+(?=\.html$)/) ?? [];
  if (!chapter || !ELSEWHERE.test(said.join(" "))) return [];
  const href = new URL(`_sources/chapters/${chapter}.ipynb`, globalThis.courseReader.root);
  const link = element("a", { href, download: true, text: "the notebook of this chapter" });
  return [element("p", { class: "uo-elsewhere" }, "Code that needs it runs in ", link, ".")];
}

export function element(tag, { text, html, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  if (text !== undefined) made.textContent = text;
  if (html !== undefined) made.innerHTML = html;
  made.append(...children);
  return made;
}

// Where the reader stands in the code as it was before the editor: an offset in its text, if anywhere.
function caretIn(code) {
  const selection = getSelection();
  if (!code.contains(document.activeElement) || !selection.rangeCount) return undefined;
  const before = document.createRange();
  before.selectNodeContents(code);
  before.setEnd(selection.focusNode, selection.focusOffset);
  return before.toString().length;
}

export class Cell {
  // root: the element of the cell; it has .uo-editor with the code in it, .uo-acts with buttons, .uo-output.
  constructor(root, lab, { id, label, seconds }) {
    this.root = root;
    this.lab = lab;
    this.id = id;
    this.label = label;
    this.seconds = seconds;
    this.place = root.querySelector(".uo-editor");
    this.bar = root.querySelector(".uo-acts");
    this.output = root.querySelector(".uo-output");
    this.said = root.querySelector(".uo-said");
    this.shipped = this.place.dataset.shipped ?? this.code.textContent.replace(/\n$/, "");
    this.place.dataset.shipped = this.shipped;
    this.stopButton = this.button("stop", "Stop");
    this.stopButton.hidden = true;
    this.bar.addEventListener("click", ({ target }) => {
      const button = target.closest("button[data-do]");
      if (button && button.getAttribute("aria-disabled") !== "true") this[button.dataset.do](button);
    });
  }

  get code() {
    return this.place.querySelector("pre");
  }

  get text() {
    return this.editor ? this.editor.text : this.code.textContent.replace(/\n$/, "");
  }

  set text(text) {
    if (this.editor) this.editor.replace(text);
    else this.code.textContent = `${text}\n`;
  }

  button(name, words) {
    const found = this.bar.querySelector(`[data-do=${name}]`);
    if (found) return found;
    const button = element("button", { type: "button", "data-do": name, text: words });
    button.append(element("span", { class: "uo-sr", text: ` ${this.label}` }));
    this.bar.append(button);
    return button;
  }

  // The plain code becomes an editor, at the same height, with the caret where it was.
  open() {
    if (this.editor) return;
    const caret = caretIn(this.code);
    this.editor = makeEditor({
      text: this.text,
      label: `Code of ${this.label}`,
      described: "uo-lab-keys",
      keys: { "Mod-Enter": () => this.run(), ...this.keys },
      onChange: (text) => this.changed(text),
    });
    this.place.replaceChildren(this.editor.dom);
    if (caret !== undefined) this.editor.focus(caret);
  }

  changed() {}

  reset() {
    this.open();
    this.editor.replace(this.shipped);
    this.editor.mark(null);
  }

  stop() {
    this.lab.engine.stop("stop");
  }

  async run() {
    await this.work("run", { source: this.text, cell: this.id, seconds: this.seconds }, (answer) => {
      this.show(answer);
      this.say(answer.error ?? "Done.");
    });
  }

  // Ask Python for something for this cell, and show it; what goes wrong is shown as well. Never throws.
  async work(method, given, done) {
    if (this.busy) return undefined;
    this.open();
    this.busy = true;
    this.editor.mark(null);
    this.printed = "";
    this.show({ stdout: "" });
    const settled = this.lab.whileBusy(this);
    try {
      const answer = await this.ask(method, given, (text) => this.print(text));
      done(answer);
      return answer;
    } catch (error) {
      await this.failed(error, given);
      return undefined;
    } finally {
      this.busy = false;
      settled();
    }
  }

  ask(method, given, onPrint) {
    return this.lab.ask(method, given, this, onPrint);
  }

  async failed(error) {
    const why = error instanceof Stopped ? error.why : "engine";
    const sentence =
      why === "time"
        ? `Stopped after ${this.seconds} seconds: does a loop never end?`
        : (WHY[why] ?? `Python could not be started (${error.message}). Are you online? Run again to try once more.`);
    this.show({ stdout: this.printed, error: sentence });
    this.say(sentence);
  }

  print(text) {
    this.printed = (this.printed ?? "") + text;
    this.show({ stdout: this.printed });
  }

  say(sentence) {
    this.said.textContent = sentence;
  }

  show({ stdout = "", result = null, html = null, error = null, cell = null, line = null }) {
    const parts = [];
    if (stdout) parts.push(element("pre", { class: "uo-printed", text: stdout, tabindex: 0 }));
    if (html) parts.push(element("div", { class: "uo-value", html }));
    else if (result !== null) parts.push(element("pre", { class: "uo-value", text: result, tabindex: 0 }));
    if (error) parts.push(element("p", { class: "uo-error", text: error }), ...elsewhere(error));
    this.output.replaceChildren(...parts);
    this.output.hidden = !parts.length;
    if (line) this.lab.cell(cell)?.editor?.mark(line, error ?? "");
  }
}
