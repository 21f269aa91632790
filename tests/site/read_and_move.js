// Read a page and move each slider of each figure by keys: what is there, and which sliders leave their figure as it was.
async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const until = async (holds) => {
    const end = performance.now() + 12000;
    while (!holds() && performance.now() < end) await wait(30);
    return holds();
  };
  await until(() => document.querySelector("main"));
  if (document.querySelector("[data-figure]")) await until(() => document.documentElement.dataset.widgets === "ready");
  const still = [];
  for (const figure of document.querySelectorAll(".uo-figure")) {
    figure.scrollIntoView({ block: "center" });
    const root = figure.querySelector(".uo-explorer");
    if (!(await until(() => root.dataset.ready === "true"))) {
      still.push(`${root.getAttribute("aria-label")}: it does not come to life`);
      continue;
    }
    const said = () => root.querySelector(".uo-says").textContent;
    for (const handle of figure.querySelectorAll(".noUi-handle")) {
      const [before, last] = [said(), Number(handle.getAttribute("aria-valuemax"))];
      const key = Number(handle.getAttribute("aria-valuenow")) > 0.7 * last ? "ArrowLeft" : "ArrowRight";
      for (let moves = 0; moves < Math.max(3, last / 3); moves++)
        handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      if (!(await until(() => said() !== before))) still.push(`${root.getAttribute("aria-label")}: ${before}`);
    }
  }
  return {
    title: document.title,
    words: document.querySelector("main").innerText.split(/\s+/).length,
    sideways: document.documentElement.scrollWidth - innerWidth,
    untypeset: [...document.querySelectorAll(".math")].filter((math) => !math.querySelector("math")).length,
    still,
  };
};
