// The explorer's drawing, after common.js: paths on a surface, the loss at each step, and the map of settings.

function asTable(spec, parts) {
  const series = spec.series.map((s, k) => ({
    ...s,
    x: new Int16Array(parts[3 * k].buffer),
    y: new Int16Array(parts[3 * k + 1].buffer),
    codes: parts[3 * k + 2],
    settings: s.shape.reduce((a, b) => a * b, 1),
  }));
  const after = 3 * series.length;
  return { series, field: parts[after], masks: parts.slice(after + 1) };
}

const FADES = 8;

// ---------------------------------------------------------------- the figure

class Figure extends LiveFigure {
  constructor(model, el) {
    super(model);
    this.shown = this.spec.series.map(() => true);
    this.progress = model.get("step");
    this.build(el);
  }

  // ---- the parts of the page

  build(el) {
    const { spec } = this;
    this.main = new Panel("uo-main", { role: "img" });
    this.loss = new Panel("uo-loss", { role: "img" });
    this.map = new Panel("uo-map", { role: "application", tabindex: "0", "aria-roledescription": "map of settings" });
    this.says = make("p", { class: "uo-says", "aria-live": "off" });
    this.news = make("div", { class: "uo-sr", "aria-live": "polite" });
    this.quests = new Quests(spec, (words) => (this.news.textContent = words));
    this.quests.changed = () => this.mark("map", "says");
    this.root = make("div", {
      class: "uo-explorer",
      role: "group",
      "aria-label": spec.title,
      "data-lm-suppress-shortcuts": "true",
    });
    this.root.style.setProperty("--uo-aspect", spec.aspect);
    if (spec.describe) this.root.append(make("p", { class: "uo-sr" }, spec.describe));
    this.mapLabel = make("div", { class: "uo-label" });
    this.root.append(
      this.controls(),
      make(
        "div",
        { class: "uo-panels" },
        this.main.frame,
        make(
          "div",
          { class: "uo-side" },
          make("div", { class: "uo-label" }, this.heading + " at each step"),
          this.loss.frame,
          this.mapLabel,
          this.map.frame,
        ),
      ),
      this.says,
      this.quests.root,
      this.news,
    );
    this.paintControls();
    this.labelMap();
    el.append(this.root);
  }

