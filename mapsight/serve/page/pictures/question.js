// What is asked of the server for the pictures of an address, and how the answer is headed.

import { filtersOf, go } from "../address.js";
import { ask } from "../api.js";
import { button, el } from "../dom.js";
import { Answers, Listing } from "./rows.js";
import { image } from "./tile.js";

const kept = new Map(); // number in the address to files
const TOP_K = 200;
const MORE = 1000;

export function listed(query, changed, failed) {
  const asked = filtersOf(query);
  if (query.has("sort")) asked.set("sort", query.get("sort"));
  return new Listing(asked, changed, failed);
}

/** Return the pictures most like those that an address asks for, and a heading for them. */
export async function answersTo(query, summary, signal) {
  const number = query.get("upload");
  const files = kept.get(number);
  if (number && !files && !query.has("q")) throw new Error(
    "The picture was dropped into another page, or before this one was loaded anew. Drop it again.",
  );
  const { answers, understood, of } = await asked(query, files, summary, signal);
  const items = answers[0] ?? [];
  return { source: new Answers(items), heading: heading(query, understood, files, of, items.length) };
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

function heading(query, understood, files, of, shown) {
  const asked = understood.filter(({ kind }) => kind !== "upload").map((one) => queryChip(query, one));
  const dropped = (files?.previews ?? []).map((preview, place) => droppedChip(preview, files.files[place]));
  return [
    el("span", { class: "lead" }, asked.length + dropped.length > 1 ? "Like all of these" : "Like"),
    ...asked,
    ...dropped,
    of ? el("span", { class: "soft" }, `among the ${of.toLocaleString("en")} most alike`) : null,
    shown === TOP_K && !query.has("top_k")
      ? button({ text: `Show ${MORE.toLocaleString("en")}`, class: "quiet", on: () => go({ top_k: MORE }) })
      : null,
  ];
}

function queryChip(query, { query: asked, kind, words }) {
  const rest = query.getAll("q").filter((other) => other !== asked);
  return el(
    "span",
    { class: "query" },
    kind === "id" ? image({ image_id: asked }, 48) : null,
    el("span", { class: "name" }, words ?? asked),
    button({ name: `Without ${asked}`, symbol: "close", on: () => go({ q: rest }) }),
  );
}

function droppedChip(preview, file) {
  const drop = () => go({ upload: null });
  return el(
    "span",
    { class: "query" },
    el("img", { src: preview, alt: "", class: "there" }),
    el("span", { class: "name" }, file.name || "pasted picture"),
    button({ name: "Without this picture", symbol: "close", on: drop }),
  );
}

/** Keep pictures of the person's own, and return the number that stands for them. */
export function keep(files) {
  const number = String(kept.size + 1);
  kept.set(number, { files, previews: files.map((file) => URL.createObjectURL(file)) });
  return number;
}
