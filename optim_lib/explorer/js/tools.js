// What a reader does with a figure as a whole: a link to it, back to the start, the whole screen, picture and numbers.

import { hashOf } from "./keep.js";
import { FONT } from "./shapes.js";
import { SvgContext } from "./svg.js";

const SAID_MS = 2000;
const MARGIN = 16;
const LINE = 19;
const WIDTH = 740;

export class Tools {
  constructor(figure, root) {
    this.figure = figure;
    const acts = {
      link: (button) => this.link(button),
      reset: () => this.reset(),
      full: () => this.full(),
      png: () => this.png(),
      svg: () => this.save("svg", "image/svg+xml", this.svg()),
      csv: () => this.save("csv", "text/csv", figure.csv()),
    };
    for (const button of root.querySelectorAll("[data-tool]")) {
      const { tool } = button.dataset;
      button.hidden = (tool === "link" && !figure.onPage) || (tool === "full" && !document.fullscreenEnabled);
      button.addEventListener("click", () => acts[tool](button));
    }
  }

  async link(button) {
    const { figure } = this;
    const address = new URL(hashOf(figure.spec.key, figure.setting()), location.href).href;
    const words = (await copied(address)) ? "Copied" : "Not copied";
    const before = button.textContent;
    button.textContent = words;
    figure.announce(words === "Copied" ? "The link is copied." : `The link could not be copied: ${address}`);
    setTimeout(() => (button.textContent = before), SAID_MS);
  }

  reset() {
    this.figure.putBack();
    this.figure.announce("Back to where it began.");
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.figure.container.requestFullscreen();
  }

  // ---- files

  save(kind, type, content) {
    const url = URL.createObjectURL(new Blob([content], { type }));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = `${this.figure.spec.key}.${kind}`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), SAID_MS);
  }

  svg() {
    const measure = document.createElement("canvas").getContext("2d");
    const height = this.draw(new SvgContext(measure));
    const context = new SvgContext(measure);
    this.draw(context, height);
    return context.document(WIDTH + 2 * MARGIN, height, this.figure.spec.heading || this.figure.spec.title);
  }

  png() {
    const scale = 2;
    const measure = document.createElement("canvas").getContext("2d");
    const height = this.draw(new SvgContext(measure));
    const canvas = document.createElement("canvas");
    canvas.width = scale * (WIDTH + 2 * MARGIN);
    canvas.height = scale * height;
    const c = canvas.getContext("2d");
    c.scale(scale, scale);
    this.draw(c, height);
    canvas.toBlob((blob) => this.save("png", "image/png", blob));
  }

  // Title, pictures and sentence, one below the other, on paper of this height; returns the height that it takes.
  draw(c, height = 0) {
    const { figure } = this;
    const { paper, ink, muted } = figure.colors;
    c.fillStyle = paper;
    c.fillRect(0, 0, WIDTH + 2 * MARGIN, height);
    c.save();
    c.translate(MARGIN, MARGIN);
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
    c.fillStyle = ink;
    c.font = `600 15.5px ${FONT}`;
    c.fillText(figure.spec.heading || figure.spec.title, 0, 14);
    c.save();
    c.translate(0, 28);
    const tall = figure.drawAll(c, WIDTH);
    c.restore();
    let y = 28 + tall + LINE + 6;
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
    for (const [words, color] of [
      [figure.words, ink],
      [figure.credit, muted],
    ]) {
      c.font = `13px ${FONT}`;
      c.fillStyle = color;
      for (const row of wrapped(c, words, WIDTH)) {
        c.fillText(row, 0, y);
        y += LINE;
      }
    }
    c.restore();
    return y + MARGIN;
  }
}

export function wrapped(c, text, width) {
  const rows = [];
  for (const word of text.split(" ")) {
    const longer = rows.length ? `${rows.at(-1)} ${word}` : word;
    if (rows.length && c.measureText(longer).width <= width) rows[rows.length - 1] = longer;
    else rows.push(word);
  }
  return rows;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without that permission, or on a page without https, the old way.
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
