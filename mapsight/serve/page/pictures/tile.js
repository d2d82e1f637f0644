// One picture of a grid or a row: image, marks, caption.

import { button, el, fill } from "../dom.js";
import { OTHER, credit, decimal, described, said, thumbnail } from "../format.js";

export function fillTile(cell, item, size, marked) {
  cell.dataset.id = item.image_id;
  cell.setAttribute("aria-label", described(item));
  cell.classList.remove("waiting");
  fill(cell, frame(item, size), caption(item));
  markTile(cell, marked);
}

export function markTile(cell, marked) {
  cell.setAttribute("aria-selected", marked);
  cell.querySelector(".mark")?.setAttribute("aria-pressed", marked);
}

function frame(item, size) {
  return el("div.frame",
    image(item, size),
    item.duplicate === "keeper" && el("span.badge", "kept"),
    button({ name: "Select", symbol: "check", class: "mark", tabindex: -1, "aria-pressed": "false" }),
    button({ name: "Large view", symbol: "expand", class: "expand", tabindex: -1 }),
  );
}

/** Make the image of a picture; one that cannot be shown says so in its place. */
export function image(item, size, alt = "") {
  const on = { error: () => small.replaceWith(broken()), load: () => small.classList.add("there") };
  const small = el("img", { alt, draggable: "false", decoding: "async", on });
  small.src = thumbnail(item.image_id, size);
  return small;
}

export function broken() {
  return el("span.broken", "cannot be shown");
}

function caption(item) {
  return el("div.caption",
    { "aria-hidden": "true" },
    el("span.what",
      el("span.name",
        item.label || item.top_label || item.image_id,
        item.label === OTHER && item.top_label && el("span.soft", ` ${item.top_label}`),
        item.unsure && el("span.flag", " not sure"),
        item.disputed && el("span.flag", ` ≠ ${said(item)}`),
      ),
      number(item),
    ),
    el("span.who", credit(item) || "\u00a0"),
  );
}

function number(item) {
  const value = item.similarity ?? item.score;
  return Number.isFinite(value) && el("span.number", decimal(value, 2) + (item.copies ? ` +${item.copies}` : ""));
}
