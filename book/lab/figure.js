// The reader's optimizer in a figure: the rule as the library has it, edited beside the figure, which follows each pause
// in typing. Python computes the table again; the figure's own script draws it. The old picture stays until the new one
// is there.
import { element } from "./cell.js";
import { makeEditor } from "./editor.js";
import { Stopped } from "./engine.js";

const PAUSE_MS = 250;
const SECONDS = 20;
const store = globalThis.courseStore;

let panels = 0;

// The reader's answers that are optimizers, by name.
function ownOptimizers() {
  const found = Object.entries(store.all("answer"));
  return found.filter(([name, { text }]) => text.includes(`class ${name}`) && /def (update|step)\(/.test(text));
}

export class FigureEditor {
  constructor(container, lab) {
    this.container = container;
    this.lab = lab;
    this.id = `uo-own-${++panels}`;
  }

  async open() {
    if (this.panel) return this.close();
    this.figure = this.container.figure ?? (await opened(this.container));
    this.recipe = await this.figure.recipe();
    this.text = JSON.stringify(this.recipe);
    this.build();
    await this.begin();
    this.editor.focus();
  }

  close() {
    this.restore();
    this.panel.remove();
    this.panel = null;
    this.button?.setAttribute("aria-expanded", "false");
    this.button?.focus();
  }

  build() {
    const field = (words, input) => element("label", {}, `${words} `, input);
    const number = (value, options) => element("input", { type: "number", value, ...options });
    const [x, y] = this.recipe.starts[0];
    this.fields = {
      entry: element("select", {}, ...this.recipe.runners.map(({ label }, k) => element("option", { value: k, text: label }))),
      from: element("select", {}, element("option", { value: "", text: "the library’s rule" })),
      x: number(x, { step: "any" }),
      y: number(y, { step: "any" }),
      steps: number(this.recipe.steps, { min: 1, max: 2000, step: 1 }),
      loss: element("input", { type: "text", placeholder: "(1 - x)**2 + 10*(y - x**2)**2", spellcheck: "false" }),
      slope: element("input", { type: "text", placeholder: "by differences", spellcheck: "false" }),
    };
    for (const [name] of ownOptimizers()) this.fields.from.append(element("option", { value: name, text: `my ${name}` }));
    const { entry, from, ...own } = this.fields;
    const choices = [...(this.recipe.runners.length > 1 ? [field("Optimizer", entry)] : []), field("Start from", from)];
    this.pick = element("button", { type: "button", "aria-pressed": "false", text: "Pick on the surface" });
    const reset = element("button", { type: "button", text: "Reset" });
    const close = element("button", { type: "button", text: "Close" });
    this.place = element("div", { class: "uo-editor" });
    this.said = element("p", { class: "uo-own-said", role: "status" });
    this.panel = element(
      "section",
      { class: "uo-own", id: this.id, "aria-label": "Your optimizer in this figure" },
      element("div", { class: "uo-own-row" }, ...choices),
      this.place,
      element(
        "div",
        { class: "uo-own-row" },
        field("Start x", own.x),
        field("y", own.y),
        this.pick,
        field("Steps", own.steps),
        field("Your loss f(x, y) =", own.loss),
        field("Its slope ∂f/∂x, ∂f/∂y =", own.slope),
      ),
      element("div", { class: "uo-acts" }, reset, close),
      this.said,
    );
    this.container.append(this.panel);
    entry.addEventListener("change", () => this.begin());
    from.addEventListener("change", () => this.begin());
    for (const input of Object.values(own)) input.addEventListener("input", () => this.soon());
    this.pick.addEventListener("click", () => this.picking(this.pick.getAttribute("aria-pressed") !== "true"));
    reset.addEventListener("click", () => this.reset());
    close.addEventListener("click", () => this.close());
    this.container.addEventListener("click", (event) => this.pointed(event), true);
  }

  get entry() {
    return Number(this.fields.entry.value || 0);
  }

  // The source to start from, in the editor.
  async begin() {
    const own = this.fields.from.value;
    this.editor ??= this.makeEditor("");
    this.say("Python starts ...");
    try {
      const { source } = await this.lab.engine.ask("editable", { recipe: this.text, entry: this.entry });
      this.shipped = source;
      this.quiet = true;
      this.editor.replace(own ? store.get("answer", own).text : source);
      this.quiet = false;
      this.say("");
      if (own) return this.soon();
      this.restore();
      this.ahead();
    } catch (error) {
      this.say(sentenceOf(error));
    }
  }

  // What the first edit would wait for: the other optimizers' runs, which Python keeps, and all that it does once.
  ahead() {
    const given = { recipe: this.text, entry: this.entry, source: null, start: null, steps: null, loss: null, slope: null };
    this.lab.engine.ask("figure", given, { seconds: SECONDS }).catch(() => {});
  }

  makeEditor(text) {
    const label = "The rule of the optimizer in this figure";
    const editor = makeEditor({ text, label, described: "uo-lab-keys", onChange: () => this.quiet || this.soon() });
    this.place.replaceChildren(editor.dom);
    return editor;
  }

  reset() {
    const [x, y] = this.recipe.starts[0];
    Object.assign(this.fields.x, { value: x });
    Object.assign(this.fields.y, { value: y });
    Object.assign(this.fields.steps, { value: this.recipe.steps });
    Object.assign(this.fields.loss, { value: "" });
    Object.assign(this.fields.slope, { value: "" });
    this.fields.from.value = "";
    this.quiet = true;
    this.editor.replace(this.shipped);
    this.quiet = false;
    this.restore();
  }

  restore() {
    clearTimeout(this.timer);
    this.asked = null;
    this.editor?.mark(null);
    this.figure?.restore();
    this.say("");
  }

  say(sentence) {
    this.said.textContent = sentence;
  }

  // --- the start, on the surface ---

  picking(on) {
    this.pick.setAttribute("aria-pressed", String(on));
    this.container.classList.toggle("uo-picking", on);
  }

  pointed(event) {
    const surface = event.target.closest?.(".uo-main-frame");
    if (!surface || this.pick.getAttribute("aria-pressed") !== "true") return;
    event.preventDefault();
    event.stopPropagation();
    const { left, top, width, height } = (surface.querySelector("canvas.uo-main") ?? surface).getBoundingClientRect();
    const [west, east, south, north] = this.figure.spec.view;
    const short = (value) => Number(value.toPrecision(4));
    this.fields.x.value = short(west + ((event.clientX - left) / width) * (east - west));
    this.fields.y.value = short(north - ((event.clientY - top) / height) * (north - south));
    this.picking(false);
    this.soon();
  }

  // --- computing ---

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.compute(), PAUSE_MS);
  }

  // What differs from the figure as it came; null where nothing does.
  changes() {
    const { x, y, steps, loss, slope } = this.fields;
    const start = [Number(x.value), Number(y.value)];
    const isOwnStart = start.some((value, k) => value !== this.recipe.starts[0][k]);
    const given = {
      recipe: this.text,
      entry: this.entry,
      source: this.editor.text === this.shipped ? null : this.editor.text,
      start: isOwnStart ? start : null,
      steps: Number(steps.value) === this.recipe.steps ? null : Number(steps.value),
      loss: loss.value.trim() || null,
      slope: (loss.value.trim() && slope.value.trim()) || null,
    };
    return ["source", "start", "steps", "loss"].some((name) => given[name] !== null) ? given : null;
  }

  // One at a time; while one is computed only the newest of the others waits.
  async compute() {
    const given = this.changes();
    if (!given) return this.restore();
    this.asked = given;
    if (this.computing) return;
    this.computing = true;
    this.container.dispatchEvent(new CustomEvent("figure-computing"));
    while (this.asked) {
      const now = this.asked;
      try {
        const answer = await this.lab.engine.ask("figure", now, { seconds: SECONDS });
        if (this.asked === now) await this.shown(answer);
      } catch (error) {
        if (this.asked === now) this.say(sentenceOf(error));
      }
      if (this.asked === now) this.asked = null;
    }
    this.computing = false;
    this.container.dispatchEvent(new CustomEvent("figure-edited", { bubbles: true }));
  }

  async shown({ spec, raw, error, line }) {
    this.editor.mark(line ?? null, error ?? "");
    this.say(error ?? "");
    if (!error) await this.figure.show({ spec, raw });
  }
}

function sentenceOf(error) {
  if (!(error instanceof Stopped)) return `Something went wrong: ${error.message}`;
  const why = { time: `Stopped after ${SECONDS} seconds.`, stop: "Stopped.", memory: "It needs more memory than a page has." };
  return why[error.why] ?? `Python could not be started (${error.message}).`;
}

const opened = (container) =>
  new Promise((done) => {
    container.addEventListener("figure-open", () => done(container.figure), { once: true });
    container.scrollIntoView({ block: "nearest" });
  });
