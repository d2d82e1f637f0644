// What colours on the map mean: labels, the commonest apart from each other, or a measure.

import { el } from "../dom.js";
import { short } from "../format.js";

// Nine that also people see apart who do not see red and green apart (after Tol and Wong).
const NAMED = ["#4477aa", "#ee7733", "#228833", "#cc3377", "#66bbdd", "#aa8800", "#8866cc", "#bb4433", "#119988"];
const OTHERS = "#8a939b";
const RAMP = ["#2b4c8c", "#2f7fb0", "#3fae9f", "#8fcc6b", "#f2d949"]; // low to high
const BELOW = 0.05; // the share at either end that a ramp does not stretch to

export function colouring(cells, by, title) {
  return by === "label" ? byLabel(cells) : byMeasure(cells, by, title);
}

function byLabel(cells) {
  const sums = new Map();
  for (const { label, pictures } of cells) sums.set(label, (sums.get(label) ?? 0) + pictures);
  const others = sums.has("other") && sums.size > 1;
  const named = [...sums].sort((a, b) => b[1] - a[1]).map(([label]) => label).filter((label) => !(others && label === "other"));
  const colors = new Map(named.slice(0, NAMED.length).map((label, place) => [label, NAMED[place]]));
  const rest = others || named.length > NAMED.length;
  const entries = [...colors, ...(rest ? [["others", OTHERS]] : [])];
  return { color: ({ label }) => colors.get(label) ?? OTHERS, legend: entries.map(swatch) };
}

function swatch([text, background]) {
  return el("li", el("i", { style: { background } }), el("span", text || "no label"));
}

function byMeasure(cells, by, title) {
  const values = cells.map((cell) => cell[by]).filter((value) => typeof value === "number").sort((a, b) => a - b);
  const at = (share) => values[Math.round(share * (values.length - 1))] ?? 0;
  const [low, high] = [at(BELOW), at(1 - BELOW)];
  const color = (cell) =>
    typeof cell[by] === "number" ? mixed((cell[by] - low) / (high - low || 1)) : OTHERS;
  const bar = el("i.ramp", { style: { background: `linear-gradient(to right, ${RAMP.join(", ")})` } });
  const ends = [el("span", `${title} ${short(low)}`), bar, el("span", short(high))];
  return { color, legend: [el("li.scale", ends)] };
}

function mixed(share) {
  const at = Math.max(0, Math.min(1, share)) * (RAMP.length - 1);
  return `color-mix(in srgb, ${RAMP[Math.floor(at)]}, ${RAMP[Math.ceil(at)]} ${(at % 1) * 100}%)`;
}
