// The view of suspected label errors: what people said beside what the model says.

import { findLike } from "../address.js";
import { el, notice, title } from "../dom.js";
import { many, percent } from "../format.js";
import { readOnce } from "./once.js";
import { Answers } from "../pictures/rows.js";
import { listedTile } from "../pictures/tile.js";
import { openPicture } from "../pictures/viewer.js";

const NONE = "No suspects";

export default readOnce({
  path: "suspects",
  none: NONE,
  drawn: ({ items }) =>
    items.length ? sheet(items) : notice(NONE, "No sure prediction contradicts what people verified."),
});

function sheet(items) {
  const source = new Answers(items);
  const tiles = items.map((item, place) =>
    listedTile(item, { like: () => findLike(item.image_id), open: () => openPicture(source, place), note: note(item) }),
  );
  return [
    title(many(items.length, "suspected label error")),
    el("p", { class: "soft" }, "The prediction is sure, and people said otherwise: either may be wrong. Look before you mend."),
    el("div", { class: "tiles" }, tiles),
  ];
}

function note(item) {
  const absent = item.reason === "absent" ? `people said: no ${item.given ?? item.label}` : null;
  const said = item.verified ? `people said: ${item.verified}` : null;
  return [
    el("span", { class: "what" }, `${item.given ?? item.label} ${percent(item.score)}`),
    el("span", { class: "flag" }, [said, absent].filter(Boolean).join("; ")),
  ];
}
