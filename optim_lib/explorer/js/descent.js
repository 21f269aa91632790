// A figure of descents: paths on a surface, the loss at each step, and the map of settings.

import { gestures, placeOn } from "./gestures.js";
import { Losses } from "./losses.js";
import { Runs } from "./runs.js";
import { Sentences } from "./sentences.js";
import { SettingsMap } from "./settings.js";
import { FONT, marker } from "./shapes.js";
import { Surface } from "./surface.js";
import { lossOf, unpack } from "./table.js";
import { TimedFigure } from "./timed.js";
import { capital, clamp, quoted } from "./words.js";

export class DescentFigure extends TimedFigure {
  build() {
    this.shown = this.spec.series.map(() => true);
    this.buildClock();
    this.main = new Surface(this, this.find(".uo-main-frame"));
    this.loss = new Losses(this, this.find(".uo-loss-frame"));
    this.map = new SettingsMap(this, this.find(".uo-map-frame"));
    this.sentences = new Sentences(this);
    this.mapLabel = this.find(".uo-map-label");
    this.startButtons = [...this.root.querySelectorAll(".uo-start")];
    this.entries = [...this.root.querySelectorAll(".uo-entry")];
    this.controls();
  }

  controls() {
    this.startButtons.forEach((button, k) => button.addEventListener("click", () => this.choose({ start: k })));
    this.entries.forEach((button, k) =>
      button.addEventListener("click", () => {
        this.shown[k] = !this.shown[k];
        button.setAttribute("aria-pressed", String(this.shown[k]));
        this.mark("main", "loss", "mapBase", "says");
      }),
    );
  }

  // ---- life

  get panels() {
    return [this.main, this.loss, this.map];
  }

  load(parts) {
    this.runs = new Runs(this.spec, parts);
    this.masks = this.runs.masks;
    if (this.handled) return;
    this.handled = true;
    this.followClock();
    this.pointers();
  }

  // Show another table in place of the shipped one, such as that of an edited optimizer: `spec` and `raw` as
  // optim_lib.explorer.recompute gives them. Quests wait until the shipped one is back.
  async show({ spec, raw }) {
    this.shippedSpec ??= this.spec;
    const kept = { key: this.shippedSpec.key, quests: this.shippedSpec.quests };
    this.use({ ...spec, ...kept }, await unpack(spec, raw, false), true);
  }

  // Back to the table that the figure came with.
  restore() {
    if (this.edited) this.use(this.shippedSpec, this.shipped, false);
  }

  use(spec, parts, edited) {
    this.pause();
    const toEnd = this.model.get("step") === this.spec.steps;
    this.spec = spec;
    this.edited = edited;
    this.container?.classList.toggle("uo-edited", edited);
    this.quests.suspend(edited);
    this.load(parts);
    this.scrub.max = spec.steps;
    this.startButtons.forEach((button, k) => (button.hidden = k >= spec.starts.length || spec.starts.length < 2));
    const step = toEnd ? spec.steps : Math.min(this.model.get("step"), spec.steps);
    this.choose({ step, start: Math.min(this.start, spec.starts.length - 1) });
    this.progress = step;
    this.touched = true;
    this.repaintAll();
  }

  // ---- what the reader does

  moved(name) {
    super.moved(name);
    const newMap = name === "start" || name === "i2" || (this.runs?.flat && name !== "i0") || this.givenMoves(name);
    this.mark("main", "loss", newMap ? "mapBase" : "map", "says");
  }

  // What belongs to the problem decides which settings are best.
  givenMoves(name) {
    return name.startsWith("i") && this.spec.axes[Number(name[1])]?.given;
  }

  get played() {
    return ["main", "loss"];
  }

