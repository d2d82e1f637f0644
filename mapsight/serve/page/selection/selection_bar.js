// The bar at the bottom: how many are selected, and what can be had of them.

import { findLike, isSearch } from "../address.js";
import { ask, askFile } from "../api.js";
import { announce, button, copyButton, el, fill, find, message, toast } from "../dom.js";
import { image } from "../pictures/tile.js";
import { count, many } from "../format.js";
import { searchCommand } from "./command.js";
import { WHOLE, selection } from "./selection.js";

const FORMATS = { ids: "List of ids", csv: "CSV", parquet: "Parquet" };
const SHOWN = 5; // small pictures in the bar
const QUERIES = 10; // of which a mean may be made

export function startSelectionBar(collection) {
  selection.addEventListener("change", draw);
  draw();
  selection.restore(collection);
}

function draw() {
  const bar = find("#selection");
  const before = bar.hidden;
  bar.hidden = selection.size === 0;
  if (!bar.hidden || !before) announce(`${count(selection.size)} selected`);
  if (bar.hidden) return;
  const few = selection.size <= QUERIES && !selection.all;
  fill(
    bar,
    el("div.few", { "aria-hidden": "true" }, few && shown()),
    el("strong", `${count(selection.size)} selected`),
    few && button({ text: "Find like these", symbol: "like", on: () => findLike(...selection.ids) }),
    exports(),
    button({ text: "Command line", on: showCommand }),
    button({ text: "Clear", symbol: "close", on: () => selection.clear() }),
  );
}

function shown() {
  return [...selection.ids].slice(0, SHOWN).map((id) => image({ image_id: id }, 48));
}

function exports() {
  const items = Object.entries(FORMATS).map(([format, text]) =>
    button({ text, on: (event) => download(format, event.currentTarget) }),
  );
  return el("span.export", { role: "group", "aria-label": "Export" }, el("span", "Export"), items);
}

async function download(format, source) {
  if (selection.ids.size > WHOLE) {
    toast(`More than ${count(WHOLE)} ids: select all that match instead`);
    return;
  }
  source.disabled = true;
  try {
    await (selection.all ? streamed(format) : gathered(format));
    toast(`${many(selection.size)} exported`);
  } catch (error) {
    toast(error.message);
  } finally {
    source.disabled = false;
  }
}

function streamed(format) {
  const query = new URLSearchParams(selection.all.query);
  query.append("format", format);
  save(`api/v1/export?${query}`, format);
}

async function gathered(format) {
  const file = await askFile("export", "", { ids: [...selection.ids], format });
  const address = URL.createObjectURL(file);
  save(address, format);
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function save(address, format) {
  el("a", { href: address, download: `selection.${format === "ids" ? "txt" : format}` }).click();
}

async function showCommand() {
  const query = selection.all?.query ?? selection.whole;
  try {
    const command = query === null ? null : await commandOf(new URLSearchParams(query));
    if (command) showText(command);
    else toast("No one command gives just these. Export their ids: a program reads one a line.");
  } catch (error) {
    toast(error.message);
  }
}

async function commandOf(query) {
  if (!isSearch(query)) return (await ask("command", query)).command;
  const command = searchCommand(query, selection.size);
  const { command: all } = await ask("command"); // it names the workspace
  return command && command + all.replace("mapsight select", "");
}

function showText(command) {
  const text = el("code.command", { tabindex: 0 }, command);
  message("The same on the command line", text, copyButton(command, { text: "Copy", class: "primary" }));
}
