// The view of duplicates: groups, which of each is kept, and why.

import { findLike } from "../address.js";
import { el, notice, title } from "../dom.js";
import { decimal, many } from "../format.js";
import { Paged } from "./paged.js";
import { Answers } from "../pictures/rows.js";
import { listedTile } from "../pictures/tile.js";
import { openPicture } from "../pictures/viewer.js";

export default class Duplicates {
  constructor(panel) {
    panel.classList.add("wide");
    this.paged = new Paged(panel, {
      path: "duplicates",
      list: el("div", { class: "groups" }),
      headed: ({ total }) => [
        title(many(total, "group of duplicates", "groups of duplicates")),
        el("p", { class: "soft" }, "Copies and near copies. The one to keep stands first; nothing is ever deleted."),
      ],
      drawn: ({ groups }) => groups.map(group),
      empty: () => notice("No duplicates", "No two pictures are the same, or nearly."),
    });
  }

  show() {
    if (this.started) return;
    this.started = true;
    this.paged.start("");
  }

  stale() {
    this.started = false;
  }
}

function group({ keeper, why, pictures }) {
  const source = new Answers(pictures);
  const tiles = pictures.map((item, place) =>
    listedTile(item, {
      like: () => findLike(item.image_id),
      open: () => openPicture(source, place),
      badge: item.image_id === keeper ? "kept" : null,
      note: note(item, item.image_id === keeper),
    }),
  );
  return el(
    "section",
    { class: "group", "aria-label": `${many(pictures.length)} like ${keeper}` },
    el("h2", {}, many(pictures.length)),
    why ? el("p", { class: "soft" }, `Kept: ${why}`) : null,
    el("div", { class: "tiles" }, tiles),
  );
}

/** Say how a picture differs from the one that is kept. */
function note(item, kept) {
  const size = item.width && `${item.width} × ${item.height}`;
  if (kept) return el("span", { class: "what" }, size || "kept");
  const exact = item.kind === "exact";
  const away = `${many(item.distance ?? 0, "bit")} apart, ${decimal(item.cosine, 3)} alike`;
  return [
    el("span", { class: "what" }, [exact ? "exact copy" : "near copy", size].filter(Boolean).join(", ")),
    el("span", { class: "soft" }, exact ? "the same bytes" : away),
  ];
}
