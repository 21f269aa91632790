// What a reader has done with the figures, kept in their browser under names that do not change; and the page's address.
//
// The site has one place for all that a reader does (book/store.js); a notebook has none, and quests are kept alone.

const PREFIX = "understanding-optimizers";

const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// Two tabs, or two browsers: what was done in one stays done; the first prediction counts.
export const mergeQuest = (mine, other) => ({ ...other, ...mine, ...(mine.done || other.done ? { done: true } : {}) });

export const mergeSetting = (mine, other) => ((other.at ?? 0) > (mine.at ?? 0) ? other : mine);

const memory = new Map();

// The part of the store's interface that figures use, for a page without it.
const ownShelf = {
  get(kind, id) {
    const key = `${PREFIX}/${kind}/${id}`;
    try {
      const value = JSON.parse(localStorage.getItem(key));
      return isRecord(value) ? value : memory.get(key);
    } catch {
      return memory.get(key);
    }
  },
  set(kind, id, change) {
    const key = `${PREFIX}/${kind}/${id}`;
    const value = change(this.get(kind, id));
    memory.set(key, value);
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Storage may be closed to us: it lasts as long as the page.
    }
  },
  remove(kind, id) {
    const key = `${PREFIX}/${kind}/${id}`;
    memory.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      // As above.
    }
  },
  watch: () => () => {},
};

let prepared = null;

export function shelf() {
  if (!prepared) {
    prepared = globalThis.courseStore ?? ownShelf;
    prepared.define?.("quest", { valid: isRecord, merge: mergeQuest });
    prepared.define?.("figure", { valid: isRecord, merge: mergeSetting });
  }
  return prepared;
}

// ---- the address: #fig=adam-banana&learning_rate=0.1&start=B&step=40

export function settingOf(hash) {
  const found = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  return found.fig ? found : null;
}

export function hashOf(key, setting) {
  return `#${new URLSearchParams({ fig: key, ...setting })}`;
}

// The index of a value among the labels of an axis: itself, or the nearest number; -1 if it is none.
export function indexOfLabel(labels, value) {
  const exact = labels.indexOf(String(value));
  const wanted = parseFloat(value);
  if (exact >= 0 || !Number.isFinite(wanted)) return exact;
  const away = labels.map((label) => Math.abs(parseFloat(label) - wanted));
  return away.indexOf(Math.min(...away));
}
