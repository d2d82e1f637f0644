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
  cell.setAttribute("aria-selected", String(marked));
  cell.querySelector(".mark")?.setAttribute("aria-pressed", String(marked));
}

function frame(item, size) {
  return el(
    "div",
    { class: "frame" },
    image(item, size),
    item.duplicate === "keeper" ? el("span", { class: "badge" }, "kept") : null,
    button({ name: "Select", symbol: "check", class: "mark", tabindex: -1, "aria-pressed": "false" }),
    button({ name: "Large view", symbol: "expand", class: "expand", tabindex: -1 }),
  );
}

/** Make the image of a picture; one that cannot be shown says so in its place. */
export function image(item, size, alt = "") {
  const small = el("img", { alt, draggable: "false", decoding: "async" });
  small.addEventListener("error", () => small.replaceWith(broken()), { once: true });
  small.addEventListener("load", () => small.classList.add("there"), { once: true });
  small.src = thumbnail(item.image_id, size);
  return small;
}

export function broken() {
  return el("span", { class: "broken" }, "cannot be shown");
}

function caption(item) {
  return el(
    "div",
    { class: "caption", "aria-hidden": "true" },
    el(
      "span",
      { class: "what" },
      el(
        "span",
        { class: "name" },
        item.label || item.top_label || item.image_id,
        item.label === OTHER && item.top_label ? el("span", { class: "soft" }, ` ${item.top_label}`) : null,
        item.unsure ? el("span", { class: "flag" }, " not sure") : null,
        item.disputed ? el("span", { class: "flag" }, ` ≠ ${said(item)}`) : null,
      ),
      number(item),
    ),
    el("span", { class: "who" }, credit(item) || "\u00a0"),
  );
}

function number(item) {
  const value = item.similarity ?? item.score;
  return value === undefined || value === null
    ? null
    : el("span", { class: "number" }, decimal(value, 2) + (item.copies ? ` +${item.copies}` : ""));
}

/** Make a tile outside the grid, in a list: a click finds its like, a corner opens it. */
export function listedTile(item, { like, open, note, badge }) {
  const name = described(item);
  return el(
    "figure",
    { class: "tile listed" },
    el(
      "button",
      { type: "button", class: "frame", "aria-label": `Find like ${name}`, on: { click: like } },
      image(item, 200),
      badge ? el("span", { class: "badge" }, badge) : null,
    ),
    button({ name: `Large view of ${name}`, symbol: "expand", class: "expand", on: open }),
    el("figcaption", { class: "caption" }, note, el("span", { class: "who" }, credit(item))),
  );
}
