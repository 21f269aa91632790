// What every figure does: it finds its parts in the page, follows size and colors, paints what has changed, speaks, keeps
// what the reader does.
//
// A subclass has `panels`, `resized()`, `repaintAll()`, `paint()`, `load(parts)`, `entry()`, `saying()`, and for its
// tools `drawAll(c, width)`, `csv()` and `credit`.

import { pageColors } from "./colors.js";
import { hashOf, indexOfLabel, settingOf, shelf } from "./keep.js";
import { Quests } from "./quests.js";
import { Sliders } from "./sliders.js";
import { unpack } from "./table.js";
import { Tools } from "./tools.js";
import { LETTERS, settingText } from "./words.js";

const QUIET_MS = 600;
const KEEP_MS = 400;
// The share of the pictures, or of the screen, that counts as in sight.
const ENOUGH = 0.7;
const THEMES = ["data-theme", "theme", "class", "data-jp-theme-light"];

export class LiveFigure {
  // `source` gives the bytes of the table, or a promise of them.
  constructor(model, root, source) {
    this.model = model;
    this.root = root;
    this.source = source;
    this.spec = model.get("spec");
    this.off = [];
    this.dirty = new Set();
    this.onPage = Boolean(this.container?.dataset.figure);
    this.initial = { step: model.get("step"), setting: this.here };
    this.says = this.find(".uo-says");
    this.news = this.find(".uo-news");
    this.quests = new Quests(this, this.find(".uo-tasks"));
    this.sliders = new Sliders(this);
    this.build();
    this.tools = new Tools(this, this.find(".uo-tools"));
  }

