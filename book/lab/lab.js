// The lab: Python in the page. Bundled by tools/lab.py; reader.js loads it when a reader comes near code that can be
// edited, and it starts Python when they first run some.
import * as answers from "./answers.js";
import { element } from "./cell.js";
import { Engine } from "./engine.js";
import { Exercise } from "./exercise.js";
import { FigureEditor } from "./figure.js";
import { Scratch } from "./scratch.js";

const store = globalThis.courseStore;
const reader = globalThis.courseReader;

const KEYS = "Tab indents; Escape, then Tab, leaves the code. Control and Enter runs, Shift and Enter checks.";

class Lab {
  constructor({ folder, manifest }) {
    this.folder = folder;
    this.cells = new Map();
    this.history = new Map(); // what has been run, by cell, in the order of the page: run again for a new worker
    document.querySelector("#main-content").append(element("p", { id: "uo-lab-keys", class: "uo-sr", text: KEYS }));
    this.knows = false; // whether the worker has run it
    this.engine = new Engine(folder, manifest, {
      onProgress: (share) => this.showProgress(share),
      onLost: () => (this.knows = false),
    });
    answers.watch((name, value, elsewhere) => {
      for (const cell of this.cells.values()) if (cell.name === name) cell.changedElsewhere(value, elsewhere);
    });
  }

  cell(id) {
    return this.cells.get(id);
  }

  add(root) {
    const { exercise, scratch } = root.dataset;
    const id = exercise ?? scratch;
    if (!this.cells.has(id)) this.cells.set(id, exercise ? new Exercise(root, this) : new Scratch(root, this));
    return this.cells.get(id);
  }

  // The panel beside a figure in which its optimizer is edited; the button is the one that opens it.
  async edit(container, button) {
    this.figures ??= new Map();
    if (!this.figures.has(container)) this.figures.set(container, new FigureEditor(container, this));
    const editor = this.figures.get(container);
    editor.button = button;
    button.setAttribute("aria-expanded", "true");
    await editor.open();
  }

  async ask(method, given, cell, onPrint) {
    const answer = await this.engine.ask(method, given, {
      seconds: method === "check" ? 2 * cell.seconds + 60 : (cell?.seconds ?? 60) + 2,
      onPrint,
      before: () => this.restore(cell),
    });
    const id = cell?.id ?? "cell";
    this.history.delete(id);
    this.history.set(id, { cell, source: given.source });
    return answer;
  }

  // Cells above are run again when the worker that had run them is gone. What outlasts its time is not tried again.
  async restore(cell) {
    if (this.knows) return;
    this.knows = true;
    for (const [id, past] of [...this.history]) {
      if (past.cell === cell || (cell && past.cell && !isAbove(past.cell, cell))) continue;
      this.history.delete(id);
      const seconds = past.cell?.seconds ?? 60;
      await this.engine.askNow("run", { source: past.source, cell: id, seconds }, seconds + 2);
      this.history.set(id, past);
    }
  }

  // --- what the reader sees while Python works ---

  whileBusy(cell) {
    this.busy = cell;
    const buttons = [...cell.bar.querySelectorAll("button[data-do]")].filter((button) => button !== cell.stopButton);
    for (const button of buttons) button.setAttribute("aria-disabled", "true");
    cell.stopButton.hidden = false;
    cell.root.dataset.busy = "true";
    if (!this.engine.isRunning) this.showProgress(0);
    return () => {
      for (const button of buttons) button.removeAttribute("aria-disabled");
      if (document.activeElement === cell.stopButton) buttons.at(-1).focus();
      cell.stopButton.hidden = true;
      delete cell.root.dataset.busy;
      this.bar?.remove();
      this.bar = null;
    };
  }

  showProgress(share) {
    if (share === 1) {
      this.bar?.remove();
      this.bar = null;
      reader.engineIsHere();
      return;
    }
    if (!this.busy) return;
    const all = this.engine.megabytes;
    this.bar ??= element("p", { class: "uo-fetching" }, element("progress", { max: 1, "aria-label": "Fetching Python" }), element("span"));
    if (!this.bar.isConnected) this.busy.bar.after(this.bar);
    this.bar.querySelector("progress").value = share;
    this.bar.querySelector("span").textContent = share < 0.995 ? `Python: ${(share * all).toFixed(1)} of ${all.toFixed(1)} MB` : "Python starts";
  }

  // --- points ---

  record() {
    return JSON.stringify({ schema: 1, exercises: store.all("progress") });
  }

  mergeRecord(text) {
    if (!text) return;
    for (const [id, entry] of Object.entries(JSON.parse(text).exercises)) store.merge("progress", id, entry);
  }

  note({ id, name }, entry) {
    store.merge("progress", id, { answer: name, ...entry });
  }

  // The name of an exercise's answer, and its points.
  exercise(id) {
    return reader.course.chapters[id.split(".")[0]]?.[id];
  }

  // All code cells of the chapter, in order: [{ id, source }].
  cellsOf(address) {
    this.cellsThere ??= fetch(new URL(address, this.folder)).then((response) => {
      if (!response.ok) throw new Error(`The chapter’s cells could not be fetched (${response.status}).`);
      return response.json();
    });
    this.cellsThere.catch(() => (this.cellsThere = undefined));
    return this.cellsThere;
  }

  // The hints and the solution of an exercise, as cards; they need no Python.
  async texts(id) {
    const [chapter] = id.split(".");
    this.loading ??= new Map();
    if (!this.loading.has(chapter)) {
      const address = new URL(`texts/${chapter}.json?v=${reader.course.texts}`, this.folder);
      this.loading.set(chapter, fetch(address).then((response) => response.json()));
    }
    return (await this.loading.get(chapter))[id];
  }

  // --- what other tools call ---

  ready() {
    return this.engine.ready();
  }

  async run(source) {
    const { stdout, result, error } = await this.ask("run", { source, cell: "cell" });
    return { stdout, result, error };
  }

  async check(id, source) {
    const cell = this.cells.get(id) ?? { id, seconds: 10 };
    const answer = await this.ask("check", { id, source, kept: this.record(), tidy: true }, cell);
    this.mergeRecord(answer.record);
    const { points, max_points, status, feedback } = answer;
    return { points, max_points, status, feedback };
  }

  stop() {
    this.engine.stop();
  }

  get bytes() {
    return this.engine.bytes;
  }
}

const isAbove = (one, other) =>
  !one.root || !other.root || Boolean(one.root.compareDocumentPosition(other.root) & Node.DOCUMENT_POSITION_FOLLOWING);

reader.labLoaded(new Lab(reader.engine));
