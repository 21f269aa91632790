// The letters of the formulas, likewise, on pages that have formulas.
if (location.protocol !== "file:") {
  const href = new URL("STIXTwoMath.woff2", document.currentScript.src);
  const link = { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href };
  document.head.append(Object.assign(document.createElement("link"), link));
}
