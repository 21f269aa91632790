// A reader's answers, kept under the name that the exercise asks for (an exercise's number may change with the course).
// Nothing typed is lost: what another tab or an import replaces is kept as an earlier version (reader.js).
const store = globalThis.courseStore;
const { withEarlier } = globalThis.courseReader;

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
