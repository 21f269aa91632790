// A drawing context that writes SVG: the part of a canvas's that the figures use. What is drawn on a canvas is so saved
// as a drawing, by the same code.

const round = (value) => String(Math.round(value * 100) / 100);

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (mark) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[mark]);

const ANCHORS = { left: "start", center: "middle", right: "end", start: "start", end: "end" };
// How far below a line's middle, and below its top, its baseline lies: in parts of the letters' size.
const BASELINES = { alphabetic: 0, middle: 0.35, top: 0.8 };

export class SvgContext {
  // `measure` is a canvas's context, which alone knows how wide words are.
  constructor(measure) {
    this.measure = measure;
    this.parts = [];
    this.clips = [];
    this.stack = [];
    this.d = "";
    this.set = {
      fillStyle: "#000",
      strokeStyle: "#000",
      lineWidth: 1,
      lineJoin: "miter",
      lineCap: "butt",
      globalAlpha: 1,
      font: "10px sans-serif",
      textAlign: "left",
      textBaseline: "alphabetic",
      dash: [],
      moved: "",
      clipping: null,
    };
    for (const name of Object.keys(this.set))
      Object.defineProperty(this, name, {
        get: () => this.set[name],
        set: (value) => {
          this.set[name] = value;
        },
      });
  }

  save() {
    this.stack.push({ ...this.set });
  }

  restore() {
    if (this.stack.length) this.set = this.stack.pop();
  }

  translate(x, y) {
    this.moved += ` translate(${round(x)} ${round(y)})`;
  }

  rotate(angle) {
    this.moved += ` rotate(${round((angle * 180) / Math.PI)})`;
  }

  beginPath() {
    this.d = "";
  }

  moveTo(x, y) {
    this.d += `M${round(x)} ${round(y)}`;
  }

  lineTo(x, y) {
    this.d += `${this.d ? "L" : "M"}${round(x)} ${round(y)}`;
  }

  closePath() {
    this.d += "Z";
  }

  rect(x, y, w, h) {
    this.d += `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}Z`;
  }

  // Whole circles are all that the figures draw.
  arc(x, y, r) {
    const half = `a${round(r)} ${round(r)} 0 1 1`;
    this.d += `M${round(x + r)} ${round(y)}${half} ${round(-2 * r)} 0${half} ${round(2 * r)} 0`;
  }

  clip() {
    this.clipping = `clip-${this.clips.length}`;
    this.clips.push(`<clipPath id="${this.clipping}"><path d="${this.d}"${this.transform()}/></clipPath>`);
  }

  transform() {
    return this.moved ? ` transform="${this.moved.trim()}"` : "";
  }

  put(tag, attributes, inside) {
    const { globalAlpha, clipping } = this.set;
    const all = { ...attributes, ...(globalAlpha < 1 ? { opacity: round(globalAlpha) } : {}) };
    const told = Object.entries(all).map(([name, value]) => ` ${name}="${escaped(value)}"`);
    const element = `<${tag}${told.join("")}${this.transform()}${inside === undefined ? "/>" : `>${inside}</${tag}>`}`;
    this.parts.push(clipping ? `<g clip-path="url(#${clipping})">${element}</g>` : element);
  }

  stroked() {
    const { strokeStyle, lineWidth, lineJoin, lineCap, dash } = this.set;
    return {
      stroke: strokeStyle,
      "stroke-width": round(lineWidth),
      "stroke-linejoin": lineJoin,
      "stroke-linecap": lineCap,
      ...(dash.length ? { "stroke-dasharray": dash.join(" ") } : {}),
    };
  }

  stroke() {
    if (this.d) this.put("path", { d: this.d, fill: "none", ...this.stroked() });
  }

  fill() {
    if (this.d) this.put("path", { d: this.d, fill: this.fillStyle });
  }

  fillRect(x, y, w, h) {
    this.put("rect", { x: round(x), y: round(y), width: round(w), height: round(h), fill: this.fillStyle });
  }

  setLineDash(dash) {
    this.dash = dash;
  }

  measureText(text) {
    this.measure.font = this.font;
    return this.measure.measureText(text);
  }

  text(words, x, y, paint) {
    const [, style = "", weight = "", size, family] = this.font.match(/^(italic )?(\d+ )?([\d.]+)px (.*)$/) ?? [];
    const drop = (BASELINES[this.textBaseline] ?? 0) * Number(size);
    this.put(
      "text",
      {
        x: round(x),
        y: round(y + drop),
        "font-family": family,
        "font-size": size,
        ...(style ? { "font-style": "italic" } : {}),
        ...(weight ? { "font-weight": weight.trim() } : {}),
        "text-anchor": ANCHORS[this.textAlign],
        ...paint,
      },
      escaped(words),
    );
  }

  fillText(words, x, y) {
    this.text(words, x, y, { fill: this.fillStyle });
  }

  strokeText(words, x, y) {
    this.text(words, x, y, { fill: "none", ...this.stroked() });
  }

  drawImage(canvas, x, y, w, h) {
    const href = canvas.toDataURL("image/png");
    this.put("image", {
      href,
      x: round(x),
      y: round(y),
      width: round(w),
      height: round(h),
      preserveAspectRatio: "none",
    });
  }

  document(width, height, title) {
    const size = `width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}"`;
    const defs = this.clips.length ? `<defs>${this.clips.join("")}</defs>` : "";
    const head = `<svg xmlns="http://www.w3.org/2000/svg" ${size}><title>${escaped(title)}</title>`;
    return `${head}${defs}${this.parts.join("")}</svg>\n`;
  }
}
