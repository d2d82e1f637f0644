// Pictures in a row of a table's view: a click finds their like, a corner opens them.

import { findLike } from "../address.js";
import { button, el } from "../dom.js";
import { credit, described } from "../format.js";
import { Answers } from "../pictures/rows.js";
import { image } from "../pictures/tile.js";
import { openPicture } from "../pictures/viewer.js";

/** Lay pictures out; `noted` returns what stands below one, `keeper` is the id of the one to keep. */
export function tiles(items, noted, keeper) {
  const source = new Answers(items);
  return el("div.tiles", items.map((item, place) => tile(item, noted(item), keeper, () => openPicture(source, place))));
}

function tile(item, note, keeper, open) {
  const name = described(item);
  const like = () => findLike(item.image_id);
  return el("figure.tile.listed",
    el("button",
      { type: "button", class: "frame", "aria-label": `Find like ${name}`, on: { click: like } },
      image(item, 200),
      item.image_id === keeper && el("span.badge", "kept"),
    ),
    button({ name: `Large view of ${name}`, symbol: "expand", class: "expand", on: open }),
    el("figcaption.caption", note, el("span.who", credit(item))),
  );
}
