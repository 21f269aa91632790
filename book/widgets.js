// Shows the page's widgets from the state stored in it: no kernel, no server, nothing from off the site.
// The stock loader of @jupyter-widgets/html-manager falls back to a content delivery network; this one cannot.
(function () {
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  // ipywidgets asks MathJax 2's queue to typeset the labels of sliders; the course has MathJax 3.
  function Queue([, , element]) {
    const hasFormula = element && /\$|\\\(/.test(element.textContent);
    if (hasFormula) MathJax.startup?.promise?.then(() => MathJax.typesetPromise([element]));
  }
  if (window.MathJax) window.MathJax.Hub = { Queue };

  function load(names) {
    return new Promise((resolve, reject) => requirejs(names, (...modules) => resolve(modules), reject));
  }

  async function showView(manager, script) {
    const { model_id } = JSON.parse(script.textContent);
    if (!manager.has_model(model_id)) return;
    const place = document.createElement("div");
    place.className = "widget-subarea";
    script.before(place);
    const view = await manager.create_view(await manager.get_model(model_id));
    await manager.display_view(view, place);
    place.dataset.ready = "true";
  }

  async function show() {
    const [{ HTMLManager }] = await load(["@jupyter-widgets/html-manager"]);
    const manager = new HTMLManager({ loader: async (name) => (await load([name]))[0] });
    for (const script of document.querySelectorAll(STATE)) {
      await manager.set_state(JSON.parse(script.textContent));
    }
    for (const script of document.querySelectorAll(VIEW)) {
      await showView(manager, script);
    }
    document.documentElement.dataset.widgets = "ready";
  }

  show().catch((error) => console.error("The interactive figures could not be shown.", error));
})();
