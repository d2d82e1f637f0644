// The view of rejected pictures: how many for which reason, and each with its source.

import { go } from "../address.js";
import { el, notice, title } from "../dom.js";
import { count, many, words } from "../format.js";
import { Paged } from "./paged.js";

export default class Rejected {
  constructor(panel) {
    this.body = el("tbody", {});
    const columns = ["Reason", "Detail", "Source", "Id"];
    const table = el(
      "table",
      {},
      el("caption", { class: "unseen" }, "Rejected pictures"),
      el("thead", {}, el("tr", {}, columns.map((name) => el("th", { scope: "col" }, name)))),
      this.body,
    );
    panel.classList.add("wide");
    this.paged = new Paged(panel, {
      path: "rejected",
      list: this.body,
      headed: (answer) => this.#head(answer, table),
      drawn: ({ items }) => items.map(row),
      empty: () => el("tr", {}, el("td", { colspan: 4 }, notice("Nothing was rejected", "Every picture that was read could be used."))),
    });
    this.body.remove();
    table.append(this.body);
    this.paged.head.after(el("div", { class: "scroll" }, table));
  }

  show(query) {
    const reason = query.get("error") ?? "";
    if (this.reason === reason) return;
    this.reason = reason;
    this.paged.start(reason ? new URLSearchParams({ error: reason }) : "");
  }

  stale() {
    this.reason = undefined;
  }

  #head({ counts }) {
    const all = Object.values(counts).reduce((sum, pictures) => sum + pictures, 0);
    const reasons = Object.entries(counts).sort(([, a], [, b]) => b - a);
    return [
      title(`${many(all)} could not be used`),
      el(
        "div",
        { class: "chips", role: "group", "aria-label": "Reasons" },
        reasons.length > 1 ? this.#reason("", "All", all) : null,
        reasons.map(([code, pictures]) => this.#reason(code, words(code), pictures)),
      ),
    ];
  }

  #reason(code, text, pictures) {
    return el(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-pressed": String(code === this.reason),
        on: { click: () => go({ error: code || null }) },
      },
      text,
      el("span", { class: "number" }, count(pictures)),
    );
  }
}

function row({ image_id: id, source, error, detail }) {
  return el(
    "tr",
    {},
    el("td", {}, words(error)),
    el("td", {}, detail || "–"),
    el("td", { class: "path" }, source),
    el("td", {}, el("code", {}, id)),
  );
}
