// Write style sheets without the rules that no page of a site can need: node purge.mjs SITE SCRIPT... SHEET...
// What the scripts name is kept. A sheet x.css becomes x.lean.css beside it.
import { writeFile } from "node:fs/promises";
import { PurgeCSS } from "purgecss";

const [site, ...files] = process.argv.slice(2);
const are = (kind) => files.filter((file) => file.endsWith(kind));
const kept = await new PurgeCSS().purge({
  content: [`${site}/**/*.html`, ...are(".js")],
  css: are(".css"),
  fontFace: true,
  keyframes: true,
  // What a script or a reader's setting writes on an element.
  dynamicAttributes: ["data-theme", "data-mode", "open", "aria-expanded", "aria-hidden", "disabled"],
});
for (const { file, css } of kept) await writeFile(file.replace(/\.css$/, ".lean.css"), css);
