// What is asked of the server for the pictures of an address, and how the answer is headed.

import { filtersOf, go } from "../address.js";
import { ask } from "../api.js";
import { button, el } from "../dom.js";
import { count } from "../format.js";
import { Answers } from "./rows.js";
import { image } from "./tile.js";

const kept = new Map(); // number in the address to files
const TOP_K = 200;
const MORE = 1000;
const STYLES = ["photo", "drawing"];

/** Return the pictures most like those that an address asks for, and a heading for them. */
export async function answersTo(query, summary, signal) {
  const number = query.get("upload");
  const files = kept.get(number);
  if (number && !files && !query.has("q")) throw new Error(
    "The picture was dropped into another page, or before this one was loaded anew. Drop it again.",
  );
  const answer = await asked(query, files, summary, signal);
  const items = answer.answers[0] ?? [];
  return { source: new Answers(items), heading: heading(query, answer, files, items) };
}

function asked(query, files, summary, signal) {
  const words = filtersOf(query);
  for (const one of query.getAll("q")) words.append("q", one);
  const wanted = Number(query.get("top_k")) || TOP_K;
  words.set("near_copies", "fold");
  words.set("top_k", Math.min(wanted, summary.top_k_max ?? wanted));
  if (query.has("rank_by")) words.set("rank_by", query.get("rank_by"));
  if (query.getAll("q").length + (files?.files.length ?? 0) > 1) words.set("mean", "1");
  if (!files) return ask("search", words, { signal });
  const body = new FormData();
  for (const [name, value] of words) body.append(name, value);
  for (const file of files.files) body.append("file", file, file.name || "picture");
  return ask("search", "", { signal, body });
}

function heading(query, { understood, of }, files, items) {
  const asked = understood.filter(({ kind }) => kind !== "upload").map((one) => queryChip(query, one));
  const dropped = (files?.previews ?? []).map((preview, place) => droppedChip(preview, files.files[place]));
  const style = ownStyle(query, understood, items);
  return [
    el("span.lead", asked.length + dropped.length > 1 ? "Like all of these" : understood[0]?.words ? "Showing" : "Like"),
    ...asked,
    ...dropped,
    style && button({ text: `${style}s, like the query`, symbol: "close", class: "chip", on: () => go({ style: STYLES }) }),
    of && el("span.soft", `among the ${count(of)} most alike`),
    items.length === TOP_K && !query.has("top_k")
      ? button({ text: `Show ${count(MORE)}`, class: "quiet", on: () => go({ top_k: MORE }) })
      : null,
  ];
}

/** Return the style that the query chose by itself: where none is asked for, a picture brings its own. */
function ownStyle(query, understood, items) {
  const styles = new Set(items.map(({ style }) => style));
  return !query.has("style") && !understood[0]?.words && styles.size === 1 && items[0].style;
}

function queryChip(query, { query: asked, kind, words }) {
  const rest = query.getAll("q").filter((other) => other !== asked);
  return el("span.query",
    kind === "id" && image({ image_id: asked }, 48),
    el("span.name", words ?? asked),
    button({ name: `Without ${asked}`, symbol: "close", on: () => go({ q: rest }) }),
  );
}

function droppedChip(preview, file) {
  const drop = () => go({ upload: null });
  return el("span.query",
    el("img.there", { src: preview, alt: "" }),
    el("span.name", file.name || "pasted picture"),
    button({ name: "Without this picture", symbol: "close", on: drop }),
  );
}

/** Keep pictures of the person's own, and return the number that stands for them. */
export function keep(files) {
  const number = String(Date.now()); // the address of another load of the page never means these
  kept.set(number, { files, previews: files.map((file) => URL.createObjectURL(file)) });
  return number;
}
