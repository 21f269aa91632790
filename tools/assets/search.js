// Finds the sections of the course: an index in the page's own folder, made when the book was built, and no server.
// The index is a script, so that a site opened from disk can be searched too.
import MiniSearch from "minisearch";

const SHOWN = 30;
const AROUND = 90; // characters of an excerpt on each side of what was found
const SMALL = new Set(
  "a an and are as at be but by can do does for from has have how i if in into is it its my no not of on or so than that the their then there these they this to was what when where which why will with you your".split(" "),
);
const TOGETHER = { "warm up": "warmup", "learning-rate": "learning rate", "over fitting": "overfitting", "pre conditioner": "preconditioner" };

// "warm-up", "warm up" and "warmup" are one word; so are "optimiser" and "optimizer".
function words(text) {
  let plain = text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[\u2010-\u2015]/g, "-");
  for (const [apart, joined] of Object.entries(TOGETHER)) plain = plain.replaceAll(apart, joined);
  plain = plain.replace(/(?<=[a-z])-(?=[a-z])/g, "");
  return plain.split(/[^\p{L}\p{N}_.]+/u).map((word) => word.replace(/^\.+|\.+$/g, "").replace(/is(e[rds]?|ing|ation)$/, "iz$1"));
}

function prepare(sections) {
  const search = new MiniSearch({
    fields: ["title", "page", "text"],
    idField: "number",
    tokenize: words,
    processTerm: (word) => (word && !SMALL.has(word) ? word.replace(/(?<=..[^su])s$/, "") : null),
  });
  search.addAll(sections.map((section, number) => ({ ...section, number })));
  return search;
}

function find(search, sections, query) {
  const options = {
    boost: { title: 5, page: 2 },
    prefix: (word, at, all) => at === all.length - 1 && word.length > 2,
    fuzzy: (word) => (word.length > 5 ? 0.15 : false),
    weights: { fuzzy: 0.3, prefix: 0.6 },
    boostDocument: (number) => sections[number].weight,
  };
  const all = search.search(query, { ...options, combineWith: "AND" });
  const some = search.search(query, options).filter(({ id }) => !all.some((found) => found.id === id));
  return [...all, ...some].slice(0, SHOWN);
}

// The piece of a text where most of the terms stand together.
function excerpt(text, terms) {
  const places = terms.flatMap((term) => [...text.toLowerCase().matchAll(new RegExp(term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "g"))].map(({ index }) => index));
  const near = (place) => places.filter((other) => Math.abs(other - place) < AROUND).length;
  const best = places.reduce((one, other) => (near(other) > near(one) ? other : one), places[0] ?? 0);
  const from = best > AROUND ? text.indexOf(" ", best - AROUND) + 1 : 0;
  const end = text.lastIndexOf(" ", Math.min(best + 2 * AROUND, text.length));
  const to = best + 2 * AROUND >= text.length ? text.length : Math.max(end, from);
  return (from ? "… " : "") + text.slice(from, to) + (to < text.length ? " …" : "");
}

function marked(text, terms) {
  const parent = document.createDocumentFragment();
  const any = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).sort((a, b) => b.length - a.length).join("|");
  const parts = any ? text.split(new RegExp(`((?<![\\p{L}])(?:${any})[\\p{L}]*)`, "giu")) : [text];
  parts.forEach((part, number) => {
    if (number % 2 === 0) return parent.append(part);
    const mark = document.createElement("mark");
    mark.textContent = part;
    parent.append(mark);
  });
  return parent;
}

function item(section, terms) {
  const link = Object.assign(document.createElement("a"), { href: section.url });
  link.append(marked(section.title, terms));
  const where = Object.assign(document.createElement("span"), { className: "uo-found-page", textContent: section.page });
  const text = document.createElement("p");
  text.append(marked(excerpt(section.text, terms), terms));
  const result = document.createElement("li");
  result.append(link, ...(section.page === section.title ? [] : [where]), text);
  return result;
}

function start() {
  const list = document.querySelector("#search-results");
  const told = document.querySelector("#search-told");
  const inputs = [...document.querySelectorAll('input[name="q"]')];
  const sections = window.courseSections;
  const search = prepare(sections);

  function show(query) {
    const found = query.trim() ? find(search, sections, query) : [];
    list.replaceChildren(...found.map(({ id, terms }) => item(sections[id], terms)));
    told.textContent = query.trim() ? `${found.length === SHOWN ? "The first " : ""}${found.length || "No"} ${found.length === 1 ? "section" : "sections"} for “${query.trim()}”.` : "";
  }

  const query = new URLSearchParams(location.search).get("q") ?? "";
  let waiting;
  for (const input of inputs) {
    input.value = query;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => show(input.value), 150);
    });
  }
  show(query);
  document.querySelector(".uo-search input")?.focus();
}

start();
