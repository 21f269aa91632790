// Small repairs of the page; everything works without them but one thing: search results of a site opened from disk,
// where a page may not fetch another, are shown without excerpts.
if (window.DOCUMENTATION_OPTIONS && location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
