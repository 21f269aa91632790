// One worker a page, started when it is first needed. What is asked is done in turn; a piece of work that outlasts its
// time, or is stopped, ends the worker with it, and the next one starts another.
export class Stopped extends Error {
  // why: "stop", "time", "memory" or "engine".
  constructor(why, message = "") {
    super(message);
    this.why = why;
  }
}

const OUT_OF_MEMORY = /memory|allocation failed|out of bounds|Maximum call stack/i;

export class Engine {
  #folder;
  #manifest;
  #worker = null;
  #started = null;
  #number = 0;
  #waiting = new Map();
  #last = Promise.resolve();
  #fetchedBefore = 0;
  #fetched = 0;

  // onProgress(share): how much of the engine is there, 0 to 1. onLost(): the worker, and all that it knew, is gone.
  constructor(folder, manifest, { onProgress = () => {}, onLost = () => {} } = {}) {
    this.#folder = folder;
    this.#manifest = manifest;
    this.onProgress = onProgress;
    this.onLost = onLost;
  }

  get bytes() {
    return this.#fetchedBefore + this.#fetched;
  }

  get megabytes() {
    return Object.values(this.#manifest.sizes).reduce((sum, size) => sum + size, 0) / 1e6;
  }

  get isRunning() {
    return this.#worker !== null;
  }

  ready() {
    this.#started ??= this.#start();
    return this.#started;
  }

  // Ask Python for something, after what was asked before. seconds: how long it may take from when it begins.
  ask(method, given, { seconds = 60, onPrint = () => {}, before = null } = {}) {
    const turn = this.#last.then(async () => {
      await this.ready();
      await before?.();
      return this.#request(method, given, seconds, onPrint);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  // For work that belongs to the same turn: from `before`.
  askNow(method, given, seconds) {
    return this.#request(method, given, seconds, () => {});
  }

  stop(why = "stop", message = "") {
    if (!this.#worker) return;
    this.#worker.terminate();
    this.#worker = null;
    this.#started = null;
    this.#fetchedBefore += this.#fetched;
    this.#fetched = 0;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.onLost();
    for (const { reject, timer } of waiting) {
      clearTimeout(timer);
      reject(new Stopped(why, message));
    }
  }

  async #start() {
    const address = new URL(`worker.js?v=${this.#manifest.version}`, this.#folder);
    this.#worker = new Worker(address, { type: "module", name: "python" });
    const sizes = this.#manifest.sizes;
    const scripts = ["worker.js", "pyodide.mjs", "pyodide.asm.js"].reduce((sum, name) => sum + sizes[name], 0);
    const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.stop("engine", event.message || "Python could not be fetched.");
    };
    this.#worker.onmessage = ({ data }) => {
      if (data.fetched) {
        this.#fetched = scripts + data.fetched;
        this.onProgress(Math.min(0.999, this.#fetched / all));
      } else this.#hear(data);
    };
    this.onProgress(0);
    await this.#request(null, null, 300, () => {});
    this.onProgress(1);
  }

  #request(method, given, seconds, onPrint) {
    const id = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, seconds, onPrint });
      this.#worker.postMessage({ id, method, given });
    });
  }

  #hear({ id, begun, print, value, fatal }) {
    if (print !== undefined) {
      for (const { onPrint } of this.#waiting.values()) onPrint(print);
      return;
    }
    const work = this.#waiting.get(id ?? begun);
    if (!work) return;
    if (begun) {
      work.timer = setTimeout(() => this.stop("time"), 1000 * work.seconds);
      return;
    }
    clearTimeout(work.timer);
    if (fatal !== undefined) {
      this.stop(OUT_OF_MEMORY.test(fatal) ? "memory" : "engine", fatal);
      return;
    }
    this.#waiting.delete(id);
    work.resolve(value);
  }
}
