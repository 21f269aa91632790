// Carry a reader's work elsewhere and back: the chapter's notebook with their answers in it, the progress.json that the
// notebooks keep, and everything at once. What comes in is merged; nothing is lost.
(() => {
  const store = globalThis.courseStore;
  const { course, root } = globalThis.courseReader;
  const place = document.querySelector("[data-carry]");
  if (!place) return;
  const said = place.querySelector("[role=status]");
  const chapter = location.pathname.match(/\/(\d\d_\w+)\.html$/)?.[1];
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const exercises = Object.assign({}, ...Object.values(course.chapters));
  const idOf = (cell) => cell.metadata?.tags?.map((tag) => tag.match(/^ex-(\d+\.\d+)$/)?.[1]).find(Boolean);
  const textOf = (cell) => [cell.source].flat().join("");

  function download(name, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async function fetched(path) {
    const response = await fetch(new URL(path, root));
    if (!response.ok) throw new Error(`${path} could not be fetched (${response.status}).`);
    return response.json();
  }

  async function notebook() {
    const made = await fetched(`_sources/chapters/${chapter}.ipynb`);
    let filled = 0;
    for (const cell of made.cells) {
      if (cell.cell_type !== "code") continue;
      cell.outputs = [];
      cell.execution_count = null;
      const kept = store.get("answer", exercises[idOf(cell)]?.[0]);
      if (!kept) continue;
      cell.source = kept.text;
      filled += 1;
    }
    download(`${chapter}.ipynb`, `${JSON.stringify(made, null, 1)}\n`);
    return `The notebook has ${count(filled, "answer")} of yours.`;
  }

  function progress() {
    download("progress.json", `${JSON.stringify({ schema: 1, exercises: store.all("progress") }, null, 1)}\n`);
    return "";
  }

  function everything() {
    download("understanding-optimizers.json", `${JSON.stringify(store.pack(), null, 1)}\n`);
    return "";
  }

  async function takenIn(file) {
    let content;
    try {
      content = JSON.parse(await file.text());
    } catch {
      throw new Error(`${file.name} is not a notebook, and not a file that the course has written.`);
    }
    if (Array.isArray(content?.cells)) return takeNotebook(content, file);
    if (content?.exercises && typeof content.exercises === "object") return takeProgress(content, file);
    return count(store.unpack(content), "change");
  }

  async function takeNotebook({ cells }, file) {
    let taken = 0;
    for (const cell of cells) {
      const id = cell.cell_type === "code" ? idOf(cell) : undefined;
      if (!exercises[id]) continue;
      const text = textOf(cell);
      const { starter } = (await fetched(`_static/engine/texts/${id.split(".")[0]}.json?v=${course.texts}`))[id];
      if (text.trim() === starter.trim()) continue;
      taken += store.merge("answer", exercises[id][0], { text, when: file.lastModified });
    }
    return count(taken, "answer");
  }

  function takeProgress({ schema, exercises: entries }, file) {
    if (schema > 1) throw new Error(`${file.name} belongs to a newer version of the course.`);
    const changed = Object.entries(entries).filter(([id, entry]) => store.merge("progress", id, entry));
    return count(changed.length, "exercise");
  }

  const ACTS = { notebook, progress, everything };
  place.addEventListener("click", async ({ target }) => {
    const act = ACTS[target.closest("button")?.dataset.carries];
    if (!act) return;
    try {
      said.textContent = await act();
    } catch (error) {
      said.textContent = error.message;
    }
  });
  place.querySelector("input").addEventListener("change", async ({ target }) => {
    const told = [];
    for (const file of target.files) {
      try {
        told.push(`${file.name}: ${await takenIn(file)} taken in.`);
      } catch (error) {
        told.push(error.message);
      }
    }
    target.value = "";
    said.textContent = told.join(" ");
  });
})();
