// MathJax 3, configured after the page is parsed and before MathJax starts (both scripts are deferred): the quizzes'
// scripts, which run before, must not find a MathJax that is not there yet.
// Only the course's own marked-up mathematics and the outputs of cells are searched for formulas.
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
};
