// What a reader does is kept in their browser: one place for answers and points, quests, quizzes and sliders.
//
//   courseStore.define("quest", { valid, merge })          a kind of thing; merge(mine, other) loses nothing of either
//   courseStore.get("quest", "adam-banana")                 what is kept, or undefined
//   courseStore.set("quest", "adam-banana", (old) => ...)   change it; whether the browser keeps it
//   courseStore.watch("quest", (id, value, elsewhere) => ...)  told of each change, of other tabs too
//   courseStore.pack() / unpack(packed)                     all of it as plain data, and merged in again
//   courseStore.trouble, courseStore.whenTrouble(listener)  a sentence, when nothing can be kept here
//
// An id is stable: no path, no title, nothing that a new build changes. Every item has a key of its own and is read
// afresh before it is written, so that two tabs do not undo each other. Values are JSON. Where storage is blocked or
// full, items live as long as the page.
globalThis.courseStore ??= (() => {
  const PREFIX = "understanding-optimizers/";
  const FORMAT = "understanding-optimizers";
  const SCHEMA = 1;
  const BLOCKED = "This browser keeps nothing for this site: what you do here is gone when the page is closed.";
  const FULL = "This browser’s storage for the site is full: what you do from now on is gone when the page is closed.";

  const kinds = new Map();
  const watchers = [];
  const troubleListeners = [];
  const unkept = new Map(); // what the browser did not take, as text
  let trouble = "";

  const keyOf = (kind, id) => `${PREFIX}${kind}/${id}`;
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  function partsOf(key) {
    if (!key?.startsWith(PREFIX)) return null;
    const [kind, ...id] = key.slice(PREFIX.length).split("/");
    return { kind, id: id.join("/") };
  }

  function say(sentence) {
    if (sentence === trouble) return;
    trouble = sentence;
    for (const listener of troubleListeners) listener(trouble);
  }

  function textAt(key) {
    if (unkept.has(key)) return unkept.get(key);
    try {
      return localStorage.getItem(key);
    } catch {
      say(BLOCKED);
      return null;
    }
  }

  // What the browser did not take before is tried again: there may be room now.
  function write(key, text) {
    unkept.set(key, text);
    let failed = "";
    for (const [waiting, its] of [...unkept].reverse()) {
      try {
        localStorage.setItem(waiting, its);
        unkept.delete(waiting);
      } catch (error) {
        failed = error.name === "QuotaExceededError" ? FULL : BLOCKED;
      }
    }
    say(failed);
    return !unkept.has(key);
  }

  function forget(key) {
    unkept.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      say(BLOCKED);
    }
  }

  // Damaged or foreign text counts as nothing; it stays until something is written there.
  function read(kind, text) {
    if (text === null || text === undefined) return undefined;
    try {
      const value = JSON.parse(text);
      return kinds.get(kind)?.valid?.(value) === false ? undefined : value;
    } catch {
      return undefined;
    }
  }

  function keys() {
    const found = new Set(unkept.keys());
    try {
      for (let k = 0; k < localStorage.length; k++) found.add(localStorage.key(k));
    } catch {
      say(BLOCKED);
    }
    return [...found].filter(partsOf);
  }

  function tell(kind, id, value, elsewhere) {
    for (const watcher of watchers) if (watcher.kind === kind) watcher.listener(id, value, elsewhere);
  }

  addEventListener("storage", ({ key, newValue }) => {
    const parts = partsOf(key);
    if (!parts) return;
    unkept.delete(key);
    tell(parts.kind, parts.id, read(parts.kind, newValue), true);
  });

  return Object.freeze({
    define(kind, { valid, merge } = {}) {
      kinds.set(kind, { valid, merge });
    },

    get(kind, id) {
      return read(kind, textAt(keyOf(kind, id)));
    },

    // `change` is a value, or a function from the old value (undefined if there is none) to the new one.
    set(kind, id, change) {
      const key = keyOf(kind, id);
      const text = textAt(key);
      const value = typeof change === "function" ? change(read(kind, text)) : change;
      if (value === undefined) return !unkept.has(key);
      const next = JSON.stringify(value);
      if (next === text) return !unkept.has(key);
      const kept = write(key, next);
      tell(kind, id, value, false);
      return kept;
    },

    remove(kind, id) {
      forget(keyOf(kind, id));
      tell(kind, id, undefined, false);
    },

    // All items of a kind, by id.
    all(kind) {
      const found = {};
      for (const key of keys().sort()) {
        const parts = partsOf(key);
        const value = parts.kind === kind ? read(kind, textAt(key)) : undefined;
        if (value !== undefined) found[parts.id] = value;
      }
      return found;
    },

    watch(kind, listener) {
      const watcher = { kind, listener };
      watchers.push(watcher);
      return () => watchers.splice(watchers.indexOf(watcher), 1);
    },

    pack() {
      const kept = {};
      for (const { kind } of keys().map(partsOf)) kept[kind] ??= this.all(kind);
      return { format: FORMAT, schema: SCHEMA, kept };
    },

    // Merge what `pack` gave, here or in another browser; how many items it changed.
    unpack(packed) {
      if (!isObject(packed) || packed.format !== FORMAT || !isObject(packed.kept)) {
        throw new Error("This is not a file that the course has exported.");
      }
      if (packed.schema > SCHEMA) throw new Error("This file was exported by a newer version of the course.");
      let changed = 0;
      for (const [kind, items] of Object.entries(packed.kept)) {
        if (!isObject(items)) continue;
        for (const [id, value] of Object.entries(items)) changed += this.merge(kind, id, value);
      }
      return changed;
    },

    // Merge one value into what is kept; whether that changed it.
    merge(kind, id, other) {
      const { valid, merge } = kinds.get(kind) ?? {};
      if (other === undefined || valid?.(other) === false) return false;
      const before = JSON.stringify(this.get(kind, id));
      this.set(kind, id, (mine) => (mine === undefined ? other : merge ? merge(mine, other) : mine));
      return JSON.stringify(this.get(kind, id)) !== before;
    },

    get trouble() {
      if (!trouble) {
        write(`${PREFIX}probe/`, "1");
        forget(`${PREFIX}probe/`);
      }
      return trouble;
    },

    whenTrouble(listener) {
      troubleListeners.push(listener);
      if (trouble) listener(trouble);
    },
  });
})();
