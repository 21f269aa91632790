// What an EPUB has of a page of the site: its article as XML, without what needs a script. Asked of a browser by
// tools/epub.py, which has a parser for HTML as it is written, and knows where SVG and MathML begin.
({ html, names }) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const article = page.querySelector("article.bd-article");
  const all = (selector) => [...article.querySelectorAll(selector)];
  // What tells the colors apart is a row of buttons on the site.
  for (const entry of all(".uo-legend .uo-entry")) {
    const word = page.createElement("span");
    word.append(...entry.childNodes, " ");
    entry.closest(".uo-bar").before(word);
  }
  const GONE = `script, noscript, canvas, button, input:not(.uo-question *), .uo-sr, .uo-skip, .uo-sliders, .uo-bar,
    .uo-tools, .uo-tasks, .uo-after, .uo-acts, .uo-output, .uo-judged, .uo-aside, .uo-said, .uo-notebook, .uo-quiz-said,
    .uo-start-course, .uo-go-on, .uo-elsewhere, .uo-about, .copybtn, .headerlink, [data-progress], [data-take],
    .cell:has([data-progress]), details.hide`;
  for (const element of all(GONE)) element.remove();
  // The answers of a quiz fold out.
  for (const answer of all(".uo-answer")) {
    const [label, said] = [answer.querySelector("label"), answer.querySelector(".uo-feedback")];
    const fold = page.createElement("details");
    fold.append(Object.assign(page.createElement("summary"), { innerHTML: label?.innerHTML ?? "" }), said ?? "");
    answer.replaceWith(fold);
  }
  for (const field of all("fieldset, legend")) {
    const plain = page.createElement(field.localName === "legend" ? "p" : "div");
    plain.className = field.className;
    plain.append(...field.childNodes);
    field.replaceWith(plain);
  }
  // Links inside of the book lead to its files; others of the site lead nowhere in it.
  for (const link of all("a[href]")) {
    const [path, anchor] = link.getAttribute("href").split("#");
    if (/^(https?|mailto):/.test(path) || (!path && anchor)) continue;
    const name = path.replace(/\.html$/, "");
    if (names.includes(name)) link.setAttribute("href", `${name}.xhtml${anchor ? `#${anchor}` : ""}`);
    else link.removeAttribute("href");
  }
  for (const element of all("*"))
    for (const { name } of [...element.attributes])
      if (/^(data-|on|tabindex|contenteditable)/.test(name)) element.removeAttribute(name);
  for (const row of all("mrow:is([displaystyle], [scriptlevel])")) {
    row.removeAttribute("displaystyle");
    row.removeAttribute("scriptlevel");
  }
  const ids = new Set(all("[id]").map(({ id }) => id));
  for (const link of all('a[href^="#"]')) if (!ids.has(decodeURIComponent(link.hash.slice(1)))) link.removeAttribute("href");
  const styles = all("style").map((style) => style.textContent);
  for (const style of all("style")) style.remove();
  const headings = all("section[id] > :is(h1, h2)").map((heading) => ({
    level: Number(heading.localName[1]),
    id: heading.parentElement.id,
    text: heading.textContent.trim(),
  }));
  const has = { mathml: Boolean(article.querySelector("math")), svg: Boolean(article.querySelector("svg")) };
  return { body: new XMLSerializer().serializeToString(article), styles, headings, has };
};
