// Small repairs of the page; everything works without them but one thing: search results of a site opened from disk,
// where a page may not fetch another, are shown without excerpts.
if (typeof DOCUMENTATION_OPTIONS !== "undefined" && location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
