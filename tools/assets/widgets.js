// Brings the page's figures to life from the widgets' state stored in it: no kernel, no server, nothing from off the site.
// The site's assets have this bundled with the modules that it imports (tools/site_assets.py). The manager of
// @jupyter-widgets/html-manager does the same and more (output areas, ipywidgets 7, a content delivery network to fall
// back to), for three times the size; anywidget itself would import a copy of the figures' script through a blob, which
// a strict policy forbids.
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as boxes from "@jupyter-widgets/controls/lib/widget_box";
import * as sliderStyles from "@jupyter-widgets/controls/lib/widget_int";
import * as links from "@jupyter-widgets/controls/lib/widget_link";
import * as selections from "@jupyter-widgets/controls/lib/widget_selection";
import * as texts from "@jupyter-widgets/controls/lib/widget_string";
import { Widget } from "@lumino/widgets";
import "@jupyter-widgets/controls/css/labvariables.css";
import "@jupyter-widgets/controls/css/widgets-base.css";
import { failed, liven } from "./explorer/index.js";
import { settingOf } from "./explorer/keep.js";
import { showPlain } from "./explorer/plain.js";
import { nameHandle } from "./explorer/sliders.js";

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const FIGURES = "[data-figure]";
// A figure is made ready when it is this close to the screen.
const NEAR = "600px 0px";
const MODULES = {
  "@jupyter-widgets/base": base,
  // Of the controls, those that figures have: all of them would be a third more to load.
  "@jupyter-widgets/controls": { ...boxes, ...sliderStyles, ...links, ...selections, ...texts },
  anywidget: { AnyModel: base.DOMWidgetModel, AnyView: base.DOMWidgetView },
};
const STYLE = document.currentScript.src.replace(/\.js(\?.*)?$/, ".css$1");

class PageManager extends ManagerBase {
  async loadClass(name, module) {
    const found = MODULES[module]?.[name];
    if (!found) throw new Error(`The page has a widget ${name} of ${module}, which this site does not know.`);
    return found;
  }

  // There is no kernel to talk to.
  async _get_comm_info() {
    return {};
  }

  async _create_comm() {
    const nothing = () => {};
    return { on_close: nothing, on_msg: nothing, close: nothing };
  }
}

// The style of ipywidgets' controls, which nothing needs before they are there.
function styled() {
  return new Promise((done, lost) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: STYLE, onload: done, onerror: lost });
    document.head.prepend(link);
  });
}

// ---- a figure's numbers

