// The view of how good the labels are: accuracy with its interval, confusions.

import { confusionTable } from "./confusion.js";
import { el, title } from "../dom.js";
import { count, decimal, many, percent } from "../format.js";
import { readOnce } from "./once.js";

export default readOnce({ path: "evaluation", none: "Nobody verified labels", drawn: chapters });

function chapters({ accuracy, confusion }) {
  const all = accuracy.find(({ label }) => label === "all") ?? null;
  return [
    title(all ? `${percent(all.accuracy)} of ${many(all.n, "verified picture")} have the right label` : "Quality"),
    all && el("p.soft", `95 % interval ${percent(all.low)} to ${percent(all.high)}. Pictures that the head was fitted on do not count.`),
    accuracyTable(accuracy),
    confusion?.labels?.length && confusionTable(confusion),
  ];
}

function accuracyTable(rows) {
  return el("section",
    el("h2", "Accuracy"),
    el("div.scroll", el("table.accuracy",
      el("thead", el("tr", ["Label", "Right", "Of", "Accuracy", "95 % interval"].map((name) => el("th", { scope: "col" }, name)), el("td"))),
      el("tbody", rows.map(accuracyRow)),
    )),
  );
}

function accuracyRow({ label, n, correct, accuracy, low, high }) {
  const number = (text) => el("td.number", text);
  const interval = n ? `${decimal(low * 100, 1)} – ${percent(high)}` : "–";
  return el("tr",
    label === "all" ? { class: "total" } : {},
    el("th", { scope: "row" }, label),
    number(count(correct)),
    number(count(n)),
    number(n ? percent(accuracy) : "–"),
    number(interval),
    el("td.drawn", n && whisker(accuracy, low, high)),
  );
}

/** Draw a share and its interval on the way from none to all. */
function whisker(share, low, high) {
  const part = (kind, from, to) => el(`i.${kind}`, { style: { left: `${100 * from}%`, width: `${100 * (to - from)}%` } });
  return el("div.whisker", { "aria-hidden": "true" }, part("span", low, high), part("dot", share, share));
}
