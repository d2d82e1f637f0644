// The view of rejected pictures: how many for which reason, and each with its source.

import { go } from "../address.js";
import { el, notice, title } from "../dom.js";
import { count, many, words } from "../format.js";
import { Paged } from "./paged.js";

export default class extends Paged {
  constructor(panel) {
    const list = el("tbody");
    const columns = ["Reason", "Detail", "Source", "Id"];
    const table = el("table",
      el("caption.unseen", "Rejected pictures"),
      el("thead", el("tr", columns.map((name) => el("th", { scope: "col" }, name)))),
      list,
    );
    super(panel, {
      path: "rejected",
      list,
      frame: el("div.scroll", table),
      headed: (answer) => this.#head(answer),
      drawn: ({ items }) => items.map(row),
      empty: () => el("tr", el("td", { colspan: 4 }, notice("Nothing was rejected", "Every picture that was read could be used."))),
    });
  }

  show(query) {
    this.reason = query.get("error") ?? "";
    this.start(this.reason && String(new URLSearchParams({ error: this.reason })));
  }

  #head({ counts }) {
    const all = Object.values(counts).reduce((sum, pictures) => sum + pictures, 0);
    const reasons = Object.entries(counts).sort(([, a], [, b]) => b - a);
    return [
      title(`${many(all)} could not be used`),
      el("div.chips",
        { role: "group", "aria-label": "Reasons" },
        reasons.length > 1 && this.#reason("", "All", all),
        reasons.map(([code, pictures]) => this.#reason(code, words(code), pictures)),
      ),
    ];
  }

  #reason(code, text, pictures) {
    const on = { click: () => go({ error: code || null }) };
    return el("button.chip",
      { type: "button", "aria-pressed": String(code === this.reason), on },
      text,
      el("span.number", count(pictures)),
    );
  }
}

function row({ image_id: id, source, error, detail }) {
  return el("tr",
    el("td", words(error)),
    el("td", detail || "–"),
    el("td.path", source),
    el("td", el("code", id)),
  );
}