async function tableOf(container) {
  const { table } = container.dataset;
  if (location.protocol === "file:") return tableFromDisk(table);
  const answer = await fetch(`${table}.bin`);
  if (!answer.ok) throw new Error(`${table}.bin: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

// A page from disk may fetch nothing, but it may have scripts.
async function tableFromDisk(table) {
  await new Promise((done, lost) => {
    const script = document.createElement("script");
    Object.assign(script, { src: `${table}.js`, onload: done, onerror: lost });
    document.head.append(script);
  });
  const packed = globalThis.figureTables[table.split("/").at(-1)];
  return Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
}

// ---- figures

class PageFigure {
  constructor(manager, container) {
    this.manager = manager;
    this.container = container;
    this.root = container.querySelector(".uo-explorer");
  }

  async parts() {
    const box = await this.manager.get_model(this.container.dataset.model);
    const [row, canvas] = box.get("children").slice(-2);
    return { sliders: row.get("children"), canvas };
  }

  // The sliders, in the room that the page has kept for them.
  mount() {
    this.mounted ??= (async () => {
      const { sliders, canvas } = await this.parts();
      const views = await Promise.all(sliders.map((slider) => this.manager.create_view(slider)));
      const room = this.container.querySelector(".uo-sliders");
      room.replaceChildren();
      for (const view of views) Widget.attach(view.luminoWidget, room);
      // They can be reached before the figure is near.
      views.forEach((view, k) => nameHandle(view.el, canvas.get("spec").axes[k], canvas.get(`i${k}`)));
    })();
    return this.mounted;
  }

  open() {
    this.opened ??= (async () => {
      await this.mount();
      const { canvas } = await this.parts();
      const figure = liven(canvas, this.root, () => tableOf(this.container));
      figure.recipe = () => this.recipe();
      await figure.opened;
      this.container.dispatchEvent(new CustomEvent("figure-open", { bubbles: true, detail: figure }));
    })().catch((error) => failed(this.root, error));
    return this.opened;
  }

  // How to compute the table again (optim_lib.explorer.recompute); null if that cannot be told.
  async recipe() {
    const { recipe } = this.container.dataset;
    return recipe ? (await fetch(recipe)).json() : null;
  }
}

// A link to a figure leads to it; coming back to a page, the browser knows where the reader was.
function goToLinked(containers) {
  const asked = settingOf(location.hash)?.fig;
  const [arrival] = performance.getEntriesByType("navigation");
  if (asked && arrival?.type === "navigate")
    containers.find((container) => container.dataset.figure === asked)?.scrollIntoView();
}

// ---- the text plays the figures

// Sentences that set a figure are plain text (tools/plays.py) until the figures are there; then they are links.
function linkSentences(figures) {
  for (const words of document.querySelectorAll("[data-plays]")) {
    const figure = figures.get(settingOf(words.dataset.plays)?.fig);
    if (figure) words.replaceWith(linked(words, figure));
  }
}

function linked(words, figure) {
  const link = document.createElement("a");
  link.className = "uo-plays";
  link.href = words.dataset.plays;
  link.append(...words.childNodes);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    left = link;
    play(figure, link.hash);
  });
  return link;
}

// The sentence that was left last. A page may have grown above it meanwhile: the browser's own way back then ends beside it.
let left;
addEventListener("popstate", () => {
  setTimeout(() => {
    const { top, bottom } = left?.getBoundingClientRect() ?? { top: 0, bottom: 0 };
    if (left && (bottom < 0 || top > innerHeight)) left.scrollIntoView({ block: "center", behavior: "instant" });
  }, 100);
});

// The way back in the browser's history leads to the sentence, and moves the page nowhere else.
async function play(figure, hash) {
  try {
    history.replaceState({ ...history.state, reading: true }, "");
    if (location.hash !== hash) history.pushState(null, "", hash);
  } catch {
    // A page from disk may not be allowed to: the figure moves all the same.
  }
  await figure.open();
  figure.container.figure?.follow(hash);
}

const idle = () =>
  new Promise((done) =>
    window.requestIdleCallback ? requestIdleCallback(done, { timeout: 2000 }) : setTimeout(done, 50),
  );

async function show() {
  const containers = [...document.querySelectorAll(FIGURES)];
  if (!containers.length) return;
  try {
    goToLinked(containers);
    const style = styled();
    const manager = new PageManager();
    await manager.set_state(JSON.parse(document.querySelector(STATE).textContent));
    await style;
    const figures = new Map(containers.map((container) => [container, new PageFigure(manager, container)]));
    linkSentences(new Map([...figures.values()].map((figure) => [figure.container.dataset.figure, figure])));
    const seen = await new Promise((first) => {
      const observer = new IntersectionObserver(
        (entries) => {
          const near = entries.filter((entry) => entry.isIntersecting).map((entry) => figures.get(entry.target));
          for (const figure of near) observer.unobserve(figure.container);
          first(near.map((figure) => figure.open()));
        },
        { rootMargin: NEAR },
      );
      for (const container of containers) observer.observe(container);
    });
    await Promise.all(seen);
    // The others get their sliders as soon as there is time, and their numbers when they come near.
    for (const figure of figures.values()) {
      await idle();
      await figure.mount();
    }
  } catch (error) {
    for (const container of containers) failed(container.querySelector(".uo-explorer"), error);
  }
  document.documentElement.dataset.widgets = "ready";
}

// A figure that the reader's own code has made, with the browser's own sliders.
globalThis.showFigure = (container, { spec, table, at }) => {
  const places = Object.fromEntries(at.map((index, k) => [`i${k}`, index]));
  return showPlain(container, { spec, ...places, start: 0, step: spec.steps }, () => table);
};

// For whoever wants to come after the figures; it never fails.
window.figuresShown = show();
