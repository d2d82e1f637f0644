// One picture, large, with all that is known of it; arrows lead to the next.

import { back, findLike, go } from "../address.js";
import { ask } from "../api.js";
import { announce, busy, button, closeButton, copyButton, el, fill, find, listen } from "../dom.js";
import { hideFacts } from "./facts_card.js";
import { count, described, original, picture, thumbnail } from "../format.js";
import { pictureFacts } from "./picture_facts.js";
import { selection } from "../selection/selection.js";
import { broken } from "./tile.js";

const dialog = find("#viewer");
let summary;
let around = null; // {source, index}: what the arrows lead through
let shown = null; // image_id
let pushed = false;
let grid; // of the view below

export function startViewer(known) {
  summary = known;
  listen(dialog, {
    cancel: (event) => {
      event.preventDefault();
      leave();
    },
    click: (event) => event.target === dialog && leave(),
    keydown: key,
  });
  selection.addEventListener("change", drawMark);
}

export function openPicture(source, index) {
  around = { source, index };
  pushed = true;
  go({ open: source.get(index).image_id });
}

export function showViewer(query, view) {
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
  dialog.close();
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
  if (!item || !around || !dialog.open) return;
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
  const side = el("div.side", { "aria-busy": "true" }, el("p.soft", "Loading…"));
  const held = dialog.open && dialog.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  facts = item ?? { image_id: id };
  fill(dialog, stage(id, item), tools(id), side);
  dialog.querySelector(`[data-act="${held ?? "close"}"]`)?.focus();
  announce(place() + (item ? described(item) : id));
  try {
    const known = await ask(picture(id));
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
  const drop = () => small.remove();
  const on = { load: drop, error: () => fill(holder, broken()) };
  const large = el("img.large", { alt: item ? described(item) : id, decoding: "async", on });
  const small = el("img.preview", { alt: "", src: thumbnail(id, 240), on: { error: drop } });
  const holder = el("div.holder", small, large);
  large.src = original(id);
  return el("div.stage", turn("left", -1), holder, turn("right", 1));
}

function turn(symbol, by) {
  const name = by < 0 ? "Previous picture" : "Next picture";
  const index = around && around.index + by;
  const none = !around || index < 0 || index >= around.source.total;
  return button({ name, symbol, class: `turn ${symbol}`, disabled: none, "data-act": symbol, on: () => step(by) });
}

function tools(id) {
  const marked = String(selection.has(id));
  return el("div.tools",
    button({ text: "Find similar", symbol: "like", class: "primary", "data-act": "like", on: () => similar(id) }),
    button({ text: "Select", symbol: "check", class: "plain toggle", "data-act": "mark", "aria-pressed": marked, on: toggle }),
    copyButton(id, { text: "Copy id", "data-act": "copy" }),
    el("a", { href: original(id), target: "_blank", rel: "noopener", "data-act": "file" }, "Picture file"),
    closeButton(leave),
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
  dialog.querySelector(".toggle")?.setAttribute("aria-pressed", selection.has(shown));
}