  pointers() {
    const { main, loss, map } = this;
    gestures(map.canvas, (event) => this.choose(map.cellAt(...placeOn(map.canvas, event))));
    gestures(
      loss.canvas,
      (event) => {
        this.pause();
        this.go(Math.round(loss.stepAt(placeOn(loss.canvas, event)[0])));
      },
      () => this.model.save_changes(),
    );
    gestures(main.canvas, (event, kind) => kind === "press" && this.pressed(...placeOn(main.canvas, event)));
    for (const [panel, tell] of [
      [map, (at) => this.hover(at && map.cellAt(...at))],
      [main, (at) => main.point(at)],
    ]) {
      panel.canvas.addEventListener("pointermove", (event) => tell(placeOn(panel.canvas, event)));
      panel.canvas.addEventListener("pointerleave", () => tell(null));
    }
    map.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  // A press on the surface chooses a start; elsewhere it tells whoever asked (`onpoint`) where it was.
  pressed(x, y) {
    const start = this.main.startAt(x, y);
    if (start >= 0) this.choose({ start });
    else this.onpoint?.(...this.main.fromPixel(x, y));
  }

  key(event) {
    const far = event.shiftKey ? 5 : 1;
    const moves = {
      ArrowLeft: [-far, 0],
      ArrowRight: [far, 0],
      ArrowUp: [0, far],
      ArrowDown: [0, -far],
      Home: [-1e6, 0],
      End: [1e6, 0],
      PageUp: [0, 1e6],
      PageDown: [0, -1e6],
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const setting = { i0: clamp(this.index(0) + move[0], 0, this.count(0) - 1) };
    if (this.runs.flat) setting.i0 = clamp(setting.i0 + move[1], 0, this.count(0) - 1);
    else setting.i1 = clamp(this.index(1) + move[1], 0, this.count(1) - 1);
    this.choose(setting);
  }

  hover(cell) {
    this.over = cell;
    this.mark("label");
  }

  // ---- what is shown

  entry() {
    return this.runs.entry(this.start, this.here);
  }

  get shownSeries() {
    return this.runs.series.filter((_, k) => this.shown[k]);
  }

  get shownRuns() {
    return this.allRuns.filter((_, k) => this.shown[k]);
  }

  // Short enough to stand above a chart in a narrow column; the sentence below the figure says it in full.
  get heading() {
    return capital(this.spec.measure.replace("above the minimum", "gap"));
  }

  get measured() {
    return `the ${this.spec.measure.replace("the minimum", "its minimum")}`;
  }

  saying() {
    return this.sentences.now();
  }

  // ---- painting

  repaintAll() {
    this.recolor();
    this.mark("mainBase", "lossBase", "mapBase", "says");
  }

  resized() {
    if (this.main.fit()) this.mark("mainBase");
    if (this.loss.fit()) this.mark("lossBase");
    if (this.map.fit()) this.mark("mapBase");
  }

  paint(todo) {
    this.allRuns = this.runs.series.map((series) => this.runs.run(series, this.start, this.here));
    const rescaled = this.loss.refit();
    if (todo.has("mainBase") || todo.has("main")) this.main.paint(todo.has("mainBase"));
    if (todo.has("lossBase") || todo.has("loss")) this.loss.paint(rescaled || todo.has("lossBase"));
    if (todo.has("mapBase") || todo.has("map")) this.map.paint(todo.has("mapBase"));
    if (todo.has("says") || todo.has("label")) this.put(this.mapLabel, this.map.label(this.over));
    this.paintControls();
    this.root.classList.toggle("uo-best-hidden", this.quests.hidesBest);
  }

  paintControls() {
    this.paintClock();
    this.startButtons.forEach((button, k) => button.setAttribute("aria-pressed", String(k === this.start)));
  }

  // ---- to take away

  get credit() {
    return this.allRuns.length > 1 ? "" : this.spec.title;
  }

  drawAll(c, width) {
    const main = (width - 18) * (1.58 / 2.58);
    const side = width - 18 - main;
    const tall = main / this.spec.aspect;
    const rest = tall - 44;
    this.main.drawOn(c, main, tall);
    c.translate(main + 18, 0);
    for (const [words, panel, height] of [
      [`${this.heading} at each step`, this.loss, (rest * 5) / 13],
      [this.map.label(null), this.map, (rest * 8) / 13],
    ]) {
      c.font = `600 12.2px ${FONT}`;
      c.textAlign = "left";
      c.textBaseline = "alphabetic";
      c.fillStyle = this.colors.ink;
      c.fillText(words, 0, 13);
      c.translate(0, 22);
      panel.drawOn(c, side, height);
      c.translate(0, height);
    }
    if (this.allRuns.length < 2) return tall;
    c.translate(-main - 18, 20);
    let x = 6;
    for (const { series } of this.shownRuns) {
      marker(c, series.color, x, 0, 4.5, this.colors.series[series.color], this.colors.paper, 0.5);
      c.font = `13px ${FONT}`;
      c.textAlign = "left";
      c.textBaseline = "middle";
      c.fillStyle = this.colors.ink;
      const words = [series.label, series.note].filter(Boolean).join(" ");
      c.fillText(words, x + 10, 0.5);
      x += c.measureText(words).width + 30;
    }
    return tall + 30;
  }

  csv() {
    const [left, right, bottom, top] = this.spec.view;
    const rows = [`# ${this.spec.title}; ${this.settingText()}`, `optimizer,step,x,y,${this.spec.measure}`];
    for (const run of this.shownRuns)
      for (let step = 0; step <= run.last; step++) {
        const [x, y] = run.place(step);
        const values = [left + x * (right - left), bottom + y * (top - bottom)].map((v) => v.toPrecision(5));
        rows.push([quoted(run.series.label), step, ...values, lossOf(run.code(step)).toPrecision(3)].join(","));
      }
    return `${rows.join("\n")}\n`;
  }
}
