// The view of suspected label errors: what people said beside what the model says.

import { el, notice, title } from "../dom.js";
import { many, percent } from "../format.js";
import { readOnce } from "./once.js";
import { tiles } from "./tiles.js";

const NONE = "No suspects";

export default readOnce({
  path: "suspects",
  none: NONE,
  drawn: ({ items }) =>
    items.length ? sheet(items) : notice(NONE, "No sure prediction contradicts what people verified."),
});

function sheet(items) {
  return [
    title(many(items.length, "suspected label error")),
    el("p.soft", "The prediction is sure, and people said otherwise: either may be wrong. Look before you mend."),
    tiles(items, note),
  ];
}

function note(item) {
  const absent = item.reason === "absent" ? `people said: no ${item.given ?? item.label}` : null;
  const said = item.verified ? `people said: ${item.verified}` : null;
  return [
    el("span.what", `${item.given ?? item.label} ${percent(item.score)}`),
    el("span.flag", [said, absent].filter(Boolean).join("; ")),
  ];
}
