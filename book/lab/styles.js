// In place of the module style-mod: the same style sheets, adopted by the document instead of written into the page,
// which a content security policy without 'unsafe-inline' refuses.
import { StyleModule as Written } from "../node_modules/style-mod/src/style-mod.js";

const adopted = new Set();

export class StyleModule extends Written {
  static newName() {
    return Written.newName();
  }

  static mount(root, modules) {
    for (const module of [modules].flat()) {
      if (adopted.has(module)) continue;
      adopted.add(module);
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(module.getRules());
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }
  }
}
