// Shows the page's widgets from the state stored in it: no kernel, no server, nothing from off the site.
// The site's assets have this bundled with the modules that it imports (tools/site_assets.py). The manager of
// @jupyter-widgets/html-manager does the same and more (output areas, ipywidgets 7, a content delivery network to fall
// back to), for three times the size.
import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import { Widget } from "@lumino/widgets";
import "@jupyter-widgets/controls/css/labvariables.css";
import "@jupyter-widgets/controls/css/widgets-base.css";
import anywidget from "./anywidget.js"; // from the installed wheel

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const MODULES = { "@jupyter-widgets/base": base, "@jupyter-widgets/controls": controls, anywidget };

class PageManager extends ManagerBase {
  async loadClass(name, module) {
    const found = MODULES[module]?.[name];
    if (!found) throw new Error(`The page has a widget ${name} of ${module}, which this site does not know.`);
    return found;
  }

  // There is no kernel to talk to.
  async _get_comm_info() {
    return {};
  }

  async _create_comm() {
    const nothing = () => {};
    return { on_close: nothing, on_msg: nothing, close: nothing };
  }
}

async function showView(manager, script) {
  const { model_id } = JSON.parse(script.textContent);
  if (!manager.has_model(model_id)) return;
  const place = document.createElement("div");
  place.className = "widget-subarea";
  script.before(place);
  const view = await manager.create_view(await manager.get_model(model_id));
  Widget.attach(view.luminoWidget, place);
  place.dataset.ready = "true";
}

async function show() {
  const manager = new PageManager();
  for (const script of document.querySelectorAll(STATE)) await manager.set_state(JSON.parse(script.textContent));
  for (const script of document.querySelectorAll(VIEW)) await showView(manager, script);
  document.documentElement.dataset.widgets = "ready";
}

// For whoever wants to come after the figures; it never fails.
window.figuresShown = show().catch((error) => console.error("The interactive figures could not be shown.", error));
