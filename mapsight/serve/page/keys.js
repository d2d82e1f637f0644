// Keys that work everywhere, and the list of all.

import { factList, find, message } from "./dom.js";

const KEYS = [
  ["/", "search"],
  ["arrows, Page Up, Page Down, Ctrl + Home, Ctrl + End", "go through the pictures"],
  ["Enter, or a click", "find pictures like this one"],
  ["v", "large view; in it the arrows lead on, Escape closes"],
  ["Space, or a click on the mark", "select"],
  ["Shift + arrow, Shift + click", "select a range"],
  ["arrows, + and − on the map", "move and zoom; 0 shows all"],
  ["Ctrl + V", "search by a copied picture"],
  ["?", "this list"],
];

export function startKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (find("dialog[open]")) return;
    if (event.key === "/") find("#words").focus();
    else if (event.key === "?") showKeys();
    else return;
    event.preventDefault();
  });
}

export function typing(node) {
  return node instanceof Element && node.matches("input:not([type=checkbox], [type=range]), textarea, select");
}

export function showKeys() {
  message("Keys", factList(KEYS, { class: "keys-list" }));
}
