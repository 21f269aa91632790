// What the page knows of its reader: points in the sidebar, on the front page and under the exercises, all from this
// browser. It loads the lab (code that runs in the page) when a reader comes near it, and not a byte of it before.
globalThis.courseReader ??= (() => {
  const store = globalThis.courseStore;
  const root = new URL(document.documentElement.dataset.content_root ?? "./", location.href);
  const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
  const course = read("uo-course") ?? { chapters: {} };
  const NEAR = "600px";
  const MEGABYTES = Math.round(Object.values(course.manifest?.sizes ?? {}).reduce((sum, size) => sum + size, 0) / 1e6);

  // --- the record ---

  const SCORE = ["points", "max_points", "status", "after_solution"];
  const COUNTS = ["attempts", "hints"];
  const isCount = (value) => value === undefined || (Number.isInteger(value) && value >= 0);
  const STATUSES = ["wrong", "partial", "right", "error"];

  // As exercises/record.py merges two entries: the better score (at equal points, the one reached without the
  // solution), the larger counts, and what only one knows.
  function merge(mine, other) {
    const rank = (entry) => 2 * (entry.points ?? -1) + (entry.after_solution ? 0 : 1);
    const better = rank(other) > rank(mine) ? other : mine;
    const merged = Object.fromEntries(SCORE.filter((name) => name in better).map((name) => [name, better[name]]));
    for (const name of new Set([...Object.keys(mine), ...Object.keys(other)])) {
      if (SCORE.includes(name)) continue;
      const values = [mine, other].filter((entry) => name in entry).map((entry) => entry[name]);
      if (COUNTS.includes(name)) merged[name] = Math.max(...values);
      else if (name === "solution_seen") merged[name] = values.some(Boolean);
      else merged[name] = values.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? 1 : -1))[0];
    }
    return merged;
  }

  store.define("progress", {
    valid: (entry) =>
      typeof entry === "object" &&
      entry !== null &&
      (entry.status === undefined || STATUSES.includes(entry.status)) &&
      [entry.points, entry.max_points, ...COUNTS.map((name) => entry[name])].every(isCount),
    merge,
  });

  // --- answers: what one replaces is kept as an earlier version ---

  const MOST_EARLIER = 8;
  const isText = (value) => typeof value?.text === "string" && Number.isFinite(value.when);

  function withEarlier(value, ...others) {
    const texts = new Set([value.text]);
    const earlier = others.filter((other) => isText(other) && !texts.has(other.text) && texts.add(other.text));
    earlier.sort((a, b) => b.when - a.when);
    return { text: value.text, when: value.when, earlier: earlier.slice(0, MOST_EARLIER) };
  }

  store.define("answer", {
    valid: isText,
    merge: (mine, other) => {
      const [newer, older] = other.when > mine.when ? [other, mine] : [mine, other];
      return withEarlier(newer, older, ...(mine.earlier ?? []), ...(other.earlier ?? []));
    },
  });

  // The entry of an exercise: under its number, unless the course has been renumbered since.
  function entryOf(entries, id, answer) {
    const own = entries[id];
    if (own && (own.answer ?? answer) === answer) return own;
    return Object.values(entries).find((entry) => entry.answer === answer) ?? {};
  }

  function standing() {
    const entries = store.all("progress");
    return Object.entries(course.chapters).map(([number, exercises]) => {
      const own = Object.entries(exercises).map(([id, [answer, most]]) => {
        const entry = entryOf(entries, id, answer);
        const points = Math.min(entry.points ?? 0, most);
        const status = entry.status === "right" && points < most ? "partial" : (entry.status ?? "not attempted");
        return { id, points, most, status, afterSolution: Boolean(entry.after_solution) };
      });
      const sum = (name) => own.reduce((total, one) => total + one[name], 0);
      return { number, exercises: own, points: sum("points"), most: sum("most") };
    });
  }

  // --- where it is shown ---

  function showStanding() {
    const chapters = standing();
    const begun = chapters.some(({ points, exercises }) => points || exercises.some((one) => one.status !== "not attempted"));
    for (const chapter of chapters) {
      for (const link of document.querySelectorAll(`.bd-sidebar-primary .bd-links a, .uo-chapters .sd-card a`)) {
        if (chapterOf(link) === Number(chapter.number)) showAtLink(link, chapter, begun);
      }
    }
    for (const card of document.querySelectorAll("[data-progress] .uo-progress")) fillCard(card, chapters);
    for (const exercise of document.querySelectorAll("[data-exercise]")) fillExercise(exercise, chapters);
  }

  const chapterOf = (link) => Number(link.getAttribute("href")?.match(/(?:^|\/)(\d\d)_[^/]*\.html$/)?.[1] ?? (link.getAttribute("href") === "#" && link.closest(".current") ? location.pathname.match(/\/(\d\d)_[^/]*\.html$/)?.[1] : NaN));

  function showAtLink(link, { points, most }, begun) {
    const place = link.closest(".sd-card")?.querySelector(".sd-card-body") ?? link;
    let mark = place.querySelector(":scope > .uo-points-here");
    if (!mark && begun) place.append((mark = make("span", "uo-points-here")));
    if (!mark) return;
    mark.hidden = !begun;
    mark.textContent = ` ${points} of ${most}`;
    mark.dataset.state = points === most ? "all" : points ? "some" : "none";
    mark.append(make("span", "uo-sr", " points"));
  }

  function make(tag, name, text = "") {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  }

  // The card that progress() shows, as the notebook has it, with this reader's points.
  function fillCard(card, chapters) {
    const marks = read("uo-marks");
    const rows = [...card.querySelectorAll("tbody tr")];
    const fill = (row, points, most) => {
      const bar = row?.querySelector(".uo-meter span");
      if (bar) bar.style.width = `${most ? Math.round((100 * points) / most) : 0}%`;
      const sum = row?.querySelector(".uo-sum");
      if (sum) sum.textContent = `${points} of ${most}`;
    };
    chapters.forEach((chapter, k) => {
      fill(rows[k], chapter.points, chapter.most);
      [...(rows[k]?.querySelectorAll(".uo-states li") ?? [])].forEach((item, index) => {
        const one = chapter.exercises[index];
        item.className = `uo-${one.status.replace(" ", "-")}`;
        const { svg, words } = marks[one.status];
        const said = `${words}, ${one.points} of ${one.most}${one.afterSolution ? ", after the solution was shown" : ""}`;
        item.title = `${item.title.split(": ")[0]}: ${said}`;
        item.innerHTML = svg;
        item.append(` ${one.id}${one.afterSolution ? "*" : ""}`, make("span", "uo-sr", ` ${said}`));
      });
    });
    const all = (name) => chapters.reduce((total, chapter) => total + chapter[name], 0);
    fill(card.querySelector("tfoot tr"), all("points"), all("most"));
    card.setAttribute("aria-label", `Progress: ${all("points")} of ${all("most")} points`);
  }

  function fillExercise(exercise, chapters) {
    const place = exercise.querySelector(".uo-best");
    const one = chapters.flatMap((chapter) => chapter.exercises).find(({ id }) => id === exercise.dataset.exercise);
    if (!place || !one) return;
    const words = one.status === "not attempted" ? `${one.most} points` : `${one.points} of ${one.most} points`;
    place.textContent = words + (one.afterSolution ? ", after the solution" : "");
    place.dataset.state = one.status;
  }

  // What carries work elsewhere and back comes when it is first used.
  function offerToCarry(place) {
    const isChapter = location.protocol !== "file:" && /\/\d\d_\w+\.html$/.test(location.pathname);
    if (!isChapter) place.querySelector("[data-carries=notebook]").remove();
    place.hidden = false;
    const use = ({ type, target }) => {
      const used = target.closest(type === "click" ? "button" : "input");
      if (!used) return;
      for (const kind of ["click", "change"]) place.removeEventListener(kind, use);
      const script = document.createElement("script");
      script.src = new URL(`_static/transfer.js?v=${course.transfer}`, root);
      script.onload = () => used.dispatchEvent(new Event(type, { bubbles: true }));
      script.onerror = () => (place.querySelector("[role=status]").textContent = "This needs the site: are you online?");
      document.head.append(script);
    };
    for (const kind of ["click", "change"]) place.addEventListener(kind, use);
  }

  // --- the lab ---

  const hasLab = Boolean(course.manifest) && location.protocol !== "file:";
  let loading = null;
  let loaded;
  let lab = null;
  const engine = { folder: new URL("_static/engine/", root), manifest: course.manifest };

  function load() {
    loading ??= new Promise((resolve, reject) => {
      loaded = resolve;
      const script = document.createElement("script");
      script.src = new URL(`lab.js?v=${course.manifest.script}`, engine.folder);
      script.onerror = () => reject(new Error("The lab’s script could not be fetched."));
      document.head.append(script);
    });
    loading.catch(() => (loading = null));
    return loading;
  }

  const PLACES = "[data-exercise], [data-scratch]";

  // Exercises get their editor when they come near; the chapter's own cells when their button is pressed.
  const EXERCISES = "[data-exercise]";

  // Before the editor comes, the code is plain text that can be typed into already.
  function prepare(place) {
    const code = place.querySelector(".uo-editor pre");
    if (!code) return;
    code.setAttribute("role", "textbox");
    code.setAttribute("aria-multiline", "true");
    code.setAttribute("aria-label", `Code of exercise ${place.dataset.exercise}`);
    code.setAttribute("contenteditable", "plaintext-only");
    code.spellcheck = false;
    code.closest(".uo-editor").dataset.shipped = code.textContent.replace(/\n$/, "");
    code.addEventListener("focus", () => open(place), { once: true });
  }

  async function open(place) {
    const lab = await load();
    const cell = lab.add(place);
    cell.open();
    place.dataset.open = "true";
    return cell;
  }

  function startLab() {
    document.documentElement.dataset.lab = "on";
    const places = [...document.querySelectorAll(EXERCISES)];
    places.forEach(prepare);
    const near = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          near.unobserve(target);
          open(target).catch(() => near.observe(target));
        }
      },
      { rootMargin: NEAR },
    );
    for (const place of places) near.observe(place);
    // A button pressed before the script has come is pressed again when it has.
    document.addEventListener(
      "click",
      async (event) => {
        const button = event.target.closest?.(`:is(${PLACES}) .uo-acts button[data-do]`);
        const place = button?.closest(PLACES);
        if (!button || place.dataset.open) return;
        event.stopPropagation();
        try {
          await open(place);
          button.click();
        } catch (error) {
          place.querySelector(".uo-said").textContent = error.message;
        }
      },
      true,
    );
    for (const figure of document.querySelectorAll("[data-figure]")) {
      if (figure.dataset.recipe) offerToEdit(figure);
      else figure.querySelector(".uo-tools")?.append(make("p", "uo-tool-note", whyNot(figure)));
    }
    showSize();
  }

  // Of a figure whose optimizer cannot be edited here.
  const whyNot = (figure) =>
    figure.querySelector("canvas.uo-main, .uo-main-frame")
      ? "The surface is the loss of a network on real data, too slow to run again here: edit it in the notebook."
      : "No rule to edit here: the chapter’s code computes these curves, from a formula or a longer experiment.";

  function offerToEdit(figure) {
    const button = make("button", "uo-tool", "Edit this optimizer");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.append(make("span", "uo-size"));
    button.addEventListener("click", async () => (await load()).edit(figure, button));
    figure.querySelector(".uo-tools")?.append(button);
  }

  // The first time, the buttons say what they will fetch.
  function showSize() {
    const isHere = store.get("engine", "version") === course.manifest.version;
    const size = isHere ? "" : ` (${MEGABYTES} MB, once)`;
    for (const place of document.querySelectorAll(":is(.uo-acts, .uo-tools) .uo-size")) place.textContent = size;
  }

  document.addEventListener("DOMContentLoaded", () => {
    showStanding();
    store.watch("progress", showStanding);
    store.watch("engine", () => hasLab && showSize());
    if (hasLab) startLab();
    else if (course.manifest) document.documentElement.dataset.lab = "from disk";
    const notice = document.querySelector("[data-keeping]");
    if (notice) store.whenTrouble((sentence) => ((notice.hidden = !sentence), (notice.textContent = sentence)));
    if (notice) store.trouble;
    const carrying = document.querySelector("[data-carry]");
    if (carrying) offerToCarry(carrying);
  });

  const reader = {
    course,
    root,
    withEarlier,
    engine,
    standing,
    entryOf,
    labLoaded: (it) => loaded((lab = it)),
    engineIsHere: () => store.set("engine", "version", course.manifest.version),
  };

  const withLab = async (use) => use(await load());
  if (hasLab) {
    globalThis.courseLab = {
      ready: () => withLab((it) => it.ready()),
      run: (source) => withLab((it) => it.run(source)),
      check: (id, source) => withLab((it) => it.check(id, source)),
      stop: () => lab?.stop(),
      get bytes() {
        return lab?.bytes ?? 0;
      },
    };
  }
  return reader;
})();