  controls() {
    const { spec } = this;
    const bar = make("div", { class: "uo-bar" });
    this.play = make(
      "button",
      { type: "button", class: "uo-play" },
      make("span", { class: "uo-icon", "aria-hidden": "true" }),
      make("span", { class: "uo-play-text" }, "Play"),
    );
    this.play.addEventListener("click", () => (this.playing ? this.pause() : this.run()));
    this.scrub = make("input", {
      type: "range",
      class: "uo-step",
      min: 0,
      max: spec.steps,
      step: 1,
      "aria-label": "step",
    });
    this.scrub.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.scrub.value));
    });
    this.scrub.addEventListener("change", () => this.model.save_changes());
    this.stepText = make("output", { class: "uo-step-text" });
    bar.append(make("div", { class: "uo-time" }, this.play, this.scrub, this.stepText));
    this.starts = spec.starts.length < 2 ? [] : spec.starts.map((_, k) => this.startButton(k));
    if (this.starts.length)
      bar.append(
        make(
          "div",
          { class: "uo-starts", role: "group", "aria-label": "Starting point" },
          make("span", { class: "uo-starts-label" }, "Start"),
          ...this.starts,
        ),
      );
    if (spec.series.length > 1) bar.append(this.legend());
    return bar;
  }

  startButton(k) {
    const letter = "ABCDEFGHIJ"[k];
    const button = make(
      "button",
      {
        type: "button",
        class: "uo-start",
        title: `start at ${this.spec.startLabels[k]}`,
        "aria-label": `start ${letter}, at ${this.spec.startLabels[k]}`,
      },
      letter,
    );
    button.addEventListener("click", () => this.choose({ start: k }));
    return button;
  }

  legend() {
    this.entries = this.spec.series.map((series, k) => {
      const swatch = make("canvas", { width: 30, height: 30, class: "uo-swatch", "aria-hidden": "true" });
      const note = series.note ? [make("span", { class: "uo-note" }, series.note)] : [];
      const button = make(
        "button",
        { type: "button", class: "uo-entry", "aria-pressed": "true", title: "show or hide" },
        swatch,
        series.label,
        ...note,
      );
      button.addEventListener("click", () => {
        this.shown[k] = !this.shown[k];
        button.setAttribute("aria-pressed", String(this.shown[k]));
        this.mark("main", "loss", "mapBase", "says");
      });
      return { button, swatch };
    });
    return make(
      "div",
      { class: "uo-legend", role: "group", "aria-label": "Optimizers" },
      ...this.entries.map((entry) => entry.button),
    );
  }

  // ---- life

  get panels() {
    return [this.main, this.loss, this.map];
  }

  async open() {
    const { model } = this;
    for (const name of ["i0", "i1", "i2", "start"]) this.listen(name, () => this.moved(name));
    this.listen("step", () => this.stepped());
    this.watch();
    this.table = asTable(this.spec, await unpack(this.spec, model.get("table")));
    this.pointers();
    this.repaintAll();
    // Figures in view come first; the others as soon as there is time.
    const idle = window.requestIdleCallback ?? ((callback) => setTimeout(callback, 200));
    idle(() => {
      this.touched = true;
      this.mark();
    });
  }

  close() {
    this.pause();
    super.close();
  }

  // ---- what the reader does

  moved(name) {
    this.touched = true;
    if (this.table) this.quests.judge(this.table.masks, this.entry());
    const newMap = name === "start" || name === "i2" || (this.flat && name !== "i0");
    this.mark("main", name === "start" ? "lossBase" : "loss", newMap ? "mapBase" : "map", "says");
  }

  stepped() {
    if (!this.playing) this.progress = this.model.get("step");
    this.touched = true;
    this.mark("main", "loss", "says");
  }

  go(step) {
    this.progress = step;
    this.model.set("step", clamp(Math.round(step), 0, this.spec.steps));
  }

  run() {
    if (this.progress >= this.spec.steps) this.go(0);
    this.playing = true;
    let before = null;
    let owed = 0;
    const tick = (now) => {
      if (!this.playing) return;
      const seconds = before === null ? 0 : Math.min((now - before) / 1000, 0.1);
      before = now;
      if (prefersStill()) {
        owed += seconds * STILL_STEPS_A_SECOND;
        if (owed >= 1) this.advance(Math.floor(owed));
        owed %= 1;
      } else this.advance(seconds * Math.max(this.spec.steps / PLAY_SECONDS, 6));
      if (this.playing) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    this.mark("says");
  }

  advance(steps) {
    this.progress = Math.min(this.progress + steps, this.spec.steps);
    const whole = Math.floor(this.progress);
    if (whole !== this.model.get("step")) this.model.set("step", whole);
    this.mark("main", "loss");
    if (this.progress >= this.spec.steps) this.pause();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.progress = this.model.get("step");
    this.model.save_changes();
    this.mark("main", "loss", "says");
  }

  pointers() {
    const dragging = (canvas, act) => {
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        canvas.setPointerCapture(event.pointerId);
        act(event);
      });
      canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && act(event));
    };
    dragging(this.map.canvas, (event) => this.choose(this.cellAt(event)));
    dragging(this.loss.canvas, (event) => {
      this.pause();
      const box = this.lossBox();
      this.go(clamp(((event.offsetX - box.left) / box.width) * this.spec.steps, 0, this.spec.steps));
      this.progress = this.model.get("step");
    });
    this.map.canvas.addEventListener("pointermove", (event) => this.hover(this.cellAt(event)));
    this.map.canvas.addEventListener("pointerleave", () => this.hover(null));
    this.map.canvas.addEventListener("keydown", (event) => this.key(event));
    this.main.canvas.addEventListener("click", (event) => {
      const k = this.spec.starts.findIndex(
        ([x, y]) => Math.hypot(x * this.main.width - event.offsetX, (1 - y) * this.main.height - event.offsetY) < 16,
      );
      if (k >= 0) this.choose({ start: k });
    });
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
    if (this.flat) setting.i0 = clamp(setting.i0 + move[1], 0, this.count(0) - 1);
    else setting.i1 = clamp(this.index(1) + move[1], 0, this.count(1) - 1);
    this.choose(setting);
  }

  hover(cell) {
    this.over = cell;
    this.mark("label");
  }

  // ---- reading the table

  // Whether the map is a line along one axis: one axis, or a race.
  get flat() {
    return this.spec.axes.length === 1 || this.spec.series.length > 1;
  }

  // The decades of the two charts: each start has its own.
  get lossRange() {
    return this.spec.lossRange[this.model.get("start")];
  }

  get endRange() {
    return this.spec.endRange[this.model.get("start")];
  }

  // The number of this setting in the masks, which run over (starts, *axes).
  entry() {
    return this.spec.axes.reduce((at, _, axis) => at * this.count(axis) + this.index(axis), this.model.get("start"));
  }

  // Where the run of a series at a setting begins in its arrays.
  base(series, setting) {
    const own = series.axes.reduce((at, axis, k) => at * series.shape[k] + setting[axis], 0);
    return (this.model.get("start") * series.settings + own) * (this.spec.steps + 1);
  }

  runOf(series, setting = this.here) {
    const base = this.base(series, setting);
    const steps = this.spec.steps;
    let gone = -1;
    if (series.codes[base + steps] === DIVERGED) {
      gone = 0;
      while (series.codes[base + gone] !== DIVERGED) gone++;
    }
    return { series, base, gone, code: (step) => series.codes[base + step], last: gone < 0 ? steps : gone - 1 };
  }

  endAt(series, setting) {
    return series.codes[this.base(series, setting) + this.spec.steps];
  }

  best(series) {
    const [wide, tall] = [this.count(0), this.flat ? 1 : this.count(1)];
    let found = { code: DIVERGED, setting: null };
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < tall; j++) {
        const setting = this.flat ? [i, ...this.here.slice(1)] : [i, j, ...this.here.slice(2)];
        const code = this.endAt(series, setting);
        if (code < found.code) found = { code, setting };
      }
    return found;
  }

  // ---- painting, at most once a frame, and only what has changed

  repaintAll() {
    this.recolor();
    this.mark("mainBase", "lossBase", "mapBase", "legend", "says");
  }

  resized() {
    this.dress();
    if (this.main.fit()) this.mark("mainBase");
    if (this.loss.fit()) this.mark("lossBase");
    if (this.map.fit()) this.mark("mapBase");
  }

  paint() {
    const todo = this.dirty;
    this.dirty = new Set();
    this.touched = false;
    if (this.main.width < 2) {
      this.dirty = todo;
      return;
    }
    this.runs = this.table.series.map((series) => this.runOf(series));
    if (todo.has("legend")) this.paintLegend();
    if (todo.has("mainBase")) this.main.below((c) => this.paintMainBase(c));
    if (todo.has("mainBase") || todo.has("main")) this.main.above((c) => this.paintMain(c));
    if (todo.has("lossBase")) this.loss.below((c) => this.paintLossBase(c));
    if (todo.has("lossBase") || todo.has("loss")) this.loss.above((c) => this.paintLoss(c));
    if (todo.has("mapBase")) this.map.below((c) => (this.flat ? this.paintLineBase(c) : this.paintMapBase(c)));
    if (todo.has("mapBase") || todo.has("map")) this.map.above((c) => this.paintMap(c));
    if (todo.has("says")) this.say();
    if (todo.has("says") || todo.has("label")) this.labelMap();
    this.paintControls();
    this.nameSliders();
    this.root.dataset.ready = "true";
  }

  paintControls() {
    const step = this.model.get("step");
    if (Number(this.scrub.value) !== step) this.scrub.value = step;
    this.scrub.style.setProperty("--uo-done", step / this.spec.steps);
    this.put(this.stepText, `step ${step} of ${this.spec.steps}`);
    this.put(this.play.lastChild, this.playing ? "Pause" : "Play");
    this.play.dataset.playing = String(Boolean(this.playing));
    this.starts.forEach((button, k) => button.setAttribute("aria-pressed", String(k === this.model.get("start"))));
  }

  paintLegend() {
    this.entries?.forEach(({ swatch }, k) => {
      const c = swatch.getContext("2d");
      c.setTransform(2, 0, 0, 2, 0, 0);
      c.clearRect(0, 0, 15, 15);
      marker(c, k, 7.5, 7.5, 4.5, this.colors.series[k], this.colors.paper, 0.5);
    });
  }

  // ---- the surface and the paths

  paintMainBase(c) {
    paintSurface(this.main.under, this.table.field, this.spec.field.exponent, this.colors);
    const at = ([x, y]) => [x * this.main.width, (1 - y) * this.main.height];
    c.lineCap = "round";
    for (const point of this.spec.minima) {
      const [x, y] = at(point);
      for (const [width, color] of [
        [4.5, this.colors.paper],
        [1.8, this.colors.ink],
      ]) {
        c.beginPath();
        c.moveTo(x - 5, y);
        c.lineTo(x + 5, y);
        c.moveTo(x, y - 5);
        c.lineTo(x, y + 5);
        c.lineWidth = width;
        c.strokeStyle = color;
        c.stroke();
      }
    }
    for (const point of this.spec.saddles) {
      const [x, y] = at(point);
      c.beginPath();
      polygon(c, x, y, 4.5, 4, 0);
      c.lineWidth = 1.3;
      c.strokeStyle = this.colors.muted;
      c.stroke();
    }
  }

  paintMain(c) {
    const { colors, spec } = this;
    const { width, height } = this.main;
    const chosen = this.model.get("start");
    spec.starts.forEach(([x, y], k) => {
      if (k === chosen) return;
      this.startMark(c, x * width, (1 - y) * height, k, colors.muted, 0.75);
    });
    this.runs.forEach((run, k) => this.shown[k] && this.paintPath(c, run, k));
    const [x, y] = spec.starts[chosen];
    this.startMark(c, x * width, (1 - y) * height, chosen, colors.ink, 1);
    this.runs.forEach((run, k) => this.shown[k] && this.paintHead(c, run, k));
    this.main.canvas.setAttribute("aria-label", this.mainWords());
  }

  startMark(c, x, y, k, ink, alpha) {
    c.globalAlpha = alpha;
    c.beginPath();
    c.arc(x, y, 4.5, 0, 2 * Math.PI);
    c.fillStyle = this.colors.paper;
    c.fill();
    c.lineWidth = 1.6;
    c.strokeStyle = ink;
    c.stroke();
    if (this.spec.starts.length > 1) {
      c.font = `600 11px ${FONT}`;
      c.textAlign = "center";
      c.textBaseline = "alphabetic";
      haloed(c, "ABCDEFGHIJ"[k], x, y - 9 < 12 ? y + 18 : y - 9, ink, this.colors.paper);
    }
    c.globalAlpha = 1;
  }

  pixel(run, step) {
    const { width, height } = this.main;
    return [(run.series.x[run.base + step] / UNITS) * width, (1 - run.series.y[run.base + step] / UNITS) * height];
  }

  // Where the run is at a step with a fraction, while it plays.
  between(run, progress) {
    const whole = Math.min(Math.floor(progress), run.last);
    const [x, y] = this.pixel(run, whole);
    const part = Math.min(progress, run.last) - whole;
    if (part <= 0) return [x, y];
    const [x2, y2] = this.pixel(run, whole + 1);
    return [x + part * (x2 - x), y + part * (y2 - y)];
  }

  paintPath(c, run, k) {
    const { colors } = this;
    const until = Math.min(Math.floor(this.progress), run.last);
    const points = [];
    for (let step = 0; step <= until; step++) points.push(this.pixel(run, step));
    points.push(this.between(run, this.progress));
    c.lineJoin = c.lineCap = "round";
    c.beginPath();
    points.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x, y));
    c.lineWidth = 4.2;
    c.globalAlpha = 0.55;
    c.strokeStyle = colors.paper;
    c.stroke();
    c.lineWidth = 1.7;
    c.strokeStyle = colors.series[k];
    c.fillStyle = colors.series[k];
    const size = this.spec.steps > 150 ? 1.3 : 2.1;
    // The past fades, a stretch at a time: a stroke for each step would take longer than all else that is drawn.
    const last = points.length - 1;
    const stretches = Math.min(FADES, last);
    for (let n = 0; n < stretches; n++) {
      const from = Math.floor((n * last) / stretches);
      const to = Math.floor(((n + 1) * last) / stretches);
      c.globalAlpha = 0.55 + 0.45 * (to / points.length);
      c.beginPath();
      for (let i = from; i <= to; i++) c.lineTo(...points[i]);
      c.stroke();
      c.beginPath();
      for (let i = from + 1; i <= Math.min(to, until); i++) {
        const [x, y] = points[i];
        c.moveTo(x + size, y);
        c.arc(x, y, size, 0, 2 * Math.PI);
      }
      c.fill();
    }
    c.globalAlpha = 1;
  }

  paintHead(c, run, k) {
    const { colors } = this;
    const { width, height } = this.main;
    const [x, y] = this.between(run, this.progress);
    const gone = run.gone >= 0 && this.progress >= run.gone;
    const inside = x >= 0 && x <= width && y >= 0 && y <= height;
    if (inside && !gone) return marker(c, k, x, y, 5, colors.series[k], colors.paper, 1.6);
    if (inside) return this.cross(c, x, y, colors.series[k]);
    // An arrow at the edge, where the run is out there.
    const [cx, cy] = [width / 2, height / 2];
    const reach = Math.min((cx - 15) / Math.abs(x - cx), (cy - 15) / Math.abs(y - cy));
    const [ex, ey] = [cx + reach * (x - cx), cy + reach * (y - cy)];
    c.save();
    c.translate(ex, ey);
    c.rotate(Math.atan2(y - cy, x - cx));
    c.beginPath();
    c.moveTo(11, 0);
    c.lineTo(-5, 7.5);
    c.lineTo(-2, 0);
    c.lineTo(-5, -7.5);
    c.closePath();
    c.lineWidth = 3.5;
    c.lineJoin = "round";
    c.strokeStyle = colors.paper;
    c.stroke();
    c.fillStyle = colors.series[k];
    c.fill();
    c.restore();
    const words = gone ? `diverged at step ${run.gone}` : "outside";
    c.font = `600 12px ${FONT}`;
    c.textBaseline = "middle";
    c.textAlign = ex > width / 2 ? "right" : "left";
    const aside = 18 * (ex > width / 2 ? -1 : 1);
    haloed(
      c,
      words,
      clamp(ex + aside, 6, width - 6),
      clamp(ey, 12 + 15 * k, height - 12),
      colors.series[k],
      colors.paper,
    );
  }

  cross(c, x, y, color) {
    for (const [width, ink] of [
      [5, this.colors.paper],
      [2.4, color],
    ]) {
      c.beginPath();
      c.moveTo(x - 5, y - 5);
      c.lineTo(x + 5, y + 5);
      c.moveTo(x - 5, y + 5);
      c.lineTo(x + 5, y - 5);
      c.lineWidth = width;
      c.strokeStyle = ink;
      c.stroke();
    }
  }

  // ---- loss against step

  lossBox() {
    return plotBox(this.loss, { left: 40, right: 12, top: 8, bottom: 22 }, this.lossRange);
  }

  paintLossBase(c) {
    const box = this.lossBox();
    const { colors, spec } = this;
    logAxis(c, box, this.lossRange, colors);
    const unit =
      [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000].find((u) => spec.steps / u <= 4.01) ?? spec.steps;
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillStyle = colors.muted;
    for (let step = 0; step <= spec.steps; step += unit)
      c.fillText(String(step), box.left + (step / spec.steps) * box.width, box.bottom + 16);
  }

  paintLoss(c) {
    const box = this.lossBox();
    const { colors, spec } = this;
    const x = (step) => box.left + (step / spec.steps) * box.width;
    const y = (code) => box.y(logLoss(code));
    const now = Math.min(this.progress, spec.steps);
    c.fillStyle = colors.muted;
    c.globalAlpha = 0.5;
    c.fillRect(Math.round(x(now)) - 0.5, box.top, 1, box.height);
    c.globalAlpha = 1;
    c.save();
    c.beginPath();
    c.rect(box.left - 6, box.top - 6, box.width + 12, box.height + 12);
    c.clip();
    c.lineJoin = "round";
    this.runs.forEach((run, k) => {
      if (!this.shown[k]) return;
      for (const [from, to, alpha] of [
        [Math.floor(now), run.last, 0.28],
        [0, Math.min(Math.floor(now), run.last), 1],
      ]) {
        c.beginPath();
        for (let step = from; step <= to; step++)
          c.lineTo(x(step), clamp(y(run.code(step)), box.top - 30, box.bottom + 1));
        c.lineWidth = 1.8;
        c.globalAlpha = alpha;
        c.strokeStyle = colors.series[k];
        c.stroke();
      }
      c.globalAlpha = 1;
      if (run.gone >= 0) this.cross(c, x(run.gone), box.top + 4, colors.series[k]);
    });
    this.runs.forEach((run, k) => {
      const step = Math.floor(now);
      if (!this.shown[k] || step > run.last) return;
      marker(c, k, x(now), clamp(y(run.code(step)), box.top, box.bottom), 3.6, colors.series[k], colors.paper, 1.3);
    });
    c.restore();
    this.loss.canvas.setAttribute("aria-label", this.lossWords());
  }

  // ---- the map of settings

  mapBox() {
    return plotBox(this.map, { left: 44, right: 12, top: 24, bottom: 36 }, this.flat ? this.endRange : null);
  }

  mapX(box, i) {
    return box.left + ((i + 0.5) / this.count(0)) * box.width;
  }

  mapY(box, j) {
    return box.bottom - ((j + 0.5) / this.count(1)) * box.height;
  }

  shade(code) {
    const [low, high] = this.endRange;
    return (logLoss(code) - low) / (high - low);
  }

  paintMapBase(c) {
    const box = this.mapBox();
    const [wide, tall] = [this.count(0), this.count(1)];
    const series = this.table.series[0];
    const edge = (k, n, from, size) => Math.round((from + (k / n) * size) * this.map.ratio) / this.map.ratio;
    const rest = this.here.slice(2);
    let hatched = false;
    for (let i = 0; i < wide; i++)
      for (let j = 0; j < tall; j++) {
        const code = this.endAt(series, [i, j, ...rest]);
        const [x, y] = [edge(i, wide, box.left, box.width), edge(tall - 1 - j, tall, box.top, box.height)];
        const [w, h] = [edge(i + 1, wide, box.left, box.width) - x, edge(tall - j, tall, box.top, box.height) - y];
        if (code === DIVERGED) {
          hatched = true;
          hatch(c, x, y, w, h, this.colors);
        } else {
          c.fillStyle = css(ramp(this.colors.sequential, this.shade(code)));
          c.fillRect(x, y, w, h);
        }
      }
    this.mapAxis(c, box);
    this.mapSideAxis(c, box);
    this.colorBar(c, box, hatched);
    this.drawCurves(c, box);
  }

  mapAxis(c, box) {
    const axis = this.spec.axes[0];
    c.font = `11.5px ${FONT}`;
    const candidates = axis.ticks.map(([at, text]) => ({
      at: this.mapX(box, at),
      text,
      size: c.measureText(text).width,
    }));
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    for (const tick of place(candidates, 4)) {
      if (tick.at > box.right + 2 || tick.at < box.left - 2) continue;
      c.fillStyle = this.colors.muted;
      c.fillRect(Math.round(tick.at) - 0.5, box.bottom, 1, 4);
      c.fillText(tick.text, clamp(tick.at, tick.size / 2, this.map.width - tick.size / 2), box.bottom + 16);
    }
    c.textAlign = "right";
    c.fillStyle = this.colors.ink;
    c.fillText(`${axis.name} \u2192`, box.right, box.bottom + 31);
  }

  mapSideAxis(c, box) {
    const axis = this.spec.axes[1];
    const candidates = axis.ticks.map(([at, text]) => ({ at: this.mapY(box, at), text, size: 11 }));
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const tick of place(candidates, 3)) {
      if (tick.at > box.bottom + 2 || tick.at < box.top - 2) continue;
      c.fillStyle = this.colors.muted;
      c.fillRect(box.left - 4, Math.round(tick.at) - 0.5, 4, 1);
      c.fillText(tick.text, box.left - 7, tick.at + 0.5);
    }
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
    c.fillStyle = this.colors.ink;
    c.fillText(`\u2191 ${axis.name}`, 4, 13);
  }

  colorBar(c, box, hatched) {
    const power = (v) => String(parseFloat((10 ** v).toPrecision(1))).replace("e+", "e");
    const [best, high] = this.endRange.map(power);
    const low = (this.spec.endClipped[this.model.get("start")] ? "\u2264 " : "") + best;
    const lost = "diverges";
    const name = c.measureText(`\u2191 ${this.spec.axes[1].name}`).width + 20;
    const taken = name + c.measureText(low + high).width + 14 + (hatched ? c.measureText(lost).width + 28 : 0);
    const wide = clamp(box.right - taken, 16, 72);
    const [top, tall] = [5, 9];
    let right = box.right;
    c.textBaseline = "alphabetic";
    c.textAlign = "right";
    if (hatched) right = this.hatchKey(c, right, lost) - 10;
    c.fillStyle = this.colors.muted;
    c.fillText(high, right, 13);
    right -= c.measureText(high).width + 5;
    for (let k = 0; k < wide; k++) {
      c.fillStyle = css(ramp(this.colors.sequential, k / wide));
      c.fillRect(right - wide + k, top, 1.5, tall);
    }
    c.fillStyle = this.colors.muted;
    c.fillText(low, right - wide - 5, 13);
  }

  // The legend's entry for hatched settings; returns where it begins.
  hatchKey(c, right, words) {
    c.textBaseline = "alphabetic";
    c.textAlign = "right";
    c.fillStyle = this.colors.muted;
    c.fillText(words, right, 13);
    const left = right - c.measureText(words).width - 18;
    hatch(c, left, 5, 13, 9, this.colors);
    return left;
  }

  drawCurves(c, box) {
    this.labeled = [];
    for (const curve of this.spec.curves) {
      const points = curve.across
        ? null
        : curve.xs.map((x, k) =>
            x === null || curve.ys[k] === null ? null : [this.mapX(box, x), this.mapY(box, curve.ys[k])],
          );
      if (points?.length === 1) {
        if (points[0]) this.curveMark(c, box, points[0], curve.label);
        continue;
      }
      const strokes = points
        ? [points]
        : curve.across
            .filter((x) => x !== null)
            .map((x) => [
              [this.mapX(box, x), box.top],
              [this.mapX(box, x), box.bottom],
            ]);
      for (const stroke of strokes) this.curveLine(c, box, stroke, curve.label);
    }
  }

  curveLine(c, box, points, label) {
    for (const [width, ink, dash] of [
      [4, this.colors.paper, []],
      [1.6, this.colors.ink, [5, 3]],
    ]) {
      c.beginPath();
      let pen = false;
      for (const point of points) {
        if (point) c[pen ? "lineTo" : "moveTo"](...point);
        pen = Boolean(point);
      }
      c.setLineDash(dash);
      c.lineWidth = width;
      c.strokeStyle = ink;
      c.stroke();
      c.setLineDash([]);
    }
    const seen = points.filter(Boolean);
    if (!seen.length) return;
    const [x, y] = points.length === 2 ? [seen[0][0], box.top + 16] : seen[Math.floor(seen.length * 0.75)];
    this.curveLabel(c, box, label, x, y);
  }

  curveMark(c, box, [x, y], label) {
    marker(c, 3, x, y, 5, this.colors.ink, this.colors.paper, 1.5);
    this.curveLabel(c, box, label, x, y + 4, true);
  }

  // Beside a line or a mark: on the preferred side if it fits there.
  curveLabel(c, box, label, x, y, after = false) {
    c.font = `italic 11.5px ${FONT}`;
    c.textBaseline = "alphabetic";
    const width = c.measureText(label).width + 10;
    const left = after ? x + width < box.right : x - width < box.left;
    const from = left ? x + 8 : x - 8 - width;
    const at = this.freeLine(from, from + width, clamp(y, box.top + 12, box.bottom - 4));
    this.labeled.push([from, from + width, at]);
    c.textAlign = left ? "left" : "right";
    haloed(c, label, left ? x + 8 : x - 8, at, this.colors.ink, this.colors.paper);
    c.font = `11.5px ${FONT}`;
  }

  // The first height from y down at which no label stands in the way.
  freeLine(left, right, y) {
    const taken = ([from, to, at]) => from < right && left < to && Math.abs(at - y) < LABEL_HEIGHT;
    while (this.labeled.some(taken)) y += LABEL_HEIGHT;
    return y;
  }

  // With one axis, or in a race: the final loss as a line along the first axis.
  paintLineBase(c) {
    const box = this.mapBox();
    logAxis(c, box, this.endRange, this.colors);
    const count = this.count(0);
    const rest = this.here.slice(1);
    const ends = this.table.series.map((series) =>
      Array.from({ length: count }, (_, i) => this.endAt(series, [i, ...rest])),
    );
    const lost = (i) => ends.some((codes, k) => this.shown[k] && codes[i] === DIVERGED);
    let hatched = false;
    for (let i = 0; i < count; i++) {
      if (!lost(i)) continue;
      const x = this.mapX(box, i - 0.5);
      hatch(c, x, box.top, this.mapX(box, i + 0.5) - x + 0.5, ends.length > 1 ? 14 : box.height, this.colors);
      hatched = true;
    }
    this.mapAxis(c, box);
    this.drawCurves(c, box);
    ends.forEach((codes, k) => this.shown[k] && this.endLine(c, box, codes, k));
    if (hatched) this.hatchKey(c, box.right, this.table.series.length > 1 ? "one diverges" : "diverges");
  }

  endY(box, code) {
    return clamp(box.y(logLoss(code)), box.top, box.bottom);
  }

  endLine(c, box, codes, k) {
    c.strokeStyle = c.fillStyle = this.colors.series[k];
    c.lineWidth = 1.6;
    c.lineJoin = "round";
    c.beginPath();
    let pen = false;
    codes.forEach((code, i) => {
      if (code !== DIVERGED) c[pen ? "lineTo" : "moveTo"](this.mapX(box, i), this.endY(box, code));
      pen = code !== DIVERGED;
    });
    c.stroke();
    codes.forEach((code, i) => {
      const [x, y] = [this.mapX(box, i), code === DIVERGED ? box.top + 7 : this.endY(box, code)];
      if (code === DIVERGED) return k === 0 || codes.length < 40 ? this.tinyCross(c, x, y + 0, k) : undefined;
      c.beginPath();
      MARKERS[k % MARKERS.length](c, x, y, 2.1);
      c.fill();
    });
  }

  tinyCross(c, x, y, k) {
    const r = 2.6;
    c.beginPath();
    c.moveTo(x - r, y - r);
    c.lineTo(x + r, y + r);
    c.moveTo(x - r, y + r);
    c.lineTo(x + r, y - r);
    c.strokeStyle = this.colors.series[k];
    c.lineWidth = 1.5;
    c.stroke();
  }

  paintMap(c) {
    const box = this.mapBox();
    if (this.flat) {
      const x = this.mapX(box, this.index(0));
      c.fillStyle = this.colors.ink;
      c.globalAlpha = 0.45;
      c.fillRect(x - 0.5, box.top, 1, box.height);
      c.globalAlpha = 1;
    }
    this.runs.forEach((run, k) => {
      if (!this.shown[k] || (k > 0 && !this.flat)) return;
      if (!this.quests.hidesBest) this.paintBest(c, box, run.series, k);
      this.paintRing(c, box, run.series, k);
    });
    this.map.canvas.setAttribute("aria-label", this.mapWords());
  }

  cellCenter(box, series, setting) {
    const x = this.mapX(box, setting[0]);
    if (!this.flat) return [x, this.mapY(box, setting[1])];
    const code = this.endAt(series, setting);
    return [x, code === DIVERGED ? box.top + 7 : this.endY(box, code)];
  }

  paintBest(c, box, series, k) {
    const { setting } = this.best(series);
    if (!setting) return;
    star(c, ...this.cellCenter(box, series, setting), 7);
    c.lineJoin = "round";
    c.lineWidth = 3;
    c.strokeStyle = this.flat ? this.colors.series[k] : this.colors.ink;
    c.stroke();
    c.fillStyle = this.colors.paper;
    c.fill();
  }

  paintRing(c, box, series, k) {
    const [x, y] = this.cellCenter(box, series, this.here);
    const inner = this.flat ? 5.5 : clamp(box.width / this.count(0) / 2 + 1.5, 5.5, 10);
    for (const [width, ink] of [
      [5.5, this.colors.paper],
      [2.4, this.flat ? this.colors.series[k] : this.colors.ink],
    ]) {
      c.beginPath();
      c.arc(x, y, inner, 0, 2 * Math.PI);
      c.lineWidth = width;
      c.strokeStyle = ink;
      c.stroke();
    }
  }

  cellAt(event) {
    const box = this.mapBox();
    const along = (at, from, size, count) => clamp(Math.floor(((at - from) / size) * count), 0, count - 1);
    const cell = { i0: along(event.offsetX, box.left, box.width, this.count(0)) };
    if (!this.flat) cell.i1 = along(box.bottom - event.offsetY, 0, box.height, this.count(1));
    return cell;
  }

  // ---- in words

  labelMap() {
    const others = this.spec.axes.map((_, k) => k).slice(this.flat ? 1 : 2);
    const at = others.length ? `, ${this.settingText(this.here, others)}` : "";
    const plain = `${this.heading} after ${this.spec.steps} steps${at}`;
    if (!this.over) return this.put(this.mapLabel, plain);
    const setting = [this.over.i0, this.over.i1 ?? this.index(1), this.index(2)];
    const ends = this.table.series
      .filter((_, k) => this.shown[k])
      .map((series) => lossText(this.endAt(series, setting)));
    const axes = this.flat ? [0] : [0, 1];
    const where = axes.map((k) => `${this.spec.axes[k].name} ${this.spec.axes[k].labels[setting[k]]}`).join(", ");
    this.put(this.mapLabel, ends.length === 1 ? `${where}: ${ends[0]}` : where);
  }

  // Short enough to stand above a chart in a narrow column; the sentence below the figure says it in full.
  get heading() {
    return this.spec.measure === "loss" ? "Loss" : "Loss gap";
  }

  get measured() {
    return this.spec.measure === "loss" ? "the loss" : "the loss above its minimum";
  }

  // What became of a run by now: "falls from 24 to 0.1 in 60 steps".
  fate(run) {
    const step = this.model.get("step");
    const first = lossText(run.code(0));
    if (run.gone >= 0 && step >= run.gone) return `the run diverges: ${this.ending(run)}`;
    const code = run.code(step);
    if (step === 0) return `${this.measured} is ${first} before the first step`;
    const fell = logLoss(code) < logLoss(run.code(0));
    const outside = this.isOutside(run, step) ? ", outside the picture" : "";
    if (code === run.code(0))
      return `${this.measured} is still ${first} after ${step} of ${this.spec.steps} steps${outside}`;
    if (step === this.spec.steps)
      return `${this.measured} ${fell ? "falls" : "rises"} from ${first} to ${lossText(code)} in ${step} steps${outside}`;
    return `${this.measured} has ${fell ? "fallen" : "risen"} from ${first} to ${lossText(code)} after ${step} of ${this.spec.steps} steps${outside}`;
  }

  ending(run) {
    const far = this.isOutside(run, run.last) || run.last < 1;
    return far ? `at step ${run.gone} it is over 1000 windows away` : `at step ${run.gone} it is no longer a number`;
  }

  isOutside(run, step) {
    const [x, y] = [run.series.x[run.base + step], run.series.y[run.base + step]];
    return x < 0 || x > UNITS || y < 0 || y > UNITS;
  }

  say() {
    this.speak(this.spec.series.length > 1 ? this.raceWords() : this.exploreWords());
  }

  exploreWords() {
    const [run] = this.runs;
    const start = this.spec.starts.length > 1 ? `From start ${"ABCDEFGHIJ"[this.model.get("start")]}, with` : "With";
    return `${start} ${this.settingText(this.here)}, ${this.fate(run)}. ${this.bestWords()}`.trim();
  }

  bestWords() {
    if (this.quests.hidesBest) return "";
    const { setting, code } = this.best(this.table.series[0]);
    if (!setting) return "Every setting on this map diverges.";
    if (code === this.endAt(this.table.series[0], this.here)) return "No setting on this map ends lower.";
    const axes = this.flat ? [0] : [0, 1];
    return `The best on this map is ${this.settingText(setting, axes)}, which ends ${code ? "at " : ""}${lossText(code)}.`;
  }

  raceWords() {
    const step = this.model.get("step");
    const seen = this.runs.filter((_, k) => this.shown[k]);
    if (!seen.length) return "Every optimizer is hidden.";
    const alive = seen.filter((run) => run.gone < 0 || step < run.gone).sort((a, b) => a.code(step) - b.code(step));
    const lost = seen.filter((run) => run.gone >= 0 && step >= run.gone);
    const when = step === 1 ? "after 1 step" : `after ${step} steps`;
    const at = `With ${this.settingText(this.here)}, ${when}`;
    const listed = alive.map(
      (run, k) => `${run.series.label} ${k ? "at" : "is lowest at"} ${lossText(run.code(step))}`,
    );
    if (alive.length === 1) listed[0] = `${alive[0].series.label} is at ${lossText(alive[0].code(step))}`;
    const living = listed.length
      ? `${this.spec.measure === "loss" ? "" : "above the minimum, "}${listed.length > 1 ? `${listed[0]}, then ${sentence(listed.slice(1))}` : listed[0]}`
      : "";
    const dead = lost.map((run) => `${run.series.label} diverged at step ${run.gone}`).join("; ");
    return `${at}: ${[living, dead].filter(Boolean).join("; ")}.`;
  }

  mainWords() {
    const [left, right, bottom, top] = this.spec.view.map((v) => parseFloat(v.toPrecision(3)));
    const names = this.spec.series.map((series) => series.label);
    const what = names.length > 1 ? `the paths of ${sentence(names)}` : "the path";
    return `${this.spec.title}: contours of the loss over x from ${left} to ${right} and y from ${bottom} to ${top}, with ${what} up to step ${this.model.get("step")}.`;
  }

  lossWords() {
    return `${this.capital(this.spec.measure)} at each step, on a logarithmic axis. ${this.runs.map((run) => `${run.series.label}: ${this.fate(run)}`).join(". ")}.`;
  }

  mapWords() {
    const axes = this.flat ? this.spec.axes.slice(0, 1) : this.spec.axes.slice(0, 2);
    return `Map of ${this.measured} after ${this.spec.steps} steps over ${sentence(axes.map((axis) => axis.name))}; arrow keys move. Now at ${this.settingText(this.here)}: ${this.runs.map((run) => lossText(run.code(this.spec.steps))).join(", ")}.`;
  }
}

export default {
  render({ model, el }) {
    const figure = new Figure(model, el);
    figure.open();
    return () => figure.close();
  },
};
