// A cell of the chapter that a reader can edit and run. What it needs of the cells above is run first; its names are its
// own, and so it gives the same each time, whatever has been run before it.
import * as answers from "./answers.js";
import { element } from "./cell.js";
import { KeptCell } from "./kept.js";

const SECONDS = 60;

export class Scratch extends KeptCell {
  constructor(root, lab) {
    const { scratch: id, number, chapter } = root.dataset;
    super(root, lab, { id, label: `cell ${number}`, seconds: SECONDS, name: `cell/${chapter}/${id}` });
    this.stored = root.querySelector(".uo-stored");
    this.cells = root.dataset.cells;
  }

  // The button that the page comes with: it makes room for the others.
  edit(button) {
    this.open();
    button.remove();
    this.root.dataset.editing = "true";
    this.button("run", "Run").hidden = false;
    this.button("reset", "Reset").hidden = false;
    this.editor.focus(0);
  }

  async ask(method, given, onPrint) {
    const cells = await this.lab.cellsOf(this.cells);
    const place = cells.findIndex(({ id }) => id === this.id);
    const above = cells.slice(0, place).map(({ id, source }) => [id, this.textOf(id) ?? source]);
    const all = { ...given, above, kept: this.lab.record() };
    return this.lab.engine.ask("scratch", all, { seconds: 2 * SECONDS, onPrint });
  }

  // What the reader has made of a cell above: of an exercise in any case, of another cell if it is open.
  textOf(id) {
    const cell = this.lab.cell(id);
    if (cell?.editor) return cell.text;
    const [name] = this.lab.exercise(id) ?? [];
    return name && answers.kept(name)?.text;
  }

  async run() {
    await this.work("scratch", { source: this.text, cell: this.id, seconds: SECONDS }, (answer) => {
      this.lab.mergeRecord(answer.record);
      this.show(answer);
      this.say(answer.error ?? (answer.note || "Done."));
    });
  }

  reset() {
    super.reset();
    this.stored.hidden = false;
    this.say("The chapter’s code is back. Undo brings yours back.");
  }

  show({ shown = [], note = "", ...answer }) {
    super.show(answer);
    const values = shown.map((value) => this.valueOf(value));
    if (note) values.push(element("p", { class: "uo-note-below", text: note }));
    // What was printed, then values, then what went wrong.
    const error = this.output.querySelector(".uo-error");
    for (const value of values) error ? error.before(value) : this.output.append(value);
    this.output.hidden = !this.output.childElementCount;
    // A new text takes the place of the chapter's; a picture of the chapter's stays.
    if (this.stored && !this.stored.querySelector("img, .uo-figure, svg:not(button svg)")) this.stored.hidden = !this.output.hidden;
  }

  valueOf({ result, html, figure }) {
    if (figure) return this.figureOf(figure);
    if (html) return element("div", { class: "uo-value cell_output", html });
    return element("pre", { class: "uo-value", text: result, tabindex: 0 });
  }

  figureOf({ html, spec, table, at }) {
    const place = element("div", { class: "uo-value", html });
    const container = place.firstElementChild;
    container.removeAttribute("data-figure");
    container.querySelector(".uo-skip")?.remove();
    // Drawn when it is in the page, where it has a size.
    requestAnimationFrame(() => globalThis.showFigure(container, { spec, table, at }));
    return place;
  }
}
