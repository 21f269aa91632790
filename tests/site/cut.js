// Every text, picture and field of the page against each element around it that could cut it. What scrolls must say so,
// by a shadow at its edge (book/site.css paints it with backgrounds that stay while the content moves).
() => {
  const styles = new Map();
  const style = (element) => styles.get(element) ?? styles.set(element, getComputedStyle(element)).get(element);
  const hidden = (element) => !element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  // For a screen reader alone.
  const unseen = (element) =>
    style(element).clipPath.startsWith("inset(50%") ||
    style(element).clip === "rect(0px, 0px, 0px, 0px)" ||
    (element.clientWidth <= 1 && style(element).overflowX === "hidden" && style(element).position === "absolute");
  const told = (element, what, by) =>
    `${what} by ${by.toFixed(0)} px: ${element.textContent.trim().slice(0, 60)} ` +
    `(${element.tagName.toLowerCase()}.${[...element.classList].join(".")})`;

  function cut(element, box) {
    for (let around = element; around; around = around.parentElement) {
      if (unseen(around) || style(around).position === "fixed") return null;
      const { overflowX, overflowY, backgroundAttachment } = style(around);
      const edge = around.getBoundingClientRect();
      const beside = Math.max(box.right - edge.right, edge.left - box.left);
      const below = Math.max(box.bottom - edge.bottom, edge.top - box.top);
      const clips = (overflow) => overflow === "hidden" || overflow === "clip";
      if (clips(overflowX) && beside > 1.5) return told(element, "cut", beside);
      if (clips(overflowY) && below > 0.35 * box.height && below > 3) return told(element, "cut below", below);
      if (["auto", "scroll"].includes(overflowX) && around !== document.documentElement && around !== document.body) {
        if (beside <= 1.5) continue;
        return backgroundAttachment.includes("local") ? null : told(around, "scrolls without a shadow", beside);
      }
    }
    const beside = Math.max(box.right - innerWidth, -box.left);
    return beside > 1.5 ? told(element, "off the screen", beside) : null;
  }

  const found = new Map();
  const walker = document.createTreeWalker(
    document.querySelector("main"),
    NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT,
  );
  const range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const isText = node.nodeType === 3;
    if (isText ? !node.data.trim() : !node.matches("img, svg, canvas, math, table, button, input, summary")) continue;
    const element = isText ? node.parentElement : node;
    if (element.closest("script, style, noscript, .uo-skip, .noUi-target, .headerlink") || hidden(element)) continue;
    range.selectNodeContents(node);
    const boxes = isText ? [...range.getClientRects()] : [node.getBoundingClientRect()];
    for (const box of boxes) {
      if (box.width < 0.5 || box.height < 0.5) continue;
      const wrong = cut(element, box);
      if (wrong) found.set(wrong.replace(/ by \d+ px/, ""), wrong);
    }
  }
  return [...found.values()].slice(0, 12);
};
