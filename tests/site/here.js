// Where the keyboard is: which element, whether it can be seen that it is there, and where it stands in the page.
() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  globalThis.seen ??= [];
  if (!seen.includes(at)) seen.push(at);
  const shown = getComputedStyle(at).outlineStyle !== "none" && parseFloat(getComputedStyle(at).outlineWidth) > 0;
  const field = at.closest("[role=textbox], input, .uo-answer");
  const box = at.getBoundingClientRect();
  const order = [...document.querySelectorAll("*")].indexOf(at);
  return {
    order,
    number: seen.indexOf(at),
    tag: at.tagName.toLowerCase(),
    role: at.getAttribute("role"),
    type: at.type ?? "",
    classes: [...at.classList],
    name: (at.ariaLabel ?? at.textContent).trim().slice(0, 40),
    href: at.getAttribute("href"),
    shown: shown || !!field,
    seen: box.bottom > 0 && box.top < innerHeight,
    inArticle: !!at.closest(".bd-article"),
  };
};
