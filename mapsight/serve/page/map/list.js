// The cells as a list, for keys and for those who hear the page.

import { button, el, fill, listen } from "../dom.js";
import { count, many } from "../format.js";

const AT_ONCE = 200;

export class CellList {
  /** `pointed(cell)` is called when one has the focus or the pointer, `chosen(cell)` when taken. */
  constructor({ pointed, chosen }) {
    Object.assign(this, { pointed, chosen, shown: AT_ONCE });
    this.list = el("ul");
    this.node = el("details.cells", el("summary", "Cells"), this.list);
    this.node.open = innerWidth >= 900;
  }

  show(cells, color) {
    this.cells = cells;
    const ordered = [...cells].sort((a, b) => b.pictures - a.pictures || a.cell - b.cell);
    const more = button({
      text: `Show all ${count(cells.length)}`,
      class: "quiet",
      on: () => {
        this.shown = Infinity;
        this.show(cells, color);
      },
    });
    fill(
      this.list,
      ordered.slice(0, this.shown).map((cell) => this.#entry(cell, color(cell))),
      ordered.length > this.shown && el("li", more),
    );
  }

  #entry(cell, background) {
    const dot = el("i", { "aria-hidden": "true", style: { background } });
    const node = el("button",
      { type: "button", "aria-label": `${cell.label || "no label"}, ${cell.name}, ${many(cell.pictures)}` },
      dot,
      el("span.name", cell.label || "no label", cell.name === cell.label ? null : el("span.soft", ` ${cell.name}`)),
      el("span.number", count(cell.pictures)),
    );
    listen(node, {
      focus: () => node.matches(":focus-visible") && this.pointed(cell, true),
      pointerenter: () => this.pointed(cell, false),
      click: () => this.chosen(cell),
    });
    return el("li", node);
  }
}
