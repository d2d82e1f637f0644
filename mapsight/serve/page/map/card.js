// What is known of the cell that was chosen, and where one can go from there.

import { findLike, showPictures } from "../address.js";
import { button, closeButton, el, factList, fill } from "../dom.js";
import { decimal, many, percent } from "../format.js";
import { image } from "../pictures/tile.js";

export function fillCellCard(card, cell, { zoom, close }) {
  const facts = [
    ["Pictures", many(cell.pictures)],
    ["Of this label", Number.isFinite(cell.purity) && percent(cell.purity)],
    ["Looks like", cell.name],
    ["PPI", cell.ppi && decimal(cell.ppi, 1)],
    ["Sharpness", cell.sharpness && decimal(cell.sharpness)],
    ["Score", cell.score && decimal(cell.score, 2)],
  ];
  fill(
    card,
    closeButton(close),
    button({ name: "Find like the typical picture", class: "frame", on: () => findLike(cell.picture) }),
    el("h2", cell.label || `Cell ${cell.cell}`),
    factList(facts),
    button({ text: "Show its pictures", class: "primary", on: () => showPictures({ cell: cell.cell }) }),
    button({ text: "Zoom in", on: zoom }),
  );
  card.querySelector(".frame").append(image({ image_id: cell.picture }, 200));
  card.hidden = false;
}
