// MathJax 3, configured after the page is parsed and before MathJax starts (both scripts are deferred): the quizzes'
// scripts, which run before, must not find a MathJax that is not there yet.
// Only the course's own marked-up mathematics and the outputs of cells are searched for formulas. Those near the place
// where the reader is are set first; the others wait for the figures, so that a slider answers soon.
{
  const PLACES = ".math, .cell_output, .output_area, .tex2jax_process, .mathjax_process";
  const TOGETHER = 40;

  const idle = () => new Promise((go) => (window.requestIdleCallback ?? setTimeout)(go, { timeout: 300 }));

  function isNear(place) {
    const { top, bottom } = place.getBoundingClientRect();
    return bottom > -innerHeight && top < 2 * innerHeight;
  }

  async function typesetPage() {
    const all = [...document.querySelectorAll(PLACES)].filter((place) => !place.parentElement.closest(PLACES));
    const near = new Set(all.filter(isNear));
    if (near.size) await MathJax.typesetPromise([...near]);
    await window.figuresShown; // from widgets.js, on pages with figures
    const far = all.filter((place) => !near.has(place));
    for (let k = 0; k < far.length; k += TOGETHER) {
      await idle();
      await MathJax.typesetPromise(far.slice(k, k + TOGETHER));
    }
  }

  window.MathJax = {
    loader: { load: ["input/tex", "output/chtml", "a11y/assistive-mml"] },
    tex: {
      inlineMath: [["\\(", "\\)"], ["$", "$"]],
      displayMath: [["\\[", "\\]"], ["$$", "$$"]],
      processEscapes: true,
    },
    options: {
      ignoreHtmlClass: "tex2jax_ignore|mathjax_ignore|document",
      processHtmlClass: "tex2jax_process|mathjax_process|math|cell_output|output_area",
    },
    startup: { pageReady: typesetPage },
  };
}
