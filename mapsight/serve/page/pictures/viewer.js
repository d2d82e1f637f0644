// One picture, large, with all that is known of it; arrows lead to the next.

import { back, findLike, go } from "../address.js";
import { ask } from "../api.js";
import { announce, busy, button, copy, el, fill, find } from "../dom.js";
import { hideFacts } from "./facts_card.js";
import { count, described, original, thumbnail } from "../format.js";
import { pictureFacts } from "./picture_facts.js";
import { selection } from "../selection/selection.js";
import { broken } from "./tile.js";

let summary;
let around = null; // {source, index}: what the arrows lead through
let shown = null; // image_id
let pushed = false;
let grid; // of the view below

export function startViewer(known) {
  summary = known;
  const dialog = find("#viewer");
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && leave());
  dialog.addEventListener("keydown", key);
  selection.addEventListener("change", drawMark);
}

export function openPicture(source, index) {
  around = { source, index };
  pushed = true;
  go({ open: source.get(index).image_id });
}

export function showViewer(query, view) {
  const dialog = find("#viewer");
  const id = query.get("open");
  grid = view.grid;
  if (!id) {
    close();
    return;
  }
  if (shown === id && dialog.open) return;
  if (around?.source.get(around.index)?.image_id !== id) around = null;
  hideFacts();
  draw(id);
  if (!dialog.open) dialog.showModal();
  shown = id;
}

function close() {
  if (!shown) return;
  find("#viewer").close();
  shown = null;
  if (around && grid?.source === around.source) grid.focus(around.index);
}

function leave() {
  close();
  if (pushed) back();
  else go({ open: null }, { replace: true });
  pushed = false;
}

async function step(by) {
  if (!around) return;
  const index = around.index + by;
  if (index < 0 || index >= around.source.total) return;
  const [item] = await around.source.range(index, index);
  if (!item || !around || !find("#viewer").open) return;
  around = { source: around.source, index };
  shown = item.image_id;
  draw(item.image_id, item);
  go({ open: item.image_id }, { replace: true });
}

function key(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const acts = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), " ": toggle };
  if (event.key === " " && event.target.closest("button, a")) return;
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

let facts = null; // of the picture shown, once they have come

async function draw(id, item = around?.source.get(around.index)) {
  const dialog = find("#viewer");
  const side = el("div", { class: "side", "aria-busy": "true" }, el("p", { class: "soft" }, "Loading…"));
  const held = dialog.open && dialog.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  facts = item ?? { image_id: id };
  fill(dialog, stage(id, item), tools(id), side);
  dialog.querySelector(`[data-act="${held ?? "close"}"]`)?.focus();
  announce(place() + (item ? described(item) : id));
  try {
    const known = await ask(`pictures/${encodeURIComponent(id)}`);
    if (shown !== id) return;
    facts = known;
    fill(side, pictureFacts(known, summary));
  } catch (error) {
    if (shown === id) fill(side, el("p", { role: "alert" }, error.message));
  }
  busy(side, false);
}

function place() {
  return around ? `${count(around.index + 1)} of ${count(around.source.total)}: ` : "";
}

function stage(id, item) {
  const large = el("img", { alt: item ? described(item) : id, class: "large", decoding: "async" });
  const small = el("img", { alt: "", class: "preview", src: thumbnail(id, 240) });
  const holder = el("div", { class: "holder" }, small, large);
  large.addEventListener("load", () => small.remove(), { once: true });
  large.addEventListener("error", () => fill(holder, broken()), { once: true });
  small.addEventListener("error", () => small.remove(), { once: true });
  large.src = original(id);
  return el("div", { class: "stage" }, turn("left", -1), holder, turn("right", 1));
}

function turn(symbol, by) {
  const name = by < 0 ? "Previous picture" : "Next picture";
  const index = around && around.index + by;
  const none = !around || index < 0 || index >= around.source.total;
  return button({ name, symbol, class: `turn ${symbol}`, disabled: none, "data-act": symbol, on: () => step(by) });
}

function tools(id) {
  const copies = button({ text: "Copy id", symbol: "copy", "data-act": "copy" });
  copies.addEventListener("click", () => copy(id, copies));
  const mark = button({ text: "Select", symbol: "check", class: "plain toggle", "data-act": "mark", on: toggle });
  mark.setAttribute("aria-pressed", String(selection.has(id)));
  return el(
    "div",
    { class: "tools" },
    button({ text: "Find similar", symbol: "like", class: "primary", "data-act": "like", on: () => similar(id) }),
    mark,
    copies,
    el("a", { href: original(id), target: "_blank", rel: "noopener", "data-act": "file" }, "Picture file"),
    button({ name: "Close", symbol: "close", class: "plain close", "data-act": "close", on: leave }),
  );
}

function similar(id) {
  pushed = false;
  findLike(id);
}

function toggle() {
  if (facts) selection.toggle(facts);
}

function drawMark() {
  find("#viewer .toggle")?.setAttribute("aria-pressed", String(selection.has(shown)));
}
