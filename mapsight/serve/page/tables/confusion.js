// The matrix of confusions: a cell leads to its pictures.

import { begin } from "../address.js";
import { button, el, restyle } from "../dom.js";
import { count, many } from "../format.js";

/** Draw a row for each label that people verified, a column for each that was given. */
export function confusionTable({ labels, counts, truth: truths = labels }) {
  const head = el("tr", el("td"), labels.map((label) => el("th", { scope: "col" }, el("span", label))));
  const rows = counts.map((row, place) => el("tr",
    el("th", { scope: "row" }, truths[place]),
    row.map((pictures, column) => cell(truths[place], labels[column], pictures, Math.max(...row))),
  ));
  return el("section",
    el("h2", "Confusions"),
    el("p.soft", "A row is what people said, a column what the model says, of test pictures. Choose a number to see its pictures."),
    el("div.scroll", el("table.confusion", el("thead", head), el("tbody", { on: { keydown: move } }, rows))),
  );
}

function cell(truth, label, pictures, most) {
  if (!pictures) return el("td.none");
  const right = truth === label;
  const name = `${many(pictures)} of ${truth} given ${label}`;
  const on = () => begin({ truth, label, split: "test" });
  const node = button({ text: count(pictures), "aria-label": name, title: name, on });
  restyle(node, { "--share": `${Math.round(12 + 34 * (pictures / most))}%` });
  return el(right ? "td.right" : "td.wrong", node);
}

/** Let the arrows lead from number to number. */
function move(event) {
  const [down, across] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
  if (down === undefined) return;
  event.preventDefault();
  let td = event.target.closest("td");
  const place = [...td.parentNode.children].indexOf(td);
  let [row, column] = [td.parentNode, place];
  do {
    row = down < 0 ? row.previousElementSibling : down > 0 ? row.nextElementSibling : row;
    column += across;
    td = row?.children[column];
  } while (td && !td.querySelector("button"));
  td?.querySelector("button")?.focus();
}
