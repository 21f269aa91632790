// The text face is on its way before the style sheet names it (a page from disk may not ask for it so). This file is a
// part of the script that tools/lean.py puts beside the face.
if (location.protocol !== "file:") {
  const href = new URL("source-serif-4-latin-wght-normal.woff2", document.currentScript.src);
  const link = { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href };
  document.head.append(Object.assign(document.createElement("link"), link));
}
