// A reader's answers, kept under the name that the exercise asks for (an exercise's number may change with the course).
// Nothing typed is lost: what another tab or an import replaces is kept as an earlier version.
const MOST_EARLIER = 8;
const store = globalThis.courseStore;

const isText = (value) => typeof value?.text === "string" && Number.isFinite(value.when);

function withEarlier(value, ...others) {
  const texts = new Set([value.text]);
  const earlier = others.filter((other) => isText(other) && !texts.has(other.text) && texts.add(other.text));
  earlier.sort((a, b) => b.when - a.when);
  return { text: value.text, when: value.when, earlier: earlier.slice(0, MOST_EARLIER) };
}

store.define("answer", {
  valid: (value) => isText(value),
  merge: (mine, other) => {
    const [newer, older] = other.when > mine.when ? [other, mine] : [mine, other];
    return withEarlier(newer, older, ...(mine.earlier ?? []), ...(other.earlier ?? []));
  },
});

export const kept = (name) => store.get("answer", name);

// Keep `text`. `seen` is what this page last read or wrote: a text that is neither came from another tab.
export function keep(name, text, seen, { whole = false } = {}) {
  return store.set("answer", name, (old) => {
    if (old?.text === text) return old;
    const value = { text, when: Date.now() };
    const replaced = old && (whole || old.text !== seen) ? [{ text: old.text, when: old.when }] : [];
    return withEarlier(value, ...replaced, ...(old?.earlier ?? []));
  });
}

export const watch = (listener) => store.watch("answer", listener);
