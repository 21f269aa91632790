() => {
  const shown = (e) => e.checkVisibility() && e.getBoundingClientRect().height > 0;
  const find = (selector) =>
    [...document.querySelectorAll(selector)].filter(shown).map((e) => e.outerHTML.slice(0, 120));
  const controls =
    ".uo-sliders, .uo-bar > :not(.uo-legend), .uo-tools, .uo-tasks, .uo-acts, canvas, .copybtn, .bd-sidebar, .bd-header-article button, .prev-next-footer";
  const wide = [...document.querySelectorAll(".bd-article pre")].filter(
    (pre) => shown(pre) && pre.scrollWidth > pre.clientWidth + 1,
  );
  const split = [...document.querySelectorAll(".uo-figure, figure")].filter(
    (f) => shown(f) && getComputedStyle(f).breakInside !== "avoid",
  );
  const empty = [...document.querySelectorAll(".uo-figure")].filter(
    (f) => ![...f.querySelectorAll("svg.uo-still")].some(shown),
  );
  const unnamed = [...document.querySelectorAll(".uo-legend .uo-entry")].filter((entry) => !shown(entry));
  return { controls: find(controls), wide: wide.length, split: split.length, empty: empty.length, unnamed: unnamed.length };
};
