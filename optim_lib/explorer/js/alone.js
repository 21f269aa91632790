// A figure in a page of its own (optim_lib.explorer.save_html): nothing else is needed.

import { showPlain } from "./plain.js";

const container = document.querySelector(".uo-figure");
const state = JSON.parse(document.getElementById("figure").textContent);
const table = Uint8Array.from(atob(state.table), (letter) => letter.charCodeAt(0));
showPlain(container, state, () => table);
