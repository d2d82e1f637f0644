// The view of duplicates: groups, which of each is kept, and why.

import { ask } from "../api.js";
import { el, fill, notice, title } from "../dom.js";
import { decimal, many } from "../format.js";
import { Paged } from "./paged.js";
import { tiles } from "./tiles.js";

export default class extends Paged {
  constructor(panel) {
    super(panel, {
      path: "duplicates",
      list: el("div.groups"),
      headed: ({ total }) => [
        title(many(total, "group of duplicates", "groups of duplicates")),
        el("p.soft", "Copies and near copies. The one to keep stands first; nothing is ever deleted."),
      ],
      drawn: ({ groups }) => groups.map(group),
      empty: () => notice("No duplicates", "None was found, or nobody has looked. This command looks:", finder()),
    });
  }

  show() {
    this.start("");
  }
}

function finder() {
  const shown = el("code.command");
  ask("command").then(({ command }) => fill(shown, command.replace("select", "duplicates")), () => {});
  return shown;
}

function group({ keeper, why, pictures }) {
  return el("section.group",
    { "aria-label": `${many(pictures.length)} like ${keeper}` },
    el("h2", many(pictures.length)),
    why && el("p.soft", `Kept: ${why}`),
    tiles(pictures, (item) => note(item, item.image_id === keeper), keeper),
  );
}

/** Say how a picture differs from the one that is kept. */
function note(item, kept) {
  const size = item.width && `${item.width} × ${item.height}`;
  if (kept) return el("span.what", size || "kept");
  const exact = item.kind === "exact";
  const away = `${many(item.distance ?? 0, "bit")} apart, ${decimal(item.cosine, 3)} alike`;
  return [
    el("span.what", [`${item.kind} copy`, size].filter(Boolean).join(", ")),
    el("span.soft", exact ? "the same bytes" : away),
  ];
}