  // The figure with its sliders. In a notebook it takes this in only after it was made.
  get container() {
    return this.root.closest(".uo-figure");
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  // ---- life

  async open() {
    if (this.onPage) this.container.figure = this;
    this.recall();
    this.watch();
    for (const name of ["i0", "i1", "i2", "start"]) this.listen(name, () => this.moved(name));
    this.shipped = await unpack(this.spec, await this.source());
    this.load(this.shipped);
    this.loaded = true;
    this.repaintAll();
    // Figures in view come first; the others as soon as there is time.
    const idle = window.requestIdleCallback ?? ((callback) => setTimeout(callback, 200));
    idle(() => {
      this.touched = true;
      this.mark();
    });
  }

  close() {
    clearTimeout(this.quiet);
    clearTimeout(this.keeping);
    cancelAnimationFrame(this.frame);
    this.off.forEach((undo) => undo());
    this.quests.close();
    this.sliders.close();
    this.root.remove();
  }

  listen(name, callback) {
    this.model.on(`change:${name}`, callback);
    this.off.push(() => this.model.off(`change:${name}`, callback));
  }

  on(target, name, callback, options) {
    target.addEventListener(name, callback, options);
    this.off.push(() => target.removeEventListener(name, callback, options));
  }

  watch() {
    const theme = () => this.loaded && this.repaintAll();
    const themes = new MutationObserver(theme);
    themes.observe(document.documentElement, { attributes: true, attributeFilter: THEMES });
    themes.observe(document.body, { attributes: true, attributeFilter: THEMES });
    this.on(matchMedia("(prefers-color-scheme: dark)"), "change", theme);
    const sizes = new ResizeObserver(() => this.resized());
    for (const panel of this.panels) sizes.observe(panel.frame);
    const room = new ResizeObserver(([seen]) => this.keepRoom(seen.contentRect));
    room.observe(this.says);
    const near = new IntersectionObserver(
      (seen) => {
        this.near = seen.at(-1).isIntersecting;
        if (this.near) this.mark();
      },
      { rootMargin: "50%" },
    );
    near.observe(this.root);
    this.off.push(
      () => themes.disconnect(),
      () => sizes.disconnect(),
      () => room.disconnect(),
      () => near.disconnect(),
    );
    // While a key or a button is down, the reader is on the way.
    const inside = (event) => (this.container ?? this.root).contains(event.target);
    for (const name of ["pointerdown", "keydown"])
      this.on(window, name, (event) => inside(event) && this.quests.hold(true), true);
    for (const name of ["pointerup", "pointercancel", "keyup", "blur"])
      this.on(window, name, () => this.quests.hold(false), true);
    if (this.onPage) this.on(window, "hashchange", () => this.follow(location.hash, !history.state?.reading));
  }

  // ---- where the sliders stand

  count(axis) {
    return this.spec.axes[axis].labels.length;
  }

  index(axis) {
    return axis < this.spec.axes.length ? this.model.get(`i${axis}`) : 0;
  }

  get here() {
    return this.spec.axes.map((_, axis) => this.index(axis));
  }

  get start() {
    return this.model.get("start") ?? 0;
  }

  choose(setting) {
    for (const [name, value] of Object.entries(setting)) this.model.set(name, value);
    this.model.save_changes();
  }

  moved() {
    this.touched = true;
    if (!this.loaded) return;
    this.quests.stand(this.masks, this.entry());
    this.keepSoon();
  }

  putBack() {
    const setting = Object.fromEntries(this.initial.setting.map((index, axis) => [`i${axis}`, index]));
    this.choose(this.spec.steps ? { ...setting, start: 0, step: this.spec.steps } : setting);
  }

  // ---- what is kept: the setting by its values, which a new grid of values does not change

  // Values of the axes; the start and the step where they are not the usual ones.
  setting() {
    const found = Object.fromEntries(this.spec.axes.map(({ key, labels }, axis) => [key, labels[this.index(axis)]]));
    if (this.start > 0) found.start = LETTERS[this.start];
    const step = this.model.get("step");
    if (step !== undefined && step !== this.spec.steps) found.step = String(step);
    return found;
  }

  apply(found) {
    const chosen = {};
    this.spec.axes.forEach(({ key, labels }, axis) => {
      const index = key in found ? indexOfLabel(labels, found[key]) : -1;
      if (index >= 0) chosen[`i${axis}`] = index;
    });
    if (this.spec.steps) {
      const start = LETTERS.indexOf(found.start ?? "A");
      const step = Number(found.step ?? this.spec.steps);
      if (start >= 0 && start < (this.spec.starts?.length ?? 1)) chosen.start = start;
      if (Number.isInteger(step) && step >= 0 && step <= this.spec.steps) chosen.step = step;
    }
    this.choose(chosen);
  }

  recall() {
    if (!this.onPage) return;
    const asked = settingOf(location.hash);
    const found = asked?.fig === this.spec.key ? asked : shelf().get("figure", this.spec.key);
    if (found) this.apply(found);
  }

  // As a link has it: what the link does not name stands where it stood first.
  stand(asked) {
    const first = this.spec.axes.map(({ key, labels }, axis) => [key, labels[this.initial.setting[axis]]]);
    this.pause?.();
    this.apply({ ...Object.fromEntries(first), ...asked });
    this.shown.fill(true);
    this.entries.forEach((button) => button.setAttribute("aria-pressed", "true"));
    this.repaintAll();
  }

  // A link that sets the figure has been followed, on its own page.
  follow(hash, comes = true) {
    const asked = settingOf(hash);
    if (asked?.fig !== this.spec.key) return;
    this.stand(asked);
    if (comes) this.comeIntoView();
    const step = asked.step === undefined ? "" : `, step ${asked.step}`;
    this.announce(`The figure shows ${this.settingText()}${step}.`);
  }

  // The page moves only if the pictures are not in sight as they are.
  comeIntoView() {
    const { top, bottom } = this.find(".uo-panels, .uo-charts").getBoundingClientRect();
    const seen = Math.min(bottom, innerHeight) - Math.max(top, 0);
    if (seen >= ENOUGH * Math.min(bottom - top, innerHeight)) return;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    this.container.scrollIntoView({ block: "start", behavior });
  }

  keepSoon() {
    if (!this.onPage || this.edited) return;
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => {
      const setting = this.setting();
      shelf().set("figure", this.spec.key, () => ({ ...setting, at: Date.now() }));
      try {
        history.replaceState(history.state, "", hashOf(this.spec.key, setting));
      } catch {
        // A page from disk may not be allowed to: the link button still works.
      }
    }, KEEP_MS);
  }

  // ---- painting, at most once a frame, and only what has changed

  mark(...parts) {
    parts.forEach((part) => this.dirty.add(part));
    if (this.frame || !this.loaded) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.near || this.touched) this.paintDirty();
    });
  }

  paintDirty() {
    const todo = this.dirty;
    this.touched = false;
    if (this.panels[0].width < 2) return;
    this.dirty = new Set();
    this.paint(todo);
    if (todo.has("says")) this.speak(this.saying());
    this.sliders.attend();
    this.root.dataset.ready = "true";
  }

  recolor() {
    this.colors = pageColors(this.root);
  }

  // ---- words

  get words() {
    return this.saying();
  }

  settingText(axes) {
    return settingText(this.spec, this.here, axes);
  }

  announce(words) {
    this.news.textContent = words;
  }

  put(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  // A sentence that has taken three lines keeps them, so that the page below does not jump with each move.
  keepRoom({ width, height }) {
    this.says.style.minHeight = width === this.wordsWidth ? `${height}px` : "";
    this.wordsWidth = width;
  }

  // Readers see every word at once; screen readers hear the sentence when the slider rests.
  speak(words) {
    if (words === this.said) return;
    const first = this.said === undefined;
    this.said = words;
    this.says.setAttribute("aria-live", "off");
    this.put(this.says, words);
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => {
      this.says.setAttribute("aria-live", "polite");
      if (!first) this.says.replaceChildren(words);
    }, QUIET_MS);
  }
}
