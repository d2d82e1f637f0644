// A view that is read whole, once for each state of the workspace.

import { ask } from "../api.js";
import { announce, busy, fill, notice, title } from "../dom.js";

/** Return the class of a view: what `path` answers is drawn by `drawn`; `none` stands for a 404. */
export function readOnce({ path, drawn, none }) {
  return class {
    constructor(panel) {
      this.panel = panel;
      panel.classList.add("wide");
    }

    async show() {
      if (this.started) return;
      this.started = true;
      fill(this.panel, title("Loading…"));
      try {
        fill(this.panel, drawn(await ask(path)));
      } catch (error) {
        fill(this.panel, notice(error.status === 404 ? none : "That did not work", error.message));
      }
      announce(this.panel.querySelector("h1, h2").textContent);
      busy(this.panel, false);
    }

    stale() {
      this.started = false;
    }
  };
}
