// All that is known of a picture, as the large view shows it.

import { findLike } from "../address.js";
import { button, el, factList } from "../dom.js";
import { bytes, decimal, flag, licence, percent, said } from "../format.js";
import { image } from "./tile.js";

const LONG = 16; // letters of a unit that says more than it helps

export function pictureFacts(known, summary) {
  return el("div",
    el("h2", known.title || known.label || known.image_id),
    known.caption && el("p", known.caption),
    credits(known),
    factList(facts(known, summary)),
    duplicates(known),
  );
}

function credits(known) {
  const license = known.license && outward(known.license_url, licence(known.license));
  const parts = [known.author, license, outward(known.original_url, "original")].filter(Boolean);
  if (!parts.length) return null;
  return el("p.credits", parts.flatMap((part, place) => (place ? [" · ", part] : [part])));
}

/** Link to an address outside, which is opened by the person alone; only http and https. */
function outward(address, text) {
  if (!/^https?:\/\//i.test(address ?? "")) return text === "original" ? null : text;
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

function facts(known, { measures: named }) {
  const { measures = {}, predictions = {} } = known;
  const file = [measures.format, measures.bytes && bytes(measures.bytes)].filter(Boolean).join(", ");
  return [
    ["Label", known.label && `${known.label}, ${percent(known.score)} sure`],
    ["People said", said(known)],
    ["Looks like", known.top_label && `${known.top_label}, ${percent(predictions.top_probability)}`],
    ["Without head", predictions.model_label === known.label ? null : predictions.model_label],
    ["Style", known.style],
    ["Flags", known.flags?.map(flag).join(", ")],
    ["Size", known.width && `${known.width} × ${known.height} pixels`],
    ["File", file],
    ...named
      .filter(({ name }) => name in measures && !["pixels", "bytes", "score"].includes(name))
      .map(({ name, title, unit, digits }) => [title, `${decimal(measures[name], digits)} ${unit.length < LONG ? unit : ""}`]),
    ["Cell", known.cell?.toString()],
    ["Subset", known.subset],
    ["Used for", predictions.split],
    ["From", known.source],
    ["Id", known.image_id],
  ];
}

function duplicates(known) {
  const others = (known.duplicates ?? []).filter(({ image_id: id }) => id !== known.image_id);
  if (!others.length) return null;
  const shown = others.map((other) => {
    const find = button({ name: `Find like ${other.image_id}`, class: "small", on: () => findLike(other.image_id) });
    find.append(image(other, 96), el("span", other.kind));
    return find;
  });
  return [el("h3", "Duplicates"), el("div", shown)];
}
