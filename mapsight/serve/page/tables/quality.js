// The view of how good the labels are: accuracy with its interval, confusions.

import { confusionTable } from "./confusion.js";
import { el, svg, title } from "../dom.js";
import { count, decimal, many, percent } from "../format.js";
import { readOnce } from "./once.js";

export default readOnce({ path: "evaluation", none: "Nobody verified labels", drawn: chapters });

function chapters({ accuracy, confusion }) {
  const all = accuracy.find(({ label }) => label === "all") ?? null;
  return [
    title(all ? `${percent(all.accuracy)} of ${many(all.n, "verified picture")} have the right label` : "Quality"),
    all ? el("p", { class: "soft" }, `95 % interval ${percent(all.low)} to ${percent(all.high)}. Pictures that the head was fitted on do not count.`) : null,
    accuracyTable(accuracy),
    confusion?.labels?.length ? confusionTable(confusion) : null,
  ];
}

function accuracyTable(rows) {
  return el(
    "section",
    {},
    el("h2", {}, "Accuracy"),
    el("div", { class: "scroll" }, el(
      "table",
      { class: "accuracy" },
      el("thead", {}, el("tr", {}, ["Label", "Right", "Of", "Accuracy", "95 % interval"].map((name) => el("th", { scope: "col" }, name)), el("td", {}))),
      el("tbody", {}, rows.map(accuracyRow)),
    )),
  );
}

function accuracyRow({ label, n, correct, accuracy, low, high }) {
  const number = (text) => el("td", { class: "number" }, text);
  const interval = n ? `${decimal(low * 100, 1)} – ${percent(high)}` : "–";
  return el(
    "tr",
    label === "all" ? { class: "total" } : {},
    el("th", { scope: "row" }, label),
    number(count(correct)),
    number(count(n)),
    number(n ? percent(accuracy) : "–"),
    number(interval),
    el("td", { class: "drawn" }, n ? whisker(accuracy, low, high) : null),
  );
}

function whisker(share, low, high) {
  const x = (value) => 4 + 152 * value;
  return svg(
    "svg",
    { viewBox: "0 0 160 16", class: "whisker", "aria-hidden": "true" },
    svg("line", { x1: 4, x2: 156, y1: 8, y2: 8, class: "track" }),
    svg("line", { x1: x(low), x2: x(high), y1: 8, y2: 8, class: "span" }),
    svg("circle", { cx: x(share), cy: 8, r: 4 }),
  );
}
